"""Limits: the two modes, and one sentence for each bad value."""

from __future__ import annotations

import pytest

from explorer.errors import SpecError
from explorer.jobs.limits import Limits


def test_a_local_place_has_no_limits_on_a_run() -> None:
    limits = Limits.from_environment({})
    assert (limits.workers, limits.run_seconds, limits.run_memory_mb, limits.queue) == (
        None,
        None,
        None,
        None,
    )


def test_the_cloud_allows_one_worker_120_seconds_and_a_queue_of_three() -> None:
    limits = Limits.from_environment({"EXPLORER_MODE": "cloud"})
    assert (limits.mode, limits.workers, limits.run_seconds, limits.queue) == ("cloud", 1, 120.0, 3)
    assert limits.runs_at_once == 1


def test_a_variable_overrides_the_mode() -> None:
    limits = Limits.from_environment(
        {"EXPLORER_MODE": "cloud", "EXPLORER_RUN_SECONDS": "30", "EXPLORER_QUEUE": ""}
    )
    assert (limits.run_seconds, limits.queue) == (30.0, 3)


def test_every_bad_value_is_said_at_once() -> None:
    with pytest.raises(SpecError) as error:
        Limits.from_environment(
            {"EXPLORER_QUEUE": "-1", "EXPLORER_RUN_SECONDS": "soon", "EXPLORER_WORKERS": "1.5"}
        )
    assert len(error.value.problems) == 3
    assert "EXPLORER_RUN_SECONDS is 'soon'; give a number above 0." in error.value.problems


@pytest.mark.parametrize("value", ["nan", "inf", "0", "-3", "1e999"])
def test_impossible_numbers_are_refused(value: str) -> None:
    with pytest.raises(SpecError, match="EXPLORER_IDLE_SECONDS"):
        Limits.from_environment({"EXPLORER_IDLE_SECONDS": value})


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(SpecError, match="'clod'; set it to local or cloud"):
        Limits.from_environment({"EXPLORER_MODE": "clod"})
