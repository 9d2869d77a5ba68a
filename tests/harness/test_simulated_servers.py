"""The simulated servers of OpenAI's protocols and those that took after them: what they are told to say is what they say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.record import cohere_chat, compatible_chat, openai_responses
from harness.record.providers_openai import OPENAI_FAMILY
from harness.record.scenarios import Scenario, find, scenarios
from harness.record.wire import ScenarioError, compact
from streamcore import Decoder
from streamcore.framing.sse import SseFramer

if TYPE_CHECKING:
    from collections.abc import Mapping

FAMILY = [
    item
    for name in OPENAI_FAMILY
    for item in scenarios(name).values()
    if item.source == "simulator" and not item.hazard  # hazards are what the protocols do not say
]
RESPONSES = ("openai-responses", "azure-openai-responses", "xai-responses")


def ids(item: Scenario) -> str:
    return f"{item.dialect}/{item.name}"


def payloads(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(data) for data, *_ in SseFramer().feed(body) if data.startswith(b"{")]


def body_of(dialect: str, name: str) -> bytes:
    item = find(dialect, name)
    return b"".join(item.writes(item.request))


# --- what is said ---


def text_of(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "".join(value)


def said(says: list[dict[str, Any]]) -> tuple[str, str, list[tuple[str, Any]]]:
    """Text, reasoning and calls of a scenario; raw deltas and events of the provider's own tools are left out."""
    texts, thoughts, calls = [], [], []
    for item in says:
        texts += [text_of(item[key]) for key in ("text", "refusal") if key in item]
        thoughts += [text_of(item[key]) for key in ("reasoning", "thinking", "plan") if key in item]
        calls += [(call["tool"], call["arguments"]) for call in (*item.get("tools", ()), item) if "tool" in call]
    return "".join(texts), "".join(thoughts), calls


def as_json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


WHOLE = [item for item in FAMILY if (item.reply or {}).get("finish") and item.end == "complete"]


@pytest.mark.parametrize("item", WHOLE, ids=ids)
def test_what_the_scenario_says_is_what_is_read(item: Scenario) -> None:
    decoder = Decoder(item.dialect)
    decoder.feed(b"".join(item.writes(item.request)))
    decoder.close()
    message = decoder.message
    text, reasoning, calls = said((item.reply or {})["says"])
    if not any("delta" in one or "annotations" in one for one in (item.reply or {})["says"]):
        assert message.text == text
    if item.dialect != "cohere-v2":  # whose plan is no part of the message
        assert message.reasoning == reasoning
    made = [call for call in message.tool_calls if not call.provider_executed]
    custom = [one for one in (item.reply or {})["says"] if "custom_tool" in one]
    if not custom and item.name != "mcp":
        assert [(call.name, as_json(call.arguments)) for call in made] == [(name, as_json(v)) for name, v in calls]


@pytest.mark.parametrize("item", [one for one in FAMILY if one.end != "complete"], ids=ids)
def test_what_is_cut_has_no_end(item: Scenario) -> None:
    decoder = Decoder(item.dialect)
    parts = [*decoder.feed(b"".join(item.writes(item.request))), *decoder.close()]
    assert parts[-1].as_json()["type"] == "error"
    assert not any(call.executable for call in decoder.message.tool_calls)


# --- Responses ---


def test_what_is_new_is_warned_about_and_nothing_else() -> None:
    decoder = Decoder("openai-responses", policy="strict")
    decoder.feed(body_of("openai-responses", "unknown-event"))
    decoder.close()
    assert {warning.code for warning in decoder.warnings} == {"unknown_event", "unknown_item"}
    assert (decoder.message.text, decoder.message.error) == ("Hi", None)


@pytest.mark.parametrize("item", [one for one in FAMILY if one.dialect in RESPONSES[:2]], ids=ids)
def test_the_providers_own_types_accept_every_event(item: Scenario) -> None:
    types = pytest.importorskip("openai.types.responses")
    adapter = pytest.importorskip("pydantic").TypeAdapter(types.ResponseStreamEvent)
    if item.name == "unknown-event":
        return  # whose point is that they do not
    checked = 0
    for payload in payloads(b"".join(item.writes(item.request))):
        if "error" not in payload:
            adapter.validate_python(payload)
            checked += 1
    assert checked or item.name == "error-first"


@pytest.mark.parametrize("item", [one for one in FAMILY if one.dialect in RESPONSES], ids=ids)
def test_events_are_named_and_numbered_and_the_response_repeats_its_items(item: Scenario) -> None:
    body = b"".join(item.writes(item.request))
    frames = [(event, json.loads(data)) for data, event, *_ in SseFramer().feed(body)]
    assert [event for event, _ in frames] == [payload["type"] for _, payload in frames]
    assert [payload["sequence_number"] for _, payload in frames] == list(range(len(frames)))
    done = [payload["item"] for event, payload in frames if event == "response.output_item.done"]
    if frames[-1][0] in {"response.completed", "response.incomplete"}:
        assert frames[-1][1]["response"]["output"] == done
    indices = [payload["output_index"] for event, payload in frames if event == "response.output_item.added"]
    assert indices == list(range(len(indices)))


