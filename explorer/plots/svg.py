"""A scene as self-contained SVG text that reads on light and on dark.

Lines and words use `currentColor`, so the page around decides; operations keep their colour and show their
glyph. All text is escaped and drawn as text; there are no scripts, links, styles or outside references.
"""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from explorer.plots import looks
from explorer.plots.darts_scene import INPUT_WORDS
from explorer.plots.macro_scene import LINE, chip_places
from explorer.plots.scene import Option, Point, Scene, SceneEdge, SceneNode

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
FADED = {"off": 0.28, "unchosen": 0.5}
GLYPH = 15.0  # side of the small square that stands for one operation on an edge
SMALL, MANY = 10.5, 6  # its side where there are more operations than that
ABOVE = ("cell's input", *INPUT_WORDS)  # words that stand above their node
# Words over lines: an outline in the page's colour (dropped where a browser does not know the function).
OUTLINE = 'paint-order="stroke" stroke="light-dark(#ffffff,#0e1117)" stroke-width="3" stroke-linejoin="round"'
STANDALONE = (
    "<style>svg{color-scheme:light dark;color:#1f2328;background:#fff}"
    "@media(prefers-color-scheme:dark){svg{color:#e6edf3;background:#0e1117}}</style>"
)


def svg(scene: Scene, standalone: bool = False) -> str:
    """The drawing as one SVG element; `standalone` adds colours of its own, for a file."""
    body = "".join(
        [
            f"<title>{escape(scene.title)}</title><desc>{escape(scene.alt)}</desc>",
            STANDALONE if standalone else "",
            *(_edge(edge) for edge in sorted(scene.edges, key=lambda edge: edge.state not in FADED)),
            *(_edge_label(edge) for edge in scene.edges),
            *(_node(node) for node in scene.nodes),
        ]
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label={quoteattr(scene.alt)} '
        f'viewBox="0 0 {scene.width:.0f} {scene.height:.0f}" width="{scene.width:.0f}" '
        f'style="max-width:100%;height:auto;display:block" '
        f'font-family="{FONT}" fill="currentColor">{body}</svg>'
    )


def legend(scene: Scene) -> str:
    """The scene's operations as a line of plain HTML: glyph in its colour, then the name."""
    entries = (
        '<span style="display:inline-flex;align-items:center;gap:.35rem;margin:0 .9rem .3rem 0;white-space:nowrap">'
        '<span aria-hidden="true" style="width:16px;height:16px;border-radius:4px;text-align:center;color:#fff;'
        f'font:700 10px/16px sans-serif;background:{looks.look(name).color}">{escape(looks.look(name).glyph)}</span>'
        f"{escape(looks.label(name))}</span>"
        for name in scene.operations
    )
    return f'<div style="font-size:.8rem">{"".join(entries)}</div>'


def text(at: Point, words: str, size: float = 11, anchor: str = "start", more: str = "") -> str:
    """One escaped line of text, its middle at `at`'s height."""
    return (
        f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" font-size="{size}" text-anchor="{anchor}" '
        f'dominant-baseline="central" {more}>{escape(words)}</text>'
    )


def shorten(words: str, longest: int) -> str:
    """`words`, cut with an ellipsis where they would not fit."""
    return words if len(words) <= longest else words[: max(1, longest - 1)] + "…"


# -- nodes ------------------------------------------------------------------------------------------


def _node(node: SceneNode) -> str:
    drawn = {"sum": _disc, "node": _disc, "stage": _stage, "title": _title}.get(node.kind, _layer)(node)
    tip = " · ".join(part for part in (node.name, node.detail, node.shape) if part)
    fade = f' opacity="{FADED[node.state]}"' if node.state in FADED else ""
    return f"<g{fade}>{'' if node.kind == 'sum' else f'<title>{escape(tip)}</title>'}{drawn}</g>"


def _box(node: SceneNode, stroke: str, radius: float = 6) -> str:
    return (
        f'<rect x="{node.x:.1f}" y="{node.y:.1f}" width="{node.width:.1f}" height="{node.height:.1f}" '
        f'rx="{radius}" {stroke}/>'
    )


