"""An exported experiment: valid for NNI, standalone, with our data and our networks; NNI itself starts it."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
import yaml
from nni.experiment import ExperimentConfig

from explorer.data import load_dataset
from explorer.errors import CodecError, SpecError
from explorer.export.nni_experiment import ARGUMENTS, FILES, TPE_ARGUMENTS, experiment_files, write_experiment
from explorer.hyper import read_search_space
from explorer.runs.spec import RunSpec, trial_seed
from explorer.space import preset
from explorer.tuning import functions
from explorer.tuning.nni_launch import free_port
from tests.export.test_code import check_equal

RANDOM = {"tuner": "Random", "assessor": "none"}
CELL = preset("cell")
SPECS = {
    "joint": RunSpec(kind="hpo", method={"tuner": "TPE", "assessor": "Curvefitting"}),
    "joint-cell": RunSpec(kind="hpo", space="cell", dataset="shifted-digits", method=RANDOM),
    "pinned": RunSpec(
        kind="hpo",
        space="cell",
        architecture=CELL.from_code("340213").to_json(),
        dataset="noisy-digits",
        method={"tuner": "Random", "assessor": "Medianstop"},
    ),
    "mlp": RunSpec(kind="hpo", objective="mlp", dataset="synthetic", method=RANDOM),
    "cifar10": RunSpec(kind="hpo", dataset="cifar10", method=RANDOM),
    "branin": RunSpec(kind="hpo", objective="branin", method={"tuner": "TPE", "assessor": "none"}),
    "hartmann6": RunSpec(kind="hpo", objective="hartmann6", method=RANDOM),
    "curves": RunSpec(kind="hpo", objective="curves", method=RANDOM, epochs=5, seed=4),
}
CLASSES = {
    "TPE": "tpe_tuner:TpeTuner",
    "Random": "random_tuner:RandomTuner",
    "GridSearch": "gridsearch_tuner:GridSearchTuner",
    "Batch": "batch_tuner:BatchTuner",
    "Evolution": "evolution_tuner:EvolutionTuner",
    "PBT": "pbt_tuner:PBTTuner",
    "GP": "gp_tuner:GPTuner",
    "Metis": "metis_tuner:MetisTuner",
    "Hyperband": "hyperband_advisor:Hyperband",
    "BOHB": "bohb_advisor:BOHB",
}


@contextmanager
def imported(folder: Path, name: str) -> Iterator[ModuleType]:
    """A module of an exported folder, as its own trial imports it."""
    names = ("trial", "network", "chosen")
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))
        for each in names:
            sys.modules.pop(each, None)
        importlib.invalidate_caches()


@pytest.mark.parametrize("name", SPECS)
def test_every_file_can_be_read_by_what_it_is_for(name: str, tmp_path: Path) -> None:
    spec, folder = SPECS[name], tmp_path / "experiment"
    written = write_experiment(spec, folder)
    assert {path.name for path in written} <= set(FILES)
    for path in written:
        if path.suffix == ".py":
            compile(path.read_text(), path.name, "exec")
            assert "explorer" not in path.read_text().replace("nni-explorer-data", "")
    config = ExperimentConfig.load(folder / "config.yml").canonical_copy()
    config.validate()
    assert (config.max_trial_number, config.trial_concurrency) == (spec.trials, spec.workers)
    space = read_search_space((folder / "search_space.json").read_text())
    assert config.search_space == space.to_json() == json.loads((folder / "search_space.json").read_text())


@pytest.mark.parametrize("name", SPECS)
def test_the_remote_configuration_is_the_local_one_on_other_machines(name: str) -> None:
    files = experiment_files(SPECS[name])
    local, remote = (yaml.safe_load(files[name]) for name in ("config.yml", "config_remote.yml"))
    machine = remote["trainingService"]["machineList"][0]
    assert (remote["trainingService"]["platform"], machine["host"], machine["user"]) == (
        "remote",
        "HOST",
        "USER",
    )
    for said in ("trainingService", "nniManagerIp"):
        local.pop(said, None)
        remote.pop(said)
    assert local == remote
    assert all(word in files["README.md"] for word in ("config_remote.yml", "nniManagerIp", "pkg_resources"))


def test_the_direction_is_always_written_since_nnis_tpe_minimises_by_default() -> None:
    modes = {
        name: yaml.safe_load(experiment_files(SPECS[name])["config.yml"])["tuner"]["classArgs"][
            "optimize_mode"
        ]
        for name in ("joint", "branin")
    }
    assert modes == {"joint": "maximize", "branin": "minimize"}


def test_settings_reach_nni_under_its_own_names_and_ours_stay_behind() -> None:
    settings: dict[str, dict[str, Any]] = {
        "tuner": {"n_startup_jobs": 7, "gamma": 0.5, "duplicates": "allow", "early_stopped": "ignore"},
        "assessor": {"threshold": 1, "start_step": 2},
    }
    config = yaml.safe_load(experiment_files(replace(SPECS["joint"], settings=settings))["config.yml"])
    assert config["tuner"]["classArgs"]["tpe_args"] == {"n_startup_jobs": 7, "gamma": 0.5}
    assert not {"duplicates", "early_stopped"} & config["tuner"]["classArgs"].keys()
    assert config["assessor"]["classArgs"] == {"epoch_num": 3, "start_step": 2, "threshold": 1.0, "gap": 1}
    assert isinstance(config["assessor"]["classArgs"]["threshold"], float)


@pytest.mark.filterwarnings(
    "ignore:Modules pcs and pcs_new are deprecated:DeprecationWarning"
)  # BOHB's ConfigSpace
@pytest.mark.parametrize("name", CLASSES)
def test_nnis_classes_take_what_is_written_for_them(name: str) -> None:
    module, attribute = CLASSES[name].split(":")
    try:
        known = getattr(importlib.import_module(f"nni.algorithms.hpo.{module}"), attribute)
    except ImportError as error:
        pytest.skip(f"NNI's {name} needs {error.name}")
    assert set(ARGUMENTS[name]) <= set(inspect.signature(known).parameters)


def test_nnis_tpe_takes_the_arguments_of_its_model() -> None:
    from nni.algorithms.hpo.tpe_tuner import TpeArguments

    assert set(TPE_ARGUMENTS) == set(inspect.signature(TpeArguments).parameters)


@pytest.mark.parametrize("dataset", ["digits", "noisy-digits", "shifted-digits", "synthetic"])
def test_the_data_are_those_of_the_app(dataset: str, tmp_path: Path) -> None:
    write_experiment(replace(SPECS["mlp"], dataset=dataset), tmp_path / "experiment")
    ours = load_dataset(dataset)
    with imported(tmp_path / "experiment", "trial") as trial:
        parts = trial.load()
    for (images, labels), split in zip(parts, (ours.train, ours.validation, ours.test), strict=True):
        torch.testing.assert_close(images, split.images)
        assert torch.equal(labels, split.labels)


def test_images_are_fitted_to_the_networks_input_as_in_the_app(tmp_path: Path) -> None:
    write_experiment(SPECS["joint"], tmp_path / "experiment")
    ours = load_dataset("digits", 3, 32)
    with imported(tmp_path / "experiment", "trial") as trial:
        (images, _), *_ = trial.load()
    torch.testing.assert_close(images, ours.train.images.contiguous(), rtol=1e-4, atol=1e-5)


def test_every_choice_of_a_joint_space_builds_the_apps_network(tmp_path: Path) -> None:
    space = preset("notes-net")
    write_experiment(SPECS["joint"], tmp_path / "experiment")
    with imported(tmp_path / "experiment", "trial") as trial:
        for architecture in space:
            check_equal(space, architecture, trial.build(architecture.to_json()))


@pytest.mark.parametrize("code", ["340213", "000000", "123412"])
def test_the_cells_of_a_joint_space_are_the_apps(code: str, tmp_path: Path) -> None:
    space = preset("cell").bound_to(1, 8, 10)
    write_experiment(SPECS["joint-cell"], tmp_path / "experiment")
    architecture = space.from_code(code)
    with imported(tmp_path / "experiment", "trial") as trial:
        check_equal(space, architecture, trial.build(architecture.to_json()))


def test_the_functions_give_the_apps_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float] = []
    monkeypatch.setattr("nni.report_final_result", told.append)
    monkeypatch.setattr("nni.report_intermediate_result", lambda value: None)
    given = {
        "x1": 1.5,
        "x2": 2.5,
        **{f"x{at}": 0.1 * at for at in range(3, 7)},
        "learning_rate": 0.03,
        "width": 50,
    }
    monkeypatch.setattr("nni.get_next_parameter", lambda: given)
    for name in ("branin", "hartmann6", "curves"):
        write_experiment(SPECS[name], tmp_path / name)
        with imported(tmp_path / name, "trial") as trial:
            trial.main()
    x = [given[f"x{at}"] for at in range(1, 7)]
    curve = functions.curves(given, 5, trial_seed(4, 0))
    assert told == pytest.approx([functions.branin(1.5, 2.5), functions.hartmann6(x), curve[-1]])


def test_nested_choices_and_fixed_settings_reach_the_training(tmp_path: Path) -> None:
    spec = replace(SPECS["mlp"], settings={"training": {"momentum": 0.5}})
    write_experiment(spec, tmp_path / "experiment")
    with imported(tmp_path / "experiment", "trial") as trial:
        flat = trial.flat({"optimizer": {"_name": "sgd", "momentum": 0.7}, "batch_size": 16})
        assert trial.DEFAULTS["momentum"] == 0.5
    assert flat == {"optimizer": "sgd", "momentum": 0.7, "batch_size": 16}


def test_a_tuner_that_nni_cannot_run_is_said_to_be_one() -> None:
    files = experiment_files(replace(SPECS["branin"], method={"tuner": "GP", "assessor": "none"}))
    assert "GP does not run in NNI 3.0" in files["README.md"]
    assert "does not run in NNI" not in experiment_files(SPECS["branin"])["README.md"]


def test_a_folder_of_somebody_elses_is_refused_and_an_earlier_export_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "experiment"
    write_experiment(SPECS["joint"], folder)
    write_experiment(SPECS["branin"], folder)
    assert not (folder / "network.py").exists()
    (folder / "thesis.tex").write_text("")
    with pytest.raises(CodecError, match=r"'thesis.tex'; give a new or an empty folder"):
        write_experiment(SPECS["joint"], folder)
    with pytest.raises(CodecError, match="is a file"):
        write_experiment(SPECS["joint"], folder / "thesis.tex")


def test_only_a_tuning_run_has_an_experiment() -> None:
    with pytest.raises(SpecError, match="'random' has no tuner"):
        experiment_files(RunSpec())


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_nni_itself_starts_it_and_its_trials_succeed(tmp_path: Path) -> None:
    folder = tmp_path / "experiment"
    spec = RunSpec(kind="hpo", method={"tuner": "TPE", "assessor": "none"}, trials=2, epochs=1, workers=2)
    write_experiment(spec, folder)
    lines = _run(folder, tmp_path / "home")
    told = [line for line in lines if line.startswith("trial ")]
    assert len(told) == 2, lines
    assert all(": SUCCEEDED " in line for line in told)


def _run(folder: Path, home: Path) -> list[str]:
    """run.py to its end, in a process group of its own and a home of its own; nothing of it is left."""
    home.mkdir()
    kept: dict[str, Any] = {name: value for name, value in os.environ.items() if not name.startswith("NNI_")}
    process = subprocess.Popen(
        [sys.executable, "run.py", "--port", str(free_port())],
        cwd=folder,
        env={**kept, "HOME": str(home), "no_proxy": "localhost,127.0.0.1", "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=240)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)  # NNI's manager leads a group of its own: only run.py can end it
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    return output.splitlines()
