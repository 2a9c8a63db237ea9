"""What every tuner's adapter has in common: its seams (Suggestion, Exhausted, Tuner) and the usual way to drive NNI."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from nni import NoMoreTrialError

from explorer.adapters.domains import Space, fitted, plain
from explorer.adapters.seeding import Generators


@dataclass(frozen=True)
class Suggestion:
    """What to try next. `budget`: this trial's epochs where the tuner decides them, else None."""

    parameters: dict[str, Any]
    budget: int | None = None


class Exhausted(Exception):
    """The tuner has nothing more to suggest, now or later."""


class Tuner(Protocol):
    """Suggests assignments and learns from their results. Equal calls in equal order give equal suggestions."""

    def suggest(self, trial_id: int) -> Suggestion | None:
        """The assignment of trial `trial_id`; None: nothing now, ask again after the next end. Raises Exhausted."""

    def report(self, trial_id: int, step: int, value: float) -> None:
        """An intermediate result."""

    def end(self, trial_id: int, value: float | None, *, stopped: bool = False) -> None:
        """The result; None: it failed or was cancelled. `stopped`: stopped early, `value` is its last intermediate."""

    def add(self, trial_id: int, parameters: dict[str, Any]) -> None:
        """A trial that a person added; the tuner may learn from its end."""


@dataclass(frozen=True)
class Order:
    """What a builder gets: everything but the tuner's name."""

    space: Space
    settings: Mapping[str, Any]
    optimize_mode: str
    seed: int
    folder: Path | None
    epochs: int

    def given(self, *names: str) -> dict[str, Any]:
        """Those settings that have a value; NNI's own default stands for the others."""
        return {name: self.settings[name] for name in names if self.settings.get(name) is not None}

    @property
    def minimizes(self) -> bool:
        """Whether smaller is better."""
        return self.optimize_mode == "minimize"


class NniTuner:
    """Drives an `nni.tuner.Tuner` that has its search space; subclasses say where one of NNI's differs.

    An early stopped trial's last value is told as its result; with early_stopped="ignore" the trial counts as failed,
    which is what NNI's own loop does.
    """

    def __init__(self, tuner: Any, order: Order, generators: Generators) -> None:
        self._tuner = tuner
        self._space = order.space
        self._generators = generators
        self._ignores_stopped = order.settings.get("early_stopped") == "ignore"
        self._running: dict[int, dict[str, Any]] = {}
        self._added: dict[int, dict[str, Any]] = {}

    def suggest(self, trial_id: int) -> Suggestion | None:
        """See Tuner."""
        with self._generators.own(), self._surroundings():
            try:
                drawn = self._draw(trial_id)
            except NoMoreTrialError as error:
                raise Exhausted(str(error)) from None
        if drawn is None:
            return None
        self._running[trial_id] = self._shown(drawn)
        return Suggestion(plain(self._running[trial_id]))

    def report(self, trial_id: int, step: int, value: float) -> None:
        """NNI's tuners do not look at intermediate results."""

    def end(self, trial_id: int, value: float | None, *, stopped: bool = False) -> None:
        """See Tuner."""
        if value is not None and (not math.isfinite(value) or (stopped and self._ignores_stopped)):
            value = None
        with self._generators.own(), self._surroundings():
            if trial_id in self._added:
                self._learn(self._added.pop(trial_id), value)
            elif trial_id in self._running:
                self._tell(trial_id, self._running.pop(trial_id), value)

    def add(self, trial_id: int, parameters: dict[str, Any]) -> None:
        """See Tuner."""
        self._added[trial_id] = plain(parameters)

    def _surroundings(self) -> AbstractContextManager[Any]:
        """What must hold while NNI's code runs: by default, divisions by zero inside TPE's densities stay silent.

        With bounds that coincide or prior_weight 0 it divides by zero, and the comparison that follows copes.
        """
        return np.errstate(divide="ignore", invalid="ignore")

    def _draw(self, trial_id: int) -> Mapping[str, Any] | None:
        return self._tuner.generate_parameters(trial_id)

    def _shown(self, drawn: Mapping[str, Any]) -> dict[str, Any]:
        return fitted(self._space, plain(drawn))

    def _tell(self, trial_id: int, parameters: dict[str, Any], value: float | None) -> None:
        if value is not None:
            self._tuner.receive_trial_result(trial_id, parameters, float(value))
        self._tuner.trial_end(trial_id, value is not None)

    def _learn(self, parameters: dict[str, Any], value: float | None) -> None:
        """The result of a trial added by hand. As an object: NNI takes a bare 0.0 for a missing value."""
        if value is not None:
            self._tuner.import_data([{"parameter": parameters, "value": {"default": float(value)}}])
