"""Formats from before: each tells the same as its modern twin, however it is cut."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from harness.rules import violations
from streamcore import CallerError, Decoder, Limits
from streamcore.legacy import DoubleEncodedArguments, ThinkTags, XmlToolCalls, tool_calls, whole_message
from streamcore.legacy.calls import Notes
from streamcore.message import MessageAssembler, TextBlock
from streamcore.parts import (
    Error,
    Finish,
    Part,
    TextDelta,
    TextEnd,
    TextStart,
    ToolCall,
    ToolInputDelta,
    ToolInputEnd,
    ToolInputStart,
)

from .wire import DONE, call, chat, decode, finish, text, tools

Rewriter = Any
TOOLS = ["read_file", "write_to_file", "ask"]
PARAMETERS = ["path", "content", "line_count", "question"]


def xml(**limits: int) -> XmlToolCalls:
    return XmlToolCalls(TOOLS, PARAMETERS, **limits)


def broken(parts: list[dict[str, Any]]) -> list[str]:
    """Rules that a stretch of a stream breaks, of those that ask no whole stream of it."""
    return [found.rule for found in violations(parts) if found.rule not in ("stream-start", "end-untold")]


def pieces(whole: str) -> Iterable[list[str]]:
    """Whole, character by character, every two pieces of a short text, and a few random cuts."""
    yield [whole]
    yield list(whole)
    for at in range(1, len(whole)) if len(whole) < 400 else []:
        yield [whole[:at], whole[at:]]
    chance = random.Random(len(whole))
    for _ in range(5):
        cuts = sorted(chance.choices(range(len(whole) + 1), k=5))
        yield [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]


def merged(parts: Iterable[Part]) -> list[Any]:
    """As JSON, neighbouring deltas of one block joined."""
    joined: list[dict[str, Any]] = []
    for part in (each.as_json() for each in parts):
        last = joined[-1] if joined else {}
        if part["type"].endswith("-delta") and (last.get("type"), last.get("id")) == (part["type"], part["id"]):
            last["delta"] += part["delta"]
        else:
            joined.append(part)
    return joined


def rewritten(make: Callable[[], Rewriter], whole: str, *after: Part) -> list[Any]:
    """The one outcome of all cuttings of a text block; ``after`` are the parts behind it."""
    outcomes = []
    for cut in pieces(whole):
        rewriter = make()
        out: list[Part] = rewriter.add([TextStart("0")])
        for piece in cut:
            out += rewriter.add([TextDelta("0", piece)])
        out += rewriter.add([TextEnd("0"), *after])
        outcomes.append(merged(out))
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert not broken(outcomes[0])
    return outcomes[0]


def told(parts: Iterable[dict[str, Any]]) -> list[Any]:
    """What was said, without ids: texts, reasoning and calls in order."""
    result: list[Any] = []
    for part in parts:
        if part["type"] in ("text-delta", "reasoning-delta"):
            result.append((part["type"][0], part["delta"]))
        elif part["type"] == "tool-call":
            result.append((part["toolName"], json.loads(part["input"])))
        elif part["type"] == "error":
            result.append(part["kind"])
    return result


# -- XML ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("whole", "expected"),
    [
        ("plain < text </ask> <b>", [("t", "plain < text </ask> <b>")]),
        ("<read_file></read_file>", [("read_file", {})]),
        ("a<read_file><path> x\ufeff </path></read_file>b", [("t", "a"), ("read_file", {"path": "x"}), ("t", "b")]),
        ("<ask><path>1</path>x<path>2</path></ask>", [("ask", {"path": "2"})]),
        ("<ask><unknown>1</unknown></ask>", [("ask", {})]),
        ("<ask><content>\n\n a \n\n</content></ask>", [("ask", {"content": "\n a \n"})]),
        ("<ask><question>is <read_file> a tag?</question></ask>", [("ask", {"question": "is <read_file> a tag?"})]),
        ("<ask></ask><ask></ask>", [("ask", {}), ("ask", {})]),
        ("<<ask></ask><as", [("t", "<"), ("ask", {}), ("t", "<as")]),
        ("<ask><content>a</content>b</content></ask>", [("ask", {"content": "a"})]),
        ("<write_to_file><content>a</content>b</content><line_count>1</line_count></write_to_file>",
            [("write_to_file", {"content": "a</content>b", "line_count": "1"})]),
        ("<write_to_file><content>\na<content>b</content>c</content></write_to_file>",
            [("write_to_file", {"content": "a<content>b</content>c"})]),
        ("<write_to_file><path>p</path></content></write_to_file>", [("write_to_file", {"path": "p"})]),
    ],
)  # fmt: skip
def test_tags(whole: str, expected: list[Any]) -> None:
    assert told(rewritten(xml, whole)) == expected


def test_text_goes_on_as_soon_as_it_is_no_tag() -> None:
    rewriter = xml()
    rewriter.add([TextStart("0")])
    assert merged(rewriter.add([TextDelta("0", "a <rea")]))[-1]["delta"] == "a "
    assert rewriter.add([TextDelta("0", "d_")]) == []
    assert merged(rewriter.add([TextDelta("0", "x")]))[-1]["delta"] == "<read_x"
    assert [part.type for part in rewriter.add([TextDelta("0", "<ask>")])] == ["tool-input-start"]


def test_a_call_that_is_never_closed_is_never_complete() -> None:
    for whole in ("<ask>", "<ask><question>w", "<ask></as"):
        parts = rewritten(xml, whole, Finish("stop", "stop"))
        assert [part["type"] for part in parts] == ["tool-input-start", "error", "finish"]
        assert told(parts) == ["invalid_payload"]


def test_a_held_beginning_goes_out_before_an_error() -> None:
    rewriter = xml()
    out = rewriter.add([TextStart("0"), TextDelta("0", "<as")])
    [failure] = [part for part in decode(b"").items if isinstance(part, Error)]
    assert [part.type for part in out + rewriter.add([failure])] == ["text-start", "text-delta", "error"]


def test_a_long_message_is_an_error_at_the_same_character() -> None:
    for whole, before in (("a" * 20, [("t", "a" * 16)]), ("<ask></ask>abcdefg", [("ask", {}), ("t", "abcde")])):
        parts = rewritten(lambda: xml(max_message_chars=16), whole, Finish("stop", "stop"))
        assert told(parts) == [*before, "event_too_large"]


@pytest.mark.parametrize(("length", "kept"), [(13, True), (14, False), (15, False), (40, False)])
def test_a_long_parameter_is_dropped(length: int, kept: bool) -> None:
    whole = f"<ask><question>{'x' * length}</question><path>p</path></ask>"
    expected = {"question": "x" * length} if kept else {}
    assert told(rewritten(lambda: xml(max_parameter_chars=24), whole)) == [("ask", {**expected, "path": "p"})]


def test_a_file_that_is_too_long_is_dropped_whichever_end_counts() -> None:
    for content in ("x" * 30, "x</content>" + "y" * 20):
        whole = f"<write_to_file><content>{content}</content></write_to_file>"
        assert told(rewritten(lambda: xml(max_parameter_chars=24), whole)) == [("write_to_file", {})]


def test_work_is_linear() -> None:
    """A megabyte of the worst text, in small pieces: a quadratic reader would take minutes."""
    whole = "<write_to_file><content>" + "</conten<" * 100_000
    rewriter = xml(max_parameter_chars=2**20)
    out = rewriter.add([TextStart("0")])
    for at in range(0, len(whole), 7):
        out += rewriter.add([TextDelta("0", whole[at : at + 7])])
    out += rewriter.add([TextDelta("0", "</content></write_to_file>")])
    assert json.loads(out[-1].input)["content"] == "</conten<" * 100_000


def test_names_that_are_no_tags() -> None:
    for name in ("", "a b", "<a>", "a/"):
        with pytest.raises(CallerError):
            XmlToolCalls([name], [])
    assert told(rewritten(lambda: XmlToolCalls([], []), "<ask>")) == [("t", "<ask>")]


# -- think ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("whole", "expected"),
    [
        ("<think>a</think>b", [("r", "a"), ("t", "b")]),
        ("< think >a</ think >b", [("r", "a"), ("t", "b")]),
        ("a<think>b</think>", [("t", "a<think>b</think>")]),
        (" <think>b</think>", [("t", " <think>b</think>")]),
        ("<think>a<think>b</think>c</think>d<think>", [("r", "a<think>b</think>c"), ("t", "d<think>")]),
        ("<think>a</thin", [("r", "a</thin")]),
        ("<think>a<b>/</think", [("r", "a<b>/</think")]),
        ("<thinking>a", [("t", "<thinking>a")]),
        ("<thi", [("t", "<thi")]),
        ("<", [("t", "<")]),
        ("</think>a<think>b", [("t", "a<think>b")]),
        ("<think></think>", []),
        ("<" + " " * 2000 + "think>", [("t", "<" + " " * 2000 + "think>")]),
    ],
)
def test_think(whole: str, expected: list[Any]) -> None:
    assert told(rewritten(ThinkTags, whole, Finish("stop", "stop"))) == expected


def test_reasoning_is_closed_with_its_text_block() -> None:
    parts = rewritten(ThinkTags, "<think>a", Finish("stop", "stop"))
    assert [part["type"] for part in parts] == ["reasoning-start", "reasoning-delta", "reasoning-end", "finish"]


def test_choices_do_not_mix() -> None:
    rewriter = ThinkTags()
    out = rewriter.add([TextStart("0"), TextStart("0", choice=1), TextDelta("0", "<thi"), TextDelta("0", "x", choice=1)])
    out += rewriter.add([TextDelta("0", "nk>y"), TextDelta("0", "<think>", choice=1)])
    assert [(part.type, getattr(part, "delta", ""), part.choice) for part in out] == [
        ("text-start", "", 1),
        ("text-delta", "x", 1),
        ("reasoning-start", "", 0),
        ("reasoning-delta", "y", 0),
        ("text-delta", "<think>", 1),
    ]


def test_blocks_without_tags_pass_as_they_are() -> None:
    signed = {"p": {"s": 1}}
    for parts in (
        [TextStart("0"), TextEnd("0")],
        [TextStart("0"), TextDelta("0", "", signed), TextEnd("0")],
        [TextStart("0"), TextDelta("0", "a"), TextEnd("0"), TextStart("1"), TextDelta("1", "b"), TextEnd("1", signed)],
    ):
        assert ThinkTags().add(parts) == parts
        assert xml().add(parts) == parts
    assert ThinkTags().add([TextStart("0"), TextDelta("0", ""), TextEnd("0")]) == [TextStart("0"), TextEnd("0")]


# -- twins ----------------------------------------------------------------------------------------------------------


def content(parts: Iterable[Part]) -> list[Any]:
    """The normalised trace: the message's blocks without ids, and its finish."""
    assembler = MessageAssembler()
    assembler.add(list(parts))
    message = assembler.message()
    blocks = [
        (block.text,) if isinstance(block, TextBlock) else (block.name, json.loads(block.arguments))
        for block in message.content
    ]
    return [*blocks, message.finish.unified if message.finish else None]


