"""The board of trials: rows, columns, copies, differences, brushing."""

from __future__ import annotations

import ast
import csv
import io
import json

import pytest

from explorer.plots.tuning import selection as brush
from explorer.plots.tuning.columns import Cell, Column, as_number, columns_of, flatten, jitter, ruler
from explorer.plots.tuning.scale import scale_of
from explorer.plots.tuning.table import Board, as_columns, as_json, as_python, board, compare, to_csv
from tests.plots.tuning.runs import SPACE, begin, curve, end, searched, spec, told

NESTED = {"lr": 0.1, "optimizer": {"_name": "sgd", "momentum": 0.9}, "skip": [0, 2]}


def three() -> Board:
    """One that succeeded, one that was stopped and finished later, one that failed."""
    words = begin(0, 1, NESTED) + curve(0, 1, {1: 0.5, 2: 0.9}) + end(0, 2, "succeeded", 0.9)
    words += begin(1, 2, {"lr": 0.001, "optimizer": {"_name": "adam"}, "skip": []}, origin="hand")
    words += curve(1, 2, {1: 0.2, 2: 0.3}) + end(1, 3.5, "early_stopped")
    words += begin(2, 4, {"lr": 1.0, "optimizer": {"_name": "adam"}, "skip": [0]}) + end(2, 5, "failed")
    words += (
        begin(3, 6, None, repeat_of=1, continues=True) + curve(3, 6, {3: 0.4}) + end(3, 7, "succeeded", 0.4)
    )
    return board(told(words))


def test_a_trial_that_was_finished_later_is_no_row_but_a_value_in_the_row_it_goes_on_with() -> None:
    found = three()
    assert [row.trial_id for row in found.rows] == [0, 1, 2]
    stopped = found.rows[1]
    assert (stopped.finished, stopped.stopped_at, stopped.steps, stopped.budget) == (0.4, 2, 2, 10)
    assert (stopped.value, stopped.reached, stopped.origin) == (None, 0.3, "hand")
    assert found.rows[0].is_best and found.rows[0].seconds == 1


def test_final_values_rank_before_those_of_stopped_trials() -> None:
    assert [row.trial_id for row in three().ranked()] == [0, 1]


def test_nested_choices_become_paths_and_lists_become_text() -> None:
    assert flatten(NESTED) == {"lr": 0.1, "optimizer": "sgd", "optimizer.momentum": 0.9, "skip": "[0, 2]"}
    assert flatten(None) == {}


def test_columns_follow_the_space_and_what_it_does_not_declare_comes_last() -> None:
    found = columns_of(SPACE, [flatten(NESTED)])
    assert [column.path for column in found] == [
        *("lr", "batch_size", "dropout", "layers", "optimizer", "optimizer.momentum", "skip")
    ]
    by_path = {column.path: column for column in found}
    assert by_path["lr"].log and not by_path["dropout"].log
    assert by_path["batch_size"].options == (16, 32, 64)
    assert (by_path["layers"].low, by_path["layers"].high) == (1, 4), "NNI's upper end is not drawn"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("[]", "[0]"), ("no skip", "skip")),
        (("[]", "[0]", "[0, 2]"), ("none", "0", "0, 2")),
        (("[16, 32]", "[64]"), ("16, 32", "64")),
        (("[a", "[]"), ("[a", "[]")),
        (("sgd", "adam"), ("sgd", "adam")),
        ((0.00534712, 1.4583e-06), ("0.005347", "1.458e-6")),
    ],
)
def test_cells_are_told_in_words(options: tuple[Cell, ...], words: tuple[str, ...]) -> None:
    column = Column("skip", options=options)
    assert tuple(column.words(option) for option in options) == words
    assert {name for _, name in ruler(column, ()).ticks} == set(words)


def test_a_logarithmic_domain_lies_on_a_logarithmic_ruler() -> None:
    lr, batch = columns_of(SPACE, [])[:2]
    scale = ruler(lr, [0.01])
    assert (scale.at(0.0001), scale.at(0.01), scale.at(1.0)) == pytest.approx((0, 0.5, 1))
    assert [label for _, label in scale.ticks] == ["0.0001", "0.001", "0.01", "0.1", "1"]
    assert ruler(batch, []).at(32) == 0.5 and ruler(batch, []).at(48) is None


@pytest.mark.parametrize("cells", [[], [3.0], [3.0, 3.0], [None, "x"], [True]])
def test_rulers_stand_on_hardly_any_cells(cells: list[object]) -> None:
    (column,) = columns_of({"a": {"_type": "normal", "_value": [0, 1]}}, [])
    assert ruler(column, cells).ticks  # type: ignore[arg-type]


def test_jitter_belongs_to_the_trial() -> None:
    assert [jitter(number) for number in range(50)] == [jitter(number) for number in range(50)]
    assert all(-0.5 <= jitter(number) < 0.5 for number in range(2000))


