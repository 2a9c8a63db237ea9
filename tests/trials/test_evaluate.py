"""One trial: what it reports, and that its result depends on its payload alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from explorer.errors import ExplorerError, SpaceError, SpecError, UnknownName
from explorer.nets.training import Score
from explorer.space import preset
from explorer.trials.evaluate import TARGET, bound_space, evaluate, payload

CELL = preset("cell").from_code("341233")


def job(**changes: Any) -> dict[str, Any]:
    form: dict[str, Any] = {"dataset": "synthetic", "training": {}, "epochs": 2, "seed": 11} | changes
    return payload(form.pop("space", "cell"), form.pop("architecture", CELL), **form)


def told(**changes: Any) -> list[dict[str, Any]]:
    """What a trial says, seconds aside."""
    reports = list(evaluate(job(**changes)))
    for report in reports:
        report["metrics"] = {
            name: value for name, value in report["metrics"].items() if "seconds" not in name
        }
    return reports


def test_a_trial_reports_every_epoch_and_then_once_the_end() -> None:
    *epochs, last = evaluate(job())
    assert [report["step"] for report in epochs] == [1, 2]
    assert last["final"]
    assert last["value"] == epochs[-1]["value"]
    assert {"test_accuracy", "validation_loss", "parameters", "macs", "train_seconds"} <= set(last["metrics"])
    network = bound_space("cell", "synthetic").lower(CELL)
    assert (last["metrics"]["parameters"], last["metrics"]["macs"]) == (network.parameters, network.macs)


def test_the_test_accuracy_is_told_at_the_end_only() -> None:
    *epochs, last = evaluate(job())
    assert not any("test" in name for report in epochs for name in report["metrics"])
    assert 0.0 <= last["metrics"]["test_accuracy"] <= 1.0


def test_the_value_is_the_validation_accuracy_whatever_the_test_says(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = told()
    monkeypatch.setattr("explorer.trials.fitting.score", lambda *_: Score(0.0, 99.0))
    assert [report["value"] for report in told()] == [report["value"] for report in honest]


def test_payload_and_reports_are_plain_json() -> None:
    assert json.loads(json.dumps(job())) == job()
    assert json.loads(json.dumps(told(), allow_nan=False)) == told()


def test_the_result_depends_on_the_payload_alone_whatever_ran_before() -> None:
    first = told()
    told(architecture=preset("cell").from_code("000011"), seed=5)
    assert told() == first
    assert told(seed=12) != first


def test_choices_may_come_from_json() -> None:
    space = preset("notes-net")
    form = payload(space.to_json(), space.from_code("001"), dataset="digits", training={}, epochs=1, seed=0)
    assert json.loads(json.dumps(form))["architecture"]["skip"] == [0]
    assert form["space"]["family"] == "macro"


def test_the_target_is_where_its_name_says() -> None:
    module, name = TARGET.split(":")
    assert (module, name) == (evaluate.__module__, evaluate.__name__)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"space": "notes-net-as-written", "architecture": preset("notes-net").default}, SpaceError, "576"),
        ({"architecture": {"edge_0_1": "none"}}, SpaceError, "edge_0_2"),
        ({"dataset": "digit"}, UnknownName, "digits"),
        ({"training": {"learning_rate": "fast"}}, SpecError, "learning_rate"),
        ({"epochs": 0}, ExplorerError, "epochs"),
    ],
)
def test_what_cannot_be_trained_is_said_in_a_sentence(
    changes: dict[str, Any], error: type, words: str
) -> None:
    with pytest.raises(error, match=words):
        told(**changes)
