"""One cell looked up in the answer key: how good, how sure, what lies around it, how it learned.

A visitor's text never opens a file: only a code of the key's space is read, or NAS-Bench-201's own string.
"""

from __future__ import annotations

import math
import random
import re
import time
from collections.abc import Sequence

import streamlit as st

from explorer.errors import CodecError, ExplorerError
from explorer.export import key_says
from explorer.key import (
    Key,
    accuracy,
    available,
    best_within,
    curve,
    neighbours,
    rank,
    regret,
    trials_to_match,
)
from explorer.plots import looks, scene_of
from explorer.plots.nas.edits import edge_words
from explorer.plots.nas.key_curves import learned, learned_svg
from explorer.space.restrict import Restriction
from pages.widgets import answer_key_facts as known
from pages.widgets import desk
from pages.widgets.drawing import draw, facts, picture, table
from pages.widgets.navigation import one_sentence
from pages.widgets.parameter_form import STAY, begin
from pages.widgets.words import full_span, percent, plain, term

TEXT, DATASET = "answer_key/architecture", "answer_key/dataset"  # widgets
KEYS = ("architecture", "dataset")  # of the address
NOW, FIRST, WRITTEN = "answer_key/link", "answer_key/first", "answer_key/written"
MOST_SIGNS = 200  # of what is typed
ECHO_SECONDS = 5.0
MOST_EDITS = 3
LISTED = 8


def open_link(there: Sequence[str]) -> bool:
    """Take over what the address asks for, once; whether the visitor came for a certain cell.

    What this page wrote into the address itself is no wish: a browser repeats it, sometimes late.
    """
    asked = {name: st.query_params[name] for name in KEYS if name in st.query_params}
    if asked != st.session_state.get(NOW) and tuple(asked.items()) not in _written():
        st.session_state[FIRST] = "architecture" in asked
        if "architecture" in asked:
            st.session_state[TEXT] = asked["architecture"]
        if asked.get("dataset") in there:
            st.session_state[DATASET] = asked["dataset"]
        elif "dataset" in asked:
            st.warning(
                f"There is no answer key of {plain(repr(asked['dataset'][:60]))} here, but of {' and '.join(there)}.",
                icon=":material/link_off:",
            )
        st.session_state[NOW] = asked
    return bool(st.session_state.get(FIRST))


def _written() -> dict[tuple[tuple[str, str], ...], float]:
    """When this session wrote which address, for as long as an echo of it may come."""
    known: dict[tuple[tuple[str, str], ...], float] = st.session_state.get(WRITTEN, {})
    now = time.monotonic()
    st.session_state[WRITTEN] = {link: at for link, at in known.items() if now - at < ECHO_SECONDS}
    return st.session_state[WRITTEN]


def _write_link(key: Key, text: str) -> None:
    """What is typed stands in the address, and a key that is not the first, so that a copied one shows the same."""
    link = {"architecture": text} if text else {}
    if text or key.dataset != available()[0]:
        link["dataset"] = key.dataset
    if {name: st.query_params[name] for name in KEYS if name in st.query_params} == link:
        return
    st.session_state[NOW] = link
    _written()[tuple(link.items())] = time.monotonic()
    for name in KEYS:
        if name in link:
            st.query_params[name] = link[name]
        else:
            st.query_params.pop(name, None)


@st.fragment
def show(key: Key) -> None:
    """The field and what is known of the cell in it; typing draws this part alone."""
    with one_sentence():
        st.header("Look one up", anchor=False, help=term("true rank"))
        place = _field(key)
        left, right = st.columns([1, 1.35], gap="large")
        with left:
            architecture = known.architecture(key, place)
            draw(scene_of(key.space, architecture))
            link = desk.link_of(key.space, Restriction(), key.space.code(architecture))
            st.page_link(
                "pages/space.py",
                label="Open in Search space",
                icon=":material/account_tree:",
                query_params=link,
            )
        with right:
            _stands(key, place)
            _around(key, place)
        left, right = st.columns([1, 1.35], gap="large")
        with left:
            _learned(key, place)
        with right:
            _neighbours(key, place)


def _field(key: Key) -> int:
    """The place of the cell asked for; of the best one while nothing was, or where it cannot be read."""
    best = known.best_cells(key)[0]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Architecture",
            key=begin(TEXT, ""),
            placeholder=f"{key.text(best)}, the best",
            help="A code such as cell:340213, one digit an edge, or NAS-Bench-201's string.",
            max_chars=MOST_SIGNS,
            width=300,
            **STAY,
        )
        st.button("The best", icon=":material/trophy:", on_click=_go, args=("",))
        st.button("A random one", icon=":material/casino:", on_click=_random, args=(key,))
    _write_link(key, text.strip())
    try:
        return read(key, text) if text.strip() else best
    except ExplorerError as problem:
        st.warning(f"{plain(str(problem))} The best cell is shown instead.", icon=":material/link_off:")
        return best


