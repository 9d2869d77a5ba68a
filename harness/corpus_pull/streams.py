"""Which exchanges are streams of a dialect, whole and undamaged; what is left out is left out for a reason.

Recorders lose bytes: some keep text alone, some decode content codings, some normalise line ends. So a body is kept only
if its framing holds to its last byte, both checksums of every AWS message fit, every payload is JSON where its API sends
JSON, and no character was replaced. Its dialect is told by the address, and by the body where a recorder masked that.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from harness.coding import CodingError, codings, decoded_stream, is_encoded
from harness.record.addresses import dialect_of
from harness.references import REFERENCES
from streamcore.framing.eventstream import EventStreamFramer
from streamcore.framing.jsonarray import JsonArrayFramer
from streamcore.framing.ndjson import NdjsonFramer
from streamcore.framing.sse import SseFramer

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.corpus_pull.exchanges import Exchange

Wire = Literal["sse", "aws-eventstream", "ndjson", "json-array"]
Fidelity = Literal["wire", "decoded", "normalised", "unknown"]
"""``wire``: the bytes as sent, but for a content coding that was taken off here. ``decoded``: the recorder took it off.
``normalised``: the recorder changed line ends. ``unknown``: it masked the headers that would tell. Where the chunks ended
is known of none of them."""

_TYPES: dict[str, Wire] = {
    "text/event-stream": "sse",
    "application/vnd.amazon.eventstream": "aws-eventstream",
    "application/x-ndjson": "ndjson",
    "application/stream+json": "ndjson",
}
_FRAMERS: dict[Wire, Callable[[], Any]] = {
    "sse": SseFramer,
    "aws-eventstream": EventStreamFramer,
    "ndjson": NdjsonFramer,
    "json-array": JsonArrayFramer,
}
_GEMINI = re.compile(r"/models/[^/]+:streamGenerateContent$")

_ADDRESSES = (
    (r"/router/v\d+/anthropic/v1/messages", "gateway-anthropic"),
    (r"/router/v\d+/google/.*:streamGenerateContent", "gateway-gemini"),
    (r"/router/v\d+/openai/v1/responses", "gateway-responses"),
    (r"/router/v\d+/openai/v1/chat/completions", "gateway-openai-chat"),
    (r"//api\.cohere\.(com|ai)/v1/chat", "cohere-v1"),
    (r"//api\.cloudflare\.com/.*/chat/completions", "cloudflare"),
    (r"//api\.writer\.com/v1/chat", "writer"),
    (r"//api\.writer\.com/v1/completions", ""),
    (r"//[^/]*\.azuredatabricks\.net/serving-endpoints/.*", "databricks"),
    (r"//generativelanguage\.googleapis\.com/v\d+\w*/interactions(/[^/]+)?", "gemini-interactions"),
    (r"//(127\.0\.0\.1|localhost):11434/v1/chat/completions", "ollama-openai-compat"),
    (r"//(127\.0\.0\.1|localhost)(:\d+)?/v1/chat/completions", "local-openai-compat"),
)
"""Besides those of the APIs that streamparity itself records: gateways and servers found in the pinned archives. An API
that has the path of one with a dialect, but is none, has no name here."""

_TOLD_BY_BODY = frozenset(("openai-chat", "openai-completions-legacy", "openai-responses", "anthropic-messages"))


class LeftOutError(Exception):
    """Why an exchange is no recording to keep; the same words for the same reason."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A body to keep: ``coding`` is what was taken off it here, ``""`` if nothing."""

    dialect: str
    wire: Wire
    body: bytes
    fidelity: Fidelity
    coding: str


