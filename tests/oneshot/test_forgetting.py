"""Two-model forgetting: both architectures are looked at after every epoch of either."""

from __future__ import annotations

import torch

from explorer.catalogue import METHODS
from explorer.nets.supernet.network import build_supernet
from explorer.oneshot.contract import Batch
from explorer.oneshot.forgetting import two_model_forgetting
from explorer.space import CellSpace, Input

TOY = CellSpace(
    "toy",
    Input(1, 8),
    nodes=3,
    edges=((0, 1), (0, 2), (1, 2)),
    operations=("none", "skip_connect", "avg_pool_3x3"),
    channels=2,
)


def test_the_first_is_trained_and_then_the_second_and_both_are_told_after_every_epoch() -> None:
    """The one that is trained learns to tell bright images from dark ones."""
    torch.manual_seed(0)
    labels = torch.arange(32) % 2
    batch = Batch(torch.randn(32, 1, 8, 8) + 2.0 * labels[:, None, None, None], labels)
    settings = METHODS["spos"].settings({"weight_learning_rate": 0.2})
    told = list(
        two_model_forgetting(
            build_supernet(TOY),
            TOY.architecture({"edge_0_1": "skip_connect", "edge_0_2": "none", "edge_1_2": "skip_connect"}),
            TOY.architecture({"edge_0_1": "avg_pool_3x3", "edge_0_2": "none", "edge_1_2": "avg_pool_3x3"}),
            lambda: [batch] * 4,
            batch,
            settings,
            epochs=3,
        )
    )
    assert [each["trained"] for each in told] == ["first"] * 3 + ["second"] * 3
    assert [each["epoch"] for each in told] == [1, 2, 3, 4, 5, 6]
    assert all(0 <= each[name] <= 1 for each in told for name in ("first", "second"))
    assert told[2]["first"] > 0.8 and told[5]["second"] > 0.8
