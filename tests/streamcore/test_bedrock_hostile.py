"""Bedrock's streams cut at every byte, and with payloads that are damaged under a good checksum."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import pytest

from harness.rules import violations
from streamcore.framing.eventstream import EventStreamFramer

from .bedrock_models import COMMAND, LAST, MESSAGE, NOVA
from .bedrock_wire import CONVERSE, INVOKE, TALK, chunk
from .eventstream_wire import event
from .torture import check_cuts, check_mutations, mutations
from .wire import decode, read

BODIES = [
    (CONVERSE, TALK),
    (INVOKE, b"".join(map(chunk, MESSAGE))),
    (INVOKE, b"".join(map(chunk, [*NOVA, {"metadata": {"usage": {"inputTokens": 1, "outputTokens": 2}}, **LAST}]))),
    (INVOKE, b"".join(map(chunk, COMMAND))),
]
IDS = ["converse", "anthropic", "nova", "command"]


@pytest.mark.parametrize(("dialect", "body"), BODIES, ids=IDS)
def test_cuts(dialect: str, body: bytes) -> None:
    check_cuts(body, dialect)


@pytest.mark.parametrize(("dialect", "body"), BODIES, ids=IDS)
def test_damaged_frames(dialect: str, body: bytes) -> None:
    check_mutations(body, dialect)


@pytest.mark.parametrize(("dialect", "body"), BODIES, ids=IDS)
def test_damaged_payloads(dialect: str, body: bytes) -> None:
    """As a service with a bug would send them: nothing raises, and no path and no chunking makes a difference."""
    frames = EventStreamFramer().feed(body)
    names = [str(headers[":event-type"]) for headers, *_ in frames]
    if dialect == CONVERSE:
        separator = b"\x00"
        damaged = mutations(separator.join(payload for _, payload, _ in frames))
        streams = [list(zip(names, mutant.split(separator), strict=False)) for mutant in damaged]
    else:
        inner = decoded_chunks(frames)
        damaged = mutations(b"\x00".join(inner))
        streams = [[("", item) for item in mutant.split(b"\x00")] for mutant in damaged]
    for stream in streams:
        mutant = b"".join(event(name, data) if name else chunk(data) for name, data in stream)
        expected = decode(mutant, dialect)
        assert decode(mutant, dialect, general=True) == expected, stream
        items, decoder = read((mutant[at : at + 97] for at in range(0, len(mutant), 97)), dialect, "lenient", None)
        assert items == expected.items, stream
        assert decoder.warnings == expected.warnings, stream
        found = violations(expected.parts)
        # A call that was neither stopped nor vouched for stays open: it never becomes executable.
        assert [one for one in found if not one.message.startswith("tool-input block")] == [], stream
        read([mutant], dialect, "strict", None)


def decoded_chunks(frames: list[Any]) -> list[bytes]:
    """The model's own events."""
    return [b64decode(json.loads(payload)["bytes"]) for _, payload, _ in frames]
