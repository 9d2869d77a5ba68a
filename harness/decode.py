"""``streamparity decode``: what streamcore makes of a recorded body."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import click

from harness import cassette
from harness.canonical import canonical
from harness.case import Case
from harness.chunking import Chunking
from harness.exits import InputError, unknown
from harness.proof import run
from harness.subjects import PartJson
from harness.subjects.core import FRAMINGS, FrameSession
from harness.trace import header_line, trace_lines
from streamcore import DIALECTS, Decoder
from streamcore.dialects.base import Policy


def decode_files(
    files: Sequence[str], *, dialect: str | None, chunks: str, summary: bool, policy: str
) -> Iterator[str]:
    """The lines to print: the trace of each file, or one JSON object a file.

    Raises:
        click.BadParameter: ``dialect`` is unknown, or ``chunks`` is no way of cutting.
        InputError: a file cannot be read, or does not say its dialect.
    """
    if dialect is not None and dialect not in DIALECTS and dialect not in FRAMINGS:
        raise click.BadParameter(unknown("dialect", dialect, (*FRAMINGS, *DIALECTS)), param_hint="--dialect")
    if summary and dialect in FRAMINGS:
        raise click.BadParameter(f"{dialect} gives frames; a summary needs a dialect of messages", param_hint="--summary")
    for file in files:
        for case in _cases(file, dialect):
            chunking = _chunking(chunks, case)
            if case.dialect in FRAMINGS:
                session = FrameSession(case.dialect)
                *lines, end = _lines(case, run(session, case.body, chunking))
                yield from lines
                yield canonical({"end": "error", "error": session.error}) if session.error else end
                continue
            decoder = Decoder(case.dialect, policy=cast("Policy", policy))
            parts = [part.as_json() for chunk in chunking.chunks(case.body) for part in decoder.feed(chunk)]
            parts += [part.as_json() for part in decoder.close()]
            if summary:
                yield json.dumps(summarise(file, decoder), ensure_ascii=False)
            else:
                yield from _lines(case, parts)


def _lines(case: Case, parts: list[PartJson]) -> Iterator[str]:
    yield header_line(case.sha256, "streamcore")
    yield from trace_lines(parts, case.body)


def _cases(file: str, dialect: str | None) -> list[Case]:
    if file.endswith((".yaml", ".yml")):
        try:
            cases = cassette.load(Path(file)).cases(file)
        except OSError as error:
            raise InputError(f"{file}: {error.strerror}") from None
        return [Case(case.id, dialect or _known(case.dialect, file), case.body, case.chunks) for case in cases]
    if dialect is None:
        raise InputError(f"{file}: a raw body does not say what it is; add --dialect ({', '.join(sorted(DIALECTS))})")
    if file == "-" and sys.stdin is None:
        raise InputError("-: standard input is closed; name a file, or write one to the pipe")
    try:
        body = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from None
    return [Case(f"{dialect}/{Path(file).stem}", dialect, body)]


def _known(dialect: str, file: str) -> str:
    if dialect not in DIALECTS:
        raise InputError(f"{file}: recorded.dialect: {unknown('dialect', dialect, DIALECTS)}")
    return dialect


def _chunking(chunks: str, case: Case) -> Chunking:
    size = len(case.body)
    if chunks == "whole":
        return Chunking("whole", (), size)
    step = 1 if chunks == "bytes" else int(chunks) if chunks.isascii() and chunks.isdigit() else 0
    if step < 1:
        raise click.BadParameter(f"{chunks}: write whole, bytes, or a number of bytes", param_hint="--chunks")
    return Chunking(chunks, tuple(range(step, size, step)), size)


def summarise(file: str, decoder: Decoder) -> dict[str, Any]:
    """One object about one file: what was said, which tools were called, and how it ended."""
    message = decoder.message
    error = message.error
    return {
        "file": file,
        "text": message.text,
        "reasoning": message.reasoning,
        "tools": [
            {"id": call.id, "name": call.name, "args": call.arguments, "complete": call.complete}
            for call in message.tool_calls
        ],
        "finish": {
            "unified": message.finish.unified if message.finish else None,
            "raw": message.finish.raw if message.finish else None,
        },
        "error": {"kind": error.kind.value, "stage": error.stage.value} if error else None,
        "warnings": [warning.code for warning in decoder.warnings],
    }
