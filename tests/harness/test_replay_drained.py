"""Whether the other end of a loopback connection has read what was sent."""

from __future__ import annotations

import socket
import sys
import threading
import time

import pytest

from harness.replay import drained
from harness.replay.drained import LIMIT_SECONDS, TURN_SECONDS, Reader

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a client has read")


@pytest.fixture
def ends() -> tuple[socket.socket, socket.socket]:
    """The writing and the reading end."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        reading = socket.create_connection(listening.getsockname())
        writing, _ = listening.accept()
    return writing, reading


def timed(reader: Reader, sent: int) -> float:
    start = time.monotonic()
    reader.wait(sent)
    return time.monotonic() - start


@linux
@pytest.mark.parametrize("pieces", [[b"whole"], [b"in ", b"two"], [b"b", b"y", b"t", b"e"]])
def test_it_waits_until_all_is_read(ends: tuple[socket.socket, socket.socket], pieces: list[bytes]) -> None:
    writing, reading = ends
    reader = Reader(writing)
    got: list[bytes] = []

    def read() -> None:
        while piece := reading.recv(100):
            time.sleep(0.005)
            got.append(piece)

    with writing, reading:
        thread = threading.Thread(target=read)
        thread.start()
        for number, piece in enumerate(pieces, start=1):
            writing.sendall(piece)
            reader.wait(sum(map(len, pieces[:number])))
        writing.shutdown(socket.SHUT_WR)
        thread.join()
    reader.close()
    assert got == pieces


@linux
def test_it_does_not_wait_for_ever(ends: tuple[socket.socket, socket.socket]) -> None:
    writing, reading = ends
    reader = Reader(writing)
    with writing, reading:
        assert timed(reader, 0) < LIMIT_SECONDS
        writing.sendall(b"unread")
        assert timed(reader, 6) > LIMIT_SECONDS
        assert reading.recv(2) == b"un"
        assert (reader.read(), timed(reader, 2) < LIMIT_SECONDS) == (2, True)
        assert reading.recv(100) == b"read"
        assert (reader.read(), timed(reader, 6) < LIMIT_SECONDS) == (6, True)
    reader.close()
    reader.close()


def test_where_nobody_tells_it_pauses(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, reading = ends
    with writing, reading:
        for kind in (OSError, AttributeError):

            def refuse(*_: object, raised: type[Exception] = kind) -> None:
                raise raised

            monkeypatch.setattr(drained.socket, "AF_NETLINK", -1, raising=False)
            monkeypatch.setattr(drained.socket, "socket", refuse)
            reader = Reader(writing)
            writing.sendall(b"unread")
            assert reader.read() is None
            assert TURN_SECONDS <= timed(reader, 6) < LIMIT_SECONDS
            reader.close()


@linux
def test_a_reader_that_has_gone_is_not_waited_for(ends: tuple[socket.socket, socket.socket]) -> None:
    writing, reading = ends
    reader = Reader(writing)
    with writing:
        writing.sendall(b"some")
        assert reader.read() == 0
        reading.close()
        assert timed(reader, 4) < LIMIT_SECONDS
    reader.close()
