"""The settings of a search of architectures as a RunSpec: space, data, strategy, and whether to train or to look up."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer.catalogue import DATASETS, STRATEGIES, TRAINING, WARM_START, Entry
from explorer.export import key_says
from explorer.plots import scene_of
from explorer.plots.estimate import estimated_seconds
from explorer.plots.leaderboard import space_of
from explorer.plots.progress import duration, most_trials
from explorer.runs.spec import MAX_EPOCHS, MAX_TRIALS, RunSpec
from pages.widgets import examples
from pages.widgets.drawing import draw
from pages.widgets.parameter_form import STAY, begin, form
from pages.widgets.run_choices import picked_space, workers_and_seed
from pages.widgets.words import term

SPACE, DATASET, STRATEGY = "cell", "noisy-digits", "aging_evolution"
TRIALS, EPOCHS = 100, 3
LIVE, KEY = "local", "key"
_FILLED_FIRST = ("population_size", "initial")  # so many random architectures come before the strategy's own


def settings() -> RunSpec:
    """The form; every change is live, so that problems are said at once."""
    space = picked_space("nas", SPACE)
    dataset = st.selectbox(
        "Dataset",
        list(DATASETS),
        format_func=lambda name: DATASETS[name].label,
        key=begin("nas/dataset", DATASET),
        help=term("dataset"),
        **STAY,
    )
    entry = _strategy()
    strategy = form(entry.parameters, f"nas/{entry.name}", 2 if len(entry.parameters) > 1 else 1)
    executor, whole = _executor(space, dataset)
    trials, epochs = st.columns(2)
    with trials:
        count = st.number_input(
            "Trials", 1, MAX_TRIALS, key=begin("nas/trials", TRIALS), help=term("trial"), **STAY
        )
    with epochs:
        passes = _epochs(whole)
    given = {"strategy": strategy}
    title = "Training, workers and seed" if executor == LIVE else "Workers and seed"
    with st.expander(title, icon=":material/tune:"):
        workers, seed = workers_and_seed("nas")
        given["warm_start"] = _warm_start(entry)
        if executor == LIVE:
            given["training"] = form(TRAINING.parameters, "nas/training")
    return RunSpec(
        kind="nas",
        space=space,
        dataset=dataset,
        method={"strategy": entry.name},
        settings={group: values for group, values in given.items() if values},
        trials=int(count),
        epochs=passes,
        workers=workers,
        executor=executor,
        seed=seed,
    )


def _strategy() -> Entry:
    name = st.selectbox(
        "Strategy",
        list(STRATEGIES),
        format_func=lambda one: STRATEGIES[one].label,
        key=begin("nas/strategy", STRATEGY),
        help=term("strategy"),
        **STAY,
    )
    entry = STRATEGIES[name]
    st.caption(entry.summary + (f"  \n{entry.paper}." if entry.paper else ""))
    return entry


def _warm_start(entry: Entry) -> dict[str, Any]:
    """What the first proposals are, where the strategy would draw them at random."""
    if not entry.facts["warm"]:
        return {}
    proxy, *others = WARM_START.parameters
    named = st.selectbox(
        "Warm start",
        [None, *proxy.choices],
        format_func=lambda one: "none: begin at random" if one is None else f"the best of a pool by {one}",
        key=begin("nas/warm/proxy", None),
        help=term("warm start"),
        **STAY,
    )
    if named is None:
        return {}
    return {"proxy": named} | form(others, "nas/warm", 2)


def _executor(space: str | dict[str, Any], dataset: str) -> tuple[str, int | None]:
    """Where results come from, and the epochs of a whole training where the key fixes them."""
    key, why = key_says.answering(space, dataset)
    chosen = st.radio(
        "Each architecture is",
        [LIVE, KEY],
        format_func={LIVE: "trained live", KEY: "looked up in the answer key"}.__getitem__,
        key=begin(f"nas/executor/{key is not None}", LIVE),
        disabled=key is None,
        horizontal=True,
        help=term("answer key"),
        **STAY,
    )
    if key is None:
        if why:
            st.caption(f"Nothing can be looked up here. {why}")
        return LIVE, None
    if chosen == LIVE:
        return LIVE, None
    return KEY, key.epochs


def _epochs(whole: int | None) -> int:
    """The key's trainings have the length that they have."""
    if whole is None:
        return int(
            st.number_input(
                "Epochs", 1, MAX_EPOCHS, key=begin("nas/epochs", EPOCHS), help=term("epoch"), **STAY
            )
        )
    st.number_input("Epochs", value=whole, disabled=True, key="nas/key-epochs", help=term("epoch"))
    return whole


