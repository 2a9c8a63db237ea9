"""MNIST, Fashion-MNIST and CIFAR-10 through torchvision: a local copy first, else a download.

A download goes to a folder of its own and moves into place when it is complete, so a broken one leaves
nothing behind. Without files and without a network the answer is DataMissing, which names the folder and
the files to put there. The validation split is cut from the training images, stratified; torchvision's test
images stay the test split.
"""

from __future__ import annotations

import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.data.build import build, stratified
from explorer.data.places import downloads_allowed
from explorer.data.records import Dataset
from explorer.data.shim import import_torchvision
from explorer.errors import DataMissing

REACH_SECONDS = 5.0
TOP = 255

_IDX_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
_CIFAR_FILES = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch", "batches.meta")


@dataclass(frozen=True)
class Source:
    """One dataset of torchvision: which class reads it, where its files lie, and what they hold."""

    name: str
    reader: str  # class in torchvision.datasets
    top: str  # the folder under the data root that a download fills
    folder: str  # the folder under the data root that holds `files`
    files: tuple[str, ...]
    counts: tuple[int, int, int]  # train, validation, test images
    channels: int
    side: int  # pixels
    classes: int
    disk_mb: int  # what a download needs at its largest


MNIST = Source("mnist", "MNIST", "MNIST", "MNIST/raw", _IDX_FILES, (55000, 5000, 10000), 1, 28, 10, 70)
FASHION_MNIST = Source(
    "fashion-mnist",
    "FashionMNIST",
    "FashionMNIST",
    "FashionMNIST/raw",
    _IDX_FILES,
    (55000, 5000, 10000),
    1,
    28,
    10,
    90,
)
CIFAR10 = Source(
    "cifar10",
    "CIFAR10",
    "cifar-10-batches-py",
    "cifar-10-batches-py",
    _CIFAR_FILES,
    (45000, 5000, 10000),
    3,
    32,
    10,
    360,
)
SOURCES = (MNIST, FASHION_MNIST, CIFAR10)


def load_mnist(root: Path) -> Dataset:
    """MNIST (LeCun et al. 1998), 28x28 grey."""
    return load_source(MNIST, root)


def load_fashion_mnist(root: Path) -> Dataset:
    """Fashion-MNIST (Xiao et al. 2017), 28x28 grey."""
    return load_source(FASHION_MNIST, root)


def load_cifar10(root: Path) -> Dataset:
    """CIFAR-10 (Krizhevsky 2009), 32x32 colour."""
    return load_source(CIFAR10, root)


def load_source(
    source: Source,
    root: Path,
    readers: Any = None,
    reachable: Callable[[str], bool] | None = None,
) -> Dataset:
    """Read `source` from `root`, after fetching it if it is not there and can be had; DataMissing otherwise.

    `readers` holds the reading classes (default: torchvision.datasets); `reachable` says whether a URL
    answers.
    """
    readers = import_torchvision().datasets if readers is None else readers
    reader = getattr(readers, source.reader)
    if absent(source, root):
        fetch(source, root, reader, answers if reachable is None else reachable)
    levels, labels = _read(source, root, reader)
    train, validation, _ = source.counts
    learned = stratified(labels[: train + validation], (train, validation))
    indices = (*learned, np.arange(train + validation, len(labels)))
    return build(source.name, levels, labels, indices, top=TOP, classes=source.classes)


def absent(source: Source, root: Path) -> tuple[str, ...]:
    """The files of `source` that are not under `root`."""
    return tuple(file for file in source.files if not (root / source.folder / file).is_file())


def fetch(source: Source, root: Path, reader: Any, reachable: Callable[[str], bool]) -> None:
    """Download `source` into `root`, completely or not at all."""
    remedy = _remedy(source, root)
    if not downloads_allowed():
        raise DataMissing(
            f"Dataset {source.name!r} is not here and EXPLORER_OFFLINE forbids downloads. {remedy}"
        )
    urls = getattr(reader, "mirrors", None) or [reader.url]
    if not any(reachable(url) for url in urls):
        raise DataMissing(
            f"Dataset {source.name!r} is not here and cannot be downloaded: no network. {remedy}"
        )
    try:
        root.mkdir(parents=True, exist_ok=True)
        free_mb = shutil.disk_usage(root).free // 2**20
        if free_mb < source.disk_mb:
            raise DataMissing(
                f"Dataset {source.name!r} needs {source.disk_mb} MB and {root} has {free_mb} MB left; "
                "free some space."
            )
        with tempfile.TemporaryDirectory(prefix=f".{source.name}-", dir=root) as partial:
            reader(partial, train=True, download=True)
            _place(Path(partial) / source.top, root / source.top)
    except (OSError, RuntimeError, ValueError) as error:
        raise DataMissing(
            f"Dataset {source.name!r} could not be downloaded to {root} ({_short(error)}). {remedy}"
        ) from error


def answers(url: str) -> bool:
    """Whether anything answers at `url` within a few seconds; an HTTP error is an answer."""
    try:
        request = urllib.request.Request(url, method="HEAD")
        urllib.request.urlopen(request, timeout=REACH_SECONDS).close()
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError):
        return False
    return True


def _place(finished: Path, target: Path) -> None:
    """Move a complete download into place; another process may have been faster, which is as good."""
    if target.exists():
        shutil.copytree(finished, target, dirs_exist_ok=True)
        return
    try:
        finished.rename(target)
    except OSError:
        if not target.is_dir():
            raise


def _read(source: Source, root: Path, reader: Any) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Training images and then test images, (n, channels, side, side), with their labels (n,)."""
    try:
        halves = [reader(root, train=train) for train in (True, False)]
        levels = np.concatenate([_channels_first(np.asarray(half.data)) for half in halves])
        labels = np.concatenate([np.asarray(half.targets, dtype=np.int64) for half in halves])
    except (
        Exception
    ) as error:  # the readers raise whatever a damaged file leads to, asserts and unpickling included
        raise DataMissing(_damaged(source, root, _short(error))) from error
    train, validation, test = source.counts
    found = tuple(len(half.data) for half in halves)
    if found != (train + validation, test):
        raise DataMissing(
            _damaged(source, root, f"{found[0]} and {found[1]} images, not {train + validation} and {test}")
        )
    return levels, labels


def _channels_first(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(n, side, side) or (n, side, side, 3) as torchvision holds them -> (n, channels, side, side)."""
    if images.ndim == 3:
        return images[:, None]
    return images.transpose(0, 3, 1, 2)


def _remedy(source: Source, root: Path) -> str:
    return (
        f"Put these files, unpacked, into {root / source.folder}: {', '.join(source.files)}; "
        "or choose 'digits', which is built in."
    )


def _damaged(source: Source, root: Path, reason: str) -> str:
    return (
        f"The files of dataset {source.name!r} in {root / source.folder} are damaged or incomplete "
        f"({reason}). Replace them or delete that folder."
    )


def _short(error: BaseException) -> str:
    """The first line of an error, or its kind."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
