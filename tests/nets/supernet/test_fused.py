"""The fused supernet computes what the plain one computes; the plain one is the oracle, whatever it is given."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import product

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from explorer.nets.supernet.fused import FusedSupernet
from explorer.nets.supernet.network import Supernet, build_supernet
from explorer.nets.training import initialise
from tests.nets.supernet.rig import MIXTURES, SPACES, far, fresh, images, mixture, supernet, tables

TIGHT, SINGLE = 1e-10, 1e-5
FAMILIES = tuple(SPACES)


def pair(family: str, dtype: torch.dtype = torch.double) -> tuple[Supernet, Supernet]:
    """A plain and a fused one as new, each filled by itself with the same seed."""
    plain, fused = built(family)
    assert isinstance(fused, FusedSupernet)
    return fresh(plain, dtype=dtype), fresh(fused, dtype=dtype)


@cache
def built(family: str) -> tuple[Supernet, ...]:
    """Once, since NNI's modules take their time."""
    return tuple(build_supernet(SPACES[family], kind) for kind in ("plain", "fused"))


def difference(plain: Supernet, fused: Supernet, kind: str, other: str | None = None) -> dict[str, float]:
    """How far they are apart in outputs, gradients of the mixture, gradients of the weights, and running statistics."""
    dtype = next(plain.parameters()).dtype
    batch = images(plain.space, dtype=dtype)
    outputs, alphas, weights = [], [], []
    for net, which in ((plain, kind), (fused, other or kind)):
        table = tables(net.space, dtype=dtype)
        logits = net(batch, mixture(which, table, net.space))  # (b, classes)
        outputs.append(logits.detach())
        loss = logits.square().sum()
        if kind != "path":
            alphas.append(
                torch.autograd.grad(loss, list(table.values()), allow_unused=True, retain_graph=True)
            )
        weights.append(torch.autograd.grad(loss, list(net.parameters()), allow_unused=True))
    theirs, ours = statistics(plain), statistics(fused)
    assert list(theirs) == list(ours)
    return {
        "outputs": far(*outputs),
        "alphas": max((far(*each) for each in zip(*alphas, strict=True)), default=0.0),
        "weights": max(far(*each) for each in zip(*weights, strict=True)),
        "statistics": max(far(theirs[name].double(), ours[name].double()) for name in theirs),
    }


def statistics(net: Supernet) -> Mapping[str, Tensor]:
    """Running means and variances by name."""
    return {name: tensor for name, tensor in net.named_buffers() if "num_batches" not in name}


QUICK = {("cell", kind, training) for kind in MIXTURES for training in (True, False)} | {
    ("darts", "tensors", True),
    ("darts", "all sorts", False),
}
CASES = [
    pytest.param(*case, marks=() if case in QUICK else pytest.mark.slow)
    for case in product(FAMILIES, MIXTURES, (True, False))
]


@pytest.mark.parametrize(("family", "kind", "training"), CASES)
def test_fused_is_plain(family: str, kind: str, training: bool) -> None:
    plain, fused = pair(family)
    plain(
        images(plain.space, seed=9), tables(plain.space)
    )  # so that running statistics are no zeros and ones
    fused(images(fused.space, seed=9), tables(fused.space))
    plain.train(training), fused.train(training)
    assert max(difference(plain, fused, kind).values()) < TIGHT


@pytest.mark.parametrize("family", FAMILIES)
def test_fused_is_plain_in_single_precision(family: str) -> None:
    plain, fused = pair(family, torch.float)
    found = difference(plain, fused, "tensors")
    scale = max(far(weight, torch.zeros_like(weight)) for _, weight in plain.named_parameters())
    assert max(found["outputs"], found["statistics"]) < SINGLE
    assert max(found["alphas"], found["weights"]) < 10 * SINGLE * max(1.0, scale)


