"""LocalExecutor: one ending a trial, whatever happens to the process; the dead are replaced."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from explorer.jobs.executors import LocalExecutor, Report
from explorer.jobs.processes import ROOT
from tests.jobs.fakes import TARGET

ENDINGS = ("final", "failed", "stopped", "exited")


@pytest.fixture
def executor() -> Iterator[LocalExecutor]:
    made = LocalExecutor(2)
    yield made
    made.close()


def until_ended(executor: LocalExecutor, count: int) -> list[Report]:
    """Reports up to the `count`-th ending; pytest's time limit ends a wait in vain."""
    heard: list[Report] = []
    while sum(report.kind in ENDINGS for report in heard) < count:
        heard += executor.poll(1.0)
    return heard


def ending(executor: LocalExecutor, target: str, payload: dict[str, Any] | None = None) -> Report:
    executor.submit(1, TARGET + target, payload or {})
    return until_ended(executor, 1)[-1]


def test_a_trial_reports_its_steps_in_order_and_ends_with_its_final_result(executor: LocalExecutor) -> None:
    executor.submit(3, TARGET + "steps", {"value": 0.8})
    heard = until_ended(executor, 1)
    assert [(report.trial_id, report.kind) for report in heard] == [(3, "intermediate")] * 2 + [(3, "final")]
    assert [report.data.get("step") for report in heard] == [0, 1, None]
    assert heard[1].data["metrics"] == {"loss": 0.5}
    assert heard[-1].data["value"] == 0.8


def test_trials_run_in_other_processes_that_are_used_again(executor: LocalExecutor) -> None:
    for trial_id in range(6):
        executor.submit(trial_id, TARGET + "steps", {"value": 1.0})
    heard = until_ended(executor, 6)
    pids = {report.data["metrics"]["pid"] for report in heard if report.kind == "final"}
    assert len(pids) <= 2 and os.getpid() not in pids
    assert sorted(report.trial_id for report in heard if report.kind == "final") == list(range(6))


@pytest.mark.parametrize(
    ("number", "words"), [(signal.SIGKILL, "killed by SIGKILL"), (signal.SIGSEGV, "crashed with SIGSEGV")]
)
def test_a_child_killed_by_a_signal_fails_its_trial_with_the_signals_name(
    executor: LocalExecutor, number: int, words: str
) -> None:
    said = ending(executor, "dies", {"signal": int(number)})
    assert said.kind == "failed" and words in said.data["reason"]


def test_a_dead_child_is_replaced_and_no_other_trial_suffers(executor: LocalExecutor) -> None:
    executor.submit(0, TARGET + "dies", {"signal": int(signal.SIGKILL)})
    for trial_id in range(1, 5):
        executor.submit(trial_id, TARGET + "steps", {"value": 1.0})
    endings = {r.trial_id: r.kind for r in until_ended(executor, 5) if r.kind in ENDINGS}
    assert endings == {0: "failed", 1: "final", 2: "final", 3: "final", 4: "final"}


def test_a_child_that_dies_while_idle_costs_no_trial(executor: LocalExecutor) -> None:
    pid = ending(executor, "steps", {"value": 1.0}).data["metrics"]["pid"]
    psutil.Process(pid).kill()
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        pass
    assert ending(executor, "steps", {"value": 0.5}).data["value"] == 0.5


def test_an_exit_without_a_word_is_a_failure_with_its_code(executor: LocalExecutor) -> None:
    assert "exit code 7" in ending(executor, "leaves").data["reason"]


def test_an_exception_becomes_one_sentence_and_a_traceback(executor: LocalExecutor) -> None:
    said = ending(executor, "raises")
    assert said.kind == "failed"
    assert said.data["reason"] == "ZeroDivisionError: the batch was empty"
    assert "fakes.py" in said.data["traceback"]


def test_our_own_errors_keep_their_sentence(executor: LocalExecutor) -> None:
    assert ending(executor, "lacks_data").data["reason"] == "The dataset 'mnist' is not on this machine."


def test_numbers_that_are_not_finite_arrive_as_they_are(executor: LocalExecutor) -> None:
    executor.submit(1, TARGET + "yields_nan", {})
    first, last = until_ended(executor, 1)
    assert str(first.data["value"]) == "nan" and first.data["metrics"] == {"loss": float("inf")}
    assert str(last.data["value"]) == "nan"


def test_a_trial_without_a_final_result_is_exited(executor: LocalExecutor) -> None:
    assert ending(executor, "forgets").kind == "exited"


@pytest.mark.parametrize("item", [None, 0.5, {"step": 1}, {"value": 1.0}, {"final": True, "value": b"x"}])
def test_what_is_no_report_fails_the_trial(executor: LocalExecutor, item: Any) -> None:
    assert ending(executor, "babbles", {"item": item}).kind == "failed"


@pytest.mark.parametrize("target", ["nowhere:run", "tests.jobs.fakes:nothing"])
def test_a_target_that_is_not_there_fails_the_trial(executor: LocalExecutor, target: str) -> None:
    executor.submit(1, target, {})
    assert until_ended(executor, 1)[-1].kind == "failed"


def test_stop_ends_even_a_child_that_ignores_sigterm(executor: LocalExecutor) -> None:
    executor.submit(1, TARGET + "stubborn", {})
    (first,) = executor.poll(30.0)
    executor.stop(1)
    assert [report.kind for report in executor.poll()] == ["stopped"]
    assert not psutil.pid_exists(int(first.data["value"]))
    assert executor.idle == 2


