"""Names of strangers made fit to be shown: cut, and without signs that reorder or break the line they stand in."""

from __future__ import annotations

import unicodedata

LONGEST = 60  # characters of a name
SENTENCE = 300
NAMELESS = "(no name)"
UNSEEN = frozenset(
    {"Cc", "Cf", "Cs", "Zl", "Zp"}
)  # control, direction and joining marks, half pairs, line ends


def shown(words: str, longest: int = LONGEST) -> str:
    """`words` in at most `longest` characters, unseen signs as replacement characters.

    >>> shown("a\\u202eb")
    'a\\ufffdb'
    """
    cut = words if len(words) <= longest else words[: longest - 1] + "…"
    if cut.isprintable():
        return cut
    return "".join("\ufffd" if unicodedata.category(sign) in UNSEEN else sign for sign in cut)


def named(words: str, longest: int = LONGEST) -> str:
    """The same, and something to read where there is no name at all."""
    return shown(words, longest) if words.strip() else NAMELESS
