"""The scene of a search space, and of one of its architectures, by the space's family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from explorer.errors import SpaceError
from explorer.plots.cell_scene import cell_scene
from explorer.plots.darts_scene import darts_scene
from explorer.plots.macro_scene import macro_scene
from explorer.plots.scene import Scene
from explorer.space import SearchSpace

BUILDERS: Mapping[str, Callable[..., Scene]] = {
    "macro": macro_scene,
    "cell": cell_scene,
    "darts": darts_scene,
}


def scene_of(
    space: SearchSpace, architecture: Mapping[str, Any] | None = None, within: SearchSpace | None = None
) -> Scene:
    """The drawing of `space`; with an architecture, of its choices.

    `within` is the space after restrictions: what it lacks is drawn as off, and `architecture` is one of
    its own. The places are those of `space` in every case. Raises SpaceError for an architecture of another
    space.
    """
    builder = BUILDERS.get(space.family)
    if builder is None:
        raise SpaceError(
            f"Spaces of the family {space.family!r} cannot be drawn; pick {' or '.join(BUILDERS)}."
        )
    allowed = within or space
    return builder(space, None if architecture is None else allowed.architecture(architecture), allowed)
