"""The page as a reviewer uses it, in Debian's Chromium: filters, links, splits, bytes, themes, keyboard, scripts off, hostile text.

The results are real: cassettes of this repository through a deliberately wrong subject and through streamcore.
"""

from __future__ import annotations

import dataclasses
from base64 import b64decode
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from harness import cassette
from harness.case import Case
from harness.chunking import parse_plan
from harness.divergence import Divergences
from harness.golden import GoldenStore
from harness.proof import walk
from harness.report import seal
from harness.report.causes import cause_of
from harness.runner import Check, check_case
from harness.strip import strip_of
from harness.subjects.core import CoreSession
from harness.subjects.load import load_subject
from harness.verdict import CaseResult, RunResult, Verdict

from .browsing import NEEDS_CHROMIUM, Open, browser, opened
from .exhibits import DONE, chat, sse
from .report_runs import HOSTILE, case, difference, hostile, minimal, passing

__all__ = ["browser", "opened"]  # fixtures

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.browser, NEEDS_CHROMIUM]
BROKEN, WHOLE = "mutant:utf8-per-chunk", "streamcore"
FAILED, TOOLS = "anthropic-messages/unicode", "anthropic-messages/parallel-tools"

KEY = f"{FAILED}&subject=utf8-per-chunk"
"""In the address: the subject of the first case goes without saying."""


def _checked(name: str, spec: str) -> CaseResult:
    found = cassette.load(ROOT / "cassettes" / f"{name}.yaml").cases(f"cassettes/{name}.yaml")[0]
    plans = tuple(parse_plan(plan) for plan in ("whole", "bytes", "every-split"))
    check = Check(spec, plans, Divergences.load(ROOT / "golden" / "divergences.yaml"))
    return check_case(found, load_subject(spec), check, GoldenStore(ROOT / "golden"))


@pytest.fixture(scope="module")
def real() -> RunResult:
    """One case that fails, and some that do not, of two dialects and two subjects."""
    cases = (_checked(FAILED, BROKEN), _checked(TOOLS, WHOLE), _checked("openai-chat/text", WHOLE))
    return seal(passing(subject=BROKEN, cases=cases))


def _hash(page: Any) -> str:
    return str(page.evaluate("location.hash"))


def _rows(page: Any) -> list[str]:
    return [str(key) for key in page.eval_on_selector_all("#matrix tr[data-k]:not([hidden])", "all => all.map(e => e.dataset.k)")]


def test_filters_narrow_the_matrix_and_come_back_with_the_address(opened: Open, real: RunResult) -> None:
    page = opened(real)
    everything = _rows(page)
    assert len(everything) == 3

    page.select_option("select[name=p]", "openai-chat")
    assert [key.split("&")[0] for key in _rows(page)] == ["openai-chat/text"]
    page.select_option("select[name=p]", "")
    failed = next(one for one in real.cases if one.case == FAILED)
    page.select_option("select[name=c]", cause_of(failed).partition(": ")[0])
    assert _rows(page) == [KEY]
    assert page.locator("#overview a:not([hidden])").count() == 1, "the overview follows"
    page.select_option("select[name=c]", "")
    page.select_option("select[name=s]", WHOLE)
    assert len(_rows(page)) == 2
    page.fill("input[name=q]", "openai")
    assert _hash(page) == "#s=streamcore&q=openai"
    page.reload()
    assert (len(_rows(page)), page.input_value("select[name=s]"), page.input_value("input[name=q]")) == (1, WHOLE, "openai")
    page.click("button[type=reset]")
    assert (_rows(page), _hash(page)) == (everything, "")


def test_a_deep_link_opens_the_place_and_back_returns(opened: Open, real: RunResult) -> None:
    failed = next(one for one in real.cases if one.case == FAILED)
    first = failed.differences[0]
    page = opened(real, f"#case={KEY}&ev={first.event}")
    assert page.locator("details.diff[open]").first.get_attribute("data-ev") == str(first.event)

    tools = f"#case={TOOLS}"
    page.click(f'#overview a[href="{tools}"]')
    details = page.locator("tr.more")
    assert details.locator("b").first.inner_text() == TOOLS
    text = details.inner_text()
    assert failed.origin is not None
    assert "recorded" in text
    assert f"streamparity check --case {TOOLS}" in text
    page.go_back()
    page.wait_for_function("!document.querySelector('tr.more')")
    assert _hash(page) == f"#case={KEY}&ev={first.event}"
    page.go_forward()
    page.wait_for_selector("tr.more")
    assert _hash(page) == tools


