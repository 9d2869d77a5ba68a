"""Server-sent events below any dialect, in every form that WHATWG HTML 9.2.5 and 9.2.6 allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hypothesis import strategies as st


@dataclass(frozen=True, slots=True)
class SseEvent:
    """What is dispatched."""

    data: str
    event: str = "message"
    id: str | None = None
    """What its own block says."""
    last_event_id: str = ""
    """What a reader that reconnects sends: from its own block, or any before it, with data or without."""


_ENDINGS: Final = ("\n", "\r", "\r\n")
_LINE: Final = st.text(
    alphabet=st.characters(codec="utf-8", exclude_characters="\r\n\x00")
    | st.sampled_from((":", " ", "{", "\u2028", "\u0085", "\ufeff", "\U0001f600")),
    max_size=10,
)
_UNKNOWN: Final = (
    "Data: x",
    "DATA",
    "datax: 1",
    " data: x",
    "\tdata: x",
    "events: x",
    "foo",
    "foo: bar",
    "\ufeffdata: x",
)
_BYTE_ORDER_MARK: Final = "\ufeff"


@st.composite
def sse_lines(draw: st.DrawFn) -> tuple[bytes, list[SseEvent]]:
    """A body, and the events that a reader dispatches, in order.

    Lines end in LF, CR or CRLF, in one body too; there are comments, fields nobody knows, fields without a colon or a space,
    ``id`` and ``retry``, blocks without data (nothing is dispatched), perhaps a byte order mark, and at the end perhaps a
    block without its blank line, which is no event.
    """
    lines: list[str] = []
    events: list[SseEvent] = []
    last_id = ""
    for _ in range(draw(st.integers(0, 5))):
        fields, data, event, ident = draw(_block())
        last_id = last_id if ident is None else ident
        lines += [*fields, ""]
        if data:
            events.append(SseEvent("\n".join(data), event or "message", ident, last_id))
    if draw(st.booleans()):
        lines += draw(_block())[0]
    # Before a line that begins with one, so that it is not taken for the mark.
    marked = bool(lines) and lines[0].startswith(_BYTE_ORDER_MARK)
    mark = _BYTE_ORDER_MARK if marked else draw(st.sampled_from(("", _BYTE_ORDER_MARK)))
    usual = draw(st.sampled_from((None, *_ENDINGS)))
    text = mark
    for line in lines:
        ending = usual or draw(st.sampled_from(_ENDINGS))
        if text.endswith("\r") and not line and ending[0] == "\n":
            ending = "\r"  # that LF would belong to the CR before it
        text += line + ending
    return text.encode(), events


@st.composite
def _block(draw: st.DrawFn) -> tuple[list[str], list[str], str, str | None]:
    """Its lines, its data, the name of its event, and its id."""
    fields: list[str] = []
    data: list[str] = []
    event = ""
    ident: str | None = None
    for _ in range(draw(st.integers(0, 5))):
        kind = draw(st.sampled_from(("data", "data", "data", "event", "id", "retry", "comment", "unknown")))
        value = draw(_LINE)
        if kind == "comment":
            fields.append(f":{value}")
        elif kind == "unknown":
            fields.append(draw(st.sampled_from(_UNKNOWN)))
        elif kind == "retry":
            fields.append(f"retry: {draw(st.integers(0, 9999))}")
        else:
            value = "" if draw(st.integers(0, 5)) == 0 else value
            fields.append(draw(_field(kind, value)))
            if kind == "data":
                data.append(value)
            elif kind == "event":
                event = value
            else:
                ident = value
    return fields, data, event, ident


def _field(name: str, value: str) -> st.SearchStrategy[str]:
    """One space after the colon is no part of the value; without a value there may be no colon either."""
    forms = [f"{name}: {value}"]
    if not value.startswith(" "):
        forms.append(f"{name}:{value}")
    if not value:
        forms.append(name)
    return st.sampled_from(forms)
