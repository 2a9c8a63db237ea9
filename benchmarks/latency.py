"""How soon a run speaks: from creating it to its first event of a worker and its first intermediate result.

python -m benchmarks.latency [--repeats 5]
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from contextlib import closing


def main() -> None:
    """One cold start, then `--repeats` warm ones."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["EXPLORER_HOME"] = home
        from explorer.jobs import launch
        from explorer.runs.store import Store

        try:
            print("cold: first event {:.2f} s, first intermediate result {:.2f} s".format(*once()))
            warm = [once() for _ in range(options.repeats)]
        finally:
            with closing(Store()) as store:
                launch.stop_supervisor(store)
    first, intermediate = (statistics.median(values) for values in zip(*warm, strict=True))
    print(f"warm, median of {options.repeats}: first event {first:.2f} s, ", end="")
    print(f"first intermediate result {intermediate:.2f} s")


def once() -> tuple[float, float]:
    """(seconds to `run_started`, seconds to the first `intermediate_result`)."""
    from explorer.jobs import launch
    from explorer.runs.spec import RunSpec
    from explorer.runs.store import Store

    seen: dict[str, float] = {}
    with closing(Store()) as store:
        begun = time.perf_counter()
        run_id = launch.start_run(store, RunSpec(trials=2, epochs=1, workers=2))
        while "intermediate_result" not in seen:
            for event in store.events(run_id):
                seen.setdefault(event.kind, time.perf_counter() - begun)
            time.sleep(0.005)
        while not store.summary(run_id).is_over:
            time.sleep(0.05)
    return seen["run_started"], seen["intermediate_result"]


if __name__ == "__main__":
    main()
