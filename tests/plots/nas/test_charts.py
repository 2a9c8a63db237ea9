"""What each chart of a search states, against numbers worked out by hand; and that both drawings of it hold."""

from __future__ import annotations

import base64
import math
import struct
import xml.etree.ElementTree as ElementTree
import zlib
from typing import Any

import numpy as np
import pytest

from explorer.plots.leaderboard import space_of
from explorer.plots.nas.best import best_figure, best_so_far, best_svg, regret_ticks, true_regret
from explorer.plots.nas.cell_map import limits, map_figure, map_of, map_svg, picture
from explorer.plots.nas.distance import distance_figure, distance_svg, distances
from explorer.plots.nas.family import family, family_figure, family_svg
from explorer.plots.nas.order import bounds, in_order, order_figure, order_svg
from explorer.plots.nas.pareto import MACS, trade, trade_figure, trade_svg
from explorer.plots.nas.truth import Place, Truth
from explorer.space import SearchSpace, preset
from explorer.space.restrict import Restriction, restrict
from tests.plots.nas.runs import EVOLUTION, HALVING, One, run_of, spec_of, told

CELL = preset("cell")


def truth(regrets: dict[int, float], resolution: float = 0.02) -> Truth:
    """What a key might say of these trials (shares of 1)."""
    places = {number: Place(0.7 - lacks, lacks, 5, 1, 9, 15_625) for number, lacks in regrets.items()}
    field = np.full(CELL.size, np.nan)
    field[:1000] = np.linspace(0.1, 0.7, 1000)
    return Truth("noisy-digits", places, 0.7, resolution, 20, field)


def well_formed(text: str) -> ElementTree.Element:
    root = ElementTree.fromstring(text)
    assert root.get("role") == "img" and root.get("aria-label")
    return root


# -- best so far ----------------------------------------------------------------------------------


def test_the_best_so_far_changes_hands_only_for_a_better_one() -> None:
    info = best_so_far(run_of(told(spec_of(), *EVOLUTION))[0])
    assert [(lead.at, lead.trial_id, round(lead.value)) for lead in info.leads] == [
        (1, 0, 50),
        (2, 1, 60),
        (5, 4, 70),
    ]
    assert info.line[-1] == (6, pytest.approx(70))
    assert info.y.better == "higher" and "one seed" in info.basis


def test_a_longer_training_leads_every_shorter_one() -> None:
    worse = One("222222", 0.25, (2,), 1, 4, 1)
    run, _ = run_of(told(spec_of("successive_halving"), *HALVING[:3], worse))
    assert [lead.trial_id for lead in best_so_far(run).leads] == [0, 1, 3] and run.best == 3


def test_regret_follows_the_leader_and_may_grow() -> None:
    run, _ = run_of(told(spec_of(), *EVOLUTION))
    info = true_regret(run, truth({0: 0.10, 1: 0.02, 4: 0.05}))
    assert [round(lead.value, 6) for lead in info.leads] == [10, 2, 5]
    assert info.level == pytest.approx(2) and info.y.better == "lower"


def test_regret_ends_at_a_leader_that_the_key_does_not_hold() -> None:
    run, _ = run_of(told(spec_of(), *EVOLUTION))
    assert [lead.trial_id for lead in true_regret(run, truth({0: 0.1, 4: 0.05})).leads] == [0]


def test_no_regret_stands_at_the_bottom_of_the_log_axis() -> None:
    run, _ = run_of(told(spec_of(), *EVOLUTION))
    info = true_regret(run, truth({0: 0.10, 1: 0.0004, 4: 0.0}))
    figure = best_figure(info)
    assert min(figure.data[-1].y) == info.floor == pytest.approx(0.02)
    assert regret_ticks(info)[0] == (info.floor, "0")
    assert figure.layout.yaxis.type == "log" and figure.layout.yaxis.range[0] < math.log10(info.floor)


def test_an_unknown_resolution_draws_no_line() -> None:
    run, _ = run_of(told(spec_of(), *EVOLUTION))
    info = true_regret(run, truth({0: 0.1}, resolution=float("nan")))
    assert info.level is None and "luck" not in best_svg(info)


