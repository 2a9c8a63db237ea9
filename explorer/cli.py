"""The command line: everything that the app does, without a screen.

`--json` prints one JSON object a line and nothing else on standard output. A person's mistake, or the
machine's, is one sentence on standard error and exit 2. Training happens in a process of its own.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from explorer import __version__
from explorer.catalogue import DATASETS, REGISTRIES, SPACES
from explorer.commands.files import export, import_run
from explorer.commands.key import key_answer
from explorer.commands.looking import (
    FAULT,
    cancel_run,
    check_source,
    doctor,
    list_names,
    list_runs,
    show_run,
    stop,
)
from explorer.commands.oneshot import branch_run
from explorer.commands.running import TELL, resume_run, run, tell_run
from explorer.errors import ExplorerError, UserError
from explorer.runs.checks import KINDS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    trains = False
    try:
        options = _parser().parse_args(arguments)
        trains = options.name in ("run", "resume")
        return int(options.command(options) or 0)
    except ExplorerError as error:
        print(f"explorer: {error}", file=sys.stderr)
        return FAULT
    except BrokenPipeError:  # the reader of our output (head, less) has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(trains)  # a run that nobody listens to any more has not finished
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

    _run_options(
        add("run", run, "Train architectures, tune, search with one supernet, or compare feature selectors.")
    )

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
    resumed.add_argument(
        "--rivals", type=int, metavar="N", help="one-shot: and so many architectures drawn at random"
    )
    resumed.add_argument("--epochs", type=int, metavar="N", help="one-shot: how long each is retrained")
    resumed.add_argument("--detach", action="store_true", help="let the supervisor do it and return at once")
    _json_option(resumed)

    told = add("tell", tell_run, "Ask something of a run that is going on, or let its stopped trials finish.")
    told.add_argument("run")
    told.add_argument("what", choices=tuple(TELL))
    told.add_argument(
        "values",
        nargs="*",
        metavar="VALUE",
        help="set: trials=N or workers=N; add: parameters as JSON; again, kill, finish: numbers of trials; "
        "step: weights, architecture or both, and how many; measure: what",
    )

    branched = add(
        "branch", branch_run, "Go on from a checkpoint of a one-shot run, with changed parameters."
    )
    branched.add_argument("run")
    branched.add_argument("--at", type=int, required=True, metavar="STEP", help="the checkpoint's step")
    branched.add_argument("--epochs", type=int, metavar="N", help="how long the search is in all")
    branched.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="for example alpha_learning_rate=0.01"
    )
    branched.add_argument("--detach", action="store_true", help="let the supervisor do it and return at once")
    _json_option(branched)

    imported = add("import", import_run, "Put a recorded run into the store.")
    imported.add_argument("file")
    add("stop", stop, "End the supervisor; its runs can be resumed, waiting ones wait for the next --detach.")

    exported = add("export", export, "Write NNI code, plain PyTorch code, a report or a recorded run.")
    exported.add_argument("source", metavar="RUN|SPACE|ARCHITECTURE")
    exported.add_argument(
        "--as", dest="form", required=True, choices=("nni", "torch", "report", "run", "csv")
    )
    to = "a file (standard output when left out); a folder for a tuning run as nni"
    exported.add_argument("--to", metavar="PATH", help=to)

    judged = add("key", key_answer, "What the answer key says about an architecture: accuracy, rank, regret.")
    judged.add_argument("architecture", metavar="ARCHITECTURE", help="for example cell:340213")
    judged.add_argument("--dataset", default="noisy-digits", metavar="NAME", help="whose key is asked")
    judged.add_argument(
        "--retrain", type=int, metavar="N", help="train it with N new seeds and say how far off the key is"
    )
    _json_option(judged)

    _json_option(add("doctor", doctor, "Versions, devices, data, store, limits."))
    return parser


def _json_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def _run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--space", metavar="NAME|FILE", help=f"a preset ({', '.join(SPACES)}) or a JSON file")
    parser.add_argument("--architecture", metavar="CODE", help="evaluate this one with several seeds instead")
    parser.add_argument("--dataset", metavar="NAME", help="see 'list datasets'; features: 'list tables'")
    for name, help in (
        ("seed", "repeats the run"),
        ("trials", "how many"),
        ("epochs", "how long each is trained"),
        ("workers", "how many are trained at once"),
    ):
        parser.add_argument(f"--{name}", type=int, metavar="N", help=help)
    parser.add_argument(
        "--executor", choices=("local", "nni", "key"), help="where trials run; key: looked up, not trained"
    )
    parser.add_argument("--strategy", metavar="NAME", help="what proposes in nas; see 'list strategies'")
    parser.add_argument("--objective", metavar="NAME", help="what hpo improves; see 'list objectives'")
    parser.add_argument("--search-space", metavar="FILE", help="what hpo tunes: NNI's search_space.json")
    parser.add_argument(
        "--tuner", metavar="NAME", help="what proposes in hpo, or searches columns in features"
    )
    parser.add_argument(
        "--assessor", metavar="NAME", help="what stops trials early in hpo; see 'list assessors'"
    )
    parser.add_argument("--method", metavar="NAME", help="how oneshot searches; see 'list methods'")
    parser.add_argument("--engine", metavar="NAME", help="whose code does it: own or nni")
    parser.add_argument(
        "--selector",
        action="append",
        metavar="NAME",
        help="features: compare this one (again for more); see 'list selectors'",
    )
    parser.add_argument(
        "--table", metavar="FILE", help="features: a CSV or Parquet file instead of --dataset"
    )
    parser.add_argument("--target", metavar="COLUMN", help="features: the column to predict (else the last)")
    parser.add_argument(
        "--selection", metavar="NAME", help="how oneshot derives an architecture; see 'list selection-rules'"
    )
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
