"""Better than random? The derived architecture and random ones, trained from scratch: every seed a dot.

Only trainings of one length are compared: more epochs alone make an accuracy better. Only retrained accuracies are on
the axis. What the derived one had inside the supernet is said in words, because it is another measure.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import TYPE_CHECKING, Any

from explorer.errors import ExplorerError
from explorer.plots.charts import Axis
from explorer.plots.leaderboard import TEST
from explorer.plots.oneshot.intervals import Estimate, difference, estimate
from explorer.plots.oneshot.panels import BLUE, GREY, number
from explorer.plots.tuning import frame
from explorer.plots.tuning.figure import dress
from explorer.runs.state import Trial
from explorer.space import SearchSpace

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

RIVAL = "#7d8590"
MOST_ROWS = 40  # of the SVG


@dataclass(frozen=True)
class Trained:
    """One architecture: the accuracies of its seeds in percent."""

    code: str
    is_derived: bool
    values: tuple[float, ...]

    @property
    def estimate(self) -> Estimate:
        """Mean over the seeds with its interval."""
        return estimate(self.values)


@dataclass(frozen=True)
class RetrainedInfo:
    """The derived architecture first, then the random ones from the best mean down; `answer` is one sentence.

    `part` is which images the accuracy is of, `pending` how many trainings are still to come, `all_random` the mean
    over the random ones (each counts once, whatever its seeds). All rows were trained for `epochs` (None: not
    recorded); `left_out` trainings of other lengths are no part of them.
    """

    question: str
    answer: str
    x: Axis
    part: str
    rows: tuple[Trained, ...]
    all_random: Estimate | None
    pending: int
    basis: str
    alt: str
    epochs: int | None = None
    left_out: int = 0


def retrained(
    trials: Iterable[Trial], measurements: Sequence[Mapping[str, Any]], space: SearchSpace | None
) -> RetrainedInfo:
    """`trials` are the run's; all of a one-shot run's are retrainings. Failed ones are left out."""
    every = list(trials)
    derived = _derived(measurements)
    wanted = None if derived is None else _identity(derived["architecture"])
    usable = [trial for trial in every if _is_usable(trial)]
    epochs = _length(usable, wanted)
    done = [trial for trial in usable if trial.budget == epochs]
    left_out = len(usable) - len(done)
    has_test = bool(done) and all(number(trial.metrics.get(TEST)) is not None for trial in done)
    groups: dict[str, list[float]] = {}
    architectures: dict[str, Any] = {}
    for trial in done:
        value = number(trial.metrics.get(TEST) if has_test else trial.value)
        if value is not None and trial.architecture is not None:
            name = _identity(trial.architecture)
            groups.setdefault(name, []).append(100 * value)
            architectures[name] = trial.architecture
    rows = [
        Trained(_code(architectures[name], space), name == wanted, tuple(values))
        for name, values in groups.items()
    ]
    rows.sort(key=lambda row: (not row.is_derived, -mean(row.values)))
    rivals = [mean(row.values) for row in rows if not row.is_derived]
    answer = _answer([row for row in rows if row.is_derived], rivals, _after(epochs))
    part = "test" if has_test else "validation"
    return RetrainedInfo(
        "Better than random?",
        answer,
        Axis(f"retrained accuracy on {part} images (%)", "higher"),
        part,
        tuple(rows),
        estimate(rivals) if rivals else None,
        sum(trial.status in ("running", "waiting") for trial in every),
        _basis(rows, derived, part, epochs) + _others(left_out),
        f"Retrained accuracy of {_count(len(rows), 'architecture')}, every seed a dot. {answer}",
        epochs,
        left_out,
    )


def _is_usable(trial: Trial) -> bool:
    """Whether it ended with an accuracy and says of which architecture."""
    measured = number(trial.value) is not None or number(trial.metrics.get(TEST)) is not None
    return trial.status == "succeeded" and trial.architecture is not None and measured


def _length(trials: Sequence[Trial], wanted: str | None) -> int | None:
    """The most epochs that the derived one and a rival were both trained for, else the most of all."""
    ours: set[int | None] = set()
    theirs: set[int | None] = set()
    for trial in trials:
        assert trial.architecture is not None
        (ours if _identity(trial.architecture) == wanted else theirs).add(trial.budget)
    return max(ours & theirs or ours | theirs, key=lambda budget: budget or 0, default=None)


def _after(epochs: int | None) -> str:
    return "" if epochs is None else f" after {_count(epochs, 'epoch')}"


def _others(left_out: int) -> str:
    if not left_out:
        return ""
    verb = "is" if left_out == 1 else "are"
    return f" {_count(left_out, 'training')} of other lengths {verb} left out: only equal epochs compare."


def _derived(measurements: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    found = [one["data"] for one in measurements if one["name"] == "derived"]
    return found[-1] if found and isinstance(found[-1], Mapping) and "architecture" in found[-1] else None


def _identity(architecture: Mapping[str, Any]) -> str:
    """The same text for the same choices, whether lists or tuples, in whatever order."""
    return json.dumps(dict(architecture), sort_keys=True, default=str)


def _code(architecture: Mapping[str, Any], space: SearchSpace | None) -> str:
    try:
        return space.code(architecture) if space is not None else "?"
    except ExplorerError:
        return "?"


def _answer(derived: Sequence[Trained], rivals: Sequence[float], after: str) -> str:
    """One honest sentence; a verdict only where both sides have more than one number. `after` says the epochs."""
    if not derived:
        length = after.replace(" after ", " for ")
        return f"Not known yet: the derived architecture has not been trained from scratch{length}."
    own = derived[0].estimate
    seeds = "1 seed" if own.count == 1 else f"{own.count} seeds"
    reached = f"the derived architecture reaches {own} %{after} ({seeds})"
    if not rivals:
        return f"Not known: {reached}, and no random one was trained {'as long' if after else 'beside it'}."
    beaten = sum(own.mean > rival for rival in rivals)
    random = f"{mean(rivals):.1f} %"
    against = f"{reached}, {len(rivals)} random ones {random} on average, and it beats {beaten} of them"
    if len(rivals) == 1:
        return f"Not shown: {reached}, the only random one {random}; one rival is an anecdote."
    if own.count == 1:
        return f"Not shown: {against}; one seed is an anecdote."
    gap = difference(derived[0].values, rivals)
    if gap is None or gap.half is None:
        return f"Not shown: {against}."
    points = f"the difference is {gap.mean:+.1f} ± {gap.half:.1f} points"
    if abs(gap.mean) <= gap.half:
        return f"Not shown: {against}; {points}, so it may be luck."
    return f"{'Yes' if gap.mean > 0 else 'No, worse'}: {against}; {points}."


def _basis(rows: Sequence[Trained], derived: Mapping[str, Any] | None, part: str, epochs: int | None) -> str:
    seeds = sum(len(row.values) for row in rows)
    length = "" if epochs is None else f" for {_count(epochs, 'epoch')}"
    trained = f"{_count(seeds, 'training')} from scratch{length}, of {_count(len(rows), 'architecture')}"
    told = f"{trained}, accuracy on {part} images; bars are 95 % intervals of the mean over seeds."
    inherited = None if derived is None else number(derived.get("inherited_accuracy"))
    if inherited is not None:
        told += (
            f" With inherited weights the derived one had a search accuracy of {100 * inherited:.1f} % on "
            "validation images: another measure, so it is not drawn here."
        )
    return told if rows else "Nothing is trained from scratch yet."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


# -- drawing ----------------------------------------------------------------------------------------------------------


def _window(info: RetrainedInfo) -> tuple[float, float]:
    values = [value for row in info.rows for value in row.values]
    for one in [row.estimate for row in info.rows] + ([info.all_random] if info.all_random else []):
        reach = min(one.half or 0.0, 15.0)  # two seeds that differ have intervals wider than the chart
        values += [one.mean - reach, one.mean + reach]
    low, high = frame.window(values) if values else (0.0, 100.0)
    return max(0.0, low), min(100.0, high)


def retrained_svg(info: RetrainedInfo, width: float = frame.WIDTH) -> str:
    """One line an architecture: dots for seeds, a tick for the mean, a bar for its interval."""
    shown = info.rows[:MOST_ROWS]
    tall = 26.0 if len(shown) <= 8 else 19.0 if len(shown) <= 16 else 13.0
    count = len(shown) + (info.all_random is not None)
    top, left = 8.0, 118.0
    bottom = top + tall * max(1, count)
    plane = frame.Plane(_window(info), (0, 1), (left, top, width - 14, bottom))
    body = []
    for tick in frame.plain_ticks(*plane.x, 8):
        x = plane.at(tick, 0)[0]
        body.append(f'<path d="M{x:.1f} {top}V{bottom:.1f}" stroke="currentColor" stroke-opacity=".13"/>')
        body.append(frame.text((x, bottom + 11), frame.compact(tick), 11, "middle", frame.QUIET_TEXT))
    body.append(frame.text((width - 14, bottom + 28), str(info.x), 11, "end", 'opacity=".88"'))
    for at, row in enumerate(shown):
        y = top + (at + 0.5) * tall
        name = "derived" if row.is_derived else "random"
        weight = 'font-weight="650"' if row.is_derived else 'opacity=".85"'
        body.append(frame.text((4, y), name, 11, more=weight))
        body.append(frame.text((left - 8, y), frame.small(row.code, 9), 10.5, "end", weight))
        color = BLUE if row.is_derived else RIVAL
        body += _bar(plane, row.estimate, y, color)
        shape = "dot" if row.is_derived else "ring"
        radius = 4.0 if row.is_derived else 3.2
        body.append(
            frame.marks(shape, [(plane.at(value, 0)[0], y) for value in row.values], color, radius, 0.8)
        )
    if info.all_random is not None:
        y = top + (len(shown) + 0.5) * tall
        words = f"{info.all_random.count} random, mean"
        body.append(frame.text((4, y), words, 11, more='font-weight="650"'))
        body += _bar(plane, info.all_random, y, "currentColor")
    keys = [frame.Key("a seed", BLUE, "dot"), frame.Key("mean and 95 % interval", GREY, "line")]
    body.append(frame.legend(keys, 4, bottom + 28))
    hidden = len(info.rows) - len(shown)
    if hidden:
        body.append(frame.text((4, bottom + 46), f"{hidden} more random ones are not drawn.", 11))
    return frame.svg(info.alt, width, bottom + (54 if hidden else 38), "".join(body))


def _bar(plane: frame.Plane, found: Estimate, y: float, color: str) -> list[str]:
    """The interval, cut off at the chart's edges, and the mean."""
    low, high = plane.x
    middle = plane.at(found.mean, 0)[0]
    parts = [frame.stroke(f"M{middle:.1f} {y - 6:.1f}v12", color, 2.4)]
    if found.half is not None:
        start, end = (plane.at(min(high, max(low, found.mean + side * found.half)), 0)[0] for side in (-1, 1))
        parts.append(frame.stroke(f"M{start:.1f} {y:.1f}H{end:.1f}", color, 1.8, opacity=0.75))
    return parts


