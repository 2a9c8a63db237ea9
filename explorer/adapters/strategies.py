"""NNI's multi-trial strategies, asked for one architecture at a time.

A strategy of NNI's submits models to an execution engine in a loop of its own. Here the engine hands each model to
whoever asks and the loop stands still until the next question, so that architectures train in parallel, in any process,
or are looked up in a table. What is mended, and why:

* TPE minimises unless it is told otherwise, refuses every InputChoice (`as_legacy_dict`), and sleeps a second after
  each model (`nas/strategy/hpo.py:95`). `Tpe` hands NNI's own tuner one list of options a choice, and does not sleep.
* What TPE suggests again, NNI replaces by the next point of a grid: in a finite space most of its suggestions soon are,
  no better than chance (`adapters/duplicates.py`). Here it draws again, up to `DRAWS` times; then its suggestion is
  changed in one place, in two, and so on, until it is new.
* `ExecutionEngine.wait_models` looks once a second whether all models have ended; here it hands the turn back.
* RegularizedEvolution picks a parent from an empty population when as many models are out as it holds and none has
  ended (`max() arg is an empty sequence`); it is not asked before one has.
* PolicyBasedRL needs the package tianshou, whose releases do not go together with what else is installed here.
"""

from __future__ import annotations

import itertools
import logging
import math
import random
from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any

from explorer.adapters.steps import Steps
from explorer.data.shim import nni_imports

with nni_imports():
    import nni
    from nni.nas.execution import ExecutionEngine
    from nni.nas.execution.event import FinalMetricEvent, TrainingEndEvent
    from nni.nas.space import ModelStatus, SimplifiedModelSpace
    from nni.nas.strategy import TPE, GridSearch, Random, RegularizedEvolution

DRAWS = 20


class HandingEngine(ExecutionEngine):
    """Trains nothing: a submitted model waits in `models` for its owner, who is given the turn."""

    def __init__(self) -> None:
        super().__init__()
        self.models: list[Any] = []
        self.halt: Callable[[], None] = lambda: None
        self.is_waiting = False

    def submit_models(self, *models: Any) -> None:
        """One after the other, the turn in between."""
        for model in models:
            model.status = ModelStatus.Training
            self.models.append(model)
            self.halt()

    def list_models(self, status: Any = None) -> Iterable[Any]:
        """Those of the status, or all."""
        return [model for model in self.models if status in (None, model.status)]

    def wait_models(self, *models: Any) -> None:
        """Until these, or all, have ended."""
        self.is_waiting = True
        while not all(model.status.completed() for model in models or self.models):
            self.halt()
        self.is_waiting = False

    def idle_worker_available(self) -> bool:
        """Whoever asks has one."""
        return True

    def budget_available(self) -> bool:
        """Whoever asks has some."""
        return True


