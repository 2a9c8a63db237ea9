"""A search space as NNI's one-shot strategies can search it, and NNI's answers in our words.

Two of NNI's limits are met here, in the model and not in NNI's code:

* NNI does not search an InputChoice with any number chosen: the differentiable strategies assume one of its inputs, the
  sampling ones refuse it. Each of its sources becomes a choice between `x` and `x + source`, which is the same mixture
  as ours: x + p(on) * source.
* NNI knows the DARTS cell as its own `Cell`, whose supernet has one row of weights an edge, with a last one for no
  connection. The cells are rebuilt as that, around the very modules that our supernet trains.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from explorer.adapters.oneshot import Cell, frozen_context
from explorer.nets.model_space import DartsNode, SkipSum, SpaceModel, build_model_space
from explorer.nets.nni_modules import InputChoice, MutableModule
from explorer.nets.samples import from_nni_sample, nni_labels, to_nni_sample
from explorer.space import Architecture, DartsSpace, SearchSpace, decisions
from explorer.space import InputChoice as Inputs
from explorer.space.darts import INPUTS, KINDS, darts_edge_label, inputs_label, operation_label

OFF_ON = 2  # candidates of a switch: x, and x with the source added


@dataclass(frozen=True)
class Row:
    """Where NNI keeps a decision's weights: its label, and for each of our candidates the place in NNI's row."""

    label: str
    order: tuple[int, ...]


class NniSpace:
    """`model` is what NNI searches; it holds the weights of `build_model_space(space)`.

    `rows`: decision's label -> Row, in the order of `decisions(space)`. `notes` are sentences about what was rewritten.
    """

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        self.model: SpaceModel = build_model_space(space)
        self._owners = dict(self.model.named_modules())  # under the names that our plain supernet has too
        self._labels = nni_labels(space)
        self._switches = {
            mutable.label: _switch_labels(self._labels, mutable)
            for mutable in space.mutables
            if isinstance(mutable, Inputs) and mutable.n_chosen is None
        }
        self.rows = self._rows()
        with frozen_context():  # NNI's modules ask what they are fixed to, outside a ModelSpace's __init__
            self.notes = tuple(self._rewritten())

    def _rows(self) -> dict[str, Row]:
        if isinstance(self.space, DartsSpace):
            return _darts_rows(self.space)
        found = {}
        for decision in decisions(self.space):
            label, _, at = decision.label.rpartition("/")
            named = self._switches[label][int(at)] if decision.kind == "switch" else None
            order = tuple(range(len(decision.candidates)))
            found[decision.label] = Row(named or self._labels[decision.label], order)
        return found

    def _rewritten(self) -> list[str]:
        notes = []
        if isinstance(self.space, DartsSpace):
            _use_nni_cells(self.model, self.space)
            has_none = "none" in self.space.operations
            notes.append(
                "The cells are NNI's own Cell, whose edges have a weight for no connection; "
                + (
                    "it stands for none."
                    if has_none
                    else "the space has no none, and the rows are shown without it."
                )
            )
        for name, part in list(self.model.parts.items()):
            if isinstance(part, SkipSum) and part.switch.n_chosen is None:
                label = next(label for label, given in self._labels.items() if given == part.switch.label)
                self.model.parts[name] = Switches(part, self._switches[label])
        if self._switches:
            notes.append(
                "NNI does not search an InputChoice with any number chosen (its DARTS assumes one, its RandomOneShot "
                "stops); each source is given to it as a choice between x and x + source."
            )
        fixed = [each.label for each in self.space.mutables if isinstance(each, Inputs) and each.n_chosen]
        if fixed and not isinstance(self.space, DartsSpace):
            notes.append(
                f"{', '.join(fixed)}: NNI mixes the sources by weights that sum to 1 and derives their plain sum; our "
                "supernet multiplies the mixture by the number chosen, so that both are on one scale."
            )
        return notes

    def in_our_order(self, rows: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """NNI's label -> (weights,) as decision -> (candidates,), detached."""
        return {label: rows[row.label].detach()[list(row.order)] for label, row in self.rows.items()}

    def give(self, alphas: Mapping[str, Tensor], rows: Mapping[str, Tensor]) -> None:
        """Write our `alphas` (decision -> (candidates,)) into NNI's rows."""
        with torch.no_grad():
            for label, row in self.rows.items():
                rows[row.label][list(row.order)] = alphas[label].to(rows[row.label])

    def state(self) -> dict[str, Tensor]:
        """Weights and buffers under the names of `build_model_space(space)`; the tensors themselves."""
        return {
            f"{name}.{key}": tensor
            for name, owner in self._owners.items()
            for held in (owner._parameters, owner._buffers)
            for key, tensor in held.items()
            if tensor is not None and key not in owner._non_persistent_buffers_set
        }

    def sample_of(self, architecture: Mapping[str, Any]) -> dict[str, Any]:
        """The architecture as a sample of `model`."""
        chosen = self.space.architecture(architecture)
        if isinstance(self.space, DartsSpace):
            return _darts_sample(self.space, chosen)
        sample = to_nni_sample(self.space, chosen)
        for label, switches in self._switches.items():
            on = sample.pop(self._labels[label])
            sample |= {name: [int(at in on)] for at, name in enumerate(switches)}
        return sample

    def architecture_of(self, sample: Mapping[str, Any]) -> Architecture | None:
        """The inverse; None for a DARTS cell that reads one source twice, which NNI allows and our space does not."""
        if isinstance(self.space, DartsSpace):
            return _darts_architecture(self.space, sample)
        theirs = dict(sample)
        for label, switches in self._switches.items():
            states = [theirs.pop(name) for name in switches]
            theirs[self._labels[label]] = [at for at, state in enumerate(states) if list(state) == [1]]
        return from_nni_sample(self.space, theirs)


