"""The contract of every dataset in the catalogue: what the screen promises is what the loader gives."""

from __future__ import annotations

import pytest
import torch

from explorer.catalogue import DATASETS
from explorer.data import load_dataset, vision
from explorer.errors import DataMissing, SpaceError, UnknownName

EMBEDDED = [name for name, entry in DATASETS.items() if entry.facts["embedded"]]
DOWNLOADED = [name for name in DATASETS if name not in EMBEDDED]
PARTS = ("train", "validation", "test")


@pytest.mark.parametrize("name", EMBEDDED)
def test_an_embedded_dataset_is_what_the_catalogue_says(name: str) -> None:
    dataset = load_dataset(name)
    facts = DATASETS[name].facts
    assert dataset.name == name
    assert {part: len(getattr(dataset, part)) for part in PARTS} == {part: facts[part] for part in PARTS}
    for part in PARTS:
        split = getattr(dataset, part)
        assert split.images.shape == (facts[part], facts["channels"], facts["side"], facts["side"])
        assert split.images.dtype == torch.float32 and split.labels.dtype == torch.int64
        assert torch.isfinite(split.images).all()
        assert set(split.labels.tolist()) == set(range(facts["classes"]))
    assert dataset.classes == facts["classes"]


@pytest.mark.parametrize("source", vision.SOURCES, ids=lambda source: source.name)
def test_a_downloaded_dataset_is_what_the_catalogue_says(source: vision.Source) -> None:
    facts = DATASETS[source.name].facts
    assert source.counts == tuple(facts[part] for part in PARTS)
    assert (source.channels, source.side, source.classes) == (
        facts["channels"],
        facts["side"],
        facts["classes"],
    )


def test_every_dataset_that_is_not_embedded_has_a_source() -> None:
    assert [source.name for source in vision.SOURCES] == DOWNLOADED


@pytest.mark.parametrize("name", DOWNLOADED)
def test_a_missing_dataset_names_the_folder_and_the_files(name: str, explorer_home: object) -> None:
    source = next(source for source in vision.SOURCES if source.name == name)
    with pytest.raises(DataMissing) as caught:
        load_dataset(name)
    assert f"{explorer_home}/data/{source.folder}" in str(caught.value)
    assert all(file in str(caught.value) for file in source.files)


@pytest.mark.parametrize("name", EMBEDDED)
def test_no_image_is_in_two_splits(name: str) -> None:
    indices = load_dataset(name).facts["indices"]
    rows = [row for part in PARTS for row in indices[part].tolist()]
    assert len(rows) == len(set(rows))


@pytest.mark.parametrize("name", EMBEDDED)
def test_every_split_has_the_classes_proportions(name: str) -> None:
    dataset = load_dataset(name)
    everything = torch.cat([getattr(dataset, part).labels for part in PARTS])
    shares = torch.bincount(everything) / len(everything)
    for part in PARTS:
        labels = getattr(dataset, part).labels
        expected = shares * len(labels)
        assert (torch.bincount(labels) - expected).abs().max() <= 1.0


def test_a_dataset_is_loaded_once_for_a_process() -> None:
    assert load_dataset("digits") is load_dataset("digits")
    assert load_dataset("digits", side=16) is not load_dataset("digits")


def test_an_unknown_dataset_offers_the_nearest_name() -> None:
    with pytest.raises(UnknownName, match="No dataset is called 'digit'; did you mean 'digits'"):
        load_dataset("digit")


@pytest.mark.parametrize(("channels", "side"), [(2, 8), (0, 8), (1, 0), (1, -3), (3, 100_000)])
def test_an_input_that_cannot_be_made_is_refused_in_words(channels: int, side: int) -> None:
    with pytest.raises(SpaceError, match=r"not \d|cannot be made"):
        load_dataset("digits", channels, side)


def test_both_problems_of_an_input_are_said_at_once() -> None:
    with pytest.raises(SpaceError) as caught:
        load_dataset("digits", 5, 0)
    assert len(caught.value.problems) == 2
