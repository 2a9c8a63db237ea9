"""REINFORCE with ENAS's controller: an LSTM proposes whole architectures and learns from what they came to.

The policy is that of Pham, Guan, Zoph, Le & Dean 2018, arXiv:1802.03268 (`nets.controller`), the way to use it that of
Zoph & Le 2017, arXiv:1611.01578: no weights are shared, and every reward is an accuracy after a training of its own.
Where we differ from ENAS: the moving baseline begins at the first reward, since none of its thousands of cheap rewards
are there to bring it up from 0; a result is an update of its own; there is no penalty for skips, because an accuracy
says what they are worth. A result that comes late moves the policy of now.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from explorer.errors import SpaceError
from explorer.nets.controller import SETS, Controller
from explorer.nets.optimizers import Adam
from explorer.nets.policy import ADAM_BETAS, ADAM_EPSILON, advantages, policy_loss, rewards
from explorer.space import (
    Input,
    Layer,
    LayerChoice,
    MacroSpace,
    Operation,
    SearchSpace,
    ValueChoice,
)
from explorer.strategies.contract import FAILED, Proposal, Strategy
from explorer.strategies.radix import choices_at


class ControllerSearch(Strategy):
    """generation: how many results the controller had learned from. It never ends by itself.

    With `space` skips are drawn by attention as in the paper; without it, or where it chooses values, every decision
    is one among its options.
    """

    name = "reinforce_controller"
    sees_space = True

    def __init__(
        self,
        counts: tuple[int, ...],
        parameters: Mapping[str, Any],
        rng: np.random.Generator,
        space: SearchSpace | None = None,
    ) -> None:
        super().__init__(counts, parameters, rng)
        if space is None or any(isinstance(one, ValueChoice) for one in space.mutables):
            space = plain_space(self.counts)
        self.space = space
        self._generator = torch.Generator().manual_seed(int(rng.integers(2**63 - 1)))
        settings = self.settings
        self.controller = Controller(
            space,
            self._generator,
            settings["controller_units"],
            settings["temperature"],
            settings["tanh_constant"],
        )
        self._weights = list(self.controller.parameters())
        self._optimizer = Adam(self._weights, 0.0, betas=ADAM_BETAS, epsilon=ADAM_EPSILON)
        self._baseline: float | None = None
        self._learned = 0

    @property
    def done(self) -> bool:
        """Never: the policy may always draw again."""
        return False

    def _next(self) -> Proposal:
        with torch.no_grad():
            drawn = self.controller.sample(1, self._generator).architectures[0]
        return self._propose(choices_at(self.space.index_of(drawn), self.counts), generation=self._learned)

    def _learn(self, proposal: Proposal, value: float) -> None:
        if value == FAILED:
            return
        options = zip(self.space.mutables, proposal.choices, strict=True)
        rollout = self.controller.teach([{mutable.label: mutable.option(at) for mutable, at in options}])
        reward = rewards(rollout.entropy.new_tensor([value]), rollout, self.settings["entropy_weight"])
        before = float(reward) if self._baseline is None else self._baseline
        advantage, self._baseline = advantages(
            reward.tolist(), before, self.settings["baseline_decay"], "before"
        )
        loss = policy_loss(rollout, reward.new_tensor(advantage), 0.5, 0.0)
        gradients = torch.autograd.grad(loss, self._weights, allow_unused=True)
        self._optimizer.apply(gradients, self.settings["learning_rate"])
        self._learned += 1


def plain_space(counts: tuple[int, ...]) -> MacroSpace:
    """A space of so many options a decision, about which nothing else is known; raises SpaceError for a crowd."""
    if max(counts) > SETS:
        raise SpaceError(
            f"A decision has {max(counts):,} options, and the controller weighs at most {SETS:,}; give it fewer."
        )
    layers = []
    for at, count in enumerate(counts):
        options = tuple((f"{at}/{option}", Operation("identity")) for option in range(count))
        layers.append(Layer(f"decision_{at}", LayerChoice(f"decision_{at}", options)))
    return MacroSpace("numbers of options", Input(1, 8), layers=tuple(layers))
