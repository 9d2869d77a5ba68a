"""The page in a real browser, from disk: with and without its script, narrow and wide, with hostile content, and big.

STREAMPARITY_SCREENSHOTS names a folder in which to keep what was painted.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.report import render
from harness.verdict import RunResult

from .browsing import NEEDS_CHROMIUM, Open, browser, opened
from .lane_runs import INTERLEAVED, calling, drawn, many
from .page_tree import Node, parse
from .report_runs import HOSTILE, case, hostile, large, only_failing, passing, troubled

pytestmark = [pytest.mark.browser, NEEDS_CHROMIUM]
__all__ = ["browser", "opened"]  # fixtures


@pytest.fixture
def dom(opened: Open) -> Callable[..., Node]:
    """The tree of a run's page after its script has run."""

    def load(run: RunResult, fragment: str = "") -> Node:
        return parse(opened(run, fragment).content())

    return load


@pytest.fixture
def measured(opened: Open) -> Callable[..., Any]:
    """What ``expression``, a function of the document and the window, gives for a run's page."""

    def measure(
        run: RunResult, expression: str, *, fragment: str = "", width: int = 1280, sandbox: bool = False
    ) -> Any:
        page = opened(run, fragment, viewport={"width": width, "height": 900}, java_script_enabled=not sandbox)
        return page.evaluate(f"() => ({expression})(document, window)")

    return measure


def _rows(page: Node, *, hidden: bool) -> list[str]:
    rows = [row for row in page.one(id="matrix").all("tr") if "data-k" in row.attributes]
    return [row["data-k"] for row in rows if ("hidden" in row.attributes) == hidden]


def _pixels(path: Path) -> list[tuple[int, ...]]:
    """The first pixel of each row of a PNG (RFC 2083), enough to tell its colours apart."""
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG")
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    channels = {2: 3, 6: 4}[kind]
    assert depth == 8
    raw, at = b"", 8
    while at < len(data):
        (length,), name = struct.unpack(">I", data[at : at + 4]), data[at + 4 : at + 8]
        raw += data[at + 8 : at + 8 + length] if name == b"IDAT" else b""
        at += length + 12
    lines = zlib.decompress(raw)
    stride = 1 + width * channels
    return [tuple(lines[row * stride + 1 : row * stride + 1 + channels]) for row in range(height)]


def test_filters_come_from_the_address(dom: Any) -> None:
    page = dom(troubled(), "#q=anthropic-mess%20no-arg&v=pass,fail")

    assert _rows(page, hidden=False) == ["anthropic-messages/tool-no-arguments"]
    assert len(_rows(page, hidden=True)) == 11
    assert "hidden" not in page.one(id="filter").attributes
    chips = page.all("button", class_="chip")
    assert [chip["data-v"] for chip in chips if chip["aria-pressed"] == "true"] == ["fail", "pass"]
    assert page.one("output").text == "1 of 12 cases shown"


def test_everything_is_shown_without_a_filter(dom: Any) -> None:
    page = dom(troubled())

    assert len(_rows(page, hidden=False)) == len(troubled().cases)
    assert not page.one("output").text
    assert page.all("div", class_="cmd")[0].one("button").text == "Copy"


def test_a_link_to_a_case_opens_its_details(dom: Any) -> None:
    page = dom(passing(cases=(case(), case("openai-chat/tool", warnings=("late_usage",)))), "#case=openai-chat/tool")

    more = page.one("tr", class_="more")
    assert more.all("b")[0].text == "openai-chat/tool"
    assert "late_usage ×1" in more.text
    assert case("openai-chat/tool").sha256 in more.text
    plans = more.all("table")[0]
    assert [cell.text for cell in plans.all("tr")[3].all("td")] == ["random", "8", "748", "8", "no"]


def test_a_link_to_a_difference_opens_it(dom: Any) -> None:
    page = dom(troubled(), "#case=anthropic-messages/length&ev=12&u16=7")

    opened = [diff["id"] for diff in page.all("details", class_="diff") if "open" in diff.attributes]
    assert "case=anthropic-messages/length&d=1" in opened


