"""The expander Edit a layer: each of its widgets changes the board as it says, and what is refused is one sentence."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer.board import Board
from explorer.space import Layer, LayerChoice, MacroSpace, Operation
from tests.pages.conftest import Open, asked, press, say


@pytest.fixture
def editing(open_page: Open) -> AppTest:
    """The notes network with the expander open."""
    return opened(open_page("space"))


def opened(app: AppTest) -> AppTest:
    """The same page with the expander open."""
    app.session_state["space/edit"] = True
    return app.run()


def board(app: AppTest) -> Board:
    """What lies on the board."""
    seat: Any = app.session_state["board/seat"]
    held: Board = seat.history.now
    return held


def space(app: AppTest) -> MacroSpace:
    """The chain on the board."""
    held = board(app).space
    assert isinstance(held, MacroSpace)
    return held


def order(app: AppTest) -> list[str]:
    """The layers' names in their order."""
    return [layer.name for layer in space(app).layers]


def layer(app: AppTest, name: str) -> Layer:
    """The layer of that name."""
    return next(each for each in space(app).layers if each.name == name)


def field(app: AppTest, kind: str, label: str, at: int = 0) -> Any:
    """The widget of that kind and label; `at` counts those of several candidates."""
    return [each for each in app.get(kind) if each.label == label][at]


def pick(app: AppTest, name: str) -> AppTest:
    """Pick a layer."""
    picked: AppTest = field(app, "selectbox", "Layer").set_value(name).run()
    return picked


def told(app: AppTest) -> str:
    """The one sentence of a refusal."""
    assert not app.exception
    (sentence,) = say(app, "warning")
    return str(sentence)


def test_it_is_made_only_when_it_is_opened(open_page: Open) -> None:
    app = open_page("space")
    assert "Layer" not in [box.label for box in app.selectbox]
    assert "Layer" in [box.label for box in opened(app).selectbox]


def test_a_space_of_cells_has_no_layers_to_edit(open_page: Open) -> None:
    app = opened(open_page("space", space="cell"))
    assert not app.exception and "Layer" not in [box.label for box in app.selectbox]


def test_a_parameter_is_set_and_its_default_taken_back(editing: AppTest) -> None:
    app = pick(editing, "conv2")
    field(app, "number_input", "Out channels").set_value(24).run()
    assert layer(app, "conv2").content == Operation("conv2d", {"out_channels": 24, "kernel_size": 5})
    field(app, "number_input", "Padding").set_value(1).run()
    assert layer(app, "conv2").operations[0][1].parameters["padding"] == 1
    field(app, "number_input", "Padding").set_value(0).run()
    assert "padding" not in layer(app, "conv2").operations[0][1].parameters
    assert asked(app, "space").startswith("z1.")


def test_a_parameter_of_one_candidate_leaves_the_other_as_it_is(editing: AppTest) -> None:
    app = pick(editing, "conv1")
    field(app, "number_input", "Out channels", at=1).set_value(12).run()
    first, second = (operation for _, operation in layer(app, "conv1").operations)
    assert (first.parameters["out_channels"], second.parameters["out_channels"]) == (8, 12)


def test_a_layer_is_added_below_the_one_that_is_picked(editing: AppTest) -> None:
    app = pick(editing, "relu1")
    before = order(app)
    field(app, "selectbox", "Operation to add").set_value("batch_norm2d").run()
    press(app, "Add as layer below")
    at = before.index("relu1") + 1
    assert order(app)[:at] == before[:at] and order(app)[at + 1 :] == before[at:]
    assert space(app).layers[at].content == Operation("batch_norm2d")


def test_a_candidate_is_added_and_taken_out_again(editing: AppTest) -> None:
    app = pick(editing, "relu1")
    field(app, "selectbox", "Operation to add").set_value("identity").run()
    press(app, "Add as candidate")
    content = layer(app, "relu1").content
    assert isinstance(content, LayerChoice)
    assert [operation.name for _, operation in content.candidates] == ["relu", "identity"]
    assert board(app).space.size == 16
    gone = [button for button in app.button if button.label == "Remove candidate"]
    assert len(gone) == 2
    gone[1].click().run()
    assert [operation.name for _, operation in layer(app, "relu1").operations] == ["relu"]
    assert board(app).space.size == 8


