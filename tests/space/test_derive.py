"""Derivation from scores: the reference's genotypes, what must hold for any scores, and figures about the result."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from fractions import Fraction
from itertools import combinations, pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.errors import SpaceError, UnknownName
from explorer.space import (
    Architecture,
    DartsSpace,
    Input,
    InputChoice,
    Layer,
    LayerChoice,
    MacroSpace,
    Operation,
    decisions,
    path_of,
    preset,
)
from explorer.space.darts import KINDS, PRIMITIVES, darts_edge_label, inputs_label, operation_label
from explorer.space.derive import (
    SKIP,
    argmax,
    derive,
    entropy,
    genotype,
    genotype_text,
    margin,
    none_share,
    skip_share,
    switch_share,
    top2,
)

Logits = list[list[float]]
DARTS = preset("darts-cell", nodes=4)
assert isinstance(DARTS, DartsSpace)
EDGES = [
    (source, target) for target in DARTS.targets for source in range(target)
]  # 14, in the reference's order
SHORT = dict(zip("none max avg skip sep3 sep5 dil3 dil5".split(), PRIMITIVES, strict=True))
MACRO = MacroSpace(
    "macro",
    Input(1, 8),
    layers=(
        Layer("one", LayerChoice("one", (("a", Operation("relu")), ("pass", Operation("identity"))))),
        *(Layer(f"layer_{at}", Operation("relu")) for at in range(4)),
    ),
    skips=(
        InputChoice("any", ("one", "layer_0"), "layer_2", None, "none"),
        InputChoice("two", ("one", "layer_0", "layer_1"), "layer_3", 2, "none"),
    ),
)


def softmaxed(rows: Logits, dtype: torch.dtype = torch.float32) -> Logits:
    """As a supernet has them: float32, so that the reference's ties are ties here."""
    return torch.softmax(torch.tensor(rows, dtype=dtype), -1).tolist()


def scores(rows: Logits) -> dict[str, list[float]]:
    """The same rows for both kinds of cell."""
    return {
        darts_edge_label(kind, *edge): row for kind in KINDS for edge, row in zip(EDGES, rows, strict=True)
    }


def found(architecture: Architecture, kind: str) -> list[set[tuple[str, int]]]:
    """Per node its (operation, source) pairs, as nas.md's goldens are written."""
    return [
        {
            (architecture[operation_label(kind, target, at)], source)
            for at, source in enumerate(architecture[inputs_label(kind, target)])
        }
        for target in DARTS.targets
    ]


def golden(text: str) -> list[set[tuple[str, int]]]:
    """`dil5@0,max@1 | ...`"""
    nodes = [node.strip().split(",") for node in text.split("|")]
    return [{(SHORT[name], int(at)) for name, at in (pair.split("@") for pair in node)} for node in nodes]


def ramp(none_on: range | tuple[int, ...] = ()) -> Logits:
    """alpha[e, k] = ((7 e + 3 k) mod 11) / 10, and none = 5 on some edges."""
    rows = [[((7 * edge + 3 * at) % 11) / 10 for at in range(8)] for edge in range(14)]
    for edge in none_on:
        rows[edge][0] = 5.0
    return rows


# What quark0/darts' own _parse gives (cnn/model_search.py), executed once.
GOLDENS = {
    "G1": (ramp(), "dil5@0,max@1 | dil3@0,sep5@2 | skip@3,dil3@0 | avg@1,dil5@2"),
    "G2": (ramp(range(14)), "max@1,dil5@0 | sep5@2,dil3@0 | skip@3,sep3@1 | max@3,avg@1"),
    "G3": (ramp((0, 2)), "max@1,dil5@0 | sep5@2,dil5@1 | skip@3,dil3@0 | avg@1,dil5@2"),
    "G4": ([[0.0] * 8 for _ in range(14)], " | ".join(["max@0,max@1"] * 4)),
}


@pytest.mark.parametrize("name", GOLDENS)
@pytest.mark.parametrize("kind", KINDS)
def test_top2_gives_the_genotypes_of_the_authors_code(name: str, kind: str) -> None:
    rows, text = GOLDENS[name]
    assert found(top2(DARTS, scores(softmaxed(rows))), kind) == golden(text)


def test_the_goldens_reject_ranking_by_logits_and_letting_none_win() -> None:
    """Mutants: NNI's ranking (N6) and a maximum that counts none."""
    rows, text = GOLDENS["G3"]
    assert found(top2(DARTS, scores(rows)), "normal") != golden(text)
    with_none = {label: [*row[1:], row[0]] for label, row in scores(softmaxed(rows)).items()}
    assert found(top2(DARTS, with_none), "normal") != golden(text)


