"""The first difference: the right line, column, place within the part, and the command that shows it again."""

from __future__ import annotations

import shlex

import pytest

from harness.canonical import canonical
from harness.case import Case
from harness.difference import first_difference, reproduce_command, utf16_length
from harness.evidence import Cause, told
from harness.verdict import Difference

CASE = Case("openai-chat/text", "openai-chat", b"")
START = '["text-start",{"id":"0"}]'
DELTA = '["text-delta",{"delta":"Hello","id":"0"}]'
END = '{"end":"ok"}'


def compare(
    expected: list[str], actual: list[str], *, plan: str = "whole", emitted_at: tuple[tuple[int, int], ...] = ()
) -> Difference:
    found = first_difference(
        expected, actual, against="ai.openai.chat", plan=plan, case=CASE, subject="streamcore", emitted_at=emitted_at
    )
    assert found is not None
    return found


def test_equal_traces_do_not_differ() -> None:
    for lines in ([], [START, DELTA, END]):
        assert first_difference(lines, tuple(lines), against="r", plan="whole", case=CASE, subject="s") is None


def test_everything_that_is_told_about_one_changed_character() -> None:
    found = compare(
        [START, DELTA, END],
        [START, DELTA.replace("Hello", "Help!"), END],
        plan="split@12",
        emitted_at=((5, 0), (11, 1), (20, 2)),
    )

    assert found == Difference(
        against="ai.openai.chat",
        plan="split@12",
        line=1,
        expected='["text-delta",{"delta":"Hello","id":"0"}]',
        actual='["text-delta",{"delta":"Help!","id":"0"}]',
        column=27,
        utf16_offset=3,
        path="text-delta.delta",
        byte_offset=11,
        event=1,
        note="",
        reproduce="streamparity check --case openai-chat/text --plan split@12",
    )
    assert found.expected is not None
    assert found.expected[found.column :].startswith('lo"')


def test_only_the_first_of_several_differences_is_told() -> None:
    found = compare([START, DELTA, END], [START.replace("0", "1"), DELTA.replace("H", "J"), '{"end":"error"}'])

    assert (found.line, found.path, found.utf16_offset) == (0, "text-start.id", 0)
    assert (found.note, found.cause) == ("", "")


@pytest.mark.parametrize(
    ("expected", "actual", "line", "path", "note"),
    [
        ([START, DELTA, END], [START, DELTA], 2, "end", "output is missing from here on"),
        ([START, DELTA], [START], 1, "text-delta", "output is missing from here on"),
        ([START], [START, DELTA], 1, "text-delta", "output goes on where it should have ended"),
        ([], [END], 0, "end", "output goes on where it should have ended"),
    ],
)
def test_missing_and_extra_lines(expected: list[str], actual: list[str], line: int, path: str, note: str) -> None:
    found = compare(expected, actual)

    assert (found.line, found.column, found.path, found.utf16_offset, found.note) == (line, 0, path, None, note)
    assert found.expected == (expected[line] if line < len(expected) else None)
    assert found.actual == (actual[line] if line < len(actual) else None)


def test_a_line_that_was_left_out_is_told_as_another_part() -> None:
    found = compare([START, DELTA, END], [DELTA, END])

    assert (found.line, found.path, found.column) == (0, "type", 7)
    assert found.note == "a text-start part was expected, a text-delta part came"


def test_a_part_where_the_end_should_be_has_another_type() -> None:
    assert compare([START, END], [START, DELTA]).path == "type"


@pytest.mark.parametrize(
    ("expected", "actual", "units"),
    [
        # Code units before the difference, as an index into a JavaScript string: a pair counts two, é and € one each.
        ("a\\ud83d\\ude00b", "a\\ud83d\\ude00c", 3),
        ("\\u00e9\\u20acb", "\\u00e9\\u20acc", 2),
        ("\\ud83db", "\\ud83dc", 1),
        ("abc", "ab", 2),
        ("ab", "abc", 2),
        ("", "x", 0),
        ("\\n\\\"b", "\\n\\\"c", 2),
    ],
)
def test_offsets_within_a_string_are_utf_16_code_units(expected: str, actual: str, units: int) -> None:
    found = compare([f'["text-delta",{{"delta":"{expected}","id":"0"}}]'], [f'["text-delta",{{"delta":"{actual}","id":"0"}}]'])

    assert (found.path, found.utf16_offset) == ("text-delta.delta", units)


