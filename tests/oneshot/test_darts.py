"""DARTS on a real supernet: the alphas' gradient against differences, its order, what second order adds and leaves."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from explorer.nets.supernet.network import build_supernet
from explorer.oneshot.contract import ARCHITECTURE, BOTH, WEIGHTS, Method
from explorer.space.base import Input
from tests.oneshot.toys import ToySupernet, batch, cell_space, method

SIDE = 6
STILL = {"alpha_weight_decay": 0.0}


def real(seed: int = 0) -> Any:
    """A supernet of three edges in double precision, for images of SIDE pixels and three classes."""
    torch.manual_seed(seed)
    return build_supernet(replace(cell_space(), input=Input(1, SIDE), classes=3)).double()


def images(seed: int) -> Any:
    return batch(seed, 12, SIDE, dtype=torch.float64)


def validation_loss(made: Any, alphas: Tensor, weights: dict[str, Tensor] | None = None) -> Tensor:
    """Of batch 1 for given flat alphas."""
    mixture = dict(zip(made.alphas(), alphas.view(3, 4).softmax(-1), strict=True))
    parts = (images(1).images, mixture)
    logits = made.net(*parts) if weights is None else functional_call(made.net, weights, parts)
    return cross_entropy(logits, images(1).labels)


def test_the_alphas_gradient_is_the_slope_of_the_validation_loss() -> None:
    made = method("darts", STILL, real())
    flat = made.logits.flat.detach().clone()  # type: ignore[attr-defined]
    differences = torch.zeros_like(flat)
    for at in range(len(flat)):
        push = torch.zeros_like(flat)
        push[at] = 1e-5
        up, down = validation_loss(made, flat + push), validation_loss(made, flat - push)
        differences[at] = (up - down).detach() / 2e-5
    report = made.step(ARCHITECTURE, images(0), images(1))
    assert float(report.alpha_gradient) == pytest.approx(float(differences.norm()), rel=1e-6)
    # Adam's first step is a step against the sign.
    moved = made.logits.flat.detach() - flat  # type: ignore[attr-defined]
    clear = differences.abs() > 1e-7
    assert clear.sum() > 6
    assert torch.equal(moved.sign()[clear], -differences.sign()[clear])


def test_alphas_alone_bring_the_validation_loss_down() -> None:
    made = method("darts", {"alpha_learning_rate": 0.05}, real())
    losses = [float(made.step(ARCHITECTURE, images(0), images(1)).validation_loss) for _ in range(20)]
    assert losses[-1] < losses[0]
    assert all(later < earlier for earlier, later in pairwise(losses))


def test_the_alphas_step_first_and_the_weights_see_the_new_ones() -> None:
    once, apart = method("darts", net=real()), method("darts", net=real())
    report = once.step(BOTH, images(0), images(1))
    first = apart.step(ARCHITECTURE, images(0), images(1))
    then = apart.step(WEIGHTS, images(0), images(1))
    assert (report.validation_loss, report.train_loss) == (first.validation_loss, then.train_loss)
    assert all(map(torch.equal, once.net.parameters(), apart.net.parameters()))
    # The other order gives something else.
    turned = method("darts", net=real())
    turned.step(WEIGHTS, images(0), images(1))
    assert turned.step(ARCHITECTURE, images(0), images(1)).validation_loss != report.validation_loss


def unrolled(made: Any) -> Tensor:
    """Autograd through the weights' step with momentum and weight decay, on the real network."""
    flat = made.logits.flat
    names, weights = zip(*made.net.named_parameters(), strict=True)
    mixture = dict(zip(made.alphas(), flat.view(3, 4).softmax(-1), strict=True))
    loss = cross_entropy(made.net(images(0).images, mixture), images(0).labels)
    slopes = torch.autograd.grad(loss, weights, create_graph=True)
    rate, decay = made.weights.rate, made.weights.weight_decay
    ahead = {
        name: weight - rate * (slope + decay * weight + (0 if memory is None else 0.9 * memory))
        for name, weight, slope, memory in zip(names, weights, slopes, made.weights.momenta, strict=True)
    }
    return torch.autograd.grad(validation_loss(made, flat, ahead), flat)[0]


def second_order(**given: Any) -> Method:
    """After three steps of the weights, so that there is momentum."""
    made = method("darts", {"order": "second", "weight_learning_rate": 0.1} | STILL | given, real())
    for number in range(3):
        made.step(WEIGHTS, images(10 + number), images(1))
    return made


SHORT = 1e-5  # with 12 images one ReLU that switches between w+ and w- shows; at 1e-3 and 1e-2 one does


def test_second_order_is_autograd_through_the_step_of_the_weights() -> None:
    made = second_order(finite_difference=SHORT)
    wanted = unrolled(made)
    report = made.step(ARCHITECTURE, images(0), images(1))
    assert float(report.alpha_gradient) == pytest.approx(float(wanted.norm()), rel=1e-4)
    assert report.extra["second_term"] > 1e-3 * report.extra["first_term"]
    assert -1 <= report.extra["cosine"] <= 1
    # Mutant: momentum and weight decay forgotten in the look ahead.
    mutant = second_order(finite_difference=SHORT)
    mutant.weights.optimizer.momentum = 0.0  # type: ignore[attr-defined]
    found = mutant.step(ARCHITECTURE, images(0), images(1)).alpha_gradient
    assert abs(float(found) / float(wanted.norm()) - 1) > 1e-4  # type: ignore[arg-type]


def test_looking_ahead_leaves_weights_and_statistics_as_they_were() -> None:
    made = second_order()
    before = {name: one.clone() for name, one in made.net.state_dict().items()}
    made.step(ARCHITECTURE, images(0), images(1))
    assert all(torch.equal(one, before[name]) for name, one in made.net.state_dict().items())


def test_second_order_runs_the_network_five_times_a_step() -> None:
    """Two gradients of the weights and three of the alphas, against one and one: what bounds its cost."""
    runs = {}
    for order in ("first", "second"):
        net = ToySupernet()
        method("darts", {"order": order}, net).step(BOTH, batch(0), batch(1))
        runs[order] = len(net.evaluated) / 12
    assert runs == {"first": 2, "second": 5}


def test_first_order_is_second_order_without_the_look_ahead() -> None:
    given = {"weight_learning_rate": 1e-6, "weight_learning_rate_end": 1e-6, "momentum": 0.0}
    first, second = (method("darts", given | {"order": order}, real()) for order in ("first", "second"))
    one, two = (made.step(ARCHITECTURE, images(0), images(1)) for made in (first, second))
    assert float(one.alpha_gradient) == pytest.approx(float(two.alpha_gradient), rel=1e-4)  # type: ignore[arg-type]
    assert one.extra == {}
