"""The adapter between a dataset's images and the input that a search space states.

    channels   1 -> 3   the grey value is repeated (a view: no memory is copied)
               3 -> 1   luminance, 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601)
    side       bilinear, half-pixel centres, no smoothing: `torch.nn.functional.interpolate(mode="bilinear")`

A network therefore always sees (channels, side, side) of its space, whatever the dataset; the adapter has
no parameters and runs once, at loading, so it adds nothing to a network's parameters or
multiply-accumulates. It computes in numpy: a process that forks workers afterwards has not started torch's
threads.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from explorer.data.records import Dataset, Split
from explorer.errors import SpaceError

LUMINANCE = (0.299, 0.587, 0.114)
MAX_SIDE = 512  # pixels; a guard against a typing error, not a measured limit
CHUNK = 4096


def adapt(dataset: Dataset, channels: int | None = None, side: int | None = None) -> Dataset:
    """`dataset` with `channels` and `side`; None keeps its own. Raises SpaceError for the impossible."""
    channels = dataset.channels if channels is None else channels
    side = dataset.side if side is None else side
    problems = _problems(dataset, channels, side)
    if problems:
        raise SpaceError(*problems)
    if (channels, side) == (dataset.channels, dataset.side):
        return dataset
    return replace(
        dataset,
        train=_adapt_split(dataset.train, channels, side),
        validation=_adapt_split(dataset.validation, channels, side),
        test=_adapt_split(dataset.test, channels, side),
    )


def resize(images: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Bilinear resize of (n, channels, old, old) to (n, channels, side, side)."""
    low, high, weight = _taps(images.shape[-1], side)
    resized = np.empty((*images.shape[:2], side, side), dtype=np.float32)
    for start in range(0, len(images), CHUNK):
        chunk = images[start : start + CHUNK]
        rows = _blend(chunk[:, :, low], chunk[:, :, high], weight[:, None])  # (chunk, channels, side, old)
        resized[start : start + CHUNK] = _blend(rows[..., low], rows[..., high], weight)
    return resized


def luminance(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Grey images (n, 1, side, side) from colours (n, 3, side, side)."""
    red, green, blue = (np.float32(weight) for weight in LUMINANCE)
    grey = red * images[:, 0] + green * images[:, 1] + blue * images[:, 2]  # (n, side, side)
    return grey[:, None]


def _problems(dataset: Dataset, channels: int, side: int) -> list[str]:
    problems = []
    if channels != dataset.channels and {channels, dataset.channels} != {1, 3}:
        problems.append(
            f"Dataset {dataset.name!r} has {dataset.channels} channel(s) and can be read with 1 or 3, "
            f"not {channels!r}."
        )
    if not 1 <= side <= MAX_SIDE:
        problems.append(f"An image of side {side!r} cannot be made; give a side from 1 to {MAX_SIDE} pixels.")
    return problems


def _adapt_split(split: Split, channels: int, side: int) -> Split:
    images = split.images.numpy()
    if channels < images.shape[1]:
        images = luminance(images)
    if side != images.shape[-1]:
        images = resize(images, side)
    tensor = torch.from_numpy(images)
    return Split(tensor.expand(-1, channels, -1, -1), split.labels)  # (n, channels, side, side)


def _taps(old: int, new: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """For each new pixel the two old ones that it blends, and the second one's weight."""
    centres = np.clip((np.arange(new) + 0.5) * (old / new) - 0.5, 0.0, None)
    low = np.minimum(centres.astype(np.int64), old - 1)
    high = np.minimum(low + 1, old - 1)
    return low, high, (centres - low).astype(np.float32)


def _blend(
    first: NDArray[np.float32], second: NDArray[np.float32], weight: NDArray[np.float32]
) -> NDArray[np.float32]:
    return first + (second - first) * weight
