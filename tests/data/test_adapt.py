"""The adapter against torch's own resize and a hand-written luminance."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from explorer.data import Dataset, Split, load_dataset
from explorer.data.adapt import adapt, resize


def _coloured(seed: int = 7) -> Dataset:
    generator = torch.Generator().manual_seed(seed)
    splits = [Split(torch.randn(n, 3, 6, 6, generator=generator), torch.arange(n) % 2) for n in (4, 2, 2)]
    return Dataset("coloured", *splits, classes=2)


@pytest.mark.parametrize(("old", "new"), [(8, 32), (8, 11), (28, 8), (32, 9), (5, 1), (1, 4), (8, 8)])
def test_resize_is_torchs_bilinear_interpolation(old: int, new: int) -> None:
    images = np.random.default_rng(old * 100 + new).normal(size=(3, 2, old, old)).astype(np.float32)
    expected = interpolate(torch.from_numpy(images), (new, new), mode="bilinear", align_corners=False)
    np.testing.assert_allclose(resize(images, new), expected.numpy(), atol=1e-5)


def test_resize_treats_every_image_alike_however_many_there_are() -> None:
    images = np.random.default_rng(1).normal(size=(4100, 1, 2, 2)).astype(np.float32)  # more than one chunk
    np.testing.assert_array_equal(resize(images, 3)[-5:], resize(images[-5:], 3))


def test_grey_becomes_three_equal_channels_without_a_copy() -> None:
    images = load_dataset("digits", channels=3, side=32).train.images
    assert images.shape == (1000, 3, 32, 32)
    assert torch.equal(images[:, 0], images[:, 1]) and torch.equal(images[:, 0], images[:, 2])
    assert images.stride(1) == 0


def test_three_channels_become_luminance() -> None:
    dataset = _coloured()
    red, green, blue = dataset.train.images.unbind(1)
    expected = 0.299 * red + 0.587 * green + 0.114 * blue
    torch.testing.assert_close(adapt(dataset, channels=1).train.images, expected[:, None])


def test_equal_colours_keep_their_value_as_luminance() -> None:
    grey = load_dataset("digits")
    there_and_back = adapt(adapt(grey, channels=3), channels=1)
    torch.testing.assert_close(there_and_back.test.images, grey.test.images)


def test_what_fits_already_is_left_alone() -> None:
    dataset = _coloured()
    assert adapt(dataset) is dataset
    assert adapt(dataset, 3, 6) is dataset


def test_labels_classes_and_facts_survive() -> None:
    dataset = load_dataset("digits")
    adapted = adapt(dataset, 3, 16)
    assert (adapted.channels, adapted.side, adapted.classes) == (3, 16, dataset.classes)
    assert torch.equal(adapted.validation.labels, dataset.validation.labels)
    assert adapted.facts == dataset.facts
