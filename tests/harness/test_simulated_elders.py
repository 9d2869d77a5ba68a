"""The simulated APIs that others have replaced, and Gemini's Interactions: what they say is what the documentation says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.record import anthropic_completions, cohere_v1, gemini_interactions
from harness.record.providers import PROVIDERS
from harness.record.scenarios import scenarios
from harness.record.wire import ScenarioError
from streamcore import Decoder

REQUEST = {"model": "m"}
ENCODERS = {
    "anthropic-complete-legacy": anthropic_completions.encode,
    "cohere-v1": cohere_v1.encode,
    "gemini-interactions": gemini_interactions.encode,
}


@pytest.mark.parametrize("dialect", ENCODERS)
def test_every_scenario_is_read_as_it_is_meant_in_one_chunk_and_byte_by_byte(dialect: str) -> None:
    for item in scenarios(dialect).values():
        body = b"".join(item.writes(item.request))
        whole, single = Decoder(dialect), Decoder(dialect)
        parts = whole.feed(body) + whole.close()
        assert parts == [part for at in range(len(body)) for part in single.feed(body[at : at + 1])] + single.close()
        says: list[dict[str, Any]] = (item.reply or {})["says"]
        told = "".join("".join(one["text"]) for one in says if "text" in one)
        cut = item.end == "cut" and item.unsent
        assert told.startswith(whole.message.text) if cut else whole.message.text == told
        finished = bool((item.reply or {}).get("finish"))
        assert [part.type for part in parts].count("error") == (not finished), item.name
        calls = [one for one in says if "tool" in one] if finished else []
        made = [call.name for call in whole.message.tool_calls if call.complete and not call.provider_executed]
        assert made == [one["tool"] for one in calls], item.name


@pytest.mark.parametrize("dialect", ENCODERS)
def test_a_reply_that_makes_no_sense_is_refused(dialect: str) -> None:
    for reply in ({"says": [{"txt": "Hi"}]}, {"says": [{"text": "Hi", "bye": 1}]}, {"says": [], "bye": 1}):
        with pytest.raises(ScenarioError, match="holds none of text|unknown key 'bye'"):
            ENCODERS[dialect]("t", reply, REQUEST)


def test_a_completion_repeats_what_it_is_and_is_padded() -> None:
    first, last = anthropic_completions.encode("t", {"says": [{"text": "Hi"}], "finish": "max_tokens"}, REQUEST)
    assert first.startswith(b"event: completion\ndata: {")
    one, two = (json.loads(event.partition(b"data: ")[2]) for event in (first, last))
    assert (one["completion"], two["completion"], two["stop_reason"]) == ("Hi", "", "max_tokens")
    assert one["id"] == two["id"] == two["log_id"]
    assert PROVIDERS["anthropic-complete-legacy"].ask("Hi?") == {"prompt": "\n\nHuman: Hi?\n\nAssistant:"}


def test_calls_of_cohere_come_in_pieces_and_whole_behind_the_last() -> None:
    says = [{"tool": "f", "arguments": {"a": "<b>"}}, {"tool": "g", "arguments": {}}]
    lines = cohere_v1.encode("t", {"says": says, "finish": "COMPLETE"}, REQUEST)
    events = [json.loads(line) for line in lines]
    assert all(line.endswith(b"}\n") and b"<" not in line for line in lines)
    assert [event["event_type"] for event in events if "tool_calls" in event] == ["tool-calls-generation"]
    chunks = [event["tool_call_delta"] for event in events if "tool_call_delta" in event]
    assert "".join(one.get("parameters", "") for one in chunks if one["index"] == 0) == '{"a":"<b>"}'
    assert events[-1]["response"]["tool_calls"] == events[-2]["tool_calls"]
    assert events[-1]["is_finished"]
    form = PROVIDERS["cohere-v1"].form
    assert (form.content_type, PROVIDERS["cohere-v1"].framing) == ("application/stream+json", "ndjson")


def test_steps_of_an_interaction_have_their_indices_and_it_ends_with_done() -> None:
    says = [{"thought": "Hm", "signature": True}, {"text": "Hi"}, {"tool": "f", "arguments": {}}]
    events = gemini_interactions.encode("t", {"says": says, "finish": "requires_action"}, REQUEST)
    assert events[-1] == b"event: done\ndata: [DONE]\n\n"
    payloads = [json.loads(event.partition(b"data: ")[2]) for event in events[:-1]]
    assert [one["step"]["type"] for one in payloads if "step" in one] == ["thought", "model_output", "function_call"]
    assert [one["index"] for one in payloads if one["event_type"] == "step.stop"] == [0, 1, 2]
    assert [one.get("status") for one in payloads if one["event_type"].endswith("update")] == [
        "in_progress",
        "requires_action",
    ]
    assert payloads[-1]["interaction"]["id"] == payloads[0]["interaction"]["id"]
