"""A pasted config.yml of NNI (v1, v2, v3, or a part of one) as data: read, translated to v3, explained line by line.

Nothing in it is executed or looked up; names of files and commands stay names.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from explorer.catalogue import shown
from explorer.errors import SpecError, UnknownName
from explorer.hyper import nni_names
from explorer.hyper.config_algorithms import Algorithm, read_algorithm
from explorer.hyper.config_findings import Findings, in_order, short
from explorer.hyper.located import Located, Path, Told, unfenced
from explorer.hyper.nni_names import NOT_HERE, Key, folded
from explorer.hyper.reading import first_few, located_space
from explorer.hyper.value_rules import kind
from explorer.hyper.yaml_lines import read_yaml, write_yaml

MAX_BYTES = 100_000
MAX_NOTES = 200
_DURATION = re.compile(r"\s*([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([smhd])\s*", re.IGNORECASE)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class ConfigReading:
    """What a pasted configuration says; None where it says nothing.

    `notes` explain, line by line, what each key became or why it was left out; `v3` is the same as NNI 3 writes it.
    """

    version: str  # "v1", "v2/v3" or "fragment"
    tuner: Algorithm | None = None
    assessor: Algorithm | None = None
    search_space: dict[str, Any] | None = None
    search_space_file: str | None = None
    trials: int | None = None
    workers: int | None = None
    seconds: int | None = None
    optimize_mode: str | None = None
    seed: int | None = None
    notes: tuple[str, ...] = ()
    v3: str = ""


def read_config(text: str) -> ConfigReading:
    """The configuration in `text`, with or without Markdown's fences; raises SpecError with every problem at once."""
    size = len(text.encode(errors="replace"))
    if size > MAX_BYTES:
        raise SpecError(f"The configuration has {size:,} bytes; at most {MAX_BYTES:,} are read.")
    located, remarks = read_yaml(unfenced(text))
    if located.problems:
        raise SpecError(*first_few(located.problems))
    if located.value is None:
        raise SpecError("There is nothing here; paste a config.yml or a part of one.")
    if not isinstance(located.value, dict):
        raise SpecError(
            f"A configuration is an object with names such as tuner and assessor, not {kind(located.value)}."
        )
    reader = _Reader(located)
    reader.notes += remarks
    reader.read(located.value)
    if reader.problems:
        raise SpecError(*first_few(in_order(reader.problems)))
    notes = first_few(in_order(reader.notes), MAX_NOTES)
    return ConfigReading(**reader.found, notes=tuple(notes), v3=write_yaml(reader.v3))


