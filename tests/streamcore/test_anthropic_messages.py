"""``anthropic-messages`` on well-formed streams: every type of block, delta and result, and how messages end."""

from __future__ import annotations

from typing import Any

import pytest

from .anthropic_wire import (
    HEAD,
    MESSAGE_STOP,
    PING,
    anthropic,
    arguments,
    call_start,
    cite,
    delta,
    message_delta,
    message_start,
    outcome,
    payload,
    read,
    read_message,
    result,
    server_start,
    signature,
    sse,
    start,
    stop,
    text,
    text_start,
    thinking,
)
from .wire import Json, decode, i_delta, i_end, i_start, t_call, t_delta, t_end, t_start

CALLER = {"type": "code_execution_20250825", "tool_id": "s9"}
SHOWN_CALLER = anthropic(caller={"type": "code_execution_20250825", "toolId": "s9"})


def r_part(step: str, index: str = "0", **fields: Any) -> Json:
    """A reasoning part."""
    return {"type": f"reasoning-{step}", "id": index, **fields}


def ran(*parts: Json) -> list[Json]:
    """The parts, marked as executed by the provider where they say who executes."""
    return [
        {**part, "providerExecuted": True} if part["type"] in ("tool-input-start", "tool-call") else part
        for part in parts
    ]


FOUND = {"type": "web_search_result", "url": "u", "title": "t"}


def source(number: int, **metadata: Any) -> Json:
    """The part for a source that is :data:`FOUND`."""
    shown = {"sourceType": "url", "url": "u", "title": "t", "providerMetadata": anthropic(**metadata)}
    return {"type": "source", "id": f"source_gen_{number}", **shown}


