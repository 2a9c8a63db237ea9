"""The plain supernet: every candidate of a space as a module of its own, mixed as a mixture says.

Its modules are those of the NNI model space (`build_model_space`), under the same names: a LayerChoice's candidates,
the edges of a DARTS node, the aligns of a skip. What is learned is addressed by decision and candidate, and can be cut
out: a network of its own that begins with what the supernet learned.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from explorer.errors import SpaceError
from explorer.nets.model_space import SpaceModel, build_model_space, weight_names
from explorer.nets.network import NetworkModule
from explorer.nets.nni_modules import LayerChoice
from explorer.nets.samples import candidate_names
from explorer.nets.supernet.mixing import Mixture
from explorer.nets.supernet.program import Names, places, steps
from explorer.nets.supernet.steps import Step
from explorer.space import Architecture, Decision, MacroSpace, SearchSpace, architecture_of, decisions
from explorer.space.decisions import Path


class Supernet(nn.Module):
    """One network that holds every candidate of `space`: (b, channels, side, side) -> (b, classes).

    Raises SpaceError when the space cannot run, or when its candidates cannot share weights.
    """

    def __init__(self, space: SearchSpace) -> None:
        super().__init__()
        self.space = space
        self.decisions: tuple[Decision, ...] = decisions(space)
        model = self._model(space)
        self.parts: nn.ModuleDict = model.parts
        self.places = tuple(places(space, model))
        self.steps: list[Step] = steps(space, model)

    def forward(self, images: Tensor, mixture: Mixture) -> Tensor:
        values = [images]
        for step in self.steps:
            step.run(values, mixture)
        return values[-1]  # (b, classes)

    def _model(self, space: SearchSpace) -> SpaceModel:
        return build_model_space(space)

    @property
    def plain(self) -> Supernet:
        """The supernet whose names and modules say what is what here."""
        return self

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        weight = next(self.parameters(), None)
        return torch.device("cpu") if weight is None else weight.device

    def weights(self, label: str, candidate: str) -> dict[str, Tensor]:
        """Name -> weight or statistic of a decision's candidate, in every cell that shares the decision.

        They are the supernet's own; writing to them changes it. Raises SpaceError for what it does not decide.
        """
        decision = next((each for each in self.decisions if each.label == label), None)
        if decision is None or candidate not in decision.candidates:
            raise SpaceError(f"{self.space.name} has no candidate {candidate!r} at {label!r}.")
        prefixes = tuple(
            f"{name}." for here, other, name in self.places if (here, other) == (label, candidate)
        )
        return {name: tensor for name, tensor in self._tensors().items() if name.startswith(prefixes)}

    def skeleton(self) -> dict[str, Tensor]:
        """Name -> weight or statistic of all that every architecture has."""
        prefixes = tuple(f"{name}." for _, _, name in self.places)
        return {name: tensor for name, tensor in self._tensors().items() if not name.startswith(prefixes)}

    def _tensors(self) -> dict[str, Tensor]:
        tensors: dict[str, Tensor] = self.plain.state_dict(keep_vars=True)
        return tensors

    def cut(self, chosen: Architecture | Path) -> nn.Module:
        """The NetworkModule of an architecture or a path, with a copy of its weights and statistics here.

        Raises SpaceError for what is none of the space.
        """
        architecture = self._architecture(chosen)
        network = NetworkModule(self.space.lower(architecture))
        theirs, ours = self.plain.state_dict(), {}
        prefixes = self._prefixes(architecture)
        for key in network.state_dict():
            node, _, rest = key.partition(".")
            ours[key] = theirs[f"{prefixes[node]}.{rest}"]
        like = next(iter(ours.values()), torch.empty(0))
        network.to(
            like.device, next((each.dtype for each in ours.values() if each.is_floating_point()), None)
        )
        network.load_state_dict(ours)
        return network.train(self.training)

    def _architecture(self, chosen: Architecture | Path) -> Architecture:
        if isinstance(chosen, Architecture):
            return self.space.architecture(chosen)
        return architecture_of(self.space, chosen)

    def _prefixes(self, architecture: Mapping[str, object]) -> dict[str, str]:
        """Module of the NetworkModule -> module here."""
        names, found = Names(self.space), {}
        for ours, theirs in weight_names(self.space, architecture).items():
            part = self.plain.get_submodule(theirs) if theirs.count(".") == 1 else None
            if isinstance(part, LayerChoice):
                choice = names.choice(part)
                theirs = f"{theirs}.{candidate_names(choice)[str(architecture[choice.label])]}"
            found[ours] = theirs
        return found


def build_supernet(space: SearchSpace, kind: str = "fused", channel_part: int = 1) -> Supernet:
    """`plain`; `fused`, which computes the same faster where the space is made of cells; or `partial`.

    In a partial one only one of `channel_part` channels is mixed, the others pass by (PC-DARTS).
    """
    from explorer.nets.supernet.fused import FusedSupernet
    from explorer.nets.supernet.partial import PartialSupernet

    if kind == "partial":
        return PartialSupernet(space, channel_part)
    is_fused = kind == "fused" and not isinstance(space, MacroSpace)
    return FusedSupernet(space) if is_fused else Supernet(space)
