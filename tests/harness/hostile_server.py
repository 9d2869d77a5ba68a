"""A server on raw sockets that cuts its bodies where it hurts, and breaks off in every way there is."""

from __future__ import annotations

import contextlib
import gzip
import socket
import struct
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import brotli
import zstandard

from harness.case import StreamEnd
from harness.chunking import Chunking

if TYPE_CHECKING:
    from collections.abc import Sequence

STALL_SECONDS = 10.0
PAUSE_SECONDS = 0.03
"""Between two writes of a body without transfer chunks, so that they do not meet in one packet."""


@dataclass(frozen=True)
class Hostility:
    """One response. ``chunks`` are what a client must see; ``framing`` is chunked, length or close (RFC 9112, 6)."""

    chunks: tuple[bytes, ...]
    end: StreamEnd = "complete"
    framing: str = "chunked"
    status: str = "200 OK"
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "text/event-stream"),)
    torn: bool = False
    """The last transfer chunk promises more than comes."""

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)


def cut(body: bytes, *cuts: int) -> tuple[bytes, ...]:
    return tuple(Chunking("hostile", tuple(sorted({at for at in cuts if 0 < at < len(body)})), len(body)).chunks(body))


def _error(status: str, *headers: tuple[str, str]) -> Hostility:
    body = b'{"type":"error","error":{"type":"overloaded_error","message":"\xc3\x9cberlastet"}}'
    return Hostility(
        cut(body, 61), framing="length", status=status, headers=(("Content-Type", "application/json"), *headers)
    )


def _encoded(coding: str, body: bytes) -> Hostility:
    # The first chunk is too short to decode to anything; the others end in the middle of whatever they end in.
    headers = (("Content-Type", "text/event-stream"), ("Content-Encoding", coding))
    return Hostility(cut(body, 3, 19, 20, 37, len(body) - 5), headers=headers)


TEXT = 'data: {"t":"héllo 你好 👩‍👩‍👧"}\r\n\r\ndata: {"t":"e\u0301"}\r\n\r\ndata: [DONE]\r\n\r\n'.encode()
_EMOJI = TEXT.index("👩".encode())
_CRLF = TEXT.index(b"\r\n")
_GZIP = _encoded("gzip", gzip.compress(TEXT, mtime=0))

HOSTILE: dict[str, Hostility] = {
    "utf8": Hostility(cut(TEXT, _EMOJI + 1, _EMOJI + 2, _EMOJI + 3, _EMOJI + 7)),
    "crlf": Hostility(cut(TEXT, _CRLF + 1, _CRLF + 3)),
    "bytes": Hostility(cut(TEXT, *range(len(TEXT)))),
    "length": Hostility(cut(TEXT, 7, _EMOJI + 2), framing="length"),
    "close": Hostility(cut(TEXT, 7, _EMOJI + 2), framing="close"),
    "empty": Hostility(()),
    "gzip": _GZIP,
    "br": _encoded("br", brotli.compress(TEXT)),
    "zstd": _encoded("zstd", zstandard.compress(TEXT)),
    "cut": Hostility(cut(TEXT[: _EMOJI + 2], 9, _EMOJI), end="cut"),
    "cut-in-chunk": Hostility(cut(TEXT[: _CRLF + 1], 9), end="cut", torn=True),
    "cut-gzip": replace(_GZIP, chunks=_GZIP.chunks[:4], end="cut"),
    "cut-length": Hostility(cut(TEXT[: _EMOJI + 2], 9), end="cut", framing="length"),
    "reset": Hostility(cut(TEXT[: _CRLF + 1], 9, _CRLF), end="reset"),
    "stall": Hostility(cut(TEXT[: _EMOJI + 3], 9), end="timeout"),
    "status-429": _error("429 Too Many Requests", ("Retry-After", "7")),
    "status-500": _error("500 Internal Server Error"),
    "status-529": _error("529 Overloaded", ("Retry-After", "1")),
}
BROKEN = frozenset(name for name, item in HOSTILE.items() if item.end != "complete")


@dataclass
class HostileServer:
    """``with HostileServer() as server``: a POST to ``/<name>/v1/chat/completions`` gets ``HOSTILE[name]``."""

    more: dict[str, Hostility] = field(default_factory=dict)
    requests: list[bytes] = field(default_factory=list)

    def url(self, name: str) -> str:
        return f"{self.address}/{name}/v1/chat/completions"

    def __enter__(self) -> HostileServer:
        self._stopping = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                thread = threading.Thread(target=self._answer, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(STALL_SECONDS)
            head, _, body = _until(connection, b"\r\n\r\n")
            length = next(
                (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
            )
            while len(body) < length:
                body += connection.recv(65536)
            self.requests.append(head + b"\r\n\r\n" + body)
            name = head.split(b"/", 2)[1].decode()
            self._send(connection, {**HOSTILE, **self.more}[name])

    def _send(self, connection: socket.socket, item: Hostility) -> None:
        framing = {
            "chunked": [("Transfer-Encoding", "chunked")],
            "length": [("Content-Length", str(len(item.body) + (40 if item.end != "complete" else 0)))],
            "close": [],
        }[item.framing]
        lines = [f"HTTP/1.1 {item.status}", *(f"{name}: {value}" for name, value in (*item.headers, *framing))]
        connection.sendall(("\r\n".join(lines) + "\r\nConnection: close\r\n\r\n").encode())
        for number, chunk in enumerate(item.chunks, start=1):
            if item.framing != "chunked":
                time.sleep(PAUSE_SECONDS)
                connection.sendall(chunk)
            elif item.torn and number == len(item.chunks):
                connection.sendall(b"%x\r\n%s" % (len(chunk) + 20, chunk))
            else:
                connection.sendall(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        if item.end == "complete" and item.framing == "chunked":
            connection.sendall(b"0\r\n\r\n")
        elif item.end == "timeout":
            self._stopping.wait(STALL_SECONDS)
        elif item.end == "reset":
            time.sleep(0.05)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _until(connection: socket.socket, mark: bytes) -> Sequence[bytes]:
    data = b""
    while mark not in data:
        if not (more := connection.recv(65536)):
            raise ConnectionError
        data += more
    return data.partition(mark)
