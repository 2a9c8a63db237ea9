"""Measures against what they must equal: exact Hessians, accuracies counted by hand, scipy's ranks, sums of worths."""

from __future__ import annotations

import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from explorer.errors import TrialFailed
from explorer.nets.supernet.network import Supernet, build_supernet
from explorer.nets.training import initialise
from explorer.oneshot.contract import Batch, Method
from explorer.oneshot.judging import Judge
from explorer.oneshot.measures import (
    alpha_hessian_eigenvalue,
    hessian_eigenvalue,
    perturbation_importance,
    rank_correlations,
    rank_probe,
    without,
)
from explorer.oneshot.measuring import measure
from explorer.oneshot.search import Search
from explorer.runs.state import RunState
from explorer.space import Architecture, CellSpace, DartsSpace, Input, decisions, full_edges, path_of, preset

# -- curvature -----------------------------------------------------------------------------------------------------


def exact(loss: Callable[[Tensor], Tensor], at: Tensor) -> float:
    """The eigenvalue of largest magnitude of the whole matrix."""
    values = torch.linalg.eigvalsh(torch.autograd.functional.hessian(loss, at))
    return float(values[values.abs().argmax()])


def mixed_net(seed: int) -> tuple[Callable[[Tensor], Tensor], Tensor]:
    """A small network with three mixed activations on two edges, in double precision; loss over 2 x 3 alphas."""
    generator = torch.Generator().manual_seed(seed)
    first, second, images = (
        torch.randn(*size, generator=generator, dtype=torch.float64) for size in ((5, 4), (3, 5), (20, 4))
    )
    first.requires_grad_()  # as a supernet's weights, on which the gradient hangs too
    labels = torch.randint(3, (20,), generator=generator)

    def loss(alphas: Tensor) -> Tensor:
        rows = alphas.view(2, 3).softmax(-1)
        hidden = images @ first.T
        for row in rows:
            hidden = row[0] * hidden + row[1] * hidden.tanh() + row[2] * hidden.sin()
        return cross_entropy(hidden @ second.T, labels)

    return loss, torch.randn(6, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("seed", range(4))
def test_the_eigenvalue_is_that_of_the_exact_hessian(seed: int) -> None:
    loss, at = mixed_net(seed)
    found = hessian_eigenvalue(loss, at, tolerance=1e-10)
    assert found.converged and found.iterations <= 6
    assert found.value == pytest.approx(exact(loss, at), rel=1e-6)


def quadratic(values: list[float]) -> tuple[Callable[[Tensor], Tensor], Tensor]:
    """A Hessian with these eigenvalues in a rotated frame."""
    n = len(values)
    frame = torch.linalg.qr(
        torch.randn(n, n, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    )[0]
    matrix = frame @ torch.tensor(values, dtype=torch.float64).diag() @ frame.T
    return (lambda x: x @ matrix @ x / 2), torch.zeros(n, dtype=torch.float64)


def test_magnitude_decides_and_the_sign_is_kept() -> None:
    loss, at = quadratic([3.0, -5.0, 1.0, 0.5])
    assert hessian_eigenvalue(loss, at, 1e-10).value == pytest.approx(-5.0, rel=1e-9)
    loss, at = quadratic([5.0, -4.999, 1.0])
    assert hessian_eigenvalue(loss, at, 1e-10).value == pytest.approx(5.0, rel=1e-9)


def test_many_alphas_need_few_products_and_the_tolerance_is_kept() -> None:
    rng = random.Random(0)
    loss, at = quadratic([rng.uniform(-1, 1) for _ in range(200)] + [3.0])
    found = hessian_eigenvalue(loss, at, 1e-6)
    assert found.converged and found.iterations < 30 and found.value == pytest.approx(3.0, rel=1e-6)
    cut = hessian_eigenvalue(loss, at, 1e-12, limit=3)
    assert not cut.converged and cut.iterations == 3


def test_the_oracle_rejects_a_hessian_of_the_gradient_without_its_graph() -> None:
    """Mutant: Gauss-Newton's outer product in place of the Hessian."""
    loss, at = mixed_net(0)
    gradient = torch.autograd.functional.jacobian(loss, at)
    assert isinstance(gradient, Tensor)
    assert float(gradient @ gradient) != pytest.approx(exact(loss, at), rel=1e-2)


def test_flat_and_linear_losses_have_no_curvature() -> None:
    at = torch.ones(3)
    weight = torch.ones(3, requires_grad=True)
    assert hessian_eigenvalue(lambda x: (x * weight.detach()).sum(), at).value == 0
    assert hessian_eigenvalue(lambda x: (x * weight).sum(), at).value == 0
    assert hessian_eigenvalue(lambda x: 0 * (x**2).sum(), at).value == 0


def test_a_curvature_that_is_no_number_is_one_sentence() -> None:
    with pytest.raises(TrialFailed, match="Hessian"):
        hessian_eigenvalue(lambda x: (x**2).sum() * float("nan"), torch.ones(3))


# -- on a real supernet --------------------------------------------------------------------------------------------


class Relaxed(Method):
    """Alphas that stand still."""

    def __init__(self, net: Supernet, seed: int, scale: float = 1.0, edge: float = 1.0) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.edge, self.rows = (
            edge,
            {
                each.label: scale * torch.randn(len(each.candidates), generator=generator)
                for each in net.decisions
            },
        )

    def step(self, phase: str, train: Batch, validation: Batch) -> Any:
        raise NotImplementedError

    def probabilities(self) -> dict[str, Tensor]:
        return self.relaxed(self.rows)

    def alphas(self) -> dict[str, Tensor]:
        return self.rows

    def mixture(self) -> dict[str, Tensor] | None:
        return {label: self.edge * row for label, row in self.probabilities().items()}

    def state(self) -> dict[str, Any]:
        return {}

    def load(self, state: Any) -> None:
        pass


class Paths(Relaxed):
    """A method that trains single paths."""

    def mixture(self) -> None:
        return None


CELL = preset("cell")
assert isinstance(CELL, CellSpace)


def images(space: Any, count: int = 24, dtype: torch.dtype = torch.float32) -> Batch:
    generator = torch.Generator().manual_seed(5)
    drawn = torch.randn(count, space.input.channels, space.input.side, space.input.side, generator=generator)
    return Batch(drawn.to(dtype), torch.randint(10, (count,), generator=generator))


def supernet(name: str, kind: str = "fused") -> Supernet:
    net = build_supernet(preset(name), kind)
    initialise(net, 0)
    return net.train()


TINY = {
    "cell": CellSpace(
        "tiny", Input(1, 4), nodes=3, edges=full_edges(3), operations=CELL.operations, channels=2, stages=2
    ),
    "darts": DartsSpace("tiny", Input(1, 8), nodes=1, channels=1),
}


@pytest.mark.parametrize(
    ("name", "kind"),
    [("cell", "plain"), ("cell", "fused"), pytest.param("darts", "fused", marks=pytest.mark.slow)],
)
def test_the_hessian_over_alpha_of_a_supernet_is_the_exact_one(name: str, kind: str) -> None:
    """Against the whole matrix, column by column from finite differences of the gradient.

    The step is so small that no ReLU and no maximum changes sides within it: kinks have no curvature.
    """
    net = build_supernet(TINY[name], kind)
    initialise(net, 0)
    net.double().train()
    batch, method = images(net.space, dtype=torch.float64), Relaxed(net, 0)
    method.rows = {label: row.double() for label, row in method.rows.items()}
    before = {key: value.clone() for key, value in net.state_dict().items()}
    found = alpha_hessian_eigenvalue(net, method, batch, tolerance=1e-9, limit=200)
    assert found.converged and found.images == 24 and net.training
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())

    def gradient(flat: Tensor) -> Tensor:
        point = flat.clone().requires_grad_()
        rows = point.split([len(row) for row in method.rows.values()])
        mixture = {label: row.softmax(-1) for label, row in zip(method.rows, rows, strict=True)}
        return torch.autograd.grad(cross_entropy(net(batch.images, mixture), batch.labels), point)[0]

    at, step = torch.cat(list(method.rows.values())), 1e-7
    units = torch.eye(len(at), dtype=torch.float64)
    matrix = torch.stack(
        [(gradient(at + step * unit) - gradient(at - step * unit)) / (2 * step) for unit in units]
    )
    values = torch.linalg.eigvalsh((matrix + matrix.T) / 2)
    assert found.value == pytest.approx(float(values[values.abs().argmax()]), rel=1e-4)


def test_edges_with_weights_of_their_own_enter_the_curvature() -> None:
    """PC-DARTS' rows sum to less than 1; a mutant that takes the softmax alone measures another loss."""
    net = supernet("cell")
    batch = images(net.space)
    whole, half = (
        alpha_hessian_eigenvalue(net, Relaxed(net, 0, edge=edge), batch).value for edge in (1.0, 0.5)
    )
    assert whole != pytest.approx(half, rel=1e-3)


class Judged(SimpleNamespace):
    """What judging reads of a search; its method stands still."""

    def __init__(self, net: Supernet, method: Relaxed, batch: Batch) -> None:
        super().__init__(net=net, method=method, space=net.space, data=SimpleNamespace(validation=batch))

    def judge(self) -> Judge:
        return Judge(cast(Search, self), lambda: None)

    def derived(self) -> Architecture:
        return self.space.default

    def gap(self, architecture: Architecture) -> dict[str, Any]:
        search, run = cast(Search, self), cast(RunState, None)
        return measure("discretization_gap", search, self.judge(), run, lambda: 0.0, architecture)


def test_accuracy_is_counted_over_all_images_without_touching_the_supernet() -> None:
    net = supernet("cell")
    batch, method = images(net.space, 40), Relaxed(net, 1)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    seen = Judged(net, method, batch).judge().supernet_score("batch")
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items()) and net.training
    with torch.no_grad():
        wanted = (net(batch.images, method.mixture()).argmax(-1) == batch.labels).float().mean()
    assert seen == pytest.approx(float(wanted))


