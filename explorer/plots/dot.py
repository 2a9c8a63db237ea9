"""A scene as DOT text, for download; names are quoted and escaped by the graphviz package."""

from __future__ import annotations

from explorer.plots import looks
from explorer.plots.scene import Scene, SceneEdge, SceneNode


def dot(scene: Scene) -> str:
    """DOT source of the scene; unchosen skips are left out of the layout's constraints and drawn dashed."""
    import graphviz

    graph = graphviz.Digraph(comment=_line(scene.title))
    graph.attr("node", shape="box", style="rounded", fontname="sans-serif")
    graph.attr("edge", fontname="sans-serif")
    numbers = {node.id: f"n{at}" for at, node in enumerate(scene.nodes) if node.kind != "sum"}
    for node in scene.nodes:
        if node.kind != "sum":
            graph.node(
                numbers[node.id], graphviz.escape(_node_label(node)), color=looks.look(node.operation).color
            )
    for edge in scene.edges:
        words = graphviz.escape(_edge_label(edge))
        graph.edge(numbers[edge.source], numbers[edge.target], words, **_edge_look(edge))
    return str(graph.source)


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
