"""What NNI runs as its tuner: it sends the trials that our engine proposes. Lives in a process that NNI starts.

Tuner and assessor (NNI's own classes, behind our adapters) sit with the engine, so that both executors propose and
judge alike to the last digit. NNI takes such a class where a tuner is configured, as it does for its advisors. A plain
`nni.tuner.Tuner` beside an `nni.assessor.Assessor` could not do it: NNI hands parameters to jobs in the order in which
they ask and then tells a tuner of the end of the wrong one, tells ends and results by two threads, asks for more trials
than are wanted, and never tells a tuner an intermediate result.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from queue import Empty
from typing import Any

from nni.common.serializer import dump, load
from nni.runtime.msg_dispatcher_base import MsgDispatcherBase
from nni.runtime.tuner_command_channel import CommandType

from explorer.tuning.nni_files import DISPATCHER, say

_LISTEN_SECONDS = 0.2


class Dispatcher(MsgDispatcherBase):
    """`folder` is where executor, dispatcher and trials meet (`nni_files`)."""

    def __init__(self, folder: str) -> None:
        self._path = Path(folder) / DISPATCHER
        super().__init__()  # connects to the manager

    def enqueue_command(self, command: CommandType, data: Any) -> None:
        """Everything into one queue, and so into one thread, in the order in which it came."""
        self.default_command_queue.put((command, data))

    def command_queue_worker(self, command_queue: Any) -> None:
        """NNI's, but it hears of the end at once instead of after three seconds."""
        while not self.stopping:
            try:
                command, data = command_queue.get(timeout=_LISTEN_SECONDS)
            except Empty:
                continue
            try:
                self.process_command(command, data)
            except Exception as error:  # NNI would go on for ever without a dispatcher: the executor ends it
                self.worker_exceptions.append(error)
                say(self._path, "error", f"{type(error).__name__}: {str(error) or 'no message'}"[:500])
                raise

    def handle_initialize(self, data: Any) -> None:
        """NNI is ready for trials."""
        self.send(CommandType.Initialized, "")
        say(self._path, "ready", os.getpid())

    def handle_import_data(self, data: list[dict[str, Any]]) -> None:
        """NNI's way to bring a tuner something: our executor sends its wishes by it."""
        for wish in data:
            if "kill" in wish:
                self.send(CommandType.KillTrialJob, dump(wish["kill"]))
            else:
                form = {"parameter_source": "algorithm", "parameter_index": 0, **wish["send"]}
                self.send(CommandType.NewTrialJob, json.dumps(form))

    def handle_trial_end(self, data: dict[str, Any]) -> None:
        """A job is over; the number in NNI's own record is right unless jobs asked in another order."""
        supposed = load(data["hyper_params"])["parameter_id"]
        say(self._path, "ended", data["trial_job_id"], data["event"], supposed)

    def handle_request_trial_jobs(self, data: int) -> None:
        """The engine knows itself how many may run."""

    def handle_report_metric_data(self, data: dict[str, Any]) -> None:
        """The trials tell the engine themselves, before they tell NNI."""

    def handle_update_search_space(self, data: Any) -> None:
        """A run's space does not change."""

    def handle_add_customized_trial(self, data: Any) -> None:
        """Trials added on NNI's own page are refused by `nni_trial`: the run would not know them."""

    def load_checkpoint(self) -> None:
        """Earlier attempts are the engine's business."""

    def save_checkpoint(self) -> None:
        """Nothing to keep."""
