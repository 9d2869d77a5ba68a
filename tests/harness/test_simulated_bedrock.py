"""The simulated Bedrock: its messages are sound where they should be, and hold what the documentation says they hold."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from typing import Any

import pytest

from harness.record import bedrock_converse, bedrock_invoke
from harness.record.eventstream import damaged, event, padding
from harness.record.scenarios import scenarios
from harness.record.wire import ScenarioError, deliver

BEDROCK = ("bedrock-converse-stream", "bedrock-invoke-with-response-stream")
CLAUDE = {"model": "anthropic.claude", "anthropic_version": "bedrock-2023-05-31"}


def taken_apart(body: bytes) -> list[tuple[dict[str, str], bytes]]:
    """Headers and payload of every message, both checksums checked: a reader that shares nothing with the writer."""
    messages = []
    while body:
        total, block, check = struct.unpack(">III", body[:12])
        assert zlib.crc32(body[:8]) == check
        assert zlib.crc32(body[: total - 4]) == struct.unpack(">I", body[total - 4 : total])[0]
        headers, rest = {}, body[12 : 12 + block]
        while rest:
            name, rest = rest[1 : 1 + rest[0]], rest[1 + rest[0] :]
            kind, length = struct.unpack(">BH", rest[:3])
            assert kind == 7
            headers[name.decode()], rest = rest[3 : 3 + length].decode(), rest[3 + length :]
        messages.append((headers, body[12 + block : total - 4]))
        body = body[total:]
    return messages


def converse(says: list[dict[str, Any]], **reply: Any) -> list[tuple[str, dict[str, Any]]]:
    """Name and members of each event; the padding is left out."""
    reply = {"says": says, "finish": "end_turn", "usage": {"input": 3, "output": 2}, **reply}
    events = []
    for headers, payload in taken_apart(b"".join(bedrock_converse.encode("t", reply, {}))):
        assert list(headers) == [":event-type", ":content-type", ":message-type"]
        members = json.loads(payload)
        assert list(members) == sorted(members)
        members.pop("p", None)
        events.append((headers[":event-type"], members))
    return events


def chunks(reply: dict[str, Any], request: dict[str, Any]) -> list[dict[str, Any]]:
    """What is in the bytes of each chunk."""
    body = b"".join(bedrock_invoke.encode("t", reply, request))
    return [json.loads(base64.b64decode(json.loads(payload)["bytes"])) for _, payload in taken_apart(body)]


@pytest.mark.parametrize("dialect", BEDROCK)
def test_the_messages_of_every_scenario_are_sound_where_they_should_be(dialect: str) -> None:
    for item in scenarios(dialect).values():
        body = b"".join(item.writes(item.request))
        if item.hazard:  # no such message, or none at all
            continue
        if item.name in {"bad-checksum", "bad-prelude", "bad-length"} or item.unsent:
            with pytest.raises((AssertionError, struct.error)):
                taken_apart(body)
            continue
        kinds = [headers[":message-type"] for headers, _ in taken_apart(body)]
        assert set(kinds[:-1]) <= {"event"}, item.name
        assert kinds[-1] in {"event", "exception", "error"}


def test_converse_event_flow() -> None:
    says = [{"text": "Hi there"}, {"tool": "f", "arguments": {"a": 1}, "by": 4}]
    events = converse(says, finish="tool_use")
    assert [name for name, _ in events] == [
        "messageStart",
        *("contentBlockDelta", "contentBlockDelta", "contentBlockStop"),
        *("contentBlockStart", "contentBlockDelta", "contentBlockDelta", "contentBlockStop"),
        "messageStop",
        "metadata",
    ]
    assert [members.get("contentBlockIndex") for _, members in events[1:8]] == [0, 0, 0, 1, 1, 1, 1]
    start = events[4][1]["start"]["toolUse"]
    assert (start["name"], start["toolUseId"][:8]) == ("f", "tooluse_")
    assert "".join(members["delta"]["toolUse"]["input"] for _, members in events[5:7]) == '{"a": 1}'
    assert events[-2][1] == {"stopReason": "tool_use"}
    assert events[-1][1]["usage"] == {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}


def test_reasoning_is_signed_and_what_is_encrypted_is_base64() -> None:
    events = converse([{"reasoning": "so", "by": 9}, {"redacted": ["aGk="]}, {"reasoning": "no", "signature": False}])
    deltas = [members["delta"]["reasoningContent"] for name, members in events if name == "contentBlockDelta"]
    assert [list(delta) for delta in deltas] == [["text"], ["signature"], ["redactedContent"], ["text"]]
    assert len(deltas[1]["signature"]) == 120


def test_cached_tokens_are_named_both_ways() -> None:
    usage = converse([{"text": "Hi"}], usage={"input": 1, "output": 2, "cache_read": 4, "cache_write": 8})[-1][1]["usage"]
    assert usage["totalTokens"] == 15
    assert usage["cacheReadInputTokens"] == usage["cacheReadInputTokenCount"] == 4
    assert usage["cacheWriteInputTokens"] == usage["cacheWriteInputTokenCount"] == 8


def test_stop_and_metadata_may_say_more_or_be_missing() -> None:
    more = {"fields": {"stop_sequence": "x"}, "metadata": {"trace": {}}}
    events = converse([], **more)
    assert events[1][1] == {"additionalModelResponseFields": {"stop_sequence": "x"}, "stopReason": "end_turn"}
    assert "trace" in events[-1][1]
    assert [name for name, _ in converse([], usage=None)] == ["messageStart", "messageStop"]
    assert [name for name, _ in converse([{"text": "Hi", "complete": False}], finish=None)][-1] == "contentBlockDelta"


@pytest.mark.parametrize("first", [True, False])
def test_exceptions_and_errors_have_headers_of_their_own(first: bool) -> None:
    says = [
        {"exception": "throttlingException", "says": {"message": "m"}, "first": first},
        {"error": "InternalFailure", "message": "é", "first": first},
    ]
    messages = taken_apart(b"".join(bedrock_converse.encode("t", {"says": says}, {})))
    assert len(messages) == (2 if first else 3)
    assert messages[-2] == (
        {
            ":exception-type": "throttlingException",
            ":content-type": "application/json",
            ":message-type": "exception",
        },
        b'{"message":"m"}',
    )
    assert messages[-1] == (
        {":error-code": "InternalFailure", ":error-message": "é", ":message-type": "error"},
        b"",
    )


def test_odd_messages_go_out_as_they_are_given() -> None:
    says = [{"event": "contentBlockDelta", "payload": "{"}, {"bytes": "0000 0004", "first": True}]
    body = b"".join(bedrock_converse.encode("t", {"says": says}, {}))
    assert body.endswith(b"\0\0\0\4")
    assert taken_apart(body[:-4])[-1][1] == b"{"


def test_padding_is_the_start_of_one_row_and_may_be_left_out() -> None:
    assert padding("a") == padding("a")
    assert len({padding(str(seed)) for seed in range(40)}) > 20
    assert all("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".startswith(padding(str(seed))) for seed in range(40))
    assert b'"p"' in b"".join(bedrock_converse.encode("t", {"says": [{"text": "a"}]}, {}))
    assert b'"p"' not in b"".join(bedrock_converse.encode("t", {"says": [{"text": "a"}], "padding": False}, {}))


@pytest.mark.parametrize(("where", "at"), [("prelude", 7), ("payload", -6)])
def test_damage_is_one_bit(where: str, at: int) -> None:
    sound = event("chunk", b'{"a":1}')
    broken = damaged(sound, where)
    assert [position for position, pair in enumerate(zip(sound, broken, strict=True)) if pair[0] != pair[1]] == [
        at % len(sound)
    ]
    with pytest.raises(AssertionError):
        taken_apart(broken)
    with pytest.raises(ScenarioError, match="damaged: 'tail'"):
        damaged(sound, "tail")


def test_anthropic_events_are_chunks_without_pings_and_metrics_come_last() -> None:
    reply = {"says": [{"text": "Hi"}], "finish": "end_turn", "metrics": {"input": 5, "output": 2, "cache_read": 1}}
    said = chunks(reply, CLAUDE)
    assert [item["type"] for item in said] == [
        *("message_start", "content_block_start", "content_block_delta", "content_block_stop"),
        *("message_delta", "message_stop"),
    ]
    assert said[0]["message"]["id"].startswith("msg_bdrk_01")
    metrics = said[-1]["amazon-bedrock-invocationMetrics"]
    assert (metrics["inputTokenCount"], metrics["cacheReadInputTokenCount"], metrics["cacheWriteInputTokenCount"]) == (5, 1, 0)
    assert "amazon-bedrock-invocationMetrics" not in chunks({**reply, "metrics": None}, CLAUDE)[-1]


def test_chunks_of_other_families_are_spelled_out() -> None:
    reply = {
        "says": [
            {"chunk": {"outputs": [{"text": "Hi"}], "stop_reason": None}},
            {"chunk": {"generation": "$piece", "inner": {"text": "$piece"}}, "text": "a b"},
        ],
        "metrics": {"input": 1, "output": 2},
    }
    said = chunks(reply, {"model": "meta.llama"})
    assert said[0] == {"outputs": [{"text": "Hi"}], "stop_reason": None}
    assert [item["generation"] for item in said[1:]] == ["a", " b"]
    assert [item["inner"] for item in said[1:]] == [{"text": "a"}, {"text": " b"}]
    assert ["amazon-bedrock-invocationMetrics" in item for item in said] == [False, False, True]


def test_a_stream_of_chunks_may_end_in_an_exception_or_an_error() -> None:
    for request in (CLAUDE, {"model": "meta.llama"}):
        says = [
            {"exception": "throttlingException", "members": {"message": "m"}, "first": True},
            {"failure": "InternalFailure", "message": "m", "first": True},
        ]
        messages = taken_apart(b"".join(bedrock_invoke.encode("t", {"says": says}, request)))
        assert [headers[":message-type"] for headers, _ in messages] == ["exception", "error"]


def test_seams_are_the_edges_of_every_part_of_a_message() -> None:
    first, second = event("chunk", '{"a":"é"}'.encode()), event("chunk", b"")
    writes = deliver([first, second], "seams", "eventstream")
    assert b"".join(writes) == first + second
    assert [len(write) for write in writes[:3]] == [4, 4, 4]
    # name length, name, type and the value's length, value
    assert writes[3:8] == [b"\x0b", b":event-type", b"\x07", b"\x00\x05", b"chunk"]
    start = len(first)
    cuts = {sum(map(len, writes[:count])) for count in range(len(writes))}
    assert {start, start + 4, start + 8, start + 12, len(first + second) - 4} <= cuts
    assert b'{"a":"\xc3' in writes
    assert deliver([b"short", b"\0" * 20], "seams", "eventstream")[0] == b"short"


@pytest.mark.parametrize(
    ("framing", "events", "writes"),
    [
        ("ndjson", ["{é}\n", "{}\r\n"], ["{\xc3", "\xa9}", "\n", "{}", "\r", "\n"]),
        ("json-array", ["[{}\n", ",\r\n{}\n", "]"], ["[{}", "\n", ",", "\r", "\n", "{}", "\n", "]"]),
        ("json-array", ['[{"a":"}, {"}', "]"], ['[{"a":"}', ",", ' {"}', "]"]),
    ],
)
def test_seams_of_lines_and_arrays(framing: str, events: list[str], writes: list[str]) -> None:
    cut = deliver([event.encode() for event in events], "seams", framing)
    assert [write.decode("latin-1") for write in cut] == writes


@pytest.mark.parametrize(
    ("encode", "what"),
    [
        (lambda: bedrock_converse.encode("t", {"says": [{"txt": 1}]}, {}), "holds none of text"),
        (lambda: bedrock_converse.encode("t", {"says": [{"text": "a", "x": 1}]}, {}), "unknown key 'x'"),
        (lambda: bedrock_converse.encode("t", {"says": [], "finish": "x", "usage": {"in": 1}}, {}), "unknown key 'in'"),
        (lambda: bedrock_invoke.encode("t", {"says": [{"txt": 1}]}, {"model": "m"}), "holds none of chunk"),
        (lambda: bedrock_invoke.encode("t", {"says": [], "finish": "x"}, {"model": "m"}), "unknown key 'finish'"),
        (lambda: bedrock_invoke.encode("t", {"says": [{"picture": 1}]}, CLAUDE), "holds none of"),
    ],
)
def test_a_reply_that_makes_no_sense_is_refused(encode: Any, what: str) -> None:
    with pytest.raises(ScenarioError, match=what):
        encode()