def read(key: Key, text: str) -> int:
    """The place that `340213`, `cell:340213` or NAS-Bench-201's string means; raises CodecError or OutsideKey."""
    code = text.strip().removeprefix(f"{key.space.name}:")
    if len(code) > MOST_SIGNS or not re.fullmatch(r"[0-9]+|\|.*", code, re.ASCII):
        example = key.text(known.best_cells(key)[0])
        raise CodecError(f"{text.strip()[:60]!r} is no cell of this space; give a code such as {example!r}.")
    return key.place(code)


def _go(text: str) -> None:
    st.session_state[TEXT] = text


def _random(key: Key) -> None:
    _go(key.text(int(random.choice(key.cells))))


def _stands(key: Key, place: int) -> None:
    scored, stands, lacks = accuracy(key, place), rank(key, place), regret(key, place)
    facts(
        [
            ("Test", key_says.interval(scored.test), term("test accuracy")),
            ("Validation", key_says.interval(scored.validation), term("validation accuracy")),
            ("Rank", f"{stands.rank:,} of {stands.of:,}", term("true rank")),
            ("Band", full_span((stands.low, stands.high)), term("tie band")),
            ("Percentile", f"{stands.percentile:.1f}", term("percentile")),
            ("Regret", _points(lacks.observed), term("regret")),
            ("Shrunken", _points(lacks.shrunken), term("shrunken regret")),
            ("Seeds", str(scored.test.seeds), term("seed")),
            ("Parameters", f"{key.parameters[key.position[place]]:,}", term("parameters")),
        ]
    )
    luck = trials_to_match(key, place)
    cells = "cells" if luck.expected >= 1.5 else "cell"
    st.markdown(
        f"`{key.text(place)}`: random search trains **{luck.expected:,.0f}** {cells} on average until it finds one "
        f"at least as good, and {luck.enough:,} to find one in 95 of 100 cases; {luck.good:,} of {luck.of:,} are.",
        help=term("random search"),
    )


def _points(value: float) -> str:
    return "–" if math.isnan(value) else f"{100 * abs(value):.1f} points"


def _around(key: Key, place: int) -> None:
    """The best that one to three edits reach, each a step to take."""
    st.markdown("**What is the best within a few edits?**", help=term("edit"))
    if trials_to_match(key, place).good == 1:
        st.markdown("No cell of this key has a better mean.")
        return
    for edits in range(1, MOST_EDITS + 1):
        found = best_within(key, place, edits)
        words = f"{edits} edit{'s' if edits > 1 else ''}"
        with st.container(horizontal=True, vertical_alignment="center"):
            if found.place == place:
                st.markdown(f"{words}: nothing better is that near.")
                continue
            st.markdown(
                f"{words}: `{key.text(found.place)}`, {percent(found.mean)} ({100 * found.gain:+.1f} points)",
                width="content",
            )
            st.button(
                "Go there",
                key=f"answer_key/go/{edits}",
                icon=":material/arrow_forward:",
                type="tertiary",
                on_click=_go,
                args=(key.text(found.place),),
            )


def _learned(key: Key, place: int) -> None:
    info = learned(curve(key, place).values)
    st.markdown(f"**{info.question}**", help=term("learning curve"))
    picture(learned_svg(info))
    st.caption(f"{info.answer} {info.basis}")


def _neighbours(key: Key, place: int) -> None:
    """What one edit changes, the largest gain first."""
    found = neighbours(key, place)
    st.markdown("**What does one edit change?**", help=term("edit"))
    if not found:
        st.caption("None of the cells one edit away is in this key.")
        return
    unknown = math.isnan(key.sigma)
    more = len(found) > LISTED and st.toggle(f"Show all {len(found)}", key="answer_key/all")
    head = (
        ("Edge", term("edge")),
        ("Operation", term("operation")),
        ("Cell", term("architecture")),
        ("Test", term("test accuracy")),
        ("Difference", "Mean test accuracy after the edit minus before, in points."),
        ("Beyond luck", term("resolution")),
    )
    rows = [
        (
            edge_words(one.label),
            looks.look(one.operation).short or one.operation,
            key.text(one.place),
            percent(one.mean),
            f"{100 * one.difference:+.1f}",
            "unknown" if unknown else "yes" if one.significant else "no",
        )
        for one in (found if more else found[:LISTED])
    ]
    table(head, rows, (3, 4))
    if unknown:
        st.caption(
            f"{len(found)} edits. No live cell has two seeds, so nobody knows which differences are luck."
        )
        return
    sure = sum(one.significant for one in found)
    better = sum(one.significant and one.difference > 0 for one in found)
    st.caption(
        f"{len(found)} edits; {sure} change more than luck would, {better} of them for the better. Each is compared "
        "alone: of so many comparisons one in twenty is expected to look real by chance."
    )
