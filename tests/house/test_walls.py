"""Who may import whom (ARCHITECTURE.md): read from the syntax trees, and tried in interpreters of their own."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.house.modules import ROOT, imports, module_name, python_files

WORDS = ("errors", "glossary")
DESCRIBED = (*WORDS, "catalogue")
SPACED = (*DESCRIBED, "space")
TUNED = (*SPACED, "board", "hyper")
LIGHT = (*TUNED, "runs", "lens", "strategies", "tables", "key", "plots", "export", "jobs")
MATERIAL = ("data", "nets", "adapters", "trials")
ENGINES = ("tuning", "nas", "oneshot", "features")

# room -> rooms (or single modules) that it may import, itself aside
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "errors": (),
    "glossary": ("errors",),
    "catalogue": WORDS,
    "space": DESCRIBED,
    "board": SPACED,
    "hyper": SPACED,
    "runs": TUNED,
    "lens": (*TUNED, "runs"),
    "strategies": SPACED,
    "tables": SPACED,
    "key": (*SPACED, "runs", "strategies", "tables"),
    "plots": (*TUNED, "runs", "lens", "strategies", "tables"),
    "export": (
        *TUNED,
        "runs",
        "lens",
        "strategies",
        "tables",
        "key",
        "plots",
    ),  # a report shows what the screen shows
    "jobs": tuple(room for room in LIGHT if room != "jobs"),
    "data": LIGHT,
    "nets": (*LIGHT, "data.shim"),  # NNI imports torchvision, so the shim comes first
    "adapters": (*LIGHT, "data.shim"),
    "trials": (*LIGHT, "data", "nets"),
    **dict.fromkeys(ENGINES, (*LIGHT, *MATERIAL)),
    "doctor": (*LIGHT, *MATERIAL),
    "commands": (*LIGHT, "doctor"),
    "cli": (*LIGHT, "commands"),
    "__main__": ("cli",),
}
# What an engine takes as an argument it does not import: neither the store nor what starts and watches runs.
NOT_FOR_ENGINES = (
    "runs.store",
    "runs.leases",
    "runs.tables",
    "jobs.launch",
    "jobs.supervisor",
    "jobs.worker",
)
# A page reads and asks; of `jobs` it may only start runs and tell this place's limits.
FOR_PAGES = (*(room for room in LIGHT if room != "jobs"), "jobs.asking", "jobs.launch", "jobs.limits")
HEAVY = ("torch", "nni", "torchvision", "sklearn", "streamlit", "pytorch_lightning")

PACKAGE = python_files("explorer")
PAGES = python_files("streamlit_app.py", "pages", "cloud/streamlit_app.py")


def _within(name: str, rooms: tuple[str, ...]) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def _ours(name: str) -> str | None:
    """explorer.space.cell -> space.cell; None for what is not ours."""
    return name.removeprefix("explorer.") if name.startswith("explorer.") else None


@pytest.mark.parametrize("path", PACKAGE, ids=module_name)
def test_a_module_imports_only_rooms_that_its_own_may_enter(path: object) -> None:
    module = module_name(path).removeprefix("explorer").removeprefix(".")
    room = module.split(".")[0]
    if not room:
        assert [name for name in imports(path) if _ours(name)] == [], "explorer/__init__.py must cost nothing"
        return
    assert room in MAY_IMPORT, f"room {room!r} is new: say in MAY_IMPORT what it may import"
    reached = [ours for name in imports(path) if (ours := _ours(name))]
    allowed = (room, *MAY_IMPORT[room], "__version__")
    assert [name for name in reached if not _within(name, allowed)] == []
    if room in ENGINES:
        assert [name for name in reached if _within(name, NOT_FOR_ENGINES)] == []


@pytest.mark.parametrize("path", PAGES, ids=module_name)
def test_a_page_imports_only_the_light_half(path: object) -> None:
    reached = [ours for name in imports(path) if (ours := _ours(name))]
    assert [name for name in reached if not _within(name, FOR_PAGES)] == []
    assert [
        name for name in imports(path) if name.split(".")[0] in HEAVY and not _within(name, ("streamlit",))
    ] == []


@pytest.mark.parametrize("path", PACKAGE, ids=module_name)
def test_nothing_but_pages_knows_of_streamlit(path: object) -> None:
    assert [name for name in imports(path) if _within(name, ("streamlit", "pages"))] == []


def _light_modules() -> list[str]:
    names = [module_name(path) for path in PACKAGE]
    return ["explorer", *(name for name in names if (ours := _ours(name)) and _within(ours, LIGHT))]


def _heavy_after_importing(module: str) -> str:
    """What of HEAVY is loaded after importing `module` alone, in an interpreter of its own; "" for nothing."""
    code = f"import sys, {module}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else done.stderr


def test_importing_all_of_the_light_half_loads_nothing_heavy() -> None:
    assert _heavy_after_importing(", ".join(_light_modules())) == ""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_importing_a_light_module_loads_nothing_heavy() -> None:
    modules = _light_modules()
    assert len(modules) > len(LIGHT)
    with ThreadPoolExecutor(2) as pool:
        loaded = dict(zip(modules, pool.map(_heavy_after_importing, modules), strict=True))
    assert {module: heavy for module, heavy in loaded.items() if heavy} == {}


def test_the_check_itself_sees_what_is_heavy() -> None:
    assert "torch" in _heavy_after_importing("explorer.data").split()
