"""Assembling tool calls out of deltas, for APIs that send ``tool_calls[]`` with index, id, name and argument pieces.

Which call a delta belongs to: its ``index`` if it has one, else its ``id``, else the call that was last spoken of. A
new id together with a name on an index that is taken opens a new call, and an old id on it goes on with its own: two
ids are never merged. The id is set once; name pieces join only before the first character of the arguments; arguments
are append-only and byte-exact. Nothing ends a call but :meth:`ToolCallAssembler.finish` and, where the dialect has a mark
for it, :meth:`ToolCallAssembler.end`: that the arguments happen to parse means nothing.

Every departure from the documented behaviour that is tolerated goes through ``lenient`` (a warning, or an error under
policy ``strict``), so that none is silent.
"""

from __future__ import annotations

from typing import Any, Protocol

from streamcore import jsontext
from streamcore.errors import ErrorKind
from streamcore.limits import Limits
from streamcore.parts import Part, ToolCall, ToolInputDelta, ToolInputEnd, ToolInputStart
from streamcore.state import EMPTY_LOG, Log, State


class Reporter(Protocol):
    """Where leniencies and errors go: the dialect."""

    limits: Limits

    def lenient(self, code: str, detail: str, out: list[Part], kind: ErrorKind = ...) -> None:
        """A tolerated departure."""

    def fail(self, kind: ErrorKind, detail: str, out: list[Part], *, fatal: bool = ...) -> None:
        """An error that cannot be tolerated; it does not return if that ends the stream."""


class CallState(State):
    """One call that is being assembled."""

    __slots__ = ("arguments", "ended", "id", "index", "name", "started")

    def __init__(self, index: int | None) -> None:
        self.index = index
        self.id = ""
        """Empty until known."""
        self.name = ""
        self.arguments: Log = EMPTY_LOG
        self.started = False
        """``tool-input-start`` is out."""
        self.ended = False
        """``tool-call`` is out."""


