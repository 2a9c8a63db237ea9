"""What is cut out of a supernet is the network of that architecture, with the supernet's weights and statistics."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from torch import Tensor, nn

from explorer.errors import SpaceError
from explorer.nets.network import NetworkModule
from explorer.nets.supernet.network import Supernet, build_supernet
from explorer.space import Architecture, SearchSpace, path_of
from tests.nets.supernet.rig import CELL, DARTS, architecture, far, fresh, images, inputs_space, tables

SPACES = {
    "cell": CELL,
    "darts": DARTS,
    "any number of inputs": inputs_space(None),
    "two inputs": inputs_space(2),
    "cropped inputs": inputs_space(1, align="crop"),
}
KINDS = {"cell": ("fused", "plain"), "darts": ("fused",)}
CASES = [(name, kind) for name in SPACES for kind in KINDS.get(name, ("plain",))]


@cache
def built(name: str, kind: str) -> Supernet:
    """Once, since NNI's modules take their time."""
    return build_supernet(SPACES[name], kind)


def learned(name: str, kind: str) -> Supernet:
    """A supernet that has seen images, so that its statistics are no zeros and ones; in evaluation mode."""
    net = fresh(built(name, kind))
    with torch.no_grad():
        net(images(net.space, seed=1), tables(net.space))
    return net.eval()


def gap(net: Supernet, cut: nn.Module, chosen: Architecture) -> float:
    """Greatest difference of the logits between the supernet on the path of `chosen` and the network cut out."""
    batch = images(net.space)
    with torch.no_grad():
        return far(net(batch, path_of(net.space, chosen)), cut(batch))


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_a_network_cut_out_computes_what_the_path_does(name: str, kind: str) -> None:
    net = learned(name, kind)
    for seed in range(3):
        chosen = architecture(net.space, seed)
        by_architecture, by_path = net.cut(chosen), net.cut(path_of(net.space, chosen))
        assert isinstance(by_architecture, NetworkModule)
        assert gap(net, by_architecture, chosen) < 1e-10
        assert gap(net, by_path, chosen) < 1e-10


def test_the_comparison_tells_networks_apart() -> None:
    """Mutants: another architecture, fresh weights, fresh statistics."""
    net, chosen = learned("cell", "fused"), _busy(CELL)
    assert gap(net, net.cut(_busy(CELL, "nor_conv_1x1")), chosen) > 1e-3
    assert gap(net, NetworkModule(CELL.lower(chosen)).double().eval(), chosen) > 1e-3
    cut = net.cut(chosen)
    for part in cut.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.reset_running_stats()
    assert gap(net, cut, chosen) > 1e-3


@pytest.mark.parametrize("kind", ["fused", "plain"])
def test_it_is_a_copy(kind: str) -> None:
    """Training what was cut out leaves the supernet alone."""
    net, chosen = learned("cell", kind), _busy(CELL)
    cut = net.cut(chosen)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    with torch.no_grad():
        for tensor in (*cut.parameters(), *cut.buffers()):
            tensor.add_(1)
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert gap(net, cut, chosen) > 1e-3


def test_it_keeps_type_and_mode() -> None:
    net = learned("cell", "fused")
    assert not net.cut(_busy(CELL)).training
    assert net.train().cut(_busy(CELL)).training
    assert {weight.dtype for weight in net.cut(_busy(CELL)).parameters()} == {torch.double}
    assert {weight.dtype for weight in net.float().cut(_busy(CELL)).parameters()} == {torch.float}


def test_what_is_no_architecture_cannot_be_cut() -> None:
    net = learned("darts", "fused")
    path = dict(path_of(DARTS, architecture(DARTS)))
    with pytest.raises(SpaceError, match="keep exactly 2"):
        net.cut({label: None if label.startswith("normal") else at for label, at in path.items()})
    with pytest.raises(SpaceError, match="does not say what runs at"):
        net.cut(dict(list(path.items())[1:]))


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_every_weight_has_one_address(name: str, kind: str) -> None:
    """The candidates and the skeleton share the supernet's tensors out among them."""
    net = learned(name, kind)
    held = [net.weights(each.label, candidate) for each in net.decisions for candidate in each.candidates]
    names = [name for one in (*held, net.skeleton()) for name in one]
    assert len(names) == len(set(names))
    assert set(names) == set(net.state_dict())
    assert set(names) != set(net.state_dict()) - set(net.skeleton())  # mutant: without the skeleton


@pytest.mark.parametrize("kind", ["fused", "plain"])
def test_what_has_an_address_is_the_supernets_own(kind: str) -> None:
    """Writing to it changes the path that runs it, and no other; also after the net was moved."""
    net = learned("cell", kind)
    net.float().double()
    label = net.decisions[0].label
    batch = images(CELL)
    paths = [path_of(CELL, _busy(CELL).with_choice(label, name)) for name in ("nor_conv_3x3", "nor_conv_1x1")]
    with torch.no_grad():
        before = [net(batch, path) for path in paths]
        for name, tensor in net.weights(label, "nor_conv_3x3").items():
            if name.endswith("weight"):
                tensor.neg_()
        after = [net(batch, path) for path in paths]
    assert far(before[0], after[0]) > 1e-3
    assert torch.equal(before[1], after[1])
    assert not net.weights(label, "none")


def test_an_address_holds_all_stacked_cells() -> None:
    found = learned("cell", "fused").weights("edge_0_1", "nor_conv_3x3")
    weights = [tensor for name, tensor in found.items() if name.endswith("1.weight")]
    assert [tuple(tensor.shape) for tensor in weights] == [(4, 4, 3, 3), (8, 8, 3, 3)]
    assert all(isinstance(tensor, Tensor) for tensor in found.values())


def test_an_unknown_address_is_one_sentence() -> None:
    net = learned("cell", "fused")
    for label, candidate in (("edge_7_8", "none"), ("edge_0_1", "conv")):
        with pytest.raises(SpaceError, match=f"has no candidate '{candidate}' at '{label}'"):
            net.weights(label, candidate)


def _busy(space: SearchSpace, operation: str = "nor_conv_3x3") -> Architecture:
    """The architecture with one operation everywhere."""
    return space.architecture({mutable.label: operation for mutable in space.mutables})
