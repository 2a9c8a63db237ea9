"""How far a search looks from what it knows: in how many choices each trial differs from the nearest one before it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explorer.plots.charts import Axis
from explorer.plots.leaderboard import Row
from explorer.plots.nas.grid import HALF, grid, whole_ticks
from explorer.plots.nas.tried import Searched
from explorer.plots.tuning import frame
from explorer.plots.tuning.figure import dress
from explorer.plots.tuning.statuses import STATUS_LOOKS
from explorer.space import SearchSpace

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_TRIALS = 2000  # the first so many are measured: the work grows with their square
HEIGHT = 290.0
DOT = STATUS_LOOKS["succeeded"].color


@dataclass(frozen=True)
class Step:
    """A trial and its distance, 0 for an architecture that was tried before."""

    trial_id: int
    code: str
    choices: int


@dataclass(frozen=True)
class DistanceInfo:
    """`steps` from the second trial on; `tried` different architectures of a space that holds `size`, with so many
    `choices` each.
    """

    question: str
    x: Axis
    y: Axis
    steps: tuple[Step, ...]
    choices: int
    tried: int
    size: int
    answer: str
    alt: str


def distances(run: Searched, rows: Sequence[Row], space: SearchSpace | None) -> DistanceInfo | None:
    """None where the space can no longer be read. The coverage counts all trials, the distances the first 2,000.

    A trial that only goes on with the training of another looks at nothing new and is left out.
    """
    if space is None:
        return None
    longer = {trial.trial_id for trial in run.trials if trial.goes_on}
    known = sorted(
        (
            (row.trial_id, row.code, row.architecture)
            for row in rows
            if row.architecture is not None and row.trial_id not in longer
        ),
        key=lambda each: each[0],
    )
    labels = [mutable.label for mutable in space.mutables]
    measured = known[:MOST_TRIALS]
    options: list[dict[object, int]] = [{} for _ in labels]
    table = np.array(
        [
            [kept.setdefault(made[label], len(kept)) for label, kept in zip(labels, options, strict=True)]
            for _, _, made in measured
        ],
        dtype=np.int32,
    ).reshape(len(measured), len(labels))  # (trials, choices)
    steps = tuple(
        Step(number, code, int((table[:at] != table[at]).sum(axis=1).min()))
        for at, (number, code, _) in enumerate(measured)
        if at
    )
    tried = len({code for _, code, _ in known})
    answer = _answer(tried, len(run.trials), space.size, steps)
    return DistanceInfo(
        "How far from what it knows does it look?",
        Axis("trial"),
        Axis("choices that differ from the nearest trial before"),
        steps,
        len(labels),
        tried,
        space.size,
        answer,
        f"Distance of {len(steps)} trials to the nearest before. {answer}",
    )


def _answer(tried: int, trials: int, size: int, steps: Sequence[Step]) -> str:
    percent = 100 * tried / size
    share = (
        "all of it"
        if tried == size
        else f"{percent:.2g} % of it"
        if percent >= 0.01
        else "a vanishing part of it"
    )
    told = f"{trials:,} trials looked at {tried:,} different architectures of a space of {size:,}: {share}."
    if not steps:
        return told
    usual, times = Counter(step.choices for step in steps).most_common(1)[0]
    often = f"Most often ({100 * times / len(steps):.0f} %)"
    if usual == 0:
        return f"{told} {often} it tried again what it knew."
    noun = "choice" if usual == 1 else "choices"
    return f"{told} {often} {usual} {noun} away from something tried before."


def distance_svg(info: DistanceInfo) -> str:
    """A dot a trial."""
    plane = frame.Plane(
        (0.5, max([*(step.trial_id for step in info.steps), 4]) + 0.5),
        (-0.3, _top(info)),
        (46, 30, HALF - 12, 240),
    )
    places = [plane.at(step.trial_id, step.choices) for step in info.steps]
    body = grid(plane, info.x, info.y, whole_ticks(*plane.x), whole_ticks(0, plane.y[1]))
    body += frame.marks("dot", places, DOT, 3 if len(places) <= 200 else 2, 0.75)
    return frame.svg(info.alt, HALF, HEIGHT, body)


def _top(info: DistanceInfo) -> float:
    return max([*(step.choices for step in info.steps), 2]) + 0.4


def distance_figure(info: DistanceInfo) -> Figure:
    """The same, with codes on hover."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure(
        Scatter(
            x=[step.trial_id for step in info.steps],
            y=[step.choices for step in info.steps],
            text=[step.code for step in info.steps],
            mode="markers",
            marker={"color": DOT, "size": 7 if len(info.steps) <= 300 else 4},
            opacity=0.8,
            hovertemplate="trial %{x}: %{text}<br>%{y} choices away<extra></extra>",
        )
    )
    dress(figure, info.x, info.y)
    return figure.update_yaxes(
        range=[-0.3, _top(info)], tickformat="d", dtick=1 if _top(info) <= 10 else None
    )
