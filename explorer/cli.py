"""The command line: everything that the app does, without a screen.

`--json` prints one JSON object a line and nothing else on standard output. A person's mistake, or the
machine's, is one sentence on standard error and exit 2. Training happens in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from explorer import __version__
from explorer.catalogue import DATASETS, REGISTRIES, SPACES, Entry
from explorer.errors import CodecError, ExplorerError, NotFound, SpecError, UserError
from explorer.jobs import launch
from explorer.jobs.foreground import resume_here, run_here
from explorer.plots.leaderboard import leaderboard, space_of
from explorer.runs.events import Event
from explorer.runs.recorded import import_recorded, write_recorded
from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState
from explorer.runs.store import Store
from explorer.runs.summary import RunSummary
from explorer.space import (
    Architecture,
    Problem,
    SearchSpace,
    check,
    check_network,
    cost_range,
    load_architecture,
    load_space,
    read_json,
    space_reference,
)

FAULT = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    try:
        options = _parser().parse_args(arguments)
        return int(options.command(options) or 0)
    except ExplorerError as error:
        print(f"explorer: {error}", file=sys.stderr)
        return FAULT
    except BrokenPipeError:  # the reader of our output (head, less) has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("explorer: stopped.", file=sys.stderr)
        return 130


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One sentence instead of the whole usage."""
        raise UserError(f"{message.rstrip('.')}; see '{self.prog} --help'.")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="explorer", description="NNI Explorer without a screen.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="name", required=True, metavar="COMMAND", parser_class=_Parser)

    def add(
        name: str, command: Callable[[argparse.Namespace], int | None], help: str
    ) -> argparse.ArgumentParser:
        found = commands.add_parser(name, help=help, description=help)
        found.set_defaults(command=command)
        return found

    _run_options(add("run", run, "Train and compare architectures."))

    listed = add("list", list_names, "What can be chosen.")
    listed.add_argument("what", choices=sorted(REGISTRIES))
    _json_option(listed)

    checked = add("check", check_source, "Problems of a space or an architecture; exit 2 when there are any.")
    checked.add_argument("source", metavar="NAME|FILE|ARCHITECTURE")
    checked.add_argument(
        "--dataset", choices=list(DATASETS), help="also check the output against its classes"
    )
    _json_option(checked)

    _json_option(add("runs", list_runs, "Every run in the store."))
    shown = add("show", show_run, "One run: its state, or with --json its events.")
    shown.add_argument("run")
    _json_option(shown)

    cancelled = add("cancel", cancel_run, "Stop a run; finished trials are kept.")
    cancelled.add_argument("run")

    resumed = add("resume", resume_run, "Train what is missing of a run that ended early.")
    resumed.add_argument("run")
    resumed.add_argument(
        "--retrain", type=int, metavar="SEEDS", help="train the best again with so many more seeds"
    )
    resumed.add_argument("--detach", action="store_true", help="let the supervisor do it and return at once")
    _json_option(resumed)

    imported = add("import", import_run, "Put a recorded run into the store.")
    imported.add_argument("file")
    add("stop", stop, "End the supervisor; its runs can be resumed.")

    exported = add("export", export, "Write NNI code, plain PyTorch code, a report or a recorded run.")
    exported.add_argument("source", metavar="RUN|SPACE|ARCHITECTURE")
    exported.add_argument("--as", dest="form", required=True, choices=("nni", "torch", "report", "run"))
    exported.add_argument("--to", metavar="PATH", help="a file; standard output when left out")

    _json_option(add("doctor", doctor, "Versions, devices, data, store, limits."))
    return parser


def _json_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def _run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", choices=("random",))
    parser.add_argument("--space", metavar="NAME|FILE", help=f"a preset ({', '.join(SPACES)}) or a JSON file")
    parser.add_argument("--architecture", metavar="CODE", help="evaluate this one with several seeds instead")
    parser.add_argument("--dataset", metavar="NAME", help="see 'list datasets'")
    for name, help in (
        ("seed", "repeats the run"),
        ("trials", "how many architectures"),
        ("epochs", "how long each is trained"),
        ("workers", "how many are trained at once"),
    ):
        parser.add_argument(f"--{name}", type=int, metavar="N", help=help)
    parser.add_argument("--executor", choices=("local",), help="where trials run")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="GROUP.KEY=VALUE",
        help="for example training.learning_rate=0.1",
    )
    parser.add_argument("--spec", metavar="FILE", help="a run's settings as JSON; other options override it")
    parser.add_argument(
        "--detach", action="store_true", help="let the supervisor do it and print the run's name"
    )
    _json_option(parser)


def _print_json(form: Any) -> None:
    print(json.dumps(form, allow_nan=False), flush=True)


# -- run, resume ---------------------------------------------------------------------------------------


def run(options: argparse.Namespace) -> int:
    """`run random ...`"""
    spec = _spec(options)
    with closing(Store()) as store:
        if options.detach:
            _print_run(launch.start_run(store, spec), options.json)
            return 0
        return _finish(store, run_here(store, spec, _listener(options.json)), options.json)


