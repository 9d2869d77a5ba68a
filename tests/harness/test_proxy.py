"""The recording proxy: what it passes on, what it writes, and how it ends."""

from __future__ import annotations

import asyncio
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest
from click.testing import CliRunner

from harness.cassette import load
from harness.record import proxy as module
from harness.record.cli import record
from harness.record.proxy import Proxy
from harness.record.proxy_cli import CassetteFolder

from .hostile_server import TEXT, HostileServer, Hostility, cut

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from harness.record.transport import Recording

CHAT = "/v1/chat/completions"


class GatedServer(HostileServer):
    """``/gate``: each chunk waits until the client has shown that it has the one before."""

    def __init__(self) -> None:
        super().__init__({"gate": GATE})
        self.seen = threading.Semaphore(0)

    def _send(self, connection: Any, item: Hostility) -> None:
        if item is not GATE:
            super()._send(connection, item)
            return
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
        for number in range(3):
            connection.sendall(b"9\r\ndata: %d\n\n\r\n" % number)
            assert self.seen.acquire(timeout=5), "the proxy held a chunk back"
        connection.sendall(b"0\r\n\r\n")


GATE = Hostility((b"gate",))


@pytest.fixture
def server() -> Iterator[GatedServer]:
    with GatedServer() as running:
        yield running


@asynccontextmanager
async def proxied(
    upstream: str, **options: Any
) -> AsyncIterator[tuple[Proxy, httpx.AsyncClient, list[Recording], list[str]]]:
    taken: list[Recording] = []
    said: list[str] = []
    async with (
        Proxy(upstream, taken.append, say=said.append, **options) as proxy,
        httpx.AsyncClient(timeout=20, verify=False) as client,  # noqa: S501 - http alone
    ):
        yield proxy, client, taken, said


async def until(condition: Any) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        await asyncio.sleep(0.01)


# --- what passes ---


def test_the_client_streams_live(server: GatedServer) -> None:
    async def run() -> None:
        async with (
            proxied(server.address) as (proxy, client, taken, _),
            client.stream("POST", f"{proxy.address}/gate{CHAT}", json={}) as response,
        ):
            seen = []
            async for chunk in response.aiter_raw():
                seen.append(chunk)
                assert taken == []
                server.seen.release()
            assert seen == [b"data: 0\n\n", b"data: 1\n\n", b"data: 2\n\n"]
            await until(lambda: taken)
            assert taken[0].chunks == (9, 9, 9)

    asyncio.run(run())


def test_a_request_reaches_the_server_as_the_client_wrote_it(server: GatedServer) -> None:
    body = b'{"a" : 1.0,\r\n "\xc3\xa9":\xff}'
    target = "/utf8/v1/%7Ea%2Fb/chat/completions?x=%20y&z=[1]&"

    async def run() -> None:
        async with proxied(server.address) as (proxy, _, taken, _):

            def talk() -> bytes:
                connection = http.client.HTTPConnection(urlsplit(proxy.address).netloc)
                connection.putrequest("POST", target, skip_accept_encoding=True)
                for name, value in (
                    ("X-Stainless-Lang", "js"),
                    ("Authorization", "Bearer abcdefgh"),
                    ("X-Twice", "1"),
                    ("X-Twice", "2"),
                    ("X-Hop", "of this connection alone"),
                    ("Connection", "X-Hop, close"),
                    ("Content-Length", str(len(body))),
                ):
                    connection.putheader(name, value)
                connection.endheaders(body)
                return connection.getresponse().read()

            assert await asyncio.to_thread(talk) == TEXT
            await until(lambda: taken)
            assert taken[0].request_body == body

    asyncio.run(run())
    head, _, sent = server.requests[0].partition(b"\r\n\r\n")
    assert sent == body
    lines = head.decode().split("\r\n")
    assert lines[0] == f"POST {target} HTTP/1.1"
    host = server.address.removeprefix("http://")
    assert lines[1:] == [
        f"Host: {host}",
        "X-Stainless-Lang: js",
        "Authorization: Bearer abcdefgh",
        "X-Twice: 1",
        "X-Twice: 2",
        f"Content-Length: {len(body)}",
        "accept-encoding: identity",
    ]


