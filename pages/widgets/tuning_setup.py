"""The settings of a run of hyper-parameter optimisation in three steps, as a RunSpec; every default is a good run."""

from __future__ import annotations

import io
import math
import zipfile
from dataclasses import replace
from typing import Any

import streamlit as st

from explorer.catalogue import ASSESSORS, DATASETS, MLP, OBJECTIVES, SPACES, TRAINING, TUNERS
from explorer.errors import ExplorerError
from explorer.export.nni_experiment import experiment_files
from explorer.hyper import HyperSpace
from explorer.hyper.tuner_rules import tuners_for
from explorer.plots import scene_of
from explorer.plots.estimate import estimated_seconds
from explorer.plots.leaderboard import space_of
from explorer.plots.progress import duration
from explorer.runs.spec import MAX_EPOCHS, MAX_SEED, MAX_TRIALS, MAX_WORKERS, RunSpec
from explorer.runs.tuning_checks import hyper_of
from explorer.space import load_space
from pages.widgets import desk, examples, run_actions, runs_at_hand
from pages.widgets import search_space_editor as editor
from pages.widgets.drawing import draw
from pages.widgets.parameter_form import STAY, begin, form
from pages.widgets.place import limits
from pages.widgets.tuning_widgets import back_to_defaults, take_over, take_settings
from pages.widgets.words import term

TRIALS, EPOCHS = 20, 10
LOOK_SECONDS = 0.015  # one prediction of Curvefitting; measured in benchmarks/curvefitting.py
NNI_START_SECONDS, NNI_TRIAL_SECONDS = 8.0, 4.0  # a real experiment starts a process a trial
MLP_EPOCH_SECONDS = 0.02  # measured with 64 hidden units on digits, one core


def settings() -> tuple[RunSpec, list[str]]:
    """The form, and what is wrong with it; every change is live, so that problems are said at once."""
    if st.session_state.pop(editor.CLOSE, False):
        st.session_state[editor.OPEN] = False
    problems: list[str] = []
    what = _what_to_improve(problems)
    what["search_space"] = _what_to_tune(what["objective"])
    how = _how(RunSpec(kind="hpo", **what))
    st.button("Back to the defaults", type="tertiary", icon=":material/undo:", on_click=back_to_defaults)
    spec = RunSpec(kind="hpo", **what, **how)
    typed = editor.problem()
    return spec, [*problems, *([typed] if typed else []), *spec.problems()]


# -- step 1 -----------------------------------------------------------------------------------------------------------


def _what_to_improve(problems: list[str]) -> dict[str, Any]:
    st.markdown("**1 · What to improve**")
    objective = st.selectbox(
        "Objective",
        list(OBJECTIVES),
        format_func=lambda name: OBJECTIVES[name].label,
        key="hpo/objective",
        help=term("objective"),
        **STAY,
    )
    entry = OBJECTIVES[objective]
    st.caption(entry.summary)
    found: dict[str, Any] = {"objective": objective, "epochs": 1}
    if entry.facts["trains"]:
        found["dataset"] = st.selectbox(
            "Dataset",
            list(DATASETS),
            format_func=lambda name: DATASETS[name].label,
            key="hpo/dataset",
            help=term("dataset"),
            **STAY,
        )
    if objective == "train":
        found |= _network(problems)
    if entry.facts["intermediate"]:
        found["epochs"] = int(
            st.number_input(
                "Epochs", 1, MAX_EPOCHS, key=begin("hpo/epochs", EPOCHS), help=term("epoch"), **STAY
            )
        )
    return found


def _network(problems: list[str]) -> dict[str, Any]:
    """The space, and whether its choices are tuned along or one architecture is pinned."""
    carried = st.session_state.get("plan")
    own = carried if carried and not isinstance(carried["space"], str) else None
    options = [name for name in SPACES if name != "notes-net-as-written"] + (["carried"] if own else [])
    first = "carried" if own else carried["space"] if carried and carried["space"] in options else "notes-net"
    name = st.selectbox(
        "Network",
        options,
        options.index(first),
        format_func=lambda one: (
            SPACES[one].label if one in SPACES else str(own and own["space"].get("title"))
        ),
        key=f"hpo/space/{first}",
        help=term("search space"),
        **STAY,
    )
    reference = own["space"] if own and name == "carried" else name
    pinned = carried["architecture"] if carried and carried["architecture"] and name == first else None
    joint = st.checkbox(
        "Tune its layers and skips too",
        pinned is None,
        key=f"hpo/joint/{first}",
        help=term("joint space"),
        **STAY,
    )
    if joint:
        return {"space": reference}
    space = load_space(reference)
    code = st.text_input(
        "Architecture",
        space.code(pinned or desk.first_pin(space)),
        key=f"hpo/code/{name}",
        help="The code of one architecture; the page Search space shows it.",
        **STAY,
    )
    try:
        return {"space": reference, "architecture": space.from_code(code.strip()).to_json()}
    except ExplorerError as problem:
        problems.append(str(problem))
        return {"space": reference, "architecture": desk.first_pin(space).to_json()}


