"""The second-order gradient of the alphas against problems whose answer is known, and against wrong versions of it.

A is the DARTS paper's example (figure 2), B a quadratic problem with a closed form, C a small network with momentum
and weight decay whose step ahead autograd can unroll.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from explorer.oneshot.methods import darts
from explorer.oneshot.methods.darts import Hypergradient, hypergradient

Hyper = Callable[..., Hypergradient]


def number(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)


# Wrong versions, each of which somebody published.


def not_ahead(*given: Any, **settings: Any) -> Hypergradient:
    """The virtual step is computed and not applied: NNI 2's DartsTrainer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(darts, "_velocity", lambda weights, *_: [torch.zeros_like(one) for one in weights])
        return hypergradient(*given, **settings)


def halved_wrongly(train: Any, validation: Any, weights: Any, alphas: Any, **settings: Any) -> Hypergradient:
    """`(plus - minus) / 2. * eps`: NNI before its pull request 3058, antoyang/NAS-Benchmark#4."""
    seen: list[Tensor] = []

    def watched() -> Tensor:
        loss = validation()
        seen.extend(torch.autograd.grad(loss, weights, retain_graph=True))
        return loss

    found = hypergradient(train, watched, weights, alphas, **settings)
    epsilon = settings.get("step", 0.01) / torch.cat([one.flatten() for one in seen]).norm()
    return replace(found, second=tuple(one * epsilon**2 for one in found.second))


def without_momentum(*given: Any, **settings: Any) -> Hypergradient:
    return hypergradient(*given, **settings | {"momentum": 0.0})


def without_decay(*given: Any, **settings: Any) -> Hypergradient:
    return hypergradient(*given, **settings | {"weight_decay": 0.0})


def first_order(*given: Any, **settings: Any) -> Hypergradient:
    return hypergradient(*given, **settings | {"rate": 0.0})


class TestTheExampleOfThePaper:
    """L_val = alpha w - 2 alpha + 1, L_train = w^2 - 2 alpha w + alpha^2; w*(alpha) = alpha, optimum (1, 1)."""

    @staticmethod
    def fixed_point(hyper: Hyper, ahead: float, steps: int = 160) -> tuple[float, float]:
        """Where alternating descent from (2, -2) comes to rest."""
        alpha, weight = number(2.0), number(-2.0)

        def train() -> Tensor:
            return weight**2 - 2 * alpha * weight + alpha**2

        def validation() -> Tensor:
            return alpha * weight - 2 * alpha + 1

        for _ in range(steps):
            found = hyper(
                train,
                validation,
                [weight],
                [alpha],
                rate=ahead,
                momenta=[None],
                momentum=0.0,
                weight_decay=0.0,
            )
            with torch.no_grad():
                alpha -= 0.2 * found.total[0]
            (slope,) = torch.autograd.grad(train(), weight)
            with torch.no_grad():
                weight -= 0.3 * slope
        return float(alpha.detach()), float(weight.detach())

    @pytest.mark.parametrize("ahead", [0.0, 0.01, 0.1, 0.25, 0.5, 1.0])
    def test_descent_rests_at_two_over_one_plus_two_xi(self, ahead: float) -> None:
        wanted = 2 / (1 + 2 * ahead)
        assert self.fixed_point(hypergradient, ahead) == pytest.approx((wanted, wanted), abs=1e-6)

    @pytest.mark.parametrize("mutant", [halved_wrongly, first_order])
    def test_wrong_versions_rest_elsewhere(self, mutant: Hyper) -> None:
        """At rest the training gradient is 0, so one that does not look ahead is for the problems below."""
        assert abs(self.fixed_point(mutant, 0.5, 60)[0] - 1.0) > 1e-2


class Quadratic(NamedTuple):
    """L_train = w'Hw / 2 - w'C alpha, L_val = |w - t|^2 / 2 + .15 |alpha|^2 + .1 sum w_i alpha_i; all float64."""

    H: Tensor
    C: Tensor
    t: Tensor
    w: Tensor
    alpha: Tensor

    def train(self, w: Tensor, alpha: Tensor) -> Tensor:
        return w @ self.H @ w / 2 - w @ self.C @ alpha

    def validation(self, w: Tensor, alpha: Tensor) -> Tensor:
        return (w - self.t).square().sum() / 2 + 0.15 * alpha.square().sum() + 0.1 * (w * alpha).sum()

    def solution(self, alpha: Tensor) -> Tensor:
        """w*(alpha)"""
        return torch.linalg.solve(self.H, self.C @ alpha)

    def implicit(self, w: Tensor) -> Tensor:
        """The implicit-function gradient at w: grad_alpha L_val + C' H^-1 grad_w L_val."""
        return (
            0.3 * self.alpha + 0.1 * w + self.C.T @ torch.linalg.solve(self.H, w - self.t + 0.1 * self.alpha)
        )

    def closed_form(self, rate: float) -> Tensor:
        """One step ahead: grad_alpha L_val(w') + rate C' grad_w L_val(w')."""
        ahead = self.w - rate * (self.H @ self.w - self.C @ self.alpha)
        return 0.3 * self.alpha + 0.1 * ahead + rate * self.C.T @ (ahead - self.t + 0.1 * self.alpha)

    def found(self, hyper: Hyper, rate: float, **settings: Any) -> Tensor:
        """What the function under test makes of it."""
        w, alpha = self.w.clone().requires_grad_(), self.alpha.clone().requires_grad_()
        plain = {"momenta": [None], "momentum": 0.0, "weight_decay": 0.0}
        return hyper(
            lambda: self.train(w, alpha),
            lambda: self.validation(w, alpha),
            [w],
            [alpha],
            rate=rate,
            **plain | settings,
        ).total[0]


