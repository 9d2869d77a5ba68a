"""httpx transports that answer from cassettes, without a socket: exact chunks, exact endings.

::

    with httpx.Client(transport=ReplayTransport("cassettes/openai-chat/text.yaml")) as client:
        client.post("https://api.openai.com/v1/chat/completions", json=...)

The client gets each planned chunk as one chunk, undecoded if a content coding was recorded, and then the recorded ending
as the exception that httpx raises for it (its documentation, "Exceptions"): ``RemoteProtocolError`` where the peer closed
early, ``ReadError`` where the connection was reset, ``ReadTimeout`` where nothing more came. The same transport serves
synchronous and asynchronous clients, and those of httpx2, from which the OpenAI and Anthropic SDKs now build theirs.
"""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import httpx

from harness.replay.player import Player

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from types import ModuleType, TracebackType

    from harness.case import StreamEnd
    from harness.cassette import Cassette
    from harness.chunking import Chunking, Plan
    from harness.replay.player import Clock, Playback

LIBRARY = "streamparity.library"
"""The request extension that names the library whose exceptions the client knows, where the request is not of that one."""

_SAID: dict[StreamEnd, tuple[str, str]] = {
    "cut": (
        "RemoteProtocolError",
        "peer closed connection without sending complete message body (incomplete chunked read)",
    ),
    "reset": ("ReadError", "[Errno 104] Connection reset by peer"),
    "timeout": ("ReadTimeout", "The read operation timed out"),
}


class ReplayTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers requests from recordings; ``with`` a client around it, ends as :class:`Player` does.

    Args:
        cassettes: one :class:`Player`, or what it takes.
        options: those of :class:`Player`.

    Raises:
        CassetteError, PlanError: as Player.
        NoRecordingError: from a request that no recording answers.
    """

    def __init__(
        self,
        *cassettes: Player | Cassette | Path | str,
        plan: str | Plan | Chunking = "recorded",
        clock: Clock | None = None,
        allow_repeats: bool = False,
        allow_unplayed: bool = False,
    ) -> None:
        if len(cassettes) == 1 and isinstance(cassettes[0], Player):
            self.player = cassettes[0]
            return
        self.player = Player(
            *cast("tuple[Cassette | Path | str, ...]", cassettes),
            plan=plan,
            clock=clock,
            allow_repeats=allow_repeats,
            allow_unplayed=allow_unplayed,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._answer(request, request.read())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self._answer(request, await request.aread())

    def _answer(self, request: httpx.Request, body: bytes) -> httpx.Response:
        headers = tuple(request.headers.multi_items())
        return response(request, self.player.take(request.method, str(request.url), headers, body), self.player.clock)

    def __enter__(self) -> ReplayTransport:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.player.__exit__(exc_type, exc_value, traceback)

    async def __aenter__(self) -> ReplayTransport:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.player.__exit__(exc_type, exc_value, traceback)


def response(request: httpx.Request, played: Playback, clock: Clock) -> httpx.Response:
    """The response to ``request`` (of httpx, or of httpx2, and then the response is too) that plays ``played``."""
    interaction = played.interaction
    library, made_of = _library(request), _library(request, extension=False)
    read_seconds = request.extensions.get("timeout", {}).get("read") or 0.0
    stream = _stream_type(made_of)(played, clock, library, request, read_seconds * 1000)
    answer = made_of.Response(
        interaction.status,
        headers=list(interaction.response_headers),
        stream=stream,
        request=request,
        extensions={"http_version": b"HTTP/1.1", "reason_phrase": interaction.reason.encode("ascii", "replace")},
    )
    return cast("httpx.Response", answer)


class _Playing:
    """A body, read by iteration of either kind."""

    def __init__(self, played: Playback, clock: Clock, library: Any, request: object, stall_ms: float) -> None:
        self._played, self._clock = played, clock
        self._library, self._request, self._stall_ms = library, request, stall_ms

    def __iter__(self) -> Iterator[bytes]:
        start = self._clock.now()
        for chunk, at in zip(self._played.chunks, self._played.at_ms, strict=True):
            self._clock.sleep(max(0.0, start + at - self._clock.now()))
            yield chunk
        if self._played.end == "timeout":
            self._clock.sleep(self._stall_ms)
        self._end()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        start = self._clock.now()
        for chunk, at in zip(self._played.chunks, self._played.at_ms, strict=True):
            await self._clock.sleep_async(max(0.0, start + at - self._clock.now()))
            yield chunk
        if self._played.end == "timeout":
            await self._clock.sleep_async(self._stall_ms)
        self._end()

    def _end(self) -> None:
        if self._played.end != "complete":
            name, said = _SAID[self._played.end]
            raise getattr(self._library, name)(said, request=self._request)

    def close(self) -> None:
        """Nothing is open."""

    async def aclose(self) -> None:
        """Nothing is open."""


@functools.cache
def _stream_type(library: ModuleType) -> Any:
    return type("ReplayStream", (_Playing, library.SyncByteStream, library.AsyncByteStream), {})


def _library(request: httpx.Request, *, extension: bool = True) -> Any:
    """httpx, or its successor under another name: each accepts its own kinds of stream alone."""
    named = request.extensions.get(LIBRARY) if extension else None
    roots = (base.__module__.partition(".")[0] for base in type(request).__mro__)
    return sys.modules[named or next(root for root in roots if root.startswith("httpx"))]
