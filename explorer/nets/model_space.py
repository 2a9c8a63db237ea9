"""A search space as a real NNI 3 model space, with NNI's LayerChoice, InputChoice and `nni.choice`.

`build_model_space(space)` gives a `ModelSpace` that NNI's strategies understand. Frozen by NNI (`freeze(sample)`) or
built under `model_context(sample)`, it computes what `NetworkModule` computes for the same weights, and has the same
ones: an align convolution exists only where its skip is chosen. `weight_names` says which is which.

Where a choice changes the shapes behind it (a width, a stride), the layers behind it are `Fitted`: they know their
shape only once the sample is known. Everywhere else modules are plain, and freezing keeps their weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial, reduce
from operator import add as plus
from typing import Any, NamedTuple

from torch import Tensor, nn

from explorer.catalogue import OPERATIONS
from explorer.errors import SpaceError
from explorer.nets.network import module_names
from explorer.nets.nni_modules import (
    CategoricalMultiple,
    ChosenInputs,
    InputChoice,
    LayerChoice,
    ModelSpace,
    MutableModule,
    choice,
    current_model,
)
from explorer.nets.operations import build
from explorer.nets.samples import candidate_names, from_nni_sample, nni_labels
from explorer.space import (
    INPUT,
    Architecture,
    DartsSpace,
    Layer,
    MacroSpace,
    Node,
    SearchSpace,
    Shape,
    check,
    space_from_json,
)
from explorer.space import InputChoice as Skip
from explorer.space import LayerChoice as Choice
from explorer.space.darts import INPUTS, inputs_label, operation_label
from explorer.space.varying import varying_layers


def build_model_space(space: SearchSpace) -> SpaceModel:
    """The NNI model space of `space`; raises SpaceError with every problem when it cannot run."""
    problems = check(space)
    if problems:
        raise SpaceError(*map(str, problems))
    classes = space.lower(space.default).output_shape[0]
    return SpaceModel(space.to_json(), space.input.channels, space.input.side, classes)


def weight_names(space: SearchSpace, architecture: Mapping[str, Any]) -> dict[str, str]:
    """Prefix of a weight's name in `NetworkModule` -> its prefix in the frozen `SpaceModel`."""
    parts = module_names(part.name for part in _parts(_Plan(space), None))
    network = space.lower(architecture)
    names = module_names(node.name for node in network)
    return {names[node.name]: f"parts.{_inside(space, node, parts)}" for node in network}


def _inside(space: SearchSpace, node: Node, parts: Mapping[str, str]) -> str:
    """Where the parts hold a node: as one of their own, or inside of what sums it up."""
    if node.name in parts:
        return parts[node.name]
    before, _, last = node.name.rpartition("/")
    if isinstance(space, DartsSpace):
        _, source, target = last.split("_")
        return f"{parts[f'{before}/node_{target}']}.from_{source}.{node.operation}"
    return f"{parts[f'{before}/sum']}.from_{last}"


class Recipe(NamedTuple):
    """What `operations.build` needs."""

    operation: str
    parameters: Mapping[str, Any]
    shapes_in: tuple[Shape, ...]


class KeptEdge(NamedTuple):
    """An edge of a derived DARTS cell."""

    source: int
    operation: str


class DartsPlace(NamedTuple):
    """Which node of which kind of cell, and for each source the recipe of every operation."""

    kind: str
    target: int
    recipes: tuple[Mapping[str, Recipe], ...]

    def edges(self, architecture: Mapping[str, Any]) -> tuple[KeptEdge, ...]:
        """The edges that `architecture` keeps here, in the order of its network."""
        sources = architecture[inputs_label(self.kind, self.target)]
        return tuple(
            KeptEdge(source, architecture[operation_label(self.kind, self.target, at)])
            for at, source in enumerate(sources)
        )


class Part(NamedTuple):
    """One module of a model space, and the parts (or INPUT) that it reads."""

    name: str
    make: Callable[[], nn.Module]
    sources: tuple[str, ...]


