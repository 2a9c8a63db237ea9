"""The bilevel toy's page: it says in words what its slider does, without any worker."""

from __future__ import annotations

import pytest

from tests.pages.conftest import Open, press, say, texts


@pytest.mark.parametrize(
    ("xi", "words"), [("0", "short of the optimum"), ("0.5", "the optimum, where L_val is 0")]
)
def test_the_page_says_where_the_descent_comes_to_rest(xi: str, words: str, open_page: Open) -> None:
    app = press(open_page("bilevel"), xi)
    assert not app.exception
    assert any(words in sentence for sentence in say(app, "markdown"))
    assert app.slider[0].value == float(xi) and "<svg" in texts(app)


def test_too_large_rates_are_told_as_what_they_are(open_page: Open) -> None:
    app = open_page("bilevel")
    for field in app.number_input:
        if field.label.startswith("Rate"):
            field.set_value(1.0)
    app.run()
    assert not app.exception
    assert any("runs away" in sentence for sentence in say(app, "markdown"))


def test_the_chart_can_be_exchanged_for_one_to_zoom_into(open_page: Open) -> None:
    app = open_page("bilevel")
    app.toggle[0].set_value(True).run()
    assert not app.exception and app.get("plotly_chart")