def test_a_chunked_request_keeps_its_body(server: GatedServer) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b'{"stream":'
        yield b"true}"

    async def run() -> None:
        async with proxied(server.address) as (proxy, client, _, _):
            response = await client.post(f"{proxy.address}/utf8{CHAT}", content=parts())
            assert response.content == TEXT

    asyncio.run(run())
    assert server.requests[0].endswith(b'\r\n\r\n{"stream":true}')


def test_one_connection_carries_one_request_after_another(server: GatedServer) -> None:
    async def run() -> None:
        async with proxied(server.address) as (proxy, _, taken, _):

            def talk() -> list[tuple[int, bytes]]:
                connection = http.client.HTTPConnection(urlsplit(proxy.address).netloc)
                answers = []
                for name in ("utf8", "status-529", "length", "crlf"):
                    connection.request("POST", f"/{name}{CHAT}", b"{}")
                    response = connection.getresponse()
                    answers.append((response.status, response.read()))
                connection.close()
                return answers

            answers = await asyncio.to_thread(talk)
            assert [status for status, _ in answers] == [200, 529, 200, 200]
            assert [body for _, body in answers if body == TEXT] == [TEXT] * 3
            await until(lambda: len(taken) == 4)

    asyncio.run(run())


def test_streams_do_not_wait_for_each_other(server: GatedServer) -> None:
    async def run() -> None:
        async with proxied(server.address) as (proxy, client, taken, _):
            async with client.stream("POST", f"{proxy.address}/gate{CHAT}", json={}) as slow:
                chunks = slow.aiter_raw()
                assert await anext(chunks) == b"data: 0\n\n"
                assert (await client.post(f"{proxy.address}/utf8{CHAT}", json={})).content == TEXT
                for _ in range(3):
                    server.seen.release()
                assert b"".join([chunk async for chunk in chunks]) == b"data: 1\n\ndata: 2\n\n"
            await until(lambda: len(taken) == 2)

    asyncio.run(run())


def test_encoding_is_the_clients_choice_if_told(server: GatedServer) -> None:
    async def run() -> None:
        async with proxied(server.address, identity=False) as (proxy, client, taken, _):
            await client.post(f"{proxy.address}/gzip{CHAT}", json={}, headers={"accept-encoding": "gzip, br"})
            await until(lambda: taken)

    asyncio.run(run())
    assert b"accept-encoding: gzip, br\r\n" in server.requests[0].lower()


# --- what does not ---


def test_a_server_that_is_not_there_is_a_502_in_words() -> None:
    async def run() -> None:
        async with proxied("http://127.0.0.1:9") as (proxy, client, taken, said):
            response = await client.post(f"{proxy.address}{CHAT}", json={})
            assert response.status_code == 502
            assert response.text.startswith("streamparity: http://127.0.0.1:9 cannot be reached")
            assert (taken, len(said), proxy.unfinished) == ([], 1, 0)

    asyncio.run(run())


def test_a_server_that_hangs_up_without_an_answer_does_so_for_the_client(server: GatedServer) -> None:
    async def run() -> None:
        async with proxied(server.address) as (proxy, client, taken, said):
            with pytest.raises(httpx.RemoteProtocolError, match="disconnected"):
                await client.post(f"{proxy.address}/no-such-name{CHAT}", json={})
            assert (taken, len(said)) == ([], 1)
            assert "no answer (RemoteProtocolError" in said[0]

    class HangingUp(GatedServer):
        def _answer(self, connection: Any) -> None:
            connection.recv(65536)
            connection.close()

    with HangingUp() as server:
        asyncio.run(run())


