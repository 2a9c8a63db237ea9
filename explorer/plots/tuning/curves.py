"""Learning curves: the best ones, those that an assessor stopped, and what became of them when finished later.

Of thousands of trials the top ones are drawn, whatever runs, and a light sample of the others; how many are hidden is
said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from explorer.plots.charts import Axis
from explorer.plots.tuning import frame
from explorer.plots.tuning.figure import add_marks, dress
from explorer.plots.tuning.scale import Scale
from explorer.plots.tuning.statuses import BEST, GHOST, QUIET, STATUS_LOOKS
from explorer.plots.tuning.table import Board
from explorer.runs.state import Trial

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

SAMPLE = 30  # curves beside the top ones
MOST_TOP = 150
MOST_POINTS = 2400  # over all curves of the SVG


@dataclass(frozen=True)
class TrialCurve:
    """Steps and shown values; `role` is "best", "top", "sample" or "ghost" (a stopped trial, finished later)."""

    trial_id: int
    status: str
    role: str
    steps: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class TuningCurvesInfo:
    """Learning curves, the best last so that it lies on top; `hidden` trials have a curve that is not drawn.

    `window` is what the axis of values shows, `close_up` whether that can be less than all of them.
    """

    question: str
    x: Axis
    y: Axis
    scale: Scale
    curves: tuple[TrialCurve, ...]
    hidden: int
    basis: str
    alt: str
    window: tuple[float, float] = (0.0, 1.0)
    close_up: bool = False


def learning_curves(
    board: Board, top: int | None = 10, sample: int = SAMPLE, whole: bool = True
) -> TuningCurvesInfo:
    """The `top` curves (None: as many as stay readable), all running ones and `sample` of the others, evenly spread.

    Unless `whole`, the axis shows where the better half of the curves end.
    """
    ranked = [row for row in board.ranked() if row.steps]
    chosen = {row.trial_id for row in ranked[: MOST_TOP if top is None else min(top, MOST_TOP)]}
    running = {row.trial_id for row in board.rows if row.status == "running" and row.steps}
    best = next((row.trial_id for row in board.rows if row.is_best), None)
    others = sorted(row.trial_id for row in ranked if row.trial_id not in chosen | running)
    light = frame.spread(others, sample)
    trials = board.state.trials
    curves = [_curve(trials[number], "sample", board.scale) for number in light]
    firsts = [number for number in sorted(chosen | running) if number != best]
    curves += [_curve(trials[number], "top", board.scale) for number in firsts]
    curves += _ghosts(board, {*light, *firsts})
    curves += [_curve(trials[best], "best", board.scale)] if best in chosen else []
    shown = [curve for curve in curves if curve is not None]
    hidden = len(others) - len(light)
    best_end = [curve.values[-1] for curve in shown if curve.role == "best"]
    close = frame.close_up([curve.values[-1] for curve in shown], board.scale.sign, best_end)
    values = [value for curve in shown for value in curve.values]
    leader = f"; the best is trial {best}" if best is not None else ""
    stopped = sum(row.status == "early_stopped" for row in board.rows)
    return TuningCurvesInfo(
        "How fast do the trials learn, and where were they stopped?",
        Axis("step"),
        board.scale.axis,
        board.scale,
        tuple(shown),
        hidden,
        board.basis(hidden),
        f"Learning curves of {len(shown)} trials{leader}; {stopped} were stopped early, {hidden} are not drawn.",
        frame.window(values, best_end) if whole or close is None else close,
        close is not None,
    )


def _curve(trial: Trial, role: str, scale: Scale) -> TrialCurve | None:
    points = [(step, scale.shown(value)) for step, value, _ in trial.intermediate if value is not None]
    if not points:
        return None
    steps, values = zip(*points, strict=True)
    return TrialCurve(trial.trial_id, trial.status, role, steps, values)


def _ghosts(board: Board, drawn: set[int]) -> list[TrialCurve | None]:
    """What became of drawn trials that were stopped, from their last point on."""
    ghosts: list[TrialCurve | None] = []
    for trial in board.state.trials.values():
        if trial.continues and trial.repeat_of in drawn:
            start = _curve(board.state.trials[trial.repeat_of], "ghost", board.scale)
            rest = _curve(trial, "ghost", board.scale)
            if start and rest:
                steps = (start.steps[-1], *rest.steps)
                ghosts.append(
                    TrialCurve(trial.repeat_of, "ghost", "ghost", steps, (start.values[-1], *rest.values))
                )
    return ghosts


_STROKES = {"best": (BEST, 3.0, "", 1.0), "ghost": (GHOST, 1.8, "1.5 3.5", 1.0)}


def _look(curve: TrialCurve) -> tuple[str, float, str, float]:
    """Colour, width, dash and opacity."""
    if curve.role in _STROKES:
        return _STROKES[curve.role]
    dash = "5 3" if curve.status == "early_stopped" else ""
    if curve.role == "sample":
        return QUIET, 1.0, dash, 0.45
    return STATUS_LOOKS[curve.status].color, 1.6, dash, 0.85


def curves_svg(info: TuningCurvesInfo, width: float = frame.WIDTH, height: float = 320) -> str:
    """The curves; a cross where a trial was stopped, a mark where another one ends."""
    steps = [step for curve in info.curves for step in curve.steps]
    first = min(steps, default=1)
    rows = frame.foot(_keys(info), width, info.x)
    plane = frame.Plane(
        (first, max([*steps, first + 1])),
        info.window,
        (50, 30, width - 16, height - frame.foot_height(rows)),
    )
    most = max(6, MOST_POINTS // max(1, len(info.curves)))
    drawn = []
    for curve in info.curves:
        color, thick, dash, opacity = _look(curve)
        kept = frame.spread(range(len(curve.steps)), most)
        points = [(float(curve.steps[at]), curve.values[at]) for at in kept]
        drawn.append(frame.stroke(frame.line(plane, points), color, thick, dash, opacity))
        end = (points[-1][0], min(plane.y[1], max(plane.y[0], points[-1][1])))
        if curve.role != "ghost" and curve.status != "succeeded":
            look = STATUS_LOOKS[curve.status]
            drawn.append(
                frame.marks(look.shape, [plane.at(*end)], look.color, 3.6 if curve.role == "top" else 2.6)
            )
        elif len(points) == 1 or curve.role == "best":
            drawn.append(frame.marks("dot", [plane.at(*end)], color, thick + 1))
    body = frame.axes(plane, info.x, info.y, whole_x=True) + "".join(drawn)
    return frame.svg(info.alt, width, height, body + frame.foot_svg(rows, plane))


def _keys(info: TuningCurvesInfo) -> list[frame.Key]:
    keys = []
    for curve in info.curves:
        if curve.role == "best":
            keys.append(frame.Key(f"best: trial {curve.trial_id}", BEST, "line"))
    keys += frame.status_keys(
        c.status for c in info.curves if c.role in ("top", "sample") and c.status != "succeeded"
    )
    if any(curve.role == "top" and curve.status == "succeeded" for curve in info.curves):
        keys.insert(1, frame.Key("top", STATUS_LOOKS["succeeded"].color, "line"))
    if any(curve.role == "ghost" for curve in info.curves):
        keys.append(frame.Key("finished later", GHOST, "dotted"))
    if any(curve.role == "sample" for curve in info.curves):
        keys.append(frame.Key("sample of the others", QUIET, "line"))
    return keys


def curves_figure(info: TuningCurvesInfo) -> Figure:
    """The same to hover over and to select in (`customdata` is the trial)."""
    from plotly.graph_objects import Figure

    figure = Figure()
    named: set[str] = set()
    for curve in info.curves:
        name = _name(curve)
        figure.add_trace(_trace(curve, info.scale, name, name not in named))
        named.add(name)
    for status in STATUS_LOOKS:
        mine = [curve for curve in info.curves if curve.status == status != "succeeded"]
        if mine:
            _add_ends(figure, mine, status, info)
    dress(figure, info.x, info.y)
    return figure.update_yaxes(range=list(info.window))


_RANKS = {"best": 500, "top": 600, "finished later": 1100, "sample of the others": 1200}


def _name(curve: TrialCurve) -> str:
    if curve.role == "ghost":
        return "finished later"
    return {"best": "best", "top": "top"}.get(curve.role, "sample of the others")


def _trace(curve: TrialCurve, scale: Scale, name: str, in_legend: bool) -> Any:
    from plotly.graph_objects import Scatter

    color, width, dash, opacity = _look(curve)
    return Scatter(
        x=curve.steps,
        y=curve.values,
        customdata=[[curve.trial_id]] * len(curve.steps),
        mode="lines+markers" if len(curve.steps) <= 60 else "lines",
        name=f"best: trial {curve.trial_id}" if name == "best" else name,
        legendgroup=name,
        legendrank=_RANKS[name],
        showlegend=in_legend,
        line={"color": color, "width": width, "dash": {"": "solid", "5 3": "dash"}.get(dash, "dot")},
        marker={"size": width + 1.5, "color": color},
        opacity=opacity,
        hovertemplate=_hover(scale, curve.status.replace("_", " "), str(curve.trial_id)),
    )


def _add_ends(figure: Figure, curves: Sequence[TrialCurve], status: str, info: TuningCurvesInfo) -> None:
    """The marks at the last points of the curves that ended otherwise than by succeeding."""
    points = [(curve.steps[-1], curve.values[-1]) for curve in curves]
    data = [[c.trial_id, info.scale.text(c.values[-1] / info.scale.factor)] for c in curves]
    hover = f"trial %{{customdata[0]}}, {STATUS_LOOKS[status].word}<br>step %{{x}}: %{{customdata[1]}}<extra></extra>"
    add_marks(figure, status, points, info.window, data, hover)


def _hover(scale: Scale, status: str, trial: str) -> str:
    return f"trial {trial}, {status}<br>step %{{x}}: %{{y:{scale.hover}<extra></extra>"
