"""Gemini: text, thoughts, files, executed code, sources, and how a stream ends."""

from __future__ import annotations

from typing import Any

import pytest

from .gemini_wire import FIRST, STOP, USAGE, arg, array, call, chunk, fin, gemini, metadata, payload, piece, sse, text
from .wire import START, Json, _plus, decode_every_way, i_delta, i_end, i_start, t_call, t_delta, t_end, t_start

SIGNED = metadata(thoughtSignature="s+/=")
COUNTED: Json = {
    "inputTokens": {"total": 5, "noCache": 5, "cacheRead": 0},
    "outputTokens": {"total": 7, "text": 7, "reasoning": 0},
    "raw": USAGE,
}


def r_start(key: str = "0", **extra: Any) -> Json:
    return _plus({"type": "reasoning-start", "id": key}, **extra)


def r_delta(delta: str, key: str = "0", **extra: Any) -> Json:
    return _plus({"type": "reasoning-delta", "id": key, "delta": delta}, **extra)


def r_end(key: str = "0", **extra: Any) -> Json:
    return _plus({"type": "reasoning-end", "id": key}, **extra)


def source(address: str, title: str | None = None, key: str = "gen_0") -> Json:
    return _plus({"type": "source", "sourceType": "url", "id": key, "url": address}, title=title)


def test_text() -> None:
    decoded = gemini(
        chunk(text("h\u00e9"), responseId="r", usageMetadata={"promptTokenCount": 1}),
        chunk(text(" :"), responseId="r", usageMetadata={"promptTokenCount": 2}),
        chunk(text("!"), finish="STOP", responseId="x", usageMetadata=USAGE, finishMessage="done"),
    )

    assert decoded.parts == [
        START,
        FIRST,
        t_start(),
        t_delta("h\u00e9"),
        t_delta(" :"),
        t_delta("!"),
        t_end(),
        fin("stop", "STOP", usage=COUNTED, finishMessage="done"),
    ]
    assert decoded.codes == []
    assert decoded.message.text == "h\u00e9 :!"
    assert decoded.message.complete


def test_the_keys_of_vertex() -> None:
    decoded = gemini(chunk(text("a", thoughtSignature="s")), STOP, provider="vertex")

    signed = metadata("vertex", thoughtSignature="s")
    assert decoded.parts[1:] == [
        t_start(providerMetadata=signed),
        t_delta("a", providerMetadata=signed),
        t_end(),
        fin("stop", "STOP", provider="vertex"),
    ]


def test_text_and_thoughts_take_turns() -> None:
    parts = payload(
        chunk(text("a", thought=True), text("b", thought=True, thoughtSignature="s+/=")),
        chunk(text("c")),
        chunk(text("d", thought=False), text("", thought=True)),
        chunk(text("e", thought=True)),
        chunk(text("f", thought=True)),
    )

    assert parts == [
        r_start(),
        r_delta("a"),
        r_delta("b", providerMetadata=SIGNED),
        r_end(),
        t_start("1"),
        t_delta("c", "1"),
        t_delta("d", "1"),
        t_end("1"),
        r_start("2"),
        r_delta("e", "2"),
        r_delta("f", "2"),
        r_end("2"),
    ]


@pytest.mark.parametrize(
    ("before", "thought", "parts"),
    [
        (text("a"), False, [t_delta("", providerMetadata=SIGNED), t_end()]),
        (text("a"), True, [t_delta("", providerMetadata=SIGNED), t_end()]),
        (text("a", thought=True), True, [r_delta("", providerMetadata=SIGNED), r_end()]),
        (
            text("a", thought=True),
            False,
            [
                r_end(),
                t_start("1", providerMetadata=SIGNED),
                t_delta("", "1", providerMetadata=SIGNED),
                t_end("1"),
            ],
        ),
        (text(""), False, [t_start(providerMetadata=SIGNED), t_delta("", providerMetadata=SIGNED), t_end()]),
    ],
)
def test_a_signature_on_an_empty_part(before: Json, thought: bool, parts: list[Json]) -> None:
    found = payload(chunk(before), chunk(text("", thought=thought, thoughtSignature="s+/=")))

    assert found[-len(parts) :] == parts
    assert len(found) == len(parts) + (2 if before["text"] else 0)


