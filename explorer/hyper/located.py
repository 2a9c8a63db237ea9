"""JSON that remembers its lines: what stands on which line, and what is wrong where, with the remedy.

Mistakes that leave no doubt about what was meant (a trailing comma, a comment, NaN, a name given twice) are told and
read over, so that everything is found at once; others end the reading.
"""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]  # typeshed leaves it out
from typing import Any, Final, NoReturn

from explorer.catalogue import shown

Path = tuple[str | int, ...]

MAX_DEPTH = 40
BROKEN: Final = object()
"""Stands where a value could not be read; a sentence about it is already told."""

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORD = re.compile(r"[-+.\w]+")
_TEXT = re.compile(r'"[^"\n]{0,50}"')
_SPACE = re.compile(r"[ \t\r\n]*")
_COMMENT = re.compile(r"//[^\n]*|#[^\n]*|/\*.*?\*/", re.DOTALL)
_NEARLY = {"True": True, "False": False, "None": None, "undefined": None}
_NO_NUMBERS = {"NaN", "nan", "Infinity", "-Infinity", "inf", "-inf", "+Infinity", "+inf"}
_FENCE = re.compile(r"^\s*(```|~~~)")


@dataclass(frozen=True)
class Told:
    """A sentence and the line that it is about; line 0 when there is no text to point into."""

    line: int
    sentence: str

    def __str__(self) -> str:
        return f"Line {self.line}: {self.sentence}" if self.line else self.sentence


@dataclass(frozen=True)
class Located:
    """Data from text: the value, the line of everything in it by its path, and what was wrong."""

    value: Any
    lines: Mapping[Path, int]
    problems: tuple[Told, ...] = ()


def line_of(lines: Mapping[Path, int], path: Path) -> int:
    """The line of what stands at `path`, or of the nearest thing around it; 0 when nothing is known."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 0)


def unfenced(text: str) -> str:
    """Pasted text without Markdown's fences and what is around them; lines keep their numbers."""
    lines = text.split("\n")
    fences = [at for at, line in enumerate(lines) if _FENCE.match(line)]
    if not fences:
        return text
    last = fences[1] if len(fences) > 1 else len(lines)
    return "\n".join(line if fences[0] < at < last else "" for at, line in enumerate(lines))


def read_lines(text: str) -> Located:
    """JSON text as data; never raises."""
    walk = _Walk(text)
    try:
        value = walk.document()
    except _Stop:
        value = BROKEN
    return Located(value, walk.lines, tuple(walk.problems))


class _Stop(Exception):
    """Nothing after this can be read."""