@pytest.fixture
def quadratic() -> Quadratic:
    noise = torch.Generator().manual_seed(3)
    normal = torch.randn(5, 5, generator=noise, dtype=torch.float64)
    H = normal @ normal.T / 5 + 0.5 * torch.eye(5, dtype=torch.float64)
    C, rest = torch.randn(5, 8, generator=noise, dtype=torch.float64).split([5, 3], dim=1)
    return Quadratic(H, C, *rest.T)


def error(found: Tensor, wanted: Tensor) -> float:
    return float((found - wanted).norm() / wanted.norm())


class TestAQuadraticProblem:
    def test_implicit_differentiation_is_the_derivative_through_the_solution(
        self, quadratic: Quadratic
    ) -> None:
        alpha = quadratic.alpha.clone().requires_grad_()
        loss = quadratic.validation(quadratic.solution(alpha), alpha)
        (exact,) = torch.autograd.grad(loss, alpha)
        assert error(quadratic.implicit(quadratic.solution(quadratic.alpha)), exact) < 1e-12

    @pytest.mark.parametrize("rate", [0.01, 0.1, 0.3])
    @pytest.mark.parametrize("step", [1.0, 0.01])
    def test_differences_are_exact_whatever_their_step(
        self, quadratic: Quadratic, rate: float, step: float
    ) -> None:
        wanted = quadratic.closed_form(rate)
        torch.testing.assert_close(
            quadratic.found(hypergradient, rate, step=step), wanted, rtol=1e-10, atol=1e-10
        )

    @pytest.mark.parametrize("mutant", [not_ahead, halved_wrongly])
    def test_wrong_versions_are_told_apart(self, quadratic: Quadratic, mutant: Hyper) -> None:
        assert error(quadratic.found(mutant, 0.1), quadratic.closed_form(0.1)) > 1e-4

    def test_first_order_is_far_off_at_the_solution(self, quadratic: Quadratic) -> None:
        w = quadratic.solution(quadratic.alpha)
        there = quadratic._replace(w=w)
        assert error(there.found(hypergradient, 0.0), there.implicit(w)) > 0.1

    def test_one_step_is_exact_where_it_leads_to_the_solution(self, quadratic: Quadratic) -> None:
        rate = 0.4
        round_bowl = quadratic._replace(H=torch.eye(5, dtype=torch.float64) / rate)
        wanted = round_bowl.implicit(round_bowl.solution(round_bowl.alpha))
        assert error(round_bowl.found(hypergradient, rate), wanted) < 1e-12

    def test_the_error_of_k_steps_falls_geometrically(self, quadratic: Quadratic) -> None:
        """From w*, the K-step unrolled gradient differs by C' H^-1 (I - rate H)^K grad_w L_val; K = 1 is ours."""
        rate = 0.3
        w = quadratic.solution(quadratic.alpha)
        exact = quadratic.implicit(w)
        slowest = 1 - rate * float(torch.linalg.eigvalsh(quadratic.H).min())
        push = (w - quadratic.t + 0.1 * quadratic.alpha).norm()
        gain = torch.linalg.matrix_norm(torch.linalg.solve(quadratic.H, quadratic.C), 2)
        errors = {}
        for steps in (1, 10, 50, 200):
            alpha = quadratic.alpha.clone().requires_grad_()
            there = w
            for _ in range(steps):
                there = there - rate * (quadratic.H @ there - quadratic.C @ alpha)
            (found,) = torch.autograd.grad(quadratic.validation(there, alpha), alpha)
            errors[steps] = float((found - exact).norm())
            assert errors[steps] <= float(gain * push) * slowest**steps + 1e-12
        one = quadratic._replace(w=w).found(hypergradient, rate)
        assert float((one - exact).norm()) == pytest.approx(errors[1], rel=1e-9)
        assert errors[200] < 1e-3 * errors[1]


