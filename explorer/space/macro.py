"""Macro spaces: a chain of layers, some of them choices, with candidate skip connections over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

from explorer.space.base import SearchSpace
from explorer.space.mutables import InputChoice, LayerChoice, Mutable, Operation, ValueChoice
from explorer.space.network import INPUT, Network, Node


@dataclass(frozen=True)
class Layer:
    """One place in the chain: an operation, or a LayerChoice among several (labelled with the layer's name)."""

    name: str
    content: Operation | LayerChoice

    @property
    def operations(self) -> tuple[tuple[str, Operation], ...]:
        """(candidate name, operation) of everything that may stand here."""
        if isinstance(self.content, LayerChoice):
            return self.content.candidates
        return ((self.name, self.content),)

    @property
    def values(self) -> tuple[ValueChoice, ...]:
        """Every ValueChoice among the parameters, in order."""
        return tuple(
            value
            for _, operation in self.operations
            for value in operation.parameters.values()
            if isinstance(value, ValueChoice)
        )


@dataclass(frozen=True)
class MacroSpace(SearchSpace):
    """A chain of layers; each InputChoice adds chosen earlier outputs to the output of one layer."""

    family: ClassVar[str] = "macro"

    layers: tuple[Layer, ...] = ()
    skips: tuple[InputChoice, ...] = ()

    @cached_property
    def mutables(self) -> tuple[Mutable, ...]:
        """Layers from first to last (a choice, then its values), then the skips; a shared value counts once."""
        found: dict[str, Mutable] = {}
        for layer in self.layers:
            if isinstance(layer.content, LayerChoice):
                found[layer.content.label] = layer.content
            for value in layer.values:
                found.setdefault(value.label, value)
        for skip in self.skips:
            found[skip.label] = skip
        return tuple(found.values())

    def for_classes(self, classes: int) -> Self:
        """Unchanged: the last layer says how many classes there are."""
        return self

    def lower(self, architecture: Mapping[str, Any]) -> Network:
        """The chain with its choices made; a skip is an optional `align` and an `add` behind the layer it feeds."""
        chosen = self.architecture(architecture)
        nodes: list[Node] = []
        outputs: dict[str, str] = {INPUT: INPUT}  # layer -> node that carries its output, additions included
        before = INPUT
        for layer in self.layers:
            nodes.append(_layer_node(layer, before, chosen))
            before = nodes[-1].name
            for skip in self.skips:
                if skip.into == layer.name and chosen[skip.label]:
                    nodes += _skip_nodes(skip, chosen[skip.label], outputs, before)
                    before = nodes[-1].name
            outputs[layer.name] = before
        return Network(self.input.shape, tuple(nodes))

    def body_json(self) -> dict[str, Any]:
        """{"layers": [...], "skips": [...]}"""
        return {
            "layers": [_layer_json(layer) for layer in self.layers],
            "skips": [
                {
                    "label": skip.label,
                    "from": list(skip.sources),
                    "into": skip.into,
                    "n_chosen": skip.n_chosen,
                    "align": skip.align,
                }
                for skip in self.skips
            ],
        }


def _layer_node(layer: Layer, before: str, chosen: Mapping[str, Any]) -> Node:
    label, choice, operation = "", "", layer.content
    if isinstance(operation, LayerChoice):
        label, choice = operation.label, chosen[operation.label]
        operation = operation.operation(choice)
    parameters = {
        name: chosen[value.label] if isinstance(value, ValueChoice) else value
        for name, value in operation.parameters.items()
    }
    return Node(layer.name, operation.name, (before,), parameters, label, choice)


def _skip_nodes(
    skip: InputChoice, choice: tuple[int, ...], outputs: Mapping[str, str], into: str
) -> list[Node]:
    nodes: list[Node] = []
    arriving = [outputs[skip.sources[at]] for at in choice]
    if skip.align == "crop":
        nodes += [
            Node(f"{skip.label}/{at}", "align", (source, into), label=skip.label)
            for at, source in zip(choice, arriving, strict=True)
        ]
        arriving = [node.name for node in nodes]
    return [*nodes, Node(f"{skip.label}/sum", "add", (*arriving, into), label=skip.label)]


def _operation_json(operation: Operation) -> dict[str, Any]:
    parameters = {
        name: {"label": value.label, "values": list(value.values)}
        if isinstance(value, ValueChoice)
        else value
        for name, value in operation.parameters.items()
    }
    return {"operation": operation.name, "parameters": parameters}


def _layer_json(layer: Layer) -> dict[str, Any]:
    if isinstance(layer.content, Operation):
        return {"name": layer.name, **_operation_json(layer.content)}
    candidates = [
        {"name": name, **_operation_json(operation)} for name, operation in layer.content.candidates
    ]
    return {"name": layer.name, "candidates": candidates}
