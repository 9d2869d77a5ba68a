"""The transport and the router: what an httpx client meets is what the recorder met, without a socket."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import httpx
import pytest

from harness.record.transport import Recording, RecordingTransport
from harness.replay.player import NoRecordingError, Player, RealClock, UnplayedError, VirtualClock
from harness.replay.router import _kinds, replay_router
from harness.replay.transport import ReplayTransport

from .replayed import BODY, CHUNKS, PACKED, cassette, interaction

URL = "https://api.test/v1/chat?version=1"
RAISED = {"complete": None, "cut": "RemoteProtocolError", "reset": "ReadError", "timeout": "ReadTimeout"}
PLANS = ["recorded", "bytes", "whole", "random:7", "cuts@17,18"]
LIBRARIES = ["httpx", "httpx2"]


def read(client: Any) -> tuple[list[bytes], str | None]:
    """The raw chunks, and the kind of error that ended them, which must be of the client's own library."""
    got: list[bytes] = []
    library = sys.modules[type(client).__module__.partition(".")[0]]
    try:
        with client.stream("POST", URL) as response:
            for chunk in response.iter_raw():
                got.append(chunk)  # noqa: PERF402 - a list() would lose what came before the error
    except library.TransportError as error:
        return got, type(error).__name__
    return got, None


async def read_async(client: Any) -> tuple[list[bytes], str | None]:
    got: list[bytes] = []
    library = sys.modules[type(client).__module__.partition(".")[0]]
    try:
        async with client, client.stream("POST", URL) as response:
            async for chunk in response.aiter_raw():
                got.append(chunk)  # noqa: PERF401 - as above
    except library.TransportError as error:
        return got, type(error).__name__
    return got, None


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("end", RAISED)
@pytest.mark.parametrize("name", LIBRARIES)
def test_chunks_and_ending_are_exact(name: str, end: Any, plan: str) -> None:
    library: Any = pytest.importorskip(name)
    made = cassette(interaction(end=end))
    expected = (list(Player(made, plan=plan).take("POST", URL).chunks), RAISED[end])
    with library.Client(transport=ReplayTransport(made, plan=plan)) as client:
        assert read(client) == expected
    assert asyncio.run(read_async(library.AsyncClient(transport=ReplayTransport(made, plan=plan)))) == expected
    with replay_router(made, plan=plan), library.Client() as client:
        assert read(client) == expected
    with replay_router(made, plan=plan):
        assert asyncio.run(read_async(library.AsyncClient())) == expected


@pytest.mark.parametrize("end", RAISED)
def test_recording_a_replay_gives_the_recording(end: Any) -> None:
    made, taken = cassette(interaction(end=end)), list[Recording]()
    with httpx.Client(transport=RecordingTransport(ReplayTransport(made), taken.append)) as client:
        read(client)
    assert (taken[0].body, taken[0].chunks, taken[0].end) == (BODY, CHUNKS, end)
    assert taken[0].response_headers == made.interactions[0].response_headers


@pytest.mark.parametrize(
    ("status", "reason"), [(429, "Too Many Requests"), (500, "Internal Server Error"), (529, "Overloaded")]
)
@pytest.mark.parametrize("plan", ["recorded", "bytes"])
def test_errors_come_with_status_reason_and_headers(status: int, reason: str, plan: str) -> None:
    headers = (("content-type", "application/json"), ("retry-after", "7"), ("set-cookie", "a=1"), ("set-cookie", "b=2"))
    made = cassette(interaction(b'{"error":{}}', (5, 7), status=status, reason=reason, headers=headers))
    with httpx.Client(transport=ReplayTransport(made, plan=plan)) as client:
        answer = client.post(URL)
    assert (answer.status_code, answer.reason_phrase, answer.json()) == (status, reason, {"error": {}})
    assert tuple(answer.headers.multi_items()) == headers


@pytest.mark.parametrize("plan", PLANS)
def test_a_content_coding_is_undone_by_the_client_as_it_was(plan: str) -> None:
    headers = (("content-type", "text/event-stream"), ("content-encoding", "gzip"))
    made = cassette(interaction(PACKED, (3, len(PACKED) - 3), headers=headers))
    with httpx.Client(transport=ReplayTransport(made, plan=plan)) as client, client.stream("POST", URL) as response:
        assert b"".join(response.iter_bytes()) == BODY


def test_times_pass_on_the_clock_that_was_asked_for() -> None:
    made, virtual = cassette(interaction(at_ms=(1e6, 2e6, 3e6, 3e6, 4e6, 5e6))), VirtualClock()
    seen = []
    with (
        httpx.Client(transport=ReplayTransport(made, clock=virtual)) as client,
        client.stream("POST", URL) as response,
    ):
        seen = [virtual.now() for _ in response.iter_raw()]
    assert seen == [1e6, 2e6, 3e6, 3e6, 4e6, 5e6]
    start = time.monotonic()
    made = cassette(interaction(at_ms=(0.0, 0.0, 0.0, 60.0, 60.0, 120.0)))
    with httpx.Client(transport=ReplayTransport(made, clock=RealClock())) as client:
        assert client.post(URL).content == BODY
    assert time.monotonic() - start > 0.11
    start = time.monotonic()
    asyncio.run(read_async(httpx.AsyncClient(transport=ReplayTransport(made, clock=RealClock(), plan="bytes"))))
    assert time.monotonic() - start > 0.11


def test_a_stall_lasts_as_long_as_the_client_waits() -> None:
    virtual = VirtualClock()
    transport = ReplayTransport(cassette(interaction(end="timeout", at_ms=(0.0,) * len(CHUNKS))), clock=virtual)
    with httpx.Client(transport=transport, timeout=30.0) as client:
        assert read(client)[1] == "ReadTimeout"
    assert virtual.now() == 30_000.0


def test_a_client_closes_and_misses_are_raised_and_what_is_left_is_told() -> None:
    made = cassette(interaction(asks={"q": 1}))
    with pytest.raises(UnplayedError), httpx.Client(transport=ReplayTransport(made)):
        pass
    with (
        pytest.raises(NoRecordingError, match="Value of root"),
        httpx.Client(transport=ReplayTransport(made)) as client,
    ):
        client.post(URL, json={"q": 2})
    player = Player(made, allow_repeats=True)
    with (
        httpx.Client(transport=ReplayTransport(player)) as client,
        client.stream("POST", URL, json={"q": 1}) as response,
    ):
        assert next(response.iter_raw()) == BODY[: CHUNKS[0]]
    with pytest.raises(UnplayedError), replay_router(made):
        pass
    with pytest.raises(NoRecordingError), replay_router(made), httpx.Client() as client:
        client.post(URL, json={"q": 2})


def test_the_router_leaves_nothing_behind_and_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    made, closed = cassette(interaction()), "http://127.0.0.1:9/v1/chat?version=1"
    with replay_router(made) as router:
        assert httpx.post(closed).content == BODY
        assert router["replay"].call_count == 1
    with pytest.raises(httpx.ConnectError):
        httpx.post(closed)
    monkeypatch.setitem(sys.modules, "respx", None)
    with pytest.raises(ImportError, match=r"pip install 'streamparity\[respx\]'"):
        _kinds.__wrapped__()  # the cache has it already
