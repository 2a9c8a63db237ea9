"""Files that a search goes on from, and the sentences for those that cannot serve."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from explorer.errors import CodecError
from explorer.oneshot import checkpoints

ABOUT = {"space": "abc", "dataset": "digits", "method": "darts"}
STATE = {"net": {"w": torch.arange(3.0)}, "step": 7, "told": [1.5, None, "x"]}


def kept(step: int = 7) -> None:
    assert checkpoints.write("r", step, ABOUT, STATE)


def sentence(**other: Any) -> str:
    with pytest.raises(CodecError) as caught:
        checkpoints.read("r", 7, ABOUT | other)
    return str(caught.value)


def test_what_was_written_is_read_again() -> None:
    kept()
    found = checkpoints.read("r", 7, ABOUT)
    assert torch.equal(found["net"]["w"], STATE["net"]["w"]) and found["told"] == STATE["told"]


def test_steps_are_listed_in_order_and_nothing_else_is() -> None:
    assert checkpoints.kept("r") == ()
    for step in (700, 1_000_000, 7):
        kept(step)
    (checkpoints.folder("r") / "step-x.pt").write_text("")
    (checkpoints.folder("r") / "step-000009.part").write_text("")
    assert checkpoints.kept("r") == (7, 700, 1_000_000)


def test_a_missing_one_names_those_that_are_there() -> None:
    assert "not on this machine; there are none" in sentence()
    kept(20)
    assert "there are 20" in sentence()


@pytest.mark.parametrize("damage", [b"", b"no checkpoint", None])
def test_a_damaged_one_is_one_sentence(damage: bytes | None) -> None:
    kept()
    path = checkpoints.file_of("r", 7)
    path.write_bytes(path.read_bytes()[:-200] if damage is None else damage)
    assert "step 7 of run r is damaged or is no checkpoint" in sentence()


def test_a_foreign_file_of_torch_is_no_checkpoint() -> None:
    kept()
    torch.save({"weights": torch.ones(2)}, checkpoints.file_of("r", 7))
    assert "is no checkpoint" in sentence()
    torch.save(torch.ones(2), checkpoints.file_of("r", 7))
    assert "is no checkpoint" in sentence()


def test_another_version_is_told_apart_from_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(checkpoints, "FORMAT", 99)
        kept()
    assert "another version of this app (format 99, this one reads 1)" in sentence()


def test_one_of_another_search_says_what_differs() -> None:
    kept()
    assert "its dataset is 'digits', not 'mnist'" in sentence(dataset="mnist")


def test_where_nothing_can_be_written_it_says_so_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    assert not checkpoints.write("r", 7, ABOUT, STATE)
    assert checkpoints.kept("r") == ()


def test_the_old_file_stays_where_a_new_one_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    kept()

    def broken(*_: Any) -> None:
        raise RuntimeError("unexpected pos")

    monkeypatch.setattr(torch, "save", broken)
    assert not checkpoints.write("r", 7, ABOUT, {})
    assert checkpoints.read("r", 7, ABOUT)["step"] == 7
