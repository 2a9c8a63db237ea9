"""NNI's strategies as a run of this app: the same events, what people may ask of them, and nothing left behind."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from explorer.adapters import oneshot as nni
from explorer.adapters.steps import Steps
from explorer.jobs.control import Control
from explorer.oneshot.nni_search import NniSearch
from explorer.runs.spec import RunSpec
from explorer.space import SearchSpace
from tests.oneshot.rig import SMALL, Story, request, spec, tiny_cell, tiny_macro
from tests.oneshot.test_nni_space import tiny_darts, two_of_three

PAUSE = Control(pause=True)
METHODS = ("darts", "gumbel", "proxyless", "spos", "enas")


def by_nni(
    space: SearchSpace | None = None, method: str = "darts", epochs: int = 2, **settings: Any
) -> RunSpec:
    """As `rig.spec`, by NNI, with selection rules that need few evaluations."""
    wanted = spec(space, method, epochs, **(dict(SMALL.get(method, {})) | settings))
    rule = {"spos": {"population": 4, "generations": 1}, "enas": {"count": 3}}.get(method, {})
    return replace(
        wanted,
        method={**wanted.method, "engine": "nni"},
        settings={**wanted.settings, "selection": rule},
    )


def told(wanted: RunSpec, **asked: Any) -> Story:
    story = Story(wanted)
    story.attempt(**asked)
    return story


def numbers(story: Story) -> list[dict[str, Any]]:
    """Every snapshot without the time that it took."""
    return [
        {key: value for key, value in each.items() if key != "seconds"}
        for each in story.of("architecture_snapshot")
    ]


@pytest.fixture(autouse=True)
def nothing_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No file, no thread, no other logging and no other random numbers of Python or numpy."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    drawn = random.getstate(), np.random.get_state()[1].tolist()
    levels = [logging.getLogger(name).level for name in ("nni", "pytorch_lightning")]
    yield
    assert list(work.iterdir()) == []
    assert [thread.name for thread in threading.enumerate() if thread.name == "nni"] == []
    assert [logging.getLogger(name).level for name in ("nni", "pytorch_lightning")] == levels
    assert (random.getstate(), np.random.get_state()[1].tolist()) == drawn


# -- the story --------------------------------------------------------------------------------------------------------


def test_a_run_by_nni_tells_what_ours_tells(capfd: pytest.CaptureFixture[str]) -> None:
    story = told(by_nni())
    assert story.state.status == "finished", story.state.reason
    assert [each["step"] for each in story.snapshots] == [0, 3, 6, 8]
    ours = told(spec(epochs=2))
    assert [set(each) for each in story.snapshots] == [set(each) for each in ours.snapshots]
    (derived,) = story.measured("derived")
    assert derived["architecture"] == story.snapshots[-1]["derived"]
    assert derived["nni_export"]["architecture"] in [derived["architecture"], story.snapshots[-1]["derived"]]
    assert set(derived) - {"nni_export"} == set(ours.measured("derived")[0])
    (warning,) = story.state.warnings
    assert warning.startswith("NNI 3.0's DARTS makes the steps")
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_both_begin_with_the_same_and_see_the_same_batches() -> None:
    """Step 0 is equal to the last digit, and after an epoch the alphas are (to float32): the algorithm is the same."""
    ours, theirs = numbers(told(spec(epochs=2))), numbers(told(by_nni()))
    assert theirs[0] == ours[0]
    for one, two in zip(theirs, ours, strict=True):
        for label, row in one["alphas"].items():
            assert row == pytest.approx(two["alphas"][label], abs=2e-5)
        if two["train_loss"] is not None:
            assert one["train_loss"] == pytest.approx(two["train_loss"], rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("space", [tiny_cell, tiny_macro, tiny_darts])
def test_every_method_searches_every_space_that_it_serves(method: str, space: Any) -> None:
    story = told(by_nni(space(), method))
    if (method, space) == ("proxyless", tiny_darts):
        assert story.state.status == "failed" and "Proxyless does not know cells" in (
            story.state.reason or ""
        )
        return
    assert story.state.status == "finished", story.state.reason
    assert len(story.measured("derived")) == 1
    last = story.snapshots[-1]
    assert last["train_loss"] is not None and (last["validation_loss"] is None) == (method == "spos")
    assert (last["temperature"] is not None) == (method == "gumbel")
    assert bool(last["alphas"]) == (method in ("darts", "gumbel", "proxyless"))
    for row in last["probabilities"].values():
        assert sum(row.values()) == pytest.approx(1, abs=1e-4)
    assert numbers(told(by_nni(space(), method))) == numbers(story)  # by the seed alone
    assert numbers(told(replace(by_nni(space(), method), seed=5))) != numbers(story)


@pytest.mark.slow
def test_what_nni_cannot_do_fails_in_one_sentence() -> None:
    for words, wanted in {
        "NNI's DARTS is first order only": by_nni(order="second"),
        "runs every candidate for its alphas": by_nni(method="proxyless", mode="two"),
        "chooses a fixed number": by_nni(two_of_three(), method="enas"),
    }.items():
        story = told(wanted)
        assert story.state.status == "failed" and words in (story.state.reason or ""), story.state.reason


@pytest.mark.slow
def test_a_loss_that_is_no_number_ends_the_run_with_its_snapshots() -> None:
    """The space without batch norm and a rate that throws its weights out."""
    loose = {"weight_learning_rate": 10.0, "weight_learning_rate_end": 10.0, "gradient_clip": 0.0}
    story = told(by_nni(tiny_macro(), epochs=30, **loose))
    assert story.state.status == "failed" and story.snapshots
    assert "no finite number any more at step" in (story.state.reason or "")


@pytest.mark.slow
def test_without_help_a_sampled_path_is_never_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutant: NNI's generators as they are, each begun from the system's entropy."""
    monkeypatch.setattr(nni, "seeded_draws", nullcontext)
    assert told(by_nni(method="spos")).snapshots != told(by_nni(method="spos")).snapshots


