"""What the APIs that send one JSON object a line do alike: what a body that is no such stream says, and errors.

Over server-sent events a body of another kind is text outside any event. Here every line is a frame, so it is the first
line that tells: one that begins no JSON object makes the body no stream at all.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from streamcore import jsontext
from streamcore.dialects.base import INVALID, Dialect
from streamcore.errors import ErrorKind, ErrorStage
from streamcore.framing.ndjson import NdjsonFramer

if TYPE_CHECKING:
    from streamcore.framing.ndjson import NdjsonFrame
    from streamcore.parts import Part

_EXCERPT: Final = 120


class JsonLines(Dialect):
    """Base of these dialects."""

    framer = NdjsonFramer

    def frame(self, frame: NdjsonFrame, out: list[Part]) -> None:
        """One line."""
        self.frame_in_full(frame, out)

    def frame_in_full(self, frame: NdjsonFrame, out: list[Part]) -> None:
        """The general path of :meth:`frame`."""
        data, self.offset = frame
        if self.state.dead:
            return
        if not self.state.opened and data.lstrip()[:1] != b"{":
            self._no_stream(data, out)
        value = self.payload(data, out)
        if value is INVALID:
            return
        error = self.stray_error(value)
        if error is not None:
            self.provider_error(error, out)
        elif type(value) is not dict:
            self.fail(ErrorKind.INVALID_PAYLOAD, "a line that is no object", out, payload=value)
        else:
            self.line(value, out)

    def line(self, value: dict[str, Any], out: list[Part]) -> None:
        """What one line says that is not an error."""
        raise NotImplementedError

    def _no_stream(self, data: bytes, out: list[Part]) -> None:
        """The body begins with something else than a JSON object: a page, a proxy's plain text."""
        text = json.dumps(data[:_EXCERPT].decode("utf-8", "replace"))
        detail = f"the body holds no line of JSON; it begins with {text}"
        self.fail(ErrorKind.NOT_AN_EVENT_STREAM, detail, out, stage=ErrorStage.OPEN, fatal=True)

    def _residual(self, frame: Any, out: list[Part]) -> None:
        if not self.state.opened and frame[0].lstrip()[:1] != b"{":
            self._no_stream(frame[0], out)
        super()._residual(frame, out)

    def end(self, out: list[Part]) -> bool:  # noqa: ARG002 - the signature is not ours to choose
        """Without the line that ends it the stream was cut, whatever else it said."""
        return False


def object_text(value: Any) -> str:
    """The text of arguments that came as a JSON value: what ECMAScript writes for it, unless its doubles would change an
    integer (V26)."""
    text = jsontext.stringify(value)
    if jsontext.loads(jsontext.utf8(text)) == value:
        return text
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError:  # a number beyond all doubles
        return text
