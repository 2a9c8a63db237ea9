"""What pages and the command line ask for, held against the store alone: no process is started."""

from __future__ import annotations

import pytest

from explorer.errors import Conflict
from explorer.jobs import launch
from explorer.runs import RunSpec, Store
from tests.jobs.conftest import SPEC
from tests.runs.stories import trial

GO = ("run_started", {})
END = ("run_finished", {})
CANCELLED = ("run_cancelled", {"reason": "asked"})


def told(store: Store, *words: tuple[str, dict[str, object]], spec: RunSpec = SPEC) -> str:
    run_id = store.create_run(spec)
    for kind, data in words:
        store.append(run_id, kind, data)
    return run_id


def trials(count: int) -> list[tuple[str, dict[str, object]]]:
    return [word for number in range(count) for word in trial(number, 0.5)]


def test_a_run_that_finished_a_retraining_but_not_its_trials_can_be_resumed(store: Store) -> None:
    wish = ("run_resumed", {"retrain": {"trial_id": 0, "seeds": 1}})
    repeat = trial(SPEC.trials, 0.6, repeat_of=0)
    run_id = told(store, GO, *trials(3), CANCELLED, wish, GO, *repeat, END)
    launch.resume(store, run_id, owner="me")
    assert store.summary(run_id).status == "queued"


def test_a_run_that_finished_without_its_retraining_can_be_resumed(store: Store) -> None:
    wish = ("run_resumed", {"retrain": {"trial_id": 0, "seeds": 1}})
    run_id = told(store, GO, *trials(SPEC.trials), END, wish, GO, END)
    launch.resume(store, run_id, owner="me")
    assert store.summary(run_id).status == "queued"


def test_nothing_is_missing_where_the_whole_space_was_trained(store: Store) -> None:
    spec = RunSpec(space="notes-net", trials=20, epochs=1)  # it holds 8
    run_id = told(store, GO, *trials(8), END, spec=spec)
    with pytest.raises(Conflict, match="nothing is missing"):
        launch.resume(store, run_id, owner="me")
