"""What a cassette is made of, as it was recorded."""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from harness.case import Case, StreamEnd
from harness.coding import CodingError, codings, decoded_stream
from harness.findings import Origin

NOT_CASSETTES = "hazards"
"""The folder beside those of the dialects that holds the catalogue of wire hazards (:mod:`harness.hazards`)."""
AGAIN = "record it again: cassettes are not edited by hand"

Headers = tuple[tuple[str, str], ...]


class CassetteError(Exception):
    """A cassette that cannot be used. Reads as one line: file, place in it, what is wrong, what to do."""

    def __init__(self, path: str, where: str, what: str, hint: str) -> None:
        super().__init__(path, where, what, hint)
        self.path, self.where, self.what, self.hint = path, where, what, hint

    def __str__(self) -> str:
        place = f"{self.path}: {self.where}" if self.where else self.path
        return " ".join(f"{place}: {self.what}; {self.hint}".split())


@dataclass(frozen=True, slots=True)
class Stream:
    """How a body arrived: chunk lengths in bytes, arrival times in milliseconds, and how it ended.

    No chunks for a body that is not empty: the recorder did not keep them (``chunks: null`` in the file).
    """

    chunks: tuple[int, ...]
    at_ms: tuple[float, ...]
    end: StreamEnd


@dataclass(frozen=True, slots=True)
class Interaction:
    """One request and its response. Bodies are the exact bytes; headers keep their order and repetitions."""

    method: str
    uri: str
    request_headers: Headers
    request_body: bytes | None
    status: int
    reason: str
    response_headers: Headers
    body: bytes
    stream: Stream
    twin: bool = False
    """The whole answer, asked for without a stream, to what the interaction before this one was asked."""

    @property
    def sha256(self) -> str:
        """Hex digest of the response body."""
        return hashlib.sha256(self.body).hexdigest()

    @property
    def codings(self) -> tuple[str, ...]:
        """The content codings of the body, in the order in which they were applied; mostly none."""
        return codings(self.response_headers)

    @property
    def is_stream(self) -> bool:
        """Whether the body is one to decode: not an error's, nor the answer to a request that asked for no stream."""
        path = urlsplit(self.uri).path.lower()
        kind = next((value for name, value in self.response_headers if name.lower() == "content-type"), "")
        asked = _request_body(self)
        unstreamed = kind.startswith("application/json") and "stream" not in path
        if unstreamed and isinstance(asked, dict):
            unstreamed = asked.get("stream") is not True
        return 200 <= self.status < 300 and not unstreamed and not self.twin


@dataclass(frozen=True, slots=True)
class Redaction:
    """``what`` was removed or masked in ``count`` places of ``where`` (``response.body``, ``request.headers``, ...)."""

    where: str
    what: str
    count: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """Where a cassette came from. ``at`` is RFC 3339 in UTC, whole seconds; ``by`` names the recorder.

    ``hazard`` is the id of the wire hazard that it shows (``WH-085``), if it was made to show one.
    """

    dialect: str
    scenario: str
    provider: str
    model: str
    at: str
    by: str
    provenance: str
    redactions: tuple[Redaction, ...] = ()
    hazard: str = ""

    @property
    def origin(self) -> Origin:
        """What a report says of it."""
        told = tuple(f"{one.where}: {one.what} ({one.count})" for one in self.redactions)
        return Origin(self.at, self.by, self.provider, self.model, told)


@dataclass(frozen=True, slots=True)
class Cassette:
    """A recording: provenance, and one or more interactions."""

    recorded: Recorded
    interactions: tuple[Interaction, ...]

    def cases(self, source: str = "") -> tuple[Case, ...]:
        """One case an interaction that is a stream; the second and later ones have ``-2``, ``-3`` after their scenario's name.

        An encoded body is decoded, and its chunks are what each yielded. A twin is not counted: it belongs to its stream.

        Raises:
            CassetteError: an encoded body cannot be decoded.
        """
        pairs = list(zip(self.interactions, (*self.interactions[1:], None), strict=True))
        streamed = [(at, one, after) for at, (one, after) in enumerate(pairs) if not one.twin]
        return tuple(
            self._case(number, at, interaction, after if after is not None and after.twin else None, source)
            for number, (at, interaction, after) in enumerate(streamed, start=1)
            if interaction.is_stream
        )

    def _case(self, number: int, at: int, interaction: Interaction, twin: Interaction | None, source: str) -> Case:
        stream = interaction.stream
        try:
            body, chunks, at_ms = decoded_stream(interaction.body, stream.chunks, stream.at_ms, interaction.codings)
            whole = decoded_stream(twin.body, (), (), twin.codings)[0] if twin else None
        except CodingError as error:
            where = f"interactions[{at}].response.body, byte {error.offset}"
            raise CassetteError(source or "<cassette>", where, str(error), AGAIN) from error
        return Case(
            id=f"{self.recorded.dialect}/{self.recorded.scenario}" + (f"-{number}" if number > 1 else ""),
            dialect=self.recorded.dialect,
            body=body,
            chunks=chunks,
            at_ms=at_ms,
            end=stream.end,
            source=source,
            provenance=self.recorded.provenance,
            request=_request_summary(interaction),
            hazard=self.recorded.hazard,
            origin=self.recorded.origin,
            twin=whole,
        )


def _request_summary(interaction: Interaction) -> dict[str, Any]:
    address = urlsplit(interaction.uri)
    body = _request_body(interaction)
    return {"host": address.hostname, "method": interaction.method, "path": address.path, "body": body}


def _request_body(interaction: Interaction) -> Any:
    body = (interaction.request_body or b"").decode("utf-8", "replace")
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(body)
    return body
