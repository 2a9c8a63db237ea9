"""A scene as DOT text, for download; names are quoted and escaped by the graphviz package."""

from __future__ import annotations

from typing import Any

from explorer.plots import looks
from explorer.plots.scene import Scene, SceneEdge, SceneNode


def dot(scene: Scene) -> str:
    """DOT source of the scene; skips are left out of the layout's constraints, what is not chosen is drawn dotted.

    Nodes below a title (the cells of a DARTS space) make a cluster of that name.
    """
    import graphviz

    graph = graphviz.Digraph(comment=_line(scene.title))
    graph.attr("node", shape="box", style="rounded", fontname="sans-serif")
    graph.attr("edge", fontname="sans-serif")
    drawn = [node for node in scene.nodes if node.kind not in ("sum", "title")]
    numbers = {node.id: f"n{at}" for at, node in enumerate(scene.nodes)}
    groups = {node.id.rpartition("/")[0]: node for node in scene.nodes if node.kind == "title"}
    for node in drawn:
        if node.id.rpartition("/")[0] not in groups:
            _node(graph, numbers[node.id], node)
    for at, (group, title) in enumerate(groups.items()):
        with graph.subgraph(name=f"cluster_{at}") as part:
            part.attr(label=graphviz.escape(f"{title.name} ({title.detail})"), fontname="sans-serif")
            for node in drawn:
                if node.id.rpartition("/")[0] == group:
                    _node(part, numbers[node.id], node)
    for edge in scene.edges:
        words = graphviz.escape(_edge_label(edge))
        graph.edge(numbers[edge.source], numbers[edge.target], words, **_edge_look(edge))
    return str(graph.source)


def _node(graph: Any, name: str, node: SceneNode) -> None:
    import graphviz

    graph.node(name, graphviz.escape(_node_label(node)), color=looks.look(node.operation).color)


def _line(words: str) -> str:
    """One line: a comment must not end early."""
    return " ".join(words.split())


def _node_label(node: SceneNode) -> str:
    options = " | ".join(option.name for option in node.options if option.state in ("open", "chosen"))
    return "  ".join(part for part in (node.name, options or node.detail, node.shape) if part)


def _edge_label(edge: SceneEdge) -> str:
    open_options = " | ".join(
        looks.look(option.operation).short for option in edge.options if option.state == "open"
    )
    return edge.label or open_options


def _edge_look(edge: SceneEdge) -> dict[str, str]:
    if edge.kind == "flow":
        return {}
    style = {"chosen": "bold", "open": "dashed"}.get(edge.state, "dotted")
    color = looks.look(edge.operation).color
    return {"style": style, "color": color, "fontcolor": color} | (
        {"constraint": "false"} if edge.kind == "skip" else {}
    )
