"""All trials in order, coloured by generation: whether a strategy gets better at proposing, or only tries more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.plots.charts import Axis
from explorer.plots.nas.grid import HALF
from explorer.plots.nas.tried import Searched, Tried
from explorer.plots.tuning import frame
from explorer.plots.tuning.figure import dress
from explorer.plots.tuning.statuses import RAMP, ramp_color

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

HEIGHT = 290.0
MOST_MARKS = 900  # in the SVG
LEADER = "#c4620a"


@dataclass(frozen=True)
class Band:
    """Generations `first` to `last` share a colour."""

    first: int
    last: int
    color: str
    trials: tuple[Tried, ...]


@dataclass(frozen=True)
class OrderInfo:
    """`bands` from the first generation to the last, one alone where a strategy has none; `failed` holds numbers."""

    question: str
    x: Axis
    y: Axis
    bands: tuple[Band, ...]
    best: Tried | None
    failed: tuple[int, ...]
    counts: str
    basis: str
    alt: str

    @property
    def trials(self) -> tuple[Tried, ...]:
        """All that have a value."""
        return tuple(trial for band in self.bands for trial in band.trials)


def in_order(run: Searched) -> OrderInfo:
    """Trials by number; shortened trainings are hollow."""
    valued = [trial for trial in run.trials if trial.value is not None]
    last = max((trial.generation for trial in valued), default=0)
    bands = tuple(
        Band(first, end, color, tuple(trial for trial in valued if first <= trial.generation <= end))
        for first, end, color in bounds(last)
    )
    best = run.by_number.get(run.best) if run.best is not None else None
    leader = f"; the best is trial {best.trial_id} with {best.value:.1f} %" if best and best.value else ""
    return OrderInfo(
        "Do its proposals get better?",
        Axis("trial"),
        Axis("validation accuracy (%)", "higher"),
        tuple(band for band in bands if band.trials),
        best,
        tuple(trial.trial_id for trial in run.trials if trial.status == "failed"),
        run.counts,
        run.basis,
        f"Validation accuracy of {len(valued)} trials in order, generations 0 to {last}{leader}.",
    )


def bounds(last: int) -> list[tuple[int, int, str]]:
    """Generations 0 to `last` in at most as many bands as there are colours: (first, last, colour)."""
    count = min(len(RAMP), last + 1)
    cuts = [round(at * (last + 1) / count) for at in range(count + 1)]
    shares = [at / max(1, count - 1) for at in range(count)]
    return [(cuts[at], cuts[at + 1] - 1, ramp_color(shares[at] if count > 1 else 0.6)) for at in range(count)]


def words(band: Band, info: OrderInfo) -> str:
    """What a band is called in the key."""
    if len(info.bands) == 1 and band.last == 0:
        return "trial"
    return f"{band.first}" if band.first == band.last else f"{band.first}-{band.last}"


def order_svg(info: OrderInfo) -> str:
    """A dot a trial, the best ringed; what failed stands at the bottom."""
    shown = info.trials
    names = [words(band, info) for band in info.bands]
    if len(names) > 1:
        names[0] = f"{info.counts} {names[0]}"
    keys = [frame.Key(name, band.color, "dot") for name, band in zip(names, info.bands, strict=True)]
    keys += [frame.Key("best", LEADER, "ring")] if info.best else []
    keys += [frame.Key("failed", FAILED, "triangle")] if info.failed else []
    rows = frame.foot(keys, HALF, info.x)
    numbers = [*(trial.trial_id for trial in shown), *info.failed]
    plane = frame.Plane(
        (-0.5, max([*numbers, 4]) + 0.5), _window(info), (46, 30, HALF - 12, HEIGHT - frame.foot_height(rows))
    )
    radius = 3.4 if len(shown) <= 120 else 2.2
    body = frame.axes(plane, info.x, info.y, whole_x=True)
    for band in info.bands:
        share = max(1, round(MOST_MARKS * len(band.trials) / max(1, len(shown))))
        kept = [band.trials[at] for at in frame.spread(range(len(band.trials)), share)]
        for whole in (True, False):
            places = [
                plane.at(one.trial_id, one.value)
                for one in kept
                if one.whole is whole and one.value is not None
            ]
            body += frame.marks("dot" if whole else "ring", places, band.color, radius, 0.9)
    body += frame.marks("triangle", [plane.at(one, plane.y[0]) for one in info.failed], FAILED, 3.4)
    if info.best is not None and info.best.value is not None:
        body += frame.marks("ring", [plane.at(info.best.trial_id, info.best.value)], LEADER, 7)
    return frame.svg(info.alt, HALF, HEIGHT, body + frame.foot_svg(rows, plane))


FAILED = "#e5484d"


def _window(info: OrderInfo) -> tuple[float, float]:
    low, high = frame.window([trial.value for trial in info.trials if trial.value is not None])
    return (max(0.0, low), min(101.0, high)) if info.trials else (0.0, 100.0)


def order_figure(info: OrderInfo) -> Figure:
    """The same, with codes on hover."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    for band in info.bands:
        figure.add_trace(
            Scatter(
                x=[one.trial_id for one in band.trials],
                y=[one.value for one in band.trials],
                text=[hover(one, info.counts) for one in band.trials],
                mode="markers",
                name=words(band, info),
                marker={
                    "color": band.color,
                    "size": 8 if len(info.trials) <= 300 else 5,
                    "symbol": ["circle" if one.whole else "circle-open" for one in band.trials],
                    "line": {"width": 1.4, "color": band.color},
                },
                hovertemplate="%{text}<extra></extra>",
            )
        )
    if info.failed:
        low = _window(info)[0]
        figure.add_trace(
            Scatter(
                x=list(info.failed),
                y=[low] * len(info.failed),
                mode="markers",
                name="failed",
                marker={"color": FAILED, "symbol": "triangle-down", "size": 9},
                hovertemplate="trial %{x} failed<extra></extra>",
            )
        )
    if info.best is not None:
        figure.add_trace(
            Scatter(
                x=[info.best.trial_id],
                y=[info.best.value],
                mode="markers",
                name="best",
                marker={"symbol": "circle-open", "size": 15, "color": LEADER, "line": {"width": 2.5}},
                hoverinfo="skip",
            )
        )
    dress(figure, info.x, info.y)
    if len(info.bands) > 1:
        figure.update_layout(legend={"title": {"text": info.counts}, "entrywidth": 40})
    return figure.update_yaxes(range=list(_window(info)))


def hover(trial: Tried, counts: str) -> str:
    """What is told of a trial under the pointer."""
    told = f"trial {trial.trial_id}: {trial.code}<br>{trial.value or 0:.1f} %, {counts} {trial.generation}"
    made = f"<br>from trial {', '.join(map(str, trial.parents))}" if trial.parents else ""
    return told + made + ("" if trial.whole else f"<br>{trial.epochs} epochs only")
