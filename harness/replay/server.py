"""A loopback HTTP/1.1 server that answers from cassettes: exact chunks over a real socket, to a client in any language.

::

    with ReplayServer("cassettes/openai-chat/text.yaml") as server:
        openai.OpenAI(base_url=server.address + "/v1", api_key="any")

Each planned chunk is one chunk of the chunked transfer coding (RFC 9112, section 7.1) and one write, and the next one is
written when the client has read it, so that clients which hand on what they read hand on exactly these. The recorded ending
is what happens to the socket: a cut stream is closed before its last chunk, a reset one sends RST, and one that timed out
stays open and silent.
"""

from __future__ import annotations

import contextlib
import json
import math
import select
import socket
import socketserver
import struct
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import h11

from harness.replay.drained import Reader
from harness.replay.player import NoRecordingError, Player, RealClock

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from harness.cassette import Cassette, Headers
    from harness.chunking import Chunking, Plan
    from harness.replay.player import Clock, Playback

SETTLE_SECONDS = 0.05
"""Given to the client to read what was sent, before a reset makes its kernel throw the rest away."""
POLL_SECONDS = 0.05
"""How often a silent stream looks whether its client has left or the server stops."""
MAX_REQUEST_BYTES = 64 * 1024 * 1024
"""Of one request: a runaway client must not fill the memory of the test that it runs in."""

_BY_THE_SERVER = frozenset(
    "connection content-length keep-alive proxy-connection te trailer transfer-encoding upgrade".split()
)
"""Headers that speak of the connection (RFC 9110, 7.6.1) or of the framing, which are this server's and not the recorded ones."""
_NO_BODY = frozenset({204, 304})