def test_stale_statistics_are_another_accuracy() -> None:
    """The mutant judges a path by the running statistics where the batch's own are promised."""
    net = supernet("cell")
    batch = images(net.space, 200)
    path = CELL.sample(1, random.Random(3))[0]
    with torch.no_grad():
        batch = Batch(batch.images, net(batch.images, path_of(net.space, path)).argmax(-1))
    judge = Judged(net, Relaxed(net, 0), batch).judge()
    assert judge.score(path, "batch") == 1.0 > judge.score(path, "running")


def test_the_gap_compares_mixture_and_path_on_the_same_images() -> None:
    """And a mixture that is decided has none."""
    net = supernet("cell")
    architecture = CELL.sample(1, random.Random(4))[0]
    search = Judged(net, Relaxed(net, 2), images(net.space, 60))
    gap, judge = search.gap(architecture), search.judge()
    assert gap["images"] == 60
    for name, batch_norm in (("", "running"), ("_batch", "batch")):
        assert gap[f"supernet{name}"] == pytest.approx(judge.supernet_score(batch_norm), abs=1e-4)
        assert gap[f"derived{name}"] == pytest.approx(judge.score(architecture, batch_norm), abs=1e-4)
    path = path_of(net.space, architecture)
    search.method.rows = {label: 200.0 * torch.eye(5)[path[label]] for label in search.method.rows}
    decided = search.gap(architecture)
    assert decided["supernet"] == decided["derived"] and decided["supernet_batch"] == decided["derived_batch"]


