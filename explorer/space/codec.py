"""Search spaces and architectures as text: names, files, links, NAS-Bench-201 strings. Nothing here executes input.

A link is `z1.` and then base64url of raw deflate of canonical JSON; `z` names the packing, `1` its version. Sizes are
capped on both sides, so a small link cannot unfold into a large memory.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from explorer.catalogue import SPACES, shown
from explorer.errors import CodecError, SpaceError, UnknownName
from explorer.space.architecture import Architecture
from explorer.space.base import SCHEMA, SearchSpace
from explorer.space.cell import CellSpace, edge_label
from explorer.space.presets import preset
from explorer.space.reading import space_from_json

LINK = "z1."
MAX_LINK_CHARACTERS = 32_000
MAX_JSON_BYTES = 262_144


def pack(form: Any) -> str:
    """JSON as link text; raises CodecError when it is too large for a link."""
    canonical = json.dumps(form, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    text = LINK + base64.urlsafe_b64encode(squeezer.compress(canonical) + squeezer.flush()).decode().rstrip(
        "="
    )
    if len(canonical) > MAX_JSON_BYTES or len(text) > MAX_LINK_CHARACTERS:
        raise CodecError(
            f"This is too large for a link ({len(text):,} characters); download it as a file instead."
        )
    return text


def unpack(text: str) -> Any:
    """The JSON behind link text; raises CodecError."""
    version = re.match(r"z(\d{1,6})\.", text)
    if version and int(version[1]) > 1:
        raise CodecError(
            f"This link was made by a newer version (format {version[1]}; format 1 is read here); update."
        )
    if not text.startswith(LINK):
        raise CodecError(f"{text[:40]!r} is no link of this app; a link's text begins with {LINK!r}.")
    if len(text) > MAX_LINK_CHARACTERS:
        raise CodecError(f"This link has {len(text):,} characters; at most {MAX_LINK_CHARACTERS:,} are read.")
    try:
        packed = base64.b64decode(
            text[len(LINK) :] + "=" * (-len(text[len(LINK) :]) % 4), b"-_", validate=True
        )
        opener = zlib.decompressobj(-15)
        canonical = opener.decompress(packed, MAX_JSON_BYTES)
        if opener.unconsumed_tail:
            raise CodecError(
                f"This link unfolds to more than {MAX_JSON_BYTES:,} bytes; it is not one of ours."
            )
        if not opener.eof:
            raise CodecError("This link is cut off; copy the whole of it.")
        return json.loads(canonical)
    except (binascii.Error, zlib.error, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise CodecError("This link is damaged; copy the whole of it.") from error


def read_json(text: str | bytes, what: str) -> Any:
    """JSON text as data; raises CodecError with line and column."""
    if len(text) > MAX_JSON_BYTES:
        raise CodecError(f"{what} has {len(text):,} bytes; at most {MAX_JSON_BYTES:,} are read.")
    try:
        plain = text.decode() if isinstance(text, bytes) else text
        return json.loads(plain, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise CodecError(
            f"{what} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from error
    except UnicodeDecodeError as error:
        raise CodecError(f"{what} is not UTF-8 text; save it as UTF-8.") from error
    except RecursionError as error:
        raise CodecError(f"{what} is nested too deeply to be read.") from error
    except ValueError as error:
        raise CodecError(f"{what}: {error}") from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number that JSON knows; write a finite number.")


def load_space(source: Any) -> SearchSpace:
    """A space from a preset's name, a JSON object, link text, or the path of a JSON file."""
    if isinstance(source, Mapping):
        return space_from_json(source)
    if not isinstance(source, str):
        raise SpaceError(f"A search space is a name, an object or a file, not {source!r}.")
    if source in SPACES:
        return preset(source)
    if re.match(r"z\d+\.", source):
        return space_from_json(unpack(source))
    if source.lstrip().startswith("{"):
        return space_from_json(read_json(source, "The search space"))
    if source.endswith(".json") or "/" in source:
        return space_from_json(read_json(_file(source), f"The file {source!r}"))
    raise UnknownName("search space", source, SPACES)


