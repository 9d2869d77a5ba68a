"""``harness.recording``: a block that records, what it refuses, and what it leaves alone."""

from __future__ import annotations

import asyncio
import gzip
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from harness import cassette
from harness.case import Case
from harness.cassette import CassetteError, load
from harness.chunking import parse_plan
from harness.coding import MAX_DECODED_BYTES, CodingError, codings, decode_chunks, decoded_stream, is_encoded
from harness.record.addresses import dialect_of
from harness.record.wire import RecordError
from harness.recording import from_vcr, recording
from streamcore import DIALECTS

from .hostile_server import TEXT, HostileServer, Hostility, cut

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REQUEST = {"model": "a-model", "stream": True}
KEY = "sk-proj-" + "Ab1_" * 10
SECRET = b"data: " + KEY.encode() + b"\n\n"


class SlowServer(HostileServer):
    """Also has ``/drip``: one event every 50 ms, and ``/tail``: half a second of silence before the end."""

    def _send(self, connection: Any, item: Hostility) -> None:
        if item is DRIP:
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(100):
                connection.sendall(b"9\r\ndata: x\n\n\r\n")
                time.sleep(0.05)
        else:
            super()._send(connection, item)


DRIP = Hostility((b"drip",))


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    encoded = (("Content-Type", "text/event-stream"), ("Content-Encoding", "gzip"))
    with SlowServer(
        {
            "drip": DRIP,
            "secret": Hostility(cut(SECRET, 20)),
            "secret-in-gzip": Hostility(cut(gzip.compress(SECRET), 9), headers=encoded),
            "json": Hostility((b"{}",), headers=(("Content-Type", "application/json"),)),
            "no-gzip": Hostility((TEXT,), headers=encoded),
        }
    ) as running:
        yield running


def post(client: Any, server: HostileServer, name: str) -> Any:
    return client.post(server.url(name), json=REQUEST, headers={"authorization": f"Bearer {KEY}"})


# --- the block ---


def test_folder_and_file_name_the_cassette(server: HostileServer, tmp_path: Path) -> None:
    path = tmp_path / "groq" / "hello.yaml"
    with recording(path) as client:
        assert post(client, server, "utf8").content == TEXT
        assert post(client, server, "crlf").content == TEXT
        assert not path.exists(), "written when the block ends, not before"
    cassette = load(path)
    assert (cassette.recorded.dialect, cassette.recorded.scenario) == ("groq", "hello")
    assert (cassette.recorded.provider, cassette.recorded.model) == ("groq", "a-model")
    assert [case.id for case in cassette.cases()] == ["groq/hello", "groq/hello-2"]
    assert [item.uri.split("/")[2:4] for item in cassette.interactions] == [
        ["live.invalid", "utf8"],
        ["live.invalid", "crlf"],
    ]
    dropped = [item.count for item in cassette.recorded.redactions if item.what == "authorization dropped"]
    assert dropped == [2]


def test_interactions_stand_in_the_order_of_their_requests(server: HostileServer, tmp_path: Path) -> None:
    path = tmp_path / "openai-chat" / "x.yaml"
    with recording(path) as client, ThreadPoolExecutor() as pool:
        slow = pool.submit(post, client, server, "length")
        time.sleep(0.03)
        quick = pool.submit(post, client, server, "empty")
        assert (slow.result().status_code, quick.result().status_code) == (200, 200)
    assert [item.uri.split("/")[3] for item in load(path).interactions] == ["length", "empty"]


