"""All charts of a one-shot search over one axis of steps, as data for assets/graph/strips.js.

What they say is in the records of `explorer.plots.oneshot`; here it is only thinned and packed. A line is sent once, as
numbers: the browser draws it and reads its value at the cursor from the same ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from explorer.catalogue import METHODS
from explorer.plots.drawn.film import has_opinion
from explorer.plots.drawn.text import named, shown
from explorer.plots.oneshot.gap import gap, gap_sentence
from explorer.plots.oneshot.losses import losses
from explorer.plots.oneshot.panels import (
    MOST_POINTS,
    Panel,
    PanelsInfo,
    Points,
    basis_of,
    thinned,
)
from explorer.plots.oneshot.policy import policy
from explorer.plots.oneshot.probabilities import ProbabilitiesInfo, Small, probabilities
from explorer.plots.oneshot.uncertainty import uncertainty
from explorer.plots.oneshot.worth import Known, at_steps, worth
from explorer.plots.sketch import compact
from explorer.plots.tuning import frame
from explorer.runs.state import RunState
from explorer.space import SearchSpace

DIGITS = tuple(chr(48 + digit) for digit in range(64))  # "0" to "o"
PAIRS = tuple(high + low for high in DIGITS for low in DIGITS)
"""A value is two signs: 4,096 heights between the lowest and the highest of its panel."""

LIVE_POINTS = 60  # of a line while the search runs; all of it is sent again with each snapshot
FULL_SMALL_POINTS = 20_000  # of all probabilities together
LIVE_SMALL_POINTS = 3_600
LEAST_POINTS = 8  # of each of them, however many they are
QUIET_SHARE = 4  # lines behind a mean have a quarter of the points
QUIET, PLAIN, THICK, DOTS = 0, 1, 2, 3
SHARE = (0.0, 1.0)
SMALL_BASIS = (
    "Each goes from 0 to 1. Behind a name stands what the newest snapshot derives (the thick line), "
    "below it what is most probable at the cursor."
)
Span = tuple[float, float]
Snapshots = Sequence[Mapping[str, Any]]


def strips(
    state: RunState, space: SearchSpace | None, live: bool, known: Known | None = None
) -> dict[str, Any]:
    """`known` is what the answer key says of the search. The data:

    `film`, the run's id; `x` [first, last step]; `sections`; and what their lines name by number: `looks` [words,
    color, dash] and `s`, lists of steps, the first for the arrow keys.

    A section: `q` a question and `basis` its small print, where a new one begins; `h` a heading; `panels`; `small`
    where they are probabilities, a panel a decision, with `key` (looks) for all of them.
    A panel: `y` the axis in words, or the decision and what the newest snapshot derives of it; `lines` [look, steps,
    values, weight], where a weight of 3 stands for dots; unless it is small and goes from 0 to 1: `range`; `ticks`
    [words, height]; `z` [low, high], what the packed values mean, `n` their decimals; `levels` [words, height, color];
    `dots` where each point is a measurement. Heights are percents from above.
    """
    most = LIVE_POINTS if live else MOST_POINTS
    infos = [info for info in _infos(state, space, live, known) if not info.is_empty]
    believed = _believed(state, space, LIVE_SMALL_POINTS if live else FULL_SMALL_POINTS)
    tables = _Tables()
    steps = sorted({one["step"] for one in state.snapshots})
    tables.at(frame.spread(steps, MOST_POINTS))
    sections = [_section(info, tables, most) for info in infos]
    sections += _smalls(believed, tables) if believed else ()
    return {
        "film": state.run_id,
        "x": _ends(tables),
        "sections": sections,
        "looks": [list(look) for look in tables.looks],
        "s": [list(steps) for steps in tables.steps],
    }


def _ends(tables: _Tables) -> list[int]:
    """The first and the last step of all; a search with one step has an axis, too."""
    ends = [step for steps in tables.steps for step in steps[:1] + steps[-1:]]
    low, high = min(ends, default=0), max(ends, default=0)
    return [low, high] if low < high else [0, max(1, high)]


def _infos(
    state: RunState, space: SearchSpace | None, live: bool, known: Known | None
) -> Iterator[PanelsInfo]:
    """The questions, in the order in which they are asked."""
    method = METHODS[state.spec.method["method"]]
    most = LIVE_POINTS if live else MOST_POINTS
    if known is not None and has_opinion(state):  # without one there is only the end
        yield worth(known, state.snapshots, live)
    yield losses(state.snapshots)
    if method.facts["believes"]:
        settings = method.defaults() | state.spec.settings.get("method", {})
        few = _few(state.snapshots, most)  # each of them has an entropy, so no line loses its points
        info = uncertainty(few, space, settings["skip_alarm"])
        yield replace(info, basis=_basis(info.basis, few, state.snapshots))
    yield policy(state.snapshots)
    if gap_sentence(state.measurements):  # single paths have no supernet to compare with
        steps = [one["step"] for one in state.measurements]
        yield gap(state.measurements, at_steps(known, state.snapshots, steps) if known else {})


def _few(snapshots: Snapshots, most: int) -> Snapshots:
    """Evenly chosen, the first and the last among them."""
    return [snapshots[at] for at in frame.spread(range(len(snapshots)), most)]


def _basis(said: str, few: Snapshots, every: Snapshots) -> str:
    """The small print of a few snapshots, as that of all."""
    return basis_of(every, said.removeprefix(basis_of(few)).strip())


@dataclass
class _Tables:
    """What lines share, once: looks and steps, in the order in which they came up."""

    looks: dict[tuple[str, str, str], int] = field(default_factory=dict)
    steps: dict[tuple[int, ...], int] = field(default_factory=dict)

    def look(self, words: str, color: str, dash: str) -> int:
        return self.looks.setdefault((words, color, dash), len(self.looks))

    def at(self, steps: Iterable[float]) -> int:
        return self.steps.setdefault(tuple([int(step) for step in steps]), len(self.steps))

    def line(self, look: int, points: Points, span: Span, most: int, weight: int) -> list[Any]:
        """A search that was resumed counts some steps twice; the later value is the one that holds."""
        once = tuple(sorted(dict(points).items()))
        few = thinned(once, most)
        return [look, self.at(step for step, _ in few), _packed([value for _, value in few], span), weight]


def _packed(values: Iterable[float], span: Span) -> str:
    """Two signs a value, the highest digit first: `00` is the lowest of the span, `oo` the highest."""
    low, high = span
    wide, last = (high - low) or 1.0, len(PAIRS) - 1
    return "".join([PAIRS[round((value - low) / wide * last)] for value in values])


# -- questions --------------------------------------------------------------------------------------------------------


def _section(info: PanelsInfo, tables: _Tables, most: int) -> dict[str, Any]:
    """A question with those of its panels that have something in them."""
    panels = [
        _panel(panel, tables, most) for panel in info.panels if any(line.points for line in panel.lines)
    ]
    return {"q": info.question, "basis": info.basis, "panels": panels}


def _panel(panel: Panel, tables: _Tables, most: int) -> dict[str, Any]:
    low, high = panel.range
    values = [value for line in panel.lines for _, value in line.points]
    span = min(values), max(values)
    lines = [
        tables.line(
            tables.look("" if line.quiet else shown(line.words), line.color, line.dash),
            line.points,
            span,
            most // QUIET_SHARE if line.quiet and not line.dots else most,
            DOTS if line.dots else QUIET if line.quiet else PLAIN,
        )
        for line in panel.lines
        if line.points
    ]
    found: dict[str, Any] = {
        "y": str(panel.y),
        "range": [_tidy(low), _tidy(high)],
        "ticks": [
            [compact(tick), _height(tick, (low, high))] for tick in frame.plain_ticks(low, high, most=4)
        ],
        "z": [_tidy(end) for end in span],
        "n": _decimals(high - low),
        "lines": lines,
    }
    if panel.levels:
        found["levels"] = [
            [level.words, _height(level.value, (low, high)), level.color] for level in panel.levels
        ]
    return found | ({"dots": 1} if panel.dots else {})


def _height(value: float, span: Span) -> float:
    """Percent of the panel from above."""
    low, high = span
    return round(100 * (high - value) / ((high - low) or 1), 1)


def _tidy(value: float) -> float:
    return float(f"{value:.6g}")


def _decimals(span: float) -> int:
    """As many as tell three places of the span apart, up to 6: 1 of a percentage, 2 of a loss."""
    return max(0, min(6, 2 - math.floor(math.log10(max(span, 1e-9) / 1.2))))


# -- probabilities ----------------------------------------------------------------------------------------------------


def _believed(state: RunState, space: SearchSpace | None, most: int) -> ProbabilitiesInfo | None:
    """From few snapshots: hundreds of lines are looked at side by side. `most` is the points of all together."""
    if not state.snapshots or not METHODS[state.spec.method["method"]].facts["believes"]:
        return None
    lines = sum(len(row) for row in state.snapshots[-1]["probabilities"].values())
    few = _few(state.snapshots, max(LEAST_POINTS, min(MOST_POINTS, most // max(1, lines))))
    info = probabilities(few, space)
    return replace(info, basis=_basis(info.basis, few, state.snapshots))


def _smalls(info: ProbabilitiesInfo, tables: _Tables) -> Iterator[dict[str, Any]]:
    """The question and the key with the first section, the small print with the last."""
    key = [tables.look(shown(one.words), one.color, one.dash) for one in info.key]
    asked: dict[str, Any] = {"q": info.question, "key": key}
    for at, (name, smalls) in enumerate(info.sections, 1):
        said = {"basis": f"{SMALL_BASIS} {info.basis}"} if at == len(info.sections) else {}
        headed = {"h": name} if name else {}
        yield asked | headed | said | {"small": 1, "panels": [_small(small, tables) for small in smalls]}
        asked = {}


def _small(small: Small, tables: _Tables) -> dict[str, Any]:
    lines = []
    for course in small.courses:
        one = course.candidate
        look = tables.look(shown(one.words), one.color, one.dash)
        weight = THICK if course.chosen else PLAIN
        lines.append(tables.line(look, course.points, SHARE, MOST_POINTS, weight))
    derived = f": {shown(small.derived)}" if small.derived else ""
    return {"y": named(small.row.title) + derived, "lines": lines}
