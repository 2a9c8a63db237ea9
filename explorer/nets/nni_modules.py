"""NNI's own network classes, imported in a way that works on today's stack; everything of ours imports them from here.

What stands in the way of importing them is `explorer.data.shim`'s business.
"""

from __future__ import annotations

from explorer.data.shim import nni_imports

with nni_imports():
    from nni import choice
    from nni.mutable import CategoricalMultiple
    from nni.nas.nn.pytorch import InputChoice, LayerChoice, ModelSpace, MutableModule
    from nni.nas.nn.pytorch.choice import ChosenInputs
    from nni.nas.space import current_model, model_context

__all__ = [
    "CategoricalMultiple",
    "ChosenInputs",
    "InputChoice",
    "LayerChoice",
    "ModelSpace",
    "MutableModule",
    "choice",
    "current_model",
    "model_context",
]
