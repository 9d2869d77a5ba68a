"""What every dialect does alike: opening, warning, failing, and ending a stream.

A dialect reads frames and appends parts. Its mutable state is one :class:`~streamcore.state.State`; what it has already
emitted is not state. Three rules are kept here for all of them:

* A stream that ends before its dialect's terminal mark ends with an ``incomplete_stream`` error and never with a
  ``finish`` (a provider's own error counts as an explanation, so none is added).
* An error before any other part has stage ``open``: the request failed as a whole.
* Policy ``strict`` turns every leniency and every error into the end of the stream.

A fatal error is always the last part: reporting it leaves the dialect through :class:`FatalError`, so that nothing that
the same frame said further on can follow it.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar, Literal, get_args

from streamcore import jsontext
from streamcore.errors import ABSENT, ErrorKind, ErrorStage, Warning, WireError
from streamcore.framing import FrameFailure, Framer
from streamcore.framing.sse import SseFramer
from streamcore.limits import Limits
from streamcore.parts import Error, FinishUnified, Part, StreamStart
from streamcore.state import State, capture, reinstate

Policy = Literal["lenient", "strict"]
POLICIES: tuple[str, ...] = get_args(Policy)
INVALID = object()
"""What :meth:`Dialect.payload` returns when the frame held no JSON value; the error is already reported."""

_EXCERPT = 120


class FatalError(Exception):
    """A fatal ``error`` part is out. :class:`streamcore.Decoder` ends here; nobody else sees this exception."""


class StreamState(State):
    """How far the stream as a whole has come."""

    __slots__ = ("dead", "ended", "opened", "provider_failed")

    def __init__(self) -> None:
        self.opened = False
        """``stream-start`` is out."""
        self.ended = False
        """The terminal mark was seen and ``finish`` is out."""
        self.dead = False
        """A fatal error is out; nothing follows."""
        self.provider_failed = False
        """The provider reported an error of its own."""


class Dialect:
    """Base of the dialects: frames with JSON payloads in, parts out."""

    name: ClassVar[str]
    framer: ClassVar[type[Framer]] = SseFramer
    quick_depth: ClassVar[int] = 0
    """How deep the payloads nest that the dialect reads on a quick path, if it has one."""
    state: StreamState

    def __init__(self, policy: Policy, limits: Limits) -> None:
        self.strict = policy == "strict"
        self.limits = limits
        self.quick = limits.max_json_depth >= self.quick_depth
        """False sends every frame the general way: the quick one does not look how deep a payload nests."""
        self.warnings: list[Warning] = []
        self.offset = 0
        """End of the frame that is being read."""
        self.state = self.initial_state()

    def initial_state(self) -> StreamState:
        """The state before the first frame."""
        raise NotImplementedError

    def frame(self, frame: Any, out: list[Part]) -> None:
        """Appends to ``out`` the parts that ``frame``, which is what the dialect's framer gives, completes."""
        raise NotImplementedError

    def has_finished(self) -> bool:
        """Whether the payload itself said that it is complete; False where only the terminal mark says so."""
        return False

    def end(self, out: list[Part]) -> bool:
        """At the end of input without a terminal mark: appends what may still be said.

        Returns True if the stream is complete nevertheless (a finish reason was seen), False if it was cut.
        """
        raise NotImplementedError

    def close(self, framer: Framer, out: list[Part]) -> None:
        """End of input: the unterminated frame, text outside any frame, and the verdict on completeness."""
        state = self.state
        residual = framer.close()
        self.offset = framer.offset
        if state.dead:
            return
        empty = framer.frames == 0 and residual is None
        if residual is not None:
            self._residual(residual, out)
        elif framer.truncated and not state.ended and not state.provider_failed:
            self.truncated(out)
        if not state.ended:
            self._stray_text(framer.stray.strip(), empty, out)
        if not state.ended and not self.end(out) and not state.provider_failed:
            self._incomplete("no event at all" if empty else "no terminal event", out)

    def _residual(self, frame: Any, out: list[Part]) -> None:
        """The last frame, which the end of input left unterminated."""
        state = self.state
        data = frame[0]
        if data.rstrip() == b"[DONE]":  # what follows it on its line cannot be told from the line end that is missing
            data = b"[DONE]"
            frame = (data, *frame[1:])
        # A bare number is whole at any of its digits, and the next one would have made it another.
        if self._is_whole(data) and not data[-1:].isdigit():
            if not state.ended:
                detail = "the last event has no blank line after it"
                self.lenient("unterminated_event", detail, out, ErrorKind.INCOMPLETE_STREAM)
            # A [DONE] without a blank line may be the beginning of something longer: by itself it ends nothing.
            if data != b"[DONE]" or self.has_finished():
                self.frame(frame, out)
        elif not state.ended and not state.provider_failed:
            self._incomplete("the body ends inside an event", out)

    def truncated(self, out: list[Part]) -> None:
        """The wire format itself is not at its end, and nothing of what it lacks can be read."""
        self._incomplete("the body ends inside a frame", out)

    def framing_failed(self, failure: FrameFailure, out: list[Part]) -> None:
        """The bytes cannot be framed any further."""
        # A body that is no stream at all may say why, but only all of its text can be read: ``close`` looks at it.
        if failure.kind is not ErrorKind.NOT_AN_EVENT_STREAM:
            self.fail(failure.kind, failure.detail, out, offset=failure.offset, fatal=True)

    def stray_error(self, value: Any) -> Any:
        """The provider's error in a JSON value that came outside any frame; None if it is none."""
        return value.get("error") if isinstance(value, dict) else None

    def _is_whole(self, data: bytes) -> bool:
        if data == b"[DONE]":
            return True
        try:
            jsontext.loads(data, self.limits.max_json_depth)
        except jsontext.JsonTextError:
            return False
        return True

    def _incomplete(self, detail: str, out: list[Part]) -> None:
        self.fail(ErrorKind.INCOMPLETE_STREAM, detail, out, stage=ErrorStage.CLOSE, fatal=True)

    def _stray_text(self, stray: bytes, empty: bool, out: list[Part]) -> None:
        """A bare JSON error behind the events, or a body that is no event stream at all."""
        if not stray:
            return
        # llama.cpp's server says what went wrong in a field named error, which SSE has clients ignore.
        field = stray.startswith(b"error:")
        try:
            value = jsontext.loads(stray.removeprefix(b"error:"), self.limits.max_json_depth)
        except jsontext.JsonTextError:
            value = None
        error = self.stray_error(value)
        if error is None and field and isinstance(value, dict):
            error = value
        if error is not None:
            self.provider_error(error, out)
        elif empty:
            text = stray[:_EXCERPT].decode("utf-8", "replace")
            compressed = " (gzip data)" if stray.startswith(b"\x1f\x8b") else ""
            self.fail(
                ErrorKind.NOT_AN_EVENT_STREAM,
                f"the body holds no event; it begins with {json.dumps(text)}{compressed}",
                out,
                stage=ErrorStage.OPEN,
                fatal=True,
            )
        else:
            text = stray[:_EXCERPT].decode("utf-8", "replace")
            self.warn("stray_text", f"text outside any event: {json.dumps(text)}")

    def payload(self, data: bytes, out: list[Part]) -> Any:
        """The JSON value of a frame, or :data:`INVALID` with the reason reported."""
        if not data:
            self.lenient("empty_data", "an event with empty data", out)
            return INVALID
        try:
            value = jsontext.loads(data, self.limits.max_json_depth)
        except jsontext.JsonTextError as error:
            text = data.decode("utf-8", "replace")
            self.fail(ErrorKind.MALFORMED_JSON, str(error), out, payload=text)
            return INVALID
        duplicate = jsontext.duplicate_key(data, value)
        if duplicate is not None:
            self.lenient("duplicate_key", f"key {json.dumps(duplicate)} twice in one object", out)
        if "\ufffd" in (text := data.decode("utf-8", "replace")) and text.encode() != data:
            self.lenient("invalid_utf8", "bytes that are not UTF-8 were read as U+FFFD", out, ErrorKind.INVALID_UTF8)
        return value

    def open(self, out: list[Part]) -> None:
        """Emits ``stream-start`` unless it is out already."""
        if not self.state.opened:
            self.state.opened = True
            out.append(StreamStart())

    def warn(self, code: str, detail: str = "") -> None:
        """Notes an oddity at the current frame; the stream goes on under either policy."""
        self.warnings.append(Warning(code, self.offset, detail))

    def lenient(self, code: str, detail: str, out: list[Part], kind: ErrorKind = ErrorKind.INVALID_PAYLOAD) -> None:
        """Uses a leniency: a warning, or under policy ``strict`` a fatal error of ``kind``."""
        if self.strict:
            stage = ErrorStage.CLOSE if kind is ErrorKind.INCOMPLETE_STREAM else None
            self.fail(kind, f"{code}: {detail}", out, stage=stage, fatal=True)
        else:
            self.warn(code, detail)

    def provider_error(self, payload: Any, out: list[Part], detail: str = "") -> None:
        """The provider reported an error; before any other part it is the failure of the whole request."""
        self.state.provider_failed = True
        message = payload.get("message") if isinstance(payload, dict) else payload
        detail = message if isinstance(message, str) else detail
        if self.state.opened:
            self.fail(ErrorKind.PROVIDER, detail, out, payload=payload)
        else:
            self.fail(ErrorKind.PROVIDER, detail, out, payload=payload, stage=ErrorStage.OPEN, fatal=True)

    def concluded(self, unified: FinishUnified) -> FinishUnified:
        """``unified``, but for a ``stop``: after an error of the provider's own no stream ended as it should (V19)."""
        return "error" if unified == "stop" and self.state.provider_failed else unified

    def fail(
        self,
        kind: ErrorKind,
        detail: str,
        out: list[Part],
        *,
        payload: Any = ABSENT,
        stage: ErrorStage | None = None,
        offset: int | None = None,
        fatal: bool = False,
    ) -> None:
        """Emits an ``error`` part; ``fatal`` (always, under policy ``strict``) makes it the last one.

        Raises:
            FatalError: it is the last one.
        """
        if self.state.dead:
            return
        if stage is not ErrorStage.OPEN:
            self.open(out)
        at = self.offset if offset is None else offset
        out.append(Error(WireError(kind, stage or ErrorStage.STREAM, at, detail, payload)))
        if fatal or self.strict:
            self.state.dead = True
            raise FatalError

    def snapshot(self) -> tuple[Any, ...]:
        """The state as a hashable image, and the warnings so far as (list, length)."""
        return capture(self.state), self.warnings, len(self.warnings)

    def restore(self, snapshot: tuple[Any, ...]) -> None:
        """Takes on a state that ``snapshot`` returned."""
        image, warnings, count = snapshot
        self.state = reinstate(image)
        # The list is append-only and never shared by two writers: the snapshot's owner may have gone on appending.
        self.warnings = warnings[:count]
