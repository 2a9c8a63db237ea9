"""The synthetic task does what it is for: a small network learns it almost at once."""

from __future__ import annotations

import pytest
import torch

from explorer.data import load_dataset


@pytest.mark.parametrize(
    ("pooled", "floor"), [(False, 0.9), (True, 0.4)], ids=["dense", "global-average-pool"]
)
def test_synthetic_is_learned_within_two_epochs(pooled: bool, floor: float) -> None:
    dataset = load_dataset("synthetic")
    torch.manual_seed(0)
    head = [torch.nn.AdaptiveAvgPool2d(1)] if pooled else []
    features = 8 if pooled else 8 * 8 * 8
    network = torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 3, padding=1),
        torch.nn.BatchNorm2d(8),
        torch.nn.ReLU(),
        *head,
        torch.nn.Flatten(),
        torch.nn.Linear(features, dataset.classes),
    )
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    for _epoch in range(2):
        for rows in torch.randperm(len(dataset.train)).split(32):
            loss = torch.nn.functional.cross_entropy(
                network(dataset.train.images[rows]), dataset.train.labels[rows]
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    network.eval()
    with torch.no_grad():
        guesses = network(dataset.validation.images).argmax(1)
    accuracy = (guesses == dataset.validation.labels).float().mean()
    assert accuracy > floor  # chance is 0.25