def test_a_block_that_fails_leaves_the_old_cassette(server: HostileServer, tmp_path: Path) -> None:
    path = tmp_path / "openai-chat" / "x.yaml"
    with recording(path) as client:
        post(client, server, "utf8")
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError), recording(path, overwrite=True) as client:  # noqa: PT012 - all of the block may raise it
        post(client, server, "crlf")
        raise ZeroDivisionError
    with pytest.raises(CassetteError, match="exists already; pass overwrite=True"):
        recording(path)
    with pytest.raises(RecordError, match="nothing was recorded"), recording(path, overwrite=True):
        pass
    with (
        pytest.raises(RecordError, match="nothing was recorded"),
        recording(path, overwrite=True) as client,
        pytest.raises(httpx.ConnectError),
    ):
        client.post("http://127.0.0.1:9/", json={})
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({"dialect": "openai-chats"}, "did you mean openai-chat?"),
        ({"scenario": "Not A Name"}, "'Not A Name' cannot be a scenario's name"),
        ({"scenario": "../x"}, "cannot be a scenario's name"),
    ],
)
def test_wrong_names_are_said_before_anything_is_recorded(arguments: Any, what: str, tmp_path: Path) -> None:
    with pytest.raises(RecordError) as caught:
        recording(tmp_path / "openai-chat" / "x.yaml", **arguments)
    assert what in str(caught.value)


def test_credentials_of_the_request_are_masked_in_the_answer(server: HostileServer, tmp_path: Path) -> None:
    path = tmp_path / "openai-chat" / "x.yaml"
    with recording(path) as client:
        assert post(client, server, "secret").content == SECRET, "the client gets what was sent"
    (interaction,) = load(path).interactions
    assert KEY not in path.read_text()
    assert (len(interaction.body), interaction.stream.chunks) == (len(SECRET), (20, len(SECRET) - 20))


def test_an_encoded_body_that_cannot_be_decoded_is_refused(server: HostileServer, tmp_path: Path) -> None:
    path = tmp_path / "openai-chat" / "x.yaml"
    with (
        pytest.raises(RecordError, match="the response body is not gzip") as caught,
        recording(path) as client,
        client.stream("POST", server.url("no-gzip"), headers={"authorization": f"Bearer {KEY}"}) as response,
    ):
        assert list(response.iter_raw())
    assert not path.exists()
    assert KEY not in str(caught.value)


def test_an_encoded_body_with_a_secret_in_it_is_kept_decoded(server: HostileServer, tmp_path: Path) -> None:
    path = tmp_path / "openai-chat" / "x.yaml"
    with recording(path) as client:
        post(client, server, "secret-in-gzip")
    (interaction,) = load(path).interactions
    assert interaction.codings == ()
    assert (len(interaction.body), interaction.body[:6]) == (len(SECRET), SECRET[:6])
    assert KEY.encode() not in interaction.body


@pytest.mark.parametrize(("identity", "asked"), [(True, "identity"), (False, "gzip")])
def test_content_coding_is_asked_for_only_when_told(
    identity: bool, asked: str, server: HostileServer, tmp_path: Path
) -> None:
    with recording(
        tmp_path / "openai-chat" / "x.yaml", identity=identity, headers={"accept-encoding": "gzip"}
    ) as client:
        post(client, server, "utf8")
    assert f"accept-encoding: {asked}\r\n".encode() in server.requests[-1].lower()


def test_the_answer_to_a_request_for_no_stream_is_no_case(server: HostileServer, tmp_path: Path) -> None:
    path = tmp_path / "openai-chat" / "x.yaml"
    with recording(path) as client:
        for stream in (False, True):
            client.post(server.url("json"), json={"model": "m", "stream": stream})
    assert len(load(path).interactions) == 2
    assert [case.id for case in load(path).cases()] == ["openai-chat/x-2"], "a server that did not stream when asked to"


def test_too_much_for_one_cassette_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "openai-chat" / "x.yaml"
    inner = httpx.MockTransport(lambda _: httpx.Response(200, stream=httpx.ByteStream(b"data: 1\n\n")))
    with pytest.raises(RecordError, match="65 exchanges, and a cassette holds at most 64"):  # noqa: PT012, SIM117 - all of the block may raise it
        with recording(path, transport=inner) as client:
            for _ in range(65):
                client.get("http://x.test/")
    monkeypatch.setattr(cassette, "MAX_FILE_BYTES", 100)
    with (
        pytest.raises(CassetteError, match="would be larger than 100 bytes"),
        recording(path, transport=inner) as client,
    ):
        client.get("http://x.test/")
    assert not path.exists()


# --- clients that leave early ---