class SpaceModel(ModelSpace):
    """The model space of `space_from_json(form)` on images of (channels, side, side).

    The arguments are plain JSON so that NNI can send them to another process. (b, channels, side, side) -> (b, outputs)
    """

    def __init__(self, form: dict[str, Any], channels: int, side: int, classes: int) -> None:
        super().__init__()
        plan = _Plan(space_from_json(form).bound_to(channels, side, classes))
        parts = list(_parts(plan, current_model()))
        names = module_names(part.name for part in parts)
        self.parts = nn.ModuleDict({names[part.name]: part.make() for part in parts})
        at = {INPUT: 0} | {part.name: number for number, part in enumerate(parts, start=1)}
        self.steps = [(names[part.name], tuple(at[source] for source in part.sources)) for part in parts]

    def forward(self, images: Tensor) -> Tensor:
        values = [images]
        for name, sources in self.steps:
            values.append(self.parts[name](*[values[source] for source in sources]))
        return values[-1]


class Fitted(MutableModule):
    """A module whose shape the sample decides: `recipe(architecture)`. Its own `values` are `nni.choice`s.

    Freezing keeps the weights when the sample asks for the shape that is there already, and makes new ones otherwise,
    as NNI does for its own layers with choices among their arguments.
    """

    def __init__(
        self, plan: _Plan, recipe: Callable[[Architecture], Recipe], values: tuple[str, ...]
    ) -> None:
        super().__init__()
        self.plan, self.recipe = plan, recipe
        for label in values:
            self.add_mutable(plan.value_choice(label))
        self.built_for = recipe(plan.architecture(None))
        self.inner = build(*self.built_for)

    @classmethod
    def create_fixed_module(
        cls, sample: Mapping[str, Any], plan: _Plan, recipe: Callable[[Architecture], Recipe], values: Any
    ) -> nn.Module:
        """What NNI makes instead under `model_context(sample)`."""
        return build(*recipe(plan.architecture(sample)))

    def freeze(self, sample: dict[str, Any]) -> nn.Module:
        """The plain module for `sample`."""
        self.validate(sample)
        wanted = self.recipe(self.plan.architecture(sample))
        return self.inner if wanted == self.built_for else build(*wanted)

    def forward(self, *arriving: Tensor) -> Tensor:
        arrived: Tensor = self.inner(*arriving)
        return arrived


class SkipSum(MutableModule):
    """Adds the chosen sources to a layer's output, each brought to its shape by a module `from_<index>` of its own."""

    def __init__(self, label: str, skip: Skip, aligns: Mapping[int, Callable[[], nn.Module]]) -> None:
        super().__init__()
        self.switch = InputChoice(len(skip.sources), n_chosen=skip.n_chosen, reduction="sum", label=label)
        is_fixed = isinstance(self.switch, ChosenInputs)  # so NNI answers under model_context
        for at, make in aligns.items():
            if not is_fixed or at in self.switch.chosen:
                self.add_module(f"from_{at}", make())

    def freeze(self, sample: dict[str, Any]) -> nn.Module:
        """NNI's freezing, without the align modules of what is not chosen."""
        frozen: nn.Module = super().freeze(sample)
        for name, _ in list(frozen.named_children()):
            if name.startswith("from_") and int(name[5:]) not in frozen.switch.chosen:  # type: ignore[operator,union-attr]
                delattr(frozen, name)
        return frozen

    def forward(self, into: Tensor, *sources: Tensor) -> Tensor:
        aligned = [self._aligned(at, source, into) for at, source in enumerate(sources)]
        chosen = self.switch(aligned)  # None when nothing is chosen
        return into if chosen is None else chosen + into

    def _aligned(self, at: int, source: Tensor, into: Tensor) -> Tensor:
        module = self._modules.get(f"from_{at}")
        return source if module is None else module(source, into)


class DartsNode(MutableModule):
    """A node of a DARTS cell: all edges that may lead into it, with every operation, as `from_<source>.<operation>`.

    Freezing hands on the modules that the sample keeps, weights and all. Called as it is, it is the first architecture:
    (source 0, source 1, ...), each (b, channels, side, side) -> (b, channels, side', side')
    """

    def __init__(self, plan: _Plan, place: DartsPlace) -> None:
        super().__init__()
        for mutable in plan.darts_choices(place):
            self.add_mutable(mutable)
        self.plan, self.place = plan, place
        for source, recipes in enumerate(place.recipes):
            candidates = {name: build(*recipe) for name, recipe in recipes.items()}
            self.add_module(f"from_{source}", nn.ModuleDict(candidates))
        self.edges = place.edges(plan.architecture(None))

    @classmethod
    def create_fixed_module(cls, sample: Mapping[str, Any], plan: _Plan, place: DartsPlace) -> nn.Module:
        """What NNI makes instead under `model_context(sample)`."""
        edges = place.edges(plan.architecture(sample))
        return KeptEdges({edge: build(*place.recipes[edge.source][edge.operation]) for edge in edges})

    def freeze(self, sample: dict[str, Any]) -> nn.Module:
        """The sum of the two edges that `sample` keeps."""
        self.validate(sample)
        edges = self.place.edges(self.plan.architecture(sample))
        return KeptEdges({edge: getattr(self, f"from_{edge.source}")[edge.operation] for edge in edges})

    def forward(self, *states: Tensor) -> Tensor:
        return _sum_of(self, self.edges, states)


