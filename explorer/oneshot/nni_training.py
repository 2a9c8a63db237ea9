"""The Lightning side of a search by NNI: what NNI trains, on which images, and who looks on.

NNI wraps `Recipe` in a module of its own and calls its steps. Where alphas are learned their numbers alternate: even
ones for validation images and the alphas, odd ones for training images and the weights. Elsewhere there is one a batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from pytorch_lightning import Callback
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from explorer.adapters.oneshot import LightningModule
from explorer.oneshot.contract import Batch
from explorer.oneshot.learning import accuracy

REWARD = "reward"
ALPHAS, WEIGHTS = "validation", "train"


class Recipe(LightningModule):
    """How the shared weights learn, with the settings of our own methods: SGD on cross entropy, gradients cut.

    `seen` is what the newest step told, as fields of a StepReport; whoever looks takes it away. `alternates` where NNI
    trains alphas and weights in turn; `alphas` are NNI's own then.
    """

    def __init__(self, settings: Mapping[str, Any], alternates: bool) -> None:
        super().__init__()
        self.settings, self.alternates = dict(settings), alternates
        self.alphas: list[nn.Parameter] = []
        self.seen: dict[str, Any] = {}

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.model(images)  # (b, classes)
        return logits

    def training_step(self, batch: Batch, number: int) -> Tensor:
        """The loss that NNI descends."""
        of = ALPHAS if self.alternates and number % 2 == 0 else WEIGHTS
        if of == WEIGHTS and self.alphas and self.alphas[0].grad is not None:  # of the alphas' step just made
            gradients = [alpha.grad for alpha in self.alphas if alpha.grad is not None]
            self.seen["alpha_gradient"] = torch.cat([one.flatten() for one in gradients]).norm()
        loss, right = self._loss(batch)
        self.seen |= {f"{of}_loss": loss.detach(), f"{of}_accuracy": right}
        return loss

    def validation_step(self, batch: Batch, number: int) -> Tensor:
        """What NNI's ENAS rewards. The network stays in training mode, so batch norm learns from these images too."""
        loss, right = self._loss(batch)
        self.seen |= {f"{ALPHAS}_loss": loss.detach(), f"{ALPHAS}_accuracy": right}
        self.log(REWARD, right, on_step=True)
        return loss

    def _loss(self, batch: Batch) -> tuple[Tensor, Tensor]:
        logits = self(batch.images)
        return cross_entropy(logits, batch.labels), accuracy(logits, batch.labels)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The rate is set before each step by `Watcher`; NNI takes the alphas out of the list."""
        settings = self.settings
        return torch.optim.SGD(
            self.parameters(),
            settings["weight_learning_rate"],
            settings["momentum"],
            weight_decay=settings["weight_decay"],
        )

    def configure_gradient_clipping(self, optimizer: Any, *_: Any, **__: Any) -> None:
        """As our methods do, and for ENAS as well, where NNI passes no length on."""
        held = [weight for group in optimizer.param_groups for weight in group["params"]]
        self.seen["weight_gradient"] = nn.utils.clip_grad_norm_(
            held, self.settings["gradient_clip"] or math.inf
        )


class Loader:
    """`count` batches an epoch from `draw`; to Lightning a dataloader."""

    def __init__(self, draw: Callable[[], Batch], count: int) -> None:
        self.draw, self.count = draw, count

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Batch]:
        for _ in range(self.count):
            yield self.draw()


class Watcher(Callback):
    """Passes on what happens, step by step: `begin()`, then `before()` and `after(mode)` around each batch.

    `mode` is "train" or "val" (the latter in ENAS only). `after` says whether to go on.
    """

    def __init__(
        self, begin: Callable[[], None], before: Callable[[], float], after: Callable[[str], bool]
    ) -> None:
        self.begin, self.before, self.after = begin, before, after

    def on_train_start(self, trainer: Any, module: Any) -> None:
        self.begin()

    def on_train_batch_start(self, trainer: Any, module: Any, batch: Any, number: int) -> None:
        rate = self.before()
        for group in trainer.optimizers[0].param_groups:
            group["lr"] = rate

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any, number: int) -> None:
        is_tagged = not isinstance(batch, dict) and isinstance(batch[1], str)
        if not self.after(batch[1] if is_tagged else "train"):
            trainer.should_stop = True