# -- step 2 -----------------------------------------------------------------------------------------------------------


def _what_to_tune(objective: str) -> dict[str, Any]:
    st.markdown("**2 · What to tune**")
    space = editor.current(objective)
    editor.summary(space)
    with st.container(horizontal=True):
        st.toggle("Edit", key=editor.OPEN, help="Form and search_space.json, side by side on the right.")
        editor.paste_button(take_over)
    return space


# -- step 3 -----------------------------------------------------------------------------------------------------------


def _how(spec: RunSpec) -> dict[str, Any]:
    st.markdown("**3 · How to search**")
    hyper, _ = hyper_of(spec)
    able = tuners_for(hyper) if hyper is not None else tuple(TUNERS)
    name = st.selectbox(
        "Tuner",
        [name for name, entry in TUNERS.items() if entry.facts["available"]],
        format_func=lambda one: _named(one) + ("" if one in able else " – not for this space"),
        key="hpo/tuner",
        help=term("tuner"),
        **STAY,
    )
    tuner = TUNERS[name]
    st.caption(tuner.summary)
    given: dict[str, dict[str, Any]] = {}
    with st.expander("Tuner settings", icon=":material/tune:"):
        given["tuner"] = form(tuner.parameters, f"hpo/tuner/{name}")
        _not_here()
    traps = st.container()
    assessor = _assessor(spec, tuner.facts["advisor"])
    with traps:
        _traps(spec, hyper, name, given["tuner"], assessor)
    if assessor != "none":
        with st.expander("Assessor settings", icon=":material/tune:"):
            given["assessor"] = form(ASSESSORS[assessor].parameters, f"hpo/assessor/{assessor}")
    trials, workers = st.columns(2)
    most = limits().workers or MAX_WORKERS
    with trials:
        count = st.number_input(
            "Trials", 1, MAX_TRIALS, key=begin("hpo/trials", TRIALS), help=term("trial"), **STAY
        )
    with workers:
        at_once = st.number_input(
            "Workers",
            1,
            most,
            disabled=most == 1,
            key=begin("hpo/workers", min(2, most)),
            help=term("worker"),
            **STAY,
        )
    with st.expander("Training, seed and executor", icon=":material/tune:"):
        seed = st.number_input("Seed", 0, MAX_SEED, key=begin("hpo/seed", 0), help=term("seed"), **STAY)
        executor = st.selectbox(
            "Executor",
            ["local", "nni"] if limits().mode != "cloud" else ["local"],
            format_func=lambda one: {"local": "Here, in worker processes", "nni": "A real NNI experiment"}[
                one
            ],
            key="hpo/executor",
            help=term("executor"),
            **STAY,
        )
        if OBJECTIVES[spec.objective].facts["trains"]:
            tuned = set() if hyper is None else set(hyper.names)
            entries = (TRAINING, MLP) if spec.objective == "mlp" else (TRAINING,)
            fixed = [one for entry in entries for one in entry.parameters if one.name not in tuned]
            given["training"] = form(fixed, "hpo/training")
    return {
        "method": {"tuner": name, "assessor": assessor},
        "settings": {group: values for group, values in given.items() if values},
        "trials": int(count),
        "workers": int(at_once),
        "seed": int(seed),
        "executor": executor,
    }


def _named(tuner: str) -> str:
    """NNI's name, and what it stands for where that says more."""
    label = TUNERS[tuner].label
    return tuner if label.replace(" ", "").lower() == tuner.lower() else f"{tuner} · {label}"


def _assessor(spec: RunSpec, advisor: bool) -> str:
    """Which assessor; none where it would have nothing to say."""
    why = None
    if not OBJECTIVES[spec.objective].facts["intermediate"]:
        why = "This objective reports nothing in between, so there is nothing to assess."
    elif advisor:
        why = "This tuner decides itself how long each trial runs, so no assessor stands beside it."
    if why:
        st.selectbox("Assessor", [ASSESSORS["none"].label], disabled=True, help=why, key="hpo/assessor/none")
        st.caption(why)
        return "none"
    names = [name for name in ASSESSORS if name != "Curvefitting" or spec.optimize_mode == "maximize"]
    first = "Curvefitting" if "Curvefitting" in names and spec.epochs > 6 else "none"
    if st.session_state.get("hpo/assessor") not in names:
        st.session_state["hpo/assessor"] = first
    name = st.selectbox(
        "Assessor",
        names,
        format_func=lambda one: ASSESSORS[one].label,
        key="hpo/assessor",
        help=term("assessor"),
        **STAY,
    )
    st.caption(ASSESSORS[name].summary)
    return name


def _not_here() -> None:
    """The tuners of NNI that cannot be used, each with the reason."""
    lines = [
        f"- **{name}**: {entry.facts['reason']}"
        for name, entry in TUNERS.items()
        if not entry.facts["available"]
    ]
    if lines:
        st.caption("Not available here:\n" + "\n".join(lines))


