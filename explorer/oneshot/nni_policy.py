"""Our ENAS controller as the policy of NNI's ENAS loop, in the place of the one from tianshou.

It samples and learns as `methods.enas` says (Pham et al. 2018, section 2.2); when it is asked, and what it is rewarded
for, is NNI's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from explorer.nets.policy import advantages, policy_loss, rewards
from explorer.oneshot.methods.enas import Enas
from explorer.space import Architecture


class TaughtController:
    """`enas` holds controller, optimizer and baseline; `sample_of` and `architecture_of` translate to NNI and back.

    `told` is what the newest update has to show, as fields of a StepReport.
    """

    def __init__(
        self,
        enas: Enas,
        sample_of: Callable[[Architecture], dict[str, Any]],
        architecture_of: Callable[[Mapping[str, Any]], Architecture | None],
    ) -> None:
        self.enas, self._sample_of, self._architecture_of = enas, sample_of, architecture_of
        self.told: dict[str, Any] = {}

    def sample(self) -> dict[str, Any]:
        """One architecture as an NNI sample."""
        with torch.no_grad():
            rollout = self.enas.controller.sample(1, self.enas.generator)
        return self._sample_of(rollout.architectures[0])

    def learn(self, samples: list[dict[str, Any]], rewarded: list[float]) -> None:
        """One update of the controller, as one of ours with so many samples."""
        enas, settings = self.enas, self.enas.settings
        architectures = [found for each in samples if (found := self._architecture_of(each)) is not None]
        rollout = enas.controller.teach(architectures)
        reward = rewards(rollout.entropy.new_tensor(rewarded), rollout, settings["entropy_weight"])
        advantage, enas.baseline = advantages(
            reward.tolist(), enas.baseline, settings["baseline_decay"], settings["baseline_order"]
        )
        loss = policy_loss(
            rollout, reward.new_tensor(advantage), settings["skip_target"], settings["skip_weight"]
        )
        gradients = torch.autograd.grad(loss, enas.parameters, allow_unused=True)
        length = enas.optimizer.apply(gradients, settings["controller_learning_rate"])
        self.told = {"alpha_gradient": length, "extra": enas._told(rollout, reward, advantage)}