def retrained_figure(info: RetrainedInfo) -> Figure:
    """The same to hover over."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    names = [f"{'derived' if row.is_derived else 'random'} {row.code}" for row in info.rows]
    for is_derived, color, symbol in ((True, BLUE, "circle"), (False, RIVAL, "circle-open")):
        mine = [
            (name, row) for name, row in zip(names, info.rows, strict=True) if row.is_derived is is_derived
        ]
        if not mine:
            continue
        word = "derived" if is_derived else "random"
        figure.add_trace(
            Scatter(
                x=[value for _, row in mine for value in row.values],
                y=[name for name, row in mine for _ in row.values],
                mode="markers",
                name=f"{word}: a seed",
                marker={"color": color, "symbol": symbol, "size": 9},
                hovertemplate="%{y}<br>a seed: %{x:.1f} %<extra></extra>",
            )
        )
        figure.add_trace(
            _means(
                [name for name, _ in mine], [row.estimate for _, row in mine], f"{word}: mean, 95 %", color
            )
        )
    if info.all_random is not None:
        names.append(f"{info.all_random.count} random, mean")
        figure.add_trace(_means(names[-1:], [info.all_random], "mean over random ones", GREY))
    dress(figure, info.x, height=120 + 26 * len(names))
    figure.update_xaxes(range=list(_window(info)))
    return figure.update_yaxes(categoryorder="array", categoryarray=names[::-1])


def _means(names: Sequence[str], found: Sequence[Estimate], words: str, color: str) -> Any:
    from plotly.graph_objects import Scatter

    return Scatter(
        x=[one.mean for one in found],
        y=list(names),
        error_x={"type": "data", "array": [one.half or 0.0 for one in found], "color": color},
        customdata=[[str(one), one.count] for one in found],
        mode="markers",
        name=words,
        marker={"color": color, "symbol": "line-ns", "size": 14, "line": {"width": 3, "color": color}},
        hovertemplate="%{y}<br>mean of %{customdata[1]}: %{customdata[0]} %<extra></extra>",
    )