class Mixed:
    """Two layers, three mixed activations, 20 samples; a step ahead with momentum and weight decay."""

    def __init__(self) -> None:
        self.settings = {"rate": 0.1, "momentum": 0.9, "weight_decay": 3e-4}
        noise = torch.Generator().manual_seed(5)

        def normal(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=noise, dtype=torch.float64)

        self.weights = [normal(4, 6).requires_grad_(), normal(6, 1).requires_grad_()]
        self.momenta = [0.3 * normal(4, 6), 0.3 * normal(6, 1)]
        self.alpha = (0.5 * normal(3)).requires_grad_()
        self.batches = {name: (normal(20, 4), normal(20, 1)) for name in ("train", "validation")}

    def loss(self, name: str, weights: Any) -> Tensor:
        x, y = self.batches[name]
        hidden = x @ weights[0]  # (20, 6)
        mix = self.alpha.softmax(0)
        hidden = mix[0] * hidden.tanh() + mix[1] * hidden.sigmoid() + mix[2] * hidden.sin()
        return (hidden @ weights[1] - y).square().mean()

    def found(self, hyper: Hyper, step: float = 0.01) -> Hypergradient:
        return hyper(
            lambda: self.loss("train", self.weights),
            lambda: self.loss("validation", self.weights),
            self.weights,
            [self.alpha],
            momenta=self.momenta,
            step=step,
            **self.settings,
        )

    def unrolled(self) -> Tensor:
        """Autograd through the step, momentum and decay included: what quark0/darts approximates."""
        slopes = torch.autograd.grad(self.loss("train", self.weights), self.weights, create_graph=True)
        ahead = [
            weight
            - self.settings["rate"]
            * (self.settings["momentum"] * memory + slope + self.settings["weight_decay"] * weight)
            for weight, memory, slope in zip(self.weights, self.momenta, slopes, strict=True)
        ]
        return torch.autograd.grad(self.loss("validation", ahead), self.alpha)[0]


class TestMomentumAndWeightDecay:
    def test_differences_agree_with_autograd_through_the_step(self) -> None:
        mixed = Mixed()
        assert error(mixed.found(hypergradient).total[0], mixed.unrolled()) < 1e-4

    def test_their_error_is_quadratic_in_the_step(self) -> None:
        mixed = Mixed()
        wanted = mixed.unrolled()
        errors = [error(mixed.found(hypergradient, step).total[0], wanted) for step in (0.1, 0.01, 0.001)]
        assert errors[0] / errors[1] == pytest.approx(100, rel=0.1)
        assert errors[1] / errors[2] == pytest.approx(100, rel=0.1)

    @pytest.mark.parametrize("mutant", [not_ahead, halved_wrongly, without_momentum, without_decay])
    def test_wrong_versions_are_told_apart(self, mutant: Hyper) -> None:
        mixed = Mixed()
        assert error(mixed.found(mutant).total[0], mixed.unrolled()) > 1e-4

    def test_weights_are_put_back_bit_for_bit(self) -> None:
        mixed = Mixed()
        before = [weight.detach().clone() for weight in mixed.weights]
        mixed.found(hypergradient)
        assert all(map(torch.equal, mixed.weights, before))

    def test_and_so_where_a_loss_fails(self) -> None:
        mixed = Mixed()
        before = [weight.detach().clone() for weight in mixed.weights]

        def broken() -> Tensor:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            hypergradient(
                lambda: mixed.loss("train", mixed.weights),
                broken,
                mixed.weights,
                [mixed.alpha],
                momenta=mixed.momenta,
                **mixed.settings,
            )
        assert all(map(torch.equal, mixed.weights, before))

    def test_the_two_terms_are_told_apart(self) -> None:
        found = Mixed().found(hypergradient)
        first, second = found.first[0], found.second[0]
        told = found.told()
        assert told["first_term"] == pytest.approx(float(first.norm()))
        assert told["second_term"] == pytest.approx(float(second.norm()))
        assert told["cosine"] == pytest.approx(float(first @ second / first.norm() / second.norm()))

    def test_weights_that_the_training_loss_does_not_reach_stay(self) -> None:
        alpha, used, unused = number(1.0), number(2.0), number(3.0)
        found = hypergradient(
            lambda: (used - alpha) ** 2,
            lambda: used * unused,
            [used, unused],
            [alpha],
            rate=0.1,
            momenta=[None, None],
            momentum=0.9,
            weight_decay=0.5,
        )
        # w' = 2 - .1 (2 (2 - 1) + .5 * 2), d L_val / d alpha = unused * d w' / d alpha = 3 * .2
        assert float(found.total[0]) == pytest.approx(0.6)
