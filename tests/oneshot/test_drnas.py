"""DrNAS: draws, their mean and their pathwise gradient against what is known of the Dirichlet distribution."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.distributions import Dirichlet, kl_divergence

from explorer.oneshot.contract import ARCHITECTURE
from explorer.oneshot.methods.drnas import concentrations, dirichlet, divergence, mean, squared_distance
from tests.oneshot.toys import batch, method

ALPHA = torch.tensor([0.8, -0.5, 2.0, -3.0], dtype=torch.float64)
DRAWS = 100_000


def draws(alpha: Tensor) -> Tensor:
    return dirichlet(concentrations(alpha).expand(DRAWS, -1), torch.Generator().manual_seed(0))


def test_concentrations_are_one_at_zero_and_stay_positive() -> None:
    assert concentrations(torch.zeros(3)).tolist() == [1, 1, 1]
    assert (concentrations(torch.tensor([-50.0, -1e4])) > 0).all()


def test_the_mean_is_the_mean_of_the_draws() -> None:
    found = draws(ALPHA)
    torch.testing.assert_close(found.sum(-1), torch.ones(DRAWS, dtype=torch.float64))
    torch.testing.assert_close(found.mean(0), mean(concentrations(ALPHA)), atol=3e-3, rtol=0)
    # Mutant: the softmax of the alphas, which the other methods mean.
    assert (found.mean(0) - ALPHA.softmax(0)).abs().max() > 0.03


def test_the_spread_is_dirichlets() -> None:
    wanted = Dirichlet(concentrations(ALPHA)).variance
    torch.testing.assert_close(draws(ALPHA).var(0), wanted, rtol=0.05, atol=0)


def test_the_pathwise_gradient_is_that_of_the_mean() -> None:
    """d E[x.l] / d alpha, since E[x] is the mean: Monte Carlo over the graph against the closed form."""
    losses = torch.tensor([1.0, 2.0, 3.0, 0.0], dtype=torch.float64)
    alpha = ALPHA.clone().requires_grad_()
    (found,) = torch.autograd.grad((draws(alpha) @ losses).mean(), alpha)
    (wanted,) = torch.autograd.grad(mean(concentrations(alpha)) @ losses, alpha)
    torch.testing.assert_close(found, wanted, atol=5e-3, rtol=0.02)


def test_penalties_are_zero_at_the_uniform_distribution_and_grow_away_from_it() -> None:
    for distance in (squared_distance, divergence):
        assert float(distance(torch.ones(4))) == pytest.approx(0.0, abs=1e-6)
        assert float(distance(torch.tensor([1.0, 1.0, 1.0, 4.0]))) > 0


def test_the_divergence_is_torchs() -> None:
    concentration = concentrations(torch.stack([ALPHA, -ALPHA]))
    wanted = kl_divergence(Dirichlet(concentration), Dirichlet(torch.ones_like(concentration)))
    torch.testing.assert_close(divergence(concentration), wanted)


def test_what_is_told_is_the_mean_and_not_the_softmax() -> None:
    made = method("drnas")
    made.logits.flat.data[:4] = ALPHA.float()  # type: ignore[attr-defined]
    torch.testing.assert_close(made.probabilities()["edge_0_1"].double(), mean(concentrations(ALPHA)))


@pytest.mark.parametrize("regularizer", ["l2", "kl"])
def test_a_strong_penalty_pulls_the_concentrations_to_one(regularizer: str) -> None:
    given = {"regularizer": regularizer, "regularizer_weight": 10.0, "alpha_learning_rate": 0.05}
    made = method("drnas", given)
    made.logits.flat.data.fill_(1.5)  # type: ignore[attr-defined]
    for number in range(60):
        made.step(ARCHITECTURE, batch(0), batch(number))
    assert made.logits.flat.detach().abs().max() < 0.4  # type: ignore[attr-defined]


def test_very_negative_alphas_still_draw_numbers() -> None:
    noise = torch.Generator().manual_seed(0)
    alpha = torch.full((1000, 4), -60.0, requires_grad=True)
    found = dirichlet(concentrations(alpha), noise)
    assert found.isfinite().all()
    (slope,) = torch.autograd.grad(found[:, 0].sum(), alpha)
    assert slope.isfinite().all()