MODERN = (
    text("Look: ")
    + tools(call(0, "x", "ask", '{"question":'))
    + tools(call(0, args='"why?"}'))
    + finish("tool_calls")
    + DONE
)
XML_TWIN = text("Look: <as") + text("k><question> why? </quest") + text("ion></ask>") + finish("stop") + DONE


def test_a_body_of_tags_tells_the_same_as_its_modern_twin() -> None:
    modern = content(decode(MODERN).items)
    for size in (1, 7, len(XML_TWIN)):
        decoder, rewriter = Decoder("openai-chat"), xml()
        out: list[Part] = []
        for at in range(0, len(XML_TWIN), size):
            out += rewriter.add(decoder.feed(XML_TWIN[at : at + size]))
        out += rewriter.add(decoder.close())
        assert content(out) == modern
        assert not broken([part.as_json() for part in out])


def test_think_tags_tell_the_same_as_a_field_for_reasoning() -> None:
    body = b'data: {"choices":[{"index":0,"delta":%b}]}\n\n'
    modern = body % b'{"reasoning_content":"hm"}' + body % b'{"content":"so"}' + finish("stop") + DONE
    legacy = text("<think>h") + text("m</think>so") + finish("stop") + DONE
    expected = told(merged(decode(modern, "openai-compatible").items))
    assert expected == [("r", "hm"), ("t", "so")]
    assert told(merged(ThinkTags().add(decode(legacy, "openai-compatible").items))) == expected


