"""Runs for the lens without training: an assessor of ours drives noisy curves, several trials at a time.

Everything goes through real events and their fold, so that what the lens reads is what a run records.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from explorer.adapters.assessors import Assessor, build_assessor
from explorer.runs import Event, RunSpec, RunState
from explorer.runs.state import fold

TRIALS, EPOCHS, WORKERS = 14, 8, 3


def spec_of(assessor: str, mode: str = "maximize", trials: int = TRIALS, **settings: Any) -> RunSpec:
    """A run of that assessor."""
    return RunSpec(
        kind="hpo",
        trials=trials,
        epochs=EPOCHS,
        method={"tuner": "Random", "assessor": assessor},
        settings={"assessor": settings, "tuner": {"optimize_mode": mode}},
    )


class Story:
    """Events as they come, from `run_queued` on."""

    def __init__(self, spec: RunSpec) -> None:
        self.spec = spec
        self.events: list[Event] = []
        self.say("run_queued", spec=spec.to_json())
        self.say("run_started")

    def say(self, kind: str, **data: Any) -> None:
        """One more event."""
        self.events.append(Event("r", len(self.events) + 1, 1000.0 + len(self.events), kind, data))

    def begin(self, trial_id: int, **more: Any) -> None:
        """A trial starts."""
        self.say("trial_started", trial_id=trial_id, parameters={}, architecture=None, seed=1, **more)

    def step(self, trial_id: int, step: int, value: float | None) -> None:
        """An intermediate result."""
        self.say("intermediate_result", trial_id=trial_id, step=step, value=value, metrics={})

    def end(self, trial_id: int, status: str, value: float | None = None) -> None:
        """A trial's final result, if any, and its end."""
        if value is not None:
            self.say("final_result", trial_id=trial_id, value=value, metrics={})
        self.say("trial_ended", trial_id=trial_id, status=status, reason=None)

    def finish(self, trial_id: int, stopped: int, values: list[float], number: int) -> None:
        """A stopped trial goes on to its end, as trial `number`."""
        self.begin(number, repeat_of=trial_id, continues=True)
        for step in range(stopped + 1, len(values) + 1):
            self.step(number, step, values[step - 1])
        self.end(number, "succeeded", values[-1])

    @property
    def state(self) -> RunState:
        """What it adds up to."""
        return fold(self.events)


def curves(trials: int, draw: random.Random, sign: int = 1) -> list[list[float]]:
    """Noisy learning curves of different tops and speeds."""
    found = []
    for _ in range(trials):
        top, gain, speed = draw.uniform(0.5, 0.95), draw.uniform(0.2, 0.5), draw.uniform(0.4, 1.4)
        found.append(
            [sign * (top - gain * step**-speed + draw.gauss(0, 0.01)) for step in range(1, EPOCHS + 1)]
        )
    return found


def asynchronous_run(
    assessor: str, seed: int, mode: str = "maximize", late: float = 0.0, **settings: Any
) -> tuple[Story, list[list[float]]]:
    """A run with WORKERS trials at a time that finish in any order; some fail, some report nothing once.

    With probability `late` a stop is obeyed only after one more result (which is assessed as well), if there is one:
    where there is none, the trial completes.
    """
    spec = spec_of(assessor, mode, **settings)
    draw = random.Random(seed)
    values = curves(TRIALS, draw, -1 if mode == "minimize" else 1)
    judge = build_assessor(assessor, settings, optimize_mode=mode, epochs=EPOCHS, seed=seed)
    assert judge is not None
    story = Story(spec)
    waiting, running, doomed = list(range(TRIALS)), {}, set()
    while waiting or running:
        while waiting and len(running) < WORKERS:
            trial_id = waiting.pop(0)
            running[trial_id] = []
            story.begin(trial_id)
        trial_id = draw.choice(list(running))
        _advance(story, judge, trial_id, values[trial_id], running, doomed, draw, late)
    return story, values


def _advance(
    story: Story,
    judge: Assessor,
    trial_id: int,
    values: list[float],
    running: dict[int, list[float | None]],
    doomed: set[int],
    draw: random.Random,
    late: float,
) -> None:
    seen = running[trial_id]
    if draw.random() < 0.01:
        _over(story, judge, trial_id, "failed", running)
        return
    seen.append(None if draw.random() < 0.01 else values[len(seen)])
    story.step(trial_id, len(seen), seen[-1])
    look = judge.assess(trial_id, seen)
    story.say("assessment", trial_id=trial_id, step=len(seen), **look.data)
    stop = trial_id in doomed or (look.decision == "bad" and draw.random() >= late)
    if look.decision == "bad":
        doomed.add(trial_id)
    if len(seen) == len(values):
        _over(story, judge, trial_id, "succeeded", running, values[-1])
    elif stop:
        _over(story, judge, trial_id, "early_stopped", running)


def _over(
    story: Story,
    judge: Assessor,
    trial_id: int,
    status: str,
    running: dict[int, list[float | None]],
    value: float | None = None,
) -> None:
    del running[trial_id]
    judge.end(trial_id, status == "succeeded")
    story.end(trial_id, status, value)


def look(trial_id: int, step: int, **data: Any) -> Mapping[str, Any]:
    """A Curvefitting assessment in few words, for stories made by hand."""
    base = {"decision": "wait", "assessor": "Curvefitting", "acts": False, "history": [0.5] * step}
    base |= {"best_completed": None, "completed": 0, "target": EPOCHS, "prediction": None, "threshold": 0.95}
    base |= {"line": None, "models": {"linear": {"parameters": [1.0, 0.0], "weight": 1.0, "prediction": 1.0}}}
    return {"trial_id": trial_id, "step": step, **base, "milliseconds": 1.0, **data}
