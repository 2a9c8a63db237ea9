"""First-order DARTS is the same algorithm here and in NNI: equal alphas, step by step, on the plain supernet.

Same weights, batches and settings (alphas: Adam, betas .5 and .999, weight decay 1e-3; weights: SGD with momentum and a
cosine; gradients not cut), in float64. Whoever changes the order of the two steps, the images of one of them, or an
optimizer is found out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from explorer.nets.optimizers import Adam
from explorer.nets.supernet.network import Supernet, build_supernet
from explorer.nets.training import Pixels, initialise
from explorer.oneshot.contract import Batch, StepReport
from explorer.oneshot.methods.darts import Darts
from explorer.oneshot.nni_search import NniSearch
from explorer.oneshot.search import Search
from explorer.runs.spec import RunSpec
from explorer.space import SearchSpace
from explorer.trials.fitting import dataset
from tests.oneshot.rig import spec, tiny_cell, tiny_macro
from tests.oneshot.test_nni_space import tiny_darts

STEPS = 24
CLOSE = 1e-5


class Plain(Search):
    """On the plain supernet, whose weights are NNI's by name."""

    def _built_net(self) -> Supernet:
        net = build_supernet(self.space, "plain")
        initialise(net, self.spec.seed)
        return net


class NniPlain(NniSearch, Plain):
    """The same for the mirror."""


@pytest.fixture(autouse=True, scope="module")
def precise() -> Iterator[None]:
    """float64 for whatever is built."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def asked(space: SearchSpace, **settings: Any) -> RunSpec:
    """Rates at which 24 steps move the alphas by more than the tolerance thousands of times over."""
    given = {"alpha_learning_rate": 0.03, "weight_learning_rate": 0.1, "gradient_clip": 0.0, "batch_size": 32}
    return spec(space, epochs=6, **(given | settings))


def precise_data(wanted: RunSpec) -> Any:
    """The images in float64."""
    data = dataset(wanted.dataset, 1, 8, None)
    return replace(
        data,
        train=Pixels(data.train.images.double(), data.train.labels),
        validation=Pixels(data.validation.images.double(), data.validation.labels),
    )


def course(search: Search, steps: int = STEPS) -> list[Tensor]:
    """All alphas in one row, before the first step and after each."""
    found = []
    for _ in range(steps + 1):
        if isinstance(search, NniSearch):
            search.look()
        found.append(torch.cat([row.flatten() for row in search.method.alphas().values()]))
        if len(found) <= steps:
            search.advance()
    return found


def by_nni(wanted: RunSpec, steps: int = STEPS) -> tuple[list[Tensor], dict[str, Tensor]]:
    """NNI's alphas, and its weights after the last step."""
    nni_spec = replace(wanted, method={**wanted.method, "engine": "nni"})
    search = NniPlain(nni_spec, precise_data(wanted))
    try:
        found = course(search, steps)
        return found, {name: tensor.detach().clone() for name, tensor in search.nni.state().items()}
    finally:
        search.close()


def by_ours(wanted: RunSpec, method: type[Darts] = Darts, steps: int = STEPS) -> tuple[list[Tensor], Search]:
    """Ours, with the weights that NNI begins with as well: both are those of the seed."""
    search = Plain(wanted, precise_data(wanted))
    context = search.method.context
    context.generator.manual_seed(context.generator.initial_seed())  # the first alphas are drawn again
    search.method = method(context)
    return course(search, steps), search


def gap(ours: list[Tensor], theirs: list[Tensor]) -> float:
    """The largest difference at any step."""
    return max(float((one - two).abs().max()) for one, two in zip(ours, theirs, strict=True))


@pytest.fixture(scope="module")
def theirs() -> tuple[list[Tensor], dict[str, Tensor]]:
    """NNI's course on the tiny cell."""
    return by_nni(asked(tiny_cell()))


def test_alphas_and_weights_agree_at_every_step(theirs: tuple[list[Tensor], dict[str, Tensor]]) -> None:
    alphas, weights = theirs
    ours, search = by_ours(asked(tiny_cell()))
    assert gap(ours, alphas) < CLOSE
    assert gap(ours, [ours[0]] * len(ours)) > 1000 * CLOSE  # they did move
    assert (
        max(float((tensor - weights[name]).abs().max()) for name, tensor in search.net.state_dict().items())
        < CLOSE
    )


class WeightsFirst(Darts):
    """Mutant: the two steps the other way round."""

    def step(self, phase: str, train: Batch, validation: Batch) -> StepReport:
        self.step_weights(train)
        return StepReport(**self.step_alphas(train, validation))


class OneSplit(Darts):
    """Mutant: the alphas learn from the training images."""

    def step_alphas(self, train: Batch, validation: Batch) -> dict[str, Any]:
        return super().step_alphas(train, train)


class UsualAdam(Darts):
    """Mutant: Adam's usual constants."""

    alpha_betas = (0.9, 0.999)


class NoDecay(Darts):
    """Mutant: alphas without weight decay."""

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.logits.optimizer = Adam([self.logits.flat], 0.0, betas=self.alpha_betas)


SLOWLY = [pytest.param(mutant, marks=pytest.mark.slow) for mutant in (OneSplit, UsualAdam, NoDecay)]


@pytest.mark.parametrize("mutant", [WeightsFirst, *SLOWLY])
def test_a_mutant_does_not_agree(mutant: type[Darts], theirs: tuple[list[Tensor], dict[str, Tensor]]) -> None:
    ours, _ = by_ours(asked(tiny_cell()), mutant)
    assert gap(ours[:1], theirs[0][:1]) == 0
    assert gap(ours, theirs[0]) > 10 * CLOSE


@pytest.mark.slow
@pytest.mark.parametrize("space", [tiny_macro, tiny_darts], ids=["skips", "darts cell"])
def test_switches_and_nnis_cell_agree_as_well(space: Callable[[], SearchSpace]) -> None:
    """A skip that NNI is given as a choice between x and x + source, and NNI's own Cell."""
    wanted = asked(space())
    alphas, _ = by_nni(wanted)
    ours, _ = by_ours(wanted)
    assert gap(ours, alphas) < CLOSE
    assert gap(ours, [ours[0]] * len(ours)) > 1000 * CLOSE


@pytest.mark.slow
def test_cut_gradients_and_a_warm_up_agree_as_well() -> None:
    wanted = asked(tiny_cell(), gradient_clip=0.3, warmup_epochs=1)
    alphas, _ = by_nni(wanted)
    ours, _ = by_ours(wanted)
    assert gap(ours, alphas) < CLOSE
    assert gap(ours[:4], [ours[0]] * 4) == 0  # 4 batches an epoch
