"""A run of hyper-parameter optimisation as a folder that NNI itself starts.

Text only: configuration, search space, trial and starter. The trial is standalone: the same data, seeds and training
settings, in plain PyTorch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from explorer.catalogue import DATASETS, MLP, TRAINING, TUNERS
from explorer.errors import CodecError, SpecError
from explorer.export import nni_templates as texts
from explorer.export.nni_code import nni_code
from explorer.export.torch_code import torch_code
from explorer.export.writing import identifiers, indented, literal
from explorer.hyper import DEFAULT_SPACES, HyperSpace, joint, read_search_space
from explorer.hyper.assessor_rules import NONE, complete
from explorer.hyper.joint import parameter_names
from explorer.runs.spec import RunSpec
from explorer.space import LayerChoice, SearchSpace, load_space

FILES = (
    *("README.md", "config.yml", "config_remote.yml", "requirements.txt", "run.py", "search_space.json"),
    *("trial.py", "network.py", "chosen.py"),
)
# Tuner -> what its class takes in NNI 3; everything else in a run's settings is ours. TPE's model has its own dict.
ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "TPE": ("optimize_mode", "seed", "tpe_args"),
    "Random": ("seed",),
    "GridSearch": (),
    "Batch": (),
    "Evolution": ("optimize_mode", "population_size"),
    "PBT": ("optimize_mode", "population_size", "factor", "resample_probability", "fraction"),
    "Anneal": ("optimize_mode",),
    "GP": (
        *(
            "optimize_mode",
            "utility",
            "kappa",
            "xi",
            "nu",
            "alpha",
            "cold_start_num",
            "selection_num_warm_up",
        ),
        "selection_num_starting_points",
    ),
    "Metis": (
        *(
            "optimize_mode",
            "no_resampling",
            "no_candidates",
            "selection_num_starting_points",
            "cold_start_num",
        ),
        "exploration_probability",
    ),
    "Hyperband": ("optimize_mode", "R", "eta", "exec_mode"),
    "BOHB": (
        *(
            "optimize_mode",
            "min_budget",
            "max_budget",
            "eta",
            "min_points_in_model",
            "top_n_percent",
            "num_samples",
        ),
        *("random_fraction", "bandwidth_factor", "min_bandwidth"),
    ),
}
TPE_ARGUMENTS = (
    *(
        "constant_liar_type",
        "n_startup_jobs",
        "n_ei_candidates",
        "linear_forgetting",
        "prior_weight",
        "gamma",
    ),
)
BROKEN = (
    "Anneal",
    "GP",
    "Metis",
    "Hyperband",
    "BOHB",
)  # NNI 3.0 on today's stack; the app mends them in memory


def experiment_files(spec: RunSpec) -> dict[str, str]:
    """File name -> text. Raises SpecError for what is no tuning run, SpaceError for a network that cannot run."""
    if spec.kind != "hpo":
        raise SpecError(f"A run of the kind {spec.kind!r} has no tuner; export one of the kind 'hpo'.")
    space = _bound_space(spec)
    network = _network(spec, space)
    return {
        "README.md": _readme(spec, network),
        "config.yml": _yaml(_config(spec)),
        "config_remote.yml": _yaml(_config(spec) | _remote()),
        "requirements.txt": _requirements(spec),
        "run.py": texts.RUN,
        "search_space.json": json.dumps(_hyper(spec, space).to_json(), indent=2) + "\n",
        "trial.py": _trial(spec, space),
        **network,
    }


def write_experiment(spec: RunSpec, path: Path) -> list[Path]:
    """The files of `experiment_files` in the folder `path`; returns them.

    Raises CodecError for a folder that holds anything else, and when it cannot be written.
    """
    files = experiment_files(spec)
    try:
        strange = (
            sorted(entry.name for entry in path.iterdir() if entry.name not in FILES) if path.is_dir() else []
        )
        if strange or (path.exists() and not path.is_dir()):
            held = f"holds {strange[0]!r}" if strange else "is a file"
            raise CodecError(f"{str(path)!r} {held}; give a new or an empty folder.")
        path.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            (path / name).unlink(missing_ok=True)
        for name, text in files.items():
            (path / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CodecError(f"{str(path)!r} cannot be written: {error.strerror or error}.") from error
    return [path / name for name in files]


# -- what is tuned, and by what ---------------------------------------------------------------------------------------


def _bound_space(spec: RunSpec) -> SearchSpace | None:
    if not spec.trains_network:
        return None
    facts = DATASETS.find(spec.dataset).facts
    return load_space(spec.space).bound_to(facts["channels"], facts["side"], facts["classes"])


def _is_joint(spec: RunSpec) -> bool:
    return spec.trains_network and spec.architecture is None


def _hyper(spec: RunSpec, space: SearchSpace | None) -> HyperSpace:
    own = spec.search_space if spec.search_space is not None else DEFAULT_SPACES[spec.objective]
    hyper = read_search_space(own)
    return joint(space, hyper) if space is not None and _is_joint(spec) else hyper


def _config(spec: RunSpec) -> dict[str, Any]:
    assessor = _assessor(spec)
    return {
        "experimentName": f"explorer {spec.objective}",
        "searchSpaceFile": "search_space.json",
        "trialCommand": "python3 trial.py",
        "trialCodeDirectory": ".",
        "trialConcurrency": spec.workers,
        "maxTrialNumber": spec.trials,
        "tuner": _algorithm(spec.method.get("tuner", "TPE"), _tuner_arguments(spec)),
        **({"assessor": assessor} if assessor else {}),
        "trainingService": {"platform": "local"},
    }


def _remote() -> dict[str, Any]:
    machine = {"host": "HOST", "user": "USER", "sshKeyFile": "~/.ssh/id_rsa", "pythonPath": "/usr/bin"}
    return {
        "nniManagerIp": "ADDRESS",
        "trainingService": {"platform": "remote", "machineList": [machine]},
    }


def _tuner_arguments(spec: RunSpec) -> dict[str, Any]:
    """optimize_mode is always written: NNI's TPE minimises unless told otherwise."""
    name = spec.method.get("tuner", "TPE")
    given = {key: value for key, value in spec.settings.get("tuner", {}).items() if value is not None}
    known = {**given, "optimize_mode": spec.optimize_mode, "seed": spec.seed}
    model = {key: given[key] for key in TPE_ARGUMENTS if key in given}
    if name == "TPE" and model:
        known["tpe_args"] = model
    return {key: known[key] for key in ARGUMENTS.get(name, ()) if key in known}


