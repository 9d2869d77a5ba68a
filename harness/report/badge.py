"""A badge: the verdict and the numbers behind it in one line, as shields.io's endpoint wants it, and as an SVG of our own.

The verdict is a word beside its colour, and whoever cannot see the image has its title. The words are white on colours
against which they have a contrast of at least 4.5:1 (WCAG 2.2, 1.4.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from harness.report.document import seal
from harness.verdict import GREEN, Verdict
from harness.visible import visible

if TYPE_CHECKING:
    from harness.verdict import RunResult

LABEL = "parity"
_COLOURS = {Verdict.PASS: "#1a7f37", Verdict.FAIL: "#cf222e", Verdict.ERROR: "#8250df"}
_LABEL_COLOUR = "#444c56"
_HEIGHT = 20
_MARGIN = 6
_NARROW, _WIDE = frozenset("fijlrtI.,:;|!'()[]/ 1"), frozenset("mwMW%@")


@dataclass(frozen=True, slots=True)
class Badge:
    """What it says."""

    label: str
    message: str
    colour: str
    is_red: bool


def badge(run: RunResult, label: str = LABEL) -> Badge:
    """The badge of ``run``. One of a shard says so.

    Raises:
        DocumentError: two results for one case.
    """
    run = seal(run)
    totals, verdict = run.totals, run.verdict
    cases = f"{totals['cases']:,} case{'' if totals['cases'] == 1 else 's'}"
    red = sum(case.verdict not in GREEN for case in run.cases)
    if verdict is Verdict.PASS:
        told = f"{cases}, {_short(totals['splits'])} splits"
        if totals["mutants"]:
            told += f", {totals['mutants_caught']}/{totals['mutants']} mutants"
    else:
        told = f"{red:,} of {cases}" if red else "proves nothing" if run.problems else "all cases pass, the rest does not"
    shard = f"shard {run.shard}: " if run.shard else ""
    return Badge(visible(label), f"{shard}{verdict}: {told}", _COLOURS[verdict], verdict is not Verdict.PASS)


def endpoint(shown: Badge) -> dict[str, object]:
    """What shields.io's endpoint badge reads (schema version 1)."""
    return {
        "schemaVersion": 1,
        "label": shown.label,
        "message": shown.message,
        "color": shown.colour,
        "labelColor": _LABEL_COLOUR,
        "isError": shown.is_red,
    }


def svg(shown: Badge) -> str:
    """The badge as an image that needs no font, style sheet or network."""
    left, right = _width(shown.label), _width(shown.message)
    first, second = (left + 2 * _MARGIN if shown.label else 0), right + 2 * _MARGIN
    title = f"{shown.label}: {shown.message}" if shown.label else shown.message
    words = _words(shown.message, first + _MARGIN, right)
    if shown.label:
        words = _words(shown.label, _MARGIN, left) + words
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{first + second}" height="{_HEIGHT}" role="img"'
        f" aria-label={quoteattr(title)}>\n"
        f"<title>{escape(title)}</title>\n"
        f'<rect width="{first}" height="{_HEIGHT}" fill="{_LABEL_COLOUR}"/>\n'
        f'<rect x="{first}" width="{second}" height="{_HEIGHT}" fill="{shown.colour}"/>\n'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11" aria-hidden="true">\n{words}</g>\n'
        "</svg>\n"
    )


def _words(text: str, x: int, width: int) -> str:
    """As wide as the room that was made for it, whatever font there is."""
    return f'<text x="{x}" y="14" textLength="{width}" lengthAdjust="spacingAndGlyphs">{escape(text)}</text>\n'


def _width(text: str) -> int:
    """Pixels that ``text`` takes in the font named, nearly."""
    return round(sum(4.2 if char in _NARROW else 10.0 if char in _WIDE or not char.isascii() else 7.0 for char in text))


def _short(number: int) -> str:
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.3g}{unit}" if number < 999.5 * size else f"{number / size:.0f}{unit}"
    return str(number)
