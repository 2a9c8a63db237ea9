"""The engine behind `run features`: new columns are searched where that is asked for, then every selector is compared.

One attempt does what is missing. Whatever the number of workers, results are told in the order of the plan, so that the
same seed tells the same story, times aside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

from explorer.catalogue import SELECTORS
from explorer.data.tables import load_table
from explorer.errors import TrialFailed
from explorer.features import columns_search
from explorer.features.crew import work
from explorer.features.generating import names_of
from explorer.features.judging import JUDGES, chance, counts_of, held_out
from explorer.features.preparing import layout_of
from explorer.features.trials import SELECT
from explorer.jobs.crew import Executor, Job
from explorer.runs.feature_checks import feature_settings, selector_settings, selectors_of
from explorer.runs.feature_schema import ACCURACY, PLAN, SCORES, SELECTION
from explorer.runs.feature_story import done_pairs, generation, plan_of, selections, stories
from explorer.runs.spec import RunSpec, trial_seed
from explorer.runs.state import RunState
from explorer.tables import Task

Report = Callable[[str, dict[str, Any]], None]


@dataclass(frozen=True)
class Pair:
    """One selector on one resample; `number` is its place in the plan."""

    number: int
    selector: str
    resample: int


def run(
    spec: RunSpec,
    state: RunState,
    *,
    executor: Executor,
    report: Report,
    control: Callable[[], Any],
    clock: Callable[[], float],
) -> None:
    """Do what `spec` asks for and `state` does not hold yet.

    Raises NotFound, CodecError or SpecError for a table that cannot serve, TrialFailed when nothing came to a result,
    and what `control().raise_if_cancelled()` raises. The store stamps the times, so `clock` is not read here.
    """
    settings = feature_settings(spec)
    task = load_table(
        spec.dataset, target=settings["target"], task=settings["task"], resamples=settings["resamples"]
    )
    told = state.measurements != ()
    for notice in task.notices if not told else ():
        report("warning", {"message": notice})
    base = _payload(spec, settings)
    made = None
    if "tuner" in spec.method:
        known = generation(state)
        made = (
            columns_search.search(spec, state, task, base, executor, report, control)
            if known is None
            else known
        )
        base |= {"generated": made["parameters"], "held_out": settings["held_out"]}
    listener = _Listener(spec, task, settings, base, report)
    if plan_of(state) is None:
        listener.tell_plan(len(made["columns"]) if made is not None else 0)
    listener.compare(state, executor, control)


def _payload(spec: RunSpec, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What every trial is told."""
    return {
        "table": spec.dataset,
        "target": settings["target"],
        "task": settings["task"],
        "resamples": settings["resamples"],
        "judge": settings["judge"],
        "seed": spec.seed,
        "generated": None,
        "held_out": None,
    }


