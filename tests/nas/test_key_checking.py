"""The key is what its recipe makes: a sample is trained again with a new seed and must end where the key says.

The packed key is the oracle, and its own luck the bound: no number is written down here. Cells of one group share their
seed; what it does to all of them alike is left out, being too small to be seen (7 seeds of 32 cells: the means of seeds
vary by .0040, and cells that are alone with their luck of .0244 make .0043 of it).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2, norm

from explorer.data import load_dataset
from explorer.errors import NoKey
from explorer.key import Key, load, spearman
from explorer.key.agreement import fit
from explorer.key.recipe import BEST_SEEDS, NOISY, SETTINGS, SHIFTED, Shard, space
from explorer.nas import key_checking, key_making
from explorer.nas.key_checking import fresh, retrain
from explorer.nas.key_making import make, train_group

CONFIDENCE = 0.999
DEAD, CELLS = 0, [0, 340, 9_876]


# -- a sample of the real key -----------------------------------------------------------------------------


def strata(key: Key, count: int) -> list[np.ndarray]:
    """Positions of live cells, from the worst to the best by validation, in `count` parts of the same length."""
    live = np.flatnonzero(key.alive)
    return np.array_split(live[np.argsort(key.validation_means[live], kind="stable")], count)


def drawn(parts: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """One position of each part."""
    return np.array([rng.choice(part) for part in parts])


def rank_bound(key: Key, parts: list[np.ndarray], draws: int = 3_000) -> float:
    """The Spearman that the recorded seeds themselves reach in all but 1 - CONFIDENCE of such samples.

    One seed of each cell is held against the mean of its others, which are fewer than the key's.
    """
    rng, found = np.random.default_rng(1), []
    for _ in range(draws):
        at = drawn(parts, rng)
        left = key.first_row[at] + rng.integers(key.seeds[at])
        scored = key.row_test[left] / key.sizes[1]
        others = (key.means[at] * key.seeds[at] - scored) / (key.seeds[at] - 1)
        found.append(spearman(scored, others))
    return float(np.quantile(found, 1 - CONFIDENCE))


def check(key: Key, count: int, settings: Mapping[str, Any] = SETTINGS) -> None:
    """Train `count` - 1 live cells, evenly over the ranks, and a dead one with a new seed; compare."""
    parts = strata(key, count - 1)
    places = key.cells[drawn(parts, np.random.default_rng(0))]
    dead = key.cells[~key.alive][:1]
    (counts,) = retrain(key.dataset, [*places.tolist(), *dead.tolist()], fresh(1), settings=settings)[:, 1]
    assert counts[-1] in np.bincount(load_dataset(key.dataset).test.labels)  # all images read as one digit
    found = fit(key, places, counts[None, :-1])
    bound = rank_bound(key, parts)
    told = f"{found}, Spearman at least {bound:.3f}"
    assert found.squares < chi2.ppf(CONFIDENCE, found.cells), told
    assert abs(found.shift) < norm.ppf((1 + CONFIDENCE) / 2) * found.shift_error, told
    assert found.spearman > bound, told


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("dataset", "count"), [(NOISY, 32), (SHIFTED, 16)])
def test_a_sample_that_is_trained_again_ends_where_the_key_says(dataset: str, count: int) -> None:
    try:
        key = load(dataset)
    except NoKey as error:
        pytest.skip(str(error))
    check(key, count)


# -- the trainers -----------------------------------------------------------------------------------------


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """One epoch instead of twenty."""
    for module in (key_making, key_checking):
        monkeypatch.setattr(module, "EPOCHS", 1)


def test_no_fresh_seed_is_a_recorded_one() -> None:
    assert len(set(fresh(50))) == 50 and min(fresh(50)) >= BEST_SEEDS
    assert fresh(50)[:3] == fresh(3)


@pytest.mark.usefixtures("short")
def test_a_recorded_seed_in_the_same_group_repeats_to_the_image(tmp_path: Any) -> None:
    made = Shard(NOISY, 4, "test", tuple(CELLS))
    make(made, tmp_path)
    with np.load(tmp_path / made.file) as kept:
        recorded = {name: kept[name] for name in kept.files}
    again = retrain(NOISY, CELLS, [4])[0]
    assert again.tolist() == [recorded["validation"].tolist(), recorded["test"].tolist()]
    assert recorded["cells"].tolist() == CELLS and recorded["curve"].shape == (3, 1)
    assert recorded["sizes"].tolist() == [400, 897]
    assert (retrain(NOISY, CELLS, [5])[0] != again).any()


@pytest.mark.usefixtures("short")
def test_the_trainer_of_runs_agrees_with_the_grouped_one() -> None:
    heard: list[tuple[int, int]] = []
    alone = retrain(NOISY, CELLS, [4, 100], grouped=False, told=lambda done, of: heard.append((done, of)))
    together = retrain(NOISY, CELLS, [4, 100])
    assert alone.shape == (2, 2, 3) and heard == [(number, 6) for number in range(1, 7)]
    assert (np.abs(alone - together) / [[400], [897]]).max() <= 0.02  # other rounding, one epoch
    assert np.abs(together[0] - together[1]).max() > np.abs(alone - together).max()  # than another seed makes


@pytest.mark.usefixtures("short")
def test_a_dead_cell_reads_every_image_as_one_digit() -> None:
    data = load_dataset(NOISY)
    curve, (validation, test) = train_group(data, [DEAD], 4)
    assert not any(name != "none" for name in space().architecture_at(DEAD).values())
    assert test[0] in np.bincount(data.test.labels) and curve[0, -1] in np.bincount(data.validation.labels)
    assert validation[0] in np.bincount(data.validation.labels)


@pytest.mark.usefixtures("short")
def test_settings_reach_the_training() -> None:
    other = {**SETTINGS, "learning_rate": 0.01}
    for grouped in (True, False):
        here, there = (
            retrain(NOISY, CELLS[1:2], [4], grouped=grouped, settings=settings)
            for settings in (SETTINGS, other)
        )
        assert (here != there).any()
