"""GDAS: the two gradients by hand, what is run, and that a network has one sample a pass."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from explorer.nets.supernet.mixing import Gate
from explorer.oneshot.contract import ARCHITECTURE, WEIGHTS
from explorer.oneshot.methods.gdas import straight_through
from tests.oneshot.toys import ToySupernet, batch, method


def weights_gradient(net: ToySupernet, mixes: dict[str, object], rows: dict[str, Tensor]) -> list[Tensor]:
    loss = cross_entropy(net(batch(1).images, mixes), batch(1).labels)  # type: ignore[arg-type]
    return list(torch.autograd.grad(loss, list(rows.values())))


def one_edge() -> tuple[ToySupernet, Tensor, Tensor, Tensor]:
    """A net of one edge whose operation 1 runs: the net, its row, and by hand <u, op> and sum u with u = dL/dy."""
    net = ToySupernet(nodes=2)
    x = batch(1).images.flatten(1)
    y = x.clone().requires_grad_()
    (arrived,) = torch.autograd.grad(cross_entropy(y @ net.head.T, batch(1).labels), y)
    outputs = torch.stack([(arrived * net.candidate(0, at, x)).sum() for at in range(4)]).detach()
    return net, torch.tensor([0.0, 1.0, 0.0, 0.0], requires_grad=True), outputs, arrived.sum()


def test_the_reference_gives_every_unchosen_operation_the_same_gradient() -> None:
    net, row, outputs, total = one_edge()
    (found,) = weights_gradient(net, {"edge_0_1": Gate((1,), row, constants=True)}, {"edge_0_1": row})
    torch.testing.assert_close(found, torch.stack([total, outputs[1], total, total]))


def test_the_correct_gradient_is_what_each_would_have_computed() -> None:
    net, row, outputs, _ = one_edge()
    (found,) = weights_gradient(net, {"edge_0_1": row}, {"edge_0_1": row})
    torch.testing.assert_close(found, outputs)


def test_the_two_are_told_apart() -> None:
    _, _, outputs, total = one_edge()
    assert (outputs[[0, 2, 3]] - total).abs().min() > 1e-3


@pytest.mark.parametrize("gradient", ["reference", "correct"])
def test_the_alphas_descend_the_gradient_that_is_asked_for(gradient: str) -> None:
    """Rebuilt from the sample that the method says it took."""
    made = method("gdas", {"gradient": gradient, "alpha_weight_decay": 0.0}, ToySupernet(nodes=2))
    flat = made.logits.flat  # type: ignore[attr-defined]
    state = made.context.generator.get_state()
    mixture = made.draw()  # type: ignore[attr-defined]
    loss = cross_entropy(made.net(batch(1).images, mixture), batch(1).labels)
    (slope,) = torch.autograd.grad(loss, flat)
    made.context.generator.set_state(state)
    report = made.step(ARCHITECTURE, batch(0), batch(1))
    assert float(report.alpha_gradient) == pytest.approx(float(slope.norm()))


def test_one_path_runs_in_the_weights_pass_and_all_candidates_in_the_correct_alphas_pass() -> None:
    edges = 3
    for gradient, phase, wanted in (
        ("reference", ARCHITECTURE, edges),
        ("reference", WEIGHTS, edges),
        ("correct", ARCHITECTURE, 4 * edges),
        ("correct", WEIGHTS, edges),
    ):
        made = method("gdas", {"gradient": gradient})
        report = made.step(phase, batch(0), batch(1))
        evaluated = made.net.evaluated
        assert len(evaluated) == wanted
        assert {(label, at) for label, path in report.extra["path"].items() for at in path} <= set(evaluated)


def test_several_inputs_share_the_row_and_keep_the_gradient_of_the_softmax() -> None:
    soft = torch.tensor([0.5, 0.2, 0.3], requires_grad=True)
    row = straight_through(soft, (0, 2))
    assert row.tolist() == [0.5, 0.0, 0.5]
    (found,) = torch.autograd.grad(row[1], soft)
    assert found.tolist() == [0, 1, 0]
