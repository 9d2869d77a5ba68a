"""How an ``openai-chat`` stream ends: finish reasons, ``[DONE]``, and bodies that stop somewhere else."""

from __future__ import annotations

import pytest

from .openai_chat_wire import END, FIN, HI, PLAIN, bare
from .wire import (
    DONE,
    HEAD,
    START,
    decode_every_way,
    err,
    event,
    fin,
    finish,
    size,
    t_delta,
    t_end,
    t_start,
    text,
)

# -- finish ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "unified", "warnings"),
    [
        ("stop", "stop", []),
        ("length", "length", []),
        ("content_filter", "content-filter", []),
        ("banana", "other", ["unknown_finish_reason"]),
        ("STOP", "other", ["unknown_finish_reason"]),
        (None, "other", []),
        ("", "other", []),
    ],
)
def test_finish_reasons(raw: str | None, unified: str, warnings: list[str]) -> None:
    for policy in ("lenient", "strict"):
        decoded = decode_every_way(text("hi") + finish(raw) + DONE, policy=policy)

        assert decoded.parts == [*HEAD, *HI, t_end(), fin(unified, raw or None)]
        assert decoded.codes == warnings
        assert decoded.message.finish is not None
        assert (decoded.message.finish.unified, decoded.message.finish.raw) == (unified, raw or None)


def test_an_empty_finish_reason_is_none() -> None:
    """WH-045."""
    decoded = decode_every_way(text("h", "") + text("i", "") + finish("stop") + text("!", "") + DONE)

    assert decoded.parts == [*HEAD, t_start(), t_delta("h"), t_delta("i"), t_delta("!"), t_end(), FIN]


def test_payload_beside_and_behind_the_finish_reason() -> None:
    """WH-048, WH-049."""
    decoded = decode_every_way(text("h", "length") + text("i") + finish("stop") + text("!") + DONE)

    assert decoded.parts == [*HEAD, t_start(), t_delta("h"), t_delta("i"), t_delta("!"), t_end(), FIN]


def test_a_body_without_done_is_complete_if_it_has_its_finish_reason() -> None:
    """P2."""
    body = text("hi") + finish("stop")
    decoded = decode_every_way(body)

    assert decoded.parts == PLAIN
    assert decoded.codes == ["missing_done"]
    assert decoded.message.complete

    strict = decode_every_way(body, policy="strict")
    assert strict.parts == [*HEAD, *HI, err("incomplete_stream", "close", len(body))]


@pytest.mark.parametrize(
    "frames",
    [
        [text("hi")],
        [text("hi"), finish(None)],
        [text("hi"), finish("")],
        [text("hi"), bare(choices=[], usage={})],
        [text("hi"), text("", index=1), finish("stop", 1)],
        [text("hi"), text("", index=1), finish("stop", 0)],
    ],
    ids=["nothing", "null", "empty", "usage", "the other choice", "not the other choice"],
)
def test_a_body_without_done_and_finish_reason_was_cut(frames: list[bytes]) -> None:
    """WH-056, V18."""
    for policy in ("lenient", "strict"):
        decoded = decode_every_way(b"".join(frames), policy=policy)

        assert decoded.parts[-1] == err("incomplete_stream", "close", size(*frames))
        assert all(part["type"] != "finish" for part in decoded.parts)
        assert decoded.message.text == "hi"
        assert not decoded.message.complete


@pytest.mark.parametrize("before", [b"", b": ping\n\n", event({"x": 1}, "thread.created")])
def test_done_without_a_single_chunk_is_no_answer(before: bytes) -> None:
    """V18: a stream of another API, or none at all, must not pass for an empty answer because it ends with [DONE]."""
    decoded = decode_every_way(before + DONE)

    assert decoded.parts == [START, err("incomplete_stream", "close", len(before + DONE))]
    assert not decoded.message.complete


@pytest.mark.parametrize("payload", ["[DONE] ", "[done]", '"[DONE]"', "[DONE]x", "DONE"])
def test_done_has_one_spelling(payload: str) -> None:
    """P2."""
    decoded = decode_every_way(text("hi") + event(payload) + text("!") + b"".join(END))

    assert [part["type"] for part in decoded.parts] == [
        *("stream-start", "response-metadata", "text-start", "text-delta", "error", "text-delta", "text-end", "finish")
    ]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a space more before it", b"data:  [DONE]\n\n"),
    ],
)
def test_done_is_compared_as_it_is(name: str, body: bytes) -> None:
    decoded = decode_every_way(text("hi") + finish("stop") + body)

    assert decoded.parts == [
        *HEAD,
        *HI,
        err("malformed_json", "stream", size(text("hi"), finish("stop"), body), " [DONE]"),
        t_end(),
        fin("error", None),
    ]


