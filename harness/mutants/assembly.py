"""The core's assembly of tool calls with one rule of it broken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.mutants.base import OPENAI_CHAT, Mutant
from harness.mutants.overriding import Assembled, overriding
from streamcore.dialects.openai.chat import OpenAIChat
from streamcore.parts import ToolCall, ToolInputDelta, ToolInputEnd
from streamcore.state import Log
from streamcore.toolcalls import CallState, ToolCallAssembler

if TYPE_CHECKING:
    from harness.mutants.base import Opener
    from streamcore.parts import Part
    from streamcore.toolcalls import Reporter


class NeedsIndex(ToolCallAssembler):
    """Has no place for a delta without an index."""

    def delta(self, index: int | None, *rest: Any) -> None:
        """Nothing, without an index."""
        if index is not None:
            super().delta(index, *rest)


class IndexIsPosition(ToolCallAssembler):
    """Puts a call at the place in a list that its index says, with empty ones before it."""

    def _new_call(self, index: int | None, report: Reporter, out: list[Part]) -> int:
        while index is not None and len(self.calls) < index:
            self.calls.append(CallState(len(self.calls)))
        return super()._new_call(index, report, out)


class EmptyIdIsNew(ToolCallAssembler):
    """Asks whether there is an id, and not whether it says anything: an empty one begins another call."""

    def delta(self, index: int | None, call_id: str | None, *rest: Any) -> None:
        """At a place of its own, if the id is empty."""
        if call_id == "" and index in self.by_index:
            del self.by_index[index]
        super().delta(index, call_id, *rest)


class IdJoined(ToolCallAssembler):
    """Joins ids over deltas as it joins arguments."""

    def delta(self, index: int | None, call_id: str | None, *rest: Any) -> None:
        """As ever, and more of the id of a call that has one."""
        held = self.calls[self.by_index[index]] if index in self.by_index else None
        super().delta(index, call_id, *rest)
        if held is not None and call_id:
            held.id += call_id


class LastNameWins(ToolCallAssembler):
    """Sets the name as often as it comes: of a name in pieces the last is left."""

    def _name(self, call: CallState, name: str, report: Reporter, out: list[Part]) -> bool:
        odd = super()._name(call, name, report, out)
        call.name = name
        return odd


class NamelessGoesOut(ToolCallAssembler):
    """Hands out a call that never got a name."""

    def end(self, call: CallState, report: Reporter, out: list[Part]) -> None:
        """The call as it is."""
        if call.started:
            super().end(call, report, out)
        else:
            call.ended = True
            out.append(ToolCall(call.id, "", call.arguments.text(), choice=self.choice))


class NoIdMadeUp(ToolCallAssembler):
    """Leaves a call without an id as it came."""

    def _generate_id(self) -> str:
        return ""


class ReplayTaken(ToolCallAssembler):
    """Takes all arguments that come once more for more of them."""

    def _arguments(self, call: CallState, arguments: str, was_started: bool, report: Reporter, out: list[Part]) -> bool:
        if not (was_started and call.arguments.length == len(arguments) > 0 and call.arguments.text() == arguments):
            return super()._arguments(call, arguments, was_started, report, out)
        call.arguments = Log(call.arguments, arguments)
        out.append(ToolInputDelta(call.id, arguments, None, self.choice))
        return True


class BraceInvented(ToolCallAssembler):
    """Closes what is open in arguments that were cut: a smaller object that nobody asked for runs."""

    def end(self, call: CallState, report: Reporter, out: list[Part]) -> None:
        """The call with as many braces as it lacks."""
        super().end(call, report, out)
        last = out[-1]
        if isinstance(last, ToolCall) and last.invalid and last.input.count("{") > last.input.count("}"):
            out[-1] = ToolCall(last.tool_call_id, last.tool_name, last.input + "}", choice=self.choice)


class EndsTwice(ToolCallAssembler):
    """Ends its calls when the finish reason comes, and those that there are when the stream ends."""

    def finish(self, report: Reporter, out: list[Part]) -> None:
        """The ends, and the ends."""
        super().finish(report, out)
        out += [ToolInputEnd(call.id, choice=self.choice) for call in self.calls if call.started]


class NullIsText(OpenAIChat):
    """Writes null arguments as text."""

    def tool_call(self, choice: Any, call: dict[str, Any], out: list[Part]) -> None:
        """The element with ``"null"`` for null."""
        function = call.get("function") or {}
        if "arguments" in function and function["arguments"] is None:
            call = {**call, "function": {**function, "arguments": "null"}}
        super().tool_call(choice, call, out)


class NoFunctionCall(OpenAIChat):
    """Has forgotten ``function_call``, which is how calls came before there were several."""

    def said(self, index: int, choice: Any, wire: dict[str, Any], out: list[Part]) -> None:
        """As the core, but for the old call."""
        delta = wire.get("delta") or {}
        wire = {**wire, "delta": {key: value for key, value in delta.items() if key != "function_call"}}
        super().said(index, choice, wire, out)


def assembled(wrong: type[ToolCallAssembler]) -> dict[str, Opener]:
    """Sessions whose calls ``wrong`` puts together."""
    return overriding(type(wrong.__name__, (Assembled,), {"assembler": wrong}), OPENAI_CHAT)


MUTANTS = (
    Mutant("index-needed", "a piece of a tool call without an index is passed over", "WH-085", assembled(NeedsIndex)),
    Mutant(
        "index-is-position",
        "the index of a call is its place in a list: an index that begins at 1 makes a call of nothing",
        "WH-087",
        assembled(IndexIsPosition),
    ),
    Mutant("empty-id-is-new", "an empty id begins another call", "WH-090", assembled(EmptyIdIsNew)),
    Mutant("id-joined", "an id that is repeated with every piece is joined: aa", "WH-091", assembled(IdJoined)),
    Mutant("last-name-wins", "of a name in pieces the last piece is left", "WH-093", assembled(LastNameWins)),
    Mutant("nameless-goes-out", "a call that never got a name is handed out", "WH-094", assembled(NamelessGoesOut)),
    Mutant("no-id-made-up", "a call without an id stays without one", "WH-089", assembled(NoIdMadeUp)),
    Mutant(
        "replay-taken", "arguments that come all once more are taken for more of them", "WH-099", assembled(ReplayTaken)
    ),
    Mutant("brace-invented", "a brace is put behind arguments that were cut", "WH-103", assembled(BraceInvented)),
    Mutant(
        "calls-end-twice", "calls end with the finish reason and once more with the stream", "R3", assembled(EndsTwice)
    ),
    Mutant(
        "null-is-text", "arguments that are null become the text null", "WH-095", overriding(NullIsText, OPENAI_CHAT)
    ),
    Mutant(
        "function-call-unread",
        "function_call, the old form of a call, is not read",
        "WH-058",
        overriding(NoFunctionCall, OPENAI_CHAT),
    ),
    Mutant(
        "strict-always",
        "every leniency of a real server is an error",
        "A2",
        overriding(OpenAIChat, OPENAI_CHAT, policy="strict"),
    ),
)
