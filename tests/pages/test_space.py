"""The Search space page: restrict, pin, repair, open, share."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest
from streamlit.testing.v1 import AppTest

from explorer.runs.store import Store
from explorer.space import preset
from tests.pages import stories
from tests.pages.conftest import Open, asked, mounted, press, say, texts


def group(app: AppTest, label: str) -> object:
    """The pills or segments with that label."""
    return next(element for element in app.get("button_group") if element.label == label)


def controls(open_page: Open, **query: str) -> AppTest:
    """The page with its ordinary widgets unfolded."""
    return tab(open_page("space", **query), "Controls")


def drawn(app: AppTest) -> dict[str, Any]:
    """The drawing that can be clicked on."""
    return mounted(app, "edit")[0]


def states(app: AppTest) -> dict[str, str]:
    """Element -> its state in the drawing."""
    scene = drawn(app)["scene"]
    return {item["i"]: item.get("st", "fixed") for item in (*scene["nodes"], *scene["edges"])}


def test_the_page_shows_size_costs_forecast_and_the_drawing(open_page: Open) -> None:
    app = controls(open_page)
    said = texts(app)
    assert "84.3k – 85.8k" in said and ">8</dd>" in said and "To try 8 of them here" in said
    assert {"conv1", "skip"} <= set(states(app)) and set(drawn(app)["menus"]) >= {"conv1", "skip"}
    assert asked(app, "space") == "notes-net" and asked(app, "architecture") == "000"


def test_switching_a_candidate_off_halves_the_space_and_goes_into_the_address(open_page: Open) -> None:
    app = controls(open_page)
    group(app, "conv1").set_value(["conv5x5"]).run()  # type: ignore[attr-defined]
    assert ">4</dd>" in texts(app) and "keep" in app.query_params
    again = controls(open_page, **{name: asked(app, name) for name in app.query_params})
    assert ">4</dd>" in texts(again)


def test_a_skip_can_be_switched_off_and_always_on(open_page: Open) -> None:
    app = controls(open_page)
    skip = group(app, "skip: mid_conv → conv2")
    skip.set_value("off").run()  # type: ignore[attr-defined]
    assert states(app)["skip"] == "off"
    group(app, "skip: mid_conv → conv2").set_value("always").run()  # type: ignore[attr-defined]
    assert ">4</dd>" in texts(app) and asked(app, "architecture") == "000"


def test_the_last_candidate_cannot_be_taken_away(open_page: Open) -> None:
    app = controls(open_page)
    group(app, "conv1").set_value([]).run()  # type: ignore[attr-defined]
    assert not app.exception and len(say(app, "warning")) == 1
    assert len(group(app, "conv1").value) == 1  # type: ignore[attr-defined]


def test_an_architecture_from_a_link_is_pinned(open_page: Open) -> None:
    app = controls(open_page, architecture="cell:340213")
    pinned = {box.label: box.value for box in app.selectbox}
    assert (pinned["0 → 1"], pinned["0 → 2"], pinned["1 → 2"]) == ("nor_conv_3x3", "avg_pool_3x3", "none")
    assert asked(app, "space") == "cell"


def test_pinning_another_choice_changes_the_code(open_page: Open) -> None:
    app = controls(open_page)
    next(box for box in app.selectbox if box.label == "conv1").set_value("conv5x5").run()
    assert asked(app, "architecture") == "100"


def test_a_dead_cell_is_said_to_be_dead(open_page: Open) -> None:
    app = controls(open_page, space="cell", architecture="000000")
    assert "Nothing of the image reaches the output" in say(app, "warning")[0]


def test_the_notes_two_mistakes_are_named_and_repaired(open_page: Open) -> None:
    app = controls(open_page, space="notes-net-as-written")
    said = "\n".join(say(app, "markdown")).replace("\\", "")
    assert "2 things keep this space from running" in said
    assert "expects 400 features, but 576 arrive" in said and "8x16x16 to 16x12x12" in said
    assert "NNI 3" in said and "bypasses" in said
    assert all(button.disabled for button in app.button if button.label == "Search this space")
    press(app, "Repair")
    done = app.success[0].value.replace("\\", "")
    assert "now inferred" in done and "crop now align" in done and "NNI 3" in done
    assert asked(app, "space") == "notes-net"


def test_searching_the_space_carries_it_over(open_page: Open) -> None:
    app = controls(open_page)
    group(app, "conv1").set_value(["conv3x3"]).run()  # type: ignore[attr-defined]
    press(app, "Search this space")
    assert app.session_state["plan"]["space"]["name"] == "notes-net-restricted"
    assert app.session_state["plan"]["architecture"] is None


@pytest.mark.usefixtures("no_supervisor")
def test_evaluating_trains_the_pinned_architecture_beside_its_drawing(open_page: Open, store: Store) -> None:
    app = controls(open_page, architecture="notes-net:111")
    press(app, "Evaluate this architecture")
    assert not app.exception
    spec = store.state(store.summaries()[0].run_id).spec
    assert spec.architecture == {"conv1": "conv5x5", "mid_conv": "conv5x5", "skip": [0]}
    assert spec.space == "notes-net" and spec.trials == 3
    run_id = store.summaries()[0].run_id
    store.claim("test", 3600, run_id=run_id)
    stories.tell(store, run_id, [("run_started", {}), *stories.trials(spec, 3), ("run_finished", {})])
    app.run()
    assert any("3 seeds" in sentence for sentence in say(app, "markdown"))


def test_the_shared_link_opens_the_same(open_page: Open) -> None:
    app = controls(open_page, architecture="notes-net:101")
    link = next(code.value for code in app.code if "architecture=" in code.value)
    query = {name: values[0] for name, values in parse_qs(urlparse(link).query).items()}
    again = controls(open_page, **query)
    assert asked(again, "architecture") == "101"


def test_an_address_that_arrives_late_does_not_undo_an_edit(open_page: Open) -> None:
    app = controls(open_page)
    before = {name: asked(app, name) for name in app.query_params}
    next(box for box in app.selectbox if box.label == "conv1").set_value("conv5x5").run()
    assert asked(app, "architecture") == "100"
    for name, value in before.items():  # a message that the browser sent before it heard of the edit
        app.query_params[name] = value
    app.run()
    assert asked(app, "architecture") == "100"


def tab(app: AppTest, name: str) -> AppTest:
    """The page with that tab open."""
    app.session_state["space/tabs"] = name
    return app.run()


def test_the_json_tab_is_the_space(open_page: Open) -> None:
    app = tab(controls(open_page, space="cell"), "JSON")
    shown = [json.loads(code.value) for code in app.code if code.language == "json"]
    assert shown == [preset("cell").to_json()]


def test_another_pins_an_architecture_of_the_allowed_space(open_page: Open) -> None:
    app = controls(open_page)
    group(app, "conv1").set_value(["conv5x5"]).run()  # type: ignore[attr-defined]
    codes = set()
    for _ in range(12):
        press(app, "Another")
        codes.add(asked(app, "architecture"))
        assert {box.label: box.value for box in app.selectbox}["conv1"] == "conv5x5"
    assert len(codes) > 1


def test_a_pinned_choice_that_is_restricted_away_is_shown_as_what_replaces_it(open_page: Open) -> None:
    app = controls(open_page, architecture="notes-net:000")
    group(app, "skip: mid_conv → conv2").set_value("always").run()  # type: ignore[attr-defined]
    assert {box.label: box.value for box in app.selectbox}["skip"] == (0,)


def paste(app: AppTest, text: str) -> AppTest:
    """Open the popover, paste, press Open."""
    app.session_state["open_own"] = True
    app.run()
    app.text_area[0].set_value(text).run()
    return press(app, "Open")


def test_a_pasted_space_opens(open_page: Open) -> None:
    form = preset("cell").to_json() | {"name": "mine", "operations": ["none", "skip_connect"]}
    app = paste(controls(open_page), json.dumps(form))
    assert ">64</dd>" in texts(app)
    assert asked(app, "space").startswith("z1.")


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("{", 1),
        ("[" * 100_000, 1),
        ('{"family": "macro"}', 3),
        (json.dumps(preset("notes-net").to_json() | {"layers": []}), 1),
        (json.dumps(preset("cell").to_json() | {"operations": ["conv9", "none", "none"]}), 2),
        (json.dumps(preset("cell").to_json() | {"edges": [[1, 0], [0, 3]]}), 3),
        (json.dumps(preset("cell").to_json() | {"schema": 99}), 1),
        ('{"name": "' + "x" * 300_000 + '"}', 1),
    ],
)
def test_a_broken_space_is_said_in_sentences_and_nothing_is_lost(
    text: str, sentences: int, open_page: Open
) -> None:
    app = paste(controls(open_page, architecture="cell:340213"), text)
    assert not app.exception
    assert len(app.error) >= sentences
    assert asked(app, "architecture") == "340213"


# -- spaces with settings -----------------------------------------------------------------------------------------


def setting(app: AppTest, label: str) -> object:
    """The number field with that label."""
    return next(field for field in app.number_input if field.label == label)


@pytest.mark.parametrize(
    ("name", "label", "value", "size"),
    [("darts-cell", "Nodes", 1, ">2,401</dd>"), ("enas-macro", "Layers", 2, ">72</dd>")],
)
def test_a_changed_setting_makes_a_space_of_its_own(
    name: str, label: str, value: int, size: str, open_page: Open
) -> None:
    app = controls(open_page, space=name)
    assert asked(app, "space") == name
    setting(app, label).set_value(value).run()  # type: ignore[attr-defined]
    assert not app.exception and size in texts(app)
    assert asked(app, "space").startswith("z1.")
    again = controls(open_page, **{key: asked(app, key) for key in app.query_params})
    assert size in texts(again)
    assert setting(again, label).value == value  # type: ignore[attr-defined]
    back = press(again, "Defaults")
    assert asked(back, "space") == name


def test_a_darts_space_is_drawn_and_costed_with_both_cells(open_page: Open) -> None:
    app = controls(open_page, space="darts-cell")
    said = texts(app)
    assert "Normal cell" in said and "Reduction cell" in said and ">51,883,209</dd>" in said
    labels = [box.label for box in app.selectbox]
    assert labels.count("Node 3 reads") == 2 and labels.count("Node 3, 2nd through") == 2
    for name in ("NNI 3 code", "PyTorch code"):
        assert all("Cell" in code.value for code in tab(app, name).code if code.language == "python")


def test_the_operations_of_a_darts_space_can_be_restricted(open_page: Open) -> None:
    app = controls(open_page, space="darts-cell")
    operations = group(app, "Operations (shared by every edge of both cells)")
    operations.set_value(["none", "skip_connect", "sep_conv_3x3"]).run()  # type: ignore[attr-defined]
    assert f">{(2**4 * 3) ** 2:,}</dd>" in texts(app)
    group(app, "Operations (shared by every edge of both cells)").set_value(["none"]).run()  # type: ignore[attr-defined]
    assert not app.exception and len(say(app, "warning")) == 1


def test_a_skip_with_many_sources_is_pinned_source_by_source(open_page: Open) -> None:
    app = controls(open_page, space="enas-macro")
    skips = app.multiselect[0]
    assert skips.label == "skip_6"
    skips.set_value([4, 1]).run()
    assert not app.exception
    assert preset("enas-macro").from_code(asked(app, "architecture"))["skip_6"] == (1, 4)


@pytest.mark.parametrize("name", ["cell", "darts-cell", "enas-macro"])
def test_a_space_is_carried_to_the_one_shot_page(name: str, open_page: Open) -> None:
    app = press(controls(open_page, space=name), "Search one-shot")
    assert app.session_state["plan"] == {"space": name, "architecture": None}