class _Listener:
    """Tells what the selectors found, in the order of the plan, then what follows from it."""

    def __init__(
        self,
        spec: RunSpec,
        task: Task,
        settings: Mapping[str, Any],
        base: Mapping[str, Any],
        report: Report,
    ) -> None:
        self.spec, self.task, self.settings, self.base, self.report = spec, task, settings, base, report
        self.names = selectors_of(spec)
        new = names_of(base["generated"], len(task.classes)) if base["generated"] is not None else ()
        layout = layout_of(task.frame)
        self.sentences = layout.sentences()
        numbers = len(layout.numbers)
        self.columns = (*layout.names[:numbers], *new, *layout.names[numbers:])
        self.counts = counts_of(len(self.columns), settings["most"])
        self.story: list[dict[str, Any]] = []
        self.failures: list[str] = []
        self.warned: set[str] = set()

    def tell_plan(self, new: int) -> None:
        """What is compared on what, before the first result; `new` columns came out of a search."""
        task, metric = self.task, "accuracy" if self.task.is_classification else "R2"
        plan = {
            "table": task.name,
            "task": task.kind,
            "target": task.target,
            "classes": list(task.classes),
            "metric": metric,
            "rows": len(task.values),
            "resamples": self.settings["resamples"],
            "columns": list(self.columns),
            "new": new,
            "selectors": list(self.names),
            "counts": list(self.counts),
            "pipeline": [*self.sentences, f"{self._judging()} {JUDGES[self.settings['judge'], task.kind]}."],
            "chance": chance(task.values, task.is_classification),
        }
        self._measure(PLAN, 0, plan)

    def _judging(self) -> str:
        """Which rows judge, as the beginning of a sentence."""
        share = self.base["held_out"]
        if share is None:
            count = self.settings["resamples"]
            return f"Judged by {count}-fold cross-validation, with the selection inside each fold, by"
        _, kept = held_out(self.task.values, self.task.is_classification, share, self.spec.seed)
        return f"Judged on the {len(kept):,} rows that the search for new columns never saw, by"

    def compare(self, state: RunState, executor: Executor, control: Callable[[], Any]) -> None:
        """Every selector on every resample that `state` does not hold yet; then what each of them selects."""
        done = done_pairs(state)
        pairs = [
            Pair(number, name, resample)
            for number, (resample, name) in enumerate(
                (resample, name) for resample in range(self.settings["resamples"]) for name in self.names
            )
        ]
        missing = [pair for pair in pairs if (pair.selector, pair.resample) not in done]
        if any(SELECTORS[pair.selector].facts["source"] == "nni" for pair in missing):
            import_module("explorer.adapters.selectors")  # once, before the fork, for all workers
        jobs = [Job(self._trial(pair), SELECT, self._payload(pair)) for pair in missing]
        known = {job.number: pair for job, pair in zip(jobs, missing, strict=True)}
        work(jobs, executor, control, lambda job, kind, data: self._hear(known[job.number], kind, data))
        if not done and len(self.failures) == len(jobs) and self.failures:
            raise TrialFailed(self.failures[0])
        if missing or not selections(state):
            self._select(state, len(pairs))

    def _trial(self, pair: Pair) -> int:
        return self.spec.planned_trials + 10 + pair.number  # no trial of the search has this number

    def _payload(self, pair: Pair) -> dict[str, Any]:
        every = len(self.columns)
        return {
            **self.base,
            "selector": pair.selector,
            "resample": pair.resample,
            "selector_seed": trial_seed(self.spec.seed, pair.resample),
            "settings": selector_settings(self.spec, pair.selector),
            "counts": [every] if pair.selector == "all_features" else list(self.counts),
        }

    def _hear(self, pair: Pair, kind: str, data: Mapping[str, Any]) -> None:
        about = {"selector": pair.selector, "resample": pair.resample}
        label = SELECTORS[pair.selector].label
        if kind != "final":
            reason = str(data.get("reason") or "no reason was given.")
            self.failures.append(f"{label} on resample {pair.resample + 1}: {reason}")
            self.report("warning", {"message": self.failures[-1]})
            return
        found = data["metrics"]
        for count, value in found["worth"]:
            self._measure(ACCURACY, pair.number, {**about, "k": count, "value": value})
        scores = {name: found[name] for name in ("scores", "ranks", "seconds", "tied")}
        self._measure(SCORES, pair.number, about | scores)
        if found["tied"] and pair.selector not in self.warned:
            self.warned.add(pair.selector)
            self.report("warning", {"message": self._tie(pair.selector, found["ranks"])})

    def _tie(self, name: str, ranks: Sequence[int]) -> str:
        """What it means that all scores are equal, for people."""
        first, settings = self.columns[ranks.index(1)], selector_settings(self.spec, name)
        sentence = (
            f"{SELECTORS[name].label} gave all {len(self.columns)} columns the same score, so its order means "
            "nothing"
        )
        if name == "gradient" and settings["n_epochs"] * self._steps(settings["batch_size"]) < 2:
            return (
                f"{sentence}: with n_epochs {settings['n_epochs']} and all rows in one batch it takes one step. "
                f"What it returns ({first!r} first) follows from rounding and the columns' places, mostly the last "
                "ones. Take n_epochs of at least 5, or a smaller batch_size."
            )
        return f"{sentence} ({first!r} comes first only by its place in the table)."

    def _steps(self, batch_size: int) -> int:
        """Steps that FeatureGradientSelector takes an epoch, on a resample's training rows."""
        rows = len(self.task.values) * (self.settings["resamples"] - 1) // self.settings["resamples"]
        return max(1, rows // min(batch_size, rows))

    def _select(self, state: RunState, step: int) -> None:
        """Each selector's advice over all resamples, from the story as it is told now."""
        told = [*state.measurements, *self.story]
        for story in stories(replace(state, measurements=tuple(told))):
            count = story.advised()
            if count is None or not SELECTORS[story.name].facts["needs_target"]:
                continue
            chosen = [self.columns[column] for column in story.best_columns(count)]
            values = story.at(count)
            self._measure(
                SELECTION,
                step,
                {
                    "selector": story.name,
                    "k": count,
                    "columns": chosen,
                    "agreement": story.stability(count),
                    "value": sum(values) / len(values),
                },
            )

    def _measure(self, name: str, step: int, data: dict[str, Any]) -> None:
        self.story.append({"name": name, "step": step, "data": data})
        self.report("measurement", self.story[-1])
