"""Whether the assessor was worth it on this run: epochs saved, right and wrong stops, and the best with and without it.

*Right* is judged by the assessor's own rule. Curvefitting claims that a trial will not end above its line, so a stop
was right when the trial, finished later, ended at or below the line of that moment. Medianstop claims that a trial
stays worse than the median of the running averages, so a stop was right when the finished trial's best value is
strictly worse than the median, at its last step, of the trials that had completed when it was stopped.

Everything is on the trials of this run. Without the assessor the tuner would have learned from other results and
might have suggested other trials; that cannot be known from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from explorer.hyper.assessor_rules import MEDIANSTOP
from explorer.lens.trials import (
    STOPPED,
    SUCCEEDED,
    assessments,
    budget,
    completions,
    ghosts,
    own_trials,
    results,
    stop_step,
)
from explorer.lens.words import Show, counted, number, share
from explorer.runs.state import RunState, Trial


@dataclass(frozen=True)
class StoppedTrial:
    """One stop. `predicted` is what the assessor expected (Medianstop: the best value so far), `line` what it
    compared with, `final` the true end if it was finished later.

    `right` is by the assessor's own rule, `would_be_best` against the best trial of the run; None while unknown.
    """

    trial_id: int
    step: int
    budget: int
    predicted: float | None
    line: float | None
    final: float | None
    right: bool | None
    would_be_best: bool | None

    @property
    def epochs_saved(self) -> int:
        """Epochs that it was given and did not take."""
        return max(0, self.budget - self.step)

    def __str__(self) -> str:
        return self.sentence()

    def sentence(self, show: Show = number) -> str:
        """What became of it; `show` writes a value."""
        told = f"Trial {self.trial_id} was stopped at step {self.step} of {self.budget}"
        if self.line is not None:
            told += f" (expected {show(self.predicted)}, line {show(self.line)})"
        if self.final is None:
            return f"{told}; how it would have ended is not known."
        verdict = {True: "the stop was right", False: "the stop was wrong", None: "no line to judge it by"}[
            self.right
        ]
        best = ", and it would have been the run's best" if self.would_be_best else ""
        return f"{told}; finished later it ended with {show(self.final)}: {verdict}{best}."


@dataclass(frozen=True)
class Ledger:
    """The account of a run's assessor. `ghost_epochs` were spent later, on finishing stopped trials.

    `best_with` is the run's best (trial, value); `best_without` the best if every stopped trial had gone on, None
    while the ends of `unknown` stopped trials are not known.
    """

    trials: int
    epochs_planned: int
    epochs_used: int
    ghost_epochs: int
    stopped: tuple[StoppedTrial, ...]
    best_with: tuple[int, float] | None
    best_without: tuple[int, float] | None

    @property
    def epochs_saved(self) -> int:
        """By stopping; what failed or cancelled trials did not take is not counted."""
        return sum(trial.epochs_saved for trial in self.stopped)

    @property
    def finished(self) -> tuple[StoppedTrial, ...]:
        """The stopped trials whose true end is known."""
        return tuple(trial for trial in self.stopped if trial.final is not None)

    @property
    def unknown(self) -> int:
        """How many stopped trials have an end that nobody knows."""
        return len(self.stopped) - len(self.finished)

    @property
    def true_stops(self) -> int:
        """Stops that were right, of the finished ones."""
        return sum(trial.right is True for trial in self.stopped)

    @property
    def false_stops(self) -> int:
        """Stops that were wrong, of the finished ones."""
        return sum(trial.right is False for trial in self.stopped)

    def sentences(self, show: Show = number) -> tuple[str, ...]:
        """What the page says, in order: what was saved, whether that was right, what it cost. `show` writes a value."""
        return tuple(said for said in (self.saving(), self.justice(), self.price(show)) if said)

    def saving(self) -> str:
        """How much stopping saved."""
        if not self.trials:
            return "No trial has started yet."
        if not self.stopped:
            return f"Stopped none of {counted(self.trials, 'trial')}, so no epoch was saved."
        return (
            f"Stopped {len(self.stopped)} of {counted(self.trials, 'trial')}, saved {self.epochs_saved} of "
            f"{counted(self.epochs_planned, 'epoch')} ({share(self.epochs_saved, self.epochs_planned)})."
        )

    def justice(self) -> str:
        """How many of the stops were right, as far as known; empty without stops."""
        if not self.stopped:
            return ""
        if not self.finished:
            return f"Whether that was right is not known: let {'it' if self.unknown == 1 else 'them'} finish to see."
        told = f"{_were(len(self.finished))} finished later: {_were(self.true_stops)} stopped rightly"
        told += f", {self.false_stops} wrongly"
        best = sum(trial.would_be_best is True for trial in self.stopped)
        if best:
            told += f"; {best} would have beaten the run's best"
        return f"{told}; of {self.unknown} the end is not known." if self.unknown else f"{told}."

    def price(self, show: Show = number) -> str:
        """The best with the assessor and without it; empty before a trial succeeded."""
        if self.best_with is None:
            return ""
        told = f"Best with the assessor: {_named(self.best_with, show)}"
        if self.best_without is None:
            verb = "is" if self.unknown == 1 else "are"
            return f"{told}; without it: not known while {counted(self.unknown, 'stopped trial')} {verb} unfinished."
        if self.best_without == self.best_with:
            return f"{told}; without it: the same, on these trials."
        return f"{told}; without it: {_named(self.best_without, show)}, on these trials."


def ledger(state: RunState) -> Ledger:
    """The account so far; trials that have not started are not in it."""
    own, finished = own_trials(state), ghosts(state)
    looks: dict[int, dict[int, Mapping[str, Any]]] = {}
    for data in assessments(state):
        looks.setdefault(data["trial_id"], {})[data["step"]] = data
    best = _best(state, [trial for trial in own if trial.status == SUCCEEDED])
    stopped = tuple(
        _stopped(state, trial, looks.get(trial.trial_id, {}), finished.get(trial.trial_id), best)
        for trial in own
        if trial.status == STOPPED
    )
    all_known = all(trial.final is not None for trial in stopped)
    ends = [trial for trial in own if trial.status == SUCCEEDED]
    ends += [finished[trial.trial_id] for trial in stopped if trial.trial_id in finished]
    return Ledger(
        len(own),
        sum(budget(state, trial) for trial in own),
        sum(len(trial.intermediate) for trial in own),
        sum(len(trial.intermediate) for trial in state.trials.values() if trial.continues),
        stopped,
        best,
        _best(state, ends) if all_known else None,
    )


def _were(count: int) -> str:
    return f"{count} was" if count == 1 else f"{count} were"


def _named(best: tuple[int, float], show: Show) -> str:
    return f"{show(best[1])} (trial {best[0]})"


def _best(state: RunState, trials: list[Trial]) -> tuple[int, float] | None:
    """(trial, value), a ghost under the name of the trial that it finished; the first wins a tie."""
    sign = 1 if state.spec.optimize_mode == "minimize" else -1
    named = [
        (trial.trial_id if trial.repeat_of is None else trial.repeat_of, trial.value)
        for trial in trials
        if trial.value is not None
    ]
    return min(named, key=lambda pair: (sign * pair[1], pair[0]), default=None)


def _stopped(
    state: RunState,
    trial: Trial,
    looks: Mapping[int, Mapping[str, Any]],
    ghost: Trial | None,
    best: tuple[int, float] | None,
) -> StoppedTrial:
    step = stop_step(trial, looks)
    data = looks.get(step, {})
    median = data.get("assessor") == MEDIANSTOP
    final = None if ghost is None else ghost.value
    right, would_be_best = None, None
    if ghost is not None and final is not None:
        right = (
            _median_was_right(state, trial, ghost, data)
            if median
            else _line_was_right(final, data.get("line"))
        )
        would_be_best = best is None or _better(state, final, best[1])
    return StoppedTrial(
        trial.trial_id,
        step,
        budget(state, trial),
        data.get("best_so_far") if median else data.get("prediction"),
        data.get("median") if median else data.get("line"),
        final,
        right,
        would_be_best,
    )


def _better(state: RunState, value: float, other: float) -> bool:
    return value < other if state.spec.optimize_mode == "minimize" else value > other


def _line_was_right(final: float, line: float | None) -> bool | None:
    return None if line is None else final <= line


def _median_was_right(state: RunState, trial: Trial, ghost: Trial, data: Mapping[str, Any]) -> bool | None:
    """The assessor's rule once more at the end of the whole curve, against what had completed at the stop."""
    curve = [value for value in (*results(trial), *results(ghost)) if value is not None]
    minimize = state.spec.optimize_mode == "minimize"
    before = completions(state)[: data.get("completed_all", data["completed"])]
    averages = sorted(
        average
        for trial_id in before
        if (average := _average(results(state.trials[trial_id])[: len(curve)], len(curve))) is not None
    )
    median = (
        averages[len(averages) // 2 if minimize else (len(averages) - 1) // 2] if averages else data["median"]
    )
    best = min(curve) if minimize else max(curve)
    return _better(state, median, best) if curve and median is not None else None


def _average(values: tuple[float | None, ...], steps: int) -> float | None:
    """The running average at step `steps`; None for a curve that does not reach it whole."""
    numbers = [value for value in values if value is not None]
    return sum(numbers) / steps if steps and len(numbers) == steps else None
