"""ENAS: a controller samples architectures, all of which share one supernet's weights; REINFORCE rewards it.

Pham, Guan, Zoph, Le & Dean 2018, section 2.2, arXiv:1802.03268. Every epoch first trains the weights, a sampled path a
step, and then the controller for `controller_steps` steps on validation images. A step samples architectures a, takes
as reward R their accuracy on one batch plus `entropy_weight` times their entropy (a number here: no gradient flows
through it), and descends the mean over the samples of

    -log p(a) (R - b) + skip_weight KL(skips || skip_target)

with Adam, whose beta1 is 0 (melodyguan/enas, `utils.py:218`). The baseline b is a moving average of rewards from 0 on.
In the authors' order it takes R in before the advantage is formed, so that R - b is `baseline_decay` (R - b') with the
b' of before: in expectation the gradient is exactly that much shorter.

Where we differ from the authors' code: torch's Adam adds its 1e-3 to the corrected root, TensorFlow's to the raw one;
`samples` architectures share a batch of images and an update; the weights descend with plain momentum along one cosine
over the whole search, where the authors take Nesterov's momentum and restart the cosine (`--child_lr_T_0=10
--child_lr_T_mul=2` in their scripts); and see the notes in `controller`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from explorer.catalogue import METHODS
from explorer.errors import TrialFailed
from explorer.nets.controller import Controller, Rollout
from explorer.nets.optimizers import Adam
from explorer.nets.policy import ADAM_BETAS, ADAM_EPSILON, advantages, policy_loss, rewards
from explorer.nets.supernet.batch_norm import batch_statistics
from explorer.oneshot.contract import ARCHITECTURE, WEIGHTS, Batch, Context, Method, StepReport
from explorer.oneshot.diagnosis import likely_cause
from explorer.oneshot.learning import Weights, accuracy
from explorer.space import Architecture, Decision, path_of
from explorer.space.decisions import Path

DIGITS = 5  # significant ones of what a snapshot tells of a sample


class Enas(Method):
    """A policy over architectures and the shared weights that it is trained by."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.space, self.decisions = context.net.space, context.net.decisions
        self.generator = context.generator
        # Of its own, so that whoever asks for samples leaves the training's course alone.
        self.sampler = torch.Generator(context.generator.device).manual_seed(
            context.generator.initial_seed() ^ 1
        )
        self.weights = Weights(context)
        settings = context.settings
        self.controller = Controller(
            self.space,
            context.generator,
            settings["controller_units"],
            settings["temperature"],
            settings["tanh_constant"],
        )
        self.parameters = list(self.controller.parameters())
        self.optimizer = Adam(self.parameters, 0.0, betas=ADAM_BETAS, epsilon=ADAM_EPSILON)
        self.baseline = 0.0
        self.epoch = 0

    def begin_epoch(self, epoch: int) -> None:
        """Remember it, for what a failure says."""
        self.epoch = epoch

    def phases(self) -> tuple[str, ...]:
        """The weights first, then the controller."""
        return (WEIGHTS,) * self.context.batches + (ARCHITECTURE,) * self.settings["controller_steps"]

    def step(self, phase: str, train: Batch, validation: Batch) -> StepReport:
        """A step of the weights, of the controller, or of both in this order."""
        if not self.net.training:
            self.net.train()
        seen: dict[str, Any] = {}
        if phase != ARCHITECTURE:
            seen |= self._step_weights(train)
        if phase != WEIGHTS:
            seen |= self._step_controller(validation)
        return StepReport(**seen)

    def _step_weights(self, batch: Batch) -> dict[str, Any]:
        """One architecture of the policy is trained; the controller only chooses."""
        with torch.no_grad():
            sampled = self.controller.sample(1, self.generator)
        logits = self.net(batch.images, path_of(self.space, sampled.architectures[0]))  # (b, classes)
        loss = cross_entropy(logits, batch.labels)
        return {
            "train_loss": loss.detach(),
            "train_accuracy": accuracy(logits, batch.labels),
            "weight_gradient": self.weights.descend(loss),
        }

    def _step_controller(self, batch: Batch) -> dict[str, Any]:
        settings = self.settings
        rollout = self.controller.sample(settings["samples"], self.generator)
        accuracies, loss = self._validated(rollout.architectures, batch)
        reward = rewards(accuracies, rollout, settings["entropy_weight"])
        advantage, self.baseline = advantages(
            reward.tolist(), self.baseline, settings["baseline_decay"], settings["baseline_order"]
        )
        descended = policy_loss(
            rollout, reward.new_tensor(advantage), settings["skip_target"], settings["skip_weight"]
        )
        gradients = torch.autograd.grad(descended, self.parameters, allow_unused=True)
        length = self.optimizer.apply(gradients, settings["controller_learning_rate"])
        self._check(descended.detach(), length)
        return {
            "validation_loss": loss,
            "validation_accuracy": accuracies.mean(),
            "alpha_gradient": length,
            "extra": self._told(rollout, reward, advantage),
        }

    def _check(self, loss: Tensor, length: Tensor) -> None:
        """Raises TrialFailed at once: nothing can be drawn any more from a policy of no finite numbers."""
        if not bool(torch.isfinite(loss + length)):
            epoch = self.epoch + 1
            cause = likely_cause(self.settings, METHODS.find("enas"), pixels_ok=True)
            raise TrialFailed(
                f"The controller's loss was no finite number any more in epoch {epoch}; {cause}."
            )

    @torch.no_grad()
    def _validated(self, architectures: Sequence[Architecture], batch: Batch) -> tuple[Tensor, Tensor]:
        """Accuracy of each (n,), where the controller is, and the mean loss; with the batch's own statistics.

        A policy that has settled samples the same again and again: each different one runs once.
        """
        seen: dict[Architecture, tuple[Tensor, Tensor]] = {}
        with batch_statistics(self.net):
            for each in dict.fromkeys(architectures):
                logits = self.net(batch.images, path_of(self.space, each))  # (b, classes)
                seen[each] = accuracy(logits, batch.labels), cross_entropy(logits, batch.labels)
        accuracies, losses = zip(*(seen[each] for each in architectures), strict=True)
        home = self.controller.start
        return torch.stack(accuracies).to(home.device, home.dtype), torch.stack(losses).mean()

    def _told(self, rollout: Rollout, reward: Tensor, advantage: Sequence[float]) -> dict[str, Any]:
        columns = zip(
            rollout.architectures, reward.tolist(), advantage, rollout.log_probability.tolist(), strict=True
        )
        sampled = [
            {
                "architecture": self.space.code(each),
                "reward": _rounded(got),
                "advantage": _rounded(more),
                "log_probability": _rounded(log_probability),
                "skip_rate": _rounded(skip_rate(self.decisions, path_of(self.space, each))),
            }
            for each, got, more, log_probability in columns
        ]
        return {
            "sampled": sampled,
            "baseline": _rounded(self.baseline),
            "reward": _rounded(float(reward.mean())),
            "policy_entropy": _rounded(float(rollout.entropy.detach().mean())),
        }

    def probabilities(self) -> dict[str, Tensor]:
        """The policy's marginals, see `Controller.marginals`."""
        return self.controller.marginals()

    @torch.no_grad()
    def sample(self, count: int) -> list[Architecture]:
        """From the policy."""
        return list(self.controller.sample(count, self.sampler).architectures)

    def state(self) -> dict[str, Any]:
        """Controller, both optimizers, the baseline and both generators."""
        controller = {name: value.detach().clone() for name, value in self.controller.state_dict().items()}
        return {
            "controller": controller,
            "optimizer": self.optimizer.state(),
            "baseline": self.baseline,
            "weights": self.weights.state(),
            "generator": self.generator.get_state(),
            "sampler": self.sampler.get_state(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """The inverse of `state`."""
        self.controller.load_state_dict(state["controller"])
        self.optimizer.load(state["optimizer"])
        self.baseline = state["baseline"]
        self.weights.load(state["weights"])
        self.generator.set_state(state["generator"].cpu())
        self.sampler.set_state(state["sampler"].cpu())


def skip_rate(decisions: Sequence[Decision], path: Path) -> float:
    """The share of switches that are on, as ENAS counts; without switches, of running operations that only pass on."""
    switches = [path[each.label] == 1 for each in decisions if each.kind == "switch"]
    if switches:
        return sum(switches) / len(switches)
    running = [
        path[each.label] in each.skips
        for each in decisions
        if each.kind == "operation" and path[each.label] is not None
    ]
    return sum(running) / len(running) if running else 0.0


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
