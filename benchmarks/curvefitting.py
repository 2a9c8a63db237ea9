"""How long one Curvefitting prediction takes: NNI's CurveModel and ours on the same histories, in turn.

python -m benchmarks.curvefitting [--points 6 10 20 30] [--repeats 5]

Both begin with fresh parameters and equal random numbers; the last column is the largest difference of their
predictions.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any


def main() -> None:
    """One row a length: medians in milliseconds, their ratio, the largest difference."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, nargs="+", default=[6, 10, 20, 30])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    print("points     NNI ms    ours ms   ratio   fits' share of ours   largest difference")
    for points in options.points:
        print(row(points, options.repeats))


def row(points: int, repeats: int) -> str:
    """The measured line for histories of `points` results."""
    import numpy as np

    theirs, ours, fits, differences = [], [], [], []
    for repeat in range(repeats):
        random = np.random.RandomState(repeat)
        curve = 0.9 - 0.6 * np.arange(1, points + 1) ** -0.8 + 0.01 * random.randn(points)
        history = [float(value) for value in curve]
        slow, reference = timed(lambda: nni_prediction(history, repeat))  # noqa: B023 (called at once)
        fast, (prediction, fitting) = timed(lambda: our_prediction(history, repeat))  # noqa: B023
        theirs.append(slow)
        ours.append(fast)
        fits.append(fitting / fast)
        if (prediction is None) != (reference is None):
            differences.append(float("inf"))
        elif prediction is not None and reference is not None:
            differences.append(abs(prediction - reference))
    slow, fast = statistics.median(theirs), statistics.median(ours)
    share = 100 * statistics.median(fits)
    worst = max(differences, default=0.0)
    return f"{points:>6} {slow:>10.1f} {fast:>10.2f} {slow / fast:>6.0f}x {share:>19.0f} % {worst:>20.1e}"


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """(milliseconds, what it gave)."""
    begun = time.perf_counter()
    result = call()
    return 1000 * (time.perf_counter() - begun), result


def nni_prediction(history: list[float], seed: int) -> float | None:
    """NNI's own, its global state put in order before and after."""
    import numpy as np
    from nni.algorithms.hpo.curvefitting_assessor import curvefunctions
    from nni.algorithms.hpo.curvefitting_assessor.model_factory import CurveModel

    from explorer.adapters.curvefitting import fresh_parameters

    curvefunctions.model_para.update(fresh_parameters())
    np.random.seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        prediction = CurveModel(2 * len(history)).predict(history)
    curvefunctions.model_para.update(fresh_parameters())
    return prediction


def our_prediction(history: list[float], seed: int) -> tuple[float | None, float]:
    """Ours, and the milliseconds that scipy's fits took of it."""
    import numpy as np

    from explorer.adapters.curvefitting import FastCurveModel

    class Watched(FastCurveModel):
        fitting = 0.0

        def fit_theta(self) -> None:
            self.fitting, _ = timed(super().fit_theta)

    model = Watched(2 * len(history), np.random.RandomState(seed))
    return model.predict(history), model.fitting


if __name__ == "__main__":
    main()
