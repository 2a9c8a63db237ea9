"""Can inherited weights rank architectures? Inherited against stand-alone accuracy of a fixed sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from explorer.plots.charts import Axis
from explorer.plots.oneshot.panels import BLUE, GREY, number
from explorer.plots.tuning import frame
from explorer.plots.tuning.figure import dress

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


@dataclass(frozen=True)
class RankDot:
    """One architecture, percent on both axes."""

    code: str
    inherited: float
    standalone: float


@dataclass(frozen=True)
class RanksInfo:
    """`kendall` and `spearman` from -1 to 1, 1 is the same order; None before the first probe.

    `unknown` architectures have no stand-alone accuracy yet and are not drawn.
    """

    question: str
    x: Axis
    y: Axis
    dots: tuple[RankDot, ...]
    kendall: float | None
    spearman: float | None
    unknown: int
    step: int | None
    answer: str
    basis: str
    alt: str


def ranks(measurements: Sequence[Mapping[str, Any]]) -> RanksInfo:
    """The newest rank probe."""
    probes = [one for one in measurements if one["name"] == "rank_probe" and isinstance(one["data"], Mapping)]
    data: Mapping[str, Any] = probes[-1]["data"] if probes else {}
    dots, unknown = [], 0
    for code, inherited, standalone in zip(
        data.get("architectures", ()), data.get("inherited", ()), data.get("standalone", ()), strict=False
    ):
        here, alone = number(inherited), number(standalone)
        if here is None or alone is None:
            unknown += 1
        else:
            dots.append(RankDot(str(code), 100 * here, 100 * alone))
    kendall, spearman = number(data.get("kendall")), number(data.get("spearman"))
    step = probes[-1]["step"] if probes else None
    answer = _answer(kendall, spearman, len(dots))
    return RanksInfo(
        "Do inherited weights rank architectures as training from scratch does?",
        Axis("search accuracy with inherited weights (%)", "higher"),
        Axis("retrained accuracy (%)", "higher"),
        tuple(dots),
        kendall,
        spearman,
        unknown,
        step,
        answer,
        _basis(len(dots), unknown, step),
        f"Retrained against inherited accuracy of {len(dots)} architectures. {answer}",
    )


def _answer(kendall: float | None, spearman: float | None, known: int) -> str:
    if kendall is None or spearman is None or known < 2:
        return "Not known yet: too few of the probed architectures were trained from scratch."
    strength = max(kendall, spearman)
    verdict = (
        "The order is largely the same"
        if strength >= 0.7
        else "The order is roughly the same"
        if strength >= 0.4
        else "The order says little about training from scratch"
    )
    few = " With so few architectures this may be luck." if known < 10 else ""
    return f"{verdict}: Kendall's tau {kendall:.2f}, Spearman's rho {spearman:.2f} over {known} architectures.{few}"


def _basis(known: int, unknown: int, step: int | None) -> str:
    if step is None:
        return "No rank probe yet; it is measured on demand."
    told = f"A fixed sample of {known + unknown} architectures at step {step:,} of one search; two different axes."
    return told + (f" {unknown} of them have no stand-alone accuracy." if unknown else "")


def ranks_svg(info: RanksInfo, width: float = frame.WIDTH, height: float = 330.0) -> str:
    """A dot an architecture; the two accuracies have axes of their own."""
    plane = _plane(info, width, height)
    places = [plane.at(dot.inherited, dot.standalone) for dot in info.dots]
    words = (
        ""
        if info.kendall is None or info.spearman is None
        else (f"tau {info.kendall:.2f}   rho {info.spearman:.2f}")
    )
    body = (
        frame.axes(plane, info.x, info.y)
        + frame.marks("dot", places, BLUE, 4, 0.75)
        + frame.text((plane.box[2], plane.box[1] - 14), words, 12, "end", 'font-weight="650"')
    )
    if not places:
        middle = ((plane.box[0] + plane.box[2]) / 2, (plane.box[1] + plane.box[3]) / 2)
        body += frame.text(middle, "no architecture with both numbers yet", 12, "middle", frame.QUIET_TEXT)
    return frame.svg(info.alt, width, height, body)


def _plane(info: RanksInfo, width: float, height: float) -> frame.Plane:
    across = frame.window([dot.inherited for dot in info.dots]) if info.dots else (0.0, 100.0)
    up = frame.window([dot.standalone for dot in info.dots]) if info.dots else (0.0, 100.0)
    return frame.Plane(across, up, (46, 30, width - 12, height - 42))


def ranks_figure(info: RanksInfo) -> Figure:
    """The same, with codes on hover."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure(
        Scatter(
            x=[dot.inherited for dot in info.dots],
            y=[dot.standalone for dot in info.dots],
            text=[dot.code for dot in info.dots],
            mode="markers",
            marker={"color": BLUE, "size": 9, "line": {"width": 1, "color": GREY}},
            hovertemplate="%{text}<br>inherited %{x:.1f} %, retrained %{y:.1f} %<extra></extra>",
            showlegend=False,
        )
    )
    return dress(figure, info.x, info.y)
