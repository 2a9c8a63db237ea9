"""How the cells of the answer key are trained, and which of them with how many seeds.

The recipe was chosen by `benchmarks/key_recipe.py`. Every cell starts, for one seed, from the same stem and sees the
images in the same order; weights and order come from the seed alone, split, noise and shift from the dataset.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from explorer.space import Architecture, CellSpace, edge_label, preset

SPACE = "cell"
EPOCHS = 20
SETTINGS: Mapping[str, Any] = MappingProxyType(
    {
        "optimizer": "sgd",
        "learning_rate": 0.1,
        "momentum": 0.9,
        "weight_decay": 5e-4,
        "schedule": "cosine",
        "batch_size": 32,
        "gradient_clip": 0.0,
    }
)
SEEDS = 3
BEST, BEST_SEEDS = 200, 16  # so many of the best have so many seeds
NOISY, SHIFTED = "noisy-digits", "shifted-digits"
DATASETS = (NOISY, SHIFTED)
THREE = ("none", "skip_connect", "nor_conv_3x3")  # the operations of the 729 cells
BLOCK = 512  # cells of a shard, less than ten minutes


@dataclass(frozen=True)
class Shard:
    """Cells of one dataset and one seed, trained and kept together; `cells` are their places in the space's order."""

    dataset: str
    seed: int
    name: str
    cells: tuple[int, ...]

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.dataset}-seed{self.seed:02d}-{self.name}.npz"


def fingerprint() -> str:
    """Twelve signs that differ when the recipe does."""
    text = json.dumps({"space": SPACE, "epochs": EPOCHS, **SETTINGS}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def space() -> CellSpace:
    """The space of the key, all 15,625 cells."""
    found = preset(SPACE)
    assert isinstance(found, CellSpace)
    return found


def lesson(architecture: Mapping[str, Any]) -> bool:
    """Whether a cell is one of the 125 of three nodes: the third node hands on the second, and nothing else."""
    fixed = {(0, 3): "none", (1, 3): "none", (2, 3): "skip_connect"}
    return all(architecture[edge_label(edge)] == name for edge, name in fixed.items())


def of_three(architecture: Mapping[str, Any]) -> bool:
    """Whether a cell is one of the 729 of three operations."""
    return all(name in THREE for name in architecture.values())


def shards() -> Iterator[Shard]:
    """Everything but what depends on results: one seed of all cells after the other, then the second dataset."""
    cells: list[Architecture] = list(space())
    for seed in range(SEEDS):
        for start in range(0, len(cells), BLOCK):
            block = tuple(range(start, min(start + BLOCK, len(cells))))
            yield Shard(NOISY, seed, f"block{start // BLOCK:02d}", block)
    chosen = [at for at, cell in enumerate(cells) if lesson(cell) or of_three(cell)]
    for seed in range(SEEDS):
        for start in range(0, len(chosen), BLOCK // 2):  # twice as many images a cell
            yield Shard(
                SHIFTED, seed, f"block{2 * start // BLOCK:02d}", tuple(chosen[start : start + BLOCK // 2])
            )


def best_shards(places: Iterable[int]) -> Iterator[Shard]:
    """The seeds that the best of the first dataset have and the others do not; `places` says which these are."""
    cells = tuple(sorted(places))
    for seed in range(SEEDS, BEST_SEEDS):
        yield Shard(NOISY, seed, "best", cells)
