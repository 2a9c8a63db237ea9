"""What pages and the command line use to start, steer and find runs. Light: it opens the store and starts a
supervisor.

Never fork or `multiprocessing` here: from a Streamlit server the first keeps its port, the second runs the
page again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.errors import Conflict, SpecError, StoreUnavailable, SupervisorUnavailable
from explorer.jobs import groups
from explorer.jobs.asking import (
    branch_spec,
    check_measure,
    check_retraining,
    check_step,
    check_stop,
    missing_of_search,
)
from explorer.jobs.endings import EXPIRED
from explorer.jobs.limits import Limits
from explorer.jobs.lock import acquire, holder, last_facts, lock_path
from explorer.jobs.processes import log_path, start_supervisor
from explorer.runs import places
from explorer.runs.feature_story import missing_of_features
from explorer.runs.spec import MAX_TRIALS, RunSpec
from explorer.runs.state import RunState
from explorer.runs.store import Store
from explorer.runs.tuning_checks import hyper_of

MAX_SEEDS = 20
_START_SECONDS = 10.0
_STOP_SECONDS = 15.0
_UNCLAIMED_SECONDS = 2.0  # a supervisor that lives claims sooner, unless it is busy
_REVIVAL_SECONDS = 10.0
STOPPED_STATE = "stopped"  # left in the lock file by `stop_supervisor`: readers start no other

_next_revival: dict[str, float] = {}  # store -> when a reader of this process may start a supervisor again

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SupervisorStatus:
    """Who looks after a store. `state` is absent, starting, warming or ready."""

    state: str
    pid: int | None
    log: Path

    @property
    def running(self) -> bool:
        """Whether there is one."""
        return self.state != "absent"


def supervisor_status(store: Store) -> SupervisorStatus:
    """Whether a supervisor looks after this store on this machine."""
    facts = holder(lock_path(store.url))
    if facts is None:
        return SupervisorStatus("absent", None, log_path(store))
    return SupervisorStatus(str(facts.get("state", "starting")), facts.get("pid"), log_path(store))


def ensure_supervisor(store: Store, arguments: Sequence[str] = ()) -> SupervisorStatus:
    """Start a supervisor unless there is one; returns as soon as it holds its lock, before it is warm."""
    status = supervisor_status(store)
    if status.running:
        return status
    try:
        start_supervisor(store, arguments)
    except OSError as error:
        raise SupervisorUnavailable(f"The supervisor could not be started: {error.strerror}.") from error
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        status = supervisor_status(store)
        if status.running:
            return status
        time.sleep(0.02)
    raise SupervisorUnavailable(
        f"The supervisor did not start within {_START_SECONDS:g} s; {status.log} says why."
    )


def start_run(
    store: Store,
    spec: RunSpec,
    visitor: str | None = None,
    *,
    name: str = "",
    limits: Limits | None = None,
    supervisor_arguments: Sequence[str] = (),
) -> str:
    """Queue a run and see to it that a supervisor is there; returns the run's id.

    Raises SpecError with every problem at once, LimitReached when the queue is full.
    """
    limits = limits or Limits.from_environment()
    run_id = store.create_run(spec.checked(), visitor, name=name, queue_limit=limits.queue)
    ensure_supervisor(store, supervisor_arguments)
    return run_id


def cancel(store: Store, run_id: str) -> None:
    """End a run: at once while it waits, by asking its worker otherwise.

    Raises Conflict when it has ended.
    """
    _close_lost(store)
    try:
        store.append(run_id, "run_cancelled", {"reason": "Cancelled before it started."}, only_when="queued")
    except Conflict:
        store.request(run_id, "cancel")


def pause(store: Store, run_id: str) -> None:
    """Ask a running run to start nothing new until it is resumed."""
    store.request(run_id, "pause")


def resume(
    store: Store,
    run_id: str,
    retrain: Mapping[str, Any] | None = None,
    *,
    owner: str | None = None,
    supervisor_arguments: Sequence[str] = (),
    finish: Sequence[int] = (),
    measure: Sequence[str] = (),
) -> None:
    """Go on with a paused run, or open the next attempt of one that has ended: only what is missing is
    trained.

    `retrain={"trial_id": k, "seeds": n}` asks for trial k again with n seeds (in a one-shot run for what was derived,
    with so many "rivals" drawn at random, for "epochs"), `finish` for nothing but early stopped trials to be trained to
    their end, `measure` for nothing but these measures of a one-shot search. With `owner` the attempt is claimed at
    once and no supervisor is started (a foreground run). Raises Conflict when there is nothing to resume.
    """
    _close_lost(store)
    summary = store.summary(run_id)
    if summary.status == "paused" and retrain is None and not finish:
        store.request(run_id, "resume")
        return
    if finish and not summary.is_over:
        for trial_id in _finishable(store, run_id, finish):
            store.request(run_id, "finish_trial", {"trial_id": trial_id})
        return
    if not summary.is_over:
        raise Conflict(f"Run {run_id} is {summary.status}; only a paused or an ended run can be resumed.")
    if retrain is not None:
        _check_retrain(store, run_id, retrain)
    elif finish:
        finish = _finishable(store, run_id, finish)
    elif measure:
        pass
    elif summary.status == "finished" and _missing(store.state(run_id)) <= 0:
        raise Conflict(f"Run {run_id} has finished; nothing is missing.")
    data: dict[str, Any] = {} if retrain is None else {"retrain": dict(retrain)}
    data |= {"finish": list(finish)} if finish else {}
    data |= {"measure": list(measure)} if measure else {}
    queue = Limits.from_environment().queue if owner is None else None
    store.append(run_id, "run_resumed", data, lease_to=owner, queue_limit=queue)
    if owner is None:
        ensure_supervisor(store, supervisor_arguments)


def delete(store: Store, run_id: str) -> None:
    """Forget a run that has ended, and what it left on the disk; raises Conflict while it has not."""
    store.delete(run_id)
    for kept in ("checkpoints", "nni"):
        shutil.rmtree(places.home() / kept / Path(run_id).name, ignore_errors=True)


def let_finish(store: Store, run_id: str, trial_ids: Sequence[int] | None = None) -> None:
    """Train early stopped trials to their end, for comparison: these, or all of them.

    Raises Conflict when none was stopped early, SpecError for one that was not.
    """
    if trial_ids is None:
        trials = store.state(run_id).trials.values()
        done = {trial.repeat_of for trial in trials if trial.continues and trial.status == "succeeded"}
        trial_ids = [t.trial_id for t in trials if t.status == "early_stopped" and t.trial_id not in done]
    if not trial_ids:
        raise Conflict(f"Run {run_id} has no early stopped trial that was not finished already.")
    resume(store, run_id, finish=trial_ids)


def add_trial(store: Store, run_id: str, parameters: Mapping[str, Any]) -> None:
    """Ask for a trial with these parameters; raises SpecError when they are not of the run's space."""
    _check_parameters(store, run_id, parameters)
    store.request(run_id, "add_trial", {"parameters": dict(parameters)})