def test_hostile_content_stays_content(dom: Any) -> None:
    run = hostile()
    key = "#v=fail&q=" + "%3Cscript%3E"
    page = dom(run, key)

    assert "data-owned" not in page.one("html").attributes
    assert len(page.all("script")) == 2
    assert not page.all("img")
    assert len(_rows(page, hidden=False)) == 1
    first = parse(render(run)).one(id="matrix").all("tr")[2]["data-k"]
    opened = dom(run, f"#row={first}")
    assert "<script>" in opened.one("tr", class_="more").text, "details show it as text"
    assert "data-owned" not in opened.one("html").attributes


@pytest.mark.parametrize("width", [400, 1280])
def test_the_page_fits_the_window(measured: Any, width: int) -> None:
    for run in (troubled(), hostile(), large(40, failing=3), calling()):
        overflow = measured(
            run,
            "(d) => [d.documentElement.scrollWidth, d.documentElement.clientWidth]",
            fragment="#case=openai-chat/text",
            width=width,
        )
        assert overflow[0] <= overflow[1], "nothing but the tables scrolls sideways"


def test_the_keyboard_reaches_search_chips_and_regions(measured: Any) -> None:
    found = measured(
        troubled(),
        """(d) => {
          const stops = [...d.querySelectorAll("a[href], button, input, summary, [tabindex='0']")];
          return stops.filter((e) => e.checkVisibility()).map((e) => [e.tagName, e.tabIndex]);
        }""",
    )
    assert all(index <= 0 for _, index in found)
    assert {"A", "BUTTON", "INPUT", "SUMMARY", "DIV"} <= {tag for tag, _ in found}


def test_clicking_a_chip_filters_and_is_written_into_the_address(measured: Any) -> None:
    found = measured(
        troubled(),
        """(d, w) => {
          const shown = () => d.querySelectorAll("#matrix tr[data-k]:not([hidden])").length;
          const result = [shown()];
          d.querySelector(".chip[data-v=fail]").click();
          result.push(shown(), w.location.hash);
          const q = d.querySelector("input[name=q]");
          q.value = "no such case"; q.dispatchEvent(new w.Event("input"));
          result.push(shown(), w.location.hash);
          d.querySelector("button[type=reset]").click();
          result.push(shown(), w.location.hash);
          return result;
        }""",
    )
    assert found == [12, 1, "#v=fail", 0, "#v=fail&q=no%20such%20case", 12, ""]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_the_page_paints_without_a_script(opened: Open, tmp_path: Path, theme: str, width: int) -> None:
    # A viewer of artifacts that forbids scripts; the page's own policy says the same where its script is not the one
    # that it names.
    shot = tmp_path / "shot.png"
    page = opened(only_failing(), refused=True, color_scheme=theme, viewport={"width": width, "height": 1400})
    page.screenshot(path=shot)
    pixels = _pixels(shot)
    assert len(pixels) == 1400
    assert all(max(pixel[:3]) < 60 for pixel in pixels[:9]) == (theme == "dark")
    keep = os.environ.get("STREAMPARITY_SCREENSHOTS")
    if keep:
        shutil.copy(shot, Path(keep) / f"no-script-{theme}-{width}.png")


def test_verdict_matrix_and_first_differences_show_without_a_script(measured: Any) -> None:
    # The frame refuses scripts; the page around it may still look into it.
    found = measured(
        only_failing(),
        """(d) => {
          const visible = (e) => e && e.checkVisibility() && e.getBoundingClientRect().height > 0;
          return {
            scripted: !d.querySelector("#filter").hidden,
            verdict: visible(d.querySelector("h1")) && d.querySelector("h1").textContent,
            figures: [...d.querySelectorAll(".figures dd")].filter(visible).length,
            rows: [...d.querySelectorAll("#matrix tr[data-k]")].filter(visible).length,
            mark: visible(d.querySelector("article mark")) && d.querySelector("article mark").textContent,
            command: visible(d.querySelector("article .cmd code")),
            buttons: [...d.querySelectorAll("button")].filter(visible).length,
          };
        }""",
        sandbox=True,
    )
    assert found == {
        "scripted": False, "verdict": "Fail", "figures": 6, "rows": 15, "mark": "é", "command": True, "buttons": 0,
    }  # fmt: skip


