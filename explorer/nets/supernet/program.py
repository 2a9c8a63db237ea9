"""The steps of a supernet, and where each candidate's weights are, read off an NNI model space."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from explorer.nets.model_space import DartsNode, SkipSum, SpaceModel, weight_names
from explorer.nets.network import module_names
from explorer.nets.nni_modules import LayerChoice
from explorer.nets.operations import Add, Zero
from explorer.nets.samples import candidate_names, nni_labels
from explorer.nets.supernet.steps import Edge, Inputs, Node, Plain, Step
from explorer.space import InputChoice as Skip
from explorer.space import LayerChoice as Choice
from explorer.space import MacroSpace, SearchSpace, Shape
from explorer.space.darts import darts_edge_label
from explorer.space.decisions import ON

Place = tuple[str, str, str]
"""A decision's label, a candidate of it, and the name of a module that belongs to that candidate alone."""


class Names:
    """What NNI's labels and module names mean in the space."""

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        by_label = {mutable.label: mutable for mutable in space.mutables}
        self._mutables = {theirs: by_label[ours] for ours, theirs in nni_labels(space).items()}

    def choice(self, part: LayerChoice) -> Choice:
        """The LayerChoice behind NNI's."""
        return self._mutables[part.label]  # type: ignore[return-value]

    def skip(self, part: SkipSum) -> Skip:
        """The InputChoice behind a SkipSum."""
        return self._mutables[part.switch.label]  # type: ignore[return-value]

    def shapes(self) -> dict[str, Shape]:
        """Part -> the shape that it gives, for every part that some architecture has."""
        network = self.space.lower(self.space.default)
        names, prefixes = (
            module_names(node.name for node in network),
            weight_names(self.space, self.space.default),
        )
        return {prefixes[names[row.node.name]].removeprefix("parts."): row.shape for row in network.rows}


def places(space: SearchSpace, model: SpaceModel) -> Iterator[Place]:
    """Every candidate that may have weights."""
    names = Names(space)
    for name, part in model.parts.items():
        if isinstance(part, LayerChoice):
            choice = names.choice(part)
            for candidate, theirs in candidate_names(choice).items():
                yield choice.label, candidate, f"parts.{name}.{theirs}"
        elif isinstance(part, DartsNode):
            for source in range(part.place.target):
                label = darts_edge_label(part.place.kind, source, part.place.target)
                for operation in part.place.recipes[source]:
                    yield label, operation, f"parts.{name}.from_{source}.{operation}"
        elif isinstance(part, SkipSum):
            skip = names.skip(part)
            for at in range(len(skip.sources)):
                label, candidate = (
                    (f"{skip.label}/{at}", ON) if skip.n_chosen is None else (skip.label, str(at))
                )
                yield label, candidate, f"parts.{name}.from_{at}"


def steps(space: SearchSpace, model: SpaceModel) -> list[Step]:
    """What runs, in order; the modules are `model`'s own."""
    names, shapes = Names(space), Names(space).shapes()
    found: list[Step] = []
    at = {0: 0}  # number of a value in `model` -> its number among the steps' values
    edges: dict[int, Edge] = {}  # values in `model` that are only ever summed up
    for number, (name, sources) in enumerate(model.steps, start=1):
        part = model.parts[name]
        if isinstance(part, LayerChoice):
            edge = _choice(names.choice(part), part, at[sources[0]])
            if not isinstance(space, MacroSpace):
                edges[number] = edge
                continue
            found.append(Node((edge,), shapes[name]))
        elif isinstance(part, Add) and edges:
            found.append(Node(tuple(edges.pop(source) for source in sources), shapes[name]))
        elif isinstance(part, DartsNode):
            found.append(Node(tuple(_darts_edges(part, [at[source] for source in sources])), shapes[name]))
        elif isinstance(part, SkipSum):
            found.append(_inputs(names.skip(part), part, [at[source] for source in sources]))
        else:
            found.append(Plain(part, tuple(at[source] for source in sources)))
        at[number] = len(found)
    return found


def _choice(choice: Choice, part: LayerChoice, source: int) -> Edge:
    modules = [part[name] for name in candidate_names(choice).values()]
    return Edge(choice.label, source, tuple(map(passing, modules)))


def _darts_edges(part: DartsNode, sources: list[int]) -> Iterator[Edge]:
    kind, target, recipes = part.place
    for source, operations in enumerate(recipes):
        modules = getattr(part, f"from_{source}")
        yield Edge(
            darts_edge_label(kind, source, target),
            sources[source],
            tuple(passing(modules[operation]) for operation in operations),
        )


def _inputs(skip: Skip, part: SkipSum, arriving: list[int]) -> Inputs:
    into, *sources = arriving
    aligns = tuple(part._modules.get(f"from_{at}") for at in range(len(sources)))
    labels = tuple(f"{skip.label}/{at}" for at in range(len(sources)))
    if skip.n_chosen is not None:
        labels = (skip.label,)
    return Inputs(labels, into, tuple(sources), aligns, skip.n_chosen)


def passing(module: nn.Module) -> nn.Module | None:
    """The module, or None when it lets nothing through."""
    return None if isinstance(module, Zero) else module
