"""Repairs that need no taste: infer what was stated wrongly, align what does not fit. Each is explained."""

from __future__ import annotations

from dataclasses import dataclass, replace

from explorer.catalogue import SPACES
from explorer.space.base import SearchSpace
from explorer.space.check import check
from explorer.space.macro import Layer, MacroSpace
from explorer.space.mutables import LayerChoice, Operation
from explorer.space.network import Problem
from explorer.space.presets import preset

INFERRED = {"in-features": "in_features", "in-channels": "in_channels"}


@dataclass(frozen=True)
class Repair:
    """What was changed, and why."""

    layer: str
    sentence: str


def repair(space: SearchSpace) -> tuple[SearchSpace, tuple[Repair, ...]]:
    """The space with every repairable problem repaired, and one explanation each.

    A space that then equals a preset takes the preset's name. What cannot be repaired stays; `check` still names it.
    """
    if not isinstance(space, MacroSpace):
        return space, ()
    repairs: list[Repair] = []
    repaired = space
    for problem in check(space):
        if problem.code in INFERRED:
            repaired = _infer(repaired, problem)
            repairs.append(
                Repair(problem.layer, f"{problem.layer} {problem.message}; now inferred from what arrives.")
            )
        elif problem.code == "sum-of-different-shapes":
            repaired = _align(repaired, problem.layer)
            repairs.append(
                Repair(
                    problem.layer,
                    f"{problem.layer} {problem.message}; a bias-free 1x1 convolution and a centre crop now align it.",
                )
            )
    for name in SPACES:
        known = preset(name)
        if repairs and known.hash == repaired.hash:
            return known, tuple(repairs)
    return repaired, tuple(repairs)


def _infer(space: MacroSpace, problem: Problem) -> MacroSpace:
    forgotten = INFERRED[problem.code]
    return replace(
        space,
        layers=tuple(
            _without(layer, forgotten) if layer.name == problem.layer else layer for layer in space.layers
        ),
    )


def _without(layer: Layer, parameter: str) -> Layer:
    def stripped(operation: Operation) -> Operation:
        kept = {name: value for name, value in operation.parameters.items() if name != parameter}
        return Operation(operation.name, kept)

    if isinstance(layer.content, Operation):
        return Layer(layer.name, stripped(layer.content))
    candidates = tuple((name, stripped(operation)) for name, operation in layer.content.candidates)
    return Layer(layer.name, LayerChoice(layer.content.label, candidates))


def _align(space: MacroSpace, label: str) -> MacroSpace:
    return replace(
        space,
        skips=tuple(replace(skip, align="crop") if skip.label == label else skip for skip in space.skips),
    )
