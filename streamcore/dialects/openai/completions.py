"""``openai-completions-legacy``: OpenAI's legacy completions (API reference, "Completions (legacy)", streaming).

Parts equal those of ``@ai-sdk/openai``'s completion model on well-formed streams: a choice has ``text`` where a chat has
a delta, and the text of the first choice opens with the stream. What goes beyond it: a choice other than 0 has its own
block; log probabilities may be null, as those of an echoed prompt's first token are.
"""

from __future__ import annotations

from typing import Any, Final

from streamcore.dialects.openai.chat import OpenAIChat
from streamcore.dialects.openai.chat_state import ChoiceState
from streamcore.dialects.schema import array, nullable, nullish, number, record, shape, string
from streamcore.dialects.timestamps import iso_timestamp
from streamcore.parts import Part, ResponseMetadata, TextDelta, TextStart, Usage

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
                    "text": nullish(string),
                    "logprobs": nullish(
                        shape(
                            {
                                "tokens": array(string),
                                "token_logprobs": array(nullable(number)),
                                "top_logprobs": nullish(array(nullable(record))),
                            }
                        )
                    ),
                }
            )
        ),
        "usage": nullish(
            shape(
                {
                    "prompt_tokens": nullish(number),
                    "completion_tokens": nullish(number),
                    "total_tokens": nullish(number),
                }
            )
        ),
    }
)


class OpenAICompletions(OpenAIChat):
    """See the module's docstring."""

    name = "openai-completions-legacy"

    def checked(self, value: Any) -> dict[str, Any]:
        """The chunk, as far as it is read."""
        chunk: dict[str, Any] = _CHUNK(value)
        return chunk

    def describe_response(self, out: list[Part]) -> None:
        """The first chunk describes the response, whatever it says, and opens the text."""
        state = self.state
        state.described = True
        out.append(ResponseMetadata(state.id, state.model, iso_timestamp(state.created)))
        self._open_text(0, state.choice(0), out)

    def _one_delta(self, *_: Any) -> bool:
        return False  # there is no delta

    def said(self, index: int, choice: Any, wire: dict[str, Any], out: list[Part]) -> None:
        """Text and its log probabilities."""
        if wire.get("logprobs") is not None and index == 0:
            self._describe("logprobs", wire["logprobs"])
        if wire.get("text"):
            self.text(index, choice, wire["text"], out)

    def text(self, index: int, choice: ChoiceState, text: str, out: list[Part]) -> None:
        """A piece of text."""
        self._open_text(index, choice, out)
        out.append(TextDelta(str(index), text, None, index))

    def _open_text(self, index: int, choice: ChoiceState, out: list[Part]) -> None:
        if not choice.text_open:
            choice.text_open = True
            out.append(TextStart(str(index), choice=index))

    def usage(self) -> Usage:
        """No details: this API predates them."""
        if self.state.usage is None:
            return Usage()
        wire = self.state.usage.value
        prompt, completion = wire.get("prompt_tokens"), wire.get("completion_tokens")
        return Usage(
            input_total=prompt,
            input_no_cache=prompt or 0,
            output_total=completion,
            output_text=completion or 0,
            raw=wire,
        )
