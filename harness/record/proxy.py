"""A recording proxy on the loopback interface: any client is recorded by changing its base URL.

Bodies pass through unmodified both ways, and the response chunk by chunk as the server sent them; of the headers only
those that belong to one connection are changed (RFC 9110, 7.6.1). A stream that breaks breaks for the client as well: cut
where it was cut, reset where it was reset, silent where it stalls.

h11 speaks HTTP to the client, httpx to the server, through the same transport that records in process.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import h11
import httpx

from harness.record.transport import AsyncRecordingTransport, Recording, stream_end

if TYPE_CHECKING:
    from types import TracebackType

MAX_REQUEST_BYTES = 64 * 1024 * 1024
"""Of a request's body: what the largest APIs take."""
MAX_HEADER_BYTES = 64 * 1024
IDLE_SECONDS = 600.0
"""Longest silence of the server before the stream counts as timed out: as long as the SDKs wait."""
GRACE_SECONDS = 1.0
"""How long the server is listened to after the client has gone, to see how the stream would have ended."""
SETTLE_SECONDS = 0.05
"""Given to the client to read what was sent, before a reset makes its kernel throw the rest away."""

_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_RawHeaders = list[tuple[bytes, bytes]]


class Proxy:
    """``async with Proxy("https://api.openai.com/v1", sink) as proxy: proxy.address`` is the base URL to use.

    ``sink`` is called in a thread of its own, one exchange after another; ``say`` with one line about each exchange that
    came to nothing. ``identity``: ask for bodies without content coding, whatever the client asked for. Leaving the block
    breaks off what is under way (``unfinished`` counts it), which is then not recorded.

    Raises:
        ValueError: ``upstream`` is no http address.
        OSError: the port is taken.
    """

    def __init__(
        self,
        upstream: str,
        sink: Callable[[Recording], None],
        *,
        port: int = 0,
        identity: bool = True,
        idle_seconds: float = IDLE_SECONDS,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        parts = urlsplit(upstream)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{upstream!r} is no address such as https://api.openai.com/v1")
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._path = parts.path.rstrip("/")
        self._sink = sink
        self._port = port
        self._identity = identity
        self._timeout = {"connect": 60.0, "read": idle_seconds, "write": 60.0, "pool": 60.0}
        self._say = say
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False
        self.unfinished = 0

    @property
    def address(self) -> str:
        """``http://127.0.0.1:<port>`` and the path of the upstream address."""
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}{self._path}"

    async def __aenter__(self) -> Proxy:
        self._upstream = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=None))
        self._writing = ThreadPoolExecutor(1, "streamparity-write")
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self._port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._upstream.aclose()
        await asyncio.to_thread(self._writing.shutdown)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(_Peer(reader, writer)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, peer: _Peer) -> None:
        try:
            while (found := await peer.request()) is not None:
                request, body = found
                if refusal := _refusal(request):
                    await peer.answer(*refusal)
                else:
                    await self._exchange(peer, request, body)
                if not peer.next():
                    break
        except h11.RemoteProtocolError as error:
            await peer.answer(error.error_status_hint, f"streamparity: {error}")
        except OSError:
            pass  # the client has gone, which is its right
        finally:
            peer.close()

    async def _exchange(self, peer: _Peer, request: h11.Request, body: bytes) -> None:
        """Ask the server, pass its answer on, and hand what passed to the sink."""
        target = request.target.decode("ascii")
        taken: list[Recording] = []
        transport = AsyncRecordingTransport(self._upstream, taken.append, identity=self._identity)
        asked = httpx.Request(
            request.method.decode("ascii"),
            self._origin + target,
            headers=[item for item in _end_to_end(request.headers.raw_items()) if item[0].lower() != b"host"],
            content=body,
            extensions={"timeout": self._timeout, "target": request.target},
        )
        name = f"{asked.method} {target.partition('?')[0]}"
        self.unfinished += 1
        try:
            response = await transport.handle_async_request(asked)
        except httpx.ConnectError as error:
            self.unfinished -= 1
            self._say(f"{name}: {self._origin} cannot be reached ({error})")
            await peer.answer(502, f"streamparity: {self._origin} cannot be reached: {error}")
            return
        except httpx.TransportError as error:
            self.unfinished -= 1
            self._say(f"{name}: no answer ({type(error).__name__}: {error}): nothing to record")
            await peer.break_off(reset=stream_end(error) == "reset")
            return
        silent = False
        try:
            silent = await self._pass_on(peer, response)
        finally:  # also when the proxy is stopped just after the end of the stream
            if taken:
                self._keep(taken[0], name, silent=silent)

    def _keep(self, recording: Recording, name: str, *, silent: bool) -> None:
        if recording.closed_by_client and self._stopping:
            return
        self.unfinished -= 1
        if recording.closed_by_client and silent:
            recording = replace(recording, end="timeout", closed_by_client=False)
        if recording.closed_by_client:
            self._say(f"{name}: the client left in mid-stream: not recorded")
        else:
            # Beside the loop: writing one cassette must not hold up the streams of others.
            self._writing.submit(self._sink, recording).add_done_callback(self._written)

    def _written(self, future: Future[None]) -> None:
        if error := future.exception():
            self._say(f"not recorded: {type(error).__name__}: {error}")

    async def _pass_on(self, peer: _Peer, response: httpx.Response) -> bool:
        """Send a response as it comes. True if the client has left a stream that had fallen silent."""
        chunks = _Chunks(response)
        passing = asyncio.create_task(self._send(peer, response, chunks))
        leaving = asyncio.create_task(peer.left())
        try:
            await asyncio.wait({passing, leaving}, return_when=asyncio.FIRST_COMPLETED)
            at_leaving = chunks.count
            while not passing.done():
                # It may have closed its sending side alone, so what comes is still sent, as long as something comes.
                before = chunks.count
                await asyncio.wait({passing}, timeout=GRACE_SECONDS)
                if not passing.done() and (peer.gone or chunks.count == before):
                    return chunks.count == at_leaving
            await passing
        finally:
            for task in (passing, leaving):
                task.cancel()
            await asyncio.gather(passing, leaving, return_exceptions=True)
            await _close(response)
        return False

    async def _send(self, peer: _Peer, response: httpx.Response, chunks: _Chunks) -> None:
        reason: bytes = response.extensions.get("reason_phrase", b"")
        headers = _end_to_end(response.headers.raw)
        await peer.send(h11.Response(status_code=response.status_code, headers=headers, reason=reason))
        try:
            async for chunk in chunks:
                await peer.send(h11.Data(data=chunk))
        except Exception as error:
            if isinstance(error, h11.LocalProtocolError):  # a bug here, not an ending of the stream
                raise
            await peer.break_off(reset=stream_end(error) == "reset")
            return
        await peer.send(h11.EndOfMessage())


