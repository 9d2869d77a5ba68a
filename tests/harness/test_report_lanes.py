"""Tool-call lanes on the page, as it is without any script: every fragment three times, nothing left out unsaid."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter

import pytest

from harness.lanes import MAX_FRAGMENTS
from harness.report import from_document, html, lanes, load, render, render_again, seal, to_document, write_reports
from harness.verdict import CaseResult, RunResult, Verdict
from harness.visible import visible

from .exhibits import call
from .lane_runs import INTERLEAVED, LONG, calling, drawn, hostile_call, many, stream, written_anew
from .page_tree import Node, parse
from .report_runs import HOSTILE, case, passing


def _page(*cases: CaseResult) -> Node:
    return parse(render(passing(cases=cases)))


def _drawings(page: Node) -> dict[str, Node]:
    return {one.all("summary")[0].one("bdi").text: one for one in page.all("details", class_="lanes")}


def _numbers(node: Node) -> list[str]:
    return [number for each in node.walk() for number in (each.attributes.get("data-f") or "").split()]


# --- the layout


@pytest.mark.parametrize("size", [1, 100, 5000])
def test_each_fragment_is_on_the_ruler_in_the_list_in_the_arguments_and_in_the_bytes(size: int) -> None:
    page = _page(drawn(INTERLEAVED, size=size))
    one = page.one("details", class_="lanes")

    assert Counter(_numbers(one)) == Counter({str(number): 4 for number in range(4)})
    for part, node in {"ruler": one.one("svg", class_="ruler"), "bytes": one.one("div", class_="bytes")}.items():
        assert sorted(_numbers(node)) == ["0", "1", "2", "3"], part
    assert [lane.one("bdi").text for lane in one.all("section", class_="lane")] == ["f", "g"]
    fragments = one.all("span", class_="frag")
    assert [each.one("code").raw for each in fragments] == ['{"x":', "1}", '{"é":', "2}"]
    shown = {each["data-f"]: each.raw for each in one.all("span", class_="of")}
    assert shown == {"0": r"{\"x\":", "1": "1}", "2": r"{\"é\":", "3": "2}"}


def test_a_fragment_says_its_frame_its_bytes_and_its_chunk() -> None:
    result = drawn(INTERLEAVED, size=100)
    first = _page(result).all("span", class_="frag")[0]
    start = INTERLEAVED.index(rb"{\"x\":")
    end = start + len(rb"{\"x\":")
    assert first.one("small").text == f"frame 2 · bytes {start}–{end} · chunk {(end - 1) // 100}"
    assert "chunk" not in _page(drawn(INTERLEAVED, size=0)).all("span", class_="frag")[0].text


def test_what_stands_after_the_last_frame_says_so() -> None:
    body = stream(call(0, '{"x"', "f", "a"), call(0, ":1}"), end=False).rstrip()
    for size in (1, 100):
        page = _page(drawn(body, size=size))
        where = [each.one("small").text.split(" · ")[0] for each in page.all("span", class_="frag")]
        assert where == ["frame 0", "after the last frame"]
        assert [each.text for each in page.one("div", class_="bytes").all("b")] == where
        assert [each.raw for each in page.all("span", class_="of")] == [r"{\"x\"", ":1}"]


def test_the_ruler_is_the_body_with_its_chunks() -> None:
    result = drawn(INTERLEAVED, size=100)
    ruler = _page(result).one("svg", class_="ruler")
    assert ruler.one("path")["d"].count("M") == (len(INTERLEAVED) - 1) // 100
    marks = ruler.all("rect", class_="mark")
    assert result.lanes is not None
    fragment = result.lanes.lanes[0].fragments[0]
    assert marks[0]["x"] == f"{100 * fragment.start / len(INTERLEAVED):.3f}%"
    assert float(marks[0]["width"].rstrip("%")) == pytest.approx(700 / len(INTERLEAVED), abs=0.001)
    assert [mark["y"] for mark in marks] == ["24", "24", "42", "42"], "a row a call"
    assert not _page(drawn(INTERLEAVED, size=0)).one("svg", class_="ruler").all("path")
    for mark in _page(drawn(many(12, 30))).one("svg", class_="ruler").all("rect", class_="mark"):
        assert float(mark["x"].rstrip("%")) + float(mark["width"].rstrip("%")) <= 100.001


def test_a_lane_ends_with_the_arguments_and_what_they_are() -> None:
    parts = (
        ('{"x":1}', "✓ fits the tool's schema"),
        ("{}", "≈ JSON, but not what the schema asks for"),
        ("{", "≈ not JSON"),
    )
    for text, words in parts:
        for size in (3, 300):
            lane = _page(drawn(stream(call(0, text, "f", "a")), size=size)).one("section", class_="lane")
            assert lane.one("p", class_="sum").one("code").text == text
            assert lane.one("span", class_="fits").text == words
    assert "$ 'x' is a required property" in _page(drawn(stream(call(0, "{}", "f", "a")))).one("p", class_="sum").text
    no_schema = _page(drawn(stream(call(0, "{}", "g", "a")))).one("span", class_="fits").text
    assert no_schema == "○ JSON; no schema to hold it against"
    cut = _page(drawn(stream(call(0, "{", "f", "a"), end=False))).one("section", class_="lane")
    assert cut.one("span", class_="fits").text == "○ never finished"
    empty = _page(drawn(stream(call(0, "", "f", "a"), end=False))).one("section", class_="lane")
    assert empty.one("p", class_="sum").one("code").text == "none"


# --- the sums


def test_the_sums_are_told_for_the_run_and_the_case() -> None:
    page = _page(drawn(INTERLEAVED), written_anew(), case())
    assert (
        "21 characters of arguments in 2 cases: 14 located exactly, 7 charged to a whole frame. ✓ Every sum is exact."
        in page.one(id="calls").text
    )
    loose = _drawings(page)["gemini-generateContent/tool"]
    assert (
        "1 call, 7 characters: 0 located exactly, 7 charged to a whole frame · ✓ the sum is exact"
        in loose.all("summary")[0].text
    )
    assert "whole frame" in loose.one("span", class_="frag").text
    assert "loose" in loose.one("rect", class_="mark").classes
    assert loose.all("span", class_="of")[0].text.startswith("data: ")


@pytest.mark.parametrize("wrong", [0, 2, 3])
def test_a_sum_that_breaks_is_shown_where_it_breaks(wrong: int) -> None:
    for size in (10, 100):
        page = _page(drawn(INTERLEAVED, "openai-chat/z", size=size, wrong=[wrong]), drawn(INTERLEAVED))
        names = list(_drawings(page))
        assert names == ["openai-chat/z", "openai-chat/tool"], "broken accounts come first"
        broken = _drawings(page)["openai-chat/z"]
        assert "open" in broken.attributes
        assert "✗ the sum breaks" in broken.all("summary")[0].text
        (fragment,) = broken.all("span", class_="broken")
        assert fragment.text.startswith("✗ the sum breaks here")
        assert "~" in fragment.one("code").text
        (mark,) = broken.all("rect", class_="broken")
        assert mark["data-f"] == fragment["data-f"]
        position = 4 if wrong == 0 else 6
        assert f"not exact character {position} of '{'ab'[wrong % 2]}' is not what its bytes say" in broken.text
        assert "✗ The sum breaks in 1 case." in page.one(id="calls").text
        card = page.one("article", class_="card")
        assert "#lanes=openai-chat/z" in [link["href"] for link in card.all("a")]
        assert "✓" in _drawings(page)["openai-chat/tool"].all("summary")[0].text


# --- hostile and too much


def test_recorded_text_stays_text() -> None:
    page = _page(hostile_call(), case())
    one = page.one("details", class_="lanes")

    assert len(page.all("script")) == 2
    assert not page.all("img")
    assert "<script>document" in one.one("section", class_="lane").one("h3").one("bdi").text
    assert "⟨RLO⟩" in one.one("div", class_="bytes").text
    for node in one.walk():
        for text in (
            *(part for part in node.parts if isinstance(part, str)),
            *(v or "" for v in node.attributes.values()),
        ):
            assert visible(text.replace("\n", "")) == text.replace("\n", "")
    assert all(code["dir"] == "ltr" for code in one.all("code"))
    assert visible(f"openai-chat/{HOSTILE}") in _drawings(page)


def test_bytes_that_are_no_utf8_are_spelt_as_bytes() -> None:
    for size in (1, 100):
        body = INTERLEAVED.replace(b'"model": "m"', b'"model": "\xff\xc3"')
        assert "⟨FF⟩⟨C3⟩" in _page(drawn(body, size=size)).one("div", class_="bytes").text
    assert lanes.spelt("a\udc80\udcff\ud83d") == "a⟨80⟩⟨FF⟩\ud83d"


def test_what_is_not_drawn_is_counted() -> None:
    page = _page(drawn(many(12, 30)), drawn(stream(call(0, LONG, "f", "a")), "openai-chat/long"))
    one = _drawings(page)["openai-chat/tool"]
    assert "4 more calls of this case are not drawn." in one.text
    assert "12 calls" in one.all("summary")[0].text
    lane = one.all("section", class_="lane")[0]
    cut = [item.text for item in lane.one("ol").all("li") if "cut" in item.classes]
    assert cut == ["… 25 more fragments"]
    assert re.search(r"… \d+ characters …", lane.one("p", class_="sum").text)
    long = _drawings(page)["openai-chat/long"]
    assert "… 1,120 more" in long.one("span", class_="frag").text
    assert "… 1,120 characters" in long.one("p", class_="sum").text
    assert re.search(r"… 1,080 bytes …", long.one("div", class_="bytes").text)


def test_a_report_draws_some_cases_of_each_dialect_and_counts_the_others() -> None:
    plain = drawn(INTERLEAVED)
    cases = [dataclasses.replace(plain, case=f"openai-chat/{at:03}") for at in range(90)]
    cases += [dataclasses.replace(written_anew(), case=f"gemini-generateContent/{at}") for at in range(3)]
    cases.append(drawn(INTERLEAVED, "openai-chat/zz", wrong=[1]))
    run = passing(cases=tuple(cases))
    page = parse(render(run))
    names = list(_drawings(page))
    assert len(names) == lanes.MAX_CASES == 60
    assert names[:4] == ["openai-chat/zz", "gemini-generateContent/0", "openai-chat/000", "gemini-generateContent/1"]
    assert "34 more cases with arguments are counted above and not drawn" in page.one(id="calls").text
    sealed = seal(run)
    assert sum(one.lanes is not None for one in sealed.cases) == 60
    assert seal(sealed) == sealed
    assert from_document(to_document(run)) == sealed
    assert render(sealed) == render(run)


def test_the_worst_page_stays_small() -> None:
    worst = drawn(many(12, 30))
    run = passing(cases=tuple(dataclasses.replace(worst, case=f"openai-chat/{at:03}") for at in range(300)))
    assert len(render(run)) < 6_000_000
    assert len(render(calling())) < 200_000


# --- no script, no style of one's own


def test_pointing_at_one_shows_the_others_by_style_alone() -> None:
    page = _page(drawn(INTERLEAVED))
    style = page.one("style").raw
    rule = lanes.highlight_rules()
    assert style.endswith(rule)
    assert rule.count(":has(") == MAX_FRAGMENTS
    assert '.lanes:has([data-f~="0"]:is(:hover,:focus)) [data-f~="0"]' in rule
    one = page.one("details", class_="lanes")
    for node in (*one.all("span", class_="frag"), *one.all("span", class_="of"), one.one("div", class_="bytes")):
        assert node["tabindex"] == "0", "reached with the keyboard"


def test_a_run_without_calls_says_so() -> None:
    page = parse(render(passing()))
    assert "No case with tool calls was accounted for" in page.one(id="calls").text
    assert not page.all("details", class_="lanes")


def test_the_page_can_be_made_again_with_its_lanes(tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    run: RunResult = write_reports(calling(), folder / "parity.json", folder / "first.html")
    assert run.verdict is Verdict.FAIL
    assert render_again(folder / "parity.json", folder / "again.html") == run == load(folder / "parity.json")
    assert (folder / "first.html").read_bytes() == (folder / "again.html").read_bytes()
    first = (folder / "parity.json").read_bytes()
    write_reports(calling(), folder / "parity.json", folder / "first.html")
    assert (folder / "parity.json").read_bytes() == first
    assert html.render(run)
