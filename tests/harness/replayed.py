"""Cassettes made by hand for the tests of replay: hostile bodies, hostile chunks, every ending."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

from harness.cassette import Cassette, Interaction, Recorded, Stream

if TYPE_CHECKING:
    from harness.case import StreamEnd

BODY = 'data: {"say":"é😀"}\r\n\r\n: ping\r\n\r\ndata: [DONE]\r\n\r\n'.encode()
CHUNKS = (16, 1, 3, 3, 7, len(BODY) - 30)
"""Cut inside é, inside 😀, and between CR and LF."""
PACKED = gzip.compress(BODY, mtime=0)


def interaction(
    body: bytes = BODY,
    chunks: tuple[int, ...] = CHUNKS,
    *,
    end: StreamEnd = "complete",
    asks: Any = None,
    method: str = "POST",
    uri: str = "https://api.test/v1/chat?version=1",
    status: int = 200,
    reason: str = "OK",
    headers: tuple[tuple[str, str], ...] = (("content-type", "text/event-stream"), ("x-twice", "a"), ("x-twice", "b")),
    at_ms: tuple[float, ...] | None = None,
) -> Interaction:
    """One exchange; ``asks`` is the request's JSON, or its bytes."""
    request = asks if isinstance(asks, bytes | None) else json.dumps(asks).encode()
    times = tuple(10.0 * (at + 1) for at in range(len(chunks))) if at_ms is None else at_ms
    return Interaction(method, uri, (), request, status, reason, headers, body, Stream(chunks, times, end))


def cassette(*interactions: Interaction) -> Cassette:
    """All of them, in this order."""
    recorded = Recorded("openai-chat", "made", "openai", "m", "2026-01-01T00:00:00Z", "a test", "simulator")
    return Cassette(recorded, interactions)
