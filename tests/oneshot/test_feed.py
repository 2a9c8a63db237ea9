"""Which images the weights and the architecture see, in which order."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from explorer.oneshot.contract import Batch
from explorer.oneshot.feed import Feed, cut, stream


class Part(NamedTuple):
    """Images that carry their own number."""

    images: Tensor
    labels: Tensor


class Data(NamedTuple):
    """As much of a dataset as a feed reads."""

    train: Any
    validation: Any


def numbered(count: int, start: int = 0) -> Part:
    numbers = torch.arange(start, start + count)
    return Part(numbers.float().view(-1, 1, 1, 1).expand(-1, 1, 2, 2), numbers)


def data(train: int = 100, validation: int = 20) -> Data:
    return Data(numbered(train), numbered(validation, 1000))


def feed(train: int = 100, split: float = 0.5, size: int = 16, seed: int = 0) -> Feed:
    return Feed(data(train), split, size, seed)


def seen(batch: Batch) -> list[int]:
    assert torch.equal(batch.images[:, 0, 0, 0].long(), batch.labels)
    return batch.labels.tolist()


def test_the_two_parts_are_disjoint_and_together_all_images() -> None:
    weights, rest = cut(data().train, 0.7, seed=3)
    assert (len(weights.labels), len(rest.labels)) == (70, 30)
    assert sorted(weights.labels.tolist() + rest.labels.tolist()) == list(range(100))
    assert not torch.equal(weights.labels, cut(data().train, 0.7, seed=4)[0].labels)
    assert torch.equal(weights.labels, cut(data().train, 0.7, seed=3)[0].labels)


def epochs_are_permutations(made: Feed) -> bool:
    """Every image of the weights once an epoch, in a new order each."""
    orders = []
    for _ in range(3):
        orders.append([number for _ in range(made.batches) for number in seen(made.train())])
        made.begin_epoch()
    whole = sorted(made.for_weights.labels.tolist())
    return all(sorted(order) == whole for order in orders) and len({tuple(order) for order in orders}) == 3


def test_an_epoch_shows_every_image_once_in_a_new_order() -> None:
    assert epochs_are_permutations(feed())

    class Mutant(Feed):
        """Draws with replacement."""

        def train(self) -> Batch:
            rows = torch.randint(len(self.for_weights.labels), (self.size,))
            return Batch(self.for_weights.images[rows], self.for_weights.labels[rows])

    assert not epochs_are_permutations(Mutant(data(), 0.5, 16, 0))


def test_a_single_image_left_over_joins_the_last_batch() -> None:
    made = feed(train=66, size=16)
    assert [len(seen(made.train())) for _ in range(made.batches)] == [16, 17]


def test_validation_batches_are_random_ones_of_the_other_part() -> None:
    made = feed()
    batches = [seen(made.validation()) for _ in range(20)]
    allowed = set(made.for_alphas.labels.tolist())
    assert all(set(batch) <= allowed and len(set(batch)) == 16 for batch in batches)
    assert {number for batch in batches for number in batch} == allowed


def test_with_a_split_of_one_the_architecture_sees_the_validation_images() -> None:
    made = feed(split=1.0)
    assert made.batches == 7
    assert all(number >= 1000 for number in seen(made.validation()))


def test_peeking_takes_nothing_away() -> None:
    made = feed()
    for _ in range(made.batches):
        assert seen(made.peek()) == seen(made.peek()) == seen(made.train())
    made.peek()  # at the end it is the last one again


def test_beyond_an_epoch_another_begins_by_itself() -> None:
    made = feed()
    first = [number for _ in range(made.batches) for number in seen(made.train())]
    second = [number for _ in range(made.batches) for number in seen(made.train())]
    assert sorted(first) == sorted(second) and first != second


@pytest.mark.parametrize("taken", range(6))
def test_a_feed_goes_on_where_another_left_off(taken: int) -> None:
    one, other = feed(), feed()
    for _ in range(taken):
        one.train(), one.validation()
    other.load(one.state())
    for _ in range(9):
        assert seen(one.train()) == seen(other.train())
        assert seen(one.validation()) == seen(other.validation())


def test_a_feed_cut_into_larger_batches_ends_the_epoch_early() -> None:
    one, other = feed(size=4), feed(size=32)
    for _ in range(10):
        one.train()
    other.load(one.state())
    assert len(seen(other.train())) == 32


def test_streams_of_other_names_and_seeds_share_nothing() -> None:
    drawn = {int(torch.randint(2**40, (), generator=stream(seed, name))) for seed in (0, 1) for name in "ab"}
    assert len(drawn) == 4
