"""NNI's one-shot strategies, mended where today's stack or a missing package stops them.

What is mended, and why:

* ENAS reads its batches as pairs (batch, mode). Lightning 2 throws the dataloader's number away before `training_step`,
  so NNI takes the two tensors of a bare batch for that pair: `ValueError: too many values to unpack`
  (`oneshot/pytorch/sampling.py:171`). `TaggedBatches` says the mode itself.
* ENAS' policy is PPO from tianshou, whose releases do not go together with what else is installed here.
  `ReinforcedEnas` takes any `Policy` in its place; NNI's training loop stays as it is.
* Paths are drawn by a new, unseeded `numpy.random.RandomState` for every choice (`nni/mutable/mutable.py:738`), so no
  RandomOneShot is ever repeated. `seeded_draws` has them follow from numpy's global generator.
* ENAS' loop updates the policy again after *every* training batch while its counter of rewards stays where it is
  (`sampling.py:230`), so it would learn many times from the same rewards. A `Policy` is only told rewards that are new.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from torch import nn

from explorer.adapters.seeding import derived, swapped
from explorer.data.shim import nni_imports

with nni_imports():
    from nni.mutable import frozen_context
    from nni.mutable import mutable as nni_mutable
    from nni.nas.evaluator.pytorch import Lightning, LightningModule, Trainer
    from nni.nas.execution import SequentialExecutionEngine
    from nni.nas.nn.pytorch import Cell, ModelSpace
    from nni.nas.oneshot.pytorch.base_lightning import BaseOneShotLightningModule
    from nni.nas.oneshot.pytorch.sampling import EnasLightningModule
    from nni.nas.oneshot.pytorch.supermodule.base import BaseSuperNetModule
    from nni.nas.oneshot.pytorch.supermodule.differentiable import GumbelSoftmax
    from nni.nas.space import RawFormatModelSpace
    from nni.nas.strategy import DARTS, ENAS, GumbelDARTS, Proxyless, RandomOneShot

__all__ = [
    "DARTS",
    "ENAS",
    "NEVER",
    "BaseSuperNetModule",
    "Cell",
    "GumbelDARTS",
    "GumbelSoftmax",
    "Lightning",
    "LightningModule",
    "ModelSpace",
    "Proxyless",
    "RandomOneShot",
    "RawFormatModelSpace",
    "ReinforcedEnas",
    "SequentialExecutionEngine",
    "TaggedBatches",
    "Trainer",
    "alphas",
    "frozen_context",
    "quiet",
    "quiet_trainer",
    "sampled",
    "seeded_draws",
]

NEVER = 2**31  # steps between two of NNI's own logs, which nobody reads: they are a quarter of its time

# NNI and Lightning say these whatever one does; each is expected here.
EXPECTED_WARNINGS = (
    (
        "Direct export from RandomOneShot returns an arbitrary architecture. Sampling the best architecture from this "
        "trained supernet is another search process. Users need to do another search based on the checkpoint of the "
        "one-shot strategy.",
        UserWarning,
    ),
    # Lightning 2.6 with torch 2.13, at every loader.
    (
        "`isinstance(treespec, LeafSpec)` is deprecated, use `isinstance(treespec, TreeSpec) and treespec.is_leaf()` "
        "instead.",
        FutureWarning,
    ),
)
_LOGGERS = ("pytorch_lightning", "lightning.pytorch", "lightning_fabric", "nni", "nni.nas")


class Policy(Protocol):
    """What decides ENAS' architectures, as NNI samples."""

    def sample(self) -> dict[str, Any]:
        """One architecture."""

    def learn(self, samples: list[dict[str, Any]], rewards: list[float]) -> None:
        """What was sampled since the last time, and how well it did."""


class TaggedBatches:
    """First all of `train`, then all of `validation`, each batch with the mode that NNI's ENAS asks for."""

    def __init__(self, train: Any, validation: Any) -> None:
        self.train, self.validation = train, validation

    def __len__(self) -> int:
        return len(self.train) + len(self.validation)

    def __iter__(self) -> Iterator[tuple[Any, str]]:
        for batch in self.train:
            yield batch, "train"
        for batch in self.validation:
            yield batch, "val"


