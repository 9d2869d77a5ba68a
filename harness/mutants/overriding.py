"""The core itself with one method of it overridden: a wrong framer, dialect or assembler.

:func:`overriding` puts a class in front of a dialect's own, so that what the class defines wins and everything else is
the core's. A mutant of this kind is such a class with one method::

    class NoExceptions(BedrockStream):
        def _exception(self, name, payload, out): ...

    overriding(NoExceptions, "bedrock-converse-stream")

:func:`framing` does so for a wrong framer. Two such classes carry others: :class:`Values` sees the JSON of each frame before
the dialect does, in whatever framing it comes; :class:`Assembled` has a wrong assembler of tool calls. With nothing
overridden the parts are the core's; ``tests/harness/test_mutants.py`` proves it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from harness.case import Case
from harness.mutants.base import Opener, dumped, parsed
from harness.subjects import PartJson
from streamcore import DIALECTS, Decoder
from streamcore.dialects.base import Dialect, Policy
from streamcore.dialects.openai.chat import OpenAIChat
from streamcore.dialects.openai.chat_state import ChatState, ChoiceState
from streamcore.framing import Framer
from streamcore.limits import Limits
from streamcore.parts import Part
from streamcore.toolcalls import ToolCallAssembler

GONE = object()
"""What a stage returns for a frame that the dialect does not get to see."""


class _Decoder(Decoder):
    """A decoder with a dialect of another class than the one of that name."""

    def __init__(self, dialect: type[Dialect], policy: Policy, limits: Limits) -> None:
        super().__init__(dialect.name, policy=policy, limits=limits, assemble=False)
        self._dialect = dialect(policy, limits)
        self._framer = self._dialect.framer(limits)


class Overridden:
    """A session of the core with a dialect of another class. Without snapshots: a mutant's own state is not in them."""

    def __init__(self, dialect: type[Dialect], policy: Policy = "lenient", limits: Limits | None = None) -> None:
        self._decoder = _Decoder(dialect, policy, limits or Limits())

    def feed(self, chunk: bytes) -> list[PartJson]:
        """As the decoder's, as JSON."""
        return [part.as_json() for part in self._decoder.feed(chunk)]

    def close(self) -> list[PartJson]:
        """As the decoder's, as JSON."""
        return [part.as_json() for part in self._decoder.close()]

    @property
    def frames(self) -> int:
        """Frames completed so far."""
        return self._decoder.frames


def overriding(
    wrong: type[Dialect], *dialects: str, policy: Policy = "lenient", limits: Limits | None = None
) -> dict[str, Opener]:
    """Sessions of dialects in which what ``wrong`` defines is in the place of their own."""
    return {name: _opener(_merged(wrong, DIALECTS[name]), policy, limits) for name in dialects}


def _merged(wrong: type[Dialect], right: type[Dialect]) -> type[Dialect]:
    # A base of the right one stands behind it in the order of lookup: it cannot be put in front, and need not be.
    return right if wrong in right.__mro__ else type(wrong.__name__, (wrong, right), {})


def _opener(dialect: type[Dialect], policy: Policy, limits: Limits | None) -> Callable[[Case], Overridden]:
    return lambda _: Overridden(dialect, policy, limits)


def framing(wrong: type[Framer], *dialects: str) -> dict[str, Opener]:
    """Sessions of dialects whose framer is ``wrong``."""
    return overriding(type(wrong.__name__, (Dialect,), {"framer": wrong}), *dialects)


class Values(Dialect):
    """Sees the JSON object of each frame before the dialect does; this one leaves all as they are."""

    def frame(self, frame: Any, out: list[Part]) -> None:
        """One frame, changed or not."""
        # A frame of AWS begins with its headers, any other with its data.
        at = 1 if isinstance(frame[0], Mapping) else 0
        changed = self.value(parsed(frame[at]), str(frame[0].get(":event-type", "")) if at else "")
        if changed is None:
            super().frame(frame, out)
        elif changed is not GONE:
            super().frame((*frame[:at], dumped(changed), *frame[at + 1 :]), out)

    def value(self, value: dict[str, Any], name: str) -> Any:  # noqa: ARG002 - the signature is not ours to choose
        """What becomes of a value, an empty object if the frame holds none: another value, :data:`GONE`, or None for no
        change. ``name`` is what AWS calls the event; elsewhere empty.
        """
        return None


class Assembled(OpenAIChat):
    """A dialect of the chat family whose tool calls are put together by ``assembler``; this one's is the core's."""

    assembler: ClassVar[type[ToolCallAssembler]] = ToolCallAssembler

    def initial_state(self) -> ChatState:
        """The core's, with other calls in every choice."""
        assembler = self.assembler

        class State(ChatState):
            __slots__ = ()

            def new_choice(self, index: int) -> ChoiceState:
                choice = super().new_choice(index)
                choice.tools = assembler(index)
                return choice

        return State()
