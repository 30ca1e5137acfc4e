"""An HTML document in one file that opens anywhere, from disk, without a network, and runs nothing but its own script.

A content security policy names the style and the script by their digests: markup that got in where text was meant is
shown, never run, and nothing is ever requested. Data goes in as JSON, in an element of its own.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from evo.inspect.text import escape


def document(title: str, body: Sequence[str], styles: Sequence[str], scripts: Sequence[str], data: Any = None) -> str:
    """Return the document; the same for the same arguments, byte for byte.

    Args:
        title: of the window.
        body: markup, in which everything that is not ours is escaped.
        styles: style sheets that the markup holds; the first goes into the head.
        scripts: are joined into one script, after the body.
        data: plain JSON for the script, in the element `data`; None for none.
    """
    script = '"use strict";\n' + "\n".join(scripts)
    block = f'<script type="application/json" id="data">{json_block(data)}</script>\n' if data is not None else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(styles, script)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{styles[0]}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + f"\n</main>\n{block}<script>{script}</script>\n</body>\n</html>\n"
    )


@cache
def part(name: str) -> str:
    """Return the text of a style sheet or script beside this file."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def json_block(data: Any) -> str:
    """Return plain data as JSON that stays inside its element, whatever its texts spell."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))  # line separators are beyond ASCII: escaped too
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _policy(styles: Sequence[str], script: str) -> str:
    return (
        f"default-src 'none'; script-src {_digest(script)}; style-src {' '.join(map(_digest, styles))}; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
