"""NNI's two feature selectors with the smallest fixes that today's torch, scipy and LightGBM need.

Each gives one score a column. NNI's files are not edited: names that its modules look up are replaced while it runs.
Both draw from the process's global generators, and FeatureGradientSelector changes the process's default tensor type,
on import and after a loss that is no number; all of that is put back, and torch runs on one thread meanwhile.
"""

from __future__ import annotations

import contextlib
import functools
import io
import warnings
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import scipy.sparse
import scipy.sparse.linalg
import torch
from numpy.typing import NDArray
from scipy.sparse.linalg import ArpackError
from threadpoolctl import threadpool_limits

from explorer.adapters.seeding import Generators, swapped
from explorer.errors import TrialFailed

Scores = NDArray[np.float64]  # (columns,)


def gradient_scores(
    x: NDArray[np.float64],  # (rows, columns), standardised
    y: NDArray[Any],  # (rows,): 0 … classes-1, or numbers
    *,
    classification: bool,
    seed: int,
    settings: Mapping[str, Any],
) -> Scores:
    """FeatureGradientSelector's scores, 0 to 1: how far each column's gate has opened.

    Two fixes: scipy takes no tensor for a matrix (`fginitialize.py:432`), and torch's `zero_grad` now leaves None
    where the next step adds to the gradient (`learnability.py:525`). Raises TrialFailed where its numbers are not
    finite, in doubles neither.
    """
    with _own_state(seed):
        from nni.algorithms.feature_engineering import gradient_selector
        from nni.algorithms.feature_engineering.gradient_selector import constants, fginitialize, fgtrain

        selector = gradient_selector.FeatureGradientSelector(classification=classification, **settings)
        mended = swapped(fginitialize, scipy=_scipy_for_tensors(seed))
        kept = swapped(fgtrain, Solver=_keeping_gradients(fgtrain.Solver))
        with mended, kept:
            try:
                selector.fit(x.astype(np.float32), y.astype(np.float32))
            except (constants.NanError, ArpackError):
                raise TrialFailed(
                    "FeatureGradientSelector came to numbers that are not finite; leave out or rescale columns "
                    "with huge "
                    "values, or take a smaller order."
                ) from None
        return np.asarray(selector.scores_, dtype=np.float64)


def gradient_selection(scores: Scores, count: int) -> NDArray[np.int64]:
    """The columns that FeatureGradientSelector itself takes for `n_features=count` (its `_set_top_features`),
    ascending.
    """
    from nni.algorithms.feature_engineering.gradient_selector import FeatureGradientSelector

    selector = FeatureGradientSelector(n_features=count)
    selector.scores_ = scores
    return np.asarray(selector._set_top_features().selected_features_, dtype=np.int64)


def _scipy_for_tensors(seed: int) -> Any:
    """What `fginitialize` takes for scipy: `svds` gets an array, and a generator, because it draws its start."""

    def svds(matrix: Any, **options: Any) -> Any:
        return scipy.sparse.linalg.svds(np.asarray(matrix), rng=np.random.default_rng(seed), **options)

    linear = SimpleNamespace(svds=svds)
    return SimpleNamespace(sparse=SimpleNamespace(issparse=scipy.sparse.issparse, linalg=linear))


def _keeping_gradients(solver: type[Any]) -> type[Any]:
    class Keeping(solver):
        """NNI's Solver whose optimizer zeroes gradients instead of dropping them."""

        def __init__(self, *given: Any, get_train_opt: Callable[[Any], Any], **named: Any) -> None:
            def optimizer(parameters: Any) -> Any:
                made = get_train_opt(parameters)
                made.zero_grad = functools.partial(made.zero_grad, set_to_none=False)
                return made

            super().__init__(*given, get_train_opt=optimizer, **named)

    return Keeping


def gbdt_scores(
    x: NDArray[np.float64],
    y: NDArray[Any],
    *,
    classification: bool,
    seed: int,
    settings: Mapping[str, Any],
) -> Scores:
    """GBDTSelector's importances, 0 or more.

    One fix: LightGBM 4 takes early stopping as a callback. And seeds: NNI means to split the rows the same way each
    time, but hands on `random.seed(41)`, which is None; here the split, too, comes from `seed`.
    """
    import lightgbm
    from nni.algorithms.feature_engineering.gbdt_selector import gbdt_selector

    named = ("eval_ratio", "early_stopping_rounds", "importance_type", "num_boost_round")
    boosting = {name: value for name, value in settings.items() if name not in named}
    with _own_state(seed), swapped(gbdt_selector, lgb=_lightgbm_3(lightgbm)):
        selector = gbdt_selector.GBDTSelector()
        selector.fit(
            x,
            y,
            lgb_params=_objective(y, classification) | boosting | _repeatable(seed),
            **{name: settings[name] for name in named},
        )
        return np.asarray(selector.feature_importance, dtype=np.float64)


def _lightgbm_3(lightgbm: Any) -> Any:
    """LightGBM as version 3 was called."""

    def train(*given: Any, early_stopping_rounds: int, **named: Any) -> Any:
        stop = lightgbm.early_stopping(early_stopping_rounds, verbose=False)
        return lightgbm.train(*given, callbacks=[stop], **named)

    return SimpleNamespace(Dataset=lightgbm.Dataset, train=train)


def _objective(y: NDArray[Any], classification: bool) -> dict[str, Any]:
    if not classification:
        return {"objective": "regression"}
    classes = int(y.max()) + 1
    return {"objective": "binary"} if classes == 2 else {"objective": "multiclass", "num_class": classes}


def _repeatable(seed: int) -> dict[str, Any]:
    return {"seed": seed, "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbosity": -1}


@contextlib.contextmanager
def _own_state(seed: int) -> Iterator[None]:
    """Generators of our own, one thread, no chatter; and whatever of the process was changed is put back."""
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices=[]))
        stack.enter_context(Generators(seed).own())
        stack.enter_context(threadpool_limits(1))
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", r"torch\.set_default_tensor_type\(\) is deprecated", UserWarning)
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_default_dtype(dtype)
            torch.set_num_threads(threads)
