"""The settings of a race as a RunSpec: space, data, who races, how long and how often."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer.catalogue import DATASETS, SPACES, STRATEGIES
from explorer.export import key_says
from explorer.key import Key
from explorer.key.recipe import DATASETS as WITH_A_KEY
from explorer.key.table import available
from explorer.plots.leaderboard import space_of
from explorer.plots.progress import duration
from explorer.runs.race_checks import (
    DEFAULT,
    MOST_BUDGET,
    MOST_REPEATS,
    REPEATS,
    planned,
    seconds_of,
    seconds_problem,
    time_problem,
)
from explorer.runs.spec import MAX_SEED, RunSpec
from explorer.space import load_space
from pages.widgets import examples
from pages.widgets.parameter_form import STAY, begin, form
from pages.widgets.words import term

SPACE = "cell"
BUDGET = 100
BY_TRAININGS, BY_SECONDS = "trainings", "simulated seconds"
RACING = tuple(name for name, entry in STRATEGIES.items() if entry.facts["replay"] != "none")


def settings() -> RunSpec:
    """The form; every change is live, so that problems are said at once."""
    space = _space()
    dataset = st.selectbox(
        "Dataset",
        list(available() or WITH_A_KEY),
        format_func=lambda name: DATASETS[name].label,
        key="race/dataset",
        help=term("dataset"),
        **STAY,
    )
    names = st.multiselect(
        "Strategies",
        RACING,
        format_func=lambda name: STRATEGIES[name].label,
        key=begin("race/strategies", list(DEFAULT)),
        help=term("strategy"),
        **STAY,
    )
    unit = st.segmented_control(
        "Each search may spend",
        [BY_TRAININGS, BY_SECONDS],
        format_func=str.capitalize,
        key=begin("race/unit", BY_TRAININGS),
        help=term("simulated seconds"),
        required=True,
        **STAY,
    )
    left, right = st.columns(2)
    with left:
        budget, seconds = _budget(unit, space, dataset)
    repeats = right.number_input(
        "Repeats", 1, MOST_REPEATS, key=begin("race/repeats", REPEATS), help=term("repeat"), **STAY
    )
    with st.expander("Seed and the strategies' own settings", icon=":material/tune:"):
        seed = st.number_input("Seed", 0, MAX_SEED, key=begin("race/seed", 0), help=term("seed"), **STAY)
        own = _own(names)
    return RunSpec(
        kind="race",
        space=space,
        dataset=dataset,
        method={"strategies": names},
        settings={"race": {"repeats": int(repeats)} | seconds} | ({"strategies": own} if own else {}),
        trials=budget,
        seed=int(seed),
    )


def _budget(unit: str, space: str | dict[str, Any], dataset: str) -> tuple[int, dict[str, float]]:
    """Trainings, and the race's setting where simulated seconds end a search before them."""
    if unit == BY_TRAININGS:
        given = st.number_input(
            "Trainings",
            1,
            MOST_BUDGET,
            key=begin("race/budget", BUDGET),
            help=term("whole training"),
            **STAY,
        )
        return int(given), {}
    mean = _training_seconds(space, dataset)
    seconds = st.number_input(
        "Simulated seconds",
        0.01,
        1e6,
        key=begin("race/seconds", float(max(1, round(BUDGET * mean)))),
        step=10.0,
        help=term("simulated seconds"),
        **STAY,
    )
    read = load_space(space)
    return min(MOST_BUDGET, read.size), {"seconds": float(seconds)}


def _training_seconds(space: str | dict[str, Any], dataset: str) -> float:
    """What a training of the key takes on average; 1 without a key."""
    key, _ = key_says.answering(space, dataset)
    return 1.0 if key is None else float(key.seconds.mean())


def _space() -> str | dict[str, Any]:
    """The cell space, or the cells that the Search space page carried over."""
    carried = st.session_state.get("plan")
    own = carried["space"] if carried and not isinstance(carried["space"], str) else None
    options = [SPACE] + (["carried"] if own else [])
    name = st.selectbox(
        "Search space",
        options,
        len(options) - 1,
        format_func=lambda one: (
            SPACES[one].label if one in SPACES else str((own and own.get("title")) or "Your space")
        ),
        key=f"race/space/{options[-1]}",
        help=term("search space"),
        **STAY,
    )
    return own if own and name == "carried" else SPACE


