"""Memory of app, supervisor and workers together, as the sum of proportional set sizes (Linux).

    python -m benchmarks.memory [--workers 2] [--cloud]

Starts the app, opens every page once, starts a run, and samples every process of the three families while the
run trains; prints the largest sum. `--cloud` measures what EXPLORER_MODE=cloud allows.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import closing
from pathlib import Path


def main() -> None:
    """Print the parts and the sum at its largest."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cloud", action="store_true")
    options = parser.parse_args()
    if options.cloud:
        os.environ["EXPLORER_MODE"] = "cloud"
    with tempfile.TemporaryDirectory() as home:
        os.environ["EXPLORER_HOME"] = home
        port = free_port()
        app = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "streamlit",
                "run",
                "streamlit_app.py",
                "--server.headless=true",
                f"--server.port={port}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            open_pages(port)
            report(app.pid, 1 if options.cloud else options.workers)
        finally:
            app.send_signal(signal.SIGTERM)
            app.wait(10)
            from explorer.jobs import launch
            from explorer.runs.store import Store

            with closing(Store()) as store:
                launch.stop_supervisor(store)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def open_pages(port: int) -> None:
    """Visit every page in Chromium, so that the server has drawn each once."""
    from playwright.sync_api import sync_playwright

    for _ in range(200):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).close()
            break
        except OSError:
            time.sleep(0.1)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page()
        for path in sorted(Path("pages").glob("[a-z]*.py")):
            page.goto(f"http://127.0.0.1:{port}/{'' if path.stem == 'home' else path.stem}")
            page.get_by_test_id("stApp").wait_for()
            page.wait_for_timeout(3000)
        browser.close()


def report(app: int, workers: int) -> None:
    """Run something and sample."""
    from explorer.jobs import launch
    from explorer.runs.spec import RunSpec
    from explorer.runs.store import Store

    largest: dict[str, float] = {}
    with closing(Store()) as store:
        run_id = launch.start_run(store, RunSpec(trials=6, epochs=4, workers=workers))
        while not store.summary(run_id).is_over:
            sample = families(app)
            if sum(sample.values()) > sum(largest.values()):
                largest = sample
            time.sleep(0.2)
    for name, mebibytes in largest.items():
        print(f"{name:<40} {mebibytes:7.0f} MiB")
    print(f"{'sum of proportional set sizes':<40} {sum(largest.values()):7.0f} MiB")


def families(app: int) -> dict[str, float]:
    """Process -> proportional set size in MiB, for the app and everything that belongs to the supervisor."""
    found = {}
    home = os.environ["EXPLORER_HOME"]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            environment = (process / "environ").read_bytes().decode(errors="replace")
            if (
                int(process.name) == os.getpid()
                or f"EXPLORER_HOME={home}" not in environment
                or "chrom" in command
            ):
                continue
            rollup = (process / "smaps_rollup").read_text()
        except OSError:
            continue  # it has ended meanwhile, or is not ours
        kibibytes = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
        role = "app" if int(process.name) == app else "supervisor's " + command[-24:].strip()
        found[f"{role} ({process.name})"] = kibibytes / 1024
    return found


if __name__ == "__main__":
    main()
