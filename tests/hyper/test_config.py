"""Pasted configurations: the notes' snippet word for word, every vintage, and what must not be read."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from nni.experiment.config.convert import to_v2

from explorer.errors import SpecError
from explorer.hyper import ConfigReading, read_config
from explorer.hyper.config import _seconds
from explorer.hyper.yaml_lines import read_yaml, write_yaml
from tests.hyper.generated import PROPERTY

SNIPPET = """assessor:
  builtinAssessorName: Curvefitting
  classArgs:
    epoch_num: 10
    threshold: 0.9

"""
V1 = """authorName: someone
experimentName: digits
description: a first try
trialConcurrency: 2
maxExecDuration: 1h
maxTrialNum: 10
trainingServicePlatform: local
searchSpacePath: search_space.json
useAnnotation: false
multiThread: false
logDir: logs
logLevel: info
tuner:
  builtinTunerName: TPE
  classArgs:
    optimize_mode: maximize
  gpuIndices: 0
assessor:
  builtinAssessorName: Medianstop
  classArgs:
    optimize_mode: maximize
    start_step: 3
  includeIntermediateResults: true
trial:
  command: python3 mnist.py
  codeDir: .
  gpuNum: 0
localConfig:
  useActiveGpu: true
  maxTrialNumPerGpu: 2
"""
V1_REMOTE = """authorName: someone
experimentName: digits
trialConcurrency: 4
maxExecDuration: 90m
maxTrialNum: 100
trainingServicePlatform: remote
searchSpacePath: search_space.json
tuner:
  codeDir: mine
  classFileName: tuner.py
  className: MyTuner
  classArgs:
    optimize_mode: minimize
trial:
  command: python3 mnist.py
  codeDir: .
machineList:
  - ip: 10.0.0.1
    port: 22
    username: bob
    passwd: bob123
  - ip: 10.0.0.2
    username: bob
    sshKeyPath: key
    passphrase: secret
remoteConfig:
  reuse: true
"""
V3 = """experimentName: digits
searchSpace:
  lr:
    _type: loguniform
    _value: [0.001, 0.1]
  units: {_type: choice, _value: [16, 32]}
trialCommand: python3 mnist.py
trialCodeDirectory: .
trialConcurrency: 2
maxTrialNumber: 10
maxExperimentDuration: 3600
tuner:
  name: Evolution
  classArgs:
    optimize_mode: maximize
trainingService:
  platform: local
