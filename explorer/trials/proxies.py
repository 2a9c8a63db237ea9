"""Scores architectures by a zero-cost proxy; this is what an executor runs for a piece of a ranking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.nets.network import NetworkModule
from explorer.nets.proxies import proxy_score
from explorer.trials.evaluate import bound_space
from explorer.trials.fitting import Trial, dataset

TARGET = "explorer.trials.proxies:score"


def payload(
    space: Any, architectures: list[Mapping[str, Any]], *, dataset: str, proxy: str, images: int, seeds: int
) -> dict[str, Any]:
    """What `score` takes, as plain JSON."""
    return {
        "space": space,
        "architectures": [dict(one) for one in architectures],
        "dataset": dataset,
        "proxy": proxy,
        "images": images,
        "seeds": seeds,
    }


def score(payload: Mapping[str, Any]) -> Trial:
    """Yields once, {"final", "value", "metrics": {"scores"}}: a score for each architecture in order, higher is better,
    null where the proxy says nothing.
    """
    space = bound_space(payload["space"], payload["dataset"])
    data = dataset(payload["dataset"], space.input.channels, space.input.side, None)
    images, labels = data.train.images[: payload["images"]], data.train.labels[: payload["images"]]
    scores = []
    for architecture in payload["architectures"]:
        module = NetworkModule(space.lower(space.architecture(architecture))).to(images.device)
        found = proxy_score(payload["proxy"], module, images, labels, tuple(range(payload["seeds"])))
        scores.append(found if found > float("-inf") else None)
    yield {"final": True, "value": 0.0, "metrics": {"scores": scores}}