numbers = st.floats(-4, 4, width=32)
tables = st.lists(st.lists(numbers, min_size=8, max_size=8), min_size=14, max_size=14)


def brute_force(probabilities: Logits) -> list[set[tuple[str, int]]]:
    """Every pair of edges into a node is tried; the best sum of best operations wins (the first among equals)."""
    nodes = []
    for target in DARTS.targets:
        rows = {source: probabilities[EDGES.index((source, target))] for source in range(target)}
        # As fractions, since sums of floats tie where their terms do not.
        pair = max(combinations(rows, 2), key=lambda pair: sum(Fraction(max(rows[at][1:])) for at in pair))
        nodes.append({(PRIMITIVES[rows[at].index(max(rows[at][1:]), 1)], at) for at in pair})
    return nodes


@given(tables)
@settings(max_examples=20, deadline=None)
def test_never_none_two_distinct_inputs_and_the_best_of_all_pairs(rows: Logits) -> None:
    probabilities = softmaxed(rows, torch.float64)
    architecture = top2(DARTS, scores(probabilities))
    for kind in KINDS:
        nodes = found(architecture, kind)
        assert nodes == brute_force(probabilities)
        assert all(len({source for _, source in node}) == 2 for node in nodes)
        assert all(operation != "none" for node in nodes for operation, _ in node)


def shifted(rows: Logits, shifts: list[float]) -> Logits:
    return [[value + shift for value in row] for row, shift in zip(rows, shifts, strict=True)]


def is_invariant(rule: Callable[[Logits], Architecture], seed: int) -> bool:
    """Whether constants added to each edge's logits leave the architecture alone."""
    rng = random.Random(seed)
    rows = [[rng.gauss(0, 1) for _ in range(8)] for _ in range(14)]
    return rule(rows) == rule(shifted(rows, [rng.gauss(0, 3) for _ in rows]))


def test_a_constant_per_edge_changes_nothing_unless_raw_logits_are_ranked() -> None:
    """The mutant is NNI's export of a cell (N6)."""
    assert all(
        is_invariant(lambda rows: top2(DARTS, scores(softmaxed(rows, torch.float64))), seed)
        for seed in range(12)
    )
    assert sum(is_invariant(lambda rows: top2(DARTS, scores(rows)), seed) for seed in range(12)) < 2


def test_a_space_without_none_derives_from_all_its_operations() -> None:
    small = DartsSpace("small", Input(1, 8), nodes=1, operations=("skip_connect", "sep_conv_3x3"))
    table = {each.label: [0.9, 0.1] for each in decisions(small)}
    assert skip_share(small, top2(small, table)) == 1.0


# -- argmax ------------------------------------------------------------------------------------------------------


def one_hot(architecture: Architecture, space: MacroSpace) -> dict[str, list[float]]:
    path = path_of(space, architecture)
    rows = {}
    for each in decisions(space):
        held = path[each.label]
        chosen = held if isinstance(held, tuple) else (held,)
        rows[each.label] = [float(at in chosen) / len(chosen) for at in range(len(each.candidates))]
    return rows


@pytest.mark.parametrize("name", ["cell", "notes-net", "enas-macro", "darts-cell"])
def test_argmax_reads_an_architecture_off_its_own_rows(name: str) -> None:
    space = preset(name)
    for architecture in space.sample(20, random.Random(0)):
        assert argmax(space, one_hot(architecture, space)) == architecture  # type: ignore[arg-type]


def test_argmax_takes_none_switches_and_the_most_probable_inputs() -> None:
    cell = preset("cell")
    table = {each.label: [0.4, 0.3, 0.1, 0.1, 0.1] for each in decisions(cell)}
    assert set(argmax(cell, table).values()) == {"none"}
    rows = {"one": [0.4, 0.6], "any/0": [0.5, 0.5], "any/1": [0.4, 0.6], "two": [0.4, 0.2, 0.4]}
    assert argmax(MACRO, rows).to_json() == {"one": "pass", "any": [1], "two": [0, 2]}


def test_equal_scores_give_the_first_candidates() -> None:
    rows = {each.label: [1 / len(each.candidates)] * len(each.candidates) for each in decisions(MACRO)}
    assert argmax(MACRO, rows).to_json() == {"one": "a", "any": [], "two": [0, 1]}


