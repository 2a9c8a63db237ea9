"""What a trial of hyper-parameter optimisation evaluates: one payload in, results out, whatever the executor.

The result depends on the payload alone. A trial is a generator: each intermediate result is answered with whether to go
on; told False, it keeps a checkpoint where the payload names one, and ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from explorer.catalogue import DATASETS, MLP, TRAINING, Entry
from explorer.errors import SpaceError, SpecError
from explorer.nets.network import NetworkModule
from explorer.space import check_network
from explorer.trials.evaluate import bound_space
from explorer.trials.fitting import Trial, dataset, fit, read_checkpoint
from explorer.tuning import functions
from explorer.tuning.mlp import perceptron

TARGET = "explorer.tuning.objectives:evaluate"


def evaluate(payload: Mapping[str, Any]) -> Trial:
    """Yields {"step", "value", "metrics"} as it goes and last {"final", "value", "metrics"}.

    payload: objective, parameters (as the tuner gave them, choices of the space taken out), space, architecture,
    dataset, training (fixed settings), epochs, seed, root, checkpoint, resume_from; and for PBT load_from, save_to.
    """
    yield from _OBJECTIVES[payload["objective"]](payload)


def train_network(payload: Mapping[str, Any]) -> Trial:
    """Train one architecture with the suggested settings; accuracies in 0 .. 1."""
    space = bound_space(payload["space"], payload["dataset"])
    network = space.lower(space.architecture(payload["architecture"]))
    problems = check_network(network, DATASETS.find(payload["dataset"]).facts["classes"])
    if problems:
        raise SpaceError(*map(str, problems))
    costs = {"parameters": network.parameters, "macs": network.macs}
    sizes = (space.input.channels, space.input.side)
    yield from _trained(payload, NetworkModule(network), sizes, settings_of(TRAINING, payload), costs)


def train_mlp(payload: Mapping[str, Any]) -> Trial:
    """Train a multilayer perceptron on the dataset's own images; accuracies in 0 .. 1."""
    facts = DATASETS.find(payload["dataset"]).facts
    chosen = settings_of(MLP, payload)
    module = perceptron(facts["channels"] * facts["side"] ** 2, facts["classes"], chosen)
    weights = sum(weight.numel() for weight in module.parameters())
    macs = sum(layer.in_features * layer.out_features for layer in module if isinstance(layer, nn.Linear))
    costs = {"parameters": weights, "macs": macs}
    sizes = (facts["channels"], facts["side"])
    yield from _trained(payload, module, sizes, settings_of(TRAINING, payload), costs)


def branin(payload: Mapping[str, Any]) -> Trial:
    """One value; no intermediate results, no noise."""
    x = _numbers(payload, ("x1", "x2"))
    yield {"final": True, "value": functions.branin(*x), "metrics": {}}


def hartmann6(payload: Mapping[str, Any]) -> Trial:
    """One value; no intermediate results, no noise."""
    x = _numbers(payload, tuple(f"x{number}" for number in range(1, 7)))
    yield {"final": True, "value": functions.hartmann6(x), "metrics": {}}


def curves(payload: Mapping[str, Any]) -> Trial:
    """A simulated learning curve; it knows its numbers by heart, so it needs no checkpoint."""
    values = functions.curves(payload["parameters"], payload["epochs"], payload["seed"])
    for step, value in enumerate(values, 1):
        go_on = yield {"step": step, "value": value, "metrics": {}}
        if go_on is False:
            return
    yield {"final": True, "value": values[-1], "metrics": {}}


_OBJECTIVES: Mapping[str, Callable[[Mapping[str, Any]], Trial]] = {
    "train": train_network,
    "mlp": train_mlp,
    "branin": branin,
    "hartmann6": hartmann6,
    "curves": curves,
}


def settings_of(entry: Entry, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of `entry` that this trial uses: defaults, what the run fixes, what the tuner suggests.

    A whole number that a tuner gives as 16.0 is one. Raises SpecError for impossible values.
    """
    kinds = {parameter.name: parameter.kind for parameter in entry.parameters}
    given = {**payload["training"], **payload["parameters"]}
    mine = {name: _whole(value, kinds[name]) for name, value in given.items() if name in kinds}
    return entry.settings(mine)


def _whole(value: Any, kind: str) -> Any:
    return int(value) if kind == "int" and isinstance(value, float) and value.is_integer() else value


def _trained(
    payload: Mapping[str, Any],
    module: nn.Module,
    sizes: tuple[int, int],
    settings: Mapping[str, Any],
    costs: Mapping[str, int],
) -> Trial:
    yield from fit(
        module,
        dataset(payload["dataset"], *sizes, payload.get("root")),
        epochs=payload["epochs"],
        settings=settings,
        seed=payload["seed"],
        costs=costs,
        checkpoint=payload.get("checkpoint"),
        resume_from=payload.get("resume_from"),
        weights=_inherited(module, payload.get("load_from")),
        save_to=payload.get("save_to"),
    )


def _inherited(module: nn.Module, path: str | None) -> dict[str, Any] | None:
    """The weights that its PBT ancestor left, where there are any that fit.

    Weights only: the optimizer's memory belongs to the ancestor's settings. Where another architecture left other
    shapes, the trial begins afresh.
    """
    found = read_checkpoint(path)
    wanted = {name: weight.shape for name, weight in module.state_dict().items()}
    if found is None or {name: getattr(one, "shape", None) for name, one in found.items()} != wanted:
        return None
    return found


def _numbers(payload: Mapping[str, Any], names: tuple[str, ...]) -> list[float]:
    given = payload["parameters"]
    for name in names:
        value = given.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SpecError(f"{payload['objective']} needs a number {name}; got {value!r}.")
    return [float(given[name]) for name in names]
