"""``bedrock-invoke-with-response-stream``: Amazon Bedrock's InvokeModelWithResponseStream (API reference).

Bedrock passes on what the model's own API streams: each ``chunk`` event holds one event of it in base64. Which API that
is, the first event shows, and its dialect reads the rest: Anthropic's messages (parts as those of
``@ai-sdk/amazon-bedrock/anthropic``), the events of ConverseStream from Amazon Nova, chunks of a chat completion, or text
of one of the families in :mod:`streamcore.dialects.bedrock.families`.
"""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any, Final

import msgspec

from streamcore import jsontext
from streamcore.dialects.anthropic.messages import AnthropicMessages, MessageState
from streamcore.dialects.base import INVALID, Dialect, Policy, StreamState
from streamcore.dialects.bedrock import schema as bedrock_schema
from streamcore.dialects.bedrock.converse import BedrockConverse, ConverseState
from streamcore.dialects.bedrock.families import ADDED, TRACE, CompletionState, TextCompletions, text_family
from streamcore.dialects.bedrock.stream import BedrockStream
from streamcore.dialects.compatible.chat import CompatibleState, OpenAICompatible
from streamcore.dialects.typed import excerpt
from streamcore.errors import ErrorKind
from streamcore.state import Frozen

if TYPE_CHECKING:
    from streamcore.framing.eventstream import EventStreamFrame
    from streamcore.framing.sse import SseFrame
    from streamcore.limits import Limits
    from streamcore.parts import Part


class _Chunk(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    data: bytes = msgspec.field(name="bytes")
    p: str | None = None


_decode_chunk = msgspec.json.Decoder(_Chunk).decode


class NovaEvents(BedrockConverse):
    """The events of ConverseStream, each as the only member of an object that is the data of a frame."""

    def frame(self, frame: SseFrame, out: list[Part]) -> None:  # type: ignore[override]
        """One event."""
        data, _, _, self.offset = frame
        value = self.payload(data, out)
        if value is INVALID:
            return
        if not isinstance(value, dict):
            self.fail(ErrorKind.INVALID_PAYLOAD, "an event that is no object", out, payload=value)
            return
        for name, item in value.items():
            if not name.startswith(ADDED):
                self.member(name, item, out)
        if value.get(TRACE):
            known = self.state.metadata.value if self.state.metadata else {}
            self.state.metadata = Frozen({**known, "trace": value[TRACE]})


class ChatChunks(OpenAICompatible):
    """Chunks of a chat completion, from the families that speak OpenAI's language; no ``[DONE]`` follows them."""

    provider = "bedrock"
    says_done = False


_READERS: Final[dict[type[StreamState], type[Dialect]]] = {
    MessageState: AnthropicMessages,
    ConverseState: NovaEvents,
    CompatibleState: ChatChunks,
    CompletionState: TextCompletions,
}
"""The dialect of the model's own events, by its state."""


def _state_of(event: Any) -> type[StreamState] | None:
    """The state of the dialect that ``event`` belongs to; None if it belongs to none."""
    if not isinstance(event, dict):
        return None
    if isinstance(event.get("type"), str):
        return MessageState
    if any(name in event for name in bedrock_schema.EVENTS):
        return ConverseState
    choices = event.get("choices")
    if isinstance(choices, list) and not any(isinstance(item, dict) and "text" in item for item in choices):
        return CompatibleState
    return None if text_family(event) < 0 else CompletionState


class BedrockInvoke(BedrockStream):
    """See the module's docstring.

    The state is that of the dialect that reads the model's events, from the first of them on.
    """

    name = "bedrock-invoke-with-response-stream"

    def __init__(self, policy: Policy, limits: Limits) -> None:
        super().__init__(policy, limits)
        self.policy = policy
        self.reader: Dialect | None = None

    def initial_state(self) -> StreamState:
        """Nothing seen yet."""
        return StreamState()

    def frame(self, frame: EventStreamFrame, out: list[Part]) -> None:
        """One message."""
        headers, payload, self.offset = frame
        reader = self.reader
        if reader is not None and headers.get(":event-type") == "chunk" and headers.get(":message-type") == "event":
            try:
                chunk = _decode_chunk(payload)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                chunk = None
            # As many colons as keys: neither came twice.
            if chunk is not None and not self.state.dead and payload.count(b":") == (1 if chunk.p is None else 2):
                reader.frame((chunk.data, "", None, self.offset), out)
                return
        self.frame_in_full(frame, out)

    def event(self, name: str, payload: bytes, out: list[Part]) -> None:
        """One event."""
        if name != "chunk":
            self.warn("unknown_event", excerpt(name))
            return
        value = self.payload(payload, out)
        if value is INVALID:
            return
        encoded = value.get("bytes") if isinstance(value, dict) else None
        try:
            data = b64decode(encoded, validate=True) if isinstance(encoded, str) else None
        except ValueError:
            data = None
        if data is None:
            self.fail(ErrorKind.INVALID_PAYLOAD, "a chunk without bytes in base64", out, payload=value)
            return
        if self.reader is None and not self._choose(data, out):
            return
        assert self.reader is not None  # chosen above
        self.reader.frame((data, "", None, self.offset), out)

    def _choose(self, data: bytes, out: list[Part]) -> bool:
        """Finds the dialect of the model's events by the first of them; False, with the reason reported, if none fits."""
        try:
            event = jsontext.loads(data, self.limits.max_json_depth)
        except jsontext.JsonTextError:
            self.payload(data, out)  # which says what is wrong
            return False
        kind = _state_of(event)
        if kind is None:
            self.fail(ErrorKind.INVALID_PAYLOAD, "an event of no known model family", out, payload=event)
            return False
        before = self.state
        self.state = kind()
        self.state.opened, self.state.provider_failed = before.opened, before.provider_failed
        self._link()
        return True

    def _link(self) -> None:
        """Makes the reader that the state is for go on with it."""
        reader = _READERS.get(type(self.state))
        if reader is None:
            self.reader = None
            return
        self.reader = reader(self.policy, self.limits)
        self.reader.state = self.state
        self.reader.warnings = self.warnings

    def restore(self, snapshot: tuple[Any, ...]) -> None:
        """Takes on a state that ``snapshot`` returned."""
        super().restore(snapshot)
        self._link()

    def failed(self) -> None:
        """An error of the service takes the place of an earlier stop reason."""
        if isinstance(self.reader, BedrockStream):
            self.reader.failed()

    def end(self, out: list[Part]) -> bool:
        """What the model's own events say about it."""
        if self.reader is None:
            return False
        self.reader.offset = self.offset
        return self.reader.end(out)
