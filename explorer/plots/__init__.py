"""Pictures as data first: the scene of a graph, charts as records, and three ways of writing them down.

`scene_of` places a space (and one architecture of it), `svg`, `dot` and `figures` draw, `charts` says what
a chart states before anything is drawn. Nothing here imports Streamlit, torch or nni; plotly is imported
when a figure is made.
"""

from explorer.plots.build import scene_of
from explorer.plots.scene import Option, Scene, SceneEdge, SceneNode

__all__ = ["Option", "Scene", "SceneEdge", "SceneNode", "scene_of"]
