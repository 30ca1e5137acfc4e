"""What all figures share: an SVG document that stands alone, in light and dark, on a page, in a README or in print."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from evo.inspect.text import escape

LETTER = 6.7
"""Mean width of a letter in the figures' font; no library measures text here."""


@cache
def style() -> str:
    """Return the style sheet that every figure carries."""
    return Path(__file__).with_name("figure.css").read_text(encoding="utf-8")


def figure(left: float, top: float, width: float, height: float, title: str, body: str, styled: bool = True) -> str:
    """Return an SVG document of the region given, on a ground of its own, so that it can be read on any page.

    Without its style sheet it needs another figure on the same page that has it.
    """
    box = f"{left:.0f} {top:.0f} {width:.0f} {height:.0f}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="evo" viewBox="{box}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img" aria-label="{escape(title)}">\n'
        + (f"<style>{style()}</style>\n" if styled else "")
        + f'<rect class="ground" x="{left:.0f}" y="{top:.0f}" width="{width:.0f}" height="{height:.0f}" rx="10"/>\n'
        f"{body}\n</svg>\n"
    )


def label(x: float, y: float, text: object, kind: str = "", longest: int = 40) -> str:
    """Return a line of text; `kind` names its classes in the style sheet."""
    name = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{name}>{escape(text, longest)}</text>'
