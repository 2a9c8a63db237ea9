"""The one door to every table: scikit-learn's embedded ones by name, uploaded ones by their content.

What comes out is a Task of `explorer.tables`; nothing is imputed, scaled or encoded here, because that is learned from
training rows only.
"""

from __future__ import annotations

import importlib
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import datasets

from explorer.catalogue import TABLES
from explorer.runs.places import home
from explorer.tables import Task, find, read_table, split_target
from explorer.tables.reading import Uploaded, from_frame


def tables_root(root: str | Path | None = None) -> Path:
    """`root` where given, else `tables` under $EXPLORER_HOME: where uploaded tables are kept."""
    return home() / "tables" if root is None else Path(root).expanduser().absolute()


def load_table(
    name: str,
    *,
    target: str | None = None,
    task: str = "auto",
    resamples: int = 5,
    root: str | Path | None = None,
) -> Task:
    """The task on the table `name`; embedded ones have their own target unless another column is named.

    Raises UnknownName, NotFound for an uploaded table that is not here, CodecError and SpecError for what it holds.
    """
    table = _load(name, tables_root(root))
    if name in TABLES and target is None:
        target = TABLES[name].facts["target"]
    return split_target(table, target, task, resamples)


@lru_cache(maxsize=2)
def _load(name: str, root: Path) -> Uploaded:
    if name.startswith("table:"):
        return read_table(find(name, root), name)
    module, _, attribute = TABLES.find(name).path.partition(":")
    return from_frame(name, getattr(importlib.import_module(module), attribute)())


def breast_cancer() -> pd.DataFrame:
    """569 rows, 30 numbers and the diagnosis."""
    bunch = datasets.load_breast_cancer()
    return _frame(bunch, "diagnosis", [str(bunch.target_names[code]) for code in bunch.target])


def wine() -> pd.DataFrame:
    """178 rows, 13 numbers and the grower."""
    bunch = datasets.load_wine()
    return _frame(bunch, "grower", [f"grower {code}" for code in bunch.target])


def digits_table() -> pd.DataFrame:
    """1,797 rows, 64 pixels called by row and column, and the digit."""
    bunch = datasets.load_digits()
    return _frame(bunch, "digit", bunch.target.astype(np.float64))


def diabetes() -> pd.DataFrame:
    """442 rows, 10 numbers (in their own units) and the progression."""
    bunch = datasets.load_diabetes(scaled=False)
    return _frame(bunch, "progression", bunch.target)


def _frame(bunch: datasets.Bunch, target: str, values: object) -> pd.DataFrame:
    frame = pd.DataFrame(np.asarray(bunch.data, dtype=np.float64), columns=list(bunch.feature_names))
    frame[target] = values
    return frame
