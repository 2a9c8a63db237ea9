"""The part of a report that only a one-shot search has: what it believed, what it derived, and what that is worth."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from explorer.catalogue import METHODS, SELECTION_RULES
from explorer.errors import ExplorerError
from explorer.export.key_says import worth
from explorer.plots.build import scene_of
from explorer.plots.oneshot.gap import gap, gap_sentence
from explorer.plots.oneshot.losses import losses
from explorer.plots.oneshot.panels import PanelsInfo, panels_svg
from explorer.plots.oneshot.policy import policy
from explorer.plots.oneshot.probabilities import probabilities, probabilities_svg
from explorer.plots.oneshot.ranks import ranks, ranks_svg
from explorer.plots.oneshot.retrained import retrained, retrained_svg
from explorer.plots.oneshot.uncertainty import uncertainty
from explorer.plots.progress import duration
from explorer.plots.svg import svg
from explorer.runs.state import RunState
from explorer.space import SearchSpace, architecture_text


def about(state: RunState) -> str:
    """What kind of run this was, in a sentence or two."""
    name = state.spec.method.get("method", "")
    method = METHODS[name].label if name in METHODS else str(name)
    by = " by NNI's own code" if state.spec.method.get("engine") == "nni" else ""
    reason = f" {state.reason}" if state.reason else ""
    return (
        f"Run {state.run_id}: {method}{by}, {state.spec.epochs} epochs, one seed, {duration(state.cost_seconds)} of "
        f"computing.{reason} Search accuracy is that of shared weights; what a derived architecture is worth, only "
        "training it from scratch tells."
    )


def parts(state: RunState, space: SearchSpace | None) -> Iterable[str]:
    """Pieces of HTML; every text in them is escaped."""
    yield from _derived(state, space)
    if state.trials:
        info = retrained(state.trials.values(), state.measurements, space)
        yield _piece(info.question, retrained_svg(info) if info.rows else "", f"{info.answer} {info.basis}")
    if state.snapshots:
        beliefs = probabilities(state.snapshots, space)
        yield _piece(beliefs.question, probabilities_svg(beliefs), beliefs.basis)
    for panels in (
        losses(state.snapshots),
        uncertainty(state.snapshots, space),
        policy(state.snapshots),
    ):
        yield from _panels(panels)
    cost = gap(state.measurements)
    yield from _panels(cost, f"{gap_sentence(state.measurements)} {cost.basis}")
    order = ranks(state.measurements)
    if order.dots:
        yield _piece(order.question, ranks_svg(order), f"{order.answer} {order.basis}")


def _derived(state: RunState, space: SearchSpace | None) -> Iterable[str]:
    found = [one["data"] for one in state.measurements if one["name"] == "derived"]
    data: Mapping[str, Any] = found[-1] if found else {}
    if space is None or "architecture" not in data:
        return
    try:
        architecture = space.architecture(data["architecture"])
    except ExplorerError:
        return
    rule = data.get("rule", "")
    label = SELECTION_RULES[rule].label if rule in SELECTION_RULES else str(rule)
    yield f"<h2>Derived: {escape(architecture_text(space, architecture))}</h2>"
    yield svg(scene_of(space, architecture))
    known = worth(state.spec.space, state.spec.dataset, architecture)
    yield f"<p>{escape(f'By the rule {label}. {known}'.rstrip())}</p>"
    yield f"<pre>{escape(json.dumps(architecture.to_json(), indent=2))}</pre>"


def _panels(info: PanelsInfo, basis: str | None = None) -> Iterable[str]:
    if not info.is_empty:
        yield _piece(info.question, panels_svg(info), basis or info.basis)


def _piece(question: str, drawn: str, basis: str) -> str:
    return f"<h2>{escape(question)}</h2>{drawn}<p>{escape(basis)}</p>"
