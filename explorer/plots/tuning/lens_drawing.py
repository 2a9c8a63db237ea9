"""The assessor lens (`lens.py`) drawn: as SVG at once and in place, as a plotly figure to hover over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from explorer.plots.svg import OUTLINE
from explorer.plots.tuning import frame
from explorer.plots.tuning.figure import dress
from explorer.plots.tuning.lens import Fitted, LensInfo, Level, Points, ranges
from explorer.plots.tuning.statuses import BEST, GHOST, QUIET, STATUS_LOOKS

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

CURVE = STATUS_LOOKS["succeeded"].color
STOP = STATUS_LOOKS["early_stopped"].color
LINE = STATUS_LOOKS["failed"].color
ABOVE = STATUS_LOOKS["running"].color


def lens_svg(info: LensInfo, width: float = frame.WIDTH, height: float = 380) -> str:
    """The picture: curve, what was seen, the lines it was held against, the verdict's mark."""
    across, up = ranges(info)
    rows = frame.foot(_keys(info), width, info.x)
    plane = frame.Plane(across, up, (50, 30, width - 26, height - frame.foot_height(rows)))
    body = [frame.axes(plane, info.x, info.y, whole_x=True)]
    body += [_level(plane, level, color, dash) for level, color, dash in _levels(info)]
    body.append(frame.marks("dash", (_held(plane, point) for point in info.averages), QUIET, 5, 0.7))
    heaviest = max((model.weight for model in info.fitted), default=1.0) or 1.0
    for model in info.fitted:
        thick = 0.8 + 0.7 * model.weight / heaviest
        title = f"{model.name}, weight {model.weight:.2f}"
        body.append(frame.stroke(frame.line(plane, model.points), QUIET, thick, "", 0.75, title))
    body.append(frame.stroke(frame.line(plane, info.median, steps=True), LINE, 2.2))
    body.append(frame.stroke(frame.line(plane, info.best_so_far, steps=True), ABOVE, 1.8, "6 2"))
    body.append(frame.stroke(frame.line(plane, info.combined), BEST, 2.8))
    body.append(frame.stroke(frame.line(plane, info.ghost), GHOST, 2, "1.5 3.5"))
    body.append(frame.stroke(frame.line(plane, info.curve[: info.seen]), CURVE, 2.6))
    body.append(frame.stroke(frame.line(plane, info.curve[max(0, info.seen - 1) :]), CURVE, 1.6, "5 3", 0.8))
    seen, unseen = info.curve[: info.seen], info.curve[info.seen :]
    body.append(
        frame.marks("dot", (_held(plane, point) for point in seen), CURVE, 3 if len(seen) <= 40 else 1.8)
    )
    body.append(
        frame.marks(
            "ring", (_held(plane, point) for point in unseen), CURVE, 2.6 if len(unseen) <= 40 else 1.5
        )
    )
    body.append(_look_line(info, plane))
    body.append(_prediction(info, plane))
    body.append(_median(info, plane))
    if info.stopped:
        body.append(frame.marks("cross", [_held(plane, info.stopped)], STOP, 6))
    body.append(frame.foot_svg(rows, plane))
    return frame.svg(info.alt, width, height, "".join(body))


def _radius(points: Points) -> float:
    return 3 if len(points) <= 40 else 1.9


def _levels(info: LensInfo) -> list[tuple[Level, str, str]]:
    """The horizontal lines with colour and dash; a median is a course of its own."""
    found = [] if info.best_completed is None else [(info.best_completed, ABOVE, "2 3")]
    if info.threshold is not None and not info.median:
        found.append((info.threshold, LINE, "8 3"))
    return found


def _level(plane: frame.Plane, level: Level, color: str, dash: str) -> str:
    height = _held(plane, (plane.x[0], level.value))[1]
    left, _, right, _ = plane.box
    label = frame.text(
        (left + 6, height - 8), level.words, 11, more=f'fill="{color}" font-weight="600" {OUTLINE}'
    )
    return frame.stroke(f"M{left:.1f} {height:.1f}H{right:.1f}", color, 1.8, dash) + label


def _look_line(info: LensInfo, plane: frame.Plane) -> str:
    """A thin upright line at the look's step."""
    if info.chosen is None:
        return ""
    x = plane.at(info.chosen.step, plane.y[0])[0]
    course = f"M{x:.1f} {plane.box[1]:.1f}V{plane.box[3]:.1f}"
    return frame.stroke(course, "currentColor", 1, "2 3", 0.55)


def _prediction(info: LensInfo, plane: frame.Plane) -> str:
    """A diamond at the target; where it lies outside, the border and an arrow say so."""
    if info.prediction is None:
        return ""
    value = info.prediction[1]
    place = _held(plane, info.prediction)
    arrow = "↑ " if value > plane.y[1] else "↓ " if value < plane.y[0] else ""
    words = arrow + info.scale.text(value / info.scale.factor)
    away = 16 if place[1] < plane.box[1] + 26 or _level_above(info, value, plane) else -14
    label = frame.text(
        (place[0] + 14, place[1] + away), words, 12, "end", f'fill="{BEST}" font-weight="700" {OUTLINE}'
    )
    return frame.marks("diamond", [place], BEST, 7) + label