# -- around the form --------------------------------------------------------------------------------------------------


def forecast(spec: RunSpec) -> str:
    """What will happen, in a line or two: how many trainings of what length, about how long."""
    space = space_of(spec)
    if space is None:
        return ""
    entry = STRATEGIES[spec.method["strategy"]]
    count = most_trials(spec, space.size)
    share = f"Up to {count:,} trials in a space of {space.size:,}"
    if spec.executor == KEY:
        told = f"{share}; nothing is trained, so it takes **seconds**."
    else:
        seconds = estimated_seconds(spec)
        about = "an unknown time" if seconds is None else f"about **{duration(seconds)}**"
        length = f"at most {spec.epochs}" if entry.facts.get("partial") else f"{spec.epochs}"
        told = f"{share}, {length} {'epoch' if spec.epochs == 1 else 'epochs'} each: {about}."
    return told + _only_random(entry, spec)


def _only_random(entry: Entry, spec: RunSpec) -> str:
    """A warning where the strategy's own work would never begin."""
    values = entry.defaults() | spec.settings.get("strategy", {})
    first = max((values[name] for name in _FILLED_FIRST if name in values), default=0)
    if first < spec.trials:
        return ""
    return (
        f" The first {first:,} are drawn at random, so that with {spec.trials:,} trials this is random search; "
        "give more trials."
    )


def strategy_name(spec: RunSpec) -> str:
    """The strategy's label."""
    name = spec.method.get("strategy", "")
    return STRATEGIES[name].label if name in STRATEGIES else str(name)


def about_settings(spec: RunSpec) -> str:
    """What a run was asked for: what differs from the defaults, length, seed."""
    given = {**spec.settings.get("strategy", {}), **spec.settings.get("training", {})}
    each = f"{spec.epochs} epoch{'s' * (spec.epochs != 1)}"
    how = f"looked up in the answer key ({each})" if spec.executor == KEY else f"trained for {each}"
    parts = [f"{spec.trials:,} trials, each {how}"]
    parts += [f"{name.replace('_', ' ')} {value}" for name, value in given.items()]
    parts += _warmly(spec)
    return f"{', '.join([*parts, f'seed {spec.seed}'])}; everything else as usual."


def _warmly(spec: RunSpec) -> list[str]:
    """What a warm start was asked for; the settings of a recorded run are a stranger's."""
    given = spec.settings.get("warm_start", {})
    if not given or WARM_START.problems(given):
        return []
    warm = WARM_START.settings(given)
    return [f"begun with the best {warm['count']:,} of {warm['pool']:,} by {warm['proxy']}"]


def before_the_first(spec: RunSpec) -> None:
    """Nothing ran yet: what will be seen here, and the space as it is drawn."""
    with st.container(border=True):
        st.markdown("**Nothing is running here yet.**")
        st.markdown(
            "Press *Search*: the strategy proposes an architecture, learns how accurate it is, and proposes the next. "
            "You see how good the best is so far, which trials came from which, and where in the space they lie. You "
            "may close the page meanwhile; the run goes on, and *Runs* lists it."
        )
        for name in examples.names():
            if examples.page_of(name) == examples.PAGES["nas"]:
                st.page_link(
                    examples.PAGES["nas"],
                    label=f"See a finished example: {examples.titled(name)}",
                    icon=":material/history:",
                    query_params={"run": f"{examples.PREFIX}{name}"},
                )
    space = space_of(spec)
    if space is not None:
        draw(scene_of(space, None), with_legend=space.family != "macro")