def _assessor(spec: RunSpec) -> dict[str, Any] | None:
    name = spec.method.get("assessor", NONE)
    if name == NONE:
        return None
    settings = complete(name, spec.settings.get("assessor", {}), epochs=spec.epochs)
    if name == "Medianstop":
        settings["optimize_mode"] = spec.optimize_mode
    else:
        settings["threshold"] = float(settings["threshold"])  # NNI refuses a whole number
    return _algorithm(name, settings)


def _algorithm(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "classArgs": dict(arguments)} if arguments else {"name": name}


def _yaml(form: Mapping[str, Any]) -> str:
    return str(yaml.safe_dump(dict(form), sort_keys=False, allow_unicode=False))


# -- the trial --------------------------------------------------------------------------------------------------------


def _trial(spec: RunSpec, space: SearchSpace | None) -> str:
    if spec.objective in ("train", "mlp"):
        return _training_trial(spec, space)
    body = {"branin": texts.BRANIN, "hartmann6": texts.HARTMANN, "curves": texts.CURVES}[spec.objective]
    first = {"branin": {"x1": 0.0, "x2": 0.0}, "hartmann6": {f"x{at}": 0.5 for at in range(1, 7)}}
    constants = _constants(spec, first.get(spec.objective, {}))
    constants += texts.HARTMANN_CONSTANTS if spec.objective == "hartmann6" else ""
    modules = ("random",) if spec.objective == "curves" else ()
    head = texts.TRIAL_HEAD.format(imports=_imports(*modules), nni_imports="", constants=constants)
    return head + texts.FUNCTION_MAIN.format(body=body)


def _imports(*more: str) -> str:
    return "\n".join(
        f"import {name}" for name in sorted(("hashlib", "math", "os", "time", "warnings", *more))
    ) + ("\nfrom pathlib import Path")


def _training_trial(spec: RunSpec, space: SearchSpace | None) -> str:
    facts = DATASETS.find(spec.dataset).facts
    defaults = _plain_settings(spec)
    shape = (facts["channels"], facts["side"]) if space is None else (space.input.channels, space.input.side)
    constants = _constants(spec, defaults, CHANNELS=shape[0], SIDE=shape[1])
    if space is None:
        constants += f"PIXELS, CLASSES = {shape[0] * shape[1] ** 2}, {facts['classes']}\n"
        build = texts.BUILD_MLP
    elif _is_joint(spec):
        names = parameter_names(space)
        defaults |= {names[label]: value for label, value in space.default.to_json().items()}
        constants = _constants(spec, defaults, CHANNELS=shape[0], SIDE=shape[1])
        said = "# parameter -> (label in network.py, candidate -> its key there)"
        constants += f"CHOICES = {{  {said}\n{_choices(space)}\n}}\n"
        build = texts.BUILD_JOINT
    else:
        build = texts.BUILD_PINNED
    if spec.dataset in texts.READERS:
        constants += 'DATA = Path.home() / ".cache" / "nni-explorer-data"\n'
    head = texts.TRIAL_HEAD.format(
        imports=_imports(),
        nni_imports=_training_imports(spec),
        constants=constants,
    )
    main = texts.FUNCTION_MAIN.format(body=texts.TRAIN)
    return head + build + "\n" + _data(spec.dataset) + main


def _training_imports(spec: RunSpec) -> str:
    is_vision = spec.dataset in texts.READERS
    lines = ["import numpy as np", "import torch"]
    if spec.objective == "train":
        lines += ["from chosen import chosen"] if _is_joint(spec) else []
        lines += ["from network import Net"]
    lines += [] if is_vision or spec.dataset == "synthetic" else ["from sklearn import datasets"]
    lines += ["from sklearn.model_selection import train_test_split", "from torch import nn"]
    return "\n".join([*lines, "from torch.nn import functional", ""])


