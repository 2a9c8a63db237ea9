"""Everything that keeps a space from running, found at once.

`structure` needs no architecture: labels, candidates, unknown operations, cycles, loose ends, limits.
`check` adds what only shapes can tell, over every architecture of a small space and over a covering sample of a large
one: the default, every single edit of it, and seeded random architectures.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice

from explorer.catalogue import OPERATIONS
from explorer.errors import UnknownName
from explorer.space.architecture import Architecture
from explorer.space.base import SearchSpace
from explorer.space.cell import CellSpace, edge_label
from explorer.space.costs import extremes
from explorer.space.darts import PRIMITIVES, DartsSpace
from explorer.space.macro import MacroSpace
from explorer.space.mutables import InputChoice, LayerChoice, Operation, ValueChoice
from explorer.space.network import INPUT, Network, Problem
from explorer.space.shapes import show

MAX_LAYERS = 200
MAX_CANDIDATES = 64
MAX_SOURCES = 64
MAX_NODES = 8
MAX_NETWORK_PARAMETERS = 50_000_000
EXHAUSTIVE = 256
SAMPLED = 128


def structure(space: SearchSpace) -> list[str]:
    """Sentences about the space's make-up; empty when it can be counted, sampled and lowered."""
    if isinstance(space, MacroSpace):
        return _macro_structure(space)
    if isinstance(space, CellSpace):
        return _cell_structure(space)
    if isinstance(space, DartsSpace):
        return _darts_structure(space)
    return []


def check(space: SearchSpace, classes: int | None = None) -> list[Problem]:
    """Every distinct problem of the space's architectures, in the order of the layers.

    With `classes`, also whether the output has a number for each class.
    """
    found: dict[tuple[str, str, tuple[str, str]], Problem] = {}
    for architecture in _covering(space):
        for problem in check_network(space.lower(architecture), classes):
            found.setdefault((problem.layer, problem.code, problem.shapes), problem)
    return list(found.values())


def check_network(network: Network, classes: int | None = None) -> list[Problem]:
    """Every problem of one architecture: shapes, the output, the size."""
    return [*network.problems, *_output_problems(network, classes), *_size_problems(network)]


def _covering(space: SearchSpace) -> Iterator[Architecture]:
    if space.size <= EXHAUSTIVE:
        yield from space
        return
    yield space.default
    if isinstance(
        space, DartsSpace
    ):  # its shapes are the same everywhere; only the size is a question of choices
        yield from extremes(space)
        return
    yield from islice(space.neighbours(space.default), 4 * EXHAUSTIVE)
    if isinstance(space, MacroSpace):
        yield from islice(_values_within_candidates(space), 4 * EXHAUSTIVE)
    yield from space.sample(SAMPLED, random.Random(0))


def _values_within_candidates(space: MacroSpace) -> Iterator[Architecture]:
    """Every value of every candidate: a value matters only where its candidate is chosen."""
    for layer in space.layers:
        if not isinstance(layer.content, LayerChoice):
            continue
        for name, operation in layer.content.candidates:
            chosen = space.default.with_choice(layer.content.label, name)
            for value in operation.parameters.values():
                if isinstance(value, ValueChoice):
                    yield from (chosen.with_choice(value.label, option) for option in value.values)


def _output_problems(network: Network, classes: int | None) -> Iterator[Problem]:
    shape, last = network.output_shape, network.nodes[-1].name
    if len(shape) != 1:
        yield Problem(
            last,
            "output-is-image",
            ("one row of numbers", show(shape)),
            f"the network ends in {show(shape)} instead of one number a class",
            "end with flatten or global_avg_pool and a linear layer",
        )
    elif classes is not None and shape[0] < classes:
        yield Problem(
            last,
            "too-few-outputs",
            (f"{classes} classes", show(shape)),
            f"returns {shape[0]} numbers, but the dataset has {classes} classes",
            f"give the last linear layer at least {classes} out_features",
        )


def _size_problems(network: Network) -> Iterator[Problem]:
    if network.parameters <= MAX_NETWORK_PARAMETERS:
        return
    largest = max(network.rows, key=lambda row: row.parameters)
    yield Problem(
        largest.node.name,
        "too-large",
        (f"{network.parameters:,} parameters", f"limit {MAX_NETWORK_PARAMETERS:,}"),
        f"brings the network to {network.parameters:,} parameters, more than {MAX_NETWORK_PARAMETERS:,}",
        "use fewer channels or features",
    )


