"""Ranks, retraining and the table of differences: honest answers, and facts that NNI's source still bears out."""

from __future__ import annotations

import importlib.util
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from explorer.catalogue import METHODS
from explorer.plots.oneshot.differences import DIFFERENCES, HEAD, differences, table
from explorer.plots.oneshot.ranks import ranks, ranks_figure, ranks_svg
from explorer.plots.oneshot.retrained import RetrainedInfo, retrained, retrained_figure, retrained_svg
from explorer.runs.state import Trial
from explorer.space import preset
from tests.plots.oneshot.stories import measured

CELL = preset("cell")
DERIVED = CELL.from_code("340213")
FOUND = [measured("derived", 100, architecture=DERIVED.to_json(), rule="argmax", inherited_accuracy=0.123)]


def trials(ours: Sequence[float], *theirs: Sequence[float], test: bool = True, codes: int = 0) -> list[Trial]:
    """The derived one's seeds, then those of each rival; accuracies as shares."""
    found: list[Trial] = []
    for at, values in enumerate((ours, *theirs)):
        architecture = DERIVED if at == 0 else CELL.architecture_at(codes + at)
        first = len(found)
        for seed, value in enumerate(values):
            metrics: dict[str, Any] = {"test_accuracy": value - 0.01} if test else {}
            found.append(
                Trial(
                    len(found),
                    "succeeded",
                    architecture=dict(architecture),
                    value=value,
                    metrics=metrics,
                    repeat_of=first if seed else None,
                )
            )
    return found


def told(*seeds: Sequence[float], **more: Any) -> RetrainedInfo:
    """The record of these trainings."""
    return retrained(trials(*seeds, **more), FOUND, CELL)


@pytest.mark.parametrize(
    ("seeds", "begins", "holds"),
    [
        (([0.60, 0.61, 0.62], [0.5, 0.51], [0.52, 0.5], [0.49, 0.5]), "Yes:", "beats 3 of them"),
        (([0.40, 0.41, 0.42], [0.5, 0.51], [0.52, 0.5], [0.49, 0.5]), "No, worse:", "beats 0 of them"),
        (([0.50, 0.55, 0.45], [0.5, 0.51], [0.52, 0.48]), "Not shown:", "it may be luck"),
        (([0.9], [0.5], [0.6]), "Not shown:", "one seed is an anecdote"),
        (([0.9, 0.91], [0.5, 0.6]), "Not shown:", "one rival is an anecdote"),
        (([0.9, 0.91],), "Not known:", "no random one was trained"),
        (([],), "Not known yet:", "has not been trained"),
    ],
)
def test_better_than_random_is_answered_in_one_honest_sentence(
    seeds: tuple[list[float], ...], begins: str, holds: str
) -> None:
    answer = told(*seeds).answer
    assert answer.startswith(begins) and holds in answer and answer.endswith(".")


def test_every_seed_is_a_dot_and_the_mean_over_rivals_counts_each_rival_once() -> None:
    info = told([0.6, 0.62], [0.5, 0.5, 0.5], [0.7])
    assert info.rows[0].is_derived and info.rows[0].values == pytest.approx((59, 61))
    assert [len(row.values) for row in info.rows] == [2, 1, 3]
    assert info.all_random is not None and info.all_random.mean == pytest.approx((49 + 69) / 2)


def test_only_retrained_accuracies_are_on_the_axis_and_the_search_accuracy_is_told_apart() -> None:
    info = told([0.6, 0.62], [0.5, 0.52])
    assert info.x.title == "retrained accuracy on test images (%)"
    assert all(value > 20 for row in info.rows for value in row.values)
    assert "search accuracy of 12.3 %" in info.basis and "not drawn here" in info.basis
    assert "12.3" not in retrained_svg(info)
    assert told([0.6], [0.5], test=False).part == "validation"


def test_lists_and_tuples_of_inputs_are_the_same_architecture() -> None:
    space = preset("notes-net")
    architecture = space.from_code("111")
    found = [measured("derived", 1, architecture=json.loads(json.dumps(architecture.to_json())))]
    run = [Trial(0, "succeeded", architecture=dict(architecture), value=0.5)]
    assert retrained(run, found, space).rows[0].is_derived


def test_failed_and_running_trainings_are_no_rows() -> None:
    some = [*trials([0.6]), Trial(7, "failed", architecture=dict(DERIVED)), Trial(8, "running")]
    info = retrained(some, FOUND, CELL)
    assert len(info.rows) == 1 and len(info.rows[0].values) == 1 and info.pending == 1


