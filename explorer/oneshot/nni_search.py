"""A search whose steps NNI makes, driven like one of ours.

NNI trains its own supernet; ours of the same spec stands beside it as a mirror. It gives what both start from (the cut
of the data, every batch, the first weights and alphas, the rates), and before each look NNI's alphas, before each
measure its weights, are copied into it. So snapshots, rules and measures are made by the code that makes ours, and what
differs between two runs is NNI.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from explorer.adapters import oneshot as nni
from explorer.adapters.seeding import Generators
from explorer.adapters.steps import Steps
from explorer.errors import SpecError
from explorer.nets.supernet.fused import FusedSupernet
from explorer.nets.supernet.network import Supernet
from explorer.nets.training import Dataset
from explorer.oneshot.contract import StepReport
from explorer.oneshot.learning import GradientMethod
from explorer.oneshot.methods.enas import Enas
from explorer.oneshot.methods.spos import Spos
from explorer.oneshot.nni_policy import TaughtController
from explorer.oneshot.nni_space import NniSpace, refused
from explorer.oneshot.nni_training import REWARD, Loader, Recipe, Watcher
from explorer.oneshot.search import Search
from explorer.oneshot.snapshots import rounded
from explorer.runs.spec import RunSpec
from explorer.space import path_of

ALPHA_DECAY = 1e-3  # written into NNI's differentiable.py
UNREAD = {"guard": "none"}  # settings that this engine has no use for, and what they are taken to be


class NniSearch(Search):
    """Ours (`Search`) with NNI's steps; `close` it when it is given up, `finish` it when it is to end.

    Raises SpecError for what NNI cannot do.
    """

    def __init__(self, spec: RunSpec, data: Dataset | None = None) -> None:
        super().__init__(spec, data)
        refusal = refused(self.entry.name, self.space)
        if refusal is not None:
            raise SpecError(refusal)
        self.asked, self.settings = self.settings, self.settings | UNREAD
        self.nni = NniSpace(self.space)
        _fill(self.nni.state(), plain_of(self.net).state_dict())
        self.recipe = Recipe(self.settings, isinstance(self.method, GradientMethod))
        self.policy = (
            TaughtController(self.method, self.nni.sample_of, self.nni.architecture_of)
            if isinstance(self.method, Enas)
            else None
        )
        self.strategy = _strategy(self)
        self.rows: Mapping[str, nn.Parameter] = {}
        self._rewarded: list[Mapping[str, Any]] = []
        self._is_stopping = False
        self._generators, self._torch_state = Generators(spec.seed), _torch_state(spec.seed)
        self._steps = Steps(self._fit)
        self._go()  # up to the first batch

    # -- what was done to make it run -----------------------------------------------------------------------------

    def notes(self) -> Iterator[str]:
        """Sentences about what is NNI's here, what was mended, and which settings it does not read."""
        name = self.entry.facts["nni"]
        yield (
            f"NNI 3.0's {name} makes the steps, on Lightning; images, batches, first weights, rates and the rules of "
            "derivation are this app's, so that the two can be compared."
        )
        yield from self.nni.notes
        if self.policy is not None:
            yield (
                "NNI's ENAS was mended: its batches carry the mode that Lightning 2 no longer passes on; its policy "
                "(PPO from the package tianshou) is this app's LSTM with REINFORCE; and it learns once from each "
                "reward, where NNI's loop repeats the update after every training batch."
            )
        if self.settings.get("alpha_weight_decay", ALPHA_DECAY) != ALPHA_DECAY:
            yield f"NNI's alphas always decay by {ALPHA_DECAY:g}; alpha_weight_decay is not read."
        if any(self.asked.get(key, value) != value for key, value in UNREAD.items()):
            yield f"NNI's engine does not read {', '.join(UNREAD)}."

    # -- going on -------------------------------------------------------------------------------------------------

    def advance(self, phase: str | None = None) -> None:
        """One step of NNI's, whatever phase it is: its alphas and weights go together. Raises what NNI raises."""
        self._go()

    def finish(self) -> None:
        """Let NNI come to its end, also before all epochs are done."""
        self._is_stopping = True
        while self._go():
            pass

    def close(self) -> None:
        """Give the search up."""
        self._steps.close()

    def _go(self) -> bool:
        with self._own_generators():
            return self._steps.next()

    @contextmanager
    def _own_generators(self) -> Iterator[None]:
        """NNI draws from the global ones; they are as they were afterwards. A GPU's is left to NNI."""
        outside = torch.get_rng_state()
        torch.set_rng_state(self._torch_state)
        try:
            with self._generators.own(), nni.seeded_draws():
                yield
        finally:
            self._torch_state = torch.get_rng_state()
            torch.set_rng_state(outside)

    def _fit(self, halt: Callable[[], None]) -> None:
        """What the thread does: NNI's strategy from beginning to end."""
        torch.set_num_threads(1)
        if self.net.device.type == "cuda":
            torch.cuda.manual_seed(self.spec.seed)
        with nni.quiet():
            watcher = Watcher(lambda: self._begun(halt), lambda: self.learning_rate or 0.0, self._after(halt))
            is_sampling = isinstance(self.method, Spos)  # the only one that Lightning itself optimizes
            clip = self.settings["gradient_clip"] or None
            trainer = nni.quiet_trainer(
                self.spec.epochs, self.net.device.type == "cuda", clip if is_sampling else None, [watcher]
            )
            evaluator = nni.Lightning(
                self.recipe,
                trainer,
                train_dataloaders=Loader(self.feed.train, self.feed.batches),
                val_dataloaders=Loader(self.feed.validation, self._validation_batches()),
            )
            space = nni.RawFormatModelSpace(self.nni.model, evaluator)
            self.strategy(space, nni.SequentialExecutionEngine())

    def _validation_batches(self) -> int:
        """In an epoch: one a step, in ENAS one a sampled architecture."""
        if isinstance(self.method, Enas):
            return self.settings["controller_steps"] * self.settings["samples"]
        return self.feed.batches

    def _begun(self, halt: Callable[[], None]) -> None:
        """NNI's alphas exist now; they get the values that ours begin with."""
        self.rows = nni.alphas(self.strategy.supernet)
        if isinstance(self.method, GradientMethod):
            self.nni.give(self.method.alphas(), self.rows)
            self.recipe.alphas = list(self.rows.values())
        halt()

    def _after(self, halt: Callable[[], None]) -> Callable[[str], bool]:
        def after(mode: str) -> bool:
            if self._took(mode):
                halt()
            return not self._is_stopping

        return after

    def _took(self, mode: str) -> bool:
        """NNI is done with a batch of `mode`; whether that ended a step of ours."""
        seen, self.recipe.seen = self.recipe.seen, {}
        if mode == "train":
            self.method.weights.steps += 1  # type: ignore[attr-defined]
        elif self.policy is not None:
            self._rewarded.append(seen)
            if len(self._rewarded) < self.settings["samples"]:
                return False
            seen, self._rewarded = _mean(self._rewarded) | self.policy.told, []
        if isinstance(self.method, Spos):
            seen |= {"extra": self._counted(self.method)}
        self.step += 1
        self.at += 1
        self.means.add(self.step, StepReport(**seen))
        if self.at >= len(self.phases):
            self._begin_epoch()
        return True

    def _counted(self, method: Spos) -> dict[str, Any]:
        """Which candidates NNI ran; nothing where it read one source twice, which our space has no name for."""
        architecture = self.nni.architecture_of(nni.sampled(self.strategy.supernet))
        if architecture is not None:
            method.count(path_of(self.space, architecture))
        return {"counts": {label: list(row) for label, row in method.counts.items()}}

    # -- being looked at ------------------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """Ours, of NNI's alphas and at NNI's temperature, which does not quite reach its end."""
        self.look()
        schedule = getattr(self.strategy.oneshot_module, "temperature_scheduler", None)
        if schedule is None:
            return super().snapshot()
        return super().snapshot() | {"temperature": rounded(schedule.step(self.epoch, self.spec.epochs))}

    def look(self) -> None:
        """Copy NNI's alphas into the mirror."""
        if isinstance(self.method, GradientMethod):
            logits = self.method.logits
            with torch.no_grad():
                logits.flat.copy_(logits.flatten(self.nni.in_our_order(self.rows)))

    def look_closely(self) -> None:
        """Copy its weights and batch norm's statistics as well."""
        self.look()
        _fill(plain_of(self.net).state_dict(), self.nni.state())

    def exported(self) -> dict[str, Any]:
        """What NNI itself would derive: its sample, and the architecture where our space has it, else None."""
        module = self.strategy.oneshot_module
        module.set_model(self.strategy.supernet)
        with nni.quiet(), self._own_generators():
            sample = module.export()
        architecture = self.nni.architecture_of(sample)
        return {
            "sample": dict(sample),
            "architecture": None if architecture is None else architecture.to_json(),
        }


