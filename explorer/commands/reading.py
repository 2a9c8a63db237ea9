"""What a person names on the command line: files, spaces, architectures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from explorer.catalogue import SPACES
from explorer.errors import CodecError
from explorer.space import Architecture, SearchSpace, load_architecture, load_space, read_json


def read_file(path: str) -> Any:
    try:
        return read_json(Path(path).read_bytes(), f"The file {path!r}")
    except OSError as error:
        raise CodecError(f"The file {path!r} cannot be read: {error.strerror or error}.") from error


def space_or_architecture(source: str) -> tuple[SearchSpace, Architecture | None]:
    """A space, or an architecture with its space; JSON with `choices` is an architecture."""
    if source in SPACES:
        return load_space(source), None
    form = read_file(source) if source.endswith(".json") else None
    if isinstance(form, dict) and "choices" not in form:
        return load_space(form), None
    if isinstance(form, dict):
        return load_architecture(json.dumps(form))
    if ":" in source or "|" in source or source.startswith("{"):
        return load_architecture(source)
    return load_space(source), None
