"""A one-shot search as such: one supernet, one method, one feed of images, step by step.

It knows no store, no requests and no files; `course` drives it for a run, a benchmark drives it like this:

    search = Search(RunSpec(kind="oneshot", space="cell", dataset="noisy-digits", epochs=50))
    while not search.is_over:
        search.advance()
    search.snapshot()

Who calls says how many threads torch has. The run's seed decides the initial weights, the images' order and all draws
of the method; on one machine a search repeats bit for bit, also from the middle (`state`, `load`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch

from explorer.catalogue import METHODS, SELECTION_RULES
from explorer.errors import CodecError, SpecError, TrialFailed
from explorer.nets.supernet.network import Supernet, build_supernet
from explorer.nets.training import Dataset, initialise, pick_device
from explorer.oneshot.contract import ARCHITECTURE, Context, Method, build_method
from explorer.oneshot.diagnosis import failure
from explorer.oneshot.feed import Feed, stream
from explorer.oneshot.snapshots import Means, picture, rounded, rows
from explorer.runs.oneshot_checks import oneshot_problems, selection_of
from explorer.runs.spec import RunSpec
from explorer.space import Architecture, SearchSpace, decisions
from explorer.space.derive import derive
from explorer.trials.evaluate import bound_space
from explorer.trials.fitting import dataset

_NAMES = {"train_loss": "The training loss", "validation_loss": "The validation loss"}


class Search:
    """A search in the middle of its work: `step` steps done, in epoch `epoch` (from 0) at its phase number `at`.

    `step` only ever grows; a search that goes back (a guard's doing) repeats epochs, not steps. `data` may be given
    where it is at hand; it must be on the device that the supernet will be on.
    """

    def __init__(self, spec: RunSpec, data: Dataset | None = None) -> None:
        problems = list(oneshot_problems(spec))
        if problems:
            raise SpecError(*problems)
        self.spec = spec
        self.entry = METHODS.find(spec.method["method"])
        self.settings: dict[str, Any] = self.entry.settings(spec.settings.get("method", {}))
        self.space: SearchSpace = bound_space(spec.space, spec.dataset)
        self.decisions = decisions(self.space)
        self.rule = selection_of(spec) or "argmax"
        channels, side = self.space.input.channels, self.space.input.side
        self.data = dataset(spec.dataset, channels, side, None) if data is None else data
        self.feed = Feed(self.data, self.settings["split"], self.settings["batch_size"], spec.seed)
        self.net = self._built_net()
        self.step = self.epoch = self.at = 0
        self._is_aside = False  # whether the last step was no part of the epoch
        self.means = Means()
        self._build_method(self.settings)
        self._check_rule()
        self.method.begin_epoch(0)

    def _built_net(self) -> Supernet:
        kind = self.entry.facts["supernet"]
        net = build_supernet(self.space, kind, self.settings.get("channel_part", 1))
        initialise(net.plain, self.spec.seed)
        return net.to(pick_device())

    def _build_method(self, settings: Mapping[str, Any]) -> None:
        generator = stream(self.spec.seed, "method")
        context = Context(self.net, settings, generator, self.spec.epochs, self.feed.batches)
        self.method: Method = build_method(self.entry.name, context)
        self.phases = self.method.phases()
        self.net.train()

    def _check_rule(self) -> None:
        """What would fail at the end fails at the beginning."""
        if SELECTION_RULES[self.rule].facts["needs"] == "mixture" and self.method.mixture() is None:
            raise SpecError(
                f"{SELECTION_RULES[self.rule].label} takes candidates out of a mixture, and {self.entry.label} trains "
                "single paths only; pick sample, evolution or random as its selection."
            )

    # -- going on -------------------------------------------------------------------------------------------------

    @property
    def is_over(self) -> bool:
        """Whether every epoch is done."""
        return self.epoch >= self.spec.epochs

    @property
    def is_between_epochs(self) -> bool:
        """Whether the last step ended an epoch, or there was none."""
        return self.at == 0 and not self._is_aside

    def advance(self, phase: str | None = None) -> None:
        """One step: the phase whose turn it is, or `phase` out of turn, which leaves the epoch where it is.

        A phase of the architecture alone looks at the batch that the weights get next and leaves it to them.
        """
        wanted = phase or self.phases[self.at]
        train = self.feed.peek() if wanted == ARCHITECTURE else self.feed.train()
        report = self.method.step(wanted, train, self.feed.validation())
        self.step += 1
        self.means.add(self.step, report)
        self._is_aside = wanted != self.phases[self.at]
        if self._is_aside:
            return
        self.at += 1
        if self.at >= len(self.phases):
            self._begin_epoch()

    def _begin_epoch(self) -> None:
        self.epoch, self.at = self.epoch + 1, 0
        self.feed.begin_epoch()
        if not self.is_over:
            self.method.begin_epoch(self.epoch)
            self.phases = self.method.phases()

    def _failure(self, what: str, step: int) -> TrialFailed:
        """The end of a search whose numbers are none any more."""
        epoch = min(self.epoch + 1, self.spec.epochs)
        sound = bool(
            torch.isfinite(self.data.train.images).all() & torch.isfinite(self.data.validation.images).all()
        )
        return TrialFailed(failure(what, step, epoch, self.settings, self.entry, sound))

    def check(self) -> None:
        """Raises TrialFailed when a loss since the last snapshot was no finite number, with step and likely cause."""
        found = self.means.failure()
        if found is not None:
            step, name = found
            raise self._failure(_NAMES[name], step)

    # -- being looked at ------------------------------------------------------------------------------------------

    @property
    def light_rule(self) -> str:
        """The rule that derives from probabilities alone, for what a snapshot shows."""
        return "top2" if self.space.family == "darts" else "argmax"

    def snapshot(self) -> dict[str, Any]:
        """What an architecture_snapshot holds, `seconds` aside; the means begin anew. Raises TrialFailed."""
        self.check()
        probabilities = rows(self.method.probabilities())
        if not all(math.isfinite(value) for row in probabilities.values() for value in row):
            raise self._failure("A probability", self.step)
        return {
            "step": self.step,
            "epoch": self.epoch,
            **picture(self.space, self.decisions, probabilities, self.method, self.light_rule),
            **self.means.take(),
            "temperature": rounded(self.method.temperature()),
            "learning_rate": rounded(self.learning_rate),
        }

    @property
    def learning_rate(self) -> float | None:
        """The weights' step size of the step to come, where the method tells."""
        weights = getattr(self.method, "weights", None)
        return None if weights is None else float(weights.rate)

    def derived(self, rule: str | None = None) -> Architecture:
        """What the probabilities say now, by a light rule."""
        return derive(self.space, rows(self.method.scores()), rule or self.light_rule)

    # -- keeping --------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """All that is needed to go on bit for bit, as tensors and plain data; tensors are the search's own."""
        return {
            "step": self.step,
            "epoch": self.epoch,
            "at": self.at,
            "is_aside": self._is_aside,
            "net": self.net.state_dict(),
            "method": self.method.state(),
            "feed": self.feed.state(),
            "means": self.means.state(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from a state; settings stay this search's own. Raises CodecError where they do not fit together."""
        try:
            self.net.load_state_dict(state["net"])
            self.method.load(state["method"])
            self.feed.load(state["feed"])
            self.means.load(state["means"])
            self.step, self.epoch, self.at = state["step"], state["epoch"], state["at"]
            self._is_aside = state.get(
                "is_aside", False
            )  # absent from a state of before there were such steps
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            problem = str(error).splitlines()[0][:200]
            raise CodecError(
                f"The checkpoint does not fit this search's settings ({problem}); branch with settings that leave "
                "the supernet and the controller their sizes."
            ) from error
        self.net.train()
        if not self.is_over:
            self.method.begin_epoch(self.epoch)
            self.phases = self.method.phases()
            if self.at >= len(self.phases):
                self._begin_epoch()

    def change(self, **settings: Any) -> None:
        """Other settings from here on, what was learned aside."""
        self.settings |= settings
        learned = self.method.state()
        self._build_method(self.settings)
        self.method.load(learned)
        if not self.is_over:
            self.method.begin_epoch(self.epoch)