def _layer(node: SceneNode) -> str:
    color = looks.look(node.operation).color
    choice = node.kind == "choice"
    faint = 'fill="currentColor" fill-opacity=".035" stroke="currentColor" stroke-opacity=".22"'
    strong = (
        'fill="currentColor" fill-opacity=".05" stroke="currentColor" stroke-opacity=".65" stroke-width="1.4"'
    )
    middle, right = node.y + LINE / 2, node.x + node.width
    parts = [_box(node, strong if choice else faint)]
    if node.operation:
        parts.append(
            f'<rect x="{node.x:.1f}" y="{node.y + 4:.1f}" width="4" height="{node.height - 8:.1f}" rx="2" '
            f'fill="{color}"/>'
        )
    bold = 'font-weight="650"' if choice else 'font-weight="550"'
    parts.append(text((node.x + 12, middle), shorten(node.name, 14), 12, more=bold))
    parts.append(text((node.x + 104, middle), shorten(node.detail, 19), 11, more='opacity=".75"'))
    parts.append(text((right - 10, middle), shorten(node.shape, 13), 11, "end", 'opacity=".9"'))
    parts += (_chip(*place) for place in chip_places(node))
    return "".join(parts)


def _chip(option: Option, x: float, y: float, width: float) -> str:
    color = looks.look(option.operation).color
    solid = option.state == "chosen"
    fill = f'fill="{color}"' if solid else f'fill="{color}" fill-opacity=".12"'
    dash = 'stroke-dasharray="3 3"' if option.state == "off" else ""
    ink = 'fill="#fff" font-weight="650"' if solid else ""
    strike = 'text-decoration="line-through"' if option.state == "off" else ""
    return (
        f'<g opacity="{FADED.get(option.state, 1)}"><title>{escape(option.name)}: {option.state}</title>'
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="20" rx="10" {fill} '
        f'stroke="{color}" stroke-width="1.2" {dash}/>'
        f"{text((x + width / 2, y + 10.5), shorten(option.name, 24), 11, 'middle', f'{ink} {strike}')}</g>"
    )


def _disc(node: SceneNode) -> str:
    (x, y), radius = node.centre, node.width / 2
    if node.kind == "sum":
        color = looks.look("add").color
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{color}"/>' + text(
            (x, y), "+", 13, "middle", 'fill="#fff" font-weight="700" aria-hidden="true"'
        )
    ring = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="currentColor" fill-opacity=".08" '
        'stroke="currentColor" stroke-opacity=".65" stroke-width="1.4"/>'
    )
    side = y - radius - 10 if node.detail in ABOVE else y + radius + 10
    return (
        ring
        + text((x, y), node.name, 13, "middle", 'font-weight="650"')
        + text((x, side), node.detail, 11, "middle", 'opacity=".75"')
    )


def _title(node: SceneNode) -> str:
    y = node.centre[1]
    return text((node.x, y), node.name, 13, more='font-weight="650"') + text(
        (node.x + 8.2 * len(node.name), y), node.detail, 11, more='opacity=".75"'
    )


def _stage(node: SceneNode) -> str:
    color = looks.look("conv2d").color
    cell = node.operation == "cell"
    look = (
        f'fill="{color}" fill-opacity=".16" stroke="{color}" stroke-width="1.4"'
        if cell
        else 'fill="currentColor" fill-opacity=".035" stroke="currentColor" stroke-opacity=".25"'
    )
    _, y = node.centre
    return (
        _box(node, look)
        + text((node.x + 9, y), shorten(node.name, 10), 11, more='font-weight="600"')
        + text((node.x + node.width - 7, y), shorten(node.shape, 8), 10, "end", 'opacity=".75"')
    )


# -- edges ------------------------------------------------------------------------------------------


def _edge(edge: SceneEdge) -> str:
    draw = {"skip": _skip, "cell": _cell}.get(edge.kind, _flow)
    return draw(edge)


def _path(edge: SceneEdge, look: str) -> str:
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = edge.curve
    course = f"M{ax:.1f} {ay:.1f}C{bx:.1f} {by:.1f} {cx:.1f} {cy:.1f} {dx:.1f} {dy:.1f}"
    return f'<path d="{course}" fill="none" {look}/>'


def _flow(edge: SceneEdge) -> str:
    return _path(edge, 'stroke="currentColor" stroke-opacity=".45" stroke-width="1.4"')


def _skip(edge: SceneEdge) -> str:
    color = looks.look("add").color
    dash = {"open": "6 4", "off": "2 5", "unchosen": "2 4"}.get(edge.state, "")
    width = 3 if edge.state == "chosen" else 2
    return (
        f'<g opacity="{FADED.get(edge.state, 1)}"><title>{escape(edge.label)}: {edge.state}</title>'
        + _path(edge, f'stroke="{color}" stroke-width="{width}" stroke-dasharray="{dash}"')
        + "</g>"
    )


