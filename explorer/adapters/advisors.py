"""Hyperband and BOHB: NNI's advisors, which decide each trial's epochs, driven in this process without a manager.

An advisor speaks in messages to NNI's manager. Here its messages are taken from its own `send`, so no socket is opened
and none of its threads is started; its text ids stand for our trial ids.
"""

from __future__ import annotations

import contextlib
import json
import math
import warnings
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import nni
import numpy as np
from nni.runtime import msg_dispatcher_base
from nni.runtime.tuner_command_channel import CommandType
from nni.utils import MetricType

from explorer.adapters.base import Order, Suggestion, Tuner
from explorer.adapters.coding import Coded
from explorer.adapters.domains import fitted, plain, without_points
from explorer.adapters.seeding import Generators, seeded, swapped

_BUDGET = "TRIAL_BUDGET"


class InProcess:
    """Mixed into an advisor: its new jobs are kept in `sent`, and its text ids are no ids of an earlier experiment.

    NNI 3.0 compares every id with the largest number of a resumed experiment; an advisor's ids are texts such as
    "0-2_1_5", so its first result raises TypeError and a real experiment waits for ever.
    """

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        self.sent: deque[dict[str, Any]] = deque()
        quiet = msg_dispatcher_base.dispatcher_env_vars._replace(NNI_TUNER_COMMAND_CHANNEL="ws://_unittest_")
        with swapped(
            msg_dispatcher_base, dispatcher_env_vars=quiet
        ):  # NNI's own way to have it connect to nothing
            super().__init__(*arguments, **settings)

    def send(self, command: CommandType, data: str) -> None:
        """What would go to the manager."""
        if command is CommandType.NewTrialJob:
            self.sent.append(nni.load(data))

    def _get_one_trial_job(self) -> Any:
        """A job in plain values: json_tricks warns of numpy's, which BOHB's configurations hold."""
        return plain(super()._get_one_trial_job())  # type: ignore[misc]

    def is_created_in_previous_exp(self, parameter_id: str) -> bool:
        """Never: a run that goes on is told its whole story again."""
        return False


@dataclass(frozen=True)
class _Job:
    parameter_id: str
    budget: int


