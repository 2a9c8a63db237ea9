"""RunSpec: round trips, links, every problem at once, and nothing that a link could make us open."""

from __future__ import annotations

import base64
import copy
import json
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.catalogue import DATASETS, SPACES
from explorer.errors import CodecError, ExplorerError, SpecError
from explorer.runs import RunSpec, trial_seed
from explorer.space import load_space

RUNNABLE = [name for name in SPACES if name != "notes-net-as-written"]

specs = st.builds(
    RunSpec,
    space=st.sampled_from(RUNNABLE) | st.just(load_space("cell").to_json()),
    dataset=st.sampled_from(sorted(DATASETS)),
    settings=st.just({}) | st.just({"training": {"optimizer": "adam", "learning_rate": 0.01}}),
    trials=st.integers(1, 10_000),
    epochs=st.integers(1, 500),
    workers=st.integers(1, 64),
    seed=st.integers(0, 2**31 - 1),
    parent=st.none() | st.just("abc123"),
)


@settings(max_examples=30, deadline=None)
@given(specs)
def test_a_spec_survives_json_and_links(spec: RunSpec) -> None:
    assert RunSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    assert RunSpec.from_link(spec.to_link()) == spec
    assert len(spec.to_link()) < 2000


def test_the_default_spec_can_run() -> None:
    assert RunSpec().problems() == ()


def test_a_spec_does_not_change_with_the_dict_that_made_it() -> None:
    settings: dict[str, dict[str, Any]] = {"training": {"momentum": 0.5}}
    spec = RunSpec(settings=settings)
    settings["training"]["momentum"] = 2.0
    assert spec.settings == {"training": {"momentum": 0.5}}


def test_every_problem_is_said_at_once() -> None:
    form = RunSpec(
        kind="randm",
        dataset="digit",
        trials=0,
        epochs=-1,
        workers=1000,
        seed=-4,
        executor="ray",
        settings={"training": {"momentum": 7, "lr": 1}},
    ).to_json()
    with pytest.raises(SpecError) as raised:
        RunSpec.from_json(form)
    problems = "\n".join(raised.value.problems)
    assert len(raised.value.problems) == 9
    for words in ("'random'", "'digits'", "trials is 0", "epochs is -1", "workers is 1000", "seed is -4"):
        assert words in problems
    for words in ("'ray'", "momentum is 7", "'lr'"):
        assert words in problems


BAD: list[tuple[dict[str, Any], str]] = [
    ({"space": "cel"}, "did you mean 'cell'"),
    ({"space": 5}, "space is 5"),
    ({"space": {"family": "macro", "name": "x", "input": "dataset", "layers": []}}, "no layers"),
    ({"space": "notes-net-as-written"}, "expects 400 features"),
    ({"architecture": {"conv1": "conv7x7"}}, "conv1 is 'conv7x7'"),
    ({"architecture": [1]}, "label -> choice"),
    ({"method": "random"}, "method is 'random'"),
    ({"method": {"strategy": "randm"}}, "did you mean 'random'"),
    ({"method": {"tuner": "TPE"}}, "'tuner'"),
    ({"settings": []}, "group -> parameter -> value"),
    ({"settings": {"trainng": {}}}, "did you mean 'training'"),
    ({"settings": {"training": 3}}, "settings of training"),
    ({"settings": {"tuner": {"seed": 1}}}, "no settings of the group 'tuner'"),
    ({"trials": True}, "trials is True"),
    ({"trials": "20"}, "trials is '20'"),
    ({"trials": 1.5}, "trials is 1.5"),
    ({"epochs": 10**9}, "epochs is 1000000000"),
    ({"seed": 2**31}, "seed is 2147483648"),
    ({"parent": "../etc"}, "parent is '../etc'"),
    ({"kind": ["random"]}, "kind of run"),
    ({"kind": "hpo", "settings": []}, "group -> parameter -> value"),
    ({"kind": "hpo", "objective": "curves", "space": 7}, "space is 7"),
    ({"kind": "hpo", "objective": "curves", "space": {"family": []}}, "family is []"),
    ({"kind": "hpo", "objective": "branin", "dataset": []}, "No dataset"),
    ({"kind": "hpo", "objective": []}, "No objective"),
    ({"kind": "hpo", "settings": {"strategy": {}}, "trials": 0}, "trials is 0"),
    ({"objective": 7}, "No objective"),
    ({"search_space": 7}, "search_space is 7"),
    ({"schema": [[[[[[]]]]]]}, "schema is"),
    ({"parent": "\ud800"}, "Unicode"),
    ({"settings": {"training": {"learning_rate": 10**400}}}, "401 digits"),
    ({"dataset": {"a": 1}}, "No dataset"),
    ({"executor": None}, "No executor"),
    ({"settings": {"training": {"learning_rate": float("nan")}}}, "not a finite number"),
    ({"settings": {"training": {"x": "y" * 300_000}}}, "bytes as JSON"),
]


@pytest.mark.parametrize(("change", "words"), BAD, ids=[words for _, words in BAD])
def test_bad_settings_are_one_clear_sentence(change: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError) as raised:
        RunSpec.from_json(RunSpec().to_json() | change)
    assert any(words in problem for problem in raised.value.problems), raised.value.problems


@pytest.mark.parametrize("form", [None, [], "spec", 3])
def test_what_is_no_object_is_no_spec(form: Any) -> None:
    with pytest.raises(SpecError, match="JSON object"):
        RunSpec.from_json(form)


