"""Guards of a one-shot search: when the alphas' Hessian grows too much, and when what it derives has degenerated.

All of it is arithmetic on numbers that the search has anyway; what a verdict means for the search is the search's part.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from explorer.space import SearchSpace, decisions
from explorer.space.derive import Scores, none_share, skip_share

STOP, ADAPT = "stop", "adapt"
LARGEST_DECAY = (
    0.0243  # 3e-4 times 3 four times over: where RobustDARTS' adaptation ends (Zela et al. 2020, 5.2)
)


class Record(NamedTuple):
    """The largest eigenvalue (by magnitude) of the alphas' Hessian after an epoch."""

    epoch: int
    eigenvalue: float


class Verdict(NamedTuple):
    """What a guard asks for: `action` stop or adapt, the epoch whose state to go back to, and why.

    `growth` is the ratio of the two means; `weight_decay` is the new one where it adapts, else None.
    """

    action: str
    back_to: int
    growth: float
    weight_decay: float | None
    sentence: str


class Alarm(NamedTuple):
    """`name` is skip or none; `share` 0 .. 1 is what was measured."""

    name: str
    share: float
    sentence: str


@dataclass(frozen=True)
class EigenvalueGuard:
    """RobustDARTS: a sharp rise of the Hessian's largest eigenvalue over alpha foretells a derived network that
    generalizes badly (Zela et al. 2020, sections 4.3 and 5.2, arXiv:1909.09656).

    Compares the mean over the newest `window` measures with the mean over the `window` before these (the paper: k = 5,
    stop below 1 / 1.33; the authors' code: windows of 5 that lie 4 measures apart, above 1.3). Eigenvalues count by
    magnitude. Where the mean has grown more than `ratio` times, the search goes back to the epoch in the middle of the
    earlier window (as their code, src/utils.py: EVLocalAvg), the one that the earlier mean stands for.

    It remembers nothing: whoever goes back hands in the measures up to there, and newer ones as they come. With fewer
    than two windows there is no verdict.
    """

    action: str = STOP
    window: int = 5
    ratio: float = 1.3
    factor: float = 3.0

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> EigenvalueGuard | None:
        """The guard that a method's settings ask for; None where they ask for none."""
        if settings.get("guard", "none") == "none":
            return None
        return cls(
            settings["guard"], settings["guard_window"], settings["guard_ratio"], settings["guard_factor"]
        )

    def growth(self, records: Sequence[Record]) -> float | None:
        """Newest mean over the one before; None while there are too few measures or nothing to compare with."""
        if len(records) < 2 * self.window:
            return None
        sizes = [abs(record.eigenvalue) for record in records[-2 * self.window :]]
        before, now = math.fsum(sizes[: self.window]), math.fsum(sizes[self.window :])
        return now / before if before > 0 else None

    def verdict(self, records: Sequence[Record], weight_decay: float) -> Verdict | None:
        """What to do after the newest of `records` (oldest first); None: go on.

        An adaptation multiplies `weight_decay`, at most up to `LARGEST_DECAY`; where it is there already, it stops.
        """
        growth = self.growth(records)
        if growth is None or not growth > self.ratio:
            return None
        back_to = records[-self.window - 1 - self.window // 2].epoch
        cause = (
            f"the Hessian's eigenvalue grew {growth:.2f} times between two windows of {self.window} measures "
            f"(at most {self.ratio:g} is allowed)"
        )
        decay = min(weight_decay * self.factor, LARGEST_DECAY)
        if self.action == ADAPT and decay > weight_decay:
            then = f"back to epoch {back_to}, with a weight decay of {decay:g} instead of {weight_decay:g}"
            return Verdict(ADAPT, back_to, growth, decay, f"After epoch {records[-1].epoch} {cause}: {then}.")
        then = f"the alphas of epoch {back_to} are taken"
        return Verdict(STOP, back_to, growth, None, f"After epoch {records[-1].epoch} {cause}: {then}.")


def alarms(
    space: SearchSpace, derived: Mapping[str, Any], probabilities: Scores, settings: Mapping[str, Any]
) -> list[Alarm]:
    """What has degenerated, by the shares that `skip_alarm` and `none_alarm` of the settings allow.

    `derived` is the architecture that would be derived now, `probabilities` are plain rows. A share of 0 never alarms.
    """
    skips, nones = skip_share(space, derived), none_share(decisions(space), probabilities)
    found = []
    if 0 < skips >= settings["skip_alarm"]:
        found.append(
            Alarm(
                "skip",
                skips,
                f"{100 * skips:.0f} % of the derived operations are skips: the search may have collapsed to what "
                "learns fastest, not best.",
            )
        )
    if 0 < nones >= settings["none_alarm"]:
        found.append(
            Alarm(
                "none",
                nones,
                f"none holds {100 * nones:.0f} % of the probability on average, so the supernet is trained with little "
                "of what will be derived.",
            )
        )
    return found
