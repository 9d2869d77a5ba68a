"""The simulated providers: they say what the APIs document, and it arrives as cut and as broken as was asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cassette import load
from harness.record import anthropic_messages, openai_chat
from harness.record.answers import whole_answer
from harness.record.providers import PROVIDERS
from harness.record.recorder import record_simulated
from harness.record.scenarios import DIALECTS, Scenario, find, scenarios
from harness.record.simulator import Answer, Simulator
from harness.record.wire import RecordError, ScenarioError, as_written, deliver, made_up, pieces
from streamcore.framing.sse import SseFramer

ROOT = Path(__file__).parents[2] / "cassettes"
SIMULATED = [item for dialect in DIALECTS for item in scenarios(dialect).values() if item.source == "simulator"]

NO_TYPE_HAS = {
    *("WH-003", "WH-006", "WH-022", "WH-026", "WH-028", "WH-029", "WH-045", "WH-073", "WH-082", "WH-085", "WH-096"),
    *("WH-113", "calls-without-index"),
}
"""Hazards, and one more recording, whose payloads are none of the API's: two documents in one, no index, an object for a string, or nothing at all."""


def payloads(events: list[bytes] | tuple[bytes, ...]) -> list[dict[str, Any]]:
    """The JSON payloads of a stream that has one data line an event."""
    lines = b"".join(events).decode().replace("\r\n", "\n").split("\n")
    return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]


def openai(says: list[dict[str, Any]], request: dict[str, Any] | None = None, **reply: Any) -> list[bytes]:
    reply = {"says": says, "finish": "stop", **reply}
    return openai_chat.encode("t", reply, {"model": "gpt-4o", "stream_options": {}, **(request or {})})


def anthropic(says: list[dict[str, Any]], **reply: Any) -> list[bytes]:
    return anthropic_messages.encode("t", {"says": says, "finish": "end_turn", **reply}, {"model": "claude"})


# --- the committed cassettes ---


@pytest.mark.parametrize("item", SIMULATED, ids=lambda item: f"{item.dialect}/{item.name}")
def test_the_committed_cassette_is_what_the_simulator_sends(item: Scenario) -> None:
    interaction, *twins = load(ROOT / item.dialect / f"{item.name}.yaml").interactions
    writes = item.writes(item.request)
    assert interaction.body == b"".join(writes)
    assert interaction.stream.chunks == tuple(map(len, writes))
    assert interaction.stream.end == item.end
    assert json.loads(interaction.request_body or b"") == PROVIDERS[item.dialect].body(item.request)
    kind = item.content_type or PROVIDERS[item.dialect].form.content_type
    assert dict(interaction.response_headers)["content-type"].startswith(kind)
    assert len(twins) == item.twin
    for twin in twins:
        asked = json.loads(twin.request_body or b"")
        assert "stream" not in asked
        assert twin.body == whole_answer(item, {"model": item.request["model"], **asked})


