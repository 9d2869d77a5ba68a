"""Dialects whose payloads say in a ``type`` what they are, mostly under events of the same name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from streamcore.dialects.base import INVALID, Dialect
from streamcore.dialects.schema import Mismatch, Schema, apart_from
from streamcore.errors import ErrorKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streamcore.framing.sse import SseFrame
    from streamcore.parts import Part

_EXCERPT: Final = 60


class TypedEvents(Dialect):
    """What reading such events has in common."""

    def event_payload(self, frame: SseFrame, out: list[Part]) -> Any:
        """The JSON value of an event, or :data:`INVALID` where there is none to read and everything is said."""
        data, event, _, self.offset = frame
        if self.state.dead:
            return INVALID
        if data == b"[DONE]":
            if not self.state.ended:
                self.warn("done_marker", "[DONE] is not a mark of this API; ignored")
            return INVALID
        if event == "error" and not self._is_whole(data):
            self.provider_error(data.decode("utf-8", "replace"), out)
            return INVALID
        return self.payload(data, out)

    def begins(self, known: tuple[str | None] | None, wire_id: str | None, event: str, value: Any, out: list[Part]) -> bool:
        """Whether an event such as ``message_start`` is the first of its kind; ``known`` has the id that one had.

        The same one may come again; nothing that follows another one says which of the two it belongs to.
        """
        if known is None:
            return True
        if known[0] != wire_id:
            detail = f"a second {event.partition('_')[0]} begins"
            self.fail(ErrorKind.INVALID_PAYLOAD, detail, out, payload=value, fatal=True)
            return False
        self.lenient(f"{event}_repeated", f"the same {event} again", out)
        return False


def type_of(value: Any) -> str | None:
    """The ``type`` of a JSON object; None if it has none that is a string."""
    kind = value.get("type") if type(value) is dict else None
    return kind if type(kind) is str else None


def checked(
    check: Schema, value: Any, report: Dialect, out: list[Part], details: Sequence[tuple[str, ...]] = ()
) -> Any:
    """The event as ``check`` has it; None, with the reason reported, if it does not fit even without its ``details``."""
    try:
        event, misfit = apart_from(details, check, value) if details else (check(value), "")
    except Mismatch as mismatch:
        report.fail(ErrorKind.INVALID_PAYLOAD, str(mismatch), out, payload=value)
        return None
    if misfit:
        report.lenient("unreadable_detail", misfit, out)
    return event


def excerpt(text: str) -> str:
    """``text`` cut to what a warning can show."""
    return text if len(text) <= _EXCERPT else text[:_EXCERPT] + "..."
