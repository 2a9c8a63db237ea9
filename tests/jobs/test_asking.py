"""What may be asked of a one-shot run, held against the store alone: no process is started."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from explorer.errors import Conflict, ExplorerError, SpecError
from explorer.jobs import launch
from explorer.jobs.asking import (
    MEASURES,
    branch_spec,
    checkpoints_of,
    derived_of,
    missing_of_search,
    retrainings_planned,
)
from explorer.runs import RunSpec, Store
from explorer.runs.state import RunState
from explorer.space import preset
from tests.runs.stories import trial

SEARCH = RunSpec(kind="oneshot", space="cell", dataset="synthetic", epochs=2)
ARCHITECTURE = {f"edge_{a}_{b}": "none" for b in range(1, 4) for a in range(b)}
GO = ("run_started", {})
PAUSED = ("run_paused", {})
END = ("run_finished", {})
KEPT = ("measurement", {"name": "checkpoint", "step": 8, "data": {"step": 8}})
DERIVED = ("measurement", {"name": "derived", "step": 8, "data": {"architecture": ARCHITECTURE}})


def told(store: Store, *words: tuple[str, dict[str, Any]], spec: RunSpec = SEARCH) -> str:
    run_id = store.create_run(spec, owner="me")  # somebody looks after it, so it is not lost
    for kind, data in words:
        store.append(run_id, kind, data, owner="me")
    return run_id


def test_a_paused_search_takes_steps(store: Store) -> None:
    run_id = told(store, GO, PAUSED)
    launch.step(store, run_id, "weights", 3)
    assert [(one.kind, one.data) for one in store.requests(run_id, None)] == [
        ("step", {"phase": "weights", "count": 3})
    ]


def test_a_running_search_is_paused_before_it_steps(store: Store) -> None:
    with pytest.raises(Conflict, match="pause it first"):
        launch.step(store, told(store, GO))


def test_a_measure_of_a_running_search_is_a_request_and_of_an_ended_one_an_attempt(store: Store) -> None:
    running, ended = told(store, GO), told(store, GO, KEPT, DERIVED, END)
    for name in MEASURES:
        launch.measure(store, running, name)
    assert [one.data["name"] for one in store.requests(running, None)] == list(MEASURES)
    launch.resume(store, ended, measure=("rank_probe",), owner="me")
    assert store.state(ended).resumed["measure"] == ["rank_probe"]


def test_a_search_that_ended_has_nothing_missing_until_a_retraining_is_asked_for(store: Store) -> None:
    run_id = told(store, GO, KEPT, DERIVED, END)
    with pytest.raises(Conflict, match="nothing is missing"):
        launch.resume(store, run_id, owner="me")
    wish = {"trial_id": 0, "seeds": 2, "rivals": 1, "epochs": 3}
    launch.resume(store, run_id, retrain=wish, owner="me")
    for word in (GO, *trial(0, 0.5), END):
        store.append(run_id, *word)
    launch.resume(store, run_id, owner="me")  # three of four trainings are missing
    assert store.state(run_id).retrains == (wish,)


SMALL = replace(SEARCH, space={**preset("cell").to_json(), "operations": ["none", "skip_connect"]})
WISHES = [{"trial_id": 0, "seeds": 1, "rivals": 100}, {"trial_id": 0, "seeds": 2, "rivals": 5}]
PLANNED = 64 + 2 * (1 + 5)  # six edges with two operations each: 64 architectures in all


def check_plan(planned: Callable[[RunState], int], state: RunState) -> None:
    assert planned(state) == PLANNED


def test_no_more_rivals_are_planned_than_the_space_has(store: Store) -> None:
    run_id = told(store, GO, KEPT, DERIVED, END, spec=SMALL)
    for wish in WISHES:
        for word in (("run_resumed", {"retrain": wish}), GO, END):
            store.append(run_id, *word)
    state = store.state(run_id)
    check_plan(retrainings_planned, state)
    assert missing_of_search(state) == PLANNED
    with pytest.raises(AssertionError):  # a count of what was asked for
        check_plan(lambda one: sum(w["seeds"] * (1 + w["rivals"]) for w in one.retrains), state)
    with pytest.raises(AssertionError):  # a cap that forgets that the derived one is no rival
        check_plan(lambda one: sum(w["seeds"] * (1 + min(w["rivals"], 64)) for w in one.retrains), state)


def test_an_unreadable_space_counts_what_was_asked_for(store: Store) -> None:
    state = store.state(told(store, GO, KEPT, DERIVED, END))
    gone = replace(state, spec=replace(state.spec, space="gone/away.json"), retrains=tuple(WISHES))
    assert retrainings_planned(gone) == 101 + 12
    assert retrainings_planned(state) == 0


def test_a_branch_begins_at_a_checkpoint_with_other_settings(store: Store) -> None:
    state = store.state(told(store, GO, KEPT))
    branch = branch_spec(state, 8, {"alpha_learning_rate": 0.01, "epochs": 5})
    assert (branch.parent, branch.from_step, branch.epochs) == (state.run_id, 8, 5)
    assert branch.settings["method"] == {"alpha_learning_rate": 0.01}
    assert checkpoints_of(state) == (8,) and derived_of(state) is None


HPO = RunSpec(kind="hpo", objective="branin")
REFUSED: list[tuple[Callable[[Store, str], object], tuple[Any, ...], RunSpec, str]] = [
    (lambda store, run: launch.step(store, run, "alphas"), (GO, PAUSED), SEARCH, "pick both or weights"),
    (lambda store, run: launch.step(store, run, "both", 0), (GO, PAUSED), SEARCH, "count is 0"),
    (lambda store, run: launch.step(store, run), (GO, PAUSED), HPO, "has no supernet"),
    (lambda store, run: launch.measure(store, run, "hessian"), (GO,), SEARCH, "No measure is called"),
    (lambda store, run: launch.measure(store, run, "rank_probe"), (GO,), HPO, "has no supernet"),
    (lambda store, run: launch.stop_search(store, run), (GO,), HPO, "is no one-shot search"),
    (
        lambda store, run: launch.branch(store, run, 9, {}),
        (GO, KEPT),
        SEARCH,
        "no checkpoint of step 9; there are 8",
    ),
    (
        lambda store, run: launch.branch(store, run, 8, {"aplha_learning_rate": 1}),
        (GO, KEPT),
        SEARCH,
        "No parameter of darts is called",
    ),
    (
        lambda store, run: launch.resume(store, run, retrain={"trial_id": 0, "seeds": 1}, owner="me"),
        (GO, KEPT, END),
        SEARCH,
        "has derived nothing yet",
    ),
    (
        lambda store, run: launch.resume(
            store, run, retrain={"trial_id": 0, "seeds": 1, "rivals": -1}, owner="me"
        ),
        (GO, DERIVED, END),
        SEARCH,
        "rivals is -1",
    ),
]


@pytest.mark.parametrize(("ask", "words", "spec", "says"), REFUSED)
def test_what_cannot_be_asked_is_one_sentence(
    store: Store, ask: Callable[[Store, str], object], words: tuple[Any, ...], spec: RunSpec, says: str
) -> None:
    run_id = told(store, *words, spec=spec)
    with pytest.raises(ExplorerError, match=says) as caught:
        ask(store, run_id)
    assert isinstance(caught.value, SpecError | Conflict)


def test_an_nni_search_has_no_measures(store: Store) -> None:
    run_id = told(store, GO, spec=RunSpec(kind="oneshot", space="cell", method={"engine": "nni"}))
    with pytest.raises(SpecError, match="a search of this app's own"):
        launch.measure(store, run_id, "rank_probe")
