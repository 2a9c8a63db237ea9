"""Which edge matters, and which operation on it: the exact functional ANOVA of a complete table.

Means over the table split into a grand mean, an effect of every edge alone, one of every pair, and a rest; their
variances add up to the table's (Hooker 2007, Generalized functional ANOVA diagnostics; Hutter, Hoos & Leyton-Brown
2014, An efficient approach for assessing hyperparameter importance). With every cell in the table the averages are
exact: nothing is fitted. The luck of the seeds is in the table too; in a large one nearly all of it is in the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType

from explorer.errors import OutsideKey
from explorer.key.recipe import THREE
from explorer.key.record import Floats, Key
from explorer.space import edge_label, full_edges

# Two sub-tables that both keys hold: three nodes (`recipe.lesson`) and three operations (`recipe.of_three`).
LESSON: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"edge_0_3": ("none",), "edge_1_3": ("none",), "edge_2_3": ("skip_connect",)}
)
OF_THREE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {edge_label(edge): THREE for edge in full_edges(4)}
)

Pair = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Effects:
    """Differences of test accuracy; shares are of `variance`, that of the table, and sum to 1 with `rest`.

    `main[label]` has one number an operation of `options[label]`, `pairs[a, b]` one for each two of them. Every effect
    sums to 0 over each of its axes. `noise` is the share that the seeds' luck is expected to have, NaN if unknown.
    """

    grand: float
    variance: float
    options: Mapping[str, tuple[str, ...]]
    main: Mapping[str, Floats]
    pairs: Mapping[Pair, Floats]
    main_shares: Mapping[str, float]
    pair_shares: Mapping[Pair, float]
    rest: float
    noise: float


def effects(key: Key, within: Mapping[str, Sequence[str]] | None = None) -> Effects:
    """The effects in the table of all cells, or of those `within` (label -> operations; all where left out).

    Raises OutsideKey when one of these cells was not trained.
    """
    strange = [label for label in within or {} if label not in key.labels]
    if strange:
        raise OutsideKey(f"The answer key has no choice {strange[0]!r}; it has {', '.join(key.labels)}.")
    places = key.grid(within or {})
    positions = key.position[places]
    absent = int((positions < 0).sum())
    if absent:
        raise OutsideKey(
            f"{absent:,} of these {positions.size:,} cells are not in the answer key of {key.dataset}; effects need "
            "all of them, so take fewer operations on some edges."
        )
    table = key.means[positions]  # (operations, ...), one axis an edge
    options = {label: tuple((within or {}).get(label, key.space.operations)) for label in key.labels}
    free = [at for at in range(table.ndim) if table.shape[at] > 1]
    names = {at: key.labels[at] for at in free}
    grand, variance = float(table.mean()), float(table.var())
    alone = {at: _over(table, (at,)) - grand for at in free}
    joint = {
        (a, b): _over(table, (a, b)) - alone[a][:, None] - alone[b][None, :] - grand
        for a, b in combinations(free, 2)
    }
    main_shares = {names[at]: _share(effect, variance) for at, effect in alone.items()}
    pair_shares = {(names[a], names[b]): _share(effect, variance) for (a, b), effect in joint.items()}
    luck = float((key.sigma**2 / key.seeds[positions]).mean())
    return Effects(
        grand,
        variance,
        {name: options[name] for name in names.values()},
        {names[at]: effect for at, effect in alone.items()},
        {(names[a], names[b]): effect for (a, b), effect in joint.items()},
        main_shares,
        pair_shares,
        rest=max(0.0, 1.0 - sum(main_shares.values()) - sum(pair_shares.values())) if variance else 0.0,
        noise=luck / variance if variance else 0.0,
    )


def _over(table: Floats, kept: tuple[int, ...]) -> Floats:
    """The mean over all axes but `kept`."""
    return table.mean(axis=tuple(at for at in range(table.ndim) if at not in kept))


def _share(effect: Floats, variance: float) -> float:
    return float((effect**2).mean()) / variance if variance else 0.0
