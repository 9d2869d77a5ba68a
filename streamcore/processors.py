"""What is to be made of arguments that are still arriving: processors, chosen by call, by tool or by type.

A processor makes an output of the arguments so far, again and again while they grow, and is given what it made before.
The most special one that is willing gets the call: one for its id, else one for its tool, else one for its type.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

from streamcore.errors import CallerError
from streamcore.jsonstream import JsonStream

By = Literal["call_id", "tool_name", "kind"]


@dataclass(slots=True, kw_only=True)
class ArgumentsSoFar:
    """One call, as it grows. The same object every time."""

    call_id: str
    tool_name: str
    kind: str
    arguments: JsonStream
    """What was received: its value, whether it is complete, which string is open."""
    output: Any = None
    """What the processor made of it last; None before that."""


class Processor(Protocol):
    """Makes something of arguments."""

    def can_process(self, call: ArgumentsSoFar) -> bool:
        """Whether it makes anything of them yet, or ever; the next one is asked if not."""
        ...

    def process(self, call: ArgumentsSoFar) -> Any:
        """The new output; ``call.output`` is the one before it."""
        ...


class Processors:
    """Processors by what they are for, and the calls that are still growing."""

    def __init__(self) -> None:
        self._by: dict[By, dict[str, Processor]] = {by: {} for by in get_args(By)}
        self._calls: dict[str, ArgumentsSoFar] = {}

    def register(self, by: By, name: str, processor: Processor) -> None:
        """``processor`` is for the call, tool or type that is called ``name``; the one before it there is forgotten.

        Raises:
            CallerError: unknown ``by``.
        """
        if by not in self._by:
            raise CallerError(f"by: {by!r} is none of {', '.join(self._by)}")
        self._by[by][name] = processor

    def feed(self, call_id: str, text: str, *, tool_name: str = "", kind: str = "") -> Any:
        """What has become of a call now that ``text`` continues its arguments; None if no processor wants it.

        ``tool_name`` and ``kind`` count when the call is first heard of.
        """
        call = self._calls.get(call_id)
        if call is None:
            call = ArgumentsSoFar(call_id=call_id, tool_name=tool_name, kind=kind, arguments=JsonStream())
            self._calls[call_id] = call
        call.arguments.feed(text)
        for by, name in zip(self._by, (call.call_id, call.tool_name, call.kind), strict=True):
            processor = self._by[by].get(name)
            if processor is not None and processor.can_process(call):
                call.output = processor.process(call)
                return call.output
        return None

    def output(self, call_id: str) -> Any:
        """The last output of a call; None if there is none."""
        call = self._calls.get(call_id)
        return None if call is None else call.output

    def clear(self, call_id: str) -> None:
        """Forgets a call: arguments, output and the processor that is for it alone."""
        self._calls.pop(call_id, None)
        self._by["call_id"].pop(call_id, None)

    def __len__(self) -> int:
        return len(self._calls)


def derived_id(call_id: str, name: str, kind: str) -> str:
    """An id for something that a call makes, the same every time: of SHA-256 over ``call_id:name:kind`` the first 16
    bytes, written as a UUID."""
    import hashlib  # here: it loads a cryptographic library of some megabytes

    digits = hashlib.sha256(f"{call_id}:{name}:{kind}".encode("utf-8", "surrogatepass")).hexdigest()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))
