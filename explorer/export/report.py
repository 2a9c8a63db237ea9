"""A run as one HTML file: settings, charts, leaderboard, the best architecture drawn. No script, no link outwards."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape

from explorer.export import features_report, oneshot_report
from explorer.export.key_says import standing, true_rank, truth_of
from explorer.plots.build import scene_of
from explorer.plots.charts import accuracy_against_parameters, learning_curves
from explorer.plots.leaderboard import Row, leaderboard, space_of
from explorer.plots.progress import duration
from explorer.plots.sketch import curves_svg, pareto_svg
from explorer.plots.svg import svg
from explorer.runs.state import RunState
from explorer.space import SearchSpace, architecture_text

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8886; }
svg { max-width: 100%; height: auto; }
pre { overflow-x: auto; padding: .8rem; border: 1px solid #8886; }
"""
HEADINGS = ("rank", "code", "validation", "retrained", "test", "parameters", "MACs", "seconds")
KNOWN = "true rank"


def report(state: RunState) -> str:
    """The whole file; every text in it is escaped."""
    title = f"{state.spec.subject} on {state.spec.dataset}: {state.status}"
    about, body_parts = _content(state)
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(about)}</p>",
        *body_parts,
        *(f"<p>Note: {escape(warning)}</p>" for warning in state.warnings),
        "<h2>Settings</h2>",
        f"<p>These settings repeat the run: <code>python -m explorer run {state.spec.kind} --spec FILE</code>.</p>",
        f"<pre>{escape(json.dumps(state.spec.to_json(), indent=2))}</pre>",
    ]
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en"><head>{head}<style>{STYLE}</style></head>\n<body>{body}</body></html>\n'


def _content(state: RunState) -> tuple[str, Iterable[str]]:
    """What the run was, and the parts of it that its kind has."""
    if state.spec.kind == "features":
        return features_report.about(state), features_report.parts(state)
    space = space_of(state.spec)
    if state.spec.kind == "oneshot":
        return oneshot_report.about(state), oneshot_report.parts(state, space)
    truth = truth_of(state)
    rows = leaderboard(state, space, truth)
    return _about(state, rows), _trials(state, space, rows, standing(state, truth).replace("**", ""))


def _trials(state: RunState, space: SearchSpace | None, rows: Sequence[Row], known: str) -> Iterable[str]:
    """Charts, leaderboard and the best of a run that trains architectures one by one; `known` by the answer key."""
    yield from _pictures(state, rows)
    yield f"<h2>Which architectures did best?</h2>{_table(rows)}"
    if known:
        yield f"<p>{escape(known)}</p>"
    yield from _best(space, rows)


def _about(state: RunState, rows: Sequence[Row]) -> str:
    began = (
        "not started"
        if state.started is None
        else datetime.fromtimestamp(state.started, UTC).isoformat(" ", "minutes")
    )
    finished = sum(row.rank is not None for row in rows)
    reason = f" {state.reason}" if state.reason else ""
    return (
        f"Run {state.run_id}, {began}: {finished} of {len(rows)} trials finished, {state.spec.epochs} epochs each, "
        f"{duration(state.cost_seconds)} of computing.{reason} Architectures are ranked by validation accuracy; "
        "test accuracy decides nothing and is told once. Without retraining each number is one seed."
    )


def _pictures(state: RunState, rows: Sequence[Row]) -> Iterable[str]:
    curves, pareto = learning_curves(state, rows), accuracy_against_parameters(state, rows)
    if curves.curves:
        yield f"<h2>{escape(curves.question)}</h2>{curves_svg(curves)}<p>{escape(curves.basis)}</p>"
    if pareto.dots:
        yield f"<h2>{escape(pareto.question)}</h2>{pareto_svg(pareto)}<p>{escape(pareto.basis)}</p>"


def _table(rows: Sequence[Row]) -> str:
    known = any(row.place is not None for row in rows)
    head = "".join(f"<th>{name}</th>" for name in (*HEADINGS, *([KNOWN] if known else [])))
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(_shown(cell))}</td>" for cell in _cells(row, known)) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cells(row: Row, known: bool) -> tuple[object, ...]:
    rank = row.status if row.rank is None else row.rank
    validation = None if row.validation is None else f"{100 * row.validation:.1f} %"
    seconds = None if row.seconds is None else f"{row.seconds:.1f}"
    cells = (rank, row.code, validation, row.retrained, row.test, row.parameters, row.macs, seconds)
    return (*cells, true_rank(row.place)) if known else cells


def _shown(cell: object) -> str:
    if cell is None:
        return "–"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def _best(space: SearchSpace | None, rows: Sequence[Row]) -> Iterable[str]:
    best = next((row for row in rows if row.rank == 1), None)
    if space is None or best is None or best.architecture is None:
        return
    yield f"<h2>The best: {escape(architecture_text(space, best.architecture))}</h2>"
    yield svg(scene_of(space, best.architecture))
    yield f"<pre>{escape(json.dumps(best.architecture.to_json(), indent=2))}</pre>"