def _traps(spec: RunSpec, hyper: HyperSpace | None, tuner: str, given: dict[str, Any], assessor: str) -> None:
    """What NNI does silently, what is done about it here, and where the switch is."""
    told = []
    parameters = {parameter.name for parameter in TUNERS[tuner].parameters}
    if "duplicates" in parameters and hyper is not None and hyper.size is not None:
        told.append(
            f"This space holds {hyper.size:,} points. NNI answers a repeated suggestion with the next grid point, "
            "which spoils the search; here it draws again. *duplicates* = grid is NNI's way."
        )
    if tuner == "TPE" and given.get("optimize_mode") is None and spec.optimize_mode == "maximize":
        told.append(
            "NNI's TPE minimises unless told otherwise; here it is told to maximise. *optimize mode* is the switch."
        )
    if "early_stopped" in parameters and assessor != "none":
        told.append(
            "As in NNI, the tuner learns nothing of early stopped trials."
            if given.get("early_stopped") == "ignore"
            else "NNI's tuners learn nothing of early stopped trials; here they are told the last value. "
            "*early stopped* = ignore is NNI's way."
        )
    elif given.get("optimize_mode") and given["optimize_mode"] != spec.optimize_mode:
        told.append("This looks for the worst value of the objective, not the best: *optimize mode* says so.")
    if TUNERS[tuner].facts["advisor"]:
        eta = given.get("eta") or 3
        rungs = int(math.log(max(1, spec.epochs), eta) + 1e-9)
        told.append(
            f"With {spec.epochs} epochs its first bracket alone begins with {eta**rungs} trials of few epochs; "
            "ask for several times as many, or the long trials never come."
        )
    for sentence in told:
        st.caption(f":material/info: {sentence}")


# -- around the form --------------------------------------------------------------------------------------------------


def forecast(spec: RunSpec) -> str:
    """One line about what will happen: how many trials, about how long at most."""
    seconds = _seconds(spec)
    about = f"about **{duration(seconds)}**" if seconds is not None else "an unknown time"
    stopping = ", less what is stopped early" if spec.method.get("assessor") != "none" else ""
    each = f", {spec.epochs} epochs each" if OBJECTIVES[spec.objective].facts["intermediate"] else ""
    return f"{spec.trials:,} trials{each}: {about}{stopping}."


def _seconds(spec: RunSpec) -> float | None:
    """A trial's own time by the estimate of its network; a tuner's thinking comes on top."""
    thinking = spec.trials * float(TUNERS[spec.method["tuner"]].facts["seconds"])
    if spec.method["assessor"] == "Curvefitting":
        thinking += spec.trials * spec.epochs * LOOK_SECONDS
    if spec.executor == "nni":
        thinking += NNI_START_SECONDS + spec.trials * NNI_TRIAL_SECONDS / max(1, spec.workers)
    if spec.objective == "train":
        trained = estimated_seconds(replace(spec, architecture=spec.architecture or _some(spec)))
        return None if trained is None else trained + thinking
    each = MLP_EPOCH_SECONDS * spec.epochs if spec.objective == "mlp" else 0.01
    return 1.0 + thinking + each * spec.trials / max(1, spec.workers)


def _some(spec: RunSpec) -> dict[str, Any] | None:
    try:
        return load_space(spec.space).default.to_json()
    except ExplorerError:
        return None


def before_the_first(spec: RunSpec) -> None:
    """Nothing ran yet: what will be seen here, and what is about to be tuned."""
    with st.container(border=True):
        st.markdown("**Nothing is running here yet.**")
        st.markdown(
            "Press *Start*: a tuner proposes settings, each is trained in a process of its own, and its curve "
            "appears here within seconds. With an assessor, what will not come to anything is stopped early, and the "
            "lens below the curves shows why, and whether that was right."
        )
        for name in examples.names():
            if examples.page_of(name) == examples.PAGES["hpo"]:
                st.page_link(
                    examples.PAGES["hpo"],
                    label="See a finished example",
                    icon=":material/history:",
                    query_params={"run": f"{examples.PREFIX}{name}"},
                )
    space = space_of(spec) if spec.trains_network else None
    if space is not None:
        draw(scene_of(space, spec.architecture), with_legend=space.family == "cell")


def take_away(run_id: str) -> None:
    """The run as NNI's own experiment, and as a recorded run."""
    state = runs_at_hand.state(run_id)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Use these settings",
            icon=":material/tune:",
            on_click=take_settings,
            args=(state.spec,),
            help="Puts this run's settings into the form on the left.",
        )
        st.download_button(
            "As an NNI experiment",
            lambda: zipped(state.spec),
            f"{run_id}-nni.zip",
            "application/zip",
            on_click="ignore",
            icon=":material/download:",
            help="config.yml, search_space.json, trial.py and run.py: what NNI itself starts.",
        )
        if examples.is_example(run_id):
            return
        st.download_button(
            "Recorded run",
            lambda: run_actions.recorded(run_id),
            f"{run_id}.jsonl.gz",
            "application/gzip",
            on_click="ignore",
            icon=":material/download:",
            help=term("recorded run"),
        )


def zipped(spec: RunSpec) -> bytes:
    """The exported experiment's files in one archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in experiment_files(spec).items():
            archive.writestr(name, text)
    return file.getvalue()