BLOCKS: dict[str, tuple[list[Json], list[Json]]] = {
    "text": (
        [text_start(), text(0, "He"), text(0, "llo: \u00e9\U0001f600"), text(0, ""), stop(0)],
        [t_start(), t_delta("He"), t_delta("llo: \u00e9\U0001f600"), t_delta(""), t_end()],
    ),
    "thinking with its signature": (
        [start(0, "thinking", thinking="", signature=""), thinking(0, "hm"), signature(), stop(0)],
        [
            r_part("start"),
            r_part("delta", delta="hm"),
            r_part("delta", delta="", providerMetadata=anthropic(signature="S1g+/=")),
            r_part("end"),
        ],
    ),
    "redacted thinking": (
        [start(0, "redacted_thinking", data="ZGF0YQ=="), stop(0)],
        [r_part("start", providerMetadata=anthropic(redactedData="ZGF0YQ==")), r_part("end")],
    ),
    "compaction": (
        [
            start(0, "compaction", content=None),
            delta(0, "compaction_delta", content="a"),
            delta(0, "compaction_delta", content=None),
            delta(0, "compaction_delta", content="b"),
            stop(0),
        ],
        [t_start(providerMetadata=anthropic(type="compaction")), t_delta("a"), t_delta("b"), t_end()],
    ),
    "tool": (
        [call_start(), arguments(0, ""), arguments(0, '{"a"'), arguments(0, ': "\u00e9:"}'), stop(0)],
        [
            i_start("t0"),
            i_delta('{"a"', "t0"),
            i_delta(': "\u00e9:"}', "t0"),
            i_end("t0"),
            t_call('{"a": "\u00e9:"}', "t0"),
        ],
    ),
    "tool without arguments": (
        [call_start(), arguments(0, ""), stop(0)],
        [i_start("t0"), i_end("t0"), t_call("{}", "t0")],
    ),
    "tool with arguments at its start, called by code": (
        [call_start(input={"b": 1.50, "10": 1e21, "2": "\u2028"}, caller=CALLER), stop(0)],
        [
            i_start("t0"),
            i_end("t0"),
            t_call('{"2":"\u2028","10":1e+21,"b":1.5}', "t0", providerMetadata=SHOWN_CALLER),
        ],
    ),
    "two tools that take turns": (
        [
            call_start(0),
            call_start(1, "g"),
            arguments(1, "{"),
            arguments(0, "{"),
            arguments(1, "}"),
            stop(1),
            arguments(0, "}"),
            stop(0),
        ],
        [
            i_start("t0"),
            i_start("t1", "g"),
            i_delta("{", "t1"),
            i_delta("{", "t0"),
            i_delta("}", "t1"),
            i_end("t1"),
            t_call("{}", "t1", "g"),
            i_delta("}", "t0"),
            i_end("t0"),
            t_call("{}", "t0"),
        ],
    ),
    "member of a toolset": (
        [
            call_start(name="left_click", toolset_name="computer", caller={"type": "direct"}),
            arguments(0, '{"x":'),
            arguments(0, " 1}"),
            stop(0),
        ],
        [
            i_start("t0", "computer"),
            i_delta('{"action":"left_click","x":1}', "t0"),
            i_end("t0"),
            t_call(
                '{"action":"left_click","x":1}',
                "t0",
                "computer",
                providerMetadata=anthropic(toolsetName="computer", caller={"type": "direct"}),
            ),
        ],
    ),
    "member of a toolset without arguments": (
        [call_start(name="screenshot", toolset_name="computer"), stop(0)],
        [
            i_start("t0", "computer"),
            i_delta('{"action":"screenshot"}', "t0"),
            i_end("t0"),
            t_call('{"action":"screenshot"}', "t0", "computer", providerMetadata=anthropic(toolsetName="computer")),
        ],
    ),
    "web search": (
        [
            server_start(),
            arguments(0, '{"query": "q"}'),
            stop(0),
            result(
                1,
                "web_search_tool_result",
                [
                    {**FOUND, "encrypted_content": "e", "page_age": "1d"},
                    {**FOUND, "encrypted_content": "f", "new": 1},
                ],
                caller=CALLER,
            ),
            stop(1),
            text_start(2),
            cite(2, "web_search_result_location", url="u", title="t", encrypted_index="i", new=1),
            text(2),
            stop(2),
        ],
        [
            *ran(
                i_start("s0", "web_search"),
                i_delta('{"query": "q"}', "s0"),
                i_end("s0"),
                t_call('{"query": "q"}', "s0", "web_search"),
            ),
            outcome(
                [
                    {**FOUND, "encryptedContent": "e", "pageAge": "1d"},
                    {**FOUND, "encryptedContent": "f", "pageAge": None},
                ],
                "web_search",
                providerMetadata=SHOWN_CALLER,
            ),
            source(0, pageAge="1d"),
            source(1, pageAge=None),
            t_start("2"),
            source(2, citedText="c", encryptedIndex="i"),
            t_delta("x", "2"),
            t_end(
                "2",
                providerMetadata=anthropic(
                    citations=[
                        {
                            "type": "web_search_result_location",
                            "cited_text": "c",
                            "url": "u",
                            "title": "t",
                            "encrypted_index": "i",
                        }
                    ]
                ),
            ),
        ],
    ),
    "MCP": (
        [
            start(0, "mcp_tool_use", id="m0", name="ask", input={}, server_name="wiki"),
            arguments(0, '{"q":'),
            arguments(0, "2}"),
            stop(0),
            start(
                1,
                "mcp_tool_result",
                tool_use_id="m0",
                is_error=False,
                content=[{"type": "text", "text": "ok", "new": 1}, "raw"],
            ),
            stop(1),
        ],
        [
            *ran(
                t_call(
                    '{"q":2}',
                    "m0",
                    "ask",
                    dynamic=True,
                    providerMetadata=anthropic(type="mcp-tool-use", serverName="wiki"),
                )
            ),
            outcome(
                [{"type": "text", "text": "ok"}, "raw"],
                "ask",
                "m0",
                isError=False,
                dynamic=True,
                providerMetadata=anthropic(type="mcp-tool-use", serverName="wiki"),
            ),
        ],
    ),
    "MCP with arguments at its start": (
        [start(0, "mcp_tool_use", id="m0", name="ask", input={"q": 1}, server_name="wiki"), stop(0)],
        ran(
            t_call(
                '{"q":1}', "m0", "ask", dynamic=True, providerMetadata=anthropic(type="mcp-tool-use", serverName="wiki")
            )
        ),
    ),
    "tool search": (
        [
            server_start(0, "tool_search_tool_bm25"),
            stop(0),
            result(
                1,
                "tool_search_tool_result",
                {
                    "type": "tool_search_tool_search_result",
                    "tool_references": [{"type": "tool_reference", "tool_name": "x"}],
                },
            ),
            stop(1),
        ],
        [
            *ran(i_start("s0", "tool_search_tool_bm25"), i_end("s0"), t_call("{}", "s0", "tool_search_tool_bm25")),
            outcome([{"type": "tool_reference", "toolName": "x"}], "tool_search_tool_bm25"),
        ],
    ),
    "fallback marker": ([start(0, "fallback", model="other"), stop(0)], []),
    "a server tool that is not known": ([server_start(0, "hologram"), arguments(0, "{}"), stop(0)], []),
}