@pytest.mark.parametrize(
    ("sent", "status", "words"),
    [
        (b"CONNECT api.openai.com:443 HTTP/1.1\r\nHost: x\r\n\r\n", b"501", b"set the base URL"),
        (b"GET http://api.openai.com/v1 HTTP/1.1\r\nHost: x\r\n\r\n", b"501", b"set the base URL"),
        (b"GET /v1 HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", b"501", b"WebSocket"),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", b"400", b"streamparity: "),
        (b"GET / HTTP/1.1\r\n" + b"x: " + b"y" * 70000, b"431", b"streamparity: "),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n" + b"y" * 101, b"413", b"more than 100 bytes"),
    ],
)
def test_what_it_cannot_do_it_says(
    sent: bytes, status: bytes, words: bytes, server: GatedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_REQUEST_BYTES", 100)

    async def run() -> bytes:
        async with proxied(server.address) as (proxy, _, taken, _):
            reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(proxy.address).port)
            writer.write(sent)
            answer = await reader.read()
            writer.close()
            assert taken == []
            return answer

    answer = asyncio.run(run())
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert words in answer


# --- clients that leave ---


def test_a_client_that_leaves_at_the_last_event_is_recorded_to_the_end(server: GatedServer) -> None:
    async def run() -> None:
        async with proxied(server.address) as (proxy, client, taken, said):
            async with client.stream("POST", f"{proxy.address}/gate{CHAT}", json={}) as response:
                await anext(response.aiter_raw())
            for _ in range(3):
                server.seen.release()
            await until(lambda: taken)
            assert (taken[0].body, taken[0].end) == (b"data: 0\n\ndata: 1\n\ndata: 2\n\n", "complete")
            assert (said, proxy.unfinished) == ([], 0)

    asyncio.run(run())


