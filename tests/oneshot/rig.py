"""Tiny one-shot searches for tests: spaces that train in milliseconds, and stories that can be interrupted anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import torch

from explorer.jobs.control import Cancelled, Control
from explorer.oneshot import checkpoints
from explorer.oneshot.engine import run
from explorer.runs.spec import RunSpec
from explorer.space import CellSpace, Input, Layer, LayerChoice, MacroSpace, Operation, full_edges
from explorer.space import InputChoice as Inputs
from tests import story
from tests.nas.rig import FakeExecutor
from tests.story import request

__all__ = ["FakeExecutor", "Killed", "Story", "request"]


def tiny_cell() -> CellSpace:
    """3 nodes, 3 operations, 2 channels, one cell."""
    return CellSpace(
        name="tiny-cell",
        input=Input(1, 8, from_dataset=True),
        nodes=3,
        edges=full_edges(3),
        operations=("none", "skip_connect", "nor_conv_3x3"),
        channels=2,
        stages=1,
    )


def tiny_macro() -> MacroSpace:
    """Two choices of layers, a skip that may be taken or not, and one that takes one of two inputs."""
    return MacroSpace(
        name="tiny-macro",
        input=Input(1, 8, from_dataset=True),
        layers=(
            Layer("stem", Operation("conv2d", {"out_channels": 2, "kernel_size": 3, "padding": 1})),
            Layer("one", _choice("one")),
            Layer("two", _choice("two")),
            Layer("pool", Operation("global_avg_pool")),
            Layer("linear", Operation("linear", {"out_features": 4})),
        ),
        skips=(Inputs("skip", ("stem", "one"), "two", None, "none"),),
    )


def _choice(label: str) -> LayerChoice:
    settings = [{"out_channels": 2, "kernel_size": size, "padding": size // 2} for size in (1, 3)]
    return LayerChoice(
        label, tuple((f"conv{each['kernel_size']}", Operation("conv2d", each)) for each in settings)
    )


SMALL: Mapping[str, Mapping[str, Any]] = {
    "enas": {"controller_steps": 2, "samples": 2, "controller_units": 8}
}
"""Method -> settings that keep it quick."""


_NUMBERS = count()
PAUSE_SECONDS = 100.0


class Killed(BaseException):
    """kill -9, as far as an engine can notice: control() never comes back."""


def spec(space: Any = None, method: str = "darts", epochs: int = 3, **settings: Any) -> RunSpec:
    """A search of 4 batches an epoch on the synthetic images."""
    given = {"batch_size": 32, "snapshot_every": 3, "checkpoint_every": 2} | settings
    return RunSpec(
        kind="oneshot",
        space=(space or tiny_cell()).to_json(),
        dataset="synthetic",
        method={"method": method},
        settings={"method": given},
        epochs=epochs,
    )


@dataclass
class Story(story.Story):
    """A one-shot run under an id of its own; its clock ticks a second at each look, so that every question is asked."""

    engine: Any = run
    run_id: str = field(default_factory=lambda: f"run-{next(_NUMBERS)}")
    calls: int = 0

    def tell(self, kind: str, data: Mapping[str, Any] | None = None) -> None:
        """As of any story, in this run's name."""
        super().tell(kind, data)
        self.events[-1] = replace(self.events[-1], run_id=self.run_id)

    def attempt(  # type: ignore[override]
        self,
        executor: Any = None,
        wishes: Mapping[int, Control] | None = None,
        resumed: Mapping[str, Any] | None = None,
        kill_at: int | None = None,
    ) -> Any:
        """One attempt; `wishes` are what the n-th call of control() says, the `kill_at`-th never returns."""
        if len(self.events) > 1:
            self.tell("run_resumed", resumed)
        self.tell("run_started")
        now, calls = [0.0], count()
        executor = executor or FakeExecutor()

        def control() -> Control:
            number = next(calls)
            self.calls = number + 1
            if number == kill_at:
                raise Killed
            wish = (wishes or {}).get(number, Control())
            now[0] += PAUSE_SECONDS if wish.pause else 0.0
            return wish

        def clock() -> float:
            now[0] += 1.0
            return now[0]

        try:
            self.engine(
                self.spec,
                self.state,
                executor=executor,
                report=self.tell,
                control=control,
                clock=clock,
            )
        except Cancelled:
            self.tell("run_cancelled", {"reason": "Cancelled on request."})
        except Killed:
            self.tell("run_lost", {"reason": "The worker process ended (signal 9)."})
        except Exception as error:
            self.tell("run_failed", {"reason": str(error)})
        else:
            self.tell("run_finished")
        return executor

    @property
    def snapshots(self) -> list[dict[str, Any]]:
        """Every snapshot, without the seconds."""
        return [
            {name: value for name, value in data.items() if name != "seconds"}
            for data in self.of("architecture_snapshot")
        ]

    def measured(self, name: str) -> list[Mapping[str, Any]]:
        """The data of every measurement called `name`."""
        return [data["data"] for data in self.of("measurement") if data["name"] == name]

    @property
    def weights(self) -> dict[str, torch.Tensor]:
        """What the newest checkpoint holds of the supernet."""
        return kept_weights(self.run_id)


def kept_weights(run_id: str) -> dict[str, torch.Tensor]:
    """What the newest checkpoint of a run holds of the supernet."""
    newest = checkpoints.kept(run_id)[-1]
    found = torch.load(checkpoints.file_of(run_id, newest), weights_only=True)
    return found["state"]["search"]["net"]


def same(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> bool:
    """Bit for bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
