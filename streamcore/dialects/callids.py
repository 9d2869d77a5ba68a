"""The ids of a stream's tool calls, each given out once (V7)."""

from __future__ import annotations

from typing import Any, ClassVar

from streamcore.parts import Part
from streamcore.state import State
from streamcore.toolcalls import Reporter


def stated(name: str | None) -> str | None:
    """A name as the wire has it; None for what stands for none there (V5): null, "" and "null"."""
    return None if name in (None, "", "null") else name


class CallIds(State):
    """Those that are taken."""

    __slots__ = ("generated", "taken")
    prefix: ClassVar = "call_gen_"
    """What ids begin with that the wire did not give."""

    def __init__(self) -> None:
        self.taken: dict[str, Any] = {}
        """Id -> what the dialect notes of its call: at first the name."""
        self.generated = 0

    def give(self, wire: str | None, name: str, report: Reporter, out: list[Part]) -> str:
        """The id of a new call: the wire's, unless there is none or another call has it."""
        if not wire or wire == "null":
            report.lenient("id_synthesised", f"the call of {name!r} has no id", out)
        elif wire in self.taken:
            report.lenient("duplicate_id", f"two calls with the id {wire!r}; the second gets another", out)
        else:
            self.taken[wire] = name
            return wire
        return self.make_up(name)

    def make_up(self, name: str = "") -> str:
        """An id that no call has."""
        while True:
            made_up = f"{self.prefix}{self.generated}"
            self.generated += 1
            if made_up not in self.taken:
                self.taken[made_up] = name
                return made_up
