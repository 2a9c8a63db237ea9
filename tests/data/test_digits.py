"""The digits never change: hashes hold splits, noise and shifts, independent oracles their meaning."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn import datasets

from explorer.data import Dataset, load_dataset
from explorer.data.digits import shift

HASHES = json.loads(Path(__file__).with_name("hashes.json").read_text())
PARTS = ("train", "validation", "test")


def digest(array: np.ndarray) -> str:
    """sha256 over shape, type and little-endian bytes."""
    plain = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"))
    return hashlib.sha256(f"{plain.shape}{plain.dtype.name}".encode() + plain.tobytes()).hexdigest()


def fingerprints(dataset: Dataset) -> dict[str, dict[str, str]]:
    return {
        part: {
            "indices": digest(dataset.facts["indices"][part]),
            "images": digest(getattr(dataset, part).images.numpy()),
            "labels": digest(getattr(dataset, part).labels.numpy()),
        }
        for part in PARTS
    }


@pytest.mark.parametrize("name", ["digits", "noisy-digits", "shifted-digits", "synthetic"])
def test_indices_and_arrays_are_the_ones_that_results_were_published_on(name: str) -> None:
    assert fingerprints(load_dataset(name)) == HASHES[name]


def _levels() -> np.ndarray:
    return datasets.load_digits().images  # (1797, 8, 8), 0 … 16


@pytest.mark.parametrize("part", PARTS)
def test_digits_are_scikit_learns_images_with_their_labels(part: str) -> None:
    dataset = load_dataset("digits")
    rows = dataset.facts["indices"][part]
    split = getattr(dataset, part)
    restored = split.images[:, 0].numpy() * dataset.facts["std"] + dataset.facts["mean"]
    np.testing.assert_allclose(restored * 16, _levels()[rows], atol=1e-5)
    assert split.labels.tolist() == datasets.load_digits().target[rows].tolist()


@pytest.mark.parametrize("name", ["digits", "shifted-digits", "synthetic"])
def test_the_training_images_have_mean_0_and_standard_deviation_1(name: str) -> None:
    images = load_dataset(name).train.images.double()
    assert images.mean().abs() < 1e-6
    assert (images.std(unbiased=False) - 1).abs() < 1e-6


def test_noisy_digits_are_standardised_digits_plus_one_standard_normal_draw() -> None:
    dataset = load_dataset("noisy-digits")
    noise = []
    for part in PARTS:
        levels = _levels()[dataset.facts["indices"][part]] / 16
        clean = (levels - dataset.facts["mean"]) / dataset.facts["std"]
        noise.append(getattr(dataset, part).images[:, 0].double() - torch.from_numpy(clean))
    draw = torch.cat(noise)  # (1797, 8, 8)
    error = 1 / draw.numel() ** 0.5
    assert draw.mean().abs() < 4 * error
    assert (draw.std() - 1).abs() < 4 * error
    assert len(draw.flatten().unique()) > 0.99 * draw.numel()


def test_shifted_digits_are_digits_moved_by_at_most_two_pixels() -> None:
    dataset = load_dataset("shifted-digits")
    seen = set()
    for part in PARTS:
        originals = np.pad(_levels()[dataset.facts["indices"][part]], ((0, 0), (2, 2), (2, 2)))
        moved = getattr(dataset, part).images[:, 0].numpy() * dataset.facts["std"] + dataset.facts["mean"]
        steps = {
            (down, right): np.abs(
                originals[:, 2 - down : 10 - down, 2 - right : 10 - right] - moved * 16
            ).max(axis=(1, 2))
            for down in range(-2, 3)
            for right in range(-2, 3)
        }
        distances = np.stack(list(steps.values()))  # (25, n)
        assert distances.min(axis=0).max() < 1e-4
        seen |= {list(steps)[i] for i in distances.argmin(axis=0)}
    assert len(seen) == 25


def test_a_shift_moves_down_and_right_and_lets_background_in() -> None:
    image = np.arange(1, 10, dtype=np.uint8).reshape(1, 1, 3, 3)
    moved = shift(np.repeat(image, 2, axis=0), np.array([[1, 2], [-1, 0]]))
    assert moved[0, 0].tolist() == [[0, 0, 0], [0, 0, 1], [0, 0, 4]]
    assert moved[1, 0].tolist() == [[4, 5, 6], [7, 8, 9], [0, 0, 0]]
