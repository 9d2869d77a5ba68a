"""The page for people, as it is without any script: complete, honest, and safe against what was recorded."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from pathlib import Path

import pytest

from harness.report import html, render, to_document
from harness.report.causes import UNKNOWN, cause_of
from harness.report.sizes import human_size
from harness.verdict import PlanResult, Verdict
from harness.visible import visible

from .lane_runs import calling
from .page_tree import Node, parse
from .report_runs import HOSTILE, case, difference, hostile, large, only_failing, passing, troubled, vacuous

RUNS = {"passing": passing, "hostile": hostile, "troubled": troubled, "failing": only_failing, "vacuous": vacuous, "calls": calling}
CSS = "".join((Path(html.__file__).parent / name).read_text("utf-8") for name in html.STYLES)
SCRIPT = "".join((Path(html.__file__).parent / name).read_text("utf-8") for name in html.SCRIPTS)


@pytest.fixture(scope="module", params=RUNS)
def page(request: pytest.FixtureRequest) -> Node:
    """Each run's page in turn."""
    return parse(render(RUNS[request.param]()))


@pytest.fixture(scope="module")
def bad() -> Node:
    """The page of the run in which everything is wrong."""
    return parse(render(troubled()))


def _figures(page: Node) -> dict[str, str]:
    figures = page.one("dl", class_="figures")
    return {dt.text: dd.text for dt, dd in zip(figures.all("dt"), figures.all("dd"), strict=True)}


def _text(side: Node) -> Node:
    """The line as text, one of its three spellings."""
    return side.one("code", class_="as-text")


def _cards(page: Node) -> dict[str, Node]:
    return {card.one("h3").one("a").text: card for card in page.all("article", class_="card")}


def test_a_card_names_its_likely_cause_or_that_none_is_known() -> None:
    told = {}
    for run in (only_failing(), troubled()):
        causes = {visible(one.case): cause_of(one) for one in run.cases}
        for name, card in _cards(parse(render(run))).items():
            note = card.all("p", class_="note")[0]
            told[causes[name]] = (note.text, [bold.text for bold in note.all("b")])

    told.pop("")  # of a named divergence its reason is what there is to know
    assert told.pop(UNKNOWN) == (UNKNOWN, [])
    assert told
    assert told == {cause: (f"Likely cause: {cause}", ["Likely cause:"]) for cause in told}


# --- every page


def test_the_page_is_one_document_with_one_heading(page: Node) -> None:
    assert page.one("html")["lang"] == "en"
    assert page.one("head").one("title").text.endswith("streamparity")
    assert len(page.all("h1")) == 1
    assert page.all("a", class_="skip")[0]["href"] == "#main"
    assert page.one("main")["id"] == "main"