def _cell(edge: SceneEdge) -> str:
    look = looks.look(edge.operation)
    undecided = not edge.operation
    color = "currentColor" if undecided else look.color
    width = 1.4 if undecided or edge.operation == "none" else 3
    dash = "2 5" if edge.state == "off" else look.dash
    stroke = f'stroke="{color}" stroke-width="{width}" stroke-dasharray="{dash}"'
    if undecided:
        stroke += ' stroke-opacity=".4"'
    return _of_edge(edge, _path(edge, stroke) + _arrow(edge, color, ".6" if undecided else "1"))


def _edge_label(edge: SceneEdge) -> str:
    """What stands on an edge; drawn after all lines, so that none crosses it."""
    if edge.kind == "skip":
        words = shorten(f"{edge.label} {'off' if edge.state == 'off' else ''}".strip(), 10)
        look = f'font-weight="600" {OUTLINE} opacity="{FADED.get(edge.state, 1)}"'
        return text(edge.label_at, words, 11, more=look)
    if edge.kind != "cell" or edge.state == "unchosen":
        return ""
    pill = _glyphs(edge) if edge.state == "open" else _pill(edge, looks.look(edge.operation).color)
    return _of_edge(edge, pill)


def _of_edge(edge: SceneEdge, drawn: str) -> str:
    """Faint where the edge does not count; says on hover what it is."""
    faint = edge.state in ("off", "unchosen")
    opacity = FADED["off"] if faint else 0.75 if edge.operation == "none" else 1
    source, target = edge.source.rsplit("_", 1)[-1], edge.target.rsplit("_", 1)[-1]
    told = edge.label or ", ".join(option.name for option in edge.options if option.state == "open")
    title = f"<title>{source} to {target}: {escape(told or 'not kept')}</title>"
    return f'<g opacity="{opacity}">{title}{drawn}</g>'


def _arrow(edge: SceneEdge, color: str, opacity: str) -> str:
    """A small head at the curve's end, along its last stretch."""
    (cx, cy), (x, y) = edge.curve[2], edge.curve[3]
    if (cx, cy) == (x, y):
        (cx, cy) = edge.curve[0]
    length = max(1.0, ((x - cx) ** 2 + (y - cy) ** 2) ** 0.5)
    ux, uy = (x - cx) / length, (y - cy) / length
    left, right = (x - 8 * ux - 4 * uy, y - 8 * uy + 4 * ux), (x - 8 * ux + 4 * uy, y - 8 * uy - 4 * ux)
    points = " ".join(f"{px:.1f},{py:.1f}" for px, py in ((x + ux, y + uy), left, right))
    return f'<polygon points="{points}" fill="{color}" fill-opacity="{opacity}"/>'


def _pill(edge: SceneEdge, color: str) -> str:
    x, y = edge.label_at
    width = len(edge.label) * 6.2 + 14
    return (
        f'<rect x="{x - width / 2:.1f}" y="{y - 10:.1f}" width="{width:.1f}" height="20" rx="10" '
        f'fill="{color}"/>' + text((x, y), edge.label, 11, "middle", 'fill="#fff" font-weight="600"')
    )


def _glyphs(edge: SceneEdge) -> str:
    """One small square an operation that may still stand on the edge."""
    shown = edge.options
    side, gap = (GLYPH, 2.0) if len(shown) <= MANY else (SMALL, 1.0)
    x = edge.label_at[0] - len(shown) * (side + gap) / 2 + side / 2 + gap / 2
    squares = []
    for option in shown:
        squares.append(_glyph(option.operation, x, edge.label_at[1], FADED.get(option.state, 1), side))
        x += side + gap
    return "".join(squares)


def _glyph(operation: str, x: float, y: float, opacity: float = 1, side: float = GLYPH) -> str:
    seen = looks.look(operation)
    size = 10 if side == GLYPH else 8
    return (
        f'<g opacity="{opacity}"><rect x="{x - side / 2:.1f}" y="{y - side / 2:.1f}" '
        f'width="{side}" height="{side}" rx="{0.23 * side:.1f}" fill="{seen.color}"/>'
        + text((x, y + 0.5), seen.glyph, size, "middle", 'fill="#fff" font-weight="700"')
        + "</g>"
    )
