"""What a configuration or an earlier run says, put into the widgets of the set-up; what does not fit is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from explorer.catalogue import ASSESSORS, MLP, TRAINING, TUNERS, Parameter, Registry
from explorer.hyper import DEFAULT_SPACES
from explorer.hyper.config import ConfigReading
from explorer.runs.spec import MAX_EPOCHS, MAX_SEED, MAX_TRIALS, MAX_WORKERS, RunSpec
from pages.widgets import search_space_editor as editor
from pages.widgets.place import limits

_REGISTRIES: Mapping[str, Registry] = {"tuner": TUNERS, "assessor": ASSESSORS}


def take_over(reading: ConfigReading) -> None:
    """Put what a configuration says into the form; groups that it names begin from their defaults."""
    left: list[str] = []
    if reading.search_space is not None:
        editor.lay(reading.search_space)
    taken = ["the search space"] if reading.search_space is not None else []
    for group, found in (("tuner", reading.tuner), ("assessor", reading.assessor)):
        if found is not None and _use(group, found.name, found.settings, left):
            taken.append(found.name)
    epochs = reading.assessor.settings.get("epoch_num") if reading.assessor is not None else None
    numbers = {"trials": reading.trials, "workers": reading.workers, "seed": reading.seed, "epochs": epochs}
    taken += [f"{value} {name}" for name, value in numbers.items() if _number(name, value, left)]
    st.session_state[editor.PASTE] = False
    st.toast(f"Taken over: {', '.join(taken) or 'nothing'}.", icon=":material/content_paste:")
    if left:
        st.toast(f"Left out: {' '.join(left)}"[:600], icon=":material/warning:")
    if reading.optimize_mode == "minimize":
        told = "The configuration minimises; an accuracy minimised is the worst network."
        st.toast(told, icon=":material/warning:")


def take_settings(spec: RunSpec) -> None:
    """Put a run's settings into the form, so that the next run begins where it began."""
    left: list[str] = []
    st.session_state["hpo/objective"] = spec.objective
    st.session_state["hpo/dataset"] = spec.dataset
    st.session_state["hpo/executor"] = spec.executor
    if spec.objective == "train":
        st.session_state["plan"] = {"space": spec.space, "architecture": spec.architecture}
    st.session_state[editor.OF] = spec.objective
    editor.lay(spec.search_space or DEFAULT_SPACES[spec.objective])
    for group in _REGISTRIES:
        _use(group, str(spec.method[group]), spec.settings.get(group, {}), left)
    training = spec.settings.get("training", {})
    for parameter in (*TRAINING.parameters, *MLP.parameters):
        st.session_state[f"hpo/training/{parameter.name}"] = training.get(parameter.name, parameter.default)
    for name in ("trials", "workers", "seed", "epochs"):
        _number(name, getattr(spec, name), left)
    st.toast("The form now holds this run's settings.", icon=":material/tune:")


def back_to_defaults() -> None:
    """Forget everything that was set."""
    for key in [key for key in st.session_state if str(key).startswith("hpo/")]:
        del st.session_state[key]
    st.session_state.pop("plan", None)


def _use(group: str, name: str, settings: Mapping[str, Any], left: list[str]) -> bool:
    """Choose a tuner or an assessor with these settings, all others at their defaults."""
    entry = _REGISTRIES[group].get(name)
    if entry is None or not entry.facts.get("available", True):
        left.append(f"{name} is not available here.")
        return False
    st.session_state[f"hpo/{group}"] = name
    for parameter in entry.parameters:
        value = settings.get(parameter.name, parameter.default)
        problem = parameter.problem(value)
        if problem:
            left.append(problem)
        st.session_state[f"hpo/{group}/{name}/{parameter.name}"] = (
            parameter.default if problem else _kind(parameter, value)
        )
    return True


def _kind(parameter: Parameter, value: Any) -> Any:
    """A number as its widget holds it."""
    return float(value) if parameter.kind == "float" and value is not None else value


def _number(name: str, value: Any, left: list[str]) -> bool:
    """Set a whole number of the form, where it can be."""
    most = {
        "trials": MAX_TRIALS,
        "workers": limits().workers or MAX_WORKERS,
        "seed": MAX_SEED,
        "epochs": MAX_EPOCHS,
    }[name]
    if value is None:
        return False
    if (
        isinstance(value, bool)
        or not isinstance(value, int)
        or not (name == "seed" or value)
        or not 0 <= value <= most
    ):
        left.append(f"{name} is {value!r:.40}; at most {most:,} are taken here.")
        return False
    st.session_state[f"hpo/{name}"] = value
    return True
