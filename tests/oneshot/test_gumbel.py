"""Gumbel noise against the softmax that it stands for; the temperature; what is a probability and what not; SNAS."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from scipy.stats import chisquare
from torch import Tensor
from torch.nn.functional import cosine_similarity, one_hot

from explorer.oneshot.contract import ARCHITECTURE, BOTH, WEIGHTS, Method
from explorer.oneshot.learning import gumbel_softmax
from explorer.oneshot.methods.gdas import straight_through
from tests.oneshot.toys import batch, method

CHANCES = torch.tensor([0.6, 0.25, 0.1, 0.05])
ALPHA = CHANCES.log() + 3.7  # a softmax does not see a shift
TEMPERATURES = (10.0, 1.0, 0.33, 0.1)
DRAWS = 50_000


def soft_samples(temperature: float, draw: Callable[..., Tensor] = gumbel_softmax) -> Tensor:
    """(draws, 4)"""
    noise = torch.Generator().manual_seed(int(100 * temperature))
    return draw(ALPHA.expand(DRAWS, -1), temperature, noise)


def likelihood(samples: Tensor) -> float:
    """p-value of a chi-square test of the largest entries against CHANCES."""
    counts = samples.argmax(-1).bincount(minlength=4)
    return float(
        chisquare(counts.numpy(), (CHANCES.double() / CHANCES.double().sum() * DRAWS).numpy()).pvalue
    )


def normal_instead(logits: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    """Mutant: normal noise."""
    noise = torch.randn(logits.shape, generator=generator)
    return ((logits.log_softmax(-1) + noise) / temperature).softmax(-1)


def cooled_first(logits: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    """Mutant: the temperature divides the logits and not the noise."""
    return gumbel_softmax(logits / temperature, 1.0, generator)


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_the_largest_is_a_draw_from_the_softmax_at_any_temperature(temperature: float) -> None:
    assert likelihood(soft_samples(temperature)) > 1e-4


@pytest.mark.parametrize("mutant", [normal_instead, cooled_first])
def test_other_noise_is_told_apart(mutant: Callable[..., Tensor]) -> None:
    assert likelihood(soft_samples(0.33, mutant)) < 1e-4


def test_the_mean_of_soft_samples_is_the_softmax_only_when_cold() -> None:
    wanted = {
        10.0: (0.283, 0.259, 0.237, 0.221),
        1.0: (0.497, 0.275, 0.143, 0.085),
        0.33: (0.583, 0.256, 0.107, 0.054),
        0.1: (0.598, 0.251, 0.101, 0.050),
    }
    for temperature, mean in wanted.items():
        found = soft_samples(temperature).mean(0)
        torch.testing.assert_close(found, torch.tensor(mean), atol=7e-3, rtol=0)


@pytest.mark.parametrize(
    ("temperature", "cosine", "ratio"),
    [(10.0, 0.769, 0.156), (1.0, 0.973, 0.79), (0.33, 0.9991, 0.96), (0.1, 0.99998, 1.003)],
)
def test_the_straight_through_gradient_points_the_right_way_when_cold(
    temperature: float, cosine: float, ratio: float
) -> None:
    """Of E[z.l] for one-hot z: p (l - mean l). The estimate is biased, less so the colder it is."""
    losses = torch.tensor([1.0, 2.0, 3.0, 0.0])
    true = CHANCES * (losses - (CHANCES * losses).sum())
    alpha = ALPHA.clone().requires_grad_()
    soft = gumbel_softmax(alpha.expand(DRAWS, -1), temperature, torch.Generator().manual_seed(0))
    hard = one_hot(soft.argmax(-1), 4) + (soft - soft.detach())
    (found,) = torch.autograd.grad((hard @ losses).mean(), alpha)
    assert float(cosine_similarity(found, true, dim=0)) == pytest.approx(cosine, abs=0.02)
    assert float(found.norm() / true.norm()) == pytest.approx(ratio, rel=0.05, abs=0.02)


def test_straight_through_weights_are_exactly_one_hot() -> None:
    alpha = ALPHA.clone().requires_grad_()
    row = straight_through(alpha.softmax(-1), (2,))
    assert row.tolist() == [0, 0, 1, 0]
    (through,) = torch.autograd.grad(row[2], alpha)
    (soft,) = torch.autograd.grad(alpha.softmax(-1)[2], alpha)
    assert torch.equal(through, soft)


@pytest.mark.parametrize("name", ["gumbel", "snas"])
def test_what_is_told_is_the_softmax_and_never_a_sample(name: str) -> None:
    made = method(name)
    made.logits.flat.data[:4] = ALPHA  # type: ignore[attr-defined]

    def steady(told: Callable[[Method], Tensor]) -> bool:
        return all(torch.allclose(told(made), CHANCES, atol=1e-6) for _ in range(3))

    assert steady(lambda made: made.probabilities()["edge_0_1"])
    assert steady(lambda made: made.mixture()["edge_0_1"])  # type: ignore[index, return-value]
    # NNI's GumbelDARTS exports this:
    assert not steady(lambda made: made.draw()["edge_0_1"].detach())  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["gumbel", "snas", "gdas"])
def test_the_temperature_falls_on_a_straight_line_to_the_last_epoch(name: str) -> None:
    made = method(name, {"temperature_start": 2.0, "temperature_end": 0.4}, epochs=5)
    found = []
    for epoch in range(5):
        made.begin_epoch(epoch)
        found.append(made.temperature())
    assert found == pytest.approx([2.0, 1.6, 1.2, 0.8, 0.4])


def test_a_search_of_one_epoch_has_the_first_temperature() -> None:
    made = method("gumbel", {"temperature_start": 2.0}, epochs=1)
    made.begin_epoch(0)
    assert made.temperature() == 2.0


def test_every_pass_draws_anew_and_the_sample_is_told() -> None:
    made = method("gumbel")
    first, second = (made.step(BOTH, batch(0), batch(1)).extra["sample"] for _ in range(2))
    assert first != second
    assert sum(first["edge_0_1"]) == pytest.approx(1.0, abs=1e-3)


class TestSnas:
    def test_alphas_and_weights_descend_one_loss_on_one_batch(self) -> None:
        made = method("snas", {"momentum": 0.0, "weight_decay": 0.0, "gradient_clip": 0.0})
        flat, weights = made.logits.flat, made.weights.parameters  # type: ignore[attr-defined]
        before = [one.detach().clone() for one in weights]
        generator = made.context.generator.get_state()
        loss = torch.nn.functional.cross_entropy(made.net(batch(0).images, made.draw()), batch(0).labels)  # type: ignore[attr-defined]
        slope, *slopes = torch.autograd.grad(loss, [flat, *weights])
        made.context.generator.set_state(generator)
        old = flat.detach().clone()

        report = made.step(BOTH, batch(0), batch(1))

        assert float(report.train_loss) == pytest.approx(float(loss.detach()))
        assert report.validation_loss is None
        rate = made.settings["weight_learning_rate"]
        for weight, start, push in zip(weights, before, slopes, strict=True):
            torch.testing.assert_close(weight.detach(), start - rate * push)
        moved = flat.detach() - old
        assert torch.equal(moved.sign(), -(slope + made.settings["alpha_weight_decay"] * old).sign())

    @pytest.mark.parametrize(("phase", "moving"), [(WEIGHTS, "weights"), (ARCHITECTURE, "alphas")])
    def test_a_single_phase_moves_its_side_alone(self, phase: str, moving: str) -> None:
        made = method("snas")
        flat, head = made.logits.flat.detach().clone(), made.net.head.detach().clone()  # type: ignore[attr-defined]
        made.step(phase, batch(0), batch(1))
        assert torch.equal(made.logits.flat, flat) == (moving == "weights")  # type: ignore[attr-defined]
        assert torch.equal(made.net.head, head) == (moving == "alphas")  # type: ignore[arg-type]
