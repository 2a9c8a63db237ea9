"""`run` and `resume`: in the foreground, watched from here, or handed to the supervisor."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from explorer.catalogue import SPACES
from explorer.commands.features import features_form
from explorer.commands.reading import read_file
from explorer.commands.telling import finish, listener, print_run
from explorer.errors import CodecError, SpecError
from explorer.hyper import read_search_space
from explorer.jobs import launch
from explorer.jobs.foreground import resume_here, run_here
from explorer.key.recipe import EPOCHS as KEY_EPOCHS
from explorer.runs.spec import RunSpec
from explorer.runs.store import Store
from explorer.runs.text import loads
from explorer.space import SearchSpace, load_architecture, load_space, preset, space_reference

EPOCHS = 100  # of a one-shot search, where nothing is said
RIVALS, RETRAINING_EPOCHS = 5, 20  # of a retraining, likewise


def run(options: argparse.Namespace) -> int:
    """`run KIND ...`"""
    spec = _spec(options)
    with closing(Store()) as store:
        if options.detach:
            print_run(launch.start_run(store, spec), options.json)
            return 0
        return finish(store, run_here(store, spec, listener(options.json)), options.json)


def _spec(options: argparse.Namespace) -> RunSpec:
    """A file's settings, overlaid with what the command line says."""
    form: dict[str, Any] = {"space": "notes-net"} | (_file(options.spec) if options.spec else {})
    if form.setdefault("kind", options.kind) != options.kind:
        raise SpecError(
            f"The file {options.spec!r} describes a run of kind {form['kind']!r}, not {options.kind!r}."
        )
    form |= _space_and_architecture(options)
    for name in ("dataset", "seed", "trials", "epochs", "workers", "executor", "objective"):
        if getattr(options, name) is not None:
            form[name] = getattr(options, name)
    form |= _tuning(options, form) | _one_shot(options, form) | _classical(options, form)
    form |= features_form(options, form)
    for group, key, value in map(assignment, options.set):
        if group != "space":  # which is part of the space itself
            form["settings"] = _with_setting(form.get("settings", {}), group, key, value)
    return RunSpec.from_json(form)


def _classical(options: argparse.Namespace, form: dict[str, Any]) -> dict[str, Any]:
    """What --strategy says, refused where the run is of another kind; and the length of what the key looks up."""
    if options.kind != "nas":
        if options.strategy:
            raise SpecError("--strategy belongs to 'run nas'; leave it out, or run that.")
        return {}
    found: dict[str, Any] = {}
    if form.get("executor") == "key":
        found["epochs"] = form.get("epochs", KEY_EPOCHS)
    method = form.get("method", {})
    if options.strategy and isinstance(method, dict):
        found["method"] = {**method, "strategy": options.strategy}
    return found


def _one_shot(options: argparse.Namespace, form: dict[str, Any]) -> dict[str, Any]:
    """What --method, --engine and --selection say; refused where the run is of another kind."""
    names = ("method", "engine", "selection")
    said = {name: getattr(options, name) for name in names if getattr(options, name)}
    if options.kind != "oneshot":
        if said:
            raise SpecError(
                "--method, --engine and --selection belong to 'run oneshot'; leave them out, or run that."
            )
        return {}
    method = form.get("method", {})
    return {
        "method": {**method, **said} if isinstance(method, dict) else method,
        "epochs": form.get("epochs", EPOCHS),
    }


def _preset(options: argparse.Namespace) -> SearchSpace | None:
    """The space that is named, with what `--set space.KEY=VALUE` says of it."""
    given = {key: value for group, key, value in map(assignment, options.set) if group == "space"}
    if not given:
        return load_space(options.space) if options.space else None
    name = options.space or "notes-net"
    if name not in SPACES:
        raise SpecError(
            f"--set space.... changes a preset ({', '.join(SPACES)}); edit the file {name!r:.60} itself."
        )
    return preset(name, **SPACES[name].settings(given))


def _space_and_architecture(options: argparse.Namespace) -> dict[str, Any]:
    space = _preset(options)
    if not options.architecture:
        return {} if space is None else {"space": space_reference(space)}
    named, architecture = load_architecture(options.architecture, space)
    if space is not None and named.hash != space.hash:
        raise SpecError(
            f"--architecture is one of {named.name}, but --space is {space.name}; leave --space out."
        )
    return {"space": space_reference(named), "architecture": architecture.to_json()}


def _tuning(options: argparse.Namespace, form: dict[str, Any]) -> dict[str, Any]:
    """What --search-space, --tuner and --assessor say; refused where the run is of another kind."""
    names = ("assessor",) if options.kind == "features" else ("tuner", "assessor")
    said = {name: getattr(options, name) for name in names if getattr(options, name)}
    if options.kind != "hpo":
        if said or options.search_space or options.objective:
            raise SpecError(
                "--tuner, --assessor, --objective and --search-space belong to 'run hpo'; leave them out, or run that."
            )
        return {}
    found: dict[str, Any] = {}
    if said:
        method = form.get("method", {})
        found["method"] = {**method, **said} if isinstance(method, dict) else method
    if options.search_space:
        found["search_space"] = _search_space(options.search_space)
    return found


