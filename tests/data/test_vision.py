"""Datasets through torchvision, read from small copies in the real on-disk formats, without a network."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from explorer.data import vision
from explorer.data.places import data_root
from explorer.data.shim import import_torchvision
from explorer.data.vision import CIFAR10, FASHION_MNIST, MNIST, Source, load_source
from explorer.errors import DataMissing

TRAIN, VALIDATION, TEST = 40, 10, 20
COUNTS = (TRAIN, VALIDATION, TEST)
CLASSES = 10
READERS = import_torchvision().datasets


def _images(count: int, source: Source, seed: int) -> np.ndarray:
    shape = (count, source.channels, source.side, source.side)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def _labels(count: int) -> np.ndarray:
    return (np.arange(count) % CLASSES).astype(np.uint8)


def _write_idx(path: Path, array: np.ndarray) -> None:
    """LeCun's IDX format: zero, zero, type 8 (unsigned byte), how many dimensions, their sizes, the bytes."""
    sizes = b"".join(int(size).to_bytes(4, "big") for size in array.shape)
    path.write_bytes(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes())


def _place_idx(source: Source, root: Path) -> None:
    folder = root / source.folder
    folder.mkdir(parents=True)
    for prefix, count, seed in (("train", TRAIN + VALIDATION, 1), ("t10k", TEST, 2)):
        _write_idx(folder / f"{prefix}-images-idx3-ubyte", _images(count, source, seed)[:, 0])
        _write_idx(folder / f"{prefix}-labels-idx1-ubyte", _labels(count))


def _place_cifar(root: Path) -> Any:
    """Pickled batches as Krizhevsky published them; returns a reader that knows these files' checksums."""
    folder = root / CIFAR10.folder
    folder.mkdir(parents=True)
    images, labels = _images(TRAIN + VALIDATION, CIFAR10, 1), _labels(TRAIN + VALIDATION)
    batches = {
        f"data_batch_{i + 1}": {"data": images[i::5].reshape(-1, 3072), "labels": labels[i::5].tolist()}
        for i in range(5)
    }
    batches["test_batch"] = {
        "data": _images(TEST, CIFAR10, 2).reshape(-1, 3072),
        "labels": _labels(TEST).tolist(),
    }
    batches["batches.meta"] = {"label_names": [f"class {i}" for i in range(CLASSES)]}
    checksums = {}
    for name, batch in batches.items():
        (folder / name).write_bytes(pickle.dumps(batch, protocol=2))
        checksums[name] = hashlib.md5((folder / name).read_bytes()).hexdigest()

    known = {
        "train_list": [[f"data_batch_{i}", checksums[f"data_batch_{i}"]] for i in range(1, 6)],
        "test_list": [["test_batch", checksums["test_batch"]]],
        "meta": {"filename": "batches.meta", "key": "label_names", "md5": checksums["batches.meta"]},
    }
    return SimpleNamespace(CIFAR10=type("CIFAR10", (READERS.CIFAR10,), known))


@pytest.mark.parametrize("source", [MNIST, FASHION_MNIST], ids=lambda source: source.name)
def test_a_local_copy_in_idx_format_is_read_and_split(source: Source, tmp_path: Path) -> None:
    _place_idx(source, tmp_path)
    dataset = load_source(replace(source, counts=COUNTS), tmp_path)
    assert tuple(len(split) for split in (dataset.train, dataset.validation, dataset.test)) == COUNTS
    restored = dataset.test.images.numpy() * dataset.facts["std"] + dataset.facts["mean"]
    np.testing.assert_allclose(restored * 255, _images(TEST, source, 2), atol=1e-3)
    assert dataset.test.labels.tolist() == _labels(TEST).tolist()
    assert np.bincount(dataset.validation.labels.numpy()).tolist() == [1] * CLASSES


def test_a_local_copy_of_cifar10_is_read_in_colour(tmp_path: Path) -> None:
    readers = _place_cifar(tmp_path)
    dataset = load_source(replace(CIFAR10, counts=COUNTS), tmp_path, readers)
    assert dataset.train.images.shape == (TRAIN, 3, 32, 32)
    restored = dataset.test.images.numpy() * dataset.facts["std"] + dataset.facts["mean"]
    np.testing.assert_allclose(restored * 255, _images(TEST, CIFAR10, 2), atol=1e-3)


