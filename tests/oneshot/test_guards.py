"""Guards on scripted numbers: eigenvalues that grow, and architectures that degenerate."""

from __future__ import annotations

import math

import pytest

from explorer.catalogue import METHODS
from explorer.oneshot.guards import LARGEST_DECAY, EigenvalueGuard, Record, Verdict, alarms
from explorer.space import decisions, preset

FLAT = [1.0, 1.1, 0.9, 1.0, 1.0]


def records(values: list[float], every: int = 1) -> list[Record]:
    return [Record(every * (at + 1), value) for at, value in enumerate(values)]


def first_verdict(
    guard: EigenvalueGuard, told: list[Record], decay: float = 3e-4
) -> tuple[int, Verdict] | None:
    """As a search asks: after every measure, with all so far. The epoch of the first verdict, and it."""
    for count in range(1, len(told) + 1):
        verdict = guard.verdict(told[:count], decay)
        if verdict is not None:
            return told[count - 1].epoch, verdict
    return None


def test_a_flat_or_falling_eigenvalue_never_stops() -> None:
    assert first_verdict(EigenvalueGuard(), records(FLAT * 6)) is None
    assert first_verdict(EigenvalueGuard(), records([0.9**at for at in range(40)])) is None


def test_a_steady_rise_stops_when_the_mean_has_grown_by_the_ratio() -> None:
    """Means of 5 that lie 5 apart grow 1.06**5 = 1.338 times at once, and 1.05**5 = 1.276 times never enough."""
    epoch, verdict = (
        first_verdict(EigenvalueGuard(), records([1.06**at for at in range(30)])) or pytest.fail()
    )
    assert epoch == 10 and verdict.growth == pytest.approx(1.06**5)
    assert (verdict.action, verdict.back_to, verdict.weight_decay) == (
        "stop",
        3,
        None,
    )  # the middle of 1 .. 5
    assert first_verdict(EigenvalueGuard(), records([1.05**at for at in range(30)])) is None


def test_one_spike_is_smoothed_away_and_a_step_is_not() -> None:
    """The mutant without smoothing (a window of 1) stops at the spike."""
    spiked = records([*FLAT, *FLAT, 2.2, *FLAT, *FLAT])
    assert first_verdict(EigenvalueGuard(), spiked) is None
    assert (first_verdict(EigenvalueGuard(window=1), spiked) or pytest.fail())[0] == 11
    epoch, verdict = first_verdict(EigenvalueGuard(), records([1.0] * 10 + [2.0] * 10)) or pytest.fail()
    assert epoch == 12 and verdict.growth == pytest.approx(7 / 5)  # two of five doubled
    assert verdict.back_to == 5  # the middle of 3 .. 7, before the step at 11


def test_the_epoch_to_go_back_to_is_one_that_was_measured() -> None:
    """With a measure every second epoch all epochs are even."""
    epoch, verdict = (
        first_verdict(EigenvalueGuard(), records([1.0] * 10 + [3.0] * 5, every=2)) or pytest.fail()
    )
    assert (epoch, verdict.back_to) == (22, 8)  # 12 measures are 2 .. 22 and one more that is large


def test_eigenvalues_count_by_magnitude_and_zeros_compare_with_nothing() -> None:
    assert first_verdict(EigenvalueGuard(), records([-1.0] * 5 + [-2.0] * 5)) is not None
    assert first_verdict(EigenvalueGuard(), records([0.0] * 5 + [1.0] * 5)) is None
    assert first_verdict(EigenvalueGuard(), records([math.nan] * 12)) is None


