"""``xai-responses``: text, reasoning, sources, the end, errors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .chat_wire import NOTHING, counts, done, r_delta, r_end, r_start, source
from .wire import START, Decoded, Json, decode_every_way, err, event, size, t_delta, t_end, t_start

NAME = "xai-responses"
RESPONSE = {"id": "c", "model": "m", "created_at": 1, "object": "response", "output": []}
HEAD: list[Json] = [
    START,
    {"type": "response-metadata", "id": "c", "modelId": "m", "timestamp": "1970-01-01T00:00:01.000Z"},
]
OF_R: Json = {"providerMetadata": {"xai": {"itemId": "r"}}}
FIN = done("stop", "completed", NOTHING)


def said(kind: str, name: str | None = None, **fields: Any) -> bytes:
    """One event of the API, under its name."""
    kind = f"response.{kind}"
    return event({"sequence_number": 1, "type": kind, **fields}, kind if name is None else name)


def created() -> bytes:
    return said("created", response={**RESPONSE, "status": "in_progress", "usage": None})


def completed(**fields: Any) -> bytes:
    return said("completed", response={**RESPONSE, "status": "completed", **fields})


def text(piece: str, item: str = "m", **fields: Any) -> bytes:
    return said("output_text.delta", item_id=item, output_index=1, content_index=0, delta=piece, **fields)


def thought(piece: str, item: str = "r", kind: str = "reasoning_summary_text") -> bytes:
    return said(f"{kind}.delta", item_id=item, output_index=0, summary_index=0, delta=piece)


def item(step: str, kind: str, index: Any = 0, **fields: Any) -> bytes:
    return said(f"output_item.{step}", item={"type": kind, **fields}, output_index=index)


def decoded(*frames: bytes, policy: str = "lenient") -> Decoded:
    return decode_every_way(b"".join(frames), NAME, policy=policy)


def message(*texts: str, annotations: Any = None, key: str = "m") -> Json:
    """The fields of a message item."""
    parts = [{"type": "output_text", "text": one, "annotations": annotations} for one in texts]
    return {"id": key, "role": "assistant", "status": "completed", "content": parts}


# -- text and reasoning -----------------------------------------------------------------------------------------------


def test_reasoning_then_text() -> None:
    found = decoded(
        created(),
        said("in_progress", response=RESPONSE),
        item("added", "reasoning", id="r", summary=[]),
        said("reasoning_summary_part.added", item_id="r", output_index=0, summary_index=0, part={"text": ""}),
        thought("h"),
        thought("m"),
        said("reasoning_summary_text.done", item_id="r", output_index=0, summary_index=0, text="hm"),
        said("reasoning_summary_part.done", item_id="r", output_index=0, summary_index=0, part={"text": "hm"}),
        item("done", "reasoning", id="r", summary=[{"type": "summary_text", "text": "hm"}], encrypted_content="e=="),
        item("added", "message", 1, **message()),
        said("content_part.added", item_id="m", output_index=1, content_index=0, part={"type": "output_text"}),
        text("h", logprobs=[]),
        text("i: [x]"),
        said("output_text.done", item_id="m", output_index=1, content_index=0, text="hi: [x]", annotations=[]),
        said("content_part.done", item_id="m", output_index=1, content_index=0, part={"type": "output_text"}),
        item("done", "message", 1, **message("hi: [x]")),
        completed(service_tier="default"),
        policy="strict",
    )

    encrypted = {"xai": {"itemId": "r", "reasoningEncryptedContent": "e=="}}
    assert found.parts == [
        *HEAD,
        r_start("reasoning-r", **OF_R),
        r_delta("h", "reasoning-r", **OF_R),
        r_delta("m", "reasoning-r", **OF_R),
        r_end("reasoning-r", providerMetadata=encrypted),
        t_start("text-m"),
        t_delta("h", "text-m"),
        t_delta("i: [x]", "text-m"),
        t_end("text-m"),
        done("stop", "completed", NOTHING, {"xai": {"serviceTier": "default"}}),
    ]
    assert found.codes == []


@pytest.mark.parametrize("kind", ["reasoning_text", "reasoning_summary_text"])
def test_reasoning_whose_start_or_end_is_missing(kind: str) -> None:
    """V14."""
    found = decoded(thought("a", kind=kind), thought("b", kind=kind), completed())

    deltas = [r_delta(piece, "reasoning-r", **OF_R) for piece in "ab"]
    assert found.parts == [START, r_start("reasoning-r", **OF_R), *deltas, r_end("reasoning-r", **OF_R), FIN]
    assert found.codes == ["item_not_done"]


def test_reasoning_that_only_its_end_tells_of() -> None:
    found = decoded(item("done", "reasoning", id="r", summary=[]), item("done", "reasoning", id=""), completed())

    assert found.parts == [
        START,
        r_start("reasoning-r", **OF_R), r_end("reasoning-r", **OF_R),
        r_start("reasoning-", providerMetadata={"xai": {"itemId": ""}}),
        r_end("reasoning-", providerMetadata={"xai": {}}),
        FIN,
    ]  # fmt: skip


def test_reasoning_that_comes_whole() -> None:
    """V28: the TypeScript reference drops it."""
    parts = {"summary": [{"text": "a"}, {"text": "b"}], "content": [{"text": "c"}]}
    found = decoded(item("done", "reasoning", id="r", **parts), completed(), policy="strict")

    assert found.parts[1:-1] == [
        r_start("reasoning-r", **OF_R),
        r_delta("abc", "reasoning-r", **OF_R),
        r_end("reasoning-r", **OF_R),
    ]


@pytest.mark.parametrize(("streamed", "codes"), [("ab", []), ("c", []), ("abc", []), ("a", ["snapshot_mismatch"])])
def test_reasoning_that_differs_from_its_item(streamed: str, codes: list[str]) -> None:
    """V20."""
    parts = {"summary": [{"text": "a"}, {"text": "b"}], "content": [{"text": "c"}]}
    found = decoded(thought(streamed), item("done", "reasoning", id="r", **parts), completed())

    assert found.codes == codes
    assert found.message.reasoning == streamed


def test_reasoning_after_its_end_is_reported() -> None:
    ending = item("done", "reasoning", id="r")
    found = decoded(thought("a"), ending, thought("b"), ending, completed())

    assert found.codes == ["item_repeated", "item_repeated"]
    assert found.message.reasoning == "a"


def test_text_that_comes_whole() -> None:
    found = decoded(item("added", "message", **message()), item("done", "message", **message("a", "", "b")), completed())

    assert found.parts[1:-2] == [t_start("text-m"), t_delta("a", "text-m"), t_delta("b", "text-m")]
    assert found.codes == []


def test_text_that_differs_from_its_item() -> None:
    """V20."""
    found = decoded(text("a"), item("done", "message", **message("b")), completed())

    assert found.message.text == "a"
    assert found.codes == ["snapshot_mismatch"]


def test_citations_are_sources() -> None:
    cited = {"type": "url_citation", "url": "https://a", "title": "A"}
    bare = {"type": "url_citation", "url": "https://b"}
    others: list[Any] = [{"type": "file_citation", "url": "x"}, {"type": "url_citation"}, {}]
    found = decoded(
        said("output_text.annotation.added", item_id="m", annotation=cited),
        said("output_text.annotation.added", item_id="m", annotation=others[0]),
        said("output_text.done", item_id="m", text="", annotations=[bare, *others]),
        item("done", "message", **message("", annotations=[cited])),
        completed(),
    )

    assert found.parts[1:-1] == [
        source(0, "https://a", title="A"),
        source(1, "https://b", title="https://b"),
        source(2, "https://a", title="A"),
    ]


# -- the end ----------------------------------------------------------------------------------------------------------


def test_usage() -> None:
    usage = {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 5},
        "num_sources_used": 0,
    }
    found = decoded(created(), said("done", response={**RESPONSE, "status": "completed", "usage": usage}))

    figures = {"total": 10, "noCache": 6, "cacheRead": 4}, {"total": 7, "text": 2, "reasoning": 5}
    assert found.parts[-1] == done("stop", "completed", counts(*figures, raw=usage))

    bare = {"input_tokens": 1, "output_tokens": 0, "input_tokens_details": {"cached_tokens": 4}}
    figures = {"total": 5, "noCache": 1, "cacheRead": 4}, {"total": 0, "text": 0, "reasoning": 0}
    assert decoded(completed(usage=bare)).parts[-1] == done("stop", "completed", counts(*figures, raw=bare))


@pytest.mark.parametrize(
    ("reason", "unified", "raw", "codes"),
    [
        ("max_output_tokens", "length", "max_output_tokens", []),
        ("content_filter", "content-filter", "content_filter", []),
        ("banana", "other", "banana", ["unknown_finish_reason"]),
        (None, "other", "incomplete", []),
    ],
)
def test_an_incomplete_response(reason: str | None, unified: str, raw: str, codes: list[str]) -> None:
    details = reason and {"reason": reason}
    found = decoded(text("a"), said("incomplete", response={**RESPONSE, "incomplete_details": details}))

    assert found.parts[-2:] == [t_end("text-m"), done(unified, raw, NOTHING)]
    assert found.codes == codes


@pytest.mark.parametrize(("status", "raw"), [("queued", "queued"), (None, None)])
def test_an_unknown_status(status: str | None, raw: str | None) -> None:
    """V25."""
    found = decoded(created(), completed(status=status))

    assert found.parts[-1] == done("other", raw, NOTHING)
    assert found.codes == ["unknown_finish_reason"]


def test_a_failed_response() -> None:
    """V19: the TypeScript reference finishes without saying why."""
    error = {"code": "server_error", "message": "boom"}
    frames = [created(), text("a"), said("failed", response={**RESPONSE, "error": error})]
    found = decoded(*frames)

    assert found.parts[-3:] == [
        err("provider", "stream", size(*frames), error),
        t_end("text-m"),
        done("error", "error", NOTHING),
    ]
    found = decoded(created(), said("failed", response={"incomplete_details": {"reason": "content_filter"}}))
    assert found.parts[-1] == done("content-filter", "content_filter", NOTHING)


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        ({"type": "error", "code": "c", "message": "m", "sequence_number": 3}, {"type": "error", "code": "c", "message": "m"}),
        ({"type": "error", "error": {"message": "m"}}, {"message": "m"}),
        ({"type": "error", "message": 1}, {"type": "error", "message": 1}),
        ({"code": "c", "error": "boom"}, {"code": "c", "error": "boom"}),
        ({"error": "boom"}, "boom"),
        ({"type": "response.created", "error": {"message": "m"}}, {"message": "m"}),
    ],
)  # fmt: skip
def test_errors_in_any_shape(payload: Json, shown: Any) -> None:
    """V19."""
    for frames in ([created(), text("a"), event(payload)], [created(), text("a"), event(payload, "error")]):
        found = decoded(*frames)
        assert found.parts[-3:] == [
            err("provider", "stream", size(*frames), shown),
            t_end("text-m"),
            done("error", None, NOTHING),
        ]
    assert decoded(event(payload)).parts == [err("provider", "open", size(event(payload)), shown)]


def test_a_named_error_without_a_type() -> None:
    payload = {"message": "m"}
    assert decoded(event(payload, "error")).parts == [err("provider", "open", size(event(payload, "error")), payload)]


def test_a_bare_json_error() -> None:
    body = json.dumps({"error": "boom", "code": "c"}).encode()
    assert decoded(body).parts == [err("provider", "open", len(body), {"error": "boom", "code": "c"})]


def test_a_response_that_is_cut() -> None:
    """V18: none of these events is the last."""
    frames = [created(), thought("x"), text("a"), said("output_text.done", item_id="m", text="a")]
    for count in range(len(frames)):
        found = decoded(*frames[: count + 1])
        assert found.parts[-1] == err("incomplete_stream", "close", size(*frames[: count + 1]))
        assert not found.message.complete
    found = decoded(*frames, b"data: [DONE]\n\n")
    assert found.parts[-1]["kind"] == "incomplete_stream"
    assert found.codes == ["done_before_end"]


def test_events_after_the_end() -> None:
    found = decoded(text("a"), completed(), b"data: [DONE]\n\n", text("b"), completed())

    assert found.message.text == "a"
    assert found.codes == ["data_after_end", "data_after_end"]
    assert decoded(text("a"), completed(), b"data: [DONE]", policy="strict").parts[-1] == FIN


# -- events that are not as they should be ----------------------------------------------------------------------------


def test_unknown_events_and_items_are_warnings() -> None:
    """V25."""
    found = decoded(
        created(),
        said("banana"),
        event({"type": "keepalive"}, "keepalive"),
        item("added", "banana", id="x"),
        item("added", 1, id="x"),
        said("web_search_call.searching", item_id="x", output_index=0),
        said("mcp_call_output.delta", item_id="x", output_index=0, delta="x"),
        completed(),
    )

    assert found.parts == [*HEAD, FIN]
    assert found.codes == ["unknown_event", "unknown_event", "unknown_item", "unknown_item"]


def test_an_event_without_a_type_is_known_by_its_name() -> None:
    frame = event({"item_id": "m", "delta": "a"}, "response.output_text.delta")
    assert decoded(created(), frame, completed()).message.text == "a"


@pytest.mark.parametrize(
    "payload",
    [{}, {"type": 1}, [], None, 42, {"type": "response.output_text.delta", "delta": 1, "item_id": "m"}],
    ids=str,
)
def test_payloads_of_another_shape(payload: Any) -> None:
    frames = [created(), event(payload)]
    found = decoded(*frames, completed())

    error = err("invalid_payload", "stream", size(*frames), payload)
    assert found.parts == [*HEAD, error, FIN]
    assert decoded(*frames, completed(), policy="strict").parts == [*HEAD, error]


def test_an_item_of_another_shape() -> None:
    frames = [created(), item("done", "message", id=1)]
    found = decoded(*frames, completed())

    assert found.parts[2] == err("invalid_payload", "stream", size(*frames), {"type": "message", "id": 1})


def test_a_payload_that_is_not_json() -> None:
    frames = [created(), event("{", "response.output_text.delta")]
    assert decoded(*frames, completed()).parts[2] == err("malformed_json", "stream", size(*frames), "{")