def test_values_are_shown_in_the_objectives_unit() -> None:
    accuracy, function = scale_of(spec()), scale_of(spec(objective="branin"))
    assert (accuracy.text(0.931), str(accuracy.axis)) == (
        "93.1 %",
        "validation accuracy (%) · higher is better",
    )
    assert (function.text(0.397887), function.axis.better) == ("0.3979", "lower")
    turned = scale_of(spec(settings={"tuner": {"optimize_mode": "minimize"}}))
    assert (turned.axis.better, turned.sign) == ("lower", -1)


def test_csv_reads_back_and_no_cell_is_a_formula() -> None:
    words = begin(0, 1, {"lr": -0.5, "note": "=1+1"}) + end(0, 2, "succeeded", 0.9)
    (read,) = csv.DictReader(io.StringIO(to_csv(board(told(words)))))
    assert (read["trial"], float(read["value"]), read["stopped_at"]) == ("0", 0.9, "")
    assert (float(read["parameters.lr"]), read["parameters.note"]) == (-0.5, "'=1+1")


def test_the_table_sorts_because_numbers_stay_numbers() -> None:
    told_columns = as_columns(three())
    assert told_columns["validation accuracy (%)"] == [90.0, 30.0, None]
    assert told_columns["if finished"] == [None, 40.0, None]
    assert {len(cells) for cells in told_columns.values()} == {3}


def test_copies_read_back_as_the_parameters() -> None:
    trial = three().state.trials[0]
    statement = ast.parse(as_python(trial)).body[0]
    assert isinstance(statement, ast.Assign) and ast.literal_eval(statement.value) == NESTED
    assert json.loads(as_json(trial)) == NESTED


def test_a_comparison_tells_only_what_differs() -> None:
    found = {line.name: line.texts for line in compare(three(), [1, 0])}
    assert found["lr"] == ("0.001", "0.1") and found["optimizer.momentum"] == ("–", "0.9")
    assert "steps" not in found
    assert len(compare(three(), [0, 1], everything=True)) == 5 + 7
    assert compare(three(), [99]) == ()


# -- brushing ---------------------------------------------------------------------------------------


def test_a_brush_in_one_view_narrows_the_board_for_all() -> None:
    picked = brush.from_plotly({"selection": {"points": [{"customdata": [1, "x"]}, {"customdata": [2]}]}})
    found = brush.narrow(three(), picked)
    assert [row.trial_id for row in found.rows] == [1, 2] and "selected of 3" in found.basis()


@pytest.mark.parametrize(
    "event", [None, {}, {"selection": {}}, {"selection": {"points": [], "box": [], "lasso": []}}]
)
def test_no_brush_selects_everything(event: dict[str, object] | None) -> None:
    assert brush.from_plotly(event).is_everything
    assert len(brush.narrow(three(), brush.from_plotly(event)).rows) == 3


def test_a_box_around_nothing_selects_nothing() -> None:
    nothing = brush.from_plotly({"selection": {"points": [], "box": [{"x": [0, 1], "y": [0, 1]}]}})
    assert brush.apply(nothing, three().rows) == ()


def test_points_without_a_trial_are_passed_over() -> None:
    event = {
        "selection": {"points": [{}, {"customdata": None}, {"customdata": {"0": 2}}, {"customdata": [True]}]}
    }
    assert brush.from_plotly(event).trials == {2}


def test_selections_combine() -> None:
    rows = three().rows
    low = brush.Selection(ranges=(brush.Range("lr", 0, 0.5),))
    adam = brush.Selection(choices=(brush.OneOf("optimizer", frozenset({"adam"})),))
    first = brush.Selection(frozenset({0, 1}))
    assert [row.trial_id for row in brush.apply(low & adam, rows)] == [1]
    assert brush.intersection([low, adam, first]) == low & adam & first
    assert brush.union([low, adam], rows).trials == {0, 1, 2}
    assert brush.union([low, brush.EVERYTHING], rows).is_everything
    assert brush.union([], rows).is_everything and brush.intersection([]).is_everything
    assert str(low & adam & first) == "2 trials; lr from 0 to 0.5; optimizer is adam"


def test_facts_of_a_trial_can_be_brushed_too() -> None:
    rows = three().rows
    good = brush.Selection(ranges=(brush.Range("value", 0.5, 1),))
    failed = brush.Selection(choices=(brush.OneOf("status", frozenset({"failed"})),))
    assert [row.trial_id for row in brush.apply(good, rows)] == [0]
    assert [row.trial_id for row in brush.apply(failed, rows)] == [2]


def test_rows_picked_in_a_table_are_a_selection() -> None:
    rows = three().rows
    assert brush.from_table({"selection": {"rows": [2, 7]}}, rows).trials == {2}
    assert brush.from_table({"selection": {"rows": []}}, rows).is_everything


def test_a_board_of_thousands_keeps_every_row() -> None:
    found = searched(2000)
    assert len(found.rows) == found.total == 2000
    assert all(as_number(row.parameters["lr"]) for row in found.rows)
    assert to_csv(found).count("\n") == 2001
