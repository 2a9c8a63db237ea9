"""What an engine that trains architectures asks first: whether the space can run, and whether the data are here.

A download takes minutes, so it goes on in a thread while the engine keeps giving its signs of life.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from explorer.catalogue import DATASETS
from explorer.data import load_dataset
from explorer.data.places import data_root
from explorer.data.vision import SOURCES, absent
from explorer.errors import SpaceError
from explorer.runs.spec import RunSpec
from explorer.space import SearchSpace, check, check_network
from explorer.trials.evaluate import bound_space

_LISTEN_SECONDS = 0.25


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


def require_data(dataset: str, channels: int | None, side: int | None, control: Callable[[], Any]) -> None:
    """Fetch what is not here and can be had; raises DataMissing, and what a wish to cancel raises.

    What is embedded, or lies here already, is left to the trials.
    """
    if DATASETS.find(dataset).facts["embedded"] or not _absent(dataset):
        return
    problems: list[Exception] = []

    def load() -> None:
        try:
            load_dataset(dataset, channels, side)
        except Exception as error:
            problems.append(error)

    loading = threading.Thread(target=load, daemon=True)  # a cancelled run does not wait for it
    loading.start()
    while loading.is_alive():
        control().raise_if_cancelled()
        loading.join(_LISTEN_SECONDS)
    if problems:
        raise problems[0]


def _absent(dataset: str) -> bool:
    return any(absent(source, data_root()) for source in SOURCES if source.name == dataset)
