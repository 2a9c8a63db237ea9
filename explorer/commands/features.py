"""What `run features` says on the command line, and what it came to, in words."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from explorer.catalogue import SELECTORS
from explorer.errors import CodecError, SpecError
from explorer.runs import places
from explorer.runs.feature_story import (
    generation,
    generation_sentence,
    mean_and_error,
    plan_of,
    selections,
    stories,
)
from explorer.runs.state import RunState
from explorer.tables import keep, read_table
from explorer.tables.reading import MAX_BYTES

TABLE = "breast-cancer"  # where nothing is said


def features_form(options: argparse.Namespace, form: dict[str, Any]) -> dict[str, Any]:
    """What --selector, --table, --target and --tuner say; refused where the run is of another kind.

    A table is read here once, so that what is wrong with it is said before a run begins, and kept by its content.
    """
    if options.kind != "features":
        if options.selector or options.table or options.target:
            raise SpecError(
                "--selector, --table and --target belong to 'run features'; leave them out, or run that."
            )
        return {}
    found: dict[str, Any] = {"dataset": form.get("dataset", TABLE)}
    if options.table:
        if options.dataset:
            raise SpecError("--table and --dataset both name the table; give one of them.")
        found["dataset"] = kept_table(Path(options.table))
    said = {"selectors": options.selector} if options.selector else {}
    said |= {"tuner": options.tuner} if options.tuner else {}
    method, settings = form.get("method", {}), form.get("settings", {})
    if said and isinstance(method, dict):
        found["method"] = {**method, **said}
    if options.target and isinstance(settings, dict) and isinstance(settings.get("features", {}), dict):
        found["settings"] = {
            **settings,
            "features": {**settings.get("features", {}), "target": options.target},
        }
    return found


def kept_table(path: Path) -> str:
    """The name of the table in a file, which is read, checked and kept."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CodecError(
                f"{path.name!r:.80} has {path.stat().st_size:,} bytes; at most {MAX_BYTES:,} are taken."
            )
        content = path.read_bytes()
    except OSError as error:
        raise CodecError(f"The file {str(path)!r} cannot be read: {error.strerror or error}.") from error
    read_table(content, path.name)
    return keep(content, path.name, places.home() / "tables")


def print_features(state: RunState) -> None:
    """The plan, each selector's worth and first columns, and what new columns were worth."""
    plan, found = plan_of(state), {story.name: story for story in stories(state)}
    if plan is None or not found:
        print("No selector came to a result.")
        return
    print(
        f"\n{plan.table}: {plan.rows:,} rows, {len(plan.columns)} columns, {plan.target} ({plan.task}), "
        f"{plan.resamples} resamples"
    )
    made = generation(state)
    if made is not None:
        print(generation_sentence(made, plan.metric))
    advice = {data["selector"]: data for data in selections(state)}
    print(
        f"{'selector':<20} {'features':>8} {plan.metric:>17}  {'stability':>9} {'seconds':>8}  first columns"
    )
    for name, story in found.items():
        count = advice[name]["k"] if name in advice else story.counts[-1] if story.counts else 0
        values = story.at(count)
        mean, error = mean_and_error(values) if values else (float("nan"), 0.0)
        stable = story.stability(count)
        first = ", ".join(plan.columns[column] for column in story.best_columns(3))
        print(
            f"{name:<20} {count:>8} {mean:>9.4f} ± {error:.4f} {'-' if stable is None else f'{stable:.2f}':>10} "
            f"{sum(story.seconds.values()):>8.2f}  {'' if not SELECTORS[name].facts['needs_target'] else first}"
            + ("  ALL SCORES TIE" if story.tied else "")
        )
    print(
        "The number of features is the smallest within one standard error of the selector's best; stability is "
        "1 where all "
        "resamples choose the same columns, 0 where they agree by chance."
    )
