"""A whole tuning run: 40 trials of 10 epochs, notes-net on digits, Curvefitting, two workers, from start to end.

    python -m benchmarks.tuning_run [--trials 40] [--epochs 10] [--repeats 1]

Says as well where the workers' time went: training, waiting for the assessor's verdicts, and the rest.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections import Counter
from contextlib import closing

WORKERS = 2


def main() -> None:
    """A line a run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["EXPLORER_HOME"] = home
        from explorer.jobs import launch
        from explorer.runs.store import Store

        try:
            tuned(1, 1, "none")  # warms the supervisor
            for _ in range(options.repeats):
                for assessor in ("Curvefitting", "none"):
                    print(tuned(options.trials, options.epochs, assessor), flush=True)
        finally:
            with closing(Store()) as store:
                launch.stop_supervisor(store)


def tuned(trials: int, epochs: int, assessor: str) -> str:
    """Run it; wall time, how the trials ended, and the shares of the workers' time."""
    from explorer.jobs import launch
    from explorer.runs.spec import RunSpec
    from explorer.runs.store import Store

    method = {"tuner": "TPE", "assessor": assessor}
    spec = RunSpec(kind="hpo", method=method, trials=trials, epochs=epochs, workers=WORKERS)
    load = os.getloadavg()[0]
    with closing(Store()) as store:
        begun = time.perf_counter()
        run_id = launch.start_run(store, spec)
        while not store.summary(run_id).is_over:
            time.sleep(0.05)
        seconds = time.perf_counter() - begun
        state, events = store.state(run_id), store.events(run_id)
    if state.status != "finished":
        raise SystemExit(f"the run ended as {state.status}: {state.reason}")
    results = [event.data for event in events if event.kind == "intermediate_result"]
    training = sum(data["metrics"]["seconds"] for data in results)
    verdicts = [event.data["milliseconds"] / 1000 for event in events if event.kind == "assessment"]
    ended = dict(Counter(trial.status for trial in state.trials.values()))
    share, waiting = (100 * part / (WORKERS * seconds) for part in (training, sum(verdicts)))
    return (
        f"{assessor}: {seconds:.1f} s, {ended}, best {state.best.value:.4f}, {len(results)} epochs; "
        f"training {share:.0f} %, verdicts {waiting:.1f} % of the workers' time "
        f"({len(verdicts)}, the longest {1000 * max(verdicts, default=0):.0f} ms); load {load:.1f}"
    )


if __name__ == "__main__":
    main()
