"""The editor of a hyper-parameter search space: a form and search_space.json side by side, both editable.

The text is what counts. A change in the form writes the text, a text that can be read fills the form; one that cannot
leaves the last good space in force and says what is wrong, with the line.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import streamlit as st

from explorer.errors import ExplorerError, SpecError
from explorer.hyper import DEFAULT_SPACES, PARAMETERS, TYPES, Domain, HyperSpace, read_search_space
from explorer.hyper.config import ConfigReading, read_config
from explorer.hyper.preview import preview
from explorer.plots.tuning.domains import distribution_svg
from pages.widgets.drawing import picture, table
from pages.widgets.words import term

OPEN, CLOSE, PASTE = "hpo/edit", "hpo/close", "hpo/paste"
_SPACE, _TEXT, _PROBLEMS, _TURN, OF = (
    "hpo/space_form",
    "hpo/space_text",
    "hpo/problems",
    "hpo/turn",
    "hpo/of",
)
NESTED = "nested choice"
_FIELDS = {"uniform": ("low", "high"), "normal": ("mean", "sd")}
NOTES_SNIPPET = """assessor:
  builtinAssessorName: Curvefitting
  classArgs:
    epoch_num: 10
    threshold: 0.9
"""


def current(objective: str) -> dict[str, Any]:
    """The space in force for this objective, in NNI's form; another objective begins with its own."""
    if st.session_state.get(OF) != objective:
        st.session_state[OF] = objective
        lay(DEFAULT_SPACES[objective])
    space: dict[str, Any] = st.session_state[_SPACE]
    return space


def problem() -> str | None:
    """What keeps the text from being the space in force, in one sentence."""
    if not st.session_state.get(_PROBLEMS):
        return None
    return "The search space as it was typed cannot be read: put it right under Edit, or discard the change there."


def lay(form: dict[str, Any]) -> None:
    """Put a space into the editor."""
    st.session_state[_SPACE] = form
    st.session_state[_TEXT] = written(form)
    st.session_state[_PROBLEMS] = []
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1


