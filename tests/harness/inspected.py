"""Recordings of every framing, made on the spot, and ``streamparity cassette`` run on them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harness import cli
from harness.case import StreamEnd
from harness.cassette import Cassette, Interaction, Recorded, Stream, dumps
from harness.exits import INPUT
from harness.record.eventstream import event

Answer = tuple[int, str, str]
Run = Callable[..., Answer]

SSE = (
    b': hello\nevent: ping\nid: 7\ndata: {"a":1}\n\n'
    + 'data: {"text":"é\u200b\u202e"}\r\n\r\n'.encode()
    + b"data: [DONE]\n\n"
)
MESSAGES = event("messageStart", b'{"role":"assistant"}') + event("messageStop", b'{"stopReason":"end_turn"}')
LINES = b'{"n":1}\n{"n":2}\r\n{"n":3}'
ARRAY = b'[{"n":1},\n{"n":[2]}]'
FRAMINGS = [
    ("sse", "openai-chat", "text/event-stream", SSE, ['ping  {"a":1}', '{"text":"é⟨ZWSP⟩⟨RLO⟩"}', "[DONE]"]),
    (
        "eventstream",
        "bedrock-converse-stream",
        "application/vnd.amazon.eventstream",
        MESSAGES,
        ['messageStart  {"role":"assistant"}', 'messageStop  {"stopReason":"end_turn"}'],
    ),
    ("ndjson", "ollama-ndjson", "application/x-ndjson", LINES, ['{"n":1}', '{"n":2}', '{"n":3}']),
    ("ndjson", "cohere-v1", "application/stream+json", LINES, ['{"n":1}', '{"n":2}', '{"n":3}']),
    (
        "jsonarray",
        "gemini-generateContent-json-array",
        "application/json",
        ARRAY,
        ['{"n":1}', '{"n":[2]}'],
    ),
]
CUTS = [0, 1, 7]
"""Bytes of a chunk; 0 for one chunk."""


def runner(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path) -> Run:
    """``cassette`` in this process, in an empty folder: (exit code, stdout, stderr)."""
    monkeypatch.chdir(folder)

    def run(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["streamparity", "cassette", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        assert "Traceback" not in err
        return ended.value.code, out, err

    return run


def pieces(body: bytes, size: int) -> tuple[int, ...]:
    """Lengths of chunks of ``size`` bytes."""
    return tuple(min(size, len(body) - at) for at in range(0, len(body), size)) if size else (len(body),) * bool(body)


def exchange(
    body: bytes,
    *,
    size: int = 0,
    kind: str = "text/event-stream",
    end: StreamEnd = "complete",
    status: int = 200,
    headers: Sequence[tuple[str, str]] = (),
) -> Interaction:
    chunks = pieces(body, size)
    return Interaction(
        method="POST",
        uri="http://simulator.invalid/v1/stream",
        request_headers=(("accept", "*/*"),),
        request_body=b'{"stream":true}',
        status=status,
        reason="OK",
        response_headers=(("content-type", kind), *headers),
        body=body,
        stream=Stream(chunks, tuple(float(at) for at in range(1, len(chunks) + 1)), end),
    )


def cassette(*interactions: Interaction, dialect: str = "openai-chat", **changes: str) -> Cassette:
    recorded = Recorded(
        dialect=dialect,
        scenario="made",
        provider="openai",
        model="m",
        at="2026-01-01T00:00:00Z",
        by="test",
        provenance="simulator",
    )
    return Cassette(replace(recorded, **changes), interactions)


def put(made: Cassette, name: str = "made.yaml", **edits: str) -> Path:
    """The cassette as a file of this folder, some fragments of its text replaced; each must be there."""
    text = dumps(made)
    for old, new in edits.items():
        assert old in text
        text = text.replace(old, new)
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def one_line(answer: Answer, code: int = INPUT) -> str:
    """The complaint on stderr, with nothing on stdout."""
    found, out, err = answer
    assert (found, out, err.count("\n")) == (code, "", 1)
    return err.rstrip("\n")
