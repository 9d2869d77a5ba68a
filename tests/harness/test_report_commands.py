"""What the formats that are made from a document hold, and that recorded text stays text in each of them."""

from __future__ import annotations

import dataclasses
import html
import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import jsonschema
from markdown_it import MarkdownIt

from harness.report import badge, ctrf, summary, workflow
from harness.report.baseline import compare
from harness.report.junit import junit
from harness.verdict import RunResult, Verdict
from harness.visible import visible

from .report_runs import HOSTILE, case, difference, hostile, large, mutant, only_failing, passing, troubled, vacuous

EVIL = f"{HOSTILE}|` `` ```\n::error::a\r\n::add-mask::b ##[error]c www.evil.example @team #1 *b* __i__ [l](javascript:1)  \\| &lt;&#60;"


def evil() -> RunResult:
    """More of what a format could take for more than text, wherever text can stand."""
    failed = case(
        f"openai-chat/{EVIL}",
        dialect=EVIL,
        verdict=Verdict.FAIL,
        reason=EVIL,
        source=EVIL,
        differences=(difference(against=EVIL, note=EVIL, path=EVIL, plan=EVIL, reproduce=EVIL, expected=EVIL, actual=f"{EVIL}."),),
    )
    skipped = case("openai-chat/b", verdict=Verdict.NOT_CLAIMED, references=(), plans=(), reason=EVIL)
    return passing(
        subject=EVIL,
        plan=EVIL,
        cases=(case(), failed, skipped),
        mutants=(mutant(EVIL, caught=False, description=EVIL), mutant(f"{EVIL}2", description=EVIL, case=EVIL, plan=EVIL)),
        stale_divergences=(EVIL,),
        stale_allowances=(EVIL,),
        problems=(EVIL,),
        versions=((EVIL, EVIL),),
    )


RUNS = (passing, only_failing, troubled, hostile, evil)


# --- the summary of a step, and annotations


