"""What all of Bedrock's event streams have in common: which message is an event, and the ways in which AWS says that
something failed (Amazon Bedrock API reference, "ConverseStream" and "InvokeModelWithResponseStream", errors; Smithy
specification "Amazon Event Stream", message types).

A message of type ``event`` names its kind in ``:event-type``. One of type ``exception`` is a modelled error, named in
``:exception-type``, with a JSON payload. One of type ``error`` has no payload: ``:error-code`` and ``:error-message`` say
it all. A service that refuses the request answers with JSON and no framing at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from streamcore import jsontext
from streamcore.dialects.base import Dialect
from streamcore.dialects.typed import excerpt
from streamcore.errors import ErrorKind, ErrorStage
from streamcore.framing.eventstream import EventStreamFramer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streamcore.framing.eventstream import EventStreamFrame
    from streamcore.parts import Part

PADDING: Final = "p"
"""A key of every payload, filled with letters so that the sizes of messages tell nothing about the text."""


class BedrockStream(Dialect):
    """Base of the dialects that come in AWS event-stream messages."""

    framer = EventStreamFramer

    def frame_in_full(self, frame: EventStreamFrame, out: list[Part]) -> None:
        """One message, whatever it is."""
        headers, payload, self.offset = frame
        if self.state.dead:
            return
        kind = headers.get(":message-type")
        if kind == "event":
            name = headers.get(":event-type")
            if not isinstance(name, str):
                self.fail(ErrorKind.INVALID_PAYLOAD, "an event without :event-type", out)
            elif name.endswith("Exception"):
                self._exception(name, payload, out)
            else:
                self.event(name, payload, out)
        elif kind == "exception":
            self._exception(str(headers.get(":exception-type", "exception")), payload, out)
        elif kind == "error":
            self._unmodelled(headers, out)
        else:
            self.warn("unknown_message_type", excerpt(str(kind)))

    def event(self, name: str, payload: bytes, out: list[Part]) -> None:
        """One event."""
        raise NotImplementedError

    def failed(self) -> None:
        """The service reported an error: whatever was said about a normal end no longer holds."""

    def _exception(self, name: str, payload: bytes, out: list[Part]) -> None:
        try:
            value = jsontext.loads(payload, self.limits.max_json_depth)
        except jsontext.JsonTextError:
            value = payload.decode("utf-8", "replace")
        self._service_failed(name, without_padding(value), out)

    def _unmodelled(self, headers: Mapping[str, Any], out: list[Part]) -> None:
        code = str(headers.get(":error-code", "error"))
        self._service_failed(code, {"code": code, "message": str(headers.get(":error-message", ""))}, out)

    def _service_failed(self, name: str, payload: Any, out: list[Part]) -> None:
        """Like :meth:`provider_error`, with the error's name, which its payload does not say."""
        message = payload.get("message") if isinstance(payload, dict) else payload
        detail = f"{name}: {message}" if isinstance(message, str) and message else name
        self.state.provider_failed = True
        self.failed()
        if self.state.opened:
            self.fail(ErrorKind.PROVIDER, detail, out, payload=payload)
        else:
            self.fail(ErrorKind.PROVIDER, detail, out, payload=payload, stage=ErrorStage.OPEN, fatal=True)

    def stray_error(self, value: Any) -> Any:
        """AWS's JSON error, in the shapes of its REST and JSON protocols."""
        if not isinstance(value, dict):
            return None
        output = value.get("Output")
        if isinstance(output, dict) and "__type" in output:
            return output
        named = any(isinstance(value.get(key), str) for key in ("message", "Message", "__type"))
        return value if named else value.get("error")


def without_padding(value: Any) -> Any:
    """A payload as its API documents it."""
    if isinstance(value, dict):
        value.pop(PADDING, None)
    return value
