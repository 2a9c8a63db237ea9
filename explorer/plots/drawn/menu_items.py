"""What a menu of the board is made of: items with their events, groups of items, one menu an element.

Lists that several menus share are sent once: a group then names a list of the payload's `palette`, and says what its
events have besides (`with`) and which radio is on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from explorer.plots.drawn.text import SENTENCE, named, shown

Event = dict[str, Any]
Items = tuple[dict[str, Any], ...]
RADIO, CHECK, DO = "radio", "check", "do"


def item(
    kind: str, name: str, event: Event, about: str = "", on: bool = False, no: str = ""
) -> dict[str, Any]:
    """`n` name, `a` about, `k` kind, `on`, `e` event, `no` why it cannot be done; what is empty is left out."""
    form: dict[str, Any] = {"n": named(name), "k": kind, "e": event}
    form |= {"a": shown(about, SENTENCE)} if about else {}
    form |= {"no": shown(no, SENTENCE)} if no else {}
    return form | ({"on": True} if on else {})


@dataclass(frozen=True)
class Group:
    """Items under one title; `folded` ones are opened by an item of their own.

    `shared` lists come from a cache and stand in several menus: `common` is then what every event of this group has
    besides, and `on` the number of the radio that is on.
    """

    title: str
    items: Items
    folded: bool = False
    shared: bool = False
    common: Mapping[str, Any] = field(default_factory=dict)
    on: int | None = None


@dataclass(frozen=True)
class Menu:
    """Everything that can be done with one element, under its name and a line about it."""

    title: str
    about: str
    groups: tuple[Group, ...]


@dataclass
class Palette:
    """The shared lists, each once; lists are told apart by identity, since their makers are cached."""

    lists: dict[str, Items] = field(default_factory=dict)
    _keys: dict[int, str] = field(default_factory=dict)

    def key(self, items: Items) -> str:
        """The name of a list, which is kept when it is new."""
        if id(items) not in self._keys:
            self._keys[id(items)] = name = str(len(self._keys))
            self.lists[name] = items
        return self._keys[id(items)]


def menus_json(menus: Mapping[str, Menu]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The menus by element, and the palette that they refer to."""
    palette = Palette()
    found = {
        name: {
            "title": named(menu.title),
            "about": shown(menu.about, SENTENCE),
            "groups": list(_groups(menu.groups, palette)),
        }
        for name, menu in menus.items()
    }
    return found, {name: list(items) for name, items in palette.lists.items()}


def _groups(groups: Iterable[Group], palette: Palette) -> Iterable[dict[str, Any]]:
    for group in groups:
        if not group.items:
            continue
        form: dict[str, Any] = {"title": shown(group.title)} | ({"fold": True} if group.folded else {})
        if not group.shared:
            yield form | {"items": list(group.items)}
            continue
        form |= {"use": palette.key(group.items)} | ({"with": dict(group.common)} if group.common else {})
        yield form | ({} if group.on is None else {"on": group.on})
