"""The settings of a comparison of selectors as a RunSpec: a table of ours or an uploaded one, selectors, resamples.

An uploaded file is read when it comes, and kept by its content when the run starts. What stands in it is a stranger's
text: it is shown letter by letter, never as Markdown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import streamlit as st

from explorer.catalogue import FEATURES, SELECTORS, TABLES, TUNERS
from explorer.errors import CodecError, ExplorerError
from explorer.runs import places
from explorer.runs.feature_checks import feature_settings, selectors_of
from explorer.runs.spec import MAX_SEED, MAX_TRIALS, MAX_WORKERS, RunSpec
from explorer.tables import Column, Uploaded, keep, read_table, split_target
from explorer.tables.columns import KINDS
from pages.widgets import examples
from pages.widgets.drawing import table
from pages.widgets.parameter_form import STAY, begin, form
from pages.widgets.place import limits
from pages.widgets.words import term

TABLE, OWN = "breast-cancer", "own"
TUNER, TRIALS = "TPE", 20
NOT_KEPT = (
    "table:0000000000000000.csv"  # stands for an uploaded file until it is kept under its content's name
)
ENDINGS = ("csv", "tsv", "parquet", "pq")
LISTED = 50  # columns of an uploaded table
_FILE, _UPLOAD, _OPEN, _CLOSE = "features/file", "features/upload", "features/open", "features/close"
_MARKUP = re.compile(r"([\\`*_{}\[\]()#+!|<>~$:&])")


@dataclass(frozen=True, eq=False)
class Upload:
    """A file as it came; `table` is None where `problem` says why it is none."""

    name: str
    content: bytes
    table: Uploaded | None
    problem: str | None


def literal(text: str) -> str:
    """Text for st.markdown and its kin that shows exactly these letters: no picture, link, formula or colour."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def settings() -> tuple[RunSpec | None, list[str]]:
    """The form, and what is wrong with it; no spec while an own table is asked for and none is there."""
    dataset = st.selectbox(
        "Table",
        [*TABLES, OWN],
        format_func=lambda name: TABLES[name].label if name in TABLES else "Your own (CSV or Parquet)",
        key=begin("features/table", TABLE),
        help=term("table"),
        **STAY,
    )
    given: dict[str, Any] = {}
    if dataset in TABLES:
        facts = TABLES[dataset].facts
        st.caption(f"{TABLES[dataset].summary} To predict: {facts['target']} ({facts['task']}).")
    else:
        given = _own_table()
    picked = _selectors()
    resamples = st.number_input(
        "Resamples",
        2,
        20,
        key=begin("features/resamples", FEATURES.facts["resamples"]),
        help=term("resample"),
        **STAY,
    )
    if resamples != FEATURES.facts["resamples"]:
        given["resamples"] = int(resamples)
    method: dict[str, Any] = {} if len(picked) == len(SELECTORS) else {"selectors": picked}
    search = _search()
    rest = ["most", "judge", *(["held_out"] if search else [])]
    with st.expander("Judge, workers and seed", icon=":material/tune:"):
        given |= form([one for one in FEATURES.parameters if one.name in rest], "features/how")
        workers, seed = _workers_and_seed()
    of_selectors = _selector_settings(picked)
    grouped = {"features": given, "selector": of_selectors}
    upload = st.session_state.get(_UPLOAD)
    if dataset == OWN and (upload is None or upload.table is None):
        return None, [upload.problem] if upload is not None else []
    spec = RunSpec(
        kind="features",
        dataset=NOT_KEPT if dataset == OWN else dataset,
        method=method | ({"tuner": search[0]} if search else {}),
        settings={group: values for group, values in grouped.items() if values},
        trials=search[1] if search else TRIALS,
        workers=workers,
        seed=seed,
    )
    none = [] if picked else ["No selector is picked; pick at least one."]
    return spec, [*none, *spec.problems(), *_table_problems(spec)]


# -- an own table -----------------------------------------------------------------------------------------------------


def _own_table() -> dict[str, Any]:
    """The file, and which of its columns is to be predicted; those settings of the comparison."""
    if st.session_state.pop(_CLOSE, False):
        st.session_state[_OPEN] = False
    st.file_uploader(
        "A table with a line of names",
        ENDINGS,
        key=_FILE,
        on_change=_take,
        help="It is read here, and kept on the machine that runs this app when you press Compare.",
    )
    upload: Upload | None = st.session_state.get(_UPLOAD)
    if upload is None:
        st.caption(
            "Give a file with a row for each case. Larger ones go by the command line: "
            "`python -m explorer run features --table FILE --target COLUMN`."
        )
        return {}
    if upload.table is None:
        return {}
    columns = upload.table.columns
    st.caption(f"{literal(upload.name)}: {upload.table.rows:,} rows, {len(columns)} columns.")
    st.toggle("Show the table", key=_OPEN, help="Its first rows and what each column holds, on the right.")
    kinds = {column.name: column.kind for column in columns}
    target = st.selectbox(
        "Target",
        list(kinds),
        len(kinds) - 1,
        format_func=lambda name: f"{name} ({kinds.get(name, '')})",
        key=f"features/target/{_shape(upload)}",
        help=term("target"),
        **STAY,
    )
    task = [one for one in FEATURES.parameters if one.name == "task"]
    return {"target": target} | form(task, "features/how")


