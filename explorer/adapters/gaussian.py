"""GP and Metis: NNI's two tuners on Gaussian processes, mended where today's numpy and scipy stop them.

Both take numbers only. Choices go in sorted, because both read the first and the last option as the bounds; what comes
out is put back on the nearest option, multiple of q or whole number, because both let it stray.
"""

from __future__ import annotations

import contextlib
import io
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from explorer.adapters.base import NniTuner, Order
from explorer.adapters.domains import Space
from explorer.adapters.seeding import Generators, seeded, swapped


def minimize_from_row(fun: Callable[[Any], Any], x0: Any, **options: Any) -> Any:
    """scipy's `minimize` for callers that pass the start as a row and read the minimum as `fun[0]`.

    NNI passes shape (1, n), which scipy refuses since 1.11; its GP's objective returns one number in an array.
    """
    found = minimize(fun, np.reshape(x0, -1), **options)
    found.fun = np.atleast_1d(found.fun) if np.ndim(x0) == 2 and "args" not in options else found.fun
    return found


class _OneByOne:
    """In the place of Metis' thread pool: its threads draw from one generator in whatever order they run."""

    def __init__(self, threads: int) -> None:
        pass

    def map(self, function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        return [function(item) for item in items]

    def close(self) -> None:
        """Nothing is open."""

    def join(self) -> None:
        """Nothing runs."""


class _Numeric(NniTuner):
    """Choices are put back on the nearest option; what NNI's module needs swapped is swapped while it runs."""

    swaps: tuple[tuple[Any, dict[str, Any]], ...] = ()

    def _shown(self, drawn: Mapping[str, Any]) -> dict[str, Any]:
        return super()._shown({name: _nearest(self._space[name], value) for name, value in drawn.items()})

    @contextlib.contextmanager
    def _surroundings(self) -> Iterator[None]:
        """One thread (a pool started here would hang the children that the executor forks later) and no chatter."""
        with contextlib.ExitStack() as stack:
            for module, replacements in self.swaps:
                stack.enter_context(swapped(module, **replacements))
            stack.enter_context(threadpool_limits(1))
            stack.enter_context(
                np.errstate(divide="ignore", invalid="ignore", over="ignore")
            )  # sigma 0 at data points
            stack.enter_context(warnings.catch_warnings())
            # Each of hundreds of restarts says so when it ends early; its texts carry numbers, so the class is named.
            warnings.simplefilter("ignore", ConvergenceWarning)
            variances = (
                "Predicted variances smaller than 0. Setting those variances to 0."  # at points that it knows
            )
            warnings.filterwarnings("ignore", variances, UserWarning)
            stack.enter_context(contextlib.redirect_stdout(io.StringIO()))  # "Data point ... is not unique"
            stack.enter_context(
                contextlib.redirect_stderr(io.StringIO())
            )  # "Exercise "lm" acquisition function"
            yield


def _nearest(spec: Mapping[str, Any], value: Any) -> Any:
    if spec["_type"] != "choice":
        return value
    return min(spec["_value"], key=lambda option: abs(option - value))


def _ordered(space: Space) -> dict[str, Any]:
    """The space as both want it: choices ascending, ranges as true floats."""
    return {
        name: {"_type": spec["_type"], "_value": _bounds(spec["_type"], spec["_value"])}
        for name, spec in space.items()
    }


def _bounds(kind: str, values: list[Any]) -> list[Any]:
    if kind == "choice":
        return sorted(values)
    return list(values) if kind == "randint" else [float(value) for value in values]


def gp(order: Order) -> NniTuner:
    """NNI's GP, whose starting points are rows (see minimize_from_row) and whose randint draws are arrays.

    The latter cannot be put into a number's place since numpy 2.4, so `random_sample` is ours.
    """
    from nni.algorithms.hpo.gp_tuner import gp_tuner, util
    from nni.algorithms.hpo.gp_tuner.target_space import TargetSpace

    class Points(TargetSpace):
        """NNI's points with a random one drawn number by number."""

        def random_sample(self) -> Any:
            drawn = np.empty(self.dim)
            for column, bound in enumerate(self._bounds):
                drawn[column] = _drawn(bound["_type"], bound["_value"], self._random_state)
            return drawn

    tuner = gp_tuner.GPTuner(
        order.optimize_mode,
        **order.given("utility", "kappa", "xi", "nu", "alpha", "cold_start_num"),
        **order.given("selection_num_warm_up", "selection_num_starting_points"),
    )
    tuner._random_state = seeded(order.seed)
    tuner._gp.set_params(random_state=tuner._random_state)
    with swapped(gp_tuner, TargetSpace=Points):
        tuner.update_search_space(_ordered(order.space))
    adapter = _Numeric(tuner, order, Generators(order.seed))
    adapter.swaps = ((util, {"minimize": minimize_from_row}),)
    return adapter


def _drawn(kind: str, values: list[Any], generator: np.random.RandomState) -> Any:
    from nni import parameter_expressions

    if kind == "choice":
        return parameter_expressions.choice(values, generator)
    return getattr(parameter_expressions, kind)(*values, generator)


def metis(order: Order) -> NniTuner:
    """NNI's Metis with starting points that scipy takes, one thread, and a setting for its restarts.

    `restarts` is ours: NNI fixes 250 restarts for each of up to five Gaussian processes a suggestion.
    """
    before = list(sys.path)
    from nni.algorithms.hpo.metis_tuner import lib_acquisition_function, metis_tuner
    from nni.algorithms.hpo.metis_tuner.Regression_GP import CreateModel, OutlierDetection

    sys.path[:] = before  # its modules add the parent of the first entry, once each

    given = order.given("no_resampling", "no_candidates", "selection_num_starting_points")
    given |= order.given("cold_start_num", "exploration_probability")
    tuner = metis_tuner.MetisTuner(order.optimize_mode, **given)
    generators = Generators(order.seed)
    with generators.own():
        tuner.update_search_space(_whole_numbers(_ordered(order.space)))
    adapter = _Numeric(tuner, order, generators)
    adapter.swaps = (
        (lib_acquisition_function, {"minimize": minimize_from_row}),
        (metis_tuner, {"ThreadPool": _OneByOne}),
        (OutlierDetection, {"ThreadPool": _OneByOne}),
    )
    if order.settings.get("restarts") is not None:
        quicker = partial(CreateModel.create_model, n_restarts_optimizer=order.settings["restarts"])
        adapter.swaps += ((CreateModel, {"create_model": quicker}),)
    return adapter


def _whole_numbers(space: dict[str, Any]) -> dict[str, Any]:
    """quniform by 1 between whole numbers as the randint that it is: Metis gives floats to `random.randint`."""
    return {name: _as_randint(spec) for name, spec in space.items()}


def _as_randint(spec: dict[str, Any]) -> dict[str, Any]:
    if spec["_type"] != "quniform":
        return spec
    low, high, q = spec["_value"]
    if q != 1 or low % 1 or high % 1:
        return spec
    return {"_type": "randint", "_value": [int(low), int(high) + 1]}
