"""``openai-responses``: what an item says as a whole, and what it said in pieces (V20, V28, WH-059, WH-060)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .openai_responses_wire import (
    about,
    added,
    arguments,
    arguments_done,
    called,
    done,
    ended,
    fin,
    function,
    function_done,
    m_delta,
    m_end,
    m_start,
    message,
    message_done,
    no_delta,
    payload,
    r_delta,
    r_end,
    r_start,
    raw,
    read_items,
    reasoning,
    reasoning_done,
    summary,
    text,
    text_done,
)
from .wire import i_delta, i_end, i_start

if TYPE_CHECKING:
    from .wire import Decoded, Json


def kinds(decoded: Decoded) -> list[Any]:
    """The kinds of the errors."""
    return [part["kind"] for part in decoded.parts if part["type"] == "error"]


@pytest.mark.parametrize("pieces", [[], ["h"], ["h", "\ud83d"]])
def test_text_that_only_the_whole_has(pieces: list[str]) -> None:
    """It is shown, once: the rest of what the deltas began."""
    whole = "h\U0001f600!"
    said = "".join(pieces)

    decoded = read_items(message(), *map(text, pieces), text_done(whole), message_done(whole))

    shown = [part["delta"] for part in decoded.parts if part["type"] == "text-delta"]
    assert decoded.message.text == whole
    assert shown[: len(pieces)] == [*said]
    assert decoded.codes == ["delta_missing"]


def test_text_that_only_the_item_has() -> None:
    """Of a refusal too."""
    content = [{"type": "output_text", "text": "a"}, {"type": "refusal", "refusal": "b"}, {"type": "hologram"}]

    decoded = read_items(message(), message_done(content=content))

    assert payload(decoded) == [m_start(), m_delta("a"), no_delta("b"), m_end()]
    assert decoded.codes == ["delta_missing", "delta_missing"]


@pytest.mark.parametrize("whole", ["", "y", "xy!"])
def test_text_that_contradicts_its_deltas(whole: str) -> None:
    """What was shown stays; the contradiction is reported once, and ends the stream under policy strict."""
    events = [message(), text("x"), text("z"), text_done(whole), message_done(whole, "more")]

    decoded = read_items(*events)
    strict = read_items(*events, policy="strict")

    assert payload(decoded)[:3] == [m_start(), m_delta("x"), m_delta("z")]
    assert decoded.codes[0] == "snapshot_mismatch"
    assert strict.parts[-1]["kind"] == "invalid_payload"


def test_an_item_that_contradicts_its_text() -> None:
    """Nothing of it is shown: it may have been said in another place."""
    decoded = read_items(message(), text("x"), text("y", content=1), message_done("y", "x"))

    assert payload(decoded) == [m_start(), m_delta("x"), m_delta("y"), m_end()]
    assert decoded.codes == ["snapshot_mismatch"]


def test_reasoning_that_only_the_whole_has() -> None:
    """In its own event, or in the item."""
    texts = [{"type": "summary_text", "text": "ab"}, {"type": "summary_text", "text": "c"}, {"type": "x", "text": 1}]
    events = [summary("text.delta", delta="a"), summary("text.done", text="ab"), raw("done", text="r")]

    decoded = read_items(reasoning(), *events, reasoning_done(summary=texts))

    assert payload(decoded) == [
        r_start(),
        r_delta("a"),
        r_delta("b"),
        r_start("r0:text:0"),
        r_delta("r", "r0:text:0"),
        r_start("r0:1"),
        r_delta("c", "r0:1"),
        r_end(),
        r_end("r0:text:0"),
        r_end("r0:1"),
    ]
    assert decoded.codes == ["delta_missing", "delta_missing", "delta_missing", "block_start_missing"]


def test_reasoning_that_contradicts_its_deltas() -> None:
    """The rest of the item is not shown."""
    texts = [{"type": "summary_text", "text": "y"}, {"type": "summary_text", "text": "z"}]

    decoded = read_items(reasoning(), summary("text.delta", delta="x"), reasoning_done(summary=texts))

    assert payload(decoded) == [r_start(), r_delta("x"), r_end()]
    assert decoded.codes == ["snapshot_mismatch"]


def test_arguments_that_only_the_whole_has() -> None:
    """The call's deltas add up to its input."""
    decoded = read_items(function(), arguments('{"a"'), arguments_done('{"a":1}'), function_done('{"a":1}'))

    shown = [i_start("c0"), i_delta('{"a"', "c0"), i_delta(":1}", "c0"), i_end("c0")]
    assert payload(decoded) == [*shown, called("f", "c0", '{"a":1}', "f0")]
    assert decoded.codes == ["delta_missing"]


