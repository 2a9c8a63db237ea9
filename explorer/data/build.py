"""From grey levels and labels to a Dataset: stratified splits, exact standardising, optional noise.

Everything here is numpy and repeats to the bit: sums run over whole numbers and each pixel goes through a
table, so that the hashes that the tests hold do not depend on the processor. Where the levels come from is
each dataset's own business.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from explorer.data.records import Dataset, Split

PARTS = ("train", "validation", "test")
SPLIT_SEED = 20201  # any number would do, but it must stay
CHUNK = 1000


def stratified(labels: NDArray[np.int64], counts: Sequence[int]) -> tuple[NDArray[np.int64], ...]:
    """Split the rows of `labels` into disjoint parts of `counts` rows, each with the classes' proportions.

    The counts must add up to the number of rows. The order within a part is shuffled, and fixed.
    """
    rest = np.arange(len(labels))
    parts = []
    for count in counts[:-1]:
        part, rest = train_test_split(rest, train_size=count, stratify=labels[rest], random_state=SPLIT_SEED)
        parts.append(part)
    return *parts, rest


def standardising_table(levels: NDArray[np.uint8], top: int) -> tuple[NDArray[np.float32], float, float]:
    """Level -> standardised value for levels 0 … `top`; with the mean and standard deviation, on 0 … 1.

    `levels` are the training images. One mean for all channels keeps luminance meaningful: its weights sum
    to 1, so the luminance of standardised colours is the standardised luminance.
    """
    counts = np.zeros(top + 1, dtype=np.int64)
    for start in range(0, len(levels), CHUNK):
        counts += np.bincount(levels[start : start + CHUNK].ravel(), minlength=top + 1)
    grid = range(top + 1)
    total = int(counts.sum())
    first = sum(level * int(count) for level, count in zip(grid, counts, strict=True))
    second = sum(level * level * int(count) for level, count in zip(grid, counts, strict=True))
    mean = first / total / top
    std = math.sqrt(second * total - first * first) / total / top
    table = (np.arange(top + 1) / top - mean) / std
    return table.astype(np.float32), mean, std


def build(
    name: str,
    levels: NDArray[np.uint8],
    labels: NDArray[np.int64],
    indices: Sequence[NDArray[np.int64]],
    *,
    top: int,
    classes: int,
    noise: NDArray[np.float64] | None = None,
) -> Dataset:
    """Assemble a Dataset.

    `levels` (n, channels, side, side) are whole numbers 0 … `top`; `indices` are the rows of train,
    validation and test; `noise`, of the shape of `levels`, is added after standardising.
    """
    table, mean, std = standardising_table(levels[indices[0]], top)
    splits = {}
    for part, rows in zip(PARTS, indices, strict=True):
        images = table[levels[rows]]  # (rows, channels, side, side)
        if noise is not None:
            images = (images + noise[rows]).astype(np.float32)
        splits[part] = Split(torch.from_numpy(images), torch.from_numpy(labels[rows]))
    facts = {"mean": mean, "std": std, "indices": MappingProxyType(dict(zip(PARTS, indices, strict=True)))}
    return Dataset(name, **splits, classes=classes, facts=MappingProxyType(facts))