def _own(names: list[str]) -> dict[str, Any]:
    """Strategy -> its parameters where they are not the defaults."""
    found: dict[str, Any] = {}
    for name in names:
        entry = STRATEGIES[name]
        if entry.parameters:
            st.markdown(f"**{entry.label}**", help=entry.summary)
            values = form(entry.parameters, f"race/{name}", 2 if len(entry.parameters) > 1 else 1)
            found |= {name: values} if values else {}
    return found


# -- around the form --------------------------------------------------------------------------------------------------


def key_of(spec: RunSpec) -> tuple[Key | None, str]:
    """The key that this race would be run on; None, and why in one sentence."""
    return key_says.answering(spec.space, spec.dataset)


def problems(spec: RunSpec) -> list[str]:
    """What keeps the race from being started, the key aside."""
    found = list(spec.problems())
    space = space_of(spec)
    if space is not None and spec.trials > space.size:
        found.append(
            f"{spec.trials:,} trainings are more than the {space.size:,} cells of this space; give fewer."
        )
    key, _ = key_of(spec)
    seconds = seconds_of(spec)
    if key is not None and seconds is not None:
        found.append(seconds_problem(seconds, float(key.seconds.max()), float(key.seconds.mean())))
    if not any(found):
        found.append(
            time_problem(spec.method["strategies"], _trainings(spec), spec.settings["race"]["repeats"])
        )
    return [sentence for sentence in found if sentence]


def _trainings(spec: RunSpec) -> float:
    """About how many trainings a search has."""
    seconds = seconds_of(spec)
    if seconds is None:
        return spec.trials
    return min(spec.trials, seconds / _training_seconds(spec.space, spec.dataset))


def forecast(spec: RunSpec) -> str:
    """How long it takes, who steps all repeats at once, how many fit of the others, and whom they are compared with."""
    names, repeats = spec.method["strategies"], spec.settings["race"]["repeats"]
    fitting, seconds = planned(names, _trainings(spec), repeats)
    quick = [STRATEGIES[name].label for name in names if STRATEGIES[name].facts["replay"] == "lanes"]
    slow = [name for name in names if STRATEGIES[name].facts["replay"] == "asked"]
    told = [f"Nothing is trained: about **{duration(seconds)}**."]
    if seconds_of(spec) is not None:
        told.append(
            f"The seconds are worth about {_trainings(spec):,.0f} trainings; short ones count as well."
        )
    if quick:
        verb = "runs" if len(quick) == 1 else "run"
        told.append(f"{_listed(quick)} {verb} all {repeats:,} repeats at once.")
    if slow:
        many = [f"{STRATEGIES[name].label} {fitting[name]:,}" for name in slow]
        told.append(f"Asked step by step, as many repeats as fit: {_listed(many)}, by estimate.")
    if "random" not in names:
        told.append("Without Random nothing will say whether these beat random search.")
    elif repeats < 2:
        told.append("One repeat is an anecdote: give at least 2 to compare strategies.")
    return " ".join(told)


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def before_the_first(ready: bool) -> None:
    """Nothing raced yet: what will be seen here, and what can be done meanwhile where no key answers."""
    with st.container(border=True):
        st.markdown("**Is any strategy better than random search here?**", help=term("random search"))
        st.markdown(
            "One search proves nothing: luck decides much of it. A race lets each strategy search the same space many "
            "times. Trainings are looked up in the answer key instead of done, so that hundreds of searches take "
            "seconds, and the key knows how good the found cells really are."
        )
        if ready:
            st.markdown(
                "Press *Race*: you see how good each gets after how many trainings, from when on it is ahead of random "
                "search with 95 % confidence, and at which true rank its searches end."
            )
        else:
            st.page_link(
                examples.PAGES["nas"],
                label="Meanwhile: watch one search train live",
                icon=":material/family_history:",
            )
        for name in examples.names():
            if examples.page_of(name) == examples.PAGES["race"]:
                st.page_link(
                    examples.PAGES["race"],
                    label=f"See a finished example: {examples.titled(name)}",
                    icon=":material/history:",
                    query_params={"run": f"{examples.PREFIX}{name}"},
                )
