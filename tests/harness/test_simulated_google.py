"""The simulated Gemini API and Vertex AI: what they say is what the documentation says they say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.record import anthropic_messages, gemini
from harness.record.scenarios import scenarios
from harness.record.wire import ScenarioError

GOOGLE = ("gemini-generateContent", "gemini-generateContent-json-array", "vertex-gemini")
REQUEST = {"model": "gemini-2.5-flash"}


def said(says: list[dict[str, Any]], *, vertex: bool = False, **reply: Any) -> list[dict[str, Any]]:
    """The responses of a stream of events."""
    reply = {"says": says, "finish": "STOP", **reply}
    events = gemini.encode("t", reply, REQUEST, vertex=vertex)
    assert all(event.startswith(b"data: {") and event.endswith(b"}\r\n\r\n") for event in events)
    return [json.loads(event[6:]) for event in events]


def candidate(response: dict[str, Any]) -> dict[str, Any]:
    (only,) = response["candidates"]
    return only


def test_a_response_has_its_fields_in_the_order_of_the_service() -> None:
    first, last = said([{"text": ["Hi", " there"]}])
    assert list(first) == ["candidates", "usageMetadata", "modelVersion", "responseId"]
    assert candidate(first) == {"content": {"parts": [{"text": "Hi"}], "role": "model"}, "index": 0}
    assert list(candidate(last)) == ["content", "finishReason", "index"]
    assert first["responseId"] == last["responseId"]


def test_vertex_puts_the_role_first_and_counts_no_candidates() -> None:
    first, last = said([{"text": ["Hi", " there"]}], vertex=True, usage={"prompt": 5, "candidates": 2})
    assert list(candidate(first)["content"]) == ["role", "parts"]
    assert "index" not in candidate(first)
    assert first["usageMetadata"] == {"trafficType": "ON_DEMAND"}
    assert last["usageMetadata"]["totalTokenCount"] == 7
    assert last["createTime"].startswith("2026-01-01T")


def test_usage_grows_with_the_answer() -> None:
    usage = {"prompt": 10, "candidates": 9, "thoughts": 4, "cached": 6, "tool_use": 3, "tier": "flex"}
    figures = [response["usageMetadata"] for response in said([{"text": ["a", "b", "c"]}], usage=usage)]
    assert [item["candidatesTokenCount"] for item in figures] == [3, 6, 9]
    assert [item["totalTokenCount"] for item in figures] == [20, 23, 26]
    assert (figures[0]["thoughtsTokenCount"], figures[0]["cachedContentTokenCount"]) == (4, 6)
    assert (figures[0]["toolUsePromptTokenCount"], figures[0]["serviceTier"]) == (3, "flex")


def test_a_stream_that_breaks_off_has_no_figures_of_its_end() -> None:
    *_, last = said([{"text": ["a", "b"]}], vertex=True, finish=None, usage={"prompt": 1, "candidates": 2})
    assert last["usageMetadata"] == {"trafficType": "ON_DEMAND"}
    assert "finishReason" not in candidate(last)


@pytest.mark.parametrize(
    ("closing", "count", "content"),
    [
        ("last", 1, {"parts": [{"text": "Hi"}], "role": "model"}),
        ("empty-text", 2, {"parts": [{"text": ""}], "role": "model"}),
        ("no-parts", 2, {"role": "model"}),
    ],
)
def test_where_the_finish_reason_rides(closing: str, count: int, content: dict[str, Any]) -> None:
    responses = said([{"text": ["Hi"]}], closing=closing, message="Done.")
    assert len(responses) == count
    assert [candidate(item).get("finishReason") for item in responses] == [None] * (count - 1) + ["STOP"]
    assert candidate(responses[-1])["content"] == content
    assert candidate(responses[-1])["finishMessage"] == "Done."


def test_the_finish_reason_comes_before_what_else_a_candidate_says() -> None:
    grounding: dict[str, Any] = {"groundingMetadata": {}}
    (response,) = said([{"text": ["Hi"], "candidate": grounding}])
    assert list(candidate(response)) == ["content", "finishReason", "index", "groundingMetadata"]


def test_thoughts_are_marked_and_the_last_piece_is_signed() -> None:
    parts = [candidate(item)["content"]["parts"][0] for item in said([{"text": "so it is", "thought": True, "signature": True}])]
    assert [part["thought"] for part in parts] == [True, True, True]
    assert ["thoughtSignature" in part for part in parts] == [False, False, True]
    assert len(parts[-1]["thoughtSignature"]) == 96


def test_a_call_comes_whole_with_an_id_where_the_model_gives_one() -> None:
    plain, named = said([{"tool": "f"}, {"tool": "g", "arguments": {"a": 1}, "id": True, "signature": True}])
    assert candidate(plain)["content"]["parts"] == [{"functionCall": {"name": "f"}}]
    (part,) = candidate(named)["content"]["parts"]
    assert list(part["functionCall"]) == ["name", "args", "id"]
    assert part["thoughtSignature"]


def test_arguments_given_as_text_go_out_as_they_are_written() -> None:
    text = '{"b": 1.0,"2": 1E+2,"a": 12345678901234567890}'
    (event,) = gemini.encode("t", {"says": [{"tool": "f", "arguments": text}], "finish": "STOP"}, REQUEST)
    assert f'"args": {text}'.encode() in event
    (event,) = gemini.encode(
        "t", {"says": [{"parts": [{"functionCall": {"name": "f", "args": text}}]}], "finish": "STOP"}, REQUEST
    )
    assert f'"args": {text}'.encode() in event


def test_angle_brackets_are_escaped_and_commas_have_no_space() -> None:
    (event,) = gemini.encode("t", {"says": [{"text": ["<b>é"]}], "finish": "STOP"}, REQUEST)
    assert '{"text": "\\u003cb\\u003eé"}],"role": "model"'.encode() in event
    (event,) = gemini.encode("t", {"says": [{"text": ["😀"]}], "finish": "STOP", "ascii": True}, REQUEST)
    assert b'"\\ud83d\\ude00"' in event


def test_an_error_is_an_event_or_bare() -> None:
    error = {"code": 503, "message": "m", "status": "UNAVAILABLE"}
    assert said([{"error": error}], finish=None) == [{"error": error}]
    (bare,) = gemini.encode("t", {"says": [{"error": error, "bare": True}]}, REQUEST)
    assert bare.startswith(b"{\n")
    assert json.loads(bare) == {"error": error}


def test_gateways_add_comments_and_events_of_their_own() -> None:
    says = [{"comment": "wait"}, {"data": "[DONE]"}]
    assert gemini.encode("t", {"says": says}, REQUEST) == [b": wait\r\n\r\n", b"data: [DONE]\r\n\r\n"]


def test_prompt_feedback_comes_without_a_candidate() -> None:
    (response,) = said([{"feedback": {"blockReason": "SAFETY"}}], finish=None, usage={"prompt": 3})
    assert response["promptFeedback"] == {"blockReason": "SAFETY"}
    assert "candidates" not in response
    assert response["usageMetadata"]["promptTokenCount"] == 3


@pytest.mark.parametrize("name", ["text", "grounding", "parallel-tools", "no-content", "error-mid-stream", "numbers"])
def test_the_array_has_the_elements_that_the_events_have(name: str) -> None:
    item = scenarios("gemini-generateContent")[name]
    assert item.reply is not None
    events = gemini.encode(name, item.reply, item.request)
    array = b"".join(gemini.encode(name, item.reply, item.request, array=True))
    assert json.loads(array) == [json.loads(event[6:]) for event in events]
    assert array.startswith(b'[{\n  "')
    assert array.endswith(b"\n}\n]")
    assert array.count(b"\n}\n,\r\n{\n") == len(events) - 1


def test_an_array_that_breaks_off_is_left_open() -> None:
    array = b"".join(gemini.encode("t", {"says": [{"text": ["a"]}]}, REQUEST, array=True))
    assert array.endswith(b"\n}\n")
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(array)


@pytest.mark.parametrize("dialect", GOOGLE)
def test_scenarios_are_well_formed_where_they_are_meant_to_be(dialect: str) -> None:
    for item in scenarios(dialect).values():
        body = b"".join(item.writes(item.request))
        if item.end != "complete" or item.name in {"error-tail", "comments", "folded", "done", "odd-payloads"}:
            continue
        if dialect.endswith("array"):
            responses = json.loads(body)
        else:
            text = body.decode().removeprefix("\ufeff").replace("\r\n", "\n")
            assert text.endswith("\n\n"), item.name
            responses = [json.loads(line.removeprefix("data:")) for line in text.split("\n\n")[:-1]]
        reasons = [one.get("finishReason") for response in responses for one in response.get("candidates", ())]
        assert ("error" in responses[-1] or "promptFeedback" in responses[0]) == (not any(reasons)), item.name


def test_ids_of_anthropic_on_vertex_say_where_they_are_from() -> None:
    reply = {"says": [{"tool": "f", "arguments": {}}, {"server_tool": "s", "arguments": {}}], "finish": "tool_use"}
    stream = b"".join(anthropic_messages.encode("t", reply, {"model": "claude"}, host="vrtx_"))
    for prefix in (b'"msg_vrtx_01', b'"toolu_vrtx_01', b'"srvtoolu_vrtx_01'):
        assert prefix in stream


@pytest.mark.parametrize(
    ("reply", "what"),
    [
        ({"says": [{"txt": "Hi"}]}, "holds none of text"),
        ({"says": [{"text": "Hi", "bye": 1}]}, "unknown key 'bye'"),
        ({"says": [{"text": "Hi"}], "finish": "STOP", "closing": "first"}, "closing: 'first'"),
        ({"says": [], "finish": "STOP"}, "no candidate that could finish"),
        ({"says": [{"text": "Hi"}], "usage": {"output": 1}}, "unknown key 'output'"),
    ],
)
def test_a_reply_that_makes_no_sense_is_refused(reply: dict[str, Any], what: str) -> None:
    with pytest.raises(ScenarioError, match=what):
        gemini.encode("t", reply, REQUEST)
