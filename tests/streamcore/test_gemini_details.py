"""``gemini-generateContent``: what stands beside the content of a chunk, and what protobuf's JSON leaves out of it.

The unified reference refuses a chunk one of whose details does not fit, and with it its text and its finish reason.
"""

from __future__ import annotations

from typing import Any

import pytest

from .gemini_wire import FIRST, chunk, gemini, text
from .wire import Json, t_delta, t_end, t_start

START: Json = {"type": "stream-start", "warnings": []}
BARE: Json = {"modality": "AUDIO"}


def said(**extra: Any) -> Any:
    """Two chunks of text, the second with details; that both are read is checked here."""
    found = gemini(chunk(text("a"), responseId="r"), chunk(text("b"), finish="STOP", **extra))
    *parts, finish = found.parts
    shown = [part for part in parts if part["type"] != "source"]
    assert shown == [START, FIRST, t_start(), t_delta("a"), t_delta("b"), t_end()]
    assert finish["finishReason"] == {"unified": "stop", "raw": "STOP"}
    return found


def test_zero_and_empty_may_be_left_out() -> None:
    """ProtoJSON, "Presence and default values": a count that is zero is not there, nor is an empty string."""
    usage = {"promptTokenCount": 5, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 5}, BARE, {}]}
    found = said(
        usageMetadata=usage,
        groundingMetadata={
            "searchEntryPoint": {"sdkBlob": "eA=="},
            "groundingChunks": [{"web": {"title": "t"}}, {"web": {"uri": "http://u"}}, {"image": {"title": "t"}}],
        },
        urlContextMetadata={"urlMetadata": [{"retrievedUrl": "http://u"}]},
    )

    finish = found.parts[-1]
    assert finish["usage"]["raw"] == usage
    assert [part["url"] for part in found.parts if part["type"] == "source"] == ["http://u"]
    assert finish["providerMetadata"]["google"]["urlContextMetadata"] == {"urlMetadata": [{"retrievedUrl": "http://u"}]}
    assert found.codes == []


def test_code_without_a_language_is_read() -> None:
    """An outcome or a language that is not specified is the zero of its enumeration."""
    found = gemini(
        chunk({"executableCode": {"code": "1"}}, responseId="r"),
        chunk({"codeExecutionResult": {"output": "2"}}, finish="STOP"),
    )

    call, result = (part for part in found.parts if part["type"].startswith("tool-"))
    assert (call["input"], result["result"]) == ('{"code":"1"}', {"output": "2"})


def test_figures_outlive_their_details() -> None:
    """Of the usage, too, only what does not fit is left out."""
    usage = {"promptTokenCount": 5, "candidatesTokenCount": 2, "promptTokensDetails": [{"tokenCount": "5"}]}
    found = said(usageMetadata=usage)

    assert found.codes == ["unreadable_detail"]
    assert found.parts[-1]["usage"]["inputTokens"]["total"] == 5
    assert "promptTokensDetails" not in found.parts[-1]["usage"]["raw"]


@pytest.mark.parametrize(
    ("details", "lost"),
    [
        ({"groundingMetadata": {"webSearchQueries": "q"}}, ["groundingMetadata"]),
        ({"urlContextMetadata": []}, ["urlContextMetadata"]),
        ({"safetyRatings": [None], "finishMessage": 3}, ["safetyRatings", "finishMessage"]),
        ({"usageMetadata": {"promptTokenCount": "5"}}, ["usageMetadata"]),
        ({"promptFeedback": {"safetyRatings": {}}}, []),
    ],
)
def test_a_detail_that_does_not_fit_costs_itself_alone(details: Json, lost: list[str]) -> None:
    """It is warned about; everything else in the chunk counts."""
    finish = said(**details).parts[-1]

    assert said(**details).codes == ["unreadable_detail"]
    assert all(finish["providerMetadata"]["google"][key] is None for key in lost)
    strict = gemini(chunk(text("a")), chunk(text("b"), finish="STOP", **details), policy="strict")
    assert (strict.parts[-1]["type"], strict.parts[-1]["kind"]) == ("error", "invalid_payload")
