"""Every way to record, against a server that cuts where it hurts: the same bytes, the same chunks, the right ending."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
import httpx2
import pytest
import requests
import urllib3
import vcr

from harness.cassette import load, save
from harness.coding import decode_chunks
from harness.record.proxy import Proxy
from harness.record.proxy_cli import CassetteFolder
from harness.record.wire import RecordError
from harness.recording import from_vcr, recording

from .hostile_server import BROKEN, HOSTILE, TEXT, HostileServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.cassette import Cassette


def patience(url: str) -> float:
    """Seconds to wait for the next bytes: short only where none will come, since machines can be busy."""
    return 0.4 if "stall" in url else 20.0


REQUEST = {"model": "m", "stream": True}


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    with HostileServer() as running:
        yield running


def read(client: Any, url: str) -> tuple[list[bytes], str]:
    """What a client sees: the chunks, and the kind of exception that ended them."""
    seen: list[bytes] = []
    try:
        with client.stream(
            "POST", url, json=REQUEST, headers={"authorization": "Bearer secret-of-the-client"}
        ) as response:
            for chunk in response.iter_raw():
                seen.append(chunk)  # noqa: PERF402 - a list() would lose what came before the error
    except Exception as error:  # noqa: BLE001 - whatever is raised is compared or told
        return seen, type(error).__name__
    return seen, ""


async def read_async(client: Any, url: str) -> tuple[list[bytes], str]:
    seen: list[bytes] = []
    try:
        async with client.stream("POST", url, json=REQUEST) as response:
            async for chunk in response.aiter_raw():
                seen.append(chunk)  # noqa: PERF401 - what came before an error is kept
    except Exception as error:  # noqa: BLE001 - whatever is raised is compared or told
        return seen, type(error).__name__
    return seen, ""


@functools.cache
def direct(url: str) -> tuple[list[bytes], str]:
    with httpx.Client(timeout=patience(url), verify=False) as client:  # noqa: S501 - http alone
        return read(client, url)


def by_sync(server: HostileServer, name: str, path: Path, http: Any = httpx) -> tuple[list[bytes], str]:
    transport = http.HTTPTransport(verify=False)  # reading certificates would take longer than all the rest
    with recording(path, dialect="openai-chat", http=http, timeout=patience(name), transport=transport) as client:
        return read(client, server.url(name))


def by_async(server: HostileServer, name: str, path: Path, http: Any = httpx) -> tuple[list[bytes], str]:
    async def run() -> tuple[list[bytes], str]:
        transport = http.AsyncHTTPTransport(verify=False)
        block = recording(path, dialect="openai-chat", http=http, timeout=patience(name), transport=transport)
        async with block as client:
            return await read_async(client, server.url(name))

    return asyncio.run(run())


def by_proxy(server: HostileServer, name: str, path: Path) -> tuple[list[bytes], str]:
    async def run() -> tuple[list[bytes], str]:
        folder = CassetteFolder(path.parent.parent, dialect="openai-chat", scenario=path.stem)
        async with (
            Proxy(server.address, folder.add) as proxy,
            httpx.AsyncClient(timeout=patience(name), verify=False) as client,  # noqa: S501 - loopback, no TLS: certificates only cost time
        ):
            seen = await read_async(client, f"{proxy.address}/{name}/v1/chat/completions")
            while proxy.unfinished:
                await asyncio.sleep(0.01)
        return seen

    return asyncio.run(run())


PATHS = {
    "httpx": by_sync,
    "httpx-async": by_async,
    "httpx2": lambda server, name, path: by_sync(server, name, path, httpx2),
    "httpx2-async": lambda server, name, path: by_async(server, name, path, httpx2),
    "proxy": by_proxy,
}


def plays_in_vcrpy(path: Path, cassette: Cassette) -> None:
    for interaction in cassette.interactions:
        with (
            vcr.use_cassette(str(path), record_mode="none") as tape,
            httpx.Client(verify=False) as client,  # noqa: S501 - loopback, no TLS: certificates only cost time
            client.stream(interaction.method, interaction.uri, content=interaction.request_body) as response,
        ):
            assert b"".join(response.iter_raw()) == interaction.body
            assert (response.status_code, response.reason_phrase) == (interaction.status, interaction.reason)
            assert tape.all_played


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("way", PATHS)
def test_what_is_recorded_is_what_was_sent(way: str, name: str, server: HostileServer, tmp_path: Path) -> None:
    sent = HOSTILE[name]
    path = tmp_path / "openai-chat" / f"{name}.yaml"
    seen, error = PATHS[way](server, name, path)
    live, failed = direct(server.url(name))
    assert (b"".join(seen), error) == (b"".join(live), failed), "recording changed what the client saw"
    assert (b"".join(seen), bool(error)) == (sent.body, name in BROKEN)
    if sent.framing == "chunked":  # without, a busy machine may let two writes meet in one packet
        assert tuple(seen) == tuple(live) == sent.chunks

    cassette = load(path)
    (interaction,) = cassette.interactions
    assert interaction.body == sent.body
    assert interaction.stream.chunks == tuple(map(len, seen))
    assert interaction.stream.end == sent.end
    assert (interaction.status, interaction.reason) == (int(sent.status[:3]), sent.status[4:])
    kept = {name: value for name, value in interaction.response_headers if name != "transfer-encoding"}
    assert kept == {name.lower(): value for name, value in sent.headers}
    assert interaction.request_body is not None
    assert httpx.Response(200, content=interaction.request_body).json() == REQUEST
    assert "secret-of-the-client" not in path.read_text()
    plays_in_vcrpy(path, cassette)


@pytest.mark.parametrize("name", ["gzip", "br", "zstd", "cut-gzip"])
def test_a_case_has_the_decoded_bytes_that_each_chunk_yields(name: str, server: HostileServer, tmp_path: Path) -> None:
    path = tmp_path / "openai-chat" / "x.yaml"
    by_sync(server, name, path)
    (case,) = load(path).cases()
    sent = HOSTILE[name]
    pieces = decode_chunks(sent.chunks, [dict(sent.headers)["Content-Encoding"]])
    assert pieces[0] == b"", "the header alone yields nothing"
    assert case.chunks == tuple(len(piece) for piece in pieces if piece)
    assert len(case.at_ms) == len(case.chunks)
    ends = list(accumulate(case.chunks, initial=0))
    assert [case.body[start:end] for start, end in pairwise(ends)] == [piece for piece in pieces if piece]
    assert TEXT.startswith(case.body)
    assert (case.body == TEXT, case.end) == (name not in BROKEN, sent.end)


def test_an_error_is_no_case(server: HostileServer, tmp_path: Path) -> None:
    path = tmp_path / "openai-chat" / "x.yaml"
    with recording(path) as client:
        read(client, server.url("status-429"))
        read(client, server.url("utf8"))
    cassette = load(path)
    assert [item.status for item in cassette.interactions] == [429, 200]
    assert [(case.id, case.body) for case in cassette.cases()] == [("openai-chat/x-2", TEXT)]


# --- vcrpy ---


def by_requests(url: str) -> None:
    with requests.post(url, json=REQUEST, timeout=patience(url), stream=True) as response:
        response.raw.read()


def by_urllib3(url: str) -> None:
    urllib3.PoolManager().request("POST", url, json=REQUEST, timeout=patience(url), retries=False).read()


def by_aiohttp(url: str) -> None:
    async def run() -> None:
        timeout = aiohttp.ClientTimeout(total=patience(url))
        async with aiohttp.ClientSession(timeout=timeout) as session, session.post(url, json=REQUEST) as response:
            await response.read()

    asyncio.run(run())


VCR_CLIENTS = {"requests": by_requests, "urllib3": by_urllib3, "aiohttp": by_aiohttp}


@pytest.mark.parametrize(
    ("client", "name"),
    # aiohttp knows zstd from Python 3.14 on only
    [(client, name) for client in VCR_CLIENTS for name in HOSTILE if (client, name) != ("aiohttp", "zstd")],
)
def test_what_vcrpy_recorded_is_imported_exactly(client: str, name: str, server: HostileServer, tmp_path: Path) -> None:
    sent = HOSTILE[name]
    tape = tmp_path / "Test_Tape.yaml"
    with vcr.use_cassette(str(tape), record_mode="all"):
        broke = True
        with contextlib.suppress(Exception):
            VCR_CLIENTS[client](server.url(name))
            broke = False
    assert broke == (name in BROKEN)
    if broke:
        assert not tape.exists(), "vcrpy keeps nothing of a broken stream"
        return
    cassette = from_vcr(tape, "openai-chat")
    (interaction,) = cassette.interactions
    # With some libraries and codings vcrpy sees the body decoded, under a header that says otherwise.
    stored_decoded = interaction.body == TEXT
    assert stored_decoded or interaction.body == sent.body
    assert bool(interaction.codings) == ("Content-Encoding" in dict(sent.headers) and not stored_decoded)
    assert (interaction.stream.chunks, interaction.stream.end) == ((), "complete")
    assert interaction.status == int(sent.status[:3])
    assert cassette.recorded.scenario == "test_tape"
    assert cassette.recorded.by.startswith("vcrpy, imported by streamparity ")
    path = tmp_path / "imported.yaml"
    save(cassette, path)
    assert load(path) == cassette
    assert ("chunks: null" in path.read_text()) == bool(sent.chunks)
    assert [case.chunks for case in cassette.cases()] == [()] * (interaction.status == 200)
    assert all(case.body == (TEXT if sent.chunks else b"") for case in cassette.cases())
    plays_in_vcrpy(path, cassette)


def test_unfinished_responses_are_refused(server: HostileServer, tmp_path: Path) -> None:
    path = tmp_path / "openai-chat" / "x.yaml"
    with pytest.raises(RecordError, match=r"1 response\(s\) still open"), recording(path) as client:
        held = client.send(client.build_request("POST", server.url("stall"), json=REQUEST), stream=True)
    assert not path.exists()
    held.close()
