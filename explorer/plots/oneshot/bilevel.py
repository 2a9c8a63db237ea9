"""The DARTS paper's bilevel toy: two numbers, alpha and w, each descending a loss that the other one bends.

L_val(alpha, w) = alpha w - 2 alpha + 1 and L_train(alpha, w) = w^2 - 2 alpha w + alpha^2 (Liu, Simonyan & Yang 2019,
figure 2, arXiv:1806.09055). The inner problem has the answer w*(alpha) = alpha, so the true problem is to minimise
alpha^2 - 2 alpha + 1, and its optimum is (1, 1). DARTS takes one inner step w' = w - xi dL_train/dw instead of w*,
which makes the gradient (w' - 2) + 2 xi alpha, and alternating descent comes to rest at alpha = w = 2 / (1 + 2 xi).
That is the optimum at xi = 0.5 only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.plots.charts import Axis
from explorer.plots.oneshot.panels import BLUE, GREEN, GREY, ORANGE, RED
from explorer.plots.svg import OUTLINE
from explorer.plots.tuning import frame
from explorer.plots.tuning.figure import dress

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

START = (2.0, -2.0)  # the paper's
RATES = (0.02, 0.05)
OPTIMUM = (1.0, 1.0)
FAR = 1e6  # beyond it the descent has run away
NEAR = 0.02  # closer than this counts as being there
LEVELS = (-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0, 8.0)
MOST_POINTS = 240  # of the SVG


@dataclass(frozen=True)
class Point:
    """(alpha, w) after `step` steps, with both losses there."""

    step: int
    alpha: float
    w: float
    validation: float
    training: float


def validation_loss(alpha: float, w: float) -> float:
    """L_val"""
    return alpha * w - 2 * alpha + 1


def training_loss(alpha: float, w: float) -> float:
    """L_train"""
    return (w - alpha) ** 2


def hypergradient(alpha: float, w: float, xi: float) -> float:
    """dL_val(alpha, w'(alpha))/dalpha with w' = w - xi dL_train/dw; xi = 0 is first order."""
    ahead = w - xi * (2 * w - 2 * alpha)
    return (ahead - 2) + 2 * xi * alpha


def fixed_point(xi: float) -> tuple[float, float]:
    """Where alternating descent comes to rest: both gradients are 0."""
    rest = 2 / (1 + 2 * xi)
    return rest, rest


def trajectory(
    xi: float,
    steps: int,
    start: tuple[float, float] = START,
    rates: tuple[float, float] = RATES,
) -> tuple[Point, ...]:
    """Alternating descent: alpha by its hypergradient, then w by dL_train/dw at the new alpha; `rates` are theirs.

    Point 0 is the start. A descent that runs away ends where it leaves `FAR`.
    """
    alpha, w = start
    found = [_point(0, alpha, w)]
    for step in range(1, steps + 1):
        alpha -= rates[0] * hypergradient(alpha, w, xi)
        w -= rates[1] * (2 * w - 2 * alpha)
        found.append(_point(step, alpha, w))
        if max(abs(alpha), abs(w)) > FAR:
            break
    return tuple(found)


def _point(step: int, alpha: float, w: float) -> Point:
    return Point(step, alpha, w, validation_loss(alpha, w), training_loss(alpha, w))


@dataclass(frozen=True)
class BilevelInfo:
    """`rest` is the fixed point of this xi, `sentence` says in words what happened.

    `window` holds the lowest and highest alpha, then w, that are drawn.
    """

    question: str
    x: Axis
    y: Axis
    xi: float
    points: tuple[Point, ...]
    rest: tuple[float, float]
    window: tuple[tuple[float, float], tuple[float, float]]
    sentence: str
    basis: str
    alt: str


def bilevel(
    xi: float,
    steps: int = 600,
    start: tuple[float, float] = START,
    rates: tuple[float, float] = RATES,
) -> BilevelInfo:
    """The descent with this xi, drawn over the plane of alpha and w."""
    points = trajectory(xi, steps, start, rates)
    rest = fixed_point(xi)
    shown = [rest, OPTIMUM, *_inside(points)]
    for end in (0.0, 1.0):  # whatever xi is, nothing but the path moves
        shown += [fixed_point(end), *_inside(trajectory(end, steps, start, rates))]
    sentence = _sentence(xi, points, rest)
    return BilevelInfo(
        "Where does alternating descent come to rest, and is that the optimum?",
        Axis("alpha, the architecture"),
        Axis("w, the weight"),
        xi,
        points,
        rest,
        (_air([alpha for alpha, _ in shown]), _air([w for _, w in shown])),
        sentence,
        f"{len(points) - 1:,} steps from ({start[0]:g}, {start[1]:g}), learning rates {rates[0]:g} (alpha) and "
        f"{rates[1]:g} (w); plain arithmetic, no network and no noise.",
        f"Path of alpha and w from ({start[0]:g}, {start[1]:g}) at xi = {xi:g}. {sentence}",
    )


def _inside(points: Sequence[Point]) -> list[tuple[float, float]]:
    """What is drawn of a path: one that runs away leaves the picture."""
    return [(point.alpha, point.w) for point in points if max(abs(point.alpha), abs(point.w)) <= 8]


def _air(values: list[float]) -> tuple[float, float]:
    """A range around the values, some beyond them."""
    low, high = min(values), max(values)
    room = 0.12 * (high - low) or 0.5
    return low - room, high + room


def _sentence(xi: float, points: tuple[Point, ...], rest: tuple[float, float]) -> str:
    """What happened, in words."""
    last = points[-1]
    if max(abs(last.alpha), abs(last.w)) > FAR or not math.isfinite(last.validation):
        return f"With these learning rates the descent runs away (after {last.step} steps); lower them."
    order = (
        "With xi = 0 (first order) alpha does not know that w will follow it"
        if xi == 0
        else (f"With xi = {xi:g} alpha looks one step of w ahead")
    )
    reached = math.hypot(last.alpha - rest[0], last.w - rest[1])
    where = f"({rest[0]:.3f}, {rest[1]:.3f})"
    loss = validation_loss(*rest)
    if reached > NEAR:
        return (
            f"{order}; after {last.step:,} steps it is at ({last.alpha:.3f}, {last.w:.3f}), still on its way to "
            f"{where}, where L_val is {loss:.3f}."
        )
    if math.hypot(rest[0] - OPTIMUM[0], rest[1] - OPTIMUM[1]) <= NEAR:
        return f"{order}, and the descent comes to rest at {where}: the optimum, where L_val is 0."
    side = "short of" if rest[0] > 1 else "beyond"
    came = f"the descent comes to rest at {where}, {side} the optimum (1, 1)"
    return f"{order}, and {came}: L_val is {loss:.3f} there, not 0."


# -- drawing ----------------------------------------------------------------------------------------------------------


def contour(
    level: float, window: tuple[tuple[float, float], tuple[float, float]]
) -> list[list[tuple[float, float]]]:
    """L_val = level as pieces of curves inside the window: w = 2 + (level - 1) / alpha, on either side of alpha = 0."""
    (low, high), (bottom, top) = window
    if level == 1:  # alpha (w - 2) = 0: two straight lines
        lines = [[(low, 2.0), (high, 2.0)]] if bottom <= 2 <= top else []
        return lines + ([[(0.0, bottom), (0.0, top)]] if low <= 0 <= high else [])
    pieces: list[list[tuple[float, float]]] = []
    piece: list[tuple[float, float]] = []
    for at in range(401):
        alpha = low + (high - low) * at / 400
        w = 2 + (level - 1) / alpha if abs(alpha) > 1e-9 else math.inf
        if bottom <= w <= top:
            piece.append((alpha, w))
        elif piece:
            pieces.append(piece)
            piece = []
    return [found for found in [*pieces, piece] if len(found) > 1]


KEYS = (
    frame.Key("path, from the ring", BLUE, "line"),
    frame.Key("w = alpha: what w* is", GREEN, "dashed"),
    frame.Key("rest", ORANGE, "cross"),
    frame.Key("optimum", RED, "diamond"),
    frame.Key("equal L_val", GREY, "line"),
)


def bilevel_svg(info: BilevelInfo, width: float = 470.0, height: float = 430.0) -> str:
    """Contours of L_val, the line w = alpha, the path, where it rests and where the optimum is."""
    (low, high), (bottom, top) = info.window
    rows = frame.foot(KEYS, width, info.x)
    plane = frame.Plane(
        (low, high), (bottom, top), (34, 28, width - 14, height - frame.foot_height(rows) - 12)
    )
    parts = [frame.axes(plane, info.x, info.y)]
    for level in LEVELS:
        for piece in contour(level, info.window):
            parts.append(
                frame.stroke(
                    frame.line(plane, piece[:: max(1, len(piece) // 60)] + piece[-1:]), GREY, 1, "", 0.6
                )
            )
            parts.append(_label(plane, piece, level))
    start, end = max(low, bottom), min(high, top)
    if start < end:
        parts.append(frame.stroke(frame.line(plane, [(start, start), (end, end)]), GREEN, 2, "6 4"))
    inside = [point for point in info.points if low <= point.alpha <= high]
    path = [(inside[at].alpha, inside[at].w) for at in _dense(len(inside))]
    parts.append(frame.stroke(frame.line(plane, path), BLUE, 2.6))
    parts.append(frame.marks("ring", [plane.at(info.points[0].alpha, info.points[0].w)], BLUE, 5))
    if inside:
        parts.append(frame.marks("dot", [plane.at(inside[-1].alpha, inside[-1].w)], BLUE, 4.5))
    parts.append(frame.marks("diamond", [plane.at(*OPTIMUM)], RED, 7))
    parts.append(frame.marks("cross", [plane.at(*info.rest)], ORANGE, 6.5))
    parts.append(frame.foot_svg(rows, plane))
    return frame.svg(info.alt, width, height, "".join(parts))


def _dense(count: int) -> list[int]:
    """More points at the beginning, where the path bends most."""
    if count <= MOST_POINTS:
        return list(range(count))
    found = {round((count - 1) * (at / (MOST_POINTS - 1)) ** 2.5) for at in range(MOST_POINTS)}
    return sorted(found)


def _label(plane: frame.Plane, piece: list[tuple[float, float]], level: float) -> str:
    """The level's number where its contour leaves the picture."""
    x, y = plane.at(*max(piece))
    left, top, right, bottom = plane.box
    x, y = min(max(x, left + 12), right - 12), min(max(y, top + 8), bottom - 8)
    return frame.text((x, y), f"{level:g}", 10, "middle", f'opacity=".8" {OUTLINE}')


def bilevel_figure(info: BilevelInfo) -> Figure:
    """The same to zoom into and to hover over; the path tells its steps and losses."""
    from plotly.graph_objects import Contour, Figure, Scatter

    (low, high), (bottom, top) = info.window
    count = 61
    alphas = [low + (high - low) * at / (count - 1) for at in range(count)]
    weights = [bottom + (top - bottom) * at / (count - 1) for at in range(count)]
    figure = Figure(
        Contour(
            x=alphas,
            y=weights,
            z=[[validation_loss(alpha, w) for alpha in alphas] for w in weights],
            contours={"coloring": "lines", "showlabels": True, "labelfont": {"size": 10}},
            line={"width": 1},
            colorscale=[(0, GREY), (1, GREY)],
            showscale=False,
            name="L_val",
            hovertemplate="alpha %{x:.3f}, w %{y:.3f}<br>L_val %{z:.3f}<extra></extra>",
        )
    )
    start, end = max(low, bottom), min(high, top)
    figure.add_trace(
        Scatter(
            x=[start, end],
            y=[start, end],
            mode="lines",
            name="w = alpha: what w* is",
            line={"color": GREEN, "dash": "dash"},
            hoverinfo="skip",
        )
    )
    points = [info.points[at] for at in _dense(len(info.points))]
    figure.add_trace(
        Scatter(
            x=[point.alpha for point in points],
            y=[point.w for point in points],
            customdata=[[point.step, point.validation, point.training] for point in points],
            mode="lines+markers",
            name="path",
            line={"color": BLUE, "width": 3},
            marker={"size": 4},
            hovertemplate="step %{customdata[0]}: alpha %{x:.3f}, w %{y:.3f}<br>"
            "L_val %{customdata[1]:.3f}, L_train %{customdata[2]:.3f}<extra></extra>",
        )
    )
    for name, place, color, symbol in (
        ("rest", info.rest, ORANGE, "x"),
        ("optimum", OPTIMUM, RED, "diamond"),
    ):
        figure.add_trace(
            Scatter(
                x=[place[0]],
                y=[place[1]],
                mode="markers",
                name=name,
                marker={"color": color, "symbol": symbol, "size": 13},
                hovertemplate=f"{name}: (%{{x:.3f}}, %{{y:.3f}})<extra></extra>",
            )
        )
    dress(figure, info.x, info.y, 460)
    figure.update_xaxes(range=[low, high])
    return figure.update_yaxes(range=[bottom, top])
