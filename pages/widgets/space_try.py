"""Try the pinned architecture where it stands: a short real training, its accuracy beside the drawing."""

from __future__ import annotations

import statistics

import streamlit as st

from explorer.catalogue import DATASETS
from explorer.errors import CodecError, NotFound
from explorer.jobs import launch
from explorer.plots.estimate import estimated_seconds
from explorer.plots.leaderboard import space_of
from explorer.plots.progress import duration
from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState
from explorer.space import Architecture, SearchSpace, space_reference
from pages.widgets import examples, run_actions, runs_at_hand
from pages.widgets.navigation import one_sentence
from pages.widgets.place import limits, store, visitor
from pages.widgets.words import percent, term

TRIED = "space_tried"
SEEDS, EPOCHS, DATASET = 3, 3, "digits"
TRIALS = 20  # of the forecast for a search
POLL_SECONDS = 0.5


def spec_of(space: SearchSpace, architecture: Architecture | None, trials: int) -> RunSpec:
    """A short run: this architecture with some seeds, or so many at random."""
    most = limits().workers or 2
    return RunSpec(
        kind="random",
        space=space_reference(space),
        dataset=DATASET,
        architecture=None if architecture is None else architecture.to_json(),
        trials=trials,
        epochs=EPOCHS,
        workers=min(2, most),
    )


def forecast(space: SearchSpace) -> str:
    """How long it would take to try 20 of the space here, guessed; "" where there is nothing to choose."""
    if space.size < 2:
        return ""
    seconds = estimated_seconds(spec_of(space, None, min(TRIALS, space.size)))
    count = min(TRIALS, space.size)
    if seconds is None:
        return ""
    each = f"{EPOCHS} epochs each on {DATASETS[DATASET].label}"
    return f"To try {count} of them here, {each}: about **{duration(seconds)}**."


def button(space: SearchSpace, architecture: Architecture, blocked: bool) -> None:
    """Train the pinned architecture now, beside its drawing."""
    pressed = st.button(
        "Evaluate this architecture",
        icon=":material/science:",
        disabled=blocked,
        help=f"Train it from scratch here: {SEEDS} seeds, {EPOCHS} epochs each on {DATASETS[DATASET].label}.",
    )
    if not pressed:
        return

    def start() -> None:
        """Queue it, and watch it here."""
        run = spec_of(space, architecture, SEEDS)
        st.session_state[TRIED] = launch.start_run(store(), run, visitor())

    run_actions.tried(start)


def result() -> None:
    """What was tried last: alive while it trains."""
    run_id = st.session_state.get(TRIED)
    if run_id is None:
        return
    try:
        alive = not runs_at_hand.state(run_id).is_over
    except (NotFound, CodecError):
        st.session_state.pop(TRIED, None)
        return

    def watched() -> None:
        """While it lives this alone is drawn again."""
        with one_sentence():
            state = runs_at_hand.state(run_id)
            _told(state)
            if state.is_over and alive:
                st.rerun()

    st.fragment(watched, run_every=POLL_SECONDS if alive else None)()


def _told(state: RunState) -> None:
    space = space_of(state.spec)
    code = space.code(state.spec.architecture) if space and state.spec.architecture else ""
    done = [trial.value for trial in state.trials.values() if trial.value is not None]
    epochs = sum(len(trial.intermediate) for trial in state.trials.values())
    with st.container(border=True):
        if not state.is_over:
            share = min(1.0, epochs / max(1, state.spec.trials * state.spec.epochs))
            words = "Waiting for a worker" if state.status == "queued" else f"Training {code}"
            st.progress(share, f"{words}: {len(done)} of {state.spec.trials} seeds done")
        elif done:
            spread = f" ± {100 * statistics.stdev(done):.1f}" if len(done) > 1 else ""
            st.markdown(
                f"`{code}` reached **{100 * statistics.mean(done):.1f}{spread} %** validation accuracy "
                f"({len(done)} seeds, {state.spec.epochs} epochs; best {percent(max(done))}).",
                help=term("validation accuracy"),
            )
        else:
            st.warning(state.reason or "It ended without a result.", icon=":material/warning:")
        st.page_link(
            examples.PAGES["random"],
            label="Curves and details",
            icon=":material/show_chart:",
            query_params={"run": state.run_id},
        )