def _spec(options: argparse.Namespace) -> RunSpec:
    form: dict[str, Any] = {}
    if options.spec:
        form = _object(_read_file(options.spec), options.spec)
    form["kind"] = options.kind
    if options.architecture:
        space, architecture = load_architecture(
            options.architecture, load_space(options.space) if options.space else None
        )
        form |= {"space": space_reference(space), "architecture": architecture.to_json()}
    elif options.space:
        form["space"] = space_reference(load_space(options.space))
    for name in ("dataset", "seed", "trials", "epochs", "workers", "executor"):
        if getattr(options, name) is not None:
            form[name] = getattr(options, name)
    settings = {group: dict(values) for group, values in form.get("settings", {}).items()}
    for assignment in options.set:
        group, key, value = _assignment(assignment)
        settings.setdefault(group, {})[key] = value
    return RunSpec.from_json({"space": "notes-net"} | form | {"settings": settings})


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


def _read_file(path: str) -> Any:
    try:
        return read_json(Path(path).read_bytes(), f"The file {path!r}")
    except OSError as error:
        raise CodecError(f"The file {path!r} cannot be read: {error.strerror or error}.") from error


def _object(form: Any, path: str) -> dict[str, Any]:
    if isinstance(form, dict):
        return form
    raise SpecError(
        f'The file {path!r} holds no JSON object; a run\'s settings look like {{"kind": "random", ...}}.'
    )


def _listener(as_json: bool) -> Callable[[Event], None]:
    return (lambda event: _print_json(event.to_json())) if as_json else _Teller()


def _finish(store: Store, summary: RunSummary, as_json: bool) -> int:
    if not as_json:
        _print_leaderboard(store.state(summary.run_id))
    return 0 if summary.status == "finished" else 1


def _print_run(run_id: str, as_json: bool) -> None:
    _print_json({"run_id": run_id}) if as_json else print(run_id)


class _Teller:
    """Tells a person what happens: every ending, and in between a word of a trial's progress every few seconds."""

    def __init__(self, every_seconds: float = 3.0) -> None:
        self.every_seconds = every_seconds
        self.next_word = 0.0

    def __call__(self, event: Event) -> None:
        """One line, or none."""
        line = self._line(event.kind, event.data, event.time)
        if event.kind == "run_started":
            line = f"run {event.run_id}"
        if line:
            self.next_word = event.time + self.every_seconds
            print(line, flush=True)

    def _line(self, kind: str, data: Mapping[str, Any], time: float) -> str:
        trial = f"  trial {data.get('trial_id', 0):>3}"
        if kind == "final_result":
            return f"{trial}  {_number(data['value'])}"
        if kind == "intermediate_result" and time >= self.next_word:
            return f"{trial}  {_number(data['value'])} after epoch {data['step']}"
        if kind == "trial_ended" and data["status"] != "succeeded":
            return f"{trial}  {data['status']}: {data['reason'] or ''}"
        if kind == "warning":
            return f"  note: {data['message']}"
        return (
            f"{kind.replace('_', ' ')}: {data['reason']}"
            if kind.startswith("run_") and data.get("reason")
            else ""
        )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _print_leaderboard(state: RunState) -> None:
    rows = leaderboard(state, space_of(state.spec))
    ranked = [row for row in rows if row.rank is not None]
    if not ranked:
        print("No trial finished.")
        return
    columns = (
        f"{'code':<10} {'validation':>10}  {'retrained':<26} {'test':<26} {'parameters':>10} {'seconds':>7}"
    )
    print(f"\nrank trial  {columns}")
    for row in ranked[:10]:
        print(
            f"{row.rank:>4} {row.trial_id:>5}  {row.code:<10} {_number(row.validation):>10}  "
            f"{row.retrained or '-'!s:<26} {row.test or '-'!s:<26} "
            f"{row.parameters or 0:>10,} {row.seconds or 0:>7.1f}"
        )
    advice = f"one seed is an anecdote: resume {state.run_id} --retrain 5."
    print(f"{len(ranked)} of {len(rows)} trials finished; {advice}")


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


# -- looking -------------------------------------------------------------------------------------------


def list_names(options: argparse.Namespace) -> None:
    """`list spaces|datasets|...`"""
    for entry in REGISTRIES[options.what].values():
        if options.json:
            _print_json(_entry_json(entry))
        else:
            print(f"{entry.name:<22} {entry.summary}")


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
    space, architecture = _space_or_architecture(options.source)
    classes = None
    if options.dataset:
        facts = DATASETS[options.dataset].facts
        space, classes = space.bound_to(facts["channels"], facts["side"], facts["classes"]), facts["classes"]
    problems = _problems(space, architecture, classes)
    if options.json:
        for problem in problems:
            _print_json(asdict(problem))
    else:
        _print_check(space, problems)
    return FAULT if problems else 0


def _problems(space: SearchSpace, architecture: Architecture | None, classes: int | None) -> list[Problem]:
    if architecture is None:
        return check(space, classes)
    return check_network(space.lower(architecture), classes)


