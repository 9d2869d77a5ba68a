"""Assembling tool calls out of deltas, for APIs that send ``tool_calls[]`` with index, id, name and argument pieces.

Which call a delta belongs to: its ``index`` if it has one, else its ``id``, else the call that was last spoken of. A
new id together with a name on an index that is taken opens a new call, and an old id on it goes on with its own: two
ids are never merged. The id is set once; name pieces join only before the first character of the arguments; arguments
are append-only and byte-exact. Nothing ends a call but :meth:`ToolCallAssembler.finish` and, where the dialect has a mark
for it, :meth:`ToolCallAssembler.end`: that the arguments happen to parse means nothing.

The rules are tables, in :mod:`streamcore.toolcall_rules`. Under policy ``strict`` the first element that breaks an
assumption ends the stream; under ``lenient`` every departure is a warning, so that none is silent, and a broken
assumption that no other departure explains is noted once a call.
"""

from __future__ import annotations

from typing import Any, Protocol

from streamcore import jsontext
from streamcore.errors import ErrorKind
from streamcore.limits import Limits
from streamcore.parts import Part, ToolCall, ToolInputDelta, ToolInputEnd, ToolInputStart
from streamcore.replays import Brackets, Replay, may_begin_again
from streamcore.state import EMPTY_LOG, Log, State
from streamcore.toolcall_rules import (
    DECREASED,
    ITEMS,
    NAMINGS,
    ORDER,
    PLACEMENTS,
    Broken,
    Fate,
    Id,
    Name,
    NameState,
    Place,
    Placement,
    Slot,
    mode_of,
    order_of,
)


class Reporter(Protocol):
    """Where leniencies and errors go: the dialect."""

    limits: Limits
    strict: bool

    def warn(self, code: str, detail: str = ...) -> None:
        """An oddity."""

    def lenient(self, code: str, detail: str, out: list[Part], kind: ErrorKind = ...) -> None:
        """A tolerated departure."""

    def fail(self, kind: ErrorKind, detail: str, out: list[Part], *, fatal: bool = ...) -> None:
        """An error that cannot be tolerated; it does not return if that ends the stream."""


class CallState(State):
    """One call that is being assembled."""

    __slots__ = ("arguments", "brackets", "ended", "id", "index", "name", "noted", "replay", "started")

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
        self.brackets: Brackets | None = None
        """Where the end of the arguments was looked for, once that was of interest."""
        self.replay: Replay | None = None
        """What follows the arguments, once they had an end and something followed."""
        self.noted: tuple[str, ...] = ()
        """Codes of the broken assumptions that were warned about."""


