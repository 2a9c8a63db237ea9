"""The blocks `tuner`, `assessor` and `advisor` of a configuration: NNI's spelling, v3's form, this app's settings."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from explorer import catalogue
from explorer.catalogue import shown
from explorer.errors import UnknownName
from explorer.hyper import nni_names
from explorer.hyper.config_findings import Findings, short
from explorer.hyper.located import Path
from explorer.hyper.nni_names import NOT_HERE, Key, folded
from explorer.hyper.value_rules import kind

_MODES = ("maximize", "minimize")
_EXAMPLES = {"tuner": "TPE", "assessor": "Curvefitting"}


@dataclass(frozen=True)
class Algorithm:
    """A tuner or an assessor: NNI's spelling of its name, and those of its arguments that runs here understand."""

    name: str
    settings: Mapping[str, Any]


def read_algorithm(findings: Findings, block: str, value: Any, path: Path) -> None:
    """Read the block `tuner`, `assessor` or `advisor`; v3 knows the first two only."""
    if not isinstance(value, dict):
        findings.refuse(path, f"{block} is {kind(value)}; give an object with name and classArgs.")
        return
    role = "assessor" if block == "assessor" else "tuner"
    if role in findings.v3:
        findings.refuse(path, f"{block} says again who the {role} is; keep one of them.")
        return
    if block == "advisor":
        findings.note(path, "advisor became tuner: v3 has no advisors of their own.")
    _Block(findings, block, role, path).read(value)


def _known_keys(block: str) -> Mapping[str, Key]:
    keys = (
        Key(f"builtin{block.title()}Name", "name"),
        Key("name", "name"),
        Key("className", "className"),
        Key("classFileName", "classFileName"),
        Key("codeDir", "codeDirectory"),
        Key("codeDirectory", "codeDirectory"),
        Key("classArgs", "classArgs"),
        Key("gpuIndices", "tunerGpuIndices", NOT_HERE),
        Key("includeIntermediateResults", None, "NNI 3 has no such setting"),
    )
    return {folded(key.name): key for key in keys}