class Seen(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_comment(self, data: str) -> None:
        self.tags.add(f"<!--{data}")

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_summary_says_it_and_recorded_text_stays_text_in_it() -> None:
    for build in RUNS:
        run = build()
        text = summary.summary(run, compare(passing(), run))
        seen = Seen()
        seen.feed(MarkdownIt("commonmark").enable("table").render(text))
        assert seen.tags <= {*"h2 h3 p code table thead tbody tr th td ul li details summary pre".split()}, seen.tags
        assert not seen.attributes
        said = "".join(seen.text)
        assert f"streamparity: {run.verdict}" in said
        assert f"{run.totals['splits']:,}" in said
        for one in run.cases:
            assert (visible(one.case)[:150] in said) == (one.verdict in (Verdict.FAIL, Verdict.ERROR, Verdict.NOT_RUN)), one.case
        for line in text.splitlines():
            assert not line.lstrip().startswith("::")
            assert "##[" not in line
        assert text.isprintable() or set(text) - set("\n") <= {char for char in text if char.isprintable()}
        cells = [line for line in text.splitlines() if line.startswith("|")]
        assert {line.count("|") for line in cells[:3]} == {7}

    troubled_text = html.unescape(summary.summary(troubled(), compare(only_failing(), troubled())))
    for words in (
        "12 (1 error, 1 fail, 1 not-run, 1 not-claimed, 1 conflict, 1 divergence, 6 pass) | 46.7 kB | 69,381 | 76,014 | 69,916 | 1 of 2 |",
        "| <code>openai-chat</code> | 3 | 1 |  |  |  | 1 |  | 1 |",
        "* fail, mutant not caught: <code>merged-by-index</code>; 28 cases did not catch it",
        "✗ fail <code>anthropic-messages/text</code> differs from ai.anthropic, chunking split@1204; event 12, byte 1204, utf16 7",
        "    golden U+00E9 LATIN SMALL LETTER E WITH ACUTE; ours U+FFFD REPLACEMENT CHARACTER",
        "    reproduce: streamparity check --case anthropic-messages/text --plan split@1204",
        "WORSE 4 new, 0 fixed, 1 still failing, 8 came, 11 went; fail -> error",
        "* new: <code>openai-chat/tool</code>",
    ):
        assert words in troubled_text, words


def test_the_summary_stays_within_its_limit_and_says_what_it_leaves_out() -> None:
    run = large(150, failing=130)
    wide = "\u65e5" * 150  # three bytes a character
    run = dataclasses.replace(run, cases=tuple(dataclasses.replace(one, case=one.case + wide) for one in run.cases))
    whole = summary.summary(run)
    assert len(whole.encode()) < summary.LIMIT
    assert whole.count("<details>") == summary.MAX_CASES
    assert "\n30 red cases more than shown here: the report has all of them.\n" in whole
    for room in range(20_000, 24_000, 1000):
        some = summary.summary(run, room=room)
        shown = some.count("<details>")
        assert 0 < shown < summary.MAX_CASES
        assert len(some.encode()) <= room
        assert f"\n{130 - shown} red cases more than shown here" in some
    one = summary.summary(run, room=600)
    assert "<details>" not in one
    assert "## ✗ streamparity: fail" in one
    assert "\n130 red cases more than shown here" in one
    assert summary.summary(run, room=100) == ""


def decoded(command: str) -> tuple[dict[str, str], str]:
    """Properties and message of a workflow command, as the runner reads it: up to the first ``::`` after its name."""
    found = re.fullmatch(r"::error ((?:[a-z]+=[^,:\r\n]*,?)+)::([^\r\n]*)", command)
    assert found, command

    def plain(text: str) -> str:
        for spelling, char in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
            text = text.replace(spelling, char)
        return text

    properties = dict(member.split("=", 1) for member in found[1].split(","))
    return {name: plain(value) for name, value in properties.items()}, plain(found[2])


def test_annotations_are_one_a_case_and_at_most_ten() -> None:
    assert workflow.commands(passing()) == []
    whole, error, fail, not_run = map(decoded, workflow.commands(troubled()))
    assert whole[0] == {"title": "streamparity: the run as a whole"}
    assert whole[1].splitlines()[1] == "stale divergence: no-longer-there; it no longer occurs: remove it from divergences.yaml"
    assert error[0] == {
        "file": "cassettes/openai-chat/text.yaml", "line": "1", "title": "streamparity: error openai-chat/text"
    }  # fmt: skip
    assert fail[1].splitlines() == [
        "differs from ai.anthropic, chunking split@1204; event 12, byte 1204, utf16 7, text-delta.delta, line 31 column 33 (and 1 more)",
        "what differs, in words",
        "likely cause: a character whose bytes come in two chunks is broken: U+00E9 LATIN SMALL LETTER E WITH ACUTE",
        "reproduce: streamparity check --case anthropic-messages/text --plan split@1204",
    ]
    assert not_run[1] == "needs Node"
    for build in (hostile, evil):
        for command in workflow.commands(build()):
            assert command.isascii()
            assert command.isprintable()
            properties, message = decoded(command)
            assert set(properties) <= {"file", "line", "title"}
            assert message
    percent = case(verdict=Verdict.ERROR, reason="100%0A", source="/home/me/a.yaml")
    assert workflow.commands(passing(cases=(percent,))) == ["::error title=streamparity%3A error openai-chat/text::100%250A"]
    many = workflow.commands(large(130, failing=120))
    assert len(many) == 10
    assert decoded(many[-1])[1] == "111 more cases are red; the report names them"


# --- other programs' formats

ATTRIBUTES = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": {"name", "tests", "failures", "errors", "time", "skipped"},
    "testcase": {"name", "time", "classname"},
    "properties": set(),
    "property": {"name", "value"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"type", "message"},
    "system-out": set(),
}
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"properties", "testcase"},
    "testcase": {"failure", "error", "skipped", "system-out"},
    "properties": {"property"},
}
"""As far as we use it, what junit-10.xsd of Jenkins' xUnit plug-in, the schema of pytest's xunit2, allows."""


