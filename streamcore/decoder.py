"""The decoder: body bytes in, parts out, and the message they add up to.

>>> decoder = Decoder("openai-chat")
>>> for chunk in chunks:
...     for part in decoder.feed(chunk):
...         ...
>>> decoder.close()
>>> decoder.message.text
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

from streamcore.dialects import DIALECTS
from streamcore.dialects.base import POLICIES, FatalError, Policy
from streamcore.errors import CallerError, Warning
from streamcore.limits import Limits
from streamcore.message import Message, MessageAssembler
from streamcore.parts import Part

_FOLD_EVERY = 4096
"""Parts that are kept before they are folded into the message: memory grows with the text and not with the parts."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole state of a decoder at one byte. Two are equal when the decoders would go on alike.

    What has been emitted is not state: it travels along, so that ``restore`` brings the message and the warnings back,
    but takes no part in equality or hash.
    """

    dialect: str
    policy: str
    closed: bool
    framer: tuple[Any, ...]
    state: Any
    emitted: tuple[Any, ...] = field(compare=False, repr=False)


class Decoder:
    """One stream of one provider dialect.

    Args:
        dialect: a name from :data:`streamcore.DIALECTS`, such as ``"anthropic-messages"``.
        policy: ``"lenient"`` notes tolerated oddities in :attr:`warnings`; ``"strict"`` makes the first one a fatal
            error.
        limits: bounds on what the stream may make us hold.
        assemble: False keeps nothing for :attr:`message`, so that memory stays flat however long the stream.

    Raises:
        CallerError: unknown dialect or policy.
    """

    def __init__(
        self, dialect: str, *, policy: Policy = "lenient", limits: Limits | None = None, assemble: bool = True
    ) -> None:
        if dialect not in DIALECTS:
            raise CallerError(f"unknown dialect {dialect!r}; known: {', '.join(sorted(DIALECTS))}")
        if policy not in POLICIES:
            raise CallerError(f"unknown policy {policy!r}; known: {', '.join(POLICIES)}")
        limits = limits or Limits()
        self.dialect = dialect
        self.policy = policy
        self._dialect = DIALECTS[dialect](policy, limits)
        self._framer = self._dialect.framer(limits)
        self._closed = False
        # What the dialect's snapshot gave, until the dialect is called again: most bytes complete no frame.
        self._image: tuple[Any, ...] | None = None
        self._assembler: MessageAssembler | None = MessageAssembler() if assemble else None
        self._folded: Any = None  # image of the assembler after the parts that are no longer in _recent
        self._recent: list[Part] = []

    @property
    def warnings(self) -> list[Warning]:
        """The oddities seen so far, in order."""
        return list(self._dialect.warnings)

    @property
    def offset(self) -> int:
        """Bytes fed so far."""
        return self._framer.offset

    @property
    def frames(self) -> int:
        """Frames completed so far."""
        return self._framer.frames

    def feed(self, chunk: bytes) -> list[Part]:
        """The parts that ``chunk`` completes. An empty chunk is a no-op.

        Raises:
            CallerError: the decoder was closed, or ``chunk`` is not bytes.
        """
        if self._closed:
            raise CallerError("feed() after close()")
        if not isinstance(chunk, bytes):
            raise CallerError(f"feed() takes bytes, not {type(chunk).__name__}")
        frames = self._framer.feed(chunk)
        failure = self._framer.failure
        if not frames and failure is None:
            return []
        self._image = None
        out: list[Part] = []
        read = self._dialect.frame
        try:
            for frame in frames:
                read(frame, out)
            if failure is not None:
                self._dialect.framing_failed(failure, out)
        except FatalError:  # suppress() would cost as much as a frame
            pass
        if self._assembler is not None and out:
            self._keep(out)
        return out

    def close(self) -> list[Part]:
        """End of input: the rest of the parts. Closing twice is harmless."""
        if self._closed:
            return []
        self._closed = True
        self._image = None
        out: list[Part] = []
        with suppress(FatalError):
            self._dialect.close(self._framer, out)
        if self._assembler is not None:
            self._keep(out)
        return out

    @property
    def message(self) -> Message:
        """The message so far.

        Raises:
            CallerError: the decoder was made with ``assemble=False``.
        """
        if self._assembler is None:
            raise CallerError("a decoder with assemble=False keeps no message")
        self._fold()
        return self._assembler.message()

    def _keep(self, parts: list[Part]) -> None:
        self._recent += parts
        if len(self._recent) >= _FOLD_EVERY:
            self._fold()

    def _fold(self) -> None:
        assembler = cast("MessageAssembler", self._assembler)
        assembler.add(self._recent)
        self._folded = assembler.snapshot()
        # A new list: snapshots may still point at the old one.
        self._recent = []

    def snapshot(self) -> Snapshot:
        """The whole state: hashable, comparable, O(open frame + open arguments' bookkeeping)."""
        state, warnings, count = self._state()
        recent = None if self._assembler is None else self._recent
        return Snapshot(
            self.dialect,
            self.policy,
            self._closed,
            self._framer.snapshot(),
            state,
            (warnings, count, self._folded, recent, len(self._recent)),
        )

    def is_at(self, snapshot: Snapshot) -> bool:
        """Whether ``self.snapshot() == snapshot``, for less: a proof asks this millions of times.

        What was found equal takes the place of our own image, so that the next comparison is one of identity.
        """
        if not self._framer.is_at(snapshot.framer) or self._closed is not snapshot.closed:
            return False
        image = self._image or self._state()
        state = snapshot.state
        if image[0] is state:
            return True
        if image[0] != state or (self.dialect, self.policy) != (snapshot.dialect, snapshot.policy):
            return False
        self._image = (state, *image[1:])
        return True

    def _state(self) -> tuple[Any, ...]:
        """The dialect's snapshot, made anew only if the dialect was called since the last one."""
        if self._image is None:
            self._image = self._dialect.snapshot()
        return self._image

    def restore(self, snapshot: Snapshot) -> None:
        """Takes on the state of ``snapshot``, which any decoder of the same dialect and policy may have made.

        Raises:
            CallerError: the snapshot is of another dialect or policy, or of a decoder that kept no message.
        """
        if (snapshot.dialect, snapshot.policy) != (self.dialect, self.policy):
            raise CallerError(
                f"a snapshot of {snapshot.dialect} ({snapshot.policy}) does not fit {self.dialect} ({self.policy})"
            )
        warnings, count, folded, recent, recent_count = snapshot.emitted
        if self._assembler is not None and recent is None:
            raise CallerError("a snapshot of a decoder with assemble=False brings no message")
        self._closed = snapshot.closed
        self._framer.restore(snapshot.framer)
        self._image = None
        self._dialect.restore((snapshot.state, warnings, count))
        if self._assembler is not None:
            self._folded = folded
            self._recent = recent[:recent_count]
            self._assembler = MessageAssembler()
            if folded is not None:
                self._assembler.restore(folded)
