"""``deepseek``: DeepSeek's own API (its reference, "Create chat completion"), as ``@ai-sdk/deepseek`` reads it.

An OpenAI-compatible server, whose row of the table says how it departs; only what the finish tells is particular:
cache hits and misses, what the chunks say they are, the log probabilities of all tokens.
"""

from __future__ import annotations

import json
from typing import Any

from streamcore.dialects.compatible.chat import CompatibleState, OpenAICompatible
from streamcore.dialects.compatible.servers import DEEPSEEK
from streamcore.parts import Metadata, Part
from streamcore.state import EMPTY_LOG, Frozen, Log

_LOGPROBS = ("content", "reasoning_content")


class DeepSeekState(CompatibleState):
    """The stream."""

    __slots__ = ("call_types", "logprobs", "told")

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[str, Frozen] = {}
        """What the chunks say of themselves; the last word counts."""
        self.call_types: dict[float, str] = {}
        self.logprobs: dict[str, Log] = {}
        """JSON text of the entries so far, each followed by a comma."""


class DeepSeek(OpenAICompatible):
    """See the module's docstring."""

    server = DEEPSEEK
    state: DeepSeekState

    def initial_state(self) -> DeepSeekState:
        """Nothing seen yet."""
        return DeepSeekState()

    def aside(self, chunk: dict[str, Any], out: list[Part]) -> None:  # noqa: ARG002 - the hook has it
        """What the chunk says it is."""
        self._tell("responseObject", chunk.get("object"))
        self._tell("systemFingerprint", chunk.get("system_fingerprint"))

    def _tell(self, name: str, value: Any) -> None:
        if value is not None:
            self.state.told[name] = Frozen(value)

    def said(self, index: int, choice: Any, wire: dict[str, Any], out: list[Part]) -> None:
        """The log probabilities of the first choice add up."""
        if index == 0:
            self._tell("choiceIndex", wire.get("index"))
            self._tell("messageRole", (wire.get("delta") or {}).get("role"))
            logprobs = wire.get("logprobs")
            told = logprobs if type(logprobs) is dict else {}
            for key in _LOGPROBS:
                for entry in told.get(key) or ():
                    log = self.state.logprobs.get(key, EMPTY_LOG)
                    self.state.logprobs[key] = log.append(json.dumps(entry) + ",")
        super().said(index, choice, wire, out)

    def tool_call(self, choice: Any, call: dict[str, Any], out: list[Part]) -> None:
        """Calls have types."""
        if call.get("type") is not None and call.get("index") is not None:
            self.state.call_types[call["index"]] = call["type"]
        super().tool_call(choice, call, out)

    def metadata(self) -> Metadata | None:
        """All that was told."""
        state = self.state
        usage = state.usage.value if state.usage else {}
        own = {
            "promptCacheHitTokens": usage.get("prompt_cache_hit_tokens"),
            "promptCacheMissTokens": usage.get("prompt_cache_miss_tokens"),
            **{name: frozen.value for name, frozen in state.told.items()},
            "toolCallTypes": [state.call_types[index] for index in sorted(state.call_types)] or None,
            "logprobs": {key: json.loads(f"[{log.text()[:-1]}]") for key, log in state.logprobs.items()} or None,
        }
        return {self.provider: {name: value for name, value in own.items() if value is not None}}
