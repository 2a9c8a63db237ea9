"""Sees to it that a run's data are here before its first trial, so that what is missing is said once.

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

_LISTEN_SECONDS = 0.25


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
