"""streamcore as a subject."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from harness.case import Case
from harness.subjects import PartJson
from streamcore import DIALECTS, Decoder, Snapshot
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

    @property
    def warnings(self) -> list[str]:
        """Codes of the warnings so far."""
        return [warning.code for warning in self._decoder.warnings]

    @property
    def frames(self) -> int:
        """Frames completed so far."""
        return self._decoder.frames


class FrameSession:
    """The framing alone, without any dialect: one ``frame`` part an event."""

    def __init__(self) -> None:
        self._framer = SseFramer()

    def feed(self, chunk: bytes) -> list[PartJson]:
        """The frames that ``chunk`` completed."""
        return [frame_json(frame) for frame in self._framer.feed(chunk)]

    def close(self) -> list[PartJson]:
        """Nothing: the standard discards a block without its blank line."""
        self._framer.close()
        return []

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


class CoreSubject:
    """The first subject that passes."""

    name = "streamcore"

    def __init__(self) -> None:
        try:
            self.version = version("streamparity")
        except PackageNotFoundError:
            self.version = "uninstalled"

    def claims(self, dialect: str) -> bool:
        """Every dialect that streamcore knows, and ``sse``, which is framing only."""
        return dialect in DIALECTS or dialect == "sse"

    def open(self, case: Case) -> CoreSession | FrameSession:
        """A fresh decoder, policy lenient."""
        return FrameSession() if case.dialect == "sse" else CoreSession(case.dialect)
