"""A features run taken away: the selected columns as CSV, and NNI's selectors as a script that runs today.

The script carries the fixes that `explorer/adapters/selectors.py` explains, and imports nothing of this app.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from explorer.catalogue import SELECTORS, TABLES
from explorer.errors import SpecError
from explorer.export.writing import remark
from explorer.runs.feature_checks import feature_settings, selector_settings, selectors_of
from explorer.runs.feature_story import plan_of, selections, stories
from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState
from explorer.tables import csv_text

NO_TORCH = (
    "A features run selects columns and trains no network, so there is no torch code of it; export it as nni, csv or "
    "run."
)
_DEFAULT_COUNT = 5


def selected_csv(state: RunState) -> str:
    """Every column with its rank by each selector, and whether the selector's advice holds it; formulas neutralised."""
    plan, told = plan_of(state), stories(state)
    if plan is None or not told:
        raise SpecError(f"Run {state.run_id} has no ranks yet; let it run on, then export it.")
    advised = {data["selector"]: set(data["columns"]) for data in selections(state)}
    named = [story for story in told if SELECTORS[story.name].facts["needs_target"]]
    header = ["column"]
    header += [f"{story.name} {what}" for story in named for what in ("mean rank", "selected")]
    ranks = {story.name: story.mean_ranks() for story in named}
    rows: list[list[Any]] = []
    for at, column in enumerate(plan.columns):
        row: list[Any] = [column]
        for story in named:
            row += [round(ranks[story.name][at], 4), int(column in advised.get(story.name, ()))]
        rows.append(row)
    return csv_text(header, rows)


