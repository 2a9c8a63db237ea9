"""What a loaded dataset looks like to the rest of the house.

Split, noise and shift are part of the dataset and never depend on a run's seed: searches decide on
`validation`, `test` is reported once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import torch


@dataclass(frozen=True, eq=False)
class Split:
    """One part of a dataset. Everyone who loads it shares the tensors: read them, never write to them."""

    images: torch.Tensor  # (n, channels, side, side) float32
    labels: torch.Tensor  # (n,) int64, 0 … classes - 1

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Three splits of labelled square images.

    Pixels are standardised: one mean and one standard deviation, taken over every pixel and channel of the
    training split, so an image in 0 … 1 is `images * facts["std"] + facts["mean"]` (before noise, where the
    dataset adds some). `facts` also holds `indices`: for each split the rows of the source, in the order of
    `images`.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    classes: int
    facts: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def channels(self) -> int:
        """Channels of every image."""
        return int(self.train.images.shape[1])

    @property
    def side(self) -> int:
        """Height and width of every image, in pixels."""
        return int(self.train.images.shape[2])
