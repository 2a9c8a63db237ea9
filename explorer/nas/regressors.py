"""Regressors of scikit-learn as the ensemble of predictor search: fitted to results, they predict with a doubt.

Each takes the features (trained, columns) and values (trained,) of what was trained, and gives what predicts
(members, architectures); the spread over members is the doubt. They run in one thread: on a busy machine BLAS's threads
wait for each other far longer than so small a matrix takes.
"""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_limits

from explorer.strategies.predictor import Floats, Predict

TREES = 100  # scikit-learn's default
LENGTH = 0.8  # of the kernel, times the root of the ones in a row: what shares nothing correlates by 0.2
NOISE = 0.2  # variance of luck in standardised results
MOST = 2000  # results that a process is fitted to, the newest: its time grows with their cube


def forest(features: Floats, values: Floats, rng: np.random.Generator) -> Predict:
    """Every tree of a random forest is a member (Breiman 2001; its spread: Hutter, Hoos & Leyton-Brown 2011, SMAC)."""
    from sklearn.ensemble import RandomForestRegressor

    model = RandomForestRegressor(TREES, max_features=1 / 3, n_jobs=1, random_state=int(rng.integers(2**31)))
    model.fit(features.astype(np.float32), values)

    def predict(asked: Floats) -> Floats:
        columns = np.ascontiguousarray(asked, np.float32)
        return np.stack([tree.predict(columns, check_input=False) for tree in model.estimators_])

    return predict


def gaussian_process(features: Floats, values: Floats, rng: np.random.Generator) -> Predict:
    """Two members, a deviation below and above the mean, so that mean and doubt are the process's own.

    Rasmussen & Williams 2006, section 2.2, with a squared exponential kernel whose length is not fitted.
    """
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF

    with threadpool_limits(1):
        kernel = RBF(LENGTH * float(features[0].sum()) ** 0.5, "fixed")
        model = GaussianProcessRegressor(kernel, alpha=NOISE, optimizer=None)
        model.fit(features[-MOST:], values[-MOST:])

    def predict(asked: Floats) -> Floats:
        with threadpool_limits(1):
            mean, doubt = model.predict(asked, return_std=True)
        return np.stack([mean - doubt, mean + doubt])

    return predict