def test_unknown_keys_are_not_passed_over() -> None:
    with pytest.raises(SpecError, match="did you mean 'trials'"):
        RunSpec.from_json(RunSpec().to_json() | {"trails": 3})


def test_a_newer_schema_asks_for_an_update() -> None:
    with pytest.raises(SpecError, match="newer"):
        RunSpec.from_json(RunSpec().to_json() | {"schema": 2})


@pytest.mark.parametrize("schema", [0, "1", None, True, 1.5])
def test_an_impossible_schema_is_refused(schema: Any) -> None:
    with pytest.raises(SpecError, match="schema"):
        RunSpec.from_json(RunSpec().to_json() | {"schema": schema})


@pytest.mark.parametrize("space", ["/etc/passwd", "tests/space.json", '{"family": "macro"}', "z1.AAAA"])
def test_a_space_named_in_a_link_is_a_name_and_never_a_file(space: str) -> None:
    with pytest.raises(SpecError, match="No search space is called"):
        RunSpec.from_json(RunSpec().to_json() | {"space": space})


@settings(max_examples=60, deadline=None)
@given(
    st.text(max_size=60)
    | st.binary(max_size=60).map(lambda raw: "z1." + base64.urlsafe_b64encode(raw).decode())
)
def test_any_text_as_a_link_is_at_most_a_sentence(text: str) -> None:
    with pytest.raises(ExplorerError):
        RunSpec.from_link(text)


def test_a_link_that_unfolds_to_a_large_memory_is_refused() -> None:
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = squeezer.compress(b" " * 20_000_000) + squeezer.flush()
    with pytest.raises(CodecError, match="unfolds"):
        RunSpec.from_link("z1." + base64.urlsafe_b64encode(bomb).decode())


def test_a_link_of_something_else_is_refused() -> None:
    from explorer.space import pack

    with pytest.raises(CodecError, match="holds no run"):
        RunSpec.from_link(pack([1, 2]))


def test_a_cell_pinned_to_one_architecture_is_checked_against_its_space() -> None:
    space = load_space("cell")
    fitting = space.default.to_json()
    assert RunSpec(space="cell", architecture=fitting).problems() == ()
    label = next(iter(fitting))
    assert RunSpec(space="cell", architecture=fitting | {label: "conv9x9"}).problems()


def test_trial_seeds_repeat_differ_and_fit_31_bits() -> None:
    seeds = [trial_seed(run, number) for run in range(20) for number in range(50)]
    assert (trial_seed(0, 0), trial_seed(3, 7)) == (517630478, 1128805996), "old runs must repeat exactly"
    assert len(set(seeds)) == 1000
    assert all(0 <= seed < 2**31 for seed in seeds)


SEEDS = [
    RunSpec(settings={"training": {"momentum": 0.5}, "strategy": {}}),
    RunSpec(space=load_space("cell").to_json()),
    RunSpec(kind="hpo", objective="branin", search_space={"x1": {"_type": "uniform", "_value": [0, 1]}}),
    RunSpec(
        kind="hpo",
        epochs=10,
        space=load_space("notes-net").to_json(),
        method={"tuner": "TPE", "assessor": "Curvefitting"},
        settings={"assessor": {"threshold": 0.9}, "tuner": {"gamma": 0.3}, "training": {"batch_size": 32}},
    ),
    RunSpec(
        kind="hpo",
        objective="curves",
        epochs=10,
        method={"tuner": "BOHB"},
        settings={"tuner": {"max_budget": 9}},
    ),
]
NAMES = [
    "hpo",
    "random",
    "train",
    "curves",
    "TPE",
    "BOHB",
    "Medianstop",
    "digits",
    "_name",
    "family",
    "R",
    "x1",
]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(NAMES),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
) | st.sampled_from([10**400, -(10**5000), "\ud800", "x" * 300_000])


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """The JSON of a sound spec with a few of its values, at any depth, replaced, added or taken away."""
    form: Any = copy.deepcopy(draw(st.sampled_from(SEEDS)).to_json())
    for _ in range(draw(st.integers(1, 3))):
        inner = form
        while True:
            keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
            key = draw(st.sampled_from(keys)) if keys else None
            if key is None or not isinstance(inner[key], dict | list) or draw(st.booleans()):
                break
            inner = inner[key]
        if isinstance(inner, dict) and draw(st.integers(0, 3)) == 0:
            key = draw(st.sampled_from(NAMES))
        if key is None:
            continue
        if isinstance(inner, dict) and key in inner and draw(st.integers(0, 5)) == 0:
            del inner[key]
        else:
            inner[key] = draw(anything)
    return form


@settings(max_examples=300, deadline=None)
@given(mutated() | anything)
def test_whatever_json_is_given_it_is_a_spec_that_can_be_listed_or_a_spec_error(form: Any) -> None:
    try:
        spec = RunSpec.from_json(form)
    except SpecError as error:
        assert str(error)
    else:
        assert spec.planned_trials > 0 and spec.space_name and spec.optimize_mode in ("maximize", "minimize")
        assert RunSpec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize("levels", [70, 100_000])
def test_settings_nested_too_deeply_are_refused_in_a_sentence(levels: int) -> None:
    nested: Any = []
    for _ in range(levels):
        nested = [nested]
    for key in ("schema", "space", "architecture", "search_space", "settings", "parent"):
        with pytest.raises(SpecError, match="levels of nesting"):
            RunSpec.from_json({"kind": "hpo", key: nested})
