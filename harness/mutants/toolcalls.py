"""Tool calls told apart wrongly.

:class:`Calls` is an assembly of ``tool_calls[]`` deltas as many clients write it, and right: what is planted in its
subclasses is the only defect. It takes the tool calls out of each chunk and leaves the rest to the core.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.mutants.base import OPENAI_CHAT, Mutant, Rewriting, Stage, dumped, parsed, rewriting
from streamcore.toolcalls import is_arguments_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.case import Case
    from harness.mutants.base import Opener
    from harness.subjects import PartJson


@dataclass
class Call:
    """One call that is being put together."""

    index: int
    id: str
    name: str = ""
    arguments: str = ""
    started: bool = False


class Calls:
    """The calls of one choice."""

    def __init__(self, choice: int) -> None:
        self.choice = choice
        self.calls: list[Call] = []
        self.slots: dict[int, Call] = {}
        """Index -> the call that holds it now."""

    def delta(self, wire: dict[str, Any]) -> list[PartJson]:
        """The parts that one element of ``delta.tool_calls`` completes."""
        function = wire.get("function") or {}
        call = self.slot(wire, function)
        was_started = call.started
        parts = self.named(call, function["name"]) if function.get("name") else []
        fragment = function.get("arguments")
        if fragment is not None:
            call.arguments += fragment
            if call.started and (fragment or was_started):
                parts.append(self.part("tool-input-delta", id=call.id, delta=fragment))
        return parts

    def slot(self, wire: dict[str, Any], function: dict[str, Any]) -> Call:
        """The call that the delta belongs to."""
        index = wire.get("index") or 0
        ident = wire.get("id") or ""
        call = self.slots.get(index)
        if call is None or (ident and function.get("name") and call.id and ident != call.id):
            call = self.slots[index] = Call(index, ident)
            self.calls.append(call)
        call.id = call.id or ident
        return call

    def named(self, call: Call, name: str) -> list[PartJson]:
        """The name of a call has come, perhaps not for the first time."""
        if call.started:
            return []
        call.name = name
        call.started = True
        early = [self.part("tool-input-delta", id=call.id, delta=call.arguments)] if call.arguments else []
        return [self.part("tool-input-start", id=call.id, toolName=name), *early]

    def finish(self) -> list[PartJson]:
        """The ends of all calls."""
        return [part for call in sorted(self.calls, key=lambda call: call.index) for part in self.ended(call)]

    def ended(self, call: Call) -> list[PartJson]:
        """The end of one call, and the call; an error for one that never got a name."""
        if not call.started:
            return [{"type": "error", "kind": "nameless_call", "stage": "stream", "offset": 0}]
        invalid = {} if is_arguments_text(call.arguments) else {"invalid": True}
        return [
            self.part("tool-input-end", id=call.id),
            self.part("tool-call", toolCallId=call.id, toolName=call.name, input=call.arguments, **invalid),
        ]

    def part(self, kind: str, **rest: Any) -> PartJson:
        """A part of this choice."""
        return {"type": kind, **rest, **({"choice": self.choice} if self.choice else {})}


class CallStage(Stage):
    """Puts the tool calls of ``openai-chat`` together with ``make``, one a choice."""

    def __init__(self, make: Callable[[int], Calls]) -> None:
        self._make = make
        self._choices: dict[int, Calls] = {}
        self._made: list[PartJson] = []

    def event(self, data: bytes, event: str) -> bytes | None:  # noqa: ARG002 - the signature is not ours to choose
        """The chunk without its tool calls."""
        if b'"tool_calls"' not in data:
            return None
        chunk = parsed(data)
        for choice in chunk.get("choices") or ():
            deltas = (choice.get("delta") or {}).pop("tool_calls", None)
            calls = self._calls(choice.get("index") or 0)
            for wire in deltas or ():
                self._made += calls.delta(wire)
        return dumped(chunk) if chunk else None

    def _calls(self, choice: int) -> Calls:
        if choice not in self._choices:
            self._choices[choice] = self._make(choice)
        return self._choices[choice]

    def after(self, parts: list[PartJson]) -> list[PartJson]:
        """The core's parts, then those of the calls; what ends a call comes before the finish of its choice."""
        out: list[PartJson] = []
        for part in parts:
            if part["type"] == "finish":
                out += self._calls(part.get("choice", 0)).finish()
            out.append(part)
        out += self._made
        self._made = []
        return out