def test_a_client_that_leaves_in_mid_stream_is_not_recorded(
    server: GatedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GRACE_SECONDS", 2.0)

    async def run() -> None:
        async with proxied(server.address) as (proxy, client, taken, said):
            async with client.stream("POST", f"{proxy.address}/gate{CHAT}", json={}) as response:
                await anext(response.aiter_raw())
            await asyncio.sleep(0.5)  # that the client has gone is known by now
            server.seen.release()  # one more chunk comes: the server had not fallen silent
            await until(lambda: said)
            server.seen.release(2)
            assert said == [f"POST /gate{CHAT}: the client left in mid-stream: not recorded"]
            assert (taken, proxy.unfinished) == ([], 0)

    asyncio.run(run())


def test_a_client_that_closes_its_sending_side_alone_gets_its_stream(
    server: GatedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.3)

    async def run() -> None:
        async with proxied(server.address) as (proxy, _, taken, said):
            reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(proxy.address).port)
            writer.write(f"POST /gate{CHAT} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
            writer.write_eof()
            for _ in range(3):
                assert await reader.readuntil(b"data: ")
                await asyncio.sleep(0.15)
                server.seen.release()
            assert (await reader.read()).endswith(b"2\n\n\r\n0\r\n\r\n")
            writer.close()
            await until(lambda: taken)
            assert (taken[0].end, said) == ("complete", [])

    asyncio.run(run())


def test_a_silent_server_times_out(server: GatedServer) -> None:
    async def run() -> None:
        async with proxied(server.address, idle_seconds=0.3) as (proxy, client, taken, _):
            with pytest.raises(httpx.RemoteProtocolError):
                await client.post(f"{proxy.address}/stall{CHAT}", json={})
            await until(lambda: taken)
            assert taken[0].end == "timeout"

    asyncio.run(run())


# --- the command ---


@contextmanager
def command(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    words = [sys.executable, "-c", "from harness.record.cli import record; record()", "--proxy", *arguments]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
        process.kill()


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_it_cleanly(number: signal.Signals, server: GatedServer, tmp_path: Path) -> None:
    with command("--upstream", f"{server.address}/utf8/v1", "--out", str(tmp_path)) as (process, address):
        assert address.startswith("http://127.0.0.1:")
        assert address.endswith("/utf8/v1"), "the base URL has the path of the one it stands for"
        request = {"model": "m", "stream": True}
        assert httpx.post(f"{address}/chat/completions", json=request, timeout=20).content == TEXT
        assert httpx.get(f"{address}/models", timeout=20).content == TEXT
        assert httpx.post(f"{address}/embeddings", json={}, timeout=20).content == TEXT
        with socket.create_connection(("127.0.0.1", urlsplit(address).port or 0)) as under_way:
            under_way.sendall(b"POST /stall/v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
            assert under_way.recv(1000)
            process.send_signal(number)
            out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    (path,) = tmp_path.glob("*/*.yaml")
    assert path.parent.name == "openai-chat"
    assert out == f"wrote  {path}  ({len(TEXT)} bytes, 5 chunks, complete)\n"
    lines = err.splitlines()
    assert lines[0].startswith("recording http://127.0.0.1:")
    assert f"passed GET {server.address}/utf8/v1/models  (200, not recorded)" in lines
    assert any(line.endswith("say which with --dialect)") for line in lines)
    assert lines[-1] == "stopped: 1 recorded; 1 under way, not recorded"
    (case,) = load(path).cases()
    assert (case.body, case.slug) == (TEXT, path.stem)


def test_exchanges_of_one_scenario_are_numbered_and_replaced_only_when_told(
    server: GatedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*names: str, force: bool = False) -> None:
        async def send() -> None:
            folder = CassetteFolder(tmp_path, dialect="groq", scenario="hello", force=force)
            async with Proxy(server.address, folder.add) as proxy, httpx.AsyncClient(timeout=20) as client:
                for name in names:
                    await client.post(f"{proxy.address}/{name}{CHAT}", json={"model": "m"})

        asyncio.run(send())

    run("utf8", "crlf")
    written = {path.stem: load(path).interactions[0].stream.chunks for path in tmp_path.glob("groq/*.yaml")}
    chunks = tuple(map(len, cut(TEXT, TEXT.index(b"\r\n") + 1, TEXT.index(b"\r\n") + 3)))
    assert (sorted(written), written["hello-2"]) == (["hello", "hello-2"], chunks)
    run("crlf", force=True)
    assert load(tmp_path / "groq" / "hello.yaml").interactions[0].stream.chunks == chunks
    assert capsys.readouterr().out.count("wrote  ") == 3
    refused = CliRunner().invoke(
        record,
        ["--proxy", "--upstream", server.address, "--dialect", "groq", "--scenario", "hello", "--out", str(tmp_path)],
    )
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "exists already; pass --force to replace it" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "what"),
    [
        (["--proxy"], 2, "Pass --upstream"),
        (["--proxy", "--upstream", "api.openai.com"], 2, "is no address such as"),
        (["--proxy", "--upstream", "http://h", "--scenario", "A b"], 2, "cannot be a scenario's name"),
        (["--import", "no.yaml"], 2, "Pass --dialect"),
        (["--import", "no.yaml", "--dialect", "openai-chat"], 4, "no.yaml: cannot be read"),
    ],
)
def test_bad_usage_is_one_clear_line(arguments: list[str], code: int, what: str) -> None:
    result = CliRunner().invoke(record, arguments)
    assert (result.exit_code, result.stdout) == (code, ""), result.output
    assert what in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_port_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = CliRunner().invoke(record, ["--proxy", "--upstream", "http://h", "--port", port])
    assert result.exit_code == 2
    assert f"--port {port}: " in result.stderr


def test_import_writes_where_it_says(tmp_path: Path) -> None:
    file = tmp_path / "Chat Test.yaml"
    file.write_text(
        "version: 1\ninteractions:\n- request: {method: POST, uri: 'http://h/v1/chat/completions', body: '{}', headers: {}}\n"
        "  response: {status: {code: 200, message: OK}, headers: {}, body: {string: 'data: [DONE]\n\n\n  '}}\n"
    )
    arguments = ["--import", str(file), "--dialect", "openai-chat", "--out", str(tmp_path)]
    result = CliRunner().invoke(record, arguments)
    path = tmp_path / "openai-chat" / "chat-test.yaml"
    assert result.exit_code == 0, result.output
    assert result.stdout == f"wrote  {path}  ({len(load(path).interactions[0].body)} bytes, chunks unknown, complete)\n"
    again = CliRunner().invoke(record, arguments)
    assert (again.exit_code, "exists already" in again.stderr) == (2, True)
    assert CliRunner().invoke(record, [*arguments, "--force"]).exit_code == 0
