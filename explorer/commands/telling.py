"""What is printed: JSON lines for programs; endings, a word of progress and a leaderboard for people."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from explorer.commands.features import print_features
from explorer.errors import ExplorerError
from explorer.export.key_says import standing, true_rank, truth_of, worth
from explorer.jobs.asking import derived_of
from explorer.key import load
from explorer.key.oneshot import recorded
from explorer.lens.ledger import ledger
from explorer.plots.leaderboard import leaderboard, space_of
from explorer.plots.nas.race_story import Race, answer, beside, points, race_of, standings
from explorer.plots.tuning.table import board
from explorer.runs.events import Event
from explorer.runs.feature_schema import SCORES
from explorer.runs.state import RunState
from explorer.runs.store import Store
from explorer.runs.summary import RunSummary
from explorer.space import load_space
from explorer.space.derive import genotype_text


def listener(as_json: bool) -> Callable[[Event], None]:
    """Who hears a run's events: lines for programs, or words for a person."""
    return (lambda event: print_json(event.to_json())) if as_json else Teller()


def finish(store: Store, summary: RunSummary, as_json: bool) -> int:
    """What a run came to, and its exit status."""
    if not as_json:
        print_leaderboard(store.state(summary.run_id))
    return 0 if summary.status == "finished" else 1


def print_run(run_id: str, as_json: bool) -> None:
    """The run that was started."""
    print_json({"run_id": run_id}) if as_json else print(run_id)


def print_json(form: Any) -> None:
    print(json.dumps(form, allow_nan=False), flush=True)


class Teller:
    """Tells a person what happens: every ending, and in between a word of a trial's progress every few seconds."""

    def __init__(self, every_seconds: float = 3.0) -> None:
        self.every_seconds = every_seconds
        self.next_word = 0.0

    def __call__(self, event: Event) -> None:
        """One line, or none."""
        line = self._line(event.kind, event.data, event.time)
        if event.kind == "run_started":
            line = f"run {event.run_id}"
        if line:
            self.next_word = event.time + self.every_seconds
            print(line, flush=True)

    def _line(self, kind: str, data: Mapping[str, Any], time: float) -> str:
        trial = f"  trial {data.get('trial_id', 0):>3}"
        if kind == "final_result":
            return f"{trial}  {_number(data['value'])}"
        if kind == "intermediate_result" and time >= self.next_word:
            return f"{trial}  {_number(data['value'])} after epoch {data['step']}"
        if kind == "trial_ended" and data["status"] == "early_stopped":
            return f"{trial}  stopped early. {data['reason'] or ''}"
        if kind == "trial_ended" and data["status"] != "succeeded":
            return f"{trial}  {data['status']}: {data['reason'] or ''}"
        if kind == "architecture_snapshot" and time >= self.next_word:
            seen, sure = data.get("validation_accuracy"), sum(data.get("entropy", {}).values())
            return f"  step {data['step']:>6}  validation {_number(seen)}  entropy {sure:.2f}"
        if kind == "measurement" and data["name"] == "race":
            return f"  {data['data']['repeats']:>3} repeats  {data['data']['label']}"
        if kind == "measurement" and data["name"] == SCORES and time >= self.next_word:
            return f"  resample {data['data']['resample'] + 1}  {data['data']['selector']}"
        if kind == "warning":
            return f"  note: {data['message']}"
        return (
            f"{kind.replace('_', ' ')}: {data['reason']}"
            if kind.startswith("run_") and data.get("reason")
            else ""
        )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def print_leaderboard(state: RunState) -> None:
    """The best ten, with what they are made of."""
    if state.spec.kind == "hpo":
        _print_trials(state)
        return
    if state.spec.kind == "features":
        print_features(state)
        return
    if state.spec.kind == "race":
        _print_race(state)
        return
    if state.spec.kind == "oneshot":
        _print_search(state)
        if not state.trials:
            return
    truth = truth_of(state)
    ranked = [row for row in leaderboard(state, space_of(state.spec), truth) if row.rank is not None]
    if not ranked:
        print("No trial finished.")
        return
    columns = (
        f"{'code':<10} {'validation':>10}  {'retrained':<26} {'test':<26} {'parameters':>10} {'seconds':>7}"
    )
    known = "" if truth is None else "  true rank"
    print(f"\nrank trial  {columns}{known}")
    for row in ranked[:10]:
        print(
            f"{row.rank:>4} {row.trial_id:>5}  {row.code:<10} {_number(row.validation):>10}  "
            f"{row.retrained or '-'!s:<26} {row.test or '-'!s:<26} "
            f"{row.parameters or 0:>10,} {row.seconds or 0:>7.1f}" + (known and f"  {true_rank(row.place)}")
        )
    told = standing(state, truth).replace("**", "")
    if told:
        print(told)
    if state.spec.architecture is not None or state.spec.kind == "oneshot":
        return  # one architecture, all its seeds in one row
    advice = f"one seed is an anecdote: resume {state.run_id} --retrain 5."
    print(f"{len(ranked)} of {state.spec.planned_trials} trials finished; {advice}")


