"""`list`, `check`, `runs`, `show`, `cancel`, `stop`, `doctor`: looking at things, and two ways to end them."""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from dataclasses import asdict
from typing import Any

from explorer.catalogue import DATASETS, REGISTRIES, Entry
from explorer.commands.reading import space_or_architecture
from explorer.commands.telling import print_json, print_leaderboard
from explorer.jobs import launch
from explorer.runs.store import Store
from explorer.space import Architecture, Problem, SearchSpace, check, check_network, cost_range

FAULT = 2


def list_names(options: argparse.Namespace) -> None:
    """`list spaces|datasets|...`"""
    for entry in REGISTRIES[options.what].values():
        if options.json:
            print_json(_entry_json(entry))
        else:
            missing = not entry.facts.get("available", True)
            print(
                f"{entry.name:<22} {entry.summary}"
                + (f" NOT HERE: {entry.facts['reason']}" if missing else "")
            )


def _entry_json(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "label": entry.label,
        "summary": entry.summary,
        "paper": entry.paper,
        "parameters": [asdict(parameter) for parameter in entry.parameters],
        "facts": dict(entry.facts),
    }


def check_source(options: argparse.Namespace) -> int:
    """`check NAME|FILE|ARCHITECTURE`"""
    space, architecture = space_or_architecture(options.source)
    classes = None
    if options.dataset:
        facts = DATASETS[options.dataset].facts
        space, classes = space.bound_to(facts["channels"], facts["side"], facts["classes"]), facts["classes"]
    problems = _problems(space, architecture, classes)
    if options.json:
        for problem in problems:
            print_json(asdict(problem))
    else:
        _print_check(space, architecture, problems)
    return FAULT if problems else 0


def _problems(space: SearchSpace, architecture: Architecture | None, classes: int | None) -> list[Problem]:
    if architecture is None:
        return check(space, classes)
    return check_network(space.lower(architecture), classes)


def _print_check(space: SearchSpace, architecture: Architecture | None, problems: list[Problem]) -> None:
    for problem in problems:
        print(problem)
    for remark in space.remarks:
        print(f"Remark: {remark}")
    if problems:
        return
    if architecture is not None:
        network = space.lower(architecture)
        print(
            f"{space.name}:{space.code(architecture)}: {network.parameters:,} parameters, "
            f"{network.macs:,} multiply-accumulates; nothing is wrong."
        )
        return
    costs = cost_range(space)
    print(
        f"{space.name}: {space.size:,} architectures, "
        f"{costs.parameters[0]:,} to {costs.parameters[1]:,} parameters, "
        f"{costs.macs[0]:,} to {costs.macs[1]:,} multiply-accumulates; nothing is wrong."
    )


def list_runs(options: argparse.Namespace) -> None:
    """`runs`"""
    with closing(Store()) as store:
        launch.reconcile(store)
        for summary in store.summaries():
            if options.json:
                print_json(summary.to_json())
            else:
                word = "best retrained" if summary.kind == "oneshot" else "best"
                best = "" if summary.best_value is None else f"{word} {summary.best_value:.4f}"
                done = f"{summary.trials_done}/{max(summary.trials, summary.trials_done)} trials"
                if summary.kind == "oneshot":
                    done = f"{summary.method.get('method')}, {summary.snapshots} snapshots, {done}"
                if summary.kind == "features":
                    tuner = summary.method.get("tuner")
                    done = f"{tuner}, {done}" if tuner else "selectors compared"
                print(
                    f"{summary.run_id}  {summary.status:<9} {summary.kind:<7} {summary.space:<22} "
                    f"{done}  {best}"
                )


def show_run(options: argparse.Namespace) -> None:
    """`show RUN`"""
    with closing(Store()) as store:
        launch.reconcile(store)
        store.summary(options.run)
        if options.json:
            for event in store.events(options.run):
                print_json(event.to_json())
            return
        state = store.state(options.run)
        print(f"{options.run}: {state.status}" + (f" ({state.reason})" if state.reason else ""))
        print(json.dumps(state.spec.to_json(), indent=2))
        print_leaderboard(state)


def cancel_run(options: argparse.Namespace) -> None:
    """`cancel RUN`"""
    with closing(Store()) as store:
        launch.cancel(store, options.run)


def stop(options: argparse.Namespace) -> None:
    """`stop`"""
    with closing(Store()) as store:
        print("The supervisor has ended." if launch.stop_supervisor(store) else "No supervisor was running.")


def doctor(options: argparse.Namespace) -> int:
    """`doctor`"""
    from explorer.doctor import findings

    sound = True
    for finding in findings():
        sound = sound and finding["ok"]
        if options.json:
            print_json(finding)
        else:
            print(f"{'ok ' if finding['ok'] else 'NOT'} {finding['what']:<20} {finding['says']}")
    return 0 if sound else 1
