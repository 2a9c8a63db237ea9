"""Which parameters matter: Optuna's PED-ANOVA over the trials that succeeded.

Watanabe, Bansal & Hutter 2023, PED-ANOVA, arXiv:2304.10255: how much the best tenth of the trials differs in a
parameter from all of them. Conditional parameters (nested choices) are weighed as in arXiv:2601.20800, by the trials
that have them. Optuna computes; it is imported when the panel opens.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from explorer.plots.charts import Axis
from explorer.plots.tuning import frame
from explorer.plots.tuning.columns import Cell, Column, as_number
from explorer.plots.tuning.figure import dress
from explorer.plots.tuning.statuses import STATUS_LOOKS
from explorer.plots.tuning.table import Board, Row

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

LEAST_TRIALS = 10
ROUGH_BELOW = 20  # from here on the best tenth holds two trials; below, the best two are taken
MOST_PARAMETERS = 40


@dataclass(frozen=True)
class Importance:
    """One parameter's share of the whole, 0 to 1; `trials` is how many have it."""

    path: str
    share: float
    trials: int


@dataclass(frozen=True)
class ImportanceInfo:
    """Most important first. `missing` is a sentence when nothing can be said yet, `caution` one when the bars are
    rough, `left_out` what was not weighed.
    """

    question: str
    x: Axis
    bars: tuple[Importance, ...]
    left_out: tuple[str, ...]
    missing: str | None
    basis: str
    alt: str
    caution: str | None = None


def importance(board: Board) -> ImportanceInfo:
    """Only succeeded trials count; parameters that never varied are left out."""
    rows = [row for row in board.rows if row.status == "succeeded" and row.value is not None]
    if len(rows) < LEAST_TRIALS:
        return _info(
            board,
            len(rows),
            missing=f"Importance needs {LEAST_TRIALS} trials that ran to their end; {_there(len(rows))} so far. Trials "
            "that were stopped early do not count: where they would have ended is not known.",
        )
    if len({row.value for row in rows}) == 1:
        return _info(board, len(rows), missing="All trials have the same value, so no parameter can matter.")
    weighed = {}
    for column in board.columns[:MOST_PARAMETERS]:
        cells = [row.parameters[column.path] for row in rows if column.path in row.parameters]
        kind = _distribution(column, cells)
        if kind is not None:
            weighed[column.path] = kind
    left_out = tuple(column.path for column in board.columns if column.path not in weighed)
    if not weighed:
        return _info(board, len(rows), left_out, "No parameter varied in enough trials.")
    shares = _ped_anova(rows, weighed, board.scale.better)
    if len(shares) > 1 and len(set(shares.values())) == 1:  # Optuna's answer where all are zero
        return _info(
            board, len(rows), left_out, "The best trials look like all others: no parameter stands out."
        )
    bars = [
        Importance(path, share, sum(path in row.parameters for row in rows)) for path, share in shares.items()
    ]
    return _info(board, len(rows), left_out, None, sorted(bars, key=lambda bar: -bar.share))


def _info(
    board: Board,
    trials: int,
    left_out: tuple[str, ...] = (),
    missing: str | None = None,
    bars: Sequence[Importance] = (),
) -> ImportanceInfo:
    some = [bar.path for bar in bars if bar.trials < trials]
    group = "tenth" if trials >= ROUGH_BELOW else "two"
    basis = f"PED-ANOVA over {trials} succeeded trials of 1 run: what sets the best {group} apart."
    rough = (
        f"Only a rough hint: {trials} trials ran to their end, and two of them are compared with all. From "
        f"{ROUGH_BELOW} on it is steadier."
    )
    if some:
        basis += f" Only in some trials: {_list(some)}."
    if left_out and not missing:
        basis += f" Not weighed (no or hardly any variation): {_list(left_out)}."
    told = f"the most important is {bars[0].path} with {100 * bars[0].share:.0f} %" if bars else missing
    return ImportanceInfo(
        f"Which parameters decide whether a trial is among the best {group}?",
        Axis("share of importance (%)"),
        tuple(bars),
        left_out,
        missing,
        basis,
        f"Importance of {len(bars)} parameters: {told}",
        rough if trials < ROUGH_BELOW and not missing else None,
    )


