"""What can be asked of a supernet at a cost: curvature over alpha, ranks, importances of candidates.

None of it changes weights, alphas or batch norm's running statistics; each result says how many seconds it took. How
accuracies are measured is the caller's part (`judging`): scores come in as functions. Whoever judges mixtures and paths
that were not trained as such should let batch norm take the statistics of the images judged, because the running ones
belong to what was trained (Guo et al. 2019, section 3.4, arXiv:1904.00420).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from explorer.errors import TrialFailed
from explorer.nets.supernet.batch_norm import batch_statistics
from explorer.nets.supernet.mixing import Mix, Mixture
from explorer.nets.supernet.network import Supernet
from explorer.oneshot.contract import Batch, Method
from explorer.space import Architecture, Decision, SearchSpace

# -- curvature -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Eigenvalue:
    """The Hessian's eigenvalue of largest magnitude, with its sign; `iterations` Hessian-vector products found it."""

    value: float
    iterations: int
    converged: bool
    images: int = 0
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """What the measurement `hessian_eigenvalue` holds."""
        return dict(vars(self))


def alpha_hessian_eigenvalue(
    net: Supernet,
    method: Method,
    images: Batch,
    tolerance: float = 1e-3,
    limit: int = 50,
    beat: Callable[[], None] = lambda: None,
) -> Eigenvalue:
    """The largest eigenvalue of the Hessian over alpha of the loss on one batch (Zela et al. 2020, section 3).

    The loss is the one that the alphas descend, without noise and penalties (a weight decay would add itself to every
    eigenvalue), batch norm by the batch's statistics. ReLU and max pooling have kinks, which count for nothing. Costs a
    forward and a backward pass, and about as much again for each of the `iterations`, in about twice the memory of a
    training step.
    """
    start = time.perf_counter()
    alphas, totals = method.alphas(), _row_totals(method)
    sizes = [row.numel() for row in alphas.values()]

    def loss(flat: Tensor) -> Tensor:
        rows = method.relaxed(dict(zip(alphas, flat.split(sizes), strict=True)))
        mixture = {label: row * totals[label] for label, row in rows.items()}
        return cross_entropy(net(images.images, mixture), images.labels)

    with batch_statistics(net):
        found = hessian_eigenvalue(loss, torch.cat(list(alphas.values())), tolerance, limit, beat)
    seconds = time.perf_counter() - start
    return Eigenvalue(found.value, found.iterations, found.converged, len(images.labels), seconds)


def _row_totals(method: Method) -> dict[str, float]:
    """What each row of the mixture sums to: 1, unless edges have weights of their own, which stand still here."""
    mixture = method.mixture() or {}
    return {label: float(mix.sum()) for label, mix in mixture.items() if isinstance(mix, Tensor)}


def hessian_eigenvalue(
    loss: Callable[[Tensor], Tensor],
    at: Tensor,
    tolerance: float = 1e-3,
    limit: int = 50,
    beat: Callable[[], None] = lambda: None,
) -> Eigenvalue:
    """The eigenvalue of largest magnitude of the Hessian of `loss` at `at` (n,), by Lanczos' iteration.

    Products with the Hessian are gradients of gradient times vector (Pearlmutter 1994). Lanczos needs far fewer of them
    than power iteration, and none more for eigenvalues of opposite signs; each new vector is made orthogonal to all
    before, so n products give all eigenvalues. Ends where the residual is below `tolerance` times the eigenvalue or
    after `limit` products; `beat` is called before each. The first vector is the same every time. Raises TrialFailed
    for curvature that is no number.
    """
    point = at.detach().clone().requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(loss(point), point, create_graph=True, materialize_grads=True)
    if not gradient.requires_grad:
        return Eigenvalue(0.0, 0, True)  # linear in alpha

    def product(vector: Tensor) -> Tensor:
        beat()
        given = vector.to(gradient.device, gradient.dtype)
        (found,) = torch.autograd.grad(
            gradient, point, given, retain_graph=True, allow_unused=True, materialize_grads=True
        )
        return found.double().cpu()

    return _lanczos(product, len(point), tolerance, limit)


