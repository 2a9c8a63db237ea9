"""How far a run is, and how long it will still take at the pace so far."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import mean

from explorer.catalogue import STRATEGIES
from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState, Trial


@dataclass(frozen=True)
class Progress:
    """Epochs trained of all that are planned; `seconds_left` is None until a pace is known."""

    share: float
    trials_done: int
    trials: int
    seconds_left: float | None

    def __str__(self) -> str:
        left = "" if self.seconds_left is None else f" · about {duration(self.seconds_left)} left"
        return f"{self.trials_done} of {self.trials} trials{left}"


def progress(state: RunState, now: float, size: int | None = None) -> Progress:
    """`now` is seconds since 1970; `size` is that of the space, which bounds a search that tries nothing twice.

    An attempt's pace counts its own epochs only: resumed ones were there before.
    """
    own = [trial for trial in state.trials.values() if trial.repeat_of is None]
    everyone = list(state.trials.values())
    wanted = state.spec.trials if size is None else most_trials(state.spec, size)
    retrained = len(everyone) - len(own)
    if state.spec.architecture is not None:  # its repeats are the run's own trials
        planned = max(state.spec.trials + _asked(state), len(everyone))
    else:
        planned = max(wanted, len(own)) + max(_asked(state), retrained)
    ended = sum(trial.status not in ("running", "waiting") for trial in everyone)
    begun = sum(
        min(1.0, _trained(state, trial) / max(1, state.epochs_of(trial)))
        for trial in everyone
        if trial.status == "running"
    )
    share = min(1.0, (ended + begun) / max(1, planned))
    return Progress(share, ended, planned, _left(state, now, (1 - share) * planned))


def most_trials(spec: RunSpec, size: int) -> int:
    """How many trials a search of architectures can come to, its retrainings aside, in a space of that size.

    Where no architecture is tried twice there are no more than the space has; strategies that may try one again, or
    train it longer, go on until they had their number.
    """
    name = spec.method.get("strategy", "random")
    if name not in STRATEGIES or STRATEGIES[name].facts["partial"]:
        return spec.trials
    given = spec.settings.get("strategy", {})
    distinct = STRATEGIES[name].facts["distinct"]
    if distinct is not True and (distinct is False or given.get("duplicates") != distinct):
        return spec.trials
    pool = given.get("pool", STRATEGIES[name].defaults().get("pool", size))
    return min(spec.trials, size, pool if isinstance(pool, int) else size)


def _trained(state: RunState, trial: Trial) -> int:
    """Epochs that it has behind it, those of the training that it goes on with included."""
    return max((step for step, _, _ in trial.intermediate), default=0)


def _asked(state: RunState) -> int:
    """Retrainings asked for over all attempts."""
    return sum(wish.get("seeds", 0) for wish in state.retrains)


def _left(state: RunState, now: float, trials_left: float) -> float | None:
    """Seconds at the pace of this attempt's epochs; where trainings differ in length, each is as long as so far."""
    if state.attempt_started is None or state.status != "running":
        return None
    since = state.attempt_started
    trained = sum(
        len(trial.intermediate) for trial in state.trials.values() if (trial.started or 0.0) >= since
    )
    if trained == 0:
        return None
    ended = [len(trial.intermediate) for trial in state.trials.values() if trial.budget and trial.ended]
    each = mean(ended) if ended else max(1, state.spec.epochs)
    return max(0.0, (now - since) / trained * trials_left * each)


def duration(seconds: float) -> str:
    """`8 s`, `3 min`, `1 h 20 min`.

    >>> duration(95)
    '1 min 35 s'
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 10:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
