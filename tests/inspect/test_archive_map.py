"""The picture of a map of elites: every filled cell once, at its place, in its colour, with real ranges."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

from evo.inspect.archive_map import HEIGHT, LEFT, TOP, WIDTH, colour, map_svg

HOSTILE = "<img src=x onerror=p()>"
SVG = "{http://www.w3.org/2000/svg}"


def elite(cell: list[int], score: float, *features: float) -> dict[str, Any]:
    return {"cell": cell, "features": list(features), "fitness": [score], "uid": 1, "genes": {}}


MAP = {
    "format": "evo.map/1",
    "features": [
        {"name": "connections", "low": 0.0, "high": 40.0, "cells": 20},
        {"name": "depth", "low": 0.0, "high": 10.0, "cells": 5},
    ],
    "objectives": [{"name": "reward", "maximize": True}],
    "elites": [elite([0, 0], 10.0, 1.0, 0.0), elite([19, 4], 30.0, 55.0, 9.0), elite([7, 2], 20.0, 14.0, 5.0)],
}


def drawn(svg: str) -> dict[str, Any]:
    return {one.get("data-cell", ""): one for one in ElementTree.fromstring(svg).iter() if "data-cell" in one.attrib}


def words(svg: str) -> list[str]:
    return [one.text or "" for one in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_every_filled_cell_is_drawn_at_its_place() -> None:
    cells = drawn(map_svg(MAP))
    assert sorted(cells) == ["0,0", "19,4", "7,2"]
    low, high = cells["0,0"], cells["19,4"]
    assert (float(low.get("x")), float(low.get("y"))) == (LEFT, TOP + HEIGHT * 4 / 5)
    assert float(high.get("x")) + float(high.get("width")) == pytest.approx(LEFT + WIDTH)
    assert float(high.get("y")) == TOP
    assert float(cells["7,2"].get("width")) == WIDTH / 20


def test_colours_and_tooltips_tell_fitness() -> None:
    cells = drawn(map_svg(MAP))
    assert [cells[name].get("fill") for name in ("0,0", "7,2", "19,4")] == ["#440154", "#21918c", "#fde725"]
    assert cells["19,4"].find(f"{SVG}title").text == "reward 30, connections 55, depth 9"
    less = {**MAP, "objectives": [{"name": "error", "maximize": False}]}
    assert [drawn(map_svg(less))[name].get("fill") for name in ("0,0", "19,4")] == ["#fde725", "#440154"]
    assert colour(0.5) == "#21918c"


def test_axes_have_the_real_ranges_and_the_legend_the_scores() -> None:
    told = words(map_svg(MAP))
    assert {"connections", "depth", "0", "40", "10", "20", "30", "reward of the best of each cell"} <= set(told)


def test_one_feature_is_a_row_and_of_three_the_best_is_seen() -> None:
    row = {**MAP, "features": MAP["features"][:1], "elites": [elite([3], 1.0, 6.0), elite([4], 2.0, 8.0)]}
    cells = drawn(map_svg(row))
    assert sorted(cells) == ["3,0", "4,0"]
    assert float(cells["3,0"].get("height")) == HEIGHT
    third = {"name": "hidden", "low": 0.0, "high": 2.0, "cells": 2}
    elites = [elite([3, 1, 0], 5.0, 6.0, 3.0, 0.0), elite([3, 1, 1], 7.0, 6.0, 3.0, 1.0), elite([3, 1, 0], 6.0)]
    deep = {**MAP, "features": [*MAP["features"], third], "elites": elites}
    assert drawn(map_svg(deep))["3,1"].find(f"{SVG}title").text == "reward 7, connections 6, depth 3, hidden 1"
    less = {**deep, "objectives": [{"name": "error", "maximize": False}]}
    assert drawn(map_svg(less))["3,1"].find(f"{SVG}title").text.startswith("error 5,")


@pytest.mark.parametrize("elites", [[], [elite([2, 2], 4.0, 4.0, 5.0)]])
def test_empty_maps_and_equal_scores_are_drawn(elites: list[Any]) -> None:
    svg = map_svg({**MAP, "elites": elites})
    assert len(drawn(svg)) == len(elites)
    assert ("no cell is filled" in svg) == (not elites)


def test_the_same_map_gives_the_same_bytes() -> None:
    assert map_svg(MAP) == map_svg(MAP)


def test_what_a_stranger_wrote_is_inert() -> None:
    odd = [elite([2, 2], math.nan), elite([90, -1], 1.0), elite([1, 1], 2.0, math.inf, 3.0), elite([1], 3.0)]
    features = [{**feature, "name": HOSTILE} for feature in MAP["features"]]
    named = {**MAP, "features": features, "objectives": [{"name": HOSTILE, "maximize": True}], "elites": odd}
    svg = map_svg(named, title=HOSTILE)
    root = ElementTree.fromstring(svg)
    assert root.find(".//{*}img") is None
    assert sorted(drawn(svg)) == ["1,1"]
    for one in root.iter():
        for name in ("x", "y", "width", "height", "d"):
            assert not re.search("nan|inf", one.get(name, ""))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": "evo.map/2"}, "not of the format"),
        ({"features": []}, "no features"),
        ({"features": [{"name": "a", "low": 1.0, "high": 1.0, "cells": 3}]}, "low < high"),
        ({"features": [{"name": "a", "low": 0.0, "high": 1.0, "cells": 10**9}]}, "1 to 1000 cells"),
        ({"objectives": []}, "described wrongly"),
        ({"elites": [{"cell": [0, 0]}]}, "described wrongly"),
        ({"elites": 3}, "described wrongly"),
    ],
)
def test_what_is_no_map_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        map_svg({**MAP, **changes})
