"""The same run in a real NNI experiment: the same trials, told live, and nothing left of it, however it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from explorer.errors import SpecError
from explorer.jobs import groups
from explorer.jobs.control import Cancelled, Control
from explorer.runs.spec import RunSpec
from explorer.runs.store import Request
from explorer.tuning.ear import Ear
from explorer.tuning.experiment import MEASUREMENT, refuse_what_nni_reads_otherwise
from explorer.tuning.nni_launch import ROOT, direct
from tests.tuning.nni_rig import LONG, RUN, Story, locally, of_kind, play, survivors

PATIENCE_SECONDS = 120.0
BRANIN = RunSpec(
    kind="hpo",
    objective="branin",
    method={"tuner": "Random", "assessor": "none"},
    trials=4,
    epochs=1,
    workers=2,
    executor="nni",
    seed=3,
)
JUDGED = replace(
    BRANIN,
    objective="curves",
    method={"tuner": "Random", "assessor": "Curvefitting"},
    settings={"assessor": {"start_step": 4, "threshold": 0.99}},
    epochs=8,
    workers=1,
)
TIMES = ("milliseconds", "seconds")


@pytest.fixture(autouse=True)
def nothing_in_the_persons_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that NNI must not touch."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_experiment_runs_the_trials_that_our_own_executor_runs(nothing_in_the_persons_home: Path) -> None:
    seen: dict[str, Any] = {}

    def look_at_the_page(story: Story) -> Control:
        links = [data for data in of_kind(story, "measurement") if data["name"] == MEASUREMENT]
        if links and of_kind(story, "final_result") and not seen:
            link = links[0]["data"]
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(link["url"]) as page:
                seen.update(link, status=page.status, text=page.read().decode())
            manager = psutil.Process(link["pid"])
            seen["listens_to"] = {at.laddr.ip for at in manager.net_connections() if at.status == "LISTEN"}
            seen["leads"] = os.getpgid(link["pid"]) == link["pid"]
        return Control()

    story = play(BRANIN, look_at_the_page)
    assert _trials(story) == _trials(play(locally(BRANIN)))
    assert {data["status"] for data in of_kind(story, "trial_ended")} == {"succeeded"}
    assert (seen["status"], seen["listens_to"], seen["leads"]) == (200, {"127.0.0.1"}, True)
    assert survivors() == []
    assert not (groups.folder(RUN) / groups.NOTE).exists()
    known = json.loads((groups.folder(RUN) / "nni-experiments" / ".experiment").read_text())
    assert [entry["status"] for entry in known.values()] == ["STOPPED"]
    assert not (nothing_in_the_persons_home / "nni-experiments").exists()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_with_one_worker_both_executors_tell_the_same_story_verdicts_included() -> None:
    story = play(JUDGED)
    assert _without_times(story) == _without_times(play(locally(JUDGED)))
    statuses = [data["status"] for data in of_kind(story, "trial_ended")]
    assert {"succeeded", "early_stopped"} == set(statuses)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_killed_trial_is_cancelled_and_a_cancelled_run_leaves_nothing() -> None:
    def kill_one_then_all(story: Story) -> Control:
        heard = {data["trial_id"] for data in of_kind(story, "intermediate_result")}
        ended = of_kind(story, "trial_ended")
        requests = (Request(RUN, 1, 0.0, "kill_trial", {"trial_id": 0}),) if 0 in heard and not ended else ()
        return Control(cancel=bool(ended) and 1 in heard, requests=requests)

    story: Story = []
    with pytest.raises(Cancelled):
        play(LONG, kill_one_then_all, story)
    ended = [(data["trial_id"], data["status"]) for data in of_kind(story, "trial_ended")]
    assert ended[0] == (0, "cancelled")
    assert 2 in {data["trial_id"] for data in of_kind(story, "trial_started")}  # its place was taken
    assert survivors() == []


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_nothing_outlives_a_worker_that_was_killed(tmp_path: Path) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-m", "tests.tuning.nni_rig"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(lambda: any("nni_trial" in line for line in survivors()) or worker.poll() is not None)
        assert worker.poll() is None
        assert any("main.js" in line for line in survivors())
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    groups.end(RUN)
    assert survivors() == []


def test_requests_that_come_while_nni_starts_are_kept_for_the_search() -> None:
    asked = [Request(RUN, 1, 0.0, "set", {"name": "trials", "value": 9})]
    wishes = iter([Control(requests=(asked[0],)), Control(), Control(pause=True), Control(cancel=True)])
    ear = Ear(lambda: next(wishes))
    ear.listen()
    ear.listen()
    heard = ear.hear()
    assert (heard.requests, heard.pause) == ((asked[0],), True)
    with pytest.raises(Cancelled):
        ear.listen()


@pytest.mark.parametrize(
    ("space", "sentence"),
    [
        ({"x": {"_type": "choice", "_value": ["a", "b//c"]}}, "'b//c'"),
        ({"#1": {"_type": "uniform", "_value": [0, 1]}}, "'#1'"),
        ({"x": {"_type": "choice", "_value": [{"_name": "__nni_type__"}]}}, "'__nni_type__'"),
    ],
)
def test_what_nni_would_read_otherwise_is_refused_before_it_starts(
    space: Mapping[str, Any], sentence: str
) -> None:
    with pytest.raises(SpecError, match=sentence):
        refuse_what_nni_reads_otherwise(space)
    refuse_what_nni_reads_otherwise({"x": {"_type": "choice", "_value": ["a", 1, {"_name": "b"}]}})


def test_nnis_processes_are_talked_to_directly_whatever_the_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "intranet")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with direct():
        assert os.environ["no_proxy"] == "intranet,localhost,127.0.0.1"
    assert os.environ["no_proxy"] == "intranet"
    assert "NO_PROXY" not in os.environ


def _trials(story: Story) -> list[tuple[Any, ...]]:
    """(number, parameters, seed, value) of each trial, by number."""
    values = {data["trial_id"]: data["value"] for data in of_kind(story, "final_result")}
    begun = of_kind(story, "trial_started")
    rows = [
        (data["trial_id"], data["parameters"], data["seed"], values.get(data["trial_id"])) for data in begun
    ]
    return sorted(rows, key=lambda row: row[0])


def _without_times(story: Story) -> list[Any]:
    told = [(kind, data) for kind, data in story if data.get("name") != MEASUREMENT]
    return [(kind, {name: value for name, value in data.items() if name not in TIMES}) for kind, data in told]


def _wait_for(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not what():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.1)
