"""A tuner of the HPO engine looks for new columns; rows that it never sees say what they are worth.

Trials go in pairs, whatever the number of workers: a suggestion then rests on the same results everywhere. A lost run
goes on after a fresh tuner was led through the pairs that are told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from explorer.adapters.tuners import Exhausted, Tuner, build_tuner
from explorer.catalogue import TUNERS
from explorer.errors import SpecError, TrialFailed
from explorer.features.crew import work
from explorer.features.generating import MOST_COLUMNS, names_of, search_space
from explorer.features.trials import TRY
from explorer.hyper import read_search_space
from explorer.hyper.tuner_rules import tuner_problems
from explorer.jobs.crew import Executor, Job
from explorer.runs.bounds import is_number
from explorer.runs.feature_checks import feature_settings
from explorer.runs.feature_schema import GENERATED
from explorer.runs.spec import RunSpec, trial_seed
from explorer.runs.state import RunState, Trial
from explorer.tables import Task

AT_ONCE = 2
Report = Callable[[str, dict[str, Any]], None]


def search(
    spec: RunSpec,
    state: RunState,
    task: Task,
    base: Mapping[str, Any],
    executor: Executor,
    report: Report,
    control: Callable[[], Any],
) -> dict[str, Any]:
    """Try `spec.trials` sets of columns, and tell and return what the best of them is worth.

    `parameters` are None where none was better than no new columns at all.
    """
    looking = _Search(spec, state, task, base, executor, report, control)
    if len(task.frame.columns) > MOST_COLUMNS and not state.trials:
        message = (
            f"New columns are made from the first {MOST_COLUMNS} of {len(task.frame.columns)} columns; "
            "the others are only selected from."
        )
        report("warning", {"message": message})
    looking.go()
    return looking.conclude()


class _Search:
    def __init__(
        self,
        spec: RunSpec,
        state: RunState,
        task: Task,
        base: Mapping[str, Any],
        executor: Executor,
        report: Report,
        control: Callable[[], Any],
    ) -> None:
        self.spec, self.state, self.task = spec, state, task
        self.base = {**base, "held_out": feature_settings(spec)["held_out"], "look_at_kept": False}
        self.executor, self.report, self.control = executor, report, control
        self.space = search_space(task.frame)
        self.values: dict[int, tuple[dict[str, Any], float]] = {}
        self.failures: list[str] = []
        self.tuner = self._tuner()

    def _tuner(self) -> Tuner:
        name = self.spec.method["tuner"]
        problems = tuner_problems(name, read_search_space(self.space))
        if problems:
            raise SpecError(*problems)
        settings = TUNERS[name].settings(self.spec.settings.get("tuner", {}))
        return build_tuner(name, self.space, settings, optimize_mode="maximize", seed=self.spec.seed)

    def go(self) -> None:
        """Pairs of trials; those that the story holds are only told to the tuner again."""
        for first in range(0, self.spec.trials, AT_ONCE):
            numbers = range(first, min(first + AT_ONCE, self.spec.trials))
            try:
                suggested = {number: self._suggestion(number) for number in numbers}
            except Exhausted:
                return
            known = {number: self._known(number, suggested[number]) for number in numbers}
            jobs = [
                Job(number, TRY, self._payload(suggested[number]))
                for number in numbers
                if known[number] is None
            ]
            for job in jobs:
                self._tell_start(job.number, suggested[job.number])
            work(jobs, self.executor, self.control, self._hear, kill=lambda _: True)
            for number in numbers:
                told = known[number]
                if told is not None and told.status == "succeeded" and is_number(told.value):
                    self.values[number] = (suggested[number], float(told.value or 0.0))
                self.tuner.end(number, self.values[number][1] if number in self.values else None)

    def _suggestion(self, number: int) -> dict[str, Any]:
        found = self.tuner.suggest(number)
        if found is None:
            raise Exhausted
        return found.parameters

    def _known(self, number: int, parameters: Mapping[str, Any]) -> Trial | None:
        trial = self.state.trials.get(number)
        same = trial is not None and trial.parameters == parameters
        return trial if same and trial is not None and trial.status in ("succeeded", "failed") else None

    def _payload(self, parameters: Mapping[str, Any] | None) -> dict[str, Any]:
        return {**self.base, "generated": parameters}

    def _tell_start(self, number: int, parameters: dict[str, Any]) -> None:
        seed = trial_seed(self.spec.seed, number)
        self.report(
            "trial_started",
            {"trial_id": number, "parameters": parameters, "architecture": None, "seed": seed},
        )

    def _hear(self, job: Job, kind: str, data: Mapping[str, Any]) -> None:
        status = {"final": "succeeded", "stopped": "cancelled"}.get(kind, "failed")
        if kind == "final":
            self.values[job.number] = (dict(job.payload["generated"]), float(data["value"]))
            made = list(names_of(job.payload["generated"], len(self.task.classes)))
            result = {"trial_id": job.number, "value": data["value"], "metrics": {"columns": made}}
            self.report("final_result", result)
        elif status == "failed":
            self.failures.append(str(data.get("reason")))
        self.report("trial_ended", {"trial_id": job.number, "status": status, "reason": data.get("reason")})

    def conclude(self) -> dict[str, Any]:
        """The best set against no new columns, on the searched rows and on those that were kept."""
        if not self.values and self.failures:
            raise TrialFailed(self.failures[0])
        found: dict[int, tuple[float, float]] = {}

        def hear(job: Job, kind: str, data: Mapping[str, Any]) -> None:
            if kind != "final":
                raise TrialFailed(str(data.get("reason") or "The new columns could not be judged."))
            found[job.number] = (data["value"], data["metrics"]["kept"])

        best = max(self.values, key=lambda number: (self.values[number][1], -number), default=None)
        asked = [None] if best is None else [None, self.values[best][0]]
        jobs = [
            Job(self.spec.trials + at, TRY, {**self._payload(parameters), "look_at_kept": True})
            for at, parameters in enumerate(asked)
        ]
        work(jobs, self.executor, self.control, hear)
        without = found[self.spec.trials]
        best_worth = found.get(self.spec.trials + 1)
        helps = best is not None and best_worth is not None and best_worth[0] > without[0]
        parameters = self.values[best][0] if helps and best is not None else None
        data = {
            "parameters": parameters,
            "columns": [] if parameters is None else list(names_of(parameters, len(self.task.classes))),
            "trial_id": best,
            "search": best_worth[0] if best_worth is not None else None,
            "search_without": without[0],
            "kept": best_worth[1] if best_worth is not None else None,
            "kept_without": without[1],
        }
        self.report("measurement", {"name": GENERATED, "step": self.spec.trials, "data": data})
        return data