def test_top2_is_argmax_where_every_edge_is_kept_and_the_other_way_round() -> None:
    cell, rng = preset("cell"), random.Random(1)
    table = {each.label: [rng.random() for _ in each.candidates] for each in decisions(cell)}
    assert derive(cell, table, "top2") == derive(cell, table, "argmax") == argmax(cell, table)
    rows = scores(softmaxed(ramp()))
    assert derive(DARTS, rows, "argmax") == top2(DARTS, rows)


def test_bad_scores_and_unknown_rules_are_one_sentence_each() -> None:
    with pytest.raises(UnknownName, match="evolution"):
        derive(MACRO, {}, "evolution")
    rows = {"one": [math.nan, 0.0], "any/0": [1.0], "any/1": [0.5, 0.5]}
    with pytest.raises(SpaceError) as caught:
        argmax(MACRO, rows)
    assert len(caught.value.problems) == 3  # no number, too short, missing


# -- figures -----------------------------------------------------------------------------------------------------


def test_entropy_is_in_nats_and_zero_when_decided() -> None:
    assert entropy([0.25] * 4) == pytest.approx(math.log(4), abs=1e-12)
    assert entropy([0.0, 1.0]) == 0.0 and math.copysign(1, entropy([0.0, 1.0])) == 1
    assert entropy([0.5, 0.5]) != pytest.approx(1.0)  # bits would be 1


def test_margin_is_first_minus_second() -> None:
    assert margin([0.1, 0.6, 0.3]) == pytest.approx(0.3)
    assert margin([0.5, 0.5]) == 0 and margin([1.0]) == 1


def test_skip_share_counts_operations_kept_and_switch_share_switches() -> None:
    cell = preset("cell")
    edges = [mutable.label for mutable in cell.mutables]
    names = ["none", "none", "skip_connect", "nor_conv_3x3", "skip_connect", "avg_pool_3x3"]
    architecture = Architecture(dict(zip(edges, names, strict=True)))
    assert skip_share(cell, architecture) == 0.5
    assert skip_share(cell, dict.fromkeys(edges, "none")) == 0
    assert switch_share(cell, architecture) is None
    chosen = Architecture({"one": "pass", "any": (1,), "two": (0, 2)})
    assert skip_share(MACRO, chosen) == 1.0  # one of one operation is an identity; switches are told apart
    assert switch_share(MACRO, chosen) == 0.5


def test_none_share_is_the_mean_probability_of_none_and_no_switch_counts() -> None:
    cell = preset("cell")
    table = {each.label: [at / 10, 1 - at / 10, 0, 0, 0] for at, each in enumerate(decisions(cell))}
    assert none_share(decisions(cell), table) == pytest.approx(0.25)
    assert none_share(decisions(MACRO), {"any/0": [1.0, 0.0]}) == 0


# -- genotypes ---------------------------------------------------------------------------------------------------


def test_a_genotype_names_operation_and_input_in_every_family() -> None:
    architecture = top2(DARTS, scores(softmaxed(ramp())))
    assert genotype(DARTS, architecture)["normal/node_4"] == (
        ("dil_conv_3x3", "node_0"),
        ("skip_connect", "node_3"),
    )
    assert "reduce/node_2 = dil_conv_5x5(node_0) + max_pool_3x3(node_1)" in genotype_text(DARTS, architecture)
    cell = preset("cell")
    assert genotype(cell, cell.default)["node_2"] == (("none", "node_0"), ("none", "node_1"))
    chosen = Architecture({"one": "pass", "any": (1,), "two": (0, 2)})
    assert genotype(MACRO, chosen) == {
        "one": (("pass", "input"),),
        "layer_2": (("relu", "layer_1"), (SKIP, "layer_0")),
        "layer_3": (("relu", "layer_2"), (SKIP, "one"), (SKIP, "layer_1")),
    }
    assert genotype_text(MACRO, chosen).endswith("layer_3 = relu(layer_2) + one + layer_1")


@pytest.mark.parametrize("name", ["cell", "notes-net", "enas-macro", "darts-cell"])
def test_different_architectures_have_different_texts(name: str) -> None:
    space = preset(name)
    texts = sorted(genotype_text(space, each) for each in space.sample(200, random.Random(0)))
    assert all(one != other for one, other in pairwise(texts))


def test_a_chosen_value_is_told_under_its_label() -> None:
    from explorer.space import ValueChoice

    width = Operation("conv2d", {"out_channels": ValueChoice("width", (4, 8))})
    space = MacroSpace("values", Input(1, 8), layers=(Layer("conv", width),))
    assert genotype_text(space, {"width": 8}) == "width = 8"
