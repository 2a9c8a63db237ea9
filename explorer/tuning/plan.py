"""What a run of hyper-parameter optimisation searches, and what each of its trials is told to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from explorer.catalogue import DATASETS
from explorer.errors import SpaceError
from explorer.hyper import DEFAULT_SPACES, HyperSpace, flat, joint, read_search_space, split
from explorer.runs.spec import RunSpec, trial_seed
from explorer.space import Architecture, SearchSpace, check, check_network
from explorer.trials.evaluate import bound_space


@dataclass(frozen=True)
class Plan:
    """`hyper` is all that is tuned; `space` the network's space, None where no network of it is trained."""

    spec: RunSpec
    hyper: HyperSpace
    space: SearchSpace | None
    pinned: Architecture | None

    def parts(self, parameters: Mapping[str, Any]) -> tuple[dict[str, Any], Architecture | None]:
        """What the tuner gave, as settings of the objective, nested ones under their own names, and the architecture,
        if there is one.
        """
        if self.space is None or self.pinned is not None:
            return flat(parameters), self.pinned
        settings, choices = split(self.space, parameters)
        return flat(settings), self.space.architecture(choices)

    def payload(
        self,
        parameters: Mapping[str, Any],
        number: int,
        budget: int | None = None,
        *,
        checkpoint: str | None = None,
        resume_from: str | None = None,
    ) -> dict[str, Any]:
        """What `objectives.evaluate` takes for trial `number`."""
        settings, architecture = self.parts(parameters)
        return {
            "objective": self.spec.objective,
            "parameters": settings,
            "space": self.spec.space if self.space is not None else None,
            "architecture": None if architecture is None else architecture.to_json(),
            "dataset": self.spec.dataset,
            "training": dict(self.spec.settings.get("training", {})),
            "epochs": budget or self.spec.epochs,
            "seed": trial_seed(self.spec.seed, number),
            "root": None,
            "checkpoint": checkpoint,
            "resume_from": resume_from,
        }


def plan_of(spec: RunSpec) -> Plan:
    """The plan of a checked spec; raises SpaceError when its network cannot run."""
    own = spec.search_space if spec.search_space is not None else DEFAULT_SPACES[spec.objective]
    hyper = read_search_space(own)
    if spec.objective != "train":
        return Plan(spec, hyper, None, None)
    space, classes = bound_space(spec.space, spec.dataset), DATASETS.find(spec.dataset).facts["classes"]
    pinned = None if spec.architecture is None else space.architecture(spec.architecture)
    problems = check(space, classes) if pinned is None else check_network(space.lower(pinned), classes)
    if problems:
        raise SpaceError(*map(str, problems))
    return Plan(spec, hyper if pinned is not None else joint(space, hyper), space, pinned)
