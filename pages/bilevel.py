"""The bilevel toy: the DARTS paper's two-number example with its xi on a slider; plain arithmetic, drawn at once."""

from __future__ import annotations

import streamlit as st

from explorer.plots.oneshot.bilevel import RATES, START, bilevel, bilevel_figure, bilevel_svg, fixed_point
from pages.widgets.drawing import picture
from pages.widgets.navigation import routed
from pages.widgets.parameter_form import STAY, begin
from pages.widgets.words import term

FORMULAS = (  # one below the other: what is wider than its column would have to be pushed sideways
    r"L_{val} = \alpha w - 2\alpha + 1",
    r"L_{train} = w^2 - 2\alpha w + \alpha^2",
    r"w' = w - \xi\,\partial_w L_{train}",
    r"\frac{d}{d\alpha} L_{val}(\alpha, w') = (w' - 2) + 2\,\xi\,\alpha",
)

routed()
st.title("Bilevel toy", anchor=False, help=term("bilevel"))
st.caption(
    "What DARTS does, with two numbers instead of a network: alpha (the architecture) descends the validation loss, "
    "w (the weights) the training loss, in turn. Figure 2 of Liu, Simonyan & Yang 2019, arXiv:1806.09055."
)

settings, shown, told = st.columns([1, 1.7, 1.2], gap="large")
with settings:
    xi = st.slider(
        "xi: how far alpha looks ahead",
        0.0,
        1.0,
        step=0.01,
        key=begin("bilevel/xi", 0.0),
        help="The step that w takes in alpha's imagination. 0 is DARTS of first order.",
        **STAY,
    )
    with st.container(horizontal=True):
        for words, value in (("0", 0.0), ("0.1", 0.1), ("0.5", 0.5), ("1", 1.0)):
            st.button(
                words,
                key=f"bilevel/to/{words}",
                on_click=lambda value=value: st.session_state.update({"bilevel/xi": value}),
                help=f"xi = {words}: at rest at {fixed_point(value)[0]:.3f}.",
            )
    steps = st.slider("Steps", 1, 2000, key=begin("bilevel/steps", 600), **STAY)
    left, right = st.columns(2)
    with left:
        alpha_rate = st.number_input(
            "Rate of alpha",
            0.001,
            1.0,
            step=0.01,
            format="%g",
            key=begin("bilevel/alpha_rate", RATES[0]),
            **STAY,
        )
        alpha = st.number_input(
            "alpha at first", -4.0, 4.0, step=0.5, key=begin("bilevel/alpha", START[0]), **STAY
        )
    with right:
        w_rate = st.number_input(
            "Rate of w", 0.001, 1.0, step=0.01, format="%g", key=begin("bilevel/w_rate", RATES[1]), **STAY
        )
        w = st.number_input("w at first", -4.0, 4.0, step=0.5, key=begin("bilevel/w", START[1]), **STAY)

info = bilevel(xi, steps, (alpha, w), (alpha_rate, w_rate))
with shown:
    st.header(info.question, anchor=False)
    if st.toggle("Zoom and hover", key=begin("bilevel/figure", False), **STAY):
        st.plotly_chart(bilevel_figure(info), alt=info.alt, config={"displaylogo": False})
    else:
        picture(bilevel_svg(info), "drawing")
    st.caption(info.basis)

with told:
    st.markdown(info.sentence)
    st.markdown(
        "**What to see.** The weights alone would always run to the green line, w = alpha: that is what training them "
        "to the end means. If alpha knew this, it would go to the optimum (1, 1). First order (xi = 0) treats w as "
        "fixed and comes to rest at (2, 2). Looking one step ahead pulls the rest to 2 / (1 + 2 xi): nearer with a "
        "small xi, exactly the optimum at 0.5, and past it beyond. So second order is not simply *more right*: it "
        "depends on xi, and in a network nobody knows the right one."
    )
with st.expander("The two losses and alpha's gradient", icon=":material/functions:"):
    for formula in FORMULAS:
        st.latex(formula)
