"""The embedded dataset and its two harder variants.

Plain digits saturate: nearly every small network reads them. Noise or shift spreads the architectures out.
All three are made from the 1,797 images that scikit-learn ships (a copy of the test part of the UCI set
"optical recognition of handwritten digits": 8x8 pixels, 17 grey levels), with fixed seeds: a run's seed
never reaches them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets

from explorer.data.build import build, stratified
from explorer.data.records import Dataset

COUNTS = (1000, 300, 497)  # train, validation, test
NOISY_COUNTS = (500, 400, 897)
CHANNELS, SIDE, CLASSES, TOP = 1, 8, 10, 16

NOISE_SEED = 20202
SHIFT_SEED = 20203
MAX_SHIFT = 2  # pixels


def load_digits(root: Path | None = None) -> Dataset:
    """Digits as they are. `root` is there for the common signature; nothing is read from it."""
    levels, labels = _source()
    return build("digits", levels, labels, stratified(labels, COUNTS), top=TOP, classes=CLASSES)


def load_noisy_digits(root: Path | None = None) -> Dataset:
    """Digits, standardised on train, plus one fixed N(0, 1) draw on every pixel of all three splits."""
    levels, labels = _source()
    noise = np.random.default_rng(NOISE_SEED).standard_normal(levels.shape)
    indices = stratified(labels, NOISY_COUNTS)
    return build("noisy-digits", levels, labels, indices, top=TOP, classes=CLASSES, noise=noise)


def load_shifted_digits(root: Path | None = None) -> Dataset:
    """Digits, each image moved by one fixed step of -2 … 2 pixels down and across; background comes in."""
    levels, labels = _source()
    steps = np.random.default_rng(SHIFT_SEED).integers(-MAX_SHIFT, MAX_SHIFT, (len(levels), 2), endpoint=True)
    moved = shift(levels, steps)
    return build("shifted-digits", moved, labels, stratified(labels, COUNTS), top=TOP, classes=CLASSES)


def shift(levels: NDArray[np.uint8], steps: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Move image i of `levels` (n, 1, side, side) by `steps[i]` = (down, right) pixels; zeros come in."""
    side = levels.shape[-1]
    reach = int(np.abs(steps).max(initial=0))
    framed = np.pad(levels, ((0, 0), (0, 0), (reach, reach), (reach, reach)))
    moved = np.empty_like(levels)
    for i, (down, right) in enumerate(steps):
        top, left = reach - down, reach - right
        moved[i] = framed[i, :, top : top + side, left : left + side]
    return moved


def _source() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """All images (1797, 1, 8, 8), levels 0 … 16, with their labels (1797,)."""
    bunch = datasets.load_digits()
    levels = bunch.images.astype(np.uint8)[:, None]  # (n, 1, 8, 8)
    return levels, bunch.target.astype(np.int64)
