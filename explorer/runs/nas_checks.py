"""What keeps a search of architectures from beginning with the best of a pool that a proxy scored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from explorer.catalogue import OWN_STRATEGIES, PROXIES, STRATEGIES, WARM_START
from explorer.runs.spec import RunSpec


def warm_start_problems(spec: RunSpec, values: Mapping[str, Any]) -> Iterator[str]:
    """Sentences about the group `warm_start`: its own parameters, then whether the strategy can make use of it."""
    found = WARM_START.problems(values)
    yield from found
    if found or not any(value is not None for value in values.values()):
        return
    given = WARM_START.settings(values)
    if given["proxy"] is None:
        others = ", ".join(name for name in values if name != "proxy")
        yield f"warm_start has {others} but no proxy; give one of {', '.join(PROXIES)}, or leave warm_start out."
        return
    if given["count"] > given["pool"]:
        yield f"warm_start proposes {given['count']:,} of a pool of {given['pool']:,}; give a pool of at least as many."
    name = spec.method.get("strategy") if isinstance(spec.method, Mapping) else None
    if isinstance(name, str) and name in STRATEGIES:
        yield from _unfit(name, given["count"], spec.settings.get("strategy", {}))


def _unfit(name: str, count: int, values: Any) -> Iterator[str]:
    """Why this strategy cannot begin with `count` architectures that it is given."""
    entry = STRATEGIES[name]
    bound = entry.facts["warm"]
    if name not in OWN_STRATEGIES:
        yield f"{entry.label} takes no warm start, only this app's own strategies do; leave warm_start out."
    elif not bound:
        yield f"{entry.label} draws nothing at random that a warm start could replace; leave warm_start out."
    elif isinstance(bound, str) and isinstance(values, Mapping) and not entry.problems(values):
        most = entry.settings(values)[bound]
        if count > most:
            yield (
                f"warm_start proposes {count:,} first, but {entry.label.lower()} draws only its first {most:,} at "
                f"random ({bound}); give at most as many."
            )
