"""Selection by perturbation, on a supernet of known accuracy: the sum of each candidate's weight times its worth."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from explorer.errors import SpecError
from explorer.nets.supernet.mixing import Gate, Mix, Mixture
from explorer.oneshot.selection import perturbation
from explorer.oneshot.selection.context import SelectionContext
from explorer.oneshot.selection.perturbation import alone, select
from explorer.space import (
    Architecture,
    DartsSpace,
    Input,
    InputChoice,
    Layer,
    LayerChoice,
    MacroSpace,
    Operation,
    SearchSpace,
    decisions,
    preset,
)
from explorer.space.darts import darts_edge_label

CELL = preset("cell")
DARTS = preset("darts-cell", nodes=3)
MACRO = MacroSpace(
    "macro",
    Input(1, 8),
    layers=(
        Layer("one", LayerChoice("one", (("a", Operation("relu")), ("b", Operation("identity"))))),
        *(Layer(f"layer_{at}", Operation("relu")) for at in range(4)),
    ),
    skips=(
        InputChoice("any", ("one", "layer_0"), "layer_2", None, "none"),
        InputChoice("two", ("one", "layer_0", "layer_1"), "layer_3", 2, "none"),
    ),
)
Worth = Mapping[str, list[float]]


def weights(mix: Mix, count: int) -> list[float]:
    """What each candidate is multiplied by."""
    if isinstance(mix, Tensor):
        return mix.tolist()
    if isinstance(mix, Gate):
        return [float(mix.weights[at]) if at in mix.indices else 0.0 for at in range(count)]
    held = mix if isinstance(mix, tuple) else (mix,)
    return [float(at in held) for at in range(count)]


@dataclass
class Toy:
    """A supernet as a sum, and all that was asked of it."""

    space: SearchSpace
    worth: Worth
    rows: Mapping[str, Tensor]
    seed: int = 0
    tune_epochs: int = 0
    asked: list[Mixture] = field(default_factory=list)
    tuned: list[tuple[int, dict[str, Mix]]] = field(default_factory=list)

    def score(self, mixture: Mixture) -> float:
        self.asked.append(mixture)
        return sum(
            worth * weight
            for label, row in self.worth.items()
            for worth, weight in zip(row, weights(mixture[label], len(row)), strict=True)
        )

    def mixture(self) -> Mapping[str, Tensor] | None:
        return self.rows or None

    def context(self) -> SelectionContext:
        return cast(SelectionContext, _Context(self))


class _Context:
    def __init__(self, toy: Toy) -> None:
        self.space, self.method, self.mixture_score = toy.space, toy, toy.score
        self.net = type("Net", (), {"decisions": decisions(toy.space)})
        self.rng, self.settings = random.Random(toy.seed), {"tune_epochs": toy.tune_epochs}
        self.tune = lambda epochs, settled: toy.tuned.append((epochs, dict(settled)))


def toy(space: SearchSpace, worth: Callable[[str, int], float], **more: Any) -> Toy:
    """Uniform rows; candidates that give nothing are worth nothing."""
    made = decisions(space)
    values = {
        each.label: [0.0 if at in each.nones else worth(each.label, at) for at in range(len(each.candidates))]
        for each in made
    }
    rows = {each.label: torch.full((len(each.candidates),), 1 / len(each.candidates)) for each in made}
    return Toy(space, values, rows, **more)


def played(of: Toy) -> tuple[list[dict[str, Any]], Architecture]:
    told = []
    steps = select(of.context())
    while True:
        try:
            told.append(next(steps))
        except StopIteration as end:
            return told, end.value


def worths(seed: int) -> Callable[[str, int], float]:
    return lambda label, at: random.Random(f"{seed}/{label}/{at}").uniform(0.1, 1.0)


@pytest.mark.parametrize("seed", range(3))
def test_every_edge_of_a_cell_goes_to_the_operation_that_is_worth_most(seed: int) -> None:
    net = toy(CELL, worths(seed), seed=seed)
    told, architecture = played(net)
    for label, row in net.worth.items():
        assert architecture[label] == CELL.operations[row.index(max(row))]
    assert (
        told[-1]["evaluated"] == len(net.asked) == 6 * 5
    )  # a base and four operations an edge; none costs nothing
    assert [each["evaluated"] for each in told] == sorted(each["evaluated"] for each in told)


def test_the_worth_decides_and_not_the_alphas() -> None:
    """The mutant that takes the most probable operation falls for skip."""
    net = toy(CELL, lambda _, at: [0.0, 0.1, 0.2, 0.9, 0.3][at])
    net.rows = {label: torch.tensor([0.0, 0.6, 0.1, 0.2, 0.1]) for label in net.worth}
    assert set(played(net)[1].values()) == {"nor_conv_3x3"}
    assert int(net.rows["edge_0_1"].argmax()) == 1


def test_weights_left_are_not_brought_back_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant that does so prefers the second operation, as worked out by hand: .6 * .5 > .4 * .6, but .5 < .6."""
    pair = MacroSpace("pair", Input(1, 8), layers=(MACRO.layers[0],))

    def chosen() -> Any:
        net = toy(pair, lambda _, at: [0.5, 0.6][at])
        net.rows = {"one": torch.tensor([0.6, 0.4])}
        return played(net)[1]["one"]

    assert chosen() == "a"
    right = perturbation.accuracies_without

    def brought_back(decision: Any, mixture: Mixture, score: Callable[[Mixture], float], base: float) -> Any:
        def scored(given: Mixture) -> float:
            mix = given[decision.label]
            assert isinstance(mix, Tensor)
            return score({**given, decision.label: mix / mix.sum()})

        return right(decision, mixture, scored, base)

    monkeypatch.setattr(perturbation, "accuracies_without", brought_back)
    assert chosen() == "b"