@pytest.mark.parametrize("name", ["unicode", "crlf", "cut-mid-arguments"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_recording_again_gives_the_same_bytes_and_chunks(dialect: str, name: str) -> None:
    if name not in scenarios(dialect):
        assert name != "unicode", "every dialect has characters to cut"
        return
    item = find(dialect, name)
    (again,) = record_simulated(item).interactions
    kept, *_ = load(ROOT / dialect / f"{name}.yaml").interactions
    assert (again.body, again.stream.chunks) == (kept.body, kept.stream.chunks)


def test_what_no_encoder_says_is_written_down() -> None:
    assert as_written("data: \u5317\n\n") == b"data: \xe5\x8c\x97\n\n"
    assert as_written({"bytes": "a\xff\x85"}) == b"a\xff\x85"
    with pytest.raises(ScenarioError, match="is not the number of a byte"):
        as_written({"bytes": "\u0100"})
    with pytest.raises(ScenarioError, match="unknown key"):
        as_written({"hex": "ff"})
    assert find("openai-chat", "wh-113-empty-body").writes({"model": "m"}) == ()
    with pytest.raises(ScenarioError, match="has no reply"):
        Scenario("openai-chat", "t", "about", "simulator", {"model": "m"}).writes({"model": "m"})


def test_events_without_their_names() -> None:
    named = anthropic([{"text": ["Hi"]}], ping=False, line_ending="crlf")
    unnamed = anthropic([{"text": ["Hi"]}], ping=False, line_ending="crlf", framing=["unnamed"])
    assert all(event.startswith(b"event: ") for event in named)
    assert [event.partition(b"\r\n")[2] for event in named] == unnamed


def test_long_arguments_are_long() -> None:
    chat = payloads(find("openai-chat", "long-arguments").writes(find("openai-chat", "long-arguments").request))
    calls = [call for item in chat for choice in item["choices"] for call in choice["delta"].get("tool_calls", ())]
    text = "".join(call["function"]["arguments"] for call in calls)
    assert len(text) >= 8192
    assert len(json.loads(text)["plants"]) > 20


@pytest.mark.parametrize(
    "item",
    [
        item
        for item in SIMULATED
        if item.dialect in {"openai-chat", "anthropic-messages", "vertex-anthropic"} and not {item.hazard, item.name} & NO_TYPE_HAS
    ],
    ids=lambda item: f"{item.dialect}/{item.name}",
)
def test_the_providers_own_types_accept_every_payload(item: Scenario) -> None:
    if item.dialect == "openai-chat":
        model: Any = pytest.importorskip("openai.types.chat").ChatCompletionChunk
    else:
        model = pytest.importorskip("anthropic.types").RawMessageStreamEvent
    adapter = pytest.importorskip("pydantic").TypeAdapter(model)
    events = list(item.writes(item.request))
    if item.unsent:
        events = [b"".join(events).rpartition(b"\n\n")[0]]
    checked = 0
    frames = SseFramer().feed(b"".join(events) + b"\n\n")
    for payload in [json.loads(data) for data, *_ in frames if data.startswith(b"{")]:
        # These three are documented but are no part of the SDKs' unions.
        if payload.get("type") in {"ping", "error", "content_block_note"} or "error" in payload:
            continue
        adapter.validate_python(payload)
        checked += 1
    assert checked or item.name == "error-first"


# --- OpenAI chat ---


def test_openai_first_chunk_carries_the_role_and_last_the_reason() -> None:
    chunks = payloads(openai([{"text": "Hi there"}]))
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    assert [chunk["choices"][0]["delta"] for chunk in chunks[1:3]] == [{"content": "Hi"}, {"content": " there"}]
    assert (chunks[-1]["choices"][0]["delta"], chunks[-1]["choices"][0]["finish_reason"]) == ({}, "stop")
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert chunks[0]["id"].startswith("chatcmpl-")
    assert all(chunk["object"] == "chat.completion.chunk" for chunk in chunks)


def test_openai_usage_is_sent_only_when_asked_for_in_a_chunk_without_choices() -> None:
    asked = payloads(openai([{"text": "Hi"}], {"stream_options": {"include_usage": True}}, usage={"prompt": 3}))
    assert all(chunk["usage"] is None for chunk in asked[:-1])
    assert asked[-1]["choices"] == []
    assert asked[-1]["usage"]["total_tokens"] == 3
    assert not any("usage" in chunk for chunk in payloads(openai([{"text": "Hi"}])))


def test_openai_obfuscation_is_on_unless_declined() -> None:
    assert all(chunk["obfuscation"] for chunk in payloads(openai([{"text": "Hi"}])))
    declined = payloads(openai([{"text": "Hi"}], {"stream_options": {"include_obfuscation": False}}))
    assert not any("obfuscation" in chunk for chunk in declined)


def test_openai_stream_ends_with_done_unless_it_broke() -> None:
    assert openai([{"text": "Hi"}])[-1] == b"data: [DONE]\n\n"
    assert b"[DONE]" not in b"".join(openai([{"error": {"message": "x"}}], finish=None))


def test_openai_single_call_rides_on_the_role_chunk_and_parallel_ones_do_not() -> None:
    one = payloads(openai([{"tool": "f", "arguments": {"a": 1}}], finish="tool_calls"))
    assert one[0]["choices"][0]["delta"]["role"] == "assistant"
    assert one[0]["choices"][0]["delta"]["tool_calls"][0]["function"] == {"name": "f", "arguments": ""}
    two = payloads(openai([{"tool": "f", "arguments": {}}, {"tool": "g", "arguments": {}}], finish="tool_calls"))
    assert "tool_calls" not in two[0]["choices"][0]["delta"]
    starts = [c["choices"][0]["delta"].get("tool_calls", [{}])[0] for c in two[1:] if c["choices"][0]["delta"]]
    assert [(call["index"], call.get("id", "")[:5]) for call in starts] == [
        (0, "call_"),
        (0, ""),
        (1, "call_"),
        (1, ""),
    ]


def test_openai_choices_and_their_calls_are_counted_apart() -> None:
    says = [{"tool": "f", "arguments": {}, "choice": 1}, {"text": "a", "choice": 0}]
    chunks = payloads(openai(says, {"n": 2}, finish=["stop", "tool_calls"]))
    assert [c["choices"][0]["index"] for c in chunks if c["choices"][0]["finish_reason"]] == [0, 1]
    assert [
        c["choices"][0]["delta"]["tool_calls"][0]["index"] for c in chunks if "tool_calls" in c["choices"][0]["delta"]
    ] == [
        0,
        0,
    ]


def test_openai_logprobs_have_the_bytes_of_their_token() -> None:
    chunks = payloads(openai([{"text": ["ü"]}], {"logprobs": True}))
    (entry,) = chunks[1]["choices"][0]["logprobs"]["content"]
    assert bytes(entry["bytes"]).decode() == entry["token"] == "ü"
    assert entry["logprob"] <= 0


def test_openai_refusal_has_its_own_deltas() -> None:
    chunks = payloads(openai([{"refusal": "No."}]))
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": None, "refusal": ""}
    assert chunks[1]["choices"][0]["delta"] == {"refusal": "No."}


# --- Anthropic messages ---


def test_anthropic_event_flow() -> None:
    events = anthropic([{"text": "Hi there"}], usage={"input": 5, "output": 7})
    names = [event.split(b"\n")[0].removeprefix(b"event: ").decode() for event in events]
    assert names == [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    for name, payload in zip(names, payloads(events), strict=True):
        assert payload["type"] == name
    message = payloads(events)[0]["message"]
    assert message["content"] == []
    assert message["usage"]["input_tokens"] == 5
    assert payloads(events)[-2]["usage"]["output_tokens"] == 7


def test_anthropic_blocks_are_numbered_and_thinking_is_signed() -> None:
    events = payloads(anthropic([{"thinking": "So."}, {"text": "Hi"}, {"tool": "f", "arguments": {"a": 1}}]))
    deltas = [item for item in events if item["type"] == "content_block_delta"]
    assert [item["delta"]["type"] for item in deltas if item["index"] == 0] == ["thinking_delta", "signature_delta"]
    fragments = [item["delta"]["partial_json"] for item in deltas if item["index"] == 2]
    assert fragments[0] == ""
    assert json.loads("".join(fragments)) == {"a": 1}


def test_anthropic_call_without_arguments_has_one_empty_fragment() -> None:
    events = payloads(anthropic([{"tool": "now", "arguments": {}}]))
    assert [item["delta"]["partial_json"] for item in events if item["type"] == "content_block_delta"] == [""]


def test_anthropic_web_search_result_names_its_call() -> None:
    request = find("anthropic-messages", "web-search").request
    blocks = [
        item["content_block"]
        for item in payloads(find("anthropic-messages", "web-search").writes(request))
        if item["type"] == "content_block_start"
    ]
    assert blocks[0]["type"] == "server_tool_use"
    assert blocks[1]["tool_use_id"] == blocks[0]["id"]


def test_anthropic_cached_tokens_are_in_both_usages() -> None:
    events = payloads(anthropic([{"text": "Hi"}], usage={"cache_read": 9, "cache_creation": 2}))
    for usage in (events[0]["message"]["usage"], events[-2]["usage"]):
        assert (usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]) == (9, 2)


def test_an_error_can_come_before_everything() -> None:
    events = anthropic([{"error": {"type": "overloaded_error", "message": "m"}, "first": True}], finish=None)
    assert [event.split(b"\n")[0] for event in events] == [b"event: error"]


# --- scenarios are checked ---


@pytest.mark.parametrize(
    ("encode", "what"),
    [
        (lambda: openai([{"txt": "Hi"}]), "holds none of text"),
        (lambda: openai([{"text": "Hi", "bye": 1}]), "unknown key 'bye'"),
        (lambda: openai([], usage={"tokens": 1}, request={"stream_options": {"include_usage": True}}), "'tokens'"),
        (lambda: openai([{"text": "Hi", "by": 0}]), "by: 0"),
        (lambda: anthropic([{"picture": 1}]), "holds none of text"),
        (lambda: anthropic([{"text": "Hi", "signature": 1}]), "unknown key 'signature'"),
        (lambda: deliver([b"x"], "bytes:0"), "delivery: 'bytes:0'"),
        (lambda: find("openai-chat", "nope"), "no scenario 'nope'"),
        (lambda: scenarios("nope"), "no scenarios for dialect 'nope'"),
        (lambda: find("openai-chat", "local-text").writes({}), "has no reply"),
    ],
)
def test_a_scenario_that_makes_no_sense_is_refused_in_one_line(encode: Any, what: str) -> None:
    with pytest.raises(RecordError) as caught:
        encode()
    assert what in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


# --- cutting ---


@given(st.text(max_size=40), st.none() | st.integers(1, 9) | st.lists(st.integers(1, 5), min_size=1, max_size=3))
def test_pieces_add_up(text: str, by: int | list[int] | None) -> None:
    assert "".join(pieces(text, by)) == text
    assert "" not in pieces(text, by)


@given(
    st.lists(st.binary(min_size=1, max_size=30), max_size=6),
    st.sampled_from(["events", "events:2", "bytes:3", "seams"]),
)
def test_delivery_neither_loses_nor_adds_a_byte(events: list[bytes], how: str) -> None:
    writes = deliver(events, how)
    assert b"".join(writes) == b"".join(events)
    assert all(writes)


def test_seams_cut_inside_characters_and_line_ends() -> None:
    cut = deliver(["data: é😀\r\n\r\n".encode()], "seams")
    assert cut == [b"data", b": \xc3", b"\xa9\xf0", b"\x9f\x98\x80\r", b"\n", b"\r", b"\n"]
    assert deliver([b"data: a\n\n"], "seams") == [b"data", b": a\n", b"\n"]
    with pytest.raises(ScenarioError):
        deliver([b"x"], "seam")


def test_made_up_ids_depend_on_their_seed_alone() -> None:
    assert made_up("a", 24) == made_up("a", 24) != made_up("b", 24)
    assert len(made_up("a", 24)) == 24


# --- the server ---


def test_every_write_is_a_chunk_for_the_client() -> None:
    writes = (b"a", b"bc" * 40_000, b"\n", b"d")
    with (
        Simulator(lambda _path, _request: Answer(writes)) as simulator,
        httpx.stream("POST", simulator.address + "/x", json={}) as response,
    ):
        chunks = list(response.iter_raw())
    assert b"".join(chunks) == b"".join(writes)
    assert chunks[0] == b"a"
    assert chunks[-2:] == [b"\n", b"d"]


@pytest.mark.parametrize(
    ("end", "error"), [("cut", httpx.RemoteProtocolError), ("reset", httpx.ReadError), ("timeout", httpx.ReadTimeout)]
)
def test_endings_reach_the_client_after_all_bytes(end: Any, error: type[Exception]) -> None:
    received = []

    def read(address: str) -> None:
        with httpx.stream("POST", address, json={}, timeout=0.3) as response:
            received.extend(response.iter_raw())

    with Simulator(lambda _path, _request: Answer((b"data: 1\n\n", b"data"), end)) as simulator, pytest.raises(error):
        read(simulator.address)
    assert received == [b"data: 1\n\n", b"data"]


def test_a_request_nobody_understands_gets_an_answer() -> None:
    def refuse(path: str, request: object) -> Answer:
        raise ValueError(f"no such path {path}")

    with Simulator(refuse) as simulator:
        assert (
            httpx.post(simulator.address + "/nope", json={}).json()["error"]["message"]
            == "ValueError: no such path /nope"
        )
        assert httpx.post(simulator.address, content=b"{").status_code == 400
