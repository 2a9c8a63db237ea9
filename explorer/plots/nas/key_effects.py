"""Which choice of a cell matters: effects of single operations as a map, and what the variance is made of as a bar."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from explorer.plots import looks
from explorer.plots.nas.edits import edge_words
from explorer.plots.nas.grid import HALF
from explorer.plots.oneshot.panels import BLUE, GREEN, GREY, ORANGE, PURPLE
from explorer.plots.tuning import frame

LEFT, TOP, ROW = 92.0, 40.0, 36.0
STRONGEST = 0.6  # opacity; words stay readable on it
BAR = 96.0  # height of the picture


@dataclass(frozen=True)
class EffectsInfo:
    """`points[row][column]`: what operation `operations[row]` on edge `edges[column]` adds to the mean, in accuracy
    points; None where the edge never has it. An edge's points sum to 0.
    """

    question: str
    edges: tuple[str, ...]
    operations: tuple[str, ...]
    points: tuple[tuple[float | None, ...], ...]
    answer: str
    basis: str
    alt: str


@dataclass(frozen=True)
class Part:
    """One part of the variance: its words, a colour, and its share of 1."""

    words: str
    color: str
    share: float


@dataclass(frozen=True)
class SharesInfo:
    """`parts` sum to 1, or there are none."""

    question: str
    parts: tuple[Part, ...]
    answer: str
    basis: str
    alt: str


def _short(operation: str) -> str:
    return looks.look(operation).short or operation


def main_effects(
    main: Mapping[str, Any], options: Mapping[str, Sequence[str]], grand: float, cells: int
) -> EffectsInfo:
    """`main` and `grand` as shares of 1, of at least one edge that has two operations."""
    named: list[str] = []
    for names in options.values():
        named += [name for name in names if name not in named]
    table = {
        label: dict(zip(options[label], (100 * float(one) for one in main[label]), strict=True))
        for label in main
    }
    told = [(value, label, name) for label, row in table.items() for name, value in row.items()]
    best, worst = max(told), min(told)
    answer = (
        f"On average {_short(best[2])} on {edge_words(best[1])} adds most ({best[0]:+.1f} points), "
        f"{_short(worst[2])} on {edge_words(worst[1])} costs most ({worst[0]:+.1f})."
    )
    return EffectsInfo(
        "Which operation on which edge?",
        tuple(edge_words(label) for label in main),
        tuple(named),
        tuple(tuple(table[label].get(name) for label in main) for name in named),
        answer,
        f"Points of test accuracy against the mean of all {cells:,} cells ({100 * grand:.1f} %), every other edge "
        "averaged over all that it may be.",
        f"Effects of {len(named)} operations on {len(main)} edges. {answer}",
    )


def effects_svg(info: EffectsInfo) -> str:
    """A map: blue is better than the mean, orange worse, the number in it."""
    wide = (HALF - LEFT - 8) / len(info.edges)
    known = [abs(value) for row in info.points for value in row if value is not None]
    most = max(known, default=0.0) or 1.0
    body = frame.text((4, TOP - 26), "points of test accuracy", 11, more='opacity=".88"')
    for column, edge in enumerate(info.edges):
        body += frame.text((LEFT + (column + 0.5) * wide, TOP - 9), edge, 11.5, "middle", 'font-weight="600"')
    for row, name in enumerate(info.operations):
        middle = TOP + (row + 0.5) * ROW
        body += frame.text((LEFT - 9, middle), _short(name), 11.5, "end")
        for column, value in enumerate(info.points[row]):
            body += _square(LEFT + column * wide, TOP + row * ROW, wide, value, most)
    return frame.svg(info.alt, HALF, TOP + ROW * len(info.operations) + 6, body)


def _square(x: float, y: float, wide: float, value: float | None, most: float) -> str:
    if value is None:
        return ""
    color, strength = (BLUE if value >= 0 else ORANGE), STRONGEST * abs(value) / most
    return (
        f'<rect x="{x + 1:.1f}" y="{y + 1:.1f}" width="{wide - 2:.1f}" height="{ROW - 2:.1f}" rx="3" '
        f'fill="{color}" fill-opacity="{max(0.04, strength):.2f}"/>'
        + frame.text((x + wide / 2, y + ROW / 2), f"{value:+.1f}", 11.5, "middle")
    )


def shares(
    main: Mapping[str, float],
    pairs: float,
    rest: float,
    luck: float,
    spread: float,
    operations: Mapping[str, int],
) -> SharesInfo:
    """`main` per edge, `pairs` of all pairs and `rest` are shares of the variance and sum to 1, or all are 0.

    `luck` is the share that the seeds' luck is expected to have (NaN: unknown). It is in all the others, in each by its
    degrees of freedom, and is taken out of them; `operations` says how many each edge of `main` chooses from. `spread`
    is the standard deviation of the cells' means as a share of 1.
    """
    total, known = sum(main.values()) + pairs + rest, not math.isnan(luck)
    free = {label: operations[label] - 1 for label in main}  # degrees of freedom
    free_pairs = sum(a * b for a, b in combinations(free.values(), 2))
    free_all = math.prod(operations[label] for label in main) - 1
    each = (luck if known else 0.0) / max(1, free_all)
    own = {label: max(0.0, share - each * free[label]) for label, share in main.items()}
    alone, joint = sum(own.values()), max(0.0, pairs - each * free_pairs)
    more = max(0.0, rest - each * (free_all - free_pairs - sum(free.values())))
    parts = [Part("single edges", BLUE, alone), Part("pairs of edges", GREEN, joint)]
    parts.append(Part("three and more" if known else "three and more, and luck", PURPLE, more))
    parts += [Part("luck of the seeds", GREY, max(0.0, total - alone - joint - more))] if known else []
    edge = max(own, key=lambda label: own[label])
    answer = (
        f"Edge {edge_words(edge)} matters most: alone it explains {100 * own[edge]:.0f} % of the variance. Single "
        f"edges together explain {100 * alone:.0f} %, pairs {100 * joint:.0f} % more."
    )
    if alone + joint + more <= 0:
        answer = "No difference between these cells is more than the luck of their seeds would make."
    return SharesInfo(
        "Single choices, or how they combine?",
        tuple(parts) if total > 0 else (),
        answer if total > 0 else "All of these cells are equally accurate; there is nothing to explain.",
        f"Shares of the variance between the cells' means, whose standard deviation is {100 * spread:.1f} points; the "
        "exact functional ANOVA of the whole table, nothing is fitted.",
        f"Bar of shares: {', '.join(f'{part.words} {100 * part.share:.0f} %' for part in parts)}.",
    )


def shares_svg(info: SharesInfo) -> str:
    """One bar, and what its parts mean with their shares below."""
    x, body, at, row = 4.0, "", 4.0, 0
    for part in info.parts:
        wide = (HALF - 8) * part.share
        body += (
            f'<rect x="{x:.1f}" y="4" width="{max(0.0, wide - 1):.1f}" height="30" fill="{part.color}">'
            f"<title>{part.words}: {100 * part.share:.1f} %</title></rect>"
        )
        x += wide
        key = frame.Key(f"{part.words} {100 * part.share:.0f} %", part.color, "square")
        if at + 23 + frame.key_width(key) > HALF and at > 4:
            at, row = 4.0, row + 1
        body += frame.legend([key], at, 52.0 + 20 * row)
        at += 23 + frame.key_width(key)
    return frame.svg(info.alt, HALF, BAR, body)
