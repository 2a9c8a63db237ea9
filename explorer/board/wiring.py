"""Skips put into a chain and taken out, and how they are aligned."""

from __future__ import annotations

from dataclasses import replace

from explorer.board.board import Board, one_of
from explorer.board.building import chain_of, layer_called
from explorer.board.carrying import rebuilt
from explorer.board.choosing import skip_called
from explorer.board.names import new_name, skip_name, taken_names
from explorer.errors import SpaceError
from explorer.space import INPUT, InputChoice, MacroSpace

ALIGNS = ("none", "crop")


def add_skip(board: Board, source: str, into: str, align: str = "none", label: str | None = None) -> Board:
    """A skip that the search may take or leave, from an earlier layer (or the input) into a later one."""
    space = chain_of(board)
    names = [INPUT, *(layer.name for layer in space.layers)]
    one_of("layer", source, names)
    layer_called(space, into)
    one_of("alignment", align, ALIGNS)
    if names.index(source) >= names.index(into):
        raise SpaceError(
            f"A skip from {source!r} into {into!r} would be a cycle; let it begin at an earlier layer."
        )
    for skip in space.skips:
        if skip.into == into and source in skip.sources:
            if skip.align == align and label in (None, skip.label):
                return board
            raise SpaceError(
                f"{skip.label!r} leads from {source!r} into {into!r} already; change that one or take it out."
            )
    label = skip_name(space) if label is None else new_name(label, taken_names(space))
    added = InputChoice(label, (source,), into, None, align)
    return rebuilt(board, replace(space, skips=(*space.skips, added)))


def remove_skip(board: Board, label: str) -> Board:
    """Without a skip, all its sources with it."""
    space, gone = chain_of(board), skip_called(board, label)
    return rebuilt(board, replace(space, skips=tuple(skip for skip in space.skips if skip is not gone)))


def align(board: Board, label: str, align: str) -> Board:
    """What a skip does where shapes differ: "none" adds as they are, "crop" brings them together."""
    space, changed = chain_of(board), skip_called(board, label)
    one_of("alignment", align, ALIGNS)
    return rebuilt(board, _with_skip(space, replace(changed, align=align)))


def _with_skip(space: MacroSpace, changed: InputChoice) -> MacroSpace:
    skips = tuple(changed if skip.label == changed.label else skip for skip in space.skips)
    return replace(space, skips=skips)
