"""Leases: who runs what. A claim is an update that only one can win; a lease that is not renewed runs out.

Mixed into `Store`. An owner that lost its lease can no longer append (`Store.append(..., owner=...)`
refuses), so a worker that wakes up after it was given up cannot rewrite the ending.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection, or_, select, update

from explorer.runs.summary import Ledger
from explorer.runs.tables import RUNS

ACTIVE = ("running", "paused")


class Leases:
    """The half of the store that supervisors and workers use."""

    clock: Callable[[], float]
    _transaction: Callable[[], AbstractContextManager[Connection]]
    _reading: Callable[[], AbstractContextManager[Connection]]
    _next: Callable[[Connection, str, str | None], Ledger]
    _tell: Callable[..., tuple[Ledger, Any]]
    _save: Callable[[Connection, Ledger], Any]

    def claim(
        self, owner: str, seconds: float, kinds: tuple[str, ...] | None = None, run_id: str | None = None
    ) -> str | None:
        """The id of a queued run, oldest first, that now belongs to `owner` for `seconds`; None when there is
        none.

        `kinds` restricts the kinds of run, `run_id` asks for one in particular.
        """
        for candidate in self._claimable(kinds, run_id):
            now = self.clock()
            free = (RUNS.c.run_id == candidate) & _waiting(now)
            with self._transaction() as connection:
                won = connection.execute(
                    update(RUNS)
                    .where(free)
                    .values(lease_owner=owner, lease_until=now + seconds, heartbeat=now)
                )
            if won.rowcount == 1:
                return candidate
        return None

    def renew(self, run_id: str, owner: str, seconds: float) -> bool:
        """Keep a lease for `seconds` from now; False when it is no longer `owner`'s."""
        return self._renew(run_id, owner, lease_until=self.clock() + seconds)

    def beat(self, run_id: str, owner: str, seconds: float) -> bool:
        """A sign of life from the worker itself: renews the lease and notes the time."""
        now = self.clock()
        return self._renew(run_id, owner, lease_until=now + seconds, heartbeat=now)

    def release(self, run_id: str, owner: str) -> bool:
        """Give a run back, so that it can be claimed again if it is still queued."""
        return self._renew(run_id, owner, lease_owner=None, lease_until=None)

    def is_anyone_waiting(self, seconds: float = 0.0) -> bool:
        """Whether a run that nobody has claimed has been queued for at least `seconds`."""
        now = self.clock()
        query = select(RUNS.c.run_id).where(_waiting(now), RUNS.c.queued <= now - seconds)
        with self._reading() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def close_expired(self, reason: str) -> list[str]:
        """Write `run_lost` for every run whose lease ran out while it was running, paused or about to be started
        by whoever made it; returns their ids.
        """
        now = self.clock()
        with self._reading() as connection:
            stale = connection.execute(select(RUNS.c.run_id).where(_lost(now))).scalars().all()
        return [run_id for run_id in stale if self._close_one(run_id, now, reason)]

    def _close_one(self, run_id: str, now: float, reason: str) -> bool:
        still = (RUNS.c.run_id == run_id) & _lost(now)
        with self._transaction() as connection:
            if connection.execute(update(RUNS).where(still).values(lease_owner=None)).rowcount == 0:
                return False
            ledger, _ = self._tell(
                connection, self._next(connection, run_id, None), "run_lost", {"reason": reason}
            )
            self._save(connection, ledger)
        return True

    def _claimable(self, kinds: tuple[str, ...] | None, run_id: str | None) -> list[str]:
        query = select(RUNS.c.run_id).where(_waiting(self.clock()))
        query = query if run_id is None else query.where(RUNS.c.run_id == run_id)
        query = query if kinds is None else query.where(RUNS.c.kind.in_(kinds))
        with self._reading() as connection:
            return list(connection.execute(query.order_by(RUNS.c.queued, RUNS.c.run_id).limit(5)).scalars())

    def _renew(self, run_id: str, owner: str, **values: Any) -> bool:
        mine = (RUNS.c.run_id == run_id) & (RUNS.c.lease_owner == owner)
        with self._transaction() as connection:
            return connection.execute(update(RUNS).where(mine).values(**values)).rowcount == 1


def _free(now: float) -> Any:
    return or_(RUNS.c.lease_until.is_(None), RUNS.c.lease_until < now)


def _spoken_for() -> Any:
    """Born claimed, for a foreground run, and not begun: a claim notes a heartbeat, a birth does not."""
    return RUNS.c.lease_owner.is_not(None) & RUNS.c.heartbeat.is_(None)


def _waiting(now: float) -> Any:
    return (RUNS.c.status == "queued") & _free(now) & ~_spoken_for()


def _lost(now: float) -> Any:
    return (RUNS.c.status.in_(ACTIVE) | ((RUNS.c.status == "queued") & _spoken_for())) & _free(now)
