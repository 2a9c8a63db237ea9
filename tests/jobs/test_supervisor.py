"""A real supervisor with fake engines: runs end truthfully whatever is killed, and finished trials are never lost."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest

from explorer.errors import Conflict, LimitReached, SpecError
from explorer.jobs import launch
from explorer.jobs.limits import Limits
from explorer.runs import RunSpec, RunState, Store
from explorer.runs.spec import trial_seed
from tests.jobs.conftest import SPEC, fake, open_gate, wait_for, wait_for_end, wait_for_trials, worker_of

pytestmark = pytest.mark.slow
TRUTH_SECONDS = 10.0  # within which a run whose processes were killed must say so


def start(store: Store, engine: str = "random_engine", spec: RunSpec = SPEC) -> str:
    return launch.start_run(store, spec, supervisor_arguments=fake(engine))


def supervisor_pid(store: Store) -> int:
    pid = launch.supervisor_status(store).pid
    assert pid is not None
    return pid


def half_way(store: Store) -> str:
    """A run with three finished trials that holds back before the fourth."""
    run_id = start(store)
    wait_for_trials(store, run_id, SPEC.epochs)
    return run_id


def resumed(store: Store, run_id: str, home: Path) -> RunState:
    open_gate(home)
    launch.resume(store, run_id, supervisor_arguments=fake())
    wait_for(lambda: store.summary(run_id).status == "finished")
    return store.state(run_id)


def assert_only_the_missing_were_trained(store: Store, run_id: str) -> None:
    events = store.events(run_id)
    attempt_2 = next(event.seq for event in events if event.kind == "run_resumed")
    started = [e.data["trial_id"] for e in events if e.kind == "trial_started" and e.seq > attempt_2]
    assert sorted(started) == list(range(SPEC.epochs, SPEC.trials))
    succeeded = [
        e.data["trial_id"] for e in events if e.kind == "trial_ended" and e.data["status"] == "succeeded"
    ]
    assert sorted(succeeded) == list(range(SPEC.trials)), "each trial is trained once"


def test_a_run_goes_from_queued_to_finished(store: Store, explorer_home: Path) -> None:
    open_gate(explorer_home)
    run_id = start(store)
    state = wait_for_end(store, run_id)
    assert state.status == "finished"
    assert [trial.status for trial in state.trials.values()] == ["succeeded"] * SPEC.trials
    assert state.trials[4].metrics["seed"] == trial_seed(SPEC.seed, 4)
    assert state.best is not None and state.best.trial_id == 5


def test_one_supervisor_serves_a_store_and_starts_the_next_run_warm(
    store: Store, explorer_home: Path
) -> None:
    open_gate(explorer_home)
    first = start(store)
    pid = supervisor_pid(store)
    second = start(store)
    assert wait_for_end(store, first).status == wait_for_end(store, second).status == "finished"
    assert supervisor_pid(store) == pid


def test_cancelling_a_running_run_ends_it_with_run_cancelled(store: Store) -> None:
    run_id = half_way(store)
    launch.cancel(store, run_id)
    state = wait_for_end(store, run_id)
    assert (state.status, state.reason) == ("cancelled", "Cancelled on request.")
    assert sum(trial.status == "succeeded" for trial in state.trials.values()) == SPEC.epochs
    with pytest.raises(Conflict, match="already ended"):
        launch.cancel(store, run_id)


def test_a_waiting_run_is_cancelled_at_once(store: Store) -> None:
    run_id = store.create_run(SPEC)
    launch.cancel(store, run_id)
    assert store.summary(run_id).status == "cancelled"
    assert store.summary(run_id).started is None


def test_a_worker_that_does_not_listen_is_ended_when_cancelled(store: Store) -> None:
    run_id = start(store, "deaf_engine")
    wait_for(lambda: len(store.state(run_id).measurements))
    worker = store.state(run_id).measurements[0]["data"]["pid"]
    launch.cancel(store, run_id)
    state = wait_for_end(store, run_id)
    assert state.status == "cancelled" and "did not stop by itself" in str(state.reason)
    assert not psutil.pid_exists(worker)


def test_a_paused_run_starts_nothing_until_it_is_resumed(store: Store, explorer_home: Path) -> None:
    run_id = half_way(store)
    launch.pause(store, run_id)
    wait_for(lambda: store.summary(run_id).status == "paused")
    open_gate(explorer_home)
    launch.resume(store, run_id)
    state = wait_for_end(store, run_id)
    assert (state.status, state.attempt) == ("finished", 1)


def test_kill_9_of_the_worker_is_told_and_resuming_trains_only_what_is_missing(
    store: Store, explorer_home: Path
) -> None:
    run_id = half_way(store)
    worker_of(supervisor_pid(store)).kill()
    state = wait_for_end(store, run_id, TRUTH_SECONDS)
    assert state.status == "lost" and "killed by SIGKILL" in str(state.reason)
    assert resumed(store, run_id, explorer_home).attempt == 2
    assert_only_the_missing_were_trained(store, run_id)


def test_kill_9_of_the_supervisor_is_told_and_resuming_trains_only_what_is_missing(
    store: Store, explorer_home: Path
) -> None:
    run_id = half_way(store)
    pid = supervisor_pid(store)
    worker = worker_of(pid)
    os.kill(pid, signal.SIGKILL)
    state = wait_for_end(store, run_id, TRUTH_SECONDS)
    assert state.status == "lost" and "looked after this run ended" in str(state.reason)
    wait_for(lambda: not worker.is_running())
    assert resumed(store, run_id, explorer_home).attempt == 2
    assert supervisor_pid(store) != pid
    assert_only_the_missing_were_trained(store, run_id)


def test_kill_9_of_both_is_told_by_the_first_reader_and_resuming_trains_only_what_is_missing(
    store: Store, explorer_home: Path
) -> None:
    run_id = half_way(store)
    pid = supervisor_pid(store)
    worker = worker_of(pid)
    trials = worker.children()
    os.kill(worker.pid, signal.SIGSTOP)  # so that it cannot notice the other's death
    os.kill(pid, signal.SIGKILL)
    worker.kill()
    state = wait_for_end(store, run_id, TRUTH_SECONDS)
    assert state.status == "lost" and "without a word" in str(state.reason)
    wait_for(lambda: not any(trial.is_running() for trial in trials))
    assert resumed(store, run_id, explorer_home).status == "finished"
    assert_only_the_missing_were_trained(store, run_id)


def test_kill_9_of_the_fork_server_does_not_stop_the_next_run(store: Store, explorer_home: Path) -> None:
    run_id = half_way(store)
    worker = worker_of(supervisor_pid(store))
    server = worker.parent()
    assert server is not None
    server.kill()
    assert wait_for_end(store, run_id, TRUTH_SECONDS).is_over
    wait_for(lambda: not worker.is_running())
    open_gate(explorer_home)
    assert wait_for_end(store, start(store)).status == "finished"


def test_a_killed_trial_process_fails_its_trial_and_not_the_run(store: Store, explorer_home: Path) -> None:
    run_id = half_way(store)
    for process in worker_of(supervisor_pid(store)).children():
        process.kill()
    open_gate(explorer_home)
    assert wait_for_end(store, run_id).status == "finished"


@pytest.mark.parametrize(
    ("engine", "status", "words"),
    [
        ("failing_engine", "failed", "KeyError: 'learning_rate' (fakes.py, line"),
        ("crashing_engine", "failed", "crashed with SIGSEGV"),
        ("impossible_engine", "failed", "trial 99, which is unknown"),
        ("no_such_engine", "failed", "no_such_engine"),
    ],
)
def test_an_engine_that_fails_says_how(store: Store, engine: str, status: str, words: str) -> None:
    state = wait_for_end(store, start(store, engine))
    assert state.status == status and words in str(state.reason)


def test_stopping_the_supervisor_loses_its_runs_truthfully(store: Store) -> None:
    run_id = half_way(store)
    assert launch.stop_supervisor(store)
    assert store.summary(run_id).status == "lost"
    assert launch.supervisor_status(store).state == "absent"
    assert not launch.stop_supervisor(store)


@pytest.mark.parametrize(
    ("variable", "value", "engine", "words"),
    [
        ("EXPLORER_RUN_SECONDS", "1", "random_engine", "longer than the 1 s allowed"),
        ("EXPLORER_RUN_MEMORY_MB", "150", "greedy_engine", "more than the 150 MB allowed"),
        ("EXPLORER_SILENCE_SECONDS", "1", "deaf_engine", "no sign of life"),
    ],
)
def test_a_run_beyond_a_limit_is_ended_with_the_reason(
    store: Store, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, engine: str, words: str
) -> None:
    monkeypatch.setenv(variable, value)
    state = wait_for_end(store, start(store, engine))
    assert state.status in ("failed", "lost") and words in str(state.reason)


def test_no_more_runs_at_once_than_allowed(
    store: Store, monkeypatch: pytest.MonkeyPatch, explorer_home: Path
) -> None:
    monkeypatch.setenv("EXPLORER_RUNS_AT_ONCE", "1")
    first, second = start(store), start(store)
    wait_for_trials(store, first, SPEC.epochs)
    assert store.summary(second).status == "queued"
    open_gate(explorer_home)
    states = [wait_for_end(store, run_id) for run_id in (first, second)]
    assert states[1].started is not None and states[0].ended is not None
    assert states[1].started >= states[0].ended


def test_in_the_cloud_a_run_gets_one_worker_and_says_so(
    store: Store, monkeypatch: pytest.MonkeyPatch, explorer_home: Path
) -> None:
    monkeypatch.setenv("EXPLORER_MODE", "cloud")
    open_gate(explorer_home)
    state = wait_for_end(store, start(store))
    assert state.status == "finished" and "allows 1 worker" in state.warnings[0]
    assert len({trial.metrics["pid"] for trial in state.trials.values()}) == 1


def test_a_full_queue_and_a_bad_spec_start_nothing(store: Store) -> None:
    limits = Limits(queue=1)
    store.create_run(SPEC, "anna")
    with pytest.raises(LimitReached):
        launch.start_run(store, SPEC, "anna", limits=limits)
    with pytest.raises(SpecError):
        launch.start_run(store, RunSpec(trials=0), "ben", limits=limits)
    assert len(store.summaries()) == 1
    assert not launch.supervisor_status(store).running


def test_an_idle_supervisor_ends_by_itself(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_IDLE_SECONDS", "0.5")
    launch.ensure_supervisor(store, fake())
    pid = supervisor_pid(store)
    wait_for(lambda: not launch.supervisor_status(store).running)
    wait_for(lambda: not psutil.pid_exists(pid))


def test_secrets_of_the_app_do_not_reach_workers(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPER_SECRET_TOKEN", "hunter2")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    run_id = start(store, "looking_engine")
    (measured,) = wait_for_end(store, run_id).measurements
    assert "EXPLORER_HOME" in measured["data"]["environment"]
    assert not any("SECRET" in name for name in measured["data"]["environment"])
    assert measured["data"]["environment"].count("OMP_NUM_THREADS") == 1


def test_the_preloaded_process_has_one_thread_and_no_cuda_before_it_forks(store: Store) -> None:
    arguments = (
        "--engines",
        "random=tests.jobs.fakes:looking_engine",
    )  # and the real list of what to preload
    run_id = launch.start_run(store, SPEC, supervisor_arguments=arguments)
    (measured,) = wait_for_end(store, run_id).measurements
    facts = measured["data"]
    assert (facts["parent_threads"], facts["cuda_initialised"], facts["bad_fork"]) == (1, False, False)
    log = launch.supervisor_status(store).log.read_text()
    assert "was left out" not in log, log


def test_finished_runs_with_nothing_missing_and_running_runs_cannot_be_resumed(
    store: Store, explorer_home: Path
) -> None:
    run_id = half_way(store)
    with pytest.raises(Conflict, match="is running"):
        launch.resume(store, run_id)
    open_gate(explorer_home)
    wait_for_end(store, run_id)
    with pytest.raises(Conflict, match="nothing is missing"):
        launch.resume(store, run_id)
    for wish in ({"trial_id": 77, "seeds": 2}, {"trial_id": 1, "seeds": 0}, {"seeds": 2}, {"trial_id": 1}):
        with pytest.raises(SpecError):
            launch.resume(store, run_id, retrain=wish)
    launch.resume(store, run_id, retrain={"trial_id": 1, "seeds": 2}, supervisor_arguments=fake())
    assert store.state(run_id).resumed == {"retrain": {"trial_id": 1, "seeds": 2}}