class _Reader(Findings):
    """One pass over the keys."""

    # -- the whole --------------------------------------------------------------------------------------

    def read(self, form: dict[str, Any]) -> None:
        """Read the whole form."""
        names = {folded(name) for name in form}
        self._version(names)
        block = next((one for one in ("tuner", "assessor", "advisor") if f"builtin{one}name" in names), None)
        if block is not None:  # the inside of a block, pasted without its head
            read_algorithm(self, block, form, ())
            return
        if form and all(isinstance(value, dict) and "_type" in value for value in form.values()):
            self._search_space(form, ())
            return
        for name, value in form.items():
            self._top(name, value)

    def _version(self, names: set[str]) -> None:
        if "trainingserviceplatform" in names:
            self.found["version"] = "v1"
            why = "trainingServicePlatform is v1; NNI 3 takes it only by translating it as shown here"
        elif "trainingservice" in names:
            self.found["version"] = "v2/v3"
            why = "trainingService is v2 or v3, which are one format"
        else:
            self.found["version"] = "fragment"
            why = "This is a part of a configuration: it names no training service, so NNI alone could not start it"
        self.notes.append(Told(0, f"{why}."))

    def _top(self, name: str, value: Any) -> None:
        path = (name,)
        key = nni_names.TOP.get(folded(name))
        if key is None:
            self.unknown(path, nni_names.TOP, "")
            return
        if value is None:
            self.note(path, f"{key.name} is empty and left out.")
            return
        reader = self._readers().get(key.name)
        if reader is not None:
            reader(key, value, path)
            return
        self.moved(key, value, path, self.v3)

    def _readers(self) -> dict[str, Callable[[Key, Any, Path], None]]:
        return {
            "trialConcurrency": self._count("workers", "worker"),
            "maxTrialNum": self._count("trials", "trial"),
            "maxTrialNumber": self._count("trials", "trial"),
            "maxExecDuration": self._duration,
            "maxExperimentDuration": self._duration,
            "searchSpacePath": self._file,
            "searchSpaceFile": self._file,
            "searchSpace": lambda _key, value, path: self._search_space(value, path),
            "tuner": lambda _key, value, path: read_algorithm(self, "tuner", value, path),
            "assessor": lambda _key, value, path: read_algorithm(self, "assessor", value, path),
            "advisor": lambda _key, value, path: read_algorithm(self, "advisor", value, path),
            "trial": lambda _key, value, path: self._block(nni_names.TRIAL, value, path, self.v3),
            "trainingServicePlatform": self._platform,
            "localConfig": lambda _key, value, path: self._block(
                nni_names.LOCAL, value, path, self._service()
            ),
            "remoteConfig": lambda _key, value, path: self._block(
                nni_names.REMOTE, value, path, self._service()
            ),
            "machineList": self._machines,
        }

    def _block(self, keys: Mapping[str, Key], value: Any, path: Path, into: dict[str, Any]) -> None:
        """Keys of a block of v1, moved to where v3 has them."""
        if not isinstance(value, dict):
            self.refuse(path, f"{path[-1]} is {kind(value)}; give an object.")
            return
        for name, inner in value.items():
            key = keys.get(folded(name))
            if key is None:
                self.unknown((*path, name), keys, f" of {path[0]}")
            elif inner is not None:
                self.moved(key, inner, (*path, name), into)

    # -- numbers ----------------------------------------------------------------------------------------

    def _count(self, name: str, noun: str) -> Callable[[Key, Any, Path], None]:
        def read(key: Key, value: Any, path: Path) -> None:
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 2**31:
                self.refuse(path, f"{key.name} is {shown(value)}; give a whole number of at least 1.")
                return
            self._take(name, value, key, path, f"{value:,} {noun}{'' if value == 1 else 's'}")

        return read

    def _duration(self, key: Key, value: Any, path: Path) -> None:
        seconds = _seconds(value)
        if seconds is None:
            self.refuse(
                path, f'{key.name} is {shown(value)}; give seconds, or a text such as "30m", "1h" or "2d".'
            )
            return
        self._take("seconds", seconds, key, path, f"at most {seconds:,} seconds", written=value)

    def _file(self, key: Key, value: Any, path: Path) -> None:
        if not isinstance(value, str):
            self.refuse(path, f"{key.name} is {shown(value)}; give the name of a file.")
            return
        meaning = "a file that is not read here; paste what it holds as the search space"
        self._take("search_space_file", value, key, path, meaning)

    def _take(self, name: str, value: Any, key: Key, path: Path, meaning: str, written: Any = None) -> None:
        if name in self.found:
            self.refuse(path, f"{key.name} says again what another key says; keep one of them.")
        self.found[name] = value
        target = str(key.v3)
        self.v3[target] = value if written is None else written
        become = key.name if target == key.name else f"{key.name} became {target}"
        self.note(path, f"{become}: {meaning}.")

    # -- the search space -------------------------------------------------------------------------------

    def _search_space(self, value: Any, path: Path) -> None:
        space, told = located_space(Located(value, self.located.lines), path)
        self.problems += told
        if space is None or told:
            return
        self.found["search_space"] = self.v3["searchSpace"] = space.to_json()
        number = len(space)
        self.note(
            path, f"searchSpace: {number} parameter{'' if number == 1 else 's'}, read as the search space."
        )

    # -- the training service ---------------------------------------------------------------------------

    def _service(self) -> dict[str, Any]:
        service = self.v3.setdefault("trainingService", {})
        return service if isinstance(service, dict) else {}

    def _platform(self, key: Key, value: Any, path: Path) -> None:
        if not isinstance(value, str) or value not in nni_names.PLATFORMS:
            self.refuse(path, f"{key.name}: {UnknownName('platform', short(value), nni_names.PLATFORMS)}")
            return
        self._service()["platform"] = nni_names.PLATFORMS[value]
        self.note(path, f"trainingServicePlatform became trainingService.platform; {NOT_HERE}.")

    def _machines(self, key: Key, value: Any, path: Path) -> None:
        if not isinstance(value, list):
            self.refuse(path, f"{key.name} is {kind(value)}; give a list of machines.")
            return
        machines: list[dict[str, Any]] = []
        self._service()["machineList"] = machines
        for at, machine in enumerate(value):
            machines.append({})
            self._block(nni_names.MACHINE, machine, (*path, at), machines[-1])


def _seconds(value: Any) -> int | None:
    """Seconds of a number or of "90s", "30m", "1.5h", "2d", rounded up as NNI does; None for anything else."""
    if isinstance(value, str):
        match = _DURATION.fullmatch(value)
        value = float(match.group(1)) * _UNITS[match.group(2).lower()] if match else None
    if value is None or isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return math.ceil(value) if 0 < value <= 10**9 else None