def test_adaptation_decays_more_until_the_limit_and_stops_then() -> None:
    guard, rising = EigenvalueGuard("adapt"), records([1.0] * 5 + [2.0] * 5)
    decay, seen = 3e-4, []
    while (verdict := guard.verdict(rising, decay)) is not None and verdict.action == "adapt":
        assert verdict.weight_decay is not None and f"{verdict.weight_decay:g}" in verdict.sentence
        decay = verdict.weight_decay
        seen.append(decay)
    assert seen == pytest.approx([9e-4, 2.7e-3, 8.1e-3, LARGEST_DECAY])
    assert verdict is not None and verdict.action == "stop" and verdict.back_to == 3
    assert guard.verdict(rising, 0.0) is not None  # no decay cannot be multiplied, so it stops
    assert guard.verdict(rising, 0.0).action == "stop"  # type: ignore[union-attr]


def test_going_back_forgets_what_came_after_it() -> None:
    """With the measures up to there the guard is silent until two windows are full again."""
    guard, told = EigenvalueGuard("adapt"), records([1.0] * 8 + [2.0] * 5)
    epoch, verdict = first_verdict(guard, told) or pytest.fail()
    kept = [record for record in told if record.epoch <= verdict.back_to]
    assert epoch == 10 and len(kept) == 3 and guard.verdict(kept, 9e-4) is None
    tame = [Record(verdict.back_to + at, 1.0) for at in range(1, 30)]
    assert first_verdict(guard, kept + tame) is None


def test_settings_of_the_catalogue_make_the_guard() -> None:
    entry = METHODS["darts"]
    assert EigenvalueGuard.from_settings(entry.settings({})) is None
    assert EigenvalueGuard.from_settings(METHODS["spos"].settings({})) is None
    assert EigenvalueGuard.from_settings(entry.settings({"guard": "stop"})) == EigenvalueGuard()
    changed = {"guard": "adapt", "guard_window": 3, "guard_ratio": 2.0, "guard_factor": 10.0}
    assert EigenvalueGuard.from_settings(entry.settings(changed)) == EigenvalueGuard("adapt", 3, 2.0, 10.0)


CELL = preset("cell")
ALLOWED = {"skip_alarm": 0.5, "none_alarm": 0.5}


def rows(none: float) -> dict[str, list[float]]:
    return {each.label: [none, *[(1 - none) / 4] * 4] for each in decisions(CELL)}


def cell(*names: str) -> dict[str, str]:
    return dict(zip((mutable.label for mutable in CELL.mutables), names, strict=True))


@pytest.mark.parametrize(
    ("skips", "none", "names"),
    [(0, 0.2, []), (2, 0.49, []), (3, 0.2, ["skip"]), (6, 0.6, ["skip", "none"]), (0, 0.5, ["none"])],
)
def test_alarms_name_what_has_degenerated(skips: int, none: float, names: list[str]) -> None:
    derived = cell(*["skip_connect"] * skips, *["nor_conv_3x3"] * (6 - skips))
    found = alarms(CELL, derived, rows(none), ALLOWED)
    assert [alarm.name for alarm in found] == names
    for alarm in found:
        assert alarm.share == pytest.approx({"skip": skips / 6, "none": none}[alarm.name])
        assert f"{100 * alarm.share:.0f} %" in alarm.sentence and alarm.sentence.count(".") == 1


def test_edges_cut_by_none_do_not_hide_a_collapse() -> None:
    """The mutant counts skips among all edges: 2 of 6 would be no alarm."""
    derived = cell("none", "none", "none", "nor_conv_3x3", "skip_connect", "skip_connect")
    assert [alarm.name for alarm in alarms(CELL, derived, rows(0.1), ALLOWED)] == ["skip"]
    assert sum(name == "skip_connect" for name in derived.values()) / 6 < ALLOWED["skip_alarm"]


def test_nothing_degenerated_is_no_alarm_even_where_nothing_is_allowed() -> None:
    strict = {"skip_alarm": 0.0, "none_alarm": 0.0}
    assert alarms(CELL, cell(*["nor_conv_3x3"] * 6), rows(0.0), strict) == []
    space = preset("enas-macro")
    uniform = {each.label: [0.5] * len(each.candidates) for each in decisions(space)}
    assert alarms(space, space.default, uniform, strict) == []  # an open switch is no none
