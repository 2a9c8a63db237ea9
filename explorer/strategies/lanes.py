"""Replays of many repeats at once: every repeat is a lane, and all lanes take their next step together.

The same algorithms as the classes that are asked one by one, with their random draws in the same order: one lane is
equal to them draw for draw, which the tests hold. What differs is only that a step costs numpy a few calls for all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from explorer.strategies.evolution import MUTATIONS
from explorer.strategies.halving import brackets_of
from explorer.strategies.radix import Ints, Neighbourhood, weights_of
from explorer.strategies.table import Floats, Seen

Bools = npt.NDArray[np.bool_]


class Lanes:
    """Which architectures each lane has proposed, and what it looked at, step by step."""

    def __init__(self, seen: Seen, repeats: int, rng: np.random.Generator) -> None:
        self.table, self._seen, self.rng = seen.table, seen, rng
        self.all = np.arange(repeats)
        self.counts, self.weights = np.array(self.table.counts), weights_of(self.table.counts)
        self.known = np.zeros((repeats, self.table.size), bool)
        self._proposed = np.zeros(repeats, np.int64)
        self.places: list[Ints] = []  # (repeats,) a step
        self.values: list[Floats] = []  # (repeats,) a step
        self.epochs: list[int] = []
        self.extra: list[int] = []

    def drawn(self, lanes: int) -> Ints:
        """(lanes,) places, uniform over the space."""
        return self.rng.integers(0, self.counts, (lanes, len(self.counts))) @ self.weights

    def unseen(self, lanes: Ints) -> Ints:
        """(lanes,) places, each uniform over what its lane never proposed; from a list once more than half was."""
        size, found = self.table.size, np.empty(len(lanes), np.int64)
        crowded = 2 * self._proposed[lanes] > size
        for at in np.flatnonzero(crowded):
            pick = self.rng.integers(0, [size - self._proposed[lanes[at]]])[0]
            found[at] = np.flatnonzero(~self.known[lanes[at]])[pick]
        waiting = np.flatnonzero(~crowded)
        while len(waiting):
            found[waiting] = self.drawn(len(waiting))
            waiting = waiting[self.known[lanes[waiting], found[waiting]]]
        return found

    def look(self, lanes: Ints, places: Ints) -> Floats:
        """What the lanes see at these places after a whole training, without a step."""
        return self._seen.look(lanes, places)

    def step(self, places: Ints, epochs: int | None = None, extra: int | None = None) -> Floats:
        """All lanes evaluate, (lanes,) places, and get their values; `extra` epochs are trained for it."""
        fresh = ~self.known[self.all, places]
        self._proposed += fresh
        self.known[self.all, places] = True
        values = self._seen.look(self.all, places, epochs)
        whole = self.table.epochs
        self.places.append(places)
        self.values.append(values)
        self.epochs.append(whole if epochs is None else epochs)
        self.extra.append(whole if extra is None else extra)
        return values


def random_search(lanes: Lanes, budget: int, settings: Mapping[str, Any]) -> None:
    """`plain.RandomSearch`."""
    for _ in range(budget):
        lanes.step(lanes.unseen(lanes.all))


def local_search(lanes: Lanes, budget: int, settings: Mapping[str, Any]) -> None:
    """`local_search.LocalSearch`, one result at a time."""
    climbers = Climbers(lanes)
    for _ in range(budget):
        starting = climbers.settle()
        places = climbers.nearest()
        places[starting] = lanes.unseen(starting)
        values = lanes.step(places)
        climbers.look_away(places)
        moving = np.zeros(len(lanes.all), bool)
        moving[starting] = True
        if settings["improvement"] == "first":
            moving |= values > climbers.worth
        climbers.stand(np.flatnonzero(moving), places[moving], values[moving])


class Climbers:
    """Where every lane stands: `worth` is the value there, `keys` the order in which it looks at what is around."""

    def __init__(self, lanes: Lanes) -> None:
        self.lanes, self.near = lanes, Neighbourhood.of(lanes.table.counts)
        shape = (len(lanes.all), len(self.near))
        self.worth = np.full(shape[0], np.inf)  # nothing around is better: every lane begins somewhere
        self.around, self.keys = np.zeros(shape, np.int64), np.zeros(shape)
        self.waiting = np.zeros(shape, bool)  # not evaluated yet

    def stand(self, lanes: Ints, places: Ints, worth: Floats) -> None:
        """These lanes move, and see what is around them."""
        if not len(lanes):
            return
        self.worth[lanes] = worth
        self.keys[lanes] = self.lanes.rng.random((len(lanes), len(self.near)))
        self.around[lanes] = self.near.places(places)
        self.waiting[lanes] = ~self.lanes.known[lanes[:, None], self.around[lanes]]

    def settle(self) -> Ints:
        """Lanes that know all around go to the best while it is better; gives those that must begin elsewhere."""
        idle = np.flatnonzero(~self.waiting.any(axis=1))
        stuck = [idle[np.isinf(self.worth[idle])]]
        idle = idle[~np.isinf(self.worth[idle])]
        while len(idle):
            around = self.around[idle]  # (idle, neighbours)
            values = self.lanes.look(idle[:, None], around)
            top = values.max(axis=1, initial=-np.inf)
            better = top > self.worth[idle]
            stuck.append(idle[~better])
            moving = idle[better]
            first = np.where(values == top[:, None], self.keys[idle], np.inf)[better].argmin(axis=1)
            self.stand(moving, around[better][np.arange(len(moving)), first], top[better])
            idle = moving[~self.waiting[moving].any(axis=1)]
        starting = np.sort(np.concatenate(stuck))
        self.worth[starting] = np.inf
        return starting

    def nearest(self) -> Ints:
        """(lanes,) the neighbour that is next; anything for a lane that begins elsewhere."""
        if not len(self.near):
            return np.zeros(len(self.lanes.all), np.int64)
        next_one = np.where(self.waiting, self.keys, np.inf).argmin(axis=1)
        return self.around[self.lanes.all, next_one]

    def look_away(self, places: Ints) -> None:
        """These were evaluated now."""
        self.waiting &= self.around != places[:, None]


def aging_evolution(lanes: Lanes, budget: int, settings: Mapping[str, Any]) -> None:
    """`evolution.AgingEvolution`, one result at a time."""
    full, redraws = settings["population_size"], settings["duplicates"] == "redraw"
    repeats = len(lanes.all)
    alive, worth = np.zeros((repeats, full), np.int64), np.zeros((repeats, full))
    for told in range(budget):
        if told < full:
            places = lanes.unseen(lanes.all) if redraws else lanes.drawn(repeats)
        else:
            picks = lanes.rng.integers(0, full, (repeats, settings["sample_size"]))
            best = worth[lanes.all[:, None], picks].argmax(axis=1)
            parents = alive[lanes.all, picks[lanes.all, best]]
            places = _children(lanes, parents, redraws)
        alive[:, told % full] = places
        worth[:, told % full] = lanes.step(places)


def _children(lanes: Lanes, parents: Ints, redraws: bool) -> Ints:
    """One changed decision a parent; new to its lane where it `redraws`."""
    free, children = np.flatnonzero(lanes.counts > 1), parents.copy()
    if not len(free):
        return children
    waiting = lanes.all
    for _ in range(MUTATIONS):
        at = free[lanes.rng.integers(0, len(free), len(waiting))]  # (waiting,)
        count, weight = lanes.counts[at], lanes.weights[at]
        offset = 1 + lanes.rng.integers(0, count - 1)
        choice = parents[waiting] // weight % count
        children[waiting] = parents[waiting] + ((choice + offset) % count - choice) * weight
        if not redraws:
            return children
        waiting = waiting[lanes.known[waiting, children[waiting]]]
        if not len(waiting):
            return children
    children[waiting] = lanes.unseen(waiting)
    return children


def halving(name: str, lanes: Lanes, budget: int, settings: Mapping[str, Any]) -> None:
    """`halving.SuccessiveHalving` and `halving.Hyperband`, one result at a time."""
    brackets, left, at = brackets_of(name, settings), budget * lanes.table.epochs, 0
    tried, size = 0, lanes.table.size
    while tried < size:
        standing, before = np.empty((len(lanes.all), 0), np.int64), 0
        for rung in brackets[at % len(brackets)]:
            count = min(rung.architectures, standing.shape[1] if before else size - tried)
            places, values = [], []
            for one in range(count):
                if rung.epochs - before > left:
                    return
                left -= rung.epochs - before
                places.append(standing[:, one] if before else lanes.unseen(lanes.all))
                values.append(lanes.step(places[-1], rung.epochs, rung.epochs - before))
            tried += 0 if before else count
            order = np.argsort(-np.stack(values, axis=1), axis=1, kind="stable")  # (lanes, count)
            standing = np.take_along_axis(np.stack(places, axis=1), order, axis=1)
            before = rung.epochs
        at += 1


FAST: Mapping[str, Callable[[Lanes, int, Mapping[str, Any]], None]] = {
    "random": random_search,
    "local_search": local_search,
    "aging_evolution": aging_evolution,
    "successive_halving": lambda *given: halving("successive_halving", *given),
    "hyperband": lambda *given: halving("hyperband", *given),
}
