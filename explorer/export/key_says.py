"""What the answer key says of a run, for whoever shows it: pages, reports, the command line."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from explorer.catalogue import TRAINING
from explorer.errors import ExplorerError, KeyDamaged, NoKey
from explorer.key import Estimate, Key, Luck, bands, load, margin, trials_to_match
from explorer.key.recipe import SETTINGS
from explorer.key.record import Floats
from explorer.plots.nas.truth import Place, Truth, trials_words
from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState, Trial
from explorer.space import Architecture, CellSpace, SearchSpace, load_space

NOTHING = "–"


def key_of(space: str | dict[str, Any], dataset: str) -> tuple[Key | None, str]:
    """The key that is about this space and dataset; None, and why."""
    try:
        read = load_space(space)
        key = load(dataset)
    except (NoKey, KeyDamaged) as problem:
        return None, str(problem)
    except ExplorerError:
        return None, ""  # the space's own problem is said elsewhere
    why = key.covers(read, dataset)
    return (None, why) if why else (key, "")


def answering(space: str | dict[str, Any], dataset: str) -> tuple[Key | None, str]:
    """The key that has an answer for every architecture of the space; None, and why."""
    key, why = key_of(space, dataset)
    if key is None:
        return None, why
    read = load_space(space)
    assert isinstance(read, CellSpace)
    missing = key.missing(read)
    if missing:
        return (
            None,
            f"The answer key of {dataset} lacks {missing:,} of the {read.size:,} cells of this space.",
        )
    return key, ""


def truth_of(state: RunState) -> Truth | None:
    """What the key says of the run's trials; None where it is about something else, or not there."""
    key, _ = key_of(state.spec.space, state.spec.dataset)
    return None if key is None else _truth(key, load_space(state.spec.space), state)


def _truth(key: Key, space: SearchSpace, state: RunState) -> Truth | None:
    assert isinstance(space, CellSpace)
    held = held_of(key, space)
    if not len(held):
        return None
    means = key.means[held]
    tried = {
        trial.trial_id: read
        for trial in state.trials.values()
        if trial.repeat_of is None and (read := _architecture(space, trial)) is not None
    }
    at = key.places(tried.values())
    known = {number: int(place) for number, place in zip(tried, at, strict=True) if key.position[place] >= 0}
    note = _other_recipe(state.spec, key)
    return Truth(
        key.dataset,
        dict(zip(known, _places(key, np.array(list(known.values()), dtype=np.int64), means), strict=True)),
        float(means.max()),
        float(margin(key, key.seeds.min(), key.seeds[held[means.argmax()]])),
        key.epochs,
        np.append(key.means, np.nan)[key.position],
        note,
        {} if note else _ghosts(key, state, known),
    )


def _architecture(space: SearchSpace, trial: Trial) -> Architecture | None:
    """None also for what is none of the space: a stranger's file may say anything."""
    try:
        return None if trial.architecture is None else space.architecture(trial.architecture)
    except ExplorerError:
        return None


def held_of(key: Key, space: CellSpace) -> Any:
    """(n,) the positions in the key of the architectures of a space that it covers; those not trained are left out."""
    inside = key.position[key.within(space).ravel()]
    return inside[inside >= 0]


def place_of(key: Key, place: int, means: Floats) -> Place:
    """Where a trained cell stands; `means` are those of the space that is searched."""
    return next(iter(_places(key, np.array([place]), means)))


def _places(key: Key, at: Any, means: Floats) -> Iterable[Place]:
    test = key.means[key.position[at]]
    for one, lacks, rank, low, high in zip(test, means.max() - test, *bands(key, at), strict=True):
        yield Place(float(one), float(lacks), int(rank), int(low), int(high), len(key.cells))