def written(form: dict[str, Any]) -> str:
    """search_space.json with one line a parameter, as people write it."""
    lines = [
        f"  {json.dumps(name)}: {json.dumps(domain, ensure_ascii=False)}" for name, domain in form.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def summary(form: dict[str, Any]) -> None:
    """What is tuned, one line a parameter."""
    space = _readable(form)
    if space is None:
        return
    table(
        [("Parameter", term("search space")), ("Values", term("search space types"))],
        ([domain.name, shown(domain)] for domain in space),
    )


def shown(domain: Domain) -> str:
    """`loguniform 0.001 … 0.5`, `sgd, adam`."""
    if domain.is_nested:
        return "one of " + ", ".join(option.name for option in domain.values)
    if domain.is_choice:
        words = ", ".join(str(value) for value in domain.values[:6])
        return words + (f", … {len(domain.values)} in all" if len(domain.values) > 6 else "")
    low, high, *q = domain.values
    step = f", step {q[0]:g}" if q else ""
    if domain.is_normal:
        return f"{domain.type}, mean {low:g}, sd {high:g}{step}"
    return f"{domain.type} {low:g} … {high:g}{step}"


def edit(objective: str) -> None:
    """The whole editor: form on the left, text on the right."""
    st.header("What may be tuned", anchor=False, help=term("search space types"))
    form = current(objective)
    left, right = st.columns([1.25, 1], gap="large")
    with right:
        _text()
    with left:
        space = _readable(form)
        if space is not None:
            for at, domain in enumerate(space):
                _row(at, domain)
        _add(objective, form)
    problems = st.session_state[_PROBLEMS]
    with right:
        for problem in problems[:10]:
            st.error(problem, icon=":material/error:")
        if problems:
            st.button(
                "Discard the change",
                icon=":material/undo:",
                on_click=lay,
                args=(dict(form),),
                key="hpo/discard",
            )


# -- the text ---------------------------------------------------------------------------------------------------------


def _text() -> None:
    key = f"hpo/text/{st.session_state[_TURN]}"
    st.text_area(
        "search_space.json",
        st.session_state[_TEXT],
        key=key,
        height=330,
        on_change=_take_text,
        args=(key,),
        max_chars=200_000,
    )
    st.download_button(
        "Download",
        written(st.session_state[_SPACE]),
        "search_space.json",
        "application/json",
        on_click="ignore",
        icon=":material/download:",
    )


def _take_text(key: str) -> None:
    text = st.session_state[key]
    st.session_state[_TEXT] = text
    try:
        space = read_search_space(text)
    except SpecError as error:
        st.session_state[_PROBLEMS] = list(error.problems)
        return
    lay(space.to_json())


# -- the form ---------------------------------------------------------------------------------------------------------


def _row(at: int, domain: Domain) -> None:
    """One parameter: name, type, what stands in _value, and how it is distributed."""
    turn = st.session_state[_TURN]
    key = f"hpo/row/{turn}/{at}"
    kind = NESTED if domain.is_nested else domain.type
    with st.container(border=True):
        name, type_, remove = st.columns([1.3, 1.2, 0.35], vertical_alignment="bottom")
        name.text_input("Name", domain.name, key=f"{key}/name", on_change=_take_row, args=(at, key))
        type_.selectbox(
            "Type",
            [*TYPES[:1], NESTED, *TYPES[1:]],
            ([*TYPES[:1], NESTED, *TYPES[1:]]).index(kind),
            key=f"{key}/type",
            on_change=_take_row,
            args=(at, key),
            help=term("search space types"),
        )
        remove.button(
            "",
            icon=":material/delete:",
            key=f"{key}/remove",
            on_click=_remove,
            args=(domain.name,),
            help="Remove",
        )
        values, drawn = st.columns([1.6, 1], vertical_alignment="center")
        with values:
            _values(domain, kind, key, at)
        with drawn:
            _preview(domain)


def _values(domain: Domain, kind: str, key: str, at: int) -> None:
    change: dict[str, Any] = {"on_change": _take_row, "args": (at, key)}
    if kind == NESTED:
        st.text_area(
            "Options, as JSON",
            json.dumps(domain.to_json()["_value"], indent=1),
            key=f"{key}/nested",
            **change,
        )
        return
    if kind == "choice":
        st.text_input(
            "Options, separated by commas",
            ", ".join(_item(value) for value in domain.to_json()["_value"]),
            key=f"{key}/options",
            **change,
        )
        return
    for place, title, value in zip(
        st.columns(len(domain.values)), _titles(domain.type), domain.values, strict=False
    ):
        place.text_input(title, f"{value:.12g}", key=f"{key}/{title}", **change)


def _titles(type_: str) -> tuple[str, ...]:
    ends = ("mean", "sd") if "normal" in type_ else ("low", "high")
    return (*ends, "step") if type_.startswith("q") else ends


def _item(value: Any) -> str:
    """An option as it is typed: a plain word without quotes, anything else as JSON."""
    if (
        isinstance(value, str)
        and value.strip() == value
        and value
        and _guess(value) == value
        and "," not in value
    ):
        return value
    return json.dumps(value, ensure_ascii=False)


def _guess(word: str) -> Any:
    """A typed option: JSON where it is some, else the word itself."""
    try:
        return json.loads(word)
    except ValueError:
        return word


def split_options(text: str) -> list[Any]:
    """What was typed between commas; commas inside brackets, braces and quotes do not separate.

    >>> split_options('16, sgd, [0, 1]')
    [16, 'sgd', [0, 1]]
    """
    parts, depth, quoted, word = [], 0, False, ""
    for letter in text:
        quoted ^= letter == '"'
        depth += 0 if quoted else (letter in "[{") - (letter in "]}")
        if letter == "," and depth == 0 and not quoted:
            parts.append(word)
            word = ""
        else:
            word += letter
    return [_guess(part.strip()) for part in [*parts, word] if part.strip()]


def _take_row(at: int, key: str) -> None:
    """Rebuild the space with this row as it now stands in its widgets."""
    form: dict[str, Any] = st.session_state[_SPACE]
    name = list(form)[at]
    wanted, type_ = st.session_state[f"{key}/name"].strip(), st.session_state[f"{key}/type"]
    if wanted != name and wanted in form:
        st.session_state[_PROBLEMS] = [
            f"Two parameters would be called {wanted!r}; give each a name of its own."
        ]
        return
    domain = _domain(form[name], type_, key)
    changed = {wanted if one == name else one: domain if one == name else old for one, old in form.items()}
    try:
        lay(read_search_space(changed).to_json())
    except SpecError as error:
        st.session_state[_PROBLEMS] = list(error.problems)


def _domain(old: dict[str, Any], type_: str, key: str) -> dict[str, Any]:
    """The row in NNI's form; a type just picked begins with values that are right for it."""
    was = NESTED if _is_nested(old) else old["_type"]
    if type_ != was:
        name = st.session_state[f"{key}/name"].strip()
        known = DEFAULT_SPACES[st.session_state[OF]].get(name, {}).get("_value", [])
        return {
            "_type": "choice" if type_ == NESTED else type_,
            "_value": _first_values(type_, old["_value"], known),
        }
    if type_ == NESTED:
        return {"_type": "choice", "_value": _guess(st.session_state[f"{key}/nested"])}
    if type_ == "choice":
        return {"_type": "choice", "_value": split_options(st.session_state[f"{key}/options"])}
    return {
        "_type": type_,
        "_value": [_guess(st.session_state[f"{key}/{title}"]) for title in _titles(type_)],
    }


def _is_nested(domain: dict[str, Any]) -> bool:
    return domain["_type"] == "choice" and any(isinstance(one, dict) for one in domain["_value"])


def _first_values(type_: str, old: list[Any], known: list[Any]) -> list[Any]:
    """Values to begin with: the old ends, else the `known` ones, where they make sense for the new type."""
    if type_ == NESTED:
        return [{"_name": "first", "value": {"_type": "uniform", "_value": [0, 1]}}, {"_name": "second"}]
    numbers = _numbers(old) or _numbers(known)
    low, high = (min(numbers), max(numbers)) if numbers and min(numbers) < max(numbers) else (0.0, 1.0)
    if type_ == "choice":
        return [low, high] if numbers else ["first", "second"]
    if type_ == "randint":
        return [int(low), max(int(high), int(low) + 1)]
    if "normal" in type_:  # four standard deviations reach to the ends
        low, high = (
            (math.log(max(low, high / 1e6)), math.log(high)) if "log" in type_ and high > 0 else (low, high)
        )
        first = [round((low + high) / 2, 6), round((high - low) / 8, 6)]
    elif "log" in type_:
        first = [low if low > 0 else high / 1000, high] if high > 0 else [0.001, 1.0]
    else:
        first = [low, high]
    spread = first[1] if "normal" in type_ else first[1] - first[0]
    return [*first, round(spread / 10, 6) or 0.1] if type_.startswith("q") else first


def _numbers(values: list[Any]) -> list[Any]:
    return [one for one in values if isinstance(one, int | float) and not isinstance(one, bool)]


def _remove(name: str) -> None:
    form = dict(st.session_state[_SPACE])
    del form[name]
    if form:
        lay(form)
    else:
        st.session_state[_PROBLEMS] = [
            "A search space needs at least one parameter; add another before removing this."
        ]


def _add(objective: str, form: dict[str, Any]) -> None:
    """A parameter that the objective understands and the space lacks."""
    left = [name for name in PARAMETERS[objective] if name not in form]
    if not left:
        st.caption("Every parameter that this objective understands is in the space.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("Add a parameter", left, key="hpo/new")
        st.button("Add", icon=":material/add:", on_click=_take_new, args=(objective, name))
    st.caption(PARAMETERS[objective][name].help)


def _take_new(objective: str, name: str) -> None:
    parameter = PARAMETERS[objective][name]
    known = DEFAULT_SPACES[objective].get(name)
    if known is None and parameter.kind in ("choice", "bool"):
        known = {"_type": "choice", "_value": list(parameter.choices) or [False, True]}
    elif known is None:
        low = parameter.low if parameter.low is not None else 0.0
        high = min(
            parameter.high if parameter.high is not None else low + 1, max(1.0, 2 * (parameter.default or 1))
        )
        whole = parameter.kind == "int"
        known = {
            "_type": "randint" if whole else "uniform",
            "_value": [int(low), int(high) + 1] if whole else [low, high],
        }
    lay({**st.session_state[_SPACE], name: known})


def _preview(domain: Domain) -> None:
    found = preview(domain)
    shares = [bar.share for bar in found.bars]
    if found.kind == "bins" and all(bar.low is not None and bar.high is not None for bar in found.bars):
        edges: list[float | str] = [bar.low for bar in found.bars if bar.low is not None]
        edges += [bar.high for bar in found.bars[-1:] if bar.high is not None]
        picture(distribution_svg(edges, shares, domain.name))
    else:
        picture(distribution_svg([bar.label for bar in found.bars], shares, domain.name))


def _readable(form: dict[str, Any]) -> HyperSpace | None:
    try:
        return read_search_space(form)
    except ExplorerError:
        return None


# -- a pasted config.yml ----------------------------------------------------------------------------------------------


def paste_button(take_over: Callable[[ConfigReading], None]) -> None:
    """Paste a config.yml of NNI, any version; what it means is told line by line, and `take_over` uses it."""
    popover = st.popover("Paste config.yml", icon=":material/content_paste:", on_change="rerun", key=PASTE)
    if not popover.open:
        return
    with popover:
        text = st.text_area(
            "A config.yml of NNI 1, 2 or 3, or a part of one",
            key="hpo/config",
            height=190,
            placeholder=NOTES_SNIPPET,
            max_chars=100_000,
        )
        st.button("Take the learning notes' own", on_click=_take_snippet, type="tertiary")
        if not text:
            st.caption(
                "Names, settings, search space and limits are taken over; nothing in it is ever executed."
            )
            return
        try:
            reading = read_config(text)
        except SpecError as error:
            for problem in error.problems[:10]:
                st.error(problem, icon=":material/error:")
            return
        st.button("Take over", type="primary", on_click=take_over, args=(reading,))
        st.markdown("\n".join(f"- {_plain(note)}" for note in reading.notes))
        if reading.v3:
            st.caption("The same as NNI 3 writes it:")
            st.code(reading.v3, language="yaml")


def _take_snippet() -> None:
    st.session_state["hpo/config"] = NOTES_SNIPPET


def _plain(words: str) -> str:
    """Text as text: nothing pasted may become Markdown."""
    return "".join(f"\\{letter}" if letter in r"\`*_{}[]<>#+|$~" else letter for letter in words)
