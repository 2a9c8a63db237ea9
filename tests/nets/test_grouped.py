"""Many cells trained at once are the same as each of them alone."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.data import load_dataset
from explorer.data.records import Dataset, Split
from explorer.errors import SpaceError, SpecError
from explorer.nets.grouped import GroupedNetwork, GroupedTraining, live_edges
from explorer.nets.network import NetworkModule
from explorer.nets.training import initialise, train
from explorer.space import Architecture, CellSpace, preset

SETTINGS = {"learning_rate": 0.1, "batch_size": 16, "gradient_clip": 0.0}


def space() -> CellSpace:
    found = preset("cell")
    assert isinstance(found, CellSpace)
    return found


def cells(count: int) -> list[Architecture]:
    """A dead one, one of convolutions only, and others at random."""
    dead = space().architecture({mutable.label: "none" for mutable in space().mutables})
    full = space().architecture({mutable.label: "nor_conv_3x3" for mutable in space().mutables})
    return [dead, full, *space().sample(count - 2, random.Random(5))]


def alone(architecture: Architecture, seed: int) -> NetworkModule:
    module = NetworkModule(space().lower(architecture))
    initialise(module, seed)
    return module


def few(data: Dataset, count: int) -> Dataset:
    """The dataset with so many training images."""
    part: Split = data.train
    return replace(data, train=replace(part, images=part.images[:count], labels=part.labels[:count]))


@pytest.fixture
def images() -> tuple[Tensor, Tensor]:
    split = load_dataset("noisy-digits").train
    return split.images[:24].double().contiguous(memory_format=torch.channels_last), split.labels[:24]


def test_outputs_losses_and_gradients_are_those_of_single_networks(images: tuple[Tensor, Tensor]) -> None:
    pixels, labels = images
    chosen, seeds = cells(9), list(range(9))
    grouped = GroupedNetwork(space(), chosen, seeds).double()
    logits = grouped(pixels)
    functional.cross_entropy(logits.transpose(1, 2), labels[:, None].expand(-1, 9), reduction="none").mean(
        0
    ).sum().backward()
    for number, (architecture, seed) in enumerate(zip(chosen, seeds, strict=True)):
        module = alone(architecture, seed).double()
        expected = module(pixels)
        torch.testing.assert_close(logits[:, number], expected)
        functional.cross_entropy(expected, labels).backward()
        stem, linear = _named(module, "stem/conv"), _named(module, "head/linear")
        expected = (
            torch.zeros_like(stem.weight) if number == 0 else stem.weight.grad
        )  # the dead one reads nothing
        torch.testing.assert_close(grouped.stem_weight.grad[4 * number : 4 * number + 4], expected)
        torch.testing.assert_close(grouped.linear.grad[number], linear.weight.grad)
        for plan in grouped.plans:
            if plan.operation.startswith("nor_conv"):
                _compare_convolutions(grouped, plan, module, number)


def _compare_convolutions(grouped: GroupedNetwork, plan: object, module: NetworkModule, number: int) -> None:
    pairs = [(target, one) for target, numbers in plan.places.items() for one in numbers]  # type: ignore[attr-defined]
    for stage, width in (1, 4), (2, 8):
        gradient = getattr(grouped, f"{plan.name(stage)}_weight").grad  # type: ignore[attr-defined]
        for at, (target, one) in enumerate(pairs):
            if one == number:
                edge = _named(module, f"cell{stage}/edge_{plan.source}_{target}")  # type: ignore[attr-defined]
                weight = next(part.weight for part in edge.modules() if isinstance(part, nn.Conv2d))
                torch.testing.assert_close(gradient[width * at : width * at + width], weight.grad)


def _named(module: NetworkModule, name: str) -> nn.Module:
    found = getattr(module, module.names[name])
    assert isinstance(found, nn.Module)
    return found


def test_running_statistics_are_those_of_single_networks(images: tuple[Tensor, Tensor]) -> None:
    pixels, _ = images
    chosen = cells(6)
    grouped = GroupedNetwork(space(), chosen, [3] * 6).double()
    modules = [alone(one, 3).double() for one in chosen]
    for net in (grouped, *modules):
        net.train()
        net(pixels)
        net(pixels[:12])
        net.eval()
    told = grouped(pixels)
    for number, module in enumerate(modules):
        torch.testing.assert_close(told[:, number], module(pixels))


def test_a_training_goes_the_way_of_single_trainings() -> None:
    data, chosen = few(load_dataset("noisy-digits"), 64), cells(5)
    training = GroupedTraining(space(), chosen, data, epochs=2, settings=SETTINGS, seed=11)
    grouped = list(training)
    for number, architecture in enumerate(chosen):
        module = NetworkModule(space().lower(architecture))
        single = list(train(module, data, epochs=2, settings=SETTINGS, seed=11))
        for together, one in zip(grouped, single, strict=True):
            assert abs(together.train_loss[number] - one.train_loss) < 0.01
            assert abs(together.validation_accuracy[number] - one.validation_accuracy) <= 0.015


def test_a_training_repeats_exactly() -> None:
    data, chosen = few(load_dataset("noisy-digits"), 32), cells(4)

    def told(seed: int) -> Sequence[object]:
        training = GroupedTraining(space(), chosen, data, epochs=1, settings=SETTINGS, seed=seed)
        return [(one.train_loss, one.validation_accuracy) for one in training]

    assert told(1) == told(1) != told(2)


def test_recalibrated_statistics_are_those_of_all_images() -> None:
    data, chosen = few(load_dataset("noisy-digits"), 48), cells(3)
    training = GroupedTraining(space(), chosen, data, epochs=1, settings=SETTINGS, seed=2)
    next(training)
    training.recalibrate(data.train)
    stem = functional.conv2d(data.train.images, training.network.stem_weight, padding=1)
    torch.testing.assert_close(training.network.stem_mean, stem.mean((0, 2, 3)), atol=1e-5, rtol=1e-4)
    before = training.network.stem_mean.clone()
    training.scores(data.validation)
    assert torch.equal(before, training.network.stem_mean)


def test_only_edges_between_input_and_output_are_live() -> None:
    names = {mutable.label: "none" for mutable in space().mutables}
    through = {**names, "edge_0_1": "skip_connect", "edge_1_3": "nor_conv_3x3", "edge_0_2": "nor_conv_1x1"}
    assert live_edges(space(), through) == [(0, 1), (1, 3)]
    assert live_edges(space(), names) == []


def test_what_cannot_be_grouped_is_said() -> None:
    other = replace(space(), operations=("none", "max_pool_3x3"))
    with pytest.raises(SpaceError, match="max_pool_3x3"):
        GroupedNetwork(other, [other.default], [0])
    with pytest.raises(SpecError, match="gradient_clip"):
        GroupedTraining(
            space(), cells(3), load_dataset("noisy-digits"), epochs=1, settings={"gradient_clip": 5.0}, seed=0
        )