def test_a_method_of_single_paths_has_no_supernet_accuracy() -> None:
    net = supernet("cell")
    gap = Judged(net, Paths(net, 0), images(net.space)).gap(net.space.default)
    assert gap["supernet"] is None and 0 <= gap["derived"] <= 1


# -- ranks ---------------------------------------------------------------------------------------------------------


def tau_b(pairs: list[tuple[float, float]]) -> float:
    """Kendall's definition, over all pairs of pairs."""
    signs = [(_sign(a - c), _sign(b - d)) for at, (a, b) in enumerate(pairs) for c, d in pairs[:at]]
    total = sum(one * other for one, other in signs)
    return total / (sum(one**2 for one, _ in signs) * sum(other**2 for _, other in signs)) ** 0.5


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


@pytest.mark.parametrize("seed", range(5))
def test_ranks_with_ties_are_kendalls_tau_b(seed: int) -> None:
    """Mutant: tau-a, which divides by all pairs, is smaller where there are ties."""
    rng = random.Random(seed)
    pairs = [(rng.randrange(6) / 6, rng.randrange(6) / 6) for _ in range(30)]
    kendall, spearman = rank_correlations(pairs)
    assert kendall == pytest.approx(tau_b(pairs), abs=1e-12)
    tau_a = sum(_sign(a - c) * _sign(b - d) for at, (a, b) in enumerate(pairs) for c, d in pairs[:at]) / 435
    assert kendall != pytest.approx(tau_a, abs=1e-3)
    assert spearman is not None and -1 <= spearman <= 1


