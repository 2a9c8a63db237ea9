"""An ensemble of ridge regressions, each on its own bootstrap sample; where they differ they are unsure.

All products are `einsum`, which never leaves its thread: LAPACK and BLAS start a thread a core even for matrices this
small, and on a busy machine these wait for each other a hundred times as long as they compute.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def ridge_ensemble(
    features: Floats, values: Floats, rng: np.random.Generator, members: int = 5, penalty: float = 1.0
) -> Callable[[Floats], Floats]:
    """Fit `members` regressions to values of mean 0; gives what predicts (members, architectures).

    Breiman 1996, Bagging predictors, over Hoerl & Kennard 1970, in its dual form: as many unknowns as results, however
    many the features. With w how often a result was drawn, S = sqrt(w) and K the results' products:
    (S K S + penalty) b = S y, and the weights are the features' sum with S b.
    """
    results = len(features)
    drawn = rng.multinomial(results, np.full(results, 1 / results), members)  # (members, results)
    often = np.sqrt(drawn)
    similar = np.einsum("if,jf->ij", features, features)  # (results, results)

    def product(one: Floats) -> Floats:
        return often * np.einsum("mj,ij->mi", often * one, similar) + penalty * one  # (members, results)

    duals = conjugate_gradients(product, often * values)
    weights = np.einsum("mi,if->mf", often * duals, features)  # (members, features)
    return lambda asked: np.einsum("mf,af->ma", weights, asked)  # (members, architectures)


def conjugate_gradients(
    product: Callable[[Floats], Floats], right: Floats, tolerance: float = 1e-6
) -> Floats:
    """Solve `product(x) = right` for each row, symmetric and positive definite (Hestenes & Stiefel 1952).

    A row is left once its remainder is `tolerance` of what it was; at most twice as many steps as unknowns.
    """
    found, rest, way = np.zeros_like(right), right.copy(), right.copy()
    size = (rest**2).sum(axis=1, keepdims=True)  # (rows, 1)
    enough = size * tolerance**2
    for _ in range(2 * right.shape[1]):
        open_rows = size > enough
        if not open_rows.any():
            break
        changed = product(way)
        bend = (way * changed).sum(axis=1, keepdims=True)
        step = np.where(open_rows, size / np.where(open_rows, bend, 1.0), 0.0)
        found += step * way
        rest -= step * changed
        smaller = np.where(open_rows, (rest**2).sum(axis=1, keepdims=True), size)
        way = rest + np.where(open_rows, smaller / np.where(open_rows, size, 1.0), 0.0) * way
        size = smaller
    return found
