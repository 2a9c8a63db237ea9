"""torchvision imports with either build of torch; each question is asked in an interpreter of its own."""

from __future__ import annotations

import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow  # an interpreter that imports torch for each


def _python(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@lru_cache
def _compiled_loads() -> bool:
    """Whether torchvision imports by itself here: it does with the CUDA build, and not with the CPU build."""
    return _python("import torchvision").returncode == 0


def test_torchvision_imports_and_its_models_work_with_this_build() -> None:
    result = _python(
        "from explorer.data.shim import import_torchvision\n"
        "import torch\n"
        "tv = import_torchvision()\n"
        "assert import_torchvision() is tv\n"
        "assert tv.models.squeezenet1_0(num_classes=10).eval()(torch.zeros(1, 3, 64, 64)).shape == (1, 10)\n"
        "small = tv.transforms.functional.resize(torch.zeros(1, 8, 8), [4, 4], antialias=True)\n"
        "assert small.shape == (1, 4, 4)\n"
        "assert tv.datasets.FakeData(size=3)[0][0].size == (224, 224)\n"
    )
    assert result.returncode == 0, result.stderr


def test_schemas_are_declared_exactly_where_the_compiled_operators_are_missing() -> None:
    result = _python("from explorer.data.shim import declare_missing_operators as d; print(d(), d())")
    expected = "() ()" if _compiled_loads() else "('nms', 'qnms') ()"
    assert result.stdout.strip() == expected, result.stderr


def test_nothing_is_declared_where_the_compiled_operators_load() -> None:
    result = _python(
        "import torch\n"
        "from explorer.data.shim import declare_missing_operators\n"
        "assert declare_missing_operators(load=lambda: True) == ()\n"
        "assert not hasattr(torch.ops.torchvision, 'nms')\n"
    )
    assert result.returncode == 0, result.stderr


def test_both_schemas_are_declared_once_where_they_do_not_load() -> None:
    result = _python(
        "import torch\n"
        "from explorer.data.shim import declare_missing_operators\n"
        "assert declare_missing_operators(load=lambda: False) == ('nms', 'qnms')\n"
        "assert declare_missing_operators(load=lambda: False) == ()\n"
        "print(torch.ops.torchvision.nms.default._schema)\n"
    )
    assert "torchvision::nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor" in result.stdout


def test_compiled_operators_answer_where_they_load() -> None:
    if not _compiled_loads():
        pytest.skip("this torch is the CPU build and this torchvision is not: its operators cannot load")
    result = _python(
        "from explorer.data.shim import import_torchvision\n"
        "import torch\n"
        "boxes = torch.tensor([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 2.0]])\n"
        "print(import_torchvision().ops.nms(boxes, torch.tensor([0.5, 0.9]), 0.5).tolist())\n"
    )
    assert result.stdout.strip() == "[1]", result.stderr


def test_asking_for_digits_does_not_import_torchvision() -> None:
    result = _python(
        "import sys\n"
        "from explorer.data import load_dataset\n"
        "load_dataset('digits')\n"
        "assert 'torchvision' not in sys.modules\n"
    )
    assert result.returncode == 0, result.stderr
