"""Figures of orphan modules, drawn by the server: places and texts for an SVG, no script."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

BOX_WIDTH: Final = 232
BOX_HEIGHT: Final = 40
GAP: Final = 10
LANE: Final = 312
PAD: Final = 6
MOST: Final = 10
"""Modules drawn on one side; the table has all."""

NAME_CHARS: Final = 30
Box = dict[str, Any]


def neighbourhood_figure(panel: Mapping[str, Any]) -> dict[str, Any]:
    """Return boxes and arrows of a module's neighbourhood: importers left, imported right, twin below.

    `panel` is `orphans.panels.neighbourhood`; its first node is the module itself.
    """
    nodes = {node["path"]: node for node in panel["nodes"]}
    path = panel["nodes"][0]["path"]
    left = [parent for parent, child in panel["edges"] if child == path and parent != path]
    right = [child for parent, child in panel["edges"] if parent == path and child != path]
    height = _height(left, right, has_twin=panel["twin"] is not None)
    centre = _box(nodes[path], LANE, (height - BOX_HEIGHT) / 2, "self")
    lanes = [*_lane(nodes, left, 0, height, "parent"), *_lane(nodes, right, 2 * LANE, height, "child")]
    arrows = [_arrow(box, centre) if box["role"] == "parent" else _arrow(centre, box) for box in lanes]
    boxes = [centre, *lanes]
    if panel["twin"] is not None:
        boxes.append(_box(nodes[panel["twin"]], LANE, height - BOX_HEIGHT - PAD, "twin"))
    return {
        "width": 2 * LANE + BOX_WIDTH + 2 * PAD,
        "height": height,
        "boxes": boxes,
        "arrows": arrows,
        "twin": boxes[-1] if panel["twin"] is not None else None,
        "centre": centre,
        "hidden": max(0, len(left) - MOST) + max(0, len(right) - MOST),
        "label": f"{path}: imported by {len(left)}, leads to {len(right)} modules of its island",
    }


def _height(left: Sequence[str], right: Sequence[str], *, has_twin: bool) -> int:
    rows = min(MOST, max(len(left), len(right), 1))
    tall = rows * (BOX_HEIGHT + GAP) - GAP + 2 * PAD
    return max(tall, 3 * BOX_HEIGHT + 4 * GAP + 2 * PAD) if has_twin else tall


def _lane(
    nodes: Mapping[str, Mapping[str, Any]], paths: Sequence[str], x: int, height: int, role: str
) -> list[Box]:
    drawn = paths[:MOST]
    top = (height - len(drawn) * (BOX_HEIGHT + GAP) + GAP) / 2
    return [_box(nodes[path], x, top + row * (BOX_HEIGHT + GAP), role) for row, path in enumerate(drawn)]


def _box(node: Mapping[str, Any], x: int, y: float, role: str) -> Box:
    folder, _, name = node["path"].rpartition("/")
    return {
        **node,
        "role": role,
        "x": x + PAD,
        "y": round(y),
        "width": BOX_WIDTH,
        "height": BOX_HEIGHT,
        "text_x": x + PAD + 10,
        "name_y": round(y) + 17,
        "note_y": round(y) + 32,
        "name": shortened(name),
        "note": shortened(folder or "."),
    }


def shortened(text: str) -> str:
    """Return a text that fits a box; its beginning is left out, since names differ at their ends."""
    return text if len(text) <= NAME_CHARS else f"…{text[1 - NAME_CHARS :]}"


def _arrow(one: Box, other: Box) -> dict[str, float]:
    return {
        "x1": one["x"] + BOX_WIDTH,
        "y1": one["y"] + BOX_HEIGHT // 2,
        "x2": other["x"] - 4,
        "y2": other["y"] + BOX_HEIGHT // 2,
    }