def test_a_click_on_a_failing_boundary_opens_that_split(opened: Open, real: RunResult) -> None:
    failed = next(one for one in real.cases if one.case == FAILED)
    found = failed.differences[0].minimal
    assert found is not None
    assert found.singles_failed == sum(end - start for start, end in found.failing)
    page = opened(real, f"#case={KEY}")
    bar = page.locator("svg.heat")
    bar.wait_for()
    marks = bar.locator("a")
    assert [int(mark.get_attribute("data-cut")) for mark in marks.all()] == [start for start, _ in found.failing]
    legend = page.locator(".legend").inner_text()
    assert f"failing {found.singles_failed}" in legend
    assert f"proven {failed.body_bytes - 1 - found.singles_failed:,}" in legend

    marks.nth(1).click()
    cut = found.failing[1][0]
    panel = page.locator(".splitpanel")
    assert f"Split at byte {cut:,}: the body fails" in panel.inner_text()
    assert f"--plan split@{cut} --subject {BROKEN}" in panel.inner_text()
    assert "inside U+" in panel.inner_text()
    assert _hash(page) == f"#case={KEY}&cut={cut}"
    # The same with the keyboard: the bar is one stop, the arrows go from mark to mark.
    marks.first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_function(f"location.hash.endsWith('cut={found.failing[2][0]}')")
    page.go_back()
    page.wait_for_function(f"document.querySelector('.splitpanel').textContent.includes('{cut:,}')")
    page.reload()
    page.locator(".splitpanel", has_text=f"{cut:,}").wait_for()


def test_a_character_lights_its_bytes_and_back(opened: Open, real: RunResult) -> None:
    whole = next(one for one in real.cases if one.case == "openai-chat/text")
    assert whole.strip is not None
    page = opened(real, "#case=openai-chat/text")
    page = page.locator("tr.more")
    char = page.locator(".written .c").nth(3)
    char.hover()
    start, end = int(char.get_attribute("data-a")), int(char.get_attribute("data-b"))
    lit = page.locator(".wirebytes .lit")
    assert [int(one.get_attribute("data-a")) for one in lit.all()] == [start]
    body = b64decode(whole.strip.bytes)
    assert body[start - whole.strip.start : end - whole.strip.start].decode() == char.inner_text() == lit.inner_text()
    assert f"byte {start:,}" in page.locator(".told").inner_text()
    lit.hover()
    assert page.locator(".written .lit").inner_text() == char.inner_text()
    page.locator(".written").press("Home")
    page.locator(".written").press("ArrowRight")
    assert page.locator(".written .here").get_attribute("data-a") == page.locator(".written .c").nth(1).get_attribute("data-a")
    page.locator(".wires .toggle button", has_text="hex").click()
    assert lit.inner_text() == f"{ord(page.locator('.written .c').nth(1).inner_text()):02X}"


def test_characters_that_are_cut_stay_whole_and_say_where(opened: Open, real: RunResult) -> None:
    page = opened(real, f"#case={KEY}")
    wide = page.locator(".wirebytes .wide")
    wide.first.wait_for()
    for cell in wide.all()[:40]:
        assert len(cell.inner_text()) in (1, 2) or cell.inner_text().startswith("⟨")
        assert len(bytes.fromhex(cell.get_attribute("data-h").replace("|", ""))) > 1
    inside = page.locator(".wirebytes .inside")
    assert all("|" in cell.get_attribute("data-h") for cell in inside.all())
    assert page.locator(".wirebytes .cutinside").count() == 1, "the minimal cut, inside its character"
    assert "≈ not spelt so in its bytes" in page.locator(".written").inner_text()


def test_the_theme_follows_the_system_and_remembers_a_choice(opened: Open, real: RunResult) -> None:
    page = opened(real, color_scheme="dark")

    def brightness() -> int:
        return max(map(int, page.evaluate("getComputedStyle(document.body).backgroundColor").strip("rgb()").split(",")))

    assert brightness() < 60
    page.click("#theme")
    assert brightness() > 200
    page.reload()
    assert brightness() > 200, "remembered"
    page.click("#theme")
    page.emulate_media(color_scheme="light")
    assert brightness() > 200, "the system's own choice is followed again"
    page.emulate_media(color_scheme="dark", media="print")
    assert max(map(int, page.evaluate("getComputedStyle(document.body).color").strip("rgb()").split(","))) < 80, "dark on paper"
    assert not page.locator("nav").is_visible()


