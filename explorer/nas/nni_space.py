"""A search space as NNI's multi-trial strategies know it, without building a network."""

from __future__ import annotations

from typing import Any

from explorer.data.shim import nni_imports
from explorer.errors import SpecError
from explorer.nets.samples import candidate_names, nni_labels, to_nni_sample
from explorer.space import InputChoice, LayerChoice, Mutable, SearchSpace

with nni_imports():
    from nni.mutable import Categorical, CategoricalMultiple

MOST_OPTIONS = 1_000  # of one choice that TPE is handed


def mutables(space: SearchSpace) -> dict[str, Any]:
    """What `build_model_space(space).simplify()` gives, without building a network: NNI's label -> NNI's mutable."""
    labels = nni_labels(space)
    return {labels[each.label]: _mutable(each, labels[each.label]) for each in space.mutables}


def _mutable(given: Mutable, label: str) -> Any:
    if isinstance(given, LayerChoice):
        return Categorical(list(candidate_names(given).values()), label=label)
    if isinstance(given, InputChoice):
        return CategoricalMultiple(list(range(len(given.sources))), n_chosen=given.n_chosen, label=label)
    return Categorical(list(given.values), label=label)


def options(space: SearchSpace) -> dict[str, list[Any]]:
    """NNI's label -> every value of the choice as NNI samples it; raises SpecError where there are too many."""
    labels, base = nni_labels(space), space.default
    found: dict[str, list[Any]] = {}
    for mutable in space.mutables:
        if mutable.count > MOST_OPTIONS:
            raise SpecError(
                f"TPE takes at most {MOST_OPTIONS:,} options a choice, but {mutable.label} has {mutable.count:,}; "
                "pick another strategy, or restrict the space."
            )
        label = labels[mutable.label]
        found[label] = [
            to_nni_sample(space, base.with_choice(mutable.label, mutable.option(at)))[label]
            for at in range(mutable.count)
        ]
    return found
