"""search_space.json as data: every mistake at once, each with its line and its remedy; nothing is guessed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from explorer.catalogue import shown
from explorer.errors import SpecError, UnknownName
from explorer.hyper.domain import COMBINED, TYPES, Domain, Option, frozen, identity, is_finite
from explorer.hyper.located import BROKEN, Located, Path, Told, line_of, read_lines, unfenced
from explorer.hyper.space import HyperSpace
from explorer.hyper.value_rules import MAX_OPTIONS, kind, option_problem, quoted, range_problem

MAX_BYTES = 200_000
MAX_DIMENSIONS = 300
MAX_NESTING = 8
MAX_NAME = 100
MAX_TOLD = 10

RESERVED: Mapping[str, str] = {
    "_type": "a parameter's type stands under it",
    "_value": "a parameter's values stand under it",
    "_name": "a nested option's name stands under it",
    "TRIAL_BUDGET": "Hyperband and BOHB put a trial's budget there",
    "load_checkpoint_dir": "PBT puts a folder there",
    "save_checkpoint_dir": "PBT puts a folder there",
}
_RANGES = {
    **dict.fromkeys(("randint", "uniform", "loguniform"), "[low, high]"),
    **dict.fromkeys(("quniform", "qloguniform"), "[low, high, q]"),
    **dict.fromkeys(("normal", "lognormal"), "[mean, standard deviation]"),
    **dict.fromkeys(("qnormal", "qlognormal"), "[mean, standard deviation, q]"),
}
_EXAMPLE = '{"learning_rate": {"_type": "loguniform", "_value": [0.001, 0.1]}}'


def read_search_space(source: str | Mapping[str, Any]) -> HyperSpace:
    """The space in NNI's search_space.json form, from its text or from data.

    Raises SpecError with every problem at once (the first ten told, the rest counted); from text, each says its line.
    """
    space, told = _read(source)
    if space is None or told:
        raise SpecError(*first_few(told))
    return space


def space_problems(form: str | Mapping[str, Any]) -> list[str]:
    """The sentences that `read_search_space` would raise; empty when the space is well formed."""
    return first_few(_read(form)[1])


def located_space(located: Located, under: Path = ()) -> tuple[HyperSpace | None, list[Told]]:
    """A space out of data whose lines are known, with what is wrong with it; `under` is where it stands in a file."""
    reader = _Reader(located.lines, under)
    space = reader.whole(located.value)
    return space, sorted([*located.problems, *reader.told], key=lambda told: told.line)


def first_few(told: Sequence[object], most: int = MAX_TOLD) -> list[str]:
    """The first few sentences, each once, and how many more there are."""
    sentences = list(dict.fromkeys(str(one) for one in told))
    rest = len(sentences) - most
    return sentences if rest <= 0 else [*sentences[:most], f"And {rest} more."]


def _read(source: Any) -> tuple[HyperSpace | None, list[Told]]:
    if not isinstance(source, str):
        return located_space(Located(source, {}))
    size = len(source.encode(errors="replace"))
    if size > MAX_BYTES:
        return None, [Told(0, f"The search space has {size:,} bytes; at most {MAX_BYTES:,} are read.")]
    return located_space(read_lines(unfenced(source)))


class _Reader:
    """Walks a space and keeps a sentence about everything that is wrong."""

    def __init__(self, lines: Mapping[Path, int], under: Path) -> None:
        self.lines = lines
        self.under = under
        self.told: list[Told] = []

    def say(self, path: Path, sentence: str) -> None:
        """Keep a sentence about what stands at `path`."""
        self.told.append(Told(line_of(self.lines, self.under + path), sentence))

    # -- spaces -----------------------------------------------------------------------------------------

    def whole(self, form: Any) -> HyperSpace | None:
        """The space at the top."""
        if form is BROKEN:
            return None
        if not isinstance(form, Mapping):
            self.say((), f"A search space is an object, not {kind(form)}; write for example {_EXAMPLE}.")
            return None
        if "_type" in form and "_value" in form:
            self.say((), f"The parameter has no name; write for example {_EXAMPLE}.")
            return None
        if not form:
            self.say((), f"The search space is empty; give at least one parameter, for example {_EXAMPLE}.")
            return None
        count = _dimensions(form)
        if count > MAX_DIMENSIONS:
            self.say(
                (),
                f"The search space has {count:,} parameters; at most {MAX_DIMENSIONS} are taken: "
                "keep those that matter most and fix the others.",
            )
            return None
        return self.space(form, (), "", 0)

    def space(self, form: Mapping[Any, Any], path: Path, where: str, level: int) -> HyperSpace:
        """A space at any depth; parameters with mistakes are left out."""
        domains = []
        for name, spec in form.items():
            if level and name == "_name":
                continue
            if self._name_is_fine(name, (*path, name), where):
                domains.append(self._domain(name, spec, (*path, name), where, level))
        return HyperSpace(tuple(domain for domain in domains if domain is not None))

    def _name_is_fine(self, name: Any, path: Path, where: str) -> bool:
        if not isinstance(name, str):
            self.say(path, f"{where}{shown(name)} is no name; put it in double quotes.")
        elif name in RESERVED:
            self.say(path, f"No parameter may be called {name!r}: {RESERVED[name]}; rename it.")
        elif not (0 < len(name) <= MAX_NAME and name.isprintable() and name == name.strip()):
            self.say(
                path,
                f"{where}{shown(name)} is no good name; give 1 to {MAX_NAME} printable characters "
                "without blanks around them.",
            )
        else:
            return True
        return False

    def _domain(self, name: str, spec: Any, path: Path, where: str, level: int) -> Domain | None:
        full = where + name
        if spec is BROKEN:
            return None
        if not isinstance(spec, Mapping):
            self.say(path, f"{full} is {kind(spec)}; give an object with _type and _value.")
            return None
        before = len(self.told)
        self._keys(spec, path, full)
        type_ = spec.get("_type")
        if "_type" in spec and type_ is not BROKEN and not (isinstance(type_, str) and type_ in TYPES):
            self.say((*path, "_type"), f"{full}: {UnknownName('type', _short(type_), TYPES)}")
        values = spec.get("_value")
        if "_value" in spec and values is not BROKEN and not isinstance(values, (list, tuple)):
            self.say((*path, "_value"), f"{full}: _value is {kind(values)}; give a list.")
        if len(self.told) > before or type_ is BROKEN or not isinstance(values, (list, tuple)):
            return None
        if type_ == "choice":
            return self._choice(name, values, path, where, level)
        return self._range(name, str(type_), values, (*path, "_value"), full)

    def _keys(self, spec: Mapping[Any, Any], path: Path, full: str) -> None:
        for key in ("_type", "_value"):
            if key not in spec:
                right = "one of " + ", ".join(TYPES) if key == "_type" else "a list of options or [low, high]"
                self.say(path, f"{full} has no {key}; give {right}.")
        for key in spec:
            if key not in ("_type", "_value"):
                self.say(
                    (*path, key),
                    f"{full} has an unknown key {shown(key)}; a parameter has _type and _value only.",
                )

    # -- choices ----------------------------------------------------------------------------------------

    def _choice(self, name: str, values: Sequence[Any], path: Path, where: str, level: int) -> Domain | None:
        full, here = where + name, (*path, "_value")
        if not values:
            self.say(here, f"{full} has nothing to choose from; give at least one option.")
            return None
        if len(values) > MAX_OPTIONS:
            self.say(here, f"{full} has {len(values):,} options; at most {MAX_OPTIONS:,} are taken.")
            return None
        if any(value is BROKEN for value in values):
            return None
        are_objects = [isinstance(value, Mapping) for value in values]
        if name == COMBINED and level == 0 and all(are_objects) and not any("_name" in one for one in values):
            return self._combinations(name, values, here)
        if any(are_objects):
            return self._nested(name, values, path, where, level)
        before = len(self.told)
        for at, value in enumerate(values):
            problem = option_problem(value)
            if problem:
                self.say((*here, at), f"{full}, option {at + 1}, {problem}.")
        if len(self.told) > before:
            return None
        self._repeats(values, here, full)
        return Domain(name, "choice", tuple(frozen(value) for value in values))

    def _repeats(self, values: Sequence[Any], here: Path, full: str) -> None:
        seen: set[Any] = set()
        for at, value in enumerate(values):
            same = identity(value)
            if same in seen:
                self.say((*here, at), f"{full} offers {shown(value)} twice; give each option once.")
            seen.add(same)

    def _combinations(self, name: str, values: Sequence[Mapping[Any, Any]], here: Path) -> Domain | None:
        before = len(self.told)
        for at, value in enumerate(values):
            for key, part in value.items():
                if self._name_is_fine(key, (*here, at, key), "") and part is not BROKEN:
                    problem = option_problem(part)
                    if problem:
                        self.say((*here, at, key), f"{name}, assignment {at + 1}, {key}, {problem}.")
        if len(self.told) > before:
            return None
        self._repeats(values, here, name)
        return Domain(name, "choice", tuple(frozen(value) for value in values))

    def _nested(self, name: str, values: Sequence[Any], path: Path, where: str, level: int) -> Domain | None:
        full, here = where + name, (*path, "_value")
        if level >= MAX_NESTING:
            self.say(here, f"{full} is nested more than {MAX_NESTING} choices deep; write it flatter.")
            return None
        options: list[Option] = []
        for at, value in enumerate(values):
            option = self._option(value, (*here, at), f"{full}, option {at + 1},", full, level)
            if option is not None:
                options.append(option)
        for label, count in Counter(option.name for option in options).items():
            if count > 1:
                self.say(here, f"{full} has {count} options called {label!r}; give each its own _name.")
        return Domain(name, "choice", tuple(options))

    def _option(self, value: Any, path: Path, which: str, full: str, level: int) -> Option | None:
        if not isinstance(value, Mapping):
            self.say(
                path,
                f"{which} is {kind(value)} among objects; in a nested choice write "
                '{"_name": ...} with a name for each option.',
            )
            return None
        if "_name" not in value:
            self.say(path, f"{which} is an object without _name; give it one, for example "
                     f'{{"_name": "option{path[-1]}", ...}}.')  # fmt: skip
            return None
        label = value["_name"]
        if label is BROKEN:
            return None
        if not isinstance(label, str) or not (0 < len(label) <= MAX_NAME and label.isprintable()):
            self.say(
                (*path, "_name"),
                f"{which} has _name {shown(label)}; give 1 to {MAX_NAME} printable characters.",
            )
            return None
        return Option(label, self.space(value, path, f"{full}/{label}/", level + 1))

    # -- ranges -----------------------------------------------------------------------------------------

    def _range(self, name: str, type_: str, values: Sequence[Any], here: Path, full: str) -> Domain | None:
        if any(value is BROKEN for value in values):
            return None
        form = _RANGES[type_]
        needed = form.count(",") + 1
        if len(values) != needed:
            self.say(here, f"{full}: {type_} takes {needed} values, not {len(values)}; give {form}.")
            return None
        wrong = [at for at, value in enumerate(values) if not is_finite(value)]
        for at in wrong:
            self.say((*here, at), f"{full}: {type_} holds {quoted(values[at])}; give finite numbers: {form}.")
        if wrong:
            return None
        domain = Domain(name, type_, tuple(values))
        problem = range_problem(domain)
        if problem:
            self.say(here, f"{full}: {problem}.")
            return None
        return domain


def _dimensions(form: Any, level: int = 0) -> int:
    """How many parameters a form has, nested ones counted, mistakes included."""
    count = 0
    for name, spec in form.items():
        if level and name == "_name":
            continue
        count += 1
        values = spec.get("_value") if isinstance(spec, Mapping) else None
        if isinstance(values, (list, tuple)) and level < MAX_NESTING:
            nested = (value for value in values if isinstance(value, Mapping) and "_name" in value)
            count += sum(_dimensions(value, level + 1) for value in nested)
    return count


def _short(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= 40 else shown(value)