def test_the_keyboard_walks_the_page_and_the_matrix(opened: Open, real: RunResult) -> None:
    page = opened(real)
    focused = "document.activeElement.textContent.trim()"
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "Skip to the results"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert page.evaluate("[...document.querySelectorAll('[tabindex]')].every(e => e.tabIndex <= 0)")
    stops = "document.querySelectorAll('.group tbody th a[tabindex=\"0\"]').length"
    assert page.evaluate(stops) == page.locator(".group").count(), "one stop of the Tab key a table"

    page.locator("#matrix .group tbody th a").first.focus()
    first = page.evaluate(focused)
    page.keyboard.press("ArrowDown")
    second = page.evaluate(focused)
    assert second != first
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.tagName") == "TD"
    page.keyboard.press("Home")
    assert page.evaluate(focused) == second
    page.keyboard.press("Enter")
    page.locator("tr.more, details.diff[open]").first.wait_for()
    assert "case=" in _hash(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_verdict_and_first_difference_are_there_with_scripts_off(opened: Open, real: RunResult, theme: str) -> None:
    page = opened(real, java_script_enabled=False, color_scheme=theme, viewport={"width": 400, "height": 900})
    assert page.locator("h1").inner_text() == "Fail"
    assert page.locator(".figures dd:visible").count() >= 6
    assert not page.locator("#filter").is_visible()
    assert not page.locator("#theme").is_visible()
    lines = page.locator("details.diff[open] .lines").first
    assert lines.locator(".as-text mark").first.is_visible()
    page.locator("details.diff[open] .toggle label", has_text="hex").first.click()
    assert lines.locator(".as-hex").first.is_visible()
    assert not lines.locator(".as-text").first.is_visible()
    assert page.locator("details.diff[open] .cmd code:visible").count() >= 1


def _hostile_strip(name: str, text: str) -> CaseResult:
    body = b"".join(sse(chat({"content": piece})) for piece in (text, text[::-1])) + DONE
    replayed = Case(name, "openai-chat", body, (7,) * (len(body) // 7) + ((len(body) % 7),))
    found = difference(minimal=minimal(failing=((9, 10),), tried=((1, len(body)),)), byte_offset=60)
    strip = strip_of(replayed, walk(CoreSession("openai-chat"), body), ())
    return case(name, verdict=Verdict.FAIL, body_bytes=len(body), chunks=replayed.chunks, strip=strip, differences=(found,))


def test_hostile_text_stays_text(opened: Open) -> None:
    text = HOSTILE.replace("\ud83d", "")
    long = difference(expected=f'["t",{{"d":"{"x" * 1_000_000}a"}}]', actual=f'["t",{{"d":"{"x" * 1_000_000}b"}}]')
    cases = (
        *hostile().cases,
        _hostile_strip("openai-chat/strip", text),
        case("openai-chat/mega", verdict=Verdict.FAIL, differences=(long,)),
    )
    page = opened(dataclasses.replace(hostile(), cases=cases), "#case=openai-chat/strip&cut=9")
    page.locator(".splitpanel:visible").wait_for()
    assert page.locator(".wirebytes .b").count() > 100
    page.click(".wires .toggle button >> text=hex")
    assert page.evaluate("document.documentElement.dataset.owned") is None
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 2
    assert "⟨RLO⟩" in page.locator(".written").first.inner_text()
    seen = page.evaluate(
        """() => {
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT, {
            acceptNode: (node) => node.parentNode.tagName === "SCRIPT" ? 2 : 1,
          });
          const odd = /[\\u202a-\\u202e\\u2066-\\u2069\\u200d\\ufeff\\u2028\\ud800-\\udfff\\x00\\x1b]/u;
          const found = [];
          while (walker.nextNode()) if (odd.test(walker.currentNode.data)) found.push(walker.currentNode.data.slice(0, 80));
          return found;
        }"""
    )
    assert seen == []
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_serious_violation(opened: Open, real: RunResult, theme: str) -> None:
    pytest.importorskip("axe_playwright_python", reason="pip install 'streamparity[browser]'")
    axe = (resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
    page = opened(real, f"#case={KEY}&cut=714", color_scheme=theme, bypass_csp=True)
    page.locator(".splitpanel:visible").wait_for()
    page.locator(".wirebytes .wide").first.hover()
    page.evaluate(axe)
    # What is not about colour is the same in both themes.
    only = "" if theme == "light" else ", runOnly: ['color-contrast']"
    found = page.evaluate(f"axe.run(document, {{ resultTypes: ['violations']{only} }})")
    assert found["testEngine"]["name"] == "axe-core"
    assert len(found["passes"]) >= (25 if theme == "light" else 1), "it looked"
    told = [(one["id"], one["impact"], [node["html"][:120] for node in one["nodes"][:3]]) for one in found["violations"]]
    assert told == []
