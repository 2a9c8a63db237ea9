"""One search from its beginning, a checkpoint or a parent's checkpoint to its derived architecture.

Tells snapshots, checkpoints and measures as events, and answers people meanwhile: pause, single steps while paused,
measures at any time, stop with what is there, cancel. What a lost attempt told already is not told again.

What happens at a step has a fixed order, so that going on from any checkpoint gives the same search: the checkpoint
first, then the guard, the measures that are due, and the snapshot. A checkpoint remembers whether the rest was done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from explorer.errors import SpecError, TrialFailed
from explorer.jobs.asking import derived_of
from explorer.oneshot import checkpoints
from explorer.oneshot.conversation import Asked, Conversation, Interrupted
from explorer.oneshot.ending import choose
from explorer.oneshot.guarding import Guarding, stops
from explorer.oneshot.guards import alarms
from explorer.oneshot.judging import Judge
from explorer.oneshot.measuring import EIGENVALUE, GAP, MEASURES, measure
from explorer.oneshot.search import Search
from explorer.oneshot.snapshots import rounded
from explorer.runs.state import RunState

Report = Callable[[str, dict[str, Any]], None]
NOTHING = -1  # the newest step that was shown, where none was

NEVER = 2.0  # no share reaches it

LISTENING_SECONDS = 0.15  # at the end: longer than a request takes to come through
_LISTENING_PACE = 0.05


class Course:
    """A search on its way through one attempt of a run."""

    def __init__(
        self,
        search: Search,
        state: RunState,
        report: Report,
        talk: Conversation,
        clock: Callable[[], float],
    ) -> None:
        self.search, self.run, self.report, self.talk, self.clock = search, state, report, talk, clock
        self.settings = search.settings
        self.about = checkpoints.subject(search.spec, search.space.hash)
        self.known = max((snapshot["step"] for snapshot in state.snapshots), default=NOTHING)
        self.told = {(each["name"], each["step"]) for each in state.measurements}
        self.judge = Judge(search, talk.beat)
        self.guarding = Guarding(search)
        told = derived_of(state)
        self._derived = None if told is None else search.space.architecture(told["architecture"])
        self.has_landed = False
        self.is_stopped = False
        self.raised: set[str] = set()
        self._is_ending = self._is_full = False
        self._passing: int | None = None  # a checkpoint that nobody was told of
        self._before, self._since = 0.0, clock()

    # -- the way --------------------------------------------------------------------------------------------------

    def go(self) -> None:
        """To the end; raises TrialFailed, and what ends a cancelled run."""
        try:
            if not self.has_landed:
                self._land(shows=self.known in (NOTHING, self.search.step))
            while not (self.search.is_over or self.is_stopped):
                self.talk.listen()
                if not self.talk.is_quiet:
                    self._answer()
                    continue
                self.search.advance()
                self._arrive()
            self._end()
            self._answer_late()
        except Interrupted:
            self._cancelled()
        except TrialFailed:
            if not self.talk.cancel:
                self.talk.ask()
            self.talk.raise_if_cancelled()  # who wants the search to end need not hear that it would have failed
            raise

    def _arrive(self) -> None:
        self.has_landed = False
        search = self.search
        if search.is_between_epochs and search.epoch % self.settings["checkpoint_every"] == 0:
            self.keep()
        self._land()

    def _land(self, shows: bool = False) -> None:
        """What is due at the step just reached; `shows`: a snapshot whether or not it is its turn."""
        if self.search.is_between_epochs and self.search.step:
            self.search.check()
            self._epoch_ended()
        if shows or self.search.step % self.settings["snapshot_every"] == 0:
            self._show()
        self.has_landed = True

    def _epoch_ended(self) -> None:
        epoch, gap_every = self.search.epoch, self.settings["gap_every"]
        if gap_every and epoch % gap_every == 0:
            self._measured(GAP)
        if not self.guarding.is_due(epoch) or not self.search.entry.facts["alphas"]:
            return
        verdict = self.guarding.judge(self._measured(EIGENVALUE)["value"])
        if verdict is not None:
            self._tell("guard", {"name": "eigenvalue", **verdict._asdict()})
            self.is_stopped = self.is_stopped or stops(verdict)

    def _show(self) -> None:
        snapshot = self.search.snapshot() | {"seconds": rounded(self.seconds)}
        probabilities = {label: list(row.values()) for label, row in snapshot["probabilities"].items()}
        facts, found = self.search.entry.facts, []
        if facts["believes"]:  # uniform rows have nothing to be alarmed about
            # in a policy over a DARTS cell's edges, none stands for every edge that is not taken
            levels = self.settings if facts["alphas"] else self.settings | {"none_alarm": NEVER}
            found = alarms(self.search.space, snapshot["derived"], probabilities, levels)
        raised = {alarm.name: alarm for alarm in found}
        new, self.raised = raised.keys() - self.raised, set(raised)
        if snapshot["step"] <= self.known:
            return
        self.known = snapshot["step"]
        self.report("architecture_snapshot", snapshot)
        for name in sorted(new):
            alarm = raised[name]._asdict()
            self.report("measurement", {"name": "alarm", "step": self.search.step, "data": alarm})

    @property
    def seconds(self) -> float:
        """How long the search has worked, over all attempts, pauses aside."""
        return self._before + max(0.0, self.clock() - self._since)

    def _tell(self, name: str, data: Mapping[str, Any]) -> None:
        """A measurement, once for each step unless somebody asks again."""
        if (name, self.search.step) not in self.told:
            self.told.add((name, self.search.step))
            self.report("measurement", {"name": name, "step": self.search.step, "data": dict(data)})

    # -- people ---------------------------------------------------------------------------------------------------

    def _answer(self) -> None:
        if self.talk.cancel:
            self._cancelled()
        if self.talk.pause:
            self._paused()
            return
        self._fulfil()

    def _cancelled(self) -> None:
        if not self._is_ending:  # whose checkpoint is written, and whose weights a rule may be training on
            with suppress(TrialFailed):  # then nothing is worth keeping
                self.keep()
        self.talk.raise_if_cancelled()

    def _paused(self) -> None:
        self.keep()
        while self.talk.pause and not self.talk.cancel:
            self._fulfil()
            if self.is_stopped or self.search.is_over:
                return
            before = self.clock()
            self.talk.ask()
            self._since += max(0.0, self.clock() - before)

    def _fulfil(self) -> None:
        while self.talk.requests and not (self.is_stopped or self.search.is_over):
            request = self.talk.requests.popleft()
            if request.kind == "step" and not request.in_pause:
                self._warn("A step was asked for while the search was not paused; pause it first.")
            elif request.kind == "step":
                self._step_by_hand(request.data.get("phase", "both"), request.data.get("count", 1))
            elif request.kind == "measure":
                self._measure_on_demand(request.data.get("name"))
            elif request.kind == "stop":
                self.is_stopped = True

    def _step_by_hand(self, phase: str, count: int) -> None:
        """Steps that were asked for in a pause; `both` is whatever phase comes next. Each that shows is kept first, for
        it is no part of the course that a lost attempt would repeat. A pause that ends meanwhile ends after them.
        """
        for left in reversed(range(count)):
            self.search.advance(None if phase == "both" else phase)
            self.has_landed = False
            self.talk.listen()
            is_last = left == 0 or self.search.is_over or self._is_called_off()
            if is_last or self.search.step % self.settings["snapshot_every"] == 0:
                self.keep(is_told=is_last)
            self._land(shows=is_last)
            if is_last:
                return

    def _is_called_off(self) -> bool:
        stopped = any(request.kind == "stop" for request in self.talk.requests)
        return self.talk.cancel or stopped

    def _measure_on_demand(self, name: Any) -> None:
        if name not in MEASURES:
            self._warn(f"No measure is called {name!r:.60}; known: {', '.join(MEASURES)}.")
            return
        self.told.discard((name, self.search.step))
        try:
            self._measured(name)
        except SpecError as error:
            self._warn(str(error))

    def measure_only(self, names: Iterable[str]) -> None:
        """The attempt that only measures: at the newest checkpoint, of what was derived where that is known.

        A search that had not ended is not gone on with.
        """
        self._is_ending = True
        try:
            for name in names:
                self.talk.wait()
                self._measure_on_demand(name)
            self._answer_late()
        except Interrupted:
            self._cancelled()

    def _answer_late(self) -> None:
        """What was asked since the search stopped listening: measures are made, of the rest it is said that it is not.

        Raises Interrupted.
        """
        until = self.clock() + LISTENING_SECONDS
        while True:
            self.talk.ask()
            self.talk.wait()
            while self.talk.requests:
                self._answer_one_late(self.talk.requests.popleft())
                self.talk.wait()
            if self.clock() >= until:
                return
            time.sleep(_LISTENING_PACE)

    def _answer_one_late(self, request: Asked) -> None:
        if request.kind == "measure":
            self._measure_on_demand(request.data.get("name"))
        else:
            self._warn(
                f"The search did not go on any more when it was asked to {request.kind}; nothing was done."
            )

    def _measured(self, name: str) -> dict[str, Any]:
        found = measure(name, self.search, self.judge, self.run, self.clock, self._derived)
        self._tell(name, found)
        return found

    def _warn(self, message: str) -> None:
        self.report("warning", {"message": message})

    # -- keeping --------------------------------------------------------------------------------------------------

    def keep(self, is_told: bool = True) -> None:
        """Write a checkpoint; one that is not told is a passing one and gives way to the next."""
        self.search.check()
        step = self.search.step
        if not checkpoints.write(self.run.run_id, step, self.about, self._state()):
            if not self._is_full:
                self._is_full = True
                self._warn(
                    "A checkpoint could not be written (is the disk full?); the search goes on without."
                )
            return
        if self._passing not in (None, step):
            checkpoints.drop(self.run.run_id, self._passing)
        self._passing = None if is_told or ("checkpoint", step) in self.told else step
        if is_told:
            self._tell("checkpoint", {"step": step})

    def _state(self) -> dict[str, Any]:
        return {
            "search": self.search.state(),
            "guarding": self.guarding.state(),
            "has_landed": self.has_landed,
            "is_stopped": self.is_stopped,
            "raised": sorted(self.raised),
            "seconds": self.seconds,
        }

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on from what a checkpoint of this run holds. Raises CodecError."""
        self.guarding.load(state["guarding"])
        self.search.load(state["search"])
        self.has_landed, self.is_stopped = state["has_landed"], state["is_stopped"]
        self.raised = set(state["raised"])
        self._before, self._since = state["seconds"], self.clock()

    def branch(self, state: Mapping[str, Any]) -> None:
        """Begin where another run was; its guard's memory and its wish to stop stay behind. Raises CodecError."""
        self.search.load(state["search"])
        self.search.means.clear()
        self._before, self._since = state["seconds"], self.clock()
        self.keep()

    # -- the end --------------------------------------------------------------------------------------------------

    def _end(self) -> None:
        self.keep()
        self._show()
        self._is_ending = True
        architecture = self._derived = choose(self.search, self.judge, self.talk, self.clock, self._progress)
        self.told.discard((GAP, self.search.step))
        gap = self._measured(GAP)
        network = self.search.space.lower(architecture)
        self._tell(
            "derived",
            {
                "architecture": architecture.to_json(),
                "rule": self.search.rule,
                "inherited_accuracy": gap["derived"],
                "supernet_accuracy": gap["supernet"],
                "statistics": gap["statistics"],
                "parameters": network.parameters,
                "macs": network.macs,
                "seconds": rounded(self.seconds),
            },
        )

    def _progress(self, progress: Mapping[str, Any]) -> None:
        self.told.discard(("selection", self.search.step))
        self._tell("selection", {"rule": self.search.rule, **progress})
