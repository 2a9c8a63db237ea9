"""The store: runs, their events and the requests made of them, in any database that SQLAlchemy knows.

It is the only interface between the app and the engines. Appending an event is one transaction with the run's
summary row, numbered without gaps whoever writes; lists read summary rows only. Who may run what is
`leases.py`'s business.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from explorer.errors import Conflict, LimitReached, NotFound, SpecError, StoreUnavailable
from explorer.runs import places
from explorer.runs.events import CLOSED, TERMINAL, Event, clean, data_problem
from explorer.runs.leases import Leases
from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState, fold
from explorer.runs.summary import Ledger, RunSummary, advance, begin, replay
from explorer.runs.tables import EVENTS, META, METADATA, REQUESTS, RUNS, SCHEMA, absolute, open_engine
from explorer.runs.text import dumps

MAX_EVENT_BYTES = 1_000_000
MAX_NAME = 200
FIRST_LEASE_SECONDS = 6.0  # for a run born claimed, until its owner first renews
MAX_NOTE = 10_000
_LEDGERS = 32  # runs whose trials are kept in memory
_LEDGER_EVENTS = 50  # events after which a running run's trials are written down again

# kind of request -> keys that its data must hold
REQUEST_KINDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "cancel": (),
        "pause": (),
        "resume": (),
        "set": ("name", "value"),
        "add_trial": (),
        "kill_trial": ("trial_id",),
        "finish_trial": ("trial_id",),
        "step": (),
        "measure": ("name",),
        "stop": (),
    }
)


@dataclass(frozen=True)
class Request:
    """Something a person asked of a run; `id` counts from 1 within the run."""

    run_id: str
    id: int
    time: float
    kind: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class _Known:
    """A ledger as this process last wrote it, and the number of the event at which its trials were written down."""

    ledger: Ledger
    written: int


class Store(Leases):
    """Runs by id. `url` is a SQLAlchemy address; without one the embedded SQLite file is used.

    Every method raises StoreUnavailable, one sentence, when the database says no, and then nothing was
    written.
    """

    def __init__(self, url: str | None = None, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self._ledgers: dict[str, _Known] = {}
        try:
            self._address = absolute(make_url(url or places.store_url()))
            self._engine = open_engine(self._address)
        except ModuleNotFoundError as error:
            raise StoreUnavailable(
                f"The store cannot be opened: its address needs the Python package {error.name!r}; install it with pip."
            ) from error
        except (FileExistsError, NotADirectoryError) as error:
            raise StoreUnavailable(
                f"The store cannot be opened: {str(error.filename)!r} is no folder; set EXPLORER_HOME to a folder."
            ) from error
        except (SQLAlchemyError, ImportError, OSError, ValueError) as error:
            raise StoreUnavailable(f"The store cannot be opened: {_first_line(error)}.") from error
        self._prepare()

    @property
    def url(self) -> str:
        """The whole address, password included: for other processes, never for a screen or a log."""
        return self._address.render_as_string(hide_password=False)

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    # -- writing ---------------------------------------------------------------------------------------------

    def create_run(
        self,
        spec: RunSpec,
        visitor: str | None = None,
        *,
        name: str = "",
        queue_limit: int | None = None,
        owner: str | None = None,
    ) -> str:
        """A new run, queued; returns its id.

        `queue_limit` caps how many runs, anybody's, may wait (LimitReached). With `owner` the run is
        born claimed, so that no supervisor takes it.
        """
        now = self.clock()
        event = Event(_new_id(), 1, now, "run_queued", {"spec": spec.to_json()})
        lease = {"lease_owner": owner, "lease_until": now + FIRST_LEASE_SECONDS} if owner else {}
        with self._transaction() as connection:
            self._insert_run(
                connection, [event], begin(event), visitor=visitor, name=name[:MAX_NAME], **lease
            )
            _check_queue(connection, queue_limit)
        return event.run_id

    def append(
        self,
        run_id: str,
        kind: str,
        data: Mapping[str, Any] | None = None,
        *,
        owner: str | None = None,
        only_when: str | None = None,
        lease_to: str | None = None,
        queue_limit: int | None = None,
    ) -> Event:
        """Write one event and bring the summary up to date, in one transaction.

        Numbers that are not finite are stored as null and a `warning` follows. `only_when` names the one run
        status in which the event is meant; `lease_to` claims the run in the same moment; `queue_limit` is as in
        `create_run`, for an event that queues the run again. Raises NotFound, LimitReached, Conflict when the
        run's story does not allow the event or `owner` no longer holds the lease, ValueError for malformed data.
        """
        cleaned, lost = clean(data or {})
        problem = data_problem(kind, cleaned)
        if problem:
            raise ValueError(problem)
        with self._transaction() as connection:
            ledger = self._next(connection, run_id, owner)
            if only_when is not None and ledger.summary.status != only_when:
                raise Conflict(f"Run {run_id} is {ledger.summary.status}, not {only_when}.")
            ledger, event = self._tell(connection, ledger, kind, cleaned)
            if lost:
                warning = (
                    f"{kind} carried numbers that are not finite ({', '.join(lost[:5])}); stored as null."
                )
                about = {"trial_id": cleaned["trial_id"]} if "trial_id" in cleaned else {}
                ledger, _ = self._tell(connection, ledger, "warning", {"message": warning, **about})
            known = self._save(connection, ledger)
            _check_queue(connection, queue_limit)
            if lease_to is not None:
                self._touch(
                    connection, run_id, lease_owner=lease_to, lease_until=self.clock() + FIRST_LEASE_SECONDS
                )
        self._remember(known)
        return event

    def import_run(
        self, spec: RunSpec, events: Iterable[Event], name: str = "", ledger: Ledger | None = None
    ) -> str:
        """A recorded run under a new id, its times kept; returns the id.

        `ledger` is that of these events, where they have been replayed already. Raises Conflict when the story is
        broken.
        """
        run_id = _new_id()
        renamed = [replace(event, run_id=run_id) for event in events]
        if not renamed or renamed[-1].kind not in TERMINAL:
            raise Conflict("A recorded run must end with a terminal event, such as run_finished.")
        renamed[0] = replace(renamed[0], data={**renamed[0].data, "spec": spec.to_json()})
        told = replay(renamed) if ledger is None else ledger
        told = replace(told, summary=replace(told.summary, run_id=run_id))
        with self._transaction() as connection:
            self._insert_run(connection, renamed, told, name=name[:MAX_NAME])
        return run_id

    def request(self, run_id: str, kind: str, data: Mapping[str, Any] | None = None) -> int:
        """Ask something of a run's worker; returns the request's number.

        Raises Conflict when the run has ended.
        """
        cleaned, _ = clean(data or {})
        if kind not in REQUEST_KINDS:
            raise SpecError(f"No request is called {kind!r}; known: {', '.join(REQUEST_KINDS)}.")
        missing = [key for key in REQUEST_KINDS[kind] if key not in cleaned]
        if missing:
            raise SpecError(f"The request {kind} lacks {', '.join(missing)}.")
        with self._transaction() as connection:
            self._touch(connection, run_id, last_request=RUNS.c.last_request + 1)
            row = connection.execute(select(RUNS.c.last_request, RUNS.c.status).where(_is(run_id))).one()
            if row.status in CLOSED:
                raise Conflict(f"Run {run_id} has already ended ({row.status}); there is nothing to {kind}.")
            values = {"run_id": run_id, "number": row.last_request, "time": self.clock(), "kind": kind}
            connection.execute(insert(REQUESTS).values(**values, data=dumps(cleaned)))
        return int(row.last_request)

    def set_note(self, run_id: str, text: str) -> None:
        """Keep a note beside a run."""
        if len(text) > MAX_NOTE:
            raise SpecError(f"The note has {len(text):,} characters; at most {MAX_NOTE:,} are kept.")
        with self._transaction() as connection:
            self._touch(connection, run_id, note=text)

    def rename(self, run_id: str, name: str) -> None:
        """Give a run a name."""
        if len(name) > MAX_NAME:
            raise SpecError(f"The name has {len(name):,} characters; at most {MAX_NAME} are kept.")
        with self._transaction() as connection:
            self._touch(connection, run_id, name=name)

    def delete(self, run_id: str) -> None:
        """Forget a run that has ended; raises Conflict while it has not."""
        with self._transaction() as connection:
            over = _is(run_id) & RUNS.c.status.in_(CLOSED)
            if connection.execute(delete(RUNS).where(over)).rowcount == 0:
                status = self._row(connection, select(RUNS.c.status).where(_is(run_id)), run_id).status
                raise Conflict(f"Run {run_id} is {status}; cancel it before deleting it.")
            connection.execute(delete(EVENTS).where(EVENTS.c.run_id == run_id))
            connection.execute(delete(REQUESTS).where(REQUESTS.c.run_id == run_id))

    # -- reading ---------------------------------------------------------------------------------------------

    def events(self, run_id: str, after: int = 0, limit: int | None = None) -> list[Event]:
        """The run's events with a number above `after`, in order."""
        with self._reading() as connection:
            found = self._events(connection, run_id, after, limit)
            if not found:
                self._row(connection, select(RUNS.c.run_id).where(_is(run_id)), run_id)
        return found

    def state(self, run_id: str, known: RunState | None = None) -> RunState:
        """The fold of the run's events; `known` is advanced instead of starting over."""
        return fold(self.events(run_id, known.last_seq if known else 0), known)

    def summary(self, run_id: str) -> RunSummary:
        """The run's summary row; raises NotFound."""
        with self._reading() as connection:
            return _summary(self._row(connection, _SUMMARIES.where(_is(run_id)), run_id))

    def summaries(
        self, limit: int | None = None, status: str | None = None, visitor: str | None = None
    ) -> list[RunSummary]:
        """Summary rows, newest first."""
        query = _SUMMARIES.order_by(RUNS.c.created.desc(), RUNS.c.run_id).limit(limit)
        query = query if status is None else query.where(RUNS.c.status == status)
        query = query if visitor is None else query.where(RUNS.c.visitor == visitor)
        with self._reading() as connection:
            return [_summary(row) for row in connection.execute(query)]

    def requests(self, run_id: str, after: int | None = None) -> list[Request]:
        """Requests with a number above `after`, in order; without one, those made of the newest attempt."""
        query = select(REQUESTS).where(REQUESTS.c.run_id == run_id).order_by(REQUESTS.c.number)
        with self._reading() as connection:
            if after is None:
                after = self._row(
                    connection, select(RUNS.c.first_request).where(_is(run_id)), run_id
                ).first_request
            rows = connection.execute(query.where(REQUESTS.c.number > after)).all()
        return [Request(run_id, row.number, row.time, row.kind, _kept(row.data, run_id)) for row in rows]

    def _events(
        self, connection: Connection, run_id: str, after: int, limit: int | None = None
    ) -> list[Event]:
        query = select(EVENTS).where(EVENTS.c.run_id == run_id, EVENTS.c.seq > after).order_by(EVENTS.c.seq)
        rows = connection.execute(query.limit(limit)).all()
        return [Event(run_id, row.seq, row.time, row.kind, _kept(row.data, run_id)) for row in rows]

    # -- inside a transaction --------------------------------------------------------------------------------

    def _next(self, connection: Connection, run_id: str, owner: str | None) -> Ledger:
        """The run's ledger, its row locked: the update comes first so that writers queue up behind it."""
        self._touch(connection, run_id, last_seq=RUNS.c.last_seq)
        row = connection.execute(
            select(RUNS.c.last_seq, RUNS.c.summary, RUNS.c.lease_owner).where(_is(run_id))
        ).one()
        if owner is not None and row.lease_owner != owner:
            raise Conflict(f"Run {run_id} was given to somebody else; this worker no longer speaks for it.")
        summary, known = _kept(row.summary, run_id), self._ledgers.get(run_id)
        if known is not None and known.ledger.summary.last_seq == row.last_seq:
            return known.ledger
        self._ledgers.pop(run_id, None)
        kept = connection.execute(select(RUNS.c.ledger).where(_is(run_id))).scalar_one()
        return Ledger.restore(
            summary, _kept(kept, run_id), lambda after: self._events(connection, run_id, after)
        )

    def _tell(
        self, connection: Connection, ledger: Ledger, kind: str, data: Mapping[str, Any]
    ) -> tuple[Ledger, Event]:
        refused = ledger.refusal(kind, data)
        if refused:
            raise Conflict(refused)
        before = ledger.summary
        now = max(self.clock(), before.updated or 0.0)  # a clock set back must not make a story run backwards
        event = Event(before.run_id, before.last_seq + 1, now, kind, data)
        connection.execute(insert(EVENTS).values(**_event_row(event)))
        return advance(ledger, event), event

    def _save(self, connection: Connection, ledger: Ledger) -> _Known:
        """Write the summary, and the trials now and then: they can be told from the events since."""
        summary, known = ledger.summary, self._ledgers.get(ledger.summary.run_id)
        values: dict[str, Any] = {
            "status": summary.status,
            "last_seq": summary.last_seq,
            "summary": dumps(summary.to_json()),
        }
        written = known.written if known is not None else 0
        if written + _LEDGER_EVENTS <= summary.last_seq or summary.status not in ("running", "paused"):
            written = summary.last_seq
            values["ledger"] = dumps(ledger.trials_json())
        if summary.is_over:
            values |= {"lease_owner": None, "lease_until": None}
        if summary.status == "queued":  # a new attempt: to the end of the queue, old requests behind it
            values |= {"queued": summary.updated, "first_request": RUNS.c.last_request, "heartbeat": None}
        connection.execute(update(RUNS).where(_is(summary.run_id)).values(**values))
        return _Known(ledger, written)

    def _remember(self, known: _Known) -> None:
        """Keep the ledger of a run that goes on, so that its next event does not read all its trials again."""
        summary = known.ledger.summary
        self._ledgers.pop(summary.run_id, None)
        if not summary.is_over:
            self._ledgers[summary.run_id] = known
        for run_id in list(self._ledgers)[:-_LEDGERS]:
            self._ledgers.pop(run_id, None)

    def _insert_run(self, connection: Connection, events: list[Event], ledger: Ledger, **more: Any) -> None:
        summary = ledger.summary
        connection.execute(
            insert(RUNS).values(
                run_id=summary.run_id,
                kind=summary.kind,
                status=summary.status,
                created=summary.created,
                queued=summary.created,
                last_seq=summary.last_seq,
                last_request=0,
                first_request=0,
                **_summary_columns(ledger),
                **more,
            )
        )
        connection.execute(insert(EVENTS), [_event_row(event) for event in events])

    def _touch(self, connection: Connection, run_id: str, **values: Any) -> None:
        if connection.execute(update(RUNS).where(_is(run_id)).values(**values)).rowcount == 0:
            raise NotFound(f"No run is called {run_id!r}; `runs` lists them.")

    def _row(self, connection: Connection, query: Select[Any], run_id: str) -> Any:
        row = connection.execute(query).one_or_none()
        if row is None:
            raise NotFound(f"No run is called {run_id!r}; `runs` lists them.")
        return row

    # -- connections -----------------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """All or nothing; what the database says becomes one sentence."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            raise StoreUnavailable(
                f"The store {self._shown()} says no: {_first_line(error.orig)}."
            ) from error

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise StoreUnavailable(
                f"The store {self._shown()} cannot be read: {_first_line(error.orig)}."
            ) from error

    def _prepare(self) -> None:
        """Make the tables if they are not there; refuse a store that a newer version made."""
        try:
            with self._reading() as connection:
                version = connection.execute(select(META.c.value).where(META.c.name == "schema")).scalar()
        except StoreUnavailable:
            version = None  # a new database has no tables yet; one that is broken says so again below
        if version is None:
            self._create()
        elif version > SCHEMA:
            raise StoreUnavailable(
                f"The store {self._shown()} has schema {version}, newer than the {SCHEMA} read here; update."
            )

    def _create(self) -> None:
        try:
            with self._transaction() as connection:
                METADATA.create_all(connection)
                connection.execute(insert(META).values(name="schema", value=SCHEMA))
        except StoreUnavailable:
            if not self._made_by_another():
                raise

    def _made_by_another(self) -> bool:
        """Whether another process made the tables in the same moment."""
        try:
            with self._reading() as connection:
                return connection.execute(select(META.c.value)).scalar() == SCHEMA
        except StoreUnavailable:
            return False

    def _shown(self) -> str:
        return self._address.render_as_string(hide_password=True)


