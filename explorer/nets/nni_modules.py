"""NNI's own network classes, imported in a way that works on today's stack; everything of ours imports them from here.

`nni.nas` imports torchvision, whose compiled operators may be missing (`explorer.data.shim`), and wraps every name in
`torch.nn`, which warns about the two newer ones that are no modules.
"""

from __future__ import annotations

import re
import warnings

from explorer.data.shim import declare_missing_operators

declare_missing_operators()
with warnings.catch_warnings():
    for name in (
        "torch.nn.parameter.Buffer",
        "torch.nn.modules.linear_cross_entropy_options.LinearCrossEntropyOptions",
    ):
        message = f"<class '{name}'> is found to be not a nn.Module, which is unexpected."
        warnings.filterwarnings("ignore", re.escape(message), RuntimeWarning)
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
