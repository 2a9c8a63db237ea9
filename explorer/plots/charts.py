"""What each chart states, as records: the question, the axes with units, what is better, on how many runs
and seeds.

Accuracies are in percent here, because that is how they are read; `figures.py` and `sketch.py` draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from explorer.plots.leaderboard import Row
from explorer.plots.nas.truth import Truth
from explorer.runs.state import RunState


@dataclass(frozen=True)
class Axis:
    """A title with its unit, and which direction is better ("higher", "lower" or "")."""

    title: str
    better: str = ""

    def __str__(self) -> str:
        arrow = {"higher": " · higher is better", "lower": " · lower is better"}.get(self.better, "")
        return self.title + arrow


@dataclass(frozen=True)
class Curve:
    """One trial's intermediate results: epochs and percent."""

    trial_id: int
    name: str
    steps: tuple[int, ...]
    values: tuple[float, ...]
    status: str
    is_best: bool


@dataclass(frozen=True)
class Ghost:
    """How a trial that ended early would have gone on: its own last point, then the answer key's mean curve."""

    trial_id: int
    name: str
    steps: tuple[int, ...]
    values: tuple[float, ...]

    @property
    def words(self) -> str:
        """What it says under the pointer."""
        return f"{self.name}, had it finished: {self.values[-1]:.1f} % by the answer key"


@dataclass(frozen=True)
class CurvesInfo:
    """Learning curves. `basis` says on what they rest; `alt` describes the picture in words."""

    question: str
    x: Axis
    y: Axis
    curves: tuple[Curve, ...]
    basis: str
    alt: str
    ghosts: tuple[Ghost, ...] = ()

    @property
    def lines(self) -> tuple[Curve | Ghost, ...]:
        """All that is drawn."""
        return (*self.curves, *self.ghosts)


@dataclass(frozen=True)
class Dot:
    """One architecture: parameters, percent, half the error bar in points (None with one seed)."""

    trial_id: int
    name: str
    parameters: int
    value: float
    spread: float | None
    seeds: int
    on_front: bool


@dataclass(frozen=True)
class ParetoInfo:
    """Accuracy against parameters; `front` holds the dots that nothing beats in both, `retrained` those
    with seeds.
    """

    question: str
    x: Axis
    y: Axis
    dots: tuple[Dot, ...]
    retrained: tuple[Dot, ...]
    basis: str
    alt: str

    @property
    def front(self) -> tuple[Dot, ...]:
        """The Pareto front, from the smallest network up."""
        return tuple(sorted((dot for dot in self.dots if dot.on_front), key=lambda dot: dot.parameters))


def learning_curves(
    state: RunState, rows: Sequence[Row], truth: Truth | None = None, most: int | None = None
) -> CurvesInfo:
    """One curve a trial, retrainings left out, the best so far last so that it lies on top.

    `truth` adds what became of those that ended early; with `most` only so many of the newest are drawn, and the best.
    """
    best = state.best
    names = {row.trial_id: row.code for row in rows}
    curves = []
    for trial in sorted(state.trials.values(), key=lambda trial: trial is best):
        points = [(step, 100 * value) for step, value, _ in trial.intermediate if value is not None]
        if trial.repeat_of is None and points:
            steps, values = zip(*points, strict=True)
            name = names.get(trial.trial_id, str(trial.trial_id))
            curves.append(Curve(trial.trial_id, name, steps, values, trial.status, trial is best))
    hidden = 0 if most is None else max(0, len(curves) - most)
    curves = curves[hidden:]
    ghosts = _ghosts(curves, truth)
    told = f" {hidden:,} older trials are not drawn." if hidden else ""
    leader = f"; best so far {names.get(best.trial_id)} with {100 * (best.value or 0):.1f} %" if best else ""
    return CurvesInfo(
        "How fast does each architecture learn?",
        Axis("epoch"),
        Axis("validation accuracy (%)", _better(state)),
        tuple(curves),
        _basis(state, len(curves)) + told + (_GHOSTS if ghosts else ""),
        f"Learning curves of {len(curves)} trials over at most {state.spec.epochs} epochs{leader}."
        + (f" {len(ghosts)} ended early and are continued as the answer key has them." if ghosts else ""),
        ghosts,
    )


_GHOSTS = (
    " Dashed: a trial that ended early, had it finished: the answer key's mean over its seeds after each epoch. Final "
    "results are measured with recalibrated batch norm and may lie beside the last point."
)


def _ghosts(curves: Sequence[Curve], truth: Truth | None) -> tuple[Ghost, ...]:
    known = truth.ghosts if truth else {}
    found = []
    for curve in curves:
        last, whole = curve.steps[-1], known.get(curve.trial_id, ())
        if last < len(whole):
            steps = (last, *range(last + 1, len(whole) + 1))
            values = (curve.values[-1], *(100 * value for value in whole[last:]))
            found.append(Ghost(curve.trial_id, curve.name, steps, values))
    return tuple(found)


def accuracy_against_parameters(state: RunState, rows: Sequence[Row]) -> ParetoInfo:
    """Succeeded trials whose size is known; lower left to upper right is the usual trade.

    Shorter trainings are left out as soon as there are longer ones: they look worse than their architectures are.
    """
    known = [row for row in rows if row.rank is not None and row.parameters is not None and row.is_whole]
    sign = -1 if state.spec.optimize_mode == "minimize" else 1
    front = {row.trial_id for row in known if not any(_beats(other, row, sign) for other in known)}
    dots = tuple(
        Dot(
            row.trial_id,
            row.code,
            row.parameters or 0,
            100 * (row.validation or 0),
            None,
            1,
            row.trial_id in front,
        )
        for row in known
    )
    fresh = tuple(
        Dot(
            row.trial_id,
            row.code,
            row.parameters or 0,
            100 * row.retrained.value,
            None if row.retrained.spread is None else 100 * row.retrained.spread,
            row.retrained.seeds,
            False,
        )
        for row in known
        if row.retrained
    )
    return ParetoInfo(
        "Do more parameters buy accuracy?",
        Axis("parameters", "lower"),
        Axis("validation accuracy (%)", _better(state)),
        dots,
        fresh,
        _basis(state, len(dots)),
        f"Validation accuracy against parameters of {len(dots)} architectures; "
        f"{len(front)} of them are on the Pareto front.",
    )


def _beats(one: Row, other: Row, sign: int) -> bool:
    """Whether `one` is at least as good in both and better in one."""
    accuracy = sign * ((one.validation or 0) - (other.validation or 0))
    parameters = (other.parameters or 0) - (one.parameters or 0)
    return accuracy >= 0 and parameters >= 0 and (accuracy > 0 or parameters > 0)


def _better(state: RunState) -> str:
    return "lower" if state.spec.optimize_mode == "minimize" else "higher"


def _basis(state: RunState, trials: int) -> str:
    noun = "trial" if trials == 1 else "trials"
    return f"1 run on {state.spec.dataset}, {trials} {noun}, one seed each: small differences may be luck."
