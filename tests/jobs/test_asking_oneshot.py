"""What a one-shot run refuses because nobody would answer: nothing is written then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from explorer.errors import Conflict
from explorer.jobs import launch
from explorer.runs import Store, places
from tests.jobs.test_asking import DERIVED, END, GO, KEPT, PAUSED, told

RETRAIN = ("run_resumed", {"retrain": {"trial_id": 0, "seeds": 1, "rivals": 0, "epochs": 1}})
MEASURE = ("run_resumed", {"measure": ["rank_probe"]})
FAILED = ("run_failed", {"reason": "The loss was no finite number any more at step 9."})
BOTH = ("run_resumed", {**RETRAIN[1], **MEASURE[1]})

ASK: dict[str, Callable[[Store, str], None]] = {
    "step": launch.step,
    "stop": launch.stop_search,
    "measure": lambda store, run_id: launch.measure(store, run_id, "rank_probe"),
}


def refuses(store: Store, run_id: str, what: str, words: str) -> None:
    """A Conflict in one sentence that leaves no event and no request."""
    before = len(store.events(run_id))
    with pytest.raises(Conflict, match=words) as caught:
        ASK[what](store, run_id)
    assert str(caught.value).count(". ") == 0
    assert len(store.events(run_id)) == before and not store.requests(run_id, 0)


def with_checkpoint(run_id: str) -> None:
    folder = places.home() / "checkpoints" / run_id
    folder.mkdir(parents=True)
    (folder / "step-000008.pt").touch()


@pytest.mark.parametrize("what", ASK)
@pytest.mark.parametrize("words", [(RETRAIN,), (RETRAIN, GO), (RETRAIN, GO, PAUSED), (BOTH, GO, PAUSED)])
def test_while_it_retrains_a_run_hears_of_no_search(store: Store, what: str, words: tuple[Any, ...]) -> None:
    run_id = told(store, GO, KEPT, DERIVED)
    store.append(run_id, *END, owner="me")
    store.append(run_id, *words[0], lease_to="me")
    for kind, data in words[1:]:
        store.append(run_id, kind, data, owner="me")
    with_checkpoint(run_id)
    refuses(store, run_id, what, f"has ended, so there is nothing to {what}")


@pytest.mark.parametrize("words", [(GO,), (GO, PAUSED)])
def test_a_search_that_goes_on_is_asked(store: Store, words: tuple[Any, ...]) -> None:
    run_id = told(store, *words)
    ASK["stop"](store, run_id)
    ASK["measure"](store, run_id)
    assert [one.kind for one in store.requests(run_id, 0)] == ["stop", "measure"]


def test_an_attempt_that_measures_takes_further_measures_and_no_steps(store: Store) -> None:
    run_id = told(store, GO, KEPT, DERIVED, END)
    store.append(run_id, *MEASURE, lease_to="me")
    ASK["measure"](store, run_id)
    store.append(run_id, *GO, owner="me")
    ASK["measure"](store, run_id)
    assert len(store.requests(run_id, 0)) == 2
    with pytest.raises(Conflict, match="nothing to step"):
        launch.step(store, run_id)


def test_a_run_whose_checkpoints_are_elsewhere_stays_finished(store: Store) -> None:
    run_id = told(store, GO, KEPT, DERIVED, END)
    refuses(store, run_id, "measure", "is on this machine, so there is nothing to measure")
    assert store.summary(run_id).status == "finished"


def test_a_failed_run_keeps_its_reason(store: Store) -> None:
    run_id = told(store, GO, KEPT, FAILED)
    with_checkpoint(run_id)
    refuses(store, run_id, "measure", "failed before it derived anything")
    assert store.state(run_id).reason == FAILED[1]["reason"]


@pytest.mark.parametrize("words", [(GO, KEPT, DERIVED, END), (GO, KEPT, DERIVED, FAILED)])
def test_with_checkpoints_and_an_architecture_an_ended_run_is_measured(
    store: Store, words: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = told(store, *words)
    with_checkpoint(run_id)
    monkeypatch.setattr(launch, "ensure_supervisor", lambda *_: None)
    ASK["measure"](store, run_id)
    assert store.state(run_id).resumed["measure"] == ["rank_probe"]
