"""``openai-completions-legacy``: text right in the choice."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streamcore import Decoder

from .chat_wire import counts, done
from .wire import (
    DONE,
    HEAD,
    START,
    Decoded,
    Json,
    chunk,
    decode,
    decode_every_way,
    err,
    event,
    quick_only,
    size,
    t_delta,
    t_end,
    t_start,
)

NAME = "openai-completions-legacy"


def fin(unified: str = "stop", raw: str | None = "stop", usage: Json | None = None, **metadata: Any) -> Json:
    return done(unified, raw, usage or counts(), {"openai": metadata})


def one(text: Any, finish: str | None = None, index: int = 0, **extra: Any) -> Json:
    """One element of ``choices``."""
    return {"text": text, "index": index, "logprobs": None, "finish_reason": finish, **extra}


def said(text: Any, finish: str | None = None, index: int = 0, **extra: Any) -> bytes:
    """The event of a chunk with one piece of text."""
    return event(chunk(one(text, finish, index, **extra)))


def decoded(*frames: bytes, policy: str = "lenient") -> Decoded:
    return decode_every_way(b"".join(frames), NAME, policy=policy)


def test_text() -> None:
    found = decoded(said("a"), said("b"), said("", "stop"), DONE, policy="strict")

    assert found.parts == [*HEAD, t_start(), t_delta("a"), t_delta("b"), t_end(), fin()]
    assert found.codes == []


def test_the_text_opens_with_the_stream() -> None:
    assert decoded(event(chunk()), DONE).parts == [*HEAD, t_start(), t_end(), fin("other", None)]
    assert decoded(event({"choices": []}), DONE).parts[1:3] == [{"type": "response-metadata"}, t_start()]


def test_usage() -> None:
    raw = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    found = decoded(said("a", "length"), event(chunk(usage={**raw, "x": 1})), DONE)
    shown = counts({"total": 3, "noCache": 3}, {"total": 2, "text": 2}, raw)
    assert found.parts[-1] == fin("length", "length", shown)

    found = decoded(said("a", "stop"), event(chunk(usage={})), DONE)
    assert found.parts[-1] == fin(usage=counts({"noCache": 0}, {"text": 0}, {}))


def test_log_probabilities() -> None:
    first = {"tokens": ["a"], "token_logprobs": [None], "top_logprobs": [None], "text_offset": [0]}
    last = {"tokens": ["b"], "token_logprobs": [-0.5], "top_logprobs": [{"b": -0.5}]}
    found = decoded(said("a", logprobs=first), said("b", "stop", logprobs=last), said("c", index=1, logprobs=first), DONE)

    assert found.parts[-1] == fin(logprobs=last)


def test_other_choices_have_blocks_of_their_own() -> None:
    found = decoded(said("a", index=1), said("b"), said("", "stop"), said("", "length", 1), DONE)

    assert found.parts[:6] == [*HEAD, t_start(), t_start("1", choice=1), t_delta("a", "1", choice=1), t_delta("b")]
    assert (found.message.text, found.message.alternatives[0].text) == ("b", "a")


def test_errors_and_cuts() -> None:
    """V18, V19."""
    error = {"message": "m", "type": "t"}
    frames = [said("a"), event({"error": error})]
    shown = err("provider", "stream", size(*frames), error)
    assert decoded(*frames).parts == [*HEAD, t_start(), t_delta("a"), shown, t_end(), fin("error", None)]
    assert decoded(frames[1]).parts == [err("provider", "open", len(frames[1]), error)]
    assert decoded(frames[0]).parts[-1] == err("incomplete_stream", "close", len(frames[0]))
    wrong = event(chunk(one(1)))
    refused = err("invalid_payload", "stream", len(wrong), chunk(one(1)))
    assert decoded(wrong, DONE).parts == [START, refused, fin("error", None)]


def test_quick_and_general_path_agree() -> None:
    changes: list[Json] = [{"text": text} for text in ("", ":", "\u00e9", "\ud83d", 1, None)]
    changes += [{"index": 1}, {"finish_reason": "stop"}, {"logprobs": {}}, {"delta": {"content": "x"}}, {"x": ["y"]}]
    for change in changes:
        body = b"".join([said("a"), said("b"), event(json.dumps(chunk({**one("y"), **change}))), said("z", "stop"), DONE])
        assert decode(body, NAME) == decode(body, NAME, general=True), change


@pytest.mark.parametrize("count", [1, 3])
def test_the_quick_path_is_taken(count: int) -> None:
    decoder = Decoder(NAME)
    decoder.feed(said("a") + said("b"))
    with quick_only(decoder):
        parts = decoder.feed(said("c") * count)

    assert [part.as_json() for part in parts] == [t_delta("c")] * count
