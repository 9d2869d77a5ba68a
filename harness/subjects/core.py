"""streamcore as a subject."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Self
from uuid import UUID

from harness.case import Case
from harness.subjects import PartJson
from harness.subjects.remembering import DecoderSession
from streamcore import DIALECTS, Decoder, ErrorKind, ErrorStage, Snapshot
from streamcore.framing import Framer
from streamcore.framing.eventstream import EventStreamFrame, EventStreamFramer, HeaderValue
from streamcore.framing.jsonarray import JsonArrayFramer
from streamcore.framing.ndjson import NdjsonFramer
from streamcore.framing.sse import SseFrame, SseFramer


class CoreSession:
    """One :class:`streamcore.Decoder`. Nothing is kept for a message: the parts are what is compared."""

    def __init__(self, dialect: str) -> None:
        self._decoder = Decoder(dialect, assemble=False)

    def feed(self, chunk: bytes) -> list[PartJson]:
        """As the decoder's, as JSON."""
        return [part.as_json() for part in self._decoder.feed(chunk)]

    def close(self) -> list[PartJson]:
        """As the decoder's, as JSON."""
        return [part.as_json() for part in self._decoder.close()]

    def snapshot(self) -> Snapshot:
        """The decoder's state."""
        return self._decoder.snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        """Puts the decoder's state back."""
        self._decoder.restore(snapshot)

    def for_proof(self) -> Self | DecoderSession:
        """The same decoder, in the way that is the cheapest for a proof; a subclass, which may feed it differently, as it is."""
        return DecoderSession(self._decoder) if type(self) is CoreSession else self

    @property
    def warnings(self) -> list[str]:
        """Codes of the warnings so far."""
        return [warning.code for warning in self._decoder.warnings]

    @property
    def frames(self) -> int:
        """Frames completed so far."""
        return self._decoder.frames


class FrameSession:
    """The framing alone, without any dialect: one ``frame`` part a frame. ``framing`` is a key of :data:`FRAMINGS`."""

    def __init__(self, framing: str = "sse") -> None:
        framer, self._as_json = FRAMINGS[framing]
        self._framer: Framer = framer()

    def feed(self, chunk: bytes) -> list[PartJson]:
        """The frames that ``chunk`` completed."""
        return [self._as_json(frame) for frame in self._framer.feed(chunk)]

    def close(self) -> list[PartJson]:
        """The frame that needs no end of its own. Of SSE none: the standard discards a block without its blank line."""
        residual = self._framer.close()
        return [] if residual is None or isinstance(self._framer, SseFramer) else [self._as_json(residual)]

    @property
    def error(self) -> dict[str, str] | None:
        """Kind and stage of what ended the framing before its time; None if nothing did. To be asked after ``close``."""
        if self._framer.failure is not None:
            return {"kind": self._framer.failure.kind, "stage": ErrorStage.STREAM}
        if self._framer.truncated:
            return {"kind": ErrorKind.INCOMPLETE_STREAM, "stage": ErrorStage.CLOSE}
        return None

    def snapshot(self) -> tuple[Any, ...]:
        """The framer's state."""
        return self._framer.snapshot()

    def restore(self, snapshot: tuple[Any, ...]) -> None:
        """Puts the framer's state back."""
        self._framer.restore(snapshot)

    @property
    def frames(self) -> int:
        """Frames completed so far."""
        return self._framer.frames


def frame_json(frame: SseFrame) -> PartJson:
    """A frame as a part: ``data``, and ``event`` and ``id`` where the block has them."""
    data, event, ident, _ = frame
    part: PartJson = {"type": "frame", "data": data.decode("utf-8", "replace")}
    if event:
        part["event"] = event
    if ident is not None:
        part["id"] = ident
    return part


def eventstream_json(frame: EventStreamFrame) -> PartJson:
    """``headers`` by name, and the payload: ``data`` if it is text, else base64 in ``data_base64``."""
    headers, payload, _ = frame
    part: PartJson = {"type": "frame", "headers": {name: _header_json(value) for name, value in headers.items()}}
    try:
        part["data"] = payload.decode()
    except UnicodeDecodeError:
        part["data_base64"] = b64encode(payload).decode()
    return part


def _header_json(value: HeaderValue) -> bool | int | str:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return str(value) if isinstance(value, UUID) else value


def data_json(frame: tuple[bytes, int]) -> PartJson:
    """The text of one JSON value: ``data``."""
    return {"type": "frame", "data": frame[0].decode("utf-8", "replace")}


FRAMINGS: dict[str, tuple[Callable[[], Framer], Callable[[Any], PartJson]]] = {
    "sse": (SseFramer, frame_json),
    "eventstream": (EventStreamFramer, eventstream_json),
    "ndjson": (NdjsonFramer, data_json),
    "jsonarray": (JsonArrayFramer, data_json),
}
"""Names of the framings that need no dialect: the framer, and what makes a part of a frame."""


class CoreSubject:
    """The first subject that passes."""

    name = "streamcore"

    def __init__(self) -> None:
        try:
            self.version = version("streamparity")
        except PackageNotFoundError:
            self.version = "uninstalled"

    def claims(self, dialect: str) -> bool:
        """Every dialect that streamcore knows, and every framing."""
        return dialect in DIALECTS or dialect in FRAMINGS

    def open(self, case: Case) -> CoreSession | FrameSession:
        """A fresh decoder, policy lenient."""
        return FrameSession(case.dialect) if case.dialect in FRAMINGS else CoreSession(case.dialect)
