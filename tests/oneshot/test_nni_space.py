"""NNI's supernets are ours: the same numbers for the same weights, under every architecture and every mixture."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor

from explorer.adapters import oneshot as nni
from explorer.nets.model_space import build_model_space
from explorer.nets.supernet.network import Supernet, build_supernet
from explorer.oneshot.nni_space import NniSpace, Row, refused
from explorer.space import DartsSpace, Input, Layer, MacroSpace, Operation, SearchSpace, path_of, preset
from explorer.space import InputChoice as Inputs
from tests.oneshot.rig import tiny_cell, tiny_macro

IMAGES = (5, 1, 8, 8)


def tiny_darts() -> DartsSpace:
    """Two nodes; a normal cell and two that reduce."""
    return DartsSpace(
        name="tiny-darts",
        input=Input(1, 8, from_dataset=True),
        nodes=2,
        cells=3,
        channels=2,
        operations=("none", "max_pool_3x3", "skip_connect", "sep_conv_3x3"),
    ).bound_to(1, 8, 4)


def two_of_three() -> MacroSpace:
    """A fixed number of inputs."""
    layers = [
        Layer(name, Operation("conv2d", {"out_channels": 2, "kernel_size": 3, "padding": 1}))
        for name in ("a", "b", "c", "d")
    ]
    return MacroSpace(
        name="two-of-three",
        input=Input(1, 8),
        layers=(
            *layers,
            Layer("pool", Operation("global_avg_pool")),
            Layer("linear", Operation("linear", {"out_features": 4})),
        ),
        skips=(Inputs("pick", ("a", "b", "c"), "d", 2, "none"),),
    )


SPACES: dict[str, Callable[[], SearchSpace]] = {
    "cell": lambda: tiny_cell().bound_to(1, 8, 4),
    "macro": lambda: tiny_macro().bound_to(1, 8, 4),
    "darts": tiny_darts,
}


@pytest.fixture(autouse=True)
def precise() -> Iterator[None]:
    """float64 for all weights and images."""
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def twins(space: SearchSpace, strategy: object) -> tuple[NniSpace, Supernet]:
    """NNI's supernet of `strategy` and our plain one, with the same weights."""
    found, ours = NniSpace(space), build_supernet(space, "plain")
    ours.load_state_dict(found.state())
    strategy.mutate_model(found.model)  # type: ignore[attr-defined]
    return found, ours


def softened(space: NniSpace, rows: dict[str, Row] | None = None) -> dict[str, Tensor]:
    """Our mixture of NNI's alphas, drawn anew; `rows` in the place of the true ones."""
    alphas = nni.alphas(space.model)
    for row in alphas.values():
        torch.nn.init.normal_(row)
    order = rows or space.rows
    return {label: alphas[row.label].detach().softmax(-1)[list(row.order)] for label, row in order.items()}


@pytest.mark.parametrize("name", ["cell", "macro", pytest.param("darts", marks=pytest.mark.slow)])
def test_a_mixture_gives_what_it_gives_in_ours(name: str) -> None:
    space, ours = twins(SPACES[name](), nni.DARTS())
    mixture, images = softened(space), torch.randn(IMAGES)
    assert torch.allclose(space.model(images), ours(images, mixture), atol=1e-12)
    # Mutant: two candidates of one decision swapped.
    label = next(iter(mixture))
    mutant = mixture | {label: mixture[label].flip(0)}
    assert not torch.allclose(space.model(images), ours(images, mutant), atol=1e-4)


def test_none_is_the_last_of_a_row_of_nnis_cell() -> None:
    """Mutant: as if NNI's row had our order."""
    space, ours = twins(tiny_darts(), nni.DARTS())
    naive = {label: Row(row.label, tuple(sorted(row.order))) for label, row in space.rows.items()}
    images = torch.randn(IMAGES)
    assert not torch.allclose(space.model(images), ours(images, softened(space, naive)), atol=1e-4)