def test_a_file() -> None:
    image = {"mimeType": "image/png", "data": "aGk="}
    plain = {"type": "file", "mediaType": "image/png", "data": "aGk="}
    parts = payload(
        chunk(text("a"), {"inlineData": image}, text("b")),
        chunk({"inlineData": image, "thought": True, "thoughtSignature": "s"}),
    )

    assert parts == [
        t_start(),
        t_delta("a"),
        t_end(),
        plain,
        t_start("1"),
        t_delta("b", "1"),
        t_end("1"),
        {**plain, "providerMetadata": metadata(thought=True, thoughtSignature="s")},
    ]


def test_code_that_google_runs() -> None:
    ran = {"executableCode": {"code": "1\u00e9", "language": "PYTHON", "x": 1}}
    decoded = gemini(
        chunk({**ran, "thoughtSignature": "s+/="}, {"codeExecutionResult": {"outcome": "OUTCOME_OK"}}),
        chunk({"executableCode": {"code": "", "language": "PYTHON"}}, ran),
        chunk({"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1\n"}, "thoughtSignature": "s+/="}),
        STOP,
    )

    def shown(key: str, **extra: Any) -> Json:
        code = '{"language":"PYTHON","code":"1\u00e9"}'
        return t_call(code, key, "code_execution", providerExecuted=True, **extra)

    def result(key: str, output: str, **extra: Any) -> Json:
        gave = {"outcome": "OUTCOME_OK", "output": output}
        return {"type": "tool-result", "toolCallId": key, "toolName": "code_execution", "result": gave, **extra}

    assert decoded.parts[1:-1] == [
        shown("gen_0", providerMetadata=SIGNED),
        result("gen_0", ""),
        shown("gen_1"),
        result("gen_1", "1\n", providerMetadata=SIGNED),
    ]
    assert decoded.parts[-1] == fin("stop", "STOP"), "Google's own calls are no reason to stop"


def test_a_result_of_code_that_was_not_shown() -> None:
    decoded = gemini(chunk({"codeExecutionResult": {"outcome": "OUTCOME_OK"}}), STOP)

    assert [part["type"] for part in decoded.parts] == ["stream-start", "finish"]
    assert decoded.codes == ["result_without_call"]


def test_tools_that_google_runs() -> None:
    def described(key: str, **extra: Any) -> Json:
        return metadata(serverToolCallId=key, serverToolType="GOOGLE_SEARCH", **extra)

    parts = payload(
        chunk({"toolCall": {"toolType": "GOOGLE_SEARCH", "args": {"2": 1, "1": 0}, "id": "a"}, "thoughtSignature": "s"}),
        chunk({"toolResponse": {"toolType": "GOOGLE_SEARCH", "response": {"x": None}, "id": "a"}}),
        chunk({"toolCall": {"toolType": "GOOGLE_SEARCH"}}, {"toolResponse": {"toolType": "GOOGLE_SEARCH"}}),
        chunk({"toolResponse": {"toolType": "GOOGLE_SEARCH", "id": "z"}, "thoughtSignature": "s"}),
    )

    def called(text: str, key: str, **extra: Any) -> Json:
        return t_call(
            text, key, "server:GOOGLE_SEARCH", providerExecuted=True, dynamic=True, providerMetadata=described(key, **extra)
        )

    def gave(result: Any, key: str, **extra: Any) -> Json:
        part = {"type": "tool-result", "toolCallId": key, "toolName": "server:GOOGLE_SEARCH", "result": result}
        return {**part, "providerMetadata": described(key, **extra)}

    assert parts == [
        called('{"1":0,"2":1}', "a", thoughtSignature="s"),
        gave({"x": None}, "a"),
        called("{}", "gen_0"),
        gave({}, "gen_0"),
        gave({}, "z", thoughtSignature="s"),
    ]


