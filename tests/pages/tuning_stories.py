"""Made-up tuned runs in every state, judged by the real assessors; nothing is trained."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from typing import Any

from explorer.adapters.assessors import Assessor, build_assessor
from explorer.hyper import DEFAULT_SPACES, read_search_space
from explorer.runs import Event, RunSpec
from explorer.runs.state import RunState, fold
from explorer.runs.store import Store
from tests.pages.stories import Line, tell

EPOCHS = 12
NESTED: dict[str, Any] = {
    "learning_rate": {"_type": "loguniform", "_value": [0.0001, 1.0]},
    "optimizer": {
        "_type": "choice",
        "_value": [
            {"_name": "sgd", "momentum": {"_type": "uniform", "_value": [0.0, 0.9]}},
            {"_name": "adam"},
        ],
    },
    "batch_size": {"_type": "choice", "_value": [16, 32]},
}


def spec(assessor: str = "Curvefitting", objective: str = "curves", **more: Any) -> RunSpec:
    """A run over simulated learning curves."""
    given: dict[str, Any] = {"trials": 12, "epochs": EPOCHS, "workers": 2}
    return RunSpec(
        kind="hpo", objective=objective, method={"tuner": "Random", "assessor": assessor}, **given | more
    )


def curve(number: int, epochs: int, draw: random.Random) -> list[float]:
    """A rising curve; every third trial ends low, so that an assessor has something to stop."""
    top = draw.uniform(0.3, 0.5) if number % 3 == 2 else draw.uniform(0.8, 0.95)
    return [top - (top - 0.1) * 0.6**step + draw.gauss(0, 0.003) for step in range(1, epochs + 1)]


def trials(run: RunSpec, count: int, seed: int = 0) -> list[Line]:
    """`count` trials, one after the other, stopped where the run's assessor says so."""
    mark = f"{run.to_json()} {count} {seed}"
    if mark not in _KNOWN:
        _KNOWN[mark] = list(_trials(run, count, seed))
    return _KNOWN[mark]


_KNOWN: dict[str, list[Line]] = {}  # an assessor's looks take a while


def _trials(run: RunSpec, count: int, seed: int) -> Iterator[Line]:
    draw = random.Random(seed)
    name = run.method.get("assessor", "none")
    judge = build_assessor(
        name, run.settings.get("assessor", {}), optimize_mode=run.optimize_mode, epochs=run.epochs
    )
    space = read_search_space(run.search_space or DEFAULT_SPACES[run.objective])
    for number in range(count):
        yield "trial_started", begun(number, space.sample(draw), run.epochs)
        yield from _judged(number, curve(number, run.epochs, draw), judge)


def begun(number: int, parameters: dict[str, Any] | None, epochs: int, **more: Any) -> dict[str, Any]:
    """The data of a trial_started."""
    data = {"trial_id": number, "parameters": parameters, "architecture": None, "seed": number}
    return {**data, "budget": epochs, "origin": "tuner", **more}


def _judged(number: int, values: list[float], judge: Assessor | None) -> Iterator[Line]:
    for step, value in enumerate(values, start=1):
        yield "intermediate_result", {"trial_id": number, "step": step, "value": value, "metrics": {}}
        if judge is None:
            continue
        look = judge.assess(number, values[:step])
        if step >= 4 or look.data["assessor"] == "Medianstop":
            yield "assessment", {"trial_id": number, "step": step, **look.data}
        if look.decision == "bad" and step < len(values):
            judge.end(number, False)
            yield ended(number, "early_stopped", "The assessor stopped it.")
            return
    if judge is not None:
        judge.end(number, True)
    yield "final_result", {"trial_id": number, "value": values[-1], "metrics": {}}
    yield ended(number, "succeeded")


def ended(number: int, status: str, reason: str | None = None) -> Line:
    """A trial's end."""
    return "trial_ended", {"trial_id": number, "status": status, "reason": reason}


def failed_trial(run: RunSpec, number: int) -> list[Line]:
    """A trial that failed."""
    return [
        ("trial_started", begun(number, {"width": 8}, run.epochs)),
        ended(number, "failed", "It ran out of memory."),
    ]


def finished(store: Store, run: RunSpec | None = None, seed: int = 0) -> str:
    """A finished run, one of whose trials failed."""
    run = run or spec()
    run_id = store.create_run(run)
    tell(
        store,
        run_id,
        [("run_started", {}), *trials(run, run.trials - 1, seed), *failed_trial(run, run.trials - 1)],
    )
    return tell(store, run_id, [("run_finished", {})])


def finished_later(store: Store) -> str:
    """A finished run of which the first stopped trial was let finish."""
    run = spec()
    run_id = store.create_run(run)
    tell(store, run_id, [("run_started", {}), *trials(run, run.trials)])
    stopped = next(t for t in store.state(run_id).trials.values() if t.status == "early_stopped")
    number, step = run.trials, len(stopped.intermediate)
    ghost = begun(
        number, dict(stopped.parameters or {}), run.epochs, repeat_of=stopped.trial_id, continues=True
    )
    lines: list[Line] = [("trial_started", ghost)]
    for later in range(step + 1, run.epochs + 1):
        lines.append(
            ("intermediate_result", {"trial_id": number, "step": later, "value": 0.5, "metrics": {}})
        )
    lines += [("final_result", {"trial_id": number, "value": 0.5, "metrics": {}}), ended(number, "succeeded")]
    return tell(store, run_id, [*lines, ("run_finished", {})])


