"""How Gemini's function calls become parts (API reference, "FunctionCall"; Vertex, "Streaming function calls").

A call comes whole (``name`` and ``args``), or it is streamed: a first piece with ``name`` and ``willContinue``, pieces with
``partialArgs``, and an empty one at the end. Pieces seldom say which call they continue: those that do not continue the
one that was begun last. A call ends with an empty piece, or with one after which nothing is to continue; one that the
stream leaves open never becomes a ``tool-call``.
"""

from __future__ import annotations

from typing import Any, Protocol

from streamcore import jsontext
from streamcore.dialects.callids import stated
from streamcore.dialects.gemini.partial import ArgumentsWriter
from streamcore.errors import ErrorKind
from streamcore.limits import Limits
from streamcore.parts import Metadata, Part, ToolCall, ToolInputDelta, ToolInputEnd, ToolInputStart
from streamcore.state import Frozen, State
from streamcore.toolcalls import is_arguments_text


class Stream(Protocol):
    """What content asks of the dialect that it belongs to."""

    limits: Limits

    @property
    def provider(self) -> str:
        """The key of the provider's metadata."""

    def take_id(self, wanted: str | None, out: list[Part]) -> str:
        """The id of a new call: the wire's, or one made up if it gives none or gives it twice."""

    def warn(self, code: str, detail: str = ...) -> None:
        """Notes an oddity."""

    def lenient(self, code: str, detail: str, out: list[Part], kind: ErrorKind = ...) -> None:
        """A tolerated departure."""

    def fail(self, kind: ErrorKind, detail: str, out: list[Part], *, payload: Any = ..., fatal: bool = ...) -> None:
        """An error; it does not return if that ends the stream."""


class OpenCall(State):
    """A call that is being streamed."""

    __slots__ = ("id", "metadata", "name", "wire_id", "writer")

    def __init__(self, call_id: str, wire_id: str | None, name: str, metadata: Metadata | None) -> None:
        self.id = call_id
        self.wire_id = wire_id
        self.name = name
        self.metadata = Frozen(metadata) if metadata else None
        self.writer = ArgumentsWriter()


