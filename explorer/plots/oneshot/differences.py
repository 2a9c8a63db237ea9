"""Where NNI 3.0's one-shot code and this app's part: facts, each with the place in NNI's source and what was seen.

Read in and run against nni 3.0; paths are below `nni/nas/oneshot/pytorch/` unless they say more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """One finding. `seen` is what running it gave; `methods` are the catalogue's names that it concerns."""

    number: str
    subject: str
    nni: str
    ours: str
    seen: str
    where: str
    methods: tuple[str, ...]


DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        "N1",
        "ENAS does not start",
        "Unpacks Lightning's batch as (batch, mode), but Lightning 2.6 throws the loader's index away.",
        "No Lightning in the loop; weights and controller take their batches in turn.",
        "ValueError: too many values to unpack.",
        "sampling.py:171-177",
        ("enas",),
    ),
    Difference(
        "N2",
        "ENAS learns from stale samples",
        "Updates the policy at every later training batch while its counter stands at a multiple of 20.",
        "One update a controller step, on samples drawn and scored in that step.",
        "5 epochs of 10 validation batches: 10 updates intended, 110 made.",
        "sampling.py:230-236",
        ("enas",),
    ),
    Difference(
        "N3",
        "ENAS is another algorithm",
        "PPO on a replay buffer: no moving-average baseline, no skip target, no tanh constant, no temperature.",
        "REINFORCE with all four, as in the paper and its authors' code.",
        "Read.",
        "nni/nas/strategy/_rl_impl.py:378-400",
        ("enas",),
    ),
    Difference(
        "N4",
        "DARTS is first order only",
        "Its documentation says that second order is not supported yet.",
        "Both orders; second order looks one weight step ahead, momentum and weight decay included.",
        "Read.",
        "strategy.py:488, differentiable.py:48-88",
        ("darts",),
    ),
    Difference(
        "N5",
        "Second order of NNI 2 did nothing",
        "The virtual step bound a loop variable and never moved the weights.",
        "The virtual step moves the weights; a test rejects the step without it.",
        "Error of the hypergradient on a quadratic: 0.05 (xi 0.1) and 0.49 (xi 0.3).",
        "nni/retiarii/oneshot/pytorch/darts.py:236-246 in NNI 2",
        ("darts",),
    ),
    Difference(
        "N6",
        "Cells rank edges by raw alphas",
        "Compares logits of different edges, which a constant added to one edge changes.",
        "Compares probabilities, softmax an edge, none in the denominator, as the DARTS authors' code does.",
        "Random alphas: the derived node differs for 29 to 37 % of nodes.",
        "supermodule/differentiable.py:433-477",
        ("darts", "gumbel"),
    ),
    Difference(
        "N7",
        "A cell's probabilities lose none",
        "What it shows as probabilities leaves the weight of none out and does not sum to 1.",
        "none is a candidate like the others and is shown.",
        "The shown values sum to 0.861 in one example.",
        "supermodule/differentiable.py:429-430",
        ("darts", "gumbel"),
    ),
    Difference(
        "N8",
        "Gumbel probabilities are a draw",
        "export_probs returns a fresh Gumbel sample, so two calls give two answers.",
        "Snapshots hold the softmax of the alphas, without noise.",
        "For probability 0.9: 0.998, 0.669, 0.994, 0.967, 0.778 in five calls.",
        "supermodule/differentiable.py:93-97",
        ("gumbel",),
    ),
    Difference(
        "N9",
        "Two inputs: another scale after derivation",
        "The supernet takes a weighted mean of the inputs, the derived network the sum of two.",
        "The supernet's sum is multiplied by the number chosen, so both are on one scale.",
        "Inputs 1, 10, 100 and alphas 0.1, 2, 1: 30.9 in the supernet, 110 derived.",
        "supermodule/differentiable.py:196-198",
        ("darts", "gumbel"),
    ),
    Difference(
        "N10",
        "Any number of inputs",
        "DARTS takes one (with a warning), RandomOneShot and ENAS refuse, though ENAS' words promise it.",
        "One switch a source, on or off, in every method.",
        "ValueError: n_chosen is None is not supported yet.",
        "supermodule/sampling.py:116-117, supermodule/differentiable.py:152-154",
        ("darts", "gumbel", "enas", "spos"),
    ),
)


def differences(method: str | None = None) -> tuple[Difference, ...]:
    """All of them, or those that concern one method."""
    return tuple(one for one in DIFFERENCES if method is None or method in one.methods)


HEAD = (
    ("Finding", "What parts NNI's one-shot code from this app's."),
    ("NNI 3.0", "What NNI does."),
    ("This app", "What runs here instead."),
    ("Seen", "What running NNI's code gave; 'Read' where it was read only."),
    ("Where", "File and lines in NNI 3.0."),
)
"""Columns of the table, each with its meaning on hover."""


def table(found: Sequence[Difference]) -> list[tuple[str, str, str, str, str]]:
    """One row a difference, as text."""
    return [(f"{one.number} {one.subject}", one.nni, one.ours, one.seen, one.where) for one in found]
