"""A simulated InvokeModelWithResponseStream of Amazon Bedrock, written from the provider's documentation.

Sources: "InvokeModelWithResponseStream" in the Amazon Bedrock API reference (``ResponseStream``: chunk, whose ``bytes`` are
base64, and the exceptions) and "Inference request parameters and response fields" in the user guide, whose pages say what
is in the bytes: "Anthropic Claude Messages API", "Amazon Nova", "Amazon Titan Text", "Meta Llama", "Mistral AI". The last
chunk of every family also holds ``amazon-bedrock-invocationMetrics``.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from harness.record import anthropic_messages
from harness.record.eventstream import damaged, error, event, exception, padding
from harness.record.wire import ScenarioError, compact, only, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PATH = "/model/{model}/invoke-with-response-stream"
METRICS = "amazon-bedrock-invocationMetrics"


def encode(name: str, reply: Mapping[str, Any], request: Mapping[str, Any]) -> list[bytes]:
    """The messages of one scenario.

    ``reply`` is one of the Anthropic Messages API (:func:`harness.record.anthropic_messages.encode`), if the request says
    ``anthropic_version``. Of the other families it has ``says`` alone: ``chunk`` (the JSON of one, or with ``text`` and
    ``by`` of many: ``$piece`` stands for a piece of the text) or what follows. Both have ``metrics`` (``input``,
    ``output`` tokens; null for none). Among what either says may be ``exception`` (its name, with its members as
    ``members``), ``failure`` (the code of an unmodelled error, with ``message``), a ``damaged`` chunk (see
    :func:`harness.record.eventstream.damaged`, with ``json``), and a ``message`` (its name, with any ``payload``).

    Raises:
        ScenarioError: the reply has something this API cannot say.
    """
    if "anthropic_version" in request:
        rest = {key: value for key, value in reply.items() if key != "metrics"}
        return list(_Anthropic(name, {"ping": False, **rest}, request, reply.get("metrics")).events())
    only(reply, "says", "metrics")
    return list(_plain(name, reply))


class _Anthropic(anthropic_messages.Encoder):
    """Anthropic's events as chunks: only how they are written differs."""

    def __init__(
        self, name: str, reply: Mapping[str, Any], request: Mapping[str, Any], metrics: Mapping[str, int] | None
    ) -> None:
        super().__init__(name, reply, request, "bdrk_")
        self.metrics = metrics

    def item(self, item: Mapping[str, Any]) -> Iterator[bytes]:
        other = _other(item, self.seed)
        return iter([other]) if other is not None else super().item(item)

    def write(self, kind: str, payload: dict[str, Any]) -> bytes:
        if kind == "message_stop" and self.metrics is not None:
            payload = {**payload, METRICS: _metrics(self.metrics)}
        return _chunk(compact(payload, ascii_only=bool(self.reply.get("ascii"))), f"{self.seed}/{self.count}")


def _plain(name: str, reply: Mapping[str, Any]) -> Iterator[bytes]:
    seed = f"bedrock-invoke/{name}"
    chunks: list[dict[str, Any] | bytes] = []
    for item in reply["says"]:
        other = _other(item, seed)
        if other is not None:
            chunks.append(other)
        elif "chunk" in item:
            only(item, "chunk", "text", "by")
            said = pieces(item["text"], item.get("by")) if "text" in item else [""]
            chunks += [_filled(item["chunk"], piece) for piece in said]
        else:
            raise ScenarioError(f"says: {sorted(item)} holds none of chunk, exception, failure, damaged, message")
    last = chunks[-1]
    if reply.get("metrics") is not None and isinstance(last, dict):
        last[METRICS] = _metrics(reply["metrics"])
    for number, chunk in enumerate(chunks):
        yield chunk if isinstance(chunk, bytes) else _chunk(compact(chunk), f"{seed}/{number}")


def _other(item: Mapping[str, Any], seed: str) -> bytes | None:
    """What a stream of any family may hold beside its chunks."""
    if "exception" in item:
        only(item, "exception", "members", "first")
        return exception(item["exception"], compact(item["members"]).encode())
    if "failure" in item:
        only(item, "failure", "message", "first")
        return error(item["failure"], item["message"])
    if "damaged" in item:
        only(item, "damaged", "json")
        return damaged(_chunk(compact(item["json"]), f"{seed}/damaged"), item["damaged"])
    if "message" in item:
        only(item, "message", "payload")
        return event(item["message"], item["payload"].encode())
    return None


def _filled(value: Any, piece: str) -> Any:
    if isinstance(value, dict):
        return {key: _filled(inner, piece) for key, inner in value.items()}
    return piece if value == "$piece" else value


def _metrics(tokens: Mapping[str, int]) -> dict[str, int]:
    only(tokens, "input", "output", "cache_read", "cache_write")
    metrics = {"inputTokenCount": tokens["input"], "outputTokenCount": tokens["output"]}
    metrics |= {"invocationLatency": 812, "firstByteLatency": 301}
    if "cache_read" in tokens or "cache_write" in tokens:
        metrics["cacheReadInputTokenCount"] = tokens.get("cache_read", 0)
        metrics["cacheWriteInputTokenCount"] = tokens.get("cache_write", 0)
    return metrics


def _chunk(text: str, seed: str) -> bytes:
    data = base64.b64encode(text.encode()).decode()
    return event("chunk", compact({"bytes": data, "p": padding(seed)}).encode())
