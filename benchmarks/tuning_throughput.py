"""Trials a minute of `run hpo`, a real local NNI experiment, Optuna (two threads) and Ray Tune on equal work of 0.3 s.

    python -m benchmarks.tuning_throughput [--works train sleep] [--trials 24] [--rounds 3] [--ray FOLDER]

Two trials at a time, everybody in turn in each round. The rate counts from the second trial's end to the last one's:
so every tool's start is left out in one way, and everything between two trials counts. The column "whole" is the same
with start-up: ours from `start_run` to the run's end in the store (warm supervisor) or around `run_here`, NNI's around
start and stop, Optuna's around `optimize`, Ray's around `ray.init` and `fit`. `--ray` names the folder in which
`pip install --target FOLDER "ray[tune]"` put Ray, which is no part of the project; without it Ray is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from typing import Any

from benchmarks.tuning_work import EPOCHS, SPACE, sleep, train

PORT = 18_931
WORKERS = 2
NNI_SECONDS = 15  # a trial takes it two or three; past this many for each it is taken to hang
ENGINE = ("--engines", "hpo=benchmarks.tuning_work:run")
WORKS = {"sleep": sleep, "train": train}

Measured = tuple[list[float], float]  # when each trial ended, seconds since 1970; seconds with start-up


def main() -> None:
    """Print each round, then medians and ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--works", nargs="+", default=["train", "sleep"], choices=sorted(WORKS))
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ray", help="the folder that Ray was installed in")
    parser.add_argument("--tools", nargs="+", help="some of the names that are printed, instead of all")
    parser.add_argument("--only-ray", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--reuse", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only_ray:
        print(json.dumps(ray_tune(options.works[0], options.trials, options.reuse)))
        return
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as home:
        os.environ["EXPLORER_HOME"] = home
        from explorer.jobs import launch
        from explorer.runs.store import Store

        try:
            supervised("sleep", 2)  # warms the supervisor
            found = tools(home, options.ray)
            chosen = {name: found[name] for name in options.tools or found}
            for work in options.works:
                compare(work, options.trials, options.rounds, chosen)
        finally:
            with closing(Store()) as store:
                launch.stop_supervisor(store)


def tools(home: str, ray: str | None) -> dict[str, Callable[[str, int], Measured]]:
    """Name -> what runs so many trials of a work."""
    found: dict[str, Callable[[str, int], Measured]] = {"ours": supervised, "ours, run_here": foreground}
    found |= {"NNI": partial(nni_experiment, home=home), "Optuna": optuna_study}
    if ray:
        found["Ray Tune"] = partial(ray_apart, folder=ray, reuse=False)
        found["Ray, actors reused"] = partial(ray_apart, folder=ray, reuse=True)
    return found


def compare(work: str, trials: int, rounds: int, tools: Mapping[str, Callable[[str, int], Measured]]) -> None:
    """Everybody in turn, `rounds` times; ratios are taken within a round."""
    rates: dict[str, list[float]] = {name: [] for name in tools}
    whole: dict[str, list[float]] = {name: [] for name in tools}
    for number in range(rounds):
        for name, tool in tools.items():
            load = os.getloadavg()[0]
            ends, seconds = tool(work, trials)
            if len(ends) != trials:
                raise SystemExit(f"{name} ended {len(ends)} of {trials} trials")
            ends.sort()
            rates[name].append(60 * (trials - WORKERS) / (ends[-1] - ends[WORKERS - 1]))
            whole[name].append(60 * trials / seconds)
            said = f"{rates[name][-1]:6.1f} trials/min, whole {whole[name][-1]:6.1f}"
            print(f"{work} {number + 1} {name:<18} {said}; load {load:.1f}", flush=True)
    first = next(iter(tools))
    for name in tools:
        ratio, of_whole = (over(found[first], found[name]) for found in (rates, whole))
        median, all_in = statistics.median(rates[name]), statistics.median(whole[name])
        print(f"{work} median {name:<18} {median:6.1f} trials/min, whole {all_in:6.1f}; ", end="")
        print(f"{first} / it {ratio:5.2f}, whole {of_whole:5.2f}", flush=True)


def over(ours: list[float], theirs: list[float]) -> float:
    """The median of the rounds' ratios."""
    return statistics.median(one / other for one, other in zip(ours, theirs, strict=True))


# -- ours -------------------------------------------------------------------------------------------------------------


def spec(work: str, trials: int) -> Any:
    """TPE, no assessor; the epochs say which work it is."""
    from explorer.runs.spec import RunSpec

    epochs = EPOCHS if work == "train" else 1
    method = {"tuner": "TPE", "assessor": "none"}
    return RunSpec(
        kind="hpo", objective="branin", method=method, trials=trials, workers=WORKERS, epochs=epochs
    )


def supervised(work: str, trials: int) -> Measured:
    """By the warm supervisor, as the page's Start does."""
    from explorer.jobs import launch
    from explorer.runs.store import Store

    with closing(Store()) as store:
        begun = time.perf_counter()
        run_id = launch.start_run(store, spec(work, trials), supervisor_arguments=ENGINE)
        while not store.summary(run_id).is_over:
            time.sleep(0.02)
        seconds = time.perf_counter() - begun
        return [event.time for event in store.events(run_id) if event.kind == "trial_ended"], seconds


def foreground(work: str, trials: int) -> Measured:
    """As the command line does: a fresh worker process, which imports torch and NNI."""
    from explorer.jobs.foreground import run_here
    from explorer.runs.store import Store

    ends: list[float] = []
    with closing(Store()) as store:
        begun = time.perf_counter()
        run_here(
            store,
            spec(work, trials),
            lambda event: ends.append(event.time) if event.kind == "trial_ended" else None,
            worker_arguments=ENGINE,
        )
        return ends, time.perf_counter() - begun


# -- the others -------------------------------------------------------------------------------------------------------


def nni_experiment(work: str, trials: int, home: str) -> Measured:
    """NNI's own records of its jobs. With its Random: when two jobs ask for parameters in another order than NNI noted,
    its TPE forgets one of them, and its dispatcher dies of the KeyError.
    """
    from nni.experiment import Experiment

    experiment = Experiment("local")
    config = experiment.config
    config.experiment_name = work
    config.experiment_working_directory = home
    config.trial_command = f"{sys.executable} -m benchmarks.tuning_work {work}"
    config.trial_code_directory = os.getcwd()
    config.search_space = SPACE
    config.tuner.name = "Random"
    config.max_trial_number, config.trial_concurrency = trials, WORKERS
    config.log_level = "error"
    begun = time.perf_counter()
    experiment.start(PORT)
    try:
        jobs: list[Any] = []
        while sum(job.status in ("SUCCEEDED", "FAILED") for job in jobs) < trials:
            if time.perf_counter() - begun > NNI_SECONDS * trials:
                raise SystemExit(f"NNI ended {len(jobs)} of {trials} trials and then nothing more")
            time.sleep(0.1)
            jobs = experiment.list_trial_jobs()
    finally:
        experiment.stop()
    seconds = time.perf_counter() - begun
    return [job.endTime / 1000 for job in jobs if job.status == "SUCCEEDED"], seconds


def optuna_study(work: str, trials: int) -> Measured:
    """TPE in memory, two threads of this process."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    bounds = {name: found["_value"] for name, found in SPACE.items()}

    def objective(trial: optuna.Trial) -> float:
        for said in WORKS[work]({name: trial.suggest_float(name, *ends) for name, ends in bounds.items()}):
            if not said.get("final"):
                trial.report(said["value"], said["step"])
        return float(said["value"])

    begun = time.perf_counter()
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
    study.optimize(objective, n_trials=trials, n_jobs=WORKERS)
    seconds = time.perf_counter() - begun
    return [trial.datetime_complete.timestamp() for trial in study.trials if trial.datetime_complete], seconds


def ray_apart(work: str, trials: int, folder: str, reuse: bool) -> Measured:
    """Ray in a process of its own, because its folder brings other versions of what the project uses."""
    command = [sys.executable, "-m", "benchmarks.tuning_throughput", "--only-ray", "--works", work]
    command += ["--trials", str(trials), *(["--reuse"] if reuse else [])]
    paths = {"PYTHONPATH": os.pathsep.join([folder, os.getcwd()])}
    done = subprocess.run(command, env=os.environ | paths, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"Ray Tune failed:\n{done.stderr[-2000:]}")
    ends, seconds = json.loads(done.stdout.splitlines()[-1])
    return ends, seconds


def ray_tune(work: str, trials: int, reuse: bool) -> Measured:
    """Ray's default search (random); when a trial ended is what its own process noted with the final result."""
    import ray
    from ray import tune

    def trainable(config: dict[str, Any]) -> None:
        for said in WORKS[work](config):
            tune.report({"value": said["value"], "ended": time.time()})

    begun = time.perf_counter()
    ray.init(num_cpus=WORKERS, include_dashboard=False, log_to_driver=False, logging_level="error")
    with tempfile.TemporaryDirectory() as results:
        tuner = tune.Tuner(
            trainable,
            param_space={name: tune.uniform(*found["_value"]) for name, found in SPACE.items()},
            tune_config=tune.TuneConfig(
                metric="value",
                mode="min",
                num_samples=trials,
                reuse_actors=reuse,
                max_concurrent_trials=WORKERS,
            ),
            run_config=tune.RunConfig(storage_path=results, verbose=0),
        )
        found = tuner.fit()
    seconds = time.perf_counter() - begun
    ray.shutdown()
    return [result.metrics["ended"] for result in found], seconds


if __name__ == "__main__":
    main()