def running(store: Store, run: RunSpec | None = None, owner: str | None = None) -> str:
    """A run with ten trials done and one under way, claimed so that nobody calls it lost."""
    run = run or spec(trials=20)
    run_id = store.create_run(run, owner)
    store.claim("test", 3600, run_id=run_id)
    tell(store, run_id, [("run_started", {}), *trials(run, 10)])
    begin = begun(
        10, read_search_space(run.search_space or DEFAULT_SPACES[run.objective]).sample(random.Random(1)), 12
    )
    point = {"trial_id": 10, "step": 1, "value": 0.2, "metrics": {}}
    return tell(store, run_id, [("trial_started", begin), ("intermediate_result", point)])


def rest_of(number: int) -> list[Line]:
    """What a trial that has one result still has to tell."""
    lines: list[Line] = [
        ("intermediate_result", {"trial_id": number, "step": step, "value": 0.5, "metrics": {}})
        for step in range(2, EPOCHS + 1)
    ]
    return [
        *lines,
        ("final_result", {"trial_id": number, "value": 0.5, "metrics": {}}),
        ended(number, "succeeded"),
    ]


def started(store: Store) -> str:
    """A run that has begun and has nothing yet."""
    run_id = store.create_run(spec())
    store.claim("test", 3600, run_id=run_id)
    return tell(store, run_id, [("run_started", {})])


def paused(store: Store) -> str:
    """A run that was paused."""
    return tell(store, running(store), [("run_paused", {})])


def failed(store: Store) -> str:
    """A run whose worker was killed."""
    return tell(
        store, running(store), [("run_failed", {"reason": "The worker was ended by signal 9 (SIGKILL)."})]
    )


def failed_at_once(store: Store) -> str:
    """A run that failed before any trial."""
    run_id = started(store)
    return tell(store, run_id, [("run_failed", {"reason": "The tuner could not be built."})])


def cancelled(store: Store) -> str:
    """A run that was stopped."""
    return tell(store, running(store), [("run_cancelled", {"reason": "Stopped."})])


def queued(store: Store) -> str:
    """A run that waits."""
    return store.create_run(spec())


def median(store: Store) -> str:
    """A finished run under Medianstop."""
    return finished(store, spec("Medianstop"))


def unassessed(store: Store) -> str:
    """A finished run without an assessor."""
    return finished(store, spec("none"))


def function(store: Store) -> str:
    """A finished run of a function, which reports nothing on the way."""
    run = spec("none", "branin", trials=6)
    run_id = store.create_run(run)
    tell(store, run_id, [("run_started", {})])
    for number in range(6):
        at = {"x1": float(number), "x2": 2.0}
        result = {"trial_id": number, "value": 30.0 - number, "metrics": {}}
        tell(
            store,
            run_id,
            [("trial_started", begun(number, at, 1)), ("final_result", result), ended(number, "succeeded")],
        )
    return tell(store, run_id, [("run_finished", {})])


@cache
def large(count: int = 2000, epochs: int = 10, live: bool = False) -> RunState:
    """A run of very many trials, a third of them stopped, with looks like Curvefitting's at every step from 4."""
    run = spec(trials=count, epochs=epochs)
    space, draw = read_search_space(DEFAULT_SPACES["curves"]), random.Random(3)
    lines: list[Line] = [("run_queued", {"spec": run.to_json()}), ("run_started", {})]
    for number in range(count):
        values = curve(number, epochs, draw)
        stop = 6 if number % 3 == 2 else epochs
        lines.append(("trial_started", begun(number, space.sample(draw), epochs)))
        for step in range(1, stop + 1):
            lines.append(
                (
                    "intermediate_result",
                    {"trial_id": number, "step": step, "value": values[step - 1], "metrics": {}},
                )
            )
            if step >= 4:
                lines.append(("assessment", _look(number, step, values, stop < epochs and step == stop)))
        if stop == epochs:
            lines.append(("final_result", {"trial_id": number, "value": values[-1], "metrics": {}}))
        lines.append(ended(number, "succeeded" if stop == epochs else "early_stopped"))
    lines += [] if live else [("run_finished", {})]
    events = (
        Event("example-large", at, 1000 + at / 50, kind, data) for at, (kind, data) in enumerate(lines, 1)
    )
    return fold(events)


def _look(number: int, step: int, values: list[float], bad: bool) -> dict[str, Any]:
    acts = step >= 6 and number > 0
    return {
        "trial_id": number,
        "step": step,
        "decision": "bad" if bad else "good" if acts else "wait",
        "assessor": "Curvefitting",
        "acts": acts,
        "history": values[:step],
        "best_completed": 0.95 if number else None,
        "completed": number - number // 3,
        "target": len(values),
        "prediction": values[-1],
        "threshold": 0.95,
        "line": 0.9 if number else None,
        "models": {
            "linear": {"parameters": [0.01, values[-1] - 0.1], "weight": 1.0, "prediction": values[-1]}
        },
        "milliseconds": 1.0,
    }
