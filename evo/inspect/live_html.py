"""The markup of a page's living parts, filled and moved by its scripts; without scripts they do not show."""

from __future__ import annotations

from collections.abc import Sequence

from evo.inspect.live import Live

RATES = (10, 25, 50, 100, 200, 500)
"""Steps per second that an episode can be watched at."""
RATE = 100


def stage(live: Live) -> str:
    """Return the section in which the problem is watched."""
    inside = _pictures() if live.kind == "pictures" else _episode()
    return f'<section class="stage scripted">\n{inside}\n</section>'


def ruler(weights: Sequence[float], place: int) -> str:
    """Return the slider of the shared weight, to stand on the chart whose horizontal scale it shares."""
    step = (weights[-1] - weights[0]) / max(1, len(weights) - 1)
    return (
        '<div class="line scripted"><label for="weight">Shared weight</label>'
        f'<output id="weight-shown" for="weight">{weights[place]:g}</output></div>\n'
        f'<div class="ruler scripted"><input type="range" id="weight" min="{weights[0]:g}" max="{weights[-1]:g}" '
        f'step="{step:.6g}" value="{weights[place]:g}"></div>\n'
    )


def surgery(shared: bool) -> str:
    """Return what the living network's colours mean, and the button that mends what was cut."""
    colour = "" if shared else ", its colour is its weight's sign"
    return (
        '<div class="surgery scripted"><p>Nodes fill with what they put out now, <b class="plus">positive</b> or '
        f'<b class="minus">negative</b>; a connection is as strong as what it carries{colour}. Click one to cut it, '
        'again to mend it (or Tab, arrows, Enter).</p><button type="button" id="mend" disabled>Mend all</button></div>'
    )


def _episode() -> str:
    rates = "".join(f'<option value="{rate}"{" selected" * (rate == RATE)}>{rate} steps/s</option>' for rate in RATES)
    return (
        f'<div class="line"><h2>Watch it</h2>{_chooser("start")}</div>\n'
        '<svg id="scene" viewBox="0 0 640 330" role="img" aria-label="The problem, simulated"></svg>\n'
        '<div class="bar"><button type="button" id="play" class="main">Play</button>'
        '<button type="button" id="step">Step</button><button type="button" id="restart">Restart</button>'
        f'<select id="rate" aria-label="Speed">{rates}</select></div>\n'
        '<dl class="scores">'
        '<div class="now"><dt>Live score, in this page</dt><dd><output id="score">0</output></dd>'
        '<dd class="soft" id="clock">step 0</dd></div>'
        '<div><dt>Live, when it ends</dt><dd id="total">…</dd><dd class="soft" id="length"></dd></div>'
        '<div><dt>Recorded score</dt><dd id="recorded">…</dd><dd class="soft" id="kernel"></dd></div></dl>'
    )


def _pictures() -> str:
    return (
        f'<div class="line"><h2>Watch it</h2>{_chooser("picture")}</div>\n'
        '<div class="picture"><canvas id="picture" role="img" aria-label="The picture"></canvas>'
        '<ol id="bars" aria-label="Probability of each class"></ol></div>\n'
        '<p class="verdict"><strong id="verdict" role="status"></strong></p>\n<p id="right"></p>\n'
        '<div id="pictures" class="thumbnails" role="group" aria-label="All pictures"></div>'
    )


def _chooser(what: str) -> str:
    return (
        f'<span class="chooser"><button type="button" id="previous" aria-label="Previous {what}">&lsaquo;</button>'
        f'<span id="start">{what} 1</span>'
        f'<button type="button" id="next" aria-label="Next {what}">&rsaquo;</button></span>'
    )
