"""streamcore, decoding a frame that it has met before in the same state from memory.

The framer is run, frame after frame is looked up, as :class:`streamcore.Decoder` calls its dialect. What a dialect says to a
frame should depend on its state and on that frame, and on nothing else; then such a session is told from the real one
by its speed alone. That it is so is not taken on trust. Whatever is learned is asked of a second fresh dialect, which
knows nothing but the image of the state (:attr:`Memory.confirmed` counts), and a proof that uses these sessions runs a
part of its windows on real ones (:mod:`harness.windows`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from streamcore import DIALECTS, Decoder, Snapshot
from streamcore.dialects.base import Dialect, FatalError
from streamcore.framing import FrameFailure, Framer
from streamcore.limits import Limits
from streamcore.parts import Part


class NotRepeatableError(AssertionError):
    """A dialect said two things to one frame in one state: nothing can be remembered of it."""


class Known:
    """A state of a dialect, and what it said to the frames that it met there. A memory has one for each image."""

    __slots__ = ("answers", "image")

    def __init__(self, image: Any) -> None:
        self.image = image
        """What the snapshot of the dialect gave."""
        self.answers: list[tuple[Any, list[Part], Known, bool]] = []
        """(frame, parts, state after it, whether it ended the stream); along one body there is one frame."""


class Memory:
    """What the sessions of one body have learned of their dialect, lenient and with the usual limits."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self.confirmed = 0
        """Answers that a second dialect gave again."""
        self._known: dict[Any, Known] = {}
        self.first = self.known(self._fresh().snapshot()[0])

    def known(self, image: Any) -> Known:
        """The state with that image: the same object for equal ones."""
        return self._known.setdefault(image, Known(image))

    def framer(self) -> Framer:
        """A fresh framer of the dialect."""
        return self._fresh().framer(Limits())

    def _fresh(self) -> Dialect:
        return DIALECTS[self.dialect]("lenient", Limits())

    def dialect_at(self, state: Known) -> Dialect:
        """A fresh dialect in that state."""
        dialect = self._fresh()
        dialect.restore((state.image, [], 0))
        return dialect

    def learn(self, state: Known, frame: Any) -> tuple[Any, list[Part], Known, bool]:
        """What the dialect says in ``state`` to a frame, or to the failure of the framing.

        Raises:
            NotRepeatableError: asked again, it says something else.
        """
        said, again = self._ask(state, frame), self._ask(state, frame)
        if said != again:
            raise NotRepeatableError(
                f"{self.dialect} says two things to one frame in one state: {said!r} and {again!r}"
            )
        self.confirmed += 1
        answer = (frame, *said)
        state.answers.append(answer)
        return answer

    def _ask(self, state: Known, frame: Any) -> tuple[list[Part], Known, bool]:
        dialect = self.dialect_at(state)
        parts: list[Part] = []
        fatal = False
        try:
            if isinstance(frame, FrameFailure):
                dialect.framing_failed(frame, parts)
            else:
                dialect.frame(frame, parts)
        except FatalError:
            fatal = True
        return parts, self.known(dialect.snapshot()[0]), fatal


class DecoderSession:
    """A decoder as :class:`harness.windows.PartSession` wants it: parts that are not made JSON."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._memory: Memory | None = None
        self.feed_parts = decoder.feed
        self.close_parts = decoder.close
        self.snapshot = decoder.snapshot
        self.restore = decoder.restore
        self.is_at = decoder.is_at

    def remembering(self) -> RememberingSession:
        """A session that decodes a frame from memory if it, or another that was opened here, has met it before."""
        if self._memory is None:
            self._memory = Memory(self._decoder.dialect)
        return RememberingSession(self._memory)


class RememberingSession:
    """A session that shares ``memory`` with others. Its parts are the decoder's; its snapshots are its own."""

    __slots__ = ("_framer", "_state", "memory")

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self._framer = memory.framer()
        self._state = memory.first

    def feed_parts(self, chunk: bytes) -> list[Part]:
        """As the decoder's ``feed``; an error that ends the stream ends the chunk."""
        framer = self._framer
        frames: list[Any] = framer.feed(chunk)
        failure = framer.failure
        if failure is not None:
            frames = [*frames, failure]
        return self._decode(frames) if frames else []

    def _decode(self, frames: Iterable[Any]) -> list[Part]:
        out: list[Part] = []
        for frame in frames:
            for answer in self._state.answers:
                if answer[0] == frame:
                    break
            else:
                answer = self.memory.learn(self._state, frame)
            _, parts, self._state, fatal = answer
            out += parts
            if fatal:
                break
        return out

    def stride(
        self,
        body: bytes,
        start: int,
        width: int,
        states: Sequence[tuple[Any, Known]],
        counts: Sequence[int],
        parts: Sequence[Part],
    ) -> int:
        """How many windows of a run hold (:mod:`harness.windows`): ``feed_parts`` and ``is_at``, spelt out.

        It is all that three of four windows of a certificate cost, and two calls the fewer are a tenth of it.
        """
        framer = self._framer
        feed, is_at = framer.feed, framer.is_at
        held = 0
        before = counts[0]
        for after, (framing, state) in zip(counts[1:], states, strict=False):
            end = start + width
            frames: list[Any] = feed(body[start:end])
            if frames or before != after or framer.failure is not None:
                if framer.failure is not None:
                    frames = [*frames, framer.failure]
                if self._decode(frames) != parts[before:after]:
                    break
            if self._state is not state or not is_at(framing):
                break
            before = after
            start = end
            held += 1
        return held

    def close_parts(self) -> list[Part]:
        """As the decoder's ``close``, by a real dialect."""
        dialect = self.memory.dialect_at(self._state)
        out: list[Part] = []
        with suppress(FatalError):
            dialect.close(self._framer, out)
        self._state = self.memory.known(dialect.snapshot()[0])
        return out

    def snapshot(self) -> tuple[Any, Known]:
        """Those of the framer and of the dialect."""
        return self._framer.snapshot(), self._state

    def is_at(self, snapshot: tuple[Any, Known]) -> bool:
        """Whether ``self.snapshot() == snapshot``."""
        return self._state is snapshot[1] and self._framer.is_at(snapshot[0])

    def restore(self, snapshot: tuple[Any, Known]) -> None:
        """Puts both back."""
        framer, self._state = snapshot
        self._framer.restore(framer)

    def snapshots_of(self, snapshots: Iterable[Snapshot]) -> list[tuple[Any, Known]]:
        """The snapshots that sessions of this memory have where real ones, not closed, have these."""
        out: list[tuple[Any, Known]] = []
        image = known = None
        for snapshot in snapshots:
            if known is None or snapshot.state is not image:
                image = snapshot.state
                known = self.memory.known(image)
            out.append((snapshot.framer, known))
        return out