def test_a_skip_is_added_aligned_let_go_and_removed(editing: AppTest) -> None:
    app = pick(editing, "conv1")
    field(app, "selectbox", "Skip to").set_value("conv2").run()
    press(app, "Add aligned skip")
    (new,) = [skip for skip in space(app).skips if "conv1" in skip.sources]
    assert (new.into, new.align) == ("conv2", "crop")
    press(app, "Do not align")
    (new,) = [skip for skip in space(app).skips if "conv1" in skip.sources]
    assert new.align == "none"
    press(app, "Align")
    (new,) = [skip for skip in space(app).skips if "conv1" in skip.sources]
    assert new.align == "crop"
    press(app, "Remove skip")
    assert not [skip for skip in space(app).skips if "conv1" in skip.sources]


def test_a_skip_is_added_as_it_is(editing: AppTest) -> None:
    app = pick(editing, "relu1")
    field(app, "selectbox", "Skip to").set_value("pool1").run()
    press(app, "Add skip")
    (new,) = [skip for skip in space(app).skips if "relu1" in skip.sources]
    assert (new.into, new.align) == ("pool1", "none") and not app.exception


def test_a_renamed_layer_stays_the_one_that_is_picked(editing: AppTest) -> None:
    app = pick(editing, "conv2")
    field(app, "text_input", "Name").set_value("wide").run()
    assert "wide" in order(app) and "conv2" not in order(app)
    assert field(app, "selectbox", "Layer").value == "wide"
    assert space(app).skips[0].into == "wide"


@pytest.mark.parametrize("name", ["relu1", ""])
def test_a_name_that_is_taken_or_none_is_refused(name: str, editing: AppTest) -> None:
    app = pick(editing, "conv2")
    before = board(app)
    field(app, "text_input", "Name").set_value(name).run()
    assert told(app).endswith("The board is as it was before.")
    assert board(app) == before
    assert field(app, "text_input", "Name").value == "conv2"


def test_a_layer_moves_up_and_down(editing: AppTest) -> None:
    app = pick(editing, "relu1")
    before = order(app)
    press(app, "Down")
    assert order(app)[1:3] == ["pool1", "relu1"]
    press(app, "Up")
    assert order(app) == before


def test_the_ends_of_the_chain_cannot_be_moved_over(editing: AppTest) -> None:
    buttons = {button.label: button for button in pick(editing, "conv1").button}
    assert buttons["Up"].disabled and not buttons["Down"].disabled
    buttons = {button.label: button for button in pick(editing, "func3").button}
    assert buttons["Down"].disabled and not buttons["Up"].disabled


def test_a_move_that_a_skip_would_not_survive_is_refused(editing: AppTest) -> None:
    app = pick(editing, "conv2")
    before = board(app)
    press(app, "Up")  # in front of what the skip comes from
    assert told(app).endswith("The board is as it was before.") and "skip" in told(app)
    assert board(app) == before


def test_a_removed_layer_takes_its_skips_along_and_another_one_is_picked(editing: AppTest) -> None:
    app = pick(editing, "mid_conv")
    press(app, "Remove layer")
    assert not app.exception
    assert "mid_conv" not in order(app) and space(app).skips == ()
    assert field(app, "selectbox", "Layer").value in order(app)


def test_the_last_layer_stays(open_page: Open) -> None:
    app = opened(open_page("space", space="blank"))
    press(app, "Remove layer")
    assert order(app) == ["head"]
    assert next(button for button in app.button if button.label == "Remove layer").disabled


def test_what_was_touched_in_the_drawing_is_what_is_edited(editing: AppTest) -> None:
    editing.session_state["board"] = {"selected": {"id": "pool2", "n": 1}}
    app = editing.run()
    assert field(app, "selectbox", "Layer").value == "pool2"
    assert field(pick(app, "conv1"), "text_input", "Name").value == "conv1"