class KeptEdges(nn.Module):
    """A node of a derived DARTS cell: the sum of its edges, under the names that `DartsNode` gives them."""

    def __init__(self, modules: Mapping[KeptEdge, nn.Module]) -> None:
        super().__init__()
        self.edges = tuple(modules)
        for edge, module in modules.items():
            self.add_module(f"from_{edge.source}", nn.ModuleDict({edge.operation: module}))

    def forward(self, *states: Tensor) -> Tensor:
        return _sum_of(self, self.edges, states)


def _sum_of(node: nn.Module, edges: tuple[KeptEdge, ...], states: tuple[Tensor, ...]) -> Tensor:
    """From left to right, as `operations.Add`."""
    terms = [getattr(node, f"from_{edge.source}")[edge.operation](states[edge.source]) for edge in edges]
    return reduce(plus, terms)


class _Plan:
    """The space, and what it says about each place; shared, not copied, by the modules that read it."""

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        self.labels = nni_labels(space)
        self._names = {
            mutable.label: candidate_names(mutable).values()
            for mutable in space.mutables
            if isinstance(mutable, Choice)
        }

    def __deepcopy__(self, memo: dict[int, Any]) -> _Plan:
        return self

    def architecture(self, sample: Mapping[str, Any] | None) -> Architecture:
        """Of a sample; without one, the first option everywhere."""
        return self.space.default if sample is None else from_nni_sample(self.space, sample)

    def value_choice(self, label: str) -> Any:
        """NNI's mutable for a ValueChoice."""
        values = next(mutable.values for mutable in self.space.mutables if mutable.label == label)  # type: ignore[union-attr]
        return choice(self.labels[label], list(values))

    def darts_choices(self, place: DartsPlace) -> list[Any]:
        """NNI's mutables of a node: which sources, and an operation for each of them."""
        sources = inputs_label(place.kind, place.target)
        which = CategoricalMultiple(range(place.target), n_chosen=INPUTS, label=self.labels[sources])
        labels = [operation_label(place.kind, place.target, at) for at in range(INPUTS)]
        return [which, *(choice(self.labels[label], list(self._names[label])) for label in labels)]

    def layer_choice(self, mutable: Choice, make: Callable[[str], nn.Module]) -> nn.Module:
        """NNI's LayerChoice over `make(candidate)`; under model_context it is the chosen candidate itself."""
        names = candidate_names(mutable)
        chosen: nn.Module = LayerChoice(
            {names[candidate]: make(candidate) for candidate in mutable.names},
            label=self.labels[mutable.label],
        )
        return chosen

    def node(self, name: str, label: str, candidate: str, architecture: Architecture) -> Recipe:
        """The recipe of node `name` with `candidate` at the choice `label`."""
        there = architecture.with_choice(label, candidate) if label else architecture
        row = next(row for row in self.space.lower(there).rows if row.node.name == name)
        return Recipe(row.node.operation, dict(row.node.parameters), row.shapes_in)

    def align(self, skip: Skip, at: int, architecture: Architecture) -> Recipe:
        """The recipe of the align module from source `at`."""
        network = self.space.lower(architecture)
        shapes = {INPUT: network.input_shape} | {row.node.name: row.shape for row in network.rows}
        return Recipe("align", {}, (shapes[skip.sources[at]], shapes[skip.into]))


def _parts(plan: _Plan, sample: Mapping[str, Any] | None) -> Iterator[Part]:
    if isinstance(plan.space, MacroSpace):
        return _macro_parts(plan, plan.space, sample)
    if isinstance(plan.space, DartsSpace):
        return _darts_parts(plan, plan.space)
    return _cell_parts(plan)


