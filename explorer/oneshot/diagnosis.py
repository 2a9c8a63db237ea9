"""Why a search's loss became no finite number: a sentence that names the step and the setting to look at first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.catalogue import Entry

_RATES = ("weight_learning_rate", "alpha_learning_rate", "controller_learning_rate")
_HAIR = 1.5  # a setting so many times above its default stands out


def failure(
    what: str, step: int, epoch: int, settings: Mapping[str, Any], entry: Entry, pixels_ok: bool
) -> str:
    """`what` was no finite number any more; the likely cause is the step size furthest above its default."""
    seen = f"{what} was no finite number any more at step {step} (epoch {epoch})"
    return f"{seen}; {likely_cause(settings, entry, pixels_ok)}."


def likely_cause(settings: Mapping[str, Any], entry: Entry, pixels_ok: bool) -> str:
    """The end of that sentence, without a full stop."""
    if not pixels_ok:
        return "the images themselves hold values that are no finite numbers"
    defaults = entry.defaults()
    above = {name: settings[name] / defaults[name] for name in _RATES if defaults.get(name)}
    name = max(above, key=above.__getitem__)
    loose = settings.get("gradient_clip") == 0
    if above[name] < _HAIR and loose:
        return "gradient_clip is 0, so nothing held the gradients; give 5, or a smaller weight_learning_rate"
    also = " and gradient_clip 0" if loose else ""
    if above[name] < _HAIR:
        return f"no setting stands out; try a {name} below {settings[name]:g}"
    return f"the likely cause is {name} {settings[name]:g}{also}; try {defaults[name]:g}, the default"
