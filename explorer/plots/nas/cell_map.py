"""Where in the space a search has looked: every cell of the app's cell space as one point of a map.

Across are the first three of the six edges, up the last three, 125 operations each way, so that a change of one edge
moves straight across or straight up. What the answer key knows of the cells lies below as a tint.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.plots import looks
from explorer.plots.charts import Axis
from explorer.plots.leaderboard import Row
from explorer.plots.nas.grid import HALF, grid
from explorer.plots.nas.order import LEADER
from explorer.plots.nas.tried import Searched, Tried
from explorer.plots.nas.truth import Truth
from explorer.plots.oneshot.panels import PURPLE
from explorer.plots.tuning import frame
from explorer.plots.tuning.figure import dress
from explorer.space import CellSpace, SearchSpace, preset

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

TINT = (43, 125, 224)  # of the best cells; worse ones are more transparent
STRONGEST = 0.62
AGES = (0.35, 0.55, 0.78, 1.0)  # how strongly the four quarters of the search are drawn, oldest first
MOST_STEPS = 300  # of the path; a longer one hides what it leads through
SIDE = 430.0  # pixels of the square


@dataclass(frozen=True)
class Spot:
    """A trial and its cell's place: `x` of the first edges, `y` of the last."""

    trial: Tried
    x: int
    y: int


@dataclass(frozen=True, eq=False)
class MapInfo:
    """`spots` by number; `field` (y, x) is the mean test accuracy in percent, NaN where unknown, or None at all.

    `x_blocks` and `y_blocks` hold the middle of each block and the operation that all of its cells share.
    """

    question: str
    x: Axis
    y: Axis
    spots: tuple[Spot, ...]
    best: Spot | None
    x_blocks: tuple[tuple[float, str], ...]
    y_blocks: tuple[tuple[float, str], ...]
    side: int
    field: Any
    basis: str
    alt: str


