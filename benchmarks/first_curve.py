"""How soon a tuning run draws its first point: from `start_run`, what Start calls, to the first intermediate result.

    python -m benchmarks.first_curve [--repeats 5] [--epochs 10]

notes-net on digits, TPE and Curvefitting, two workers, warm supervisor. A page looks at the store once a second, so
it shows the point at most a second and one redraw after it is there. The cold start, which imports torch and NNI, is
apart.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from contextlib import closing

WATCHED = ("run_started", "trial_started", "intermediate_result")
PAGE_SECONDS = 1.0  # how often a page looks


def main() -> None:
    """One cold start, then `--repeats` warm ones."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["EXPLORER_HOME"] = home
        from explorer.jobs import launch
        from explorer.runs.store import Store

        try:
            print(row("cold", once(options.epochs)))
            warm = []
            for _ in range(options.repeats):
                warm.append(once(options.epochs))
                print(row("warm", warm[-1]), flush=True)
        finally:
            with closing(Store()) as store:
                launch.stop_supervisor(store)
    print(row(f"median of {options.repeats}", [statistics.median(all_) for all_ in zip(*warm, strict=True)]))


def row(label: str, seconds: list[float]) -> str:
    """Seconds to each watched event, and to the latest moment at which a page begins to draw the point."""
    said = ", ".join(f"{kind} {value:.2f} s" for kind, value in zip(WATCHED, seconds, strict=True))
    return f"{label}: {said}; page at most {seconds[-1] + PAGE_SECONDS:.2f} s; load {os.getloadavg()[0]:.1f}"


def once(epochs: int) -> list[float]:
    """Seconds to the first event of each watched kind, as a reader of the store sees it; the run is then cancelled."""
    from explorer.jobs import launch
    from explorer.runs.spec import RunSpec
    from explorer.runs.store import Store

    seen: dict[str, float] = {}
    method = {"tuner": "TPE", "assessor": "Curvefitting"}
    with closing(Store()) as store:
        begun = time.perf_counter()
        run_id = launch.start_run(
            store, RunSpec(kind="hpo", method=method, trials=4, epochs=epochs, workers=2)
        )
        while "intermediate_result" not in seen:
            for event in store.events(run_id):
                seen.setdefault(event.kind, time.perf_counter() - begun)
            if store.summary(run_id).is_over:
                raise SystemExit(f"the run ended without a result: {store.summary(run_id).reason}")
            time.sleep(0.005)
        launch.cancel(store, run_id)
        while not store.summary(run_id).is_over:
            time.sleep(0.05)
    return [seen[kind] for kind in WATCHED]


if __name__ == "__main__":
    main()