def test_validation_comes_from_the_training_images_only(tmp_path: Path) -> None:
    _place_idx(MNIST, tmp_path)
    indices = load_source(replace(MNIST, counts=COUNTS), tmp_path).facts["indices"]
    assert sorted([*indices["train"], *indices["validation"]]) == list(range(TRAIN + VALIDATION))
    assert list(indices["test"]) == list(range(TRAIN + VALIDATION, sum(COUNTS)))


def test_fewer_images_than_published_are_called_incomplete(tmp_path: Path) -> None:
    _place_idx(MNIST, tmp_path)
    with pytest.raises(DataMissing, match="50 and 20 images, not 60000 and 10000"):
        load_source(MNIST, tmp_path)


def test_a_damaged_file_is_said_with_its_folder(tmp_path: Path) -> None:
    _place_idx(MNIST, tmp_path)
    (tmp_path / MNIST.folder / "train-images-idx3-ubyte").write_bytes(b"not an image")
    with pytest.raises(DataMissing, match="MNIST/raw are damaged or incomplete"):
        load_source(MNIST, tmp_path)


def test_a_batch_that_is_not_the_published_one_is_never_unpickled(tmp_path: Path) -> None:
    readers = _place_cifar(tmp_path)
    (tmp_path / CIFAR10.folder / "data_batch_3").write_bytes(pickle.dumps(SystemExit))
    with pytest.raises(DataMissing, match="cifar-10-batches-py are damaged or incomplete"):
        load_source(CIFAR10, tmp_path, readers)


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EXPLORER_OFFLINE")


def _downloading(place: Any) -> Any:
    """Readers whose MNIST fetches by calling `place(root)`."""

    def download(self: Any) -> None:
        place(Path(self.root))

    mirrored = type("MNIST", (READERS.MNIST,), {"mirrors": ["mirror"], "download": download})
    return SimpleNamespace(MNIST=mirrored)


@pytest.mark.usefixtures("online")
def test_a_missing_dataset_is_downloaded_into_place_when_a_network_is_there(tmp_path: Path) -> None:
    readers = _downloading(lambda root: _place_idx(MNIST, root))
    dataset = load_source(replace(MNIST, counts=COUNTS), tmp_path / "new", readers, lambda url: True)
    assert len(dataset.train) == TRAIN
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["MNIST"]


@pytest.mark.usefixtures("online")
def test_a_broken_download_leaves_nothing_behind(tmp_path: Path) -> None:
    def half(root: Path) -> None:
        _place_idx(MNIST, root)
        raise RuntimeError("connection reset\nand more")

    with pytest.raises(
        DataMissing, match=r"could not be downloaded .*\(connection reset\)\. Put these files"
    ):
        load_source(MNIST, tmp_path, _downloading(half), lambda url: True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("online")
def test_without_a_network_nothing_is_fetched(tmp_path: Path) -> None:
    asked: list[str] = []

    def unreachable(url: str) -> bool:
        asked.append(url)
        return False

    with pytest.raises(DataMissing, match="cannot be downloaded: no network"):
        load_source(MNIST, tmp_path / "new", _downloading(pytest.fail), unreachable)
    assert asked == ["mirror"]
    assert not (tmp_path / "new").exists()


@pytest.mark.usefixtures("online")
def test_a_full_disk_is_said_before_the_download(tmp_path: Path) -> None:
    greedy = replace(MNIST, disk_mb=10**9)
    with pytest.raises(DataMissing, match=r"needs 1000000000 MB and .* MB left"):
        load_source(greedy, tmp_path, _downloading(pytest.fail), lambda url: True)


@pytest.mark.usefixtures("online")
def test_a_root_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataMissing, match=r"could not be downloaded to .*file"):
        load_source(MNIST, tmp_path / "file", _downloading(pytest.fail), lambda url: True)


@pytest.mark.usefixtures("online")
def test_a_faster_process_may_have_placed_the_files(tmp_path: Path) -> None:
    def both(root: Path) -> None:
        _place_idx(MNIST, root)
        _place_idx(MNIST, tmp_path)

    dataset = load_source(replace(MNIST, counts=COUNTS), tmp_path, _downloading(both), lambda url: True)
    assert len(dataset.test) == TEST


def test_an_address_where_nothing_listens_is_not_reachable() -> None:
    assert not vision.answers("http://127.0.0.1:9/nothing")
    assert not vision.answers("no address at all")


def test_data_lives_under_the_home_unless_a_root_is_given(explorer_home: Path, tmp_path: Path) -> None:
    assert data_root() == explorer_home / "data"
    assert data_root(tmp_path) == tmp_path
