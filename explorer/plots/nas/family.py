"""The family tree of a search: who was made from whom, and the line that the best came from.

Across is the trial's number and down its generation, so that nothing moves when a trial is added, and parents stand to
the upper left of their children.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from explorer.plots.charts import Axis
from explorer.plots.nas.grid import WIDE, grid, whole_ticks
from explorer.plots.nas.order import FAILED, LEADER, hover
from explorer.plots.nas.tried import Searched, Tried
from explorer.plots.tuning import frame
from explorer.plots.tuning.figure import dress
from explorer.plots.tuning.statuses import QUIET, RAMP, plotly_ramp, ramp_color

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_DRAWN = 1500  # members, in the SVG and in the figure: the newest, and the line of the best


@dataclass(frozen=True)
class FamilyInfo:
    """`members` by number; `bonds` holds (parent, child); `line` leads from the best back to its first ancestor.

    `range` holds the values that the colours go over. `left_out` members are too many to draw.
    """

    question: str
    x: Axis
    y: Axis
    members: tuple[Tried, ...]
    bonds: tuple[tuple[int, int], ...]
    line: tuple[int, ...]
    range: tuple[float, float]
    counts: str
    left_out: int
    answer: str
    alt: str

    @property
    def by_number(self) -> dict[int, Tried]:
        """Trial -> member."""
        return {member.trial_id: member for member in self.members}


def family(run: Searched) -> FamilyInfo:
    """Everyone who has begun; colours are spread over the better nine tenths, since the worst are often far off."""
    line = run.lineage(run.best)
    newest = run.trials[-MOST_DRAWN:]
    shown = {trial.trial_id for trial in newest} | set(line)
    members = tuple(trial for trial in run.trials if trial.trial_id in shown)
    bonds = tuple(
        (parent, one.trial_id) for one in members for parent in one.parents if parent in run.by_number
    )
    values = sorted(one.value for one in members if one.value is not None)
    low, high = (values[len(values) // 10], values[-1]) if values else (0.0, 100.0)
    return FamilyInfo(
        "Where does the best come from?",
        Axis("trial"),
        Axis(run.counts),
        members,
        tuple(bond for bond in bonds if bond[0] in shown),
        line,
        (low, high),
        run.counts,
        len(run.trials) - len(members),
        _answer(run, line),
        f"{len(members)} trials by {run.counts}, joined to those that they were made from. {_answer(run, line)}",
    )


def _answer(run: Searched, line: Sequence[int]) -> str:
    if not line:
        return "There is no best yet."
    best = run.by_number[line[0]]
    if len(line) == 1:
        return f"The best, trial {line[0]}, has no parent: it was drawn at random."
    first = run.by_number[line[-1]]
    told = f"The best, trial {line[0]}, stands in {run.counts} {best.generation}"
    if first.value is None or best.value is None or not first.whole:
        return f"{told}; its line began with trial {line[-1]}."
    gained = f"{best.value - first.value:+.1f} points"
    return f"{told}; its line began with trial {line[-1]} at {first.value:.1f} % and made {gained}."


def _height(info: FamilyInfo) -> float:
    deepest = max((one.generation for one in info.members), default=0)
    return 110 + 30.0 * min(10, deepest + 1)


def _color(info: FamilyInfo, trial: Tried) -> str:
    low, high = info.range
    return QUIET if trial.value is None else ramp_color((trial.value - low) / ((high - low) or 1))


def family_svg(info: FamilyInfo) -> str:
    """Members as dots (hollow: shortened trainings), bonds as curves, the line of the best on top."""
    height = _height(info)
    keys = [frame.Key("the best's line", LEADER, "line")]
    keys += [
        frame.Key(f"{info.range[0]:.0f} % or less", RAMP[0], "dot"),
        frame.Key(f"{info.range[1]:.0f} %", RAMP[-1], "dot"),
    ]
    rows = frame.foot(keys, WIDE, info.x)
    deepest = max((one.generation for one in info.members), default=0)
    first = min((one.trial_id for one in info.members), default=0)
    last = max([*(one.trial_id for one in info.members), first + 4])
    plane = frame.Plane(
        (first - 0.5, last + 0.5),
        (deepest + 0.4, -0.4),
        (46, 30, WIDE - 12, height - frame.foot_height(rows)),
    )
    at = {one.trial_id: plane.at(one.trial_id, one.generation) for one in info.members}
    known, radius = info.by_number, 4.2 if len(info.members) <= 200 else 2.6
    body = grid(plane, info.x, info.y, whole_ticks(*plane.x), whole_ticks(0, deepest))
    body += frame.stroke(
        "".join(_curve(at[one], at[two]) for one, two in info.bonds), QUIET, 0.9, opacity=0.45
    )
    body += frame.stroke("".join(_curve(at[two], at[one]) for one, two in pairwise(info.line)), LEADER, 2.8)
    looks: dict[tuple[str, str], list[int]] = {}
    for one in info.members:
        shape = (
            "triangle" if one.status == "failed" else "dot" if one.whole and one.value is not None else "ring"
        )
        looks.setdefault((shape, FAILED if shape == "triangle" else _color(info, one)), []).append(
            one.trial_id
        )
    for (shape, color), numbers in looks.items():
        body += frame.marks(shape, [at[number] for number in numbers], color, radius)
    body += frame.marks("ring", [at[number] for number in info.line if number in known], LEADER, radius + 2)
    return frame.svg(info.alt, WIDE, height, body + frame.foot_svg(rows, plane))


def _curve(one: frame.Point, two: frame.Point) -> str:
    """From a parent down and across to its child."""
    (x, y), (u, v) = one, two
    middle = (y + v) / 2
    return f"M{x:.1f} {y:.1f}C{x:.1f} {middle:.1f} {u:.1f} {middle:.1f} {u:.1f} {v:.1f}"


def family_figure(info: FamilyInfo) -> Figure:
    """The same, with codes and parents on hover."""
    from plotly.graph_objects import Figure, Scatter

    known, figure = info.by_number, Figure()
    for name, pairs, look in (
        ("made from", [(known[one], known[two]) for one, two in info.bonds], {"color": QUIET, "width": 0.8}),
        (
            "the best's line",
            [(known[b], known[a]) for a, b in pairwise(info.line)],
            {"color": LEADER, "width": 3},
        ),
    ):
        figure.add_trace(
            Scatter(
                x=[x for one, two in pairs for x in (one.trial_id, two.trial_id, None)],
                y=[y for one, two in pairs for y in (one.generation, two.generation, None)],
                mode="lines",
                name=name,
                line=look,
                opacity=0.5 if name == "made from" else 1,
                hoverinfo="skip",
            )
        )
    valued = [one for one in info.members if one.value is not None]
    figure.add_trace(
        Scatter(
            x=[one.trial_id for one in valued],
            y=[one.generation for one in valued],
            text=[hover(one, info.counts) for one in valued],
            mode="markers",
            marker={
                "color": [one.value for one in valued],
                "colorscale": plotly_ramp(True),
                "cmin": info.range[0],
                "cmax": info.range[1],
                "size": 10 if len(valued) <= 200 else 6,
                "symbol": ["circle" if one.whole else "circle-open" for one in valued],
                "line": {"width": [3 if one.trial_id in info.line else 0 for one in valued], "color": LEADER},
                "colorbar": {"title": {"text": "%", "side": "top"}, "thickness": 12, "outlinewidth": 0},
            },
            hovertemplate="%{text}<extra></extra>",
            showlegend=False,
        )
    )
    dress(figure, info.x, info.y, height=max(280, int(_height(info))))
    deepest = max((one.generation for one in info.members), default=0)
    return figure.update_yaxes(range=[deepest + 0.5, -0.5], dtick=1 if deepest <= 12 else None)