@pytest.mark.parametrize("name", ["cell", "macro", pytest.param("darts", marks=pytest.mark.slow)])
def test_an_architecture_gives_what_it_gives_in_ours(name: str) -> None:
    space, ours = twins(SPACES[name](), nni.RandomOneShot())
    images = torch.randn(IMAGES)
    for architecture in space.space.sample(4, random.Random(1)):
        sample = space.sample_of(architecture)
        for module in space.model.modules():
            if isinstance(module, nni.BaseSuperNetModule):
                module.resample(memo=sample)
        expected = ours(images, path_of(space.space, architecture))
        assert torch.allclose(space.model(images), expected, atol=1e-12), architecture
        assert space.architecture_of(nni.sampled(space.model)) == architecture


def test_a_cell_that_reads_one_source_twice_has_no_architecture() -> None:
    space = NniSpace(tiny_darts())
    sample = space.sample_of(space.space.default)
    assert space.architecture_of(sample) == space.space.default
    sample["normal/input_2_1"] = sample["normal/input_2_0"]
    assert space.architecture_of(sample) is None


@pytest.mark.slow
def test_weights_are_the_very_tensors_that_nni_trains() -> None:
    space = NniSpace(tiny_darts())
    nni.DARTS().mutate_model(space.model)
    learned = {id(weight) for weight in space.model.parameters()} - set(
        map(id, nni.alphas(space.model).values())
    )
    assert learned == {
        id(tensor) for tensor in space.state().values() if isinstance(tensor, torch.nn.Parameter)
    }


def test_alphas_go_over_and_come_back() -> None:
    space = NniSpace(tiny_darts())
    nni.DARTS().mutate_model(space.model)
    rows = nni.alphas(space.model)
    given = {label: torch.randn(len(row.order)) for label, row in space.rows.items()}
    space.give(given, rows)
    assert all(torch.equal(space.in_our_order(rows)[label], row) for label, row in given.items())
    none = space.space.operations.index("none")
    assert rows["normal/2_0"][-1] == given["normal/edge_0_2"][none]


# -- what NNI makes of skips ------------------------------------------------------------------------------------------


def test_nni_alone_never_searches_an_optional_skip() -> None:
    """Why it is rewritten: NNI's row has one candidate of probability 1, so the skip is always there."""
    model = build_model_space(preset("notes-net"))
    with pytest.warns(RuntimeWarning, match="does not support choosing multiple inputs. Assuming one"):
        nni.DARTS().mutate_model(model)
    assert nni.alphas(model)["skip"].softmax(-1).tolist() == [1.0]
    with pytest.raises(ValueError, match="n_chosen is None is not supported yet"):
        nni.RandomOneShot().mutate_model(build_model_space(preset("notes-net")))
    rewritten = NniSpace(preset("notes-net"))
    nni.DARTS().mutate_model(rewritten.model)
    assert nni.alphas(rewritten.model)[rewritten.rows["skip/0"].label].shape == (2,)


def test_two_of_three_inputs_are_mixed_on_another_scale() -> None:
    """NNI: the weighted mean of all. Ours: twice that, as many as are added up in the end."""
    space, ours = twins(two_of_three(), nni.DARTS())
    (label,) = space.rows
    weights = softened(space)
    images = torch.randn(IMAGES)
    assert not torch.allclose(space.model(images), ours(images, weights), atol=1e-4)
    assert torch.allclose(space.model(images), ours(images, {label: weights[label] / 2}), atol=1e-12)
    assert any("multiplies the mixture by the number chosen" in note for note in space.notes)


def test_what_nni_cannot_search_is_one_sentence() -> None:
    assert refused("darts", tiny_darts()) is None
    assert "Proxyless does not know cells" in (refused("proxyless", tiny_darts()) or "")
    assert "chooses a fixed number" in (refused("enas", two_of_three()) or "")
    with pytest.raises(TypeError, match="categorical"):
        nni.ENAS().mutate_model(NniSpace(two_of_three()).model)
