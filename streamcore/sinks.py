"""Where the calls of a message go while they are still arriving: one order of effects, each once.

A :class:`Sink` is what an agent hangs on a stream. :class:`SinkDriver` turns the parts of one choice into its calls:

* ``on_first_tool_call`` once, at the first part that names a call, before anything of any call is written;
* every piece of a call goes to ``conversation`` first and to ``tools`` second, always both;
* a call ends only with its ``tool-call`` part, and only if that is executable. Whatever else becomes of it is
  ``aborted``: the input ended, the stream failed, the arguments are no JSON object. No half of a call looks whole;
* ``on_end`` once, at the end of the input, only if ``on_first_tool_call`` was given and the stream finished.

Text goes to ``text`` and knows nothing of calls. Calls that the provider executes itself are not given out: nobody here
has to act on them. Calls are counted from 0, in the order in which they begin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from streamcore import jsontext
from streamcore.errors import ErrorKind, ErrorStage
from streamcore.parts import (
    Error,
    Finish,
    Part,
    TextDelta,
    TextEnd,
    TextStart,
    ToolCall,
    ToolInputDelta,
    ToolInputStart,
)


class CallWriter(Protocol):
    """One of the two places to which calls are written. ``call`` is the number of the call."""

    def start(self, call: int, call_id: str, name: str) -> None:
        """A call begins."""

    def delta(self, call: int, arguments: str) -> None:
        """More of the arguments text of a call, as the wire had it; never empty."""

    def end(self, call: int, arguments: str) -> None:
        """A call is complete and may be executed. ``arguments`` is all of its text: a JSON object, or blank for none."""

    def aborted(self, call: int, reason: str) -> None:
        """A call that began will never be complete: nothing that was written of it may be used."""


class TextWriter(Protocol):
    """Where the answer's text goes."""

    def start(self) -> None:
        """A block of text begins."""

    def delta(self, text: str) -> None:
        """More of the block; never empty."""

    def end(self) -> None:
        """The block is over."""


class Sink(Protocol):
    """What is told of one message."""

    conversation: CallWriter
    """What the next request will repeat."""
    tools: CallWriter
    """What runs the tools."""
    text: TextWriter

    def on_first_tool_call(self) -> None:
        """The message has calls; nothing of them is written yet."""

    def on_end(self) -> None:
        """The message had calls, and is complete."""

    def aborted(self, call: int | None, reason: str) -> None:
        """A call failed, after both writers were told; None: the message failed while no call was open."""


class SinkDriver:
    """Parts in, calls of a sink out.

    Args:
        sink: what is driven.
        choice: the choice whose parts are meant; those of others are passed over, errors concern all.
    """

    def __init__(self, sink: Sink, choice: int = 0) -> None:
        self._sink = sink
        self._choice = choice
        self._begun = 0
        self._open: dict[str, int] = {}  # id of the call -> its number
        self._passed_over: set[str] = set()  # ids of calls that the provider executes
        self._finished = False
        self._failure = ""
        self._over = False

    def add(self, parts: Iterable[Part]) -> None:
        """Acts on the parts, in order."""
        for part in parts:
            if type(part) is Error:
                self._error(part)
            elif getattr(part, "choice", 0) == self._choice:
                self._part(part)

    def close(self) -> None:
        """The end of the input: what is still open is aborted. A second call does nothing."""
        if self._over:
            return
        self._over = True
        if not self._finished or self._failure:
            self._abort_all(self._failure or "the input ended before the message did")
        elif self._begun:
            self._abort_open("the message finished without the end of this call")
            self._sink.on_end()

    def _part(self, part: Part) -> None:
        match part:
            case ToolInputDelta(id=call_id, delta=delta):
                if delta and call_id in self._open:
                    self._delta(self._open[call_id], delta)
            case TextDelta(delta=delta):
                if delta:
                    self._sink.text.delta(delta)
            case TextStart():
                self._sink.text.start()
            case TextEnd():
                self._sink.text.end()
            case ToolInputStart():
                if part.provider_executed:
                    self._passed_over.add(part.id)
                else:
                    self._start(part.id, part.tool_name)
            case ToolCall():
                if not part.provider_executed and part.tool_call_id not in self._passed_over:
                    self._end(part)
            case Finish():
                self._finished = True

    def _start(self, call_id: str, name: str) -> None:
        if not self._begun:
            self._sink.on_first_tool_call()
        call = self._open[call_id] = self._begun
        self._begun += 1
        self._sink.conversation.start(call, call_id, name)
        self._sink.tools.start(call, call_id, name)

    def _delta(self, call: int, arguments: str) -> None:
        self._sink.conversation.delta(call, arguments)
        self._sink.tools.delta(call, arguments)

    def _end(self, part: ToolCall) -> None:
        if part.tool_call_id not in self._open:  # it came in one piece
            self._start(part.tool_call_id, part.tool_name)
            if part.input:
                self._delta(self._open[part.tool_call_id], part.input)
        if part.invalid:
            self._abort(part.tool_call_id, "the arguments are not a JSON object")
            return
        call = self._open.pop(part.tool_call_id)
        self._sink.conversation.end(call, part.input)
        self._sink.tools.end(call, part.input)

    def _error(self, part: Error) -> None:
        error = part.error
        self._failure = f"{error.kind}: {error.detail}" if error.detail else str(error.kind)
        # At these stages nothing follows; at the others the calls that are open may still be completed.
        if error.stage is not ErrorStage.STREAM and not self._over:
            self._over = True
            self._abort_all(self._failure)
        elif error.kind is ErrorKind.NAMELESS_CALL and not self._over:
            self._sink.aborted(None, self._failure)

    def _abort_all(self, reason: str) -> None:
        if not self._open:
            self._sink.aborted(None, reason)
        self._abort_open(reason)

    def _abort_open(self, reason: str) -> None:
        for call_id in list(self._open):
            self._abort(call_id, reason)

    def _abort(self, call_id: str, reason: str) -> None:
        call = self._open.pop(call_id)
        self._sink.conversation.aborted(call, reason)
        self._sink.tools.aborted(call, reason)
        self._sink.aborted(call, reason)