def _print_check(space: SearchSpace, problems: list[Problem]) -> None:
    for problem in problems:
        print(problem)
    for remark in space.remarks:
        print(f"Remark: {remark}")
    if problems:
        return
    costs = cost_range(space)
    print(
        f"{space.name}: {space.size:,} architectures, "
        f"{costs.parameters[0]:,} to {costs.parameters[1]:,} parameters, "
        f"{costs.macs[0]:,} to {costs.macs[1]:,} multiply-accumulates; nothing is wrong."
    )


def _space_or_architecture(source: str) -> tuple[SearchSpace, Architecture | None]:
    """A space, or an architecture with its space; JSON with `choices` is an architecture."""
    if source in SPACES:
        return load_space(source), None
    form = _read_file(source) if source.endswith(".json") else None
    if isinstance(form, dict) and "choices" not in form:
        return load_space(form), None
    if isinstance(form, dict):
        return load_architecture(json.dumps(form))
    if ":" in source or "|" in source or source.startswith("{"):
        return load_architecture(source)
    return load_space(source), None


def list_runs(options: argparse.Namespace) -> None:
    """`runs`"""
    with closing(Store()) as store:
        launch.reconcile(store)
        for summary in store.summaries():
            if options.json:
                _print_json(summary.to_json())
            else:
                best = "" if summary.best_value is None else f"best {summary.best_value:.4f}"
                print(
                    f"{summary.run_id}  {summary.status:<9} {summary.kind:<7} {summary.space:<22} "
                    f"{summary.trials_done}/{summary.trials} trials  {best}"
                )


def show_run(options: argparse.Namespace) -> None:
    """`show RUN`"""
    with closing(Store()) as store:
        launch.reconcile(store)
        store.summary(options.run)
        if options.json:
            for event in store.events(options.run):
                _print_json(event.to_json())
            return
        state = store.state(options.run)
        print(f"{options.run}: {state.status}" + (f" ({state.reason})" if state.reason else ""))
        print(json.dumps(state.spec.to_json(), indent=2))
        _print_leaderboard(state)


def cancel_run(options: argparse.Namespace) -> None:
    """`cancel RUN`"""
    with closing(Store()) as store:
        launch.cancel(store, options.run)


def stop(options: argparse.Namespace) -> None:
    """`stop`"""
    with closing(Store()) as store:
        print("The supervisor has ended." if launch.stop_supervisor(store) else "No supervisor was running.")


# -- files ---------------------------------------------------------------------------------------------


def import_run(options: argparse.Namespace) -> None:
    """`import FILE`"""
    with closing(Store()) as store:
        print(import_recorded(store, Path(options.file)))


def export(options: argparse.Namespace) -> None:
    """`export RUN|SPACE|ARCHITECTURE --as nni|torch|report|run`"""
    content = _EXPORTS[options.form](options.source)
    if options.to is None:
        sys.stdout.buffer.write(content)
        return
    _write_whole(Path(options.to), content)


def _write_whole(path: Path, content: bytes) -> None:
    """Write beside the target and rename, so that a full disk leaves nothing half-written."""
    beside = path.with_name(path.name + ".part")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise CodecError(f"{str(path)!r} cannot be written: {error.strerror or error}.") from error


def _source(text: str) -> tuple[SearchSpace, Architecture | None]:
    """The space of a run with its best architecture, or what `_space_or_architecture` finds."""
    try:
        return _space_or_architecture(text)
    except UserError as not_a_space:
        with closing(Store()) as store:
            try:
                state = store.state(text)
            except NotFound:
                raise not_a_space from None
    best = state.best
    return load_space(state.spec.space), None if best is None else Architecture(best.architecture or {})


def _export_nni(source: str) -> bytes:
    from explorer.export.nni_code import nni_code

    return nni_code(*_source(source)).encode()


def _export_torch(source: str) -> bytes:
    from explorer.export.torch_code import torch_code

    space, architecture = _source(source)
    return torch_code(space, architecture or space.default).encode()


def _export_report(source: str) -> bytes:
    from explorer.export.report import report

    with closing(Store()) as store:
        return report(store.state(source)).encode()


def _export_run(source: str) -> bytes:
    import io

    with closing(Store()) as store:
        store.summary(source)
        buffer = io.BytesIO()
        write_recorded(buffer, store.state(source).spec, store.events(source))
        return buffer.getvalue()


_EXPORTS = {"nni": _export_nni, "torch": _export_torch, "report": _export_report, "run": _export_run}


def doctor(options: argparse.Namespace) -> int:
    """`doctor`"""
    from explorer.doctor import findings

    found: Iterable[dict[str, Any]] = findings()
    sound = True
    for finding in found:
        sound = sound and finding["ok"]
        if options.json:
            _print_json(finding)
        else:
            print(f"{'ok ' if finding['ok'] else 'NOT'} {finding['what']:<20} {finding['says']}")
    return 0 if sound else 1