def test_the_policy_allows_the_one_style_and_the_one_script_and_nothing_else(page: Node) -> None:
    metas = [meta for meta in page.all("meta") if meta.attributes.get("http-equiv") == "Content-Security-Policy"]
    policy = dict(directive.strip().split(" ", 1) for directive in metas[0]["content"].split(";"))
    style, data, script = page.one("style"), page.one("script", type="application/json"), page.all("script")[-1]

    def digest(node: Node) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(node.raw.encode()).digest()).decode()}'"

    assert policy == {
        "default-src": "'none'",
        "style-src": digest(style),
        "script-src": digest(script),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert page.all("script") == [data, script]
    assert page.all("style") == [style]


def test_the_page_needs_nothing_from_elsewhere(page: Node) -> None:
    for node in page.walk():
        assert node.tag not in ("img", "iframe", "object", "embed", "link", "base", "audio", "video", "source")
        for name, value in node.attributes.items():
            assert not name.startswith("on"), f"<{node.tag} {name}>"
            assert name not in ("style", "src", "srcset", "action", "background", "ping"), f"<{node.tag} {name}>"
            if name in ("href", "xlink:href"):
                assert (value or "").startswith("#"), f"<{node.tag} {name}={value}>"
    assert "url(" not in CSS
    assert "@import" not in CSS


def test_no_id_is_there_twice_and_every_link_leads_somewhere(page: Node) -> None:
    ids = [node["id"] for node in page.walk() if "id" in node.attributes]
    assert len(ids) == len(set(ids))
    assert not [one for one in ids if not re.fullmatch(r"[!-~]+", one)], "ids are what the address can hold"
    links = {link["href"].removeprefix("#") for link in page.all("a")}
    assert links <= set(ids)


def test_tables_have_headers_with_a_scope_and_status_has_a_word(page: Node) -> None:
    for table in page.all("table"):
        assert table.all("caption") or table.all("thead"), table.text[:80]
        for th in table.all("th"):
            assert th.attributes.get("scope") in ("row", "col", "colgroup"), th.text
    for region in page.all(role="region"):
        assert region["tabindex"] == "0", "a region that scrolls can be reached with the keyboard"
        assert region["aria-label"]
    words = {verdict.value for verdict in Verdict} | {"caught", "not caught"}
    for badge in page.all("span", class_="badge"):
        glyph = badge.one("b", **{"aria-hidden": "true"})
        assert glyph.text
        assert badge.text.removeprefix(glyph.text).strip() in words


def test_nothing_invisible_or_directional_is_left_in_it(page: Node) -> None:
    for node in page.walk():
        texts = [*(part for part in node.parts if isinstance(part, str)), *(v or "" for v in node.attributes.values())]
        if node.tag not in ("style", "script"):
            for text in texts:
                assert visible(text.replace("\n", "")) == text.replace("\n", "")


def test_the_embedded_data_cannot_leave_its_element(page: Node) -> None:
    raw = page.one("script", type="application/json").raw
    assert not set(raw) & set("<>&\u2028\u2029")
    data = json.loads(raw)["cases"]
    rows = [row for row in page.one(id="matrix").all("tr") if "data-k" in row.attributes]
    assert [row["data-k"] for row in rows] == list(data)


def test_the_page_is_the_same_for_the_same_run() -> None:
    for build in RUNS.values():
        assert render(build()) == render(build())


# --- the verdict


def test_a_pass_says_so_with_the_figures_that_show_it_was_not_vacuous() -> None:
    page = parse(render(passing()))

    assert page.one("h1").text == "Pass"
    assert "v-pass" in page.one(id="verdict").classes
    totals = passing().totals
    assert _figures(page) == {
        "cases": "28",
        "bytes replayed": human_size(totals["bytes"]),
        "chunkings run": f"{totals['chunkings']:,}",
        "splits run": f"{totals['splits']:,}",
        "comparisons": f"{totals['comparisons']:,}",
        "mutants caught": "2/2",
    }
    assert not page.all("p", class_="alert")
    versions = page.one("details", class_="versions").text
    assert "plan standard" in versions
    assert "@ai-sdk/openai 2.0.1" in versions
    assert to_document(passing())["footer"]["digest"] in page.one(id="environment").text


def test_the_figures_are_as_large_as_the_verdict() -> None:
    sizes = {
        selector: re.findall(rf"{re.escape(selector)} {{[^}}]*font-size: (\d+)px", CSS)[0]
        for selector in (".verdict h1", ".figures dd")
    }
    assert sizes[".verdict h1"] == sizes[".figures dd"]
    assert re.search(r"\.verdict h1, \.figures dd { font-size: 27px; }", CSS), "on narrow screens, too"


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (vacuous(), "no case was run"),
        (passing(cases=(case(plans=()),)), "no body was cut"),
        (passing(problems=("no mutant was run",)), "no mutant was run"),
    ],
)
def test_a_page_that_proves_nothing_is_not_green(run: object, words: str) -> None:
    page = parse(render(run))

    assert page.one("h1").text == "Error"
    assert "v-error" in page.one(id="verdict").classes
    assert any("proves nothing" in alert.text and words in alert.text for alert in page.all("p", class_="alert"))


def test_mutants_that_were_not_run_are_not_passed_over() -> None:
    page = parse(render(passing(mutants=())))
    assert _figures(page)["mutants caught"] == "none run"
    assert "nothing on this page shows that the checks can fail" in page.one(id="mutants").text


def test_what_is_wrong_with_the_run_stands_at_the_top(bad: Node) -> None:
    assert bad.one("p", class_="headline").text == (
        "1 case broke; 1 case not run; 1 case with a difference that nobody has named; 1 divergence out of date; "
        "1 mutant not caught."
    )
    assert "no-longer-there" in bad.one("p", class_="alert").text
    assert [item.text for item in bad.one("ul", class_="counts").all("li")] == [
        "! error 1", "✗ fail 1", "○ not-run 1", "– not-claimed 1", "⇄ conflict 1", "≈ divergence 1", "✓ pass 6",
    ]  # fmt: skip


# --- the matrix


def test_the_matrix_has_a_group_a_dialect_with_failures_first(bad: Node) -> None:
    groups = bad.all("section", class_="group")
    assert [group["data-p"] for group in groups] == ["openai-chat", "anthropic-messages", "ollama-ndjson"]
    rows = [row for row in groups[1].all("tr") if "data-k" in row.attributes]
    assert [row["data-v"] for row in rows] == ["fail", "conflict", "divergence", *["pass"] * 5]
    heads = groups[1].all("thead")[0].all("tr")
    assert [th.text for th in heads[0].all("th")] == ["References", "Plans", "Body"]
    assert [th.text for th in heads[1].all("th")] == [
        "Case", "Verdict", "ai.anthropiclines", "anthropiclines", "sselines",
        "wholechunkings", "byteschunkings", "random ×8chunkings", "every-splitchunkings", "cut-at-every-bytechunkings",
        "Bytes", "Parts", "Frames", "Warnings",
    ]  # fmt: skip


