"""``groq`` and ``deepseek``: servers of OpenAI's chat API that have references of their own."""

from __future__ import annotations

from typing import Any

from .chat_wire import counts, done, r_delta, r_end, r_start
from .wire import (
    DONE,
    META,
    START,
    Json,
    call,
    chat,
    decode_every_way,
    ended,
    err,
    event,
    finish,
    i_delta,
    i_start,
    size,
    t_delta,
    t_end,
    t_start,
    text,
    tools,
)

HEAD = [START, META]
R_START = r_start("reasoning-0")
R_END = r_end("reasoning-0")
T_START = t_start("txt-0")
T_END = t_end("txt-0")


def hi(delta: str) -> Json:
    """A piece of the text."""
    return t_delta(delta, "txt-0")


def why(delta: str) -> Json:
    """A piece of the reasoning."""
    return r_delta(delta, "reasoning-0")


def test_groq_keeps_text_open_while_it_reasons() -> None:
    body = text("a") + chat({"reasoning": "r", "reasoning_content": "other"}) + text("b") + finish("stop") + DONE

    assert decode_every_way(body, "groq").parts == [
        *HEAD, T_START, hi("a"), R_START, why("r"), R_END, hi("b"), T_END, done("stop", "stop", counts()),
    ]  # fmt: skip


def test_groq_tells_the_usage_elsewhere() -> None:
    """In ``x_groq``; what is not told is not 0; of unknown keys nothing is kept."""
    groq = {"id": "r", "usage": {"prompt_tokens": 3, "completion_tokens": 2, "queue_time": 0.1}}
    body = text("a") + chat({}, "stop", x_groq=groq, usage={"prompt_tokens": 9}) + chat({}, x_groq={"id": "r"}) + DONE

    raw = {"prompt_tokens": 3, "completion_tokens": 2}
    usage = counts({"total": 3, "noCache": 3}, {"total": 2, "text": 2}, raw)
    assert decode_every_way(body, "groq").parts[-1] == done("stop", "stop", usage)
    unread = body.replace(b'{"prompt_tokens":9}', b'"soon"')
    assert b"soon" in unread
    assert decode_every_way(unread, "groq").parts == decode_every_way(body, "groq").parts


def test_groq_says_what_failed_in_an_event_named_error() -> None:
    error = {"message": "Failed to call a function", "code": "tool_use_failed"}
    frames = [chat({"reasoning": "r"}), event({"error": error}, "error")]

    assert decode_every_way(b"".join(frames), "groq").parts == [
        *HEAD, R_START, why("r"), err("provider", "stream", size(*frames), error), R_END, done("error", None, counts()),
    ]  # fmt: skip


def test_deepseek_begins_the_text_before_the_reasoning_ends() -> None:
    deltas: list[Json] = [
        {"role": "assistant", "content": None, "reasoning_content": "r"},
        {"content": "a", "reasoning": "other"},
        {"reasoning_content": "s"},
        {"tool_calls": [call(0, "a", "f", "{}", "function")]},
    ]
    body = b"".join(map(chat, deltas)) + finish("tool_calls") + DONE

    told = {"choiceIndex": 0, "messageRole": "assistant", "toolCallTypes": ["function"]}
    assert decode_every_way(body, "deepseek").parts == [
        *HEAD, R_START, why("r"), T_START, R_END, hi("a"), R_START, why("s"), R_END, i_start(), i_delta("{}"), T_END,
        *ended("{}"), done("tool-calls", "tool_calls", counts(), {"deepseek": told}),
    ]  # fmt: skip


def logprobs(**tokens: Any) -> dict[str, Any]:
    """The ``logprobs`` of a choice."""
    return {key: [{"token": token, "logprob": -1} for token in found] for key, found in tokens.items()}


def deepseek(said: Any, delta: Json, reason: str | None = None, **extra: Any) -> bytes:
    """A chunk with log probabilities."""
    one = {"index": 0, "delta": delta, "finish_reason": reason, "logprobs": said}
    return event({"id": "c", "created": 1, "model": "m", "object": "o", "choices": [one], **extra})


def test_deepseek_tells_more_at_the_end() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 4, "prompt_cache_hit_tokens": 2, "prompt_cache_miss_tokens": 3}
    body = (
        deepseek(logprobs(content=["x"]), {"content": "a"}, system_fingerprint="fp")
        + deepseek(logprobs(content=["x"]), {"content": "a"}, system_fingerprint="fp")
        + deepseek(logprobs(content=["y", "z"], reasoning_content=["r"]), {"content": "b"})
        + deepseek("none", {"content": "c"})
        + deepseek(None, {}, "stop", usage=usage)
        + DONE
    )

    assert decode_every_way(body, "deepseek").parts[-1] == done(
        "stop",
        "stop",
        counts({"total": 5, "noCache": 3, "cacheRead": 2}, {"total": 4, "text": 4, "reasoning": 0}, usage),
        {
            "deepseek": {
                "promptCacheHitTokens": 2,
                "promptCacheMissTokens": 3,
                "responseObject": "o",
                "systemFingerprint": "fp",
                "choiceIndex": 0,
                "logprobs": logprobs(content=["x", "x", "y", "z"], reasoning_content=["r"]),
            }
        },
    )


def test_deepseek_runs_out_of_resources() -> None:
    decoded = decode_every_way(text("a") + finish("insufficient_system_resource") + DONE, "deepseek")

    assert decoded.parts[-1]["finishReason"] == {"unified": "error", "raw": "insufficient_system_resource"}
    assert decoded.codes == []


def test_deepseek_of_calls_without_index_or_type() -> None:
    decoded = decode_every_way(tools(call(None, "a", "f", "{}", "function")) + finish("tool_calls") + DONE, "deepseek")

    assert decoded.parts[-1]["providerMetadata"] == {"deepseek": {"choiceIndex": 0}}
    assert decoded.codes == ["index_missing"]