class ConversationLines:
    """A :class:`CallWriter` of JSON lines, one a call, each written while it arrives.

    ``{"id":"a","name":"f","arguments":"{\\"k\\":1}"}``, the arguments as an escaped string. A line grows only while its
    call is the first that is open: what other calls say in the meantime is held until it is their turn. The line of an
    aborted call is left without its closing quote, so that no reader of JSON can take it for a call.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._held: dict[int, list[str]] = {}  # call -> pieces of its line that are not written yet; the first is writing
        self._over: set[int] = set()

    def start(self, call: int, call_id: str, name: str) -> None:
        """Begins the line."""
        head = f'{{"id":{jsontext.string_text(call_id)},"name":{jsontext.string_text(name)},"arguments":"'
        self._held[call] = []
        self._add(call, head)

    def delta(self, call: int, arguments: str) -> None:
        """More of the string."""
        self._add(call, jsontext.string_text(arguments)[1:-1])

    def end(self, call: int, arguments: str) -> None:  # noqa: ARG002 - the pieces are written already
        """Ends the string and the line."""
        self._finish(call, '"}\n')

    def aborted(self, call: int, reason: str) -> None:  # noqa: ARG002 - the reason is for people, the line for programs
        """Breaks the line off."""
        self._finish(call, "\n")

    def _add(self, call: int, text: str) -> None:
        if next(iter(self._held)) == call:
            self._write(text)
        else:
            self._held[call].append(text)

    def _finish(self, call: int, tail: str) -> None:
        self._add(call, tail)
        self._over.add(call)
        while self._held and (first := next(iter(self._held))) in self._over:
            del self._held[first]
            self._over.remove(first)
            if self._held:
                following = next(iter(self._held))
                pieces = self._held[following]
                if pieces:
                    self._write("".join(pieces))
                    pieces.clear()


class TextLines:
    """JSON lines of text, each written while it arrives: ``{"role":"assistant","content":"Hi"}``.

    A line is one block of one role. It ends with its block, and where another role has something to say: what the first
    goes on with is another line. A block that says nothing has none. The line of a block that never ended is left without
    its closing quote when the next block of its role starts.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._role: str | None = None  # of the line that is open

    def of(self, role: str) -> TextWriter:
        """What writes the text of one role."""
        return _RoleText(self, role)

    def start(self, role: str) -> None:
        """A block of ``role`` begins."""
        if self._role == role:
            self._end_line("\n")

    def delta(self, role: str, text: str) -> None:
        """More of the block of ``role``."""
        if self._role != role:
            self._end_line('"}\n')
            self._role = role
            self._write(f'{{"role":{jsontext.string_text(role)},"content":"')
        self._write(jsontext.string_text(text)[1:-1])

    def end(self, role: str) -> None:
        """The block of ``role`` is over."""
        if self._role == role:
            self._end_line('"}\n')

    def _end_line(self, tail: str) -> None:
        if self._role is not None:
            self._role = None
            self._write(tail)


class _RoleText:
    """A :class:`TextWriter` of one role."""

    def __init__(self, lines: TextLines, role: str) -> None:
        self._lines = lines
        self._role = role

    def start(self) -> None:
        self._lines.start(self._role)

    def delta(self, text: str) -> None:
        self._lines.delta(self._role, text)

    def end(self) -> None:
        self._lines.end(self._role)
