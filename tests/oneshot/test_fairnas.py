"""FairNAS: every candidate is trained exactly once a step, by one update of the summed gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
import torch
from torch.nn.functional import cross_entropy

from explorer.catalogue import METHODS
from explorer.errors import SpaceError
from explorer.nets.supernet.network import build_supernet
from explorer.oneshot.contract import BOTH, Batch, Context
from explorer.oneshot.methods import fairnas as module
from explorer.oneshot.methods.fairnas import FairNas, fair_paths
from explorer.oneshot.methods.spos import uniform_architecture
from explorer.space import (
    CellSpace,
    Decision,
    Input,
    InputChoice,
    Layer,
    LayerChoice,
    MacroSpace,
    Operation,
    SearchSpace,
    decisions,
    path_of,
    preset,
)
from explorer.space.decisions import Path

TOY = CellSpace(
    "toy",
    Input(1, 8),
    nodes=3,
    edges=((0, 1), (0, 2), (1, 2)),
    operations=("none", "skip_connect", "avg_pool_3x3"),
    channels=2,
)


def _batch(seed: int) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    return Batch(torch.randn(8, 1, 8, 8, generator=generator), torch.arange(8) % 10)


def _method(space: SearchSpace = TOY) -> FairNas:
    torch.manual_seed(0)
    net = build_supernet(space)
    settings = METHODS["fairnas"].settings({"momentum": 0.0, "weight_decay": 0.0, "gradient_clip": 0.0})
    return FairNas(Context(net, settings, torch.Generator().manual_seed(0), epochs=4, batches=3))


def _is_fair(counts: Mapping[str, Sequence[int]], steps: int) -> bool:
    return all(count == steps for row in counts.values() for count in row)


def test_counts_are_equal_after_every_step() -> None:
    """Strict fairness: each candidate as often as there were steps."""
    method = _method()
    for steps in range(1, 4):
        assert _is_fair(method.step(BOTH, _batch(steps), _batch(9)).extra["counts"], steps)


def test_uniform_paths_are_rejected_by_the_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutant: m uniform paths a step, which is fair on average only."""

    def uniform(chosen: Sequence[Decision], generator: torch.Generator) -> list[Path]:
        return [path_of(TOY, uniform_architecture(TOY, generator)) for _ in range(3)]

    monkeypatch.setattr(module, "fair_paths", uniform)
    method = _method()
    assert not all(
        _is_fair(method.step(BOTH, _batch(steps), _batch(9)).extra["counts"], steps) for steps in range(1, 4)
    )


def test_the_order_of_the_candidates_differs_from_decision_to_decision() -> None:
    """Otherwise the paths would always be the same m."""
    generator = torch.Generator().manual_seed(0)
    seen = {tuple(path.values()) for _ in range(200) for path in fair_paths(decisions(TOY), generator)}
    assert len(seen) == 27


def test_a_step_is_one_descent_down_the_sum_of_the_paths_gradients() -> None:
    """Compared with one backward pass of the summed losses, written out."""
    method, other = _method(), _method()
    batch = _batch(0)
    method.step(BOTH, batch, _batch(9))
    other.net.train()
    paths = fair_paths(other.decisions, torch.Generator().manual_seed(0))
    loss = torch.stack([cross_entropy(other.net(batch.images, path), batch.labels) for path in paths]).sum()
    parameters = list(other.net.parameters())
    gradients = torch.autograd.grad(loss, parameters, allow_unused=True, materialize_grads=True)
    for moved, parameter, gradient in zip(method.net.parameters(), parameters, gradients, strict=True):
        torch.testing.assert_close(moved, parameter - 0.025 * gradient, rtol=0, atol=1e-5)


def test_unequal_numbers_of_candidates_are_refused_with_the_methods_that_can() -> None:
    """ENAS's macro space: six operations, but two states of a skip."""
    space = preset("enas-macro").bound_to(1, 8, 10)
    with pytest.raises(
        SpaceError, match=r"they have 2 and 6; .*enas, spos.* can search enas-macro"
    ) as caught:
        module.check_fair(space, decisions(space))
    assert "fairnas," not in str(caught.value)


def test_several_inputs_of_one_choice_are_refused() -> None:
    """Two of three sources run at a time, so none can run alone."""
    layers = (
        Layer("first", LayerChoice("first", tuple((name, Operation("relu")) for name in "abc"))),
        *(Layer(f"layer_{at}", Operation("relu")) for at in range(3)),
        Layer("last", Operation("relu")),
    )
    skip = InputChoice("skip", ("layer_0", "layer_1", "layer_2"), "last", 2, "none")
    space = MacroSpace("two", Input(4, 8), layers=layers, skips=(skip,))
    with pytest.raises(SpaceError, match="skip runs 2 of its 3 inputs at a time"):
        module.check_fair(space, decisions(space))


@pytest.mark.slow
def test_every_candidate_of_a_darts_edge_is_trained() -> None:
    """Eight candidates an edge, none among them, so eight paths a step."""
    method = _method(preset("darts-cell").bound_to(1, 8, 10))
    assert _is_fair(method.step(BOTH, _batch(0), _batch(9)).extra["counts"], 1)