# -- order and descent ----------------------------------------------------------------------------


@pytest.mark.parametrize("last", [0, 1, 4, 5, 6, 13, 400])
def test_bands_of_colours_hold_every_generation_once(last: int) -> None:
    found = bounds(last)
    assert [one for first, end, _ in found for one in range(first, end + 1)] == list(range(last + 1))
    assert len({color for _, _, color in found}) == len(found) <= 6


def test_the_best_is_ringed_and_failures_are_counted() -> None:
    run, _ = run_of(told(spec_of(), *EVOLUTION, One("444444", None)))
    info = in_order(run)
    assert info.best is not None and info.best.trial_id == 4 and info.failed == (6,)
    assert sum(len(band.trials) for band in info.bands) == 6
    names = [trace.name for trace in order_figure(info).data]
    assert names == ["0", "1", "2", "failed", "best"]


def test_shortened_trainings_are_hollow() -> None:
    run, _ = run_of(told(spec_of("successive_halving"), *HALVING))
    symbols = [symbol for trace in order_figure(in_order(run)).data[:2] for symbol in trace.marker.symbol]
    assert symbols == ["circle-open", "circle-open", "circle-open", "circle"]


def test_the_family_tree_joins_parents_and_children_and_says_what_the_line_made() -> None:
    info = family(run_of(told(spec_of(), *EVOLUTION))[0])
    assert info.bonds == ((1, 3), (1, 4), (4, 5)) and info.line == (4, 1)
    assert "trial 1 at 60.0 %" in info.answer and "+10.0 points" in info.answer


def test_a_line_that_began_with_a_short_training_claims_no_gain() -> None:
    info = family(run_of(told(spec_of("successive_halving"), *HALVING))[0])
    assert info.line == (3, 1) and "points" not in info.answer


def test_a_large_family_keeps_the_newest_and_the_line_of_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.plots.nas.family.MOST_DRAWN", 2)
    info = family(run_of(told(spec_of(), *EVOLUTION))[0])
    assert [one.trial_id for one in info.members] == [1, 4, 5] and info.left_out == 3


# -- costs ----------------------------------------------------------------------------------------


def test_the_front_leaves_out_short_trainings_once_there_are_whole_ones() -> None:
    state = told(spec_of("successive_halving"), *HALVING)
    assert [dot.trial_id for dot in trade(state, run_of(state)[1]).dots] == [3]
    begun = told(spec_of("successive_halving"), *HALVING[:3], end=None)
    assert len(trade(begun, run_of(begun)[1]).dots) == 3


def test_the_cost_may_be_work_and_both_drawings_name_it() -> None:
    state = told(spec_of(), *EVOLUTION)
    rows = run_of(state)[1]
    info = trade(state, rows, MACS)
    assert {dot.parameters for dot in info.dots} == {row.macs for row in rows}
    assert f"{MACS}</title>" in trade_svg(info) and "parameters" not in trade_svg(info)
    assert all(f"{MACS}<" in trace.hovertemplate for trace in trade_figure(info).data)


# -- where it looked ------------------------------------------------------------------------------


def test_a_cells_place_is_its_first_three_edges_across_and_its_last_three_up() -> None:
    state = told(spec_of(), One("123000", 0.5), One("000321", 0.6))
    run, rows = run_of(state)
    info = map_of(run, rows, space_of(state.spec), None)
    assert info is not None and info.field is None
    assert [(spot.x, spot.y) for spot in info.spots] == [(1 + 2 * 5 + 3 * 25, 0), (0, 3 + 2 * 5 + 1 * 25)]
    assert info.best is info.spots[1]