def parsed(text: str) -> ET.Element:
    """The root of an XML document, which must be one that UTF-8 can hold."""
    return ET.fromstring(text.encode())  # noqa: S314 - our own


def properties_of(suite: ET.Element) -> dict[str, str]:
    """Those of a suite, by name."""
    return {one.attrib["name"]: one.attrib["value"] for one in suite.iterfind("properties/property")}


def test_junit_is_valid_and_adds_up_to_the_verdict() -> None:
    for build in RUNS:
        run = build()
        text = junit(run)
        assert text == junit(run)
        root = parsed(text)
        for element in root.iter():
            assert set(element.attrib) <= ATTRIBUTES[element.tag], element.tag
            assert {child.tag for child in element} <= CHILDREN.get(element.tag, set()), element.tag
        for group in (root, *root):
            tests = list(group.iter("testcase"))
            assert int(group.attrib["tests"]) == len(tests)
            for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
                assert attribute not in group.attrib or int(group.attrib[attribute]) == len(list(group.iter(tag)))
        numbers = {suite.attrib["name"]: properties_of(suite) for suite in root}
        whole = numbers.pop("the run as a whole")
        assert {name: int(whole[name]) for name in run.totals} == run.totals
        assert (whole["verdict"], len(whole["digest"])) == (run.verdict, 64)
        assert {name: sum(int(suite.get(name, 0)) for suite in numbers.values()) for name in run.totals} == run.totals
        red = list(root.iter("failure")) + list(root.iter("error"))
        assert bool(red) == (run.verdict is not Verdict.PASS)
        suites = [suite.attrib["name"] for suite in root]
        assert len(suites) == len(set(suites))
        assert {visible(one.dialect) for one in run.cases} <= set(suites)
        assert {visible(one.case) for one in run.cases} <= {test.attrib["name"] for test in root.iter("testcase")}

    found = {test.attrib["name"]: test for test in parsed(junit(troubled())).iter("testcase")}
    failure = found["anthropic-messages/text"].find("failure")
    assert failure is not None
    assert "\n    golden  [" in (failure.text or "")
    assert found["ollama-ndjson/text"].find("skipped").attrib["message"] == "streamcore does not claim it"  # type: ignore[union-attr]
    assert found["openai-chat/tool"].find("error").attrib["message"] == "needs Node"  # type: ignore[union-attr]
    assert "divergences: late-usage\n" in found["anthropic-messages/refusal"].findtext("system-out", "")
    assert found["merged-by-index"].find("failure") is not None
    assert "caught by: anthropic-messages/unicode, plan bytes" in found["utf8-per-chunk"].findtext("system-out", "")
    assert found["stale divergence: no-longer-there"].find("failure") is not None
    assert "⟨NUL⟩" in junit(hostile())
    assert [suite.attrib["name"] for suite in parsed(junit(vacuous()))] == ["the run as a whole"]


COUNT = {"type": "integer", "minimum": 0}
CTRF_TEST = {
    "type": "object",
    "required": ["name", "status", "duration"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "status": {"enum": ["passed", "failed", "skipped", "pending", "other"]},
        "duration": COUNT,
        "suite": {"type": "array", "minItems": 1, "items": {"type": "string"}},
        "rawStatus": {"enum": [verdict.value for verdict in Verdict]},
        "extra": {"type": "object"},
        **{key: {"type": "string"} for key in ("message", "trace", "filePath")},
    },
}
SUMMARY = ("tests", "passed", "failed", "skipped", "pending", "other", "start", "stop")
CTRF = {
    "type": "object",
    "required": ["reportFormat", "specVersion", "results"],
    "additionalProperties": False,
    "properties": {
        "reportFormat": {"const": "CTRF"},
        "specVersion": {"type": "string", "pattern": "^[0-9]+\\.[0-9]+\\.[0-9]+$"},
        "generatedBy": {"type": "string"},
        "results": {
            "type": "object",
            "required": ["tool", "summary", "tests"],
            "additionalProperties": False,
            "properties": {
                "tool": {"type": "object", "required": ["name"], "additionalProperties": False, "properties": {"name": {"type": "string"}, "version": {"type": "string"}}},
                "summary": {"type": "object", "required": list(SUMMARY), "additionalProperties": False, "properties": {**dict.fromkeys((*SUMMARY, "suites"), COUNT), "extra": {"type": "object"}}},
                "tests": {"type": "array", "items": CTRF_TEST},
                "environment": {"type": "object", "additionalProperties": False, "properties": {"extra": {"type": "object"}}},
            },
        },
    },
}  # fmt: skip
"""Of the schema of CTRF's specification the members that it requires, and those that we use."""


