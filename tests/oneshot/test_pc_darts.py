"""PC-DARTS: the edges' weights, their product with the operations', and what is derived from it."""

from __future__ import annotations

import pytest
import torch

from explorer.nets.supernet.partial import PartialNode, shuffled
from explorer.nets.supernet.steps import Edge
from explorer.oneshot.contract import ARCHITECTURE, BOTH, WEIGHTS
from explorer.space import decisions, preset
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