"""


def _refused(text: str) -> tuple[str, ...]:
    with pytest.raises(SpecError) as caught:
        read_config(text)
    return caught.value.problems


def _has(reading: ConfigReading, *words: str) -> bool:
    return any(all(word in note for word in words) for note in reading.notes)


@pytest.mark.parametrize(
    "text", [SNIPPET, f"```yaml\n{SNIPPET}```", f"需要添加assessor时：\n\n```yaml\n{SNIPPET}```\n\n## NAS\n"]
)
def test_the_notes_snippet_is_read_word_for_word(text: str) -> None:
    reading = read_config(text)
    assert reading.version == "fragment" and reading.tuner is None
    assert reading.assessor is not None and reading.assessor.name == "Curvefitting"
    assert reading.assessor.settings == {"epoch_num": 10, "threshold": 0.9}
    assert yaml.safe_load(reading.v3) == {
        "assessor": {"name": "Curvefitting", "classArgs": {"epoch_num": 10, "threshold": 0.9}}
    }
    line = text.split("\n").index("  builtinAssessorName: Curvefitting") + 1
    assert _has(reading, f"Line {line}: builtinAssessorName became name")


def test_a_v1_file_says_the_same_as_nnis_own_translation() -> None:
    reading = read_config(V1)
    assert yaml.safe_load(reading.v3) == to_v2(yaml.safe_load(V1))
    assert reading.version == "v1"
    assert (reading.trials, reading.workers, reading.seconds) == (10, 2, 3600)
    assert reading.optimize_mode == "maximize" and reading.search_space_file == "search_space.json"
    assert reading.tuner is not None and reading.tuner.name == "TPE"
    assert reading.assessor is not None and reading.assessor.settings == {"start_step": 3}
    for words in (
        ("Line 1:", "authorName is left out"),
        ("Line 5:", "maxExecDuration became maxExperimentDuration: at most 3,600 seconds"),
        ("Line 6:", "maxTrialNum became maxTrialNumber: 10 trials"),
        ("Line 7:", "trainingServicePlatform became trainingService.platform"),
        ("Line 8:", "searchSpacePath became searchSpaceFile"),
        ("Line 14:", "builtinTunerName became name"),
        ("Line 23:", "includeIntermediateResults is left out"),
        ("Line 27:", "gpuNum became trialGpuNumber"),
    ):
        assert _has(reading, *words), (words, reading.notes)


def test_a_v1_file_for_remote_machines_is_translated_as_nni_does() -> None:
    reading = read_config(V1_REMOTE)
    assert yaml.safe_load(reading.v3) == to_v2(yaml.safe_load(V1_REMOTE))
    assert reading.tuner is None and _has(reading, "class of your own")
    assert not any("bob123" in note or "secret" in note for note in reading.notes)


def test_an_advisor_becomes_a_tuner() -> None:
    text = "trainingServicePlatform: local\nadvisor:\n  builtinAdvisorName: Hyperband\n  classArgs: {R: 9, eta: 3}\n"
    reading = read_config(text)
    theirs = to_v2(yaml.safe_load(text))
    theirs["tuner"] = theirs.pop("advisor")  # as NNI's own check of v3 does next
    assert yaml.safe_load(reading.v3) == theirs
    assert reading.tuner is not None and reading.tuner.name == "Hyperband"


def test_a_v3_file_stays_what_it_is() -> None:
    reading = read_config(V3)
    assert reading.version == "v2/v3" and yaml.safe_load(reading.v3) == yaml.safe_load(V3)
    assert reading.search_space == yaml.safe_load(V3)["searchSpace"]
    assert (reading.trials, reading.workers, reading.seconds) == (10, 2, 3600)
    again = read_config(reading.v3)
    assert (again.v3, again.tuner, again.search_space) == (reading.v3, reading.tuner, reading.search_space)


def test_json_and_snake_case_are_read_too() -> None:
    reading = read_config(json.dumps({"trial_concurrency": 3, "TUNER": {"NAME": "random"}}))
    assert reading.workers == 3 and reading.tuner is not None and reading.tuner.name == "Random"
    assert yaml.safe_load(reading.v3) == {"trialConcurrency": 3, "tuner": {"name": "Random"}}


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("tpe", "TPE"),
        ("GRIDSEARCH", "GridSearch"),
        ("grid_search", "GridSearch"),
        ("PPOTuner", "PPO"),
        ("gp", "GP"),
    ],
)
def test_names_are_spelled_as_nni_spells_them(given_name: str, name: str) -> None:
    reading = read_config(f"tuner:\n  name: {given_name}\n")
    assert reading.tuner is not None and reading.tuner.name == name
    assert _has(reading, "Line 2:", f"NNI spells {given_name} as {name}")


def test_arguments_become_the_settings_of_the_catalogue() -> None:
    reading = read_config(
        "tuner:\n  name: TPE\n  classArgs:\n    optimize_mode: minimize\n    seed: 7\n    frobnicate: 1\n"
        "    tpe_args:\n      gamma: 0.3\n      n_startup_job: 5\n"
    )
    assert reading.tuner is not None
    assert reading.tuner.settings == {"optimize_mode": "minimize", "gamma": 0.3}
    assert reading.seed == 7 and reading.optimize_mode == "minimize"
    assert _has(reading, "Line 6:", "frobnicate is no setting of TPE")
    assert _has(reading, "Line 9:", "did you mean 'n_startup_jobs'?")
    assert yaml.safe_load(reading.v3)["tuner"]["classArgs"]["tpe_args"]["n_startup_job"] == 5


def test_what_nni_3_refuses_of_curvefitting_is_written_so_that_it_takes_it() -> None:
    from nni.algorithms.hpo.curvefitting_assessor.curvefitting_assessor import CurvefittingClassArgsValidator

    reading = read_config(
        "assessor:\n  builtinAssessorName: curve_fitting\n"
        "  classArgs: {optimize_mode: maximize, epoch_num: 20, threshold: 1}\n"
    )
    written = yaml.safe_load(reading.v3)["assessor"]["classArgs"]
    CurvefittingClassArgsValidator().validate_class_args(**written)
    assert written == {"epoch_num": 20, "threshold": 1.0} and reading.optimize_mode == "maximize"
    assert _has(reading, "Line 3:", "optimize_mode is left out") and _has(reading, "threshold is written 1.0")


def test_the_inside_of_a_block_and_a_bare_search_space_are_understood() -> None:
    reading = read_config("builtinAssessorName: Medianstop\nclassArgs:\n  start_step: 2\n")
    assert reading.assessor is not None and reading.assessor.settings == {"start_step": 2}
    space = {"lr": {"_type": "uniform", "_value": [0, 1]}}
    assert read_config(yaml.safe_dump(space)).search_space == space


def test_unknown_keys_are_noted_with_the_nearest() -> None:
    reading = read_config("maxTrailNum: 3\nassesor: {}\npaiConfig: {}\ntuner: {name: TPE, classArg: {}}\n")
    assert _has(reading, "Line 1:", "did you mean 'maxTrialNum'?")
    assert _has(reading, "Line 2:", "did you mean 'assessor'?")
    assert _has(reading, "Line 3:", "not translated here")
    assert _has(reading, "Line 4:", "of tuner", "did you mean 'classArgs'?")
    assert yaml.safe_load(reading.v3) == {"tuner": {"name": "TPE"}}


def test_thousands_of_keys_get_a_bounded_number_of_notes() -> None:
    reading = read_config("\n".join(f"key{at}: 1" for at in range(1000)))
    assert len(reading.notes) == 201 and reading.notes[-1] == "And 801 more."


def test_a_number_that_yaml_takes_for_a_text_is_read_and_told() -> None:
    reading = read_config("searchSpace:\n  lr:\n    _type: loguniform\n    _value: [1e-4, 1]\n")
    assert reading.search_space == {"lr": {"_type": "loguniform", "_value": [0.0001, 1]}}
    assert _has(reading, "Line 4:", "1e-4 is read as the number 0.0001", "write 0.0001")
    assert yaml.safe_load(reading.v3)["searchSpace"] == reading.search_space


def test_an_inline_search_space_is_checked_with_its_lines() -> None:
    problems = _refused(
        "trialConcurrency: many\nsearchSpace:\n  a:\n    _type: loguniform\n    _value: [0, 1]\n"
        "  b: {_type: choise, _value: [1]}\n"
    )
    assert [problem.split(":")[0] for problem in problems] == ["Line 1", "Line 5", "Line 6"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "There is nothing here"),
        ("# only a remark\n", "There is nothing here"),
        ("- a\n", "not a list"),
        ("word", "not a text"),
        ("a: 1\na: 2\n", "Line 2: the name 'a' was already given on line 1"),
        ("tuner:\n  name: TPE\n  name: GP\n", "Line 3: the name 'name' was already given on line 2"),
        ("a: !!python/object:os.system {}\n", "Line 1: the tag !!python/object:os.system is not read"),
        ("a: !!python/object/apply:os.system ['ls']\n", "is not read; write plain values"),
        ("a: !!str 3\n", "the tag !!str is not read"),
        ("a: !mine 3\n", "the tag !mine is not read"),
        ("a: &x 1\nb: *x\n", "Line 2: *x repeats what is written elsewhere"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "Line 3: *x repeats"),
        ("a: *nowhere\n", "Line 1: *nowhere repeats"),
        ("a: 1\n---\nb: 2\n", "Line 2: a second document begins"),
        ("a:\n\tb: 1\n", "Line 2: this is no YAML (while scanning for the next token found character '\\t'"),
        ("a: b: c\n", "Line 1: this is no YAML (mapping values are not allowed here)"),
        ("a: [1, 2\n", "this is no YAML"),
        ("a: 'b\n", "close the quotes"),
        ("a: \0\n", "Line 1: this holds a character that YAML does not allow"),
        ("? [a]\n: 1\n", "names are plain texts"),
        ("a: .nan\n", "Line 1: .nan is no finite number"),
        ("a: -.inf\n", "Line 1: -.inf is no finite number"),
        ("a: " + "9" * 5000, "is no finite number"),
        ("a: " + "[" * 5000, "nested more than 40 levels deep"),
        ("a: " + "{a: " * 5000, "nested more than 40 levels deep"),
        ("".join(" " * at + "a:\n" for at in range(200)), "nested more than 40 levels deep"),
        ("a: " + "x" * 100_000, "has 100,003 bytes; at most 100,000 are read"),
        ("maxTrialNum: 0\n", "Line 1: maxTrialNum is 0; give a whole number of at least 1"),
        ("maxTrialNum: true\n", "maxTrialNum is True"),
        ("trialConcurrency: 1.5\n", "trialConcurrency is 1.5"),
        ("maxExecDuration: soon\n", "maxExecDuration is 'soon'; give seconds"),
        ("maxExperimentDuration: -1\n", "maxExperimentDuration is -1"),
        ("maxTrialNum: 1\nmaxTrialNumber: 2\n", "Line 2: maxTrialNumber says again"),
        ("searchSpacePath: [a]\n", "give the name of a file"),
        ("trainingServicePlatform: locl\n", "did you mean 'local'?"),
        ("machineList: 3\n", "give a list of machines"),
        ("trial: python3\n", "trial is a text; give an object"),
        ("assessor: Medianstop\n", "assessor is a text; give an object with name and classArgs"),
        ("assessor: {}\n", "The assessor has no name"),
        ("assessor: {name: Curvefiting}\n", "did you mean 'Curvefitting'?"),
        ("tuner: {name: [TPE]}\n", "No tuner is called"),
        ("tuner: {name: TPE}\nadvisor: {name: BOHB}\n", "Line 2: advisor says again who the tuner is"),
        ("tuner: {name: TPE, builtinTunerName: GP}\n", "says again what another key of tuner says"),
        ("tuner: {name: TPE, classArgs: 3}\n", "classArgs is a number"),
        ("tuner: {name: TPE, classArgs: {optimize_mode: up}}\n", "optimize_mode is 'up'; pick"),
        ("tuner: {name: TPE, classArgs: {seed: x}}\n", "seed is 'x'"),
        (
            "tuner: {name: TPE, classArgs: {optimize_mode: minimize}}\n"
            "assessor: {name: Medianstop, classArgs: {optimize_mode: maximize}}\n",
            "Line 2: Tuner and assessor have different optimize_mode",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_read_gets_one_sentence(text: str, words: str) -> None:
    problems = _refused(text)
    assert len(problems) == 1 and words in problems[0] and problems[0].endswith("."), problems


def test_a_yaml_bomb_is_refused_at_its_aliases() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 9)}]" for at in range(1, 9)]
    problems = _refused("\n".join(lines))
    assert len(problems) <= 11 and problems[0].startswith("Line 2: *a0 repeats")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *[
            ("1h", 3600),
            ("90s", 90),
            ("1.5m", 90),
            ("2D", 172800),
            (30, 30),
            (0.5, 1),
            ("", None),
            ("1y", None),
        ],
        *[(True, None), (0, None), (float("inf"), None), ([], None), ("1h30m", None), (None, None)],
    ],
)
def test_durations_are_seconds_rounded_up_as_nni_does(value: Any, seconds: int | None) -> None:
    from nni.experiment.config.utils import parse_time

    assert _seconds(value) == seconds
    if isinstance(value, str) and seconds is not None:
        assert parse_time(value) == seconds


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc:# -é", max_size=5), inner, max_size=3),
    max_leaves=10,
)  # fmt: skip


@PROPERTY
@given(st.dictionaries(st.text("abc", min_size=1), PLAIN, min_size=1, max_size=4))
@example({"a": ["0E0", "1e-4", "1", "no", "2020-01-01", "1:30", "<<", "=", "~", ""]})
def test_what_is_written_is_read_back_here_and_by_anybody(form: dict[str, Any]) -> None:
    text = write_yaml(form)
    located, remarks = read_yaml(text)
    assert located.problems == () and remarks == []
    assert located.value == form == yaml.safe_load(text)


@PROPERTY
@given(
    st.text(st.characters(codec="utf-8"), max_size=60)
    | st.text("ab:-[]{}*&!|>'\"#%@\n\t 1.e?,<=", max_size=60)
)
def test_no_text_makes_it_raise_anything_but_sentences(text: str) -> None:
    try:
        reading = read_config(text)
    except SpecError as error:
        assert error.problems and all(problem.endswith(".") for problem in error.problems)
    else:
        assert isinstance(yaml.safe_load(reading.v3) or {}, dict)


def test_dates_and_words_stay_texts() -> None:
    assert read_yaml("a: 2020-01-01\nb: =\nc: '1'\nd: yes\ne: 0x10\nf:\n")[0].value == {
        "a": "2020-01-01", "b": "=", "c": "1", "d": True, "e": 16, "f": None,
    }  # fmt: skip
    assert isinstance(yaml.safe_load("a: 2020-01-01")["a"], datetime.date)  # what is avoided here
