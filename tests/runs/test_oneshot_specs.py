"""What a one-shot run may ask for, and what is said before it starts."""

from __future__ import annotations

from typing import Any

import pytest

from explorer.catalogue import METHODS, SELECTION_RULES
from explorer.errors import SpecError
from explorer.runs import RunSpec
from explorer.runs.oneshot_checks import selection_of, serving
from explorer.space import preset

WIDE = {
    "family": "macro",
    "name": "wide",
    "input": {"channels": 1, "side": 8},
    "layers": [
        {
            "name": "conv",
            "candidates": [
                {"name": "a", "operation": "conv2d", "parameters": {"out_channels": 4, "padding": 1}},
                {"name": "b", "operation": "conv2d", "parameters": {"out_channels": 8, "padding": 1}},
            ],
        },
        {"name": "pool", "operation": "global_avg_pool"},
        {"name": "out", "operation": "linear"},
    ],
}
PLAIN = WIDE | {
    "name": "plain",
    "layers": [{"name": "pool", "operation": "global_avg_pool"}, WIDE["layers"][2]],
}
VALUED = WIDE | {
    "name": "valued",
    "layers": [
        {
            "name": "conv",
            "operation": "conv2d",
            "parameters": {"out_channels": {"label": "width", "values": [4, 8]}, "padding": 1},
        },
        *WIDE["layers"][1:],
    ],
}

PINNED = preset("cell").default.to_json()


def problems(**form: Any) -> tuple[str, ...]:
    """What is wrong with these settings."""
    return RunSpec.restore({"kind": "oneshot", "space": "cell", **form}).problems()


@pytest.mark.parametrize("method", METHODS)
def test_every_method_searches_the_cell_with_nothing_but_its_name(method: str) -> None:
    assert problems(method={"method": method}) == ()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("space", ["notes-net", "cell", "darts-cell", "enas-macro"])
def test_a_method_either_serves_a_space_or_says_which_do(space: str, method: str) -> None:
    found = problems(space=space, method={"method": method})
    able = serving(preset(space))
    assert (found == ()) == (method in able)
    assert all("can search" in sentence and able[0] in sentence for sentence in found)


def test_a_spec_survives_json_and_a_link() -> None:
    spec = RunSpec(kind="oneshot", space="cell", method={"method": "enas"}, parent="abc", from_step=40)
    assert RunSpec.from_json(spec.to_json()) == spec == RunSpec.from_link(spec.to_link())
    assert spec.method == {"method": "enas", "engine": "own"}
    assert spec.planned_trials == 0


def test_settings_written_before_there_were_branches_still_read() -> None:
    form = RunSpec().to_json()
    del form["from_step"]
    assert RunSpec.from_json(form) == RunSpec()


SAID = [
    ({"method": {"method": "dart"}}, "did you mean 'darts'"),
    ({"method": {"selection": "best"}}, "selection rule"),
    ({"method": {"selection": "top2"}}, "take argmax"),
    ({"method": {"method": "gdas", "engine": "nni"}}, "NNI has no GDAS"),
    ({"method": {"method": "enas", "selection": "perturbation"}}, "trains single paths"),
    ({"method": {"engine": "nni"}, "settings": {"method": {"order": "second"}}}, "first order only"),
    ({"method": {"method": "proxyless", "engine": "nni"}, "space": "darts-cell"}, "does not know cells"),
    ({"settings": {"method": {"alpha_rate": 1}}}, "No parameter of darts is called 'alpha_rate'"),
    ({"settings": {"method": {"order": "third"}}}, "pick 'first' or 'second'"),
    ({"settings": {"tuner": {"a": 1}}}, "reads method, selection, training"),
    ({"settings": {"selection": {"count": 3}}}, "No parameter of argmax"),
    ({"settings": {"method": {"warmup_epochs": 3}}, "epochs": 3}, "the alphas would never move"),
    ({"space": PLAIN}, "nothing to choose"),
    ({"space": VALUED}, "weights of different widths cannot be shared"),
    ({"space": WIDE}, "give different shapes"),
    ({"architecture": PINNED}, "leave architecture out"),
    ({"from_step": 3}, "with a parent"),
    ({"from_step": -1, "parent": "abc"}, "from_step is -1"),
]


@pytest.mark.parametrize(("change", "words"), SAID)
def test_bad_settings_are_one_clear_sentence(change: dict[str, Any], words: str) -> None:
    found = problems(**change)
    assert len(found) == 1 and words in found[0], found
    with pytest.raises(SpecError):
        RunSpec.restore({"kind": "oneshot", "space": "cell", **change}).checked()


@pytest.mark.parametrize("method", METHODS)
def test_the_rule_is_the_methods_own_where_nothing_is_said(method: str) -> None:
    own = METHODS[method].facts["selection"]
    assert selection_of(RunSpec(kind="oneshot", space="darts-cell", method={"method": method})) == own
    in_a_cell = selection_of(RunSpec(kind="oneshot", space="cell", method={"method": method}))
    assert in_a_cell == ("argmax" if own == "top2" else own)


def test_every_methods_rule_exists() -> None:
    assert {entry.facts["selection"] for entry in METHODS.values()} <= set(SELECTION_RULES)