@pytest.mark.parametrize(
    ("whole", "invalid"), [('{ "a": 1.0 }', False), ('{"a":2}', True), ('{"a":1', True), ("", True), ("null", True)]
)
def test_arguments_that_contradict_their_deltas(whole: str, invalid: bool) -> None:
    """The input is what was streamed (V9). If it says something else, nobody may execute it."""
    decoded = read_items(function(), arguments('{"a":1}'), function_done(whole))

    assert payload(decoded)[-1] == called("f", "c0", '{"a":1}', "f0") | ({"invalid": True} if invalid else {})
    assert decoded.message.tool_calls[0].executable is not invalid
    assert decoded.codes == ["snapshot_mismatch"]


def test_arguments_that_the_item_does_not_repeat() -> None:
    """Then what came before is all there is."""
    decoded = read_items(function(), arguments("{"), arguments("}"), function_done(None))

    assert payload(decoded)[-1] == called("f", "c0", "{}", "f0")
    assert decoded.codes == []


def test_two_wholes_that_contradict_each_other() -> None:
    """The first one counts, but is not executed."""
    decoded = read_items(function(), arguments_done('{"a":1}'), arguments("x"), function_done('{"a":2}'))

    assert payload(decoded)[-1] == called("f", "c0", '{"a":1}', "f0", invalid=True)
    assert decoded.codes == ["data_after_end", "snapshot_mismatch"]


def test_a_patch_that_ends_otherwise() -> None:
    """Another path: it is not applied."""
    begun = {"type": "update_file", "path": "a", "diff": ""}
    item = {"id": "ap", "call_id": "c", "status": "completed"}
    end = done(0, "apply_patch_call", operation={"type": "update_file", "path": "b", "diff": "+"}, **item)

    decoded = read_items(added(0, "apply_patch_call", operation=begun, **item), end)

    value = '{"callId":"c","operation":{"type":"update_file","path":"a","diff":"+"}}'
    assert payload(decoded)[-1] == called("apply_patch", "c", value, "ap", invalid=True)
    assert decoded.codes == ["snapshot_mismatch"]


@pytest.mark.parametrize(
    "output",
    [
        [],
        [{"type": "message", "content": [{"type": "output_text", "text": "y"}]}, {"type": "function_call"}],
        [{"type": "message", "content": [{"type": "output_text", "text": "x"}]}, {"type": "function_call"}, {"type": "reasoning"}],
    ],
)
def test_a_response_that_contradicts_its_items(output: list[Json]) -> None:
    """What was streamed stays (WH-059)."""
    decoded = read_items(
        message(), text(), message_done("x"), function(1), function_done("", 1), end=ended(output=output)
    )

    assert decoded.message.text == "x"
    assert set(decoded.codes) == {"snapshot_mismatch"}


@pytest.mark.parametrize("output", [None, 1, [{"type": "message", "content": [{"type": "output_text", "text": "x"}]}]])
def test_a_response_that_agrees_or_says_nothing(output: Any) -> None:
    """There is nothing to report then."""
    decoded = read_items(message(), text(), message_done("x"), end=ended(output=output))

    assert decoded.codes == []


def test_an_output_that_cannot_be_compared() -> None:
    """A malformed item of the response's own list is no reason to complain about the stream."""
    decoded = read_items(message(), text(), message_done("x"), end=ended(output=[{"type": "message", "content": 1}]))

    assert decoded.codes == []


def test_text_that_comes_with_the_start_of_its_part() -> None:
    """It is shown once, whether the deltas repeat it or not (WH-062)."""
    begin = about("content_part.added", "m0", content_index=0, part={"type": "output_text", "text": "hi"})

    repeated = read_items(message(), begin, text("hi"), message_done("hi"))
    alone = read_items(message(), begin, message_done("hi"))

    assert payload(repeated) == payload(alone) == [m_start(), m_delta("hi"), m_end()]
    assert repeated.codes == ["start_not_empty"]
    assert alone.codes == ["start_not_empty", "delta_missing"]


def test_an_item_that_is_done_twice() -> None:
    """No call is made twice, and no text said twice (V7, V21)."""
    said = [message(), text(), message_done("x")]
    called = [function(1), function_done("{}", 1)]
    thought = [reasoning(2), reasoning_done(index=2)]
    once = read_items(*said, *called, *thought)

    twice = read_items(*said, said[-1], *called, called[-1], *thought, thought[-1], called[-1])

    assert payload(twice) == payload(once)
    assert [code for code in twice.codes if code not in once.codes] == ["item_repeated"] * 4


def test_what_only_says_again() -> None:
    """An event that confirms what is known anyway makes no error of a response when it cannot be read."""
    confirmation = about("output_text.done", "m0", content_index=0, text=None)
    whole = message_done(content=[{"type": "output_text", "text": None}])
    found = read_items(message(), text(), confirmation, whole)

    assert payload(found) == [m_start(), m_delta("x"), m_end()]
    assert found.codes == ["unreadable_detail", "unreadable_detail"]
    assert found.parts[-1] == fin("stop")
