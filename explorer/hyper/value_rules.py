"""What is wrong with one option or one range of a search space, as the middle of a sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from explorer.catalogue import shown
from explorer.hyper.domain import Domain, is_finite
from explorer.hyper.located import BROKEN

MAX_OPTIONS = 1_000
MAX_TEXT = 1_000
MAX_WHOLE = 2**53
"""Above this, whole numbers are not exact in a float, nor in NNI's manager."""
LARGEST_EXPONENT = 700.0
"""exp() of more is larger than any float."""


def kind(value: Any) -> str:
    """What a JSON value is, in words."""
    names = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    if isinstance(value, Mapping):
        return "an object"
    return names.get(type(value), "a number" if isinstance(value, (int, float)) else type(value).__name__)


def option_problem(value: Any, *, is_inner: bool = False) -> str | None:
    """What is wrong with a plain option, as the middle of a sentence, or None."""
    if isinstance(value, str):
        if len(value) > MAX_TEXT or not _can_be_stored(value):
            return f"is {shown(value)}; give a text of at most {MAX_TEXT:,} ordinary characters"
        return None
    if value is None or isinstance(value, bool) or is_finite(value):
        return None
    if isinstance(value, (list, tuple)) and not is_inner and len(value) <= MAX_OPTIONS:
        return next((problem for part in value if (problem := option_problem(part, is_inner=True))), None)
    if value is BROKEN:
        return "holds a value that cannot be read; write it again"
    return f"is {quoted(value)}; give a number, a text, true, false, null or a list of those"


def _can_be_stored(text: str) -> bool:
    """Whether a text survives UTF-8 and a database: no lone surrogates, no zero character."""
    return "\0" not in text and not any(0xD800 <= ord(char) <= 0xDFFF for char in text)


def range_problem(domain: Domain) -> str | None:
    """What is wrong with the numbers of a range or a bell, as a sentence without its end, or None."""
    if domain.type == "randint":
        return _randint_problem(*domain.values)
    problem = _bell_problem(domain) if domain.is_normal else _ends_problem(domain)
    if problem or domain.q is None:
        return problem
    return _step_problem(domain, domain.q)


def _randint_problem(low: Any, high: Any) -> str | None:
    for end in (low, high):
        if not isinstance(end, int) or abs(end) > MAX_WHOLE:
            return f"randint holds {end!r}; give whole numbers between -2**53 and 2**53"
    if low >= high:
        return (
            f"randint from {low} to {high} holds no number, because its upper end is left out; "
            f"give an upper end above {low}"
        )
    return None


def _bell_problem(domain: Domain) -> str | None:
    if domain.high <= 0:
        return f"{domain.type} has the standard deviation {domain.high:g}; give one above 0"
    if domain.is_log and abs(domain.low) + 8 * domain.high > LARGEST_EXPONENT:
        return (
            f"{domain.type} draws exp() of numbers around {domain.low:g}, too large for any number; "
            "give mean and standard deviation of the logarithm"
        )
    return None


def _ends_problem(domain: Domain) -> str | None:
    low, high = domain.low, domain.high
    if domain.is_log and low <= 0:
        return (
            f"{domain.type} starts at {low:g}, but a logarithm needs numbers above 0; "
            "use a small positive lower bound such as 1e-6"
        )
    if low >= high:
        return f"{domain.type} from {low:g} to {high:g} is empty; give a lower end below the upper one"
    if not math.isfinite(float(high) - float(low)):
        return f"{domain.type} from {low:g} to {high:g} is wider than any number; give a smaller range"
    return None


def _step_problem(domain: Domain, q: float) -> str | None:
    if q <= 0:
        return f"{domain.type} rounds to multiples of {q:g}; give a q above 0"
    far = abs(domain.low) + 8 * domain.high if domain.is_normal else max(abs(domain.low), abs(domain.high))
    if not domain.is_normal and q > domain.high - domain.low:
        return (
            f"{domain.type} rounds to multiples of {q:g}, more than the whole range from {domain.low:g} "
            f"to {domain.high:g}; give a smaller q"
        )
    far = math.exp(far) if domain.is_normal and domain.is_log else far
    if far / q > MAX_WHOLE:
        return f"{domain.type} rounds to multiples of {q:g}, finer than numbers of this size are; give a larger q"
    return None


def quoted(value: Any) -> str:
    """A value as a sentence quotes it, kinds told apart: the text '0.1' is no number."""
    if isinstance(value, str):
        return f"the text {shown(value)}"
    if isinstance(value, (list, tuple, Mapping)):
        return kind(value)
    if isinstance(value, int) and not isinstance(value, bool) and not is_finite(value):
        return "a number that is too large"
    return shown(value)