def kill_trial(store: Store, run_id: str, trial_id: int) -> None:
    """Ask for the end of one trial; raises SpecError when it has ended already."""
    trial = store.state(run_id).trials.get(trial_id)
    if trial is not None and trial.status != "running":
        raise SpecError(f"Trial {trial_id} has ended already ({trial.status.replace('_', ' ')}).")
    store.request(run_id, "kill_trial", {"trial_id": trial_id})


def _check_parameters(store: Store, run_id: str, parameters: Mapping[str, Any]) -> None:
    spec = store.state(run_id).spec
    hyper = hyper_of(spec)[0] if spec.kind == "hpo" else None
    if hyper is None:
        raise SpecError(f"Run {run_id} tunes nothing; only a tuning run takes trials by hand.")
    problem = hyper.problem_with(parameters)
    if problem:
        raise SpecError(problem)


def more_trials(store: Store, run_id: str, trials: int) -> None:
    """Let a tuning run go on to so many trials, also when it has ended. Raises SpecError for fewer than it has."""
    summary = store.summary(run_id)
    if isinstance(trials, bool) or not isinstance(trials, int) or not summary.trials < trials <= MAX_TRIALS:
        raise SpecError(
            f"trials is {trials!r}; give a whole number from {summary.trials + 1} to {MAX_TRIALS:,}."
        )
    _ask_again(store, run_id, "set", {"name": "trials", "value": trials})


def add_after_end(store: Store, run_id: str, parameters: Mapping[str, Any]) -> None:
    """A trial with these parameters in a tuning run, also when it has ended; raises SpecError as `add_trial` does."""
    _check_parameters(store, run_id, parameters)
    _ask_again(store, run_id, "add_trial", {"parameters": dict(parameters)})


def _ask_again(store: Store, run_id: str, kind: str, data: Mapping[str, Any]) -> None:
    """Ask of a tuning run; one that has ended is opened again, and its worker hears the request first."""
    _close_lost(store)
    summary = store.summary(run_id)
    if summary.kind != "hpo":
        raise SpecError(f"Run {run_id} tunes nothing; only a tuning run takes more trials.")
    if summary.is_over:
        store.append(run_id, "run_resumed", {}, queue_limit=Limits.from_environment().queue)
    store.request(run_id, kind, data)
    if summary.is_over:
        ensure_supervisor(store)


def step(store: Store, run_id: str, phase: str = "both", count: int = 1) -> None:
    """Let a paused one-shot search do so many steps of one phase; raises Conflict, SpecError."""
    check_step(store.state(run_id), phase, count)
    store.request(run_id, "step", {"phase": phase, "count": count})


def stop_search(store: Store, run_id: str) -> None:
    """End a one-shot search with what is there: it derives now and finishes. Raises Conflict, SpecError."""
    check_stop(store.state(run_id))
    store.request(run_id, "stop")


def measure(store: Store, run_id: str, name: str) -> None:
    """Ask for a measure of a one-shot search, also when it has ended: then of its last checkpoint.

    Raises Conflict, SpecError, before anything is written.
    """
    _close_lost(store)
    state = store.state(run_id)
    check_measure(state, name)
    if state.is_over:
        resume(store, run_id, measure=(name,))
    else:
        store.request(run_id, "measure", {"name": name})


