"""``anthropic-messages`` on messages that break its rules: nothing the wire said is lost unseen.

The ids WH-nnn name defects of real servers and clients in the catalogue of wire hazards.
"""

from __future__ import annotations

from typing import Any

import pytest

from .anthropic_wire import (
    DIALECT,
    MESSAGE_STOP,
    anthropic,
    arguments,
    call_start,
    cite,
    delta,
    message_delta,
    message_start,
    outcome,
    payload,
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
from .wire import Json, decode, decode_every_way, event, i_delta, i_end, i_start, t_call, t_delta, t_end, t_start

TEXT = [t_start(), t_delta("x"), t_end()]


def broken(kind: str, wire: Any) -> Json:
    """An ``error`` part in mid-stream; its offset is left out of account."""
    return {"type": "error", "kind": kind, "stage": "stream", "offset": 0, "payload": wire}


def r_start(index: str = "0") -> Json:
    """A ``reasoning-start`` part."""
    return {"type": "reasoning-start", "id": index}


def r_delta(piece: str, index: str = "0", **fields: Any) -> Json:
    """A ``reasoning-delta`` part."""
    return {"type": "reasoning-delta", "id": index, "delta": piece, **fields}


def r_end(index: str = "0") -> Json:
    """A ``reasoning-end`` part."""
    return {"type": "reasoning-end", "id": index}


def without_offsets(parts: list[Json]) -> list[Json]:
    """The parts, error offsets set to 0."""
    return [{**part, "offset": 0} if part["type"] == "error" else part for part in parts]


SIGNED = r_delta("", providerMetadata=anthropic(signature="S1g+/="))
TOOLS = i_start("t0"), i_end("t0"), t_call("{}", "t0")

NOBODY: Json = {"type": "content_block_start", "index": 0}

VECTORS: dict[str, tuple[list[Json | bytes], list[Json], list[str]]] = {
    # unknown things: a warning, never an error
    "unknown event": ([{"type": "novelty", "x": 1}], [], ["unknown_event"]),
    "unknown block": (
        [start(0, "hologram", x=1), delta(0, "holo_delta"), text(), stop(0)],
        [],
        ["unknown_block", "unknown_delta"],
    ),
    "unknown delta": ([text_start(), delta(0, "holo_delta", x=1), text(), stop(0)], TEXT, ["unknown_delta"]),
    "unknown citation": ([text_start(), cite(0, "cave_location"), text(), stop(0)], TEXT, ["unknown_citation"]),
    "unknown server tool": ([server_start(0, "h" * 99), stop(0)], [], ["unknown_block"]),
    "unknown stop reason": ([message_delta("bored")], [], ["unknown_stop_reason"]),
    # content in odd places is kept
    "start text not empty": (
        [text_start(0, "pre"), text(), stop(0)],
        [t_start(), t_delta("pre"), *TEXT[1:]],
        ["start_not_empty"],
    ),
    "start thinking not empty": (
        [start(0, "thinking", thinking="pre", signature="S1g+/="), stop(0)],
        [r_start(), r_delta("pre"), SIGNED, r_end()],
        ["start_not_empty"],
    ),
    "start signature of no use": (
        [start(0, "thinking", thinking="", signature=[1]), stop(0)],
        [r_start(), r_end()],
        ["start_not_empty"],
    ),
    "start arguments and deltas (WH-065)": (
        [call_start(input={"a": 1}), arguments(0, '{"a":'), arguments(0, "2}"), stop(0)],
        [i_start("t0"), i_delta('{"a":', "t0"), i_delta("2}", "t0"), i_end("t0"), t_call('{"a":2}', "t0")],
        ["start_not_empty"],
    ),
    "text without start": ([text(), stop(0)], TEXT, ["block_start_missing"]),
    "thinking without start": (
        [thinking(), signature(), stop(0)],
        [r_start(), r_delta("x"), SIGNED, r_end()],
        ["block_start_missing"],
    ),
    "start that fails its shape": (
        [start(0, "text"), text(), stop(0)],
        [broken("invalid_payload", start(0, "text")), *TEXT],
        ["block_start_missing"],
    ),
    "start of nobody knows what": (
        [NOBODY, thinking(), stop(0), call_start(1), stop(1)],
        [
            broken("invalid_payload", NOBODY),
            r_start(),
            r_delta("x"),
            r_end(),
            i_start("t1"),
            i_end("t1"),
            t_call("{}", "t1"),
        ],
        ["block_start_missing"],
    ),
    "arguments after a start of nobody knows what": (
        [NOBODY, arguments(0, "{}"), stop(0)],
        [broken("invalid_payload", NOBODY)],
        [],
    ),
    "text after stop": (
        [text_start(), stop(0), text(), stop(0)],
        [t_start(), t_end(), t_start("0-1"), t_delta("x", "0-1"), t_end("0-1")],
        ["block_start_missing"],
    ),
    # content that fits nowhere is an error
    "text in a thinking block": (
        [start(0, "thinking", thinking=""), text(), stop(0)],
        [r_start(), broken("invalid_payload", text()), r_end()],
        [],
    ),
    "thinking in redacted thinking": (
        [start(0, "redacted_thinking", data="d"), thinking(), stop(0)],
        [
            {**r_start(), "providerMetadata": anthropic(redactedData="d")},
            broken("invalid_payload", thinking()),
            r_end(),
        ],
        [],
    ),
    "signature in a text block": (
        [text_start(), signature(), text(), stop(0)],
        [TEXT[0], broken("invalid_payload", signature()), *TEXT[1:]],
        [],
    ),
    "arguments without start": (
        [arguments(3, "{"), arguments(3, "}"), stop(3)],
        [broken("nameless_call", arguments(3, "{"))],
        [],
    ),
    "arguments after stop": (
        [call_start(), stop(0), arguments(0, "{}")],
        [*TOOLS, broken("invalid_payload", arguments(0, "{}"))],
        ["block_not_stopped"],
    ),
    "call without a name": (
        [call_start(name=""), arguments(0, "{}"), stop(0)],
        [broken("nameless_call", call_start(name=""))],
        [],
    ),
    "call that fails its shape": (
        [call_start(input=[1]), arguments(0, "{}"), stop(0)],
        [broken("invalid_payload", call_start(input=[1]))],
        [],
    ),
    # indices
    "index gap (WH-066)": (
        [text_start(1), text(1), stop(1), text_start(4), stop(4)],
        [t_start("1"), t_delta("x", "1"), t_end("1"), t_start("4"), t_end("4")],
        ["index_gap", "index_gap"],
    ),
    "index used twice": (
        [text_start(), stop(0), text_start(), stop(0)],
        [t_start(), t_end(), t_start("0-1"), t_end("0-1")],
        ["index_reused"],
    ),
    "index taken": (
        [text_start(), text(), text_start(), stop(0)],
        [*TEXT, t_start("0-1"), t_end("0-1")],
        ["block_not_stopped"],
    ),
    "index taken from a call": (
        [call_start(), text_start(), text(), stop(0)],
        [i_start("t0"), t_start("0-1"), t_delta("x", "0-1"), t_end("0-1")],
        ["block_not_stopped"],
    ),
    "index that is no integer": (
        [text_start(0.5), text(0.5), stop(0.5)],
        [t_start("0.5"), t_delta("x", "0.5"), t_end("0.5")],
        ["index_gap"],
    ),
    "index as text": ([text_start("0")], [broken("invalid_payload", text_start("0"))], []),
    "unknown block without index": (
        [start(None, "hologram")],
        [broken("invalid_payload", start(None, "hologram"))],
        [],
    ),
    # ends of blocks
    "stop without start": ([stop(7)], [], ["stop_without_start"]),
    "stop without index": (
        [{"type": "content_block_stop"}],
        [broken("invalid_payload", {"type": "content_block_stop"})],
        [],
    ),
    "text never stopped": ([text_start(), text()], TEXT, ["block_not_stopped"]),
    "call never stopped": (
        [call_start(), arguments(0, "{}")],
        [i_start("t0"), i_delta("{}", "t0")],
        ["block_not_stopped"],
    ),
    "several signatures (WH-067)": (
        [start(0, "thinking", thinking=""), signature(), signature(), stop(0)],
        [r_start(), SIGNED, SIGNED, r_end()],
        ["signature_repeated"],
    ),
    # arguments and ids of calls
    "arguments cut short (WH-071)": (
        [call_start(), arguments(0, '{"a": 1, "b": "x'), stop(0)],
        [i_start("t0"), i_delta('{"a": 1, "b": "x', "t0"), i_end("t0"), t_call('{"a": 1, "b": "x', "t0", invalid=True)],
        ["invalid_arguments"],
    ),
    "first piece lost (WH-072)": (
        [call_start(), arguments(0, 'code":"x"}'), stop(0)],
        [i_start("t0"), i_delta('code":"x"}', "t0"), i_end("t0"), t_call('code":"x"}', "t0", invalid=True)],
        ["invalid_arguments"],
    ),
    "toolset member with broken arguments": (
        [call_start(name="click", toolset_name="computer"), arguments(0, "[1]"), stop(0)],
        [
            i_start("t0", "computer"),
            i_delta("[1]", "t0"),
            i_end("t0"),
            t_call("[1]", "t0", "computer", providerMetadata=anthropic(toolsetName="computer"), invalid=True),
        ],
        ["invalid_arguments"],
    ),
    "code execution with broken arguments": (
        [server_start(0, "bash_code_execution"), arguments(0, '"'), stop(0)],
        [
            i_start("s0", "code_execution", providerExecuted=True),
            i_delta('"', "s0"),
            i_end("s0"),
            t_call('"', "s0", "code_execution", providerExecuted=True, invalid=True),
        ],
        ["invalid_arguments"],
    ),
    "call without an id": (
        [call_start(id=""), stop(0)],
        [i_start("call_gen_0"), i_end("call_gen_0"), t_call("{}", "call_gen_0")],
        ["id_synthesised"],
    ),
    "two calls with one id": (
        [call_start(id="call_gen_0"), stop(0), call_start(1, id="call_gen_0"), stop(1)],
        [
            i_start("call_gen_0"),
            i_end("call_gen_0"),
            t_call("{}", "call_gen_0"),
            i_start("call_gen_1"),
            i_end("call_gen_1"),
            t_call("{}", "call_gen_1"),
        ],
        ["duplicate_id"],
    ),
    "MCP result without call": (
        [start(0, "mcp_tool_result", tool_use_id="m9", is_error=True, content=[]), stop(0)],
        [
            outcome(
                [], "", "m9", isError=True, dynamic=True, providerMetadata=anthropic(type="mcp-tool-use", serverName="")
            )
        ],
        ["result_without_call"],
    ),
    "result that fails its shape": (
        [result(0, "web_search_tool_result", None), stop(0)],
        [broken("invalid_payload", result(0, "web_search_tool_result", None))],
        [],
    ),
    # events
    "event name and type differ": (
        [event(text_start(), "ping"), event(text(), "novelty"), stop(0)],
        TEXT,
        ["event_name_mismatch"] * 2,
    ),
    "message_start again": ([message_start()], [], ["message_start_repeated"]),
    "[DONE]": ([b"data: [DONE]\n\n"], [], ["done_marker"]),
    "empty data (WH-022)": ([b"event: ping\ndata: \n\n"], [], ["empty_data"]),
    "not JSON": ([b'data: {"type":\n\n'], [broken("malformed_json", '{"type":')], []),
    "no type": (
        [b"data: {}\n\n", b"data: [1]\n\n"],
        [broken("invalid_payload", {}), broken("invalid_payload", [1])],
        [],
    ),
    "delta that is none": (
        [{"type": "content_block_delta", "index": 0, "delta": 1}],
        [broken("invalid_payload", {"type": "content_block_delta", "index": 0, "delta": 1})],
        [],
    ),
    "message_delta that is none": (
        [{"type": "message_delta"}],
        [broken("invalid_payload", {"type": "message_delta"})],
        [],
    ),
    "message_delta without usage": ([{"type": "message_delta", "delta": {}}], [], ["usage_missing"]),
    # provider errors, in whichever shape
    "error": (
        [{"type": "error", "error": {"type": "overloaded_error", "message": "m", "x": 1}}],
        [broken("provider", {"type": "overloaded_error", "message": "m", "x": 1})],
        [],
    ),
    "error text": ([{"type": "error", "error": "boom"}], [broken("provider", "boom")], []),
    "error without error": (
        [{"type": "error", "message": "m"}],
        [broken("provider", {"type": "error", "message": "m"})],
        [],
    ),
    "error without type": ([b'data: {"error":{"message":"m"}}\n\n'], [broken("provider", {"message": "m"})], []),
    "error in an unknown event": (
        [{"type": "oops", "error": {"message": "m"}}],
        [broken("provider", {"message": "m"})],
        [],
    ),
    "error by its event name": (
        [b'event: error\ndata: {"message":"m"}\n\n'],
        [broken("provider", {"message": "m"})],
        [],
    ),
    "error that is not JSON": ([b"event: error\ndata: overloaded\n\n"], [broken("provider", "overloaded")], []),
}


@pytest.mark.parametrize("name", list(VECTORS))
def test_a_broken_rule_is_survived(name: str) -> None:
    """The stream goes on to its finish; each vector under every chunking."""
    events, parts, codes = VECTORS[name]

    decoded = read_message(*events)

    assert without_offsets(payload(decoded)) == parts
    assert decoded.codes == codes


@pytest.mark.parametrize("name", [name for name, (_, _, codes) in VECTORS.items() if codes or "error" in name])
def test_policy_strict_ends_the_stream_there(name: str) -> None:
    """Under ``strict`` the first leniency is an error and the last part; what is merely unknown is no leniency."""
    events, _, codes = VECTORS[name]

    body = sse(message_start(), *events, message_delta(), MESSAGE_STOP)
    strict = decode_every_way(body, DIALECT, policy="strict")

    if codes and all(_harmless(code) for code in codes):
        assert strict == decode(body, DIALECT)
    else:
        assert strict.parts[-1]["type"] == "error"
        assert all(part["type"] not in ("finish", "error") for part in strict.parts[:-1])


def _harmless(code: str) -> bool:
    return code.startswith("unknown_") or code == "done_marker"
