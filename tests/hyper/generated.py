"""Well-formed search spaces in NNI's form, generated: every type, nested up to two levels."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from explorer.hyper import TYPES

PROPERTY = settings(max_examples=60, deadline=None, derandomize=True)
"""The same examples at every run, and no clock: a busy machine fails nothing."""

NAMES = st.text("abcdefgh_/ é", min_size=1, max_size=6).filter(
    lambda name: name == name.strip() and name not in ("_name", "_type", "_value")
)
SCALARS = st.one_of(
    st.integers(-1000, 1000), st.floats(-10, 10), st.text("xyz", max_size=4), st.booleans(), st.none()
)


def _same(value: Any) -> tuple[str, Any]:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return ("number" if is_number else type(value).__name__, value)


@st.composite
def ranges(draw: st.DrawFn) -> dict[str, Any]:
    """A range or a bell."""
    kind = draw(st.sampled_from([kind for kind in TYPES if kind != "choice"]))
    if kind == "randint":
        low = draw(st.integers(-50, 50))
        return {"_type": kind, "_value": [low, low + draw(st.integers(1, 60))]}
    if "normal" in kind:
        values = [draw(st.integers(-3, 3)) / 2, draw(st.sampled_from([0.1, 0.5, 1, 2]))]
        return {
            "_type": kind,
            "_value": values + ([draw(st.sampled_from([0.1, 0.5, 1]))] if kind[0] == "q" else []),
        }
    low = draw(st.integers(1, 400)) / 20 - (0 if "log" in kind else 10)
    high = low + draw(st.integers(1, 400)) / 20
    values = [low, high]
    if kind[0] == "q":
        values.append((high - low) * draw(st.sampled_from([1, 0.9, 0.5, 0.3, 0.1, 0.07])))
    return {"_type": kind, "_value": values}


@st.composite
def spaces(draw: st.DrawFn, depth: int = 2) -> dict[str, Any]:
    """A search space of one to four parameters."""
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    return {name: draw(_parameter(depth)) for name in names}


@st.composite
def _parameter(draw: st.DrawFn, depth: int) -> dict[str, Any]:
    kind = draw(st.sampled_from(["range", "range", "choice", "nested"] if depth else ["range", "choice"]))
    if kind == "range":
        return draw(ranges())
    if kind == "choice":
        options = draw(st.lists(SCALARS, min_size=1, max_size=5, unique_by=_same))
        return {"_type": "choice", "_value": options}
    labels = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    return {
        "_type": "choice",
        "_value": [
            {"_name": label, **(draw(spaces(depth - 1)) if draw(st.booleans()) else {})} for label in labels
        ],
    }
