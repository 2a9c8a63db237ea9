"""What the gradient-based methods share: the shared weights' descent, the alphas, Gumbel noise, schedules, one step.

A method's own file holds what its paper is about: the mixture that a forward pass is given, and where the alphas'
gradient comes from. Gradients are asked of `torch.autograd.grad` for what a phase moves and for nothing else, so that
`.grad` is never written and no phase disturbs another.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from explorer.nets.optimizers import Adam, Sgd
from explorer.nets.supernet.mixing import Mixture
from explorer.oneshot.contract import ARCHITECTURE, WEIGHTS, Batch, Context, Method, StepReport
from explorer.oneshot.drawing import draw_architectures
from explorer.oneshot.snapshots import rounded
from explorer.oneshot.snapshots import rows as numbers
from explorer.space import Architecture, Decision

INITIAL = 1e-3  # alphas start at so many normal draws (quark0/darts, cnn/model_search.py: _initialize_alphas)
ALPHA_BETAS = (0.5, 0.999)  # of the alphas' Adam: DARTS, appendix A.1.1

Scores = Mapping[str, Tensor]
"""Decision -> one number a candidate (candidates,)."""


def accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """The share of right answers, 0 .. 1, a tensor () without graph; logits (b, classes), labels (b,)."""
    return (logits.detach().argmax(-1) == labels).float().mean()


def cosine(rate: float, end: float, step: int, total: int) -> float:
    """From `rate` at step 0 to `end` at step `total` along half a cosine; `end` afterwards."""
    return end + (rate - end) * (1 + math.cos(math.pi * min(step / max(1, total), 1.0))) / 2


def linear(start: float, end: float, at: int, count: int) -> float:
    """From `start` in the first of `count` epochs to `end` in the last on a straight line; `end` afterwards."""
    return start + (end - start) * min(at / max(1, count - 1), 1.0)


class Weights:
    """The shared weights and their SGD: plain momentum, an L2 penalty, gradients cut to a length, a cosine.

    The cosine falls with every step and reaches `weight_learning_rate_end` at the end of the last epoch.
    `weight_decay` may be changed on the way (a guard does); it is a setting, not a part of the state.
    """

    def __init__(self, context: Context) -> None:
        settings = context.settings
        self.parameters: list[nn.Parameter] = list(context.net.parameters())
        self.optimizer = Sgd(
            self.parameters,
            settings["momentum"],
            settings["weight_decay"],
            settings["gradient_clip"],
            nesterov=False,
        )
        self.start, self.end = settings["weight_learning_rate"], settings["weight_learning_rate_end"]
        self.batches = context.batches
        self.steps, self.total = 0, context.epochs * context.batches

    @property
    def rate(self) -> float:
        """The learning rate of the step to come."""
        return cosine(self.start, self.end, self.steps, self.total)

    @property
    def weight_decay(self) -> float:
        """What the weights are pulled to 0 with."""
        return self.optimizer.weight_decay

    @weight_decay.setter
    def weight_decay(self, value: float) -> None:
        self.optimizer.weight_decay = value

    @property
    def momenta(self) -> list[Tensor | None]:
        """The momentum of each weight, None before its first step."""
        return self.optimizer.state()

    def gradients(self, loss: Tensor) -> list[Tensor | None]:
        """Of each weight, None for what did not run."""
        return list(torch.autograd.grad(loss, self.parameters, allow_unused=True))

    def apply(self, gradients: Sequence[Tensor | None]) -> Tensor:
        """One step down `gradients`; their length before it was cut, a tensor ()."""
        length = self.optimizer.apply(gradients, self.rate)
        self.steps += 1
        return length

    def descend(self, loss: Tensor) -> Tensor:
        """One step down the gradient of `loss`; the gradient's length before it was cut, a tensor ()."""
        return self.apply(self.gradients(loss))

    def state(self) -> dict[str, Any]:
        """Steps, the length of the epochs they are counted in, momenta; the weights belong to the supernet."""
        return {
            "steps": self.steps,
            "batches": self.batches,
            "momenta": [None if one is None else one.clone() for one in self.momenta],
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """The inverse of `state`, whose epochs may have had another number of batches.

        What counts is how many epochs are done, so a branch with another batch size or split goes on at the rate that
        its parent had. A branch with more or fewer epochs in all stands elsewhere on the cosine, as if it had had that
        many from its beginning: the rate jumps, and the end is reached in the new last epoch all the same.
        """
        steps, batches = state["steps"], state.get("batches", self.batches)
        self.steps = steps if batches == self.batches else round(steps * self.batches / batches)
        self.optimizer.load(state["momenta"])


class Logits:
    """Rows of logits in one flat parameter, by name, and their Adam.

    `sizes` are the rows' widths. `flat` holds them one behind the other; rows of one width are worked on as one table.
    """

    def __init__(
        self, context: Context, sizes: Mapping[str, int], betas: tuple[float, float] = ALPHA_BETAS
    ) -> None:
        like = next(iter(context.net.parameters()))
        noise = torch.randn(sum(sizes.values()), generator=context.generator)
        self.flat = nn.Parameter(INITIAL * noise.to(like.device, like.dtype))
        self.sizes = dict(sizes)
        self.tables = _tables(self.sizes, like.device)
        self.rate = context.settings["alpha_learning_rate"]
        self.optimizer = Adam([self.flat], context.settings.get("alpha_weight_decay", 0.0), betas=betas)

    def rows(self, function: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
        """Row -> (width,): what `function` makes of each table (rows, width), row by row."""
        found: dict[str, Tensor] = {}
        for names, at in self.tables:
            table = (self.flat if len(self.tables) == 1 else self.flat[at]).view(len(names), -1)
            found |= zip(names, function(table).unbind(), strict=True)
        return {name: found[name] for name in self.sizes}

    def probabilities(self) -> dict[str, Tensor]:
        """The softmax of each row."""
        return self.rows(lambda table: table.softmax(-1))

    def values(self) -> dict[str, Tensor]:
        """The logits themselves, detached."""
        return dict(zip(self.sizes, self.flat.detach().clone().split(list(self.sizes.values())), strict=True))

    def flatten(self, rows: Scores) -> Tensor:
        """The rows one behind the other, as `flat` holds them."""
        return torch.cat([rows[name] for name in self.sizes])

    def descend(self, gradient: Tensor) -> Tensor:
        """One step of Adam down `gradient`, of `flat`'s shape; the gradient's length, a tensor ()."""
        return self.optimizer.apply([gradient], self.rate)

    def state(self) -> dict[str, Any]:
        """The logits and Adam's moments."""
        moments = [None if one is None else [each.clone() for each in one] for one in self.optimizer.state()]
        return {"flat": self.flat.detach().clone(), "moments": moments}

    def load(self, state: Mapping[str, Any]) -> None:
        """The inverse of `state`."""
        with torch.no_grad():
            self.flat.copy_(state["flat"])
        self.optimizer.load(state["moments"])


def _tables(sizes: Mapping[str, int], device: torch.device) -> list[tuple[list[str], Tensor]]:
    """For each width the names of its rows, and where in `flat` their numbers are."""
    starts = dict(zip(sizes, torch.tensor([0, *sizes.values()]).cumsum(0).tolist(), strict=False))
    found = []
    for width in sorted(set(sizes.values())):
        names = [name for name, size in sizes.items() if size == width]
        at = [starts[name] + column for name in names for column in range(width)]
        found.append((names, torch.tensor(at, device=device)))
    return found


def gumbel(like: Tensor, generator: torch.Generator) -> Tensor:
    """Standard Gumbel noise of `like`'s shape: -log E for exponential E."""
    noise = torch.empty(like.shape, device=generator.device).exponential_(generator=generator)
    return -noise.log().to(like.device, like.dtype)


def gumbel_softmax(logits: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    """One soft sample a row: softmax((log p + g) / temperature); Jang, Gu & Poole 2017, equation 2."""
    return ((logits.log_softmax(-1) + gumbel(logits, generator)) / temperature).softmax(-1)


def told(rows: Scores) -> dict[str, list[float | None]]:
    """Rows as short lists of numbers, for an event."""
    return {name: [rounded(value) for value in row] for name, row in numbers(rows).items()}


Path = Mapping[str, tuple[int, ...]]
"""Decision -> the candidates that run, sorted: one, or as many as the decision chooses."""


def largest(decisions: Sequence[Decision], rows: Scores, count: int | None = None) -> Path:
    """The candidates with the largest numbers, `count` of them or as many as each decision chooses."""
    read = numbers({each.label: rows[each.label] for each in decisions})
    found = {}
    for each in decisions:
        row = read[each.label]
        order = sorted(range(len(row)), key=row.__getitem__, reverse=True)
        found[each.label] = tuple(sorted(order[: count or each.chosen]))
    return found


def path_mixture(decisions: Sequence[Decision], path: Path) -> Mixture:
    """What runs the path and nothing else."""
    return {
        each.label: path[each.label] if each.kind == "inputs" else path[each.label][0] for each in decisions
    }


def spread(like: Tensor, chosen: tuple[int, ...]) -> Tensor:
    """Worth 1 / k at the k chosen and 0 elsewhere, of `like`'s shape (candidates,)."""
    row = torch.zeros_like(like, requires_grad=False)
    row[list(chosen)] = 1 / len(chosen)
    return row


class GradientMethod(Method):
    """Alternating descent (DARTS, algorithm 1): a step of the alphas on validation images, then one of the weights.

    Subclasses say with `draw` what a forward pass is given. In the epochs of the warm-up only the weights learn; the
    phase ARCHITECTURE is carried out nevertheless, since only a person asks for it.
    """

    alpha_betas = ALPHA_BETAS

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.decisions = context.net.decisions
        self.generator = context.generator
        self.weights = Weights(context)
        self.logits = Logits(context, self.sizes(), self.alpha_betas)
        self.epoch = 0
        # Of its own, so that whoever asks for samples leaves the training's course alone.
        self.sampler = torch.Generator().manual_seed(context.generator.initial_seed())

    def sizes(self) -> dict[str, int]:
        """The rows of logits: one a decision, named like it."""
        return {each.label: len(each.candidates) for each in self.decisions}

    @abstractmethod
    def draw(self) -> Mixture:
        """What one forward pass in training is given, noise included; differentiable in the alphas."""

    def draw_for_weights(self) -> Mixture:
        """What the weights' forward pass is given; without graph."""
        return self.draw()

    def penalty(self) -> Tensor | float:
        """Added to the loss that the alphas descend."""
        return 0.0

    def extra(self) -> dict[str, Any]:
        """What else the newest step has to show, as plain JSON."""
        return {}

    def step(self, phase: str, train: Batch, validation: Batch) -> StepReport:
        """The alphas first, then the weights, as in quark0/darts, cnn/train_search.py."""
        if not self.net.training:
            self.net.train()
        seen: dict[str, Any] = {}
        if self.moves_alphas(phase):
            seen |= self.step_alphas(train, validation)
        if phase != ARCHITECTURE:
            seen |= self.step_weights(train)
        return StepReport(**{"extra": self.extra()} | seen)

    def moves_alphas(self, phase: str) -> bool:
        """Whether the alphas take part in a phase."""
        if phase == WEIGHTS:
            return False
        return phase == ARCHITECTURE or self.epoch >= self.settings["warmup_epochs"]

    def step_alphas(self, train: Batch, validation: Batch) -> dict[str, Any]:
        """One step of the alphas on the validation batch; fields of the StepReport."""
        logits = self.net(validation.images, self.draw())  # (b, classes)
        loss = cross_entropy(logits, validation.labels)
        (gradient,) = torch.autograd.grad(loss + self.penalty(), [self.logits.flat])
        return {
            "validation_loss": loss.detach(),
            "validation_accuracy": accuracy(logits, validation.labels),
            "alpha_gradient": self.logits.descend(gradient),
        }

    def step_weights(self, train: Batch) -> dict[str, Any]:
        """One step of the weights on the training batch; fields of the StepReport."""
        with torch.no_grad():
            mixture = self.draw_for_weights()
        logits = self.net(train.images, mixture)  # (b, classes)
        loss = cross_entropy(logits, train.labels)
        return {
            "train_loss": loss.detach(),
            "train_accuracy": accuracy(logits, train.labels),
            "weight_gradient": self.weights.descend(loss),
        }

    def probabilities(self) -> dict[str, Tensor]:
        """softmax(alpha), never a sample."""
        with torch.no_grad():
            return self.logits.probabilities()

    def alphas(self) -> dict[str, Tensor]:
        """The logits."""
        return self.logits.values()

    def mixture(self) -> Mixture:
        """Every candidate by its probability."""
        return self.probabilities()

    def sample(self, count: int) -> list[Architecture]:
        """Architectures drawn as `draw_architectures` says, by what derivation ranks."""
        return draw_architectures(self.net.space, self.decisions, self.scores(), count, self.sampler)

    def begin_epoch(self, epoch: int) -> None:
        """Remember it: the warm-up and the temperature go by it."""
        self.epoch = epoch

    def state(self) -> dict[str, Any]:
        """Optimizers, alphas and both generators."""
        return {
            "epoch": self.epoch,
            "weights": self.weights.state(),
            "logits": self.logits.state(),
            "generator": self.generator.get_state(),
            "sampler": self.sampler.get_state(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """The inverse of `state`."""
        self.epoch = state["epoch"]
        self.weights.load(state["weights"])
        self.logits.load(state["logits"])
        self.generator.set_state(state["generator"].cpu())
        self.sampler.set_state(state["sampler"].cpu())
