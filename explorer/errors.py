"""The exceptions that people meet, each carrying one sentence for the person who reads it.

    ExplorerError                 anything of ours; str(error) is one clear sentence
    ├── UserError                 something a person supplied; exit 2 on the command line
    │   ├── SpaceError            a search space or an architecture is not well formed or cannot run
    │   ├── CodecError            a link, a code or a file cannot be read
    │   ├── SpecError             a run's settings are wrong
    │   ├── UnknownName           a name that no registry knows
    │   ├── NotFound              a run that the store does not hold
    │   ├── OutsideKey            the answer key does not hold this architecture, seed or sub-table
    │   ├── LimitReached          a limit of this place (queue, size, time) says no
    │   └── Conflict              the run's story does not allow this now (cancel after the end, two owners)
    ├── TrialFailed               one trial cannot go on (its loss is no number any more); the run goes on
    └── EnvironmentProblem        the machine says no; nothing the person typed
        ├── DataMissing           a dataset is not on this machine
        ├── NoKey                 there is no answer key of this dataset here
        ├── KeyDamaged            a file of the answer key, or a shard of it, cannot be trusted
        ├── StoreUnavailable      the store cannot be opened, read or written
        └── SupervisorUnavailable the supervisor could not be started

Messages say what was wrong, quote the value, and say what would be right.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ExplorerError(Exception):
    """Base of everything that this package raises on purpose."""


class UserError(ExplorerError):
    """Something that a person supplied is wrong."""


class EnvironmentProblem(ExplorerError):
    """The machine, its disk or its network says no."""


class SpaceError(UserError):
    """A search space or an architecture is malformed or cannot run.

    `problems` holds every sentence found at once; the message joins them.
    """

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__(" ".join(problems))


class CodecError(UserError):
    """A link, a code or a file cannot be read."""


class SpecError(UserError):
    """A run's settings are wrong; `problems` holds every sentence found at once."""

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__(" ".join(problems))


class NotFound(UserError):
    """The store holds no such run."""


class OutsideKey(UserError):
    """The answer key does not hold this; the message says why: other space, other data, or never trained."""


class LimitReached(UserError):
    """A limit of this place says no."""


class Conflict(UserError):
    """The run's story does not allow this now."""


class TrialFailed(ExplorerError):
    """One trial cannot go on; the run does."""


class DataMissing(EnvironmentProblem):
    """A dataset is not on this machine; the message says how to place it."""


class NoKey(EnvironmentProblem):
    """There is no answer key of this dataset here; the message says which there are."""


class KeyDamaged(EnvironmentProblem):
    """A file of the answer key, or a shard of it, is not what it should be."""


class StoreUnavailable(EnvironmentProblem):
    """The store cannot be opened, read or written."""


class SupervisorUnavailable(EnvironmentProblem):
    """The supervisor could not be started or reached."""


class UnknownName(UserError):
    """No registry knows this name; the message offers the nearest ones.

    >>> str(UnknownName("dataset", "digit", ["digits", "mnist"]))
    "No dataset is called 'digit'; did you mean 'digits'? Known: digits, mnist."
    """

    def __init__(self, kind: str, name: object, known: Iterable[str]) -> None:
        known = list(known)
        near = difflib.get_close_matches(str(name), known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else "."
        super().__init__(f"No {kind} is called {name!r}{hint} Known: {', '.join(known)}.")
