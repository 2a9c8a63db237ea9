"""What a supernet decides: one row of probabilities a decision; and architectures as paths through these rows.

A decision is what a one-shot method weighs candidates for. In macro spaces and plain cells it is the choice itself;
an InputChoice with any number chosen is one switch a source; in the DARTS cell it is an edge, of which derivation keeps
two a node.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from explorer.errors import SpaceError
from explorer.space.architecture import Architecture
from explorer.space.base import SearchSpace
from explorer.space.cell import CellSpace, edge_label
from explorer.space.darts import INPUTS, KINDS, DartsSpace, darts_edge_label, inputs_label, operation_label
from explorer.space.macro import MacroSpace
from explorer.space.mutables import InputChoice, LayerChoice, ValueChoice
from explorer.space.network import INPUT
from explorer.space.shapes import ShapeProblem, show
from explorer.space.varying import varying_layers

OFF, ON = "off", "on"
IDENTITIES = ("skip_connect", "identity")

Path = Mapping[str, int | tuple[int, ...] | None]
"""Decision's label -> the candidate that runs; a sorted tuple of sources where several may; None where nothing does."""


@dataclass(frozen=True)
class Decision:
    """One row of probabilities.

    `kind` is `operation`, `switch` (candidates off and on) or `inputs` (sources, `chosen` of them). Decisions of one
    `group` feed the same node. `skips` and `nones` are the indices of candidates that pass on or cut.
    """

    label: str
    candidates: tuple[str, ...]
    kind: str = "operation"
    group: str = ""
    chosen: int = 1
    skips: tuple[int, ...] = ()
    nones: tuple[int, ...] = ()


def decisions(space: SearchSpace) -> tuple[Decision, ...]:
    """Every decision in the order of the network; raises SpaceError where a supernet cannot hold the space."""
    problems = supernet_problems(space)
    if problems:
        raise SpaceError(*problems)
    if isinstance(space, DartsSpace):
        return tuple(
            _operation(darts_edge_label(kind, source, target), space.operations, f"{kind}/node_{target}")
            for kind in KINDS
            for target in space.targets
            for source in range(target)
        )
    if isinstance(space, CellSpace):
        return tuple(
            _operation(edge_label(edge), space.operations, f"node_{edge[1]}") for edge in space.edges
        )
    found: list[Decision] = []
    for mutable in space.mutables:
        if isinstance(mutable, LayerChoice):
            operations = tuple(operation.name for _, operation in mutable.candidates)
            found.append(_operation(mutable.label, mutable.names, mutable.label, operations))
        elif isinstance(mutable, InputChoice):
            found += _inputs(mutable)
    return tuple(found)


def _operation(
    label: str, candidates: tuple[str, ...], group: str, operations: tuple[str, ...] | None = None
) -> Decision:
    names = operations or candidates
    return Decision(
        label,
        candidates,
        group=group,
        skips=tuple(at for at, name in enumerate(names) if name in IDENTITIES),
        nones=tuple(at for at, name in enumerate(names) if name == "none"),
    )


def _inputs(mutable: InputChoice) -> list[Decision]:
    if mutable.n_chosen is None:
        return [
            Decision(f"{mutable.label}/{at}", (OFF, ON), "switch", mutable.into, skips=(1,), nones=(0,))
            for at in range(len(mutable.sources))
        ]
    names = tuple(str(at) for at in range(len(mutable.sources)))
    return [Decision(mutable.label, names, "inputs", mutable.into, mutable.n_chosen)]


def supernet_problems(space: SearchSpace) -> list[str]:
    """Sentences about what keeps one network from holding every candidate; empty when it can."""
    if all(mutable.count == 1 for mutable in space.mutables):
        return [
            f"{space.name} has nothing to choose; a one-shot search needs a choice of at least two options."
        ]
    values = [mutable.label for mutable in space.mutables if isinstance(mutable, ValueChoice)]
    if values:
        return [
            f"{space.name} chooses values ({', '.join(values)}), and weights of different widths cannot be shared; "
            "fix them, or try architectures one by one (run random)."
        ]
    return _macro_problems(space) if isinstance(space, MacroSpace) else []


