"""Names on the board: which may be given, which are given when nobody says one, and what a changed space is called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from explorer.catalogue import OPERATIONS, SPACES, shown
from explorer.errors import SpaceError
from explorer.space import INPUT, Layer, LayerChoice, MacroSpace, Operation, SearchSpace, preset

MAX_NAME = 60
MAX_TITLE = 200
OWN = "own"
CHANGED = ", changed"

STEMS: Mapping[str, str] = {
    "conv2d": "conv",
    "conv_bn_relu": "conv",
    "sep_conv_bn_relu": "sep",
    "batch_norm2d": "norm",
    "max_pool2d": "max",
    "avg_pool2d": "avg",
    "global_avg_pool": "pool",
}
"""How a layer of an operation is called where its own name is too long."""


def new_name(name: str, taken: Iterable[str]) -> str:
    """`name` when it may be given to something new; raises SpaceError."""
    is_right = 1 <= len(name) <= MAX_NAME and name.isprintable() and name == name.strip() and "/" not in name
    if not is_right:
        raise SpaceError(
            f"The name {shown(name)} cannot be given; take 1 to {MAX_NAME} printable characters, without '/' "
            "and without spaces around them."
        )
    if name in taken:
        raise SpaceError(f"The name {name!r} is taken already; give another.")
    return name


def taken_names(space: MacroSpace) -> set[str]:
    """What no new layer, skip or value may be called."""
    return {INPUT, *(layer.name for layer in space.layers), *(mutable.label for mutable in space.mutables)}


def layer_name(operation: str, space: MacroSpace) -> str:
    """`conv1` for the first convolution that nobody named."""
    taken, stem = taken_names(space), STEMS.get(operation, operation)
    return next(name for at in range(1, len(taken) + 2) if (name := f"{stem}{at}") not in taken)


def skip_name(space: MacroSpace) -> str:
    """`skip`, then `skip_2`."""
    return _free("skip", taken_names(space))


def candidate_name(operation: Operation, taken: Iterable[str]) -> str:
    """`conv3x3`, or `relu` where there is no window."""
    stem = STEMS.get(operation.name, operation.name)
    window = (OPERATIONS[operation.name].defaults() | dict(operation.parameters)).get("kernel_size")
    return _free(f"{stem}{window}x{window}" if isinstance(window, int) else stem, taken)


def _free(stem: str, taken: Iterable[str]) -> str:
    held = set(taken)
    return next(
        name for at in range(1, len(held) + 2) if (name := stem if at == 1 else f"{stem}_{at}") not in held
    )


def named(space: SearchSpace, before: SearchSpace) -> SearchSpace:
    """`space`, which `before` became, with its own name and title; the preset itself where it equals one again."""
    if space == before:
        return before
    own = replace(space, name=OWN)
    if before.name != OWN:
        own = replace(own, title=_changed(before.title or before.name))
    return _preset_again(own) or own


def _changed(title: str) -> str:
    return title if title.endswith(CHANGED) else title[: MAX_TITLE - len(CHANGED)] + CHANGED


def _preset_again(space: SearchSpace) -> SearchSpace | None:
    name = _preset_hashes().get(_explicit(space).hash)
    if name is None or space.title not in (preset(name).title, _changed(preset(name).title)):
        return None
    return preset(name)


@cache
def _preset_hashes() -> Mapping[str, str]:
    return {_explicit(preset(name)).hash: name for name in SPACES}


def _explicit(space: SearchSpace) -> SearchSpace:
    """The same space with every default written out, so that saying a default is no change."""
    if not isinstance(space, MacroSpace):
        return space

    def said(operation: Operation) -> Operation:
        given: dict[str, Any] = OPERATIONS[operation.name].defaults() | dict(operation.parameters)
        return Operation(operation.name, given)

    layers = []
    for layer in space.layers:
        content = layer.content
        if isinstance(content, LayerChoice):
            candidates = tuple((name, said(operation)) for name, operation in content.candidates)
            layers.append(Layer(layer.name, LayerChoice(content.label, candidates)))
        else:
            layers.append(Layer(layer.name, said(content)))
    return replace(space, layers=tuple(layers))