class MergedByIndex(Calls):
    """Looks at the index alone: another call that comes on it is taken for more of the first."""

    def slot(self, wire: dict[str, Any], function: dict[str, Any]) -> Call:
        """Whatever holds the index."""
        held = self.slots.get(wire.get("index") or 0)
        return super().slot({**wire, "id": held.id} if held is not None and held.id else wire, function)


class SharedState(Calls):
    """Shares its calls with other streams; the end of one clears them: a cut stream leaves its calls behind."""

    def __init__(self, choice: int, calls: list[Call], slots: dict[int, Call]) -> None:
        super().__init__(choice)
        self.calls = calls
        self.slots = slots

    def finish(self) -> list[PartJson]:
        """The ends of all calls there are, whichever stream they began in."""
        parts = super().finish()
        self.calls.clear()
        self.slots.clear()
        return parts


class SharedByStreams:
    """Opens sessions that share calls as a class variable would, but not beyond the streams of one case: what is found
    in a case may not depend on what this process ran before."""

    def __init__(self) -> None:
        self._case: Case | None = None
        self._calls: list[Call] = []
        self._slots: dict[int, Call] = {}

    def __call__(self, case: Case) -> Rewriting:
        """A session on ``case``."""
        if case is not self._case:
            self._case, self._calls, self._slots = case, [], {}
        calls, slots = self._calls, self._slots
        return Rewriting(case, CallStage(lambda choice: SharedState(choice, calls, slots)))


class AppendsToLast(Calls):
    """Gives a piece of arguments to the call that was opened last, whatever its index says."""

    def slot(self, wire: dict[str, Any], function: dict[str, Any]) -> Call:
        """The last one, unless the delta opens another."""
        return self.calls[-1] if self.calls and not wire.get("id") else super().slot(wire, function)


class Concatenates(Calls):
    """Joins the name over deltas, as it joins all strings: harmless until a server repeats it with every delta."""

    def named(self, call: Call, name: str) -> list[PartJson]:
        """More of the name."""
        if not call.started:
            return super().named(call, name)
        call.name += name
        return []


class FirstCallStage(Stage):
    """Reads ``tool_calls[0]`` of each chunk."""

    def event(self, data: bytes, event: str) -> bytes | None:  # noqa: ARG002 - the signature is not ours to choose
        """The chunk with at most one tool call delta a choice."""
        if b'"tool_calls"' not in data:
            return None
        chunk = parsed(data)
        for choice in chunk.get("choices") or ():
            delta = choice.get("delta") or {}
            if delta.get("tool_calls"):
                del delta["tool_calls"][1:]
        return dumped(chunk) if chunk else None


BEYOND = frozenset({"WH-089", "WH-093", "WH-096", "WH-099", "WH-106"})
"""Hazards that :class:`Calls` gets wrong without any defect."""


def calls(make: Callable[[int], Calls]) -> dict[str, Opener]:
    """Sessions that put tool calls together with ``make``."""
    return rewriting(lambda: CallStage(make), OPENAI_CHAT)


MUTANTS = (
    Mutant(
        "calls-merged-by-index",
        "tool calls are told apart by index alone: a new id on an index in use does not open a new call",
        "WH-086",
        calls(MergedByIndex),
        beyond=BEYOND,
    ),
    Mutant(
        "calls-shared-by-streams",
        "tool calls stand in a class variable: those of a stream that was cut turn up in the next one",
        "R4",
        {OPENAI_CHAT: SharedByStreams()},
        beyond=BEYOND,
    ),
    Mutant(
        "arguments-to-last-call",
        "pieces of arguments go to the call that was opened last: interleaved parallel calls are mixed up",
        "WH-100",
        calls(AppendsToLast),
        beyond=BEYOND,
    ),
    Mutant(
        "name-concatenated",
        "the name is joined over deltas: a server that repeats it gets read_fileread_file",
        "WH-092",
        calls(Concatenates),
        beyond=BEYOND,
    ),
    Mutant(
        "first-call-only",
        "only the first element of delta.tool_calls is read",
        "WH-088",
        rewriting(FirstCallStage, OPENAI_CHAT),
    ),
)
