"""What a trial of `run hpo` costs when its work costs nothing: suggest, dispatch, report and record, on Branin.

    python -m benchmarks.tuning_overhead [--trials 200 2000] [--workers 1 2] [--tuners TPE Random] [--repeats 3]
    python -m benchmarks.tuning_overhead --profile [--trials 2000] [--workers 2]

From `start_run` to the run's end in the store (a SQLite file), by the local executor under a warm supervisor, divided
by the trials. `--profile` runs the same engine in this process instead and prints where the time goes.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager


def main() -> None:
    """Print a line a setting, or a profile a setting."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, nargs="+", default=[200, 2000])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--tuners", nargs="+", default=["TPE", "Random"])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    settings = [(t, w, n) for n in options.trials for t in options.tuners for w in options.workers]
    with tempfile.TemporaryDirectory() as home:
        os.environ["EXPLORER_HOME"] = home
        if options.profile:
            for setting in settings:
                profile(*setting)
            return
        with supervised():
            milliseconds("Random", 2, 4)  # warms the supervisor
            for setting in settings:
                print(row(*setting, options.repeats), flush=True)


def row(tuner: str, workers: int, trials: int, repeats: int) -> str:
    """The measured line for one setting."""
    values = [milliseconds(tuner, workers, trials) for _ in range(repeats)]
    several = ", ".join(f"{value:.2f}" for value in values)
    load = os.getloadavg()[0]
    setting = f"{tuner:<7} {workers} workers {trials:>5} trials"
    return f"{setting}: median {statistics.median(values):6.2f} ms a trial ({several}); load {load:.1f}"


@contextmanager
def supervised() -> Iterator[None]:
    """At the end of the block the supervisor that its runs started is stopped."""
    from explorer.jobs import launch
    from explorer.runs.store import Store

    try:
        yield
    finally:
        with closing(Store()) as store:
            launch.stop_supervisor(store)


def milliseconds(tuner: str, workers: int, trials: int) -> float:
    """Milliseconds a trial, from pressing start to the run's end."""
    from explorer.jobs import launch
    from explorer.runs.store import Store

    with closing(Store()) as store:
        begun = time.perf_counter()
        run_id = launch.start_run(store, branin(tuner, workers, trials))
        while not store.summary(run_id).is_over:
            time.sleep(0.02)
        seconds = time.perf_counter() - begun
        found = store.summary(run_id)
    if found.status != "finished" or found.trials_done != trials:
        raise SystemExit(f"the run ended as {found.status}: {found.reason}; {found.trials_done} trials")
    return 1000 * seconds / trials


def branin(tuner: str, workers: int, trials: int):  # noqa: ANN201 (imported when it is called)
    """The run: one value a trial, no training, no assessor."""
    from explorer.runs.spec import RunSpec

    method = {"tuner": tuner, "assessor": "none"}
    return RunSpec(kind="hpo", objective="branin", method=method, trials=trials, workers=workers)


def profile(tuner: str, workers: int, trials: int) -> None:
    """Run the worker's part in this process under cProfile; the trials run in its children as always."""
    from explorer.jobs.worker import work
    from explorer.runs.store import Store

    with closing(Store()) as store:
        run_id = store.create_run(branin(tuner, workers, trials), owner="profile")
        watched = cProfile.Profile()
        watched.runcall(work, store, run_id, "profile")
        print(f"--- {tuner}, {workers} workers, {trials} trials: {store.summary(run_id).status}")
    pstats.Stats(watched).sort_stats("cumulative").print_stats(45)


if __name__ == "__main__":
    main()