# -- macro ---------------------------------------------------------------------------------------------


def _macro_structure(space: MacroSpace) -> list[str]:
    problems: list[str] = []
    if not space.layers:
        problems.append(f"{space.name} has no layers; give at least one.")
    if len(space.layers) > MAX_LAYERS:
        problems.append(f"{space.name} has {len(space.layers)} layers; at most {MAX_LAYERS} are taken.")
    names = [layer.name for layer in space.layers]
    labels = [layer.content.label for layer in space.layers if isinstance(layer.content, LayerChoice)]
    labels += [skip.label for skip in space.skips]
    problems += [f"Two layers are called {name!r}; give each its own name." for name in _repeated(names)]
    problems += [f"The label {label!r} is used twice; labels must differ." for label in _repeated(labels)]
    for layer in space.layers:
        if isinstance(layer.content, LayerChoice):
            problems += _candidate_problems(layer.content)
        for name, operation in layer.operations:
            problems += _operation_problems(name, operation, "layer")
    problems += _value_problems(space, labels)
    for skip in space.skips:
        problems += _skip_problems(skip, names)
    return problems + _reserved_problems(space, names)


def _reserved_problems(space: MacroSpace, names: list[str]) -> list[str]:
    """Names that lowering gives away itself: the input's, and those of what a skip adds."""
    taken = {INPUT: "the image that comes in"}
    for skip in space.skips:
        parts = [f"{skip.label}/{at}" for at in range(len(skip.sources))]
        taken |= dict.fromkeys([*parts, f"{skip.label}/sum"], f"what the skip {skip.label!r} adds")
    return [
        f"No layer may be called {name!r}: that is {taken[name]}; rename it."
        for name in names
        if name in taken
    ]


