"""How far a run is, and how long it will still take at the pace so far."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.runs.state import RunState


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


def progress(state: RunState, now: float, trials: int | None = None) -> Progress:
    """`now` is seconds since 1970; `trials` is how many there can be at most, when the space holds fewer.

    An attempt's pace counts its own epochs only: resumed ones were there before.
    """
    own = [trial for trial in state.trials.values() if trial.repeat_of is None]
    everyone = list(state.trials.values())
    wanted = state.spec.trials if trials is None else min(state.spec.trials, trials)
    retrained = len(everyone) - len(own)
    if state.spec.architecture is not None:  # its repeats are the run's own trials
        planned = max(state.spec.trials + _asked(state), len(everyone))
    else:
        planned = max(wanted, len(own)) + max(_asked(state), retrained)
    ended = sum(trial.status not in ("running", "waiting") for trial in everyone)
    epochs = max(1, state.spec.epochs)
    begun = sum(min(epochs, len(trial.intermediate)) for trial in everyone if trial.status == "running")
    share = min(1.0, (ended + begun / epochs) / max(1, planned))
    return Progress(share, ended, planned, _left(state, now, (1 - share) * planned * epochs))


def _asked(state: RunState) -> int:
    """Retrainings asked for over all attempts."""
    return sum(wish.get("seeds", 0) for wish in state.retrains)


def _left(state: RunState, now: float, epochs_left: float) -> float | None:
    if state.attempt_started is None or state.status != "running":
        return None
    since = state.attempt_started
    trained = sum(
        len(trial.intermediate) for trial in state.trials.values() if (trial.started or 0.0) >= since
    )
    if trained == 0:
        return None
    return max(0.0, (now - since) / trained * epochs_left)


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
