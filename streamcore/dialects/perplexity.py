"""``perplexity``: Perplexity's chat completions (Perplexity API reference, "Chat completions", streaming).

Parts equal those of ``@ai-sdk/perplexity`` on well-formed streams: the citations of the first chunk are sources, the
images and the cost are metadata of the finish. Every chunk repeats citations, search results, usage so far, and the text
so far (``message``, beside the ``delta``); the last one has the finish reason, and no ``[DONE]`` need follow.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from streamcore import jsontext
from streamcore.dialects.openai_chat import ChatState, OpenAIChat
from streamcore.dialects.schema import Mismatch, array, nullish, number, shape, string
from streamcore.dialects.timestamps import iso_timestamp
from streamcore.framing.sse import SseFrame
from streamcore.parts import Error, FinishUnified, Metadata, Part, ResponseMetadata, Source, Usage
from streamcore.state import Frozen

_COSTS: Final = {
    "input_tokens_cost": "inputTokensCost",
    "output_tokens_cost": "outputTokensCost",
    "request_cost": "requestCost",
    "total_cost": "totalCost",
}
_IMAGE: Final = {"image_url": "imageUrl", "origin_url": "originUrl", "height": "height", "width": "width"}
"""Key of the wire -> key of the metadata."""
_CHUNK: Final = shape(
    {
        "id": nullish(string),
        "created": nullish(number),
        "model": nullish(string),
        "choices": array(
            shape(
                {
                    "index": nullish(number),
                    "finish_reason": nullish(string),
                    "delta": nullish(shape({"content": nullish(string)})),
                }
            )
        ),
        "citations": nullish(array(string)),
        "images": nullish(array(shape({"image_url": string, "origin_url": string, "height": number, "width": number}))),
        "usage": nullish(
            shape(
                {
                    "prompt_tokens": number,
                    "completion_tokens": number,
                    "citation_tokens": nullish(number),
                    "num_search_queries": nullish(number),
                    "reasoning_tokens": nullish(number),
                    "cost": nullish(shape(dict.fromkeys(_COSTS, nullish(number)), loose=True)),
                },
                loose=True,
            )
        ),
    }
)
_FINISH: Final[dict[str, FinishUnified]] = {"stop": "stop", "length": "length"}
_FIRST: Final = b',"citations":'
_BEHIND: Final = (b',"object":', b',"choices":')
_decode = msgspec.json.Decoder().decode


class PerplexityState(ChatState):
    """The stream."""

    __slots__ = ("cited", "found", "images")

    def __init__(self) -> None:
        super().__init__()
        self.cited = False
        """The sources are out: later chunks repeat them."""
        self.images: Frozen | None = None
        self.found = b""
        """The citations and what stood behind them, up to the choices, in the last chunk that was read as a whole."""


class Perplexity(OpenAIChat):
    """See the module's docstring."""

    name = "perplexity"
    provider = "perplexity"
    finishes = _FINISH
    says_done = False
    state: PerplexityState

    def initial_state(self) -> PerplexityState:
        """Nothing seen yet."""
        return PerplexityState()

    def frame(self, frame: SseFrame, out: list[Part]) -> None:
        """One chunk, ``[DONE]``, or an error object."""
        data, event, _, self.offset = frame
        state = self.state
        # What was found is by far the most of a chunk, and every chunk repeats it. It was read once; the next chunks are
        # read without it, which gives the same parts (tests/streamcore proves it).
        if state.found and not event and not state.ended and not state.dead:
            before, found, behind = data.partition(state.found)
            if found and self._without_what_was_found(before, behind, out):
                return
        parts, warnings = len(out), len(self.warnings)
        self.frame_in_full(frame, out)
        sound = len(self.warnings) == warnings and not any(isinstance(part, Error) for part in out[parts:])
        state.found = _found_in(data) if sound else b""

    def _without_what_was_found(self, before: bytes, behind: bytes, out: list[Part]) -> bool:
        """Reads what stands around it; False if that is not all in order."""
        data = before + behind
        try:
            _decode(before + b"}")  # so it stood between two members of the chunk itself
            value = _decode(data)
            chunk = self.checked(value)
        except (msgspec.MsgspecError, ValueError, RecursionError, Mismatch):
            return False
        if _FIRST in data or "error" in value or "type" in value or jsontext.duplicate_key(data, value) is not None:
            return False
        self.read_chunk(chunk, out)
        return True

    def checked(self, value: Any) -> dict[str, Any]:
        """The chunk, as far as it is read."""
        chunk: dict[str, Any] = _CHUNK(value)
        return chunk

    def describe_response(self, out: list[Part]) -> None:
        """The first chunk describes the response, whatever it says."""
        state = self.state
        state.described = True
        out.append(ResponseMetadata(state.id, state.model, iso_timestamp(state.created)))

    def aside(self, chunk: dict[str, Any], out: list[Part]) -> None:
        """Citations and images."""
        state = self.state
        if not state.cited:
            state.cited = True
            for address in chunk.get("citations") or ():
                out.append(Source("url", f"source_gen_{state.sources}", address))
                state.sources += 1
        images = chunk.get("images")
        if images is not None:
            state.images = Frozen([{name: image[key] for key, name in _IMAGE.items()} for image in images])

    def metadata(self) -> Metadata | None:
        """What was searched, what it cost, which images there are."""
        state = self.state
        usage = state.usage.value if state.usage else {}
        cost = usage.get("cost")
        return {
            self.provider: {
                "usage": {
                    "citationTokens": usage.get("citation_tokens"),
                    "numSearchQueries": usage.get("num_search_queries"),
                },
                "cost": None if cost is None else {name: cost.get(key) for key, name in _COSTS.items()},
                "images": state.images.value if state.images else None,
            }
        }

    def usage(self) -> Usage:
        """Reasoning is not part of the completion."""
        if self.state.usage is None:
            return Usage()
        wire = self.state.usage.value
        reasoning = wire.get("reasoning_tokens") or 0
        return Usage(
            input_total=wire["prompt_tokens"],
            input_no_cache=wire["prompt_tokens"],
            output_total=wire["completion_tokens"] + reasoning,
            output_text=wire["completion_tokens"],
            output_reasoning=reasoning,
            raw=wire,
        )


def _found_in(data: bytes) -> bytes:
    """The members from the citations on, if the rest of the chunk says without them what it says with them."""
    start = data.find(_FIRST)
    if start < 0:
        return b""
    end = min(at for at in (*(data.find(key, start) for key in _BEHIND), len(data)) if at >= 0)
    found = data[start:end]
    try:
        removed = _decode(b"{" + found[1:] + b"}")
        rest = _decode(data[:start] + data[end:])
        return found if {**rest, **removed} == _decode(data) and not removed.keys() & rest.keys() else b""
    except (msgspec.MsgspecError, ValueError, RecursionError, TypeError):
        return b""