def _file(source: str) -> bytes:
    path = Path(source)
    try:
        with path.open("rb") as file:
            return file.read(MAX_JSON_BYTES + 1)
    except OSError as error:
        raise CodecError(f"The file {source!r} cannot be read: {error.strerror or error}.") from error


def space_reference(space: SearchSpace) -> str | dict[str, Any]:
    """The shortest faithful reference: a preset's name when it is that preset, else the JSON object."""
    is_preset = space.name in SPACES and preset(space.name).hash == space.hash
    return space.name if is_preset else space.to_json()


def architecture_text(space: SearchSpace, architecture: Mapping[str, Any]) -> str:
    """`cell:340213` for a preset; for any other space the link of space and choices."""
    reference = space_reference(space)
    if isinstance(reference, str):
        return f"{reference}:{space.code(architecture)}"
    return pack({"space": reference, "choices": space.architecture(architecture).to_json()})


def load_architecture(text: str, space: SearchSpace | None = None) -> tuple[SearchSpace, Architecture]:
    """Space and architecture from `SPACE:CODE`, JSON {"space", "choices"}, link text, or - with `space` - a code alone.

    `cell` also takes NAS-Bench-201's own string.
    """
    if re.match(r"z\d+\.", text):
        return _from_form(unpack(text), space)
    if text.lstrip().startswith("{"):
        return _from_form(read_json(text, "The architecture"), space)
    if "|" in text:
        cell = space if isinstance(space, CellSpace) else preset("cell")
        code = text.split(":", 1)[1] if text.startswith("cell:") else text
        return cell, from_nasbench201(cell, code)
    if ":" in text:
        name, code = text.split(":", 1)
        named = load_space(name)
        return named, named.from_code(code)
    if space is None:
        raise CodecError(f"{text!r} is no architecture; give SPACE:CODE, for example 'cell:340213', or JSON.")
    return space, space.from_code(text)


def _from_form(form: Any, space: SearchSpace | None) -> tuple[SearchSpace, Architecture]:
    if not isinstance(form, Mapping):
        raise CodecError("An architecture is a JSON object with 'space' and 'choices'.")
    if "choices" in form and form.get("schema", SCHEMA) != SCHEMA:
        raise CodecError(
            f"This architecture has schema {shown(form['schema'])}; {SCHEMA} is read here; update the app."
        )
    if "choices" not in form and space is not None:
        return space, space.architecture(form)
    choices = form.get("choices")
    if "space" not in form or not isinstance(choices, Mapping):
        raise CodecError(
            "An architecture is a JSON object with 'space' (a name or a space) and 'choices' (an object)."
        )
    named = load_space(form["space"])
    return named, named.architecture(choices)


def to_nasbench201(space: CellSpace, architecture: Mapping[str, Any]) -> str:
    """NAS-Bench-201's string: nodes joined by +, each `|operation~source|...|`."""
    checked = space.architecture(architecture)
    nodes = []
    for target in range(1, space.nodes):
        edges = [edge for edge in space.edges if edge[1] == target]
        nodes.append("|" + "".join(f"{checked[edge_label(edge)]}~{edge[0]}|" for edge in edges))
    return "+".join(nodes)


def from_nasbench201(space: SearchSpace, text: str) -> Architecture:
    """The architecture behind NAS-Bench-201's string; raises CodecError or SpaceError."""
    choices: dict[str, str] = {}
    for target, node in enumerate(text.split("+"), start=1):
        if not re.fullmatch(r"\|(?:\w+~\d+\|)+", node):
            raise CodecError(
                f"{node!r} is no node of a NAS-Bench-201 string; write |operation~source|, nodes joined by +."
            )
        for operation, source in re.findall(r"(\w+)~(\d+)", node):
            choices[edge_label((int(source), target))] = operation
    return space.architecture(choices)