class Tpe(TPE):
    """NNI's TPE, mended as the module says."""

    def _run(self) -> None:
        options: Mapping[str, list[Any]] = self.model_space.options
        self.tuner.update_search_space(
            {
                label: {"_type": "choice", "_value": list(range(len(values)))}
                for label, values in options.items()
            }
        )
        self.tuner.dedup = _as_drawn
        size, tried = math.prod(map(len, options.values())), set[tuple[int, ...]]()
        while len(tried) < size:
            drawn = self._suggestion(tried)
            tried.add(tuple(drawn.values()))
            model = self.model_space.freeze({label: options[label][at] for label, at in drawn.items()})
            self._model_to_id[model] = self._model_count
            self._model_count += 1
            self.engine.submit_models(model)

    def _suggestion(self, tried: Container[tuple[int, ...]]) -> dict[str, int]:
        """What was not suggested before: drawn again, then changed in one place, in two, and so on."""
        drawn: dict[str, int] = {}
        for _ in range(DRAWS):
            drawn = self.tuner.generate_parameters(self._model_count)
            if tuple(drawn.values()) not in tried:
                return drawn
        chance, options = random.Random(self._model_count), self.model_space.options
        for attempt in itertools.count():
            places = chance.sample(list(options), min(len(options), 1 + attempt // DRAWS))
            changed = drawn | {label: chance.randrange(len(options[label])) for label in places}
            if tuple(changed.values()) not in tried:
                break
        # the tuner's model is told of what is tried, not of what it had suggested
        self.tuner._running_params[self._model_count] = {(label,): at for label, at in changed.items()}
        return changed


def _as_drawn(parameters: Any) -> Any:
    """In the place of NNI's Deduplicator."""
    return parameters


@nni.trace
class _Nothing:
    """What a model space must be of; nobody builds it."""


class _Choices(SimplifiedModelSpace):
    """The choices of a space alone; `options` are each choice's values as NNI samples them."""

    options: Mapping[str, list[Any]] = {}


class NniStrategy:
    """Asked and told, as our own strategies are, in NNI's samples; `close` it at the end.

    `mutables` are the simplified model space, `options` every value of each of its choices as NNI samples it, and
    `name` is a key of `STRATEGIES`.
    """

    def __init__(
        self,
        mutables: Mapping[str, Any],
        options: Mapping[str, list[Any]],
        name: str,
        parameters: Mapping[str, Any],
        seed: int,
    ) -> None:
        for logger in ("nni.nas.strategy", "nni.algorithms.hpo", "nni.tuner", "nni.common.hpo_utils"):
            logging.getLogger(logger).setLevel(logging.CRITICAL)  # they log every model; our events tell
        self.engine = HandingEngine()
        self.strategy = STRATEGIES[name](parameters, seed)
        self._population = parameters.get("population_size", 1) if name == "nni-evolution" else 0
        self._told = 0
        model_space = _Choices(_Nothing(), dict(mutables), None)
        model_space.options = options
        self._steps = Steps(lambda halt: self._run(model_space, halt))

    def ask(self) -> tuple[int, dict[str, Any]] | None:
        """The next sample and its number; None when it waits for results, or has nothing more (`is_over`)."""
        asked = len(self.engine.models)
        if self._population and asked >= self._population and not self._told:
            return None
        if self.engine.is_waiting and self._told < asked:
            return None
        self._steps.next()
        if len(self.engine.models) == asked:
            return None
        return asked, dict(self.engine.models[asked].sample)

    @property
    def is_over(self) -> bool:
        """Whether it has nothing more to ask for."""
        return self._steps.is_over

    def tell(self, number: int, value: float | None) -> None:
        """The accuracy of the model of that number; None when it failed."""
        model, good = self.engine.models[number], value is not None and math.isfinite(value)
        if good:
            self.engine.dispatch_model_event(FinalMetricEvent(model, value))
        self.engine.dispatch_model_event(
            TrainingEndEvent(model, ModelStatus.Trained if good else ModelStatus.Failed)
        )
        self._told += 1

    def close(self) -> None:
        """Give it up."""
        self._steps.close()

    def _run(self, model_space: Any, halt: Callable[[], None]) -> None:
        self.engine.halt = halt
        self.strategy(model_space, self.engine)


def _evolution(given: Mapping[str, Any], seed: int) -> RegularizedEvolution:
    return RegularizedEvolution(
        population_size=given["population_size"],
        sample_size=min(given["sample_size"], given["population_size"]),
        mutation_prob=given["mutation_prob"],
        crossover=given["crossover"],
        seed=seed,
    )


STRATEGIES: Mapping[str, Callable[[Mapping[str, Any], int], Any]] = {
    "nni-random": lambda given, seed: Random(seed=seed),
    "nni-grid": lambda given, seed: GridSearch(shuffle=given["shuffle"], seed=seed),
    "nni-evolution": _evolution,
    "nni-tpe": lambda given, seed: Tpe(optimize_mode="maximize", seed=seed),
}
