"""The loopback server, looked at from the socket: exact chunks, exact endings, and nothing left when it stops."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from harness.cassette import save
from harness.chunking import PlanError
from harness.record.recorder import exchange
from harness.replay.cli import replay
from harness.replay.player import NoRecordingError, Player, RealClock
from harness.replay.server import ReplayServer

from .replayed import BODY, CHUNKS, PACKED, cassette, interaction

PATH = "/v1/chat?version=1"
PLANS = ["recorded", "whole", "bytes", "random:7", "cuts@17,18"]
RAISED = {"complete": None, "cut": httpx.RemoteProtocolError, "reset": httpx.ReadError, "timeout": httpx.ReadTimeout}


def connect(server: ReplayServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(server.address.rpartition(":")[2])), timeout=5)


def ask(method: str = "POST", body: bytes = b"", *headers: str) -> bytes:
    lines = [f"{method} {PATH} HTTP/1.1", "host: x", f"content-length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def read_all(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("end", RAISED)
def test_chunks_and_ending_are_exact(end: Any, plan: str) -> None:
    made = cassette(interaction(end=end))
    expected = list(Player(made, plan=plan).take("POST", f"http://x{PATH}").chunks)
    got: list[bytes] = []
    raised = None
    with ReplayServer(made, plan=plan) as server, httpx.Client(timeout=0.3) as client:
        try:
            with client.stream("POST", server.address + PATH) as response:
                for chunk in response.iter_raw():
                    got.append(chunk)  # noqa: PERF402 - a list() would lose what came before the error
        except httpx.TransportError as error:
            raised = type(error)
    assert (got, raised) == (expected, RAISED[end])


@pytest.mark.parametrize("plan", ["recorded", "bytes"])
@pytest.mark.parametrize("end", RAISED)
def test_recording_a_replay_gives_the_recording(end: Any, plan: str) -> None:
    with ReplayServer(cassette(interaction(end=end, asks={"q": 1})), plan=plan) as server:
        recording = exchange(server.address + PATH, {}, {"q": 1}, 0.3)
    lengths = CHUNKS if plan == "recorded" else (1,) * len(BODY)
    assert (recording.body, recording.chunks, recording.end) == (BODY, lengths, end)


def test_what_crosses_the_wire_is_one_transfer_chunk_a_chunk() -> None:
    with ReplayServer(cassette(interaction())) as server, connect(server) as connection:
        connection.sendall(ask("POST", b"", "connection: close"))
        head, _, body = read_all(connection).partition(b"\r\n\r\n")
    pieces = [BODY[sum(CHUNKS[:at]) : sum(CHUNKS[: at + 1])] for at in range(len(CHUNKS))]
    assert body == b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert head.count(b"x-twice: ") == 2


@pytest.mark.parametrize("plan", ["recorded", "bytes"])
def test_a_cut_ends_without_the_last_chunk_and_a_reset_is_a_reset(plan: str) -> None:
    with ReplayServer(cassette(interaction(end="cut")), plan=plan) as server, connect(server) as connection:
        connection.sendall(ask())
        assert not read_all(connection).endswith(b"0\r\n\r\n")
    with ReplayServer(cassette(interaction(end="reset")), plan=plan) as server, connect(server) as connection:
        connection.sendall(ask())
        with pytest.raises(ConnectionResetError):
            read_all(connection)


def test_a_stall_lasts_until_the_client_leaves_or_the_server_stops() -> None:
    before = threading.active_count()
    with ReplayServer(cassette(interaction(end="timeout")), allow_repeats=True) as server:
        with connect(server) as leaving:
            leaving.sendall(ask())
            leaving.settimeout(0.3)
            with pytest.raises(TimeoutError):
                read_all(leaving)
        staying = connect(server)
        staying.sendall(ask())
        assert staying.recv(10)
        start = time.monotonic()
    assert time.monotonic() - start < 3
    staying.close()
    assert threading.active_count() == before


def test_a_connection_is_kept_for_the_next_request() -> None:
    one, two = interaction(asks={"q": 1}), interaction(b"two", (1, 2), asks=b"two", method="PUT", uri="http://x/y")
    with ReplayServer(cassette(one, two)) as server:
        client = http.client.HTTPConnection(server.address.removeprefix("http://"))
        client.request("POST", PATH, b'{"q": 1}')
        assert client.getresponse().read() == BODY
        used = client.sock
        client.request("PUT", "/y", iter([b"t", b"wo"]), encode_chunked=True, headers={"transfer-encoding": "chunked"})
        assert client.getresponse().read() == b"two"
        assert client.sock is used
        client.close()


def test_other_kinds_of_request_and_response() -> None:
    head = interaction(
        b"", (), method="HEAD", uri=f"http://x{PATH}", headers=(("content-length", "99"), ("connection", "close"))
    )
    empty = interaction(b"", (), method="DELETE", uri="http://x/z", status=204, reason="No Content", headers=())
    waits = interaction(b"ok", (2,), asks=b"x" * 10)
    with ReplayServer(cassette(head, empty, waits)) as server, httpx.Client() as client:
        assert client.head(server.address + PATH).status_code == 200
        assert client.delete(server.address + "/z").status_code == 204
        with connect(server) as connection:
            connection.sendall(ask("POST", b"x" * 10, "expect: 100-continue", "connection: close")[:-10])
            assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
            connection.sendall(b"x" * 10)
            assert read_all(connection).endswith(b"2\r\nok\r\n0\r\n\r\n")


def test_a_request_that_is_no_http_is_told_so_and_the_server_lives() -> None:
    with ReplayServer(cassette(interaction())) as server:
        with connect(server) as connection:
            connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
            assert read_all(connection).startswith(b"HTTP/1.1 400 ")
        assert httpx.post(server.address + PATH).content == BODY


@pytest.mark.parametrize("plan", ["recorded", "bytes"])
def test_retries_get_the_next_recording(plan: str) -> None:
    headers = (
        ("content-type", "application/json"),
        ("retry-after", "1"),
        ("transfer-encoding", "chunked"),
        ("content-length", "7"),
    )
    statuses = [(429, "Too Many Requests"), (529, "Overloaded"), (500, "")]
    failures = [
        interaction(b'{"e":1}', (7,), status=status, reason=reason, headers=headers) for status, reason in statuses
    ]
    with ReplayServer(cassette(*failures, interaction()), plan=plan) as server, httpx.Client() as client:
        answers = [client.post(server.address + PATH) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [429, 529, 500, 200]
    assert [answer.headers.get("retry-after") for answer in answers] == ["1", "1", "1", None]
    assert answers[1].reason_phrase == "Overloaded"
    assert [answer.content for answer in answers] == [b'{"e":1}'] * 3 + [BODY]


@pytest.mark.parametrize("plan", PLANS)
def test_a_content_coding_crosses_untouched(plan: str) -> None:
    headers = (("content-type", "text/event-stream"), ("content-encoding", "gzip"))
    made = cassette(interaction(PACKED, (3, len(PACKED) - 3), headers=headers))
    with ReplayServer(made, plan=plan, allow_repeats=True) as server:
        assert httpx.post(server.address + PATH).content == BODY
        with httpx.stream("POST", server.address + PATH) as response:
            assert b"".join(response.iter_raw()) == PACKED


def test_a_miss_is_404_says_why_and_fails_the_run() -> None:
    server = ReplayServer(cassette(interaction(asks={"q": 1})))
    server.start()
    answer = httpx.post(server.address + PATH, json={"q": 2})
    server.stop()
    assert (answer.status_code, answer.headers["x-should-retry"]) == (404, "false")
    assert "Value of root['q'] changed from 1 to 2." in answer.json()["error"]["message"]
    with pytest.raises(NoRecordingError, match="Value of root"):
        server.player.assert_all_played()


def test_recorded_times_are_kept_on_the_real_clock() -> None:
    made = cassette(interaction(b"abc", (1, 1, 1), at_ms=(0.0, 60.0, 150.0)))
    start = time.monotonic()
    with ReplayServer(made, clock=RealClock()) as server, httpx.stream("POST", server.address + PATH) as response:
        times = [time.monotonic() - start for _ in response.iter_raw()]
    assert len(times) == 3
    assert times[1] >= 0.06  # from the start: how late the client wakes up must not matter
    assert times[2] >= 0.15


def test_a_server_stops_in_the_middle_of_a_long_silence() -> None:
    server = ReplayServer(cassette(interaction(b"ab", (1, 1), at_ms=(0.0, 60_000.0))), clock=RealClock(), plan="bytes")
    server.start()
    with httpx.stream("POST", server.address + PATH) as response:
        chunks = response.iter_raw()
        assert next(chunks) == b"a"
        start = time.monotonic()
        server.stop()
        with pytest.raises(httpx.TransportError):
            next(chunks)
    assert time.monotonic() - start < 3


def test_many_clients_at_once_get_one_recording_each() -> None:
    made = cassette(*(interaction(bytes([65 + n]) * 500, (250, 250), asks={"q": n % 4}) for n in range(16)))
    got: list[bytes] = []
    with ReplayServer(made, plan="every:50") as server:

        def client(number: int) -> None:
            got.append(httpx.post(server.address + PATH, json={"q": number % 4}).content)

        threads = [threading.Thread(target=client, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(got) == sorted(one.body for one in made.interactions)


# --- the command ---


@pytest.mark.parametrize(
    ("args", "code", "what"),
    [
        ((), 2, "Missing argument"),
        (("made.yaml", "--plan", "every-split"), 2, "cuts a body in many ways"),
        (("made.yaml", "--plan", "nope"), 2, "no plan is called"),
        (("none.yaml",), 1, "none.yaml: cannot be read"),
        (("empty",), 1, "no cassettes"),
    ],
)
def test_what_cannot_be_replayed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: Any, code: int, what: str
) -> None:
    (tmp_path / "empty").mkdir()
    save(cassette(interaction()), tmp_path / "made.yaml")
    monkeypatch.chdir(tmp_path)
    result: Result = CliRunner().invoke(replay, list(args))
    assert result.exit_code == code
    assert what in result.output + str(result.exception)
    with pytest.raises(PlanError):
        Player(plan="every-split")


@pytest.mark.parametrize("plan", ["recorded", "every:3"])
@pytest.mark.parametrize(("asks", "code"), [(["POST"], 0), ([], 1), (["POST", "POST"], 1)])
def test_the_command_serves_until_it_is_told_to_stop(tmp_path: Path, plan: str, asks: list[str], code: int) -> None:
    save(cassette(interaction()), tmp_path / "made.yaml")
    command = [
        sys.executable,
        "-m",
        "harness.cli",
        "replay",
        str(tmp_path / "made.yaml"),
        "--plan",
        plan,
        "--times",
        "recorded",
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", address)
        answers = [httpx.request(method, address + PATH) for method in asks]
        assert [answer.content for answer in answers][:1] == [BODY][: len(asks)]
        process.send_signal(signal.SIGINT if plan == "recorded" else signal.SIGTERM)
        _, told = process.communicate(timeout=20)
    assert process.returncode == code, told
    assert f"{min(1, len(asks))} of 1 recordings played, {max(0, len(asks) - 1)} requests not answered" in told
    assert ("once more than the 1 times" in told) == (len(asks) == 2)
    assert ("not asked for: openai-chat/made" in told) == (not asks)
