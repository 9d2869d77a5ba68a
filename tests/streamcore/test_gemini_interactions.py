"""Gemini's Interactions API: steps of every kind."""

from __future__ import annotations

from typing import Any

import pytest

from streamcore import Limits

from .interactions_wire import CREATED, META, MINE, NAME, body, fin, interaction, parts_of, said, step
from .wire import START, Json, _plus, decode, decode_every_way, i_delta, i_end, i_start, t_call, t_delta, t_end, t_start


def source(address: str, title: str | None = None, key: str = "gen_0") -> Json:
    return _plus({"type": "source", "sourceType": "url", "id": key, "url": address}, title=title)


def document(title: str, filename: str | None, media_type: str, key: str) -> Json:
    part = {"type": "source", "sourceType": "document", "id": key, "mediaType": media_type, "title": title}
    return _plus(part, filename=filename)


def test_text_and_thoughts() -> None:
    decoded = interaction(
        said("interaction.status_update", status="in_progress"),
        *step("thought", {"type": "thought_signature", "signature": "s+/="}, {"type": "thought_summary"}),
        *step(
            "thought",
            {"type": "thought_summary", "content": {"type": "text", "text": "b"}},
            {"type": "thought_signature", "signature": None},
            index=1,
            signature="t",
            summary=[{"type": "text", "text": "a"}, {"type": "image"}],
        ),
        *step("model_output", {"type": "text", "text": "h:\u00e9"}, {"type": "text", "text": ""}, index=2),
    )

    assert decoded.parts == [
        START,
        META,
        {"type": "reasoning-start", "id": "v1:0"},
        {"type": "reasoning-end", "id": "v1:0", "providerMetadata": {"google": {**MINE["google"], "signature": "s+/="}}},
        {"type": "reasoning-start", "id": "v1:1"},
        {"type": "reasoning-delta", "id": "v1:1", "delta": "a"},
        {"type": "reasoning-delta", "id": "v1:1", "delta": "b"},
        {"type": "reasoning-end", "id": "v1:1", "providerMetadata": {"google": {**MINE["google"], "signature": "t"}}},
        t_start("v1:2"),
        t_delta("h:\u00e9", "v1:2"),
        t_end("v1:2", providerMetadata=MINE),
        fin("stop", "completed"),
    ]
    assert decoded.message.complete


def test_an_interaction_that_is_not_stored_has_no_id() -> None:
    created = said("interaction.created", interaction={"id": "", "created": "nonsense"})
    decoded = decode_every_way(
        body(created, *step("model_output", {"type": "text", "text": "a"}), said("interaction.completed")), NAME
    )

    last = {**fin("other", None), "providerMetadata": {"google": {}}}
    name = "interaction:0"
    assert decoded.parts == [
        START,
        {"type": "response-metadata"},
        t_start(name),
        t_delta("a", name),
        t_end(name),
        last,
    ]
    assert decoded.codes == ["unknown_finish_reason"]


def test_a_function_call() -> None:
    call = {"id": "c", "name": "f", "signature": "", "arguments": {}}
    pieces = [{"type": "arguments_delta", "arguments": text} for text in ('{"a":', "1}", "", None)]
    decoded = interaction(
        *step("function_call", *pieces, {"type": "arguments_delta", "signature": "s"}, **call),
        *step("function_call", index=1, id="d", name="g"),
        *step("function_call", index=2, name="h", arguments={"2": 1, "1": "x"}),
    )

    signed = {"google": {**MINE["google"], "signature": "s"}}
    given = '{"1":"x","2":1}'
    assert decoded.parts[2:-1] == [
        i_start("c"),
        i_delta('{"a":', "c"),
        i_delta("1}", "c"),
        i_end("c"),
        t_call('{"a":1}', "c", providerMetadata=signed),
        i_start("d", "g"),
        i_end("d"),
        t_call("{}", "d", "g", providerMetadata=MINE),
        i_start("v1:2", "h"),
        i_delta(given, "v1:2"),
        i_end("v1:2"),
        t_call(given, "v1:2", "h", providerMetadata=MINE),
    ]
    assert decoded.parts[-1] == fin("tool-calls", "completed")
    assert decoded.codes == []


def test_calls_that_are_odd() -> None:
    cut = {"type": "arguments_delta", "arguments": '{"a":', "id": "other"}
    decoded = interaction(
        *step("function_call", cut, id="c", name="f"),
        *step("function_call", index=1, id="c", name="g"),
        *step("function_call", {"type": "arguments_delta", "arguments": "{}"}, index=2, id="e"),
        *step("function_call", {"type": "arguments_delta", "arguments": "{}"}, index=3, id="h", name="null"),
    )

    first, second = decoded.message.tool_calls
    assert (first.arguments, first.executable) == ('{"a":', False)
    assert (second.id, second.executable) == ("gen_0", True)
    assert decoded.codes == ["id_changed", "invalid_arguments", "duplicate_id"]
    assert [part["kind"] for part in decoded.parts if part["type"] == "error"] == ["nameless_call"] * 2


def test_the_arguments_are_bounded() -> None:
    deltas = [{"type": "arguments_delta", "arguments": "12345678"}] * 3
    decoded = decode(body(CREATED, *step("function_call", *deltas, name="f")), NAME, limits=Limits(max_arguments_chars=20))

    assert decoded.parts[-1]["kind"] == "event_too_large"