def test_a_client_that_stops_at_the_last_event_is_recorded_to_the_end(server: HostileServer, tmp_path: Path) -> None:
    """As SDKs do: they close the response at ``[DONE]``, with the end of the message not yet read."""
    path = tmp_path / "openai-chat" / "x.yaml"
    with recording(path) as client:
        for name in ("crlf", "cut"):
            with client.stream("POST", server.url(name), json=REQUEST) as response:
                next(response.iter_raw())
    complete, broken = load(path).interactions
    assert (complete.body, complete.stream.end) == (TEXT, "complete")
    assert (broken.stream.end, len(broken.stream.chunks)) == ("cut", 3)


def test_so_is_an_asynchronous_one(server: HostileServer, tmp_path: Path) -> None:
    path = tmp_path / "openai-chat" / "x.yaml"

    async def run() -> None:
        async with recording(path) as client:
            for name in ("crlf", "cut"):
                async with client.stream("POST", server.url(name), json=REQUEST) as response:
                    await anext(response.aiter_raw())

    asyncio.run(run())
    complete, broken = load(path).interactions
    assert (complete.body, complete.stream.end) == (TEXT, "complete")
    assert (broken.stream.end, len(broken.stream.chunks)) == ("cut", 3)


def test_a_client_that_leaves_in_mid_stream_is_not_held_up_and_not_recorded(
    server: HostileServer, tmp_path: Path
) -> None:
    path = tmp_path / "openai-chat" / "x.yaml"
    with pytest.raises(RecordError, match="closed the stream early"), recording(path) as client:  # noqa: PT012 - all of the block may raise it
        with client.stream("POST", server.url("drip"), json=REQUEST) as response:
            next(response.iter_raw())
            left = time.monotonic()
        assert time.monotonic() - left < 3, "the stream has five more seconds to go"
    assert not path.exists()


def test_an_asynchronous_client_that_is_cancelled_is_not_taken_for_one_at_the_end(
    server: HostileServer, tmp_path: Path
) -> None:
    path = tmp_path / "openai-chat" / "x.yaml"

    async def run() -> None:
        async with recording(path) as client:
            with pytest.raises(TimeoutError):  # noqa: PT012 - all of the block may raise it
                async with asyncio.timeout(1), client.stream("POST", server.url("stall"), json=REQUEST) as response:
                    async for _ in response.aiter_raw():
                        pass

    with pytest.raises(RecordError, match="the client closed the stream early"):
        asyncio.run(run())
    assert not path.exists()


# --- content codings ---


def test_decoding_chunk_by_chunk_is_decoding_the_whole() -> None:
    members = gzip.compress(TEXT[:50]) + gzip.compress(TEXT[50:])
    for at in range(len(members)):
        assert b"".join(decode_chunks(cut(members, at), ["gzip"])) == TEXT
    assert b"".join(decode_chunks(cut(members, *range(len(members))), ["x-gzip"])) == TEXT
    twice = gzip.compress(members)
    assert b"".join(decode_chunks([twice[:30], twice[30:]], ["gzip", "gzip"])) == TEXT
    assert is_encoded(members, ["gzip"])
    assert not is_encoded(members[:-1], ["gzip"])
    assert not is_encoded(TEXT, ["br"])


def test_headers_name_the_codings_in_order() -> None:
    headers = (("Content-Encoding", "identity, GZIP"), ("x", "y"), ("content-encoding", "br"))
    assert codings(headers) == ("gzip", "br")
    assert decoded_stream(b"abc", (1, 2), (0.5, 1.5), ()) == (b"abc", (1, 2), (0.5, 1.5))


@pytest.mark.parametrize(
    ("chunks", "applied", "what", "offset"),
    [
        ([TEXT[:8], TEXT[8:]], ["gzip"], "is not gzip", 0),
        ([gzip.compress(TEXT)[:-8], bytes(8)], ["gzip"], "is not gzip: .*check", len(gzip.compress(TEXT)) - 8),
        ([b"x"], ["compress"], "'compress' is none of gzip", 0),
        ([gzip.compress(bytes(MAX_DECODED_BYTES + 1))], ["gzip"], "more than 67108864 bytes", 0),
    ],
)
def test_a_body_that_cannot_be_decoded_is_said_with_its_place(
    chunks: list[bytes], applied: list[str], what: str, offset: int
) -> None:
    with pytest.raises(CodingError, match=what) as caught:
        decode_chunks(chunks, applied)
    assert caught.value.offset == offset


