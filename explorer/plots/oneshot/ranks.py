"""Can inherited weights rank architectures? Inherited against stand-alone accuracy of a fixed sample.

Stand-alone accuracies are of this run's own retrainings, and of the answer key where it knows the architectures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from explorer.plots.charts import Axis
from explorer.plots.oneshot.orders import rank_correlations
from explorer.plots.oneshot.panels import BLUE, GREY, ORANGE, number
from explorer.plots.tuning import frame
from explorer.plots.tuning.figure import dress

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_KEYED = 1_000  # all pairs of them are compared
NOTHING: Mapping[str, float] = {}
UNKNOWN = "Not known yet: too few of the probed architectures were trained from scratch."
HERE, KEYED = "retrained here (validation)", "trained alone (answer key, test)"


@dataclass(frozen=True)
class RankDot:
    """One architecture, percent on both axes."""

    code: str
    inherited: float
    standalone: float


@dataclass(frozen=True)
class RanksInfo:
    """`kendall` and `spearman` from -1 to 1, 1 is the same order; None before the first probe.

    `unknown` architectures were not retrained by this run, and have no dot in `dots`. `keyed` are those that the answer
    key knows, by its accuracy; `key_kendall` and `key_spearman` are over these.
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
    keyed: tuple[RankDot, ...] = ()
    key_kendall: float | None = None
    key_spearman: float | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw yet."""
        return not self.dots and not self.keyed


def ranks(measurements: Sequence[Mapping[str, Any]], probed: Mapping[str, float] = NOTHING) -> RanksInfo:
    """The newest rank probe; `probed` is the answer key's test accuracy of architectures by their codes, 0 .. 1."""
    probes = [one for one in measurements if one["name"] == "rank_probe" and isinstance(one["data"], Mapping)]
    data: Mapping[str, Any] = probes[-1]["data"] if probes else {}
    dots: list[RankDot] = []
    keyed: list[RankDot] = []
    unknown = 0
    for code, inherited, standalone in zip(
        data.get("architectures", ()), data.get("inherited", ()), data.get("standalone", ()), strict=False
    ):
        here, alone = number(inherited), number(standalone)
        if here is not None and code in probed and len(keyed) < MOST_KEYED:
            keyed.append(RankDot(str(code), 100 * here, 100 * probed[code]))
        if here is None or alone is None:
            unknown += 1
        else:
            dots.append(RankDot(str(code), 100 * here, 100 * alone))
    kendall, spearman = number(data.get("kendall")), number(data.get("spearman"))
    key_kendall, key_spearman = _orders(keyed)
    step = probes[-1]["step"] if probes else None
    answer = _answer(kendall, spearman, len(dots))
    if keyed:
        answer = _keyed_answer(key_kendall, key_spearman, len(keyed), "" if answer == UNKNOWN else answer)
    return RanksInfo(
        "Do inherited weights rank architectures as training from scratch does?",
        Axis("search accuracy with inherited weights (%)", "higher"),
        Axis("accuracy when trained alone (%)" if keyed else "retrained accuracy (%)", "higher"),
        tuple(dots),
        kendall,
        spearman,
        unknown,
        step,
        answer,
        _basis(len(dots), unknown, step, len(keyed)),
        f"Accuracy when trained alone against inherited accuracy of {max(len(dots), len(keyed))} architectures. "
        f"{answer}",
        tuple(keyed),
        key_kendall,
        key_spearman,
    )


def _orders(dots: Sequence[RankDot]) -> tuple[float | None, float | None]:
    return rank_correlations([dot.inherited for dot in dots], [dot.standalone for dot in dots])


def _keyed_answer(kendall: float | None, spearman: float | None, known: int, retrained: str) -> str:
    """By the answer key first, because it knows more of them and by several seeds."""
    if kendall is None or spearman is None:
        told = "By the answer key this is not known: fewer than two of the probed architectures differ."
    else:
        told = f"By the answer key {_lower(_answer(kendall, spearman, known))}"
    return f"{told} By what was retrained here {_lower(retrained)}" if retrained else told


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def _answer(kendall: float | None, spearman: float | None, known: int) -> str:
    if kendall is None or spearman is None or known < 2:
        return UNKNOWN
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


def _basis(known: int, unknown: int, step: int | None, keyed: int) -> str:
    if step is None:
        return "No rank probe yet; it is measured on demand."
    told = f"A fixed sample of {known + unknown} architectures at step {step:,} of one search; two different axes."
    if keyed:
        return f"{told} Retrained here: {known} of them; known to the answer key: {keyed}."
    return told + (f" {unknown} of them have no stand-alone accuracy." if unknown else "")


def ranks_svg(info: RanksInfo, width: float = frame.WIDTH, height: float = 330.0) -> str:
    """A dot an architecture; the two accuracies have axes of their own."""
    rows = frame.foot(_keys(info), width, info.x) if info.keyed else []
    plane = _plane(info, width, height - 19.0 * max(0, len(rows) - 1))
    places = [plane.at(dot.inherited, dot.standalone) for dot in info.dots]
    body = (
        frame.axes(plane, info.x, info.y)
        + frame.marks("ring", [plane.at(dot.inherited, dot.standalone) for dot in info.keyed], ORANGE, 4)
        + frame.marks("dot", places, BLUE, 4, 0.75)
        + frame.text((plane.box[2], plane.box[1] - 14), _orders_told(info), 12, "end", 'font-weight="650"')
        + frame.foot_svg(rows, plane)
    )
    if info.is_empty:
        middle = ((plane.box[0] + plane.box[2]) / 2, (plane.box[1] + plane.box[3]) / 2)
        body += frame.text(middle, "no architecture with both numbers yet", 12, "middle", frame.QUIET_TEXT)
    return frame.svg(info.alt, width, height, body)


def _keys(info: RanksInfo) -> list[frame.Key]:
    return [frame.Key(HERE, BLUE, "dot")] * bool(info.dots) + [frame.Key(KEYED, ORANGE, "ring")]


def _orders_told(info: RanksInfo) -> str:
    """The newest numbers in a corner, the key's where it has some."""
    tau, rho = (info.key_kendall, info.key_spearman) if info.keyed else (info.kendall, info.spearman)
    return "" if tau is None or rho is None else f"tau {tau:.2f}   rho {rho:.2f}"


def _plane(info: RanksInfo, width: float, height: float) -> frame.Plane:
    every = (*info.dots, *info.keyed)
    across = frame.window([dot.inherited for dot in every]) if every else (0.0, 100.0)
    up = frame.window([dot.standalone for dot in every]) if every else (0.0, 100.0)
    return frame.Plane(across, up, (46, 30, width - 12, height - 42))


def ranks_figure(info: RanksInfo) -> Figure:
    """The same, with codes on hover."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    keyed = {"color": ORANGE, "size": 9, "symbol": "circle-open", "line": {"width": 2}}
    here = {"color": BLUE, "size": 9, "line": {"width": 1, "color": GREY}}
    for words, dots, marker in ((KEYED, info.keyed, keyed), (HERE, info.dots, here)):
        if not dots and (info.keyed or words == KEYED):
            continue
        figure.add_trace(
            Scatter(
                x=[dot.inherited for dot in dots],
                y=[dot.standalone for dot in dots],
                text=[dot.code for dot in dots],
                mode="markers",
                name=words,
                marker=marker,
                hovertemplate=f"%{{text}}<br>inherited %{{x:.1f}} %, {words} %{{y:.1f}} %<extra></extra>",
                showlegend=bool(info.keyed),
            )
        )
    return dress(figure, info.x, info.y)
