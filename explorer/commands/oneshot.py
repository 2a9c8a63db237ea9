"""`branch`, and what a one-shot search came to, in words."""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from typing import Any

from explorer.commands.telling import finish, listener, print_run
from explorer.errors import SpecError
from explorer.jobs import launch
from explorer.jobs.asking import branch_spec
from explorer.jobs.foreground import run_here
from explorer.runs.store import Store


def branch_run(options: argparse.Namespace) -> int:
    """`branch RUN --at STEP [--epochs N] [--set KEY=VALUE ...]`"""
    changes: dict[str, Any] = dict(map(_change, options.set))
    if options.epochs is not None:
        changes["epochs"] = options.epochs
    with closing(Store()) as store:
        if options.detach:
            print_run(launch.branch(store, options.run, options.at, changes), options.json)
            return 0
        spec = branch_spec(store.state(options.run), options.at, changes)
        return finish(store, run_here(store, spec, listener(options.json)), options.json)


def _change(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    name = name.removeprefix("method.")
    if not (equals and name):
        raise SpecError(
            f"--set {text!r:.60} is not understood; write KEY=VALUE, for example alpha_learning_rate=0.01."
        )
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
