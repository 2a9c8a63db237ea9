"""The engine behind `run hpo`: a tuner of NNI's proposes, trials train in parallel, an assessor of NNI's judges.

Every call of the tuner is followed by its event in the same order, so that the story alone rebuilds a tuner: after a
crash a fresh one is led through the recorded starts and endings and goes on as the lost one would have. With one worker
the whole sequence repeats exactly.

A judged trial waits for its verdict after each result (milliseconds); so what was decided never depends on how fast
the machine was.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from explorer.adapters.assessors import Assessor, build_assessor
from explorer.adapters.tuners import Exhausted, Suggestion, Tuner, build_tuner
from explorer.catalogue import OBJECTIVES, TUNERS
from explorer.errors import ExplorerError, TrialFailed
from explorer.lens.explain import explain
from explorer.runs.bounds import is_number
from explorer.runs.events import FINISH, HAND, PLAN
from explorer.runs.places import home
from explorer.runs.spec import MAX_TRIALS, MAX_WORKERS, RunSpec, trial_seed
from explorer.runs.state import RunState, Trial
from explorer.trials.ready import require_data
from explorer.tuning.ear import Ear
from explorer.tuning.legacy import LOAD, PBT, SAVE, inside, with_relative_folders, without_folders
from explorer.tuning.objectives import TARGET
from explorer.tuning.plan import Plan, plan_of
from explorer.tuning.recovery import ended, lead_through, learn_as_data, lost, tell_end

POLL_SECONDS = 0.25  # the longest that a cancel waits to be heard
LAST_WORD_SECONDS = (
    0.06  # a worker asks for requests every 0.05 s: one that came with the last result is heard
)

Report = Callable[[str, dict[str, Any]], None]


class Executor(Protocol):
    """What is used of an executor (`explorer.jobs.executors`)."""

    workers: int

    @property
    def idle(self) -> int:
        """How many more trials would start at once."""

    def submit(self, trial_id: int, target: str, payload: Mapping[str, Any], judged: bool) -> None: ...
    def answer(self, trial_id: int, go_on: bool) -> None: ...
    def poll(self, timeout_seconds: float) -> Iterable[Any]: ...
    def stop(self, trial_id: int) -> None: ...
    def resize(self, workers: int) -> None: ...


@dataclass
class Job:
    """One trial: planned, then running. `skip` results of a continued one are known already."""

    number: int
    parameters: dict[str, Any]
    budget: int
    origin: str = "tuner"
    repeat_of: int | None = None
    resume_from: str | None = None
    skip: int = 0
    history: list[float] = field(default_factory=list)
    verdict: str | None = None  # why the assessor ended it

    @property
    def competes(self) -> bool:
        """Whether tuner and assessor hear of it: one that only goes on for comparison does not."""
        return self.repeat_of is None


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

    Raises SpecError and SpaceError for what cannot run, DataMissing before any trial, TrialFailed when no trial
    came to a result and one failed, and what `control().raise_if_cancelled()` raises.
    """
    plan, ear = plan_of(spec), Ear(control)
    _require_data(plan, ear.listen)
    search = Search(plan, state, executor, report, ear.listen)
    is_last_look = False
    while search.is_busy or not is_last_look:
        is_last_look = not search.is_busy
        if is_last_look:
            time.sleep(LAST_WORD_SECONDS)
        wish = ear.hear()
        wish.raise_if_cancelled()
        for request in wish.requests:
            search.hear_request(request.kind, request.data)
        if search.is_busy:
            search.advance(may_start=not wish.pause)
    if search.failures and not search.results:
        raise TrialFailed(search.failures[0])


def _require_data(plan: Plan, control: Callable[[], Any]) -> None:
    if plan.space is not None:
        require_data(plan.spec.dataset, plan.space.input.channels, plan.space.input.side, control)
    elif OBJECTIVES[plan.spec.objective].facts["trains"]:
        require_data(plan.spec.dataset, None, None, control)