def features_code(state: RunState) -> str:
    """A script with NNI's selectors of this run (both where it used neither); raises SpecError after a search for
    columns.
    """
    spec = state.spec
    if "tuner" in spec.method:
        raise SpecError(
            "The script knows the table's own columns only, and this run made new ones; export it as csv or run."
        )
    used = [name for name in selectors_of(spec) if SELECTORS[name].facts["source"] == "nni"]
    counts = {data["selector"]: data["k"] for data in selections(state)}
    parts = [_head(spec), _data(spec)]
    for name in used or ["gradient", "gbdt"]:
        parts.append(_PARTS[name](selector_settings(spec, name)))
    lines = [
        f"    report({name!r}, {name}(x, y), {counts.get(name, _DEFAULT_COUNT)})"
        for name in used or ["gradient", "gbdt"]
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + _MAIN + "\n".join(lines) + "\n"


def _head(spec: RunSpec) -> str:
    return f'''
"""{_plain(f"NNI's feature selectors on {spec.dataset}, with what today's torch, scipy and LightGBM need.")}

pip install nni scikit-learn pandas lightgbm torch
"""

import functools
import random
import sys
import types

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

SEED = {spec.seed}'''


def _plain(text: str) -> str:
    return remark(text).removeprefix("# ")


_LOADERS: Mapping[str, str] = {
    "breast-cancer": "load_breast_cancer()",
    "wine": "load_wine()",
    "digits-table": "load_digits()",
    "diabetes": "load_diabetes(scaled=False)",
}


def _data(spec: RunSpec) -> str:
    settings = feature_settings(spec)
    if spec.dataset in TABLES and settings["target"] is None:
        return _embedded(spec.dataset, settings["task"])
    return _from_file(spec, settings)


def _embedded(name: str, task: str) -> str:
    loader = _LOADERS[name]
    kind = TABLES[name].facts["task"] if task == "auto" else task
    return f'''
from sklearn.datasets import {loader.partition("(")[0]}

CLASSIFICATION = {kind == "classification"}


def data():
    """The columns and the target."""
    bunch = {loader}
    frame = pd.DataFrame(bunch.data, columns=list(bunch.feature_names))
    return frame.loc[:, frame.nunique() > 1], bunch.target  # what never varies cannot help
'''


def _from_file(spec: RunSpec, settings: Mapping[str, Any]) -> str:
    if spec.dataset in TABLES:
        raise SpecError(
            "The script of an embedded table predicts its own target; leave features.target out, or export as csv."
        )
    target = json.dumps(settings["target"]) if settings["target"] is not None else "None"
    reader = "read_parquet" if spec.dataset.endswith(".parquet") else "read_csv"
    return f'''
TARGET = {target}  # None: the last column
TASK = {settings["task"]!r}


def data():
    """The columns of the file that is named on the command line, categories as 0 and 1, and the target."""
    frame = pd.{reader}(sys.argv[1])
    target = frame.pop(TARGET if TARGET is not None else frame.columns[-1])
    known = target.notna()
    frame, target = pd.get_dummies(frame[known], dtype=float), target[known]
    global CLASSIFICATION
    few = target.nunique() <= 20 and (not pd.api.types.is_numeric_dtype(target) or (target % 1 == 0).all())
    CLASSIFICATION = TASK == "classification" or (
        TASK == "auto" and (few or not pd.api.types.is_numeric_dtype(target))
    )
    values = pd.factorize(target, sort=True)[0] if CLASSIFICATION else target.to_numpy(float)
    return frame.loc[:, frame.nunique() > 1], values
'''


def _gradient(settings: Mapping[str, Any]) -> str:
    return f'''
def gradient(x, y):
    """Scores of FeatureGradientSelector. With n_epochs=1 on up to 1,000 rows all of them tie."""
    import scipy.sparse
    import scipy.sparse.linalg
    import torch
    from nni.algorithms.feature_engineering import gradient_selector
    from nni.algorithms.feature_engineering.gradient_selector import fginitialize, fgtrain

    def svds(matrix, **options):  # scipy takes no tensor for a matrix, and draws its start from somewhere else
        return scipy.sparse.linalg.svds(np.asarray(matrix), rng=np.random.default_rng(SEED), **options)

    class Solver(fgtrain.Solver):
        def __init__(self, *given, get_train_opt, **named):
            def optimizer(parameters):  # zero_grad() now leaves None where the next step adds
                made = get_train_opt(parameters)
                made.zero_grad = functools.partial(made.zero_grad, set_to_none=False)
                return made

            super().__init__(*given, get_train_opt=optimizer, **named)

    original = fginitialize.scipy, fgtrain.Solver
    fginitialize.scipy = types.SimpleNamespace(
        sparse=types.SimpleNamespace(issparse=scipy.sparse.issparse, linalg=types.SimpleNamespace(svds=svds))
    )
    fgtrain.Solver = Solver
    np.random.seed(SEED)
    torch.manual_seed(SEED)
    dtype = torch.get_default_dtype()
    try:
        selector = gradient_selector.FeatureGradientSelector(
            classification=CLASSIFICATION, **{dict(settings)!r}
        )
        selector.fit(x.astype(np.float32), y.astype(np.float32))
    finally:
        fginitialize.scipy, fgtrain.Solver = original
        torch.set_default_dtype(dtype)  # NNI changes it after a loss that is no number
    return np.asarray(selector.scores_, dtype=float)
'''


def _gbdt(settings: Mapping[str, Any]) -> str:
    named = ("eval_ratio", "early_stopping_rounds", "importance_type", "num_boost_round")
    boosting = {name: value for name, value in settings.items() if name not in named}
    rest = {name: settings[name] for name in named}
    return f'''
def gbdt(x, y):
    """Importances of GBDTSelector."""
    import lightgbm
    from nni.algorithms.feature_engineering.gbdt_selector import gbdt_selector

    def train(*given, early_stopping_rounds, **named):  # LightGBM 4 takes early stopping as a callback
        stop = lightgbm.early_stopping(early_stopping_rounds, verbose=False)
        return lightgbm.train(*given, callbacks=[stop], **named)

    objective = {{"objective": "regression"}}
    if CLASSIFICATION:
        classes = int(y.max()) + 1
        objective = {{"objective": "binary"}} if classes == 2 else {{"objective": "multiclass", "num_class": classes}}
    repeatable = {{"seed": SEED, "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbosity": -1}}
    original = gbdt_selector.lgb
    gbdt_selector.lgb = types.SimpleNamespace(Dataset=lightgbm.Dataset, train=train)
    np.random.seed(SEED)  # NNI splits the rows with random_state=None
    random.seed(SEED)
    try:
        selector = gbdt_selector.GBDTSelector()
        selector.fit(
            x,
            y,
            lgb_params=objective | {boosting!r} | repeatable,
            **{rest!r},
        )
    finally:
        gbdt_selector.lgb = original
    return np.asarray(selector.feature_importance, dtype=float)
'''


_PARTS = {"gradient": _gradient, "gbdt": _gbdt}

_MAIN = '''


def report(name, scores, count):
    """Print the best columns; equal scores are ordered as NNI orders them, the last columns first."""
    if np.ptp(scores) <= 1e-6 * max(1.0, np.abs(scores).max()):
        print(f"{name}: all scores tie, so the order means nothing")
    order = np.argsort(scores, kind="stable")[::-1][:count]
    for place, column in enumerate(order, 1):
        print(f"{name} {place:>3}  {scores[column]:.6g}  {frame.columns[column]}")


if __name__ == "__main__":
    frame, y = data()
    x = make_pipeline(SimpleImputer(strategy="median"), StandardScaler()).fit_transform(frame)
    if not CLASSIFICATION:
        y = (y - y.mean()) / y.std()
'''