def test_a_restricted_cell_space_lies_where_its_cells_lie() -> None:
    smaller = restrict(CELL, Restriction(edges=tuple(f"edge_{a}_{b}" for a, b in ((0, 1), (1, 2), (2, 3)))))
    spec = spec_of(space=smaller.to_json())
    state = told(spec, One("321", 0.5))
    run, rows = run_of(state)
    info = map_of(run, rows, space_of(spec), None)
    chosen = smaller.from_code("321")
    names = [chosen.get(mutable.label, "none") for mutable in CELL.mutables]
    place = sum(CELL.operations.index(name) * 5**at for at, name in enumerate(names))
    assert info is not None and (info.spots[0].x, info.spots[0].y) == (place % 125, place // 125)


@pytest.mark.parametrize(
    "space", [preset("notes-net"), preset("darts-cell"), None], ids=lambda one: getattr(one, "name", "none")
)
def test_other_spaces_have_no_map(space: SearchSpace | None) -> None:
    run, rows = run_of(told(spec_of(), *EVOLUTION))
    assert map_of(run, rows, space, None) is None


def test_the_tint_is_a_png_whose_first_row_is_the_top_of_the_map() -> None:
    state = told(spec_of(), *EVOLUTION)
    run, rows = run_of(state)
    info = map_of(run, rows, space_of(state.spec), truth({}))
    assert info is not None
    raw = base64.b64decode(picture(info).split(",")[1])
    assert raw[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", raw[16:24]) == (125, 125)
    start = raw.index(b"IDAT") + 4
    length = struct.unpack(">I", raw[start - 8 : start - 4])[0]
    rows_of_it = np.frombuffer(zlib.decompress(raw[start : start + length]), np.uint8).reshape(
        125, 1 + 4 * 125
    )
    alpha = rows_of_it[:, 1:].reshape(125, 125, 4)[..., 3]
    low, high = limits(info.field)
    assert (alpha[0] == 0).all()  # the last cells are unknown here
    assert alpha[-8].max() > 0 and 100 * 0.1 < low < high == pytest.approx(70)
    assert alpha[-8, 124] > alpha[-8, 0]  # cells 875 .. 999 get better from left to right


def test_distances_count_differing_choices_to_the_nearest_before() -> None:
    state = told(spec_of(), *EVOLUTION, One("000000", 0.5))
    info = distances(*run_of(state), space_of(state.spec))
    assert info is not None
    assert [step.choices for step in info.steps] == [6, 6, 1, 1, 1, 0]
    assert (info.tried, info.size) == (6, 15_625)
    assert "7 trials looked at 6 different architectures" in info.answer and "1 choice away" in info.answer


def test_a_training_that_goes_on_looks_at_nothing_new() -> None:
    state = told(spec_of("successive_halving"), *HALVING)
    info = distances(*run_of(state), space_of(state.spec))
    assert info is not None and [step.trial_id for step in info.steps] == [1, 2]


# -- all of them ----------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 2, 6])
def test_every_chart_draws_with_any_number_of_trials(count: int) -> None:
    state = told(spec_of(), *EVOLUTION[:count], end=None)
    run, rows = run_of(state)
    space, known = space_of(state.spec), truth(dict.fromkeys(range(count), 0.05))
    covered, far = map_of(run, rows, space, known), distances(run, rows, space)
    assert covered is not None and far is not None
    drawn: list[tuple[Any, Any, Any]] = [
        (best_so_far(run), best_svg, best_figure),
        (true_regret(run, known), best_svg, best_figure),
        (in_order(run), order_svg, order_figure),
        (family(run), family_svg, family_figure),
        (trade(state, rows), trade_svg, trade_figure),
        (covered, map_svg, map_figure),
        (far, distance_svg, distance_figure),
    ]
    for info, svg, figure in drawn:
        assert info.question.endswith("?") and info.alt
        well_formed(svg(info))
        assert figure(info).to_json()


def test_a_search_of_thousands_stays_a_small_picture() -> None:
    codes = [CELL.code(CELL.architecture_at(at)) for at in range(0, 15_000, 6)]
    trials = [One(code, 0.5 + 0.0001 * at, (at // 2,) if at > 30 else ()) for at, code in enumerate(codes)]
    run, rows = run_of(told(spec_of(trials=2500, epochs=1), *trials))
    sizes = [len(order_svg(in_order(run))), len(family_svg(family(run)))]
    covered = map_of(run, rows, CELL, truth({}))
    assert covered is not None
    assert max(*sizes, len(map_svg(covered))) < 200_000
