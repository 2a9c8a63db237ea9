"""`import` and `export`: what comes in from a file, and what is taken away as one."""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
from contextlib import closing
from pathlib import Path

from explorer.catalogue import SPACES
from explorer.commands.reading import space_or_architecture
from explorer.errors import CodecError, NotFound, SpecError, UserError
from explorer.export.features_code import NO_TORCH, features_code, selected_csv
from explorer.export.nni_code import nni_code
from explorer.export.nni_experiment import write_experiment
from explorer.export.report import report
from explorer.export.torch_code import torch_code
from explorer.jobs.asking import derived_of
from explorer.runs.recorded import import_recorded, write_recorded
from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState
from explorer.runs.store import Store
from explorer.space import Architecture, SearchSpace, load_space


def import_run(options: argparse.Namespace) -> None:
    """`import FILE`"""
    with closing(Store()) as store:
        print(import_recorded(store, Path(options.file)))


def export(options: argparse.Namespace) -> None:
    """`export RUN|SPACE|ARCHITECTURE --as nni|torch|report|run`; a tuning run as nni is a folder"""
    features = _features(options.source)
    if options.form in ("nni", "csv", "torch") and features is not None:
        _put(options.to, _FEATURES[options.form](features).encode())
        return
    if options.form == "csv":
        raise SpecError(
            "Only a features run has a list of columns to write as csv; export this as nni, torch or run."
        )
    tuned = _tuned(options.source) if options.form == "nni" else None
    if tuned is not None:
        if options.to is None:
            raise SpecError("A tuning run becomes a folder of files; name it: --to FOLDER.")
        for path in write_experiment(tuned, Path(options.to)):
            print(path)
        return
    _put(options.to, _EXPORTS[options.form](options.source))


def _put(to: str | None, content: bytes) -> None:
    """Into the file that is named, else to standard output."""
    if to is None:
        sys.stdout.buffer.write(content)
        return
    _write_whole(Path(to), content)


def _features(source: str) -> RunState | None:
    """The state of the features run that is named, or None when it is no such run."""
    if source in SPACES or not source.isalnum():
        return None
    with closing(Store()) as store, contextlib.suppress(NotFound):
        if store.summary(source).kind == "features":
            return store.state(source)
    return None


def _no_torch(_: RunState) -> str:
    raise SpecError(NO_TORCH)


def _tuned(source: str) -> RunSpec | None:
    """The settings of the tuning run that is named, or None when it is no such run."""
    if source in SPACES or not source.isalnum():
        return None
    with closing(Store()) as store, contextlib.suppress(NotFound):
        spec = store.state(source).spec
        return spec if spec.kind == "hpo" else None
    return None


def _write_whole(path: Path, content: bytes) -> None:
    """Write beside the target and rename, so that a full disk leaves nothing half-written."""
    beside = path.with_name(path.name + ".part")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise CodecError(f"{str(path)!r} cannot be written: {error.strerror or error}.") from error


def _source(text: str) -> tuple[SearchSpace, Architecture | None]:
    """The space of a run with its best architecture, or what `space_or_architecture` finds."""
    try:
        return space_or_architecture(text)
    except UserError as not_a_space:
        with closing(Store()) as store:
            try:
                state = store.state(text)
            except NotFound:
                raise not_a_space from None
    best = state.best
    found = None if best is None else best.architecture
    derived = derived_of(state)
    if derived is not None:
        found = derived["architecture"]  # the search's own finding, whatever a rival reached
    if not state.spec.trains_network:
        raise SpecError(
            f"Run {text} trains no network, so there is no such code of it; export it as nni or run."
        )
    return load_space(state.spec.space), None if found is None else Architecture(found)


def _export_nni(source: str) -> bytes:
    return nni_code(*_source(source)).encode()


def _export_torch(source: str) -> bytes:
    space, architecture = _source(source)
    return torch_code(space, architecture or space.default).encode()


def _export_report(source: str) -> bytes:
    with closing(Store()) as store:
        return report(store.state(source)).encode()


def _export_run(source: str) -> bytes:
    with closing(Store()) as store:
        store.summary(source)
        buffer = io.BytesIO()
        write_recorded(buffer, store.state(source).spec, store.events(source))
        return buffer.getvalue()


_FEATURES = {"nni": features_code, "csv": selected_csv, "torch": _no_torch}
_EXPORTS = {"nni": _export_nni, "torch": _export_torch, "report": _export_report, "run": _export_run}