@pytest.mark.parametrize("name", list(BLOCKS))
def test_a_block_gives_its_parts(name: str) -> None:
    """Each vector under every chunking; the first list is the wire, the second the parts."""
    events, expected = BLOCKS[name]

    assert payload(read_message(*events, reason="pause_turn")) == expected


@pytest.mark.parametrize(
    ("wire", "kind"),
    [
        ("code_execution", "programmatic-tool-call"),
        ("bash_code_execution", "bash_code_execution"),
        ("text_editor_code_execution", "text_editor_code_execution"),
    ],
)
def test_code_execution_says_which_of_its_tools_was_called(wire: str, kind: str) -> None:
    """The type goes before the first member of streamed arguments."""
    parts = payload(read_message(server_start(0, wire), arguments(0, '{"code"'), arguments(0, ":1}"), stop(0)))

    first = f'{{"type": "{kind}","code"'
    assert parts == ran(
        i_start("s0", "code_execution"),
        i_delta(first, "s0"),
        i_delta(":1}", "s0"),
        i_end("s0"),
        t_call(first + ":1}", "s0", "code_execution"),
    )


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"code": "1"}, '{"type":"programmatic-tool-call","code":"1"}'),
        ({"code": "1", "type": "t"}, '{"code":"1","type":"t"}'),
        ({"command": "ls"}, '{"command":"ls"}'),
    ],
)
def test_code_execution_with_arguments_at_its_start(given: Json, shown: str) -> None:
    """Arguments that are given whole get a type only where they hold code and have none."""
    parts = payload(read_message(server_start(0, "code_execution", input=given), stop(0)))

    assert parts[-1]["input"] == shown


def test_calls_that_message_start_brings() -> None:
    """Programmatic tool calling: calls that were made earlier stand ready in ``message_start``."""
    ready = [
        {"type": "tool_use", "id": "p0", "name": "f", "input": {"a": 1}, "caller": CALLER},
        {"type": "tool_use", "id": "p1", "name": "g", "input": None},
    ]
    decoded = read(message_start(content=ready, stop_reason="tool_use"), MESSAGE_STOP)

    assert payload(decoded) == [
        i_start("p0"),
        i_delta('{"a":1}', "p0"),
        i_end("p0"),
        t_call('{"a":1}', "p0", providerMetadata=SHOWN_CALLER),
        i_start("p1", "g"),
        i_delta("{}", "p1"),
        i_end("p1"),
        t_call("{}", "p1", "g"),
    ]
    assert decoded.parts[-1]["finishReason"] == {"unified": "tool-calls", "raw": "tool_use"}
    assert decoded.codes == []


def test_pings_and_missing_event_names_change_nothing() -> None:
    """Pings may come anywhere, even first; the type of the payload suffices (WH-069, WH-027)."""
    events = [message_start(), text_start(), text(), stop(0), message_delta(), MESSAGE_STOP]
    plain = read(*events)

    pinged = read(PING, *[item for event in events for item in (event, PING)])
    nameless = decode(sse(*events).replace(b"event: ", b"x: "), "anthropic-messages")

    assert pinged.parts == nameless.parts == plain.parts == [*HEAD, t_start(), t_delta("x"), t_end(), plain.parts[-1]]
    assert pinged.codes == nameless.codes == plain.codes == []


def test_the_message() -> None:
    """What the parts add up to keeps block order, signatures and arguments."""
    decoded = read_message(
        start(0, "thinking", thinking=""),
        thinking(0, "hm"),
        signature(),
        stop(0),
        text_start(1),
        text(1, "\ud83d"),
        text(1, "\ude00"),
        stop(1),
        call_start(2),
        arguments(2, '{"a":12345678901234567890}'),
        stop(2),
        reason="tool_use",
    )
    found = decoded.message

    assert (found.reasoning, found.text, found.complete) == ("hm", "\U0001f600", True)
    assert found.content[0].metadata == anthropic(signature="S1g+/=")
    assert [call.input for call in found.tool_calls] == [{"a": 12345678901234567890}]
    assert found.tool_calls[0].executable
