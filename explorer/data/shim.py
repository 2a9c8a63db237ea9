"""Import torchvision where its compiled operators cannot load.

With the CPU build of torch, the registry's torchvision (linked against CUDA) cannot load its compiled part,
and `import torchvision` stops at "operator torchvision::nms does not exist": two fake kernels are
registered for operators that nobody declared. Declaring those two schemas first is enough for datasets,
transforms and models; the operators themselves stay unavailable, as torchvision means it. Where the
compiled part loads, nothing is declared.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import torch

SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_NO_MODULES = (
    "torch.nn.parameter.Buffer",
    "torch.nn.modules.linear_cross_entropy_options.LinearCrossEntropyOptions",
)
_declared: list[torch.library.Library] = []  # a declaration lives as long as its Library object


def import_torchvision() -> ModuleType:
    """The torchvision package, whichever build of torch is here."""
    declare_missing_operators()
    with warnings.catch_warnings():
        # Reading image files by torchvision.io needs the same compiled part; nothing here does that.
        warnings.filterwarnings("ignore", message="Failed to load image Python extension")
        return importlib.import_module("torchvision")


def declare_missing_operators(load: Callable[[], bool] | None = None) -> tuple[str, ...]:
    """Declare those of torchvision's two schemas that exist nowhere; their names are returned.

    `load` tries to load the compiled operators and says whether that worked.
    """
    if (load or load_compiled)():
        return ()
    missing = tuple(name for name in SCHEMAS if not hasattr(torch.ops.torchvision, name))
    if missing:
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in missing:
            library.define(SCHEMAS[name])
        _declared.append(library)
    return missing


@contextmanager
def nni_imports() -> Iterator[None]:
    """Import NNI's network classes inside: torchvision, which they need, can be imported, and one warning is expected.

    NNI wraps every name in `torch.nn`, and is astonished at the two newer ones that are no modules.
    """
    declare_missing_operators()
    with warnings.catch_warnings():
        for name in _NO_MODULES:
            message = f"<class '{name}'> is found to be not a nn.Module, which is unexpected."
            warnings.filterwarnings("ignore", re.escape(message), RuntimeWarning)
        yield


def load_compiled() -> bool:
    """Load torchvision's compiled operators without importing the package; False where they cannot load.

    torchvision loads the same file again later, which costs and changes nothing.
    """
    spec = importlib.util.find_spec("torchvision")
    folders = list(spec.submodule_search_locations or []) if spec else []
    libraries = [
        path for folder in folders for path in Path(folder).glob("_C*") if path.suffix in (".so", ".pyd")
    ]
    if not libraries:
        return False
    try:
        torch.ops.load_library(str(libraries[0]))
    except OSError:
        return False
    return True
