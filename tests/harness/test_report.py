"""The document ``parity.json`` and what ``check`` prints: nothing empty, cut off or edited may look green."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.report import DocumentError, console, document, from_document, load, seal, to_document, write_reports
from harness.report.visible import ascii_only, code_point_name, unit_at, units, visible
from harness.verdict import CaseResult, Difference, MutantResult, PlanResult, ReferenceResult, Verdict

from .report_runs import HOSTILE, case, difference, hostile, large, mutant, only_failing, passing, troubled, vacuous

RUNS = {"passing": passing, "hostile": hostile, "troubled": troubled, "failing": only_failing, "vacuous": vacuous}
SCHEMA = json.loads((Path(document.__file__).parents[1] / "schemas" / "parity.schema.json").read_text("utf-8"))


# --- the document


@pytest.mark.parametrize("name", RUNS)
def test_a_document_survives_the_file(name: str, tmp_path: Path) -> None:
    run = seal(RUNS[name]())
    path = tmp_path / "reports" / "parity.json"
    document.write(run, path)

    assert load(path) == run
    assert [entry.name for entry in path.parent.iterdir()] == ["parity.json"], "the temporary file is gone"


def test_header_first_footer_last_and_ascii_only(tmp_path: Path) -> None:
    document.write(hostile(), tmp_path / "parity.json")
    raw = (tmp_path / "parity.json").read_bytes()

    keys = list(json.loads(raw))
    assert (keys[0], keys[-1]) == ("header", "footer")
    assert raw.isascii()
    assert raw.endswith(b"}\n")


def test_the_same_run_gives_the_same_bytes_whatever_the_order() -> None:
    run = troubled()
    shuffled = dataclasses.replace(
        run,
        cases=run.cases[::-1],
        mutants=run.mutants[::-1],
        divergence_reasons=run.divergence_reasons[::-1],
    )

    assert document.dumps(to_document(run)) == document.dumps(to_document(shuffled))


def test_the_footer_adds_up() -> None:
    footer = to_document(troubled())["footer"]

    assert footer["verdict"] == "error"
    assert footer["counts"] == troubled().counts
    assert footer["totals"] == troubled().totals
    assert sum(footer["counts"].values()) == footer["totals"]["cases"] == 12


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("case", CaseResult),
        ("reference", ReferenceResult),
        ("plan", PlanResult),
        ("difference", Difference),
        ("mutant", MutantResult),
    ],
)
def test_the_schema_knows_every_field_and_no_other(name: str, kind: type[Any]) -> None:
    fields = {field.name for field in dataclasses.fields(kind)}

    assert set(SCHEMA["$defs"][name]["properties"]) == fields
    assert set(SCHEMA["$defs"][name]["required"]) == fields
    assert SCHEMA["$defs"][name]["additionalProperties"] is False


def test_the_schema_is_a_schema_and_agrees_with_its_inlined_form() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for build in RUNS.values():
        jsonschema.Draft202012Validator(SCHEMA).validate(to_document(build()))
    wrong = to_document(passing())
    wrong["cases"][0]["verdict"] = "green"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(wrong)
    with pytest.raises(DocumentError, match=r"cases\[0\]\.verdict: 'green' is not one of"):
        from_document(wrong)


def test_every_verdict_of_the_program_is_in_the_schema() -> None:
    assert SCHEMA["$defs"]["verdict"]["enum"] == [verdict.value for verdict in Verdict]
    assert set(SCHEMA["properties"]["footer"]["properties"]["counts"]["required"]) == {*Verdict}


# --- what proves nothing is not green


@pytest.mark.parametrize(
    ("run", "problem"),
    [
        (vacuous(), "no case was run"),
        (vacuous(cases=(case(body_bytes=0, plans=(PlanResult("whole", 1, 0, 1, sampled=False, verdict=Verdict.PASS),)),)), "no byte was replayed"),
        (vacuous(cases=(case(plans=()),)), "no body was cut"),
        (vacuous(cases=(case(plans=(), references=()),)), "openai-chat/text counts as pass, but nothing was compared"),
        (passing(cases=(case(), case("openai-chat/b", plans=(), references=()))), "openai-chat/b counts as pass, but nothing"),
        (passing(cases=(case(references=(ReferenceResult("sse", Verdict.FAIL, 3),)),)), "one of its comparisons says fail"),
        (passing(cases=(case(verdict=Verdict.NOT_CLAIMED, references=(), plans=()),)), "nothing was compared"),
    ],
    ids=["no-case", "no-byte", "no-split", "no-comparison", "one-empty-case", "contradiction", "nothing-claimed"],
)  # fmt: skip
def test_a_run_that_proves_nothing_is_an_error(run: Any, problem: str) -> None:
    assert run.verdict is Verdict.PASS, "the run itself does not notice"

    sealed = seal(run)

    assert sealed.verdict is Verdict.ERROR
    assert any(problem in one for one in sealed.problems), sealed.problems
    assert to_document(run)["footer"]["verdict"] == "error"
    last = console.summarise(run, colour=False).splitlines()[-1]
    assert last.startswith("ERROR ")


def test_emptiness_does_not_hide_a_failure() -> None:
    run = vacuous(cases=(case(verdict=Verdict.FAIL, plans=(), differences=(difference(),)),))

    assert seal(run).verdict is Verdict.FAIL
    assert not seal(run).problems


@pytest.mark.parametrize("key", ["cases", "splits", "bytes", "comparisons", "chunkings"])
def test_the_schema_alone_refuses_a_green_document_with_nothing_in_it(key: str) -> None:
    green = to_document(passing())
    green["footer"]["totals"][key] = 0

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(green)


def test_one_case_twice_is_refused() -> None:
    with pytest.raises(DocumentError, match="openai-chat/text: two results for one case of streamcore"):
        seal(passing(cases=(case(), case())))
    assert len(seal(passing(cases=(case(), case(subject="other")))).cases) == 2


# --- documents that cannot be trusted


def _edit(change: Any) -> str:
    value = to_document(passing())
    change(value)
    return document.dumps(value)


def _delete(*keys: Any) -> Any:
    def change(value: Any) -> None:
        for key in keys[:-1]:
            value = value[key]
        del value[keys[-1]]

    return change


def _set(new: Any, *keys: Any) -> Any:
    def change(value: Any) -> None:
        for key in keys[:-1]:
            value = value[key]
        value[keys[-1]] = new

    return change


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "empty"),
        ("   \n", "empty"),
        (document.dumps(to_document(passing()))[:5000], r":\d+:\d+: not JSON \(cut off\?\)"),
        ("<html>", r":1:1: not JSON"),
        ("[" * 200_000, "nested too deep"),
        ("[]", "not a parity document"),
        ('{"header": {"format": "other"}}', "not a parity document"),
        (_edit(_set(2, "header", "version")), "format version 2, this program reads 1"),
        (_edit(_delete("footer")), "no footer, so the run did not end"),
        (_edit(_delete("problems")), "'problems' is a required property"),
        (_edit(_delete("cases", 3)), r"footer\.totals\.cases is 28, the document holds 27"),
        (_edit(_set("fail", "cases", 3, "verdict")), r"footer\.counts\.pass is 28, the document holds 27"),
        (_edit(_set("edited", "cases", 3, "text")), r"footer\.digest is"),
        (_edit(_set("fail", "footer", "verdict")), r"footer\.verdict is fail, the document adds up to pass"),
        (_edit(_set([], "cases")), r"cases: \[\] (should be non-empty|is too short)"),
        (_edit(_set(["x"], "problems")), "problems"),
        (_edit(_set("x", "cases", 0, "body_bytes")), r"cases\[0\]\.body_bytes: 'x' is not of type 'integer'"),
        (_edit(_set("\u202e" * 9999, "cases", 0, "verdict")), r"cases\[0\]\.verdict: '(\\u202e){30}.*\.\.\.;"),
    ],
)
def test_what_is_no_whole_document_is_one_clear_line(text: str, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "parity.json"
    path.write_text(text, "utf-8")

    with pytest.raises(DocumentError, match=complaint) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert message.isascii()
    assert "run `streamparity check` again" in message
    assert len(message) < 600


def test_no_prefix_of_a_document_can_be_loaded(tmp_path: Path) -> None:
    text = document.dumps(to_document(only_failing()))
    path = tmp_path / "parity.json"
    for end in {*range(0, len(text) - 1, 997), len(text) - 2}:
        path.write_text(text[:end], "utf-8")
        with pytest.raises(DocumentError):
            load(path)


def test_files_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="nothing.json: cannot be read: No such file"):
        load(tmp_path / "nothing.json")
    (tmp_path / "latin.json").write_bytes(b'{"a": "\xe9"}')
    with pytest.raises(DocumentError, match="not UTF-8 at byte 7"):
        load(tmp_path / "latin.json")
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(DocumentError, match="folder.json: cannot be written"):
        document.write(passing(), tmp_path / "folder.json")
    with pytest.raises(DocumentError, match="folder.json: cannot be written"):
        write_reports(passing(), tmp_path / "parity.json", tmp_path / "folder.json")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["folder.json", "latin.json", "parity.json"]


def test_an_invalid_run_overwrites_nothing(tmp_path: Path) -> None:
    path = tmp_path / "parity.json"
    document.write(passing(), path)
    before = path.read_bytes()
    with pytest.raises(DocumentError, match="sha256"):
        document.write(passing(cases=(case(sha256="none"),)), path)
    assert path.read_bytes() == before


# --- text that cannot be seen


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain é 你 😀", "plain é 你 😀"),
        ("a\r\nb\tc", "a⟨CR⟩⟨LF⟩b⟨TAB⟩c"),
        ("\u2028\u200d\ufeff\ufe0f\u00ad", "⟨LS⟩⟨ZWJ⟩⟨BOM⟩⟨VS16⟩⟨SHY⟩"),
        ("\u202eevil\u2069", "⟨RLO⟩evil⟨PDI⟩"),
        ("\ud83d\x1b[31m\x00\x7f", "⟨U+D83D⟩⟨ESC⟩[31m⟨NUL⟩⟨DEL⟩"),
        ("\u3164\u2800\U000e0041\ue000\u0378", "⟨U+3164⟩⟨U+2800⟩⟨U+E0041⟩⟨U+E000⟩⟨U+0378⟩"),
    ],
)
def test_what_cannot_be_seen_is_spelt_out(text: str, expected: str) -> None:
    assert visible(text) == expected
    visible(text).encode()


def test_no_code_point_reaches_a_page_as_a_control() -> None:
    every = "".join(map(chr, range(0x110000)))
    seen = visible(every)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]", seen)
    assert ascii_only(every[:0x3000] + every[-9:]).isascii()


def test_names_of_code_points() -> None:
    named = {char: code_point_name(char) for char in "é\n\x7f\x85\ud83d\ude00\ue000\u0378\u202e"}
    assert named == {
        "é": "LATIN SMALL LETTER E WITH ACUTE",
        "\n": "LINE FEED",
        "\x7f": "DELETE",
        "\x85": "CONTROL",
        "\ud83d": "LONE HIGH SURROGATE",
        "\ude00": "LONE LOW SURROGATE",
        "\ue000": "PRIVATE USE",
        "\u0378": "UNASSIGNED",
        "\u202e": "RIGHT-TO-LEFT OVERRIDE",
    }


@pytest.mark.parametrize(
    ("line", "index", "char", "start"),
    [
        (r'"caf\u00e9"', 9, "é", 4),
        (r'"\ud83d\ude00!"', 12, "😀", 1),
        (r'"\ud83d!"', 6, "\ud83d", 1),
        (r'"a\\u0041"', 4, "u", 4),
        (r'"\\\n"', 4, "\n", 3),
        ("é", 0, "é", 0),
        ("a\\", 1, "\\", 1),
    ],
)
def test_the_character_at_an_index(line: str, index: int, char: str, start: int) -> None:
    unit = unit_at(line, index)
    assert unit is not None
    assert (unit.char, unit.start) == (char, start)


@pytest.mark.parametrize("filler", ["x", "\\\\", "\\ud83d\\ude00", "\\\\u0041", "\\u4f60\\n"])
def test_starting_in_the_middle_of_a_line_reads_it_as_from_the_start(filler: str) -> None:
    line = f'"{filler * 300}"'
    whole = list(units(line, 0))
    assert "".join(line[unit.start : unit.end] for unit in whole) == line
    for around in range(0, len(line), 13):
        near = [unit for unit in units(line, around, 40) if unit.start >= around - 13]
        assert near == [unit for unit in whole if unit.start >= near[0].start]


# --- the terminal


def test_a_pass_is_one_line() -> None:
    text = console.summarise(passing(), Path("reports/parity.html"), colour=False)

    assert text.splitlines() == [text]
    assert text.startswith("PASS streamcore, plan standard: 28 cases (28 pass); ")
    assert re.search(r"[\d,]+ chunkings, [\d,]+ splits, [\d,]+ comparisons; 2/2 mutants caught", text)
    assert text.endswith("; report reports/parity.html")


def test_a_failure_names_the_first_differing_character_and_how_to_see_it_again() -> None:
    lines = console.summarise(only_failing(), colour=False).splitlines()

    assert lines[0] == "FAIL anthropic-messages/text"
    assert lines[1] == "  differs from ai.anthropic, chunking split@1204"
    assert lines[2] == "    event 12, byte 1204, utf16 7, text-delta.delta, line 31 column 33"
    golden, ours, caret = lines[4:7]
    assert golden.strip().startswith("golden  [")
    assert ours.strip().startswith("ours    [")
    at = caret.index("^")
    assert golden[at:].startswith(r"\u00e9")
    assert ours[at:].startswith(r"\ufffd")
    assert lines[7].strip() == "golden U+00E9 LATIN SMALL LETTER E WITH ACUTE; ours U+FFFD REPLACEMENT CHARACTER"
    assert lines[8].strip() == "reproduce: streamparity check --case anthropic-messages/text --plan split@1204"
    assert lines[-1].startswith("FAIL streamcore, plan standard: 15 cases (1 fail, 14 pass)")


def test_everything_that_is_wrong_is_said() -> None:
    text = console.summarise(troubled(), colour=False)

    for words in (
        "ERROR openai-chat/text\n  openai-chat/text: no golden of sse in golden",
        "NOT-RUN openai-chat/tool\n  needs Node",
        "breaks the rule cut-is-incomplete, chunking cut@77",
        "FAIL mutant merged-by-index was not caught by 28 cases",
        "FAIL divergence no-longer-there is written down, but no longer occurs",
        "1/2 mutants caught",
    ):
        assert words in text
    assert len(console.summarise(troubled(), quiet=True, colour=False).splitlines()) == 1


def test_hostile_text_reaches_no_terminal() -> None:
    text = console.summarise(hostile(), colour=False)
    assert text.isascii()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text)
    assert max(map(len, text.splitlines())) < 1500, "a line of 200,000 characters is cut"
    assert "(99981 more)..." in text
    stream = io.StringIO()
    with console.progress(2, stream=stream) as tell:
        tell(case(f"openai-chat/{HOSTILE}"))
    assert stream.getvalue().isascii()


def test_the_caret_stands_under_the_difference_in_a_long_line() -> None:
    # Against the property, not one picture: whatever precedes it, the caret points at the differing characters.
    for prefix in ("", "x" * 39, "x" * 41, "\\u4f60" * 50, "\\\\" * 77, "\\ud83d\\ude00" * 9):
        expected, actual = f'["t",{{"d":"{prefix}Y"}}]', f'["t",{{"d":"{prefix}y"}}]'
        run = passing(cases=(case(verdict=Verdict.FAIL, differences=(difference(expected=expected, actual=actual),)),))
        lines = console.summarise(run, colour=False).splitlines()
        caret = next(index for index, line in enumerate(lines) if line.strip() == "^")
        at = lines[caret].index("^")
        assert (lines[caret - 2][at], lines[caret - 1][at]) == ("Y", "y")


def test_colours_are_asked_for_or_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert console.wants_colour(Terminal())
    assert not console.wants_colour(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not console.wants_colour(Terminal())
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not console.wants_colour(Terminal())
    coloured = console.summarise(troubled(), colour=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == console.summarise(troubled(), colour=False)
    assert "\x1b[" in coloured


def test_progress_is_plain_lines_where_there_is_no_terminal() -> None:
    stream = io.StringIO()
    with console.progress(2, stream=stream) as tell:
        tell(case())
        tell(case("openai-chat/tool", verdict=Verdict.FAIL))
    assert re.fullmatch(
        r"\[1/2\] pass openai-chat/text \([\d.]+ kB, [\d,]+ comparisons\)\n\[2/2\] fail openai-chat/tool .*\n",
        stream.getvalue(),
    )
    silent = io.StringIO()
    with console.progress(2, stream=silent, quiet=True) as tell:
        tell(case())
    assert not silent.getvalue()


def test_progress_on_a_terminal_is_a_bar_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

        def fileno(self) -> int:
            raise OSError

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    with console.progress(3, stream=stream) as tell:
        tell(case())
        tell(case("openai-chat/[bold]tool", verdict=Verdict.FAIL))
    shown = stream.getvalue()
    assert "fail openai-chat/[bold]tool" in shown, "a failing case stays, and its name is no markup"
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", shown), "NO_COLOR is honoured"
    assert "2/3" in shown


def test_missing_input_is_told_from_a_broken_harness() -> None:
    missing = case(verdict=Verdict.ERROR, parts=0, references=(), plans=(), reason="golden/x.ndjson: no golden; make it")
    raised = dataclasses.replace(missing, case="openai-chat/b", reason="KeyError: 'no golden' (runner.py:12)")
    assert console.is_input_problem(passing(cases=(missing,)))
    assert not console.is_input_problem(passing(cases=(missing, raised)))
    assert console.is_input_problem(vacuous())


def test_a_big_run_is_reported_fast(tmp_path: Path) -> None:
    started = os.times().user
    write_reports(large(200, failing=20), tmp_path / "parity.json", tmp_path / "parity.html")
    assert os.times().user - started < 10, "seconds of processor time; about 1 is usual"
    assert (tmp_path / "parity.html").stat().st_size < 2_000_000


def test_mutants_are_in_order_of_name() -> None:
    run = seal(passing(mutants=(mutant("b"), mutant("a"))))
    assert [one.name for one in run.mutants] == ["a", "b"]
