"""Forty and more planted secrets: wherever they stand, no file that is written holds them, however one decodes it."""

from __future__ import annotations

import base64
import gzip
import json
import re
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import brotli
import httpx
import pytest
import yaml
import zstandard

from harness.cassette import NOT_CASSETTES, CassetteError, load
from harness.chunking import Chunking
from harness.coding import CodingError, codings, decode_chunks, decoded_stream
from harness.record.proxy_cli import CassetteFolder, import_vcr
from harness.record.redaction import redact_bytes
from harness.record.secrets import MIN_ENTROPY, MIN_TOKEN, PATTERNS, fill, find, refuse_secrets
from harness.record.transport import Recording
from harness.record.wire import RecordError
from harness.recording import RecordingTransport, recording

from .planted_secrets import HEX, KEY, PLANTED, Planted, made, sse

CASSETTES = Path(__file__).parents[2] / "cassettes"


def chunkings(body: bytes) -> dict[str, list[bytes]]:
    """The body whole, byte by byte, and cut at odd places."""
    cuts = {"whole": (), "bytes": tuple(range(1, len(body))), "odd": tuple(range(5, len(body), 7))}
    return (
        {name: list(Chunking(name, at, len(body)).chunks(body)) for name, at in cuts.items()} if body else {"whole": []}
    )


class Pieces(httpx.SyncByteStream):
    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Any:
        return iter(self._chunks)


def respond(planted: Planted, chunks: list[bytes]) -> httpx.MockTransport:
    headers = {"content-type": "text/event-stream", **planted.answer_headers}
    extensions = {"reason_phrase": planted.reason.encode()}
    return httpx.MockTransport(
        lambda _: httpx.Response(200, headers=headers, stream=Pieces(chunks), extensions=extensions)
    )


def by_transport(planted: Planted, chunks: list[bytes], out: Path) -> None:
    path = out / "openai-chat" / "x.yaml"
    with recording(path, transport=respond(planted, chunks)) as client:
        with client.stream("POST", planted.url, content=planted.request, headers=planted.headers) as response:
            seen = b"".join(response.iter_raw())
        assert seen == planted.answer, "the application gets what was sent"


def by_proxy(planted: Planted, chunks: list[bytes], out: Path) -> None:
    """What the proxy hands to its folder, with the message that it prints in place of an error."""
    taken: list[Recording] = []
    transport = RecordingTransport(respond(planted, chunks), taken.append)
    with httpx.Client(transport=transport) as client:
        client.post(planted.url, content=planted.request, headers=planted.headers)
    CassetteFolder(out, dialect="openai-chat", scenario="x").add(taken[0])


def by_import(planted: Planted, chunks: list[bytes], out: Path) -> None:  # vcrpy keeps no chunks
    source = out.parent / "vcrpy.yaml"
    headers = {"content-type": "text/event-stream", **planted.answer_headers}
    interaction = {
        "request": {
            "method": "POST",
            "uri": planted.url,
            "body": planted.request,
            "headers": {name: [value] for name, value in planted.headers.items()},
        },
        "response": {
            "status": {"code": 200, "message": planted.reason},
            "headers": {name: [value] for name, value in headers.items()},
            "body": {"string": planted.answer},
        },
    }
    source.write_text(yaml.safe_dump({"version": 1, "interactions": [interaction]}))
    import_vcr(source, out, dialect="openai-chat", scenario="x")


WAYS = {"transport": by_transport, "proxy": by_proxy, "import": by_import}


