"""Starts and ends NNI's `Experiment` so that it fits into a worker: nothing of it outlives us or is open to others.

What is put in the place of NNI's own, for our call only: how its manager is started (a session of its own, bound to
127.0.0.1, its log in the run's folder, no shared list of experiments in the person's home), and how its first answer
is awaited (NNI gives up after three seconds, which a busy machine takes).
"""

from __future__ import annotations

import atexit
import contextlib
import os
import site
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import nni
import nni.runtime.log
from nni.experiment import Experiment, ExperimentConfig, RunMode, launcher, rest
from nni.experiment.config import CustomAlgorithmConfig

from explorer.errors import EnvironmentProblem
from explorer.jobs import groups

ROOT = Path(__file__).resolve().parents[2]
_ANSWER_SECONDS = 60.0
_LOOK_SECONDS = 0.1

# Loaded by NNI's manager before its own code: it listens to this machine alone, and ends its group with its starter.
_BEFORE_MANAGER = """\
const net = require('net');
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...given) {
    if (typeof given[0] === 'number' && typeof given[1] !== 'string') {
        given.splice(1, 0, '127.0.0.1');
    }
    return listen.apply(this, given);
};
if ((process.argv[1] || '').endsWith('main.js')) {
    const starter = process.ppid;
    setInterval(() => {
        if (process.ppid !== starter) {
            process.kill(-process.pid, 'SIGKILL');
        }
    }, 1000).unref();
}
"""


class Manager:
    """A running experiment: its address, its process, and how it is ended."""

    def __init__(self, experiment: Experiment, process: subprocess.Popen[bytes], run_id: str) -> None:
        self.experiment, self.process, self._run_id = experiment, process, run_id

    @property
    def url(self) -> str:
        """Its web page."""
        return f"http://127.0.0.1:{self.experiment.port}"

    def problem(self) -> str | None:
        """Why it cannot go on, as one sentence, or None."""
        if self.process.poll() is not None:
            code = self.process.returncode
            return f"NNI's manager ended with exit code {code}; its log in the run's folder says more."
        status = rest.get(self.experiment.port, "/check-status")
        if status["status"] == "ERROR":
            said = " ".join(map(str, status.get("errors", []))) or "no message"
            return f"NNI reported an error: {said[:400]}"
        return None

    def wish(self, wish: Mapping[str, Any]) -> None:
        """Bring our dispatcher a wish; NNI passes it on as imported data."""
        rest.post(self.experiment.port, "/experiment/import-data", [dict(wish)])

    def close(self, listen: Callable[[], object], patience_seconds: float) -> None:
        """End it, and nothing of it is left: NNI gets so long to stop its trials and to write its own files."""
        atexit.unregister(self.experiment.stop)
        try:
            if patience_seconds and self.process.poll() is None:
                self._leave(listen, patience_seconds)
        finally:
            groups.end(self._run_id)
            self.process.wait()
            _stop_logging(self.experiment)

    def _leave(self, listen: Callable[[], object], patience_seconds: float) -> None:
        with contextlib.suppress(OSError):  # requests' errors are OSErrors
            rest.delete(self.experiment.port, "/experiment")
        deadline = time.monotonic() + patience_seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            listen()
            time.sleep(_LOOK_SECONDS)


def start(
    run_id: str,
    folder: Path,
    *,
    experiment_id: str,
    search_space: Mapping[str, Any],
    concurrency: int,
    trials: int,
    trial_command: str,
    environment: Mapping[str, str],
    listen: Callable[[], object],
) -> Manager:
    """A started experiment whose tuner is our dispatcher; `listen` is called while we wait.

    Raises EnvironmentProblem when NNI does not start.
    """
    config = ExperimentConfig("local")
    config.experiment_name = f"explorer {run_id}"
    config.search_space = dict(search_space)
    config.trial_command = trial_command
    config.trial_code_directory = ROOT
    config.trial_concurrency = concurrency
    config.max_trial_number = trials
    config.experiment_working_directory = folder / "experiments"
    config.tuner = CustomAlgorithmConfig(
        class_name="explorer.tuning.nni_dispatcher.Dispatcher",
        code_directory=ROOT,
        class_args={"folder": str(folder)},
    )
    groups.note(run_id)
    started: list[subprocess.Popen[bytes]] = []
    nni.silence_stdout()
    experiment = Experiment(config, id=experiment_id)
    try:
        with _in_our_way(run_id, folder, environment, started, listen):
            experiment.start(port=free_port(), run_mode=RunMode.Background)
    except BaseException as error:
        atexit.unregister(experiment.stop)
        groups.end(run_id)
        for process in started:
            process.wait()
        _stop_logging(experiment)
        if isinstance(error, OSError | RuntimeError):
            raise EnvironmentProblem(f"The NNI experiment could not be started: {_shown(error)}") from error
        raise
    return Manager(experiment, started[0], run_id)


