"""Every operation that may stand on an edge is run together with the same one on other edges."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from explorer.catalogue import OPERATIONS
from explorer.nets.operations import build
from explorer.nets.supernet.fused import Cell, FusedSupernet, Leaving
from explorer.nets.supernet.network import build_supernet
from explorer.nets.supernet.steps import Edge
from explorer.space import CellSpace, SearchSpace, full_edges, preset
from explorer.space.darts import edge_parameters
from tests.nets.supernet.rig import DARTS, far, images, supernet, tables

EDGES = [name for name, entry in OPERATIONS.items() if entry.facts["family"] == "edge" and name != "none"]


def leaving(space: SearchSpace) -> list[Leaving]:
    """Of every cell."""
    net = build_supernet(space)
    assert isinstance(net, FusedSupernet)
    return [each for step in net.steps if isinstance(step, Cell) for each in step.leaving.values()]


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("operation", EDGES)
def test_no_operation_is_run_edge_by_edge(operation: str, stride: int) -> None:
    parameters = OPERATIONS[operation].defaults() | edge_parameters(operation, stride)
    modules = [build(operation, parameters, ((4, 8, 8),)) for _ in range(2)]
    each = Leaving([Edge(f"edge {at}", 0, (module,)) for at, module in enumerate(modules)])
    assert each.is_complete
    assert each.candidates == [0]
    unknown = Leaving([Edge("edge", 0, (torch.nn.Sequential(torch.nn.Sigmoid()),))])
    assert not unknown.is_complete


def test_the_cells_of_the_catalogue_are_stacked() -> None:
    for space in (preset("cell").bound_to(1, 8, 10), DARTS):
        assert leaving(space)
        assert all(each.is_complete and each.candidates for each in leaving(space))


def odd_cell(operations: tuple[str, ...], side: int = 6) -> SearchSpace:
    """A cell with other operations than the preset's."""
    space = preset("cell")
    assert isinstance(space, CellSpace)
    return replace(space, operations=operations, nodes=3, edges=full_edges(3)).bound_to(1, side, 3)


@pytest.mark.parametrize(
    ("operations", "side"),
    [
        (("max_pool_3x3", "none", "skip_connect", "nor_conv_3x3"), 6),
        (("nor_conv_1x1", "avg_pool_3x3"), 9),  # too large for one product
        (("skip_connect", "avg_pool_3x3", "none"), 6),  # nothing to normalise
        (("sep_conv_3x3", "nor_conv_1x1"), 6),  # nothing shared
    ],
)
def test_cells_of_other_operations_are_fused_as_well(operations: tuple[str, ...], side: int) -> None:
    space = odd_cell(operations, side)
    plain, fused = supernet(space, "plain"), supernet(space, "fused")
    given, table = images(space), tables(space)
    for mode in (True, False):
        found = []
        for net in (plain, fused):
            logits = net.train(mode)(given, table)
            asked = [*table.values(), *net.parameters()]
            slopes = torch.autograd.grad(logits.square().sum(), asked, allow_unused=True)
            found.append([logits, *slopes])
        assert max(far(one, other) for one, other in zip(*found, strict=True)) < 1e-10
    unlike = tables(space, seed=2)
    assert far(plain(given, table), fused(given, unlike)) > 1e-3