def deltas(events: list[dict[str, Any]], name: str) -> str:
    return "".join(event["delta"] for event in events if event["type"] == f"response.{name}.delta")


@pytest.mark.parametrize(
    ("scenario", "name", "field"),
    [
        ("unicode", "output_text", "text"),
        ("refusal", "refusal", "refusal"),
        ("tool", "function_call_arguments", "arguments"),
        ("custom-tool", "custom_tool_call_input", "input"),
        ("code-interpreter", "code_interpreter_call_code", "code"),
        ("mcp", "mcp_call_arguments", "arguments"),
    ],
)
def test_deltas_add_up_to_what_is_done(scenario: str, name: str, field: str) -> None:
    events = payloads(body_of("openai-responses", scenario))
    (whole,) = [event[field] for event in events if event["type"] == f"response.{name}.done"]
    assert deltas(events, name) == whole != ""


def responses(says: list[dict[str, Any]], host: openai_responses.Host, **request: Any) -> list[dict[str, Any]]:
    reply = {"says": says, "finish": "completed"}
    return payloads(b"".join(openai_responses.encode("t", reply, {"model": "m", **request}, host)))


def test_obfuscation_is_on_unless_declined_and_xai_has_none() -> None:
    def obfuscated(events: list[dict[str, Any]]) -> list[bool]:
        return ["obfuscation" in event for event in events if "delta" in event]

    assert obfuscated(responses([{"text": "Hi"}], openai_responses.OPENAI)) == [True]
    declined = responses([{"text": "Hi"}], openai_responses.OPENAI, stream_options={"include_obfuscation": False})
    assert obfuscated(declined) == [False]
    assert obfuscated(responses([{"text": "Hi"}], openai_responses.XAI)) == [False]


def test_what_azure_and_xai_add_to_a_response() -> None:
    azure = responses([{"text": "Hi"}], openai_responses.AZURE)
    assert azure[0]["response"]["content_filters"] is None
    assert [item["source_type"] for item in azure[-1]["response"]["content_filters"]] == ["prompt", "completion"]
    xai = responses([{"tool": "f", "arguments": {"a": 1}, "by": 1}], openai_responses.XAI)
    assert list(xai[0])[:2] == ["sequence_number", "type"]
    assert [event["delta"] for event in xai if "delta" in event] == ['{"a":1}']
    assert "num_sources_used" in xai[-1]["response"]["usage"]


def test_reasoning_is_encrypted_when_asked_for() -> None:
    plain = responses([{"reasoning": ["So."]}], openai_responses.OPENAI)
    secret = responses([{"reasoning": ["So."]}], openai_responses.OPENAI, include=["reasoning.encrypted_content"])
    assert not any("encrypted_content" in event.get("item", {}) for event in plain)
    sizes = [len(event["item"]["encrypted_content"]) for event in secret if "item" in event]
    assert sizes == [44, 120]


# --- servers that speak Chat Completions in their own way ---


def chat(server: str, says: list[dict[str, Any]], **reply: Any) -> bytes:
    reply = {"says": says, "finish": "stop", **reply}
    return b"".join(compatible_chat.encode("t", reply, {"model": "m"}, server))


@pytest.mark.parametrize("server", sorted(set(compatible_chat.servers()) - {"plain", "ollama-ndjson"}))
def test_a_row_of_the_table_is_used_by_a_dialect_and_ends_as_it_says(server: str) -> None:
    row = compatible_chat.servers()[server]
    assert server in OPENAI_FAMILY
    body = chat(server, [{"text": "Hi"}], usage={"prompt": 1})
    assert body.rstrip().endswith(b"data: [DONE]") == row["done"]
    assert (b"\r\n" in body) == (row["line_ending"] == "crlf")
    assert (b'": ' in body) == row["spaces"]
    assert b"$" not in body


def test_a_row_has_only_fields_that_are_read() -> None:
    rows: Mapping[str, Mapping[str, Any]] = compatible_chat.servers()
    for name, row in rows.items():
        assert set(row) == set(rows["plain"]), name


def test_azure_says_first_what_its_filters_found() -> None:
    first, opening, *rest = payloads(chat("azure-openai", [{"text": ["Hi"]}], usage={"prompt": 3, "completion": 1}))
    assert (first["choices"], first["id"], first["model"], first["created"]) == ([], "", "", 0)
    assert first["prompt_filter_results"][0]["content_filter_results"]["jailbreak"] == {
        "detected": False,
        "filtered": False,
    }
    assert opening["choices"][0]["content_filter_results"] == {}
    assert rest[0]["choices"][0]["content_filter_results"]["hate"] == {"filtered": False, "severity": "safe"}
    assert list(rest[0]) == sorted(rest[0])
    assert rest[-1]["usage"]["total_tokens"] == 4