@contextlib.contextmanager
def direct() -> Iterator[None]:
    """Without a proxy to this machine itself: NNI's processes and we talk over 127.0.0.1."""
    before = {name: os.environ.get(name) for name in ("no_proxy", "NO_PROXY")}
    os.environ.update(_direct(os.environ))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def free_port() -> int:
    """A port that nobody on this machine listens to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _direct(environ: Mapping[str, str]) -> dict[str, str]:
    known = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    ours = ",".join([*filter(None, [known]), "localhost", "127.0.0.1"])
    return {"no_proxy": ours, "NO_PROXY": ours}


@contextlib.contextmanager
def _in_our_way(
    run_id: str,
    folder: Path,
    environment: Mapping[str, str],
    started: list[subprocess.Popen[bytes]],
    listen: Callable[[], object],
) -> Iterator[None]:
    home = groups.folder(run_id)

    def popen(command: list[str], *, cwd: Path, **_others: Any) -> subprocess.Popen[bytes]:
        with (folder / "manager.log").open("ab") as output:
            process = subprocess.Popen(
                command,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=_environment(run_id, home, folder, environment),
                start_new_session=True,
            )
        started.append(process)
        groups.note(run_id, process.pid)
        return process

    ours = {
        "Popen": popen,
        "Experiments": partial(launcher.Experiments, str(home / "nni-experiments")),
        "_check_rest_server": partial(_await_answer, started, listen),
        "_ensure_port_idle": lambda *_: None,
    }
    theirs = {name: getattr(launcher, name) for name in ours}
    try:
        for name, value in ours.items():
            setattr(launcher, name, value)
        yield
    finally:
        for name, value in theirs.items():
            setattr(launcher, name, value)


def _environment(run_id: str, home: Path, folder: Path, more: Mapping[str, str]) -> dict[str, str]:
    """The manager's, and so its dispatcher's and trials': NNI's list of experiments goes into the run's folder."""
    before = folder / "before_manager.js"
    before.write_text(_BEFORE_MANAGER)
    user_packages = {"PYTHONUSERBASE": site.getuserbase()}  # else they would be looked for in the new home
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    ours = {"HOME": str(home), "NODE_OPTIONS": f'--require "{before}"', "PYTHONUNBUFFERED": "1"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NNI_")}
    return {
        **kept,
        **_direct(os.environ),
        **user_packages,
        **one_thread,
        **ours,
        **groups.mark(run_id),
        **more,
    }


def _await_answer(
    started: list[subprocess.Popen[bytes]], listen: Callable[[], object], port: int, **_others: Any
) -> None:
    deadline = time.monotonic() + _ANSWER_SECONDS
    while True:
        try:
            rest.get(port, "/check-status")
            return
        except OSError as error:
            if started[0].poll() is not None:
                raise RuntimeError(f"its manager ended with exit code {started[0].returncode}.") from error
            if time.monotonic() > deadline:
                raise RuntimeError(f"its manager did not answer within {_ANSWER_SECONDS:g} s.") from error
        listen()
        time.sleep(_LOOK_SECONDS)


def _stop_logging(experiment: Experiment) -> None:
    """NNI's own way forgets to close the file."""
    handler = nni.runtime.log._handlers.get(experiment.id)
    nni.runtime.log.stop_experiment_logging(experiment.id)
    if handler is not None:
        handler.close()


def _shown(error: BaseException) -> str:
    return str(error)[:300] or type(error).__name__
