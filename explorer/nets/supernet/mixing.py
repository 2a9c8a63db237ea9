"""What each decision of a supernet is given in one forward pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Gate:
    """Runs only the candidates `indices`, each multiplied by its entry of `weights` (candidates,).

    With `constants` the weights of all others are added as plain numbers, as the GDAS authors' code does: it changes no
    value where they are 0, and gives every candidate that did not run the same gradient.
    """

    indices: tuple[int, ...]
    weights: Tensor
    constants: bool = False


Mix = Tensor | Gate | int | tuple[int, ...] | None
"""A tensor (candidates,) weighs all of them; a Gate some; a number runs that one alone, a tuple those sources; None
lets nothing through."""

Mixture = Mapping[str, Mix]
"""Decision's label -> Mix, for every decision of the space."""