def test_the_length_of_lone_and_paired_surrogates() -> None:
    assert [utf16_length(text) for text in ("", "aé€", "😀", "\ud83d", "\ud83dx\ude00")] == [0, 3, 2, 1, 3]


@pytest.mark.parametrize(
    ("expected", "actual", "path", "units"),
    [
        ('{"a":{"b":[1,{"c":"xy"}]}}', '{"a":{"b":[1,{"c":"xz"}]}}', "finish.a.b[1].c", 1),
        ('{"a":[1,2]}', '{"a":[1,2,3]}', "finish.a[2]", None),
        ('{"a":[1,2,3]}', '{"a":[1]}', "finish.a[1]", None),
        ('{"a":1,"b":2}', '{"b":2}', "finish.a", None),
        ('{"b":2}', '{"a":1,"b":2}', "finish.a", None),
        ('{"a":1}', '{"a":2}', "finish.a", None),
        ('{"a":"1"}', '{"a":1}', "finish.a", None),
        ('{"a":{"b":1}}', '{"a":{"b":true}}', "finish.a.b", None),
        ('{"a":[0,{"b":0}]}', '{"a":[0,{"b":false}]}', "finish.a[1].b", None),
        ('{"a":null}', "{}", "finish.a", None),
        ('{"a":{}}', '{"a":[]}', "finish.a", None),
    ],
)
def test_the_path_leads_to_the_value_that_differs(expected: str, actual: str, path: str, units: int | None) -> None:
    found = compare([f'["finish",{expected}]'], [f'["finish",{actual}]'])

    assert (found.path, found.utf16_offset) == (path, units)


def test_the_end_line_and_the_final_message_have_the_names_that_divergences_use() -> None:
    failed = '{"end":"error","error":{"kind":"provider","stage":"close"}}'

    assert compare([END], [failed]).path == "end.end"
    assert compare([failed], [failed.replace("close", "open")]).path == "end.error.stage"
    assert compare(['{"blocks":[{"text":"ab"}]}'], ['{"blocks":[{"text":"ac"}]}']).path == "final.blocks[0].text"


def test_a_replacement_character_that_the_golden_has_not_is_told_first() -> None:
    broken = DELTA.replace("Hello", "H\\ufffdllo")

    halved = DELTA.replace("Hello", "H\\ud83dllo")

    assert compare([DELTA], [broken]).cause == Cause.REPLACED
    assert compare([halved], [broken]).cause == Cause.SURROGATE
    assert compare([broken], [broken.replace("H", "J")]).cause == ""


def test_a_note_of_the_caller_replaces_the_guess() -> None:
    found = first_difference([START], [DELTA], against="bytes", plan="bytes", case=CASE, subject="s", note="mine")

    assert found is not None
    assert found.note == "mine"


def test_parts_whose_place_is_unknown_have_none() -> None:
    found = compare([START, DELTA, END], [START, DELTA, '{"end":"error"}'], emitted_at=((5, 0), (11, 1)))

    assert (found.byte_offset, found.event) == (None, None)


def test_the_command_is_quoted_for_the_shell() -> None:
    odd = Case("openai-chat/it's here", "openai-chat", b"")

    command = reproduce_command(odd, "my.module:Subject", "random:4")

    assert command == """streamparity check --case 'openai-chat/it'"'"'s here' --plan random:4 --subject my.module:Subject"""
    assert shlex.split(command)[3] == "openai-chat/it's here"
    assert reproduce_command(CASE, "streamcore", "whole") == "streamparity check --case openai-chat/text --plan whole,bytes"


def begun(call: str, *pieces: str, tool: str = "t") -> list[str]:
    deltas = [f'["tool-input-delta",{{"delta":"{piece}","id":"{call}"}}]' for piece in pieces]
    return [f'["tool-input-start",{{"id":"{call}","toolName":"{tool}"}}]', *deltas]