def map_of(
    run: Searched, rows: Sequence[Row], space: SearchSpace | None, truth: Truth | None
) -> MapInfo | None:
    """None for a space whose architectures are no cells of the app's cell space."""
    whole = _whole(space)
    if whole is None:
        return None
    places = {row.trial_id: _place(whole, row.architecture) for row in rows if row.architecture is not None}
    side = len(whole.operations) ** (len(whole.edges) // 2)
    spots = tuple(
        Spot(one, places[one.trial_id] % side, places[one.trial_id] // side)
        for one in run.trials
        if one.trial_id in places
    )
    half = len(whole.edges) // 2
    field = None if truth is None else 100 * np.asarray(truth.field, dtype=float).reshape(side, side)
    cells = len({(spot.x, spot.y) for spot in spots})
    tint = (
        ""
        if truth is None
        else f" The tint is the answer key's mean test accuracy: the stronger, the better ({truth.dataset})."
    )
    return MapInfo(
        "Where in the space did it look?",
        Axis(_names(whole.edges[:half])),
        Axis(_names(whole.edges[half:])),
        spots,
        next((spot for spot in spots if spot.trial.trial_id == run.best), None),
        _blocks(whole, side),
        _blocks(whole, side),
        side,
        field,
        f"One point a cell, {side} x {side} in all; the later a trial, the stronger its colour. A step straight across "
        f"or straight up may be one edge, a slanting one is at least two.{tint}",
        f"Map of {side * side:,} cells with the {cells:,} that {len(spots):,} trials looked at.",
    )


def _whole(space: SearchSpace | None) -> CellSpace | None:
    whole = preset("cell")
    if not isinstance(space, CellSpace) or not isinstance(whole, CellSpace) or space.nodes != whole.nodes:
        return None
    fits = set(space.operations) <= set(whole.operations) and set(space.edges) <= set(whole.edges)
    return whole if fits else None


def _place(whole: CellSpace, architecture: Mapping[str, Any]) -> int:
    """Its number in the whole space; an edge that was left out is `none`, its first operation."""
    return whole.index_of({m.label: architecture.get(m.label, "none") for m in whole.mutables})


def _names(edges: Sequence[tuple[int, int]]) -> str:
    named = ", ".join(f"{source}→{target}" for source, target in edges)
    return f"edges {named}; block: {edges[-1][0]}→{edges[-1][1]}"


def _blocks(whole: CellSpace, side: int) -> tuple[tuple[float, str], ...]:
    """The last edge of three changes slowest: side by side lie as many blocks as there are operations."""
    wide = side / len(whole.operations)
    return tuple(((at + 0.5) * wide - 0.5, _brief(name)) for at, name in enumerate(whole.operations))


def _brief(operation: str) -> str:
    """What fits below a block: `3x3 conv` is 3x3, `3x3 avg pool` is pool."""
    short = looks.look(operation).short or operation
    return "pool" if short.endswith("pool") else short.removesuffix(" conv")


# -- drawing ----------------------------------------------------------------------------------------


def map_svg(info: MapInfo) -> str:
    """The tint as a picture, the path as a thin line, the trials stronger the later they are, the best in a diamond."""
    keys = [frame.Key("trials", LEADER, "dot"), frame.Key("best", PURPLE, "diamond")]
    height = SIDE + 60
    plane = frame.Plane((-0.5, info.side - 0.5), (-0.5, info.side - 0.5), (62, 30, HALF - 8, height - 62))
    body = _picture(info, plane) + _borders(info, plane)
    body += grid(plane, info.x, info.y, info.x_blocks, info.y_blocks, lines=False)
    path = [plane.at(spot.x, spot.y) for spot in info.spots]
    if 1 < len(path) <= MOST_STEPS:
        body += frame.stroke("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in path), LEADER, 0.8, opacity=0.45)
    radius = 3 if len(path) <= 200 else 2
    for age, opacity in enumerate(AGES):
        part = path[age * len(path) // len(AGES) : (age + 1) * len(path) // len(AGES)]
        body += frame.marks("dot", part, LEADER, radius, opacity)
    if info.best is not None:
        body += frame.marks("diamond", [plane.at(info.best.x, info.best.y)], PURPLE, 6.5)
    return frame.svg(info.alt, HALF, height, body + frame.legend(keys, 62, height - 10))


def _borders(info: MapInfo, plane: frame.Plane) -> str:
    """The plane's frame and the lines between blocks."""
    left, top, right, bottom = plane.box
    course = f"M{left} {top}H{right}V{bottom}H{left}Z"
    wide = info.side / len(info.x_blocks)
    for at in range(1, len(info.x_blocks)):
        x, y = plane.at(at * wide - 0.5, at * wide - 0.5)
        course += f"M{x:.1f} {top}V{bottom}M{left} {y:.1f}H{right}"
    return frame.stroke(course, "currentColor", 0.8, opacity=0.22)


def _picture(info: MapInfo, plane: frame.Plane) -> str:
    if info.field is None:
        return ""
    left, top, right, bottom = plane.box
    return (
        f'<image x="{left}" y="{top}" width="{right - left}" height="{bottom - top}" preserveAspectRatio="none" '
        f'style="image-rendering:pixelated" href="{picture(info)}"/>'
    )


def limits(field: Any) -> tuple[float, float]:
    """The range of the tint: the worst fifth is left without, since a search never means them."""
    known = field[np.isfinite(field)]
    if not len(known):
        return 0.0, 100.0
    low, high = float(np.quantile(known, 0.2)), float(known.max())
    return (low, high) if high > low else (low, low + 1)


def picture(info: MapInfo) -> str:
    """The field as a PNG in a data URI, its first row at the top being the last of the map."""
    return _picture_of(np.asarray(info.field, dtype=np.float64).tobytes(), info.side)


@lru_cache(maxsize=4)
def _picture_of(raw: bytes, side: int) -> str:
    """Kept, because a live run's map is drawn every second and its tint stays the same."""
    field = np.frombuffer(raw).reshape(side, side)
    low, high = limits(field)
    share = np.nan_to_num(((field - low) / (high - low)).clip(0, 1), nan=0.0)
    alpha = (255 * STRONGEST * share**1.5).round().astype(np.uint8)[::-1]
    pixels = np.empty((*alpha.shape, 4), dtype=np.uint8)
    pixels[..., :3], pixels[..., 3] = TINT, alpha
    return "data:image/png;base64," + base64.b64encode(_png(pixels)).decode()


def _png(pixels: Any) -> bytes:
    """(height, width, 4) as a PNG file (W3C, Portable Network Graphics, second edition, sections 5 and 9)."""
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def map_figure(info: MapInfo) -> Figure:
    """The same, with codes on hover."""
    from plotly.graph_objects import Figure, Heatmap, Scatter

    figure = Figure()
    if info.field is not None:
        low, high = limits(info.field)
        red, green, blue = TINT
        figure.add_trace(
            Heatmap(
                z=info.field.astype(np.float32).round(1),
                zmin=low,
                zmax=high,
                colorscale=[
                    (0, f"rgba({red},{green},{blue},0)"),
                    (1, f"rgba({red},{green},{blue},{STRONGEST})"),
                ],
                colorbar={
                    "title": {"text": "mean test accuracy (%)", "side": "top", "font": {"size": 11}},
                    "orientation": "h",
                    "thickness": 8,
                    "outlinewidth": 0,
                    "y": 1.0,
                    "yanchor": "bottom",
                },
                hovertemplate="mean test accuracy %{z:.1f} %<extra></extra>",
            )
        )
    path = info.spots
    figure.add_trace(
        Scatter(
            x=[spot.x for spot in path],
            y=[spot.y for spot in path],
            text=[f"trial {spot.trial.trial_id}: {spot.trial.code}{_value(spot)}" for spot in path],
            mode="lines+markers" if len(path) <= MOST_STEPS else "markers",
            name="trials",
            line={"color": "rgba(196,98,10,.45)", "width": 1},
            marker={
                "size": 7 if len(path) <= 200 else 4.5,
                "color": LEADER,
                "opacity": [AGES[min(3, 4 * at // max(1, len(path)))] for at in range(len(path))],
            },
            hovertemplate="%{text}<extra></extra>",
        )
    )
    if info.best is not None:
        best = info.best
        figure.add_trace(
            Scatter(
                x=[best.x],
                y=[best.y],
                text=[f"best: trial {best.trial.trial_id}, {best.trial.code}{_value(best)}"],
                mode="markers",
                name="best",
                marker={
                    "symbol": "diamond",
                    "size": 14,
                    "color": PURPLE,
                    "line": {"width": 1, "color": "white"},
                },
                hovertemplate="%{text}<extra></extra>",
            )
        )
    dress(figure, info.x, info.y, height=470)
    for update, blocks in ((figure.update_xaxes, info.x_blocks), (figure.update_yaxes, info.y_blocks)):
        update(
            range=[-0.5, info.side - 0.5],
            tickvals=[at for at, _ in blocks],
            ticktext=[words for _, words in blocks],
            tickangle=0,
            showgrid=False,
            zeroline=False,
        )
    wide = info.side / len(info.x_blocks)
    for at in range(1, len(info.x_blocks)):
        line = {"color": "rgba(128,128,128,.35)", "width": 1}
        figure.add_vline(at * wide - 0.5, line=line)
        figure.add_hline(at * wide - 0.5, line=line)
    return figure


def _value(spot: Spot) -> str:
    return "" if spot.trial.value is None else f" ({spot.trial.value:.1f} %)"