def _data(dataset: str) -> str:
    if dataset in texts.READERS:
        facts = DATASETS.find(dataset).facts
        train, validation = facts["train"], facts["validation"]
        load = texts.VISION_LOAD.format(
            reader=texts.READERS[dataset], known=train + validation, train=train, validation=validation
        )
        return load + texts.SPLITS + texts.FITTED
    source = "" if dataset == "synthetic" else texts.DIGITS_SOURCE
    return texts.LOAD[dataset] + source + texts.SPLITS + texts.FITTED


def _constants(spec: RunSpec, defaults: Mapping[str, Any], **more: Any) -> str:
    lines = [f"{literal(name)}: {literal(value)}," for name, value in defaults.items()]
    numbers = {"SEED": spec.seed, "EPOCHS": spec.epochs, **more}
    said = "\n".join(f"{name} = {literal(value)}" for name, value in numbers.items())
    held = f"{{  # what is not tuned\n{indented(lines, 1)}\n}}" if lines else "{}"
    return f"\n{said}\nDEFAULTS = {held}\n"


def _plain_settings(spec: RunSpec) -> dict[str, Any]:
    """The fixed settings of the training, and of the perceptron."""
    given = spec.settings.get("training", {})
    defaults = TRAINING.defaults() | (MLP.defaults() if spec.objective == "mlp" else {})
    return defaults | {name: value for name, value in given.items() if name in defaults}


def _choices(space: SearchSpace) -> str:
    labels = identifiers(mutable.label for mutable in space.mutables)
    names = parameter_names(space)
    lines = []
    for mutable in space.mutables:
        keys = identifiers(mutable.names) if isinstance(mutable, LayerChoice) else {}
        table = ", ".join(f"{literal(name)}: {literal(key)}" for name, key in keys.items())
        lines.append(f"{literal(names[mutable.label])}: ({literal(labels[mutable.label])}, {{{table}}}),")
    return indented(lines, 1)


def _network(spec: RunSpec, space: SearchSpace | None) -> dict[str, str]:
    """network.py, and for a joint space what stands in the place of NNI's model space."""
    if space is None:
        return {}
    if spec.architecture is not None:
        return {"network.py": torch_code(space, spec.architecture)}
    return {"network.py": "\n".join(_without_nni(nni_code(space))) + "\n", "chosen.py": texts.CHOSEN}


def _without_nni(code: str) -> Iterator[str]:
    """NNI's model space as a network whose choices are made when it is built."""
    for line in code.rstrip("\n").split("\n"):
        if line.startswith(("# NNI ", "# If NNI", "# builds:", "# Run one batch")):
            continue
        if line == "import nni":
            yield "import chosen as nni"
        else:
            yield line.replace("from nni.nas.nn.pytorch import", "from chosen import", 1)


# -- what a person reads ----------------------------------------------------------------------------------------------


def _requirements(spec: RunSpec) -> str:
    lines = ["nni==3.0", "setuptools<81  # for nnictl only; run.py does not need it"]
    if spec.objective in ("train", "mlp"):
        lines += ["torch", "numpy", "scikit-learn"]
        lines += ["torchvision"] if spec.dataset in texts.READERS else []
    return "\n".join(lines) + "\n"


def _readme(spec: RunSpec, network: Mapping[str, str]) -> str:
    objective = spec.objective if not spec.trains_network else f"{spec.space_name} on {spec.dataset}"
    assessor = spec.method.get("assessor", NONE)
    rows = {
        "network.py": "| `network.py` | the network that is trained |\n",
        "chosen.py": "| `chosen.py` | makes its choices when it is built |\n",
    }
    return texts.README.format(
        title=f"Tuning {objective}",
        trials=spec.trials,
        objective=objective,
        tuner=spec.method.get("tuner", "TPE"),
        judged="" if assessor == NONE else f" and judged by the assessor {assessor}",
        network="".join(rows[name] for name in network),
        differences="\n".join(f"- {line}" for line in _differences(spec)),
    )


def _differences(spec: RunSpec) -> Iterator[str]:
    name = spec.method.get("tuner", "TPE")
    if name in BROKEN:
        entry = TUNERS.get(name)
        reason = (entry.facts["reason"] if entry is not None else "") or "The app mends it in memory."
        yield f"**{name} does not run in NNI 3.0 as it is.** {reason} Set another tuner in `config.yml`."
    yield "Networks start from torch's own initial weights, so results differ a little from the app's."
    yield "NNI's tuners do not hear of trials that an assessor stopped; the app tells them the last result."
    if name in ("TPE", "Random"):
        yield "Where everything is a choice, NNI replaces a suggestion made before by the next point of a grid."
    if spec.method.get("assessor") == "Curvefitting":
        yield (
            "NNI's Curvefitting takes seconds for each look at a long curve, and with parallel trials may compare with "
            "the wrong trial's value; the app mends both."
        )
