"""ProxylessNAS' estimator by enumeration: right for a loss that is linear in the gates, biased for a quadratic one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch
from scipy.stats import chisquare
from torch import Tensor

from explorer.oneshot.contract import ARCHITECTURE, BOTH, WEIGHTS
from explorer.oneshot.methods.proxyless import gate_gradient, keep_others
from tests.oneshot.toys import ToySupernet, batch, method

ALPHA = torch.tensor([0.4, -0.3, 1.1, 0.0], dtype=torch.float64)
LOSSES = torch.tensor([1.0, 2.0, 3.0, -0.5], dtype=torch.float64)


def linear_loss(gate: Tensor) -> Tensor:
    return gate @ LOSSES


def quadratic_loss(gate: Tensor) -> Tensor:
    return (gate @ LOSSES - 1.3).square()


def expected_estimate(loss: Callable[[Tensor], Tensor], estimate: Callable[..., Tensor]) -> Tensor:
    """The mean over all gates, each with its probability."""
    chances = ALPHA.softmax(0)
    total = torch.zeros(4, dtype=torch.float64)
    for chance, gate in zip(chances, torch.eye(4, dtype=torch.float64), strict=True):
        leaf = gate.clone().requires_grad_()
        (slopes,) = torch.autograd.grad(loss(leaf), leaf)
        total += chance * estimate(chances, slopes)
    return total


def gradient_of_expectation(loss: Callable[[Tensor], Tensor]) -> Tensor:
    alpha = ALPHA.clone().requires_grad_()
    losses = torch.stack([loss(gate) for gate in torch.eye(4, dtype=torch.float64)])
    return torch.autograd.grad(alpha.softmax(0) @ losses, alpha)[0]


def without_jacobian(chances: Tensor, slopes: Tensor) -> Tensor:
    """Mutant: the diagonal of the softmax's Jacobian alone."""
    return slopes * chances * (1 - chances)


def test_the_estimator_is_unbiased_for_a_linear_loss() -> None:
    found = expected_estimate(linear_loss, gate_gradient)
    torch.testing.assert_close(found, gradient_of_expectation(linear_loss), atol=1e-14, rtol=0)


def test_a_wrong_one_is_told_apart() -> None:
    found = expected_estimate(linear_loss, without_jacobian)
    assert (found - gradient_of_expectation(linear_loss)).abs().max() > 1e-2


def test_it_is_biased_for_a_quadratic_loss_and_follows_the_mixed_loss() -> None:
    """A quadratic's slope is linear in the gate, so its mean is the slope at the mixture: the gradient of DARTS."""
    found = expected_estimate(quadratic_loss, lambda chances, slopes: slopes)
    alpha = ALPHA.clone().requires_grad_()
    (mixed,) = torch.autograd.grad(quadratic_loss(alpha.softmax(0)), alpha)
    chances = ALPHA.softmax(0)
    torch.testing.assert_close(gate_gradient(chances, found), mixed)
    estimate = expected_estimate(quadratic_loss, gate_gradient)
    torch.testing.assert_close(estimate, mixed)
    assert (estimate - gradient_of_expectation(quadratic_loss)).abs().max() > 0.1


def test_the_pair_keeps_its_share_and_no_other_probability_moves() -> None:
    after = ALPHA + torch.tensor([0.3, -0.2, 0.1, 0.5], dtype=torch.float64)
    kept = keep_others(ALPHA, after, (1, 3)).softmax(0)
    before = ALPHA.softmax(0)
    torch.testing.assert_close(kept[[0, 2]], before[[0, 2]])
    assert float(kept[1] / kept[3]) == pytest.approx(float((after[1] - after[3]).exp()))
    assert not torch.allclose(after.softmax(0)[[0, 2]], before[[0, 2]])  # what a step alone does


def alone(mode: str, **given: Any) -> Any:
    """On a net of one edge, so that a gate's slope can be computed by hand."""
    return method("proxyless", {"mode": mode} | given, ToySupernet(nodes=2))


def test_full_descends_the_gradient_of_all_gates() -> None:
    made = alone("full")
    chances = made.probabilities()["edge_0_1"]
    report = made.step(ARCHITECTURE, batch(0), batch(1))
    gate = torch.zeros(4)
    gate[report.extra["path"]["edge_0_1"]] = 1
    gate.requires_grad_()
    loss = torch.nn.functional.cross_entropy(made.net(batch(1).images, {"edge_0_1": gate}), batch(1).labels)
    (slopes,) = torch.autograd.grad(loss, gate)
    assert float(report.alpha_gradient) == pytest.approx(float(gate_gradient(chances, slopes).norm()))


def test_two_moves_the_two_that_ran_and_keeps_the_others_probabilities() -> None:
    made = alone("two", alpha_weight_decay=1e-3)
    for number in range(6):
        before = made.probabilities()["edge_0_1"]
        logits = made.alphas()["edge_0_1"]
        made.net.evaluated.clear()
        made.step(ARCHITECTURE, batch(0), batch(number))
        ran = sorted({at for _, at in made.net.evaluated})
        others = [at for at in range(4) if at not in ran]
        assert len(ran) == 2
        assert torch.equal(made.alphas()["edge_0_1"][others], logits[others])
        torch.testing.assert_close(made.probabilities()["edge_0_1"][others], before[others])


@pytest.mark.parametrize("mode", ["full", "two"])
def test_paths_are_drawn_by_the_softmax(mode: str) -> None:
    """What the weights' pass runs."""
    made = alone(mode)
    chances = torch.tensor([0.5, 0.3, 0.15, 0.05])
    made.logits.flat.data.copy_(chances.log())
    counts: Counter[int] = Counter(made.draw()["edge_0_1"] for _ in range(2000))
    observed = [counts[at] for at in range(4)]
    assert chisquare(observed, (2000 * chances).numpy()).pvalue > 1e-4


def test_of_a_pair_one_is_drawn_by_their_share() -> None:
    made = alone("two")
    chances = torch.tensor([0.5, 0.3, 0.15, 0.05])
    made.logits.flat.data.copy_(chances.log())
    won = Counter()
    for _ in range(3000):
        pairs, gates = made._gates()
        if pairs["edge_0_1"] == (0, 1):
            won[int(gates["edge_0_1"].argmax())] += 1
    total = sum(won.values())
    assert chisquare([won[0], won[1]], [total * 0.625, total * 0.375]).pvalue > 1e-4


def test_one_candidate_runs_in_the_weights_pass_and_adam_has_no_first_moment() -> None:
    made = method("proxyless")
    made.step(WEIGHTS, batch(0), batch(1))
    assert len(made.net.evaluated) == 3
    assert made.logits.optimizer.betas == (0.0, 0.999)  # type: ignore[attr-defined]
    made.step(BOTH, batch(0), batch(1))