def test_sources() -> None:
    grounding = {
        "groundingChunks": [
            {"web": {"uri": "https://a", "title": "A"}},
            {"web": {"uri": "https://a", "title": "again"}},
            {"image": {"sourceUri": "https://b", "imageUri": "https://b/x.png"}},
            {"retrievedContext": {"uri": "http://c", "title": None}},
            {"retrievedContext": {"uri": "gs://d/e.pdf", "title": "E"}},
            {"retrievedContext": {"fileSearchStore": "stores/f"}},
            {"maps": {"uri": "https://g", "title": "G"}},
            {"maps": {"title": "nowhere"}},
            {},
        ],
        "retrievalMetadata": {"googleSearchDynamicRetrievalScore": 1},
        "unknown": 1,
    }
    decoded = gemini(
        chunk(text("x"), groundingMetadata={"webSearchQueries": ["q"]}),
        chunk(text("y"), groundingMetadata=grounding, urlContextMetadata={"urlMetadata": None}),
        chunk(finish="STOP", groundingMetadata=grounding, safetyRatings=[{"category": "C", "x": 1}]),
    )

    assert decoded.parts[3:-1] == [
        source("https://a", "A"),
        source("https://b", key="gen_1"),
        source("http://c", key="gen_2"),
        source("https://g", "G", "gen_3"),
        t_delta("y"),
        t_end(),
    ]
    kept = {key: value for key, value in grounding.items() if key != "unknown"}
    assert decoded.parts[-1] == fin(
        "stop",
        "STOP",
        groundingMetadata={**kept, "retrievalMetadata": {}},
        urlContextMetadata={"urlMetadata": None},
        safetyRatings=[{"category": "C"}],
    )


@pytest.mark.parametrize(
    ("reason", "unified"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content-filter"),
        ("IMAGE_SAFETY", "content-filter"),
        ("RECITATION", "content-filter"),
        ("BLOCKLIST", "content-filter"),
        ("PROHIBITED_CONTENT", "content-filter"),
        ("SPII", "content-filter"),
        ("MALFORMED_FUNCTION_CALL", "error"),
        ("OTHER", "other"),
        ("LANGUAGE", "other"),
        ("FUTURE", "other"),
    ],
)
def test_finish_reasons(reason: str, unified: str) -> None:
    decoded = gemini(chunk(text("x"), finish=reason))

    assert decoded.parts[-1] == fin(unified, reason)
    assert decoded.codes == (["unknown_finish_reason"] if reason == "FUTURE" else [])


def test_a_stop_for_the_sake_of_calls() -> None:
    assert gemini(chunk(call(), finish="STOP")).parts[-1] == fin("tool-calls", "STOP")
    assert gemini(chunk(call(), finish="MAX_TOKENS")).parts[-1] == fin("length", "MAX_TOKENS")


def test_usage() -> None:
    raw = {**USAGE, "cachedContentTokenCount": 2, "thoughtsTokenCount": 3, "serviceTier": "flex", "new": [{"x": None}]}
    decoded = gemini(chunk(text("x"), usageMetadata={"promptTokenCount": 9}), chunk(finish="STOP", usageMetadata=raw))

    usage = {
        "inputTokens": {"total": 5, "noCache": 3, "cacheRead": 2},
        "outputTokens": {"total": 10, "text": 7, "reasoning": 3},
        "raw": raw,
    }
    assert decoded.parts[-1] == fin("stop", "STOP", usage=usage, serviceTier="flex")


@pytest.mark.parametrize("reason", ["SAFETY", "FUTURE"])
def test_a_blocked_prompt(reason: str) -> None:
    feedback = {"blockReason": reason, "safetyRatings": [{"category": "C", "blocked": True}]}
    decoded = gemini(
        {"promptFeedback": {**feedback, "blockReasonMessage": "no"}, "usageMetadata": USAGE},
        {**chunk(text("x"), finish="STOP", finishMessage="m"), "promptFeedback": {"blockReason": "OTHER"}},
    )

    last = fin("content-filter", reason, usage=COUNTED, promptFeedback=feedback, finishMessage="m")
    assert decoded.parts == [START, last]


@pytest.mark.parametrize("reason", [None, "", "BLOCK_REASON_UNSPECIFIED", "BLOCKED_REASON_UNSPECIFIED"])
def test_feedback_that_blocks_nothing(reason: str | None) -> None:
    feedback = {"blockReason": reason}
    decoded = gemini(chunk(text("x"), promptFeedback=feedback), STOP)

    assert decoded.parts[-1] == fin("stop", "STOP", promptFeedback=feedback)


