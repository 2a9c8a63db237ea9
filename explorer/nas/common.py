"""What every search of architectures asks first: whether the space can run on the dataset."""

from __future__ import annotations

from explorer.catalogue import DATASETS
from explorer.errors import SpaceError
from explorer.runs.spec import RunSpec
from explorer.space import SearchSpace, check, check_network
from explorer.trials.evaluate import bound_space


def checked_space(spec: RunSpec) -> SearchSpace:
    """The space on the run's dataset; raises SpaceError with everything that keeps it from running."""
    space, classes = bound_space(spec.space, spec.dataset), DATASETS.find(spec.dataset).facts["classes"]
    if spec.architecture is None:
        problems = check(space, classes)
    else:
        problems = check_network(space.lower(space.architecture(spec.architecture)), classes)
    if problems:
        raise SpaceError(*map(str, problems))
    return space
