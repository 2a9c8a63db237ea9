"""A report holds the run's numbers and no markup that a visitor supplied."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from explorer.export.report import report
from explorer.runs.events import Event
from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState, fold
from explorer.space import preset
from tests.plots.oneshot.stories import measured, snapshots


def finished(spec: RunSpec) -> RunState:
    """Two trials, one succeeded and one failed with a hostile reason."""
    first, second = preset("notes-net").from_code("000"), preset("notes-net").from_code("111")
    story = [
        ("run_queued", {"spec": spec.to_json()}),
        ("run_started", {}),
        ("trial_started", {"trial_id": 0, "parameters": {}, "architecture": first.to_json(), "seed": 1}),
        ("intermediate_result", {"trial_id": 0, "step": 1, "value": 0.8125, "metrics": {}}),
        ("final_result", {"trial_id": 0, "value": 0.8125, "metrics": {"test_accuracy": 0.75}}),
        ("trial_ended", {"trial_id": 0, "status": "succeeded", "reason": None}),
        ("trial_started", {"trial_id": 1, "parameters": {}, "architecture": second.to_json(), "seed": 2}),
        ("trial_ended", {"trial_id": 1, "status": "failed", "reason": "<script>alert(1)</script>"}),
        ("warning", {"message": "<img src=x onerror=alert(1)>"}),
        ("run_finished", {}),
    ]
    return fold(Event("r", at, 1000.0 + at, kind, data) for at, (kind, data) in enumerate(story, start=1))


class Tags(HTMLParser):
    """Collects every tag with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_a_report_tells_the_numbers_and_how_to_repeat_them() -> None:
    text = report(finished(RunSpec(trials=2, seed=4)))
    assert "81.2 %" in text and "75.0 % (1 seed)" in text and "notes-net:000" in text
    assert "&quot;seed&quot;: 4" in text


def test_nothing_supplied_becomes_markup() -> None:
    hostile = preset("notes-net").to_json() | {"name": "<script>alert(1)</script>"}
    tags = Tags(report(finished(RunSpec(space=hostile, trials=2)))).found
    assert not any(tag in ("script", "img", "iframe", "link") for tag, _ in tags)
    assert not any(
        name.startswith("on") or name in ("src", "href") for _, attributes in tags for name in attributes
    )


@pytest.mark.parametrize("status", ["queued"])
def test_a_run_without_trials_has_a_report_too(status: str) -> None:
    state = fold([Event("r", 1, 1000.0, "run_queued", {"spec": RunSpec().to_json()})])
    assert status in report(replace(state, status=status))


def searched(**more: object) -> RunState:
    """A one-shot search of the cell with a derived architecture and one retraining."""
    space = preset("cell")
    found = space.from_code("340213")
    spec = RunSpec(kind="oneshot", space="cell", method={"method": "darts", "engine": "own"}, epochs=3)
    state = finished(RunSpec(trials=2))
    trial = replace(state.trials[0], architecture=found.to_json())
    derived = measured("derived", 20, architecture=found.to_json(), rule="argmax", inherited_accuracy=0.5)
    gap = measured("discretization_gap", 20, supernet=0.6, derived=0.5, images=10)
    return replace(
        state,
        spec=spec,
        trials={0: trial},
        snapshots=tuple(snapshots(space, 4)),
        measurements=(derived, gap),
        **more,  # type: ignore[arg-type]
    )


def test_a_searchs_report_tells_what_it_believed_derived_and_is_worth() -> None:
    text = report(searched())
    assert text.count("<svg") == 6  # derived, retrained, probabilities, losses, uncertainty, gap
    for words in (
        "Derived: cell:340213",
        "Better than random?",
        "a gap of 10.0 points",
        "run oneshot --spec",
    ):
        assert words in text
    assert "Which architectures did best?" not in text


def test_a_search_without_anything_has_a_report_too() -> None:
    empty = searched(reason="<script>")
    text = report(replace(empty, trials={}, snapshots=(), measurements=()))
    assert "<svg" not in text and "<script" not in text
