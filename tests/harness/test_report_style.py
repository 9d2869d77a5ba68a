"""The style sheet and the script of the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.report import html

CSS = "".join((Path(html.__file__).parent / name).read_text("utf-8") for name in html.STYLES)
SCRIPT = "".join((Path(html.__file__).parent / name).read_text("utf-8") for name in html.SCRIPTS)


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast_is_at_least_4_5_to_1(theme: str) -> None:
    """WCAG 2.2, success criterion 1.4.3, for every pair of colours that the style sheet sets on one another."""
    found = re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", CSS)
    colours = {name: light if theme == "light" else dark for name, light, dark in found}
    verdicts = [name for name in colours if f"{name}-bg" in colours]
    assert len(verdicts) == 6
    pairs = [(name, f"{name}-bg") for name in verdicts]
    pairs += [(name, "panel") for name in verdicts]
    pairs += [(text, back) for text in ("text", "dim", "link", "fail") for back in ("page", "panel", "sunk")]
    pairs += [("text", f"{name}-bg") for name in verdicts] + [("dim", f"{name}-bg") for name in verdicts]
    pairs += [("escape", "sunk"), ("escape", "panel"), ("mark-text", "mark"), ("panel", "text")]
    pairs += [("panel", name) for name in verdicts]
    for front, back in pairs:
        high, low = sorted((_luminance(colours[front]), _luminance(colours[back])), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, f"{front} on {back}"


def test_the_style_sheet_serves_every_reader() -> None:
    wanted = ("color-scheme: light dark", "prefers-reduced-motion", "@media print", ":focus-visible", "forced-colors")
    for rule in wanted:
        assert rule in CSS


def test_the_script_puts_text_in_as_text_and_asks_nothing_of_the_network() -> None:
    markup = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "eval(", "Function(")
    for word in (*markup, "fetch(", "XMLHttp", "WebSocket", "import("):
        assert word not in SCRIPT
    assert "</" not in SCRIPT
