"""`run` and `resume`: in the foreground, watched from here, or handed to the supervisor."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from contextlib import closing
from typing import Any

from explorer.commands.reading import read_file
from explorer.commands.telling import Teller, print_json, print_leaderboard
from explorer.errors import SpecError
from explorer.jobs import launch
from explorer.jobs.foreground import resume_here, run_here
from explorer.runs.events import Event
from explorer.runs.spec import RunSpec
from explorer.runs.store import Store
from explorer.runs.summary import RunSummary
from explorer.space import load_architecture, load_space, space_reference


def run(options: argparse.Namespace) -> int:
    """`run random ...`"""
    spec = _spec(options)
    with closing(Store()) as store:
        if options.detach:
            _print_run(launch.start_run(store, spec), options.json)
            return 0
        return _finish(store, run_here(store, spec, _listener(options.json)), options.json)


def _spec(options: argparse.Namespace) -> RunSpec:
    """A file's settings, overlaid with what the command line says."""
    form = {"space": "notes-net"} | (_file(options.spec) if options.spec else {})
    if form.setdefault("kind", options.kind) != options.kind:
        raise SpecError(
            f"The file {options.spec!r} describes a run of kind {form['kind']!r}, not {options.kind!r}."
        )
    form |= _space_and_architecture(options)
    for name in ("dataset", "seed", "trials", "epochs", "workers", "executor"):
        if getattr(options, name) is not None:
            form[name] = getattr(options, name)
    for assignment in options.set:
        group, key, value = _assignment(assignment)
        form["settings"] = _with_setting(form.get("settings", {}), group, key, value)
    return RunSpec.from_json(form)


def _space_and_architecture(options: argparse.Namespace) -> dict[str, Any]:
    space = load_space(options.space) if options.space else None
    if not options.architecture:
        return {} if space is None else {"space": space_reference(space)}
    named, architecture = load_architecture(options.architecture, space)
    if space is not None and named.hash != space.hash:
        raise SpecError(
            f"--architecture is one of {named.name}, but --space is {space.name}; leave --space out."
        )
    return {"space": space_reference(named), "architecture": architecture.to_json()}


def _with_setting(settings: Any, group: str, key: str, value: Any) -> Any:
    """`settings` with one more; what is no object of objects is left for RunSpec to complain about."""
    if not isinstance(settings, dict) or not isinstance(settings.get(group, {}), dict):
        return settings
    return {**settings, group: {**settings.get(group, {}), key: value}}


def _assignment(text: str) -> tuple[str, str, Any]:
    path, equals, value = text.partition("=")
    group, dot, key = path.partition(".")
    if not (equals and dot and group and key):
        raise SpecError(
            f"--set {text!r} is not understood; write GROUP.KEY=VALUE, for example training.batch_size=64."
        )
    try:
        return group, key, json.loads(value)
    except ValueError:
        return group, key, value


def resume_run(options: argparse.Namespace) -> int:
    """`resume RUN [--retrain SEEDS]`"""
    with closing(Store()) as store:
        retrain = None
        if options.retrain is not None:
            best = store.summary(options.run).best_trial_id
            if best is None:
                raise SpecError(
                    f"Run {options.run} has no finished trial to train again; leave --retrain out."
                )
            retrain = {"trial_id": best, "seeds": options.retrain}
        if not options.detach:
            return _finish(
                store, resume_here(store, options.run, retrain, _listener(options.json)), options.json
            )
        launch.resume(store, options.run, retrain)
        _print_run(options.run, options.json)
        return 0


def _file(path: str) -> dict[str, Any]:
    form = read_file(path)
    if isinstance(form, dict):
        return form
    raise SpecError(
        f'The file {path!r} holds no JSON object; a run\'s settings look like {{"kind": "random", ...}}.'
    )


def _listener(as_json: bool) -> Callable[[Event], None]:
    return (lambda event: print_json(event.to_json())) if as_json else Teller()


def _finish(store: Store, summary: RunSummary, as_json: bool) -> int:
    if not as_json:
        print_leaderboard(store.state(summary.run_id))
    return 0 if summary.status == "finished" else 1


def _print_run(run_id: str, as_json: bool) -> None:
    print_json({"run_id": run_id}) if as_json else print(run_id)
