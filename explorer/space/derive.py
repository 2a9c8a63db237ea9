"""An architecture read off a supernet's scores, and plain figures about how decided and how degenerate it is.

Scores come in as lists of floats, one row a decision (`space.decisions`), so that a page can derive without torch. They
are probabilities of softmaxed rows, `none` still among the candidates: rows must be comparable with each other, which
raw logits are not (a constant added to a row's logits changes no probability, but would change their order).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from explorer.errors import SpaceError, UnknownName
from explorer.space.architecture import Architecture
from explorer.space.base import SearchSpace
from explorer.space.cell import CellSpace, edge_label
from explorer.space.darts import INPUTS, KINDS, DartsSpace, darts_edge_label, inputs_label, operation_label
from explorer.space.decisions import Decision, architecture_of, decisions, path_of
from explorer.space.macro import MacroSpace
from explorer.space.mutables import InputChoice, LayerChoice
from explorer.space.network import INPUT

Row = Sequence[float]
Scores = Mapping[str, Row]
"""Decision's label -> one number a candidate, the larger the better."""

Genotype = Mapping[str, tuple[tuple[str, str], ...]]
"""Node -> the (operation, input) pairs whose outputs it adds up."""

SKIP = "skip connection"  # what a genotype calls an addition past a layer; with a blank, as no candidate


def derive(space: SearchSpace, scores: Scores, rule: str) -> Architecture:
    """The architecture by a rule that needs nothing but scores: "argmax" or "top2"; raises UnknownName."""
    if rule not in RULES:
        raise UnknownName("selection rule by probabilities", rule, RULES)
    return RULES[rule](space, scores)


def argmax(space: SearchSpace, scores: Scores) -> Architecture:
    """The best candidate of every decision, `none` included; of equals the first, so a tied switch stays off.

    Of "inputs" decisions the `chosen` best. In a DARTS cell this is `top2`, since two inputs a node are what it keeps.
    """
    if isinstance(space, DartsSpace):
        return top2(space, scores)
    made = decisions(space)
    rows = _checked(made, scores)
    return architecture_of(space, {each.label: _best(each, rows[each.label]) for each in made})


def top2(space: SearchSpace, scores: Scores) -> Architecture:
    """Per node the two inputs whose best operation scores highest, with that operation; never `none`.

    Liu, Simonyan & Yang 2019, section 2.4, with the ties of the authors' code (quark0/darts, cnn/model_search.py,
    `_parse`): of equal edges the earlier sources, of equal operations the first. A cell that keeps all its edges has
    nothing to rank, so for every other family this is `argmax`.
    """
    if not isinstance(space, DartsSpace):
        return argmax(space, scores)
    rows = _checked(decisions(space), scores)
    path: dict[str, int | None] = dict.fromkeys(rows)
    held = _derivable(space)
    for kind in KINDS:
        for target in space.targets:
            edges = [darts_edge_label(kind, source, target) for source in range(target)]
            best = {label: max(rows[label][at] for at in held) for label in edges}
            for label in sorted(edges, key=lambda label: -best[label])[:INPUTS]:
                path[label] = max(held, key=rows[label].__getitem__)
    return architecture_of(space, path)


RULES = {"argmax": argmax, "top2": top2}


def _derivable(space: DartsSpace) -> list[int]:
    return [at for at, name in enumerate(space.operations) if name != "none"]


def _best(decision: Decision, row: Row) -> int | tuple[int, ...]:
    order = sorted(range(len(row)), key=lambda at: -row[at])
    return tuple(sorted(order[: decision.chosen])) if decision.kind == "inputs" else order[0]


def _checked(made: Sequence[Decision], scores: Scores) -> dict[str, Row]:
    """The rows in the order of the decisions; raises SpaceError for what is missing, too long or no number."""
    problems = []
    for each in made:
        row = scores.get(each.label)
        if row is None:
            problems.append(f"There are no scores for {each.label}.")
        elif len(row) != len(each.candidates):
            problems.append(f"{each.label} has {len(each.candidates)} candidates, but {len(row)} scores.")
        elif not all(map(math.isfinite, row)):
            problems.append(f"The scores of {each.label} are no finite numbers: {list(row)}.")
    if problems:
        raise SpaceError(*problems)
    return {each.label: scores[each.label] for each in made}


