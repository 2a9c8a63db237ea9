"""Means between two snapshots, and numbers as snapshots hold them."""

from __future__ import annotations

import json
import math

import pytest
import torch

from explorer.oneshot.contract import StepReport
from explorer.oneshot.snapshots import Means, rounded, rows


def reports() -> list[StepReport]:
    return [
        StepReport(train_loss=torch.tensor(1.5), weight_gradient=2.0, extra={"counts": [1]}),
        StepReport(train_loss=2.5, validation_loss=torch.tensor(0.25), extra={"counts": [2]}),
        StepReport(),
    ]


def filled() -> Means:
    means = Means()
    for step, report in enumerate(reports(), start=1):
        means.add(step, report)
    return means


def test_means_are_over_the_steps_that_had_a_number() -> None:
    taken = filled().take()
    assert taken["train_loss"] == 2.0 and taken["validation_loss"] == 0.25 and taken["weight_gradient"] == 2.0
    assert taken["alpha_gradient"] is None and taken["counts"] == [2]


def test_taking_begins_anew() -> None:
    means = filled()
    means.take()
    assert set(means.take().values()) == {None}


def test_means_go_on_from_their_state_bit_for_bit() -> None:
    whole, begun, resumed = Means(), Means(), Means()
    values = torch.rand(7, generator=torch.Generator().manual_seed(0))
    for step, value in enumerate(values):
        (begun if step < 3 else resumed).add(step, StepReport(train_loss=value))
        whole.add(step, StepReport(train_loss=value))
        if step == 2:
            resumed.load(json.loads(json.dumps(begun.state())))
    assert whole.state() == resumed.state() and whole.take() == resumed.take()


@pytest.mark.parametrize("bad", [math.nan, math.inf, torch.tensor(math.nan)])
@pytest.mark.parametrize("name", ["train_loss", "validation_loss"])
def test_the_first_loss_that_is_no_number_is_named(bad: float, name: str) -> None:
    means = filled()
    assert means.failure() is None
    means.add(4, StepReport(**{name: bad}))
    means.add(5, StepReport(train_loss=math.nan))
    assert means.failure() == (4, name)


def test_rows_come_in_the_order_and_width_of_the_tensors() -> None:
    tensors = {"b": torch.tensor([0.5, 0.25, 0.25]), "a": torch.tensor([1.0, 0.0])}
    assert list(rows(tensors).items()) == [("b", [0.5, 0.25, 0.25]), ("a", [1.0, 0.0])]
    assert rows({}) == {}


def test_numbers_keep_five_digits() -> None:
    assert rounded(0.123456789) == 0.12346 and rounded(12345678.0) == 12346000.0
    assert rounded(None) is None and rounded(1e-9 / 3) == 3.3333e-10
