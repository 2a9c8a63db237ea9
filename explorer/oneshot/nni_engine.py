"""`--engine nni`: NNI's own one-shot strategies, in the words and events of our engine.

The search itself is `nni_search`. It keeps no checkpoints, since NNI's strategies cannot go on from one: a lost search
begins again and comes by the same numbers. What NNI would have derived stands beside what our rules derive, as
`nni_export` of the measurement `derived`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from explorer.oneshot.conversation import Conversation
from explorer.oneshot.course import Course
from explorer.oneshot.nni_search import NniSearch
from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState

Report = Callable[[str, dict[str, Any]], None]


def run(
    spec: RunSpec,
    state: RunState,
    *,
    executor: Any,
    report: Report,
    control: Callable[[], Any],
    clock: Callable[[], float],
) -> None:
    """Search and derive, nothing else; `executor` is not needed. Raises SpecError for what NNI cannot do, TrialFailed,
    and what `control().raise_if_cancelled()` raises.
    """
    torch.set_num_threads(1)
    search = NniSearch(spec)
    try:
        notes = list(search.notes())
        if state.snapshots:
            notes.append(
                "NNI's searches keep no checkpoints; this attempt repeats the search from its beginning."
            )
        for note in notes:
            if note not in state.warnings:
                report("warning", {"message": note})
        NniCourse(search, state, report, Conversation(control, clock), clock).go()
    finally:
        search.close()


class NniCourse(Course):
    """A course without checkpoints, whose measures look at NNI's weights."""

    search: NniSearch

    def keep(self, is_told: bool = True) -> None:
        """Nothing to keep."""
        self.search.check()

    def _step_by_hand(self, phase: str, count: int) -> None:
        if phase != "both":
            self._warn(f"NNI steps alphas and weights together; the step of {phase} alone was not made.")
            return
        super()._step_by_hand(phase, count)

    def _measured(self, name: str) -> dict[str, Any]:
        self.search.look_closely()
        return super()._measured(name)

    def _end(self) -> None:
        self.search.finish()
        self.search.look_closely()
        super()._end()

    def _tell(self, name: str, data: Mapping[str, Any]) -> None:
        super()._tell(name, {**data, "nni_export": self.search.exported()} if name == "derived" else data)
