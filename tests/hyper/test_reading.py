"""search_space.json from people: every mistake at once, each with its line, the value and the remedy."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import SpecError
from explorer.hyper import read_search_space, space_problems
from explorer.hyper.located import read_lines
from tests.hyper.generated import PROPERTY, spaces


def _problems(kind: str, *values: Any) -> list[str]:
    return space_problems({"x": {"_type": kind, "_value": list(values)}})


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        ("loguniform", (0, 1), ("starts at 0", "use a small positive lower bound such as 1e-6")),
        ("qloguniform", (-1, 1, 0.1), ("starts at -1", "1e-6")),
        ("uniform", (1, 1), ("from 1 to 1 is empty", "lower end below")),
        ("uniform", (2, 1), ("from 2 to 1 is empty",)),
        ("uniform", (-1e308, 1e308), ("wider than any number",)),
        ("randint", (3, 3), ("holds no number", "upper end is left out")),
        ("randint", (0, 1.5), ("holds 1.5", "whole numbers")),
        ("randint", (0, 2**60), ("whole numbers between",)),
        ("uniform", (0,), ("takes 2 values, not 1; give [low, high].",)),
        ("quniform", (0, 1), ("takes 3 values, not 2; give [low, high, q].",)),
        ("normal", (0, 1, 2), ("takes 2 values, not 3; give [mean, standard deviation].",)),
        ("uniform", ("0.1", 1), ("the text '0.1'", "give finite numbers")),
        ("uniform", (True, 2), ("holds True",)),
        ("uniform", (0, float("nan")), ("holds nan",)),
        ("uniform", (0, float("inf")), ("holds inf",)),
        ("uniform", (0, 10**400), ("too large",)),
        ("uniform", ([0], 1), ("holds a list",)),
        ("quniform", (0, 1, 0), ("multiples of 0", "q above 0")),
        ("quniform", (0, 1, -0.1), ("multiples of -0.1",)),
        ("quniform", (0, 1, 2), ("more than the whole range", "smaller q")),
        ("quniform", (0, 1, 1e-300), ("finer than numbers", "larger q")),
        ("normal", (0, 0), ("standard deviation 0", "above 0")),
        ("qnormal", (0, 1, 0), ("q above 0",)),
        ("lognormal", (900, 1), ("too large for any number", "of the logarithm")),
        ("choice", (), ("nothing to choose from",)),
        ("choice", (1, 2, 1.0), ("offers 1.0 twice",)),
        ("choice", ("a", "a"), ("offers 'a' twice",)),
        ("choice", ([0], [0]), ("offers [0] twice",)),
        ("choice", tuple(range(1001)), ("1,001 options", "at most 1,000")),
        ("choice", (float("nan"),), ("option 1, is nan",)),
        ("choice", ("\ud800",), ("ordinary characters",)),
        ("choice", ([[1]],), ("is a list",)),
        ("choice", ({"a": 1}, {"a": 2}), ("without _name", "give it one")),
        ("choice", ({"_name": "a"}, 3), ("is a number among objects",)),
        ("choice", ({"_name": "a"}, {"_name": "a"}), ("2 options called 'a'",)),
        ("choice", ({"_name": ""},), ("has _name ''",)),
        ("choice", ({"_name": "a", "w": 3},), ("x/a/w is a number", "_type and _value")),
    ],
)
def test_a_bad_range_or_choice_gets_one_sentence(
    kind: str, values: tuple[Any, ...], words: tuple[str, ...]
) -> None:
    problems = _problems(kind, *values)
    assert problems and all(problem.endswith(".") for problem in problems)
    assert all(any(word in problem for problem in problems) for word in words), problems
    assert all("x" in problem and ("; " in problem or ", " in problem) for problem in problems)


@pytest.mark.parametrize(
    ("form", "word"),
    [
        ([], "is an object, not a list"),
        (None, "is an object, not null"),
        (3, "is an object, not a number"),
        ({}, "is empty; give at least one parameter"),
        ({"_type": "choice", "_value": [1]}, "has no name"),
        ({"x": [0.1, 0.2]}, "x is a list; give an object with _type and _value"),
        ({"x": {"_value": [1]}}, "x has no _type; give one of choice"),
        ({"x": {"_type": "choice"}}, "x has no _value"),
        ({"x": {"_type": "choice", "_value": [1], "_vaule": 1}}, "unknown key '_vaule'"),
        ({"x": {"_type": "logunifrom", "_value": [1, 2]}}, "did you mean 'loguniform'?"),
        ({"x": {"_type": ["choice"], "_value": [1]}}, "No type is called"),
        ({"x": {"_type": "choice", "_value": "abc"}}, "_value is a text; give a list"),
        ({"": {"_type": "choice", "_value": [1]}}, "'' is no good name; give 1 to 100"),
        ({"a" * 101: {"_type": "choice", "_value": [1]}}, "is no good name"),
        ({"a\nb": {"_type": "choice", "_value": [1]}}, "is no good name"),
        ({" a": {"_type": "choice", "_value": [1]}}, "without blanks"),
        ({3: {"_type": "choice", "_value": [1]}}, "3 is no name"),
        *(
            ({name: {"_type": "choice", "_value": [1]}, "y": {}}, f"No parameter may be called {name!r}")
            for name in (
                *("_type", "_value", "_name", "TRIAL_BUDGET"),
                "load_checkpoint_dir",
                "save_checkpoint_dir",
            )
        ),
    ],
)
def test_a_malformed_space_gets_one_sentence(form: Any, word: str) -> None:
    assert any(word in problem for problem in space_problems(form)), space_problems(form)
    with pytest.raises(SpecError):
        read_search_space(form)


def test_every_problem_comes_at_once_with_its_line() -> None:
    text = """{
      "lr": {"_type": "loguniform", "_value": [0, 1]},
      "width": {
        "_type": "chioce",
        "_value": [1]
      },
      "model": {"_type": "choice", "_value": [
        {"_name": "a",
         "depth": {"_type": "randint", "_value": [3, 2]}},
        {"depth": {"_type": "uniform", "_value": [0, 1]}}
      ]},
    }"""
    with pytest.raises(SpecError) as caught:
        read_search_space(text)
    starts = [problem.split(":")[0] for problem in caught.value.problems]
    assert starts == ["Line 2", "Line 4", "Line 9", "Line 10", "Line 11"]
    assert "model/a/depth: randint from 3 to 2" in caught.value.problems[2]
    assert "the comma before the closing } is one too many; remove it" in caught.value.problems[4]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "there is nothing here"),
        (" \n\n", 1, "there is nothing here"),
        ("{", 1, "ends before the { of line 1 is closed; add a }"),
        ('{"x":\n {"_type": "choice",\n', 3, "ends before the { of line 2"),
        ("{'x': 1}", 1, "names in double quotes"),
        ("{\"x\": 'a'}", 1, "texts in double quotes"),
        ('{"x": {"_type": "choice", "_value": [1,\n]}}', 1, "comma before the closing ] is one too many"),
        ('{"x": 1,,}', 1, "a comma too many"),
        ('{"x": 1\n "y": 2}', 2, 'a comma is missing before "y"'),
        ('{"x" 1}', 1, "comes a colon"),
        ("{x: 1}", 1, "'x' is no name; names stand in double quotes"),
        ('{"x": [1}', 1, "} closes what was opened with another bracket; write ]"),
        ('{"x": .5}', 1, "write 0.5"),
        ('{"x": +1}', 1, "write 1"),
        ('{"x": 01}', 1, "write 1"),
        ('{"x": relu}', 1, "put texts in double quotes"),
        ('{"x": NaN}', 1, "NaN is no number that JSON knows; write a finite number"),
        ('{"x": -Infinity}', 1, "-Infinity is no number"),
        ('{"x": 1e999}', 1, "larger than any number"),
        ('{"x": ' + "9" * 5000 + "}", 1, "larger than any number"),
        ('{"x": None}', 1, "JSON knows no None; write null"),
        ('{"x": "a\n"}', 1, "no closing quote"),
        ('{"x": "\\q"}', 1, "a backslash that JSON does not know"),
        ('{"x": @}', 1, "is no value"),
        ("{} {}", 1, "comes after the end"),
        ('{\n"x": {"_type": "choice", "_value": [1]} // why\n}', 2, "JSON knows no comments"),
        ('{"x": 1,\n "y": 2,\n "x": 3}', 3, "'x' was already given on line 1; give each name once"),
        ("[" * 100_000, 1, "nested more than 40 levels deep"),
        ('{"x": ' * 100, 1, "nested more than 40 levels deep"),
    ],
)
def test_what_is_no_json_is_told_with_line_and_remedy(text: str, line: int, words: str) -> None:
    problems = space_problems(text)
    assert any(problem.startswith(f"Line {line}: ") and words in problem for problem in problems), problems


def test_harmless_wrapping_is_read_over() -> None:
    plain = '{"x": {"_type": "choice", "_value": [1]}}'
    space = read_search_space(plain)
    assert read_search_space("\ufeff" + plain) == space
    assert read_search_space(f"```json\n{plain}\n```\n") == space
    assert "Line 3: " in space_problems('```json\n{\n"x": 1}\n```')[0]


def test_a_huge_text_and_a_space_of_5000_dimensions_get_one_sentence_each() -> None:
    assert space_problems("{" + " " * 200_000) == [
        "The search space has 200,001 bytes; at most 200,000 are read."
    ]
    large = {f"x{at}": {"_type": "loguniform", "_value": [0, -1]} for at in range(5000)}
    (problem,) = space_problems(large)
    assert "5,000 parameters; at most 300" in problem
    inner = {f"x{at}": {"_type": "uniform", "_value": [0, 1]} for at in range(299)}
    nested = {"m": {"_type": "choice", "_value": [{"_name": "a", **inner}, {"_name": "b"}]}}
    assert read_search_space(nested).dimensions == 300
    nested["n"] = {"_type": "choice", "_value": [1]}
    assert "301 parameters" in space_problems(nested)[0]


def test_deep_nesting_gets_one_sentence() -> None:
    form: dict[str, Any] = {"x": {"_type": "choice", "_value": [1]}}
    for _ in range(9):
        form = {"m": {"_type": "choice", "_value": [{"_name": "a", **form}]}}
    assert ["nested more than 8 choices deep" in problem for problem in space_problems(form)] == [True]
    assert ["nested more than 8 choices deep" in problem for problem in space_problems(json.dumps(form))] == [
        True
    ]


def test_ten_sentences_are_told_and_the_rest_counted() -> None:
    problems = space_problems({f"x{at}": 1 for at in range(14)})
    assert len(problems) == 11 and problems[-1] == "And 4 more."


def test_plain_values_of_every_kind_may_be_options() -> None:
    values = ["a", 1, 0.5, True, None, [], [0, 1], ""]
    assert read_search_space({"x": {"_type": "choice", "_value": values}}).to_json()["x"]["_value"] == values


def test_assignments_for_batch_hold_plain_values_under_good_names() -> None:
    form = {
        "combine_params": {
            "_type": "choice",
            "_value": [{"_type": 1}, {"lr": {"a": 1}}, {"a": 1}, {"a": 1.0}],
        }
    }
    problems = space_problems(form)
    assert len(problems) == 2 and "'_type'" in problems[0] and "assignment 2, lr, is an object" in problems[1]
    form["combine_params"]["_value"] = form["combine_params"]["_value"][2:]
    assert "twice" in space_problems(form)[0]


@PROPERTY
@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
))  # fmt: skip
def test_good_json_is_read_as_json_reads_it(value: Any) -> None:
    for text in (json.dumps(value), json.dumps(value, indent=2, ensure_ascii=False)):
        assert read_lines(text).problems == ()
        assert json.dumps(read_lines(text).value) == json.dumps(json.loads(text))


@PROPERTY
@given(spaces(), st.randoms(use_true_random=False))
def test_a_damaged_space_never_raises_anything_but_sentences(
    form: dict[str, Any], rng: random.Random
) -> None:
    text = json.dumps(form, indent=1)
    for _ in range(3):
        at = rng.randrange(len(text))
        text = (
            text[:at]
            + rng.choice(["", "{", "}", "]", '"', ",", "'", "NaN", "/*", "\\", "\n", "1e9"])
            + text[at + 1 :]
        )
    for problem in space_problems(text):
        assert problem.startswith(("Line ", "And ")) and problem.endswith("."), problem


def test_everything_has_the_line_on_which_it_begins() -> None:
    lines = read_lines('{"a": [1,\n 2],\n"b": {\n"c": 3}}').lines
    assert lines == {(): 1, ("a",): 1, ("a", 0): 1, ("a", 1): 2, ("b",): 3, ("b", "c"): 4}
