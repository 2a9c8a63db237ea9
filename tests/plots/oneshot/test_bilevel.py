"""The bilevel toy against the values worked out in the literature, and against finite differences."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from itertools import pairwise

import pytest

from explorer.plots.oneshot import bilevel as toy

# Alternating descent of 6000 steps from (2, -2), rates 0.02 and 0.05.
RESTS = {0.0: 2.0, 0.01: 1.96078431, 0.1: 1.66666667, 0.25: 1.33333333, 0.5: 1.0, 1.0: 0.66666667}
Gradient = Callable[[float, float, float], float]


def check_rests() -> None:
    """Every xi comes to rest where the closed form says."""
    for xi, rest in RESTS.items():
        last = toy.trajectory(xi, 6000)[-1]
        assert last.alpha == pytest.approx(rest, abs=1e-6) and last.w == pytest.approx(rest, abs=1e-6)
        assert toy.fixed_point(xi) == pytest.approx((rest, rest), abs=1e-8)


def check_gradient(gradient: Gradient) -> None:
    """The derivative of L_val(alpha, w'(alpha)) by central differences, away from any fixed point."""
    for alpha, w, xi in ((2.0, -2.0, 0.3), (0.5, 1.5, 0.1), (-1.0, 0.7, 0.9)):

        def ahead(a: float, w: float = w, xi: float = xi) -> float:
            inner = (toy.training_loss(a, w + 1e-5) - toy.training_loss(a, w - 1e-5)) / 2e-5
            return toy.validation_loss(a, w - xi * inner)

        numeric = (ahead(alpha + 1e-5) - ahead(alpha - 1e-5)) / 2e-5
        assert gradient(alpha, w, xi) == pytest.approx(numeric, abs=1e-4)


def without_second_term(alpha: float, w: float, xi: float) -> float:
    """Forgets that w' moves with alpha."""
    return (w - xi * (2 * w - 2 * alpha)) - 2


def without_virtual_step(alpha: float, w: float, xi: float) -> float:
    """NNI 2's mistake: the step ahead is computed and never taken."""
    return (w - 2) + 2 * xi * alpha


def test_descent_comes_to_rest_at_two_over_one_plus_two_xi() -> None:
    check_rests()


def test_the_hypergradient_is_the_derivative_one_step_ahead() -> None:
    check_gradient(toy.hypergradient)


def test_a_gradient_without_its_second_term_is_rejected_by_both(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AssertionError):
        check_gradient(without_second_term)
    monkeypatch.setattr(toy, "hypergradient", without_second_term)
    with pytest.raises(AssertionError):
        check_rests()


def test_a_gradient_without_the_virtual_step_is_rejected() -> None:
    with pytest.raises(AssertionError):
        check_gradient(without_virtual_step)


def test_the_optimum_is_reached_at_one_half_only() -> None:
    assert toy.validation_loss(*toy.fixed_point(0.5)) == 0
    assert all(toy.validation_loss(*toy.fixed_point(xi)) > 0.05 for xi in RESTS if xi != 0.5)


@pytest.mark.parametrize(
    ("xi", "steps", "rates", "words"),
    [
        (0.0, 600, toy.RATES, "short of the optimum"),
        (0.1, 600, toy.RATES, "short of the optimum"),
        (0.5, 600, toy.RATES, "the optimum, where L_val is 0"),
        (1.0, 600, toy.RATES, "beyond the optimum"),
        (0.1, 20, toy.RATES, "still on its way"),
        (0.1, 600, (1.0, 1.0), "runs away"),
    ],
)
def test_the_sentence_says_what_happened(
    xi: float, steps: int, rates: tuple[float, float], words: str
) -> None:
    info = toy.bilevel(xi, steps, rates=rates)
    assert words in info.sentence and info.sentence in info.alt


def test_only_the_path_moves_with_xi() -> None:
    windows = {toy.bilevel(xi).window for xi in RESTS}
    assert len(windows) == 1


@pytest.mark.parametrize("level", toy.LEVELS)
def test_contours_lie_where_the_validation_loss_has_their_value(level: float) -> None:
    window = ((-1.0, 8.0), (-3.0, 4.0))
    pieces = toy.contour(level, window)
    assert pieces
    for alpha, w in (point for piece in pieces for point in piece):
        assert toy.validation_loss(alpha, w) == pytest.approx(level, abs=1e-9)
        assert window[0][0] <= alpha <= window[0][1] and window[1][0] <= w <= window[1][1]


@pytest.mark.parametrize("xi", [0.0, 0.5, 1.0])
def test_picture_and_figure_are_made_also_where_the_descent_runs_away(xi: float) -> None:
    for rates in (toy.RATES, (1.0, 1.0)):
        info = toy.bilevel(xi, 500, rates=rates)
        root = ElementTree.fromstring(toy.bilevel_svg(info))
        assert root.get("role") == "img" and info.sentence in (root.get("aria-label") or "")
        names = [trace.name for trace in toy.bilevel_figure(info).data]
        assert {"path", "rest", "optimum", "L_val"} <= set(names)


def test_a_long_path_is_drawn_with_few_points_in_order() -> None:
    kept = toy._dense(2001)
    assert len(kept) <= toy.MOST_POINTS and kept[0] == 0 and kept[-1] == 2000
    assert all(one < two for one, two in pairwise(kept))
