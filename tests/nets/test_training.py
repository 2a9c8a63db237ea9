"""The trainer: learns, repeats exactly, schedules, fails in one sentence, survives odd sizes."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from explorer.catalogue import TRAINING
from explorer.data import Dataset, Split, load_dataset
from explorer.errors import SpecError, TrialFailed
from explorer.nets.network import NetworkModule
from explorer.nets.optimizers import Sgd
from explorer.nets.training import EpochResult, evaluate, initialise, train
from explorer.space import preset

CPU = torch.device("cpu")


def cell_network(code: str = "341233") -> nn.Module:
    space = preset("cell").bound_to(1, 8, 4)
    return NetworkModule(space.lower(space.from_code(code)))


def run(
    module: nn.Module, epochs: int = 2, seed: int = 0, dataset: Dataset | None = None, **settings: Any
) -> list[EpochResult]:
    """Train on `synthetic`, with a clock that stands still so that runs can be compared."""
    data = dataset or load_dataset("synthetic")
    return list(
        train(module, data, epochs=epochs, settings=settings, seed=seed, device=CPU, clock=lambda: 0.0)
    )


def weights(module: nn.Module) -> list[torch.Tensor]:
    return [value.clone() for value in module.state_dict().values()]


def same(left: list[torch.Tensor], right: list[torch.Tensor]) -> bool:
    return all(torch.equal(one, other) for one, other in zip(left, right, strict=True))


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_small_network_learns_the_synthetic_task(optimizer: str) -> None:
    rate = 0.05 if optimizer == "sgd" else 0.01
    module = cell_network()
    results = run(module, epochs=4, optimizer=optimizer, learning_rate=rate)
    assert [result.epoch for result in results] == [1, 2, 3, 4]
    assert results[-1].validation_accuracy > 0.6  # chance is 0.25
    assert results[-1].train_loss < results[0].train_loss
    assert evaluate(module, load_dataset("synthetic").test).accuracy > 0.6


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("code", ["000", "111"])
def test_notes_net_learns_digits_in_three_epochs_with_the_default_settings(code: str) -> None:
    space = preset("notes-net")
    module = NetworkModule(space.lower(space.from_code(code)))
    results = run(module, epochs=3, dataset=load_dataset("digits", 3, 32))
    assert results[-1].validation_accuracy > 0.8


@pytest.mark.parametrize(
    "settings", [{}, {"optimizer": "adam", "learning_rate": 0.01, "schedule": "constant"}]
)
def test_the_same_seed_repeats_every_number_and_every_weight(settings: dict[str, Any]) -> None:
    first, second = cell_network(), cell_network()
    assert run(first, seed=5, **settings) == run(second, seed=5, **settings)
    assert same(weights(first), weights(second))


def test_another_seed_gives_other_weights() -> None:
    first, second = cell_network(), cell_network()
    assert run(first, epochs=1, seed=1) != run(second, epochs=1, seed=2)


def test_a_training_starts_afresh_whatever_was_there_and_leaves_torchs_generator_alone() -> None:
    module = cell_network()
    before = run(module, epochs=1, seed=3)
    torch.manual_seed(99)
    expected = torch.rand(3)
    torch.manual_seed(99)
    assert run(module, epochs=1, seed=3) == before
    assert torch.equal(torch.rand(3), expected)


def test_fresh_weights_depend_on_the_seed_alone() -> None:
    first, second = cell_network(), cell_network()
    run(first, epochs=1)
    initialise(first, 7)
    initialise(second, 7)
    assert same(weights(first), weights(second))


def rates_of(monkeypatch: pytest.MonkeyPatch, **settings: Any) -> list[float]:
    seen: list[float] = []
    original = Sgd.step

    def step(self: Sgd, rate: float) -> None:
        seen.append(rate)
        original(self, rate)

    monkeypatch.setattr(Sgd, "step", step)
    run(cell_network(), epochs=2, batch_size=64, **settings)
    return seen


def test_the_cosine_falls_from_the_learning_rate_to_zero_step_by_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = rates_of(monkeypatch, learning_rate=0.2)
    assert len(seen) == 8  # two epochs of 256 images in batches of 64
    assert seen == pytest.approx([0.1 * (1 + math.cos(math.pi * step / 8)) for step in range(8)])


def test_the_constant_schedule_keeps_the_learning_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rates_of(monkeypatch, learning_rate=0.2, schedule="constant") == [0.2] * 8


def test_plain_sgd_without_momentum_is_one_step_down_the_gradient() -> None:
    """Against the update by hand: w - rate * gradient, over a single batch."""
    data = load_dataset("synthetic")
    few = Split(data.train.images[:16], data.train.labels[:16])
    module = nn.Sequential(nn.Flatten(), nn.Linear(64, 4))
    initialise(module, 4)
    weight, bias = weights(module)
    logits = (few.images.flatten(1) @ weight.T + bias).softmax(1)
    slope = (logits - nn.functional.one_hot(few.labels, 4)) / 16  # (16, 4)
    settings = {"momentum": 0.0, "weight_decay": 0.0, "learning_rate": 0.1, "batch_size": 16}
    run(module, epochs=1, seed=4, dataset=replace(data, train=few), **settings)
    torch.testing.assert_close(module[1].weight, weight - 0.1 * slope.T @ few.images.flatten(1))


@pytest.mark.slow
def test_training_imports_no_compiler() -> None:
    """`torch.optim.Optimizer` does, which costs every worker 1.6 s."""
    script = """