@dataclass
class _Block:
    """One block: its keys under v3's names, and where each stands."""

    findings: Findings
    block: str
    role: str
    path: Path
    parts: dict[str, Any] = field(default_factory=dict)
    places: dict[str, Path] = field(default_factory=dict)

    def read(self, value: dict[str, Any]) -> None:
        """Read the block into the findings."""
        written: dict[str, Any] = {}
        self.findings.v3[self.role] = written
        self._sort(value)
        name = self._name()
        arguments = self._arguments()
        if name is None:
            self._custom(written)
        else:
            written["name"] = name
            arguments = self._as_v3(name, arguments)
            self.findings.found[self.role] = Algorithm(name, self._settings(name, arguments))
        if arguments:
            written["classArgs"] = arguments

    def _place(self, part: str, *inside: str) -> Path:
        return (*self.places.get(part, self.path), *inside)

    def _sort(self, value: dict[str, Any]) -> None:
        known = _known_keys(self.block)
        for name, inner in value.items():
            here, key = (*self.path, name), known.get(folded(name))
            if key is None:
                self.findings.unknown(here, known, f" of {self.block}")
            elif key.v3 is None or key.v3 == "tunerGpuIndices":
                self.findings.moved(key, inner, here, self.findings.v3)
            elif key.v3 in self.parts:
                again = f"{key.name} says again what another key of {self.block} says; keep one of them."
                self.findings.refuse(here, again)
            else:
                self.parts[key.v3], self.places[key.v3] = inner, here
                if key.name != key.v3 and inner is not None:
                    self.findings.note(here, f"{key.name} became {key.v3}: {shown(inner)}.")

    # -- who it is --------------------------------------------------------------------------------------

    def _name(self) -> str | None:
        """NNI's spelling of the algorithm's name; None for a class of one's own, and after a refusal."""
        given = self.parts.get("name")
        if given is None:
            if "className" not in self.parts:
                example = _EXAMPLES[self.role]
                self.findings.refuse(
                    self.path, f"The {self.role} has no name; write name: {example}, for example."
                )
            return None
        here = self._place("name")
        names = nni_names.TUNERS if self.role == "tuner" else nni_names.ASSESSORS
        spelling = nni_names.spelled(given, names) if isinstance(given, str) else None
        if spelling is None:
            self.findings.refuse(here, str(UnknownName(self.role, short(given), names)))
            return None
        if spelling != given:
            self.findings.note(here, f"NNI spells {given} as {spelling}.")
        self._availability(spelling, here)
        return spelling

    @property
    def _registry(self) -> catalogue.Registry:
        return catalogue.TUNERS if self.role == "tuner" else catalogue.ASSESSORS

    def _is_offered(self, name: str) -> bool:
        return name in self._registry and bool(self._registry[name].facts.get("available", True))

    def _availability(self, name: str, here: Path) -> None:
        if name not in self._registry:
            offered = ", ".join(self._registry)
            self.findings.note(here, f"The {self.role} {name} is not offered here; the app has {offered}.")
        elif not self._is_offered(name):
            reason = self._registry[name].facts.get("reason", "")
            self.findings.note(here, f"The {self.role} {name} cannot run here: {reason}")

    def _custom(self, written: dict[str, Any]) -> None:
        name, file = self.parts.get("className"), self.parts.get("classFileName")
        if isinstance(file, str) and file.endswith(".py"):
            name = f"{file[:-3]}.{name}"
        written["className"] = name
        if "codeDirectory" in self.parts:
            written["codeDirectory"] = self.parts["codeDirectory"]
        self.findings.note(
            self._place("className"),
            f"The {self.role} is a class of your own, which runs here cannot use; pick one of the app's.",
        )

    # -- its arguments ----------------------------------------------------------------------------------

    def _arguments(self) -> dict[str, Any]:
        given = self.parts.get("classArgs")
        if given is None:
            return {}
        if not isinstance(given, dict):
            self.findings.refuse(self._place("classArgs"), f"classArgs is {kind(given)}; give an object.")
            return {}
        return dict(given)

    def _as_v3(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments as NNI 3's own check takes them; the direction is kept for the run."""
        mode = arguments.get("optimize_mode")
        if mode is not None:
            self._mode(mode)
        if name != "Curvefitting":
            return arguments
        if "optimize_mode" in arguments:
            arguments = {key: value for key, value in arguments.items() if key != "optimize_mode"}
            self.findings.note(
                self._place("classArgs", "optimize_mode"),
                "optimize_mode is left out: Curvefitting of NNI 3 refuses it and always maximises.",
            )
        threshold = arguments.get("threshold")
        if isinstance(threshold, int) and not isinstance(threshold, bool):
            arguments = arguments | {"threshold": float(threshold)}
            self.findings.note(
                self._place("classArgs", "threshold"),
                f"threshold is written {float(threshold)}: NNI's check wants a decimal point.",
            )
        return arguments

    def _mode(self, mode: Any) -> None:
        here = self._place("classArgs", "optimize_mode")
        if mode not in _MODES:
            self.findings.refuse(here, f"optimize_mode is {shown(mode)}; pick 'maximize' or 'minimize'.")
        elif self.findings.found.setdefault("optimize_mode", mode) != mode:
            self.findings.refuse(here, "Tuner and assessor have different optimize_mode; give both the same.")

    def _settings(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Those arguments that the catalogue's entry has as settings; TPE's tpe_args stand among them."""
        given = dict(arguments)
        places = {argument: self._place("classArgs", argument) for argument in given}
        inner = given.get("tpe_args")
        if isinstance(inner, dict):
            places |= {argument: self._place("classArgs", "tpe_args", argument) for argument in inner}
            given = {key: value for key, value in given.items() if key != "tpe_args"} | inner
        if self.role == "assessor":
            given.pop("optimize_mode", None)
        if given.get("seed") is not None:
            self._seed(given["seed"], places["seed"])
        given.pop("seed", None)
        return self._of_catalogue(name, given, places) if self._is_offered(name) else given

    def _seed(self, seed: Any, here: Path) -> None:
        if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**31:
            self.findings.refuse(here, f"seed is {shown(seed)}; give a whole number from 0 to 2147483647.")
            return
        self.findings.found["seed"] = seed
        self.findings.note(here, f"seed {seed} is the run's seed.")

    def _of_catalogue(self, name: str, given: dict[str, Any], places: Mapping[str, Path]) -> dict[str, Any]:
        known = self._registry[name].defaults()
        for argument, value in given.items():
            if argument in known:
                self.findings.note(places[argument], f"{argument}: {shown(value)}, a setting of {name}.")
                continue
            near = difflib.get_close_matches(argument, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "."
            self.findings.note(
                places[argument], f"{argument} is no setting of {name} here and is left out{hint}"
            )
        return {argument: value for argument, value in given.items() if argument in known}
