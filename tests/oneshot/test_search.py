"""A search by itself: the same trajectory from any step, numbers that can be drawn, and an end that says why."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch

from explorer.catalogue import METHODS
from explorer.errors import CodecError, SpecError, TrialFailed
from explorer.oneshot.guarding import copied
from explorer.oneshot.search import Search
from explorer.runs.snapshot_schema import snapshot_problem
from explorer.runs.spec import RunSpec
from explorer.space import preset
from tests.oneshot.rig import SMALL, same, spec, tiny_cell, tiny_macro

SPACES = {"cell": tiny_cell, "macro": tiny_macro}


def played(search: Search, states: list[dict[str, Any]] | None = None) -> tuple[list[dict[str, Any]], Any]:
    """Every snapshot from here to the end, and the final weights; the state before each step goes into `states`."""
    told = []
    while not search.is_over:
        if states is not None:
            states.append(copied(search.state()))
        search.advance()
        if search.step % 3 == 0 or search.is_over:
            told.append(search.snapshot())
    return told, {**search.net.state_dict()}


def goes_on_from_everywhere(
    wanted: RunSpec, loading: Any = lambda search, state: search.load(state), every: int = 1
) -> bool:
    """Whether a search taken up at any step ends as the undisturbed one does, bit for bit."""
    states: list[dict[str, Any]] = []
    whole, weights = played(Search(wanted), states)
    for state in states[::every]:
        search = Search(wanted)
        loading(search, copied(state))
        told, ended = played(search)
        if told != whole[-len(told) :] or not same(ended, weights):
            return False
    return True


@pytest.mark.slow
def test_a_search_repeats_by_its_seed_and_another_seed_differs() -> None:
    first, second, other = (played(Search(replace(spec(), seed=seed))) for seed in (1, 1, 2))
    assert first[0] == second[0] and same(first[1], second[1])
    assert not same(first[1], other[1])


def test_a_search_goes_on_from_any_step_bit_for_bit() -> None:
    assert goes_on_from_everywhere(spec(epochs=2, snapshot_every=1), every=3)


@pytest.mark.slow
@pytest.mark.parametrize("part", ["feed", "method", "net", "means"])
def test_a_state_that_lacks_a_part_would_be_noticed(part: str) -> None:
    def forgetful(search: Search, state: Mapping[str, Any]) -> None:
        search.load({**state, part: copied(search.state())[part]})

    assert not goes_on_from_everywhere(spec(epochs=2, snapshot_every=1), forgetful)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("method", METHODS)
def test_every_method_goes_on_from_any_step_bit_for_bit(method: str, space: str) -> None:
    if SPACES[space]().family not in METHODS[method].facts["families"]:
        pytest.skip("does not serve the family")
    assert goes_on_from_everywhere(spec(SPACES[space](), method, epochs=2, **SMALL.get(method, {})), every=2)


@pytest.mark.slow
def test_second_order_and_the_noisy_variants_go_on_bit_for_bit() -> None:
    for method, settings in (("darts", {"order": "second"}), ("gdas", {"gradient": "correct"})):
        assert goes_on_from_everywhere(spec(method=method, epochs=2, **settings))


@pytest.mark.slow
@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("method", METHODS)
def test_what_every_method_shows_can_be_drawn(method: str, space: str) -> None:
    if SPACES[space]().family not in METHODS[method].facts["families"]:
        pytest.skip("does not serve the family")
    search = Search(spec(SPACES[space](), method, epochs=2, **SMALL.get(method, {})))
    told, _ = played(search)
    for snapshot in told:
        assert snapshot_problem(snapshot) is None
        assert set(snapshot["probabilities"]) == {each.label for each in search.decisions}
        assert all(
            math.isclose(sum(row.values()), 1, abs_tol=1e-3) for row in snapshot["probabilities"].values()
        )
        search.space.architecture(snapshot["derived"])
    assert bool(told[-1]["alphas"]) == METHODS[method].facts["alphas"]


def test_a_snapshot_says_what_derivation_would_say_now() -> None:
    search = Search(spec(epochs=1))
    seen = search.snapshot()
    assert seen["step"] == 0 and seen["train_loss"] is None and snapshot_problem(seen) is None
    assert seen["derived"] == search.derived().to_json()
    row = seen["probabilities"]["edge_0_1"]
    assert seen["entropy"]["edge_0_1"] == pytest.approx(math.log(3), abs=1e-3)
    first, second = sorted(row.values(), reverse=True)[:2]
    assert seen["margins"]["edge_0_1"] == pytest.approx(first - second, abs=1e-4)
    assert seen["learning_rate"] == 0.025


@pytest.mark.slow
def test_2000_steps_on_the_largest_usual_space_stay_below_5_megabytes() -> None:
    wanted = replace(spec(), space=preset("darts-cell", nodes=4).to_json(), dataset="noisy-digits")
    search = Search(wanted)
    search.advance()
    snapshots = 2000 // METHODS["darts"].defaults()["snapshot_every"] + 1
    assert len(json.dumps(search.snapshot())) * snapshots < 5e6


def test_means_cover_the_steps_since_the_last_snapshot() -> None:
    search = Search(spec(epochs=2))
    losses = []
    for _ in range(3):
        search.advance()
        losses.append(search.means.settled()["train_loss"][-1])
    assert search.snapshot()["train_loss"] == pytest.approx(sum(losses) / 3, rel=1e-4)
    search.advance()
    last = search.means.settled()["train_loss"]
    assert len(last) == 1 and search.snapshot()["train_loss"] == pytest.approx(last[0], rel=1e-4)


def test_a_loss_that_is_no_number_ends_the_search_with_step_and_cause() -> None:
    search = Search(spec(weight_learning_rate=10.0, gradient_clip=0.0, epochs=50))
    search.advance()
    with torch.no_grad():
        for weight in search.net.parameters():
            weight.fill_(math.nan)
    search.advance()
    search.advance()
    with pytest.raises(
        TrialFailed, match=r"no finite number any more at step 2 \(epoch 1\); the likely cause is"
    ):
        search.snapshot()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"weight_learning_rate": 5.0}, "the likely cause is weight_learning_rate 5; try 0.025"),
        ({"alpha_learning_rate": 9.0}, "the likely cause is alpha_learning_rate 9; try 0.003"),
        ({"gradient_clip": 0.0}, "gradient_clip is 0"),
        ({"weight_learning_rate": 5.0, "gradient_clip": 0.0}, "weight_learning_rate 5 and gradient_clip 0"),
        ({}, "no setting stands out"),
    ],
)
def test_the_cause_named_is_the_setting_furthest_above_its_default(
    settings: dict[str, float], words: str
) -> None:
    from explorer.oneshot.diagnosis import likely_cause

    entry = METHODS["darts"]
    assert words in likely_cause(entry.settings(settings), entry, pixels_ok=True)
    assert "images themselves" in likely_cause(entry.settings(settings), entry, pixels_ok=False)


def test_a_state_of_other_sizes_is_refused_in_one_sentence() -> None:
    larger = replace(tiny_cell(), channels=3)
    state = Search(spec(larger)).state()
    with pytest.raises(CodecError, match="does not fit this search's settings"):
        Search(spec()).load(state)


@pytest.mark.slow
def test_changed_settings_take_effect_and_what_was_learned_stays() -> None:
    search = Search(spec())
    for _ in range(3):
        search.advance()
    before, rows = copied(dict(search.net.state_dict())), copied(search.method.alphas())
    search.change(weight_decay=0.5)
    assert same(before, search.net.state_dict()) and same(rows, search.method.alphas())
    untouched = Search(spec())
    for _ in range(3):
        untouched.advance()
    untouched.advance(), search.advance()
    assert not same(untouched.net.state_dict(), search.net.state_dict())


def test_the_phases_move_what_they_are_called_after() -> None:
    search = Search(spec())
    weights, rows = copied(dict(search.net.named_parameters())), search.method.alphas()
    search.advance("weights")
    assert same(rows, search.method.alphas())
    assert not same(weights, dict(search.net.named_parameters()))
    weights = copied(dict(search.net.named_parameters()))
    search.advance("architecture")
    assert not same(rows, search.method.alphas())
    assert same(weights, dict(search.net.named_parameters()))


def test_a_step_out_of_turn_leaves_the_epoch_where_it_is() -> None:
    search = Search(spec(epochs=1))
    for phase in ("weights", "architecture") * 9:
        search.advance(phase)
    assert (search.step, search.epoch, search.at) == (18, 0, 0) and not search.is_between_epochs
    for _ in search.phases:
        search.advance()
    assert search.is_over and search.step == 18 + 4 and search.is_between_epochs


def test_a_step_of_the_phase_whose_turn_it_is_counts() -> None:
    search = Search(spec(method="enas", epochs=1, **SMALL["enas"]))
    search.advance("weights")
    search.advance("architecture")
    assert (search.step, search.at) == (2, 1)


def test_a_search_with_steps_out_of_turn_goes_on_bit_for_bit() -> None:
    def disturbed(search: Search, number: int) -> None:
        search.advance(("weights", "architecture", None, None)[number % 4])

    search, states, betweens = Search(spec(epochs=1)), [], []
    while not search.is_over:
        states.append(copied(search.state()))
        betweens.append(search.is_between_epochs)
        disturbed(search, len(states) - 1)
    for number in range(0, len(states), 3):
        again = Search(spec(epochs=1))
        again.load(copied(states[number]))
        assert again.is_between_epochs == betweens[number]
        while not again.is_over:
            disturbed(again, number)
            number += 1
        assert number == len(states) and same(again.net.state_dict(), search.net.state_dict())
    again.load({name: value for name, value in states[1].items() if name != "is_aside"})
    assert again.is_between_epochs != betweens[1], "a state that forgot it would be noticed"


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (replace(spec(), method={"method": "pc-darts"}, space=tiny_macro().to_json()), "can search"),
        (spec(warmup_epochs=3), "the alphas would never move"),
        (replace(spec(), method={"method": "spos", "selection": "perturbation"}), "single paths"),
    ],
)
def test_what_cannot_be_searched_is_one_sentence(wanted: RunSpec, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        Search(wanted)