def _median(info: LensInfo, plane: frame.Plane) -> str:
    """The median at the chosen look: a wide dash with its number, where a single look makes no line."""
    if not info.median or info.threshold is None:
        return ""
    place = _held(plane, info.median[-1])
    right = place[0] < (plane.box[0] + plane.box[2]) / 2
    at = (place[0] + (16 if right else -16), place[1] + 20)
    look = f'fill="{LINE}" font-weight="600" {OUTLINE}'
    label = frame.text(at, info.threshold.words, 11, "start" if right else "end", look)
    return frame.marks("dash", [place], LINE, 11) + label


def _level_above(info: LensInfo, value: float, plane: frame.Plane) -> bool:
    """Whether a horizontal line runs where the label above the diamond would stand."""
    pixels = (plane.y[1] - plane.y[0]) / (plane.box[3] - plane.box[1])
    return any(2 * pixels < level.value - value < 24 * pixels for level, _, _ in _levels(info))


def _held(plane: frame.Plane, point: tuple[float, float]) -> tuple[float, float]:
    """A point's place, held inside the picture."""
    return plane.at(point[0], min(plane.y[1], max(plane.y[0], point[1])))


def _keys(info: LensInfo) -> list[frame.Key]:
    present: list[tuple[Any, frame.Key]] = [
        (info.curve, frame.Key(f"trial {info.trial_id}", CURVE, "line")),
        (info.seen < len(info.curve), frame.Key("after this look", CURVE, "dashed")),
        (info.fitted, frame.Key("fitted models", QUIET, "line")),
        (info.combined, frame.Key("combined", BEST, "line")),
        (info.prediction, frame.Key("prediction", BEST, "diamond")),
        (info.averages, frame.Key("running averages", QUIET, "dash")),
        (info.median, frame.Key("their median", LINE, "line")),
        (info.best_so_far, frame.Key("best so far", ABOVE, "dashed")),
        (info.stopped, frame.Key("stopped here", STOP, "cross")),
        (info.ghost, frame.Key("finished later", GHOST, "dotted")),
    ]
    return [key for shown, key in present if shown]


def lens_figure(info: LensInfo) -> Figure:
    """The same picture to hover over."""
    from plotly.graph_objects import Figure

    figure = Figure()
    for model in info.fitted:
        figure.add_trace(_model(model, info, model is info.fitted[0]))
    for name, points, color, width, dash, shape in (
        ("their median", info.median, LINE, 2.5, "solid", "hv"),
        ("best so far", info.best_so_far, ABOVE, 2, "dash", "hv"),
        ("combined", info.combined, BEST, 3, "solid", "linear"),
        ("finished later", info.ghost, GHOST, 2, "dot", "linear"),
        (f"trial {info.trial_id}", info.curve[: info.seen], CURVE, 2.6, "solid", "linear"),
        ("after this look", info.curve[max(0, info.seen - 1) :], CURVE, 1.6, "dash", "linear"),
    ):
        if len(points) > (1 if name == "after this look" else 0):
            line = {"color": color, "width": width, "dash": dash, "shape": shape}
            figure.add_trace(_line(name, points, line, info))
    for name, points, symbol, color, size in (
        ("running averages", info.averages, "line-ew", QUIET, 9),
        ("prediction", (info.prediction,) if info.prediction else (), "diamond", BEST, 13),
        ("stopped here", (info.stopped,) if info.stopped else (), "x-thin", STOP, 13),
    ):
        if points:
            figure.add_trace(_marks(name, points, symbol, color, size, info))
    for level, color, dash in _levels(info):
        figure.add_hline(
            level.value,
            line={"color": color, "width": 2, "dash": "dash" if dash.startswith("8") else "dot"},
            annotation={"text": level.words, "font": {"color": color}},
            annotation_position="bottom left"
            if dash.startswith("8")
            else "top left",  # they lie close together
        )
    if info.chosen:
        figure.add_vline(info.chosen.step, line={"color": QUIET, "width": 1, "dash": "dot"})
    dress(figure, info.x, info.y, 400)
    across, up = ranges(info)
    room = (across[1] - across[0]) * 0.03
    figure.update_xaxes(range=[across[0] - room, across[1] + room])
    return figure.update_yaxes(range=list(up))


def _hover(info: LensInfo, name: str) -> str:
    return f"{name}<br>step %{{x:.3~g}}: %{{y:{info.scale.hover}<extra></extra>"


def _model(model: Fitted, info: LensInfo, first: bool) -> Any:
    from plotly.graph_objects import Scatter

    return Scatter(
        x=[step for step, _ in model.points],
        y=[value for _, value in model.points],
        mode="lines",
        name="fitted models",
        legendgroup="fitted",
        showlegend=first,
        line={"color": QUIET, "width": 1.2},
        opacity=0.8,
        hovertemplate=_hover(info, f"{model.name}, weight {model.weight:.2f}"),
    )


def _line(name: str, points: Points, line: dict[str, Any], info: LensInfo) -> Any:
    from plotly.graph_objects import Scatter

    return Scatter(
        x=[step for step, _ in points],
        y=[value for _, value in points],
        mode="lines+markers" if line["color"] == CURVE or len(points) == 1 else "lines",
        name=name,
        line=line,
        marker={"size": 6, "symbol": "circle-open" if name == "after this look" else "circle"},
        hovertemplate=_hover(info, name),
    )


def _marks(name: str, points: Points, symbol: str, color: str, size: int, info: LensInfo) -> Any:
    from plotly.graph_objects import Scatter

    return Scatter(
        x=[step for step, _ in points],
        y=[value for _, value in points],
        mode="markers",
        name=name,
        marker={"symbol": symbol, "color": color, "size": size, "line": {"width": 2.2, "color": color}},
        hovertemplate=_hover(info, name),
    )