def test_xai_sends_calls_whole_and_the_role_once() -> None:
    body = chat(
        "xai-chat", [{"reasoning": "So."}, {"tools": [{"tool": "f", "arguments": {}}, {"tool": "g", "arguments": {}}]}]
    )
    chunks = [chunk["choices"][0]["delta"] for chunk in payloads(body)]
    assert chunks[0] == {"reasoning_content": "So.", "role": "assistant"}
    assert [(call["index"], call["function"]["arguments"]) for call in chunks[1]["tool_calls"]] == [
        (0, "{}"),
        (1, "{}"),
    ]
    assert not any("role" in delta for delta in chunks[1:])


def test_usage_that_grows_and_the_message_so_far() -> None:
    chunks = payloads(chat("perplexity", [{"text": ["a", "b"]}], usage={"prompt": 5, "completion": 2}))
    assert [chunk["usage"]["total_tokens"] for chunk in chunks] == [6, 7, 7]
    assert [chunk["choices"][0]["message"]["content"] for chunk in chunks] == ["a", "ab", "ab"]
    assert [chunk["object"] for chunk in chunks] == ["chat.completion.chunk"] * 2 + ["chat.completion.done"]


def test_a_finish_reason_can_ride_on_the_call() -> None:
    body = chat("mistral", [{"tools": [{"tool": "f", "arguments": {}}], "last": True}], finish="tool_calls")
    chunks = payloads(body)
    assert len(chunks) == 2
    assert chunks[1]["choices"][0]["finish_reason"] == "tool_calls"
    assert chunks[1]["usage"]["total_tokens"] == 0


def test_ollama_answers_in_lines_with_arguments_as_objects() -> None:
    lines = [json.loads(line) for line in body_of("ollama-ndjson", "tool").splitlines()]
    assert [line["done"] for line in lines] == [False, True]
    assert lines[0]["message"]["tool_calls"][0]["function"] == {"name": "get_weather", "arguments": {"city": "Oslo"}}
    assert lines[1]["done_reason"] == "stop"


# --- Cohere ---


def test_cohere_names_its_events_and_numbers_its_content() -> None:
    frames = [
        (event, json.loads(data))
        for data, event, *_ in SseFramer().feed(body_of("cohere-v2", "tool"))
        if data != b"[DONE]"
    ]
    assert all(event == payload["type"] for event, payload in frames)
    starts = [payload for event, payload in frames if event == "tool-call-start"]
    assert [
        (payload["index"], payload["delta"]["message"]["tool_calls"]["function"]["name"]) for payload in starts
    ] == [
        (0, "now"),
        (1, "get_weather"),
    ]
    pieces = [
        payload["delta"]["message"]["tool_calls"]["function"]["arguments"]
        for event, payload in frames
        if event == "tool-call-delta"
    ]
    assert json.loads("".join(pieces)) == {"city": "Lima"}
    assert frames[-1][1]["delta"]["finish_reason"] == "TOOL_CALL"


# --- scenarios are checked ---


@pytest.mark.parametrize(
    ("encode", "what"),
    [
        (lambda: responses([{"txt": "Hi"}], openai_responses.OPENAI), "holds none of text"),
        (lambda: responses([{"text": "Hi", "bye": 1}], openai_responses.OPENAI), "unknown key 'bye'"),
        (lambda: chat("groq", [{"txt": "Hi", "by": 1}]), "unknown key 'txt'"),
        (lambda: chat("groq", [{"by": 1}]), "holds none of text"),
        (lambda: chat("groq", [], usage={"tokens": 1}), "unknown key 'tokens'"),
        (lambda: cohere_chat.encode("t", {"says": [{"txt": "Hi"}]}, {}), "holds none of text"),
        (lambda: cohere_chat.encode("t", {"says": [], "end": 1}, {}), "unknown key 'end'"),
    ],
)
def test_a_scenario_that_makes_no_sense_is_refused(encode: Any, what: str) -> None:
    with pytest.raises(ScenarioError, match=what):
        encode()


def test_requests_are_asked_for_as_the_api_wants() -> None:
    assert find("openai-responses", "text").request["input"].startswith("Say hello")
    assert find("openai-completions-legacy", "text").request["prompt"] == "The answer to everything is"
    assert compact(OPENAI_FAMILY["azure-openai"].headers("k")) == '{"api-key":"k"}'
    assert OPENAI_FAMILY["azure-openai"].target({"model": "m"}).startswith("/openai/deployments/m/chat/completions?")
    assert OPENAI_FAMILY["azure-openai"].headers(None) == {}