def test_nothing_to_rank_is_none() -> None:
    assert rank_correlations([]) == (None, None)
    assert rank_correlations([(0.1, 0.2)]) == (None, None)
    assert rank_correlations([(0.5, 0.1), (0.5, 0.2)]) == (None, None)
    assert rank_correlations([(0.1, 0.2), (0.3, 0.4)]) == (pytest.approx(1), pytest.approx(1))


def test_a_rank_probe_ranks_what_is_known_and_tells_the_rest() -> None:
    space = CELL
    asked = space.sample(6, random.Random(0))
    inherited = dict(zip(asked, (0.1, 0.2, 0.3, 0.4, 0.5, 0.6), strict=True))
    alone = dict(zip(asked[:4], (0.5, 0.6, 0.8, 0.7), strict=True))
    scored: list[Architecture] = []

    def score(architecture: Architecture) -> float:
        scored.append(architecture)
        return inherited[architecture]

    probe = rank_probe(space, asked, score, alone)
    assert scored == asked and probe.known == 4
    assert probe.standalone == (0.5, 0.6, 0.8, 0.7, None, None)
    assert probe.kendall == pytest.approx(4 / 6) and probe.spearman == pytest.approx(0.8)
    told = probe.to_json()
    assert told["architectures"] == [space.code(each) for each in asked]
    assert told["inherited"] == list(inherited.values())


# -- importances ---------------------------------------------------------------------------------------------------


def test_importance_is_what_the_sum_loses() -> None:
    """On a linear supernet the drop is weight times worth; none and off cost nothing and lose nothing."""
    space = preset("cell")
    made = decisions(space)
    rows = {each.label: torch.tensor([0.1, 0.2, 0.3, 0.15, 0.25]) for each in made}
    worth = torch.tensor([0.0, 0.5, 0.1, 0.9, -0.2])
    asked = []

    def score(mixture: Any) -> float:
        asked.append(mixture)
        return float(sum(mix @ worth for mix in mixture.values()))

    found = perturbation_importance(made, rows, score)
    assert len(asked) == 1 + 6 * 4 and found.base == pytest.approx(6 * 0.215)
    for row in found.drops.values():
        lost = {name: found.base - accuracy for name, accuracy in row.items()}
        wanted = dict(zip(space.operations, (rows["edge_0_1"] * worth).tolist(), strict=True))  # type: ignore[attr-defined]
        assert lost == pytest.approx(wanted, abs=1e-6)
    assert found.to_json()["drops"]["edge_0_1"]["none"] == found.base


def test_taking_one_out_leaves_the_others_as_they_are() -> None:
    row = torch.tensor([0.2, 0.3, 0.5])
    left = cast(Tensor, without(row, 1))
    assert left.tolist() == pytest.approx([0.2, 0.0, 0.5]) and row.tolist() == pytest.approx([0.2, 0.3, 0.5])


def test_what_runs_alone_is_not_perturbed() -> None:
    made = decisions(preset("cell"))
    mixture: dict[str, Any] = {each.label: 1 for each in made} | {"edge_0_1": torch.full((5,), 0.2)}
    assert list(perturbation_importance(made, mixture, lambda _: 0.5).drops) == ["edge_0_1"]
