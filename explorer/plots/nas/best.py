"""How good the best so far is: what the search saw on validation images, and what it really gave away on test."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.plots.charts import Axis
from explorer.plots.nas.grid import HALF, grid, whole_ticks
from explorer.plots.nas.tried import Searched
from explorer.plots.nas.truth import Truth
from explorer.plots.oneshot.panels import GREY
from explorer.plots.tuning import frame
from explorer.plots.tuning.figure import dress
from explorer.plots.tuning.statuses import BEST

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

HEIGHT = 290.0
LEAST_POINTS = 0.1  # of regret on the axis; nothing smaller can be told apart by hundreds of images


@dataclass(frozen=True)
class Lead:
    """The leader from evaluation number `at` on."""

    at: int
    trial_id: int
    code: str
    value: float


@dataclass(frozen=True)
class BestInfo:
    """`leads` holds every change of the leader, `evaluations` how many results there are; `log` draws on a log axis,
    where what is at or below `floor` stands at its bottom. `level` is a height to compare with.
    """

    question: str
    x: Axis
    y: Axis
    leads: tuple[Lead, ...]
    evaluations: int
    basis: str
    alt: str
    log: bool = False
    floor: float = 0.0
    level: float | None = None
    level_words: str = ""

    @property
    def line(self) -> tuple[tuple[int, float], ...]:
        """The corners of the step line, to the last evaluation."""
        if not self.leads:
            return ()
        return (*((lead.at, lead.value) for lead in self.leads), (self.evaluations, self.leads[-1].value))


def best_so_far(run: Searched) -> BestInfo:
    """The highest validation accuracy after each evaluation, in the order in which results came in."""
    leads = _leads(run)
    told = f"; it is {leads[-1].value:.1f} % after {len(leads)} improvements" if leads else ""
    return BestInfo(
        "How good is the best so far?",
        Axis("evaluations"),
        Axis("validation accuracy of the best (%)", "higher"),
        leads,
        len(run.order),
        run.basis,
        f"Best validation accuracy after each of {len(run.order)} evaluations{told}.",
    )


def true_regret(run: Searched, truth: Truth) -> BestInfo:
    """What the leader really lacks to the best of the space, by the key's mean test accuracy; it may also grow.

    It ends at the first leader that the key does not hold.
    """
    leads: list[Lead] = []
    for lead in _leads(run):
        place = truth.places.get(lead.trial_id)
        if place is None:
            break
        leads.append(Lead(lead.at, lead.trial_id, lead.code, 100 * place.regret))
    positive = [lead.value for lead in leads if lead.value > 0]
    resolution = 100 * truth.resolution if math.isfinite(truth.resolution) else None
    told = f"; it is {leads[-1].value:.1f} points now" if leads else ""
    return BestInfo(
        "How far is it really from the best there is?",
        Axis("evaluations"),
        Axis("regret (test, points)", "lower"),
        tuple(leads),
        len(run.order),
        f"By the answer key of {truth.dataset}: mean test accuracy of several seeds after {truth.epochs} epochs. The "
        f"best of the space reaches {100 * truth.best:.1f} %, in part by luck, so the regret is rather smaller.",
        f"True regret of the best so far after each of {len(run.order)} evaluations{told}.",
        log=True,
        floor=min([LEAST_POINTS, *(value / 2 for value in positive)]),
        level=resolution,
        level_words="" if resolution is None else f"below {resolution:.1f}: may be luck",
    )


def _leads(run: Searched) -> tuple[Lead, ...]:
    """Every change of the leader; the first of equal ones stays. A longer training leads every shorter one, whose
    result does not compare with it.
    """
    known, leads = run.by_number, list[Lead]()
    leading = (0, 0.0)
    for at, number in enumerate(run.order, start=1):
        one = known[number]
        if one.value is not None and (not leads or (one.budget, one.value) > leading):
            leading = one.budget, one.value
            leads.append(Lead(at, number, one.code, one.value))
    return tuple(leads)


# -- drawing ----------------------------------------------------------------------------------------


def best_svg(info: BestInfo) -> str:
    """A step line with a dot at every improvement."""
    keys = [frame.Key("best so far", BEST, "line")]
    keys += [frame.Key(info.level_words, GREY, "dashed")] if info.level else []
    rows = frame.foot(keys, HALF, info.x)
    plane = frame.Plane(
        (1, max(info.evaluations, 5)), _range(info), (46, 30, HALF - 12, HEIGHT - frame.foot_height(rows))
    )
    line = [(float(at), _height(info, value)) for at, value in info.line]
    dots = [plane.at(lead.at, _height(info, lead.value)) for lead in info.leads]
    if info.log:
        up = [(math.log10(value), words) for value, words in regret_ticks(info)]
        body = grid(plane, info.x, info.y, whole_ticks(*plane.x), up)
    else:
        body = frame.axes(plane, info.x, info.y, whole_x=True)
    if info.level:
        level = _height(info, info.level)
        body += frame.stroke(frame.line(plane, [(plane.x[0], level), (plane.x[1], level)]), GREY, 1.6, "5 3")
    body += frame.stroke(frame.line(plane, line, steps=True), BEST, 2.6) + frame.marks("dot", dots, BEST, 3.6)
    return frame.svg(info.alt, HALF, HEIGHT, body + frame.foot_svg(rows, plane))


def _height(info: BestInfo, value: float) -> float:
    return math.log10(max(info.floor, value)) if info.log else value


def _range(info: BestInfo) -> tuple[float, float]:
    heights = [_height(info, lead.value) for lead in info.leads]
    if not info.log:
        low, high = frame.window(heights)
        return max(0.0, low), min(100.0, high)
    top = max([*heights, math.log10(info.floor) + 1, *([_height(info, info.level)] if info.level else [])])
    return math.log10(info.floor), top + 0.08


def regret_ticks(info: BestInfo) -> list[tuple[float, str]]:
    """(points, words) on the axis of regret; its bottom is called 0."""
    low, high = _range(info)
    found = [(value, f"{value:g}") for value in frame.log_ticks(low, high) if value > 1.5 * info.floor]
    return [(info.floor, "0"), *found]


def best_figure(info: BestInfo) -> Figure:
    """The same, with the leader's code on hover."""
    from plotly.graph_objects import Figure, Scatter

    unit = "points" if info.log else "%"
    figure = Figure()
    if info.level:
        figure.add_hline(info.level, line={"color": GREY, "width": 1.6, "dash": "dash"})
        figure.add_annotation(
            x=1, xref="paper", xanchor="right", y=math.log10(info.level),
            yanchor="top" if info.leads and info.leads[-1].value >= info.level else "bottom",
            text=info.level_words, showarrow=False, font={"color": GREY, "size": 11},
        )  # fmt: skip
    ends = [*info.leads, *info.leads[-1:]]
    figure.add_trace(
        Scatter(
            x=[at for at, _ in info.line],
            y=[max(info.floor, value) if info.log else value for _, value in info.line],
            text=[f"{lead.code} (trial {lead.trial_id}): {lead.value:.1f} {unit}" for lead in ends],
            mode="lines+markers",
            line={"color": BEST, "width": 3, "shape": "hv"},
            marker={"size": [8] * len(info.leads) + [0] * bool(info.leads), "color": BEST},
            hovertemplate="%{text}<br>after %{x:,} evaluations<extra></extra>",
            showlegend=False,
        )
    )
    dress(figure, info.x, info.y)
    if not info.log:
        return figure
    low, high = _range(info)
    ticks = regret_ticks(info)
    return figure.update_yaxes(
        type="log",
        range=[low - 0.04, high],
        tickvals=[value for value, _ in ticks],
        ticktext=[words for _, words in ticks],
    )
