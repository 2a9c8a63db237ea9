"""The one door to every dataset: look its name up, load it, fit it to the input that a space states.

Loaded datasets stay in memory for the life of the process, a few at a time; splits share their tensors with
every caller.
"""

from __future__ import annotations

import importlib
from functools import lru_cache
from pathlib import Path

from explorer.catalogue import DATASETS
from explorer.data.adapt import adapt
from explorer.data.places import data_root
from explorer.data.records import Dataset


def load_dataset(
    name: str, channels: int | None = None, side: int | None = None, root: str | Path | None = None
) -> Dataset:
    """The dataset called `name`, with images of (channels, side, side); None keeps the dataset's own.

    `root` is where downloaded datasets live (default: `data` under $EXPLORER_HOME). Raises UnknownName;
    SpaceError for an input that the adapter cannot make; DataMissing, with the remedy, for files that are
    not there.
    """
    entry = DATASETS.find(name)
    return _load(entry.path, channels, side, data_root(root))


@lru_cache(maxsize=4)
def _load(path: str, channels: int | None, side: int | None, root: Path) -> Dataset:
    module, _, attribute = path.partition(":")
    loader = getattr(importlib.import_module(module), attribute)
    return adapt(loader(root), channels, side)
