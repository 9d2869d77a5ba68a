"""A wire-true recorder: an httpx transport that wraps another one and keeps what passes through.

The application reads its stream live: each chunk is noted and handed on at once, never buffered. What is kept is what
the client saw: the raw body bytes (before any content decoding), where the chunks ended, when each arrived, and how the
stream ended. Content coding would hide the wire, so the recorded request asks for ``identity`` (RFC 9110, 12.5.3).
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from harness.case import StreamEnd
    from harness.cassette import Headers

Sink = Callable[["Recording"], None]
"""Called once for each response, when its stream has ended or the client has closed it."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One exchange as the client saw it. Immutable; nothing in it is redacted yet.

    ``chunks`` are lengths in bytes, ``at_ms`` milliseconds from handing the request to the network to each chunk.
    ``closed_by_client`` says that the client closed the response before its end, so ``end`` (then ``cut``) says nothing
    about the peer.
    """

    method: str
    url: str
    request_headers: Headers
    request_body: bytes
    status: int
    reason: str
    response_headers: Headers
    body: bytes
    chunks: tuple[int, ...]
    at_ms: tuple[float, ...]
    end: StreamEnd
    closed_by_client: bool
    at: datetime


def stream_end(error: BaseException) -> StreamEnd:
    """What an exception raised while reading a body says about how the stream ended.

    httpx (its documentation, "Exceptions") tells three apart: ``ReadTimeout``; ``RemoteProtocolError``, the peer closed
    before the message was complete; and ``NetworkError``, of which a reset connection is the one that reading meets.
    """
    if isinstance(error, httpx.TimeoutException):
        return "timeout"
    if isinstance(error, httpx.NetworkError):
        return "reset"
    return "cut"


class _Tape:
    """Collects one response; hands it to the sink exactly once."""

    def __init__(self, request: httpx.Request, request_body: bytes, sink: Sink) -> None:
        self._request = request
        self._request_body = request_body
        self._sink = sink
        self._at = datetime.now(UTC)
        self._start = time.monotonic()
        self._response: httpx.Response | None = None
        self._pieces: list[bytes] = []
        self._times: list[float] = []
        self._done = False

    def attach(self, response: httpx.Response, stream: httpx.SyncByteStream | httpx.AsyncByteStream) -> httpx.Response:
        self._response = response
        return httpx.Response(
            response.status_code, headers=response.headers, stream=stream, extensions=response.extensions
        )

    def add(self, chunk: bytes) -> None:
        if chunk:
            self._times.append(round((time.monotonic() - self._start) * 1000, 1))
            self._pieces.append(chunk)

    def finish(self, end: StreamEnd, *, closed_by_client: bool = False) -> None:
        if self._done or self._response is None:
            return
        self._done = True
        self._sink(
            Recording(
                method=self._request.method,
                url=str(self._request.url),
                request_headers=tuple(self._request.headers.multi_items()),
                request_body=self._request_body,
                status=self._response.status_code,
                reason=self._response.reason_phrase,
                response_headers=tuple(self._response.headers.multi_items()),
                body=b"".join(self._pieces),
                chunks=tuple(len(piece) for piece in self._pieces),
                at_ms=tuple(self._times),
                end=end,
                closed_by_client=closed_by_client,
                at=self._at,
            )
        )


class _SyncTee(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream, tape: _Tape) -> None:
        self._stream = stream
        self._tape = tape

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self._stream:
                self._tape.add(chunk)
                yield chunk
        except httpx.TransportError as error:
            self._tape.finish(stream_end(error))
            raise
        self._tape.finish("complete")

    def close(self) -> None:
        self._tape.finish("cut", closed_by_client=True)
        self._stream.close()


class _AsyncTee(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, tape: _Tape) -> None:
        self._stream = stream
        self._tape = tape

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._stream:
                self._tape.add(chunk)
                yield chunk
        except httpx.TransportError as error:
            self._tape.finish(stream_end(error))
            raise
        self._tape.finish("complete")

    async def aclose(self) -> None:
        self._tape.finish("cut", closed_by_client=True)
        await self._stream.aclose()


class RecordingTransport(httpx.BaseTransport):
    """Wraps a transport of a synchronous client: ``httpx.Client(transport=RecordingTransport(inner, sink))``."""

    def __init__(self, inner: httpx.BaseTransport, sink: Sink) -> None:
        self._inner = inner
        self._sink = sink

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.headers["accept-encoding"] = "identity"
        tape = _Tape(request, request.read(), self._sink)
        response = self._inner.handle_request(request)
        if not isinstance(response.stream, httpx.SyncByteStream):
            raise TypeError(f"{type(self._inner).__name__} answered with a stream that is not synchronous")
        return tape.attach(response, _SyncTee(response.stream, tape))

    def close(self) -> None:
        self._inner.close()


class AsyncRecordingTransport(httpx.AsyncBaseTransport):
    """Wraps a transport of an asynchronous client, ``httpx.AsyncClient``, as RecordingTransport does."""

    def __init__(self, inner: httpx.AsyncBaseTransport, sink: Sink) -> None:
        self._inner = inner
        self._sink = sink

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.headers["accept-encoding"] = "identity"
        tape = _Tape(request, await request.aread(), self._sink)
        response = await self._inner.handle_async_request(request)
        if not isinstance(response.stream, httpx.AsyncByteStream):
            raise TypeError(f"{type(self._inner).__name__} answered with a stream that is not asynchronous")
        return tape.attach(response, _AsyncTee(response.stream, tape))

    async def aclose(self) -> None:
        await self._inner.aclose()