def test_none_wins_where_everything_else_does_harm_and_the_first_of_equals() -> None:
    assert set(played(toy(CELL, lambda *_: -0.5))[1].values()) == {"none"}
    assert set(played(toy(CELL, lambda *_: 0.5))[1].values()) == {"skip_connect"}
    assert set(played(toy(CELL, lambda *_: 0.0))[1].values()) == {"none"}


def test_a_switch_is_on_only_where_it_is_missed_and_the_most_missed_inputs_stay() -> None:
    worth = {"one": [0.1, 0.2], "any/0": [0, 0.3], "any/1": [0, -0.3], "two": [0.3, 0.1, 0.2]}
    architecture = played(toy(MACRO, lambda label, at: worth[label][at]))[1]
    assert architecture.to_json() == {"one": "b", "any": [0], "two": [0, 2]}


@pytest.mark.parametrize("seed", range(3))
def test_a_darts_node_keeps_the_two_inputs_whose_removal_hurts_most(seed: int) -> None:
    """Operations first, never none even where all do harm; then edges, by their operation's worth."""
    assert isinstance(DARTS, DartsSpace)
    net = toy(DARTS, worths(seed), seed=seed)
    told, architecture = played(net)
    for kind in ("normal", "reduce"):
        for target in DARTS.targets:
            best = {
                source: max(net.worth[darts_edge_label(kind, source, target)]) for source in range(target)
            }
            kept = tuple(sorted(sorted(best, key=best.__getitem__)[-2:]))
            assert architecture[f"{kind}/inputs_{target}"] == kept
            for at, source in enumerate(kept):
                row = net.worth[darts_edge_label(kind, source, target)]
                name = DARTS.operations[row.index(max(row))]
                assert architecture[f"{kind}/op_{target}_{at}"] == name
    assert told[-1]["evaluated"] == 18 * 8 + 2 * (
        1 + 3 + 1 + 4
    )  # nodes with two edges have nothing to choose
    harmful = toy(DARTS, lambda *_: -0.5)
    assert "none" not in played(harmful)[1].values()


def test_of_equal_edges_the_earlier_sources_stay() -> None:
    architecture = played(toy(DARTS, lambda *_: 0.5))[1]
    assert {architecture[f"normal/inputs_{target}"] for target in (2, 3, 4)} == {(0, 1)}


def test_weights_learn_between_with_what_is_settled() -> None:
    """One call a decision, with one more settled each time, in the same order for the same seed."""
    net, again, other = (toy(CELL, worths(0), seed=seed, tune_epochs=3) for seed in (0, 0, 1))
    for each in (net, again, other):
        played(each)
    assert [epochs for epochs, _ in net.tuned] == [3] * 6
    assert [len(settled) for _, settled in net.tuned] == [1, 2, 3, 4, 5, 6]
    orders = [list(each.tuned[-1][1]) for each in (net, again, other)]
    assert orders[0] == orders[1] != orders[2]
    assert set(net.tuned[-1][1].values()) <= {1, 2, 3, 4}
    darts = toy(DARTS, worths(0), tune_epochs=1)
    played(darts)
    assert len(darts.tuned) == 18 + 4
    assert sum(mix is None for mix in darts.tuned[-1][1].values()) == 2 * (1 + 2)
    silent = toy(CELL, worths(0))
    played(silent)
    assert silent.tuned == []


def test_what_is_settled_replaces_the_mixture_in_later_scores() -> None:
    net = toy(CELL, worths(0))
    played(net)
    undecided = [sum(isinstance(mix, Tensor) for mix in mixture.values()) for mixture in net.asked]
    assert undecided == sorted(undecided, reverse=True) and set(undecided) == {1, 2, 3, 4, 5, 6}


def test_a_settled_edge_keeps_the_weight_of_its_edge() -> None:
    assert alone(torch.tensor([0.3, 0.7]), 1) == 1
    gate = alone(torch.tensor([0.1, 0.3]), 1)  # PC-DARTS: the edge itself weighs .4
    assert isinstance(gate, Gate) and gate.indices == (1,)
    assert gate.weights.tolist() == pytest.approx([0.0, 0.4])


def test_a_method_without_a_mixture_is_told_what_to_take_instead() -> None:
    net = toy(CELL, worths(0))
    net.rows = {}
    with pytest.raises(SpecError, match="evolution"):
        played(net)