def test_ctrf_has_what_its_schema_requires_and_adds_up_to_the_verdict() -> None:
    jsonschema.Draft7Validator.check_schema(CTRF)
    for build in RUNS:
        run = build()
        text = ctrf.dumps(ctrf.ctrf(run))
        assert text == ctrf.dumps(ctrf.ctrf(run))
        document = json.loads(text)
        jsonschema.Draft7Validator(CTRF).validate(document)
        text.encode()
        counts, tests = document["results"]["summary"], document["results"]["tests"]
        assert counts["tests"] == len(tests) == sum(counts[status] for status in ("passed", "failed", "skipped"))
        assert counts["suites"] == len({test["suite"][0] for test in tests})
        assert bool(counts["failed"]) == (run.verdict is not Verdict.PASS)
        assert counts["extra"] == run.totals
        assert {visible(one.case) for one in run.cases} <= {test["name"] for test in tests}
        assert document["results"]["environment"]["extra"]["verdict"] == run.verdict
        json.dumps(document, ensure_ascii=False).encode()  # no half of a surrogate pair
    failed = next(test for test in ctrf.ctrf(troubled())["results"]["tests"] if test["name"] == "anthropic-messages/text")
    assert failed["status"] == "failed"
    assert failed["filePath"] == "cassettes/anthropic-messages/text.yaml"
    assert failed["trace"].startswith("FAIL anthropic-messages/text\n")
    assert failed["extra"]["comparisons"].isdecimal()


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_badge_says_it_in_words_and_in_a_colour_that_can_be_read() -> None:
    told = []
    for build in RUNS:
        shown = badge.badge(build(), label=EVIL if build is evil else "parity")
        told.append(shown.message)
        value = badge.endpoint(shown)
        assert value["schemaVersion"] == 1
        assert value["isError"] == (build is not passing)
        root = parsed(badge.svg(shown))
        namespace = "{http://www.w3.org/2000/svg}"
        title = root.findtext(f"{namespace}title")
        assert title == root.attrib["aria-label"] == f"{visible(shown.label)}: {shown.message}"
        assert root.attrib["role"] == "img"
        assert {element.tag.removeprefix(namespace) for element in root.iter()} == {"svg", "title", "rect", "g", "text"}
        assert [element.text for element in root.iter(f"{namespace}text")] == [shown.label, shown.message]
        for rectangle in root.iter(f"{namespace}rect"):
            assert 1.05 / (luminance(rectangle.attrib["fill"]) + 0.05) >= 4.5
    assert told == [
        "pass: 28 cases, 249k splits, 2/2 mutants", "fail: 1 of 15 cases", "error: 3 of 12 cases", "error: 2 of 3 cases", "error: 1 of 3 cases",
    ]  # fmt: skip
    assert badge.badge(dataclasses.replace(passing(), mutants=(mutant(caught=False),))).message == "fail: all cases pass, the rest does not"
    assert badge.badge(passing(shard="2/3", mutants=())).message == "shard 2/3: pass: 28 cases, 249k splits"
    assert badge.svg(badge.badge(passing(), label="")).count("<text") == 1