class FunctionCalls(State):
    """The function calls of one candidate."""

    __slots__ = ("any", "choice", "open")

    def __init__(self, choice: int) -> None:
        self.choice = choice
        self.any = False
        """A call is complete."""
        self.open: list[OpenCall] = []

    def piece(self, wire: dict[str, Any], metadata: Metadata | None, stream: Stream, out: list[Part]) -> None:
        """One ``functionCall``, whole or a piece; ``metadata`` is that of the part that holds it."""
        call_id, name, args = wire.get("id") or None, stated(wire.get("name")), wire.get("args")
        partial, goes_on = wire.get("partialArgs"), wire.get("willContinue")
        if partial is None and not (name is not None and goes_on is True):
            if name is not None:
                self._whole(call_id, name, args, metadata, stream, out)
            elif args is not None:
                detail = "a function call without a name"
                stream.fail(ErrorKind.NAMELESS_CALL, detail, out, payload=wire)
            elif goes_on is not True and self.open:
                self._finish(self._continued(call_id), stream, out)
            return
        call = self._continued(call_id) if name is None or self._is_open(call_id) else None
        if call is None:
            if name is None:
                detail = "arguments of a function call that was not begun"
                stream.fail(ErrorKind.NAMELESS_CALL, detail, out, payload=wire)
                return
            call = self._begin(call_id, name, metadata, stream, out)
        elif name is not None:
            stream.lenient("name_repeated", f"the call {call_id!r} was begun again", out, ErrorKind.TOOL_CALL_PROTOCOL)
        self._write(call, args, partial or (), metadata, stream, out)
        if partial is not None and goes_on is not True and all(arg.get("willContinue") is not True for arg in partial):
            self._finish(call, stream, out)

    def more(self, place: str, string: str, most: int, out: list[Part]) -> bool:
        """A piece that says no more than one more piece of the string that is being told; False if it is another one."""
        call = self.open[-1]
        grown = call.writer.more(place, string, most)
        if grown is None:
            return False
        if grown:
            out.append(ToolInputDelta(call.id, grown, None, self.choice))
        return True

    def _is_open(self, wire_id: str | None) -> bool:
        return wire_id is not None and any(call.wire_id == wire_id for call in self.open)

    def _continued(self, wire_id: str | None) -> OpenCall | None:
        """The open call that a piece with that id continues."""
        for call in reversed(self.open):
            if wire_id is None or call.wire_id in (None, wire_id):
                return call
        return self.open[-1] if self.open else None

    def _whole(
        self, wire_id: str | None, name: str, args: Any, metadata: Metadata | None, stream: Stream, out: list[Part]
    ) -> None:
        call_id = stream.take_id(wire_id, out)
        out.append(ToolInputStart(call_id, name, metadata=metadata, choice=self.choice))
        text = "{}"
        invalid = False
        if args is not None:
            text = args if isinstance(args, str) else jsontext.stringify(args)
            invalid = not (is_arguments_text(args) if isinstance(args, str) else isinstance(args, dict))
            out.append(ToolInputDelta(call_id, text, metadata, self.choice))
        if invalid:
            detail = f"the arguments of {name!r} are not a JSON object"
            stream.lenient("invalid_arguments", detail, out, ErrorKind.INVALID_ARGUMENTS)
        out.append(ToolInputEnd(call_id, metadata, self.choice))
        out.append(ToolCall(call_id, name, text, metadata=metadata, choice=self.choice, invalid=invalid))
        self.any = True

    def _begin(
        self, wire_id: str | None, name: str, metadata: Metadata | None, stream: Stream, out: list[Part]
    ) -> OpenCall:
        if len(self.open) >= stream.limits.max_open_calls:
            detail = f"more than {len(self.open)} function calls are open"
            stream.fail(ErrorKind.TOOL_CALL_PROTOCOL, detail, out, fatal=True)
        call = OpenCall(stream.take_id(wire_id, out), wire_id, name, metadata)
        self.open.append(call)
        out.append(ToolInputStart(call.id, name, metadata=metadata, choice=self.choice))
        return call

    def _write(
        self, call: OpenCall, args: Any, partial: Any, metadata: Metadata | None, stream: Stream, out: list[Part]
    ) -> None:
        writer = call.writer
        was_broken = writer.broken
        grown = ""
        if isinstance(args, dict):  # beside willContinue: not documented, and nothing that may get lost
            for key, value in args.items():
                grown += writer.leaf((key,), jsontext.stringify(value))
        for arg in partial:
            grown += writer.value(arg)
        if writer.text.length > stream.limits.max_arguments_chars:
            detail = f"the arguments of {call.name!r} pass {stream.limits.max_arguments_chars} characters"
            stream.fail(ErrorKind.EVENT_TOO_LARGE, detail, out, fatal=True)
        if grown:
            out.append(ToolInputDelta(call.id, grown, metadata, self.choice))
        if writer.broken and not was_broken:
            detail = f"a piece of the arguments of {call.name!r} does not continue what came before"
            stream.lenient("partial_args_out_of_order", detail, out, ErrorKind.TOOL_CALL_PROTOCOL)

    def _finish(self, call: OpenCall | None, stream: Stream, out: list[Part]) -> None:
        assert call is not None  # it is only called where one is open
        # By identity: remove() would compare by value, which States do not define.
        del self.open[next(at for at, other in enumerate(self.open) if other is call)]
        writer, metadata = call.writer, call.metadata.value if call.metadata else None
        rest = writer.finish()
        if rest:
            out.append(ToolInputDelta(call.id, rest, metadata, self.choice))
        if writer.broken:
            detail = f"the arguments of {call.name!r} could not be put together"
            stream.lenient("invalid_arguments", detail, out, ErrorKind.INVALID_ARGUMENTS)
        text = writer.text.text()
        out.append(ToolInputEnd(call.id, metadata, self.choice))
        out.append(ToolCall(call.id, call.name, text, metadata=metadata, choice=self.choice, invalid=writer.broken))
        self.any = True

    def close(self, stream: Stream, out: list[Part]) -> None:
        """The candidate has finished: whatever is still open was never ended."""
        for call in self.open:
            detail = f"the call of {call.name!r} was never ended"
            stream.lenient("call_not_ended", detail, out, ErrorKind.TOOL_CALL_PROTOCOL)
