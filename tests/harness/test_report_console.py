"""What ``check`` prints, and the spelling out of what cannot be seen, which it shares with the page."""

from __future__ import annotations

import dataclasses
import io
import re
from pathlib import Path

import pytest

from harness.report import console
from harness.verdict import Verdict
from harness.visible import ascii_only, code_point_name, unit_at, units, visible

from .report_runs import HOSTILE, case, difference, hostile, only_failing, passing, troubled, vacuous

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
    assert [code_point_name(char) for char in "é\n\x7f\x85\ud83d\ude00\ue000\u0378\u202e"] == [
        "LATIN SMALL LETTER E WITH ACUTE",
        "LINE FEED",
        "DELETE",
        "CONTROL",
        "LONE HIGH SURROGATE",
        "LONE LOW SURROGATE",
        "PRIVATE USE",
        "UNASSIGNED",
        "RIGHT-TO-LEFT OVERRIDE",
    ]


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


def test_a_pass_is_one_line_and_one_a_dialect() -> None:
    *table, text = console.summarise(passing(), Path("reports/parity.html"), colour=False).splitlines()

    assert [line.split() for line in table] == [
        ["dialect", "cases", "pass"],
        ["anthropic-messages", "14", "14"],
        ["openai-chat", "14", "14"],
    ]
    assert text.startswith("PASS streamcore, plan standard: 28 cases (28 pass); ")
    assert re.search(r"[\d,]+ chunkings, [\d,]+ splits, [\d,]+ comparisons; 2/2 mutants caught", text)
    assert text.endswith("; report reports/parity.html")


def test_a_failure_names_the_first_differing_character_and_how_to_see_it_again() -> None:
    lines = console.summarise(only_failing(), colour=False).splitlines()

    assert lines[0] == "FAIL anthropic-messages/text"
    assert lines[1] == "  no single cause known"
    del lines[1]
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


def test_the_minimal_cut_is_told_in_bytes_and_characters() -> None:
    text = console.summarise(troubled(), colour=False)
    lines = [line.strip() for line in text.splitlines()]

    cause = "likely cause: a character whose bytes come in two chunks is broken: U+00E9 LATIN SMALL LETTER E WITH ACUTE"
    assert cause in lines
    assert "the recording leaves its grammar, event 5: stop while block 0 is in the state stopped" in lines
    assert any(line.startswith("the recording leaves its grammar, at its end: <script>") for line in lines)
    at = next(index for index, line in enumerate(lines) if line.startswith("minimal: "))
    assert lines[at] == (
        "minimal: split@1204, fails if and only if a chunk ends between 0xC3 and 0xA9 of "
        "U+00E9 LATIN SMALL LETTER E WITH ACUTE in event 12"
    )
    assert lines[at + 1] == r"byte 1204: 63 61 66 C3 | A9 20 69 6E   caf\u27e8C3\u27e9 | \u27e8A9\u27e9 in"
    assert lines[at + 2] == "2,014 ways of cutting run; 1 of 1,999 single cuts fail"
    assert lines[at + 3] == "reproduce: streamparity check --case anthropic-messages/text --plan split@1204"


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


def test_a_dialect_that_is_not_claimed_says_why() -> None:
    run = passing(cases=(case(), case("other/text", verdict=Verdict.NOT_CLAIMED, reason="it is\nno stream")))
    lines = console.summarise(run, colour=False).splitlines()

    assert "not claimed: other: it is\\u000ano stream" in lines
    assert lines[0].split() == ["dialect", "cases", "pass", "not-claimed"]


def test_a_run_of_one_dialect_needs_no_table() -> None:
    assert len(console.summarise(passing(cases=(case(),)), colour=False).splitlines()) == 1


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
    missing = case(
        verdict=Verdict.ERROR, parts=0, references=(), plans=(), reason="golden/x.ndjson: no golden; make it"
    )
    raised = dataclasses.replace(missing, case="openai-chat/b", reason="KeyError: 'no golden' (runner.py:12)")
    assert console.is_input_problem(passing(cases=(missing,)))
    assert not console.is_input_problem(passing(cases=(missing, raised)))
    assert not console.is_input_problem(vacuous())