def test_stop_takes_a_waiting_trial_out_of_the_queue(executor: LocalExecutor) -> None:
    for trial_id in range(3):
        executor.submit(trial_id, TARGET + "stubborn", {})
    executor.stop(2)
    endings = [report for report in executor.poll() if report.kind in ENDINGS]
    assert endings == [Report(2, "stopped", {"reason": "Stopped on request."})]


def test_stop_of_a_trial_that_has_ended_changes_nothing(executor: LocalExecutor) -> None:
    ending(executor, "steps", {"value": 1.0})
    executor.stop(1)
    assert executor.poll() == []


def test_idle_counts_what_would_start_at_once(executor: LocalExecutor) -> None:
    assert executor.idle == 2
    executor.submit(1, TARGET + "stubborn", {})
    assert executor.idle == 1


def test_close_leaves_no_process_behind() -> None:
    executor = LocalExecutor(1)
    executor.submit(1, TARGET + "stubborn", {})
    (first,) = executor.poll(30.0)
    executor.close()
    assert not psutil.pid_exists(int(first.data["value"]))


_DIE_WITH_A_TRIAL = f"""
import os, signal
from explorer.jobs.executors import LocalExecutor
executor = LocalExecutor(1)
executor.submit(1, {TARGET + "stubborn"!r}, {{}})
print(int(executor.poll(30.0)[0].data["value"]), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_trials_do_not_outlive_the_process_that_wants_them() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _DIE_WITH_A_TRIAL], cwd=ROOT, capture_output=True, text=True, check=False
    )
    child = int(done.stdout)
    assert done.returncode == -signal.SIGKILL
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        pass  # the kernel is about to deliver the parent's death; the time limit fails this test if it never does


_ONE_THREAD = f"""
import json, torch
from explorer.jobs.executors import LocalExecutor
executor = LocalExecutor(1)
executor.submit(1, {TARGET + "threads"!r}, {{}})
print(json.dumps(executor.poll(60.0)[0].data))
"""


@pytest.mark.slow
def test_a_trial_uses_one_torch_thread_and_may_report_tensors() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _ONE_THREAD],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == {"value": 1, "metrics": {"sum": 4096.0}}


# -- trials that are judged -------------------------------------------------------------------------------------------


def test_a_judged_trial_waits_for_its_verdict_after_every_result(
    executor: LocalExecutor, tmp_path: Path
) -> None:
    executor.submit(1, TARGET + "judged", {"steps": 3, "left": str(tmp_path / "left")}, judged=True)
    heard: list[Report] = []
    for step in (1, 2, 3):
        while not heard or heard[-1].data.get("step") != step:
            heard += executor.poll(1.0)
        assert executor.poll(0.2) == [], "it goes on without being told"
        executor.answer(1, True)
    assert until_ended(executor, 1)[-1].kind == "final"


def test_a_judged_trial_that_is_told_to_stop_cleans_up_and_is_stopped(
    executor: LocalExecutor, tmp_path: Path
) -> None:
    left = tmp_path / "left"
    executor.submit(1, TARGET + "judged", {"steps": 3, "left": str(left)}, judged=True)
    while not executor.poll(1.0):
        pass
    executor.answer(1, False)
    assert [report.kind for report in until_ended(executor, 1)] == ["stopped"]
    assert left.read_text() == "1"
    assert ending(executor, "steps", {"value": 1.0}).kind == "final", "its process takes the next trial"


def test_an_answer_that_nobody_asked_for_is_no_harm(executor: LocalExecutor) -> None:
    executor.answer(5, True)
    executor.submit(1, TARGET + "steps", {"value": 1.0})
    executor.answer(1, False)
    assert until_ended(executor, 1)[-1].kind == "final"


# -- limits of a trial ------------------------------------------------------------------------------------------------


def test_a_trial_that_says_nothing_for_too_long_fails_and_the_next_one_runs() -> None:
    executor = LocalExecutor(1, silence_seconds=0.5)
    executor.submit(1, TARGET + "stubborn", {})
    assert "said nothing for the 0.5 s" in until_ended(executor, 1)[-1].data["reason"]
    assert ending(executor, "steps", {"value": 1.0}).kind == "final"
    executor.close()


def test_a_trial_that_takes_too_much_memory_fails_and_says_how_much() -> None:
    executor = LocalExecutor(1, memory_mb=300.0)
    executor.submit(1, TARGET + "hoards", {})
    last = until_ended(executor, 1)[-1]
    assert last.kind == "failed" and "more than the 300 MB allowed here" in last.data["reason"]
    executor.close()


def test_more_workers_take_more_trials_at_once_and_fewer_let_the_running_ones_end(tmp_path: Path) -> None:
    executor = LocalExecutor(1)
    for trial_id in range(3):
        executor.submit(trial_id, TARGET + "judged", {"steps": 1, "left": str(tmp_path / "x")}, judged=True)
    executor.resize(3)
    asking: set[int] = set()
    while len(asking) < 3:
        asking |= {report.trial_id for report in executor.poll(1.0)}
    executor.resize(1)
    for trial_id in asking:
        executor.answer(trial_id, True)
    assert all(report.kind == "final" for report in until_ended(executor, 3))
    executor.close()
