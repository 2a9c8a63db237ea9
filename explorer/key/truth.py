"""What the answer key knows about itself: how much of it is luck, what it cannot tell apart, what it says elsewhere.

Everything is on the live cells: dead ones read a constant, and telling them from the others is no art.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from explorer.errors import OutsideKey
from explorer.key.look import Z, bands, margin, posterior
from explorer.key.record import Floats, Key


@dataclass(frozen=True)
class Truth:
    """`icc` of one seed and `icc_of_mean` of the mean of `seeds` (Shrout & Fleiss 1979, ICC(1,1) and ICC(1,k)): the
    share of variance that is the cells' own. `seed_to_seed`: Spearman of two single seeds, mean over pairs.

    `split_half`: Spearman to be expected between these means and those of another key made alike (Spearman-Brown);
    `ceiling`, its root, is what a predictor that knew the truth would reach against these means.
    `like_the_best`: cells that 95 % confidence cannot tell from the best when the two are compared, itself included.
    The best was also lucky, so these are too few; `maybe_the_best` counts them by shrunken means (`look.posterior`).
    `resolution`: the smallest difference that `seeds` seeds resolve.
    """

    cells: int
    dead: int
    seeds: int
    sigma: float
    icc: float
    icc_of_mean: float
    seed_to_seed: float
    split_half: float
    ceiling: float
    like_the_best: int
    maybe_the_best: int
    resolution: float
    lowest: float
    highest: float
    mean: float
    spread: float  # standard deviation of the live cells' means


@dataclass(frozen=True)
class Transfer:
    """Two keys on the live cells that both hold; `overlap` is the share of the best tenth of one that is the other's.

    Of `best` cells drawn blindly `best / cells` would be shared.
    """

    cells: int
    spearman: float
    best: int
    overlap: float


def truth(key: Key) -> Truth:
    """All of it; raises OutsideKey when most cells have one seed only."""
    scored = seed_table(key)
    count = scored.shape[1]
    one, mean_of = reliability(scored)
    half = split_half(scored)
    live = key.means[key.alive]
    best = key.cells[[int(key.means.argmax())]]
    return Truth(
        cells=len(key.cells),
        dead=int((~key.alive).sum()),
        seeds=count,
        sigma=key.sigma,
        icc=one,
        icc_of_mean=mean_of,
        seed_to_seed=float(np.mean([spearman(*scored[:, pair].T) for pair in _pairs(count)])),
        split_half=half,
        ceiling=max(0.0, half) ** 0.5,
        like_the_best=int(bands(key, best)[2][0]),
        maybe_the_best=maybe_the_best(key),
        resolution=float(margin(key, count, count)),
        lowest=float(live.min()),
        highest=float(live.max()),
        mean=float(live.mean()),
        spread=float(live.std(ddof=1)),
    )


def maybe_the_best(key: Key) -> int:
    """How many cells 95 % confidence cannot tell from the best when the luck of the best is taken out."""
    drawn, doubt = posterior(key)
    best = int(drawn.argmax())
    return int((drawn[best] - drawn <= Z * np.hypot(doubt[best], doubt)).sum())


def _pairs(count: int) -> list[list[int]]:
    return [list(pair) for pair in combinations(range(count), 2)]


def seed_table(key: Key) -> Floats:
    """(cells, k) test accuracy of the first k seeds of live cells; k is the number that most of them have."""
    seeds = key.seeds[key.alive]
    count = int(np.bincount(seeds).argmax()) if len(seeds) else 0
    whole = np.flatnonzero(key.alive & (key.seeds >= count))
    if count < 2 or len(whole) < 3:
        raise OutsideKey(
            f"The answer key of {key.dataset} has {count} seed a cell; two seeds of three live cells are needed "
            "to say how reliable it is."
        )
    return key.row_test[key.first_row[whole, None] + np.arange(count)] / key.sizes[1]


def reliability(scored: Floats) -> tuple[float, float]:
    """ICC(1,1) and ICC(1,k) of (cells, k): one-way analysis of variance, seeds nested in cells."""
    count = scored.shape[1]
    between = count * scored.mean(axis=1).var(ddof=1)
    within = scored.var(axis=1, ddof=1).mean()
    if between == 0:
        return float("nan"), float("nan")
    return (
        float((between - within) / (between + (count - 1) * within)),
        float((between - within) / between),
    )


def split_half(scored: Floats) -> float:
    """Mean Spearman of two halves over all ways to split (cells, k), stepped up to all k seeds.

    Halves have k // 2 seeds. Spearman (1910) and Brown (1910): a test n times as long has n r / (1 + (n - 1) r).
    """
    count = scored.shape[1]
    half = count // 2
    found = []
    for first in combinations(range(count), half):
        others = [at for at in range(count) if at not in first]
        for second in combinations(others, half):
            if first < second:
                found.append(
                    spearman(scored[:, list(first)].mean(axis=1), scored[:, list(second)].mean(axis=1))
                )
    mean, longer = float(np.mean(found)), count / half
    return longer * mean / (1 + (longer - 1) * mean)


def transfer(one: Key, other: Key) -> Transfer:
    """How far the ranks of one key are the other's; raises OutsideKey when they share fewer than three live cells."""
    common = np.intersect1d(one.cells[one.alive], other.cells[other.alive])
    if one.space.hash != other.space.hash or len(common) < 3:
        raise OutsideKey(
            f"The answer keys of {one.dataset} and {other.dataset} share fewer than three live cells."
        )
    here, there = one.means[one.position[common]], other.means[other.position[common]]
    best = -(-len(common) // 10)
    shared = np.intersect1d(np.argsort(-here, kind="stable")[:best], np.argsort(-there, kind="stable")[:best])
    return Transfer(len(common), spearman(here, there), best, len(shared) / best)


def ranked(values: ArrayLike) -> Floats:
    """Ranks from 1 for the smallest; ties share their mean rank."""
    _, inverse, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def spearman(one: ArrayLike, other: ArrayLike) -> float:
    """The correlation of ranks; NaN when one side does not vary."""
    a, b = ranked(one), ranked(other)
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum() / scale) if scale else float("nan")