def _other_recipe(spec: RunSpec, key: Key) -> str:
    """What to know where a run trains otherwise than the key's cells were; "" where it does not, or looks them up."""
    given = TRAINING.defaults() | spec.settings.get("training", {})
    others = [name for name, value in SETTINGS.items() if given.get(name) != value]
    if spec.executor == "key":
        others = []
    others += ["epochs"] if spec.epochs != key.epochs else []
    if not others:
        return ""
    return (
        f"The key's cells were trained by its own recipe, {key.epochs} epochs each, which is not this run's "
        f"({', '.join(sorted(name.replace('_', ' ') for name in others))})."
    )


def _ghosts(key: Key, state: RunState, known: Mapping[int, int]) -> Mapping[int, tuple[float, ...]]:
    """The key's mean curves of the trials that ended before their last epoch, and that no other trial went on with."""
    went_on = {
        parent
        for trial in state.trials.values()
        for parent in trial.parents
        if parent in known and known[parent] == known.get(trial.trial_id)
    }
    early = [number for number in known if number not in went_on and _ended_early(state.trials[number], key)]
    return {number: tuple(map(float, key.mean_curves[key.position[known[number]]])) for number in early}


def _ended_early(trial: Trial, key: Key) -> bool:
    last = max((step for step, _, _ in trial.intermediate), default=0)
    return trial.status in ("succeeded", "early_stopped", "cancelled") and 0 < last < key.epochs


def luck_of(state: RunState) -> Luck | None:
    """How soon random search finds one as good as the best; None where the key does not hold it, or holds more or less
    than the space.
    """
    key, _ = key_of(state.spec.space, state.spec.dataset)
    best = state.best
    if key is None or best is None or best.architecture is None:
        return None
    space = load_space(state.spec.space)
    if len(key.cells) != space.size or not isinstance(space, CellSpace) or key.missing(space):
        return None
    return trials_to_match(key, space.architecture(best.architecture))


def standing(state: RunState, truth: Truth | None) -> str:
    """What the key says of the best, as sentences in Markdown; "" where it says nothing."""
    best = state.best
    if truth is None or best is None or best.trial_id not in truth.places:
        return ""
    told = f"The answer key knows it: true {truth.places[best.trial_id].stands()}."
    luck = luck_of(state)
    if luck is not None:
        told += f" Random search needs {trials_words(luck.expected)} on average to find one as good."
    return f"{told} {truth.note}".rstrip()


def worth(space: str | dict[str, Any], dataset: str, architecture: Mapping[str, Any]) -> str:
    """What the key says of one architecture, in a sentence; "" where it says nothing."""
    key, _ = key_of(space, dataset)
    read = load_space(space)
    if key is None or not isinstance(read, CellSpace):
        return ""
    try:
        place = key.place(read.architecture(architecture))
    except ExplorerError:
        return ""
    found = place_of(key, place, key.means[held_of(key, read)])
    return f"The answer key knows it: true {found.stands()}.".replace("**", "")


def damage(space: SearchSpace | None, dataset: str) -> str:
    """What is wrong with the key that would be about this space and dataset; "" where nothing is."""
    if not isinstance(space, CellSpace):
        return ""
    try:
        load(dataset)
    except KeyDamaged as problem:
        return str(problem)
    except NoKey:
        return ""
    return ""


def percent(share: float) -> str:
    """`94.3 %`"""
    return f"{100 * share:.1f} %"


def interval(estimate: Estimate) -> str:
    """`94.2 ± 0.6 %`: the mean and half of its 95 % interval before that is cut at 0 or 100 %; the mean alone where
    nobody knows the luck of a seed.
    """
    half = max(estimate.high - estimate.mean, estimate.mean - estimate.low)
    return percent(estimate.mean) if math.isnan(half) else f"{100 * estimate.mean:.1f} ± {100 * half:.1f} %"


def true_rank(place: Place | None) -> str:
    """The rank, and the band that 95 % confidence leaves it."""
    if place is None:
        return NOTHING
    band = f" ({place.low:,} to {place.high:,})" if place.low < place.high else ""
    return f"{place.rank:,}{band}"


def true_test(place: Place | None) -> str:
    """The mean test accuracy in the key."""
    return NOTHING if place is None else percent(place.test)