class _Walk:
    """One pass over the text, a method for each kind of value."""

    def __init__(self, text: str) -> None:
        self.text = text.removeprefix("\ufeff")
        self.at = 0
        self.depth = 0
        self.lines: dict[Path, int] = {}
        self.problems: list[Told] = []
        self._starts = [0, *(match.end() for match in re.finditer("\n", self.text))]

    def document(self) -> Any:
        """The one value of the text."""
        if not self._next():
            self._stop("there is nothing here; write an object such as {}", 0)
        value = self._value(())
        if self._next():
            self._stop(f"{self._seen()} comes after the end; keep one object and remove the rest")
        return value

    # -- telling ----------------------------------------------------------------------------------------

    def _line(self, at: int) -> int:
        return bisect_right(self._starts, at)

    def _tell(self, sentence: str, at: int | None = None) -> None:
        self.problems.append(Told(self._line(self.at if at is None else at), f"{sentence}."))

    def _stop(self, sentence: str, at: int | None = None) -> NoReturn:
        self._tell(sentence, at)
        raise _Stop

    def _seen(self) -> str:
        found = _TEXT.match(self.text, self.at)
        if found:
            return found.group()
        found = _WORD.match(self.text, self.at)
        return shown(found.group() if found else self.text[self.at])

    # -- reading ----------------------------------------------------------------------------------------

    def _next(self) -> str:
        """The next character that counts, "" at the end."""
        while True:
            space = _SPACE.match(self.text, self.at)
            self.at = space.end() if space else self.at
            comment = _COMMENT.match(self.text, self.at)
            if comment is None:
                return self.text[self.at : self.at + 1]
            self._tell("JSON knows no comments; remove this one")
            self.at = comment.end()

    def _value(self, path: Path) -> Any:
        char = self._next()
        self.lines.setdefault(path, self._line(self.at))
        if char in "{[" and char:
            return self._inside(path, char)
        if char == '"':
            return self._text()
        if char == "'":
            self._stop("JSON writes texts in double quotes; replace the single quotes ' by \"")
        if not char:
            self._stop("the text ends where a value is expected; write the rest")
        return self._word()

    def _inside(self, path: Path, char: str) -> Any:
        if self.depth >= MAX_DEPTH:
            self._stop(f"this is nested more than {MAX_DEPTH} levels deep; write it flatter")
        self.depth += 1
        value = self._object(path) if char == "{" else self._list(path)
        self.depth -= 1
        return value

    def _object(self, path: Path) -> dict[str, Any]:
        form: dict[str, Any] = {}
        opened, self.at = self.at, self.at + 1
        while self._next() != "}":
            start = self.at
            name = self._name(opened)
            if name in form:
                first = self.lines[(*path, name)]
                self._tell(
                    f"the name {shown(name)} was already given on line {first}; give each name once", start
                )
            self.lines[(*path, name)] = self._line(start)
            if self._next() != ":":
                self._stop(f"after the name {shown(name)} comes a colon; write : before its value")
            self.at += 1
            form[name] = self._value((*path, name))
            if not self._goes_on("}", opened):
                break
        self.at += 1
        return form

    def _list(self, path: Path) -> list[Any]:
        items: list[Any] = []
        opened, self.at = self.at, self.at + 1
        while self._next() != "]":
            items.append(self._value((*path, len(items))))
            if not self._goes_on("]", opened):
                break
        self.at += 1
        return items

    def _goes_on(self, closing: str, opened: int) -> bool:
        """Whether a comma and another item follow; stands before `closing` otherwise."""
        char = self._next()
        if char == ",":
            comma, self.at = self.at, self.at + 1
            if self._next() == closing:
                self._tell(f"the comma before the closing {closing} is one too many; remove it", comma)
                return False
            return True
        if char == closing:
            return False
        if not char:
            self._unclosed(closing, opened)
        if char in "}])":
            self._stop(f"{char} closes what was opened with another bracket; write {closing} here")
        self._stop(f"a comma is missing before {self._seen()}; put one after the value before it")

    def _unclosed(self, closing: str, opened: int) -> NoReturn:
        bracket = self.text[opened]
        self._stop(
            f"the text ends before the {bracket} of line {self._line(opened)} is closed; add a {closing}"
        )

    def _name(self, opened: int) -> str:
        char = self._next()
        if char == '"':
            return self._text()
        if not char:
            self._unclosed("}", opened)
        if char == "'":
            self._stop("JSON writes names in double quotes; replace the single quotes ' by \"")
        if char == ",":
            self._stop("there is a comma too many; remove it")
        self._stop(f"{self._seen()} is no name; names stand in double quotes")

    def _text(self) -> str:
        start = self.at
        try:
            value, self.at = scanstring(self.text, start + 1, True)
        except json.JSONDecodeError as error:
            if "Unterminated" in error.msg or "control" in error.msg:
                self._stop('this text has no closing quote on its line; end it with "', start)
            self._stop(
                "this text has a backslash that JSON does not know; write \\\\ for a backslash", error.pos
            )
        return value

    def _word(self) -> Any:
        match = _WORD.match(self.text, self.at)
        if match is None:
            self._stop(
                f"{self._seen()} is no value; write a number, a text in double quotes, a list or an object"
            )
        word, start, self.at = match.group(), self.at, match.end()
        if word in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[word]
        if word in _NEARLY:
            self._tell(f"JSON knows no {word}; write {json.dumps(_NEARLY[word])}", start)
            return _NEARLY[word]
        if word in _NO_NUMBERS:
            self._tell(f"{word} is no number that JSON knows; write a finite number", start)
            return BROKEN
        if _NUMBER.fullmatch(word) is None:
            hint = self._numeric_hint(word)
            self._tell(f"{shown(word)} is no value that JSON knows; {hint}", start)
            return BROKEN
        return self._number(word, start)

    def _numeric_hint(self, word: str) -> str:
        try:
            number = float(word)
        except ValueError:
            return "put texts in double quotes"
        return f"write {number:g}" if math.isfinite(number) else "write a finite number"

    def _number(self, word: str, start: int) -> Any:
        is_whole = not set(word) & set(".eE")
        if len(word) <= 1000 and math.isfinite(float(word)):
            return int(word) if is_whole else float(word)
        self._tell(f"{shown(word)} is larger than any number here can be; write a smaller one", start)
        return BROKEN
