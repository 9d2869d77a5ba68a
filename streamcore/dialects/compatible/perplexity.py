"""``perplexity``: Perplexity's chat completions (Perplexity API reference, "Chat completions", streaming).

Parts equal those of ``@ai-sdk/perplexity`` on well-formed streams: the citations of the first chunk are sources, the
images and the cost are metadata of the finish. Every chunk repeats citations, search results, usage so far, and the text
so far (``message``, beside the ``delta``); the last one has the finish reason, and no ``[DONE]`` need follow.
"""

from __future__ import annotations

from typing import Any, Final

from streamcore.dialects.openai.chat import OpenAIChat
from streamcore.dialects.openai.chat_state import ChatState
from streamcore.dialects.schema import array, nullish, number, shape, string
from streamcore.dialects.timestamps import iso_timestamp
from streamcore.parts import FinishUnified, Metadata, Part, ResponseMetadata, Source, Usage
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


class PerplexityState(ChatState):
    """The stream."""

    __slots__ = ("cited", "images")

    def __init__(self) -> None:
        super().__init__()
        self.cited = False
        """The sources are out: later chunks repeat them."""
        self.images: Frozen | None = None


class Perplexity(OpenAIChat):
    """See the module's docstring."""

    name = "perplexity"
    provider = "perplexity"
    finishes = _FINISH
    says_done = False
    errors_conclude = False
    frame = OpenAIChat.frame_or_repeat
    state: PerplexityState

    def initial_state(self) -> PerplexityState:
        """Nothing seen yet."""
        return PerplexityState()

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
