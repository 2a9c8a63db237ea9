"""What a snapshot and a measure may hold: whatever passes can be drawn; a stranger's file is refused in a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from explorer.runs.events import Event, data_problem
from explorer.runs.spec import RunSpec
from explorer.runs.state import fold
from explorer.runs.summary import replay, summarise

GOOD: dict[str, Any] = {
    "step": 10,
    "epoch": 1,
    "probabilities": {"edge_0_1": {"none": 0.25, "skip_connect": 0.75}, "skip/0": {"off": 0.5, "on": 0.5}},
    "alphas": {"edge_0_1": {"none": -0.5, "skip_connect": 0.6}},
    "entropy": {"edge_0_1": 0.56},
    "margins": {"edge_0_1": 0.5},
    "derived": {"edge_0_1": "skip_connect", "skip": [0]},
    "train_loss": 2.3,
    "validation_accuracy": None,
    "sampled": [{"architecture": "340", "reward": 0.4, "advantage": None}],
    "counts": {"edge_0_1": [3, 3]},
}


def test_a_good_snapshot_passes() -> None:
    assert data_problem("architecture_snapshot", GOOD) is None
    assert data_problem("architecture_snapshot", {"step": 0, "probabilities": {}}) is None


@pytest.mark.parametrize(
    "change",
    [
        {"probabilities": {"edge": [0.5, 0.5]}},
        {"probabilities": {"edge": {"none": 1.5}}},
        {"probabilities": {"edge": {"none": "half"}}},
        {"alphas": {"edge": {"none": None}}},
        {"alphas": 3},
        {"entropy": {"edge": "low"}},
        {"margins": [1]},
        {"derived": "340"},
        {"derived": {"edge": {"a": 1}}},
        {"train_loss": "small"},
        {"temperature": True},
        {"sampled": [{"reward": 1}]},
        {"sampled": [{"architecture": "3", "reward": "big"}]},
        {"counts": {"edge": [1.5]}},
        {"counts": [1]},
        {"probabilities": {str(at): {"a": 1.0} for at in range(30_000)}},
    ],
    ids=str,
)
def test_what_cannot_be_drawn_is_one_sentence(change: dict[str, Any]) -> None:
    problem = data_problem("architecture_snapshot", GOOD | change)
    assert problem is not None and problem.startswith("architecture_snapshot has ") and problem.endswith(".")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("derived", {"architecture": [1]}),
        ("derived", {"architecture": {"a": "b"}, "inherited_accuracy": "good"}),
        ("checkpoint", {"step": "ten"}),
        ("discretization_gap", {"supernet": "0.5"}),
        ("hessian_eigenvalue", []),
        ("rank_probe", {"architectures": ["0"], "inherited": [0.1, 0.2], "standalone": [None]}),
        ("rank_probe", {"architectures": ["0"], "inherited": [0.1]}),
        ("perturbation", {"drops": {"edge": 3}}),
        ("alarm", {"share": 0.5}),
        ("guard", {"name": "stop"}),
        ("selection", {"evaluated": "many"}),
    ],
    ids=str,
)
def test_a_measure_that_cannot_be_drawn_is_refused(name: str, data: Any) -> None:
    assert data_problem("measurement", {"name": name, "step": 1, "data": data}) is not None


def test_unknown_measures_are_not_looked_into() -> None:
    assert data_problem("measurement", {"name": "weather", "step": 1, "data": "sunny"}) is None


def test_the_fold_keeps_every_snapshot_in_order_and_the_summary_counts_them() -> None:
    words: list[tuple[str, dict[str, Any]]] = [
        ("run_queued", {"spec": RunSpec(kind="oneshot", space="cell").to_json()}),
        ("run_started", {}),
        *(("architecture_snapshot", GOOD | {"step": step}) for step in (0, 10, 20)),
        ("run_finished", {}),
    ]
    events = [Event("r", number, float(number), *word) for number, word in enumerate(words, 1)]
    state = fold(events[3:], fold(events[:3]))
    assert [snapshot["step"] for snapshot in state.snapshots] == [0, 10, 20]
    assert state.snapshot is state.snapshots[-1]
    assert summarise(state) == replay(events).summary and summarise(state).snapshots == 3
