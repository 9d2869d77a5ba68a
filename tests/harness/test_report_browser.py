"""The page in a real browser, from disk: with and without its script, narrow and wide, with hostile content, and big.

The page is also put into a frame of a page of the test's own, whose script measures it and writes what it found into its
title; ``--dump-dom`` prints that. STREAMPARITY_SCREENSHOTS names a folder in which to keep what was painted.
"""

from __future__ import annotations

import dataclasses
import html as entities
import json
import os
import re
import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.report import html
from harness.verdict import RunResult

from .lane_runs import INTERLEAVED, calling, drawn, many
from .page_tree import Node, parse
from .report_runs import case, hostile, large, only_failing, passing, troubled

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium binary on PATH (Debian: apt-get install chromium)"),
]
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr",
)  # fmt: skip
MEASURE = """<!doctype html><meta charset="utf-8"><title>none</title><body><script>
const frame = document.createElement("iframe");
frame.width = WIDTH; frame.height = 900; frame.style.border = "0";
frame.onload = () => {
  const inner = frame.contentDocument, view = frame.contentWindow;
  document.title = JSON.stringify((EXPRESSION)(inner, view));
};
if (SANDBOX) frame.sandbox = "allow-same-origin"; // which is: no scripts
frame.src = PAGE;
document.body.append(frame);
</script>"""


@pytest.fixture
def chromium(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the browser once, in a profile of its own."""
    count = 0

    def run(*arguments: str, refused: bool = False) -> subprocess.CompletedProcess[str]:
        nonlocal count
        count += 1
        assert CHROMIUM is not None
        command = [CHROMIUM, *FLAGS, f"--user-data-dir={tmp_path / f'profile-{count}'}", *arguments]
        result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        blocked = "Content Security Policy" in result.stderr
        assert blocked == refused, "the page broke its own policy" if blocked else "the script was not stopped"
        assert "Uncaught" not in result.stderr, result.stderr
        return result

    return run


@pytest.fixture
def dom(tmp_path: Path, chromium: Any) -> Callable[..., Node]:
    """The tree of a run's page after its script has run."""

    def load(run: RunResult, fragment: str = "") -> Node:
        path = tmp_path / "page.html"
        html.write(run, path)
        return parse(chromium("--dump-dom", f"{path.as_uri()}{fragment}").stdout)

    return load


@pytest.fixture
def measured(tmp_path: Path, chromium: Any) -> Callable[..., Any]:
    """What ``expression``, a function of the framed document and window, gives for a run's page."""

    def measure(
        run: RunResult, expression: str, *, fragment: str = "", width: int = 1280, sandbox: bool = False
    ) -> Any:
        html.write(run, tmp_path / "page.html")
        outer = tmp_path / "outer.html"
        page = MEASURE.replace("WIDTH", str(width)).replace("SANDBOX", json.dumps(sandbox))
        page = page.replace("EXPRESSION", expression)
        outer.write_text(page.replace("PAGE", json.dumps(f"page.html{fragment}")), "utf-8")
        printed = chromium("--allow-file-access-from-files", "--dump-dom", outer.as_uri()).stdout
        found = re.search(r"<title>(.*?)</title>", printed, re.DOTALL)
        assert found is not None
        return json.loads(entities.unescape(found[1]))

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
    assert more.one("b").text == "openai-chat/tool"
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
    first = parse(html.render(run)).one(id="matrix").all("tr")[2]["data-k"]
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
    assert all(index == 0 for _, index in found)
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
def test_the_page_paints_without_a_script(tmp_path: Path, chromium: Any, theme: str, width: int) -> None:
    # A viewer of artifacts that forbids scripts; the page's own policy says the same where its script is not the one
    # that it names.
    path, shot = tmp_path / "page.html", tmp_path / "shot.png"
    path.write_text(
        re.sub(r"script-src &#39;[^;]*;", "script-src &#39;none&#39;;", html.render(only_failing())), "utf-8"
    )
    chromium(
        f"--blink-settings=preferredColorScheme={0 if theme == 'dark' else 1}", "--hide-scrollbars",
        f"--window-size={width},1400", f"--screenshot={shot}", path.as_uri(), refused=True,
    )  # fmt: skip
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


def test_five_thousand_cells_open_fast(measured: Any) -> None:
    worst = drawn(many(12, 30))
    drawings = [dataclasses.replace(worst, case=f"openai-chat/many-{at}") for at in range(80)]
    found = measured(
        passing(cases=(*large(625, failing=50).cases, *drawings)),
        """(d, w) => {
          const timing = w.performance.getEntriesByType("navigation")[0];
          return [d.querySelectorAll("#matrix td[class]").length, timing.domComplete - timing.responseEnd];
        }""",
    )
    assert found[0] >= 5000
    assert found[1] < 10_000, "milliseconds; under 1000 on an idle machine, and tests run on busy ones"