@pytest.mark.parametrize("name", ["", "message", "done"])
def test_done_under_any_event_name_and_line_end(name: str) -> None:
    for eol in ("\n", "\r", "\r\n"):
        decoded = decode_every_way(text("hi") + finish("stop") + event("[DONE]", name, eol))

        assert decoded.parts == PLAIN
        assert decoded.codes == []


@pytest.mark.parametrize("late", [text("late"), event("junk"), DONE, event({"error": {"message": "late"}})])
def test_data_after_done_is_reported_and_never_read(late: bytes) -> None:
    """P2, V15."""
    body = text("hi") + b"".join(END)
    decoded = decode_every_way(body + late + late)

    assert decoded.parts == PLAIN
    assert decoded.codes == ["data_after_end", "data_after_end"]
    assert decoded.message.complete

    strict = decode_every_way(body + late + late, policy="strict")
    assert strict.parts == [*PLAIN, err("invalid_payload", "stream", len(body + late))]


def test_comments_and_stray_text_after_done_are_nothing() -> None:
    for policy in ("lenient", "strict"):
        decoded = decode_every_way(text("hi") + b"".join(END) + b": bye\n\nstray\n\n", policy=policy)
        assert decoded.parts == PLAIN
        assert decoded.codes == []


# -- the last event has no blank line -------------------------------------------------------------------------------


@pytest.mark.parametrize("tail", [1, 2], ids=["no blank line", "no line end"])
@pytest.mark.parametrize("last", ["done", "finish", "text"])
def test_an_unterminated_event_is_delivered_if_it_is_whole(last: str, tail: int) -> None:
    """WH-023, decision 3."""
    frames = {"done": [text("hi"), *END], "finish": [text("hi"), finish("stop")], "text": [text("hi")]}[last]
    body = b"".join(frames)[:-tail]
    decoded = decode_every_way(body)

    codes = ["unterminated_event"]
    if last == "text":
        assert decoded.parts == [*HEAD, *HI, err("incomplete_stream", "close", len(body))]
    else:
        assert decoded.parts == PLAIN
        if last == "finish":
            codes.append("missing_done")
    assert decoded.codes == codes

    strict = decode_every_way(body, policy="strict")
    before = {"done": [*HEAD, *HI], "finish": [*HEAD, *HI], "text": [START]}[last]
    assert strict.parts == [*before, err("incomplete_stream", "close", len(body))]


@pytest.mark.parametrize("tail", [b"", b"\n"], ids=["no line end", "no blank line"])
def test_an_unterminated_done_ends_nothing_by_itself(tail: bytes) -> None:
    """It may be the beginning of something longer."""
    body = text("hi") + b"data: [DONE]" + tail
    decoded = decode_every_way(body)

    assert decoded.parts == [*HEAD, *HI, err("incomplete_stream", "close", len(body))]
    assert decoded.codes == ["unterminated_event"]


@pytest.mark.parametrize("rest", [b"data: {", b"data: [DON", b"data:", b"data: ", b"data: 42", b'event: x\ndata: {"a"', b"data\n"])
def test_an_unterminated_event_that_is_not_whole_is_a_cut(rest: bytes) -> None:
    body = text("hi") + finish("stop") + rest
    decoded = decode_every_way(body)

    assert decoded.parts == [*HEAD, *HI, err("incomplete_stream", "close", len(body))]
    assert decoded.codes == []


def test_an_unterminated_event_after_done() -> None:
    body = text("hi") + b"".join(END)
    assert decode_every_way(body + b"data: {").codes == []
    decoded = decode_every_way(body + b"data: {}")
    assert decoded.parts == PLAIN
    assert decoded.codes == ["data_after_end"]


def test_a_count_that_is_infinite_is_null() -> None:
    """``JSON.stringify`` writes it so; Infinity is no JSON (V26)."""
    usage = b'{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"cost":1e400}'
    last = event(b'{"id":"c","created":1,"model":"m","choices":[],"usage":' + usage + b"}")
    decoded = decode_every_way(text("hi") + finish("stop") + last + DONE, "databricks")
    assert decoded.parts[-1]["usage"]["raw"]["cost"] is None
    assert decoded.parts[-1]["usage"]["raw"]["total_tokens"] == 3