def stream_of(exchange: Exchange) -> Stream | None:
    """The stream that an exchange is; None if it is none: an error, or an answer in one piece.

    Raises:
        LeftOutError: it is a stream, but damaged, or of an API that is not read here.
    """
    wire = _wire(exchange)
    if wire is None or not 200 <= exchange.status < 300:
        return None
    body, fidelity, coding = _decoded(exchange)
    if not body:
        raise LeftOutError("empty body")
    payloads = _payloads(body, wire)
    dialect = _dialect(exchange.uri, payloads[0])
    if dialect not in REFERENCES:
        api = re.sub(r"(?<=/)[^/]*_[^/]{12,}", "...", urlsplit(exchange.uri).path)
        raise LeftOutError(f"no dialect reads {api or 'it, and its address is masked'}")
    if "gemini" in dialect and wire == "sse" and "interactions" not in dialect and b"\r\n" not in body:
        fidelity = "normalised"  # Google's servers end their lines with CR LF
    return Stream(dialect, wire, body, fidelity, coding)


def _wire(exchange: Exchange) -> Wire | None:
    kind = exchange.header("content-type").partition(";")[0].strip().lower()
    if kind in _TYPES:
        return _TYPES[kind]
    if not kind and re.match(rb"(event|data|id): ?|: ", exchange.body):  # the recorder masked the headers
        return "sse"
    streams_array = _GEMINI.search(urlsplit(exchange.uri).path) and exchange.body.lstrip().startswith(b"[")
    return "json-array" if streams_array else None


def _decoded(exchange: Exchange) -> tuple[bytes, Fidelity, str]:
    applied = codings(exchange.headers)
    try:
        if not applied:
            return exchange.body, _fidelity(exchange), ""
        if is_encoded(exchange.body, applied):
            return decoded_stream(exchange.body, (), (), applied)[0], "wire", ", ".join(applied)
    except CodingError as error:
        raise LeftOutError(f"content coding: {error}") from None
    if exchange.body.startswith(b"\x1f\x8b"):
        raise LeftOutError("compressed body, damaged by the recorder")
    return exchange.body, "decoded", ""


def _fidelity(exchange: Exchange) -> Fidelity:
    """vcrpy, when it takes a content coding off, drops its header and writes the length that the body has then."""
    if "chunked" not in exchange.header("transfer-encoding"):
        return "unknown"
    return "decoded" if exchange.header("content-length") else "wire"


def _payloads(body: bytes, wire: Wire) -> list[bytes]:
    """The payloads of the frames; at least one."""
    framer = _FRAMERS[wire]()
    frames = framer.feed(body)
    last = framer.close()
    frames += [last] if last is not None else []
    if wire == "aws-eventstream":
        if framer.failure is not None or framer.truncated:
            raise LeftOutError(
                "AWS event stream, damaged by the recorder (a checksum does not fit, or bytes are missing)"
            )
        payloads = [payload for _, payload, _ in frames]
    else:
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            raise LeftOutError("text, damaged by the recorder (no UTF-8)") from None
        if "\ufffd" in text:
            raise LeftOutError("text, damaged by the recorder (characters were replaced)")
        if framer.failure is not None or (wire == "json-array" and framer.truncated):
            raise LeftOutError("not framed as its content type says")
        payloads = [frame[0] for frame in frames]
    payloads = [payload for payload in payloads if payload]
    if not payloads:
        raise LeftOutError("not a single frame in it")
    for payload in payloads:
        if payload.strip() != b"[DONE]" and _json(payload) is None:
            raise LeftOutError("a payload that is no JSON")
    return payloads


def _json(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return None


def _dialect(uri: str, first: bytes) -> str:
    parts = urlsplit(uri)
    address = f"//{parts.netloc}{parts.path}"
    named = next((name for pattern, name in _ADDRESSES if re.search(f"{pattern}$", address)), None)
    if named is None:
        named = dialect_of(uri)
    seen = _family(first)
    if not uri:
        return seen
    if named in _TOLD_BY_BODY and seen and seen != named:
        raise LeftOutError("a body in another dialect than its address says")
    return named or ""


def _family(first: bytes) -> str:
    """The dialect that the first payload of a stream shows, as far as it does."""
    event = _json(first)
    if not isinstance(event, dict):
        return ""
    kind, thing = str(event.get("type", "")), event.get("object")
    if kind.startswith("response."):
        return "openai-responses"
    if kind == "message_start":
        return "anthropic-messages"
    return {"chat.completion.chunk": "openai-chat", "text_completion": "openai-completions-legacy"}.get(str(thing), "")
