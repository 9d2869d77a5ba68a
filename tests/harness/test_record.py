"""The recorder: it hides nothing from the client, keeps what the client saw, and gives away no secret."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from click.testing import CliRunner, Result

from harness.cassette import load
from harness.record.cli import record
from harness.record.provider import FORMS
from harness.record.providers import PROVIDERS
from harness.record.recorder import endpoint, exchange, record_simulated, same_stream, to_cassette
from harness.record.scenarios import DIALECTS, find, scenarios
from harness.record.simulator import Answer, Simulator
from harness.record.transport import AsyncRecordingTransport, Recording, RecordingTransport
from harness.record.wire import RecordError

if TYPE_CHECKING:
    from pathlib import Path

# --- the transport ---


class Gate(httpx.SyncByteStream):
    """Gives its second chunk only after the client has shown that it has the first."""

    def __init__(self) -> None:
        self.seen = threading.Event()

    def __iter__(self) -> Any:
        yield b"data: 1\n\n"
        assert self.seen.wait(5), "the recorder held the first chunk back"
        yield b"data: 2\n\n"


def record_with(stream: Any) -> tuple[httpx.Client, list[Recording]]:
    taken: list[Recording] = []
    inner = httpx.MockTransport(lambda _: httpx.Response(200, stream=stream))
    return httpx.Client(transport=RecordingTransport(inner, taken.append)), taken


def test_the_client_streams_live_while_recording() -> None:
    gate = Gate()
    client, taken = record_with(gate)
    with client, client.stream("POST", "http://x.test/") as response:
        chunks = response.iter_raw()
        assert next(chunks) == b"data: 1\n\n"
        assert taken == []
        gate.seen.set()
        assert list(chunks) == [b"data: 2\n\n"]
    (recording,) = taken
    assert (recording.body, recording.chunks, recording.end) == (b"data: 1\n\ndata: 2\n\n", (9, 9), "complete")
    assert not recording.closed_by_client


def test_chunk_times_grow_and_count_from_the_request() -> None:
    with Simulator(lambda _path, _request: Answer((b"a", b"b", b"c"), pause_ms=20)) as simulator:
        taken: list[Recording] = []
        with httpx.Client(transport=RecordingTransport(httpx.HTTPTransport(), taken.append)) as client:
            client.post(simulator.address, json={})
    times = taken[0].at_ms
    assert times == tuple(sorted(times))
    # From the request: a client that wakes up late on a busy machine sees two chunks at once.
    assert times[1] > 19
    assert times[2] > 39
    assert taken[0].request_body == b"{}"


def test_the_time_of_a_chunk_is_when_it_came_and_not_when_the_stream_ended() -> None:
    class Slow(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            for piece in (b"a", b"b", b"c"):
                time.sleep(0.02)
                yield piece  # the next is slept for when this one has been noted, however busy the machine is

    taken: list[Recording] = []
    inner = httpx.MockTransport(lambda _: httpx.Response(200, stream=Slow()))
    with httpx.Client(transport=RecordingTransport(inner, taken.append)) as client:
        assert client.post("http://x.test/").content == b"abc"
    first, second, third = taken[0].at_ms
    assert min(first, second - first, third - second) > 19


@pytest.mark.parametrize("end", ["complete", "cut", "reset", "timeout"])
def test_how_the_stream_ended_is_kept(end: Any) -> None:
    with Simulator(lambda _path, _request: Answer((b"data: 1\n\n", b"da"), end)) as simulator:
        recording = exchange(simulator.address, {}, {}, 0.3)
    assert (recording.end, recording.body, recording.chunks) == (end, b"data: 1\n\nda", (9, 2))


@pytest.mark.parametrize("end", ["complete", "cut", "reset", "timeout"])
def test_the_asynchronous_transport_keeps_the_same(end: Any) -> None:
    taken: list[Recording] = []
    received: list[bytes] = []

    async def run(address: str) -> None:
        transport = AsyncRecordingTransport(httpx.AsyncHTTPTransport(), taken.append)
        async with (
            httpx.AsyncClient(transport=transport, timeout=0.3) as client,
            client.stream("POST", address, json={}) as response,
        ):
            async for chunk in response.aiter_raw():
                received.append(chunk)  # noqa: PERF401 - a comprehension would lose what came before the error

    with Simulator(lambda _path, _request: Answer((b"data: 1\n\n", b"da"), end)) as simulator:
        try:
            asyncio.run(run(simulator.address))
        except httpx.TransportError:
            assert end != "complete"
    (recording,) = taken
    assert (recording.end, recording.chunks, received) == (end, (9, 2), [b"data: 1\n\n", b"da"])


def test_identity_is_asked_for_so_that_the_body_is_the_wire() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["accept-encoding"])
        return httpx.Response(200, stream=httpx.ByteStream(b"x"))

    with httpx.Client(transport=RecordingTransport(httpx.MockTransport(answer), lambda _: None)) as client:
        client.get("http://x.test/")
    assert asked == ["identity"]


def test_a_client_that_leaves_early_is_told_from_a_peer_that_cut() -> None:
    client, taken = record_with(iter_stream([b"data: 1\n\n", b"data: 2\n\n"]))
    with client, client.stream("POST", "http://x.test/") as response:
        next(response.iter_raw())
    (recording,) = taken
    assert (recording.closed_by_client, recording.end, recording.body) == (True, "cut", b"data: 1\n\n")
    with pytest.raises(RecordError, match="closed the stream early"):
        to_cassette(recording, "openai-chat", "x", "m", "live")


def test_empty_chunks_are_no_chunks() -> None:
    client, taken = record_with(iter_stream([b"", b"a", b""]))
    with client:
        client.get("http://x.test/")
    assert taken[0].chunks == (1,)


def iter_stream(chunks: list[bytes]) -> httpx.SyncByteStream:
    class Stream(httpx.SyncByteStream):
        def __iter__(self) -> Any:
            yield from chunks

    return Stream()


KEY = "sk-proj-" + "Ab1_" * 10


# --- the exchange ---


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (Answer((b'{"error":"bad key ' + KEY.encode() + b'"}',), status=401), "answered 401 Unauthorized"),
        (Answer((b"{}",), headers=(("content-type", "application/json"),)), "not an event stream"),
        (
            Answer((b"\x1f\x8b",), headers=(("content-type", "text/event-stream"), ("content-encoding", "gzip"))),
            "in gzip",
        ),
        (Answer(()), "the stream was empty"),
    ],
)
def test_an_answer_that_is_no_stream_is_refused_in_one_line(answer: Answer, what: str) -> None:
    with Simulator(lambda _path, _request: answer) as simulator, pytest.raises(RecordError, match=what) as caught:
        exchange(simulator.address, {}, {}, 5)
    assert "\n" not in str(caught.value)
    assert KEY not in str(caught.value)


def test_a_stream_in_another_form_is_refused_by_its_name() -> None:
    answer = Answer((b"data: {}\n\n",))
    with Simulator(lambda _path, _request: answer) as simulator, pytest.raises(RecordError) as caught:
        exchange(simulator.address, {}, {}, 5, form=FORMS["eventstream"])
    assert "text/event-stream; charset=utf-8, not an AWS event stream" in str(caught.value)


def test_nobody_there_is_one_line() -> None:
    with pytest.raises(RecordError, match=r"no answer .*check the address"):
        exchange("http://127.0.0.1:9/", {}, {}, 1)


@pytest.mark.parametrize(
    ("url", "path", "address"),
    [
        ("https://api.openai.com/v1", "/v1/chat/completions", "https://api.openai.com/v1/chat/completions"),
        ("https://api.openai.com/v1/", "/v1/chat/completions", "https://api.openai.com/v1/chat/completions"),
        ("https://api.anthropic.com", "/v1/messages", "https://api.anthropic.com/v1/messages"),
        ("http://h:1/api/v1?x=1", "/v1/chat/completions", "http://h:1/api/v1/chat/completions?x=1"),
        ("https://h/p/chat/completions", "/v1/chat/completions", "https://h/p/chat/completions"),
        ("https://g.test", "/v1beta/models/m:stream?alt=sse", "https://g.test/v1beta/models/m:stream?alt=sse"),
        ("https://g.test/v1beta/", "/v1beta/models/m:stream?alt=sse", "https://g.test/v1beta/models/m:stream?alt=sse"),
        ("https://g.test/models/m:stream", "/v1beta/models/m:stream?alt=sse", "https://g.test/models/m:stream?alt=sse"),
        ("https://b.test", "/model/a%3A0/converse-stream", "https://b.test/model/a%3A0/converse-stream"),
    ],
)
def test_the_endpoint_is_found_from_base_or_whole_address(url: str, path: str, address: str) -> None:
    assert endpoint(url, path) == address


def test_recordings_that_differ_in_time_alone_are_the_same() -> None:
    item = find("openai-chat", "empty")
    one, two = record_simulated(item), record_simulated(item)
    assert one != two or one.interactions[0].stream.at_ms == two.interactions[0].stream.at_ms
    assert same_stream(one, two)
    assert not same_stream(one, record_simulated(find("openai-chat", "length")))


# --- the command ---


def run(*args: object, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(record, [str(arg) for arg in args], env=env)


def test_record_says_what_it_wrote_and_does_not_overwrite(tmp_path: Path) -> None:
    args = ("--dialect", "openai-chat", "--scenario", "tool", "--from", "simulator", "--out", tmp_path)
    first = run(*args)
    path = tmp_path / "openai-chat" / "tool.yaml"
    assert first.exit_code == 0, first.output
    assert first.stdout.startswith(f"wrote  {path}  (")
    assert load(path).recorded.provenance == "simulator"
    before = path.read_bytes()
    again = run(*args)
    assert (again.exit_code, path.read_bytes()) == (2, before)
    assert "exists already; pass --force to replace it" in again.stderr
    forced = run(*args, "--force")
    assert forced.exit_code == 0
    assert forced.stdout.startswith("same "), "the stream is the same, so the file stays"
    assert path.read_bytes() == before
    path.write_text("broken")
    assert run(*args, "--force").stdout.startswith("wrote ")


def test_all_records_everything_the_simulator_has(tmp_path: Path) -> None:
    result = run("--all", "--from", "simulator", "--dialect", "anthropic-messages", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    names = {name for name, item in scenarios("anthropic-messages").items() if item.source == "simulator"}
    assert {path.stem for path in tmp_path.glob("*/*.yaml")} == names
    before = sorted(path.stat().st_mtime_ns for path in tmp_path.glob("*/*.yaml"))
    assert run("--all", "--from", "simulator", "--out", tmp_path).exit_code == 2
    assert not (tmp_path / "openai-chat").exists(), "one that exists stops all, before anything is recorded"
    assert sorted(path.stat().st_mtime_ns for path in tmp_path.glob("*/*.yaml")) == before


def test_list_shows_every_scenario_once() -> None:
    lines = run("--list").stdout.splitlines()
    assert len(lines) == sum(len(scenarios(dialect)) for dialect in DIALECTS)
    assert any(line.startswith("openai-chat/text\tsimulator\t") for line in lines)


@pytest.mark.parametrize(
    ("args", "code", "what"),
    [
        ((), 2, "say which"),
        (("--dialect", "openai-chat", "--scenario", "nope"), 2, "no scenario 'nope'"),
        (("--dialect", "openai-chat", "--scenario", "text", "--from", "local-model"), 2, "is recorded from simulator"),
        (("--dialect", "openai-chat", "--scenario", "text", "--from", "ftp://x"), 2, "nor an address"),
        (
            ("--dialect", "openai-chat", "--scenario", "x", "--from", "https://x.test", "--prompt", "p"),
            2,
            "pass --model",
        ),
        (("--dialect", "openai-chat", "--scenario", "text", "--from", "https://x.test"), 2, "set OPENAI_API_KEY"),
        (("--dialect", "openai-chat", "--scenario", "text", "--from", "https://x.test", "--key-env", "K"), 2, "set K"),
        (("--dialect", "anthropic-messages", "--scenario", "text", "--from", "https://x.test"), 2, "ANTHROPIC_API_KEY"),
        (
            ("--dialect", "openai-chat", "--scenario", "x", "--from", "https://x.test", "--request", "/no"),
            4,
            "cannot be read",
        ),
        (
            ("--dialect", "openai-chat", "--scenario", "../x", "--from", "http://h", "--prompt", "p", "--model", "m"),
            2,
            "name",
        ),
    ],
)
def test_bad_usage_is_one_clear_line(
    args: tuple[str, ...], code: int, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "K"):
        monkeypatch.delenv(name, raising=False)
    env = {"OPENAI_API_KEY": KEY} if "../x" in args else None
    result = run(*args, env=env)
    assert result.exit_code == code, result.output
    assert what in result.stderr
    assert "Traceback" not in result.output


def test_a_live_api_is_recorded_without_its_key(tmp_path: Path) -> None:
    asked: list[Any] = []

    def answer(path: str, request: Any) -> Answer:
        asked.append((path, request))
        return Answer((f"data: {{}}\n\ndata: {KEY}\n\n".encode(), b"data: [DONE]\n\n"))

    with Simulator(answer) as simulator:
        args = ["--dialect", "openai-chat", "--scenario", "mine", "--from", simulator.address, "--out", tmp_path]
        prompt = run(*args, "--prompt", "Hi", "--model", "m", env={"OPENAI_API_KEY": KEY})
        assert prompt.exit_code == 0, prompt.output
        body = tmp_path / "request.json"
        body.write_text('{"model": "n", "messages": []}')
        file = run(*args, "--request", body, "--force", "--key-env", "MY_KEY", env={"MY_KEY": KEY})
        assert file.exit_code == 0, file.output
    assert asked == [
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "Hi"}], "model": "m", "stream": True}),
        ("/v1/chat/completions", {"model": "n", "messages": [], "stream": True}),
    ]
    cassette = load(tmp_path / "openai-chat" / "mine.yaml")
    assert (cassette.recorded.provenance, cassette.recorded.model) == ("live", "n")
    assert KEY not in (tmp_path / "openai-chat" / "mine.yaml").read_text()
    assert cassette.interactions[0].stream.chunks == (len(KEY) + 18, 14)


@pytest.mark.parametrize(
    ("dialect", "path", "body", "key_header"),
    [
        (
            "gemini-generateContent",
            "/v1beta/models/m%2F1:streamGenerateContent?alt=sse",
            {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]},
            "x-goog-api-key",
        ),
        (
            "bedrock-converse-stream",
            "/model/m%2F1/converse-stream",
            {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]},
            "authorization",
        ),
        (
            "bedrock-invoke-with-response-stream",
            "/model/m%2F1/invoke-with-response-stream",
            {
                "messages": [{"role": "user", "content": "Hi"}],
                "anthropic_version": "bedrock-2023-05-31",
                "max_tokens": 1024,
            },
            "authorization",
        ),
    ],
)
def test_an_api_with_the_model_in_its_path_is_asked_there(
    dialect: str, path: str, body: dict[str, Any], key_header: str, tmp_path: Path
) -> None:
    asked: list[Any] = []
    form = PROVIDERS[dialect].form

    def answer(path: str, request: Any) -> Answer:
        asked.append((path, request))
        return Answer((b"data: {}\n\n",), headers=form.headers)

    with Simulator(answer) as simulator:
        args = ["--dialect", dialect, "--scenario", "mine", "--from", simulator.address, "--out", tmp_path]
        result = run(*args, "--prompt", "Hi", "--model", "m/1", "--key-env", "K", env={"K": KEY})
    assert result.exit_code == 0, result.output
    assert asked == [(path, body)]
    cassette = load(tmp_path / dialect / "mine.yaml")
    assert cassette.recorded.model == "m/1"
    assert dict(cassette.interactions[0].request_headers)["accept"] == form.content_type
    text = (tmp_path / dialect / "mine.yaml").read_text()
    assert f"{key_header} dropped" in text
    assert KEY not in text