def _print_search(state: RunState) -> None:
    """What a one-shot search derived, and how sure it was of it."""
    derived = derived_of(state)
    if derived is None:
        print(f"{len(state.snapshots)} snapshots, nothing derived yet.")
        return
    space = load_space(state.spec.space)
    print(f"\nderived {space.name}:{space.code(derived['architecture'])} ({derived['rule']})")
    for line in genotype_text(space, derived["architecture"]).splitlines():
        print(f"  {line}")
    print(
        f"validation accuracy: supernet {_number(derived['supernet_accuracy'])}, derived with inherited weights "
        f"{_number(derived['inherited_accuracy'])}; trained from scratch it is another number: "
        f"resume {state.run_id} --retrain 3 --rivals 5."
    )
    known = worth(state.spec.space, state.spec.dataset, derived["architecture"])
    if known:
        print(known)


def _print_race(state: RunState) -> None:
    """Each strategy's repeats, how good they ended by the answer key, and whether any is better than random search."""
    found = race_of(state)
    if not found.racers:
        print("No strategy came to a result.")
        return
    columns = f"{'repeats':>7}  {'median':>7} {'mean':>7}  {'95 % of the mean':>16} {'median rank':>11}"
    print(f"\n{'true accuracy, %':<26} {columns}")
    for row in standings(found):
        interval = "-" if row.interval is None else f"{row.interval[0]:.2f} to {row.interval[1]:.2f}"
        print(
            f"{row.label:<26} {row.repeats:>7,}  {row.median:>7.2f} {row.mean:>7.2f}  {interval:>16} {row.rank:>11,.0f}"
        )
    print(answer(found).replace("**", ""))
    print(_oneshot_beside(state, found), end="")


def _oneshot_beside(state: RunState, race: Race) -> str:
    """The one-shot searches that come with the answer key, a line each; "" where there is no key to judge them."""
    try:
        key, space = load(state.spec.dataset), load_space(state.spec.space)
    except ExplorerError:
        return ""
    found = () if key.covers(space, key.dataset) else recorded(key, space)
    made = points(((one.words, one.trainings, one.seconds, one.test) for one in found), race)
    return f"{beside(race, made)}\n".replace("  \n", "\n") if made else ""


def _print_trials(state: RunState) -> None:
    """Trials of a tuner: value, steps, and the parameters that were tried; then what stopping early did."""
    found = board(state)
    ranked = [row for row in found.ranked() if row.value is not None]
    if not ranked:
        print("No trial finished.")
        return
    print(f"\nrank trial  {found.scale.short:>13}  epochs  seconds  parameters")
    for rank, row in enumerate(ranked[:10], 1):
        tried = ", ".join(f"{name} {_shown(value)}" for name, value in row.parameters.items())
        print(
            f"{rank:>4} {row.trial_id:>5}  {found.scale.text(row.value):>13}  {row.steps or '-':>6}  "
            f"{row.seconds or 0:>7.1f}  {tried}"
        )
    told = ledger(state)
    for sentence in told.sentences() if told.stopped else ():
        print(sentence)


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
