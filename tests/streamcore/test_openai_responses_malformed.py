"""``openai-responses``: streams that contradict themselves, repeat themselves, or leave something out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .openai_responses_wire import (
    COMPLETED,
    CREATED,
    HEAD,
    about,
    added,
    arguments,
    called,
    done,
    fin,
    function,
    function_done,
    m_delta,
    m_end,
    m_start,
    message,
    message_done,
    own,
    payload,
    r_delta,
    r_end,
    r_start,
    read,
    read_items,
    reasoning,
    reasoning_done,
    refusal,
    summary,
    text,
)
from .wire import i_delta, i_end, i_start

if TYPE_CHECKING:
    from .wire import Decoded, Json


def kinds(decoded: Decoded) -> list[Any]:
    """The kinds of the errors."""
    return [part["kind"] for part in decoded.parts if part["type"] == "error"]


# -- items that never began, or never ended -----------------------------------------------------------------------------


def test_text_without_an_item() -> None:
    """It opens the message; the item may still be done."""
    decoded = read_items(text("a"), text("b"), message_done("ab"))

    assert payload(decoded) == [m_start(), m_delta("a"), m_delta("b"), m_end()]
    assert decoded.codes == ["item_added_missing"]


def test_text_without_anything_to_go_by() -> None:
    """Neither index nor id."""
    nowhere = {"type": "response.output_text.delta", "delta": "a"}

    decoded = read_items(nowhere, end=COMPLETED)

    start = {"type": "text-start", "id": "item_0", "providerMetadata": own(itemId=None)}
    assert payload(decoded)[:2] == [start, {"type": "text-delta", "id": "item_0", "delta": "a"}]
    assert decoded.codes == ["item_added_missing", "item_not_done"]


def test_reasoning_without_an_item() -> None:
    """It opens one."""
    decoded = read_items(summary("text.delta", delta="a"), reasoning_done())

    assert payload(decoded) == [r_start(), r_delta("a"), r_end()]
    assert decoded.codes == ["item_added_missing"]


def test_arguments_without_an_item() -> None:
    """They wait for the item to say whose they are."""
    decoded = read_items(arguments('{"a"'), arguments(":1}"), function_done('{"a":1}'))

    shown = [i_start("c0"), i_delta('{"a":1}', "c0"), i_end("c0")]
    assert payload(decoded) == [*shown, called("f", "c0", '{"a":1}', "f0")]
    assert decoded.codes == ["item_added_missing"]


def test_code_without_an_item() -> None:
    """As arguments are; the container is known when the item is done."""
    events = [
        about("code_interpreter_call_code.delta", "ci", delta='"'),
        about("code_interpreter_call_code.done", "ci", code='"'),
    ]

    decoded = read_items(*events, done(0, "code_interpreter_call", id="ci", container_id="cn", code='"', outputs=[]))

    assert "".join(part["delta"] for part in decoded.parts if "delta" in part) == '{"containerId":"cn","code":"\\""}'
    assert payload(decoded)[-2]["input"] == '{"code":"\\"","containerId":"cn"}'


def test_an_item_that_is_only_done() -> None:
    """It begins and ends at once."""
    decoded = read_items(
        message_done("x"),
        function_done("{}", 1),
        reasoning_done(2),
        done(3, "web_search_call", id="ws"),
        done(4, "tool_search_call", id="ts", execution="server", arguments={}),
    )

    assert [part["type"] for part in payload(decoded)] == [
        "text-start", "text-delta", "text-end",
        "tool-input-start", "tool-input-end", "tool-call",
        "reasoning-start", "reasoning-end",
        "tool-input-start", "tool-input-end", "tool-call", "tool-result",
        "tool-input-start", "tool-input-end", "tool-call",
    ]  # fmt: skip
    assert decoded.codes.count("item_added_missing") == 5


def test_arguments_that_nobody_claims() -> None:
    """They are an error, and no call (V8)."""
    decoded = read_items(arguments("{}"))

    assert kinds(decoded) == ["nameless_call"]
    assert decoded.parts[-1] == fin("error")


@pytest.mark.parametrize("name", [None, "", "null"])
def test_a_call_without_a_name(name: str | None) -> None:
    """It may have one at the end; if not, it is an error (V8)."""
    named = read_items(function(name=name), arguments("{}"), function_done("{}"))
    nameless = read_items(function(name=name), arguments("{}"), function_done("{}", name=name))

    assert payload(named)[-1] == called("f", "c0", "{}", "f0")
    assert kinds(nameless) == ["nameless_call"]
    assert [part["type"] for part in nameless.parts] == ["stream-start", "response-metadata", "error", "finish"]


@pytest.mark.parametrize("call_id", [None, "", "null"])
def test_a_call_without_an_id(call_id: str | None) -> None:
    """It gets one (V7)."""
    decoded = read_items(function(call_id=call_id), function_done("{}", call_id=call_id, id=None))

    assert payload(decoded) == [i_start("call_gen_0"), i_end("call_gen_0"), called("f", "call_gen_0", "{}", "f0")]
    assert decoded.codes == ["id_synthesised"]


def test_a_call_that_changes() -> None:
    """Name and id are set once (V5)."""
    decoded = read_items(function(), function_done("{}", name="g", call_id="other"))

    assert payload(decoded)[-1] == called("f", "c0", "{}", "f0")
    assert decoded.codes == ["name_changed", "id_changed"]


def test_a_call_that_says_that_it_is_incomplete() -> None:
    """It is not executed, even if its arguments happen to parse (V13)."""
    decoded = read_items(function(), arguments("{}"), function_done("{}", status="incomplete"))

    assert payload(decoded)[-1] == called("f", "c0", "{}", "f0", invalid=True)
    assert decoded.codes == ["call_incomplete"]


def test_arguments_that_are_no_object() -> None:
    """They are kept and marked (V11)."""
    decoded = read_items(function(), function_done("[1]"))

    assert payload(decoded)[-1] == called("f", "c0", "[1]", "f0", invalid=True)
    assert decoded.codes == ["invalid_arguments"]


OPEN_ITEMS = [
    message(),
    text(),
    reasoning(1),
    function(2),
    arguments("{}", 2),
    added(3, "computer_call", id="cc"),
    added(4, "mcp_call", id="mc"),
    added(5, "file_search_call", id="fs"),
    added(6, "hologram", id="h"),
    added(7, "apply_patch_call", call_id="ap", operation={"type": "delete_file", "path": "a"}),
]


def test_items_that_are_not_done_when_the_response_is() -> None:
    """Blocks end, calls that the reader would run do not come of it (V12)."""
    decoded = read_items(*OPEN_ITEMS)

    ends = [part["type"] for part in decoded.parts if part["type"].endswith("-end")]
    assert sorted(ends) == ["reasoning-end", "text-end", "tool-input-end", "tool-input-end", "tool-input-end"]
    assert [part["toolCallId"] for part in decoded.parts if part["type"] == "tool-call"] == ["fs"]
    assert decoded.parts[-1] == fin("stop")
    assert decoded.codes == ["unknown_item", *["item_not_done"] * 6]


# -- items and events in each other's place ---------------------------------------------------------------------------


def test_an_item_that_begins_twice() -> None:
    """A replay is reported and not shown (V21)."""
    decoded = read_items(message(), text(), message(), text("y"), message_done("xy"))

    assert payload(decoded) == [m_start(), m_delta("x"), m_delta("y"), m_end()]
    assert decoded.codes == ["item_repeated"]


def test_another_item_in_the_same_place() -> None:
    """The first one ends, a call of it does not come."""
    decoded = read_items(message(), text(), function(), message(0, id="m9"), message_done("z", id="m9"))

    assert [part["type"] for part in payload(decoded)] == [
        "text-start", "text-delta", "text-end", "tool-input-start", "tool-input-end", "text-start", "text-delta", "text-end",
    ]  # fmt: skip
    assert decoded.codes == ["item_not_done", "item_not_done", "delta_missing"]


def test_an_item_that_ends_as_another() -> None:
    """What began ends without a result, what is done is shown."""
    decoded = read_items(function(), message_done("x"))

    assert [part["type"] for part in payload(decoded)] == [
        "tool-input-start", "tool-input-end", "text-start", "text-delta", "text-end",
    ]  # fmt: skip
    assert decoded.codes == ["item_id_changed", "item_added_missing", "item_not_done", "delta_missing"]


def test_ids_that_come_twice() -> None:
    """Blocks and calls keep ids of their own (V7)."""
    first = [message(), text(), message_done("x"), function(1), function_done("{}", 1)]
    again = [message(2, id="m0"), message_done("y", index=2, id="m0"), function(3, call_id="c1"), function_done("{}", 3)]

    decoded = read_items(*first, *again)

    assert [part["id"] for part in decoded.parts if part["type"] == "text-start"] == ["m0", "m0-1"]
    assert [call.id for call in decoded.message.tool_calls] == ["c1", "call_gen_0"]
    assert decoded.codes == ["delta_missing", "duplicate_id", "id_changed"]


def test_an_index_that_is_used_again() -> None:
    """Its items do not mix."""
    decoded = read_items(message(), message_done("x"), message(0, id="m9"), message_done("y", id="m9"))

    assert decoded.message.text == "xy"
    assert decoded.codes == ["delta_missing", "index_reused", "delta_missing"]


@pytest.mark.parametrize("index", [None, -1, 0.5])
def test_an_item_without_a_usable_index(index: Any) -> None:
    """It comes behind the last, and is found by its id."""
    wire = {"type": "response.output_text.delta", "item_id": "m9", "delta": "x"}

    decoded = read_items(function(), message(index, id="m9"), wire, done(None, "message", id="m9"))

    assert decoded.message.text == "x"
    assert decoded.codes[0] == "index_missing"


def test_ids_that_change() -> None:
    """The place counts (some servers encrypt ids anew in each event); it is reported once."""
    other = {"item_id": "zzz"}

    decoded = read_items(message(), text("a", **other), text("b", **other), message_done("ab", id="yyy"))

    assert payload(decoded) == [m_start(), m_delta("a"), m_delta("b"), m_end()]
    assert decoded.codes == ["item_id_changed"]


@pytest.mark.parametrize(
    "events",
    [
        [function(), text()],
        [message(), arguments("{}")],
        [message(), summary("text.delta", delta="x")],
        [added(0, "web_search_call", id="ws"), refusal("x")],
    ],
)
def test_an_event_in_an_item_of_another_kind(events: list[Json]) -> None:
    """It is an error that carries the event."""
    decoded = read_items(*events)

    assert kinds(decoded) == ["invalid_payload"]
    assert decoded.parts[-1]["finishReason"]["unified"] == "error"


def test_unknown_items() -> None:
    """They are reported once each, and what is said about them is not shown (V25)."""
    events = [added(0, "hologram", id="h"), text(), done(0, "hologram", id="h"), done(1, "hologram", id="i")]

    decoded = read_items(*events)

    assert decoded.parts == [*HEAD, fin("stop")]
    assert decoded.codes == ["unknown_item", "item_id_changed", "unknown_item"]


def test_parts_of_a_summary_out_of_order() -> None:
    """A block that was not begun opens; what ends or begins twice is reported."""
    events = [
        summary("part.done", 1),
        summary("text.delta", 1, delta="a"),
        summary("part.added", 1),
        summary("part.added", 0),
        summary("part.added", -1),
        summary("part.done", 1),
        summary("part.added", 2),
        summary("text.delta", 1, delta="b"),
    ]

    decoded = read_items(reasoning(), *events, reasoning_done())

    ended_block = {"type": "reasoning-end", "id": "r0:1", "providerMetadata": own(itemId="r0")}
    assert payload(decoded) == [
        r_start(),
        r_start("r0:1"),
        r_delta("a", "r0:1"),
        ended_block,
        r_start("r0:2"),
        r_start("r0:1-1"),
        r_delta("b", "r0:1-1"),
        r_end(),
        r_end("r0:2"),
        r_end("r0:1-1"),
    ]
    assert decoded.codes == [
        "stop_without_start", "block_start_missing", "block_start_repeated", "block_start_missing",
    ]  # fmt: skip


def test_annotations_that_cannot_be_read() -> None:
    """One of an unknown kind is reported, a malformed one is an error; one without a message is still a source."""
    place = {"type": "response.output_text.annotation.added", "output_index": 0}
    url = {"type": "url_citation", "url": "u"}

    decoded = read_items(
        {**place, "annotation": {"type": "hologram"}}, {**place, "annotation": {"type": "file_path"}},
        {**place, "annotation": url}, place,
    )  # fmt: skip

    assert decoded.codes == ["unknown_annotation"]
    assert kinds(decoded) == ["invalid_payload", "invalid_payload"]
    assert decoded.parts[3] == {"type": "source", "sourceType": "url", "id": "source_gen_0", "url": "u"}


@pytest.mark.parametrize(
    "wire",
    [
        {"type": "response.output_item.added"},
        {"type": "response.output_item.done", "output_index": 0, "item": None},
        added(0, "message", id=1),
        done(0, "mcp_call", id="x"),
        done(0, "file_search_call", id="x", queries=[1]),
        added(0, "apply_patch_call", operation={"type": "burn_file"}),
        {"type": "response.output_text.delta", "delta": None},
        {"type": "response.created", "response": None},
        {"type": "response.created", "response": {"id": 1}},
    ],
)
def test_malformed_events(wire: Json) -> None:
    """Each is an error that carries it, and decides the finish reason; the stream goes on."""
    decoded = read_items(message(5), wire, text("x", 5), message_done("x", index=5))

    assert kinds(decoded) == ["invalid_payload"]
    error = next(part for part in decoded.parts if part["type"] == "error")
    assert {key: value for key, value in error["payload"].items() if key != "sequence_number"} == wire
    assert decoded.message.text == "x"
    assert decoded.parts[-1] == fin("error")


def test_malformed_item_of_another_server() -> None:
    """Servers that leave out ids."""
    decoded = read(CREATED, added(0, "message"), text("x"), done(0, "message"), COMPLETED)

    assert decoded.parts[2] == {"type": "text-start", "id": "item_0", "providerMetadata": own(itemId=None)}
    assert decoded.message.text == "x"


def test_ids_of_ours_stay_unique() -> None:
    """Should the wire use one of them."""
    decoded = read_items(function(call_id="call_gen_0"), function_done("{}", call_id="call_gen_0"), function(1, call_id=""))

    assert [part["id"] for part in decoded.parts if part["type"] == "tool-input-start"] == ["call_gen_0", "call_gen_1"]
