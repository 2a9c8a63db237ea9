"""YAML as data with its lines, and nothing more than data: no tags, no aliases, one document, bounded.

The text goes through PyYAML's event parser only; the values are put together here, so that neither an object can be
built nor a small text unfold into a large one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import yaml

from explorer.catalogue import shown
from explorer.hyper.located import BROKEN, MAX_DEPTH, Located, Path, Told

_PLAIN_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+")
_STANDARD = "tag:yaml.org,2002:"
_REMEDIES = {
    "'\\t'": "indent with blanks instead of tabs",
    "mapping values are not allowed": "check the indentation, and put a text that holds a colon in quotes",
    "could not find expected ':'": "write key: value, with a blank after the colon",
    "expected <block end>": "indent everything of one block equally far",
    "found undefined alias": "write the value out",
    "quoted scalar": "close the quotes",
    "'@'": "put a text that begins with @ in quotes",
    "'`'": "put a text that begins with ` in quotes",
    "'%'": "put a text that begins with % in quotes",
}


def read_yaml(text: str) -> tuple[Located, list[Told]]:
    """YAML text as data with its lines, and remarks on what NNI's own reader sees differently; never raises."""
    reader = _Reader()
    try:
        value = reader.document(yaml.parse(text, Loader=yaml.SafeLoader))
    except _Stop:
        value = BROKEN
    except yaml.MarkedYAMLError as error:
        value = BROKEN
        reader.problems.append(_no_yaml(error))
    except yaml.YAMLError as error:
        value = BROKEN
        reader.problems.append(_no_character(text, error))
    return Located(value, reader.lines, tuple(reader.problems)), reader.remarks


class _Stop(Exception):
    """Nothing after this is read."""


def _no_yaml(error: yaml.MarkedYAMLError) -> Told:
    mark = error.problem_mark or error.context_mark
    what = " ".join(part for part in (error.context, error.problem) if part)
    remedy = next(
        (remedy for sign, remedy in _REMEDIES.items() if sign in what), "check indentation and quotes"
    )
    return Told(mark.line + 1 if mark else 0, f"this is no YAML ({what}); {remedy}.")


def _no_character(text: str, error: yaml.YAMLError) -> Told:
    at = getattr(error, "position", None)
    line = text.count("\n", 0, at) + 1 if isinstance(at, int) else 0
    return Told(line, "this holds a character that YAML does not allow; remove it.")


class _Reader:
    """Puts values together from events and keeps what is wrong."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.problems: list[Told] = []
        self.remarks: list[Told] = []
        self._resolver = yaml.resolver.Resolver()
        self._constructor = yaml.constructor.SafeConstructor()

    def document(self, events: Iterator[Any]) -> Any:
        """The value of the one document; an empty text is None."""
        value: Any = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._tell(event, "a second document begins (---); give one document only.")
                    raise _Stop
            elif isinstance(event, yaml.NodeEvent):
                value = self._value(event, events, (), 0)
        return value

    def _tell(self, event: Any, sentence: str) -> None:
        self.problems.append(Told(event.start_mark.line + 1, sentence))

    def _value(self, event: Any, events: Iterator[Any], path: Path, depth: int) -> Any:
        self.lines.setdefault(path, event.start_mark.line + 1)
        if isinstance(event, yaml.AliasEvent):
            self._tell(event, f"*{event.anchor} repeats what is written elsewhere; write the value out here.")
            return BROKEN
        if event.tag is not None:
            tag = event.tag.replace(_STANDARD, "!!")
            self._tell(event, f"the tag {shown(tag)[1:-1]} is not read; write plain values only.")
        if isinstance(event, yaml.ScalarEvent):
            return BROKEN if event.tag is not None else self._scalar(event)
        if depth >= MAX_DEPTH:
            self._tell(event, f"this is nested more than {MAX_DEPTH} levels deep; write it flatter.")
            raise _Stop
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(events, path, depth + 1)
        return self._mapping(events, path, depth + 1)

    def _list(self, events: Iterator[Any], path: Path, depth: int) -> list[Any]:
        items: list[Any] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._value(event, events, (*path, len(items)), depth))
        return items

    def _mapping(self, events: Iterator[Any], path: Path, depth: int) -> dict[str, Any]:
        form: dict[str, Any] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            name = self._name(event)
            here = (*path, name)
            if name in form:
                self._tell(
                    event,
                    f"the name {shown(name)} was already given on line {self.lines[here]}; give each name once.",
                )
            self.lines[here] = event.start_mark.line + 1
            form[name] = self._value(next(events), events, here, depth)
        return form

    def _name(self, event: Any) -> str:
        if isinstance(event, yaml.ScalarEvent) and event.tag is None:
            return str(event.value)
        self._tell(event, "a name is a tag, an alias, a list or an object; names are plain texts.")
        raise _Stop

    def _scalar(self, event: Any) -> Any:
        text = event.value
        if not event.implicit[0]:
            return text  # in quotes, or a block of text
        tag = self._resolver.resolve(yaml.ScalarNode, text, (True, False)).removeprefix(_STANDARD)
        if tag == "null":
            return None
        if tag == "bool":
            return text.lower() in ("yes", "true", "on")
        if tag in ("int", "float"):
            return self._number(event, tag)
        if _PLAIN_NUMBER.fullmatch(text) and math.isfinite(float(text)):
            number = float(text)
            self.remarks.append(
                Told(
                    event.start_mark.line + 1,
                    f"{text} is read as the number {number:g}; to NNI's YAML reader it is a text, "
                    f"so write {_yaml_number(number)} there.",
                )
            )
            return number
        return text

    def _number(self, event: Any, tag: str) -> Any:
        node = yaml.ScalarNode(_STANDARD + tag, event.value)
        number: float = math.inf
        if len(event.value) <= 1000:
            try:
                make = (
                    self._constructor.construct_yaml_int
                    if tag == "int"
                    else self._constructor.construct_yaml_float
                )
                number = make(node)
                if math.isfinite(number):
                    return number
            except (ValueError, OverflowError):
                pass
        self._tell(event, f"{shown(event.value)[1:-1]} is no finite number; write one.")
        return BROKEN


def _yaml_number(number: float) -> str:
    return str(yaml.safe_dump(number)).split("\n")[0]


class _Dumper(yaml.SafeDumper):
    """Lists of plain values on one line, no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write everything out."""
        return True

    def represent_list(self, data: list[Any]) -> yaml.SequenceNode:
        """`[1, 2]` for plain values, a line each otherwise."""
        are_plain = not any(isinstance(item, (dict, list)) for item in data)
        return self.represent_sequence(_STANDARD + "seq", data, flow_style=are_plain)

    def represent_text(self, data: str) -> yaml.ScalarNode:
        """Texts that YAML 1.2 takes for numbers stand in quotes, so that every reader takes them for texts."""
        return self.represent_scalar(
            _STANDARD + "str", data, style="'" if _PLAIN_NUMBER.fullmatch(data) else None
        )


_Dumper.add_representer(list, _Dumper.represent_list)
_Dumper.add_representer(str, _Dumper.represent_text)


def write_yaml(form: dict[str, Any]) -> str:
    """Plain data as YAML text, in order."""
    if not form:
        return ""
    return str(
        yaml.dump(
            form, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=100
        )
    )