def _repeated(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def _candidate_problems(choice: LayerChoice) -> list[str]:
    if not choice.candidates:
        return [f"The LayerChoice {choice.label!r} has no candidates; give at least one."]
    if choice.count > MAX_CANDIDATES:
        return [
            f"The LayerChoice {choice.label!r} has {choice.count} candidates; at most {MAX_CANDIDATES} are taken."
        ]
    return [
        f"Two candidates of {choice.label!r} are called {name!r}; give each its own name."
        for name in _repeated(list(choice.names))
    ]


def _operation_problems(where: str, operation: Operation, family: str) -> list[str]:
    fitting = [name for name, entry in OPERATIONS.items() if entry.facts["family"] == family]
    if operation.name not in fitting:
        return [f"{where}: {UnknownName('operation', operation.name, fitting)}"]
    problems: list[str] = []
    entry = OPERATIONS[operation.name]
    for parameter, value in operation.parameters.items():
        options = value.values if isinstance(value, ValueChoice) else (value,)
        for option in options:
            problems += [f"{where}: {problem}" for problem in entry.problems({parameter: option})]
    return problems


def _value_problems(space: MacroSpace, labels: list[str]) -> list[str]:
    problems: list[str] = []
    seen: dict[str, ValueChoice] = {}
    for value in (value for layer in space.layers for value in layer.values):
        if not value.values:
            problems.append(f"The ValueChoice {value.label!r} has no values; give at least one.")
        if value.label in labels or seen.setdefault(value.label, value) != value:
            problems.append(
                f"The label {value.label!r} is used twice for different choices; labels must differ."
            )
        if len(set(map(repr, value.values))) < value.count:
            problems.append(f"The ValueChoice {value.label!r} repeats a value; give each once.")
    return problems


def _skip_problems(skip: InputChoice, layers: list[str]) -> list[str]:
    problems: list[str] = []
    if not skip.sources:
        problems.append(f"The InputChoice {skip.label!r} has no candidates; give at least one earlier layer.")
    if len(skip.sources) > MAX_SOURCES:
        problems.append(
            f"The InputChoice {skip.label!r} has {len(skip.sources)} candidates; at most {MAX_SOURCES}."
        )
    if len(set(skip.sources)) < len(skip.sources):
        problems.append(f"The InputChoice {skip.label!r} names a layer twice; name each once.")
    if skip.align not in ("none", "crop"):
        problems.append(f"The InputChoice {skip.label!r} has align {skip.align!r}; pick 'none' or 'crop'.")
    if skip.n_chosen is not None and not 1 <= skip.n_chosen <= len(skip.sources):
        problems.append(
            f"The InputChoice {skip.label!r} has n_chosen {skip.n_chosen}; "
            f"give null for any number, or 1 to {len(skip.sources)}."
        )
    if skip.into not in layers:
        return [
            *problems,
            f"The InputChoice {skip.label!r} leads nowhere: {UnknownName('layer', skip.into, layers)}",
        ]
    for source in skip.sources:
        if source != INPUT and source not in layers:
            problems.append(
                f"The InputChoice {skip.label!r} comes from nowhere: {UnknownName('layer', source, layers)}"
            )
        elif source != INPUT and layers.index(source) >= layers.index(skip.into):
            problems.append(
                f"The InputChoice {skip.label!r} makes a cycle: it leads from {source!r} back into {skip.into!r}; "
                "start it at an earlier layer."
            )
    return problems


# -- cells ---------------------------------------------------------------------------------------------


def _cell_structure(space: CellSpace) -> list[str]:
    problems: list[str] = []
    if not 2 <= space.nodes <= MAX_NODES:
        return [f"{space.name} has {space.nodes} nodes; give 2 to {MAX_NODES}."]
    if not 1 <= space.stages <= 4:
        problems.append(f"{space.name} has {space.stages} stages; give 1 to 4.")
    if not 1 <= space.channels <= 256:
        problems.append(f"{space.name} has {space.channels} channels; give 1 to 256.")
    if not space.operations:
        problems.append(f"{space.name} has no operations to choose from; give at least one.")
    problems += [
        f"The operation {name!r} is listed twice; list each once."
        for name in _repeated(list(space.operations))
    ]
    for name in space.operations:
        problems += _operation_problems(space.name, Operation(name), "edge")
    return problems + _edge_problems(space)


def _darts_structure(space: DartsSpace) -> list[str]:
    """With fewer than three cells there is no normal one: those at one and two thirds reduce."""
    settings = (
        (space.nodes, "intermediate nodes a cell", 1, 7),
        (space.cells, "cells", 3, 20),
        (space.channels, "channels", 1, 256),
        (space.stem_multiplier, "as stem_multiplier", 1, 8),
    )
    problems = [
        f"{space.name} has {value} {noun}; give {low} to {high}."
        for value, noun, low, high in settings
        if not low <= value <= high
    ]
    if not space.derivable:
        problems.append(
            f"{space.name} has no operations to choose from; give at least one that is not 'none'."
        )
    problems += [
        f"The operation {name!r} is listed twice; list each once."
        for name in _repeated(list(space.operations))
    ]
    problems += [
        f"{space.name}: {UnknownName('operation', name, PRIMITIVES)}"
        for name in space.operations
        if name not in PRIMITIVES
    ]
    return problems


def _edge_problems(space: CellSpace) -> list[str]:
    problems: list[str] = []
    labels = [edge_label(edge) for edge in space.edges]
    problems += [f"The edge {label!r} is listed twice; list each once." for label in _repeated(labels)]
    for source, target in space.edges:
        if not (0 <= source < space.nodes and 0 <= target < space.nodes):
            problems.append(
                f"The edge {source}->{target} leaves the cell; its nodes are numbered 0 to {space.nodes - 1}."
            )
        elif source >= target:
            problems.append(
                f"The edge {source}->{target} makes a cycle; edges lead from a smaller to a larger node number."
            )
    reached = {0}
    for target in range(1, space.nodes):
        if any(edge[1] == target and edge[0] in reached for edge in space.edges):
            reached.add(target)
    loose = [node for node in range(1, space.nodes) if node not in reached]
    problems += [
        f"Node {node} is disconnected: no path of edges leads to it from node 0; add an edge into it."
        for node in loose
    ]
    used = {source for source, _ in space.edges}
    problems += [
        f"Node {node} is disconnected: nothing reads it; add an edge that starts there, or remove it."
        for node in range(1, space.nodes - 1)
        if node not in used
    ]
    return problems