def _macro_problems(space: MacroSpace) -> list[str]:
    """A supernet adds up all candidates of a layer, and all sources of a skip."""
    try:
        varying = varying_layers(space)
    except ShapeProblem as problem:
        return [f"{space.name} cannot run as it stands: a layer {problem.message}; {problem.remedy}."]
    if varying:
        first = next(layer.name for layer in space.layers if layer.name in varying)
        return [
            f"The candidates before or at {first!r} give different shapes, and a supernet adds them up; "
            "give them equal out_channels and paddings, or try architectures one by one (run random)."
        ]
    shapes = {row.node.name: row.shape for row in space.lower(space.default).rows}
    shapes[INPUT] = space.input.shape
    return [
        f"The skip {skip.label!r} adds {show(shapes[source])} from {source!r} to {show(shapes[skip.into])} at "
        f"{skip.into!r}, and a supernet adds them up; set its align to 'crop'."
        for skip in space.skips
        if skip.align == "none"
        for source in skip.sources
        if shapes[source] != shapes[skip.into]
    ]


def path_of(
    space: SearchSpace, architecture: Mapping[str, object]
) -> dict[str, int | tuple[int, ...] | None]:
    """The path of an architecture; raises SpaceError for what is none of `space`."""
    chosen = space.architecture(architecture)
    if isinstance(space, DartsSpace):
        path: dict[str, int | tuple[int, ...] | None] = {each.label: None for each in decisions(space)}
        for kind in KINDS:
            for target in space.targets:
                for at, source in enumerate(chosen[inputs_label(kind, target)]):
                    name = chosen[operation_label(kind, target, at)]
                    path[darts_edge_label(kind, source, target)] = space.operations.index(name)
        return path
    found: dict[str, int | tuple[int, ...] | None] = {}
    for mutable in space.mutables:
        choice = chosen[mutable.label]
        if isinstance(mutable, InputChoice) and mutable.n_chosen is None:
            found |= {f"{mutable.label}/{at}": int(at in choice) for at in range(len(mutable.sources))}
        else:
            found[mutable.label] = choice if isinstance(mutable, InputChoice) else mutable.index(choice)
    return found


def architecture_of(space: SearchSpace, path: Path) -> Architecture:
    """The inverse of `path_of`; in a DARTS cell exactly two edges a node must run. Raises SpaceError."""
    problems = [problem for each in decisions(space) if (problem := _problem(each, path, space.family))]
    if problems:
        raise SpaceError(*problems)
    if isinstance(space, DartsSpace):
        return space.architecture(_darts_choices(space, path))
    choices: dict[str, object] = {}
    for mutable in space.mutables:
        if isinstance(mutable, InputChoice) and mutable.n_chosen is None:
            choices[mutable.label] = tuple(
                at for at in range(len(mutable.sources)) if path[f"{mutable.label}/{at}"] == 1
            )
        elif isinstance(mutable, InputChoice):
            choices[mutable.label] = path[mutable.label]
        else:
            choices[mutable.label] = mutable.option(path[mutable.label])  # type: ignore[arg-type]
    return space.architecture(choices)


def _problem(decision: Decision, path: Path, family: str) -> str | None:
    """What is wrong with a path at one decision; how many sources are chosen is the space's to judge."""
    if decision.label not in path:
        return f"The path does not say what runs at {decision.label}."
    held, last = path[decision.label], len(decision.candidates) - 1
    if decision.kind == "inputs":
        is_right, wanted = isinstance(held, tuple), f"a tuple of sources from 0 to {last}"
    else:
        is_cut = held is None and family == DartsSpace.family
        is_right = is_cut or (isinstance(held, int) and 0 <= held <= last)
        wanted = f"a candidate from 0 to {last}"
    return None if is_right else f"The path has {held!r} at {decision.label}; give {wanted}."


def _darts_choices(space: DartsSpace, path: Path) -> dict[str, object]:
    choices: dict[str, object] = {}
    for kind in KINDS:
        for target in space.targets:
            held = {
                source: at
                for source in range(target)
                if (at := path[darts_edge_label(kind, source, target)]) is not None
            }
            if len(held) != INPUTS:
                raise SpaceError(
                    f"Node {target} of the {kind} cell has {len(held)} inputs; keep exactly {INPUTS}."
                )
            choices[inputs_label(kind, target)] = tuple(held)
            for at, index in enumerate(held.values()):
                choices[operation_label(kind, target, at)] = space.operations[index]  # type: ignore[index]
    return choices
