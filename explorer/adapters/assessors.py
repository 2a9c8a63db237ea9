"""NNI's two assessors behind one small contract: NNI's classes decide, and each decision comes with its reasons.

What is mended around them:

* NNI's Curvefitting takes, when a trial completes, the last value of whichever trial was assessed last. Here each
  trial's own history is handed back to it before its end is told.
* A prediction takes milliseconds (`curvefitting.py`) and is recorded from the fourth result of every trial on, also
  where NNI would not look yet, so that decisions can be replayed for other settings.
* Random numbers come from the run's seed, the trial and the step alone: a repeated run decides alike.
* A history that cannot be judged (not finite, missing, no number) means "wait" with a sentence, never an exception.
"""

from __future__ import annotations

import hashlib
import logging
import numbers
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any, Protocol

import numpy as np
from nni.algorithms.hpo.curvefitting_assessor import CurvefittingAssessor
from nni.algorithms.hpo.medianstop_assessor import MedianstopAssessor
from nni.assessor import AssessResult

from explorer.adapters.curvefitting import FastCurveModel
from explorer.catalogue import ASSESSORS
from explorer.errors import SpecError
from explorer.hyper.assessor_rules import (
    CURVEFITTING,
    FIRST_STEP,
    MEDIANSTOP,
    NONE,
    assessor_problems,
    complete,
    runtime_findings,
)
from explorer.runs.bounds import is_number

MANY = 3
"""So many falling trials at least, and most of all trials, make a falling measure."""

MAX_AVERAGES = 50
"""At most so many running averages go into an assessment; more are thinned evenly, the ends kept."""

MAX_HISTORY = 200
"""At most so many results, the newest, go into an assessment: a look with all of them would make long runs quadratic.

Whoever draws the curve takes it from the trial's intermediate results.
"""

GOOD, BAD, WAIT = "good", "bad", "wait"


@dataclass(frozen=True)
class Assessment:
    """What became of one look at a trial: go on ("good"), stop ("bad") or not known yet ("wait" = go on).

    `data` is plain JSON: the assessment event without `trial_id` and `step`. A sentence under "problem" says why
    the assessor misjudges the measure, once a kind and run, or why it cannot judge this trial, once a trial.
    """

    decision: str
    data: Mapping[str, Any] = field(default_factory=dict)


class Assessor(Protocol):
    """Judges trials while they run. Histories are whole, from the first result on."""

    def assess(self, trial_id: int, history: Sequence[float]) -> Assessment:
        """A look at a trial after its newest result."""
        ...

    def end(self, trial_id: int, completed: bool) -> None:
        """The trial is over; `completed` when it ran to its end and succeeded."""
        ...

    def learn(self, trial_id: int, history: Sequence[float | None], completed: bool) -> None:
        """A trial of an earlier attempt that is over: what it leaves behind for others, without a look at it."""
        ...


def build_assessor(
    name: str,
    settings: Mapping[str, Any],
    *,
    optimize_mode: str,
    epochs: int,
    seed: int = 0,
    clock: Callable[[], float] = time.perf_counter,
) -> Assessor | None:
    """The assessor called `name`, None for "none"; raises UnknownName, or SpecError with every problem at once."""
    if name == NONE:
        return None
    ASSESSORS.find(name).settings(settings)
    problems = assessor_problems(name, settings, epochs=epochs, optimize_mode=optimize_mode)
    if problems:
        raise SpecError(*problems)
    full = complete(name, settings, epochs=epochs)
    if name == MEDIANSTOP:
        return Medianstop(full["start_step"], optimize_mode, clock)
    return Curvefitting(full, seed, clock)


for _name in ("curvefitting_Assessor", "medianstop_Assessor"):  # a line a look: the assessments tell it all
    logging.getLogger(_name).setLevel(logging.ERROR)


@dataclass(frozen=True)
class _Reading:
    """A history as finite numbers; `problem` says why it is none, and `shown` is what an event can hold of it."""

    values: list[float]
    shown: list[float | None]
    problem: str | None


def _read(trial_id: int, history: Sequence[Any]) -> _Reading:
    shown = [_number(value) for value in history]
    values = [value for value in shown if value is not None]
    if not history:
        return _Reading([], [], f"Trial {trial_id} has reported nothing yet, so there is nothing to judge.")
    if len(values) == len(shown):
        return _Reading(values, shown, None)
    step = shown.index(None) + 1
    problem = (
        f"Trial {trial_id} reported {_told(history[step - 1])} at step {step}, so it cannot be judged any more "
        "and goes on; report one finite number a step."
    )
    return _Reading(values[: step - 1], shown, problem)


def _recorded(reading: _Reading) -> dict[str, Any]:
    """The history as the event has it. Where it is cut, `history_from` is the step of its first value, and `gap_at`
    that of a result before it that was no number.
    """
    cut = len(reading.shown) - MAX_HISTORY
    if cut <= 0:
        return {"history": reading.shown}
    found: dict[str, Any] = {"history": reading.shown[cut:], "history_from": cut + 1}
    return found | ({"gap_at": len(reading.values) + 1} if len(reading.values) < cut else {})


