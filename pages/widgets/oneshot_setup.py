"""The settings of a one-shot search as a RunSpec; every default is a good search that ends within seconds."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer.catalogue import (
    DATASETS,
    METHODS,
    ONESHOT_ENGINES,
    SELECTION_RULES,
    TRAINING,
    Parameter,
)
from explorer.errors import ExplorerError
from explorer.plots import scene_of
from explorer.plots.leaderboard import space_of
from explorer.plots.progress import duration
from explorer.runs.oneshot_checks import selection_of, serving
from explorer.runs.spec import MAX_EPOCHS, MAX_SEED, RunSpec
from explorer.space import SearchSpace, load_space, supernet_problems
from pages.widgets import examples, run_actions, runs_at_hand
from pages.widgets.drawing import draw
from pages.widgets.parameter_form import STAY, begin, form
from pages.widgets.run_choices import picked_space
from pages.widgets.words import term

EPOCHS = 100
DATASET = "noisy-digits"
SPACE = "cell"
# Measured on one thread of a shared machine, seconds of one epoch of 250 images in the space `cell`; a guess, said so.
EPOCH_SECONDS = {"darts": 0.06, "gumbel": 0.06, "gdas": 0.03, "enas": 0.15, "spos": 0.05}
_OFTEN = ("order", "alpha_learning_rate", "temperature_start", "temperature_end", "controller_steps")


def settings() -> RunSpec:
    """The form; every change is live, so that problems are said at once."""
    space = picked_space("oneshot", SPACE)
    dataset = st.selectbox(
        "Dataset",
        list(DATASETS),
        format_func=lambda name: DATASETS[name].label,
        key=begin("oneshot/dataset", DATASET),
        help=term("dataset"),
        **STAY,
    )
    method = _method(space)
    epochs = st.number_input(
        "Epochs of the search",
        1,
        MAX_EPOCHS,
        key=begin("oneshot/epochs", EPOCHS),
        help=term("epoch"),
        **STAY,
    )
    given: dict[str, dict[str, Any]] = {}
    often, rarely = _sorted(METHODS[method].parameters)
    given["method"] = form(often, f"oneshot/{method}", 2 if len(often) > 1 else 1)
    with st.expander("All settings of the method", icon=":material/tune:"):
        given["method"] |= form(rarely, f"oneshot/{method}")
    chosen: dict[str, Any] = {"method": method}
    with st.expander("Derivation, engine and seed", icon=":material/tune:"):
        chosen |= _rule_and_engine(space, dataset, method)
        rule = selection_of(RunSpec(kind="oneshot", space=space, dataset=dataset, method=chosen))
        if rule is not None:
            given["selection"] = form(SELECTION_RULES[rule].parameters, f"oneshot/rule/{rule}")
        seed = st.number_input("Seed", 0, MAX_SEED, key=begin("oneshot/seed", 0), help=term("seed"), **STAY)
    with st.expander("Retraining", icon=":material/replay:"):
        st.caption("How the derived architecture and its rivals are trained from scratch afterwards.")
        given["training"] = form(TRAINING.parameters, "oneshot/training")
    return RunSpec(
        kind="oneshot",
        space=space,
        dataset=dataset,
        method=chosen,
        settings={group: values for group, values in given.items() if values},
        epochs=int(epochs),
        seed=int(seed),
    )


def _method(space: str | dict[str, Any]) -> str:
    able = _able(space)
    name = st.selectbox(
        "Method",
        list(METHODS),
        format_func=lambda one: METHODS[one].label + ("" if one in able else " – not for this space"),
        key="oneshot/method",
        help=term("one-shot"),
        **STAY,
    )
    st.caption(METHODS[name].summary)
    return str(name)


def _able(space: str | dict[str, Any]) -> tuple[str, ...]:
    try:
        return serving(load_space(space))
    except ExplorerError:
        return tuple(METHODS)  # the problem is said below the button


def _sorted(parameters: tuple[Parameter, ...]) -> tuple[list[Parameter], list[Parameter]]:
    """What is often changed, and the rest."""
    often = [parameter for parameter in parameters if parameter.name in _OFTEN]
    return often, [parameter for parameter in parameters if parameter not in often]


def _rule_and_engine(space: Any, dataset: str, method: str) -> dict[str, Any]:
    usual = selection_of(RunSpec(kind="oneshot", space=space, dataset=dataset, method={"method": method}))
    rules = ["usual", *SELECTION_RULES]
    rule = st.selectbox(
        "Derivation",
        rules,
        format_func=lambda one: (
            f"As usual: {SELECTION_RULES[usual].label if usual else '?'}"
            if one == "usual"
            else SELECTION_RULES[one].label
        ),
        key="oneshot/selection",
        help=term("derive"),
        **STAY,
    )
    if rule != "usual":
        st.caption(SELECTION_RULES[rule].summary)
    engine = st.selectbox(
        "Engine",
        list(ONESHOT_ENGINES),
        format_func=lambda one: ONESHOT_ENGINES[one].label,
        key="oneshot/engine",
        help="Whose code searches: this app's own, or NNI's, to compare.",
        **STAY,
    )
    st.caption(ONESHOT_ENGINES[engine].summary)
    return {"engine": engine} | ({} if rule == "usual" else {"selection": rule})


# -- around the form --------------------------------------------------------------------------------------------------


def method_name(spec: RunSpec) -> str:
    """The method's label, with NNI's name where NNI does it."""
    name = spec.method.get("method", "darts")
    label = METHODS[name].label if name in METHODS else str(name)
    return f"{label} by NNI" if spec.method.get("engine") == "nni" else label


def about_settings(spec: RunSpec) -> str:
    """What a run was asked for, beyond method, space and dataset: what differs from the defaults, seed and parent."""
    given = {**spec.settings.get("method", {}), **spec.settings.get("selection", {})}
    parts = [f"{spec.epochs} epochs", *(f"{name.replace('_', ' ')} {value}" for name, value in given.items())]
    if "selection" in spec.method:
        parts.append(f"derivation by {spec.method['selection']}")
    parts.append(f"seed {spec.seed}")
    if spec.parent is not None:
        parts.append(f"branched from {spec.parent} at step {spec.from_step}")
    return f"{', '.join(parts)}; everything else as usual."


def forecast(spec: RunSpec) -> str:
    """One line about what will happen."""
    space = space_of(spec)
    if space is None or supernet_problems(space):
        return ""
    held = f"One supernet for all {space.size:,} architectures, {spec.epochs} epochs"
    known = EPOCH_SECONDS.get(spec.method.get("method", "darts"))
    facts = DATASETS[spec.dataset].facts
    if known is None or spec.space != SPACE or facts["side"] != 8 or spec.method.get("engine") == "nni":
        return f"{held}."
    seconds = 2.0 + known * spec.epochs * facts["train"] / 500
    return f"{held}: about **{duration(seconds)}**."


def before_the_first(spec: RunSpec) -> None:
    """Nothing ran yet: what will be seen here, and the space as it is drawn."""
    with st.container(border=True):
        st.markdown("**Nothing is running here yet.**")
        st.markdown(
            "Press *Search*: one network with every candidate is trained, and within seconds the probabilities of its "
            "candidates appear here and move. At the end an architecture is derived; *Retrain* then trains it and "
            "random ones from scratch, which alone tells whether the search was worth it."
        )
        for name in examples.names():
            if examples.page_of(name) == examples.PAGES["oneshot"]:
                st.page_link(
                    examples.PAGES["oneshot"],
                    label=f"See a finished example: {examples.titled(name)}",
                    icon=":material/history:",
                    query_params={"run": f"{examples.PREFIX}{name}"},
                )
    space: SearchSpace | None = space_of(spec)
    if space is not None:
        draw(scene_of(space, None), with_legend=space.family != "macro")


def take_away(run_id: str) -> None:
    """The whole run as a file."""
    state = runs_at_hand.state(run_id)
    if examples.is_example(run_id):
        return
    st.download_button(
        "Recorded run",
        lambda: run_actions.recorded(state.run_id),
        f"{state.run_id}.jsonl.gz",
        "application/gzip",
        on_click="ignore",
        icon=":material/download:",
        help=term("recorded run"),
    )