def _there(count: int) -> str:
    return f"{count} has" if count == 1 else f"{count or 'none'} have"


def _list(names: Sequence[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _distribution(column: Column, cells: Sequence[Cell]) -> tuple[str, Any] | None:
    """Optuna's kind of distribution and its arguments; None for what did not vary in at least two trials."""
    if len(cells) < 2 or len(set(cells)) < 2:
        return None
    if not column.is_number:
        return "categorical", column.options
    numbers = [number for cell in cells if (number := as_number(cell)) is not None]
    if len(numbers) < len(cells) or (column.log and min(numbers) <= 0):
        return None
    low = min([*numbers, *([column.low] if column.low is not None else [])])
    high = max([*numbers, *([column.high] if column.high is not None else [])])
    log = column.log and low > 0
    if column.whole:
        return "int", (int(low), int(high), log)
    return ("float", (low, high, log)) if math.isfinite(high - low) and high > low else None


def _ped_anova(rows: Sequence[Row], weighed: Mapping[str, tuple[str, Any]], better: str) -> dict[str, float]:
    """Path -> share, as Optuna gives it; the shares add up to 1."""
    import optuna
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
    from optuna.trial import create_trial

    kinds: dict[str, Any] = {}
    for path, (kind, arguments) in weighed.items():
        if kind == "categorical":
            kinds[path] = CategoricalDistribution(tuple(map(str, range(len(arguments)))))
        else:
            low, high, log = arguments
            kinds[path] = (IntDistribution if kind == "int" else FloatDistribution)(low, high, log=log)
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # "A new study created in memory" is no news
    try:
        study = optuna.create_study(direction="maximize" if better == "higher" else "minimize")
        for row in rows:
            given = {
                path: _coded(weighed[path], row.parameters[path]) for path in kinds if path in row.parameters
            }
            study.add_trial(
                create_trial(
                    value=row.value, params=given, distributions={path: kinds[path] for path in given}
                )
            )
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Some regimes for parameter")  # said in the basis
            warnings.filterwarnings("ignore", "Target and region quantiles select the same set")
            best = PedAnovaImportanceEvaluator(target_quantile=max(0.1, 2 / len(rows)))
            return get_param_importances(study, evaluator=best)
    finally:
        optuna.logging.set_verbosity(verbosity)


def _coded(kind: tuple[str, Any], cell: Cell) -> Any:
    """Categories by their place, because Optuna takes 1, 1.0 and True for one."""
    return str(kind[1].index(cell)) if kind[0] == "categorical" else cell


def importance_figure(info: ImportanceInfo) -> Figure:
    """Bars with their share written at the end, the most important on top."""
    from plotly.graph_objects import Bar, Figure

    figure = Figure(
        Bar(
            x=[100 * bar.share for bar in info.bars],
            y=list(range(len(info.bars))),
            text=[f"{100 * bar.share:.0f} %" for bar in info.bars],
            textposition="outside",
            cliponaxis=False,
            orientation="h",
            marker={"color": STATUS_LOOKS["succeeded"].color},
            customdata=[[bar.path, bar.trials] for bar in info.bars],
            hovertemplate="%{customdata[0]}: %{x:.1f} %<br>in %{customdata[1]} trials<extra></extra>",
        )
    )
    dress(figure, info.x, height=90 + 28 * max(2, len(info.bars)))
    names = [frame.small(bar.path, 28) for bar in info.bars]
    figure.update_yaxes(
        autorange="reversed",
        automargin=True,
        tickvals=list(range(len(names))),
        ticktext=names,
        showgrid=False,
    )
    return figure.update_xaxes(range=[0, 112 * max((bar.share for bar in info.bars), default=1)])