class ReplayServer:
    """``with ReplayServer(...) as server: server.address`` is ``http://127.0.0.1:<port>``; ends as :class:`Player` does.

    Args:
        cassettes: one :class:`Player`, or what it takes.
        port: 0 takes a free one.
        plan, clock, allow_repeats, allow_unplayed: as for Player.

    Raises:
        CassetteError, PlanError: as Player.
        OSError: the port is taken.
    """

    def __init__(
        self,
        *cassettes: Player | Cassette | Path | str,
        port: int = 0,
        plan: str | Plan | Chunking = "recorded",
        clock: Clock | None = None,
        allow_repeats: bool = False,
        allow_unplayed: bool = False,
    ) -> None:
        if len(cassettes) == 1 and isinstance(cassettes[0], Player):
            self.player = cassettes[0]
        else:
            self.player = Player(
                *cast("tuple[Cassette | Path | str, ...]", cassettes),
                plan=plan,
                clock=clock,
                allow_repeats=allow_repeats,
                allow_unplayed=allow_unplayed,
            )
        self._listener = _Listener(port, self.player)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(POLL_SECONDS,), daemon=True)

    @property
    def address(self) -> str:
        """What stands before the path of a recorded request."""
        return f"http://127.0.0.1:{self._listener.server_address[1]}"

    def start(self) -> None:
        """Begins to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Ends every connection; nothing of the server is left."""
        self._listener.stopping.set()
        self._listener.shutdown()
        self._listener.hang_up()
        self._listener.server_close()
        self._thread.join()

    def __enter__(self) -> ReplayServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.player.__exit__(kind, error, trace)


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 128
    daemon_threads = True
    """A server that nobody stopped must not keep its process alive; one that is stopped waits for them itself."""

    def __init__(self, port: int, player: Player) -> None:
        self.player = player
        self.stopping = threading.Event()
        self._open: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Connection)

    def opened(self, connection: socket.socket) -> None:
        with self._lock:
            self._open[connection] = threading.current_thread()

    def closed(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.pop(connection, None)

    def hang_up(self) -> None:
        with self._lock:
            still_open = dict(self._open)
        for connection in still_open:
            with contextlib.suppress(OSError):  # it may be closed already
                connection.shutdown(socket.SHUT_RDWR)
        for thread in still_open.values():
            thread.join()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves is no news; what is ours is answered with 500 by the connection."""


class _Connection(socketserver.BaseRequestHandler):
    server: _Listener
    request: socket.socket

    def setup(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._http = h11.Connection(h11.SERVER)
        self._reader = Reader(self.request)
        self._sent = 0
        self.server.opened(self.request)

    def finish(self) -> None:
        self._reader.close()
        self.server.closed(self.request)

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # the client has left, which is its right, or the server stops
            while not self.server.stopping.is_set():
                try:
                    asked = self._read()
                except h11.RemoteProtocolError as error:
                    self._refuse(error.error_status_hint, str(error))
                    return
                if asked is None or not self._answer(*asked):
                    return
                self._http.start_next_cycle()

    def _read(self) -> tuple[h11.Request, bytes] | None:
        """The next request, or None when there is no other."""
        request: h11.Request | None = None
        body = bytearray()
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                if self._http.they_are_waiting_for_100_continue:
                    self._send(h11.InformationalResponse(status_code=100, headers=[]))
                self._http.receive_data(self.request.recv(65536))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > MAX_REQUEST_BYTES:
                    raise h11.RemoteProtocolError("the request is too long", error_status_hint=413)
            elif isinstance(event, h11.EndOfMessage) and request is not None:
                return request, bytes(body)
            else:
                return None

    def _answer(self, request: h11.Request, body: bytes) -> bool:
        """Whether the connection goes on."""
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers)
        try:
            played = self.server.player.take(request.method.decode(), request.target.decode("latin-1"), headers, body)
        except NoRecordingError as error:
            # 404, and the header that the SDKs of OpenAI and Anthropic know: asking again would not help.
            self._refuse(404, str(error), (("x-should-retry", "false"),))
        else:
            if not self._play(played, head=request.method == b"HEAD"):
                return False
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    def _play(self, played: Playback, *, head: bool) -> bool:
        interaction, clock = played.interaction, self.server.player.clock
        kept = ((name, value) for name, value in interaction.response_headers if name.lower() not in _BY_THE_SERVER)
        try:
            self._begin(interaction.status, kept, interaction.reason)
        except h11.LocalProtocolError as error:
            self._refuse(500, f"the recorded response has a head that cannot be sent: {error}")
            return True
        start = clock.now()
        silent = head or interaction.status in _NO_BODY
        for number, (chunk, at) in enumerate(zip(played.chunks, played.at_ms, strict=True)):
            if silent:
                break
            if number:
                self._reader.wait(self._sent)
            if not self._wait_until(start + at):
                return False
            self._send(h11.Data(data=chunk))
        if silent or played.end == "complete":
            self._send(h11.EndOfMessage())
            return True
        if played.end == "timeout":
            self._stall()
        elif played.end == "reset":
            time.sleep(SETTLE_SECONDS)
            # Lingering for no time at all makes close() send RST instead of FIN (socket(7), SO_LINGER).
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.server.closed(self.request)
            self.request.close()
        return False

    def _wait_until(self, due: float) -> bool:
        """In pieces where it takes time, so that a server can be stopped in a long silence; false if it was."""
        clock = self.server.player.clock
        piece = POLL_SECONDS * 1000 if isinstance(clock, RealClock) else math.inf
        while (left := due - clock.now()) > 0 and not self.server.stopping.is_set():
            clock.sleep(min(left, piece))
        return not self.server.stopping.is_set()

    def _stall(self) -> None:
        while not self.server.stopping.is_set():
            readable, _, _ = select.select([self.request], [], [], POLL_SECONDS)
            if readable and not self.request.recv(65536):
                return

    def _refuse(self, status: int, message: str, headers: Headers = ()) -> None:
        body = json.dumps({"error": {"type": "streamparity_replay", "message": message}}).encode()
        self._begin(status, (("content-type", "application/json"), *headers))
        self._send(h11.Data(data=body))
        self._send(h11.EndOfMessage())

    def _begin(self, status: int, headers: Iterable[tuple[str, str]], reason: str = "") -> None:
        encoded = [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in headers]
        self._send(h11.Response(status_code=status, headers=encoded, reason=reason.encode("latin-1", "replace")))

    def _send(self, event: Any) -> None:
        data = self._http.send(event)
        if data:
            self.request.sendall(data)
            self._sent += len(data)