def _take() -> None:
    """Read the file that was just given; forget the one before, also when it was taken away."""
    file = st.session_state.get(_FILE)
    st.session_state.pop(_UPLOAD, None)
    st.session_state[_OPEN] = False
    if file is None:
        return
    content = file.getvalue()
    try:
        read, problem = read_table(content, file.name), None
    except CodecError as error:
        read, problem = None, str(error)
    st.session_state[_UPLOAD] = Upload(file.name, content, read, problem)
    st.session_state[_OPEN] = read is not None


def _shape(upload: Upload) -> str:
    """A target's widget belongs to these columns: with others it begins anew."""
    return str(hash(upload.table and tuple(column.name for column in upload.table.columns)))


def _table_problems(spec: RunSpec) -> list[str]:
    """What the engine would refuse in the uploaded table."""
    upload: Upload | None = st.session_state.get(_UPLOAD)
    if spec.dataset != NOT_KEPT or upload is None or upload.table is None:
        return []
    try:
        _split(upload.table, spec)
    except ExplorerError as error:
        return [str(error)]
    return []


def _split(read: Uploaded, spec: RunSpec) -> Any:
    how = feature_settings(spec)
    return split_target(read, how["target"], how["task"], how["resamples"])


def with_table(spec: RunSpec) -> RunSpec:
    """The spec with the uploaded table's name, under which it is kept from now on."""
    if spec.dataset != NOT_KEPT:
        return spec
    upload: Upload = st.session_state[_UPLOAD]
    return replace(spec, dataset=keep(upload.content, upload.name, places.home() / "tables"))


def table_is_open() -> bool:
    """Whether the uploaded table is looked at, instead of a run."""
    upload = st.session_state.get(_UPLOAD)
    own = st.session_state.get("features/table") == OWN
    return bool(own and upload and upload.table and st.session_state.get(_OPEN))


def close_table() -> None:
    """Make room for the run, from the next rerun on."""
    st.session_state[_CLOSE] = True


def show_table(spec: RunSpec | None) -> None:
    """The first rows, what each column holds and how it is used, and what a reader may be surprised about."""
    upload: Upload = st.session_state[_UPLOAD]
    if upload.table is None or spec is None:
        return
    target = feature_settings(spec)["target"]
    st.markdown("**What are the first rows?**")
    st.dataframe(upload.table.preview(), key="features/preview", hide_index=True, alt="The first rows.")
    st.markdown("**What does each column hold?**", help=term("target"))
    columns = upload.table.columns
    head = [
        ("Column", "Its name in the file."),
        ("Holds", "; ".join(f"{kind}: {what}" for kind, what in KINDS.items())),
        ("Used", "Columns that cannot help are left out."),
        (
            "Missing",
            "Rows without a value; they are filled with the training rows' median or most frequent word.",
        ),
        ("Different", "How many different values there are."),
        ("Such as", "The first different values."),
    ]
    table(head, [_about(column, target) for column in columns[:LISTED]], (3, 4))
    if len(columns) > LISTED:
        st.caption(f"And {len(columns) - LISTED:,} more.")
    try:
        notices = _split(upload.table, spec).notices
    except ExplorerError:  # said above the form
        notices = upload.table.notices
    for notice in notices:
        st.caption(f":material/info: {literal(notice)}")


def _about(column: Column, target: str | None) -> tuple[str, ...]:
    used = "target" if column.name == target else "to choose from" if column.is_used else "left out"
    missing, distinct = f"{column.missing:,}", f"{column.distinct:,}"
    return column.name, column.kind, used, missing, distinct, ", ".join(column.examples)


# -- selectors, search, workers ---------------------------------------------------------------------------------------


def _selectors() -> list[str]:
    return st.multiselect(
        "Selectors",
        list(SELECTORS),
        format_func=lambda name: SELECTORS[name].label,
        key=begin("features/selectors", list(SELECTORS)),
        wrap=True,
        help=term("selector"),
        **STAY,
    )