def test_the_oracle_tells_supernets_apart() -> None:
    """Mutants: other weights, another mixture, statistics that follow at another rate."""
    plain, fused = pair("cell")
    initialise(fused, 4)
    assert difference(plain, fused, "tensors")["outputs"] > 1e-3
    plain, fused = pair("cell")
    assert difference(plain, fused, "tensors", other="gates")["outputs"] > 1e-3
    plain, fused = pair("cell")
    norms = [part for part in plain.modules() if isinstance(part, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 0.2
    assert difference(plain, fused, "tensors")["statistics"] > 1e-3
    for norm in norms:
        norm.momentum = 0.1


@pytest.mark.parametrize("family", FAMILIES)
def test_both_learn_the_same(family: str) -> None:
    """Three steps of gradient descent on weights and alphas, tensors and single paths in turn."""
    plain, fused = pair(family)
    scores = []
    for net in (plain, fused):
        table = tables(net.space)
        for step in range(3):
            batch, kind = images(net.space, seed=step), ("tensors", "path", "constants")[step]
            loss = net(batch, mixture(kind, table, net.space)).square().mean()
            own = [*net.parameters(), *table.values()]
            found = torch.autograd.grad(loss, own, allow_unused=True)
            with torch.no_grad():
                for weight, gradient in zip(own, found, strict=True):
                    if gradient is not None:
                        weight -= 0.1 * gradient
        scores.append((dict(net.named_parameters()), statistics(net), table))
    for theirs, ours in zip(*scores, strict=True):
        assert max(far(theirs[name], ours[name]) for name in theirs) < TIGHT


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_seed_gives_both_the_same_weights(family: str) -> None:
    plain, fused = pair(family, torch.float)
    ours = fused.state_dict()
    assert ours.keys() == plain.state_dict().keys()
    assert all(torch.equal(tensor, ours[name]) for name, tensor in plain.state_dict().items())
    initialise(fused, 4)
    assert not torch.equal(next(plain.parameters()), next(fused.parameters()))


def test_a_state_comes_back() -> None:
    _, learned = pair("cell")
    learned(images(learned.space), tables(learned.space))
    other = supernet(learned.space, "fused", seed=8)
    other.load_state_dict(learned.state_dict())
    for net in (learned, other):
        net.eval()
    batch, table = images(learned.space, seed=5), tables(learned.space)
    assert far(learned(batch, table), other(batch, table)) == 0
    assert max(difference(learned, other, "all sorts").values()) < TIGHT


def test_a_plain_supernets_weights_can_be_taken_over() -> None:
    learned, fused = pair("cell")
    fresh(fused, seed=8)
    learned(images(learned.space), tables(learned.space))
    fused.load_plain(learned)
    assert max(difference(learned, fused, "tensors").values()) < TIGHT


def test_fused_stays_plain_when_it_is_moved() -> None:
    """To double precision and back, with training between."""
    nets = pair("cell", torch.float)
    for net in nets:
        net.double()
        net(images(net.space), tables(net.space))
        net.float().double()
    assert max(difference(*nets, "tensors").values()) < TIGHT
    assert max(difference(*nets, "path").values()) < TIGHT


def test_weights_may_be_others_for_one_pass() -> None:
    """As second-order DARTS looks one step ahead, without touching the weights."""
    plain, fused = pair("cell")
    other = {name: weight.detach() * 2 - 0.1 for name, weight in plain.named_parameters()}
    batch, table = images(plain.space), tables(plain.space)
    theirs, ours = (functional_call(net, other, (batch, table)) for net in (plain, fused))
    assert far(theirs, ours) < TIGHT
    assert far(theirs, fused(batch, table)) > 1e-3


@pytest.mark.parametrize("kind", ["tensors", "path", "gates"])
def test_what_does_not_run_has_no_gradient(kind: str) -> None:
    """None, not 0: momentum and weight decay leave it alone in both."""
    missing = []
    for net in pair("cell"):
        loss = net(images(net.space), mixture(kind, tables(net.space), net.space)).square().sum()
        found = torch.autograd.grad(loss, list(net.parameters()), allow_unused=True)
        missing.append([gradient is None for gradient in found])
    assert missing[0] == missing[1]
    assert any(missing[0]) == (kind != "tensors")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_gradient_can_be_differentiated(family: str) -> None:
    """A row of the Hessian by the alphas, and the mixed derivative by the weights, as second-order DARTS needs them."""
    rows, mixed = [], []
    for net in pair(family):
        table = tables(net.space)
        loss = net(images(net.space), table).square().mean()
        slopes = torch.autograd.grad(loss, list(table.values()), create_graph=True)
        total = sum(at * (slope * slope.detach()).sum() for at, slope in enumerate(slopes, start=1))
        assert isinstance(total, Tensor)
        rows.append(torch.autograd.grad(total, list(table.values()), retain_graph=True, allow_unused=True))
        mixed.append(torch.autograd.grad(total, list(net.parameters()), allow_unused=True))
    assert max(far(*each) for each in zip(*rows, strict=True)) < TIGHT
    assert max(far(*each) for each in zip(*mixed, strict=True)) < TIGHT
    assert max(far(each, None) for each in rows[0]) > 1e-6


def test_what_no_mixture_lets_through_is_zero() -> None:
    """Cut edges and the candidate none alike; a Gate that runs only none still gives its weights a gradient."""
    for kind in ("plain", "fused"):
        net = supernet(SPACES["cell"], kind).eval()
        none = net.decisions[0].nones[0]
        batch = images(net.space)
        cut = net(batch, {each.label: None for each in net.decisions})
        nothing = net(batch, {each.label: none for each in net.decisions})
        other = net(images(net.space, seed=7), {each.label: None for each in net.decisions})
        assert torch.equal(cut, nothing)
        assert torch.equal(cut, other)
        assert not torch.equal(cut, net(batch, {each.label: none + 1 for each in net.decisions}))