class ToolCallAssembler(State):
    """The calls of one choice, in order of first appearance."""

    __slots__ = ("by_id", "by_index", "calls", "choice", "generated", "last")

    def __init__(self, choice: int) -> None:
        self.choice = choice
        self.calls: list[CallState] = []
        self.by_index: dict[int, int] = {}
        """Wire index -> position in ``calls`` of the call that holds it now."""
        self.by_id: dict[str, int] = {}
        self.last = -1
        """Position of the call that was spoken of last; -1 before the first."""
        self.generated = 0

    def delta(
        self,
        index: int | None,
        call_id: str | None,
        name: str | None,
        arguments: str | None,
        report: Reporter,
        out: list[Part],
    ) -> None:
        """One element of ``delta.tool_calls``. A blank id or name, or the word ``null``, counts as absent."""
        call_id = _present(call_id)
        name = _present(name)
        position = self._position(index, call_id, name, report, out)
        if position is not None and self.calls[position].ended:
            if name is None:
                _depart("delta_after_end", f"a delta for {self.calls[position].id!r}, which has ended", report, out)
                return
            position = None
        if position is None:
            position = self._new_call(index, call_id, report, out)
        self.last = position
        call = self.calls[position]
        if call_id is not None and not call.id:
            self._identify(position, call_id, report, out)
        was_started = call.started
        if name is not None:
            self._name(call, name, report, out)
        if arguments is not None:
            self._arguments(call, arguments, was_started, report, out)

    def more(self, index: int, arguments: str, limits: Limits, out: list[Part]) -> bool:
        """One more piece of the arguments of a call that has begun, as nearly every delta is; False if it is not."""
        position = self.by_index.get(index)
        if position is None:
            return False
        call = self.calls[position]
        if not call.started or call.ended or call.arguments.length + len(arguments) > limits.max_arguments_chars:
            return False
        self.last = position
        call.arguments = Log(call.arguments, arguments)
        out.append(ToolInputDelta(call.id, arguments, None, self.choice))
        return True

    def _position(
        self, index: int | None, call_id: str | None, name: str | None, report: Reporter, out: list[Part]
    ) -> int | None:
        """Which call the delta continues; None if it opens a new one."""
        if index is None:
            _depart("index_missing", "a tool call delta without an index", report, out)
            if call_id is not None:
                return self.by_id.get(call_id)
            starts = name is not None and (self.last < 0 or self.calls[self.last].started)
            return None if starts or self.last < 0 else self.last
        position = self.by_index.get(index)
        known = None if call_id is None else self.by_id.get(call_id)
        if position is None:
            if known is None or name is not None:
                return None
            _depart("index_changed", f"call {call_id!r} goes on at index {index}", report, out)
        else:
            held = self.calls[position].id
            if call_id is None or not held or call_id == held:
                return position
            if known is None and name is None:
                _depart("id_changed", f"call {held!r} was called {call_id!r} later on", report, out)
                return position
            _depart("index_collision", f"calls {held!r} and {call_id!r} share index {index}", report, out)
            if known is None or name not in (None, self.calls[known].name):
                return None
        self.by_index[index] = known
        return known

    def _new_call(self, index: int | None, call_id: str | None, report: Reporter, out: list[Part]) -> int:
        position = len(self.calls)
        if position >= report.limits.max_open_calls:
            detail = f"more than {position} tool calls in one message"
            report.fail(ErrorKind.TOOL_CALL_PROTOCOL, detail, out, fatal=True)
        self.calls.append(CallState(index))
        if call_id is not None:
            self._identify(position, call_id, report, out)
        if index is not None:
            self.by_index[index] = position
        return position

    def _identify(self, position: int, call_id: str, report: Reporter, out: list[Part]) -> None:
        if call_id in self.by_id:
            _depart("duplicate_id", f"two calls with the id {call_id!r}; the second gets another", report, out)
            call_id = self._generate_id()
        self.calls[position].id = call_id
        self.by_id[call_id] = position

    def _generate_id(self) -> str:
        while True:
            call_id = f"call_gen_{self.choice}_{self.generated}"
            self.generated += 1
            if call_id not in self.by_id:
                return call_id

    def _name(self, call: CallState, name: str, report: Reporter, out: list[Part]) -> None:
        if not call.started:
            call.name = name
            self._start(call, report, out)
        elif name == call.name:
            _depart("name_repeated", f"the name {name!r} came again", report, out)
        elif call.arguments.length == 0:
            _depart("name_fragment", f"{name!r} continues the name {call.name!r}", report, out)
            call.name += name
        else:
            _depart("name_after_arguments", f"{name!r} came after arguments of {call.name!r}", report, out)

    def _start(self, call: CallState, report: Reporter, out: list[Part]) -> None:
        if not call.id:
            _depart("id_synthesised", f"the call of {call.name!r} has no id", report, out)
            self._identify(self.last, self._generate_id(), report, out)
        call.started = True
        out.append(ToolInputStart(call.id, call.name, choice=self.choice))
        if call.arguments.length:
            out.append(ToolInputDelta(call.id, call.arguments.text(), choice=self.choice))

    def _arguments(self, call: CallState, arguments: str, was_started: bool, report: Reporter, out: list[Part]) -> None:
        if call.arguments.length + len(arguments) > report.limits.max_arguments_chars:
            detail = f"the arguments of {call.name!r} pass {report.limits.max_arguments_chars} characters"
            report.fail(ErrorKind.EVENT_TOO_LARGE, detail, out, fatal=True)
        if not call.started and arguments:
            _depart("arguments_before_name", "arguments came before the name of their call", report, out)
        call.arguments = call.arguments.append(arguments)
        # The reference shows an empty piece, except beside the name.
        if call.started and (arguments or was_started):
            out.append(ToolInputDelta(call.id, arguments, None, self.choice))

    def finish(self, report: Reporter, out: list[Part]) -> None:
        """Ends every call: by index where all calls have one, else in order of appearance."""
        calls = self.calls
        if all(call.index is not None for call in calls):
            calls = sorted(calls, key=lambda call: call.index or 0)
        for call in calls:
            if not call.ended:
                self.end(call, report, out)

    def end(self, call: CallState, report: Reporter, out: list[Part]) -> None:
        """Ends one call, where the dialect says that it is complete."""
        call.ended = True
        if not call.started:
            report.fail(ErrorKind.NAMELESS_CALL, f"the call {call.id!r} has no name", out)
            return
        text = call.arguments.text()
        invalid = not check_arguments(call.name, text, report, out)
        out.append(ToolInputEnd(call.id, choice=self.choice))
        out.append(ToolCall(call.id, call.name, text, choice=self.choice, invalid=invalid))


def _depart(code: str, detail: str, report: Reporter, out: list[Part]) -> None:
    """Uses a leniency of the assembly rules."""
    report.lenient(code, detail, out, ErrorKind.TOOL_CALL_PROTOCOL)


def _present(value: str | None) -> str | None:
    return None if value is None or value == "null" or not value.strip() else value


def check_arguments(name: str, text: str, report: Reporter, out: list[Part]) -> bool:
    """Whether the final arguments of a call are what they must be; what is wrong with them is reported."""
    value = _arguments(text)
    if value is None:
        detail = f"the arguments of {name!r} are not a JSON object"
        report.lenient("invalid_arguments", detail, out, ErrorKind.INVALID_ARGUMENTS)
        return False
    duplicate = jsontext.duplicate_key(_encoded(text), value)
    if duplicate is not None:
        detail = f"key {duplicate!r} twice in one object of the arguments of {name!r}"
        report.lenient("duplicate_key", detail, out, ErrorKind.INVALID_ARGUMENTS)
    return True


def is_arguments_text(text: str) -> bool:
    """Whether ``text`` can be the final arguments of a call: a JSON object, or nothing at all."""
    return _arguments(text) is not None


def _arguments(text: str) -> dict[str, Any] | None:
    if not text.strip(jsontext.WHITESPACE):
        return {}
    try:
        value = jsontext.loads(_encoded(text))
    except jsontext.JsonTextError:
        return None
    return value if isinstance(value, dict) else None


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
