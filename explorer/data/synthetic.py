"""A seeded task for tests: four kinds of blobs that a small network tells apart after an epoch or two.

A class fixes the blob's corner, width and brightness, so networks that look at places, at textures or only
at averages all find something to learn. Scores on it mean nothing beyond "training works".
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from explorer.data.build import build, stratified
from explorer.data.records import Dataset

COUNTS = (256, 128, 128)  # train, validation, test
CHANNELS, SIDE, CLASSES, TOP = 1, 8, 4, 255

SEED = 20204
CENTRES = ((2.0, 2.0), (2.0, 5.0), (5.0, 2.0), (5.0, 5.0))  # row, column, in pixels
WIDTHS = (0.8, 1.2, 1.8, 2.6)  # standard deviation of the blob, in pixels
PEAKS = (0.6, 0.7, 0.8, 0.9)  # brightness, of 1
NOISE = 0.08  # standard deviation, of 1


def load_synthetic(root: Path | None = None) -> Dataset:
    """The blobs, as many of each class. `root` is there for the common signature; nothing is read from it."""
    rng = np.random.default_rng(SEED)
    labels = np.arange(sum(COUNTS), dtype=np.int64) % CLASSES
    levels = np.stack([_blob(int(label), rng) for label in labels])[:, None]  # (n, 1, side, side)
    return build("synthetic", levels, labels, stratified(labels, COUNTS), top=TOP, classes=CLASSES)


def _blob(label: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """One image (side, side): the class's blob, moved by up to about a pixel, with noise on top."""
    row, column = np.asarray(CENTRES[label]) + rng.normal(0.0, 0.4, 2)
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    distance = (rows - row) ** 2 + (columns - column) ** 2
    image = PEAKS[label] * np.exp(-distance / (2 * WIDTHS[label] ** 2)) + rng.normal(0.0, NOISE, (SIDE, SIDE))
    return np.rint(np.clip(image, 0.0, 1.0) * TOP).astype(np.uint8)