def _cell_parts(plan: _Plan) -> Iterator[Part]:
    """Every node of the stacked network, which are the same for all architectures; edges are LayerChoices."""
    choices = {mutable.label: mutable for mutable in plan.space.mutables}
    for row in plan.space.lower(plan.space.default).rows:
        node, mutable = row.node, choices.get(row.node.label)
        if isinstance(mutable, Choice):
            candidate = partial(_edge, mutable, row.shapes_in)
            yield Part(node.name, partial(plan.layer_choice, mutable, candidate), node.inputs)
        else:
            yield Part(node.name, partial(build, node.operation, node.parameters, row.shapes_in), node.inputs)


def _edge(mutable: Choice, shapes_in: tuple[Shape, ...], candidate: str) -> nn.Module:
    operation = mutable.operation(candidate)
    complete = OPERATIONS[operation.name].defaults() | dict(operation.parameters)
    return build(operation.name, complete, shapes_in)


def _darts_parts(plan: _Plan, space: DartsSpace) -> Iterator[Part]:
    """Skeleton, entrances and outputs as they are; a cell's node takes its edges in and reads their sources."""
    filled = {name: space.filled(name) for name in space.operations}
    recipes = {
        name: {
            row.node.name: Recipe(row.node.operation, dict(row.node.parameters), row.shapes_in)
            for row in network.rows
        }
        for name, network in filled.items()
    }
    nodes = {node.name: node for node in next(iter(filled.values()))}
    summed = {edge for node in nodes.values() if node.operation == "add" for edge in node.inputs}
    for row in next(iter(filled.values())).rows:
        node = row.node
        if node.operation == "add":
            kind, _, target = node.label.partition("/inputs_")
            edges = tuple({name: recipes[name][edge] for name in space.operations} for edge in node.inputs)
            place = DartsPlace(kind, int(target), edges)
            sources = tuple(nodes[edge].inputs[0] for edge in node.inputs)
            yield Part(node.name, partial(DartsNode, plan, place), sources)
        elif node.name not in summed:
            yield Part(node.name, partial(build, node.operation, node.parameters, row.shapes_in), node.inputs)


def _macro_parts(plan: _Plan, space: MacroSpace, sample: Mapping[str, Any] | None) -> Iterator[Part]:
    """Every layer, and behind it a SkipSum for each skip that leads into it."""
    architecture, changing = plan.architecture(sample), varying_layers(space)
    outputs = {INPUT: INPUT}  # layer -> part that carries its output, additions included
    before = last_layer = INPUT
    for layer in space.layers:
        make = partial(_layer, plan, layer, last_layer in changing, architecture)
        yield Part(layer.name, make, (before,))
        before, last_layer = layer.name, layer.name
        for skip in space.skips:
            if skip.into != layer.name:
                continue
            sources = tuple(outputs[source] for source in skip.sources)
            name = f"{skip.label}/sum"
            yield Part(name, partial(_skip, plan, skip, changing, architecture), (before, *sources))
            before = name
        outputs[layer.name] = before


def _layer(plan: _Plan, layer: Layer, is_changing: bool, architecture: Architecture) -> nn.Module:
    def make(candidate: str) -> nn.Module:
        label = layer.content.label if isinstance(layer.content, Choice) else ""
        values = tuple(
            value.label
            for value in layer.values
            if value in dict(layer.operations)[candidate].parameters.values()
        )
        recipe = partial(plan.node, layer.name, label, candidate)
        return Fitted(plan, recipe, values) if is_changing or values else build(*recipe(architecture))

    if isinstance(layer.content, Choice):
        return plan.layer_choice(layer.content, make)
    return make(layer.name)


def _skip(plan: _Plan, skip: Skip, changing: frozenset[str], architecture: Architecture) -> nn.Module:
    def make(at: int) -> nn.Module:
        recipe = partial(plan.align, skip, at)
        is_changing = skip.into in changing or skip.sources[at] in changing
        return Fitted(plan, recipe, ()) if is_changing else build(*recipe(architecture))

    aligns = {at: partial(make, at) for at in range(len(skip.sources))} if skip.align == "crop" else {}
    return SkipSum(plan.labels[skip.label], skip, aligns)
