"""PC-DARTS: the edges' weights, their product with the operations', and what is derived from it."""

from __future__ import annotations

from typing import cast

import pytest
import torch

from explorer.nets.supernet.mixing import Gate, Mix, Mixture
from explorer.nets.supernet.partial import PartialNode, shuffled
from explorer.nets.supernet.steps import Edge
from explorer.oneshot.contract import ARCHITECTURE, BOTH, WEIGHTS
from explorer.oneshot.measures import accuracies_without, without
from explorer.oneshot.selection.perturbation import alone
from explorer.space import Decision, decisions, preset
from explorer.space.derive import top2
from tests.oneshot.toys import ToySupernet, batch, method


class Bare(torch.nn.Module):
    """A DARTS space without a network: enough for what a method believes."""

    def __init__(self) -> None:
        super().__init__()
        self.space = preset("darts-cell")
        self.decisions = decisions(self.space)
        self.nothing = torch.nn.Parameter(torch.zeros(1))


def test_the_edges_into_a_node_share_one() -> None:
    made = method("pc-darts", net=ToySupernet(nodes=4))
    made.logits.flat.data.normal_(generator=torch.Generator().manual_seed(0))  # type: ignore[attr-defined]
    edges = made.edges()  # type: ignore[attr-defined]
    assert [len(row) for row in edges.values()] == [1, 2, 3]
    for row in edges.values():
        assert float(row.sum()) == pytest.approx(1.0)


def test_a_mixture_is_the_product_and_sums_to_the_edges_weight() -> None:
    made = method("pc-darts")
    made.logits.flat.data.normal_(generator=torch.Generator().manual_seed(0))  # type: ignore[attr-defined]
    operations, edges = made.probabilities(), made.edges()["node_2"]  # type: ignore[attr-defined]
    for told in (made.scores(), made.mixture(), made.draw()):  # type: ignore[attr-defined]
        assert told is not None
        torch.testing.assert_close(told["edge_0_2"], operations["edge_0_2"] * edges[0])
        torch.testing.assert_close(told["edge_1_2"], operations["edge_1_2"] * edges[1])
        assert float(told["edge_1_2"].detach().sum()) == pytest.approx(float(edges[1]))
    for row in operations.values():
        assert float(row.sum()) == pytest.approx(1.0)


def test_an_edges_weight_is_for_all_its_channels() -> None:
    """Equation 2: sum_e beta_e f_e(x_e), where f_e ends in the channels that pass by; here all candidates are x."""
    keep = torch.nn.Identity()
    edges = tuple(Edge(label, at, (keep, keep)) for at, label in enumerate(("one", "two")))
    node = PartialNode(edges, (4, 2, 2), channel_part=2)
    values = list(torch.randn(2, 3, 4, 2, 2, generator=torch.Generator().manual_seed(0)).unbind())
    one, two = values
    node.run(values, {"one": 0.3 * torch.tensor([0.9, 0.1]), "two": 0.7 * torch.tensor([0.4, 0.6])})
    torch.testing.assert_close(values[-1], 0.3 * shuffled(one, 2) + 0.7 * shuffled(two, 2))
    assert not torch.allclose(values[-1], shuffled(one, 2) + shuffled(two, 2))


def test_a_gate_with_the_edges_weight_is_the_tensor_with_zeros_elsewhere() -> None:
    """Perturbation settles an edge by such a Gate: the channels that pass by keep the edge's weight too."""
    keep = torch.nn.Identity()
    node = PartialNode((Edge("one", 0, (keep, torch.nn.Tanh(), None)),), (4, 2, 2), channel_part=2)
    value = torch.randn(3, 4, 2, 2, generator=torch.Generator().manual_seed(0))

    def ran(mix: Mix) -> torch.Tensor:
        values = [value]
        node.run(values, {"one": mix})
        return values[-1]

    for at in range(3):
        row = torch.zeros(3)
        row[at] = 0.3
        torch.testing.assert_close(ran(Gate((at,), row)), ran(row))
        torch.testing.assert_close(ran(alone(torch.tensor([0.1, 0.1, 0.1]), at)), ran(row))
    assert not torch.allclose(
        ran(Gate((0,), torch.tensor([1.0, 0, 0]))), ran(Gate((0,), 0.3 * torch.eye(3)[0]))
    )
    mutant = torch.cat([0.3 * value[:, :2], value[:, 2:]], 1)  # passed by with weight 1
    assert not torch.allclose(ran(Gate((0,), 0.3 * torch.eye(3)[0])), shuffled(mutant, 2))


