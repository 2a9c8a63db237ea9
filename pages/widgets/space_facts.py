"""Numbers, problems and next steps of a space and its pinned architecture."""

from __future__ import annotations

from functools import lru_cache

import streamlit as st

from explorer.space import (
    Architecture,
    CostRange,
    Measured,
    NodeRange,
    Problem,
    SearchSpace,
    check,
    cost_range,
    node_ranges,
    repair,
    show,
    space_reference,
    supernet_problems,
)
from pages.widgets import desk, examples, runs_at_hand
from pages.widgets.drawing import facts
from pages.widgets.words import full_span, plain, span, term


@lru_cache(maxsize=64)
def costs(space: SearchSpace) -> CostRange:
    """The range over the space, measured once."""
    return cost_range(space)


@lru_cache(maxsize=64)
def _ranges(space: SearchSpace) -> tuple[NodeRange, ...]:
    return node_ranges(space)


@lru_cache(maxsize=64)
def _problems(space: SearchSpace) -> tuple[Problem, ...]:
    return tuple(check(space))


def of_space(space: SearchSpace) -> None:
    """Size and cost range, in one row."""
    found = costs(space)
    about = "" if found.exact else " Measured on a sample: the space is too large to measure whole."
    size = f"{space.size:,}" if space.size < 10**9 else f"{space.size:.2e}"
    facts(
        (
            ("Architectures", size, term("size")),
            ("Parameters", span(found.parameters), term("parameters") + about),
            ("MACs", span(found.macs), term("MACs") + about),
        )
    )


def of_architecture(space: SearchSpace, architecture: Architecture) -> None:
    """Code and costs of the pinned one, in one row."""
    network = space.lower(architecture)
    facts(
        (
            ("Pinned", space.code(architecture) or "–", f"One digit a choice. {term('architecture')}"),
            ("Parameters", f"{network.parameters:,}", term("parameters")),
            ("MACs", f"{network.macs:,}", term("MACs")),
        )
    )
    if not network.is_connected:
        st.warning(
            "Nothing of the image reaches the output here: every path runs over 'none'. It can only guess.",
            icon=":material/link_off:",
        )


def problems_of(allowed: SearchSpace) -> tuple[Problem, ...]:
    """Everything that keeps the space from running."""
    return _problems(allowed)


def problems(space: SearchSpace, found: tuple[Problem, ...]) -> None:
    """Every problem as a sentence with a button that repairs what it can; then the space's remarks."""
    if not found and not space.remarks:
        return
    with st.container(border=True):
        if found:
            _faults(found, repairable=bool(repair(space)[1]), space=space)
        for remark in space.remarks:
            st.markdown(f":material/info: {plain(remark)}")


def _faults(found: tuple[Problem, ...], repairable: bool, space: SearchSpace) -> None:
    count = "One thing keeps" if len(found) == 1 else f"{len(found)} things keep"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**:red[{count} this space from running]**", width="content")
        if repairable:
            st.button("Repair", type="primary", icon=":material/build:", on_click=_repair, args=(space,))
    for problem in found:
        remedy = plain(f"{problem.remedy[:1].upper()}{problem.remedy[1:]}.")
        words = f"**{plain(problem.layer)}** {plain(problem.message)}."
        st.markdown(f":material/error: {words}  \n:gray[{remedy}]")


def _repair(space: SearchSpace) -> None:
    _, done = repair(space)
    desk.tell({"kind": "repair"})
    st.session_state["repairs"] = [step.sentence for step in done] + list(space.remarks)


def repairs_done() -> None:
    """What Repair has just changed, and why; shown until the next click."""
    sentences = st.session_state.pop("repairs", [])
    if sentences:
        lines = "\n".join(f"- {plain(sentence)}" for sentence in sentences)
        st.success(f"**Repaired.** What was changed, and what to know about the notes:\n\n{lines}")


def run_buttons(allowed: SearchSpace, blocked: bool) -> None:
    """Carry the space over to the pages that search it."""
    many = st.button(
        "Search this space",
        type="primary",
        icon=":material/play_arrow:",
        disabled=blocked or allowed.size < 2,
        help="There is one architecture only: give a layer a second candidate, or add a skip."
        if allowed.size < 2
        else "Train random architectures of what is allowed, on the next page.",
    )
    held = supernet_problems(allowed)
    supernet = st.button(
        "Search one-shot",
        icon=":material/hub:",
        disabled=blocked or bool(held),
        help=held[0] if held else "Train one supernet that holds all of it, on the page One-shot search.",
    )
    tune = st.button(
        "Tune it",
        icon=":material/tune:",
        disabled=blocked,
        help="Tune layers and skips together with the training, on the page Hyper-parameters.",
    )
    if many or tune or supernet:
        st.session_state["plan"] = {"space": space_reference(allowed), "architecture": None}
        kind = "hpo" if tune else "oneshot" if supernet else "random"
        runs_at_hand.forget(kind)
        st.switch_page(examples.PAGES[kind])


def layer_rows(space: SearchSpace, architecture: Architecture) -> list[tuple[str, ...]]:
    """One row a node: name, operation, shapes, parameters and MACs in the architecture; then both over the space.

    A node that the architecture lacks, such as the alignment of a skip not taken, has only the latter.
    """
    here = {row.node.name: row for row in space.lower(architecture).rows}
    return [
        (ranged.name, *_measured(here.get(ranged.name)), full_span(ranged.parameters), full_span(ranged.macs))
        for ranged in _ranges(space)
    ]


def _measured(row: Measured | None) -> tuple[str, ...]:
    if row is None:
        return ("not in this one", "", "", "–", "–")
    arriving = " + ".join(dict.fromkeys(show(shape) for shape in row.shapes_in))
    operation = row.node.choice or row.node.operation
    return (operation, arriving, show(row.shape), f"{row.parameters:,}", f"{row.macs:,}")