@pytest.mark.slow
@pytest.mark.parametrize("method", ["gumbel", "spos"])
def test_nni_draws_from_generators_of_its_own(method: str) -> None:
    """What others draw meanwhile changes nothing, and nothing of theirs is changed."""
    courses = []
    for drawn in (0, 3):
        search = NniSearch(by_nni(method=method))
        torch.manual_seed(1)
        while not search.is_over:
            torch.rand(drawn)
            before = torch.get_rng_state()
            search.advance()
            assert torch.equal(torch.get_rng_state(), before)
        search.finish()
        courses.append(search.snapshot())
    assert courses[0] == courses[1]


# -- people -----------------------------------------------------------------------------------------------------------


def test_a_run_that_is_stopped_derives_from_what_is_there() -> None:
    stop = Control(requests=(request("stop"),))
    story = told(by_nni(epochs=50), wishes={5: stop})
    assert story.state.status == "finished" and story.snapshots[-1]["step"] < 10
    assert len(story.measured("derived")) == 1


@pytest.mark.slow
def test_a_cancelled_run_derives_nothing_and_repeats_itself_later() -> None:
    story = told(by_nni(), wishes={6: Control(cancel=True)})
    assert story.state.status == "cancelled" and not story.measured("derived")
    assert story.measured("checkpoint") == []
    seen = numbers(story)
    assert 0 < len(seen) < 4
    story.attempt()
    assert numbers(story) == numbers(told(by_nni()))  # each step is told once
    assert "repeats the search from its beginning" in story.state.warnings[-1]


def test_a_paused_run_takes_single_steps() -> None:
    steps = Control(pause=True, requests=(request("step", phase="both", count=2),))
    half = Control(pause=True, requests=(request("step", phase="weights", count=1),))
    story = told(
        by_nni(snapshot_every=100), wishes={2: PAUSE, 3: steps, 4: PAUSE, 5: PAUSE, 6: half, 7: PAUSE}
    )
    assert story.state.status == "finished"
    assert [each["step"] for each in story.snapshots] == [0, 4, 8]
    assert any("NNI steps alphas and weights together" in each for each in story.state.warnings)


# -- NNI's ENAS -------------------------------------------------------------------------------------------------------


def test_enas_learns_once_from_each_reward() -> None:
    """NNI's loop asks for an update after every training batch as well, as long as its counter stands still."""
    search = NniSearch(by_nni(method="enas", epochs=3))
    assert search.policy is not None
    rollouts, learn = search.strategy.oneshot_module._policy, search.policy.learn
    update, rewards, asked = rollouts.update, [], []

    def learning(samples: Any, rewarded: list[float]) -> None:
        rewards.append(list(rewarded))
        learn(samples, rewarded)

    def updating(*given: Any) -> None:
        asked.append(len(given))
        update(*given)

    search.policy.learn, rollouts.update = learning, updating  # type: ignore[method-assign]
    while not search.is_over:
        search.advance()
    search.finish()
    assert [len(each) for each in rewards] == [2] * (
        3 * 2
    )  # epochs x controller_steps updates of so many samples
    assert asked.count(2) > len(rewards)  # mutant: each of these would have been an update of NNI's own
    assert search.step == 3 * (4 + 2)


def test_enas_needs_batches_that_say_what_they_are_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutant: NNI's own loader, whose two tensors are taken for a batch and its mode."""
    monkeypatch.setattr(nni.ReinforcedEnas, "train_dataloader", nni.ENAS.train_dataloader)
    search = NniSearch(by_nni(method="enas"))
    with pytest.raises(AttributeError, match="images"):
        search.advance()


def test_batches_come_tagged_and_in_order() -> None:
    loader = nni.TaggedBatches([1, 2], [3])
    assert list(loader) == [(1, "train"), (2, "train"), (3, "val")] and len(loader) == 3


# -- step by step -----------------------------------------------------------------------------------------------------


def test_a_function_is_taken_step_by_step() -> None:
    done: list[int] = []

    def work(halt: Any) -> None:
        for number in range(3):
            done.append(number)
            halt()

    steps = Steps(work)
    assert done == []
    assert steps.next() and done == [0]
    assert steps.next() and steps.next() and done == [0, 1, 2]
    assert not steps.next() and steps.is_over
    assert not steps.next()
    steps.close()


def test_what_a_step_raises_is_raised_and_ends_it() -> None:
    def work(halt: Any) -> None:
        halt()
        raise ValueError("no")

    steps = Steps(work)
    assert steps.next()
    with pytest.raises(ValueError, match="no"):
        steps.next()
    assert not steps.next()


def test_a_closed_function_puts_its_things_away() -> None:
    away: list[str] = []

    def work(halt: Any) -> None:
        try:
            halt()
            away.append("never")
        except Exception:
            away.append("never")
        finally:
            away.append("away")

    for begun in (True, False):
        steps = Steps(work)
        if begun:
            assert steps.next()
        steps.close()
        assert steps.is_over
    assert away == ["away"]