@pytest.mark.parametrize("rivals", [0, 1, 60])
def test_retraining_is_drawn_with_any_number_of_rivals(rivals: int) -> None:
    info = told([0.6, 0.61], *[[0.5 + at / 1000, 0.51] for at in range(rivals)])
    root = ElementTree.fromstring(retrained_svg(info))
    assert root.get("role") == "img" and info.answer in (root.get("aria-label") or "")
    assert json.loads(retrained_figure(info).to_json())["data"]
    assert ("are not drawn" in retrained_svg(info)) is (rivals > 39)


def test_nothing_retrained_is_drawn_as_nothing() -> None:
    info = retrained([], [], None)
    assert "Not known yet" in info.answer and not info.rows
    ElementTree.fromstring(retrained_svg(info))


# -- ranks ------------------------------------------------------------------------------------------------------------


def probe(kendall: float | None = 0.31, spearman: float | None = 0.42, known: int = 12) -> dict[str, Any]:
    """A rank probe of `known` architectures and two unknown ones."""
    return measured(
        "rank_probe",
        200,
        architectures=[str(at) for at in range(known + 2)],
        inherited=[0.2 + 0.01 * at for at in range(known + 2)],
        standalone=[0.5 + 0.01 * at for at in range(known)] + [None, None],
        kendall=kendall,
        spearman=spearman,
        known=known,
    )


def test_ranks_have_two_axes_and_leave_out_what_was_never_trained() -> None:
    info = ranks([probe(0.1, 0.1), probe()])
    assert len(info.dots) == 12 and info.unknown == 2 and info.step == 200
    assert info.x.title != info.y.title and "inherited" in info.x.title and "retrained" in info.y.title
    assert "tau 0.31" in info.answer and "rho 0.42" in info.answer


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (probe(0.8, 0.9), "largely the same"),
        (probe(0.4, 0.5), "roughly the same"),
        (probe(-0.1, 0.0), "says little"),
        (probe(0.8, 0.9, known=4), "may be luck"),
        (probe(None, None, known=0), "Not known yet"),
    ],
)
def test_what_a_rank_correlation_means_is_said(data: dict[str, Any], words: str) -> None:
    assert words in ranks([data]).answer


def test_ranks_are_drawn_before_and_after_the_first_probe() -> None:
    for found in ([], [probe()]):
        info = ranks(found)
        assert ElementTree.fromstring(ranks_svg(info)).get("role") == "img"
        assert ranks_figure(info).layout.xaxis.title.text.startswith("search accuracy")


# -- differences ------------------------------------------------------------------------------------------------------

# What the cited lines of NNI 3.0 hold.
EVIDENCE = {
    "N1": r"batch, _, dataloader_idx = batch_packed",
    "N2": r"_trajectory_counter % self\.batches_per_update == 0",
    "N3": r"PPO",
    "N4": r"Second order .* not supported",
    "N6": r"def export",
    "N7": r"zip\(self\.op_names, weights\)",
    "N8": r"self\._softmax\(self\._arch_alpha\)",
    "N9": r"self\._reduction\(inputs, self\._softmax",
    "N10": r"n_chosen is None",
}


def cited(where: str) -> str:
    """The lines that a citation names, of the NNI that is installed."""
    spec = importlib.util.find_spec("nni")
    assert spec is not None and spec.submodule_search_locations
    root = Path(spec.submodule_search_locations[0]).parent
    text = ""
    for path, first, last in re.findall(r"([\w/]+\.py):(\d+)(?:-(\d+))?", where):
        inside = path if path.startswith("nni/") else f"nni/nas/oneshot/pytorch/{path}"
        lines = (root / inside).read_text().splitlines()
        assert int(last or first) <= len(lines), where
        text += "\n".join(lines[int(first) - 1 : int(last or first)])
    return text


@pytest.mark.parametrize("number", EVIDENCE)
def test_the_cited_lines_of_nni_say_what_is_claimed(number: str) -> None:
    one = next(one for one in DIFFERENCES if one.number == number)
    assert re.search(EVIDENCE[number], cited(one.where))


def test_a_citation_of_other_lines_is_rejected() -> None:
    with pytest.raises(AssertionError):
        assert re.search(EVIDENCE["N2"], cited("sampling.py:1-20"))


def test_differences_are_numbered_and_belong_to_methods_of_the_catalogue() -> None:
    assert [one.number for one in DIFFERENCES] == [f"N{at}" for at in range(1, 11)]
    assert all(set(one.methods) <= set(METHODS) for one in DIFFERENCES)
    assert {one.number for one in differences("enas")} == {"N1", "N2", "N3", "N10"}
    assert differences() == DIFFERENCES and differences("fairnas") == ()
    assert all(len(row) == len(HEAD) and all(row) for row in table(DIFFERENCES))
