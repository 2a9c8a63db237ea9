"""Classical NAS: a strategy asks for architectures, an executor trains them or the answer key knows them.

A strategy is one of ours (`explorer.strategies`, and `nas.controller_search`), one of NNI's (`explorer.adapters.
strategies`), or a ranking by a proxy (`nas.proxy_search`); all are asked and told, so they train in parallel and are
taken up again by repeating the story of the run: what was asked and told in which order, and what one of ours was given
to begin with. With one worker the whole sequence repeats exactly.

A training that a strategy goes on with (`continues`) begins at the checkpoint that the shorter one left, under the
learning rates of a whole training; where that file is gone it begins again and comes by the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.catalogue import STRATEGIES, WARM_START
from explorer.errors import Conflict, SpaceError, TrialFailed
from explorer.jobs.crew import POLL_SECONDS
from explorer.nas.asking import Asked, AskTell, build
from explorer.nas.key_executor import KeyExecutor, key_for
from explorer.nas.proxy_search import Ranked, most_promising, wants_warm_start
from explorer.runs.places import home
from explorer.runs.spec import RunSpec, trial_seed
from explorer.runs.state import RunState, Trial
from explorer.space import Architecture, SearchSpace
from explorer.strategies.contract import FAILED
from explorer.trials.crew import Crew, Job, Report
from explorer.trials.evaluate import TARGET, payload
from explorer.trials.ready import checked_space, require_data

KEY = "key"  # the executor that answers from the table


def run(
    spec: RunSpec,
    state: RunState,
    *,
    executor: Any,
    report: Report,
    control: Callable[[], Any],
    clock: Callable[[], float],
) -> None:
    """Search until `spec.trials` architectures were evaluated or the strategy has nothing more to ask for.

    The executor is to `prepare` its processes before the strategy is built, whose thoughts may be tensors: from a
    process that has used autograd beside a GPU none can be forked safely.

    Raises SpecError or SpaceError for what cannot run, OutsideKey where the key has no answer, DataMissing before any
    trial, TrialFailed when every trial failed, and what `control().raise_if_cancelled()` raises.
    """
    space = checked_space(spec)
    key = key_for(space, spec.dataset) if spec.executor == KEY else None
    entry = STRATEGIES[spec.method["strategy"]]
    is_ranked = entry.facts["engine"] == "proxy"
    is_scored = is_ranked or wants_warm_start(spec)
    if key is None or is_scored:
        require_data(spec.dataset, space.input.channels, space.input.side, control)
    is_searching = "retrain" not in state.resumed
    first: list[Architecture] = []
    if is_searching and is_scored:  # by the real executor, also where the key answers afterwards
        if is_ranked:
            settings, count = entry.settings(spec.settings.get("strategy", {})), spec.trials
        else:
            settings = WARM_START.settings(spec.settings["warm_start"])
            count = settings["count"]
        first = most_promising(spec, state, space, settings, count, executor, control, report)
    if key is not None:
        executor = KeyExecutor(key, space, spec.workers)
    if is_searching:
        executor.prepare()
        strategy = Ranked(first) if is_ranked else build(spec, space, first)
        _search(spec, state, space, executor, report, control, strategy)
    jobs = _repeated(spec, space, state)
    if jobs:
        Crew(spec, executor, report, jobs).work(control)


def _search(
    spec: RunSpec,
    state: RunState,
    space: SearchSpace,
    executor: Any,
    report: Report,
    control: Callable[[], Any],
    strategy: AskTell,
) -> None:
    try:
        folder = home() / "checkpoints" / state.run_id
        search = Search(spec, space, strategy, executor, report, folder)
        search.repeat(state)
        search.go(control)
    finally:
        strategy.close()
    if search.failure and not search.succeeded:
        raise TrialFailed(search.failure)


def _repeated(spec: RunSpec, space: SearchSpace, state: RunState) -> list[Job]:
    """The retrainings that were asked for and have not succeeded; their numbers follow on those of the search."""
    jobs: list[Job] = []
    for wish in state.retrains:
        original = state.trials.get(wish["trial_id"])
        if original is None:
            raise SpaceError(
                f"There is no trial {wish['trial_id']!r} to train again; give one that was evaluated."
            )
        architecture = space.architecture(original.architecture or {})
        of = original.trial_id if original.repeat_of is None else original.repeat_of
        first = spec.trials + len(jobs)
        jobs += [
            Job(number, architecture, trial_seed(spec.seed, number), of)
            for number in range(first, first + wish["seeds"])
        ]
    succeeded = {trial.trial_id for trial in state.trials.values() if trial.status == "succeeded"}
    return [job for job in jobs if job.number not in succeeded]


@dataclass
class Out:
    """A trial that is going on: what was asked, and its newest intermediate result."""

    asked: Asked
    last: Mapping[str, Any] | None = None


class Search:
    """The strategy's proposals on their way through an executor; every trial is told as events."""

    def __init__(
        self,
        spec: RunSpec,
        space: SearchSpace,
        strategy: AskTell,
        executor: Any,
        report: Report,
        folder: Path,  # of the checkpoints that longer trainings go on from
    ) -> None:
        self.spec, self.space, self.strategy, self.executor = spec, space, strategy, executor
        self._report, self._folder = report, folder
        self._again: list[Asked] = []  # begun in an attempt that was lost
        self._out: dict[int, Out] = {}
        self._asked = 0
        self.succeeded, self.failure = 0, ""

    # -- taking up an earlier attempt -----------------------------------------------------------------------------

    def repeat(self, state: RunState) -> None:
        """Ask and tell the strategy what it was asked and told before; raises Conflict when it asks for another."""
        begun: dict[int, Asked] = {}
        for number, is_end in state.turns:
            trial = state.trials[number]
            if trial.repeat_of is not None:
                continue  # a retraining, of which the strategy knows nothing
            if not is_end and number not in begun:
                begun[number] = self._asked_before(trial)
            elif is_end:
                self.strategy.tell(begun[number], FAILED if trial.value is None else trial.value)
                self.succeeded += trial.status == "succeeded"
        told = {number for number, is_end in state.turns if is_end}
        self._again = [asked for number, asked in begun.items() if number not in told]

    def _asked_before(self, trial: Trial) -> Asked:
        asked = self.strategy.ask()
        if asked is None or asked.number != trial.trial_id or dict(asked.architecture) != self._read(trial):
            raise Conflict(
                f"This search no longer repeats itself at trial {trial.trial_id}: the app is another version. "
                "Start it again; what it found is kept."
            )
        self._asked += 1
        return asked

    def _read(self, trial: Trial) -> dict[str, Any]:
        return dict(self.space.architecture(trial.architecture or {}))

    # -- going on -------------------------------------------------------------------------------------------------

    def go(self, control: Callable[[], Any]) -> None:
        """Until nothing is out and nothing is left to ask for."""
        while True:
            wish = control()
            wish.raise_if_cancelled()
            for request in wish.requests:
                if request.kind == "kill_trial" and request.data.get("trial_id") in self._out:
                    self.executor.stop(request.data["trial_id"])
            if not wish.pause:
                self._start()
            if not self._out and not wish.pause:
                break
            for heard in self.executor.poll(POLL_SECONDS):
                self._hear(heard.trial_id, heard.kind, heard.data)
        if self._asked < self.spec.trials:
            self._report(
                "warning",
                {
                    "message": f"{self.spec.trials} trials were asked for, but the strategy had no more than "
                    f"{self._asked} to propose in a space of {self.space.size:,}."
                },
            )

    def _start(self) -> None:
        while self.executor.idle > 0:
            asked = self._again.pop(0) if self._again else self._next()
            if asked is None:
                return
            self._out[asked.number] = Out(asked)
            self._report("trial_started", self._told(asked))
            self.executor.submit(asked.number, TARGET, self._payload(asked), judged=asked.epochs is not None)

    def _next(self) -> Asked | None:
        if self._asked >= self.spec.trials:
            return None
        asked = self.strategy.ask()
        self._asked += asked is not None
        return asked

    def _told(self, asked: Asked) -> dict[str, Any]:
        data = {
            "trial_id": asked.number,
            "parameters": {},
            "architecture": asked.architecture.to_json(),
            "seed": self._seed(asked),
            "parents": list(asked.parents),
            "phase": asked.phase,
        }
        return data if asked.epochs is None else {**data, "budget": asked.epochs}

    def _seed(self, asked: Asked) -> int:
        """A training that goes on is the same training: it has the seed of its first part."""
        return trial_seed(self.spec.seed, asked.first)

    def _payload(self, asked: Asked) -> dict[str, Any]:
        made = payload(
            self.spec.space,
            asked.architecture,
            dataset=self.spec.dataset,
            training=self.spec.settings.get("training", {}),
            epochs=self.spec.epochs,
            seed=self._seed(asked),
        )
        if asked.epochs is None:
            return made
        made["checkpoint"] = str(self._folder / f"{asked.number}.pt")
        made["resume_from"] = None if asked.continues is None else str(self._folder / f"{asked.continues}.pt")
        return made

    # -- what happened --------------------------------------------------------------------------------------------

    def _hear(self, number: int, kind: str, data: Mapping[str, Any]) -> None:
        out = self._out[number]
        if kind == "intermediate":
            self._judge(out, data)
            return
        del self._out[number]
        if kind == "stopped" and out.last is not None and out.last["step"] == out.asked.epochs:
            kind, data = "final", {"value": out.last["value"], "metrics": dict(out.last["metrics"])}
        if kind == "final":
            self._report("final_result", {"trial_id": number, **data})
            self._end(out.asked, "succeeded", None, data["value"])
        elif kind == "stopped":
            self._end(out.asked, "cancelled", data.get("reason"), None)
        else:
            self._end(out.asked, "failed", data.get("reason") or "The trial failed without a reason.", None)

    def _judge(self, out: Out, data: Mapping[str, Any]) -> None:
        """Tell an intermediate result; a training that was wanted for fewer epochs ends with the last of them."""
        number, begun = out.asked.number, out.asked.begun
        if data["step"] > begun:  # a training whose checkpoint is gone comes by known results again
            self._report("intermediate_result", {"trial_id": number, **data})
        out.last = data
        if out.asked.epochs is not None:
            self.executor.answer(
                number, data["step"] < out.asked.epochs or out.asked.epochs >= self.spec.epochs
            )

    def _end(self, asked: Asked, status: str, reason: str | None, value: float | None) -> None:
        self._report("trial_ended", {"trial_id": asked.number, "status": status, "reason": reason})
        if status == "succeeded":
            self.succeeded += 1
        elif status == "failed":
            self.failure = self.failure or reason or ""
        # also where a person gave it up: the strategy must not wait for it
        self.strategy.tell(asked, FAILED if value is None else value)
