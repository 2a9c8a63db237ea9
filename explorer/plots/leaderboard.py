"""The table of a run: one row a trial, best first, with what it costs and how sure the numbers are.

Retrainings are no rows of their own: they belong to the trial that they repeat. Their mean leaves the
trial's own result out, because that one was picked for being high.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean, stdev
from typing import Any

from explorer.catalogue import DATASETS
from explorer.errors import ExplorerError
from explorer.plots.nas.truth import Place, Truth
from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState, Trial
from explorer.space import Architecture, SearchSpace, load_space

TEST = "test_accuracy"


@dataclass(frozen=True)
class Score:
    """A mean over `seeds` trainings, as a share of 1; `spread` is the standard deviation, None with a
    single seed.
    """

    value: float
    spread: float | None
    seeds: int

    def __str__(self) -> str:
        if self.spread is None:
            return f"{100 * self.value:.1f} % (1 seed)"
        return f"{100 * self.value:.1f} ± {100 * self.spread:.1f} % ({self.seeds} seeds)"


@dataclass(frozen=True)
class Row:
    """One trial. Accuracies are shares of 1; `rank` is None until it succeeded; MACs are for one image.

    `is_whole` says whether it was given as many epochs as any that succeeded: only such results compare. `place` is
    where the answer key has it, None where that does not know it.
    """

    rank: int | None
    trial_id: int
    code: str
    architecture: Architecture | None
    status: str
    reason: str | None
    parameters: int | None
    macs: int | None
    validation: float | None
    retrained: Score | None
    test: Score | None
    epochs: int
    seconds: float | None
    is_whole: bool = True
    place: Place | None = None


def space_of(spec: RunSpec) -> SearchSpace | None:
    """The run's space as it stands on its dataset; None when it has none that can be read."""
    try:
        space = load_space(spec.space)
        facts = DATASETS.find(spec.dataset).facts
    except ExplorerError:
        return None
    return space.bound_to(facts["channels"], facts["side"], facts["classes"])


def leaderboard(state: RunState, space: SearchSpace | None, truth: Truth | None = None) -> tuple[Row, ...]:
    """Succeeded trials from best to worst, then the others in order; the first wins a tie.

    Where trainings differ in length the longest come first, whatever the shorter ones reached.
    """
    own = [trial for trial in state.trials.values() if trial.repeat_of is None]
    repeats: dict[int, list[Trial]] = {}
    for trial in state.trials.values():
        if trial.repeat_of is not None and trial.status == "succeeded":
            repeats.setdefault(trial.repeat_of, []).append(trial)
    if state.spec.architecture is not None:  # nothing was picked, so the first seed counts like the others
        for first in (trial for trial in own if trial.trial_id in repeats and trial.status == "succeeded"):
            repeats[first.trial_id].insert(0, first)
    sign = -1 if state.spec.optimize_mode == "minimize" else 1
    done = [trial for trial in own if trial.status == "succeeded" and trial.value is not None]
    done.sort(key=lambda trial: (-state.epochs_of(trial), -sign * (trial.value or 0.0), trial.trial_id))
    longest = state.epochs_of(done[0]) if done else 0
    places = truth.places if truth else {}
    ranked = {trial.trial_id: at for at, trial in enumerate(done, 1)}
    ordered = [*done, *sorted((t for t in own if t.trial_id not in ranked), key=lambda t: t.trial_id)]
    return tuple(
        replace(
            _row(trial, ranked.get(trial.trial_id), repeats.get(trial.trial_id, []), state, space),
            is_whole=state.epochs_of(trial) >= longest,
            place=places.get(trial.trial_id),
        )
        for trial in ordered
    )


def _row(
    trial: Trial, rank: int | None, repeats: list[Trial], state: RunState, space: SearchSpace | None
) -> Row:
    architecture, code, parameters, macs = _measured(trial, space)
    steps = max((point[0] for point in trial.intermediate), default=0)
    return Row(
        rank,
        trial.trial_id,
        code,
        architecture,
        trial.status,
        trial.reason,
        parameters,
        macs,
        trial.value,
        _score([repeat.value for repeat in repeats]),
        _score([repeat.metrics.get(TEST) for repeat in repeats] or [trial.metrics.get(TEST)])
        if state.is_over
        else None,
        steps,
        trial.seconds,
    )


def _measured(
    trial: Trial, space: SearchSpace | None
) -> tuple[Architecture | None, str, int | None, int | None]:
    if space is None or trial.architecture is None:
        return None, f"trial {trial.trial_id}", None, None
    try:
        architecture = space.architecture(trial.architecture)
    except ExplorerError:
        return None, f"trial {trial.trial_id}", None, None
    network = space.lower(architecture)
    return architecture, space.code(architecture), network.parameters, network.macs


def _score(values: Sequence[Any]) -> Score | None:
    numbers = [float(value) for value in values if isinstance(value, int | float)]
    if not numbers:
        return None
    return Score(mean(numbers), stdev(numbers) if len(numbers) > 1 else None, len(numbers))


COLUMNS = (
    "rank",
    "trial_id",
    "code",
    "status",
    "parameters",
    "macs",
    "validation_accuracy",
    "retrained_mean",
    "retrained_sd",
    "retrained_seeds",
    "test_accuracy",
    "epochs",
    "seconds",
)
TRUE_COLUMNS = ("true_rank", "true_rank_low", "true_rank_high", "true_test")


def to_csv(rows: Sequence[Row]) -> str:
    """The leaderboard as CSV, one column a choice at the end; texts that a spreadsheet would run are quoted
    off. Where the answer key knows any of them, four columns say what.
    """
    known = any(row.place for row in rows)
    labels = list(dict.fromkeys(label for row in rows for label in (row.architecture or ())))
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*COLUMNS, *(TRUE_COLUMNS if known else ()), *map(harmless, labels)])
    for row in rows:
        fresh, test = row.retrained, row.test
        choices: Mapping[str, Any] = row.architecture or {}
        numbers = [row.validation, fresh and fresh.value, fresh and fresh.spread, fresh and fresh.seeds]
        line = [row.rank, row.trial_id, row.code, row.status, row.parameters, row.macs, *numbers]
        line += [
            test and test.value,
            row.epochs,
            row.seconds,
            *(_true_cells(row.place) if known else ()),
            *(_cell(choices.get(label)) for label in labels),
        ]
        writer.writerow(["" if value is None else harmless(value) for value in line])
    return file.getvalue()


def _true_cells(place: Place | None) -> tuple[Any, ...]:
    return (None,) * len(TRUE_COLUMNS) if place is None else (place.rank, place.low, place.high, place.test)


def _cell(choice: Any) -> Any:
    return " ".join(map(str, choice)) if isinstance(choice, tuple) else choice


def harmless(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula: texts that begin like one are quoted off."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value
