"""RunSpec: everything that a run was asked to do, as one frozen record. It fits in a link and repeats
exactly.

Reading back what the store holds (`restore`) trusts it; whatever comes from a person (`from_json`,
`from_link`) is checked as a whole, every problem at once.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from explorer.catalogue import OBJECTIVES
from explorer.errors import CodecError, ExplorerError, SpecError, UnknownName
from explorer.runs.bounds import MAX_DEPTH, excess
from explorer.runs.text import dumps, plain

SCHEMA = 1
MAX_TRIALS = 10_000
MAX_EPOCHS = 10_000
MAX_STEPS = 1_000_000
MAX_WORKERS = 64
MAX_SEED = 2**31 - 1
MAX_JSON_BYTES = 200_000
# kind -> what is used where `method` names nothing else
_METHODS: Mapping[str, dict[str, Any]] = {
    "random": {"strategy": "random"},
    "nas": {"strategy": "aging_evolution"},
    "race": {"strategies": ["random", "local_search", "aging_evolution", "successive_halving", "hyperband"]},
    "hpo": {"tuner": "TPE", "assessor": "none"},
    "oneshot": {"method": "darts", "engine": "own"},
}


@dataclass(frozen=True)
class RunSpec:
    """What a run does. `space` is a preset's name or a space as JSON; `architecture` pins one (label ->
    choice).

    `method` names what is used (`{"strategy": "random"}`, `{"tuner": "TPE", "assessor": "none"}`, `{"method":
    "darts", "engine": "own"}`), `settings` its parameters by group: tuner, assessor, training, strategy,
    warm_start, method, selection, features, selector. A features run names `selectors` (a list; all where there is
    none), and a `tuner` where new columns are searched with `trials`; its `dataset` is a table. `objective` and
    `search_space` (NNI's search_space.json; None is the objective's own) are read by a run of the kind hpo; `from_step`
    by a one-shot run: it begins at that checkpoint of its `parent`, and `epochs` are the search's.
    """

    kind: str = "random"
    space: str | dict[str, Any] = "notes-net"
    dataset: str = "digits"
    architecture: dict[str, Any] | None = None
    method: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    trials: int = 20
    epochs: int = 3
    workers: int = 2
    executor: str = "local"
    seed: int = 0
    parent: str | None = None
    objective: str = "train"
    search_space: dict[str, Any] | None = None
    from_step: int | None = None

    def __post_init__(self) -> None:
        for name in ("space", "architecture", "method", "settings", "search_space"):
            object.__setattr__(self, name, copy.deepcopy(getattr(self, name)))
        if isinstance(self.method, dict) and isinstance(self.kind, str):
            object.__setattr__(self, "method", _METHODS.get(self.kind, {}) | self.method)

    @property
    def optimize_mode(self) -> str:
        """maximize or minimize: what the tuner was told, else the objective's own direction."""
        own = "maximize"
        if self.kind == "hpo" and isinstance(self.objective, str) and self.objective in OBJECTIVES:
            own = OBJECTIVES[self.objective].facts["optimize_mode"]
        tuner = self.settings.get("tuner") if isinstance(self.settings, Mapping) else None
        return str((tuner.get("optimize_mode") if isinstance(tuner, Mapping) else None) or own)

    @property
    def trains_network(self) -> bool:
        """Whether its trials train an architecture of `space`."""
        return self.kind not in ("hpo", "features") or (self.kind == "hpo" and self.objective == "train")

    @property
    def space_name(self) -> str:
        """The preset's name, or the name written in the space's JSON."""
        return self.space if isinstance(self.space, str) else str(self.space.get("name", "custom"))

    @property
    def subject(self) -> str:
        """What a list says that the run is about: its space, its objective, or that it compares selectors."""
        if self.kind == "features":
            return "features"
        return self.space_name if self.trains_network else self.objective

    @property
    def planned_trials(self) -> int:
        """How many trials are to be trained, retrainings aside: fewer than asked for where the space holds fewer.

        A one-shot run trains one supernet; its only trials are the retrainings that are asked for afterwards. A race
        trains nothing.
        """
        from explorer.space import load_space

        if self.kind in ("oneshot", "race"):
            return 0
        if self.kind == "features":  # its trials are a search for new columns
            return self.trials if isinstance(self.method, Mapping) and "tuner" in self.method else 0
        if self.architecture is not None or self.kind == "hpo":
            return self.trials
        try:
            return min(self.trials, load_space(self.space).size)
        except ExplorerError:  # a stored run whose space is no longer readable: what was asked for
            return self.trials

    def problems(self) -> tuple[str, ...]:
        """Every sentence about what keeps this run from being started; empty when nothing does."""
        from explorer.runs.checks import spec_problems

        return tuple(spec_problems(self))

    def checked(self) -> RunSpec:
        """This spec; raises SpecError with every problem at once."""
        problems = self.problems()
        if problems:
            raise SpecError(*problems)
        return self

    def to_json(self) -> dict[str, Any]:
        """A plain dict with a schema version."""
        return {"schema": SCHEMA} | copy.deepcopy(dict(vars(self)))

    @classmethod
    def from_json(cls, form: Any) -> RunSpec:
        """The inverse of `to_json`, checked; raises SpecError with every problem at once, whatever JSON `form` is."""
        too_much = excess(form)
        if too_much:
            raise SpecError(f"These settings hold {too_much}.")
        return cls.restore(form).checked()

    @classmethod
    def restore(cls, form: Any) -> RunSpec:
        """The inverse of `to_json` for what the store holds: the keys are checked, the values are trusted."""
        if not isinstance(form, Mapping):
            raise SpecError(f"A run's settings are a JSON object, not a {type(form).__name__}.")
        schema = form.get("schema", SCHEMA)
        if isinstance(schema, int) and not isinstance(schema, bool) and schema > SCHEMA:
            raise SpecError(
                f"These settings have schema {schema!r:.60}, newer than the {SCHEMA} read here; update the app."
            )
        if schema != SCHEMA or isinstance(schema, bool):
            raise SpecError(f"schema is {schema!r:.60}; this app writes and reads {SCHEMA}.")
        known = [item.name for item in fields(cls)]
        strange = [name for name in form if name not in known and name != "schema"]
        if strange:
            raise SpecError(*(str(UnknownName("setting", name, known)) for name in strange))
        try:
            return cls(**{name: value for name, value in form.items() if name != "schema"})
        except RecursionError:
            raise SpecError(
                f"These settings are nested more than {MAX_DEPTH} levels deep; write them flatter."
            ) from None

    def to_link(self) -> str:
        """The spec as URL-safe text; raises CodecError when a very large space does not fit into a link."""
        from explorer.space import pack

        return pack(self.to_json())

    @classmethod
    def from_link(cls, text: str) -> RunSpec:
        """The inverse of `to_link`, checked; raises CodecError or SpecError, one sentence each."""
        from explorer.space import unpack

        form = unpack(text)
        if not isinstance(form, Mapping):
            raise CodecError("This link holds no run's settings; copy it again from the app.")
        return cls.from_json(form)


def size_problem(spec: RunSpec) -> str | None:
    """Whether the spec is plain JSON of a bearable size, as one sentence, or None."""
    try:
        form, lost = plain(spec.to_json())
        too_much = excess(form)
        size = 0 if too_much else len(dumps(form).encode())
    except (TypeError, ValueError, RecursionError) as error:
        return f"These settings cannot be written as JSON: {error}"
    if lost:
        return f"{lost[0]} is not a finite number; give one."
    if too_much:
        return f"These settings hold {too_much}."
    if size > MAX_JSON_BYTES:
        return f"These settings have {size:,} bytes as JSON; at most {MAX_JSON_BYTES:,} are taken."
    return None


def trial_seed(run_seed: int, number: int) -> int:
    """The seed of trial `number`: 31 bits of SHA-256, so that neighbouring runs and trials share nothing."""
    digest = hashlib.sha256(f"trial/{run_seed}/{number}".encode()).digest()
    return int.from_bytes(digest[:4], "big") & 0x7FFFFFFF
