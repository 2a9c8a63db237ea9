"""The settings of a run of random architectures, with an estimate, as a RunSpec."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer.catalogue import DATASETS, SPACES, TRAINING
from explorer.errors import ExplorerError
from explorer.plots.estimate import estimated_seconds
from explorer.plots.progress import duration
from explorer.runs.spec import MAX_EPOCHS, MAX_TRIALS, RunSpec
from explorer.space import load_space, searchable
from pages.widgets.parameter_form import STAY, form
from pages.widgets.run_choices import workers_and_seed
from pages.widgets.words import term

QUICK = RunSpec(kind="random", space="notes-net", dataset="digits", trials=6, epochs=3)


def settings() -> RunSpec:
    """The form; every change is live, so that the estimate is."""
    plan = _plan()
    dataset = st.selectbox(
        "Dataset",
        list(DATASETS),
        format_func=lambda name: DATASETS[name].label,
        key="set/dataset",
        help=term("dataset"),
        **STAY,
    )
    st.caption(DATASETS[dataset].summary)
    trials, epochs = st.columns(2)
    with trials:
        if plan["architecture"] is None:
            count = st.number_input("Trials", 1, MAX_TRIALS, 8, key="set/trials", help=term("trial"), **STAY)
        else:
            count = st.number_input(
                "Seeds", 1, MAX_TRIALS, 3, key="set/seeds", help=term("error bar"), **STAY
            )
    with epochs:
        passes = st.number_input("Epochs", 1, MAX_EPOCHS, 3, key="set/epochs", help=term("epoch"), **STAY)
    with st.expander("Training, workers and seed", icon=":material/tune:"):
        workers, seed = workers_and_seed("set")
        training = form(TRAINING.parameters, "set/training")
    return RunSpec(
        kind="random",
        space=plan["space"],
        dataset=dataset,
        architecture=plan["architecture"],
        settings={"training": training} if training else {},
        trials=int(count),
        epochs=int(passes),
        workers=workers,
        seed=seed,
    )


def _plan() -> dict[str, Any]:
    """The space: a preset, or what the Search space page carried over."""
    carried = st.session_state.get("plan")
    own = carried if carried and not isinstance(carried["space"], str) else None
    options = [*searchable(), *(["carried"] if own else [])]
    begin = "carried" if own else carried["space"] if carried else "notes-net"
    space = st.selectbox(
        "Search space",
        options,
        options.index(begin) if begin in options else 0,
        format_func=lambda name: (
            SPACES[name].label if name in SPACES else str(own and own["space"].get("title"))
        ),
        key=f"set/space/{begin}",
        help=term("search space"),
        **STAY,
    )
    if space == begin and carried:
        if carried["architecture"]:
            made = ", ".join(f"{label}: {_said(choice)}" for label, choice in carried["architecture"].items())
            st.caption(f"Only this architecture: {made}")
            st.button("Search the whole space instead", on_click=_unpin, type="tertiary")
        return dict(carried)
    return {"space": space, "architecture": None}


def _unpin() -> None:
    st.session_state["plan"] = st.session_state["plan"] | {"architecture": None}


def _said(choice: Any) -> str:
    return (", ".join(map(str, choice)) or "off") if isinstance(choice, list | tuple) else str(choice)


def forecast(spec: RunSpec) -> str:
    """One line about what will happen: how many trainings, about how long."""
    try:
        size = load_space(spec.space).size
    except ExplorerError:
        return ""
    one = spec.architecture is not None
    seconds, epochs = estimated_seconds(spec), _count(spec.epochs, "epoch")
    about = f"about **{duration(seconds)}**" if seconds is not None else "an unknown time"
    if one:
        return f"1 architecture, {_count(spec.trials, 'seed')}, {epochs} each: {about}."
    whole = f" The space holds {size:,} only: all of them are trained." if spec.trials > size else ""
    return f"{_count(min(spec.trials, size), 'architecture')}, {epochs} each: {about}.{whole}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
