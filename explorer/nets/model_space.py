"""A search space as a real NNI 3 model space, with NNI's LayerChoice, InputChoice and `nni.choice`.

`build_model_space(space)` gives a `ModelSpace` that NNI's strategies understand. Frozen by NNI (`freeze(sample)`) or
built under `model_context(sample)`, it computes what `NetworkModule` computes for the same weights, and has the same
ones: an align convolution exists only where its skip is chosen. `weight_names` says which is which.

Where a choice changes the shapes behind it (a width, a stride), the layers behind it are `Fitted`: they know their
shape only once the sample is known. Everywhere else modules are plain, and freezing keeps their weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from torch import Tensor, nn

from explorer.errors import SpaceError
from explorer.nets.network import module_names
from explorer.nets.nni_modules import (
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
    Layer,
    MacroSpace,
    SearchSpace,
    Shape,
    check,
    space_from_json,
)
from explorer.space import InputChoice as Skip
from explorer.space import LayerChoice as Choice
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
    nodes = [node.name for node in space.lower(architecture)]
    found: dict[str, str] = {}
    for node, name in module_names(nodes).items():
        skip, _, at = node.rpartition("/")
        inside = f"{parts[f'{skip}/sum']}.from_{at}" if node not in parts else parts[node]
        found[name] = f"parts.{inside}"
    return found


class Recipe(NamedTuple):
    """What `operations.build` needs."""

    operation: str
    parameters: Mapping[str, Any]
    shapes_in: tuple[Shape, ...]


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


class _Plan:
    """The space, and what it says about each place; shared, not copied, by the modules that read it."""

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        self.labels = nni_labels(space)

    def __deepcopy__(self, memo: dict[int, Any]) -> _Plan:
        return self

    def architecture(self, sample: Mapping[str, Any] | None) -> Architecture:
        """Of a sample; without one, the first option everywhere."""
        return self.space.default if sample is None else from_nni_sample(self.space, sample)

    def value_choice(self, label: str) -> Any:
        """NNI's mutable for a ValueChoice."""
        values = next(mutable.values for mutable in self.space.mutables if mutable.label == label)  # type: ignore[union-attr]
        return choice(self.labels[label], list(values))

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
    return build(operation.name, operation.parameters, shapes_in)


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
