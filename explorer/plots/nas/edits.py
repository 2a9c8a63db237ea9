"""What one more edit would change: an edge a row, an operation a column, the difference of test accuracy in each place.

Whoever reads the answer key makes the edits; colour says how much, bold that it is more than the luck of the seeds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from explorer.plots import looks
from explorer.plots.tuning import frame

BETTER, WORSE = "#2b7de0", "#c4620a"
STRONGEST = 0.5  # opacity of the largest difference: words stay readable on it
LEFT, TOP, ROW, WIDTH = 62.0, 26.0, 25.0, 430.0


@dataclass(frozen=True)
class Edit:
    """`operation` on edge `label` instead of what is there; `points` of test accuracy are won (lost when negative)."""

    label: str
    operation: str
    points: float
    is_sure: bool


@dataclass(frozen=True)
class EditsInfo:
    """`here` says what each edge has now; an edit that is in no row was not trained."""

    question: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    here: Mapping[str, str]
    edits: tuple[Edit, ...]
    alt: str

    @property
    def best(self) -> Edit | None:
        """The edit that wins most; None where none wins anything."""
        found = max(self.edits, key=lambda edit: edit.points, default=None)
        return found if found is not None and found.points > 0 else None


def edits_of(here: Mapping[str, str], operations: Sequence[str], edits: Iterable[Edit]) -> EditsInfo:
    """The table of an architecture `here` (label -> operation) whose edges choose from `operations`."""
    inside = tuple(edit for edit in edits if edit.label in here and edit.operation in operations)
    best = EditsInfo("", (), (), here, inside, "").best
    told = (
        f"the best is {best.operation} on {best.label} with {best.points:+.1f} points"
        if best
        else "none of them is better"
    )
    return EditsInfo(
        "What would one more edit change?",
        tuple(here),
        tuple(operations),
        here,
        inside,
        f"Change of test accuracy by each of {len(inside)} edits of one edge; {told}.",
    )


def edits_svg(info: EditsInfo) -> str:
    """The table; what an edge has now is framed, the best edit has a thick frame."""
    wide = (WIDTH - LEFT) / max(1, len(info.columns))
    most = max((abs(edit.points) for edit in info.edits), default=0.0) or 1.0
    known = {(edit.label, edit.operation): edit for edit in info.edits}
    parts = [
        frame.text(
            (LEFT + (at + 0.5) * wide, TOP - 12),
            looks.look(name).short or name,
            11,
            "middle",
            frame.QUIET_TEXT,
        )
        for at, name in enumerate(info.columns)
    ]
    for row, label in enumerate(info.rows):
        middle = TOP + (row + 0.5) * ROW
        parts.append(frame.text((LEFT - 8, middle), edge_words(label), 11, "end", frame.QUIET_TEXT))
        for column, name in enumerate(info.columns):
            box = LEFT + column * wide + 1.5, TOP + row * ROW + 1.5, wide - 3, ROW - 3
            if info.here[label] == name:
                parts.append(_box(box, "none", 0, 'stroke="currentColor" stroke-opacity=".55"', "now", False))
                continue
            parts.append(_place(box, known.get((label, name)), most, info.best))
    return frame.svg(info.alt, WIDTH, TOP + ROW * len(info.rows) + 2, "".join(parts))


def edge_words(label: str) -> str:
    """`0 → 3` for `edge_0_3`."""
    parts = label.split("_")
    return f"{parts[1]} → {parts[2]}" if len(parts) == 3 and parts[0] == "edge" else label


def _place(box: tuple[float, ...], edit: Edit | None, most: float, best: Edit | None) -> str:
    if edit is None:
        return _box(box, "none", 0, "", "–", False)
    edge = f'stroke="{BETTER}" stroke-width="2.5"' if edit == best else ""
    title = (
        f"<title>{escape(f'{edge_words(edit.label)}: {edit.operation}')}, {edit.points:+.2f} points, "
        f"{'more than luck' if edit.is_sure else 'may be luck'}</title>"
    )
    color = BETTER if edit.points > 0 else WORSE
    words = f"{edit.points:+.1f}".replace("+0.0", "0.0").replace("-", "−").replace("−0.0", "0.0")
    return f"<g>{title}{_box(box, color, STRONGEST * abs(edit.points) / most, edge, words, edit.is_sure)}</g>"


def _box(box: tuple[float, ...], color: str, opacity: float, edge: str, words: str, is_sure: bool) -> str:
    x, y, width, height = box
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="4" fill="{color}" '
        f'fill-opacity="{opacity:.3f}" {edge}/>'
        + frame.text(
            (x + width / 2, y + height / 2),
            words,
            11.5,
            "middle",
            'font-weight="700"' if is_sure else 'opacity=".85"',
        )
    )
