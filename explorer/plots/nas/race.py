"""A race of strategies as charts: how good they get, who is ahead of random search, and at which rank they end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from explorer.catalogue import STRATEGIES
from explorer.plots.charts import Axis
from explorer.plots.nas.best import LEAST_POINTS
from explorer.plots.nas.race_story import (
    AHEAD,
    BEHIND,
    OPEN,
    RANDOM,
    SECONDS,
    TRAININGS,
    Band,
    Duel,
    Point,
    Race,
)
from explorer.plots.oneshot.panels import BLUE, GREEN, GREY, ORANGE, PURPLE, RED
from explorer.plots.tuning.figure import dress
from explorer.plots.tuning.frame import log_ticks

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_MARK, _SYMBOLS = "#d6468f", ("diamond", "star", "square", "cross", "triangle-up", "pentagon")
_COLORS, _DASHES = (BLUE, ORANGE, GREEN, PURPLE, RED), ("solid", "dash", "dot")


@dataclass(frozen=True)
class Line:
    """One strategy's look and its band; of regret `low` is the better edge."""

    words: str
    color: str
    dash: str
    band: Band


@dataclass(frozen=True)
class Mark:
    """One-shot searches of one kind: mean cost and mean height; `low` and `high` are the outermost runs'."""

    words: str
    symbol: str
    spent: float
    height: float
    low: float
    high: float


@dataclass(frozen=True)
class LinesInfo:
    """Medians with the middle half of the repeats, and one-shot searches as marks; with `log` what is at or below
    `LEAST_POINTS` stands there.
    """

    question: str
    x: Axis
    y: Axis
    lines: tuple[Line, ...]
    log: bool
    basis: str
    alt: str
    marks: tuple[Mark, ...] = ()


_MARKED = " A mark: mean of real one-shot searches, its bar from the worst to the best of them."


