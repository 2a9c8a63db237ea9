"""The executor around a real NNI experiment, with a manager that only notes what it is asked: quick, no NNI process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil
import pytest

from explorer.errors import EnvironmentProblem
from explorer.jobs.executors import Report
from explorer.tuning.nni_executor import DIED, ON_REQUEST, WITHOUT_RESULT, NniExecutor
from explorer.tuning.nni_files import (
    DISPATCHER,
    Tail,
    answer_path,
    make_folder,
    order_path,
    read_json,
    say,
    trial_path,
)

PAYLOAD = {"parameters": {"x": 1.5}, "architecture": {"conv1": "conv3x3"}, "epochs": 3}


class Manager:
    """Notes wishes; is its own `experiment`."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.trouble: str | None = None
        self.is_deaf = False
        self.experiment = self

    def wish(self, wish: dict[str, Any]) -> None:
        if self.is_deaf:
            raise ConnectionError
        self.asked.append(wish)

    def problem(self) -> str | None:
        return self.trouble

    def kill_trial_job(self, job: str) -> None:
        self.asked.append(f"kill {job}")

    def update_trial_concurrency(self, workers: int) -> None:
        self.asked.append(f"{workers} workers")

    def update_max_trial_number(self, trials: int) -> None:
        self.asked.append(f"{trials} trials")


class Rig:
    """An executor, and what its dispatcher and its trials would write."""

    def __init__(self, folder: Path, workers: int = 2, **limits: Any) -> None:
        make_folder(folder)
        self.folder, self.manager = folder, Manager()
        self.executor = NniExecutor(self.manager, folder, workers, trials=4, **limits)  # type: ignore[arg-type]

    def ready(self) -> None:
        self.dispatcher("ready", psutil.Process().pid)

    def dispatcher(self, *line: Any) -> None:
        say(self.folder / DISPATCHER, *line)

    def trial(self, number: int, *line: Any) -> None:
        say(trial_path(self.folder, number), *line)

    def started(self, number: int, judged: bool = False) -> None:
        self.executor.submit(number, "a:b", PAYLOAD, judged)
        self.trial(number, "start", {"job": f"job{number}", "pid": psutil.Process().pid})
        self.executor.poll()


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    made = Rig(tmp_path)
    made.ready()
    made.executor.poll()
    return made