def test_tools_that_google_runs() -> None:
    found = [{"url": "https://a", "title": "A"}, {"url": ""}, {"url": "https://a"}, "x"]
    parts = parts_of(
        *step("google_search_call", {"type": "google_search_call", "arguments": {"q": 1}}, id="s", signature=""),
        *step("google_search_result", {"type": "google_search_result", "result": found}, index=1, call_id="s"),
        *step(
            "mcp_server_tool_call",
            {"type": "mcp_server_tool_call", "name": "n", "id": "u", "signature": "s"},
            index=2,
            id="t",
            name="m",
        ),
        *step(
            "mcp_server_tool_result",
            {"type": "mcp_server_tool_result", "name": "n", "call_id": "u", "result": None},
            index=3,
            name="m",
            result={"x": 1},
        ),
        *step("code_execution_call", index=4, arguments={"code": "1"}, name="ignored"),
        *step("code_execution_result", index=5, result="1\n", is_error=False),
        *step("mcp_server_tool_call", index=6, id="z"),
    )

    def result(key: str, name: str, value: Any) -> Json:
        return {"type": "tool-result", "toolCallId": key, "toolName": name, "result": value}

    ran = {"providerExecuted": True}
    assert parts == [
        t_call('{"q":1}', "s", "google_search", **ran),
        result("s", "google_search", found),
        source("https://a", "A"),
        t_call("{}", "u", "n", **ran, providerMetadata={"google": {"signature": "s"}}),
        result("u", "n", None),
        t_call('{"code":"1"}', "v1:4", "code_execution", **ran),
        result("v1:5", "code_execution", "1\n"),
        t_call("{}", "z", "mcp_server_tool", **ran),
    ]


def test_citations() -> None:
    cited = [
        {"type": "url_citation", "url": "https://a", "title": "A"},
        {"type": "url_citation", "url": None},
        {"type": "place_citation", "url": "https://b", "name": "B"},
        {"type": "file_citation", "url": "https://c", "file_name": "C"},
        {"type": "file_citation", "document_uri": "gs://x/d.MD"},
        {"type": "file_citation", "file_name": "e"},
        {"type": "file_citation", "document_uri": "gs://"},
        {"type": "file_citation"},
        {"type": "unheard_of"},
    ]
    parts = parts_of(
        *step("model_output", content=[{"type": "text", "text": "x", "annotations": cited[:2]}]),
        *step("model_output", {"type": "text_annotation_delta", "annotations": cited}, index=1),
        *step("model_output", {"type": "text_annotation"}, index=2),
    )

    assert parts == [
        t_start("v1:0"),
        t_delta("x", "v1:0"),
        source("https://a", "A"),
        t_end("v1:0", providerMetadata=MINE),
        t_start("v1:1"),
        source("https://b", "B", "gen_1"),
        source("https://c", "C", "gen_2"),
        document("d.MD", "d.MD", "text/markdown", "gen_3"),
        document("e", "e", "application/octet-stream", "gen_4"),
        document("gs://", None, "application/octet-stream", "gen_5"),
        t_end("v1:1", providerMetadata=MINE),
        t_start("v1:2"),
        t_end("v1:2", providerMetadata=MINE),
    ]


@pytest.mark.parametrize(
    ("kind", "result", "sources"),
    [
        (
            "url_context_result",
            [{"url": "https://a", "status": "success"}, {"url": "https://b", "status": "error"}, {"url": "https://c"}],
            [source("https://a"), source("https://c", key="gen_1")],
        ),
        (
            "google_maps_result",
            [{"places": [{"url": "https://a", "name": "A"}, {"name": "B"}]}, {"places": None}],
            [source("https://a", "A")],
        ),
        (
            "file_search_result",
            [
                {"url": "https://a", "title": "A"},
                {"document_uri": "gs://x/b.pdf", "title": "B", "file_name": None},
                {"file_name": "c.txt"},
                {"title": "nowhere"},
            ],
            [
                source("https://a", "A"),
                document("B", "b.pdf", "application/pdf", "gen_1"),
                document("c.txt", "c.txt", "text/plain", "gen_2"),
            ],
        ),
        ("code_execution_result", [{"url": "https://a"}], []),
        ("google_search_result", {"url": "https://a"}, []),
        ("google_search_result", None, []),
    ],
)
def test_sources_of_results(kind: str, result: Any, sources: list[Json]) -> None:
    assert parts_of(*step(kind, call_id="c", result=result))[1:] == sources


def test_media() -> None:
    def file(media_type: str, data: str, **fields: str) -> Json:
        metadata = {"google": {**MINE["google"], **fields}}
        return {"type": "file", "mediaType": media_type, "data": data, "providerMetadata": metadata}

    image = {"type": "image", "data": "aQ==", "mime_type": "image/webp"}
    parts = parts_of(
        *step("model_output", image, {"type": "video", "uri": "gs://v"}, {"type": "image"}),
        *step("model_output", content=[image], index=1),
        *step("model_output", {"type": "image", "uri": "gs://i"}, content=[image], index=2),
        *step("model_output", content=[{"type": "image"}], index=3),
        *step("model_output", content=[{"type": "video"}], index=4),
        *step("user_input", index=5),
    )

    assert parts == [
        file("image/webp", "aQ=="),
        file("video/mp4", "", videoUri="gs://v"),
        file("image/webp", "aQ=="),
        file("image/png", "", imageUri="gs://i"),
    ]