def test_a_whole_message_tells_the_same_as_its_deltas() -> None:
    function = {"name": "ask", "arguments": '{"question":"why?"}'}
    modern = content(decode(MODERN).items)[:-1]
    for calls in (
        {"tool_calls": [{"id": "x", "type": "function", "function": function}]},
        {"tool_calls": [{"id": "x", "function": {**function, "arguments": {"question": "why?"}}}]},
        {"function_call": function},
    ):
        assert content(whole_message({"role": "assistant", "content": "Look: ", **calls}))[:-1] == modern


def test_function_call_is_a_call_without_an_id() -> None:
    deltas = [{"name": "ask", "arguments": ""}, {"arguments": '{"question":'}, {"arguments": '"why?"}'}]
    body = text("Look: ") + b"".join(chat({"tool_calls": tool_calls({"function_call": each})}) for each in deltas)
    decoded = decode(body + finish("function_call") + DONE)
    assert content(decoded.items) == content(decode(MODERN).items)
    assert decoded.codes == ["id_synthesised"]
    assert tool_calls({"function_call": None}) == tool_calls({}) == []


def test_messages_of_another_shape() -> None:
    for message, kinds in (
        ("x", ["invalid_payload"]),
        ({"content": 1}, ["invalid_payload"]),
        ({"tool_calls": {}}, ["invalid_payload"]),
        ({"tool_calls": [1, {"function": {"name": "f"}}]}, ["invalid_payload", ("f", {})]),
        ({"tool_calls": [{"id": "a", "function": {"name": 1}}]}, ["nameless_call"]),
    ):
        parts = [part.as_json() for part in whole_message(message)]
        assert told({**part, "input": part.get("input") or "{}"} for part in parts) == kinds
    calls = [{"id": str(at), "function": {"name": "f"}} for at in range(3)]
    parts = [part.as_json() for part in whole_message({"tool_calls": calls}, Notes(Limits(max_open_calls=2)))]
    assert [part["type"] for part in parts] == ["tool-input-start", "tool-input-start", "error"]
    notes = Notes()
    assert len(whole_message({"tool_calls": [{"function": {"name": "f", "arguments": {}}}]}, notes)) == 4
    assert [warning.code for warning in notes.warnings] == ["arguments_not_text", "id_synthesised"]


