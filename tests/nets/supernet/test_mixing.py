"""What a mixture does to the sources of an InputChoice, and what a Gate's constants do to gradients."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from explorer.nets.supernet.mixing import Gate, Mixture
from explorer.nets.supernet.network import Supernet
from explorer.nets.supernet.steps import Inputs, terms
from tests.nets.supernet.rig import far, images, inputs_space, supernet

SOURCES = (torch.tensor([1.0]), torch.tensor([10.0]), torch.tensor([100.0]))
U = torch.tensor([[0.9, -1.3], [0.4, 2.2]], dtype=torch.double)
OPERATIONS: tuple[Callable[[Tensor], Tensor] | None, ...] = (lambda x: x / 2, torch.tanh, None)


def inputs_sum(chosen: int | None, mixture: Mixture) -> Tensor:
    """What the sources 1, 10, 100 add to a value of 0."""
    labels = ("skip",) if chosen is not None else tuple(f"skip/{at}" for at in range(3))
    step = Inputs(labels, 0, (1, 2, 3), (None, None, None), chosen)
    values = [torch.zeros(1), *SOURCES]
    step.run(values, mixture)
    return values[-1]


@pytest.mark.parametrize("chosen", [1, 2, 3])
def test_a_mixture_of_the_chosen_is_on_the_scale_of_the_derived_network(chosen: int) -> None:
    """With 1/chosen on each of them; NNI's mean of them is on another scale (nni N9: 30.9 against 110)."""
    picked = tuple(range(chosen))
    weights = torch.tensor([1 / chosen if at in picked else 0.0 for at in range(3)])
    derived = inputs_sum(chosen, {"skip": picked})
    assert derived == sum(SOURCES[at] for at in picked)
    assert torch.allclose(inputs_sum(chosen, {"skip": weights}), derived)
    without_factor = sum(weight * source for weight, source in zip(weights, SOURCES, strict=True))
    assert torch.allclose(derived, torch.as_tensor(without_factor)) == (chosen == 1)


def test_a_switch_weighs_its_source_by_on() -> None:
    mixture = {"skip/0": torch.tensor([0.3, 0.7]), "skip/1": 0, "skip/2": 1}
    assert torch.allclose(inputs_sum(None, mixture), torch.tensor([100.7]))
    assert inputs_sum(None, {"skip/0": 1, "skip/1": 1, "skip/2": None}) == 11


@pytest.mark.parametrize("chosen", [None, 1, 2])
def test_a_mixture_that_is_sure_is_the_derived_network(chosen: int | None) -> None:
    """One-hot on layers and switches, uniform over the chosen inputs; mutant: the mixture without the factor."""
    net = supernet(inputs_space(chosen), "plain").eval()
    architecture = net.space.architecture({"last": "small", "skip": (0, 2) if chosen != 1 else (2,)})
    sure = {each.label: torch.zeros(len(each.candidates), dtype=torch.double) for each in net.decisions}
    sure["last"][1] = 1
    if chosen is None:
        for at in range(3):
            sure[f"skip/{at}"][int(at in (0, 2))] = 1
    else:
        sure["skip"][list(architecture["skip"])] = 1 / chosen
    assert away(net, sure, architecture) < 1e-10
    if chosen == 2:
        assert away(net, sure | {"skip": sure["skip"] / 2}, architecture) > 1e-3


def away(net: Supernet, mixture: Mixture, architecture: object) -> float:
    """The supernet from the network that is cut out of it."""
    batch = images(net.space)
    with torch.no_grad():
        return far(net(batch, mixture), net.cut(architecture)(batch))  # type: ignore[arg-type]


def gated(constants: bool) -> tuple[float, Tensor]:
    """Value and gradient of a Gate that runs tanh alone of (x/2, tanh, none), with one-hot weights."""
    weights = torch.tensor([0.0, 1.0, 0.0], dtype=torch.double, requires_grad=True)
    candidates = [None if operation is None else lambda run=operation: run(U) for operation in OPERATIONS]
    total = sum(terms(Gate((1,), weights, constants), candidates), torch.zeros(()))
    loss = total.square().sum()
    (gradient,) = torch.autograd.grad(loss, weights)
    return loss.item(), gradient


def test_constants_give_what_did_not_run_the_authors_gradient() -> None:
    """GDAS' code: (sum u, <u, op>, sum u) with u the gradient that arrives; without constants nothing but <u, op>."""
    arriving = 2 * U.tanh()
    own = (arriving * U.tanh()).sum()
    value, gradient = gated(constants=True)
    plain_value, plain = gated(constants=False)
    assert value == plain_value
    assert torch.allclose(gradient, torch.stack([arriving.sum(), own, arriving.sum()]))
    assert torch.allclose(plain, torch.stack([torch.zeros_like(own), own, torch.zeros_like(own)]))
    assert not torch.allclose(
        gradient, torch.stack([(arriving * U / 2).sum(), own, own * 0])
    )  # all of them run


@pytest.mark.parametrize("constants", [True, False])
def test_a_gate_runs_no_more_than_it_names(constants: bool) -> None:
    ran: list[int] = []

    def candidate(at: int) -> Callable[[], Tensor]:
        def run() -> Tensor:
            ran.append(at)
            return U * at

        return run

    found = terms(Gate((2, 0), torch.ones(3), constants), [candidate(at) for at in range(3)])
    assert ran == [2, 0]
    assert len(found) == 2 + constants