import sys
from explorer.trials.evaluate import evaluate, payload
from explorer.space import preset
for name in ("sgd", "adam"):
    job = payload("cell", preset("cell").default, dataset="synthetic", training={"optimizer": name}, epochs=1, seed=0)
    assert list(evaluate(job))[-1]["final"]
assert "torch._dynamo" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


@pytest.mark.parametrize("images", [33, 65, 2, 3])
def test_a_single_image_left_over_does_not_stop_batch_norm(images: int) -> None:
    """At one pixel a side, batch norm in training mode refuses a batch of one."""
    data = load_dataset("synthetic")
    few = replace(data, train=Split(data.train.images[:images], data.train.labels[:images]))
    module = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(1, 4))
    assert len(run(module, epochs=1, dataset=few, batch_size=2 if images == 3 else 32)) == 1


def test_a_loss_that_is_no_number_fails_with_epoch_and_learning_rate() -> None:
    data = load_dataset("synthetic")
    images = data.train.images.clone()
    images[3, 0, 0, 0] = math.nan
    broken = replace(data, train=Split(images, data.train.labels))
    with pytest.raises(TrialFailed, match=r"epoch 1 with learning rate 0\.05"):
        run(cell_network(), dataset=broken)


def test_a_huge_learning_rate_ends_in_a_sentence_or_in_numbers_never_in_a_crash() -> None:
    try:
        results = run(cell_network(), learning_rate=10.0, momentum=0.999, epochs=3)
    except TrialFailed as error:
        assert "learning rate 10" in str(error)
    else:
        assert all(math.isfinite(result.train_loss) for result in results)


def test_impossible_settings_are_refused_at_once() -> None:
    with pytest.raises(SpecError) as caught:
        run(cell_network(), optimizer="lion", learning_rate=-1.0)
    assert len(caught.value.problems) == 2


def test_every_catalogued_setting_is_taken() -> None:
    results = run(cell_network(), epochs=1, **TRAINING.defaults())
    assert results == run(cell_network(), epochs=1)


def test_evaluation_uses_running_statistics_and_leaves_no_trace() -> None:
    module = cell_network()
    run(module, epochs=1)
    before = weights(module)
    data = load_dataset("synthetic")
    whole = evaluate(module, data.test)
    images, labels = data.test.images.split(32), data.test.labels.split(32)
    parts = [evaluate(module, Split(*part)) for part in zip(images, labels, strict=True)]
    assert whole.accuracy == pytest.approx(sum(part.accuracy for part in parts) / 4)
    assert whole.loss == pytest.approx(sum(part.loss for part in parts) / 4, rel=1e-5)
    assert same(before, weights(module))
