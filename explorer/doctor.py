"""Is this place sound? Versions, devices, data, store, limits: one finding each, never an exception."""

from __future__ import annotations

import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from explorer.catalogue import DATASETS
from explorer.errors import ExplorerError

PACKAGES = (
    "nni",
    "torch",
    "torchvision",
    "streamlit",
    "plotly",
    "graphviz",
    "scikit-learn",
    "SQLAlchemy",
    "numpy",
)


def findings() -> Iterator[dict[str, Any]]:
    """{"what", "ok", "says"} for each thing looked at."""
    yield _finding(
        "python", sys.version_info >= (3, 11), f"{platform.python_version()} on {platform.system()}"
    )
    for package in PACKAGES:
        yield _guarded(package, lambda package=package: metadata.version(package))  # type: ignore[misc]
    yield _guarded("import torch", _device)
    yield _guarded("import torchvision", _torchvision)
    yield _guarded("import nni", _nni)
    for name in DATASETS:
        yield _guarded(f"data {name}", lambda name=name: _dataset(name))  # type: ignore[misc]
    yield _guarded("store", _store)
    yield _guarded("limits", _limits)


def _finding(what: str, ok: bool, says: str) -> dict[str, Any]:
    return {"what": what, "ok": ok, "says": says}


def _guarded(what: str, look: Callable[[], str]) -> dict[str, Any]:
    try:
        return _finding(what, True, look())
    except ExplorerError as error:
        return _finding(
            what, what.startswith("data "), str(error)
        )  # a dataset may be missing; the rest may not
    except Exception as error:  # a broken install can raise anything at import, and saying so is the purpose
        return _finding(what, False, f"{type(error).__name__}: {error}".splitlines()[0])


def _device() -> str:
    import torch

    return (
        f"{torch.cuda.get_device_name(0)}"
        if torch.cuda.is_available()
        else "no GPU found; training uses the processor"
    )


def _torchvision() -> str:
    from explorer.data.shim import import_torchvision

    return str(import_torchvision().__version__)


def _nni() -> str:
    import nni

    import explorer.nets.nni_modules  # noqa: F401  (its import is what is being tried)

    return str(nni.__version__)


def _dataset(name: str) -> str:
    from explorer.data import load_dataset
    from explorer.data.places import data_root
    from explorer.data.vision import SOURCES, absent

    source = next((source for source in SOURCES if source.name == name), None)
    if source is not None and absent(source, data_root(None)):
        return f"not here; fetched on first use, or place its files in {data_root(None) / source.folder}"
    dataset = load_dataset(name)
    sizes = (len(part.labels) for part in (dataset.train, dataset.validation, dataset.test))
    return " / ".join(f"{size:,}" for size in sizes) + " images"


def _store() -> str:
    from contextlib import closing

    from sqlalchemy.engine import make_url

    from explorer.runs.store import Store

    with closing(Store()) as store:
        address = make_url(store.url)
        if address.get_backend_name() == "sqlite" and address.database:
            with tempfile.TemporaryFile(dir=Path(address.database).parent):
                pass  # a store that can be read but not written is no place to run
        return f"{len(store.summaries())} runs in {address.render_as_string()}"


def _limits() -> str:
    from explorer.jobs.limits import Limits

    limits = {name: value for name, value in vars(Limits.from_environment()).items() if value is not None}
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in limits.items())
