"""The names of the learning curves that Curvefitting fits and of their parameters, in NNI's order.

Here because three rooms read them: `runs` checks recorded assessments, `lens` draws the curves, and tests hold both to
NNI. What the curves are is written in `lens/curves.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# family -> its parameters
CURVE_PARAMETERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "vap": ("a", "b", "c"),
        "pow3": ("c", "a", "α"),
        "linear": ("a", "b"),
        "logx_linear": ("a", "b"),
        "dr_hill_zero_background": ("θ", "η", "κ"),
        "log_power": ("a", "b", "c"),
        "pow4": ("α", "a", "b", "c"),
        "mmf": ("α", "β", "κ", "δ"),
        "exp4": ("c", "a", "b", "α"),
        "ilog2": ("c", "a"),
        "weibull": ("α", "β", "κ", "δ"),
        "janoschek": ("a", "β", "k", "δ"),
    }
)
