"""The recorded one-shot searches that come with the app: whole, drawable, and what their names say.

They are recordings of real runs, so what they came to is fixed; a check that passes on them must fail on the same
recording with another ending.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from explorer.jobs.asking import derived_of
from explorer.plots.leaderboard import space_of
from explorer.plots.oneshot.gap import gap, gap_sentence
from explorer.plots.oneshot.losses import losses
from explorer.plots.oneshot.panels import panels_svg
from explorer.plots.oneshot.policy import policy
from explorer.plots.oneshot.probabilities import probabilities, probabilities_svg
from explorer.plots.oneshot.ranks import ranks
from explorer.plots.oneshot.retrained import retrained, retrained_svg
from explorer.plots.oneshot.uncertainty import uncertainty
from explorer.runs.state import RunState
from explorer.space import decisions
from explorer.space.derive import RULES, derive, skip_share
from pages.widgets import examples

SNAPSHOTS, MOST_BYTES = (100, 320), 300_000
COLLAPSE, RICH, STALE = "darts-collapses-to-skips", "enas-rich-get-richer", "spos-stale-batch-norm"
RETRAINED = "darts-on-cell"


@cache
def recording(name: str) -> RunState:
    return examples.example(f"{examples.PREFIX}{name}")


def oneshot_names() -> list[str]:
    return [name for name in examples.names() if recording(name).spec.kind == "oneshot"]


NAMES = oneshot_names()


def test_every_failure_that_has_a_picture_is_among_them() -> None:
    assert {COLLAPSE, RICH, STALE, RETRAINED, "enas-macro-with-skips", "darts-on-notes-net"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_a_whole_search_of_bearable_size(name: str) -> None:
    state = recording(name)
    assert state.status == "finished" and not state.warnings
    steps = [snapshot["step"] for snapshot in state.snapshots]
    assert steps[0] == 0 and steps == sorted(set(steps))
    assert SNAPSHOTS[0] <= len(steps) <= SNAPSHOTS[1]
    assert state.snapshots[-1]["epoch"] == state.spec.epochs
    assert (examples.FOLDER / f"{name}{examples.ENDING}").stat().st_size <= MOST_BYTES


@pytest.mark.parametrize("name", NAMES)
def test_every_chart_of_an_example_can_be_drawn(name: str) -> None:
    state = recording(name)
    space = space_of(state.spec)
    assert space is not None
    beliefs = probabilities(state.snapshots, space)
    assert probabilities_svg(beliefs).startswith("<svg")
    for info in (losses(state.snapshots), uncertainty(state.snapshots, space), policy(state.snapshots)):
        assert info.is_empty or panels_svg(info).startswith("<svg")
    assert not losses(state.snapshots).is_empty
    mixes = (derived_of(state) or {})["supernet_accuracy"] is not None  # else there is nothing to lose
    assert not gap(state.measurements).is_empty and bool(gap_sentence(state.measurements)) == mixes
    assert policy(state.snapshots).is_empty == (state.spec.method["method"] != "enas")
    found = retrained(state.trials.values(), state.measurements, space)
    assert bool(found.rows) == bool(state.trials)
    assert not state.trials or retrained_svg(found).startswith("<svg")


def follows(state: RunState) -> bool:
    """Whether the architecture derived is the one that its rule reads off the last snapshot."""
    told, space = derived_of(state), space_of(state.spec)
    assert told is not None and space is not None
    seen = state.snapshots[-1]["probabilities"]  # by name: files sort them
    rows = {each.label: [seen[each.label][name] for name in each.candidates] for each in decisions(space)}
    return derive(space, rows, told["rule"]) == space.architecture(told["architecture"])


@pytest.mark.parametrize("name", NAMES)
def test_what_an_example_derived_follows_from_its_last_snapshot(name: str) -> None:
    state = recording(name)
    told, space = derived_of(state), space_of(state.spec)
    assert told is not None and space is not None
    space.architecture(told["architecture"])
    if told["rule"] in RULES:
        assert follows(state)
        assert not follows(
            replace(state, snapshots=state.snapshots[:1])
        )  # an undecided beginning says otherwise


# -- what their names say ------------------------------------------------------------------------------------------


def with_derived(state: RunState, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> RunState:
    """The same recording with another ending."""
    found = tuple(
        {**each, "data": change(each["data"])} if each["name"] == "derived" else each
        for each in state.measurements
    )
    return replace(state, measurements=found)


def has_collapsed(state: RunState) -> bool:
    """At least two thirds of what was derived are skips, and an alarm said so."""
    told, space = derived_of(state), space_of(state.spec)
    assert told is not None and space is not None
    alarmed = any(each["name"] == "alarm" and each["data"]["name"] == "skip" for each in state.measurements)
    return alarmed and skip_share(space, told["architecture"]) >= 2 / 3


def test_darts_collapses_to_skips() -> None:
    state = recording(COLLAPSE)
    assert has_collapsed(state)
    space = space_of(state.spec)
    assert space is not None
    convolutions = {mutable.label: "nor_conv_3x3" for mutable in space.mutables}
    assert not has_collapsed(with_derived(state, lambda told: {**told, "architecture": convolutions}))


def is_settled(snapshot: Mapping[str, Any], tanh_constant: float) -> bool:
    """Whether a candidate is as probable as the tanh constant allows, and at most a quarter of the entropy is left."""
    rows = snapshot["probabilities"]
    at_cap = any(
        max(row.values()) * (1 + (len(row) - 1) * math.exp(-2 * tanh_constant)) >= 0.95
        for row in rows.values()
    )
    most = sum(math.log(len(row)) for row in rows.values())
    return at_cap and snapshot["policy_entropy"] <= 0.25 * most


def test_in_enas_the_rich_get_richer() -> None:
    state = recording(RICH)
    constant = state.spec.settings["method"].get("tanh_constant", 2.5)
    last = state.snapshots[-1]
    assert is_settled(last, constant)
    told = [snapshot for snapshot in state.snapshots if snapshot.get("policy_entropy") is not None]
    assert not is_settled(told[0], constant)


def stale_loss(state: RunState) -> float:
    """What the running statistics cost the derived architecture, beside the images' own, in accuracy."""
    last = [each["data"] for each in state.measurements if each["name"] == "discretization_gap"][-1]
    return last["derived_batch"] - last["derived_running"]


def test_statistics_of_batch_norm_are_stale_in_spos_and_not_in_darts() -> None:
    assert stale_loss(recording(STALE)) > 0.1
    assert abs(stale_loss(recording(RETRAINED))) < 0.1


def test_the_first_example_answers_whether_it_is_better_than_random() -> None:
    state = recording(RETRAINED)
    info = retrained(state.trials.values(), state.measurements, space_of(state.spec))
    seeds = [len(row.values) for row in info.rows]
    assert seeds == [3] * 6 and [row.is_derived for row in info.rows] == [True] + [False] * 5
    assert ranks(state.measurements).dots