@pytest.mark.parametrize("scripts", [True, False])
def test_coming_to_a_fragment_shows_it_wherever_it_is_drawn(measured: Any, scripts: bool) -> None:
    found = measured(
        calling(),
        """(d, w) => {
          const shown = (of) => [...of.closest(".lanes").querySelectorAll("[data-f]")]
            .filter((e) => e.matches("rect") ? w.getComputedStyle(e).fill === mark : w.getComputedStyle(e).backgroundColor === mark)
            .map((e) => [e.tagName, e.dataset.f]).sort();
          const probe = d.createElement("mark");
          d.body.append(probe);
          const mark = w.getComputedStyle(probe).backgroundColor;
          const lanes = d.querySelector(".lanes[open]");
          const fragment = lanes.querySelector(".frag.broken"), bytes = lanes.querySelector(".of[data-f='3']");
          const result = [shown(fragment).length];
          w.focus();
          fragment.focus();
          result.push(shown(fragment));
          bytes.focus();
          result.push(shown(fragment), !d.querySelector("#filter").hidden);
          return result;
        }""",
        sandbox=not scripts,
    )
    assert found == [0, *([*[["SPAN", number]] * 3, ["rect", number]] for number in "13"), scripts]


def test_a_link_to_the_tool_calls_opens_them_and_the_row_has_one(measured: Any) -> None:
    run = passing(cases=(drawn(INTERLEAVED, "openai-chat/first"), drawn(INTERLEAVED, "openai-chat/second"), *passing().cases))
    found = measured(
        run,
        """(d) => {
          const lanes = [...d.querySelectorAll(".lanes")], box = lanes[1].getBoundingClientRect();
          return [lanes.map((e) => e.open), box.top >= 0 && box.top < 900];
        }""",
        fragment="#lanes=openai-chat/second",
    )
    assert found == [[True, True], True]
    found = measured(
        run,
        """(d) => {
          const links = [...d.querySelectorAll("tr.more a")].map((e) => e.getAttribute("href"));
          const q = d.querySelector("input[name=q]");
          q.value = "second"; q.dispatchEvent(new d.defaultView.Event("input"));
          return [links, [...d.querySelectorAll(".lanes")].map((e) => e.hidden)];
        }""",
        fragment="#case=openai-chat/second",
    )
    assert found == [["#lanes=openai-chat/second"], [True, False]]


def test_the_bytes_of_a_fragment_come_into_sight(measured: Any) -> None:
    found = measured(
        passing(cases=(drawn(many(12, 30)),)),
        """(d, w) => {
          const box = d.querySelector(".bytes"), fragments = d.querySelectorAll(".frag"), last = fragments[fragments.length - 1];
          const inside = () => {
            const [a, b] = [box.querySelector(`[data-f="${last.dataset.f}"]`), box].map((e) => e.getBoundingClientRect());
            return a.top >= b.top && a.bottom <= b.bottom;
          };
          const before = [inside(), w.scrollY];
          last.dispatchEvent(new w.PointerEvent("pointerover", { bubbles: true }));
          return [before, [inside(), w.scrollY]];
        }""",
    )
    assert found[0][0] is False
    assert found[1] == [True, found[0][1]], "the page stays where it is"


def test_a_slider_walks_the_fragments_of_a_call(opened: Open) -> None:
    page = opened(calling(), "#lanes=openai-chat/tool")
    lanes = page.locator(".lanes:has([id='lanes=openai-chat/tool'])")
    slider = lanes.locator(".walk input").first
    walk = lanes.locator(".walk").first
    assert walk.locator(".line").text_content() == '{"x":1}', "it begins with all of them"
    slider.focus()
    page.keyboard.press("Home")
    assert walk.locator(".line").text_content() == '{"x":'
    assert slider.get_attribute("aria-valuetext").startswith("1 of 2 · frame ")
    now = lanes.locator(".now")
    assert {one.get_attribute("data-f") for one in now.all()} == {"0"}
    assert now.count() == 4, "on the ruler, in the list, in the arguments, in the bytes"
    page.keyboard.press("ArrowRight")
    rows = lanes.locator(".steps").first.locator("tbody tr")
    assert rows.nth(1).locator("td").nth(2).text_content() == walk.locator("dd").nth(1).text_content()
    assert walk.locator(".new").text_content() == "1}"

    off = opened(calling(), "#lanes=openai-chat/tool", java_script_enabled=False)
    assert off.locator(".walk").count() == 0
    assert off.locator(".steps tbody tr").count() > 4, "the table stands without a script"