def _selector_settings(picked: list[str]) -> dict[str, Any]:
    """NAME.PARAMETER -> value, of the selectors that are compared."""
    given: dict[str, Any] = {}
    with st.expander("Selectors' settings", icon=":material/tune:"):
        for name in picked:
            entry = SELECTORS[name]
            st.markdown(f"**{entry.label}**", help=entry.summary)
            found = form(entry.parameters, f"features/selector/{name}", min(2, max(1, len(entry.parameters))))
            given |= {f"{name}.{parameter}": value for parameter, value in found.items()}
            if not entry.parameters:
                st.caption("Nothing to set.")
    return given


def _search() -> tuple[str, int] | None:
    """The tuner and its trials where new columns are searched first."""
    if not st.toggle("Search new columns first", key="features/search", help=term("new columns"), **STAY):
        return None
    left, right = st.columns(2)
    tuner = left.selectbox(
        "Tuner",
        list(_tuners()),
        format_func=lambda name: name,
        key=begin("features/tuner", TUNER),
        help=term("tuner"),
        **STAY,
    )
    trials = right.number_input(
        "Trials", 1, MAX_TRIALS, key=begin("features/trials", TRIALS), help=term("trial"), **STAY
    )
    return tuner, int(trials)


@lru_cache(maxsize=1)
def _tuners() -> tuple[str, ...]:
    """Those that can propose a set of columns."""
    return tuple(
        name
        for name in TUNERS
        if not RunSpec(kind="features", dataset=TABLE, method={"tuner": name}).problems()
    )


def _workers_and_seed() -> tuple[int, int]:
    most = limits().workers or MAX_WORKERS
    left, right = st.columns(2)
    workers = left.number_input(
        "Workers",
        1,
        most,
        key=begin("features/workers", min(2, most)),
        disabled=most == 1,
        help=term("worker"),
        **STAY,
    )
    seed = right.number_input("Seed", 0, MAX_SEED, key=begin("features/seed", 0), help=term("seed"), **STAY)
    return int(workers), int(seed)


# -- around the form --------------------------------------------------------------------------------------------------


def forecast(spec: RunSpec) -> str:
    """What will happen, in a line or two."""
    names, resamples = selectors_of(spec), feature_settings(spec)["resamples"]
    first = ""
    if spec.planned_trials:
        first = f"{spec.planned_trials:,} sets of new columns are tried first, on rows of their own. "
    each = "selector" if len(names) == 1 else "selectors"
    told = f"{first}{len(names)} {each} on {resamples} resamples: {len(names) * resamples:,} selections"
    return (
        f"{told}; with the defaults our tables take **about half a minute**."
        if spec.dataset in TABLES
        else f"{told}."
    )


def named(spec: RunSpec) -> str:
    """A run's heading."""
    count = len(selectors_of(spec))
    return f"{count} {'selector' if count == 1 else 'selectors'} on {table_label(spec.dataset)}"


def table_label(name: str) -> str:
    """A table's name for people; an uploaded one has that of its content."""
    return TABLES[name].label if name in TABLES else f"an own table ({name.removeprefix('table:')[:6]})"


def about_settings(spec: RunSpec) -> str:
    """What a run was asked for: what differs from the defaults, and the seed."""
    parts = [f"{feature_settings(spec)['resamples']} resamples"]
    if "tuner" in spec.method:
        parts.append(f"new columns searched by {spec.method['tuner']} in {spec.trials:,} trials")
    given = {**spec.settings.get("features", {}), **spec.settings.get("selector", {})}
    parts += [f"{name.replace('_', ' ')} {value}" for name, value in given.items() if name != "resamples"]
    return literal(f"{', '.join([*parts, f'seed {spec.seed}'])}; everything else as usual.")


def before_the_first() -> None:
    """Nothing ran yet: what will be seen here."""
    with st.container(border=True):
        st.markdown("**Nothing is running here yet.**")
        st.markdown(
            "Press *Compare*: every selector ranks the columns on the training rows of each resample, and a model that "
            "gets its best 1, 2, 3, 5 … columns is judged on the other rows. You see how many columns are enough, "
            "whether the selectors agree, and what chance and all columns reach. You may close the page meanwhile; the "
            "run goes on, and *Runs* lists it."
        )
        for name in examples.names():
            if examples.page_of(name) == examples.PAGES["features"]:
                st.page_link(
                    examples.PAGES["features"],
                    label=f"See a finished example: {examples.titled(name)}",
                    icon=":material/history:",
                    query_params={"run": f"{examples.PREFIX}{name}"},
                )
    st.markdown("**Who is compared?**", help=term("selector"))
    whose = {"nni": "NNI, mended for today's libraries", "sklearn": "scikit-learn", "own": "this app"}
    st.markdown(
        "\n".join(
            f"- **{entry.label}**: {entry.summary} ({whose[entry.facts['source']]})"
            for entry in SELECTORS.values()
        )
    )
