"""What each objective can be tuned in: the parameters it understands, and a search space to begin with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from explorer.catalogue import MLP, TRAINING, Parameter
from explorer.errors import UnknownName
from explorer.hyper.domain import Combination, Domain, plain
from explorer.hyper.reading import first_few
from explorer.hyper.space import HyperSpace

_X = "A coordinate of the test function."


def _named(*parameters: Parameter) -> Mapping[str, Parameter]:
    return MappingProxyType({parameter.name: parameter for parameter in parameters})


PARAMETERS: Mapping[str, Mapping[str, Parameter]] = MappingProxyType(
    {
        "train": _named(*TRAINING.parameters),
        "mlp": _named(*TRAINING.parameters, *MLP.parameters),
        "branin": _named(
            Parameter("x1", "float", 0.0, _X, -1e6, 1e6),
            Parameter("x2", "float", 0.0, _X, -1e6, 1e6),
        ),
        "hartmann6": _named(*(Parameter(f"x{at}", "float", 0.5, _X, -1e6, 1e6) for at in range(1, 7))),
        "curves": _named(
            Parameter(
                "learning_rate", "float", 0.01, "How fast the curve rises; too large is bad.", 1e-8, 100.0
            ),
            Parameter("width", "float", 32, "Capacity: raises the end of the curve and slows it.", 1, 1e6),
            Parameter("regularisation", "float", 1e-4, "Too much lowers the end of the curve.", 0.0, 10.0),
        ),
    }
)
"""Objective -> name -> what it means (`help`) and which values it takes (`problem`)."""

REQUIRED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"branin": ("x1", "x2"), "hartmann6": tuple(f"x{at}" for at in range(1, 7))}
)
"""Objective -> parameters that have no default; every search space must hold them."""

_TRAINING_SPACE: dict[str, Any] = {
    "learning_rate": {"_type": "loguniform", "_value": [0.001, 0.5]},
    "batch_size": {"_type": "choice", "_value": [16, 32, 64]},
    "weight_decay": {"_type": "loguniform", "_value": [1e-6, 1e-2]},
    "optimizer": {"_type": "choice", "_value": ["sgd", "adam"]},
}

DEFAULT_SPACES: Mapping[str, dict[str, Any]] = MappingProxyType(
    {
        "train": _TRAINING_SPACE,
        "mlp": {
            **_TRAINING_SPACE,
            "hidden_units": {"_type": "choice", "_value": [16, 32, 64, 128]},
            "hidden_layers": {"_type": "randint", "_value": [1, 4]},
            "dropout": {"_type": "uniform", "_value": [0.0, 0.5]},
            "activation": {"_type": "choice", "_value": ["relu", "tanh"]},
        },
        "branin": {
            "x1": {"_type": "uniform", "_value": [-5, 10]},
            "x2": {"_type": "uniform", "_value": [0, 15]},
        },
        "hartmann6": {f"x{at}": {"_type": "uniform", "_value": [0, 1]} for at in range(1, 7)},
        "curves": {
            "learning_rate": {"_type": "loguniform", "_value": [1e-4, 1]},
            "width": {"_type": "randint", "_value": [8, 128]},
            "regularisation": {"_type": "loguniform", "_value": [1e-6, 1e-1]},
        },
    }
)
"""Objective -> a search space in NNI's form that a run without one takes."""


def unknown_names(objective: str, hyper: HyperSpace, labels: Iterable[str] = ()) -> list[str]:
    """Sentences about what `objective` would not understand: names, values it refuses, coordinates that are missing.

    `labels` are the parameters that stand for choices of the network, checked elsewhere. Nested parameters and Batch's
    assignments count under their own names, as `flat` hands them over.
    """
    known = PARAMETERS[objective]
    skipped = set(labels)
    found = [(where, name, values) for where, name, values in _offers(hyper) if name not in skipped]
    problems: list[str] = []
    for where, name, values in found:
        if name not in known:
            problems.append(str(UnknownName(f"parameter of {objective}", where, [*known, *sorted(skipped)])))
        else:
            problems += _refused(where, known[name], values)
    problems += _given_twice(hyper)
    offered = {name for _, name, _ in found}
    for name in REQUIRED.get(objective, ()):
        if name not in offered:
            problems.append(f"{objective} needs {name}; add it to the search space.")
    return first_few(problems)


def _offers(hyper: HyperSpace) -> Iterator[tuple[str, str, Domain | tuple[Any, ...]]]:
    """(path, name, what it can be) of everything that the objective will be given."""
    if hyper.combinations is not None:
        found: dict[str, list[Any]] = {}
        for combination in hyper.combinations.values:
            if isinstance(combination, Combination):
                for name, value in combination.items:
                    found.setdefault(name, []).append(plain(value))
        yield from ((name, name, tuple(values)) for name, values in found.items())
        return
    yield from ((where, domain.name, domain) for where, domain in hyper.walk())


def _refused(where: str, parameter: Parameter, values: Domain | tuple[Any, ...]) -> list[str]:
    """The first value that the objective refuses, as a sentence, with what to do about it."""
    worst = values.ends if isinstance(values, Domain) else values
    problem = next((problem for value in worst if (problem := parameter.problem(value))), None)
    if problem is None:
        return []
    sentence = problem.replace(parameter.name, where, 1)
    if not isinstance(values, Domain) or values.is_choice:
        return [sentence]
    why = f"it is drawn from {values.type}"
    if parameter.kind == "int" and values.type != "randint":
        why = f"{values.type} gives numbers with a decimal point: take randint or choice"
    elif values.is_normal:
        why = f"{values.type} has no ends: take uniform or loguniform"
    return [f"{sentence.removesuffix('.')} ({why})."]


def _given_twice(hyper: HyperSpace) -> list[str]:
    """Names at two depths of one assignment: the objective could not tell which counts."""
    paths = list(hyper.paths())
    return [
        f"{'/'.join(path)} and {'/'.join(other)} have one name in one trial; rename or remove one."
        for at, (path, domain) in enumerate(paths)
        for other, same in paths[at + 1 :]
        if domain.name == same.name and _can_meet(path, other)
    ]


def _can_meet(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    """Whether two parameters can be part of one assignment: they do not lie in two options of one choice.

    A path goes choice, option, choice, option, ..., parameter.
    """
    parting = next(at for at, (one, two) in enumerate(zip(first, second, strict=False)) if one != two)
    return parting % 2 == 0
