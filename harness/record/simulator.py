"""A provider on the loopback interface, over whose chunk boundaries and endings the caller decides.

HTTP/1.1 with chunked transfer coding (RFC 9112, section 7.1): every write becomes one transfer chunk, which httpx hands
to its client as one chunk, however the network glues packets together. A stream can end well, be cut (the connection
closes before the last chunk), be reset, or stall until the client gives up.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

    from harness.case import StreamEnd

STALL_SECONDS = 20.0
"""How long a stalled stream stays open if nobody closes it."""
SETTLE_SECONDS = 0.05
"""Given to the client to read what was sent, before a reset makes its kernel throw the rest away."""

_TEXT_STREAM = (("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache"))


@dataclass(frozen=True, slots=True)
class Answer:
    """What the simulator sends back: each of ``writes`` is one chunk, ``pause_ms`` apart."""

    writes: tuple[bytes, ...]
    end: StreamEnd = "complete"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = _TEXT_STREAM
    pause_ms: float = 0.0


Respond = Callable[[str, Mapping[str, Any]], Answer]
"""Called with the path and the JSON body of a POST."""


class Simulator:
    """``with Simulator(respond) as simulator: simulator.address`` is ``http://127.0.0.1:<port>``."""

    def __init__(self, respond: Respond) -> None:
        stopping = threading.Event()

        class Handler(_Handler):
            pass

        Handler.respond = staticmethod(respond)
        Handler.stopping = stopping
        self._stopping = stopping
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Simulator:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    respond: Respond
    stopping: threading.Event
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", 0))
        try:
            request = json.loads(self.rfile.read(length))
            answer = type(self).respond(self.path, request)
        except (ValueError, KeyError, TypeError) as error:
            message = {"error": {"type": "invalid_request_error", "message": f"{type(error).__name__}: {error}"}}
            body = json.dumps(message).encode()
            answer = Answer((body,), status=400, headers=(("content-type", "application/json"),))
        try:
            self._send(answer)
        except OSError:
            self.close_connection = True  # the client has gone, which is its right

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        self.close_connection = True  # one answer a connection: nothing lingers when the simulator stops
        for name, value in (*answer.headers, ("transfer-encoding", "chunked"), ("connection", "close")):
            self.send_header(name, value)
        self.end_headers()
        for number, data in enumerate(answer.writes):
            if number and answer.pause_ms:
                time.sleep(answer.pause_ms / 1000)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        if answer.end == "complete":
            self.wfile.write(b"0\r\n\r\n")
        elif answer.end == "timeout":
            self.stopping.wait(STALL_SECONDS)
        elif answer.end == "reset":
            time.sleep(SETTLE_SECONDS)
            # Lingering for no time at all makes close() send RST instead of FIN (socket(7), SO_LINGER).
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Silence: the recorder reports what was recorded."""
