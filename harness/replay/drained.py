"""Whether the client at the other end of a loopback connection has read what was sent to it.

TCP keeps no boundaries: two writes that lie together in the reader's buffer become one read, and a client that hands on
what it reads (``fetch`` in Node) hands on chunks that nobody planned. No pause is surely long enough for a busy client. But
on loopback the reader's buffer is this machine's own, and Linux tells how full it is (sock_diag(7), ``idiag_rqueue``).
"""

from __future__ import annotations

import contextlib
import socket
import struct
import time

LOOK_SECONDS = 0.0001
"""Between two looks."""
LIMIT_SECONDS = 0.1
"""For one chunk. A client that does not read for so long has stopped to, and will get what comes in one piece anyway."""
TURN_SECONDS = 0.0002
"""Given to the client to do something with what it read."""

_NETLINK_SOCK_DIAG = 4
_BY_FAMILY = 20
"""The kind of the question and of its answer (``SOCK_DIAG_BY_FAMILY``)."""
_HEADER = struct.Struct("=IHHII")
"""Of a netlink message: length, kind, flags, number, port (netlink(7))."""
_RECEIVED = struct.Struct("=I")
_RECEIVED_AT = _HEADER.size + 4 + 48 + 4
"""In the answer: behind four bytes of state, the addresses, and the timer."""
_MORE_AT = _HEADER.size + 72
"""Behind the fixed part of the answer: what was asked for besides, each with its length and kind."""
_TCP_INFO = 2
_BYTES_RECEIVED = struct.Struct("=Q")
_BYTES_RECEIVED_AT = 128
"""In ``struct tcp_info`` (tcp(7)): what has arrived since the connection began, read or not."""
_ANY = 0xFFFFFFFF


class Reader:
    """The reading end of the connection whose writing end is ``connection``, an IPv4 socket on 127.0.0.1."""

    def __init__(self, connection: socket.socket) -> None:
        (to, to_port), (own, own_port) = connection.getpeername(), connection.getsockname()
        addresses = socket.inet_aton(to) + bytes(12) + socket.inet_aton(own) + bytes(12)
        asks = struct.pack("=BBBBI", socket.AF_INET, socket.IPPROTO_TCP, 1 << (_TCP_INFO - 1), 0, _ANY)
        asks += struct.pack("!HH", to_port, own_port) + addresses + struct.pack("=III", 0, _ANY, _ANY)
        self._question = _HEADER.pack(_HEADER.size + len(asks), _BY_FAMILY, 1, 0, 0) + asks
        self._kernel: socket.socket | None = None
        with contextlib.suppress(OSError, AttributeError):  # no Linux, or one that does not tell
            self._kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG)

    def read(self) -> int | None:
        """Bytes that the client has read since the connection began; None where nobody tells."""
        if self._kernel is None:
            return None
        try:
            self._kernel.send(self._question)
            answer = self._kernel.recv(4096)
        except OSError:
            return None
        if _HEADER.unpack_from(answer)[1] != _BY_FAMILY:  # an error: the reader has gone, or is on another machine
            return None
        at = _MORE_AT
        while at + 4 <= len(answer):
            length, kind = struct.unpack_from("=HH", answer, at)
            if kind == _TCP_INFO and length >= 4 + _BYTES_RECEIVED_AT + _BYTES_RECEIVED.size:
                received = _BYTES_RECEIVED.unpack_from(answer, at + 4 + _BYTES_RECEIVED_AT)[0]
                return int(received - _RECEIVED.unpack_from(answer, _RECEIVED_AT)[0])
            at += max(4, length + 3 & ~3)
        return None

    def wait(self, sent: int) -> None:
        """Until the client has read the ``sent`` bytes, but no longer than LIMIT_SECONDS; where nobody tells, a pause."""
        limit = time.monotonic() + LIMIT_SECONDS
        while (done := self.read()) is not None and done < sent and time.monotonic() < limit:
            time.sleep(LOOK_SECONDS)
        time.sleep(TURN_SECONDS)

    def close(self) -> None:
        """Asks no more; the connection is the caller's."""
        if self._kernel is not None:
            self._kernel.close()
            self._kernel = None
