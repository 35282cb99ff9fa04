"""The figure of a module's neighbourhood: every box inside, none over another."""

from itertools import combinations
from typing import Any

import pytest

from orphans.charts import BOX_HEIGHT, BOX_WIDTH, MOST, neighbourhood_figure, shortened


def panel(parents: int, children: int, *, twin: bool = False) -> dict[str, Any]:
    left = [f"pkg/p{number}.py" for number in range(parents)]
    right = [f"pkg/c{number}.py" for number in range(children)]
    paths = ["pkg/me.py", *left, *right, *(["live/twin.py"] if twin else [])]
    nodes = [{"path": path, "id": None, "classification": None, "state": None} for path in paths]
    edges = [(path, "pkg/me.py") for path in left] + [("pkg/me.py", path) for path in right]
    return {"nodes": nodes, "edges": edges, "twin": "live/twin.py" if twin else None, "similarity": None}


@pytest.mark.parametrize("twin", [False, True])
@pytest.mark.parametrize(("parents", "children"), [(0, 0), (1, 0), (0, 3), (2, 9), (40, 25)])
def test_boxes_lie_inside_and_apart(parents: int, children: int, twin: bool) -> None:
    figure = neighbourhood_figure(panel(parents, children, twin=twin))
    for box in figure["boxes"]:
        assert 0 <= box["x"] <= figure["width"] - BOX_WIDTH
        assert 0 <= box["y"] <= figure["height"] - BOX_HEIGHT
    for one, other in combinations(figure["boxes"], 2):
        assert one["x"] != other["x"] or abs(one["y"] - other["y"]) >= BOX_HEIGHT, (
            one["path"],
            other["path"],
        )


def test_arrows_go_from_importer_to_imported() -> None:
    figure = neighbourhood_figure(panel(1, 1))
    into, out = figure["arrows"]
    assert into["x2"] < figure["centre"]["x"] < out["x1"]
    assert figure["label"] == "pkg/me.py: imported by 1, leads to 1 modules of its island"


def test_what_does_not_fit_is_counted() -> None:
    figure = neighbourhood_figure(panel(MOST + 3, MOST + 1))
    assert figure["hidden"] == 4
    assert len(figure["boxes"]) == 1 + 2 * MOST


def test_a_module_that_imports_itself_is_drawn_once() -> None:
    data = panel(0, 1)
    data["edges"].append(("pkg/me.py", "pkg/me.py"))
    boxes = [box["path"] for box in neighbourhood_figure(data)["boxes"]]
    assert sorted(boxes) == ["pkg/c0.py", "pkg/me.py"]


def test_a_long_name_keeps_its_end() -> None:
    assert shortened("a" * 40 + "_v2.py").endswith("_v2.py")
    assert shortened("short.py") == "short.py"
