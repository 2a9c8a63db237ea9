"""Architectures as NNI samples, and back.

A sample is {label: value} as an architecture is, except that NNI's labels hold no `/`, that its candidates become
module names and so must be names that torch accepts, and that chosen inputs are a list.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.nets.network import module_names
from explorer.space import Architecture, InputChoice, LayerChoice, SearchSpace

RESERVED = ("names", "length", "reduction", "return_mask", "choice", "choices", "candidates", "label", "key")


def nni_labels(space: SearchSpace) -> dict[str, str]:
    """Label -> the label that NNI knows the same choice by."""
    return module_names(mutable.label for mutable in space.mutables)


def candidate_names(choice: LayerChoice) -> dict[str, str]:
    """Candidate -> the name that NNI knows it by."""
    return module_names(choice.names, taken=RESERVED)


def to_nni_sample(space: SearchSpace, architecture: Mapping[str, Any]) -> dict[str, Any]:
    """The sample for NNI's `freeze` and `model_context`; raises SpaceError for what is no architecture of `space`."""
    checked, labels = space.architecture(architecture), nni_labels(space)
    sample: dict[str, Any] = {}
    for mutable in space.mutables:
        value = checked[mutable.label]
        if isinstance(mutable, LayerChoice):
            value = candidate_names(mutable)[value]
        elif isinstance(mutable, InputChoice):
            value = list(value)
        sample[labels[mutable.label]] = value
    return sample


def from_nni_sample(space: SearchSpace, sample: Mapping[str, Any]) -> Architecture:
    """The inverse of `to_nni_sample`; inputs may come in any order. Raises SpaceError."""
    labels, choices = nni_labels(space), {}
    for mutable in space.mutables:
        if labels[mutable.label] not in sample:
            continue  # `architecture` below says that it is missing
        value = sample[labels[mutable.label]]
        if isinstance(mutable, LayerChoice):
            value = {name: candidate for candidate, name in candidate_names(mutable).items()}.get(
                value, value
            )
        elif isinstance(mutable, InputChoice):
            value = sorted(value)
        choices[mutable.label] = value
    return space.architecture(choices)
