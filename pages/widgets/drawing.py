"""Scenes, sketches and tables on the page, as HTML that scripts cannot hide in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

import streamlit as st

from explorer.plots.scene import Scene
from explorer.plots.svg import legend, svg

WIDE = 560.0  # from this width on (pixels) a drawing is pushed sideways on a phone rather than shrunk


def picture(text: str, css_class: str = "") -> None:
    """SVG text in the page itself, so that it takes the page's colours; Streamlit removes anything that could
    run.

    The text stands in one block of raw HTML: a blank line in a name would end it, so lines are joined.
    """
    kind = f' class="{css_class}"' if css_class else ""
    st.markdown(f"<div{kind}>{' '.join(text.split())}</div>", unsafe_allow_html=True)


def draw(scene: Scene, with_legend: bool = False) -> None:
    """The scene as SVG, with the meaning of its colours below when asked for."""
    if scene.width < WIDE:
        picture(svg(scene) + (legend(scene) if with_legend else ""), "drawing")
        return
    picture(svg(scene), "wide")
    if with_legend:
        picture(legend(scene))


def facts(entries: Iterable[tuple[str, str, str]]) -> None:
    """A row of (name, value, meaning on hover)."""
    body = "".join(
        f"<div><dt title='{_attribute(meaning)}'>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value, meaning in entries
    )
    st.html(f'<dl class="facts">{body}</dl>')


def two_lines(first: str, second: str) -> None:
    """A line, and a quieter one right below."""
    st.html(f'<div class="two"><div>{escape(first)}</div><small>{escape(second)}</small></div>')


def table(
    head: Sequence[tuple[str, str]],
    rows: Iterable[Sequence[str]],
    numbers: Iterable[int] = (),
    best: int = -1,
) -> None:
    """A plain table: (title, meaning on hover) a column, escaped text a cell; `numbers` are right-aligned
    columns.

    It takes the keyboard's focus, since a wide one is pushed sideways on a narrow page.
    """
    right = set(numbers)
    side = ['class="n"' if at in right else "" for at in range(len(head))]
    titles = "".join(
        f"<th {side[at]} title='{_attribute(meaning)}'>{escape(title)}</th>"
        for at, (title, meaning) in enumerate(head)
    )
    body = "".join(
        f"<tr{' class=best' if number == best else ''}>"
        + "".join(f"<td {side[at]}>{escape(cell)}</td>" for at, cell in enumerate(row))
        + "</tr>"
        for number, row in enumerate(rows)
    )
    name = _attribute(f"Table: {', '.join(title for title, _ in head)}")
    st.html(
        f'<div class="rows" tabindex="0" role="group" aria-label="{name}">'
        f"<table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _attribute(words: str) -> str:
    return escape(words, {"'": "&#39;", '"': "&quot;"})