class Search:
    """The trials in flight and those to come."""

    def __init__(
        self,
        plan: Plan,
        state: RunState,
        executor: Executor,
        report: Report,
        listen: Callable[[], Any] = lambda: None,
    ) -> None:
        """`listen` is called before each suggestion, which may take seconds: a sign of life that may raise."""
        spec = plan.spec
        self.plan, self.spec, self.executor, self.report = plan, spec, executor, report
        self.listen = listen
        self.folder = home() / "checkpoints" / state.run_id
        self.tuner, self.assessor = self._tuner(), self._assessor()
        self.trials: dict[int, Trial] = dict(state.trials)
        self.planned = state.planned_trials
        self.own = sum(trial.repeat_of is None for trial in state.trials.values())
        numbers = [*state.trials, *(asked["trial_id"] for asked in state.by_hand)]
        self.next_number = max(numbers, default=-1) + 1
        self.running: dict[int, Job] = {}
        self.waiting: deque[Job] = deque()  # not asked of the tuner: lost ones, by hand, to be finished
        self.only_finishing = "finish" in state.resumed  # asked for what was stopped, and for nothing else
        self.is_exhausted = False
        self.failures: list[str] = []
        self.results = sum(trial.status in ("succeeded", "early_stopped") for trial in state.trials.values())
        self._told: deque[tuple[str, dict[str, Any]]] = deque()
        self._recover(state)

    def _tuner(self) -> Tuner:
        name = self.spec.method["tuner"]
        return build_tuner(
            name,
            self.plan.hyper.to_json(),
            TUNERS[name].settings(self.spec.settings.get("tuner", {})),
            optimize_mode=self.spec.optimize_mode,
            seed=self.spec.seed,
            folder=self.folder / PBT,
            epochs=self.spec.epochs,
        )

    def _assessor(self) -> Assessor | None:
        return build_assessor(
            self.spec.method["assessor"],
            self.spec.settings.get("assessor", {}),
            optimize_mode=self.spec.optimize_mode,
            epochs=self.spec.epochs,
            seed=self.spec.seed,
        )

    # -- going on after an earlier attempt ----------------------------------------------------------------------------

    def _recover(self, state: RunState) -> None:
        """Lead tuner and assessor through the story so far; queue what was lost and what is to be finished."""
        fits = self.plan.hyper.problem_with
        if state.turns and not lead_through(self.tuner, state, fits, self.listen):
            self._tell(
                "warning",
                {
                    "message": "The tuner could not be led through this run's story exactly; it goes on with the "
                    "results as data, so what follows may differ from an undisturbed run."
                },
            )
            self.tuner = self._tuner()
            learn_as_data(self.tuner, state, fits)
        for trial in ended(state):
            if self.assessor is not None:
                values = [value for _, value, _ in trial.intermediate]
                self.assessor.learn(trial.trial_id, values, trial.status == "succeeded")
        if not self.only_finishing:
            self._take_up(state)
        over = {state.trials[number].repeat_of for number in state.order}
        self.finish(number for number in state.finishes if number not in over)
        self._flush()

    def _take_up(self, state: RunState) -> None:
        """Queue what was lost in the middle, and trials by hand that had not begun."""
        for trial in lost(state):
            problem = self.plan.hyper.problem_with(without_folders(trial.parameters or {}))
            if problem:
                message = f"Trial {trial.trial_id} was lost and is not trained again. {problem}"
                self._tell("warning", {"message": message, "trial_id": trial.trial_id})
                continue
            self.waiting.append(
                Job(trial.trial_id, dict(trial.parameters or {}), self._epochs(trial.budget), trial.origin)
            )
        for asked in state.by_hand:
            if asked["trial_id"] not in state.trials:
                self._queue_by_hand(asked["trial_id"], dict(asked["parameters"]))

    # -- the loop -----------------------------------------------------------------------------------------------------

    @property
    def is_busy(self) -> bool:
        """Whether anything is running or to come."""
        return bool(self.running or self.waiting or self._may_ask)

    @property
    def _may_ask(self) -> bool:
        return not (self.is_exhausted or self.only_finishing) and self.own + self._by_hand < self.planned

    @property
    def _by_hand(self) -> int:
        """Trials by hand that wait; they are part of the plan."""
        return sum(job.origin == "hand" and job.number not in self.trials for job in self.waiting)

    def advance(self, may_start: bool) -> None:
        """Start what fits, then hear what happened. Events are written after the successors have started, so that no
        worker waits for the store, but in the order in which tuner and assessor were asked.
        """
        if may_start:
            self._start()
            self._flush()
        for heard in self.executor.poll(POLL_SECONDS):
            self._hear(heard.trial_id, heard.kind, heard.data)
        if may_start:
            self._start()
        self._flush()

    def _start(self) -> None:
        while self.executor.idle > 0:
            job = self.waiting.popleft() if self.waiting else self._asked()
            if job is None:
                return
            self._submit(job)

    def _asked(self) -> Job | None:
        """The tuner's next trial; None when it has none, or none yet."""
        if not self._may_ask:
            return None
        self.listen()
        try:
            suggestion = self.tuner.suggest(self.next_number)
        except Exhausted as ending:
            self._give_up(str(ending) or "The tuner has nothing more to suggest.")
            return None
        if suggestion is None:
            if not self.running:
                self._give_up("The tuner waits for results, but no trial is running.")
            return None
        return self._numbered(suggestion)

    def _numbered(self, suggestion: Suggestion) -> Job:
        self.next_number += 1
        parameters = with_relative_folders(suggestion.parameters, self.folder / PBT)
        return Job(self.next_number - 1, parameters, self._epochs(suggestion.budget))

    def _epochs(self, budget: int | None) -> int:
        return max(1, min(budget or self.spec.epochs, max(self.spec.epochs, 1)))

    def _give_up(self, reason: str) -> None:
        self.is_exhausted = True
        planned = self.own + self._by_hand
        self._tell(
            "warning",
            {"message": f"{reason} {planned} of the {self.planned} trials asked for were suggested."},
        )
        self._replan(planned)

    def _submit(self, job: Job) -> None:
        if job.origin == "hand" and job.number not in self.trials:
            self.tuner.add(job.number, job.parameters)
        settings = {"checkpoint": str(self.folder / f"{job.number}.pt"), "resume_from": job.resume_from}
        try:
            parameters = without_folders(job.parameters)
            payload = self.plan.payload(parameters, job.number, job.budget, **settings) | self._legacy(job)
            if job.repeat_of is not None:  # the same training: what it depends on is the first one's
                payload["seed"] = trial_seed(self.spec.seed, job.repeat_of)
        except (
            ExplorerError
        ) as error:  # a suggestion that is no architecture: this trial's failure, not the run's
            payload, failure = {}, str(error)
        else:
            failure = ""
        if job.number not in self.trials and job.competes:
            self.own += 1
        architecture = payload.get("architecture")
        data: dict[str, Any] = {
            "trial_id": job.number,
            "parameters": job.parameters,
            "architecture": architecture,
            "seed": payload.get("seed"),
            "budget": job.budget,
            "origin": job.origin,
        }
        if job.repeat_of is not None:
            data |= {"repeat_of": job.repeat_of, "continues": True}
        self.trials[job.number] = Trial(
            job.number, "running", job.parameters, architecture, data["seed"], repeat_of=job.repeat_of
        )
        self._tell("trial_started", data)
        self.running[job.number] = job
        if failure:
            self._end(job, "failed", None, failure)
        else:
            judged = self.assessor is not None and job.competes
            self.executor.submit(job.number, TARGET, payload, judged)

    def _legacy(self, job: Job) -> dict[str, str | None]:
        """Where a trial of PBT takes weights from and leaves its own; one that only goes on leaves none."""
        if self.spec.method["tuner"] != "PBT":
            return {}
        source, target = (inside(self.folder / PBT, job.parameters.get(key)) for key in (LOAD, SAVE))
        return {
            "load_from": None if source == target else source,
            "save_to": target if job.competes else None,
        }

    # -- what is heard ------------------------------------------------------------------------------------------------

    def _hear(self, number: int, kind: str, data: Mapping[str, Any]) -> None:
        job = self.running.get(number)
        if job is None:
            return
        if kind == "intermediate":
            self._intermediate(job, data)
        elif kind == "final":
            self._final(job, data)
        elif kind == "stopped" and job.verdict is not None:
            self._end(job, "early_stopped", job.history[-1], job.verdict)
        elif kind == "stopped":
            self._end(job, "cancelled", None, data.get("reason"))
        else:
            self._end(job, "failed", None, data.get("reason") or "The trial failed without a reason.")

    def _intermediate(self, job: Job, data: Mapping[str, Any]) -> None:
        step, value = data["step"], data["value"]
        if step <= job.skip:  # a continued trial whose checkpoint is gone comes by known results again
            return
        job.history.append(value)
        self._tell("intermediate_result", {"trial_id": job.number, **data})
        if not job.competes:
            return
        if is_number(value):
            self.tuner.report(job.number, step, value)
        if self.assessor is not None:
            self._assess(job, step)

    def _assess(self, job: Job, step: int) -> None:
        """The verdict; after a trial's last epoch there is nothing left to stop."""
        assert self.assessor is not None
        found = self.assessor.assess(job.number, job.history)
        stop = found.decision == "bad" and step < job.budget
        if stop:
            job.verdict = explain(found.data)
        self.executor.answer(job.number, not stop)
        data = dict(found.data)
        problem = data.pop("problem", None)
        self._tell("assessment", {"trial_id": job.number, "step": step, **data})
        if problem:
            self._tell("warning", {"message": problem, "trial_id": job.number})

    def _final(self, job: Job, data: Mapping[str, Any]) -> None:
        if not is_number(data["value"]):
            reason = f"The final result is {data['value']!r}; a trial needs a finite number to count."
            self._end(job, "failed", None, reason)
            return
        self._tell("final_result", {"trial_id": job.number, **data})
        self._end(job, "succeeded", data["value"], None)

    def _end(self, job: Job, status: str, value: float | None, reason: str | None) -> None:
        del self.running[job.number]
        if job.resume_from is not None and status == "succeeded":
            Path(job.resume_from).unlink(missing_ok=True)  # it has served
        if status in ("succeeded", "early_stopped"):
            self.results += 1
        elif status == "failed":
            self.failures.append(reason or "")
        if job.competes:
            last = next((one for one in reversed(job.history) if is_number(one)), None)
            tell_end(self.tuner, job.number, status, value, last)
            if self.assessor is not None:
                self.assessor.end(job.number, status == "succeeded")
        known = self.trials[job.number]
        self.trials[job.number] = Trial(
            job.number,
            status,
            known.parameters,
            known.architecture,
            known.seed,
            intermediate=tuple((step, one, {}) for step, one in enumerate(job.history, job.skip + 1)),
            repeat_of=job.repeat_of,
            budget=job.budget,
        )
        self._tell("trial_ended", {"trial_id": job.number, "status": status, "reason": reason})

    # -- what a person asks for ---------------------------------------------------------------------------------------

    def hear_request(self, kind: str, data: Mapping[str, Any]) -> None:
        """set, add_trial, kill_trial, finish_trial; what cannot be is answered with a warning."""
        if kind == "set":
            self._set(data.get("name"), data.get("value"))
        elif kind == "add_trial":
            self._add(data.get("parameters"))
        elif kind == "kill_trial":
            self._kill(data.get("trial_id"))
        elif kind == "finish_trial":
            number = data.get("trial_id")
            if isinstance(number, int) and self.finish([number]):
                self._tell("measurement", {"name": FINISH, "step": 0, "data": {"trials": [number]}})
            else:
                self._warn(
                    f"Trial {number!r:.40} cannot be finished: it was not stopped early, or is finished."
                )
        self._flush()

    def _kill(self, number: Any) -> None:
        """End a running trial, or take back one that waits."""
        waits = [job for job in self.waiting if job.number == number]
        if isinstance(number, int) and number in self.running:
            self.executor.stop(number)
        elif waits and waits[0].origin == "hand":
            self.waiting.remove(waits[0])
            self._tell(
                "measurement", {"name": HAND, "step": 0, "data": {"trial_id": number, "parameters": None}}
            )
            self._replan(self.planned - 1)
        else:
            self._warn(f"Trial {number!r:.40} cannot be killed: it is not running.")

    def _warn(self, message: str) -> None:
        self._tell("warning", {"message": message})

    def _set(self, name: Any, value: Any) -> None:
        most = {"trials": MAX_TRIALS, "workers": MAX_WORKERS}.get(name)
        if most is None or not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            right = f"give trials or workers a whole number from 1 to {most or MAX_TRIALS:,}"
            self._warn(f"{name!s:.40} was to become {value!r:.40}; {right}.")
        elif name == "workers":
            self.executor.resize(value)
            if self.executor.workers < value:
                allowed = f"{self.executor.workers} worker process(es) a run"
                self._warn(f"This place allows {allowed}; {value} were asked for.")
            self._replan(self.planned)
        else:
            self._replan(max(value, self.own + self._by_hand))
            self.is_exhausted = False

    def _replan(self, trials: int) -> None:
        self.planned = trials
        plan = {"trials": trials, "workers": self.executor.workers}
        self._tell("measurement", {"name": PLAN, "step": 0, "data": plan})

    def _add(self, parameters: Any) -> None:
        problem = (
            self.plan.hyper.problem_with(parameters)
            if isinstance(parameters, Mapping)
            else "A trial's parameters are an object name -> value."
        )
        if problem:
            self._warn(f"A trial by hand was not added. {problem}")
            return
        number, self.next_number = self.next_number, self.next_number + 1
        asked = {"trial_id": number, "parameters": dict(parameters)}
        self._tell("measurement", {"name": HAND, "step": 0, "data": asked})
        self._queue_by_hand(number, dict(parameters))
        self._replan(self.planned + 1)

    def _queue_by_hand(self, number: int, parameters: dict[str, Any]) -> None:
        """The tuner learns of it, when it starts, as of data from elsewhere."""
        self.waiting.append(Job(number, parameters, self._epochs(None), "hand"))

    def finish(self, numbers: Iterable[int]) -> bool:
        """Queue the early stopped ones among these trials that are not being finished already."""
        finished = {
            trial.repeat_of for trial in self.trials.values() if trial.status not in ("cancelled", "failed")
        }
        finished |= {job.repeat_of for job in self.waiting}
        queued = False
        for number in dict.fromkeys(numbers):
            trial = self.trials.get(number)
            if trial is None or trial.status != "early_stopped" or number in finished:
                continue
            again, self.next_number = self.next_number, self.next_number + 1
            reached = max((step for step, *_ in trial.intermediate), default=0)
            self.waiting.append(
                Job(
                    again,
                    dict(trial.parameters or {}),
                    self._epochs(trial.budget),
                    repeat_of=number,
                    resume_from=str(self.folder / f"{number}.pt"),
                    skip=reached,
                )
            )
            queued = True
        return queued

    # -- telling ------------------------------------------------------------------------------------------------------

    def _tell(self, kind: str, data: dict[str, Any]) -> None:
        self._told.append((kind, data))

    def _flush(self) -> None:
        while self._told:
            self.report(*self._told.popleft())