def look_of(name: str) -> tuple[str, str]:
    """Colour and dash of a strategy, the same in every race; random search is grey."""
    if name == RANDOM:
        return GREY, "dash"
    at = [one for one in STRATEGIES if one != RANDOM].index(name)
    return _COLORS[at % len(_COLORS)], _DASHES[at // len(_COLORS) % len(_DASHES)]


def lines(race: Race, unit: str = TRAININGS, regret: bool = False, beside: Sequence[Point] = ()) -> LinesInfo:
    """The truth of the best so far by what was spent, or what it lacks to the best cell of the space."""
    found = []
    for racer in race.racers:
        band = racer.bands.get(unit)
        if band is not None:
            found.append(
                Line(racer.label, *look_of(racer.name), _regret(band, racer.best) if regret else band)
            )
    how = "trainings (short ones count by their share)" if unit == TRAININGS else f"{SECONDS} of training"
    ends = ", ".join(f"{line.words} {line.band.middle[-1]:.1f}" for line in found)
    luck = ""
    if regret and race.racers:
        best = race.racers[0].best
        luck = (
            f" The best of the space reaches {best:.1f} %, in part by luck, so the regret is rather smaller."
        )
    y = Axis("regret (test, points)", "lower") if regret else Axis("true accuracy (test, %)", "higher")
    return LinesInfo(
        "How far from the best is the best so far?" if regret else "How good is the best so far, really?",
        Axis(how),
        y,
        tuple(found),
        regret,
        f"Line: median; band: the middle half of the repeats. {race.basis}{luck}{_MARKED if beside else ''}"
        if found
        else "",
        f"Median {y.title} of {len(found)} strategies by {unit}; at the end {ends}.",
        _marks(race, unit, regret, beside),
    )


def _marks(race: Race, unit: str, regret: bool, beside: Sequence[Point]) -> tuple[Mark, ...]:
    best = race.racers[0].best if race.racers else 0.0
    found = []
    for at, point in enumerate(beside):
        rows = (point.accuracy, point.reached[0], point.reached[-1])
        height, low, high = (max(LEAST_POINTS, best - row) for row in rows) if regret else rows
        found.append(
            Mark(
                point.label,
                _SYMBOLS[at % len(_SYMBOLS)],
                point.spent[unit],
                height,
                min(low, high),
                max(low, high),
            )
        )
    return tuple(found)


def _regret(band: Band, best: float) -> Band:
    low, middle, high = (
        tuple(max(LEAST_POINTS, best - value) for value in row) for row in (band.high, band.middle, band.low)
    )
    return Band(band.spent, low, middle, high)


def lines_figure(info: LinesInfo) -> Figure:
    """Medians over bands; what was spent on a log axis, since the first trainings decide most."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    for line in info.lines:
        band = line.band
        figure.add_trace(
            Scatter(
                x=[*band.spent, *reversed(band.spent)],
                y=[*band.high, *reversed(band.low)],
                fill="toself",
                fillcolor=_faint(line.color),
                line={"width": 0},
                hoverinfo="skip",
                legendgroup=line.words,
                showlegend=False,
            )
        )
        figure.add_trace(
            Scatter(
                x=band.spent,
                y=band.middle,
                mode="lines",
                name=line.words,
                legendgroup=line.words,
                line={"color": line.color, "width": 2.6, "dash": line.dash},
                hovertemplate="%{fullData.name}<br>after %{x:,.4~g}: %{y:.2f}<extra></extra>",
            )
        )
    for mark in info.marks:
        figure.add_trace(
            Scatter(
                x=[mark.spent],
                y=[mark.height],
                mode="markers",
                name=mark.words,
                showlegend=True,
                marker={"color": _MARK, "symbol": mark.symbol, "size": 12},
                error_y={
                    "array": [mark.high - mark.height],
                    "arrayminus": [mark.height - mark.low],
                    "color": _MARK,
                    "thickness": 1.2,
                },
                hovertemplate="%{fullData.name}<br>for %{x:,.4~g}: %{y:.2f}<extra></extra>",
            )
        )
    dress(figure, info.x, info.y).update_xaxes(type="log")
    if not info.log or not info.lines:
        return figure
    tops = [max(line.band.high) for line in info.lines] + [mark.high for mark in info.marks]
    low, high = math.log10(LEAST_POINTS), math.log10(max(tops))
    ticks = [value for value in log_ticks(low, high) if value > 1.5 * LEAST_POINTS]
    return figure.update_yaxes(
        type="log",
        range=[low - 0.04, max(high, low + 1) + 0.08],
        tickvals=[LEAST_POINTS, *ticks],
        ticktext=[f"≤ {LEAST_POINTS:g}", *(f"{value:g}" for value in ticks)],
    )


def _faint(color: str) -> str:
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.14)"


@dataclass(frozen=True)
class StripsInfo:
    """A row of verdicts a strategy, against random search, by the unit of the race's budget."""

    question: str
    x: Axis
    duels: tuple[Duel, ...]
    basis: str
    alt: str


_VERDICTS = {AHEAD: (GREEN, "triangle-up"), OPEN: (GREY, "circle-open"), BEHIND: (RED, "triangle-down")}


def strips(race: Race) -> StripsInfo:
    """Who is ahead of random search with 95 % confidence, after how much was spent."""
    duels = tuple(race.duels[racer.name] for racer in race.racers if racer.name in race.duels)
    ends = ", ".join(f"{STRATEGIES[duel.name].label} {duel.verdict[-1]}" for duel in duels)
    return StripsInfo(
        "From when on is it ahead of random search?",
        Axis(race.unit),
        duels,
        "By the 95 % interval of the difference of the means. Each mark is a test of its own: of twenty marks without "
        "any difference one is wrong by luck.",
        f"Verdicts against random search of {len(duels)} strategies; at the end {ends or 'none'}.",
    )


def strips_figure(info: StripsInfo) -> Figure:
    """One mark a point: its shape says the same as its colour."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    for verdict, (color, symbol) in _VERDICTS.items():
        marks = [
            (duel.spent[at], STRATEGIES[duel.name].label, duel.difference[at], duel.low[at], duel.high[at])
            for duel in info.duels
            for at, each in enumerate(duel.verdict)
            if each == verdict
        ]
        if not marks:
            continue
        figure.add_trace(
            Scatter(
                x=[mark[0] for mark in marks],
                y=[mark[1] for mark in marks],
                customdata=[mark[2:] for mark in marks],
                mode="markers",
                name=verdict,
                showlegend=True,
                marker={"color": color, "symbol": symbol, "size": 8},
                hovertemplate="%{y} after %{x:,.4~g}: " + verdict + "<br>%{customdata[0]:+.2f} points "
                "(%{customdata[1]:+.2f} to %{customdata[2]:+.2f})<extra></extra>",
            )
        )
    labels = [STRATEGIES[duel.name].label for duel in info.duels]
    dress(figure, info.x, height=130 + 34 * len(labels)).update_xaxes(type="log")
    return figure.update_yaxes(
        categoryorder="array", categoryarray=labels[::-1], range=[-0.6, len(labels) - 0.4]
    )


@dataclass(frozen=True)
class Ladder:
    """One strategy's share of repeats (percent) that ended at each of these ranks or better."""

    words: str
    color: str
    dash: str
    steps: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class RanksInfo:
    """Where the repeats ended: a ladder a strategy, over the ranks of the whole space."""

    question: str
    x: Axis
    y: Axis
    ladders: tuple[Ladder, ...]
    basis: str
    alt: str


def ranks(race: Race) -> RanksInfo:
    """The distribution of the final true ranks; up and to the left is better."""
    ladders = tuple(
        Ladder(
            racer.label,
            *look_of(racer.name),
            tuple(
                (rank, 100 * sum(one <= rank for one in racer.ranks) / racer.repeats)
                for rank in sorted(set(racer.ranks))
            ),
        )
        for racer in race.racers
    )
    middles = ", ".join(f"{racer.label} {median(racer.ranks):,.0f}" for racer in race.racers)
    return RanksInfo(
        "At which rank does a search end?",
        Axis("true rank at the end", "lower"),
        Axis("repeats that end there or better (%)", "higher"),
        ladders,
        "By mean test accuracy in the answer key; neighbours in rank may differ by luck alone.",
        f"Distribution of final true ranks of {len(ladders)} strategies; medians: {middles}.",
    )


def ranks_figure(info: RanksInfo) -> Figure:
    """Stairs on a log axis, each from its first rank to the last of all."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    end = max((ladder.steps[-1][0] for ladder in info.ladders), default=1.0)
    for ladder in info.ladders:
        steps = [(ladder.steps[0][0], 0.0), *ladder.steps, (end, 100.0)]
        figure.add_trace(
            Scatter(
                x=[rank for rank, _ in steps],
                y=[share for _, share in steps],
                mode="lines",
                name=ladder.words,
                line={"color": ladder.color, "width": 2.6, "dash": ladder.dash, "shape": "hv"},
                hovertemplate="%{fullData.name}<br>rank %{x:,} or better: %{y:.0f} %<extra></extra>",
            )
        )
    dress(figure, info.x, info.y).update_xaxes(type="log")
    return figure.update_yaxes(range=[0, 103])