class _Chunks:
    """The raw chunks of a response, counted."""

    def __init__(self, response: httpx.Response) -> None:
        self._stream: Any = response.stream
        self.count = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self.count += 1
            if chunk:
                yield chunk


class _Peer:
    """The client's connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._writer.transport.set_write_buffer_limits(high=0)  # drained then means handed to the kernel
        self._connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEADER_BYTES)
        self.gone = False

    async def request(self) -> tuple[h11.Request, bytes] | None:
        """The next request with its whole body; None when the client has no more (h11.RemoteProtocolError, OSError)."""
        request: h11.Request | None = None
        body = bytearray()
        while True:
            event = self._connection.next_event()
            if event is h11.NEED_DATA:
                if self._connection.they_are_waiting_for_100_continue:
                    await self.send(h11.InformationalResponse(status_code=100, headers=[]))
                self._connection.receive_data(await self._reader.read(65536))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > MAX_REQUEST_BYTES:
                    raise h11.RemoteProtocolError(f"more than {MAX_REQUEST_BYTES} bytes", error_status_hint=413)
            elif isinstance(event, h11.EndOfMessage) and request is not None:
                return request, bytes(body)
            else:  # it has closed
                return None

    async def left(self) -> None:
        """Returns when the client has closed its side, or sends the next request already: then it has not left."""
        data = await self._reader.read(65536)
        self._connection.receive_data(data)
        if data:
            await asyncio.Event().wait()

    async def send(self, event: h11.Event) -> None:
        """Send at once. To a client that has gone nothing is sent."""
        data = self._connection.send(event)
        if data is None or self.gone:
            return
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError:
            self.gone = True

    async def answer(self, status: int, text: str) -> None:
        """A response of our own, in words."""
        with contextlib.suppress(h11.LocalProtocolError):  # too late for one
            headers = [("content-type", "text/plain; charset=utf-8"), ("content-length", str(len(text.encode()) + 1))]
            await self.send(h11.Response(status_code=status, headers=[*headers, ("connection", "close")]))
            await self.send(h11.Data(data=f"{text}\n".encode()))
            await self.send(h11.EndOfMessage())

    def next(self) -> bool:
        """Whether the connection is good for another request."""
        if self.gone or self._connection.our_state is not h11.DONE or self._connection.their_state is not h11.DONE:
            return False
        self._connection.start_next_cycle()
        return True

    async def break_off(self, *, reset: bool) -> None:
        """End in the middle, as the server did."""
        self._connection.send_failed()
        if reset and not self.gone:
            await asyncio.sleep(SETTLE_SECONDS)
            connection = self._writer.get_extra_info("socket")
            # Lingering for no time at all makes close() send RST instead of FIN (socket(7), SO_LINGER).
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._writer.transport.abort()
        self.gone = True

    def close(self) -> None:
        self._writer.close()


def _refusal(request: h11.Request) -> tuple[int, str] | None:
    """What this proxy cannot do: status and words."""
    if request.method == b"CONNECT" or not request.target.startswith(b"/"):
        return 501, "streamparity: set the base URL of the client to this address; as HTTP_PROXY it sees nothing"
    if any(name == b"upgrade" for name, _ in request.headers):
        return 501, "streamparity: connections that change their protocol (WebSocket) cannot be recorded"
    return None


def _end_to_end(headers: _RawHeaders) -> _RawHeaders:
    named = b",".join(value for name, value in headers if name.lower() == b"connection")
    own = _HOP_BY_HOP | {word.strip().lower() for word in named.split(b",")}
    return [(name, value) for name, value in headers if name.lower() not in own]


async def _close(response: httpx.Response) -> None:
    stream: Any = response.stream
    await stream.aclose()
