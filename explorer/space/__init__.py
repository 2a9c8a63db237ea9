"""Search spaces in pure Python: choices, architectures, shapes, costs, problems, and their text forms."""

from explorer.space.architecture import Architecture
from explorer.space.base import Input, SearchSpace
from explorer.space.cell import CellSpace, edge_label, full_edges
from explorer.space.check import check, check_network, structure
from explorer.space.codec import (
    architecture_text,
    from_nasbench201,
    load_architecture,
    load_space,
    pack,
    read_json,
    space_reference,
    to_nasbench201,
    unpack,
)
from explorer.space.costs import CostRange, NodeRange, cost_range, node_ranges
from explorer.space.darts import DartsSpace
from explorer.space.decisions import Decision, architecture_of, decisions, path_of, supernet_problems
from explorer.space.isomorphism import canonical, distinct_cells
from explorer.space.macro import Layer, MacroSpace
from explorer.space.mutables import InputChoice, LayerChoice, Mutable, Operation, ValueChoice
from explorer.space.network import INPUT, Measured, Network, Node, Problem
from explorer.space.presets import preset, searchable
from explorer.space.reading import space_from_json
from explorer.space.repair import Repair, repair
from explorer.space.shapes import Shape, show

__all__ = [
    "INPUT",
    "Architecture",
    "CellSpace",
    "CostRange",
    "DartsSpace",
    "Decision",
    "Input",
    "InputChoice",
    "Layer",
    "LayerChoice",
    "MacroSpace",
    "Measured",
    "Mutable",
    "Network",
    "Node",
    "NodeRange",
    "Operation",
    "Problem",
    "Repair",
    "SearchSpace",
    "Shape",
    "ValueChoice",
    "architecture_of",
    "architecture_text",
    "canonical",
    "check",
    "check_network",
    "cost_range",
    "decisions",
    "distinct_cells",
    "edge_label",
    "from_nasbench201",
    "full_edges",
    "load_architecture",
    "load_space",
    "node_ranges",
    "pack",
    "path_of",
    "preset",
    "read_json",
    "repair",
    "searchable",
    "show",
    "space_from_json",
    "space_reference",
    "structure",
    "supernet_problems",
    "to_nasbench201",
    "unpack",
]
