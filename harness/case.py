"""A case: one recorded body to decode, and what is known about it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, get_args

from harness.findings import Origin

StreamEnd = Literal["complete", "cut", "reset", "timeout"]
STREAM_ENDS: tuple[str, ...] = get_args(StreamEnd)


@dataclass(frozen=True)
class Case:
    """One body, its dialect, and where it came from. ``id`` is ``<dialect>/<slug>`` and unique within a run."""

    id: str
    dialect: str
    body: bytes
    chunks: tuple[int, ...] = ()
    """Lengths, in bytes, of the chunks in which the body was recorded; empty where the recording did not keep them."""
    at_ms: tuple[float, ...] = ()
    """When each chunk arrived, in milliseconds after the first byte was awaited; empty or as long as ``chunks``."""
    end: StreamEnd = "complete"
    """How the recorded stream ended."""
    source: str = ""
    """A file or an address, for people."""
    provenance: str = "public"
    """``live``, ``local-model``, ``simulator`` or ``public``."""
    request: Mapping[str, Any] | None = field(default=None, compare=False)
    twin: bytes | None = field(default=None, compare=False)
    """The whole answer to the same request without a stream; None where it was not recorded. It is no stream to decode."""
    hazard: str = ""
    """The id of the wire hazard that the body shows (``WH-085``), if it was made to show one."""
    origin: Origin | None = field(default=None, compare=False)
    """What its cassette says of where it came from; None for a body that is no cassette."""

    shrunk_from: str = ""
    """The id of the recording that this is a transcript of (:mod:`harness.transcripts`); no reference has a golden for it."""

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the body."""
        return hashlib.sha256(self.body).hexdigest()

    @property
    def slug(self) -> str:
        """The part of the id after the dialect."""
        return self.id.split("/", 1)[1]