def test_a_trial_waits_until_the_dispatcher_is_ready_and_is_then_sent_once(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.executor.submit(0, "a:b", PAYLOAD, judged=True)
    rig.executor.poll()
    assert rig.manager.asked == []
    rig.ready()
    for _ in range(3):
        rig.executor.poll()
    assert rig.manager.asked == [{"send": {"parameter_id": 0, "parameters": {"x": 1.5, "conv1": "conv3x3"}}}]
    assert read_json(order_path(tmp_path, 0)) == {"target": "a:b", "payload": PAYLOAD, "judged": True}


def test_it_takes_as_many_as_it_has_workers_and_tells_nni_of_a_change(rig: Rig) -> None:
    assert rig.executor.idle == 2
    rig.executor.submit(0, "a:b", PAYLOAD)
    assert rig.executor.idle == 1
    rig.executor.resize(5)
    assert (rig.executor.idle, rig.manager.asked[-1]) == (4, "5 workers")


def test_more_trials_than_nni_was_told_of_raise_its_limit_first(rig: Rig) -> None:
    for number in range(5):
        rig.executor.submit(number, "a:b", PAYLOAD)
    assert rig.manager.asked[-2] == "5 trials"


def test_results_are_told_as_they_come_and_the_end_when_nni_says_so(rig: Rig) -> None:
    rig.started(0)
    rig.trial(0, "intermediate", {"step": 1, "value": 0.5, "metrics": {}})
    assert rig.executor.poll() == [Report(0, "intermediate", {"step": 1, "value": 0.5, "metrics": {}})]
    rig.trial(0, "final", {"value": 0.6, "metrics": {"a": 1}})
    assert rig.executor.poll() == []
    assert rig.executor.idle == 1
    rig.dispatcher("ended", "job0", "SUCCEEDED", 0)
    assert rig.executor.poll() == [Report(0, "final", {"value": 0.6, "metrics": {"a": 1}})]
    assert rig.executor.idle == 2


@pytest.mark.parametrize(
    ("event", "kind", "reason"),
    [
        ("SUCCEEDED", "exited", WITHOUT_RESULT),
        ("FAILED", "failed", DIED),
        ("UNKNOWN", "failed", DIED),
        ("USER_CANCELED", "stopped", ON_REQUEST),
        ("SYS_CANCELED", "stopped", ON_REQUEST),
        ("EARLY_STOPPED", "stopped", ON_REQUEST),
    ],
)
def test_nnis_statuses_are_translated(rig: Rig, event: str, kind: str, reason: str) -> None:
    rig.started(0)
    rig.dispatcher("ended", "job0", event, 0)
    assert rig.executor.poll() == [Report(0, kind, {"reason": reason})]


def test_what_a_trial_said_of_its_failure_goes_before_nnis_status(rig: Rig) -> None:
    rig.started(0)
    rig.trial(0, "failed", {"reason": "Its loss is no number."})
    rig.dispatcher("ended", "job0", "FAILED", 0)
    assert rig.executor.poll() == [Report(0, "failed", {"reason": "Its loss is no number."})]


def test_a_trial_that_died_before_its_first_word_is_found_by_nnis_record(rig: Rig) -> None:
    rig.executor.submit(3, "a:b", PAYLOAD)
    rig.dispatcher("ended", "jobX", "FAILED", 3)
    assert rig.executor.poll() == [Report(3, "failed", {"reason": DIED})]


def test_nnis_record_of_another_trials_number_ends_nothing(rig: Rig) -> None:
    rig.started(0)
    rig.dispatcher("ended", "jobX", "FAILED", 0)  # jobX took parameters that were meant for somebody else
    rig.dispatcher("ended", "jobY", "FAILED", None)  # added on NNI's own page
    assert rig.executor.poll() == []
    assert rig.executor.idle == 1


def test_a_judged_trial_hears_each_verdict_once(rig: Rig) -> None:
    rig.started(0, judged=True)
    for step in (1, 2):
        rig.trial(0, "intermediate", {"step": step, "value": 0.5, "metrics": {}})
        rig.executor.poll()
        rig.executor.answer(0, step == 1)
        rig.executor.answer(0, False)  # nobody asked
    assert list(Tail(answer_path(rig.folder, 0)).fresh()) == [[True], [False]]


def test_a_trial_that_was_judged_bad_keeps_its_checkpoint_and_is_then_ended_by_nni(rig: Rig) -> None:
    rig.started(0, judged=True)
    rig.trial(0, "stopped", {"reason": "Stopped early."})
    assert rig.executor.poll() == []
    assert rig.manager.asked[-1] == {"kill": "job0"}
    rig.dispatcher("ended", "job0", "USER_CANCELED", 0)
    assert rig.executor.poll() == [Report(0, "stopped", {"reason": "Stopped early."})]


def test_a_kill_waits_until_nni_has_a_job_for_the_trial(rig: Rig) -> None:
    rig.executor.submit(0, "a:b", PAYLOAD)
    rig.executor.stop(0)
    rig.executor.stop(7)  # no such trial
    assert not any("kill" in str(asked) for asked in rig.manager.asked)
    rig.trial(0, "start", {"job": "job0", "pid": psutil.Process().pid})
    rig.executor.poll()
    rig.executor.poll()
    assert rig.manager.asked.count("kill job0") == 1


def test_a_silent_trial_is_ended_and_fails_with_the_reason(tmp_path: Path) -> None:
    rig = Rig(tmp_path, silence_seconds=0.0)
    rig.ready()
    rig.executor.poll()
    rig.executor._next_inspection = 0.0
    rig.started(0)
    rig.executor.poll()
    assert rig.manager.asked[-1] == "kill job0"
    rig.dispatcher("ended", "job0", "USER_CANCELED", 0)
    (report,) = rig.executor.poll()
    assert report.kind == "failed"
    assert "said nothing" in report.data["reason"]


def test_a_dispatcher_that_fails_or_is_gone_ends_the_run_with_the_reason(rig: Rig) -> None:
    rig.dispatcher("error", "KeyError: 'x'")
    with pytest.raises(EnvironmentProblem, match="dispatcher failed: KeyError"):
        rig.executor.poll()
    rig.dispatcher("ready", 2**22 + 1)  # a number that no process has
    with pytest.raises(EnvironmentProblem, match="without a word"):
        rig.executor.poll(1.0)


def test_a_manager_in_trouble_or_deaf_ends_the_run_with_the_reason(rig: Rig) -> None:
    rig.manager.trouble = "NNI reported an error: no space left."
    with pytest.raises(EnvironmentProblem, match="no space left"):
        rig.executor.poll(1.0)
    rig.manager.is_deaf = True
    with pytest.raises(EnvironmentProblem, match="does not answer"):
        rig.executor.submit(0, "a:b", PAYLOAD)
