"""What a selection rule is given: the trained supernet, ways to score, and ways to go on training."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from explorer.nets.supernet.mixing import Mix, Mixture
from explorer.nets.supernet.network import Supernet
from explorer.oneshot.contract import Method
from explorer.space import Architecture, SearchSpace

Settled = Mapping[str, Mix]
"""Some decisions' labels -> what runs there from now on; all others stay as the method mixes them."""


@dataclass(frozen=True)
class SelectionContext:
    """Everything that a rule may use; all accuracies are 0 .. 1 on the validation images.

    `score` runs one architecture with inherited weights (`recalibrate` of the settings is honoured there),
    `mixture_score` the supernet under any mixture, batch norm by the statistics of the images judged.
    `tune(epochs, settled)` trains the weights on with the settled decisions in place of the method's own mixture of
    them. `settings` are the rule's, complete. All randomness of a rule comes from `rng`.
    """

    space: SearchSpace
    method: Method
    net: Supernet
    score: Callable[[Architecture], float]
    mixture_score: Callable[[Mixture], float]
    settings: Mapping[str, Any]
    rng: random.Random
    tune: Callable[[int, Settled], None]
