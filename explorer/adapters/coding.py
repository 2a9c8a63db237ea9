"""A space whose choices are replaced by the indices of their options, for tuners that trip over the options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.adapters.domains import Space


class Coded:
    """`space`: the space with indices for options (nothing nested); `decode` and `encode` go from it and to it."""

    def __init__(self, space: Space) -> None:
        self._options = {name: spec["_value"] for name, spec in space.items() if spec["_type"] == "choice"}
        self.space = {name: _indices(spec) for name, spec in space.items()}

    def decode(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Indices -> options."""
        return {
            name: self._options[name][int(value)] if name in self._options else value
            for name, value in parameters.items()
        }

    def encode(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Options -> indices; raises ValueError for an option that the space does not have."""
        return {
            name: self._options[name].index(value) if name in self._options else value
            for name, value in parameters.items()
        }


def _indices(spec: Mapping[str, Any]) -> dict[str, Any]:
    values = range(len(spec["_value"])) if spec["_type"] == "choice" else spec["_value"]
    return {"_type": spec["_type"], "_value": list(values)}