# -- arguments encoded twice ----------------------------------------------------------------------------------------

INNER = '{"k":"\u00e9"}'
TWICE = json.dumps(INNER)


def one_call(deltas: Iterable[str]) -> list[Part]:
    whole = "".join(deltas)
    invalid = not whole.strip().startswith("{")
    return [
        ToolInputStart("a", "f"),
        *(ToolInputDelta("a", delta) for delta in deltas),
        ToolInputEnd("a"),
        ToolCall("a", "f", whole, invalid=invalid),
        Finish("stop", "stop"),
    ]


def test_twice_encoded_arguments_are_reported_and_only_then_decoded() -> None:
    for cut in pieces(TWICE):
        parts = one_call(cut)
        quiet = DoubleEncodedArguments()
        assert [part for each in parts for part in quiet.add([each])] == parts
        assert quiet.found == ["a"]
        decoding = DoubleEncodedArguments(decode=True)
        assert merged(part for each in parts for part in decoding.add([each])) == merged(one_call([INNER]))
        assert decoding.found == ["a"]


@pytest.mark.parametrize("deltas", [["{", "}"], ["", ""], [], [" ", "{}"], ['"a', 'b"'], ['"{', '}'], ["1"], ['" x"', "", ""]])
def test_other_arguments_pass_as_they_are(deltas: list[str]) -> None:
    parts = one_call(deltas)
    decoding = DoubleEncodedArguments(decode=True)
    assert [part for each in parts for part in decoding.add([each])] == parts
    assert decoding.found == []


def test_blanks_before_the_quote() -> None:
    decoding = DoubleEncodedArguments(decode=True)
    out = decoding.add(one_call([" ", f"\n{TWICE}", " "]))
    assert [part.as_json() for part in out if isinstance(part, ToolCall)] == [ToolCall("a", "f", INNER).as_json()]
    assert not broken([part.as_json() for part in out])


def test_what_is_held_goes_out_before_an_error() -> None:
    [failure] = [part for part in decode(b"").items if isinstance(part, Error)]
    parts = [*one_call(['"{', "x"])[:3], failure]
    assert DoubleEncodedArguments(decode=True).add(parts) == parts