class ToolCallAssembler(State):
    """The calls of one choice, in order of first appearance."""

    __slots__ = ("by_id", "by_index", "calls", "choice", "generated", "highest", "last")

    def __init__(self, choice: int) -> None:
        self.choice = choice
        self.calls: list[CallState] = []
        self.by_index: dict[int, int] = {}
        """Wire index -> position in ``calls`` of the call that holds it now."""
        self.by_id: dict[str, int] = {}
        self.last = -1
        """Position of the call that was spoken of last; -1 before the first."""
        self.highest = -1
        """The highest index seen."""
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
        order = ORDER[mode_of(self.highest), order_of(index, self.highest)]
        if report.strict:
            placement = self._in_order(order, index, call_id, name, report, out)
        else:
            placement = self._placement(index, call_id, name)
        odd = bool(placement.code) and self._odd_place(placement.code, index, call_id, report, out)
        position = self._position(placement.place, index, call_id)
        if position is not None and self.calls[position].ended:
            if name is None:
                _depart("delta_after_end", f"a delta for {self.calls[position].id!r}, which has ended", report, out)
                return
            position = None
        if position is None:
            position = self._new_call(index, report, out)
        self.last = position
        call = self.calls[position]
        broken = ITEMS[(bool(call.id), bool(call.name)), (call_id is not None, name is not None)]
        if isinstance(order, Broken):
            self._note(call, order, index, report)
        if index is not None and index > self.highest:
            self.highest = index
        if call_id is not None and not call.id:
            odd |= self._identify(position, call_id, report, out)
        was_started = call.started
        if name is not None:
            odd |= self._name(call, name, report, out)
        if arguments is not None:
            odd |= self._arguments(call, arguments, was_started, report, out)
        if broken is not None and not odd:
            self._note(call, broken, index, report)

    def more(self, index: int, arguments: str, limits: Limits, out: list[Part]) -> bool:
        """One more piece of the arguments of a call that has begun, as nearly every delta is; False if it is not."""
        position = self.by_index.get(index)
        if position is None:
            return False
        call = self.calls[position]
        length, size = call.arguments.length, len(arguments)
        if not call.started or call.ended or length + size > limits.max_arguments_chars:
            return False
        if "{" in arguments:
            _look_for_replay(call, arguments)
        # What may be all the arguments once more, and what goes back to an earlier call unnoticed, is for the tables.
        if call.replay is not None or (index < self.highest and DECREASED.code not in call.noted):
            return False
        self.last = position
        call.arguments = Log(call.arguments, arguments)
        out.append(ToolInputDelta(call.id, arguments, None, self.choice))
        return True

    def _in_order(
        self,
        order: Place | Broken,
        index: int | None,
        call_id: str | None,
        name: str | None,
        report: Reporter,
        out: list[Part],
    ) -> Placement:
        """Under policy ``strict``: where an element belongs; the end of the stream if it breaks an assumption."""
        broken = order if isinstance(order, Broken) else None
        if broken is None:
            known = order is Place.LAST  # a call that has begun has both: no element went by without
            broken = ITEMS[(known, known), (call_id is not None, name is not None)]
        if broken is not None:
            report.fail(ErrorKind.TOOL_CALL_PROTOCOL, self._says(broken, index), out, fatal=True)
        return Placement(order if isinstance(order, Place) else Place.OPEN)

    def _says(self, broken: Broken, index: int | None) -> str:
        return broken.detail.format(highest=self.highest, index=index)

    def _note(self, call: CallState, broken: Broken, index: int | None, report: Reporter) -> None:
        if broken.code not in call.noted:
            call.noted = (*call.noted, broken.code)
            report.warn(broken.code, self._says(broken, index))

    def _placement(self, index: int | None, call_id: str | None, name: str | None) -> Placement:
        """Under policy ``lenient``: where an element belongs."""
        holder = None if index is None else self.by_index.get(index)
        known = None if call_id is None else self.by_id.get(call_id)
        held = "" if holder is None else self.calls[holder].id
        if index is not None:
            slot = Slot.FREE if holder is None else Slot.HELD if held else Slot.ANONYMOUS
        else:
            slot = Slot.NO_CALL if self.last < 0 else Slot.NAMED if self.calls[self.last].started else Slot.NAMELESS
        identity = Id.NONE if call_id is None else Id.OWN if call_id == held else Id.NEW if known is None else Id.OTHER
        naming = Name.NONE
        if name is not None:
            naming = Name.SAME if known is not None and name == self.calls[known].name else Name.DIFFERENT
        return PLACEMENTS[slot, identity, naming]

    def _position(self, place: Place, index: int | None, call_id: str | None) -> int | None:
        """The call at a place; None for a new one."""
        if place is Place.OPEN:
            return None
        if place is Place.SLOT and index is not None:
            return self.by_index[index]
        if place is not Place.BY_ID or call_id is None:
            return self.last
        position = self.by_id[call_id]
        if index is not None:
            self.by_index[index] = position
        return position

    def _odd_place(self, code: str, index: int | None, call_id: str | None, report: Reporter, out: list[Part]) -> bool:
        held = "" if index is None or index not in self.by_index else self.calls[self.by_index[index]].id
        details = {
            "index_missing": "a tool call delta without an index",
            "index_changed": f"call {call_id!r} goes on at index {index}",
            "id_changed": f"call {held!r} was called {call_id!r} later on",
            "index_collision": f"calls {held!r} and {call_id!r} share index {index}",
        }
        return _depart(code, details[code], report, out)

    def _new_call(self, index: int | None, report: Reporter, out: list[Part]) -> int:
        position = len(self.calls)
        if position >= report.limits.max_open_calls:
            detail = f"more than {position} tool calls in one message"
            report.fail(ErrorKind.TOOL_CALL_PROTOCOL, detail, out, fatal=True)
        self.calls.append(CallState(index))
        if index is not None:
            self.by_index[index] = position
        return position

    def _identify(self, position: int, call_id: str, report: Reporter, out: list[Part]) -> bool:
        taken = call_id in self.by_id
        if taken:
            _depart("duplicate_id", f"two calls with the id {call_id!r}; the second gets another", report, out)
            call_id = self._generate_id()
        self.calls[position].id = call_id
        self.by_id[call_id] = position
        return taken

    def _generate_id(self) -> str:
        while True:
            call_id = f"call_gen_{self.choice}_{self.generated}"
            self.generated += 1
            if call_id not in self.by_id:
                return call_id

    def _name(self, call: CallState, name: str, report: Reporter, out: list[Part]) -> bool:
        state = NameState.CLOSED if call.arguments.length else NameState.OPEN
        same = Name.SAME if name == call.name else Name.DIFFERENT
        naming = NAMINGS[state if call.started else NameState.UNKNOWN, same]
        if naming.starts:
            call.name = name
            return self._start(call, report, out)
        _depart(naming.code, f"{name!r} came after the name {call.name!r}", report, out)
        if naming.joins:
            call.name += name
        return True

    def _start(self, call: CallState, report: Reporter, out: list[Part]) -> bool:
        nameless = not call.id
        if nameless:
            _depart("id_synthesised", f"the call of {call.name!r} has no id", report, out)
            self._identify(self.last, self._generate_id(), report, out)
        call.started = True
        out.append(ToolInputStart(call.id, call.name, choice=self.choice))
        if call.arguments.length:
            out.append(ToolInputDelta(call.id, call.arguments.text(), choice=self.choice))
        return nameless

    def _arguments(self, call: CallState, arguments: str, was_started: bool, report: Reporter, out: list[Part]) -> bool:
        _look_for_replay(call, arguments)
        fate = Fate.APPEND if call.replay is None else call.replay.take(arguments)
        if fate is Fate.DROP:
            return _depart("args_replayed", f"all arguments of {call.name!r} came again", report, out)
        early = not call.started and bool(arguments)
        if early:
            _depart("arguments_before_name", "arguments came before the name of their call", report, out)
        if fate is Fate.RELEASE and call.replay is not None:
            arguments = call.replay.release() + arguments
        if fate is not Fate.HOLD:
            self._append(call, arguments, report, out, show_empty=was_started)
        return early

    def _append(self, call: CallState, piece: str, report: Reporter, out: list[Part], *, show_empty: bool) -> None:
        if call.arguments.length + len(piece) > report.limits.max_arguments_chars:
            detail = f"the arguments of {call.name!r} pass {report.limits.max_arguments_chars} characters"
            report.fail(ErrorKind.EVENT_TOO_LARGE, detail, out, fatal=True)
        call.arguments = call.arguments.append(piece)
        # The reference shows an empty piece, except beside the name.
        if call.started and (piece or show_empty):
            out.append(ToolInputDelta(call.id, piece, None, self.choice))

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
        if call.replay is not None:  # half a replay is none
            self._append(call, call.replay.release(), report, out, show_empty=False)
        if not call.started:
            report.fail(ErrorKind.NAMELESS_CALL, f"the call {call.id!r} has no name", out)
            return
        text = call.arguments.text()
        if not text.strip(jsontext.WHITESPACE):
            report.warn("empty_args", f"{call.name!r} is called without arguments, which means an empty object")
        invalid = not check_arguments(call.name, text, report, out)
        out.append(ToolInputEnd(call.id, choice=self.choice))
        out.append(ToolCall(call.id, call.name, text, choice=self.choice, invalid=invalid))


