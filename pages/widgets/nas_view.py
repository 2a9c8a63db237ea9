"""A search of architectures on screen: how good, which from which, where; drawn as SVG while it lives, to hover after.

What a run's charts need is made once for all who watch it.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from explorer.export import key_says
from explorer.key import Key
from explorer.plots.charts import learning_curves
from explorer.plots.figures import curves_figure
from explorer.plots.leaderboard import Row, leaderboard, space_of
from explorer.plots.nas.best import best_figure, best_so_far, best_svg, true_regret
from explorer.plots.nas.cell_map import MapInfo, map_figure, map_of, map_svg
from explorer.plots.nas.distance import distance_figure, distance_svg, distances
from explorer.plots.nas.family import family, family_figure, family_svg
from explorer.plots.nas.order import in_order, order_figure, order_svg
from explorer.plots.nas.pareto import MACS, PARAMETERS, trade, trade_figure, trade_svg
from explorer.plots.nas.tried import Searched, searched
from explorer.plots.nas.truth import Truth
from explorer.plots.sketch import curves_svg
from explorer.runs.state import RunState
from explorer.space import SearchSpace
from pages.widgets import nas_board, run_view
from pages.widgets.drawing import picture
from pages.widgets.words import term

MOST_KEPT = 24
MOST_CURVES = 150
LIVE_SECONDS = 0.9  # a live run's may be so old
_QUIET = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}
_KEPT: OrderedDict[tuple[str, bool], tuple[float, int, Key | None, Any]] = OrderedDict()
_LOCK = threading.Lock()


@dataclass(frozen=True)
class Seen:
    """What the charts of a run are made from."""

    state: RunState
    space: SearchSpace | None
    rows: tuple[Row, ...]
    run: Searched
    truth: Truth | None


def seen(state: RunState) -> Seen:
    """Made once for each state and answer key, and while the run lives at most about once a second."""
    name, now = (state.run_id, state.is_over), time.monotonic()
    key, _ = key_says.key_of(state.spec.space, state.spec.dataset)
    with _LOCK:
        made, seq, by, known = _KEPT.get(name, (0.0, -1, None, None))
        is_new = seq == state.last_seq or (not state.is_over and now - made < LIVE_SECONDS)
        if known is not None and by is key and is_new:
            return known
    space = space_of(state.spec)
    truth = key_says.truth_of(state)
    rows = leaderboard(state, space, truth)
    found = Seen(state, space, rows, searched(state, rows), truth)
    with _LOCK:
        _KEPT[name] = now, state.last_seq, key, found
        while len(_KEPT) > MOST_KEPT:
            _KEPT.popitem(last=False)
    return found


def show(state: RunState, live: bool) -> None:
    """Everything below the title."""
    run_view.head(state)
    now = seen(state)
    told = key_says.standing(now.state, now.truth)
    if told:
        st.markdown(told, help=term("answer key"))
    if not now.run.trials:
        return
    _charts(now, live)
    nas_board.show(now.state, now.rows, now.run, live)


# -- charts -----------------------------------------------------------------------------------------------------------


def _charts(now: Seen, live: bool) -> None:
    """Two a row; the family tree has a row of its own."""
    places = _Places()
    with places.next():
        best = best_so_far(now.run)
        _title(best.question, "best so far")
        _one(now, bool(best.leads), lambda: best_svg(best), lambda: best_figure(best), "best", best.alt, live)
    if now.truth is not None:
        with places.next():
            regret = true_regret(now.run, now.truth)
            _title(regret.question, "regret")
            _one(
                now,
                bool(regret.leads),
                lambda: best_svg(regret),
                lambda: best_figure(regret),
                "regret",
                regret.alt,
                live,
            )
            st.caption(regret.basis)
    with places.next():
        order = in_order(now.run)
        _title(order.question, "generation")
        _one(
            now,
            bool(order.trials),
            lambda: order_svg(order),
            lambda: order_figure(order),
            "order",
            order.alt,
            live,
        )
    if any(not trial.whole or trial.status in ("early_stopped", "cancelled") for trial in now.run.trials):
        with places.next():
            _curves(now, live)
    with places.next():
        _trade(now, live)
    with places.next():
        covered = map_of(now.run, now.rows, now.space, now.truth)
        if covered is not None:
            _map(now, covered, live)
        else:
            _distances(now, live, "There is no map of this space: it has no two natural directions.")
    if covered is not None:
        with places.next():
            _distances(now, live)
    _family(now, live)
    st.caption(now.run.basis)


class _Places:
    """Half rows, one after the other."""

    def __init__(self) -> None:
        self._free: list[Any] = []

    def next(self) -> Any:
        """The next half."""
        if not self._free:
            self._free = list(st.columns(2, gap="large"))
        return self._free.pop(0)


def _curves(now: Seen, live: bool) -> None:
    """Only where some ended before their last epoch: then how they would have gone on is worth seeing."""
    info = learning_curves(now.state, now.rows, now.truth, MOST_CURVES)
    _title(info.question, "learning curve")
    _one(
        now,
        bool(info.curves),
        lambda: curves_svg(info),
        lambda: curves_figure(info),
        "curves",
        info.alt,
        live,
    )
    st.caption(info.basis)


def _trade(now: Seen, live: bool) -> None:
    cost = st.session_state.get(_cost_key(now), PARAMETERS)
    info = trade(now.state, now.rows, cost)
    _title(info.question, "Pareto front")
    _one(now, bool(info.dots), lambda: trade_svg(info), lambda: trade_figure(info), "pareto", info.alt, live)
    if info.dots:
        st.segmented_control(
            "Cost",
            [PARAMETERS, MACS],
            default=PARAMETERS,
            format_func=str.capitalize,
            key=_cost_key(now),
            label_visibility="collapsed",
            required=True,
        )


def _cost_key(now: Seen) -> str:
    return f"nas/cost/{now.state.run_id}"


def _map(now: Seen, info: MapInfo, live: bool) -> None:
    _title(info.question, "coverage map")
    _one(now, bool(info.spots), lambda: map_svg(info), lambda: map_figure(info), "map", info.alt, live)
    st.caption(info.basis)


def _distances(now: Seen, live: bool, told: str = "") -> None:
    info = distances(now.run, now.rows, now.space)
    if info is None:
        return
    _title(info.question, "coverage")
    _one(
        now,
        bool(info.steps),
        lambda: distance_svg(info),
        lambda: distance_figure(info),
        "distance",
        info.alt,
        live,
    )
    st.caption(f"{info.answer} {told}")


def _family(now: Seen, live: bool) -> None:
    """Only for strategies that make trials from others."""
    if not now.run.has_parents:
        return
    info = family(now.run)
    _title(info.question, "family tree")
    if live:
        picture(family_svg(info), "wide")
    else:
        st.plotly_chart(family_figure(info), key="nas/family", alt=info.alt, config=_QUIET)
    more = f" {info.left_out:,} older trials are not drawn." if info.left_out else ""
    st.caption(f"{info.answer}{more}")


def _title(question: str, word: str) -> None:
    st.markdown(f"**{question}**", help=term(word))


def _one(
    now: Seen, there: bool, svg: Callable[[], str], figure: Callable[[], Any], key: str, alt: str, live: bool
) -> None:
    """A chart, or what stands in its place while there is nothing to draw."""
    if not there:
        over = now.state.is_over
        st.caption(
            "It ended before there was anything to draw." if over else "It begins with the first result."
        )
    elif live:
        picture(svg())
    else:
        st.plotly_chart(figure(), key=f"nas/{key}", alt=alt, config=_QUIET)


def rows_of(state: RunState) -> Sequence[Row]:
    """The leaderboard's rows."""
    return seen(state).rows
