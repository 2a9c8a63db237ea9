"""A partial supernet mixes a part of the channels, lets the others pass, and shuffles (PC-DARTS)."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.errors import SpaceError
from explorer.nets.supernet.network import Supernet, build_supernet
from explorer.nets.supernet.partial import PartialNode, shuffled
from explorer.nets.supernet.steps import Edge
from tests.nets.supernet.rig import CELL, DARTS, SPACES, architecture, far, fresh, images, mixture, tables


@cache
def built(family: str, kind: str, part: int = 1) -> Supernet:
    """Once, since NNI's modules take their time."""
    return build_supernet(SPACES[family], kind, part)


def test_shuffling_deals_the_groups_out_in_turn() -> None:
    given = torch.arange(8).view(1, 8, 1, 1)
    assert shuffled(given, 2).flatten().tolist() == [0, 4, 1, 5, 2, 6, 3, 7]
    assert shuffled(given, 4).flatten().tolist() == [0, 2, 4, 6, 1, 3, 5, 7]
    assert torch.equal(shuffled(given, 1), given)
    assert torch.equal(shuffled(shuffled(given, 2), 4), given)  # a permutation: dealt back
    batch = torch.randn(2, 6, 3, 4, generator=torch.Generator().manual_seed(0))
    assert sorted(shuffled(batch, 3).flatten().tolist()) == sorted(batch.flatten().tolist())
    assert not torch.equal(
        batch.view(2, 3, 2, 3, 4).view(batch.shape), shuffled(batch, 3)
    )  # mutant: no transpose


def edge_by_hand(value: Tensor, weights: Tensor, part: int, halved: bool = False) -> Tensor:
    """Equations 1 and 2 of the paper for candidates (x, 2 x, nothing), and the shuffle of the authors' code."""
    size = value.shape[1] // part
    mixed = weights[0] * value[:, :size] + weights[1] * 2 * value[:, :size]
    others = value[:, size:] * weights.sum()
    if halved:
        mixed, others = mixed[:, :, ::2, ::2], functional.max_pool2d(others, 2)
    whole = torch.cat([mixed, others], 1)
    order = [at * size + offset for offset in range(size) for at in range(part)]
    return whole[:, order]


class Times(nn.Module):
    """x -> factor * x, of which every `stride`-th pixel."""

    def __init__(self, factor: float, stride: int) -> None:
        super().__init__()
        self.factor, self.stride = factor, stride

    def forward(self, value: Tensor) -> Tensor:
        return self.factor * value[:, :, :: self.stride, :: self.stride]


@pytest.mark.parametrize(("part", "stride"), [(1, 1), (2, 1), (4, 1), (2, 2)])
def test_an_edge_mixes_a_part_of_the_channels(part: int, stride: int) -> None:
    value = torch.randn(2, 8, 4, 4, generator=torch.Generator().manual_seed(1))
    weights = torch.tensor([0.5, 0.3, 0.1])  # they need not sum to 1: an edge's own weight is their sum
    edge = Edge("one", 0, (Times(1, stride), Times(2, stride), None))
    node = PartialNode((edge,), (8, 4 // stride, 4 // stride), part)
    values = [value]
    node.run(values, {"one": weights})
    expected = edge_by_hand(value, weights, part, halved=stride == 2)
    assert far(values[-1], expected) < 1e-6
    mutant = edge_by_hand(value, weights / weights.sum(), part, halved=stride == 2)  # no weight of the edge
    assert far(values[-1], mutant) > 1e-2


def test_one_part_is_the_whole() -> None:
    """With all channels mixed it is the plain supernet."""
    plain, partial = fresh(built("cell", "plain")), fresh(built("cell", "partial"))
    for form in ("tensors", "path", "gates"):
        weights = mixture(form, tables(CELL), CELL)
        assert far(plain(images(CELL), weights), partial(images(CELL), weights)) < 1e-10
    other = fresh(built("cell", "partial", 2))
    assert far(plain(images(CELL), tables(CELL)), other(images(CELL), tables(CELL))) > 1e-3


@pytest.mark.parametrize("family", list(SPACES))
def test_candidates_are_narrower_by_the_part(family: str) -> None:
    net = fresh(built(family, "partial", 2))
    whole = fresh(built(family, "plain"))
    label, candidate = net.decisions[0].label, {"cell": "nor_conv_3x3", "darts": "sep_conv_3x3"}[family]
    narrow, wide = net.weights(label, candidate), whole.weights(label, candidate)
    assert [2 * len(tensor) for tensor in narrow.values() if tensor.dim()] == [
        len(tensor) for tensor in wide.values() if tensor.dim()
    ]
    table = tables(net.space)
    logits = net(images(net.space), table)
    assert logits.shape == (5, 3)
    slopes = torch.autograd.grad(logits.square().sum(), list(table.values()))
    assert all(slope.abs().max() > 0 for slope in slopes)


def test_a_part_that_does_not_divide_is_one_sentence() -> None:
    with pytest.raises(SpaceError) as caught:
        build_supernet(CELL, "partial", 3)
    (sentence,) = str(caught.value).splitlines()
    assert "has 4 channels" in sentence
    assert "3 equal parts" in sentence


def test_no_network_can_be_cut_out_of_parts() -> None:
    with pytest.raises(SpaceError, match="narrower"):
        built("cell", "partial", 2).cut(architecture(CELL))


def test_darts_cells_halve_what_passes_by() -> None:
    net = fresh(built("darts", "partial", 2)).eval()
    paths = [mixture("path", {}, DARTS, seed) for seed in range(2)]
    first, second = (net(images(DARTS), path) for path in paths)
    assert first.shape == second.shape == (5, 3)
    assert far(first, second) > 1e-6
