"""A one-shot search on screen: how far it is, what it believes, and what it would derive now.

Drawn as SVG while it lives, to hover after.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from explorer.catalogue import DATASETS, METHODS, SELECTION_RULES
from explorer.errors import ExplorerError
from explorer.jobs.asking import derived_of, retrainings_planned
from explorer.plots import scene_of
from explorer.plots.dot import dot
from explorer.plots.leaderboard import space_of
from explorer.plots.oneshot.differences import HEAD, differences
from explorer.plots.oneshot.differences import table as rows_of
from explorer.plots.oneshot.gap import gap, gap_sentence
from explorer.plots.oneshot.losses import losses
from explorer.plots.oneshot.panels import PanelsInfo, panels_figure, panels_svg
from explorer.plots.oneshot.policy import policy
from explorer.plots.oneshot.probabilities import probabilities, probabilities_figure, probabilities_svg
from explorer.plots.oneshot.ranks import ranks, ranks_figure, ranks_svg
from explorer.plots.oneshot.retrained import retrained, retrained_figure, retrained_svg
from explorer.plots.oneshot.uncertainty import uncertainty
from explorer.plots.progress import duration
from explorer.runs.state import RunState
from explorer.space import SearchSpace
from explorer.space.derive import genotype_text
from explorer.space.restrict import Restriction
from pages.widgets import desk
from pages.widgets.drawing import draw, picture, table
from pages.widgets.words import percent, term

_QUIET = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}


def show(state: RunState, live: bool) -> None:
    """Progress; probabilities beside what is derived; losses, uncertainty, policy, gap; retraining."""
    space = space_of(state.spec)
    head(state)
    if space is None:
        st.warning("The space of this run can no longer be read, so its decisions cannot be drawn.")
        return
    if state.trials:
        _retrained(state, space, live)
    if not state.snapshots:
        if state.is_over:
            st.caption("It ended before there was anything to draw.")
        return
    believes = METHODS[state.spec.method["method"]].facts["believes"]
    if believes:
        _probabilities(state, space)
    if space.family == "darts":  # two cells side by side need the whole width
        _derived(state, space)
        beside = st.container()
    else:
        left, beside = st.columns([1, 1.6], gap="large")
        with left:
            _derived(state, space)
    with beside:
        _panels(losses(state.snapshots), "losses", live, "search accuracy", narrow=True)
        settings = METHODS[state.spec.method["method"]].defaults() | state.spec.settings.get("method", {})
        if believes:
            told = uncertainty(state.snapshots, space, settings["skip_alarm"])
            _panels(told, "uncertainty", live, "entropy", narrow=True)
    told = policy(state.snapshots)
    if not told.is_empty:
        _panels(told, "policy", live, "policy")
    _measured(state, live)
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
    alarms = [each["data"]["sentence"] for each in state.measurements if each["name"] in ("alarm", "guard")]
    for sentence in dict.fromkeys([*state.warnings[-3:], *alarms[-2:]]):
        st.caption(f":material/warning: {sentence}")


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


def _panels(info: PanelsInfo, key: str, live: bool, word: str, narrow: bool = False) -> None:
    if info.is_empty:
        return
    _title(info.question, word)
    if narrow and live:  # one below the other: side by side they would be cut
        picture(panels_svg(info, 440, across=1))
    else:
        _chart(lambda: panels_svg(info), lambda: panels_figure(info), key, info.alt, live)
    st.caption(info.basis)


def _probabilities(state: RunState, space: SearchSpace) -> None:
    """Small multiples: always drawn, since plotly's cannot be read on a phone; to hover over on request."""
    with st.container(horizontal=True, vertical_alignment="center"):
        place = st.container()
        near = st.toggle(
            "Zoom in", key="oneshot/near", help="End the axis just above the highest probability."
        )
        hover = st.toggle("Hover", key="oneshot/hover", help="The same to hover over and to zoom in.")
    info = probabilities(state.snapshots, space, whole=not near)
    with place:
        _title(info.question, "probabilities")
    _chart(
        lambda: probabilities_svg(info),
        lambda: probabilities_figure(info),
        "probabilities",
        info.alt,
        live=not hover,
    )
    st.caption(info.basis)


# -- what is derived --------------------------------------------------------------------------------------------------


def _derived(state: RunState, space: SearchSpace) -> None:
    """The architecture, drawn, and as operation and input pairs."""
    found = derived_of(state)
    if found is None and not METHODS[state.spec.method["method"]].facts["believes"]:
        _title("What will be derived?", "derive")
        st.caption(
            "This method has no opinion while it trains: all candidates are drawn equally often. At its end it "
            "searches among architectures that inherit the shared weights, and the best of them stands here."
        )
        return
    chosen: Mapping[str, Any] = (found or {}).get("architecture") or state.snapshots[-1].get("derived") or {}
    _title("What was derived?" if found else "What would be derived if it stopped now?", "derive")
    try:
        architecture = space.architecture(chosen)
    except ExplorerError:
        st.caption("Nothing that fits this space.")
        return
    draw(scene_of(space, architecture), with_legend=space.family != "macro")
    network = space.lower(architecture)
    rule = str((found or {}).get("rule", ""))
    if rule in SELECTION_RULES and SELECTION_RULES[rule].facts["needs"] == "score":
        st.caption(f"{SELECTION_RULES[rule].label}, by inherited weights: not simply what is most probable.")
    st.caption(
        f"`{space.code(architecture)}` · {network.parameters:,} parameters · {network.macs:,} multiply-accumulates"
    )
    if not network.is_connected:
        st.caption(":material/warning: Nothing of the image reaches the output: every path is cut by none.")
    with st.expander("Genotype and DOT", icon=":material/code:"):
        st.code(genotype_text(space, architecture), language=None)
        st.graphviz_chart(dot(scene_of(space, architecture)))
        st.download_button(
            "DOT text",
            lambda: dot(scene_of(space, architecture)),
            f"{state.run_id}.dot",
            "text/vnd.graphviz",
            on_click="ignore",
            icon=":material/download:",
        )
    link = desk.link_of(space, Restriction(), space.code(architecture))
    st.page_link(
        "pages/space.py", label="Open in Search space", icon=":material/account_tree:", query_params=link
    )


# -- measures and retraining ------------------------------------------------------------------------------------------


def _measured(state: RunState, live: bool) -> None:
    info = gap(state.measurements)
    if not info.is_empty and gap_sentence(
        state.measurements
    ):  # single paths have no supernet to compare with
        _title(info.question, "discretization gap")
        _chart(lambda: panels_svg(info), lambda: panels_figure(info), "gap", info.alt, live)
        st.caption(f"{gap_sentence(state.measurements)} {info.basis}")
    probe = ranks(state.measurements)
    if probe.dots or probe.unknown:
        _title(probe.question, "rank probe")
        if probe.dots:
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
    st.caption(info.basis)
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