# --- what vcrpy has recorded ---


VCR = """\
interactions:
- request:
    body: '{"model":"m","stream":true}'
    headers: {content-type: [application/json]}
    method: POST
    uri: https://api.openai.com/v1/chat/completions
  response:
    body: {string: "data: [DONE]\\n\\n"}
    headers: {Content-Type: [text/event-stream]}
    status: {code: 200, message: OK}
version: 1
"""


def test_an_imported_case_has_no_recorded_plan(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(VCR)
    (case,) = from_vcr(path, "openai-chat").cases()
    assert (case.id, case.body, case.chunks) == ("openai-chat/a", b"data: [DONE]\n\n", ())
    assert list(parse_plan("recorded").chunkings(case)) == []
    assert list(parse_plan("recorded").chunkings(Case("a/b", "a", case.body, (7, 7)))) != []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a: [", "not YAML"),
        ("version: 2\ninteractions: []\n", "is no cassette of vcrpy"),
        ("[]", "is no cassette of vcrpy"),
        (VCR.replace("method: POST", "verb: POST"), "interactions[0]: is no interaction of vcrpy (KeyError: 'method')"),
        (VCR.replace("code: 200", "code: x"), "interactions[0]: is no interaction of vcrpy"),
        (VCR.replace("uri:", "uri: !!python/name:os.system\n    u:"), "not YAML"),
    ],
)
def test_a_file_that_vcrpy_did_not_write_is_refused_in_one_line(text: str, what: str, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(CassetteError) as caught:
        from_vcr(path, "openai-chat")
    assert what in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_body_shorter_than_its_header_says_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(VCR.replace("{Content-Type: [text/event-stream]}", "{Content-Length: ['99']}"))
    assert from_vcr(path, "openai-chat").interactions[0].stream.end == "cut"


# --- whose stream it is ---


@pytest.mark.parametrize(
    ("url", "dialect"),
    [
        ("https://api.openai.com/v1/chat/completions", "openai-chat"),
        ("https://api.x.ai/v1/chat/completions", "xai-chat"),
        ("https://api.openai.com/v1/responses", "openai-responses"),
        ("https://api.x.ai/v1/responses", "xai-responses"),
        ("https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=1", "azure-openai"),
        ("https://r.openai.azure.com/openai/v1/responses", "azure-openai-responses"),
        ("https://api.openai.com/v1/completions", "openai-completions-legacy"),
        ("https://api.anthropic.com/v1/messages", "anthropic-messages"),
        ("https://api.anthropic.com/v1/messages/count_tokens", None),
        ("https://g.test/v1beta/models/m:streamGenerateContent?alt=sse", "gemini-generateContent"),
        ("https://g.test/v1beta/models/m:streamGenerateContent", "gemini-generateContent-json-array"),
        (
            "https://g.test/v1/projects/p/locations/l/publishers/google/models/m:streamGenerateContent?alt=sse",
            "vertex-gemini",
        ),
        ("https://g.test/v1/projects/p/locations/l/publishers/anthropic/models/m:streamRawPredict", "vertex-anthropic"),
        ("https://b.test/model/a%3A0/converse-stream", "bedrock-converse-stream"),
        ("https://b.test/model/a/invoke-with-response-stream", "bedrock-invoke-with-response-stream"),
        ("http://localhost:11434/api/chat", "ollama-ndjson"),
        ("https://api.cohere.com/v2/chat", "cohere-v2"),
        ("https://api.cohere.com/v1/chat", "cohere-v1"),
        ("https://api.anthropic.com/v1/complete", "anthropic-complete-legacy"),
        ("https://g.test/v1beta/interactions?alt=sse", "gemini-interactions"),
        ("https://g.test/v1beta/interactions/v1_abc", None),
        ("https://api.openai.com/v1/models", None),
    ],
)
def test_the_address_tells_the_dialect(url: str, dialect: str | None) -> None:
    assert dialect_of(url) == dialect
    assert dialect is None or dialect in DIALECTS
