"""A simulated OpenAI Chat Completions stream, written from the provider's documentation.

Sources: "Chat completions: streaming" and "The chat completion chunk object" in the API reference (fields and their
order, ``stream_options``, the usage chunk with empty ``choices``, ``[DONE]``), the "Function calling" guide, section
"Streaming" (id and name on the first delta of a call, argument fragments after it, calls one after another), the
"Structured outputs" guide, section "Refusals", and "Error codes" (the error object).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from harness.record.wire import (
    LINE_ENDINGS,
    ScenarioError,
    as_written,
    comment,
    compact,
    framed,
    made_up,
    only,
    pieces,
    sse,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PATH = "/v1/chat/completions"
CREATED = 1_767_225_600
"""2026-01-01T00:00:00Z: simulated answers have no clock."""


def encode(name: str, reply: Mapping[str, Any], request: Mapping[str, Any]) -> list[bytes]:
    """The wire events of one scenario.

    ``reply``: ``says`` (list, see :meth:`_Encoder.item`), ``finish`` (a reason, a list with one a choice, or null for a
    stream that never gets there), ``usage`` (``prompt``, ``completion``, and ``cached``, ``reasoning`` tokens),
    ``model``, ``fingerprint``, ``tier``, ``line_ending`` (lf, crlf, cr), ``ascii`` (escape all non-ASCII, as some
    compatible servers do), ``done`` (false: no ``[DONE]``), ``logprobs_key`` (false: choices have
    no such key, as from reasoning models), ``framing`` (forms of an event stream that the provider does not use and
    proxies do, see :func:`harness.record.wire.framed`). ``request`` decides what a real one decides: usage,
    obfuscation, logprobs, number of choices.

    Raises:
        ScenarioError: the reply has something this API cannot say.
    """
    only(
        reply,
        *("says", "finish", "usage", "model", "fingerprint", "tier", "logprobs_key", "line_ending", "ascii", "done"),
        "framing",
    )
    return framed(_Encoder(name, reply, request).events(), reply.get("framing", ()))


class _Encoder:
    def __init__(self, name: str, reply: Mapping[str, Any], request: Mapping[str, Any]) -> None:
        options = request.get("stream_options") or {}
        self.seed = f"openai-chat/{name}"
        self.reply = reply
        self.ending = LINE_ENDINGS[reply.get("line_ending", "lf")]
        self.usage = bool(options.get("include_usage"))
        self.obfuscate = options.get("include_obfuscation", True)
        self.logprobs = bool(request.get("logprobs"))
        self.choices = int(request.get("n", 1))
        self.opened: set[int] = set()
        self.calls: dict[int, int] = {}
        self.count = 0
        self.envelope = {
            "id": "chatcmpl-" + made_up(self.seed, 29),
            "object": "chat.completion.chunk",
            "created": CREATED,
            "model": reply.get("model", request["model"]),
            "service_tier": reply.get("tier", "default"),
            "system_fingerprint": reply.get("fingerprint", "fp_" + made_up(self.seed, 10, "0123456789abcdef")),
        }

    def events(self) -> Iterator[bytes]:
        says: Sequence[Mapping[str, Any]] = self.reply["says"]
        for position, item in enumerate(says):
            yield from self.item(item, alone=position + 1 == len(says) or "tool" not in says[position + 1])
        finish = self.reply.get("finish")
        if finish is None:
            return
        reasons = [finish] * self.choices if isinstance(finish, str) else finish
        for index, reason in enumerate(reasons):
            if index not in self.opened:
                yield self.open(index)
            yield self.chunk(index, {}, finish=reason)
        if self.usage:
            yield self.emit({**self.envelope, "choices": [], "usage": _usage(self.reply.get("usage") or {})})
        if self.reply.get("done", True):
            yield sse("[DONE]", ending=self.ending)

    def item(self, item: Mapping[str, Any], *, alone: bool) -> Iterator[bytes]:
        """One thing that is said: ``text``, ``refusal``, ``tool`` (with ``by``, ``choice``), ``comment``, ``error``.

        What only compatible servers say: ``delta`` (a chunk with just that delta, and perhaps ``finish``), ``data`` (an
        event with just that data), ``raw`` (bytes, see :func:`harness.record.wire.as_written`).
        """
        choice = int(item.get("choice", 0))
        if "comment" in item:
            only(item, "comment")
            yield comment(item["comment"], self.ending)
        elif "delta" in item:
            only(item, "delta", "choice", "finish")
            self.opened.add(choice)
            yield self.chunk(choice, item["delta"], finish=item.get("finish"))
        elif "raw" in item:
            only(item, "raw")
            yield as_written(item["raw"])
        elif "data" in item:
            only(item, "data")
            yield sse(item["data"], ending=self.ending)
        elif "error" in item:
            only(item, "error")
            yield sse(compact({"error": item["error"]}), ending=self.ending)
        elif "text" in item:
            only(item, "text", "by", "choice")
            if choice not in self.opened:
                yield self.open(choice)
            for piece in pieces(item["text"], item.get("by")):
                yield self.chunk(choice, {"content": piece}, token=piece)
        elif "refusal" in item:
            only(item, "refusal", "by", "choice")
            if choice not in self.opened:
                yield self.open(choice, content=None, refusal="")
            for piece in pieces(item["refusal"], item.get("by")):
                yield self.chunk(choice, {"refusal": piece})
        elif "tool" in item:
            only(item, "tool", "arguments", "by", "choice")
            yield from self.tool(item, choice, alone=alone)
        else:
            raise ScenarioError(
                f"says: {sorted(item)} holds none of text, refusal, tool, comment, error, delta, data, raw"
            )

    def tool(self, item: Mapping[str, Any], choice: int, *, alone: bool) -> Iterator[bytes]:
        index = self.calls.get(choice, 0)
        self.calls[choice] = index + 1
        start = {
            "index": index,
            "id": "call_" + made_up(f"{self.seed}/call/{choice}/{index}", 24),
            "type": "function",
            "function": {"name": item["tool"], "arguments": ""},
        }
        if choice not in self.opened and alone:  # a single call rides on the chunk that carries the role
            self.opened.add(choice)
            yield self.chunk(choice, {"role": "assistant", "content": None, "tool_calls": [start], "refusal": None})
        else:
            if choice not in self.opened:
                yield self.open(choice, content=None)
            yield self.chunk(choice, {"tool_calls": [start]})
        arguments = item["arguments"]
        text = arguments if isinstance(arguments, str) else compact(arguments)
        for piece in pieces(text, item.get("by", (2, 4, 3, 7, 5))):
            yield self.chunk(choice, {"tool_calls": [{"index": index, "function": {"arguments": piece}}]})

    def open(self, choice: int, content: str | None = "", refusal: str | None = None) -> bytes:
        self.opened.add(choice)
        return self.chunk(choice, {"role": "assistant", "content": content, "refusal": refusal})

    def chunk(
        self, choice: int, delta: Mapping[str, Any], *, token: str | None = None, finish: str | None = None
    ) -> bytes:
        logprobs = None
        if self.logprobs and finish is None:
            logprobs = {"content": [] if token is None else [self.logprob(token)], "refusal": None}
        body: dict[str, Any] = {"index": choice, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        if not self.reply.get("logprobs_key", True):
            del body["logprobs"]
        return self.emit({**self.envelope, "choices": [body], **({"usage": None} if self.usage else {})})

    def emit(self, payload: dict[str, Any]) -> bytes:
        self.count += 1
        if self.obfuscate:
            pad = 1 + int(made_up(f"{self.seed}/pad/{self.count}", 4, "0123"), 4) % 15
            payload["obfuscation"] = made_up(f"{self.seed}/obfuscation/{self.count}", pad)
        return sse(compact(payload, ascii_only=bool(self.reply.get("ascii"))), ending=self.ending)

    def logprob(self, token: str) -> dict[str, Any]:
        chance = (1 + int(made_up(f"{self.seed}/logprob/{self.count}", 4, "0123456789"))) / 10_001
        top = {"token": token, "logprob": math.log(chance), "bytes": list(token.encode())}
        return {**top, "top_logprobs": []}


def _usage(tokens: Mapping[str, int]) -> dict[str, Any]:
    only(tokens, "prompt", "completion", "cached", "reasoning")
    prompt, completion = tokens.get("prompt", 0), tokens.get("completion", 0)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": tokens.get("cached", 0), "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": tokens.get("reasoning", 0),
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