class _Rollouts:
    """Stands where NNI's loop expects tianshou's policy, its trajectory generator and its replay buffer."""

    sample_logits = None

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._newest: dict[str, Any] = {}
        self._samples: list[dict[str, Any]] = []
        self._rewards: list[float] = []

    def train(self) -> None:
        """A policy of ours has no mode."""

    def eval(self) -> None:
        """A policy of ours has no mode."""

    def next_sample(self) -> dict[str, Any]:
        """Of the trajectory generator."""
        self._newest = self._policy.sample()
        return self._newest

    def send_reward(self, reward: float) -> tuple[dict[str, Any], float]:
        """Of the trajectory generator: what was sampled last came to `reward`."""
        return self._newest, reward

    def update(self, *trajectory: Any) -> None:
        """Of the buffer, which is given a trajectory; and of the policy, which is given its size and the buffer."""
        if len(trajectory) == 1:
            sample, reward = trajectory[0]
            self._samples.append(sample)
            self._rewards.append(reward)
        elif self._rewards:  # nothing new: one of the updates that NNI makes after every training batch
            samples, rewards = self._samples, self._rewards
            self._samples, self._rewards = [], []
            self._policy.learn(samples, rewards)


class _EnasModule(EnasLightningModule):
    """NNI's ENAS loop (`training_step`, `resample`) with a policy that was made elsewhere."""

    def __init__(self, training_module: Any, policy: Policy, updates_every: int, reward: str) -> None:
        BaseOneShotLightningModule.__init__(self, training_module)  # NNI's own refuses without tianshou
        self.batches_per_update, self.log_prob_every_n_step = updates_every, NEVER
        self.reward_metric_name, self.warmup_epochs, self.penalty = reward, 0, None
        self.update_kwargs: dict[str, Any] = {}
        self._trajectory_counter = 0
        self._policy = self._generator = self._replay_buffer = _Rollouts(policy)

    def set_model(self, model: Any) -> None:
        """Without building tianshou's policy for it."""
        BaseOneShotLightningModule.set_model(self, model)


class ReinforcedEnas(ENAS):
    """NNI's ENAS with `policy` in the place of tianshou's; it learns after every `updates_every` rewards.

    `reward` is the name of what the evaluator logs in its `validation_step`.
    """

    def __init__(self, policy: Policy, updates_every: int, reward: str) -> None:
        super().__init__(batches_per_update=updates_every, reward_metric_name=reward)
        self._policy = policy

    def configure_oneshot_module(self, training_module: Any) -> _EnasModule:
        return _EnasModule(training_module, self._policy, self.batches_per_update, self.reward_metric_name)

    def train_dataloader(self, train_dataloader_fn: Any, val_dataloader_fn: Any) -> TaggedBatches:
        return TaggedBatches(train_dataloader_fn(), val_dataloader_fn())


def alphas(module: nn.Module) -> dict[str, nn.Parameter]:
    """NNI's label -> its architecture weights, of a supernet that a strategy made of a model space.

    Straight from the parameters: `export_probs` would draw anew from the Gumbel distribution and leave out the share
    of a cell's missing connection. Empty for strategies that sample paths.
    """
    found: dict[str, nn.Parameter] = {}
    for each in module.modules():
        held = getattr(each, "_arch_alpha", None)
        if isinstance(held, nn.ParameterDict):
            found |= {label: row for label, row in held.items() if label not in found}
        elif held is not None:
            found.setdefault(str(each.label), held)
    return found


def sampled(module: nn.Module) -> dict[str, Any]:
    """What a supernet that samples paths ran last, as an NNI sample."""
    found: dict[str, Any] = {}
    for each in module.modules():
        held = getattr(each, "_sampled", None)
        if isinstance(held, dict):  # a cell's
            found |= held
        elif held is not None:
            found[str(each.label)] = held
    return found


def seeded_draws() -> AbstractContextManager[None]:
    """Within it NNI's uniform draws follow from `numpy.random`."""
    return swapped(nni_mutable, RandomState=derived)


def quiet_trainer(epochs: int, gpu: bool, clip: float | None, callbacks: list[Any]) -> Any:
    """A Lightning trainer that trains and does nothing else: no log, checkpoint, bar, summary or file."""
    return Trainer(
        max_epochs=epochs,
        accelerator="gpu" if gpu else "cpu",
        devices=1,
        gradient_clip_val=clip,
        callbacks=callbacks,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        limit_val_batches=0,
    )


@contextmanager
def quiet() -> Iterator[None]:
    """NNI and Lightning keep to themselves what they say whatever one does; anything else is still heard."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [each.level for each in loggers]
    with warnings.catch_warnings():
        for text, category in EXPECTED_WARNINGS:
            warnings.filterwarnings("ignore", re.escape(text) + "$", category)
        try:
            for each in loggers:
                each.setLevel(logging.CRITICAL)  # what fails is raised as well
            yield
        finally:
            for each, level in zip(loggers, levels, strict=True):
                each.setLevel(level)
