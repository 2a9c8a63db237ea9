"""The one place that starts processes by name: the supervisor, a foreground run's worker, a retraining.

They get a short list of environment variables instead of everything, so that a key or a token that happens to
be in the app's environment never reaches code that trains networks.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from explorer.runs import places
from explorer.runs.store import Store

ROOT = Path(__file__).resolve().parents[2]
MAX_LOG_BYTES = 5_000_000

_KEPT = (
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH"),
    *("CUDA_VISIBLE_DEVICES", "TORCH_HOME", "SSL_CERT_FILE", "http_proxy", "https_proxy", "no_proxy"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SYSTEMROOT"),
)
_KEPT_PREFIXES = ("LC_", "EXPLORER_")
# One thread a process: more was measured to collapse on a busy machine, and a forked child would miss the
# others.
_ONE_THREAD = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # pandas imports pyarrow, whose allocator starts a thread
}


def environment(store: Store, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What a child process may know."""
    ours = {"EXPLORER_DATABASE_URL": store.url, "EXPLORER_HOME": str(places.home(environ))}
    return {**_without_a_store(environ), **ours}


def _without_a_store(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {
        name: value for name, value in environ.items() if name in _KEPT or name.startswith(_KEPT_PREFIXES)
    }
    kept.pop("EXPLORER_DATABASE_URL", None)  # it may hold a password
    return {**kept, **_ONE_THREAD, "PYTHONUNBUFFERED": "1"}


def ask_module(module: str, arguments: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    """Run a module of ours that touches no store and wait: its exit status and standard output.

    What it says on standard error is seen at once. An interrupt ends it and goes on to the caller; it hears none
    itself, being in a session of its own.
    """
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=_without_a_store(os.environ),
        start_new_session=True,
        check=False,
    )


def start_supervisor(store: Store, arguments: Sequence[str] = ()) -> None:
    """Start a supervisor that outlives us: it forks itself away at once, so it is nobody's child and no
    zombie.
    """
    with open_log(store) as output:
        process = _start(
            ["explorer.jobs.supervisor", *arguments], store, stdin=subprocess.DEVNULL, output=output
        )
        process.wait()


def start_worker(
    store: Store, run_id: str, owner: str, arguments: Sequence[str] = ()
) -> subprocess.Popen[bytes]:
    """Start a worker whose standard input is its channel to us: when we end, it reads the end."""
    command = ["explorer.jobs.worker", "--run", run_id, "--owner", owner, *arguments]
    with open_log(store) as output:
        return _start(command, store, stdin=subprocess.PIPE, output=output)


def log_path(store: Store) -> Path:
    """Where supervisor and workers write what is not an event."""
    return places.home() / "logs" / f"supervisor-{places.store_key(store.url)}.log"


def open_log(store: Store) -> IO[Any]:
    """The log, opened for appending; nowhere when the home cannot be written."""
    path = log_path(store)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        cap_log(path)
        return path.open("ab")
    except OSError:
        return Path(os.devnull).open("ab")


def cap_log(path: Path, limit: int = MAX_LOG_BYTES) -> None:
    """Move a log that has grown too long aside; writers append, so they go on in the emptied file."""
    if path.exists() and path.stat().st_size > limit:
        path.with_suffix(".old.log").write_bytes(path.read_bytes()[-limit:])
        os.truncate(path, 0)


def _start(command: Sequence[str], store: Store, *, stdin: int, output: IO[Any]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        stdin=stdin,
        stdout=output,
        stderr=output,
        cwd=ROOT,
        env=environment(store),
        start_new_session=True,
        close_fds=True,
    )
