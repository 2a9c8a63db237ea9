"""A search's trials as its charts need them: how good, in which order they ended, and where they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from explorer.catalogue import STRATEGIES
from explorer.plots.leaderboard import Row
from explorer.runs.state import RunState, Trial


@dataclass(frozen=True)
class Tried:
    """One trial. `value` is percent of the validation images, None without a result.

    `generation` is how many trials its line of descent holds before it; where a strategy names no parents, its own
    count. `epochs` were trained in all and `budget` given, `whole` says whether these are all that the run gives,
    `goes_on` whether it is its parent's training, longer.
    """

    trial_id: int
    code: str
    value: float | None
    status: str
    generation: int
    parents: tuple[int, ...]
    epochs: int
    whole: bool
    goes_on: bool
    budget: int


@dataclass(frozen=True)
class Searched:
    """`trials` by number, retrainings left out; `order` those with a result as they came in; `best` the leader.

    `counts` is what `generation` counts; `trained_epochs` what all trials cost together.
    """

    trials: tuple[Tried, ...]
    order: tuple[int, ...]
    best: int | None
    counts: str
    dataset: str
    epochs: int
    trained_epochs: int

    @property
    def by_number(self) -> Mapping[int, Tried]:
        """Trial -> what came of it."""
        return {trial.trial_id: trial for trial in self.trials}

    @property
    def has_parents(self) -> bool:
        """Whether any trial was made from another."""
        return any(trial.parents for trial in self.trials)

    def lineage(self, trial_id: int | None) -> tuple[int, ...]:
        """The trial, the first of its parents, and so on back to where the line began."""
        known, line = self.by_number, list[int]()
        while trial_id is not None and trial_id in known:
            line.append(trial_id)
            trial_id = next(iter(known[trial_id].parents), None)
        return tuple(line)

    @property
    def basis(self) -> str:
        """On what the charts rest, as a sentence or two."""
        done = len(self.order)
        noun = "trial" if done == 1 else "trials"
        told = f"1 run on {self.dataset}, {done:,} {noun}, one seed each: small differences may be luck."
        short = sum(not trial.whole for trial in self.trials if trial.value is not None)
        if not short:
            return told
        worth = self.trained_epochs / max(1, self.epochs)
        return (
            f"{told} {short:,} of them (hollow) were trained for fewer than {self.epochs} epochs; "
            f"all together cost as much as {worth:.1f} whole trainings."
        )


def searched(state: RunState, rows: Sequence[Row]) -> Searched:
    """The trials of a run; `rows` is its leaderboard, which knows their codes."""
    codes = {row.trial_id: row.code for row in rows}
    own = [trial for _, trial in sorted(state.trials.items()) if trial.repeat_of is None]
    generations = _generations(own)
    tried = tuple(
        Tried(
            trial.trial_id,
            codes.get(trial.trial_id, f"trial {trial.trial_id}"),
            None if trial.value is None or trial.status != "succeeded" else 100 * trial.value,
            trial.status,
            generations[trial.trial_id],
            _earlier(trial),
            max((step for step, _, _ in trial.intermediate), default=0),
            state.epochs_of(trial) >= state.spec.epochs,
            any(codes.get(parent) == codes.get(trial.trial_id) for parent in _earlier(trial)),
            state.epochs_of(trial),
        )
        for trial in own
    )
    valued = {trial.trial_id for trial in tried if trial.value is not None}
    return Searched(
        tried,
        tuple(number for number in state.order if number in valued),
        None if state.best is None else state.best.trial_id,
        _counts(state, any(trial.parents for trial in tried)),
        state.spec.dataset,
        state.spec.epochs,
        sum(len(trial.intermediate) for trial in own),
    )


def _earlier(trial: Trial) -> tuple[int, ...]:
    """Its parents; a stranger's file may name later ones, which would lead in circles."""
    return tuple(parent for parent in trial.parents if parent < trial.trial_id)


def _generations(own: Sequence[Trial]) -> Mapping[int, int]:
    """Trial -> the longest way back to a trial without parents; the strategy's own count where nobody has parents."""
    if not any(trial.parents for trial in own):
        return {trial.trial_id: trial.phase or 0 for trial in own}
    found: dict[int, int] = {}
    for trial in own:  # by number, so that parents come first
        found[trial.trial_id] = max((found[one] + 1 for one in _earlier(trial) if one in found), default=0)
    return found


def _counts(state: RunState, has_parents: bool) -> str:
    name = state.spec.method.get("strategy", "")
    facts = STRATEGIES[name].facts if name in STRATEGIES else {}
    if facts.get("partial"):
        return "rung"
    return "generation" if has_parents else str(facts.get("generation") or "generation")
