"""Statistics measured anew are the mean over the batches; those of a batch leave nothing behind."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

from explorer.nets.supernet.batch_norm import batch_statistics, recalibrate
from explorer.nets.supernet.mixing import Mixture
from explorer.nets.supernet.network import Supernet, build_supernet
from tests.nets.supernet.rig import CELL, far, fresh, images, mixture, tables

BATCHES = [images(CELL, count=4 + seed, seed=seed) for seed in range(3)]  # of unequal sizes


@cache
def built(kind: str) -> Supernet:
    """Once, since NNI's modules take their time."""
    return build_supernet(CELL, kind)


def means_by_hand(net: Supernet, mixture_: Mixture) -> dict[str, list[Tensor]]:
    """Norm -> mean and unbiased variance, averaged over the batches, of what arrives there in the plain net."""
    seen: dict[str, list[tuple[Tensor, Tensor]]] = {}
    hooks = []
    for name, part in net.named_modules():
        if isinstance(part, nn.BatchNorm2d):

            def note(_: nn.Module, given: tuple[Tensor], name: str = name) -> None:
                seen.setdefault(name, []).append((given[0].mean((0, 2, 3)), given[0].var((0, 2, 3))))

            hooks.append(part.register_forward_pre_hook(note))
    with torch.no_grad(), batch_statistics(net):
        for batch in BATCHES:
            net(batch, mixture_)
    for hook in hooks:
        hook.remove()
    return {
        name: [torch.stack(each).mean(0) for each in zip(*rows, strict=True)] for name, rows in seen.items()
    }


@pytest.mark.parametrize("kind", ["plain", "fused"])
@pytest.mark.parametrize("form", ["tensors", "path"])
def test_statistics_measured_anew_are_the_mean_over_the_batches(kind: str, form: str) -> None:
    net, plain = fresh(built(kind)), fresh(built("plain"))
    mixture_ = mixture(form, tables(CELL), CELL)
    expected = means_by_hand(plain, mixture_)
    fresh(net)
    with torch.no_grad():
        net(images(CELL, seed=8), tables(CELL))  # to be forgotten
    recalibrate(net.eval(), BATCHES, mixture_)
    found = dict(net.named_buffers())
    assert expected
    for name, rows in expected.items():
        assert far(rows[0], found[f"{name}.running_mean"]) < 1e-10
        assert far(rows[1], found[f"{name}.running_var"]) < 1e-10
    assert not net.training
    last = BATCHES[-1]
    mutant = fresh(built("plain"))
    recalibrate(mutant, [last], mixture_)  # the last batch alone
    assert (
        max(far(expected[name][0], dict(mutant.named_buffers())[f"{name}.running_mean"]) for name in expected)
        > 1e-3
    )


class Batch(NamedTuple):
    """As the searches have it."""

    images: Tensor


def test_a_batch_may_bring_labels() -> None:
    net = fresh(built("fused"))
    recalibrate(net, [Batch(one) for one in BATCHES], tables(CELL))
    assert net.training
    found = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    recalibrate(net, BATCHES, tables(CELL))
    assert all(torch.equal(tensor, found[name]) for name, tensor in net.state_dict().items())


def test_momentum_comes_back_when_a_batch_breaks() -> None:
    net = fresh(built("fused"))
    momenta = [part.momentum for part in net.modules() if isinstance(part, nn.BatchNorm2d)]
    with pytest.raises(RuntimeError):
        recalibrate(net, [torch.zeros(2, 7, 6, 6).double()], tables(CELL))
    assert [part.momentum for part in net.modules() if isinstance(part, nn.BatchNorm2d)] == momenta


@pytest.mark.parametrize("kind", ["plain", "fused"])
@pytest.mark.parametrize("form", ["tensors", "path", "all sorts"])
def test_the_batchs_own_statistics_leave_nothing_behind(kind: str, form: str) -> None:
    net = fresh(built(kind)).eval()
    batch, mixture_ = BATCHES[0], mixture(form, tables(CELL), CELL)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    with torch.no_grad():
        by_running = net(batch, mixture_)
        with batch_statistics(net):
            assert not net.training
            by_batch = net(batch, mixture_)
        assert torch.equal(net(batch, mixture_), by_running)
        assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
        by_training = net.train()(batch, mixture_)  # the mutant: the same logits, but it leaves its mark
    assert far(by_batch, by_training) < 1e-10
    assert far(by_batch, by_running) > 1e-6
    assert not all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


def test_statistics_come_back_when_evaluation_breaks() -> None:
    net = fresh(built("fused"))
    with pytest.raises(ZeroDivisionError), batch_statistics(net):
        1 / 0  # noqa: B018
    assert net.training
    assert all(part.running_mean is not None for part in net.modules() if isinstance(part, nn.BatchNorm2d))
