"""Places, positions and what a key is about."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from explorer.errors import CodecError, ExplorerError, OutsideKey, SpaceError
from explorer.key.record import Key
from explorer.space import Input, preset, to_nasbench201
from explorer.space.restrict import Restriction, restrict
from tests.key import tables
from tests.key.tables import SIZE, SPACE


def test_a_place_is_the_architectures_number_in_the_space(whole: Key) -> None:
    numbers = np.random.default_rng(0).integers(0, SIZE, 300)
    cells = [SPACE.architecture_at(int(number)) for number in numbers]
    assert whole.places(cells).tolist() == numbers.tolist()
    assert [SPACE.index_of(cell) for cell in cells] == numbers.tolist()


def test_digits_are_the_choices(whole: Key) -> None:
    for place, digits in zip(
        (0, 1, 777, SIZE - 1), whole.digits(np.array([0, 1, 777, SIZE - 1])), strict=True
    ):
        chosen = [SPACE.operations[digit] for digit in digits]
        assert chosen == list(SPACE.architecture_at(place).values())


def test_an_architecture_may_be_given_in_every_form(whole: Key) -> None:
    cell = SPACE.from_code("340213")
    forms = (cell, dict(cell), "cell:340213", "340213", to_nasbench201(SPACE, cell), SPACE.index_of(cell))
    assert {whole.place(form) for form in forms} == {SPACE.index_of(cell)}
    assert whole.text(SPACE.index_of(cell)) == "cell:340213"


def test_an_edge_that_is_left_out_is_none(whole: Key) -> None:
    cell = SPACE.from_code("340213").with_choice("edge_0_1", "none")
    fewer = {label: choice for label, choice in cell.items() if label != "edge_0_1"}
    assert whole.place(fewer) == SPACE.index_of(cell)


@pytest.mark.parametrize(
    ("cell", "kind", "words"),
    [
        ({"conv1": "conv3x3"}, OutsideKey, "another space has conv1"),
        ({}, OutsideKey, "another space"),
        ({"edge_0_1": "sep_conv_3x3"}, OutsideKey, "edge_0_1 is 'sep_conv_3x3'"),
        ("notes-net:000", OutsideKey, "'notes-net' is another one"),
        (SIZE, OutsideKey, "counts from 0 to 15624"),
        (-1, OutsideKey, "counts from 0 to 15624"),
        ("cell:9", SpaceError, "is no architecture code"),
        ("|a|", CodecError, "NAS-Bench-201"),
    ],
)
def test_what_is_no_cell_of_the_key_is_refused_in_a_sentence(
    whole: Key, cell: object, kind: type[ExplorerError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        whole.place(cell)  # type: ignore[arg-type]


def test_a_cell_without_a_seed_is_refused() -> None:
    seeds = np.ones(SIZE, dtype=int)
    seeds[7] = 0
    partial = tables.key(np.full(SIZE, 0.5), seeds)
    with pytest.raises(OutsideKey, match="was not trained: the answer key of noisy-digits holds 15,624"):
        partial.place(7)
    assert partial.place(8) == 8
    assert partial.position[[6, 7, 8]].tolist() == [6, -1, 7]


def test_the_space_itself_and_what_is_left_of_it_are_covered(whole: Key) -> None:
    few = restrict(SPACE, Restriction(operations=("none", "skip_connect"), edges=("edge_0_1", "edge_1_3")))
    for space in (SPACE, SPACE.bound_to(1, 8, 10), few, replace(SPACE, operations=SPACE.operations[::-1])):
        assert whole.covers(space, "noisy-digits") == ""
    assert all(
        whole.place(cell) == SPACE.index_of({**dict.fromkeys(whole.labels, "none"), **cell}) for cell in few
    )


@pytest.mark.parametrize(
    ("space", "dataset", "words"),
    [
        (preset("notes-net"), "noisy-digits", "has no such cells"),
        (preset("darts-cell"), "noisy-digits", "has no such cells"),
        (replace(SPACE, channels=8), "noisy-digits", "channels 8 instead of 4"),
        (replace(SPACE, stages=3), "noisy-digits", "stages 3 instead of 2"),
        (replace(SPACE, nodes=3, edges=((0, 1), (0, 2), (1, 2))), "noisy-digits", "nodes 3 instead of 4"),
        (replace(SPACE, operations=("none", "sep_conv_3x3")), "noisy-digits", "it has sep_conv_3x3"),
        (replace(SPACE, input=Input(3, 32)), "noisy-digits", "its input is"),
        (SPACE, "digits", "trained on noisy-digits; on digits"),
        (SPACE.bound_to(3, 32, 10), "cifar10", "trained on noisy-digits; on cifar10"),
    ],
)
def test_another_space_or_other_data_are_not_covered(
    whole: Key, space: object, dataset: str, words: str
) -> None:
    assert words in whole.covers(space, dataset)  # type: ignore[arg-type]


def test_missing_counts_the_cells_of_a_space_that_were_not_trained() -> None:
    seeds = np.ones(SIZE, dtype=int)
    seeds[[0, 1, 2]] = 0  # all none; and edge_0_1 a skip, a 1x1 convolution
    partial = tables.key(np.full(SIZE, 0.5), seeds)
    assert partial.missing(SPACE) == 3
    assert partial.missing(replace(SPACE, operations=("none", "skip_connect"))) == 2
    assert partial.missing(replace(SPACE, edges=((1, 2),))) == 1
    assert partial.missing(replace(SPACE, operations=("skip_connect", "nor_conv_3x3"))) == 0


def test_a_cell_is_alive_when_operations_lead_through_it(whole: Key) -> None:
    assert whole.alive.tolist() == tables.connected().tolist()
    assert 0 < (~whole.alive).sum() < SIZE / 4


def test_the_luck_of_a_seed_is_pooled_over_the_live_cells(whole: Key) -> None:
    assert whole.sigma == pytest.approx(0.029, rel=0.02)
    assert whole.validation_sigma == pytest.approx(0.029, rel=0.02)
    deviations, freedom = 0.0, 0
    for at in np.flatnonzero(whole.alive):
        scored = whole.row_test[whole.row_cell == whole.cells[at]][: whole.seeds[at]] / tables.SIZES[1]
        deviations, freedom = deviations + ((scored - scored.mean()) ** 2).sum(), freedom + len(scored) - 1
        if at > 2000:
            break
    part = tables.key_of("noisy-digits", _first(whole, int(at) + 1))
    assert part.sigma == pytest.approx((deviations / freedom) ** 0.5, rel=1e-12)


def test_what_dead_cells_read_is_not_taken_for_luck() -> None:
    arrays = tables.columns(tables.equals(), 2, 0.03, np.random.default_rng(4))
    dead = ~tables.connected()[arrays["row_cell"]]
    before = tables.key_of("noisy-digits", arrays).sigma
    assert before == pytest.approx(0.03, rel=0.02)
    arrays["test"] = np.where(dead, 800 * arrays["row_seed"].astype(int), arrays["test"])
    assert tables.key_of("noisy-digits", arrays).sigma == before


def _first(key: Key, count: int) -> dict[str, np.ndarray]:
    """The packed arrays of the first cells of a key."""
    rows = int(key.seeds[:count].sum())
    return {
        "cells": key.cells[:count],
        "row_cell": key.row_cell[:rows],
        "row_seed": key.row_seed[:rows],
        "validation": key.row_validation[:rows],
        "test": key.row_test[:rows],
        "sizes": np.array(key.sizes),
        "parameters": key.parameters[:count],
        "macs": key.macs[:count],
        "seconds": key.seconds[:count],
    }


def test_one_seed_a_cell_says_nothing_about_luck() -> None:
    assert np.isnan(tables.key(np.full(SIZE, 0.5)).sigma)


def test_means_are_the_rows_means(whole: Key) -> None:
    for at in (0, 1, 500, len(whole.cells) - 1):
        rows = whole.row_cell == whole.cells[at]
        assert whole.means[at] == pytest.approx(whole.row_test[rows].mean() / 897)
        assert whole.validation_means[at] == pytest.approx(whole.row_validation[rows].mean() / 400)
        assert whole.seeds[at] == rows.sum()
