"""A wire-true recorder: an httpx transport that wraps another one and keeps what passes through.

The application reads its stream live: each chunk is noted and handed on at once, never buffered. What is kept is what
the client saw: the raw body bytes (before any content decoding), where the chunks ended, when each arrived, and how the
stream ended. Content coding would hide the wire, so the recorded request asks for ``identity`` (RFC 9110, 12.5.3) unless
told otherwise; a body that comes encoded all the same is kept as it came.

Clients often close a response as soon as they have read what they were waiting for: the SDK for OpenAI does at
``[DONE]``, before the end of the message. The little that is left is then read for them (:data:`GRACE_SECONDS`), so that
how the stream ended is known.

The transports serve httpx and its fork httpx2, whose classes are others with the same names.
"""

from __future__ import annotations

import contextlib
import functools
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import anyio
import httpx

if TYPE_CHECKING:
    from harness.case import StreamEnd
    from harness.cassette import Headers

Sink = Callable[["Recording"], None]
"""Called once for each response, when its stream has ended or the client has closed it."""
Began = Callable[[], None]
"""Called when a response has begun, of which the sink will hear."""

GRACE_SECONDS = 0.5
"""How long the rest of a body is read after the client has closed the response."""


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
    They are told by name, since httpx2 has the same tree of its own.
    """
    names = {kind.__name__ for kind in type(error).__mro__}
    if "TimeoutException" in names:
        return "timeout"
    return "reset" if "NetworkError" in names else "cut"


class _Tape:
    """Collects one response; hands it to the sink exactly once."""

    def __init__(self, request: httpx.Request, request_body: bytes, sink: Sink, began: Began) -> None:
        self._request = request
        self._began = began
        self._request_body = request_body
        self._sink = sink
        self._at = datetime.now(UTC)
        self._start = time.monotonic()
        self._response: httpx.Response | None = None
        self._pieces: list[bytes] = []
        self._times: list[float] = []
        self._once = threading.Lock()
        self.done = False

    def attach(self, response: httpx.Response, tee: Any, base: str) -> httpx.Response:
        """The same response with a stream that is noted here; ``base`` is the kind that its client takes."""
        library = _library(response)
        if not isinstance(response.stream, getattr(library, base)):
            raise TypeError(f"the wrapped transport answered with a stream that is no {library.__name__}.{base}")
        stream = _made_of(tee, library, base)(response, self)
        self._response = response
        self._began()
        return type(response)(
            response.status_code, headers=response.headers, stream=stream, extensions=response.extensions
        )

    def add(self, chunk: bytes) -> None:
        if chunk:
            self._times.append(round((time.monotonic() - self._start) * 1000, 1))
            self._pieces.append(chunk)

    def finish(self, end: StreamEnd, *, closed_by_client: bool = False) -> None:
        with self._once:
            if self.done or self._response is None:
                return
            self.done = True
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


class _SyncTee:
    """Hands the chunks of a stream on and notes them."""

    def __init__(self, response: httpx.Response, tape: _Tape) -> None:
        stream: Any = response.stream
        self._stream = stream
        self._socket = _socket(response)
        # Held, so that what the client leaves can be read after its own iterator is gone.
        self._chunks: Iterator[bytes] = iter(self._stream)
        self._tape = tape

    def __iter__(self) -> Iterator[bytes]:
        while (chunk := self._next()) is not None:
            yield chunk

    def _next(self) -> bytes | None:
        try:
            chunk: bytes = next(self._chunks)
        except StopIteration:
            self._tape.finish("complete")
            return None
        except Exception as error:
            self._tape.finish(stream_end(error))
            raise
        except BaseException:
            self._tape.finish("cut", closed_by_client=True)
            raise
        self._tape.add(chunk)
        return chunk

    def close(self) -> None:
        try:
            if not self._tape.done and self._socket is not None:
                self._read_the_rest(self._socket)
        finally:
            self._tape.finish("cut", closed_by_client=True)
            self._stream.close()

    def _read_the_rest(self, connection: socket.socket) -> None:
        late = threading.Event()

        def hang_up() -> None:
            late.set()
            self._tape.finish("cut", closed_by_client=True)
            with contextlib.suppress(OSError):  # wakes the read below; the method of ssl.SSLSocket would do more
                socket.socket.shutdown(connection, socket.SHUT_RD)

        timer = threading.Timer(GRACE_SECONDS, hang_up)
        timer.daemon = True
        timer.start()
        with contextlib.suppress(Exception):  # it is on the tape, and the client does not want to know
            while not late.is_set() and self._next() is not None:
                pass
        timer.cancel()


class _AsyncTee:
    """The same for a stream that is read asynchronously."""

    def __init__(self, response: httpx.Response, tape: _Tape) -> None:
        stream: Any = response.stream
        self._stream = stream
        self._live = _socket(response) is not None
        self._chunks: AsyncIterator[bytes] = aiter(self._stream)
        self._tape = tape

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (chunk := await self._next()) is not None:
            yield chunk

    async def _next(self) -> bytes | None:
        try:
            chunk: bytes = await anext(self._chunks)
        except StopAsyncIteration:
            self._tape.finish("complete")
            return None
        except Exception as error:
            self._tape.finish(stream_end(error))
            raise
        except BaseException:
            self._tape.finish("cut", closed_by_client=True)
            raise
        self._tape.add(chunk)
        return chunk

    async def aclose(self) -> None:
        try:
            if not self._tape.done and self._live:
                with contextlib.suppress(Exception), anyio.move_on_after(GRACE_SECONDS):
                    while await self._next() is not None:
                        pass
        finally:
            self._tape.finish("cut", closed_by_client=True)
            await self._stream.aclose()


class RecordingTransport(httpx.BaseTransport):
    """Wraps a transport of a synchronous client: ``httpx.Client(transport=RecordingTransport(inner, sink))``.

    ``identity``: ask for a body without content coding, whatever the client asked for. ``began`` is called for each
    response of which ``sink`` will hear.
    """

    def __init__(
        self, inner: httpx.BaseTransport, sink: Sink, *, identity: bool = True, began: Began = lambda: None
    ) -> None:
        self._inner = inner
        self._sink = sink
        self._began = began
        self._identity = identity

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._identity:
            request.headers["accept-encoding"] = "identity"
        tape = _Tape(request, request.read(), self._sink, self._began)
        return tape.attach(self._inner.handle_request(request), _SyncTee, "SyncByteStream")

    def close(self) -> None:
        self._inner.close()


class AsyncRecordingTransport(httpx.AsyncBaseTransport):
    """Wraps a transport of an asynchronous client, ``httpx.AsyncClient``, as RecordingTransport does."""

    def __init__(
        self, inner: httpx.AsyncBaseTransport, sink: Sink, *, identity: bool = True, began: Began = lambda: None
    ) -> None:
        self._inner = inner
        self._sink = sink
        self._began = began
        self._identity = identity

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._identity:
            request.headers["accept-encoding"] = "identity"
        tape = _Tape(request, await request.aread(), self._sink, self._began)
        return tape.attach(await self._inner.handle_async_request(request), _AsyncTee, "AsyncByteStream")

    async def aclose(self) -> None:
        await self._inner.aclose()


def _library(response: httpx.Response) -> Any:
    kind = next(kind for kind in type(response).__mro__ if kind.__name__ == "Response")
    return sys.modules[kind.__module__.partition(".")[0]]


@functools.cache
def _made_of(tee: Any, library: Any, base: str) -> Any:
    return type(base, (tee, getattr(library, base)), {})


def _socket(response: httpx.Response) -> socket.socket | None:
    """The connection that a response comes over, where the transport tells (httpcore's extension ``network_stream``)."""
    stream = response.extensions.get("network_stream")
    found: socket.socket | None = stream.get_extra_info("socket") if stream is not None else None
    return found