def _search_space(path: str) -> dict[str, Any]:
    """A search_space.json; its problems are told with their lines."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise CodecError(f"The file {path!r} cannot be read: {reason}.") from error
    return read_search_space(text).to_json()


def tell_run(options: argparse.Namespace) -> None:
    """`tell RUN pause|resume|set|add|again|kill|finish|step|stop|measure [VALUE ...]`"""
    with closing(Store()) as store:
        TELL[options.what](store, options.run, options.values)
        print(f"Asked of {options.run}: {' '.join([options.what, *options.values])}"[:200])


def _set(store: Store, run_id: str, values: Sequence[str]) -> None:
    for text in values or [""]:
        name, equals, value = text.partition("=")
        if not equals or name not in ("trials", "workers") or not value.isdecimal():
            raise SpecError(
                f"set {text!r:.60} is not understood; write trials=N or workers=N, N a whole number."
            )
        store.request(run_id, "set", {"name": name, "value": _number(value)})


def _add(store: Store, run_id: str, values: Sequence[str]) -> None:
    for text in values or [""]:
        parameters = loads(text, "The trial's parameters")
        if not isinstance(parameters, dict):
            raise SpecError(f'A trial is a JSON object such as {{"learning_rate": 0.1}}, not {text!r:.60}.')
        launch.add_trial(store, run_id, parameters)


def _again(store: Store, run_id: str, values: Sequence[str]) -> None:
    for number in _numbers(values):
        launch.add_trial(store, run_id, launch.parameters_of(store, run_id, number))


def _kill(store: Store, run_id: str, values: Sequence[str]) -> None:
    for number in _numbers(values):
        launch.kill_trial(store, run_id, number)


def _finish_trials(store: Store, run_id: str, values: Sequence[str]) -> None:
    launch.let_finish(store, run_id, _numbers(values) if values else None)


def _step(store: Store, run_id: str, values: Sequence[str]) -> None:
    phase, count = (*values, "1")[:2] if values else ("both", "1")
    launch.step(store, run_id, phase, _number(count) if count.isdecimal() else 0)


def _measure(store: Store, run_id: str, values: Sequence[str]) -> None:
    for name in values or [""]:
        launch.measure(store, run_id, name)


def _numbers(values: Sequence[str]) -> list[int]:
    if not values or not all(value.isdecimal() for value in values):
        raise SpecError(f"{' '.join(values)!r:.60} names no trials; give their numbers.")
    return [_number(value) for value in values]


def _number(digits: str) -> int:
    """Digits as a number; Python itself refuses thousands of them."""
    if len(digits) > _MAX_DIGITS:
        raise SpecError(f"{digits:.20}... has {len(digits):,} digits; at most {_MAX_DIGITS} are read.")
    return int(digits)


_MAX_DIGITS = 9
TELL: Mapping[str, Callable[[Store, str, Sequence[str]], None]] = {
    "pause": lambda store, run_id, _: launch.pause(store, run_id),
    "resume": lambda store, run_id, _: launch.resume(store, run_id),
    "set": _set,
    "add": _add,
    "again": _again,
    "kill": _kill,
    "finish": _finish_trials,
    "step": _step,
    "stop": lambda store, run_id, _: launch.stop_search(store, run_id),
    "measure": _measure,
}


def _with_setting(settings: Any, group: str, key: str, value: Any) -> Any:
    """`settings` with one more; what is no object of objects is left for RunSpec to complain about."""
    if not isinstance(settings, dict) or not isinstance(settings.get(group, {}), dict):
        return settings
    return {**settings, group: {**settings.get(group, {}), key: value}}


def assignment(text: str) -> tuple[str, str, Any]:
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
            retrain = _retraining(store, options)
        elif options.rivals is not None or options.epochs is not None:
            raise SpecError(
                "--rivals and --epochs say more about --retrain; give that too, or leave them out."
            )
        if not options.detach:
            return finish(
                store, resume_here(store, options.run, retrain, listener(options.json)), options.json
            )
        launch.resume(store, options.run, retrain)
        print_run(options.run, options.json)
        return 0


def _retraining(store: Store, options: argparse.Namespace) -> dict[str, Any]:
    """What `--retrain` asks for: the best trial again, or what a one-shot search derived, against random ones."""
    summary = store.summary(options.run)
    if summary.kind == "oneshot":
        rivals = RIVALS if options.rivals is None else options.rivals
        epochs = RETRAINING_EPOCHS if options.epochs is None else options.epochs
        return {"trial_id": 0, "seeds": options.retrain, "rivals": rivals, "epochs": epochs}
    if options.rivals is not None or options.epochs is not None:
        raise SpecError("--rivals and --epochs belong to the retraining of a one-shot run; leave them out.")
    if summary.best_trial_id is None:
        raise SpecError(f"Run {options.run} has no finished trial to train again; leave --retrain out.")
    return {"trial_id": summary.best_trial_id, "seeds": options.retrain}


def _file(path: str) -> dict[str, Any]:
    form = read_file(path)
    if isinstance(form, dict):
        return form
    raise SpecError(
        f'The file {path!r} holds no JSON object; a run\'s settings look like {{"kind": "random", ...}}.'
    )
