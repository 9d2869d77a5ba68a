"""``gemini-generateContent`` and its kin: Gemini's ``streamGenerateContent`` (API reference, "Generating content").

Parts equal those of ``@ai-sdk/google`` on well-formed streams. What goes beyond it: candidates other than the first are
choices of their own, an error object is the provider's error wherever it stands, and Google's own call ids are used once
only.

Nothing marks the end of the stream. It is complete if every candidate gave its finish reason, or the prompt was blocked,
and the body ends with its last event; then ``finish`` comes at the end of input. (A gateway's ``[DONE]`` means nothing
more.) A body that ends before is ``incomplete_stream``.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import UNSET, to_builtins

from streamcore.dialects.base import INVALID, Dialect, StreamState
from streamcore.dialects.gemini import quick
from streamcore.dialects.gemini.content import TEXT, THOUGHT, CandidateState
from streamcore.dialects.gemini.finish import UNSPECIFIED, is_known, raw_usage, unified, usage_of
from streamcore.dialects.gemini.ids import Ids
from streamcore.dialects.gemini.quick import Quick
from streamcore.dialects.gemini.schema import CHUNK, DETAILS
from streamcore.dialects.schema import Mismatch, apart_from
from streamcore.errors import ErrorKind
from streamcore.framing.jsonarray import JsonArrayFrame, JsonArrayFramer
from streamcore.framing.sse import SseFrame
from streamcore.parts import Finish, FinishUnified, Metadata, Part, ReasoningDelta, ResponseMetadata, TextDelta
from streamcore.state import Frozen

_CHUNK_KEYS: Final = frozenset(
    ("candidates", "usageMetadata", "promptFeedback", "responseId", "modelVersion", "createTime", "modelStatus")
)
_EXCERPT: Final = 120


class GeminiState(StreamState):
    """The stream."""

    __slots__ = ("blocked", "candidates", "described", "feedback", "ids", "usage")

    def __init__(self) -> None:
        super().__init__()
        self.candidates: dict[int, CandidateState] = {}
        self.described = False
        """``response-metadata`` is out."""
        self.usage: Frozen | None = None
        self.feedback: Frozen | None = None
        """The last ``promptFeedback``."""
        self.blocked: str | None = None
        """Why the prompt was blocked; nothing after it counts."""
        self.ids = Ids()


class Gemini(Dialect):
    """See the module's docstring."""

    name = "gemini-generateContent"
    quick_depth = quick.DEPTH
    provider = "google"
    """The key of the provider's metadata."""
    state: GeminiState

    def initial_state(self) -> GeminiState:
        """Nothing seen yet."""
        return GeminiState()

    def frame(self, frame: SseFrame | JsonArrayFrame, out: list[Part]) -> None:
        """One ``GenerateContentResponse``, or an error object."""
        state = self.state
        first = state.candidates.get(0)
        # Most chunks go on with the open block or call, or hold a whole call, and say nothing else that is new.
        if (
            first is not None
            and first.finish is None
            and state.described
            and state.blocked is None
            and not state.dead
            and self.quick
        ):
            found = quick.read(frame[0], self.limits.max_json_depth)
            if found is not None and self._goes_on(found, first, frame[-1], out):
                return
        self.frame_in_full(frame, out)

    def _goes_on(self, found: Quick, candidate: CandidateState, offset: int, out: list[Part]) -> bool:
        """Takes a chunk that goes on with the open block or call, or holds a whole one; False if it does not."""
        text, is_thought, call, ratings, usage, signature = found
        if text:
            if candidate.block != (THOUGHT if is_thought else TEXT):
                return False
            out.append((ReasoningDelta if is_thought else TextDelta)(candidate.block_id, text))
        elif call is UNSET or not (candidate.calls.open or call.name):
            return False
        self.offset = offset
        if usage is not UNSET:
            self.state.usage = Frozen(usage)
        if ratings is not UNSET:
            candidate.said["safetyRatings"] = Frozen(ratings)
        if call is UNSET:
            return True
        if call.partialArgs is UNSET:
            metadata: Metadata | None = {self.provider: {"thoughtSignature": signature}} if signature else None
            whole = {"id": None if call.id is UNSET else call.id, "name": call.name, "args": call.args}
            candidate.calls.piece(whole, metadata, self, out)
        else:
            one = call.partialArgs[0] if len(call.partialArgs) == 1 and call.willContinue is True else None
            most = self.limits.max_arguments_chars
            if one is None or not candidate.calls.more(one.jsonPath, one.stringValue, most, out):
                candidate.calls.piece(to_builtins(call), None, self, out)
        return True

    def frame_in_full(self, frame: SseFrame | JsonArrayFrame, out: list[Part]) -> None:
        """The general path of :meth:`frame`."""
        data, self.offset = frame[0], frame[-1]
        if self.state.dead or data == b"[DONE]":
            return
        value = self.payload(data, out)
        if value is INVALID:
            return
        error = self.stray_error(value)
        if error is not None:
            self.provider_error(error, out)
            if isinstance(value, list) or not value.get("candidates"):
                return
        try:
            chunk, misfit = apart_from(DETAILS, CHUNK, value)
        except Mismatch as mismatch:
            self.fail(ErrorKind.INVALID_PAYLOAD, str(mismatch), out, payload=value)
            return
        if misfit:
            self.lenient("unreadable_detail", misfit, out)
        self.open(out)
        if not (value.keys() & _CHUNK_KEYS or error is not None):
            self.warn("unknown_payload", f"a chunk that holds {', '.join(sorted(value)) or 'nothing'}"[:_EXCERPT])
        self._chunk(chunk, out)

    def stray_error(self, value: Any) -> Any:
        """An error object stands alone, or in a list of one."""
        if isinstance(value, list) and len(value) == 1:
            [value] = value
        return value.get("error") if isinstance(value, dict) else None

    def _chunk(self, chunk: dict[str, Any], out: list[Part]) -> None:
        state = self.state
        if not state.described and chunk.get("responseId") is not None:
            state.described = True
            out.append(ResponseMetadata(chunk["responseId"]))
        if chunk.get("usageMetadata") is not None:
            state.usage = Frozen(chunk["usageMetadata"])
        feedback = chunk.get("promptFeedback")
        if feedback is not None and state.blocked is None:
            state.feedback = Frozen(feedback)
            if (feedback.get("blockReason") or "") not in UNSPECIFIED:
                state.blocked = feedback["blockReason"]
        for position, wire in enumerate(chunk.get("candidates") or ()):
            self._candidate(position, wire, out)

    def _candidate(self, position: int, wire: dict[str, Any], out: list[Part]) -> None:
        state = self.state
        index = wire.get("index")
        if index is None:
            index = position
        elif type(index) not in (int, float) or index != index // 1 or index < 0:
            self.lenient("choice_index_missing", "a candidate without a usable index", out)
            index = position
        choice = int(index)
        candidate = state.candidates.get(choice)
        if candidate is None:
            candidate = state.candidates[choice] = CandidateState(choice)
        candidate.keep(wire)
        if state.blocked is not None:
            return
        if candidate.finish is not None and not candidate.resumed and (wire.get("content") or {}).get("parts"):
            # Early models put a finish reason into every chunk: then nothing tells the last one from the others.
            candidate.resumed = True
            self.warn("content_after_finish", f"content after the finish reason {candidate.finish[1]}")
        candidate.read(wire, self, out)
        reason = wire.get("finishReason")
        if reason is not None and reason not in UNSPECIFIED:
            if not is_known(reason):
                self.warn("unknown_finish_reason", reason)
            candidate.finish = unified(reason, has_calls=candidate.calls.any), reason

    def take_id(self, wanted: str | None, out: list[Part]) -> str:
        """The id of a new call or source: the wire's, or one made up if it gives none or gives it twice."""
        return self.state.ids.take(wanted, self, out)

    def has_finished(self) -> bool:
        """The prompt was blocked, or every candidate gave its finish reason."""
        state = self.state
        finished = bool(state.candidates) and all(one.finish is not None for one in state.candidates.values())
        return state.blocked is not None or finished

    def end(self, out: list[Part]) -> bool:
        """The body ended, as it should: complete if everything has finished."""
        state = self.state
        if not self.has_finished() and not state.provider_failed:
            return False
        self.open(out)
        state.ended = True
        state.candidates.setdefault(0, CandidateState(0))
        # Choice 0 last: its finish carries the usage of the whole stream and ends it.
        for choice in sorted(state.candidates, key=lambda choice: (choice == 0, choice)):
            candidate = state.candidates[choice]
            if candidate.finish is not None or state.blocked is not None:
                candidate.calls.close(self, out)
            candidate.end_block(out)
            self._finish(candidate, out)
        return True

    def _finish(self, candidate: CandidateState, out: list[Part]) -> None:
        state = self.state
        word: FinishUnified = "other"
        raw: str | None = None
        if candidate.finish is not None:
            word, raw = candidate.finish
        if state.blocked is not None:
            word, raw = "content-filter", state.blocked
        if state.provider_failed:
            word = "error"
        if candidate.choice:
            out.append(Finish(word, raw, metadata={self.provider: candidate.kept()}, choice=candidate.choice))
            return
        usage = raw_usage(state.usage)
        metadata = {
            **candidate.kept(),
            "promptFeedback": state.feedback.value if state.feedback else None,
            "usageMetadata": usage,
            "serviceTier": (usage or {}).get("serviceTier"),
        }
        out.append(Finish(word, raw, usage_of(usage), {self.provider: metadata}))


class GeminiJsonArray(Gemini):
    """``gemini-generateContent-json-array``: without ``alt=sse`` the same chunks are the elements of one JSON array."""

    name = "gemini-generateContent-json-array"
    framer = JsonArrayFramer


class VertexGemini(Gemini):
    """``vertex-gemini``: Vertex AI (reference, "Method: models.streamGenerateContent"); only the metadata's key differs."""

    name = "vertex-gemini"
    provider = "vertex"


class VertexGeminiJsonArray(VertexGemini):
    """``vertex-gemini-json-array``: Vertex AI without ``alt=sse``."""

    name = "vertex-gemini-json-array"
    framer = JsonArrayFramer


class GatewayGemini(Gemini):
    """``gateway-gemini``: Gemini through a gateway that passes the bytes on."""

    name = "gateway-gemini"