_SUMMARIES = select(RUNS.c.run_id, RUNS.c.summary, RUNS.c.name, RUNS.c.note, RUNS.c.visitor, RUNS.c.heartbeat)


def _summary(row: Any) -> RunSummary:
    kept = {"name": row.name, "note": row.note, "visitor": row.visitor, "heartbeat": row.heartbeat}
    return RunSummary.from_json(_kept(row.summary, row.run_id) | kept)


def _summary_columns(ledger: Ledger) -> dict[str, str]:
    return {"summary": dumps(ledger.summary.to_json()), "ledger": dumps(ledger.trials_json())}


def _event_row(event: Event) -> dict[str, Any]:
    text = dumps(event.data)
    if len(text) > MAX_EVENT_BYTES:
        raise LimitReached(
            f"A {event.kind} event has {len(text):,} characters; at most {MAX_EVENT_BYTES:,} are kept."
        )
    return {"run_id": event.run_id, "seq": event.seq, "time": event.time, "kind": event.kind, "data": text}


def _check_queue(connection: Connection, limit: int | None) -> None:
    if limit is None:
        return
    waiting = connection.execute(select(func.count()).where(RUNS.c.status == "queued")).scalar_one()
    if waiting > limit:
        raise LimitReached(
            f"{limit} runs are waiting already, which is all that is allowed here; wait for one to start."
        )


def _is(run_id: str) -> Any:
    return RUNS.c.run_id == run_id


def _new_id() -> str:
    """60 random bits as 12 letters: an id is all that protects a run on a shared server, so it must not be
    guessed.
    """
    return "".join(secrets.choice("abcdefghijkmnpqrstuvwxyz23456789") for _ in range(12))


def _kept(text: str, run_id: str) -> dict[str, Any]:
    """An object that the store holds as text; raises StoreUnavailable when something else has written there."""
    try:
        form = json.loads(text)
    except ValueError:
        form = None
    if isinstance(form, dict):
        return form
    raise StoreUnavailable(
        f"The store's record of run {run_id} is damaged: it is no JSON object; restore the database from a copy."
    )


def _first_line(error: BaseException | None) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")[:300]