@pytest.mark.parametrize(
    ("actual", "cause"),
    [
        (begun("a", "1", "2", "3"), told(Cause.CALL_MERGED, 'the arguments of "b" went to "a"')),
        (begun("a", "1"), told(Cause.CALL_MISSING, '"t"("23")')),
        (begun("b", "2", "3"), told(Cause.CALL_MISSING, '"t"("1")')),
        (begun("a", "1", "2"), told(Cause.CALL_MISSING, '"t"("1")')),  # not all of what it had came to the other
        ([*begun("a", "1"), *begun("c", "2", "3")], told(Cause.CALL_RENAMED, '"b" became "c"')),
        ([*begun("a", "1"), *begun("b", "2", "4")], ""),
        ([*begun("a", "1"), *begun("b", "2", "3"), *begun("c", "4")], told(Cause.CALL_EXTRA, '"t"("4")')),
        ([*begun("a", "1"), *begun("a", "2", "3")], told(Cause.CALL_SAME_ID, '"a"')),
        ([*begun("a", "1"), *begun("b", "2", "3", "2")], told(Cause.ARGUMENTS_AGAIN, '"2"')),
        ([*begun("a", "1"), *begun("b", "3")], told(Cause.ARGUMENTS_SHORT, '"2..."')),
        ([*begun("a", "1"), *begun("b", "2", "3", tool="tt")], told(Cause.CALL_NAME_JOINED, '"tt"')),
        ([*begun("a", "1"), *begun("b", "2", "3", tool="s")], told(Cause.CALL_NAME, '"t" became "s"')),
        ([*begun("a", "2"), *begun("b", "1", "3")], told(Cause.CALL_MIXED, '"t"("1") came out as "2"')),
    ],
)
def test_what_became_of_tool_calls_is_told(actual: list[str], cause: str) -> None:
    assert compare([*begun("a", "1"), *begun("b", "2", "3"), END], [*actual, END]).cause == cause


def test_a_stream_that_is_taken_for_cut_lacks_the_mark_of_its_end_only_if_it_has_one() -> None:
    cut = '{"end":"error","error":{"kind":"incomplete_stream","stage":"close"}}'
    reason, none = ('["finish",{"finishReason":{' + raw + '"unified":"stop"}}]' for raw in ('"raw":"stop",', ""))
    before, closed = [START, DELTA], '["text-end",{"id":"0"}]'

    ended = compare([*before, closed, reason, END], [*before, cut])

    assert ended.note == "a text-end part was expected, the end with the error incomplete_stream came"
    assert ended.cause == told(Cause.END_UNSEEN, 'the finish is missing, with its reason "stop"')
    assert compare([*before, closed, none, END], [*before, cut]).cause == told(Cause.PARTS_MISSING, "text-end, finish")


def test_what_divergences_cover_is_no_evidence() -> None:
    first, second = DELTA.replace("Hello", "a"), DELTA.replace("Hello", "a\\ufffd")

    told_of = first_difference(
        [START, first], [DELTA, second], against="r", plan="whole", case=CASE, subject="s", evidence=([first], [second])
    )

    assert told_of is not None
    assert (told_of.line, told_of.cause) == (0, Cause.REPLACED)
    same = first_difference([first], [second], against="whole", plan="bytes", case=CASE, subject="s")
    assert same is not None
    assert same.cause == ""  # against itself: how the bytes were cut is the cause, and that is searched for


def frame(data: str, event: str = "") -> str:
    return canonical(["frame", {"data": data, **({"event": event} if event else {})}])


@pytest.mark.parametrize(
    ("actual", "cause"),
    [
        ([frame("a", "x"), frame("b"), frame("c")], told(Cause.LAST_LINE, "the first of 2")),
        ([frame("a", "x"), frame("q"), frame("c")], ""),
        ([frame("a"), frame("b\nd"), frame("c")], told(Cause.EVENT_NAME)),
        ([frame("a", "x"), frame("b\nd")], told(Cause.TAIL_MISSING, "1 event")),
        ([frame("b\nd"), frame("c")], told(Cause.HEAD_MISSING)),
        ([frame("a", "x"), frame("c")], told(Cause.PARTS_MISSING, "events")),
        ([frame("a", "x"), frame("b\nd"), frame("c"), frame("c")], told(Cause.PARTS_AGAIN, "events")),
        ([frame("a", "x"), frame(""), frame("b\nd"), frame("c")], told(Cause.EMPTY_EVENT)),
        ([frame("a", "x"), frame("bd"), frame("c")], told(Cause.LINE_ENDS)),
        ([frame("a", "x"), frame("d"), frame("c")], told(Cause.LAST_LINE, "the last of 2")),
        ([], told(Cause.NOTHING_READ)),
    ],
)
def test_what_became_of_events_is_told(actual: list[str], cause: str) -> None:
    expected = [frame("a", "x"), frame("b\nd"), frame("c")]
    case = Case("sse/a", "sse", b"event: x\ndata: a\n\ndata: b\ndata: d\n\ndata: c\n\n")

    found = first_difference([*expected, END], [*actual, END], against="sse", plan="whole", case=case, subject="s")

    assert found is not None
    assert found.cause == cause
