"""``azure-openai`` and ``gateway-openai-chat``: OpenAI's chat completions as others serve them."""

from __future__ import annotations

from .wire import (
    DONE,
    HEAD,
    START,
    Json,
    chat,
    chunk,
    decode,
    decode_every_way,
    err,
    event,
    fin,
    fin_of,
    finish,
    size,
    t_delta,
    t_end,
    t_start,
    text,
)

PROMPT = event(
    {
        "choices": [],
        "created": 0,
        "id": "",
        "model": "",
        "object": "",
        "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {"hate": {"filtered": False}}}],
    }
)
FILTERS: Json = {"content_filter_results": {"hate": {"filtered": False, "severity": "safe"}}}


def filtered(delta: Json | None, reason: str | None = None) -> bytes:
    """A chunk with what the filter found; without ``delta`` it has nothing else."""
    one: Json = {"index": 0, "finish_reason": reason, **FILTERS}
    return event(chunk(one if delta is None else {**one, "delta": delta}))


def test_the_filter_is_no_content() -> None:
    """The first chunk describes nothing; filter results may stand alone, and their offsets beside them."""
    alone = {"index": 0, "finish_reason": None, **FILTERS, "content_filter_offsets": {"check_offset": 44}}
    body = (
        PROMPT
        + filtered({"role": "assistant"})
        + filtered({"content": "a"})
        + filtered(None)
        + filtered({"content": "b"})
        + event({"id": "", "created": 0, "model": "", "choices": [alone]})
        + filtered({}, "stop")
        + DONE
    )
    decoded = decode_every_way(body, "azure-openai")

    assert decoded.parts == [*HEAD, t_start(), t_delta("a"), t_delta("b"), t_end(), fin("stop", "stop")]
    assert decoded.codes == []


def test_the_filter_stops_an_answer() -> None:
    body = PROMPT + filtered({"content": "a"}) + filtered(None, "content_filter") + DONE
    decoded = decode_every_way(body, "azure-openai")

    assert decoded.parts[-1] == fin("content-filter", "content_filter")


def test_only_the_filter_of_the_prompt() -> None:
    """Azure went no further: the stream is cut, and what was opened says so."""
    assert decode_every_way(PROMPT, "azure-openai").parts == [START, err("incomplete_stream", "close", len(PROMPT))]


def test_an_error_behind_the_filter_of_the_prompt() -> None:
    error = {"code": "429", "message": "slow down"}
    frames = [PROMPT, event({"error": error})]

    assert decode_every_way(b"".join(frames), "azure-openai").parts == [
        START,
        err("provider", "stream", size(*frames), error),
        fin("error", None),
    ]


def test_all_are_the_same_api() -> None:
    """Several choices, as gateways pass them on; the second may have no finish reason of its own."""
    body = text("a") + text("b", index=1) + chat({"content": "c"}, "stop") + finish(None, 1) + DONE
    expected = decode(body)

    for dialect in ("azure-openai", "gateway-openai-chat"):
        decoded = decode_every_way(body, dialect)
        assert decoded == expected
    assert fin_of(1, "other", None) in expected.parts
