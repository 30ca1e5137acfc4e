import math
import re
import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import pytest

from evo.inspect.heat_map import FAINTEST, heat_map_svg

SVG = "{http://www.w3.org/2000/svg}"


def cells(svg: str) -> dict[str, ElementTree.Element]:
    found = {}
    for element in ElementTree.fromstring(svg).iter(f"{SVG}rect"):
        title = element.find(f"{SVG}title")
        if title is not None:
            found[title.text or ""] = element
    return found


def test_every_number_has_a_cell_whose_colour_grows_with_it() -> None:
    svg = heat_map_svg([[1.0, 2.0], [3.0, 5.0]], ["a", "b"], ["top", "bottom"], "letter", "place", "Numbers")
    found = cells(svg)
    shades = [
        float(found[f"letter {x}, place {y}: {value}"].attrib["fill-opacity"])
        for x, y, value in (("a", "top", 1), ("b", "top", 2), ("a", "bottom", 3), ("b", "bottom", 5))
    ]
    assert shades == pytest.approx([FAINTEST + (1 - FAINTEST) * share for share in (0, 0.25, 0.5, 1)], abs=1e-3)
    first, last = found["letter a, place top: 1"].attrib, found["letter b, place bottom: 5"].attrib
    assert float(first["x"]) < float(last["x"])
    assert float(first["y"]) < float(last["y"])
    texts = [element.text for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]
    assert {"Numbers", "a", "b", "top", "bottom", "letter", "place", "5"} <= set(texts)


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf])
def test_what_is_no_number_is_left_empty(nothing: float | None) -> None:
    found = cells(heat_map_svg([[nothing, 2.0, 4.0]], [1, 2, 3], ["r"], "x", "y", "t"))
    assert found["x 1, y r: none"].attrib["class"] == "ground"
    assert "fill-opacity" not in found["x 1, y r: none"].attrib
    assert float(found["x 2, y r: 2"].attrib["fill-opacity"]) == pytest.approx(FAINTEST)


@pytest.mark.parametrize("values", [[], [[None]], [[7.0]], [[1e308, -1e308]], [[1e-320, 0.0]], [[3.0] * 500]])
def test_any_matrix_can_be_drawn(values: list[list[float | None]]) -> None:
    wide = len(values[0]) if values else 0
    svg = heat_map_svg(values, range(wide), range(len(values)), "x", "y", "t")
    assert len(cells(svg)) == wide * len(values)
    assert "nan" not in svg
    assert "inf" not in svg


def test_labels_of_many_columns_do_not_overlap() -> None:
    svg = heat_map_svg([[0.0] * 200], [f"{n / 100:.2f}" for n in range(200)], ["r"], "x", "y", "t")
    places = sorted(float(x) for x in re.findall(r'<text x="([\d.]+)" y="[\d.]+" class="soft middle">\d\.\d\d<', svg))
    assert len(places) > 5
    assert min(b - a for a, b in pairwise(places)) > 4 * 6.7


def test_labels_are_inert() -> None:
    hostile = "<script>x()</script>"
    svg = heat_map_svg([[1.0]], [hostile], [hostile], hostile, hostile, hostile)
    assert "<script" not in svg
    ElementTree.fromstring(svg)


def test_shapes_that_do_not_agree_are_refused() -> None:
    with pytest.raises(ValueError, match="wrong way round"):
        heat_map_svg([[1.0, 2.0]], ["a"], ["r"], "x", "y", "t")
    with pytest.raises(ValueError, match="expected 2 rows"):
        heat_map_svg([[1.0]], ["a"], ["r", "s"], "x", "y", "t")


def test_numbers_stand_in_cells_and_ends_say_what_is_full() -> None:
    svg = heat_map_svg([[0.25, 1.0], [None, 0.5]], [1, 2], [1, 2], "x", "y", "t", numbers=True, ends=(0.0, 1.0))
    written = [
        (element.text, element.get("class"))
        for element in ElementTree.fromstring(svg).iter(f"{SVG}text")
        if element.get("class") in ("middle", "middle ground")
    ]
    assert written == [("0.25", "middle"), ("1", "middle ground"), ("0.5", "middle")]
    shade = float(cells(svg)["x 1, y 1: 0.25"].attrib["fill-opacity"])
    assert shade == pytest.approx(FAINTEST + (1 - FAINTEST) * 0.25, abs=1e-3)