def refused(method: str, space: SearchSpace) -> str | None:
    """Why NNI's class for `method` cannot search `space`; None when it can."""
    if isinstance(space, DartsSpace):
        if method == "proxyless":
            return "NNI's Proxyless does not know cells; take darts, gumbel, spos or enas, or engine own."
        return None
    several = [each.label for each in space.mutables if isinstance(each, Inputs) and (each.n_chosen or 1) > 1]
    if several and method == "enas":
        return (
            f"NNI's ENAS chooses one input or any number, and {several[0]} chooses a fixed number; take darts, gumbel, "
            "proxyless or spos with engine nni, or engine own."
        )
    return None


class Switches(MutableModule):
    """SkipSum for NNI: every source is switched on or off alone, by a choice between `x` and `x + source`."""

    def __init__(self, skip: SkipSum, labels: Sequence[str]) -> None:
        super().__init__()
        self.count = len(labels)
        for at, label in enumerate(labels):
            self.add_module(f"switch_{at}", InputChoice(OFF_ON, n_chosen=1, label=label))
        for name, align in skip.named_children():
            if name.startswith("from_"):
                self.add_module(name, align)

    def forward(self, into: Tensor, *sources: Tensor) -> Tensor:
        total = into
        for at, source in enumerate(sources):
            align = self._modules.get(f"from_{at}")
            aligned = source if align is None else align(source, into)
            total = getattr(self, f"switch_{at}")([total, total + aligned])
        return total


def _switch_labels(labels: Mapping[str, str], mutable: Inputs) -> tuple[str, ...]:
    """Labels that no other choice has."""
    taken, found = set(labels.values()), []
    for at in range(len(mutable.sources)):
        name = f"{labels[mutable.label]}_{at}"
        while name in taken:
            name += "_"
        taken.add(name)
        found.append(name)
    return tuple(found)


# -- NNI's Cell -------------------------------------------------------------------------------------------------------


def _use_nni_cells(model: SpaceModel, space: DartsSpace) -> None:
    """Replace the nodes and the concatenation of each cell by one NNI Cell over the same modules."""
    now_at, steps = {0: 0}, []
    nodes: dict[
        int, tuple[str, DartsNode, tuple[int, ...]]
    ] = {}  # of the cell at hand, by where they put their value
    for at, (name, sources) in enumerate(model.steps, start=1):
        part = model.parts[name]
        if isinstance(part, DartsNode):
            nodes[at] = (name, part, sources)
            continue
        if nodes and set(sources) <= set(nodes):  # the cell's output
            _, first, sources = next(iter(nodes.values()))
            held = {node.place.target: node for _, node, _ in nodes.values()}
            for node_name, _, _ in nodes.values():
                del model.parts[node_name]
            model.parts[name] = _nni_cell(first.place.kind, held, space)
            nodes = {}
        steps.append((name, tuple(now_at[source] for source in sources)))
        now_at[at] = len(steps)
    model.steps = steps


def _nni_cell(kind: str, nodes: Mapping[int, DartsNode], space: DartsSpace) -> nn.Module:
    def factory(operation: str) -> Callable[[int, int, int | None], nn.Module]:
        def make(target: int, _: int, source: int | None) -> nn.Module:
            if source is None:  # NNI asks once before it knows the source, and forgets the answer
                return nn.Identity()
            return getattr(nodes[target], f"from_{source}")[operation]

        return make

    candidates = {name: factory(name) for name in space.derivable}
    return Cell(candidates, len(nodes), INPUTS, INPUTS, label=kind)


def _darts_rows(space: DartsSpace) -> dict[str, Row]:
    """NNI's rows are the derivable operations in order, and no connection last."""
    place = {name: at for at, name in enumerate(space.derivable)} | {"none": len(space.derivable)}
    order = tuple(place[name] for name in space.operations)
    return {
        darts_edge_label(kind, source, target): Row(f"{kind}/{target}_{source}", order)
        for kind in KINDS
        for target in space.targets
        for source in range(target)
    }


def _darts_sample(space: DartsSpace, chosen: Architecture) -> dict[str, Any]:
    sample: dict[str, Any] = {}
    for kind in KINDS:
        for target in space.targets:
            for at, source in enumerate(chosen[inputs_label(kind, target)]):
                sample[f"{kind}/input_{target}_{at}"] = [source]
                sample[f"{kind}/op_{target}_{at}"] = chosen[operation_label(kind, target, at)]
    return sample


def _darts_architecture(space: DartsSpace, sample: Mapping[str, Any]) -> Architecture | None:
    choices: dict[str, Any] = {}
    for kind in KINDS:
        for target in space.targets:
            edges = sorted(
                (sample[f"{kind}/input_{target}_{at}"][0], sample[f"{kind}/op_{target}_{at}"])
                for at in range(INPUTS)
            )
            sources = tuple(source for source, _ in edges)
            if len(set(sources)) < INPUTS:
                return None
            choices[inputs_label(kind, target)] = sources
            choices |= {operation_label(kind, target, at): name for at, (_, name) in enumerate(edges)}
    return space.architecture(choices)
