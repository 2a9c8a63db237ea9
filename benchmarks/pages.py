"""Server-side first paint of every page with 1,000 runs in the store.

    python -m benchmarks.pages [--runs 1000] [--repeats 5]

A fresh AppTest session a repeat; the first session of the process, which also imports, is reported apart.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path


def main() -> None:
    """Print a line a page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["EXPLORER_HOME"] = home
        fill(options.runs)
        print(f"first session, imports included: {paint(None):.2f} s")
        for path in sorted(Path("pages").glob("[a-z]*.py")):
            seconds = [paint(path) for _ in range(options.repeats)]
            print(f"{path.stem:<24} median {statistics.median(seconds):.3f} s, largest {max(seconds):.3f} s")


def fill(count: int) -> None:
    """A store with `count` finished runs of four trials each."""
    from explorer.runs.spec import RunSpec
    from explorer.runs.store import Store

    with closing(Store()) as store:
        for seed in range(count):
            run_id = store.create_run(RunSpec(trials=4, epochs=1, seed=seed))
            store.append(run_id, "run_started", {})
            for trial_id in range(4):
                about = {
                    "trial_id": trial_id,
                    "parameters": {},
                    "architecture": {"conv1": "conv3x3"},
                    "seed": trial_id,
                }
                store.append(run_id, "trial_started", about)
                value = 0.5 + (seed * 4 + trial_id) % 97 / 200
                store.append(run_id, "final_result", {"trial_id": trial_id, "value": value, "metrics": {}})
                store.append(
                    run_id, "trial_ended", {"trial_id": trial_id, "status": "succeeded", "reason": None}
                )
            store.append(run_id, "run_finished", {})


def paint(path: Path | None) -> float:
    """Seconds to the page in a new session, the router's own run not counted."""
    from streamlit.testing.v1 import AppTest

    app = AppTest.from_file(str(Path("streamlit_app.py").resolve()), default_timeout=60)
    begun = time.perf_counter()
    app.run()
    if path is not None:
        begun = time.perf_counter()
        app.switch_page(str(path)).run()
    seconds = time.perf_counter() - begun
    if app.exception:
        raise SystemExit(f"{path}: {app.exception[0].value}")
    return seconds


if __name__ == "__main__":
    main()