def test_taking_a_candidate_out_leaves_the_channels_that_pass_by() -> None:
    """Its weight goes to none, so the row keeps its sum; without that they would shrink."""
    keep = torch.nn.Identity()
    node = PartialNode((Edge("one", 0, (None, keep, torch.nn.Tanh())),), (4, 2, 2), channel_part=2)
    value = torch.randn(3, 4, 2, 2, generator=torch.Generator().manual_seed(0))
    row = torch.tensor([0.1, 0.3, 0.2])

    def loss(left: Mix) -> torch.Tensor:
        whole, less = [value], [value]
        node.run(whole, {"one": row})
        node.run(less, {"one": left})
        return whole[-1] - less[-1]

    lost = torch.cat([0.3 * value[:, :2], torch.zeros_like(value[:, 2:])], 1)
    torch.testing.assert_close(loss(without(row, 1, (0,))), shuffled(lost, 2))
    assert not torch.allclose(loss(without(row, 1)), shuffled(lost, 2))  # the mutant

    asked: list[torch.Tensor] = []

    def score(mixture: Mixture) -> float:
        asked.append(cast(torch.Tensor, mixture["one"]))
        return 0.5

    decision = Decision("one", ("none", "a", "b"), nones=(0,))
    assert list(accuracies_without(decision, {"one": row}, score, 0.5)) == [0.5] * 3
    for left in asked:
        assert float(left.sum()) == pytest.approx(float(row.sum()))


def test_alphas_and_edges_learn_together_and_wait_in_the_warm_up() -> None:
    made = method("pc-darts", {"warmup_epochs": 1})
    before = made.logits.flat.detach().clone()  # type: ignore[attr-defined]
    made.begin_epoch(0)
    made.step(BOTH, batch(0), batch(1))
    assert torch.equal(made.logits.flat, before)  # type: ignore[attr-defined]
    made.begin_epoch(1)
    made.step(BOTH, batch(0), batch(1))
    moved = made.logits.flat.detach() != before  # type: ignore[attr-defined]
    assert moved[:12].all()  # three edges of four operations
    assert moved[13:].all()  # node 2's two edges


def test_derivation_goes_by_the_product() -> None:
    """Node 3 of the normal cell: operations favour its edges 0 and 1, the edges' own weights 1 and 2."""
    made = method("pc-darts", net=Bare())
    with torch.no_grad():
        for at, each in enumerate(made.net.decisions):
            row = made.logits.flat[8 * at : 8 * at + 8]  # type: ignore[attr-defined]
            row.zero_()
            if each.label in ("normal/edge_0_3", "normal/edge_1_3"):
                row[4] = 2.0
        start = 8 * len(made.net.decisions) + 2  # behind node 2's two edges
        made.logits.flat[start : start + 3] = torch.tensor([-4.0, 2.0, 2.0])  # type: ignore[attr-defined]

    def derived(scores: dict[str, torch.Tensor]) -> object:
        return top2(made.net.space, {label: row.tolist() for label, row in scores.items()})["normal/inputs_3"]

    assert derived(made.scores()) == (1, 2)
    assert derived(made.probabilities()) == (0, 1)  # the mutant: operations alone


def test_the_weights_phase_leaves_both_alone() -> None:
    made = method("pc-darts")
    before = made.logits.flat.detach().clone()  # type: ignore[attr-defined]
    made.step(WEIGHTS, batch(0), batch(1))
    assert torch.equal(made.logits.flat, before)  # type: ignore[attr-defined]
    report = made.step(ARCHITECTURE, batch(0), batch(1))
    assert set(report.extra["edges"]) == {"node_1", "node_2"}