def test_candidates_beyond_the_first_are_choices() -> None:
    def of(index: Any, *parts: Json, **extra: Any) -> Json:
        return {"index": index, "content": {"parts": list(parts)}, **extra}

    image = {"inlineData": {"mimeType": "image/png", "data": ""}}
    decoded = gemini(
        {"candidates": [of(0, text("a")), of(1, text("b"))], "usageMetadata": USAGE},
        {"candidates": [of(1, text("c"), call("f", {"x": 1}), image, finishReason="MAX_TOKENS", finishMessage="m")]},
        {"candidates": [of(0, text("d"), finishReason="STOP")]},
    )

    second = {"choice": 1}
    names = ("groundingMetadata", "safetyRatings", "urlContextMetadata")
    assert decoded.parts[1:] == [
        t_start(),
        t_delta("a"),
        t_start(**second),
        t_delta("b", **second),
        t_delta("c", **second),
        t_end(**second),
        {"type": "file", "mediaType": "image/png", "data": "", **second},
        i_start("gen_0", **second),
        i_delta('{"x":1}', "gen_0", **second),
        i_end("gen_0", **second),
        t_call('{"x":1}', "gen_0", **second),
        t_delta("d"),
        {
            "type": "finish",
            "finishReason": {"unified": "length", "raw": "MAX_TOKENS"},
            "usage": {"inputTokens": {}, "outputTokens": {}},
            "providerMetadata": metadata(finishMessage="m", **dict.fromkeys(names)),
            **second,
        },
        t_end(),
        fin("stop", "STOP", usage=COUNTED),
    ]
    assert [message.text for message in decoded.message.alternatives] == ["bc"]
    assert decoded.message.text == "ad"


@pytest.mark.parametrize("index", ["0", -1, 0.5, True, []])
def test_a_candidate_without_a_usable_index(index: Any) -> None:
    decoded = gemini({"candidates": [{"content": {"parts": [text("a")]}, "finishReason": "STOP", "index": index}]})

    assert decoded.message.text == "a"
    assert decoded.codes == ["choice_index_missing"]


@pytest.mark.parametrize(
    "said",
    [{}, {"content": {}}, {"content": None}, {"content": {"parts": None}}, {"content": {"parts": [{}]}}],
)
def test_candidates_without_content(said: Json) -> None:
    decoded = gemini({"candidates": [said]}, {"candidates": []}, {"candidates": None}, {"usageMetadata": None}, STOP)

    assert decoded.parts == [START, fin("stop", "STOP")]
    assert decoded.codes == []


def test_parts_of_an_unknown_kind() -> None:
    decoded = gemini(chunk({"hologram": {}}, {"text": None, "thoughtSignature": "s"}, {"videoMetadata": {}}), STOP)

    assert decoded.parts == [START, fin("stop", "STOP")]
    assert [warning.detail for warning in decoded.warnings] == ["a part that holds hologram"]


def test_chunks_of_another_api() -> None:
    decoded = gemini({"setupComplete": {}}, chunk(text("x")), STOP)

    assert decoded.message.text == "x"
    assert decoded.codes == ["unknown_payload"]


def test_a_finish_reason_in_every_chunk() -> None:
    decoded = gemini(chunk(text("a"), finish="STOP"), chunk(text("b"), finish="STOP"), chunk(text("c")))

    assert decoded.message.text == "abc"
    assert decoded.message.complete
    assert decoded.codes == ["content_after_finish"]


def test_a_gateway_may_add_done() -> None:
    body = sse(chunk(text("a"), finish="STOP"))
    decoded = decode_every_way(body + b"data: [DONE]\n\n", "gateway-gemini")

    assert decoded.parts == decode_every_way(body, "gateway-gemini").parts
    assert decoded.message.complete


def test_a_whole_response_is_a_stream_of_one_chunk() -> None:
    response = chunk(text("a"), piece(arg("$.x", 1), name="f", goes_on=None), finish="STOP")
    body = array(response)[1:-2].strip()
    decoded = decode_every_way(body, "gemini-generateContent-json-array")

    assert decoded.parts == gemini(response).parts
