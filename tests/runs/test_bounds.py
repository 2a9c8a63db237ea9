"""What a stranger's events may hold: sane numbers, and assessments that every reader of them can take."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.commands import running
from explorer.errors import SpecError
from explorer.lens.explain import explain
from explorer.lens.ledger import ledger
from explorer.lens.replay import replay as replayed
from explorer.runs import Event, RunSpec, Store
from explorer.runs.assessment_schema import MAX_HISTORY
from explorer.runs.bounds import MAX_DEPTH, MAX_LEAVES, MAX_WHOLE, MOST, bounded, excess, is_number
from explorer.runs.events import clean, data_problem
from explorer.runs.state import fold
from explorer.runs.summary import summarise
from tests.lens.simulated import asynchronous_run, look

HUGE = 10**400
STARTED: dict[str, Any] = {"trial_id": 0, "parameters": {}, "architecture": None, "seed": 1, "budget": 3}
FINAL: dict[str, Any] = {"trial_id": 0, "value": 0.5, "metrics": {}}
STEP: dict[str, Any] = {"trial_id": 0, "step": 1, "value": 0.5, "metrics": {}}
ODD = st.sampled_from(
    [None, True, -1, 0, 1, 1e100, -1e100, HUGE, "x", "", [], [None], {}, {"a": 1}, "\ud800"]
)


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


TOO_MUCH: list[tuple[str, dict[str, Any], str]] = [
    ("final_result", FINAL | {"value": HUGE}, "401 digits"),
    ("final_result", FINAL | {"value": -1e300}, "numbers go up to"),
    ("final_result", FINAL | {"metrics": {"test_accuracy": HUGE}}, "test_accuracy"),
    ("final_result", FINAL | {"metrics": {"parameters": [1, {"of": 1e200}]}}, "parameters.of"),
    ("final_result", FINAL | {"value": math.nan}, "not a finite number"),
    ("final_result", FINAL | {"trial_id": MAX_WHOLE + 1}, "trial_id"),
    ("intermediate_result", STEP | {"step": HUGE}, "digits"),
    ("intermediate_result", STEP | {"step": 10**7}, "step"),
    ("trial_started", STARTED | {"budget": 10**7}, "budget"),
    ("trial_started", STARTED | {"repeat_of": -1}, "repeat_of"),
    ("trial_started", STARTED | {"origin": []}, "origin"),
    ("trial_started", STARTED | {"seed": 2**64}, "seed"),
    ("trial_started", STARTED | {"parameters": {"x": HUGE}}, "digits"),
    ("trial_started", STARTED | {"parameters": {"x": deep(MAX_DEPTH)}}, "levels of nesting"),
    ("trial_started", STARTED | {"parameters": {"x": "\ud800"}}, "Unicode"),
    ("trial_started", STARTED | {"architecture": {str(n): 1 for n in range(MAX_LEAVES + 1)}}, "values"),
    ("measurement", {"name": "plan", "step": 0, "data": {"trials": HUGE, "workers": 1}}, "digits"),
    ("measurement", {"name": "plan", "step": 0, "data": {"trials": 10**7, "workers": 1}}, "plan"),
    ("measurement", {"name": "finish", "step": 0, "data": {"trials": [10**7]}}, "finish"),
    ("measurement", {"name": "by_hand", "step": 0, "data": {"trial_id": -1, "parameters": {}}}, "by_hand"),
    ("measurement", {"name": "by_hand", "step": 0, "data": {"trial_id": 1, "parameters": []}}, "by_hand"),
    ("measurement", {"name": "by_hand", "step": 0, "data": {"trial_id": 1}}, "by_hand"),
    ("run_resumed", {"retrain": {"trial_id": 0, "seeds": 10**7}}, "retrain"),
    ("run_resumed", {"finish": [10**7]}, "finish"),
    ("assessment", {"trial_id": 0, "step": 1, "decision": "perhaps"}, "known: good, bad, wait"),
    ("assessment", {"trial_id": 0, "step": 1, "decision": "bad", "assessor": []}, "assessor"),
]


@pytest.mark.parametrize(
    ("kind", "data", "said"), TOO_MUCH, ids=[f"{kind}-{said}" for kind, _, said in TOO_MUCH]
)
def test_what_no_page_could_show_is_refused_in_a_sentence(kind: str, data: dict[str, Any], said: str) -> None:
    told = data_problem(kind, data)
    assert told is not None and said in told and told.endswith(".") and len(told) < 400


def test_large_but_sane_numbers_pass() -> None:
    for kind, data in (
        ("final_result", FINAL | {"value": MOST, "metrics": {"macs": 10**15}}),
        (
            "trial_started",
            STARTED | {"trial_id": MAX_WHOLE, "parameters": {"x": 2**64, "y": [None, "t", {}]}},
        ),
    ):
        assert data_problem(kind, data) is None


@given(
    st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists, max_leaves=20)
)
def test_what_was_cleaned_is_never_too_much(value: Any) -> None:
    cleaned, _ = clean({"value": value, "more": {"value": [value]}})
    assert excess(cleaned) is None
    json.dumps(cleaned, allow_nan=False).encode()


def test_numbers_beyond_all_bounds_become_null_with_their_places() -> None:
    assert bounded({"a": [1, 1e101], "b": HUGE, "c": "é\ud800"}) == (
        {"a": [1, None], "b": None, "c": "é?"},
        ("a[1]", "b"),
    )
    assert not is_number(math.nan) and not is_number(True) and is_number(-MOST)


def test_unknown_assessors_are_taken_with_their_decision_only() -> None:
    data = {"trial_id": 0, "step": 1, "decision": "bad", "assessor": "Oracle", "models": 3, "history": 7}
    assert data_problem("assessment", data) is None
    assert explain(data) == "The assessor said bad and gave no numbers."


@pytest.mark.parametrize("assessor", ["Curvefitting", "Medianstop"])
def test_what_an_assessor_records_passes(assessor: str) -> None:
    told, _ = asynchronous_run(assessor, 5, start_step=2)
    assert [data_problem(event.kind, event.data) for event in told.events] == [None] * len(told.events)


WRONG: list[dict[str, Any]] = [
    {"acts": 1},
    {"history": {"a": 1}},
    {"history": [0.1] * (MAX_HISTORY + 1)},
    {"history": ["x"]},
    {"best_completed": "x"},
    {"completed": None},
    {"completed": 10**7},
    {"completed_all": "x"},
    {"target": None},
    {"target": 0},
    {"prediction": []},
    {"threshold": None},
    {"line": "x"},
    {"milliseconds": -1},
    {"history_from": 0},
    {"problem": 3},
    {"models": None},
    {"models": {"spline": {"dropped": "x"}}},
    {"models": {"linear": 1}},
    {"models": {"linear": {"dropped": 1}}},
    {"models": {"linear": {"parameters": [1.0], "weight": 1.0, "prediction": 1.0}}},
    {"models": {"linear": {"parameters": [1.0, "x"], "weight": 1.0, "prediction": 1.0}}},
    {"models": {"linear": {"parameters": [1.0, 2.0], "weight": None, "prediction": 1.0}}},
    {"models": {"linear": {"parameters": [1.0, 2.0], "weight": 1.0, "prediction": "x"}}},
]


@pytest.mark.parametrize("change", WRONG, ids=str)
def test_an_assessment_that_is_none_of_its_assessor_is_refused(change: dict[str, Any]) -> None:
    assert data_problem("assessment", look(0, 4)) is None
    told = data_problem("assessment", {**look(0, 4), **change})
    assert told is not None and next(iter(change)) in told


@pytest.mark.parametrize("key", ["acts", "history", "line", "models", "prediction", "completed"])
def test_an_assessment_without_what_the_lens_reads_is_refused(key: str) -> None:
    told = data_problem("assessment", {name: value for name, value in look(0, 4).items() if name != key})
    assert told is not None and key in told


@pytest.mark.parametrize("values", [["trials=" + "9" * 5000], ["workers=" + "9" * 10]])
def test_a_number_of_thousands_of_digits_is_told_in_a_sentence(values: list[str], tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'runs.sqlite3'}")
    run_id = store.create_run(RunSpec())
    with pytest.raises(SpecError, match="digits; at most 9 are read") as raised:
        running._set(store, run_id, values)
    with pytest.raises(SpecError, match="digits; at most 9 are read"):
        running._kill(store, run_id, [values[0].partition("=")[2]])
    assert len(str(raised.value)) < 100 and store.requests(run_id) == []
    running._set(store, run_id, ["trials=30"])
    assert store.requests(run_id)[0].data == {"name": "trials", "value": 30}
    store.close()


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*at, key))


@pytest.mark.parametrize("assessor", ["Curvefitting", "Medianstop"])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_passes_can_be_folded_listed_and_explained(assessor: str, data: st.DataObject) -> None:
    events = STORIES[assessor]
    numbers = [at for at, event in enumerate(events) if event.kind != "run_queued"]
    at = data.draw(st.sampled_from(numbers))
    form = copy.deepcopy(dict(events[at].data))
    spots = [spot for spot in places(form) if spot]
    if spots:
        *path, last = data.draw(st.sampled_from(spots))
        inner: Any = form
        for key in path:
            inner = inner[key]
        inner[last] = data.draw(ODD)
    if data_problem(events[at].kind, form) is not None:
        return
    changed = [*events[:at], Event("r", at + 1, events[at].time, events[at].kind, form), *events[at + 1 :]]
    try:
        state = fold(changed)
    except KeyError:
        return  # a trial that never began: the rules refuse it before anybody folds
    assert summarise(state).last_seq == len(events)
    assert ledger(state).sentences()
    assert replayed(state, assessor, {}).sentence() and replayed(state, "none", {}).sentence()
    assert all(explain(one) for one in state.assessments)


STORIES = {
    name: asynchronous_run(name, 3, start_step=4 if name == "Curvefitting" else 1)[0].events
    for name in ("Curvefitting", "Medianstop")
}