def test_a_cell_has_an_icon_a_word_and_a_count() -> None:
    slow = case("openai-chat/tool", body_bytes=3000, warnings=("late_usage", "late_usage"), provenance="live")
    page = parse(render(passing(cases=(slow,))))
    row = next(row for row in page.all("tr") if row.attributes.get("data-k") == "openai-chat/tool")
    assert row.one("th").text == "tool live"
    assert [cell.text for cell in row.all("td")] == [
        "✓ pass", "✓ pass 24", "✓ pass 24", "✓ pass 24", "✓ pass 1", "✓ pass 1", "✓ pass 8", "✓ pass 2,999",
        "✓ pass 3,000sampled", "3,000", "24", "18", "2",
    ]  # fmt: skip
    assert row.all("td")[-1]["title"] == "late_usage"
    assert "title" not in row.all("td")[6].attributes
    broken = tuple(dataclasses.replace(plan, verdict=Verdict.FAIL) for plan in case().plans)
    page = parse(render(passing(cases=(case(verdict=Verdict.FAIL, plans=broken),))))
    cells = next(row for row in page.one(id="matrix").all("tr") if "data-k" in row.attributes).all("td")
    assert cells[6]["title"] == "748 splits, 8 comparisons"


def test_a_plan_that_had_nothing_to_run_does_not_look_like_a_pass() -> None:
    idle = PlanResult("recorded", 0, 0, 0, sampled=False, verdict=Verdict.PASS, reason="unknown chunks")
    plans = (*case().plans, idle)
    page = parse(render(passing(cases=(case(plans=plans),))))
    cell = next(cell for cell in page.all("td") if cell.attributes.get("title") == "unknown chunks")
    assert (cell.text, cell.classes) == ("– none", ["none"])


def test_cases_of_two_subjects_stay_apart() -> None:
    page = parse(render(passing(cases=(case(), case(subject="the other")))))
    keys = [row["data-k"] for row in page.one(id="matrix").all("tr") if "data-k" in row.attributes]
    assert keys == ["openai-chat/text", "openai-chat/text&subject=the%20other"]


# --- differences


def test_a_card_shows_the_first_differing_character(bad: Node) -> None:
    card = _cards(bad)["anthropic-messages/text"]
    assert card["id"] == "case=anthropic-messages/text"
    first, second = card.all("details", class_="diff")
    assert "open" in first.attributes
    assert "open" not in second.attributes
    told = first.one("dl", class_="facts")
    facts = {dt.text: dd.text for dt, dd in zip(told.all("dt"), told.all("dd"), strict=True)}
    assert facts == {
        "Golden": "ai.anthropic",
        "Chunking": "split@1204",
        "Event": "12",
        "Byte offset": "1,204",
        "Code point": "7",
        "UTF-16 offset": "7",
        "JSON path": "text-delta.delta",
        "Trace line, column": "31, 33",
    }
    golden, ours = first.all("tr", class_="side")
    assert golden.one("th").text == "goldenai.anthropic"
    assert _text(golden).raw == '["text-delta",{"delta":"Ein café in Zürich","id":"0"}]'
    assert [code.one("mark").text for code in golden.all("code", class_="line")] == ["é", "\\u00e9", "C3 A9"]
    assert golden.one("code", class_="as-escaped").raw.strip() == r'["text-delta",{"delta":"Ein caf\u00e9 in Z\u00fcrich","id":"0"}]'
    assert "45 69 6E 20 63 61 66 C3 A9 20 69 6E 20 5A C3 BC 72" in golden.one("code", class_="as-hex").raw
    assert "U+00E9 LATIN SMALL LETTER E WITH ACUTE · UTF-16 00E9 · UTF-8 C3 A9" in golden.text
    assert _text(ours).one("mark").text == "\ufffd"
    assert _text(ours).raw == '["text-delta",{"delta":"Ein caf\ufffd\ufffd in Zürich","id":"0"}]'
    assert "U+FFFD REPLACEMENT CHARACTER" in ours.text
    assert "streamparity check --case anthropic-messages/text --plan split@1204" in first.all("div", class_="cmd")[-1].text
    assert [pre.raw for pre in first.all("pre")] == [
        r'["text-delta",{"delta":"Ein caf\u00e9 in Z\u00fcrich","id":"0"}]',
        r'["text-delta",{"delta":"Ein caf\ufffd\ufffd in Z\u00fcrich","id":"0"}]',
    ]
    assert "Breaks the rule cut-is-incomplete" in second.text
    assert "77 bytes look complete" in second.text


