"""Words with their meaning on hover."""

from __future__ import annotations

from datetime import UTC, datetime

from explorer.glossary import explain


def term(word: str) -> str:
    """The help text of a glossary term."""
    return explain(word)


def plain(words: str) -> str:
    """Text as text: nothing in a name, an address or a message that quotes one may become Markdown."""
    return "".join(f"\\{letter}" if letter in r"\`*_{}[]<>()#+-!|$~:" else letter for letter in words)


def percent(value: float | None) -> str:
    """`94.3 %`, or a dash."""
    return "–" if value is None else f"{100 * value:.1f} %"


def short(number: float) -> str:
    """`84.3k`, `1.60M`: three digits."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:g}"


def span(ends: tuple[int, int]) -> str:
    """`454 – 4.77k`, or one number when both ends are the same."""
    return short(ends[0]) if ends[0] == ends[1] else f"{short(ends[0])} – {short(ends[1])}"


def full_span(ends: tuple[int, int]) -> str:
    """The same with every digit: `454 – 4,774`."""
    return f"{ends[0]:,}" if ends[0] == ends[1] else f"{ends[0]:,} – {ends[1]:,}"


def ago(then: float | None, now: float) -> str:
    """`3 min ago`, or the date when it is long ago."""
    if then is None:
        return "–"
    seconds = max(0.0, now - then)
    for size, word in ((86_400 * 7, ""), (86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            day = datetime.fromtimestamp(then, UTC).strftime("%-d %b %Y")
            return f"{int(seconds // size)} {word} ago" if word else day
    return "just now"
