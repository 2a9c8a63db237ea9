"""Architectures drawn from rows of probabilities, decision by decision and independently of each other.

In a DARTS cell a derived node keeps two of its edges: two distinct ones are drawn, in proportion to the probability of
each edge's best operation without none (what the top-two rule ranks edges by), then an operation on each in proportion
to its probability, none aside. Several inputs of one choice are drawn without replacement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from explorer.space import Architecture, SearchSpace
from explorer.space.darts import INPUTS, DartsSpace
from explorer.space.decisions import Decision, architecture_of

Chosen = int | tuple[int, ...] | None


def draw_architectures(
    space: SearchSpace,
    decisions: Sequence[Decision],
    scores: Mapping[str, Tensor],
    count: int,
    generator: torch.Generator,
) -> list[Architecture]:
    """`count` of them, repetitions possible; rows of `scores` are read as unnormalised probabilities."""
    rows = {label: row.detach().cpu().double() for label, row in scores.items()}
    draw = _darts_path if isinstance(space, DartsSpace) else _path
    return [architecture_of(space, draw(decisions, rows, generator)) for _ in range(count)]


def _path(
    decisions: Sequence[Decision], rows: Mapping[str, Tensor], generator: torch.Generator
) -> dict[str, Chosen]:
    path: dict[str, Chosen] = {}
    for decision in decisions:
        picked = _picked(rows[decision.label], decision.chosen, generator)
        path[decision.label] = picked if decision.kind == "inputs" else picked[0]
    return path


def _darts_path(
    decisions: Sequence[Decision], rows: Mapping[str, Tensor], generator: torch.Generator
) -> dict[str, Chosen]:
    without = {decision.label: _without_none(decision, rows[decision.label]) for decision in decisions}
    path: dict[str, Chosen] = {decision.label: None for decision in decisions}
    for group in dict.fromkeys(decision.group for decision in decisions):
        edges = [decision.label for decision in decisions if decision.group == group]
        best = torch.stack([without[label].max() for label in edges])  # (edges,)
        for at in _picked(best, INPUTS, generator):
            path[edges[at]] = _picked(without[edges[at]], 1, generator)[0]
    return path


def _without_none(decision: Decision, row: Tensor) -> Tensor:
    kept = row.clone()
    kept[list(decision.nones)] = 0.0
    return kept


def _picked(weights: Tensor, count: int, generator: torch.Generator) -> tuple[int, ...]:
    """`count` distinct indices in proportion to `weights`, sorted."""
    return tuple(sorted(torch.multinomial(weights, count, generator=generator).tolist()))