def test_the_wire_strip_shows_the_chunks_the_cut_and_the_place(bad: Node) -> None:
    strip = _cards(bad)["anthropic-messages/text"].all("figure", class_="wire")[0]
    size = case("anthropic-messages/text").body_bytes
    share = f"{100 * 1204 / size:.2f}%"
    assert strip.one("line", class_="at")["x1"] == share
    recorded, made = strip.all("path")
    assert recorded["d"].count("M") == size // 100 - 1
    assert made["d"] == f"M{round(1000 * 1204 / size)} 0v9"
    assert "difference at byte 1,204, 1 cut" in strip.all("svg")[0]["aria-label"]


@pytest.mark.parametrize(
    ("chunking", "cuts", "caption"),
    [
        ("bytes", "M0 0H1000V9H0Z", "Below: 3,999 cuts of this chunking."),
        ("every:1000", "M250 0v9M500 0v9M750 0v9", "Below: 3 cuts of this chunking."),
        ("whole", "", ""),
        ("cut@1000", "", "Darker: never fed."),
        ("windows:64", "", ""),
        ("a chunking of its own", "", ""),
    ],
)
def test_the_wire_strip_knows_the_chunking_by_its_name(chunking: str, cuts: str, caption: str) -> None:
    failed = case(verdict=Verdict.FAIL, body_bytes=4000, chunks=(), differences=(difference(plan=chunking),))
    strip = parse(render(passing(cases=(failed,)))).one("figure", class_="wire")
    assert [path["d"] for path in strip.all("path")] == ([cuts] if cuts else [])
    assert caption in strip.one("figcaption").text
    assert len(strip.all("rect", class_="lost")) == (chunking == "cut@1000")


def test_a_long_line_is_cut_and_says_how_much_is_missing() -> None:
    text = render(hostile())
    card = _cards(parse(text))["openai-chat/long-line"]
    golden = card.all("tr", class_="side")[0]
    line = _text(golden).text
    assert line.startswith("… 99,981 more characters xxxx")
    assert line.endswith("zzzz 99,962 more characters …")
    assert len(line) < 160
    assert _text(golden).one("mark").text == "Y"
    assert card.text.endswith("2 more differences of this case in parity.json.")
    emoji = card.all("tr", class_="side")[2:4]
    assert [_text(side).one("mark").text for side in emoji] == ["😀", "😁"]
    gone = card.all("tr", class_="side")[5]
    assert "no such line: the trace ends before it" in gone.text
    assert len(text) < 150_000


def test_a_line_that_ends_early_is_marked_at_its_end() -> None:
    pair = difference(expected='["t",{"d":"ab"}]', actual='["t",{"d":"ab"')
    page = parse(render(passing(cases=(case(verdict=Verdict.FAIL, differences=(pair,)),))))
    golden, ours = page.one("article").all("tr", class_="side")
    assert (_text(golden).one("mark").text, _text(ours).one("mark").text) == ("}", "⟨end of line⟩")


def test_cases_that_broke_say_why(bad: Node) -> None:
    cards = _cards(bad)
    assert list(cards)[:3] == ["openai-chat/text", "anthropic-messages/text", "openai-chat/tool"]
    assert "no golden of sse in golden" in cards["openai-chat/text"].text
    assert "needs Node" in cards["openai-chat/tool"].text
    named = cards["anthropic-messages/length"]
    assert "v-conflict" in named.classes
    assert not [diff for diff in named.all("details", class_="diff") if "open" in diff.attributes]


def test_recorded_text_stays_text() -> None:
    page = parse(render(hostile()))
    card = _cards(page)[visible(f"openai-chat/{HOSTILE}")]
    golden, ours, *_ = card.all("tr", class_="side")
    assert [code.one("mark").text for code in golden.all("code", class_="line")] == ["⟨RLO⟩", "\\u202e", "E2 80 AE"]
    assert _text(ours).one("mark").text == "⟨ZWJ⟩"
    assert "U+202E RIGHT-TO-LEFT OVERRIDE" in golden.text
    assert [span.text for span in _text(ours).all("span", class_="esc")] == ["⟨U+D83D⟩"]
    assert all(code["dir"] == "ltr" for code in card.all("code", class_="line"))
    assert "<script>" in card.text, "it is shown"
    assert len(page.all("script")) == 2, "and nothing else"


def test_a_run_of_failures_is_cut_and_says_so() -> None:
    text = render(large(400, failing=300))
    page = parse(text)
    assert len(page.all("article", class_="card")) == html.MAX_CARDS == 100
    listed = page.one(id="differences").all("tr")
    assert len([row for row in listed if "data-k" in row.attributes]) == 200
    assert "100 cases are spelt out above. These follow" in page.one(id="differences").text
    assert len(text) < 2_000_000
