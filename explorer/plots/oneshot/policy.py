"""What drives ENAS's controller: rewards against their baseline, advantages, and how undecided the policy is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from explorer.plots.charts import Axis
from explorer.plots.oneshot.panels import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    STEP,
    Level,
    Line,
    Panel,
    PanelsInfo,
    Points,
    basis_of,
    last_values,
    number,
    over_steps,
)


def policy(snapshots: Sequence[Mapping[str, Any]]) -> PanelsInfo:
    """Empty panels for a method without a policy; see `is_empty`."""
    reward = Panel(
        Axis("reward (search accuracy, %)", "higher"),
        _kept(
            Line("mean reward", BLUE, over_steps(snapshots, "reward", 100)),
            Line("baseline", ORANGE, over_steps(snapshots, "baseline", 100), "5 3"),
        ),
    )
    advantage = Panel(
        Axis("advantage (points)"),
        _kept(
            Line("largest advantage", GREEN, _of_samples(snapshots, "advantage", max, 100), "5 3"),
            Line("mean advantage", BLUE, _of_samples(snapshots, "advantage", _mean, 100)),
            Line("smallest advantage", GREY, _of_samples(snapshots, "advantage", min, 100), "1.5 3.5"),
        ),
        (Level("no news", 0.0),),
    )
    entropy = Panel(
        Axis("entropy of the policy (nats)"),
        _kept(Line("entropy of an architecture", PURPLE, over_steps(snapshots, "policy_entropy"))),
    )
    skips = _of_samples(snapshots, "skip_rate", _mean, 100)
    panels = [reward, advantage, entropy]
    if skips:
        panels.append(Panel(Axis("skips sampled (%)"), (Line("skips, mean of the samples", GREEN, skips),)))
    return PanelsInfo(
        "What does the controller learn from, and is it still trying other architectures?",
        STEP,
        tuple(panels),
        basis_of(snapshots, "A reward is one sample's accuracy on one batch with shared weights: noisy."),
        f"Reward, advantage and entropy of the policy over the steps; at last {last_values(panels)}.",
    )


def _kept(*lines: Line) -> tuple[Line, ...]:
    return tuple(line for line in lines if line.points)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _of_samples(snapshots: Sequence[Mapping[str, Any]], name: str, fold: Any, factor: float) -> Points:
    """One number a snapshot from those of its sampled architectures."""
    found = []
    for one in snapshots:
        values = [value for each in one.get("sampled") or () if (value := number(each.get(name))) is not None]
        if values:
            found.append((float(one["step"]), factor * fold(values)))
    return tuple(found)
