"""How a run's values are read: their name and unit, what to multiply them with, which direction is better."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.catalogue import OBJECTIVES
from explorer.plots.charts import Axis
from explorer.runs.spec import RunSpec


@dataclass(frozen=True)
class Scale:
    """`title` without the unit; a value is stored in the objective's own unit and shown times `factor`.

    `better` is "higher" or "lower".
    """

    title: str
    factor: float
    unit: str
    better: str

    @property
    def sign(self) -> int:
        """1 where higher is better, else -1: what to multiply with so that larger is better."""
        return 1 if self.better == "higher" else -1

    @property
    def axis(self) -> Axis:
        """The value's axis: title, unit, direction of better."""
        return Axis(f"{self.title} ({self.unit})" if self.unit else self.title, self.better)

    @property
    def short(self) -> str:
        """The axis' title where there is little room: `accuracy (%)`, `value`."""
        return f"accuracy ({self.unit})" if self.unit else "value"

    @property
    def hover(self) -> str:
        """Plotly's format of a shown value, unit included: what follows the colon in `%{y:…}`."""
        return ".1f} %" if self.unit == "%" else ".5~g}"

    def shown(self, value: float) -> float:
        """The number on the axis for a stored value."""
        return self.factor * value

    def text(self, value: float | None) -> str:
        """A stored value in words: `93.1 %`, `0.3979`, a dash for none."""
        if value is None:
            return "–"
        return f"{self.shown(value):.1f} %" if self.unit == "%" else number(self.shown(value))


def scale_of(spec: RunSpec) -> Scale:
    """Accuracies in percent, function values as numbers."""
    better = "lower" if spec.optimize_mode == "minimize" else "higher"
    entry = OBJECTIVES.find(spec.objective)
    if entry.facts["unit"] != "accuracy":
        return Scale(f"value of the {entry.label}", 1, "", better)
    return Scale("validation accuracy" if entry.facts["trains"] else "simulated accuracy", 100, "%", better)


def number(value: float) -> str:
    """At most four digits that matter: `0.001`, `1234`, `3.2e-7`."""
    if value == round(value) and abs(value) < 1e6:
        return str(round(value))
    return short(value)


def short(value: float) -> str:
    """Four digits that matter, the one form of a number everywhere.

    >>> short(0.00534712), short(1.4583e-06), short(64)
    ('0.005347', '1.458e-6', '64')
    """
    return f"{value:.4g}".replace("e-0", "e-").replace("e+0", "e")