class Advised:
    """A Tuner whose suggestions carry a budget. A trial's last value ranks it in its rung; a failed one ranks last.

    NNI leaves a failed trial out, and then finds too few to promote.
    """

    def __init__(
        self, advisor: Any, order: Order, generators: Generators, coded: Coded | None = None
    ) -> None:
        self._advisor = advisor
        self._space = order.space
        self._worst = math.inf if order.minimizes else -math.inf
        self._generators = generators
        self._coded = coded
        self._jobs: dict[int, _Job] = {}
        self._added: dict[int, dict[str, Any]] = {}

    def suggest(self, trial_id: int) -> Suggestion | None:
        """See Tuner; None while a rung waits for its last results."""
        with self._surroundings():
            if (
                not self._advisor.sent and not self._advisor.credit
            ):  # with credit it sends one as soon as it can
                self._advisor.handle_request_trial_jobs(1)
        if not self._advisor.sent:
            return None
        job = self._advisor.sent.popleft()
        parameters = dict(job["parameters"])
        self._jobs[trial_id] = _Job(job["parameter_id"], max(1, int(parameters.pop(_BUDGET))))
        parameters = self._coded.decode(parameters) if self._coded else parameters
        return Suggestion(fitted(self._space, plain(parameters)), self._jobs[trial_id].budget)

    def report(self, trial_id: int, step: int, value: float) -> None:
        """See Tuner; it counts if the trial's end brings no value of its own."""
        if trial_id in self._jobs and math.isfinite(value):
            with self._surroundings():
                self._advisor.handle_report_metric_data(
                    self._metric(trial_id, MetricType.PERIODICAL, step, value)
                )

    def end(self, trial_id: int, value: float | None, *, stopped: bool = False) -> None:
        """See Tuner; an early stopped trial's last value is its result."""
        value = None if value is None or not math.isfinite(value) else float(value)
        with self._surroundings():
            if trial_id in self._added:
                self._learn(self._added.pop(trial_id), value)
            elif trial_id in self._jobs:
                self._close(trial_id, self._worst if value is None else value)

    def add(self, trial_id: int, parameters: dict[str, Any]) -> None:
        """See Tuner."""
        self._added[trial_id] = plain(parameters)

    def _close(self, trial_id: int, value: float) -> None:
        budget = self._jobs[trial_id].budget
        self._advisor.handle_report_metric_data(self._metric(trial_id, MetricType.FINAL, budget, value))
        job = self._jobs.pop(trial_id)
        told = json.dumps({"parameter_id": job.parameter_id})
        self._advisor.handle_trial_end(
            {"trial_job_id": str(trial_id), "event": "SUCCEEDED", "hyper_params": told}
        )

    def _metric(self, trial_id: int, kind: str, sequence: int, value: float) -> dict[str, Any]:
        """The message of a result. BOHB reads a final result's `sequence` as its budget (NNI's manager sends 0)."""
        return {
            "parameter_id": self._jobs[trial_id].parameter_id,
            "trial_job_id": str(trial_id),
            "type": kind,
            "sequence": sequence,
            "value": json.dumps(value),
        }

    def _learn(self, parameters: dict[str, Any], value: float | None) -> None:
        """Hyperband learns nothing from outside its rungs; BOHB's model does."""
        if value is not None and self._coded is not None:
            told = {"parameter": self._coded.encode(parameters), "value": json.dumps({"default": value})}
            self._advisor.handle_import_data([told])

    @contextlib.contextmanager
    def _surroundings(self) -> Iterator[None]:
        with (
            self._generators.own(),
            np.errstate(divide="ignore", invalid="ignore"),
            warnings.catch_warnings(),
        ):
            # BOHB asks ConfigSpace 1 in the words of ConfigSpace 0.
            warnings.filterwarnings(
                "ignore", category=DeprecationWarning, module=r"nni\.algorithms\.hpo\.bohb_advisor"
            )
            # statsmodels 0.15 speaks of its next default for a generator that BOHB's densities never draw from.
            warnings.filterwarnings(
                "ignore", "After 0.17 or January 2028, whichever comes first", FutureWarning
            )
            yield


def hyperband(order: Order) -> Tuner:
    """NNI's Hyperband; the largest budget R is the run's epochs unless the settings say otherwise."""
    from nni.algorithms.hpo.hyperband_advisor import Hyperband

    class InProcessHyperband(InProcess, Hyperband):
        """See InProcess."""

    settings = {"R": order.epochs} | order.given("R", "eta", "exec_mode")
    advisor = InProcessHyperband(order.optimize_mode, **settings)
    advisor.handle_initialize(order.space)
    advisor.random_state = seeded(order.seed)
    return Advised(advisor, order, Generators(order.seed))


def bohb(order: Order) -> Tuner:
    """NNI's BOHB with max_budget = the run's epochs unless the settings say otherwise.

    Choices go in as their indices, since ConfigSpace takes no lists for options, and ranges of one value as a choice of
    one, since it takes no empty ranges; its generator is begun from the seed.
    """
    with warnings.catch_warnings():
        message = "Modules pcs and pcs_new are deprecated but will remain without future support. "
        warnings.filterwarnings("ignore", message, DeprecationWarning)
        from nni.algorithms.hpo.bohb_advisor import BOHB

    class InProcessBohb(InProcess, BOHB):
        """See InProcess."""

        def handle_update_search_space(self, data: Any) -> None:
            super().handle_update_search_space(data)
            self.search_space.seed(order.seed % 2**31)

    settings = {"max_budget": order.epochs} | order.given(
        *("min_budget", "max_budget", "eta", "min_points_in_model", "top_n_percent", "num_samples"),
        *("random_fraction", "bandwidth_factor", "min_bandwidth"),
    )
    generators, coded = Generators(order.seed), Coded(without_points(order.space))
    adapter = Advised(InProcessBohb(order.optimize_mode, **settings), order, generators, coded)
    with adapter._surroundings():
        adapter._advisor.handle_initialize(coded.space)
    return adapter