def test_a_large_page_makes_its_rows_as_they_are_needed(opened: Open) -> None:
    """What takes a browser long is elements, not cases: how long it takes in milliseconds is for benchmarks/page.py."""
    run = passing(cases=(*large(2000, failing=150).cases, *(case(f"anthropic-messages/{at:04}") for at in range(500))))
    page = opened(run)
    elements = "document.getElementsByTagName('*').length"
    shown = "[...document.querySelectorAll('.group')].map(e => e.querySelectorAll('tr[data-k]:not([hidden])').length)"
    assert page.evaluate(elements) < 25_000
    assert page.evaluate(shown) == [60, 60]
    assert page.locator(".rest").first.text_content() == "60 cases of 2,000: scroll on, or show all"

    page.fill("input[name=q]", "case-0199")
    assert page.evaluate(shown) == [10, 0], "what is searched for is found wherever it is"
    marks = page.locator("#overview [data-line]:not([hidden]) .dot:not([hidden])")
    assert marks.all_text_contents() == ["+10 ✓ pass"], "those without a mark are counted"
    page.click("button[type=reset]")
    assert page.evaluate(shown) == [60, 60]

    page.locator("#matrix tbody tr:not([hidden]) th a").nth(59).focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.textContent") == "case-00060", "the keyboard goes on"
    assert page.evaluate(shown)[0] >= 160
    page.locator(".rest button").last.click()
    assert page.evaluate(shown)[1] == 500
    keys = page.eval_on_selector_all("#matrix .group:last-child tr[data-k]", "all => all.map(e => e.dataset.k)")
    assert keys == sorted(keys)
    page.goto(page.url.partition("#")[0] + "#case=openai-chat/case-01500")
    more = page.locator("tr.more")
    assert more.locator("b").first.inner_text() == "openai-chat/case-01500"


def test_a_row_that_is_made_is_the_row_that_would_have_been_sent(opened: Open) -> None:
    plans = (*case().plans[:2], *(dataclasses.replace(plan, chunkings=0) for plan in case().plans[2:]))
    odd = case(
        f"openai-chat/zz {HOSTILE}", subject="other <b>", warnings=("late_usage", HOSTILE), provenance=HOSTILE, plans=plans,
        references=(dataclasses.replace(case().references[0], reason=HOSTILE),),
    )  # fmt: skip
    spelt = """e => [e, ...e.querySelectorAll("*")].map(one => [
      one.tagName, [...one.attributes].filter(a => a.name !== "tabindex").map(a => `${a.name}=${a.value}`).sort(),
      one.textContent.replace(/\\s+/g, " ").trim()])"""
    rows = []
    for others in (5, 700):
        page = opened(passing(cases=(*large(others).cases, odd)))
        page.fill("input[name=q]", "late_usage")
        row = page.locator("#matrix tr[data-k]:not([hidden])")
        assert page.locator("#matrix tr[data-k]").count() == (6 if others == 5 else 121)
        rows.append(row.evaluate(spelt))
    assert rows[0] == rows[1]
    assert len(rows[0]) > 20


def test_a_large_page_has_every_row_where_scripts_are_off(opened: Open) -> None:
    page = opened(passing(cases=large(700, failing=3).cases), java_script_enabled=False)
    rows = page.locator("#matrix tbody tr")
    assert rows.count() == 700
    assert rows.last.is_visible()
    assert rows.last.locator("th").text_content().startswith("case-00699")
    assert rows.last.locator("td").first.text_content() == "✓ pass"
    assert rows.last.locator("td").count() == rows.first.locator("td").count()
    assert page.locator("details.diff mark").first.is_visible()
