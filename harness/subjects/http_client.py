"""A subject that is a client: a callable that asks over HTTP, and gives the parts of the answer.

``http:package.module:run`` names one of two kinds, told apart by the name of the first parameter::

    def run(client, case):      # httpx.Client, or httpx.AsyncClient where run is asynchronous; relative URLs will do
    def run(base_url, case):    # the address of a loopback server, for whatever client you have

``run`` asks once, reads to the end, and returns the parts (or yields them). Whatever it asks for, the answer is the body of
the case in exactly the planned chunks, through a transport or over a socket. As for every other subject, the end of input is
a plain one, also where the recording broke or the plan cuts it: goldens are made so. What a client makes of a connection that
breaks is for its own tests, with :mod:`harness.replay`.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import weakref
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx

from harness.case import Case
from harness.cassette import Interaction, Stream
from harness.faults.damage import framing_of
from harness.record.provider import FORMS
from harness.replay.player import NoRecordingError, Playback, Player
from harness.replay.server import ReplayServer
from harness.replay.transport import ReplayTransport
from harness.subjects.at_end import AtEndSession
from streamcore import DIALECTS

if TYPE_CHECKING:
    from harness.cassette import Headers
    from harness.subjects import PartJson

Run = Callable[[Any, Case], Any]

BASE_URL = "http://replay.invalid"
"""Of the client that gets a transport: a host that cannot exist (RFC 6761), and need not."""
BY_ADDRESS = ("base_url", "url", "address")
"""Names of a first parameter that ask for the loopback server."""

_FORMS = {"sse": "sse", "eventstream": "eventstream", "ndjson": "ndjson", "jsonarray": "json-array"}
"""From the names of framings to those of :data:`harness.record.provider.FORMS`."""


class HttpSubject:
    """What calls ``run`` for each stream.

    Args:
        run: see above; ``run.dialects``, if it has that, says which dialects it reads, otherwise it is asked for all.
        name: what reports call it.

    Raises:
        TypeError: ``run`` does not take two arguments.
    """

    version = "1"

    def __init__(self, run: Run, name: str) -> None:
        try:
            signature = inspect.signature(run)
            signature.bind(None, None)
        except (TypeError, ValueError):
            raise TypeError(f"{name} does not take (client, case) or (base_url, case)") from None
        self._run = run
        self.name = name
        self._dialects = frozenset(getattr(run, "dialects", ()))
        self._answer = _OneAnswer()
        self._server: tuple[int, ReplayServer] | None = None
        self._by_address = next(iter(signature.parameters)) in BY_ADDRESS

    def claims(self, dialect: str) -> bool:
        """Whether ``run.dialects`` has it; without that, whatever is a dialect and not a framing alone."""
        return dialect in (self._dialects or DIALECTS)

    def open(self, case: Case) -> AtEndSession:
        """A fresh session."""
        return AtEndSession(partial(self.parts, case))

    def parts(self, case: Case, chunks: Iterable[bytes]) -> list[PartJson]:
        """What ``run`` makes of one stream. What it raises goes through.

        Raises:
            NoRecordingError: it asked more than once, or not at all.
            TypeError: what it gave are not parts.
        """
        self._answer.put_in(case, tuple(chunks))
        try:
            found = (
                self._by_socket(case)
                if self._by_address
                else asyncio.run(self._awaited(case))
                if self._waits
                else self._called(case)
            )
        except (httpx.TransportError, OSError) as error:
            if not self._answer.waits:
                raise
            told = " ".join(f"{type(error).__name__}: {error}".split())
            raise NoRecordingError(f"{case.id}: asked something else than its first argument, and got {told}") from error
        self._answer.assert_all_played()
        # The runner switches the collector off, and clients are full of cycles: each may hold certificates and sockets.
        gc.collect(1)
        for part in found:
            if not isinstance(part, dict) or "type" not in part:
                raise TypeError(
                    f"{self.name} gave {part!r:.80}, which is not a part: parts are JSON objects with a type"
                )
        return found

    @property
    def _waits(self) -> bool:
        return inspect.iscoroutinefunction(self._run) or inspect.isasyncgenfunction(self._run)

    def _called(self, case: Case) -> list[PartJson]:
        with httpx.Client(transport=_Transport(self._answer), base_url=BASE_URL) as client:
            return _listed(self._run(client, case))

    async def _awaited(self, case: Case) -> list[PartJson]:
        async with httpx.AsyncClient(transport=_Transport(self._answer), base_url=BASE_URL) as client:
            return await _gathered(self._run(client, case))

    def _by_socket(self, case: Case) -> list[PartJson]:
        address = self._listening().address
        return asyncio.run(_gathered(self._run(address, case))) if self._waits else _listed(self._run(address, case))

    def _listening(self) -> ReplayServer:
        # The threads of a server do not survive a fork, and check forks its workers.
        if self._server is None or self._server[0] != os.getpid():
            server = ReplayServer(self._answer)
            server.start()
            weakref.finalize(self, _stop, server, os.getpid())
            self._server = (os.getpid(), server)
        return self._server[1]


class _Transport(ReplayTransport):
    """Does not judge when its client is closed: :meth:`HttpSubject.parts` does, also for callables without a transport."""

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""

    async def __aexit__(self, *_: object) -> None:
        """Nothing is open."""


class _OneAnswer(Player):
    """Answers whatever is asked first with the body that was put in."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: Playback | None = None
        self._case: str = ""

    def put_in(self, case: Case, chunks: tuple[bytes, ...]) -> None:
        """The next stream; what was left of the one before is forgotten."""
        form = FORMS[_FORMS[framing_of(case.dialect)] if case.dialect in DIALECTS else "sse"]
        body = b"".join(chunks)
        interaction = Interaction(
            method="POST",
            uri=BASE_URL,
            request_headers=(),
            request_body=None,
            status=200,
            reason="OK",
            response_headers=form.headers,
            body=body,
            stream=Stream(tuple(map(len, chunks)), (0.0,) * len(chunks), "complete"),
        )
        self._case = case.id
        self.misses.clear()
        self._waiting = Playback(interaction, chunks, interaction.stream.at_ms, "complete")

    @property
    def waits(self) -> bool:
        """Whether the answer has not been asked for."""
        return self._waiting is not None

    def take(self, method: str, url: str, headers: Headers = (), body: bytes | None = None) -> Playback:  # noqa: ARG002 - the signature is not ours to choose
        """The answer, once."""
        played, self._waiting = self._waiting, None
        if played is None:
            miss = NoRecordingError(f"{method} {url}: {self._case} was asked for a second time; a case has one answer")
            self.misses.append(miss)
            raise miss
        return played

    def assert_all_played(self) -> None:
        """Passes if the answer was asked for once."""
        super().assert_all_played()
        if self._waiting is not None:
            raise NoRecordingError(f"{self._case}: nothing was asked for; the first argument is what to ask with")


def _stop(server: ReplayServer, started_in: int) -> None:
    # In a fork of that process there is no thread left to stop, and waiting for it has no end.
    if started_in == os.getpid():
        server.stop()


async def _gathered(found: AsyncIterable[PartJson] | Awaitable[Any]) -> list[PartJson]:
    parts = found if isinstance(found, AsyncIterable) else await found
    if isinstance(parts, AsyncIterable):
        return [part async for part in parts]
    return _listed(parts)


def _listed(found: Any) -> list[PartJson]:
    if not isinstance(found, Iterable):
        raise TypeError(f"returned {found!r:.80}: return the parts, or yield them")
    return list(found)