def entropy(row: Row) -> float:
    """-sum p ln p, in nats: 0 when decided, ln(candidates) when uniform."""
    return -sum(p * math.log(p) for p in row if p > 0) or 0.0


def margin(row: Row) -> float:
    """The first minus the second largest: 0 when tied; a single candidate leads by all it has."""
    first, second = [*sorted(row, reverse=True), 0.0][:2]
    return first - second


def skip_share(space: SearchSpace, architecture: Mapping[str, object]) -> float:
    """Share of skips and identities among the operations that are kept, 0 .. 1; a chosen `none` keeps nothing.

    Switches (candidate skips past a layer) are no operations; their share is `switch_share`.
    """
    path, made = path_of(space, architecture), decisions(space)
    kept = [
        path[each.label] in each.skips
        for each in made
        if each.kind == "operation" and path[each.label] is not None and path[each.label] not in each.nones
    ]
    return sum(kept) / len(kept) if kept else 0.0


def switch_share(space: SearchSpace, architecture: Mapping[str, object]) -> float | None:
    """Share of candidate skip connections that are on, 0 .. 1 (ENAS's skip rate); None where there are none."""
    path, made = path_of(space, architecture), decisions(space)
    on = [path[each.label] in each.skips for each in made if each.kind == "switch"]
    return sum(on) / len(on) if on else None


def none_share(made: Sequence[Decision], probabilities: Scores) -> float:
    """The mean probability of `none` over the operation decisions that offer it; 0 where none does."""
    nones = [
        sum(probabilities[each.label][at] for at in each.nones)
        for each in made
        if each.kind == "operation" and each.nones
    ]
    return math.fsum(nones) / len(nones) if nones else 0.0


def genotype(
    space: SearchSpace, architecture: Mapping[str, object]
) -> dict[str, tuple[tuple[str, str], ...]]:
    """What every node that has a choice adds up: (operation, input) pairs.

    In a macro space a skip is the pair (SKIP, its source), and a chosen value is (value, "") under its own label.
    """
    chosen = space.architecture(architecture)
    if isinstance(space, DartsSpace):
        return {
            f"{kind}/node_{target}": tuple(
                (chosen[operation_label(kind, target, at)], f"node_{source}")
                for at, source in enumerate(chosen[inputs_label(kind, target)])
            )
            for kind in KINDS
            for target in space.targets
        }
    if isinstance(space, CellSpace):
        return {
            f"node_{node}": tuple(
                (chosen[edge_label(edge)], f"node_{edge[0]}") for edge in space.edges if edge[1] == node
            )
            for node in range(1, space.nodes)
        }
    if isinstance(space, MacroSpace):
        return _macro_genotype(space, chosen)
    raise SpaceError(f"{space.name} is of the family {space.family!r}, whose genotypes cannot be written.")


def _macro_genotype(space: MacroSpace, chosen: Architecture) -> dict[str, tuple[tuple[str, str], ...]]:
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    before = INPUT
    for layer in space.layers:
        into = [skip for skip in space.skips if skip.into == layer.name]
        if isinstance(layer.content, LayerChoice):
            pairs = [(str(chosen[layer.content.label]), before)]
        else:
            pairs = [(layer.content.name, before)] if into else []
        pairs += [(SKIP, skip.sources[at]) for skip in into for at in chosen[skip.label]]
        if pairs:
            found[layer.name] = tuple(pairs)
        before = layer.name
    told = {mutable.label for mutable in space.mutables if isinstance(mutable, LayerChoice | InputChoice)}
    return found | {label: ((str(value), ""),) for label, value in chosen.items() if label not in told}


def genotype_text(space: SearchSpace, architecture: Mapping[str, object]) -> str:
    """One line a node: `normal/node_2 = sep_conv_3x3(node_0) + skip_connect(node_1)`."""
    return "\n".join(
        f"{node} = " + (" + ".join(map(_term, pairs)) or "0")
        for node, pairs in genotype(space, architecture).items()
    )


def _term(pair: tuple[str, str]) -> str:
    operation, source = pair
    if operation == SKIP:
        return source
    return f"{operation}({source})" if source else operation