def leaves(value: Any) -> list[bytes]:
    if isinstance(value, dict):
        return [leaf for pair in value.items() for item in pair for leaf in leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")]


def views(data: bytes, depth: int = 4) -> set[bytes]:
    """Everything that a curious reader can make of some bytes: independent of the code that is tested."""
    seen = {data}
    if not depth:
        return seen
    more = [unquote_to_bytes(data)]
    for decode in (gzip.decompress, zlib.decompress, brotli.decompress, zstandard.decompress):
        try:
            more.append(decode(data))
        except Exception:  # noqa: BLE001, S112 - not of this coding
            continue
    for token in re.findall(rb"[A-Za-z0-9+/_-]{12,}={0,2}", data):
        try:
            more.append(
                base64.b64decode(
                    token.rstrip(b"=") + b"=" * (-len(token.rstrip(b"=")) % 4), b"-_" if b"_" in token else None
                )
            )
        except ValueError:
            continue
    spelled: dict[str, list[str]] = {}
    for key, text in re.findall(rb'"(\w+)": ?"((?:[^"\\]|\\.)*)"', data):
        try:
            spelled.setdefault(key.decode(), []).append(json.loads(b'"' + text + b'"'))
        except ValueError:
            continue
    more += ["".join(texts).encode("utf-8", "surrogatepass") for texts in spelled.values()]
    wrapped = [base64.b64decode(text) for text in re.findall(rb'"bytes": ?"([A-Za-z0-9+/=]+)"', data)]
    more.append(b"".join(wrapped))
    for item in more:
        if item not in seen:
            seen |= views(item, depth - 1)
    return seen


def everything_written(folder: Path) -> set[bytes]:
    found: set[bytes] = set()
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            found |= {data, path.name.encode()}
            for leaf in leaves(yaml.safe_load(data)):
                found |= views(leaf)
    return found


def test_there_are_forty_and_more_and_the_reader_would_find_each() -> None:
    """Without the tested code, every planted secret is found where it was planted, or the tests below show nothing."""
    assert len(PLANTED) >= 40
    assert {planted.outcome for planted in PLANTED.values()} == {"masked", "refused"}
    for name, planted in PLANTED.items():
        parts = [*planted.headers.values(), *planted.answer_headers.values(), planted.url, planted.reason]
        seen = {view for part in (*map(str.encode, parts), planted.request, planted.answer) for view in views(part)}
        assert any(planted.value.encode() in view for view in seen), name


@pytest.mark.parametrize("chunking", ["whole", "bytes", "odd"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", PLANTED)
def test_no_planted_secret_reaches_the_disk(
    name: str, way: str, chunking: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planted = PLANTED[name]
    chunks = chunkings(planted.answer)[chunking]
    out = tmp_path / "out"
    said = ""
    try:
        WAYS[way](planted, chunks, out)
    except (RecordError, CassetteError) as error:
        said = str(error)
    printed = capsys.readouterr()
    said += printed.err
    path = out / "openai-chat" / "x.yaml"
    assert path.exists() == (planted.outcome == "masked"), said
    if planted.outcome == "refused":
        assert re.search(r"interactions\[0\]\.re(quest|sponse)\.\S+.*, byte \d+: looks like a secret: ", said), said
        assert not list(out.rglob("*.*")), "nor is anything left of it"
    value = planted.value.encode()
    assert value not in (said + printed.out).encode()
    for view in everything_written(out):
        assert value not in view
    if planted.outcome == "masked":
        keeps_its_lengths(planted, chunks, path, chunked=way != "import")


def keeps_its_lengths(planted: Planted, chunks: list[bytes], path: Path, *, chunked: bool) -> None:
    """Decoded, the answer has the length that it had, and so has each chunk of it."""
    (interaction,) = load(path).interactions
    lengths = tuple(map(len, chunks)) if chunked else ()
    times = interaction.stream.at_ms if len(interaction.stream.at_ms) == len(lengths) else (0.0,) * len(lengths)
    applied = codings(planted.answer_headers.items())
    before, ends, _ = decoded_stream(planted.answer, lengths, times, applied)
    stream = interaction.stream
    after, kept, _ = decoded_stream(interaction.body, stream.chunks, stream.at_ms, interaction.codings)
    assert (len(after), kept) == (len(before), ends)


# --- what is not a secret ---


@pytest.mark.parametrize(
    "folder", sorted(path.name for path in CASSETTES.iterdir() if path.is_dir() and path.name != NOT_CASSETTES)
)
def test_no_committed_cassette_is_taken_for_one_with_secrets(folder: str) -> None:
    for path in sorted((CASSETTES / folder).glob("*.yaml")):
        cassette = load(path)
        assert refuse_secrets(cassette, str(path)) is cassette
        for interaction in cassette.interactions:
            for data in (interaction.body, interaction.request_body or b"", interaction.uri.encode()):
                assert redact_bytes(data) == (data, {}), path


@pytest.mark.parametrize(
    "text",
    [
        '{"id":"chatcmpl-' + made(29) + '"}',
        '{"signature":"' + made(400) + '"}',
        '{"thoughtSignature": "' + made(400) + '"}',
        '{"encrypted_content":"' + made(400) + '"}',
        '{"tool_use_id":"toolu_01' + made(40) + '"}',
        '{"url":"data:image/png;base64,' + made(400) + '"}',
        '{"uri": "https://search.test/redirect/' + made(60) + '"}',
        "[source](https://search.test/redirect/" + made(60) + ")",
        "the-quick-brown-fox-jumps-over-the-lazy-dog-and-runs-2-miles-Home",
        "a" * 500,
        HEX + HEX,
        '{"password":"mellon"}',
        '{"token":"Hello","logprob":-0.1}',
        '{"max_tokens": 1000, "password": {"type": "string"}}',
    ],
)
def test_random_text_that_is_no_credential_passes(text: str) -> None:
    for data in (
        text.encode(),
        json.dumps({"arguments": text}).encode()[1:-1] if text.startswith("{") else text.encode(),
    ):
        assert list(find(data)) == []


def test_only_names_with_the_word_id_may_hold_random_text() -> None:
    random = made(60, seed=9)
    for name in ("id", "ids", "call_id", "item-id", "a.id", "toolUseId", "fileIDs", "thread_ids", "thoughtSignature"):
        assert list(find(f'{{"{name}": "{random}"}}'.encode())) == [], name
    for name in ("said", "paid", "valid", "grid", "Paid", "android", "bindex", "design", "kids", "idea"):
        assert [found.offset for found in find(f'{{"{name}":"{random}"}}'.encode())] == [len(name) + 5], name


def test_long_random_tokens_are_found_by_their_entropy() -> None:
    missed = [seed for seed in range(300) if not list(find(b"is " + made(MIN_TOKEN, seed=seed).encode()))]
    assert len(missed) <= 9, f"{MIN_ENTROPY} bits a character miss {len(missed)} of 300 tokens of base 62"
    assert all(list(find(b"is " + made(48, seed=seed).encode())) for seed in range(300))


def test_every_pattern_says_where_it_is_known_from_and_is_met_by_a_planted_secret() -> None:
    data = b"\n".join(
        view for planted in PLANTED.values() for view in (planted.request, planted.answer, planted.url.encode())
    )
    met = {index for index, (_, _, pattern) in enumerate(PATTERNS) if pattern.search(data)}
    shapes = {
        "ya29.": 30,
        "GOCS" + "PX-": 28,
        "xa" + "i-": 80,
        "ABS" + "K": 60,
        "github" + "_pat_": 60,
        "gl" + "pat-": 20,
    }
    shapes |= {"xo" + "xb-": 40, "sk" + "_live_": 30, "Bearer ": 20, "Basic ": 20, made(52) + "JQQ" + "J99": 26}
    for prefix, length in shapes.items():
        token = f" {prefix}{made(length)} ".encode()
        assert list(find(token)), prefix
        masked, found = redact_bytes(token)
        assert (len(masked), len(found)) == (len(token), 1), prefix
        assert list(find(masked)) == [], "what was overwritten is no secret"
        met |= {index for index, (_, _, pattern) in enumerate(PATTERNS) if pattern.search(token)}
    assert all(source for _, source, _ in PATTERNS)
    assert [PATTERNS[index][:2] for index in range(len(PATTERNS)) if index not in met] == []


def test_a_finding_has_the_offset_of_the_secret() -> None:
    data = b'{"a":"b"}\n' + KEY.encode()
    first = next(find(data))
    assert (first.kind, first.offset) == ("api-key", 10 + len("sk-proj-"))
    spelled = sse("hello ", "sk-pr", "oj-" + made(8), made(20))
    first = next(find(spelled))
    assert first.kind == "api-key (spelled in JSON)"
    assert spelled[first.offset :].startswith(b"oj-"), "the delta in which the secret starts"


@pytest.mark.parametrize("at", [1, 20, 40])
def test_what_is_left_of_an_encoded_body_that_was_cut_is_cleaned_too(at: int, tmp_path: Path) -> None:
    whole = gzip.compress(sse(*(f"{number} {KEY}" for number in range(20))) + made(4000).lower().encode())
    body = whole[: len(whole) * at // 41]
    planted = Planted(KEY, answer=body, answer_headers={"content-encoding": "gzip"})
    for name, chunks in chunkings(body).items():
        out = tmp_path / name
        by_transport(planted, chunks, out)
        assert not any(KEY.encode() in view for view in everything_written(out))


def test_a_body_without_secrets_stays_encoded(tmp_path: Path) -> None:
    body = gzip.compress(sse("hello"))
    planted = Planted("", answer=body, answer_headers={"content-encoding": "gzip"})
    for name, chunks in chunkings(body).items():
        by_transport(planted, chunks, tmp_path / name)
        (interaction,) = load(tmp_path / name / "openai-chat" / "x.yaml").interactions
        assert (interaction.body, interaction.codings) == (body, ("gzip",))
        assert interaction.stream.chunks == tuple(map(len, chunks))


def test_overwritten_bytes_are_plain_words() -> None:
    assert [fill(length) for length in (0, 3, 8, 12)] == [b"", b"RED", b"REDACTED", b"REDACTEDREDA"]
    with pytest.raises(CodingError):
        decode_chunks([fill(40)], ["gzip"])
    assert all(one != other for one, other in pairwise([fill(length) for length in range(20)]))