def _lanczos(product: Callable[[Tensor], Tensor], n: int, tolerance: float, limit: int) -> Eigenvalue:
    """Golub & Van Loan 2013, algorithm 10.1.1, with full reorthogonalization, in double precision."""
    vector = torch.randn(n, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    basis = [vector / vector.norm()]
    diagonal: list[float] = []
    beside: list[float] = []
    while True:
        image = product(basis[-1])
        if not bool(image.isfinite().all()):
            raise TrialFailed(
                "The Hessian over alpha is no finite number any more; the weights have diverged."
            )
        diagonal.append(float(image @ basis[-1]))
        held = torch.stack(basis)  # (k, n)
        for _ in range(2):  # once is not enough in floating point
            image = image - held.T @ (held @ image)
        length = float(image.norm())
        values, vectors = torch.linalg.eigh(_tridiagonal(diagonal, beside))
        best = int(values.abs().argmax())
        value = float(values[best])
        residual = length * abs(float(vectors[-1, best]))
        if residual <= tolerance * abs(value) or len(basis) == n:
            return Eigenvalue(value, len(diagonal), True)
        if len(diagonal) == limit:
            return Eigenvalue(value, limit, False)
        beside.append(length)
        basis.append(image / length)


def _tridiagonal(diagonal: Sequence[float], beside: Sequence[float]) -> Tensor:
    """(k, k)"""
    middle, side = (torch.tensor(values, dtype=torch.float64) for values in (diagonal, beside))
    return middle.diag() + side.diag(1) + side.diag(-1) if len(side) else middle.diag()


# -- ranks ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RankProbe:
    """Inherited beside stand-alone accuracies of the same architectures (codes), 0 .. 1; None where none is known.

    The rank correlations are over the `known` ones; None for fewer than two, or where all of one side are equal.
    """

    architectures: tuple[str, ...]
    inherited: tuple[float, ...]
    standalone: tuple[float | None, ...]
    known: int
    kendall: float | None
    spearman: float | None
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """What the measurement `rank_probe` holds."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()
        }


def rank_probe(
    space: SearchSpace,
    architectures: Sequence[Architecture],
    score: Callable[[Architecture], float],
    standalone: Mapping[Architecture, float],
) -> RankProbe:
    """Whether inherited weights rank architectures as training each of them alone does (Yu et al. 2020, 1902.08142).

    `score` gives the inherited accuracy; it is asked once an architecture, and that is the cost.
    """
    start = time.perf_counter()
    inherited = tuple(score(architecture) for architecture in architectures)
    alone = tuple(standalone.get(architecture) for architecture in architectures)
    pairs = [(one, other) for one, other in zip(inherited, alone, strict=True) if other is not None]
    kendall, spearman = rank_correlations(pairs)
    codes = tuple(space.code(architecture) for architecture in architectures)
    return RankProbe(codes, inherited, alone, len(pairs), kendall, spearman, time.perf_counter() - start)


def rank_correlations(pairs: Sequence[tuple[float, float]]) -> tuple[float | None, float | None]:
    """Kendall's tau-b and Spearman's rho, -1 .. 1, ties allowed; None, None where there is no order to compare."""
    from scipy.stats import kendalltau, spearmanr  # a second of import, for those who ask only

    if len({one for one, _ in pairs}) < 2 or len({other for _, other in pairs}) < 2:
        return None, None
    first, second = zip(*pairs, strict=True)
    return float(kendalltau(first, second).statistic), float(spearmanr(first, second).statistic)


# -- importances ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Perturbation:
    """`base` is the accuracy of the whole supernet, `drops` (decision -> candidate) that of the supernet without it."""

    base: float
    drops: Mapping[str, Mapping[str, float]]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """What the measurement `perturbation` holds."""
        return {"base": self.base, "drops": {name: dict(row) for name, row in self.drops.items()}} | {
            "seconds": self.seconds
        }


def perturbation_importance(
    decisions: Sequence[Decision], mixture: Mixture, score: Callable[[Mixture], float]
) -> Perturbation:
    """What each candidate is worth to the supernet: its accuracy with that one taken out (Wang et al. 2021, section 4).

    Costs one forward pass of the whole supernet a candidate, those that give nothing aside (none, off).
    """
    start = time.perf_counter()
    base = score(mixture)
    drops = {
        each.label: dict(zip(each.candidates, accuracies_without(each, mixture, score, base), strict=True))
        for each in decisions
        if isinstance(mixture[each.label], Tensor)
    }
    return Perturbation(base, drops, time.perf_counter() - start)


def accuracies_without(
    decision: Decision, mixture: Mixture, score: Callable[[Mixture], float], base: float
) -> Iterator[float]:
    """The accuracy without each candidate in turn; `base` for candidates that give nothing anyway."""
    for at in range(len(decision.candidates)):
        if at in decision.nones:
            yield base
        else:
            yield score({**mixture, decision.label: without(mixture[decision.label], at, decision.nones)})


def without(mix: Mix, at: int, nones: Collection[int] = ()) -> Mix:
    """A row of weights with one candidate's set to 0.

    The others keep their weights and are not brought back to a sum of 1, as in the authors' code (ruocwang/darts-pt,
    sota/cnn/projection.py: project_op). What was taken goes to a candidate that gives nothing, where there is one of
    the `nones`: so the row keeps its sum, with which a partial supernet weighs the channels that pass by, and what is
    measured is the loss of one summand and nothing else. Without such a candidate a partial supernet
    lets less pass as well.
    """
    assert isinstance(mix, Tensor), "only what is mixed can lose a part"
    left = mix.detach().clone()
    left[at] = 0
    for nothing in sorted(nones)[:1]:
        left[nothing] += mix.detach()[at]
    return left
