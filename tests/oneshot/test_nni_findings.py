"""Where NNI 3.0 differs from the papers and from ours: what the table in ARCHITECTURE.md says and no other test does.

These hold NNI as it is, not as it should be; ours is asserted beside it.
"""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from explorer.adapters import oneshot as nni
from explorer.oneshot.nni_space import NniSpace
from explorer.space import SearchSpace
from explorer.space.derive import top2
from tests.oneshot.rig import tiny_cell
from tests.oneshot.test_nni_space import tiny_darts

IMAGES = (6, 1, 8, 8)


def supernet(space: SearchSpace, strategy: object) -> NniSpace:
    """The space with NNI's supernet of `strategy` in it."""
    torch.manual_seed(0)
    found = NniSpace(space)
    strategy.mutate_model(found.model)  # type: ignore[attr-defined]
    return found


def two_cells() -> SearchSpace:
    """Two cells that share their decisions."""
    return replace(tiny_cell(), name="two-cells", stages=2).bound_to(1, 8, 4)


def modules(space: NniSpace) -> list[torch.nn.Module]:
    return [each for each in space.model.modules() if isinstance(each, nni.BaseSuperNetModule)]


def exported(space: NniSpace) -> dict[str, object]:
    """As NNI's `export` of the whole supernet."""
    found: dict[str, object] = {}
    for each in modules(space):
        found |= each.export(memo=found)  # type: ignore[operator]
    return found


def probabilities(space: NniSpace) -> dict[str, dict[object, float]]:
    """As NNI's `export_probs`."""
    found: dict[str, dict[object, float]] = {}
    for each in modules(space):
        found |= each.export_probs(memo=found)  # type: ignore[operator]
    return found


def test_a_constant_on_an_edge_changes_what_nnis_cell_exports_and_nothing_of_ours() -> None:
    """It ranks raw alphas across edges; only their softmax within an edge means anything (quark0/darts ranks that)."""
    space = supernet(tiny_darts(), nni.DARTS())
    rows = nni.alphas(space.model)

    def ours() -> object:
        scores = {label: row.softmax(-1).tolist() for label, row in space.in_our_order(rows).items()}
        return top2(space.space, scores)

    derived, before = ours(), exported(space)
    read = {before[f"normal/input_3_{at}"][0] for at in range(2)}  # type: ignore[index]
    (left_out,) = {0, 1, 2} - read
    with torch.no_grad():
        rows[f"normal/3_{left_out}"] += 5
    after = exported(space)
    assert left_out in {after[f"normal/input_3_{at}"][0] for at in range(2)}  # type: ignore[index]
    assert ours() == derived


def test_the_probabilities_of_a_cell_leave_no_connection_out() -> None:
    space = supernet(tiny_darts(), nni.DARTS())
    row = probabilities(space)["normal/2_0"]
    assert sum(row.values()) == pytest.approx(0.75, abs=0.01)
    assert space.in_our_order(nni.alphas(space.model))["normal/edge_0_2"].softmax(-1).sum() == pytest.approx(
        1
    )


def test_the_probabilities_of_gumbel_darts_are_a_new_draw() -> None:
    space = supernet(two_cells(), nni.GumbelDARTS())
    first, second = (probabilities(space)["edge_0_1"] for _ in range(2))
    assert first != second
    assert max(abs(value - 1 / 3) for value in first.values()) > 0.05  # the alphas are all but even


def test_gumbel_darts_draws_for_each_cell_what_the_cells_share() -> None:
    """Ours draws one sample for the whole network, so that it is one architecture that runs."""
    space = supernet(two_cells(), nni.GumbelDARTS())
    drawn: dict[int, list[Tensor]] = {}
    for each in space.model.modules():
        if isinstance(each, nni.GumbelSoftmax):
            each.register_forward_hook(
                lambda _, given, out: drawn.setdefault(id(given[0]), []).append(out.detach())
            )
    space.model(torch.randn(IMAGES))
    assert len(drawn) == 3 and all(len(each) == 2 and not torch.equal(*each) for each in drawn.values())


def test_proxyless_runs_every_candidate_even_where_no_alpha_learns() -> None:
    """So it saves memory and no time, and batch norm of candidates that were not drawn moves in the weights' step."""
    space = supernet(two_cells(), nni.Proxyless())
    memo: dict[str, object] = {}
    for each in modules(space):
        memo |= each.resample(memo)  # type: ignore[operator]
    for row in nni.alphas(space.model).values():
        row.requires_grad_(False)
    norms = [each for name, each in space.model.named_modules() if "nor_conv_3x3.2" in name]
    drawn = sum(choice == "nor_conv_3x3" for choice in memo.values()) * 2
    out = space.model(torch.randn(IMAGES))
    assert sum(int(each.num_batches_tracked) for each in norms) == drawn < len(norms) == 6
    out.sum().backward()
    assert [int(each.num_batches_tracked) for each in norms] == [1] * 6


def test_what_proxyless_exports_is_drawn() -> None:
    space = supernet(two_cells(), nni.Proxyless())
    assert len({str(exported(space)) for _ in range(20)}) > 1


def test_random_one_shot_may_read_one_source_twice() -> None:
    """Ours draws among architectures, each as likely as any other."""
    space = supernet(tiny_darts(), nni.RandomOneShot())
    random.seed(0)
    found = []
    for _ in range(40):
        memo: dict[str, object] = {}
        for each in modules(space):
            memo |= each.resample(memo)  # type: ignore[operator]
        found.append(space.architecture_of(memo))
    assert None in found and any(found)