def _number(value: Any) -> float | None:
    """A finite Python float that an event may hold; a dict counts by its "default", as in NNI."""
    if isinstance(value, Mapping):
        value = value.get("default")
    if not isinstance(value, numbers.Real):
        return None
    try:
        number = float(value)
    except (OverflowError, ValueError):
        return None
    return number if is_number(number) else None


def _drawable(form: dict[str, Any]) -> dict[str, Any]:
    """A fitted curve as the event has it: numbers that no chart could draw are null, a weight then 0."""
    form["parameters"] = [value if is_number(value) else None for value in form["parameters"]]
    form["prediction"] = form["prediction"] if is_number(form["prediction"]) else None
    if "weight" in form and not is_number(form["weight"]):
        form["weight"] = 0.0
    return form


def _told(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return 'a dict without a finite number under "default"'
    return repr(value)[:40] if isinstance(value, int | float) else f"a {type(value).__name__}"


def generator_for(seed: int, trial_id: int, step: int) -> np.random.RandomState:
    """The random numbers of one assessment: they depend on nothing else."""
    digest = hashlib.sha256(f"assessment/{seed}/{trial_id}/{step}".encode()).digest()
    return np.random.RandomState(int.from_bytes(digest[:4], "big"))


class _Once:
    """Lets each thing be told a single time."""

    def __init__(self) -> None:
        self._told: set[int | str] = set()

    def news(self, about: int | str, sentence: str) -> str | None:
        """The sentence, or None where this was told before."""
        if about in self._told:
            return None
        self._told.add(about)
        return sentence


class _Quiet(logging.Logger):
    """Takes NNI's log lines: what they tell is in the assessment."""

    def isEnabledFor(self, level: int) -> bool:
        return False


@dataclass
class _Ready:
    """Stands where NNI's assessor builds its model: hands out what was predicted already, and notes being asked."""

    prediction: float | None
    asked: bool = False

    def __call__(self, target: int) -> _Ready:
        self.asked = True
        return self

    def predict(self, history: list[float]) -> float | None:
        return self.prediction


def _rebound(function: Any, **names: Any) -> FunctionType:
    """The same code of NNI's with other globals, so that its module is left as it is."""
    return FunctionType(
        function.__code__, {**function.__globals__, **names}, function.__name__, function.__defaults__
    )


class Curvefitting:
    """NNI's CurvefittingAssessor; Domhan, Springenberg & Hutter 2015, IJCAI.

    NNI stops a trial whose predicted value at `epoch_num` is at most `threshold` times the best completed value,
    the last result of a trial that ran to its end.
    """

    def __init__(self, settings: Mapping[str, Any], seed: int, clock: Callable[[], float]) -> None:
        self._target = int(settings["epoch_num"])
        self._threshold = float(settings["threshold"])
        self._start = int(settings["start_step"])
        self._nni = CurvefittingAssessor(self._target, self._start, self._threshold, int(settings["gap"]))
        self._seed = seed
        self._clock = clock
        self._last: dict[int, float | None] = {}
        self._completed: set[int] = set()
        self._once = _Once()
        self._seen: set[int] = set()
        self._falling: set[int] = set()

    def assess(self, trial_id: int, history: Sequence[float]) -> Assessment:
        """NNI's verdict on the history so far, with all that it rests on."""
        begun = self._clock()
        reading = _read(trial_id, history)
        self._last[trial_id] = reading.shown[-1] if reading.shown else None
        if reading.problem:
            return self._answer(WAIT, begun, reading, problem=self._once.news(trial_id, reading.problem))
        step = len(reading.values)
        model = FastCurveModel(self._target, generator_for(self._seed, trial_id, step))
        if step < min(FIRST_STEP, self._start):
            return self._answer(WAIT, begun, reading)
        prediction = model.predict(reading.values)
        if not is_number(prediction):
            prediction = None
        ready = _Ready(prediction)
        verdict = self._verdict(trial_id, reading.values, ready)
        models = {name: _drawable(fitted.to_json()) for name, fitted in model.report().items()}
        return self._answer(
            verdict, begun, reading, ready.asked, prediction, models, self._finding(trial_id, reading.values)
        )

    def end(self, trial_id: int, completed: bool) -> None:
        """Tells NNI with the trial's own last result, where a completed trial has one."""
        last = self._last.pop(trial_id, None)
        if not completed:
            self._nni.trial_end(trial_id, False)
            return
        self._completed.add(trial_id)
        if last is not None:
            self._nni.trial_history = [last]
            self._nni.trial_end(trial_id, True)

    def learn(self, trial_id: int, history: Sequence[float | None], completed: bool) -> None:
        """Its own last result counts, where it completed."""
        reading = _read(trial_id, history)
        self._last[trial_id] = reading.shown[-1] if reading.shown else None
        self.end(trial_id, completed)

    def _verdict(self, trial_id: int, values: list[float], ready: _Ready) -> str:
        judge = _rebound(CurvefittingAssessor.assess_trial, CurveModel=ready, logger=_Quiet("curvefitting"))
        result = judge(self._nni, trial_id, values)
        if not ready.asked or ready.prediction is None:
            return WAIT
        return GOOD if result is AssessResult.Good else BAD

    def _finding(self, trial_id: int, values: list[float]) -> str | None:
        """What is wrong with the measure itself: the first kind that was not told yet in this run.

        One trial that falls may diverge; a measure falls when most trials do.
        """
        found = runtime_findings(CURVEFITTING, values, epoch_num=self._target)
        self._seen.add(trial_id)
        if "decreasing" in found:
            self._falling.add(trial_id)
            if len(self._falling) < MANY or 2 * len(self._falling) <= len(self._seen):
                del found["decreasing"]
        return next(
            (told for kind, sentence in found.items() if (told := self._once.news(kind, sentence))), None
        )

    def _answer(
        self,
        decision: str,
        begun: float,
        reading: _Reading,
        acts: bool = False,
        prediction: float | None = None,
        models: Mapping[str, Any] | None = None,
        problem: str | None = None,
    ) -> Assessment:
        best = self._nni.completed_best_performance
        data = {
            "decision": decision,
            "assessor": CURVEFITTING,
            "acts": acts,
            **_recorded(reading),
            "best_completed": best,
            "completed": len(self._completed),
            "target": self._target,
            "prediction": prediction,
            "threshold": self._threshold,
            "line": None if best is None else best * self._threshold,
            "models": dict(models or {}),
            "milliseconds": round(1000 * (self._clock() - begun), 3),
        }
        return Assessment(decision, data | ({"problem": problem} if problem else {}))


class Medianstop:
    """NNI's MedianstopAssessor; Golovin et al. 2017, Google Vizier, KDD, section 3.2.2.

    NNI stops a trial whose best value so far is strictly worse than the median, over the completed trials, of the
    running averages at this step. Of an even number of averages it takes the worse one of the two in the middle.
    """

    def __init__(self, start_step: int, optimize_mode: str, clock: Callable[[], float]) -> None:
        self._start = start_step
        self._higher_is_better = optimize_mode != "minimize"
        self._nni = MedianstopAssessor(optimize_mode, start_step)
        self._clock = clock
        self._completed: set[int] = set()
        self._once = _Once()

    def assess(self, trial_id: int, history: Sequence[float]) -> Assessment:
        """NNI's verdict on the history so far, with all that it rests on."""
        begun = self._clock()
        reading = _read(trial_id, history)
        averages = self._averages(len(reading.shown))
        if reading.problem:
            problem = self._once.news(trial_id, reading.problem)
            return self._answer(WAIT, begun, reading, averages, problem=problem)
        result = self._nni.assess_trial(trial_id, reading.values)
        acts = len(reading.values) >= self._start and bool(averages)
        decision = (GOOD if result is AssessResult.Good else BAD) if acts else WAIT
        return self._answer(decision, begun, reading, averages, acts)

    def end(self, trial_id: int, completed: bool) -> None:
        """Tells NNI, which then knows the trial's own history; a trial shorter than start_step it never saw."""
        if completed:
            self._completed.add(trial_id)
        if trial_id in self._nni._running_history:
            self._nni.trial_end(trial_id, completed)

    def learn(self, trial_id: int, history: Sequence[float | None], completed: bool) -> None:
        """Its running averages count, where it completed."""
        reading = _read(trial_id, history)
        if len(reading.values) >= self._start:
            self._nni._update_data(trial_id, reading.values)
        self.end(trial_id, completed)

    def _averages(self, step: int) -> list[float]:
        """The completed trials' running averages at `step` (from 1), ascending."""
        known = self._nni._completed_avg_history.values()
        return sorted(averages[step - 1] for averages in known if 1 <= step <= len(averages))

    def _answer(
        self,
        decision: str,
        begun: float,
        reading: _Reading,
        averages: list[float],
        acts: bool = False,
        problem: str | None = None,
    ) -> Assessment:
        pick = max if self._higher_is_better else min
        middle = (len(averages) - 1) // 2 if self._higher_is_better else len(averages) // 2
        data = {
            "decision": decision,
            "assessor": MEDIANSTOP,
            "acts": acts,
            **_recorded(reading),
            "best_so_far": pick(reading.values) if reading.values else None,
            "averages": thinned(averages),
            "completed": len(averages),
            "completed_all": len(self._completed),
            "median": averages[middle] if averages else None,
            "milliseconds": round(1000 * (self._clock() - begun), 3),
        }
        return Assessment(decision, data | ({"problem": problem} if problem else {}))


def thinned(values: Sequence[float], most: int = MAX_AVERAGES) -> list[float]:
    """At most `most` of the sorted values, evenly spaced by rank, the first and the last among them."""
    if len(values) <= most:
        return list(values)
    return [values[round(at * (len(values) - 1) / (most - 1))] for at in range(most)]
