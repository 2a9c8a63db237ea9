"""Home: what this is, a finished example, and one button to a run of one's own."""

from __future__ import annotations

import streamlit as st

from explorer.errors import CodecError, NotFound
from explorer.jobs import launch
from explorer.plots import scene_of
from explorer.plots.charts import accuracy_against_parameters, learning_curves
from explorer.plots.leaderboard import space_of
from explorer.plots.sketch import curves_svg, pareto_svg
from explorer.runs.state import RunState
from explorer.space import preset
from pages.widgets import examples, run_actions, run_settings, run_view, runs_at_hand
from pages.widgets.drawing import draw, picture
from pages.widgets.navigation import routed
from pages.widgets.place import limits_note, store, visitor
from pages.widgets.words import percent, term

RANDOM = "pages/random_architectures.py"

routed()
drawn = [name for name in examples.names() if examples.page_of(name) == RANDOM]
first = next(iter(drawn), None)
words, buttons = st.columns([2.2, 1], gap="large", vertical_alignment="bottom")
with words:
    st.title("NNI Explorer", anchor=False)
    st.markdown(
        "See automatic machine learning work: pick the layers and skip connections that a network may have, watch "
        "architectures being trained and ranked, their training tuned, and one-shot searches change their minds. Every "
        "number comes from a real training on real images, and says how sure it is."
    )
with buttons:
    if first and st.button(
        "See a finished example", type="primary", icon=":material/history:", width="stretch"
    ):
        runs_at_hand.open_run(f"{examples.PREFIX}{first}", "random")
    if st.button("Run it yourself now", icon=":material/play_arrow:", width="stretch"):

        def start() -> None:
            """A quick run with sane settings, no questions asked."""
            st.session_state["started"] = launch.start_run(store(), run_settings.QUICK, visitor())

        if run_actions.tried(start):
            runs_at_hand.open_run(st.session_state.pop("started"), "random")
limits_note()


def finished(state: RunState) -> None:
    """The example: the best architecture drawn, how it was found, and the first few of the leaderboard."""
    space, rows, best = space_of(state.spec), run_view.rows_of(state), state.best
    drawn, charts = st.columns([1, 1.7], gap="large")
    if space is not None and best is not None and best.architecture is not None:
        with drawn:
            st.markdown(
                f"**Best of {len(rows)}: {percent(best.value)} validation accuracy**", help=term("trial")
            )
            draw(scene_of(space, best.architecture), with_legend=space.family == "cell")
    curves, pareto = learning_curves(state, rows), accuracy_against_parameters(state, rows)
    with charts:
        left, right = st.columns(2, gap="medium")
        with left:
            st.markdown(f"**{curves.question}**", help=term("learning curve"))
            picture(curves_svg(curves))
        with right:
            st.markdown(f"**{pareto.question}**", help=term("Pareto front"))
            picture(pareto_svg(pareto))
        run_view.board(state, rows, most=6)
        st.caption(curves.basis)


def no_example() -> None:
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


st.divider()
try:
    if first is None:
        no_example()
    else:
        finished(examples.example(f"{examples.PREFIX}{first}"))
except (CodecError, NotFound) as problem:
    st.warning(f"The recorded example cannot be shown. {problem}", icon=":material/broken_image:")
    no_example()
st.divider()
others = [name for name in examples.names() if name != first]
if others:
    st.markdown("**Other finished examples**")
for place, name in zip(st.columns(2) * len(others), others, strict=False):
    title, link = name.replace("-", " ").capitalize(), {"run": f"{examples.PREFIX}{name}"}
    place.page_link(examples.page_of(name), label=title, icon=":material/history:", query_params=link)
one, two, three, four, five = st.columns(5)
one.page_link("pages/space.py", label="Search space", icon=":material/account_tree:")
two.page_link(RANDOM, label="Random architectures", icon=":material/casino:")
three.page_link("pages/tuning.py", label="Hyper-parameters", icon=":material/tune:")
four.page_link("pages/one_shot.py", label="One-shot search", icon=":material/hub:")
five.page_link("pages/runs.py", label="Runs", icon=":material/list:")
