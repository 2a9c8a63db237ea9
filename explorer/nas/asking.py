"""One face for all strategies: ours and NNI's, asked for architectures of a space and told their accuracy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from explorer.catalogue import STRATEGIES
from explorer.runs.spec import RunSpec
from explorer.space import Architecture, SearchSpace
from explorer.strategies.building import build as build_own
from explorer.strategies.contract import FAILED, Proposal, Strategy
from explorer.strategies.radix import choices_at


@dataclass(frozen=True)
class Asked:
    """One training to do: `epochs` in all (None: those of the run), `continues` the trial whose training goes on.

    `first` is the trial that such a training began with, itself where none went before; `begun` the epochs that are
    trained already. `phase` counts what the catalogue's fact `generation` says of the strategy (0 where it says
    nothing): the rung and never the bracket, the descent and never whether the first population is over.
    """

    number: int
    architecture: Architecture
    first: int
    epochs: int | None = None
    continues: int | None = None
    begun: int = 0
    parents: tuple[int, ...] = ()
    phase: int = 0


class AskTell(Protocol):
    """What `Search` drives."""

    def ask(self) -> Asked | None:
        """The next training; None when results have to come in first, or for good."""

    def tell(self, asked: Asked, value: float) -> None:
        """The accuracy of a training that was asked for; FAILED where it failed."""

    def close(self) -> None:
        """Give up what it holds."""


class Own:
    """A strategy of `explorer.strategies`, whose choices are numbers of options."""

    def __init__(self, strategy: Strategy, space: SearchSpace, epochs: int) -> None:
        self._strategy, self._space, self._epochs = strategy, space, epochs
        self._known: dict[int, tuple[Proposal, Asked]] = {}

    def ask(self) -> Asked | None:
        """See AskTell."""
        proposal = self._strategy.ask()
        if proposal is None:
            return None
        before = None if proposal.continues is None else self._known[proposal.continues][1]
        asked = Asked(
            proposal.number,
            self._architecture(proposal),
            first=before.first if before else proposal.number,
            epochs=None if proposal.epochs is None else min(proposal.epochs, self._epochs),
            continues=proposal.continues,
            begun=(before.epochs or 0) if before else 0,
            parents=proposal.parents if before is None else (before.number,),
            phase=proposal.generation,
        )
        self._known[asked.number] = proposal, asked
        return asked

    def tell(self, asked: Asked, value: float) -> None:
        """See AskTell."""
        self._strategy.tell(self._known[asked.number][0], value)

    def close(self) -> None:
        """Nothing is held."""

    def _architecture(self, proposal: Proposal) -> Architecture:
        chosen = zip(self._space.mutables, proposal.choices, strict=True)
        return self._space.architecture({mutable.label: mutable.option(at) for mutable, at in chosen})


class Nni:
    """A strategy of NNI's, which knows architectures as samples."""

    def __init__(self, name: str, space: SearchSpace, parameters: Mapping[str, Any], seed: int) -> None:
        from explorer.adapters.strategies import NniStrategy
        from explorer.nas.nni_space import mutables, options

        listed = options(space) if name == "nni-tpe" else {}
        self._space = space
        self._strategy = NniStrategy(mutables(space), listed, name, parameters, seed)

    def ask(self) -> Asked | None:
        """See AskTell."""
        from explorer.nets.samples import from_nni_sample

        found = self._strategy.ask()
        if found is None:
            return None
        return Asked(found[0], from_nni_sample(self._space, found[1]), first=found[0])

    def tell(self, asked: Asked, value: float) -> None:
        """See AskTell."""
        self._strategy.tell(asked.number, None if value == FAILED else value)

    def close(self) -> None:
        """See AskTell."""
        self._strategy.close()


def build(spec: RunSpec, space: SearchSpace, first: Iterable[Architecture] = ()) -> AskTell:
    """The strategy that a run asks for, a ranking by a proxy aside, which begins with `first` (one of ours only).

    Raises SpecError or SpaceError for what it cannot search, or begin with.
    """
    entry = STRATEGIES.find(spec.method["strategy"])
    settings = entry.settings(spec.settings.get("strategy", {}))
    if "max_epochs" in settings and settings["max_epochs"] is None:
        settings = {**settings, "max_epochs": spec.epochs}
    if entry.facts["engine"] == "nni":
        return Nni(entry.name, space, settings, spec.seed)
    counts = tuple(mutable.count for mutable in space.mutables)
    own = build_own(entry.name, counts, settings, np.random.default_rng(spec.seed), space)
    given = [choices_at(space.index_of(architecture), counts) for architecture in first]
    if given:
        own.give(given)
    return Own(own, space, spec.epochs)
