"""Our spaces as NNI's strategies know them are those of the real model spaces."""

from __future__ import annotations

import pytest

from explorer.errors import SpecError
from explorer.nas.nni_space import mutables, options
from explorer.nets.model_space import build_model_space
from explorer.nets.samples import from_nni_sample
from explorer.space import check, preset
from explorer.space.presets import searchable


@pytest.mark.parametrize("name", [name for name in searchable() if not check(preset(name))])
def test_the_choices_are_those_of_the_model_space(name: str) -> None:
    space = preset(name)
    bound = space.bound_to(1, 8, 10) if space.input.from_dataset else space
    real, ours = build_model_space(bound).simplify(), mutables(bound)
    for label, mutable in real.items():
        assert type(ours[label]) is type(mutable) and ours[label].extra_repr() == mutable.extra_repr()
    assert set(real) == set(ours)


def test_the_options_are_all_there_are_of_each_choice() -> None:
    space = preset("notes-net")
    listed = options(space)
    first = {label: values[0] for label, values in listed.items()}
    assert sorted(map(len, listed.values())) == [2, 2, 2]
    for label, values in listed.items():
        assert len({space.code(from_nni_sample(space, {**first, label: value})) for value in values}) == 2


def test_a_choice_with_too_many_options_is_named() -> None:
    with pytest.raises(SpecError, match="TPE takes at most 1,000 options"):
        options(preset("enas-macro", layers=12))
