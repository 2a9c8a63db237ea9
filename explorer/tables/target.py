"""A table cut into what is known and what is to be predicted, checked so that nothing behind it need check again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from explorer.errors import SpecError, UnknownName
from explorer.tables.columns import Column
from explorer.tables.reading import Uploaded

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame, Series

MOST_CLASSES = 50
FEW_VALUES = 20  # whole numbers of so few different values are taken for classes
LEAST_ROWS = 20


@dataclass(frozen=True, eq=False)
class Task:
    """`frame` holds the columns to choose from (rows, columns); `values` the target (rows,): numbers, or 0 …
    classes-1.
    """

    name: str
    target: str
    kind: str  # classification or regression
    frame: DataFrame
    columns: tuple[Column, ...]
    values: NDArray[Any]
    classes: tuple[str, ...]
    notices: tuple[str, ...]

    @property
    def is_classification(self) -> bool:
        """Whether the target is one of `classes`."""
        return self.kind == "classification"


def split_target(table: Uploaded, target: str | None, task: str = "auto", resamples: int = 5) -> Task:
    """The task of predicting `target` (None: the last column); raises SpecError with one sentence.

    Columns that cannot help (constant, empty, free text) and rows without a target are left out with a notice.
    """
    about = _target_column(table, target)
    cells = table.frame[about.name]
    rows = cells.notna()
    notices = list(table.notices)
    if not rows.all():
        notices.append(f"{int((~rows).sum()):,} rows without a value of {about.name!r} are left out.")
    values, classes, kind = _values(about, cells[rows], task, resamples)
    columns, more = _useful(table, about)
    frame = table.frame.loc[rows, [column.name for column in columns]].reset_index(drop=True)
    return Task(table.name, about.name, kind, frame, columns, values, classes, (*notices, *more))


def _target_column(table: Uploaded, target: str | None) -> Column:
    known = {column.name: column for column in table.columns}
    name = table.columns[-1].name if target is None else target
    if name not in known:
        raise SpecError(str(UnknownName("column", name, list(known)[:20])))
    if known[name].kind == "empty":
        raise SpecError(f"The target {name!r} is empty in every row; choose another column.")
    if known[name].distinct < 2:
        only = known[name].examples[0]
        raise SpecError(
            f"The target {name!r} has one class only ({only!r}); choose a column with at least two."
        )
    return known[name]


def _values(
    about: Column, cells: Series[Any], task: str, resamples: int
) -> tuple[NDArray[Any], tuple[str, ...], str]:
    import pandas as pd

    if len(cells) < LEAST_ROWS:
        raise SpecError(
            f"{len(cells)} rows have a value of {about.name!r}; at least {LEAST_ROWS} are needed."
        )
    numeric = pd.api.types.is_numeric_dtype(cells.dtype)
    few = numeric and about.distinct <= FEW_VALUES and bool((cells % 1 == 0).all())
    if task == "regression" and not numeric:
        raise SpecError(
            f"The target {about.name!r} holds words such as {about.examples[0]!r}; take classification."
        )
    if task == "regression" or (task == "auto" and numeric and not few):
        return cells.to_numpy(dtype="float64"), (), "regression"
    if about.distinct > MOST_CLASSES:
        raise SpecError(
            f"The target {about.name!r} has {about.distinct:,} different values; at most {MOST_CLASSES} classes "
            "are taken."
        )
    codes, found = pd.factorize(cells, sort=True)
    classes = tuple(f"{value:g}" if numeric else str(value) for value in found)
    counts = pd.Series(codes).value_counts()
    rarest = counts.idxmin()
    if counts[rarest] < resamples:
        raise SpecError(
            f"Class {classes[rarest]!r} of {about.name!r} has {counts[rarest]} row(s), and each of {resamples} "
            "resamples "
            "needs one; remove or join rare classes, or ask for fewer resamples."
        )
    return codes.astype("int64"), classes, "classification"


def _useful(table: Uploaded, about: Column) -> tuple[tuple[Column, ...], list[str]]:
    """The columns that can say something, and a sentence for each reason why others were left out."""
    others = [column for column in table.columns if column is not about]
    used = tuple(column for column in others if column.is_used)
    notices = []
    for kind, why in (("constant", "the same in every row"), ("empty", "empty"), ("text", "free text")):
        names = [column.name for column in others if column.kind == kind]
        if names:
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            shown = ", ".join(map(repr, names[:5]))
            notices.append(
                f"Left out because {'it is' if len(names) == 1 else 'they are'} {why}: {shown}{more}."
            )
    if len(used) < 2:
        gone = " ".join(notices)
        raise SpecError(
            f"{len(used)} column(s) of {table.name!r:.80} can be chosen beside the target {about.name!r}; at least two "
            f"are needed. {gone}".strip()
        )
    return used, notices
