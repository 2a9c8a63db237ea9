"""A one-shot search on screen: how far it is, what it believes, and what it would derive now.

Drawn as SVG while it lives, to hover after.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import streamlit as st

from explorer.catalogue import DATASETS, SELECTION_RULES
from explorer.errors import ExplorerError
from explorer.export import key_says
from explorer.jobs.asking import derived_of, retrainings_planned
from explorer.plots.drawn.film import derived_at, has_opinion
from explorer.plots.drawn.reel import Moment
from explorer.plots.leaderboard import space_of
from explorer.plots.oneshot.differences import HEAD, differences
from explorer.plots.oneshot.differences import table as rows_of
from explorer.plots.oneshot.gap import gap_sentence
from explorer.plots.oneshot.ranks import ranks, ranks_figure, ranks_svg
from explorer.plots.oneshot.retrained import retrained, retrained_figure, retrained_svg
from explorer.plots.oneshot.worth import Known, at_steps
from explorer.plots.progress import duration
from explorer.runs.state import RunState
from explorer.space import Architecture, SearchSpace
from explorer.space.derive import genotype_text
from explorer.space.restrict import Restriction
from pages.widgets import desk, film, oneshot_key
from pages.widgets.drawing import picture, table
from pages.widgets.parameter_form import begin
from pages.widgets.words import percent, term

_QUIET = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}


def watch(state: RunState, live: bool) -> None:
    """The film; beside it what would be derived where the film was stopped, or now."""
    space = space_of(state.spec)
    if space is None:
        st.warning("The space of this run can no longer be read, so its decisions cannot be drawn.")
        return
    if not state.snapshots:
        if state.is_over:
            st.caption("It ended before there was anything to draw.")
        return
    if space.family == "darts":  # two cells side by side need the whole width
        picture_of_it, told = st.container(), st.container()
    else:
        picture_of_it, told = st.columns([1.5, 1], gap="large")
    with picture_of_it:
        _title("What does the search believe, and what would it build?", "probabilities")
        step = film.show(state, space, live)
        film.key_to_colours(space)
    with told:
        _derived(state, space, step)
    _compared(state, space)


def below(state: RunState, live: bool) -> None:
    """Everything else over time, then what was measured and trained from scratch."""
    space = space_of(state.spec)
    if space is None:
        return
    if state.trials:
        _retrained(state, space, live)
    if state.snapshots:
        _save(state, space)
        known = oneshot_key.known_of(state, space)
        film.charts(state, space, live, known=known)
        _measured(state, known, live)
    if not live:
        _beside_nni(state)


def head(state: RunState) -> None:
    """Progress while it lives, the ending in one sentence afterwards; then what it warned of."""
    if state.status == "queued":
        st.progress(0.0, "Waiting for a worker. The first start after a while takes a few seconds.")
    elif not state.is_over:
        st.progress(*_progress(state))
    elif state.status == "finished":
        st.markdown(_ending(state))
    else:
        tell = {"failed": st.error, "cancelled": st.info, "lost": st.warning}[state.status]
        kept = f"{len(state.snapshots):,} snapshots are kept."
        reason = state.reason or "It ended."
        tell(f"{reason} {kept}" if "Resume" in reason else f"{reason} {kept} {_what_next(state)}")
    alarms = [_alarm(each) for each in state.measurements if each["name"] in ("alarm", "guard")]
    for sentence in dict.fromkeys([*state.warnings[-3:], *alarms[-2:]]):
        st.caption(f":material/warning: {sentence}")


def _alarm(measured: Mapping[str, Any]) -> str:
    """An alarm is told once, with what it saw then; a guard says the epoch itself."""
    sentence: str = measured["data"]["sentence"]
    return f"At step {measured['step']:,}: {sentence}" if measured["name"] == "alarm" else sentence


def _what_next(state: RunState) -> str:
    """What helps after a bad ending."""
    if derived_of(state) is not None:
        return "Resume trains what is missing."
    if state.spec.method.get("engine") == "nni":
        return "NNI keeps no checkpoints: Resume begins again, and comes by the same numbers."
    if state.status == "failed":
        return "Resume would meet the same numbers; Branch goes on from a checkpoint with other settings."
    return "Resume goes on from the last checkpoint."


def _progress(state: RunState) -> tuple[float, str]:
    wishes = retrainings_planned(state)
    if derived_of(state) is not None and wishes:
        done = sum(trial.status == "succeeded" for trial in state.trials.values())
        return min(1.0, done / wishes), f"Retraining: {done} of {wishes} networks trained"
    if not state.snapshots:
        return 0.0, "Building the supernet"
    newest = state.snapshots[-1]
    share = min(1.0, (newest.get("epoch") or 0) / max(1, state.spec.epochs))
    paused = "Paused at" if state.status == "paused" else "Epoch"
    left = _left(share, newest.get("seconds"), state.status)
    return (
        share,
        f"{paused} {newest.get('epoch') or 0:g} of {state.spec.epochs}, step {newest['step']:,}{left}",
    )


def _left(share: float, seconds: float | None, status: str) -> str:
    if seconds is None or share <= 0 or status != "running":
        return ""
    return f" · about {duration(seconds * (1 - share) / share)} left"


def _ending(state: RunState) -> str:
    derived = derived_of(state)
    if derived is None:
        return f"Ended after {duration(state.cost_seconds)}; nothing was derived."
    rule = derived.get("rule", "")
    label = SELECTION_RULES[rule].label.lower() if rule in SELECTION_RULES else rule
    return (
        f"Searched for {duration(derived.get('seconds') or state.cost_seconds)}. With inherited weights the derived "
        f"architecture ({label}) gets **{percent(derived.get('inherited_accuracy'))}** of the validation images right "
        f"(chance: {percent(1 / DATASETS[state.spec.dataset].facts['classes'])}); "
        "what it reaches when trained from scratch is another number, and *Retrain* finds it."
    )


def _title(question: str, word: str) -> None:
    st.markdown(f"**{question}**", help=term(word))


def _chart(svg: Callable[[], str], figure: Callable[[], Any], key: str, alt: str, live: bool) -> None:
    if live:
        picture(svg(), "wide")
    else:
        st.plotly_chart(figure(), key=f"oneshot/{key}", alt=alt, config=_QUIET)


def _number(state: RunState, step: int | None) -> int:
    """The number of the snapshot at which the film stands; the last one while nobody stopped it."""
    there = [number for number, one in enumerate(state.snapshots) if one["step"] == step]
    return there[-1] if there else len(state.snapshots) - 1


# -- what is derived --------------------------------------------------------------------------------------------------


def _derived(state: RunState, space: SearchSpace, step: int | None) -> None:
    """What is, or would be, derived: as operation and input pairs, with its costs and where to take it."""
    found = derived_of(state)
    last = state.snapshots[-1]
    number = _number(state, step)
    at = state.snapshots[number]
    is_end = found is not None and at is last
    if not is_end and not has_opinion(state):
        _title("What will be derived?" if found is None else "What was derived?", "derive")
        st.caption(
            "This method has no opinion while it trains: all candidates are drawn equally often. At its end it "
            "searches among architectures that inherit the shared weights, and the best of them stands "
            f"{'here' if found is None else 'at the end of the film'}."
        )
        return
    chosen: Mapping[str, Any] = derived_at(state, number) or {}
    when = "now" if at is last else f"at step {at['step']:,}"
    _title("What was derived?" if is_end else f"What would be derived if it stopped {when}?", "derive")
    try:
        architecture = space.architecture(chosen)
    except ExplorerError:
        st.caption("Nothing that fits this space.")
        return
    told = _facts(space, architecture)
    rule = str(found.get("rule", "")) if is_end and found else ""
    if rule in SELECTION_RULES and SELECTION_RULES[rule].facts["needs"] == "score":
        st.caption(f"{SELECTION_RULES[rule].label}, by inherited weights: not simply what is most probable.")
    st.caption(told.costs)
    _true_standing(state, space, number)
    if not told.is_connected:
        st.caption(":material/warning: Nothing of the image reaches the output: every path is cut by none.")
    st.code(told.genotype, language=None, wrap_lines=True)
    _take(state, space, architecture, None if at is last else at["step"])


def _true_standing(state: RunState, space: SearchSpace, number: int) -> None:
    """What the answer key says of it; nothing where the key is about something else, or not there."""
    known = oneshot_key.known_of(state, space)
    if known is not None:
        st.markdown(oneshot_key.told(known, number), help=term("true rank"))
    elif problem := key_says.damage(space, state.spec.dataset):
        st.caption(f":material/warning: {problem}")


@dataclass(frozen=True)
class _Facts:
    """What is told of an architecture: what it costs, whether the image reaches its output, its pairs."""

    costs: str
    is_connected: bool
    genotype: str


@lru_cache(maxsize=256)
def _facts(space: SearchSpace, architecture: Architecture) -> _Facts:
    """The same for all who watch."""
    network = space.lower(architecture)
    costs = f"{network.parameters:,} parameters · {network.macs:,} multiply-accumulates"
    code = space.code(architecture)
    return _Facts(f"`{code}` · {costs}", network.is_connected, genotype_text(space, architecture))


def _take(state: RunState, space: SearchSpace, architecture: Architecture, step: int | None) -> None:
    """Where to go from here: the editor, another run from this step, this moment beside another."""
    link = desk.link_of(space, Restriction(), space.code(architecture))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link(
            "pages/space.py", label="Open in Search space", icon=":material/account_tree:", query_params=link
        )
        if has_opinion(state):  # without one there is only the end
            st.button(
                "Compare",
                icon=":material/compare_arrows:",
                key=f"oneshot/compare/{state.run_id}",
                on_click=_compare,
                args=(state.run_id, step),
                help="This moment and another over one another.",
            )


def _save(state: RunState, space: SearchSpace) -> None:
    """What is on screen as a file; it stands apart from the film, which is drawn again much more often."""
    number = _number(state, film.stopped_at(state))
    try:
        architecture = space.architecture(derived_at(state, number) or {})
    except ExplorerError:
        architecture = None
    step = state.snapshots[number]["step"]
    film.save(space, film.key_of(state), f"{state.run_id}-step-{step}", architecture)


def _compare(run_id: str, step: int | None) -> None:
    """A callback: open the comparison with this moment as the first; pressed again it closes."""
    places = f"oneshot/{run_id}/one", f"oneshot/{run_id}/other"
    shown = st.session_state.get(f"oneshot/{run_id}/compared")
    st.session_state[f"oneshot/{run_id}/compared"] = not shown or step is not None
    if step is not None:
        st.session_state[places[0]] = step


def _compared(state: RunState, space: SearchSpace) -> None:
    """Two moments of the search: both architectures in one drawing, and what differs as a table."""
    if not st.session_state.get(f"oneshot/{state.run_id}/compared"):
        return
    steps = [one["step"] for one in state.snapshots if one.get("derived")]
    if len(steps) < 2:
        st.caption("There is only one moment so far; a comparison needs two.")
        return
    with st.container(border=True):
        _title("What changed between two moments?", "derive")
        one, other = st.columns(2)
        first = one.number_input(
            "First moment: step", steps[0], steps[-1], key=begin(f"oneshot/{state.run_id}/one", steps[0])
        )
        second = other.number_input(
            "Second moment: step", steps[0], steps[-1], key=begin(f"oneshot/{state.run_id}/other", steps[-1])
        )
        before, after = (_moment(state, space, int(step)) for step in (first, second))
        if before is None or after is None:
            st.caption("One of these moments does not fit the space.")
            return
        more = oneshot_key.beside(oneshot_key.known_of(state, space), before, after, space)
        film.compared(space, before, after, f"film/{state.run_id}/compare", more)


def _moment(state: RunState, space: SearchSpace, step: int) -> Moment | None:
    """What would have been derived at the snapshot nearest to `step`."""
    known = [(number, one["step"]) for number, one in enumerate(state.snapshots) if one.get("derived")]
    number, near = min(known, key=lambda each: abs(each[1] - step))
    try:
        return Moment(space.architecture(derived_at(state, number)), f"step {near:,}")
    except ExplorerError:
        return None


# -- measures and retraining ------------------------------------------------------------------------------------------


def _measured(state: RunState, known: Known | None, live: bool) -> None:
    """`known` is what the answer key says of the run."""
    steps = [one["step"] for one in state.measurements]
    true = at_steps(known, state.snapshots, steps) if known else {}
    if told := gap_sentence(state.measurements, true):  # single paths have no supernet to compare with
        st.caption(told)
    probe = ranks(state.measurements, known.probed if known else {})
    if probe.dots or probe.unknown:
        _title(probe.question, "rank probe")
        if not probe.is_empty:
            _chart(lambda: ranks_svg(probe), lambda: ranks_figure(probe), "ranks", probe.alt, live)
        st.caption(f"{probe.answer} {probe.basis}")
    _perturbed(state)


def _perturbed(state: RunState) -> None:
    """What the supernet loses without each candidate, newest measure only."""
    found = [each for each in state.measurements if each["name"] == "perturbation"]
    if not found:
        return
    data = found[-1]["data"]
    base = data.get("base")
    _title("What does the supernet lose without each candidate?", "perturbation importance")
    rows = [
        (label, name, "–" if base is None or left is None else f"{100 * (base - left):+.1f}")
        for label, drops in data["drops"].items()
        for name, left in drops.items()
    ]
    with st.expander(f"{len(rows)} candidates, step {found[-1]['step']:,}"):
        head = (
            ("Decision", term("mutable")),
            ("Without", term("candidate")),
            ("Lost points", "Validation accuracy with it minus without it, in points."),
        )
        table(head, rows, (2,))
    st.caption(f"With everything the supernet gets {percent(base)} of the same images right.")


def _retrained(state: RunState, space: SearchSpace, live: bool) -> None:
    info = retrained(state.trials.values(), state.measurements, space)
    _title(info.question, "retrained accuracy")
    if info.rows:
        _chart(lambda: retrained_svg(info), lambda: retrained_figure(info), "retrained", info.alt, live)
    st.markdown(info.answer)
    known = oneshot_key.known_of(state, space)
    st.caption(f"{info.basis} {oneshot_key.told_of_retrained(known, state) if known else ''}".strip())
    failed = [trial for trial in state.trials.values() if trial.status == "failed"]
    if failed:
        with st.expander(f"{len(failed)} trainings failed"):
            for trial in failed[:20]:
                st.text(trial.reason or "No reason was given.")


def _beside_nni(state: RunState) -> None:
    """Where NNI's own code of the same method differs."""
    found = differences(state.spec.method["method"])
    if not found:
        return
    with st.expander("Where NNI's own code of this method differs", icon=":material/compare:"):
        table(HEAD, rows_of(found))
