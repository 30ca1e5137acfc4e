"""A chart with its sentence: what a problem has to show of an individual, besides scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from evo.inspect.curves import Line, curve_svg


@final
@dataclass(frozen=True)
class Chart:
    """Lines over one scale, and what they say.

    Attributes:
        title: what is shown.
        said: one or two sentences about it.
        x_title, y_title: what the scales mean.
        lines: drawn in this order.
    """

    title: str
    said: str
    x_title: str
    y_title: str
    lines: tuple[Line, ...]

    def svg(self) -> str:
        """Return it as an SVG document."""
        return curve_svg(self.lines, self.x_title, self.y_title, self.title)