def branch(
    store: Store,
    run_id: str,
    at: int,
    changes: Mapping[str, Any],
    visitor: str | None = None,
    *,
    name: str = "",
) -> str:
    """A new run that goes on from checkpoint `at` with changed parameters; returns its id. Raises SpecError."""
    return start_run(store, branch_spec(store.state(run_id), at, changes), visitor, name=name)


def parameters_of(store: Store, run_id: str, trial_id: int) -> dict[str, Any]:
    """What trial `trial_id` was run with; raises SpecError when there is no such trial."""
    trial = store.state(run_id).trials.get(trial_id)
    if trial is None or not trial.parameters:
        raise SpecError(f"Run {run_id} has no trial {trial_id} with parameters.")
    return {name: value for name, value in trial.parameters.items() if not name.endswith("_checkpoint_dir")}


def reconcile(store: Store) -> list[str]:
    """Write `run_lost` for runs whose processes are gone without a word, and start a supervisor where runs wait
    and none looks after them; every reader may call it.

    A store that can be read but not written (a full disk) stays readable: then nothing is done.
    """
    lost = _close_lost(store)
    with contextlib.suppress(StoreUnavailable, SupervisorUnavailable):
        if store.is_anyone_waiting(_UNCLAIMED_SECONDS) and _may_revive(store):
            ensure_supervisor(store)
    return lost


def _close_lost(store: Store) -> list[str]:
    try:
        lost = store.close_expired(EXPIRED)
    except StoreUnavailable as error:
        log.warning("%s", error)
        return []
    for run_id in lost:
        groups.end(run_id)
    return lost


def _may_revive(store: Store) -> bool:
    """Not one that a person ended, and not again and again where it does not start."""
    now = time.monotonic()
    if last_facts(lock_path(store.url)).get("state") == STOPPED_STATE or now < _next_revival.get(
        store.url, 0.0
    ):
        return False
    _next_revival[store.url] = now + _REVIVAL_SECONDS
    return True


def stop_supervisor(store: Store) -> bool:
    """End the supervisor, and with it its runs (`run_lost`, they can be resumed); False when there was none."""
    status = supervisor_status(store)
    if not status.running or status.pid is None:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(status.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while supervisor_status(store).pid == status.pid:
        if time.monotonic() > deadline:
            raise SupervisorUnavailable(f"Supervisor {status.pid} did not end; {status.log} says more.")
        time.sleep(0.02)
    lock = acquire(lock_path(store.url))
    if lock is not None:
        lock.write({"state": STOPPED_STATE})
        lock.release()
    return True


def _missing(state: RunState) -> int:
    """How many trials of the plan, retrainings included, have not succeeded.

    A tuner's trial that was stopped or failed has been told to the tuner: it is done.
    """
    if state.spec.kind == "hpo":
        own = [trial for trial in state.trials.values() if trial.repeat_of is None]
        ended = set(state.order)
        return state.planned_trials - sum(trial.trial_id in ended for trial in own)
    if state.spec.kind == "oneshot":
        return missing_of_search(state)
    if state.spec.kind == "features":
        return missing_of_features(state)
    planned = state.spec.planned_trials + sum(wish["seeds"] for wish in state.retrains)
    return planned - sum(trial.status == "succeeded" for trial in state.trials.values())


def _finishable(store: Store, run_id: str, asked: Sequence[int]) -> list[int]:
    """The early stopped trials among `asked`; raises SpecError when one was not stopped early."""
    trials = store.state(run_id).trials
    for trial_id in asked:
        if trial_id not in trials or trials[trial_id].status != "early_stopped":
            raise SpecError(f"Trial {trial_id!r} cannot be finished; give trials that were stopped early.")
    return list(asked)


def _check_retrain(store: Store, run_id: str, retrain: Mapping[str, Any]) -> None:
    trial_id, seeds = retrain.get("trial_id"), retrain.get("seeds")
    kind = store.summary(run_id).kind
    if kind == "hpo":
        raise SpecError("A tuned trial is trained again by adding it once more, not by --retrain.")
    if kind == "features":
        raise SpecError("A features run trains nothing that could be trained again; leave --retrain out.")
    if kind == "oneshot":
        check_retraining(store.state(run_id), retrain)
        return
    if retrain.keys() & {"rivals", "epochs"}:
        raise SpecError("--rivals and --epochs belong to the retraining of a one-shot run; leave them out.")
    trial = store.state(run_id).trials.get(trial_id) if isinstance(trial_id, int) else None
    if trial is None or trial.status != "succeeded":
        raise SpecError(f"Trial {trial_id!r} cannot be retrained; give the number of a trial that succeeded.")
    if not isinstance(seeds, int) or isinstance(seeds, bool) or not 1 <= seeds <= MAX_SEEDS:
        raise SpecError(f"seeds is {seeds!r}; give a whole number from 1 to {MAX_SEEDS}.")