def _depart(code: str, detail: str, report: Reporter, out: list[Part]) -> bool:
    """Uses a leniency of the assembly rules; True, since it was used."""
    report.lenient(code, detail, out, ErrorKind.TOOL_CALL_PROTOCOL)
    return True


def _look_for_replay(call: CallState, piece: str) -> None:
    """Notes that the arguments of a call had an end before ``piece``, if they had and it may begin them again."""
    if call.replay is None and call.arguments.length and may_begin_again(call.arguments, piece):
        call.brackets = call.brackets or Brackets()
        if call.brackets.look(call.arguments):
            text = call.arguments.text()
            call.replay = Replay(text if is_arguments_text(text) else "")


def _present(value: str | None) -> str | None:
    return None if value is None or value == "null" or not value.strip() else value


def check_arguments(name: str, text: str, report: Reporter, out: list[Part]) -> bool:
    """Whether the final arguments of a call are what they must be; what is wrong with them is reported."""
    value = _arguments(text)
    if value is None:
        twice = unwrap_arguments(text) != text
        code = "double_encoded" if twice else "invalid_arguments"
        detail = f"the arguments of {name!r} are " + ("encoded twice" if twice else "not a JSON object")
        report.lenient(code, detail, out, ErrorKind.INVALID_ARGUMENTS)
        return False
    duplicate = jsontext.duplicate_key(_encoded(text), value)
    if duplicate is not None:
        detail = f"key {duplicate!r} twice in one object of the arguments of {name!r}"
        report.lenient("duplicate_key", detail, out, ErrorKind.INVALID_ARGUMENTS)
    return True


def is_arguments_text(text: str) -> bool:
    """Whether ``text`` can be the final arguments of a call: a JSON object, or nothing at all."""
    return _arguments(text) is not None


def unwrap_arguments(text: str) -> str:
    """The arguments inside arguments that were encoded twice: a JSON string that holds the text of a JSON object.

    Anything else is returned as it is, and nothing within the object is ever unwrapped. Nobody calls this but you: what
    a model meant is not for a decoder to guess.
    """
    stripped = text.strip(jsontext.WHITESPACE)
    if not (stripped.startswith('"') and stripped.endswith('"')):
        return text
    try:
        inner = jsontext.loads(_encoded(stripped))
    except jsontext.JsonTextError:
        return text
    is_object = isinstance(inner, str) and inner.lstrip(jsontext.WHITESPACE).startswith("{") and is_arguments_text(inner)
    return inner if is_object else text


def _arguments(text: str) -> dict[str, Any] | None:
    if not text.strip(jsontext.WHITESPACE):
        return {}
    try:
        value = jsontext.loads(_encoded(text))
    except jsontext.JsonTextError:
        return None
    return value if isinstance(value, dict) else None


def _encoded(text: str) -> bytes:
    return jsontext.utf8(text)
