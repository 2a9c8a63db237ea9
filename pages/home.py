"""Home: what this is, a finished search that moves when play is pressed, and one button to a run of one's own."""

from __future__ import annotations

import streamlit as st

from explorer.errors import CodecError, NotFound
from explorer.export import key_says
from explorer.jobs import launch
from explorer.plots import scene_of
from explorer.plots.charts import learning_curves
from explorer.plots.leaderboard import space_of
from explorer.space import preset
from pages.widgets import examples, film, run_actions, run_settings, run_view, runs_at_hand
from pages.widgets.drawing import draw
from pages.widgets.navigation import routed
from pages.widgets.place import limits_note, store, visitor
from pages.widgets.words import percent, term

RANDOM, ONESHOT = examples.PAGES["random"], examples.PAGES["oneshot"]
FILMS = {
    "darts-on-cell": (
        "DARTS on a cell",
        "DARTS trains one network that holds every operation on every edge. It shifts weight between them as it "
        "learns; the outlined ones are what it would build if it stopped.",
    ),
    "darts-collapses-to-skips": (
        "DARTS collapses",
        "The same method, searching for too long: skip connections, which need no training, win edge after edge. A "
        "mark on the scrubber says where the alarm went off.",
    ),
    "enas-macro-with-skips": (
        "ENAS with skips",
        "A controller draws whole networks, and is rewarded for the accurate ones: each flash is a network that it "
        "just tried, each arc a skip connection that it may add.",
    ),
    "darts-on-notes-net": (
        "The notes' own network",
        "The network of the learning notes: two layers to choose and one skip, searched by DARTS.",
    ),
}

routed()
words, buttons = st.columns([2.4, 1], gap="large", vertical_alignment="bottom")
with words:
    st.title("NNI Explorer", anchor=False)
    st.markdown(
        "See automatic machine learning work: edit a network by clicking on it, try random architectures, tune the "
        "training, and watch one-shot searches change their minds. Every number comes from a real training on real "
        "images, and says how sure it is."
    )
with buttons:
    if st.button("Run it yourself now", type="primary", icon=":material/play_arrow:", width="stretch"):

        def start() -> None:
            """A quick run with sane settings, no questions asked."""
            st.session_state["started"] = launch.start_run(store(), run_settings.QUICK, visitor())

        if run_actions.tried(start):
            runs_at_hand.open_run(st.session_state.pop("started"), "random")
    st.page_link(
        "pages/space.py", label="Build a network by clicking", icon=":material/account_tree:", width="stretch"
    )


def searched(name: str) -> None:
    """A finished search: the film, what is to be seen in it, and the way to everything else about it."""
    state = examples.example(f"{examples.PREFIX}{name}")
    space = space_of(state.spec)
    if space is None:
        raise NotFound(f"The space of the example {name!r} cannot be read.")
    drawn, told = st.columns([1.6, 1], gap="large")
    with drawn:
        film.show(state, space, live=False, name="home")
    with told:
        st.markdown("**A finished search. Press play.**", help=term("one-shot"))
        st.markdown(FILMS[name][1])
        film.key_to_colours(space)
        st.page_link(
            ONESHOT,
            label="All about this search",
            icon=":material/hub:",
            query_params={"run": f"{examples.PREFIX}{name}"},
        )


def no_film() -> None:
    """Without a recorded example the space itself is the picture."""
    left, right = st.columns([1, 1.7], gap="large")
    with left:
        draw(scene_of(preset("notes-net")))
    with right, st.container(border=True):
        st.markdown(
            "**This is a search space**: two layers to choose and one optional skip, eight architectures."
        )
        st.markdown(
            "No recorded example is on this machine. *Run it yourself now* makes one in well under a minute."
        )


def tried_at_random(name: str) -> None:
    """The first few of the leaderboard of a finished run of random architectures."""
    state = examples.example(f"{examples.PREFIX}{name}")
    rows, best = run_view.rows_of(state, key_says.truth_of(state)), state.best
    if best is not None:
        st.markdown(
            f"**Best of {len(rows)} random architectures: {percent(best.value)} validation accuracy**",
            help=term("trial"),
        )
    run_view.board(state, rows, most=5)
    st.caption(learning_curves(state, rows).basis)


there = examples.names()
films = [name for name in FILMS if name in there]
try:
    if films:
        chosen = st.segmented_control(
            "Finished search",
            films,
            default=films[0],
            format_func=lambda name: FILMS[name][0],
            label_visibility="collapsed",
            required=True,
            key="home/film",
            persist_state="session",
        )
        searched(str(chosen))
    else:
        no_film()
except (CodecError, NotFound) as problem:
    st.warning(f"The recorded example cannot be shown. {problem}", icon=":material/broken_image:")
    no_film()
limits_note()
drawn_at_random = [name for name in there if examples.page_of(name) == RANDOM]
if drawn_at_random:
    st.divider()
    try:
        tried_at_random(drawn_at_random[0])
    except (CodecError, NotFound) as problem:
        st.warning(f"The recorded example cannot be shown. {problem}", icon=":material/broken_image:")
st.divider()
st.markdown("**Finished examples**")
others = [name for name in there if name not in films]
for place, name in zip(st.columns(3) * len(others), others, strict=False):
    link = {"run": f"{examples.PREFIX}{name}"}
    place.page_link(
        examples.page_of(name), label=examples.titled(name), icon=":material/history:", query_params=link
    )
