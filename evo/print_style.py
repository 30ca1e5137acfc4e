"""How printed figures look: small letters, thin lines, the pages' colours."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#2b6cb8", "#d9622b", "#1f9077", "#7656c4", "#b9821b", "#7a8491")
"""Those of the pages (`evo/inspect/figure.css`)."""
DASHES: tuple[Any, ...] = ("-", (0, (4, 1.6)), (0, (1, 1.2)), (0, (5, 1.4, 1, 1.4)))
"""After all colours, they come again with the next."""
INK, SOFT = "#1c2229", "#57606a"
MILLIMETRE = 1 / 25.4
LETTERS = 7.0
"""Points; Nature asks for 5 to 7."""
DOTS = 300
"""Per inch."""
CAPTION = 9.0
"""Room for a caption, in millimetres."""


def style() -> Any:
    """Return what matplotlib is to do differently while a figure is made."""
    return {
        "font.size": LETTERS,
        "axes.labelsize": LETTERS,
        "xtick.labelsize": LETTERS - 0.5,
        "ytick.labelsize": LETTERS - 0.5,
        "legend.fontsize": LETTERS - 0.5,
        "axes.linewidth": 0.5,
        "lines.linewidth": 1.0,
        "xtick.major.width": 0.5,
        "ytick.major.width": 0.5,
        "xtick.major.size": 2.5,
        "ytick.major.size": 2.5,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "svg.hashsalt": "evo",
        "pdf.fonttype": 42,  # letters stay letters
    }


def styled() -> Any:
    """Return the context in which a figure is made with this style; it is restored at once."""
    import matplotlib

    return matplotlib.rc_context(rc=style())  # restored at once


def caption_below(drawn: Figure, caption: str, width: float) -> None:
    """Write a caption below a figure so wide, in millimetres."""
    text = "\n".join(textwrap.wrap(caption, int((width - 4.0) / 1.05)))
    drawn.text(0.5, 0.005, text, ha="center", va="bottom", fontsize=LETTERS - 1.5, color=SOFT)


def shades() -> Any:
    """Return the colours of shares, from none to all."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("share", ["#ffffff", COLOURS[0]])
