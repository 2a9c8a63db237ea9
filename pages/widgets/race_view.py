"""A race on screen: the answer in one sentence, then lines, verdicts, ranks and the table."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

import streamlit as st

from explorer.catalogue import STRATEGIES
from explorer.plots.nas.race import (
    lines,
    lines_figure,
    ranks,
    ranks_figure,
    strips,
    strips_figure,
)
from explorer.plots.nas.race_story import (
    SECONDS,
    TRAININGS,
    Point,
    Race,
    Standing,
    amount,
    answer,
    beside,
    race_of,
    standings,
)
from explorer.plots.progress import duration
from explorer.runs.race_checks import seconds_of
from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState
from explorer.tables.writing import csv_text
from pages.widgets import examples, race_points, run_actions
from pages.widgets.drawing import table
from pages.widgets.words import term

ACCURACY, REGRET = "accuracy", "regret"
NOTHING = "–"
_QUIET = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}
_HEAD = (
    ("Strategy", "strategy"),
    ("Repeats", "repeat"),
    ("Median", "answer key"),
    ("Mean (95 % interval)", "confidence interval"),
    ("Rank", "true rank"),
    ("Against random", "confidence interval"),
    ("So it is", "random search"),
)


def show(state: RunState) -> None:
    """Everything below the title; the table alone while the race is on."""
    race = race_of(state)
    _head(state, race)
    if not race.racers:
        return
    points: tuple[Point, ...] = ()
    if state.is_over:
        points = race_points.points_beside(state, race)
        st.markdown("**Is any of these better than random search here?**", help=term("random search"))
        st.markdown(answer(race))
        _charts(state, race, points)
    _table(race, points)


def about_settings(spec: RunSpec) -> str:
    """What a race was asked for."""
    names = spec.method.get("strategies", [])
    own = spec.settings.get("strategies", {})
    changed = "".join(
        f"; {STRATEGIES[name].label if name in STRATEGIES else name}: "
        + ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in values.items())
        for name, values in own.items()
    )
    repeats = spec.settings.get("race", {}).get("repeats")
    many = "" if repeats is None else f"up to {repeats:,} repeats each, "
    seconds = seconds_of(spec)
    budget = f"{spec.trials:,} trainings" if seconds is None else f"{seconds:,g} simulated seconds"
    return f"{len(names)} strategies, {budget} a search, {many}seed {spec.seed}{changed}."


def _head(state: RunState, race: Race) -> None:
    """Progress while it lives, the ending in one sentence afterwards."""
    done, wanted = len(race.racers), len(state.spec.method.get("strategies", []))
    if state.status == "queued":
        st.progress(0.0, "Waiting for a worker. The first start after a while takes a few seconds.")
    elif not state.is_over:
        st.progress(min(1.0, done / max(1, wanted)), f"{done} of {wanted} strategies have raced")
    elif state.status == "finished":
        searches = sum(racer.repeats for racer in race.racers)
        st.caption(f"{searches:,} searches in {duration(state.cost_seconds)}.")
    else:
        ending = {"failed": st.error, "cancelled": st.info, "lost": st.warning}[state.status]
        kept = f" {done} of {wanted} strategies had raced." if done else ""
        ending(f"{state.reason or 'It ended.'}{kept} Resume races all of them again.")
    for sentence in dict.fromkeys(state.warnings[-3:]):
        st.caption(f":material/warning: {sentence}")


# -- charts -----------------------------------------------------------------------------------------------------------


def _charts(state: RunState, race: Race, points: tuple[Point, ...]) -> None:
    with st.container(horizontal=True):
        measure = _switch("Measure", [ACCURACY, REGRET], state)
        units = [unit for unit in (TRAININGS, SECONDS) if any(unit in racer.bands for racer in race.racers)]
        unit = _switch("Spent", sorted(units, key=lambda one: one != race.unit), state)
    found = lines(race, unit, measure == REGRET, points)
    _chart(found, lines_figure(found), "lines", REGRET if measure == REGRET else "answer key")
    if unit == SECONDS:
        ends = "" if race.unit == SECONDS else "Each line ends at its median total. "
        st.caption(f"{ends}{term('simulated seconds')}")
    if points:
        st.markdown("**And one-shot searches?**", help=term("one-shot point"))
        st.markdown(beside(race, points))
        st.caption(race_points.BASIS)
    left, right = st.columns(2, gap="large")
    with left:
        verdicts = strips(race)
        if verdicts.duels:
            _chart(verdicts, strips_figure(verdicts), "strips", "confidence interval")
        else:
            st.markdown(f"**{verdicts.question}**", help=term("confidence interval"))
            st.caption("It takes random search, another strategy, and at least 2 repeats of both.")
    with right:
        ended = ranks(race)
        _chart(ended, ranks_figure(ended), "ranks", "true rank")


def _switch(label: str, options: list[str], state: RunState) -> str:
    chosen = st.segmented_control(
        label,
        options,
        default=options[0],
        format_func=str.capitalize,
        key=f"race/{label.lower()}/{state.run_id}",
        label_visibility="collapsed",
        required=True,
    )
    return str(chosen)


def _chart(info: Any, figure: Any, key: str, word: str) -> None:
    st.markdown(f"**{info.question}**", help=term(word))
    st.plotly_chart(figure, key=f"race/{key}", alt=info.alt, config=_QUIET)
    st.caption(info.basis)


# -- the table --------------------------------------------------------------------------------------------------------


def _table(race: Race, points: tuple[Point, ...]) -> None:
    st.markdown("**How did they end?**", help=term("race"))
    table(
        [(title, term(word)) for title, word in _HEAD],
        [*(_cells(row) for row in standings(race)), *(_point_cells(point) for point in points)],
        range(1, len(_HEAD) - 1),
    )
    st.caption("Median and rank are medians over the repeats: half of the searches end there or better.")


def _cells(row: Standing) -> list[str]:
    duel = row.duel
    return [
        row.label,
        f"{row.repeats:,}",
        f"{row.median:.1f} %",
        _mean(row.mean, row.interval),
        f"{row.rank:,.0f}",
        NOTHING if duel is None else duel.told.replace(" points", ""),
        NOTHING if duel is None else duel.verdict[-1],
    ]


def _point_cells(point: Point) -> list[str]:
    named = f"{point.words} ({amount(point.spent[TRAININGS])} trainings)"
    middle = f"{median(point.reached):.1f} %"
    mean = _mean(point.accuracy, point.interval)
    return [named, f"{point.runs:,}", middle, mean, NOTHING, NOTHING, NOTHING]


def _mean(mean: float, interval: tuple[float, float] | None) -> str:
    between = "" if interval is None else f" ({interval[0]:.1f} to {interval[1]:.1f})"
    return f"{mean:.1f} %{between}"


def csv_of(state: RunState, points: Sequence[Point] = ()) -> str:
    """The table with every digit that was told, for spreadsheets."""
    head = (
        "strategy", "repeats", "median_percent", "mean_percent", "mean_low_percent", "mean_high_percent",
        "median_rank", "against_random_points", "against_random_low", "against_random_high", "verdict",
        "trainings", "simulated_seconds", "random_median_at_that_cost_percent",
    )  # fmt: skip
    rows: list[list[Any]] = []
    race = race_of(state)
    for row in standings(race):
        ends = (row.label, row.repeats, row.median, row.mean, *(row.interval or (None, None)), row.rank)
        duel = row.duel
        against: tuple[Any, ...] = (None,) * 4
        if duel is not None:
            against = (duel.difference[-1], duel.low[-1], duel.high[-1], duel.verdict[-1])
        rows.append([*ends, *against, *_budget_cells(state.spec), None])
    for point in points:
        between = point.interval or (None, None)
        ends = (point.words, point.runs, median(point.reached), point.accuracy, *between, None)
        rows.append([*ends, *(None,) * 4, point.spent[TRAININGS], point.spent[SECONDS], point.random])
    return csv_text(
        head, [[round(cell, 3) if isinstance(cell, float) else cell for cell in row] for row in rows]
    )


def _budget_cells(spec: RunSpec) -> tuple[float | None, float | None]:
    """What each search may spend: trainings, or simulated seconds where these end it."""
    seconds = seconds_of(spec)
    return (spec.trials, None) if seconds is None else (None, seconds)


def downloads(state: RunState) -> None:
    """The table as CSV, the whole race as a file."""
    race = race_of(state)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Table as CSV",
            lambda: csv_of(state, race_points.points_beside(state, race)),
            f"{state.run_id}.csv",
            "text/csv",
            on_click="ignore",
            icon=":material/download:",
            disabled=not race.racers,
        )
        if not examples.is_example(state.run_id):
            st.download_button(
                "Recorded run",
                lambda: run_actions.recorded(state.run_id),
                f"{state.run_id}.jsonl.gz",
                "application/gzip",
                on_click="ignore",
                icon=":material/download:",
                help=term("recorded run"),
            )
