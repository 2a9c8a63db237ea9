"""A hyper-parameter search space: an ordered set of parameters, some of which may hold spaces of their own."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from explorer.catalogue import shown
from explorer.errors import UnknownName
from explorer.hyper.domain import COMBINED, Combination, Domain, Option, identity, listed, plain


@dataclass(frozen=True)
class HyperSpace:
    """What a tuner may choose; `to_json` is exactly NNI's search_space.json."""

    domains: tuple[Domain, ...]

    # -- looking ----------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Domain]:
        return iter(self.domains)

    def __len__(self) -> int:
        return len(self.domains)

    def __contains__(self, name: object) -> bool:
        return any(domain.name == name for domain in self.domains)

    @property
    def names(self) -> tuple[str, ...]:
        """The names at the top, in order."""
        return tuple(domain.name for domain in self.domains)

    def domain(self, name: str) -> Domain:
        """The parameter called `name` at the top; raises UnknownName."""
        for domain in self.domains:
            if domain.name == name:
                return domain
        raise UnknownName("parameter", name, self.names)

    def paths(self, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Domain]]:
        """Every parameter with its path (choice, option, choice, option, ..., parameter), parents first."""
        for domain in self.domains:
            yield (*above, domain.name), domain
            for option in domain.values:
                if isinstance(option, Option):
                    yield from option.space.paths((*above, domain.name, option.name))

    def walk(self) -> Iterator[tuple[str, Domain]]:
        """Every parameter with its path in writing: nested ones as "model/cnn/kernel"."""
        return (("/".join(path), domain) for path, domain in self.paths())

    @property
    def types(self) -> frozenset[str]:
        """Which of NNI's types occur, at any depth."""
        return frozenset(domain.type for _, domain in self.walk())

    @property
    def has_nested(self) -> bool:
        """Whether some choice has options with parameters of their own."""
        return any(domain.is_nested for domain in self.domains)

    @property
    def nesting(self) -> int:
        """How many nested choices lie inside each other: 0 without any, 1 for options that hold plain parameters."""
        inner = [
            option.space.nesting
            for domain in self.domains
            for option in domain.values
            if isinstance(option, Option)
        ]
        return 1 + max(inner) if inner else 0

    @property
    def dimensions(self) -> int:
        """How many parameters there are, nested ones counted."""
        return sum(1 for _ in self.walk())

    @property
    def size(self) -> int | None:
        """Exactly how many assignments there are; None when there are infinitely many."""
        sizes = [domain.size for domain in self.domains]
        return None if None in sizes else math.prod(size for size in sizes if size is not None)

    @property
    def combinations(self) -> Domain | None:
        """The list of complete assignments, when this space is one for NNI's Batch tuner."""
        if len(self.domains) == 1 and self.domains[0].name == COMBINED:
            only = self.domains[0]
            if only.values and all(isinstance(value, Combination) for value in only.values):
                return only
        return None

    # -- assignments ------------------------------------------------------------------------------------

    def problem_with(self, parameters: Any, where: str = "") -> str | None:
        """One sentence about why `parameters` is no assignment of this space, or None."""
        if not isinstance(parameters, Mapping):
            return f"{where}parameters are {shown(parameters)}; give an object with a value for each name."
        if self.combinations is not None:
            return self._problem_with_combination(self.combinations, parameters)
        for name in parameters:
            if name not in self:
                return str(
                    UnknownName("parameter", f"{where}{name}", [where + known for known in self.names])
                )
        for domain in self.domains:
            if domain.name not in parameters:
                return f"{where}{domain.name} is missing; {domain.expected()}."
        found = (domain.problem_with(parameters[domain.name], where) for domain in self.domains)
        return next((problem for problem in found if problem), None)

    def _problem_with_combination(self, combinations: Domain, parameters: Mapping[str, Any]) -> str | None:
        given = parameters.get(COMBINED) if set(parameters) == {COMBINED} else parameters
        if identity(given) in {identity(value) for value in combinations.values}:
            return None
        return f"{shown(plain(given))} is not in the list; take one of {listed(combinations.values)}."

    def sample(self, rng: random.Random) -> dict[str, Any]:
        """One assignment, drawn as NNI's Random tuner draws; of a list for Batch, one of its assignments."""
        drawn = {domain.name: domain.sample(rng) for domain in self.domains}
        return drawn[COMBINED] if self.combinations is not None else drawn

    def to_json(self) -> dict[str, Any]:
        """NNI's search_space.json, in order."""
        return {domain.name: domain.to_json() for domain in self.domains}


def flat(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """An assignment without nesting: a nested choice becomes its option's name, and what it holds stands beside it.

    >>> flat({"optimizer": {"_name": "sgd", "momentum": 0.9}, "batch_size": 32})
    {'optimizer': 'sgd', 'momentum': 0.9, 'batch_size': 32}
    """
    found: dict[str, Any] = {}
    for name, value in parameters.items():
        if isinstance(value, Mapping) and "_name" in value:
            found[name] = value["_name"]
            found |= flat({key: part for key, part in value.items() if key != "_name"})
        elif name == COMBINED and isinstance(value, Mapping):
            found |= flat(value)
        else:
            found[name] = value
    return found