def _strategy(search: NniSearch) -> Any:
    """NNI's strategy for the method, with our settings where it has them."""
    settings, name = search.settings, search.entry.name
    if search.policy is not None:
        return nni.ReinforcedEnas(search.policy, settings["samples"], REWARD)
    if name == "spos":
        return nni.RandomOneShot()
    given = {
        "arc_learning_rate": settings["alpha_learning_rate"],
        "warmup_epochs": settings["warmup_epochs"],
        "gradient_clip_val": settings["gradient_clip"] or None,
        "log_prob_every_n_step": nni.NEVER,
    }
    if name == "gumbel":
        return nni.GumbelDARTS(
            temperature=(settings["temperature_start"], settings["temperature_end"]), **given
        )
    return {"darts": nni.DARTS, "proxyless": nni.Proxyless}[name](**given)


def plain_of(net: Supernet) -> Supernet:
    """The supernet under the names of NNI's model space: its tensors, or views of them."""
    return net.plain if isinstance(net, FusedSupernet) else net


def _fill(into: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> None:
    with torch.no_grad():
        for name, tensor in into.items():
            tensor.copy_(values[name])


def _mean(seen: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {name: torch.stack([each[name] for each in seen]).mean() for name in seen[0]}


def _torch_state(seed: int) -> Tensor:
    return torch.Generator().manual_seed(seed).get_state()
