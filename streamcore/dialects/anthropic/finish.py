"""How an Anthropic message ended: stop reason, usage and the rest of its metadata (API reference, "Messages", response
fields; "Context editing"; "Compaction").

``message_start`` says the first half, each ``message_delta`` more. A later figure replaces an earlier one. Nothing is
summed but the iterations of one message, as the documentation of ``usage.iterations`` asks for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from streamcore.parts import Finish, FinishUnified, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streamcore.dialects.base import Dialect

STOP_REASONS: Final[dict[str, FinishUnified]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "tool_use": "tool-calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content-filter",
    "compaction": "other",
}
"""The documented stop reasons; any other is ``other``."""

Number = int | float


@dataclass(frozen=True, slots=True)
class Ending:
    """What has been said so far about the end of one message."""

    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: dict[str, Any] | None = None
    input_tokens: Number = 0
    output_tokens: Number = 0
    thinking_tokens: Number | None = None
    cache_read: Number = 0
    cache_write: Number = 0
    cache_write_said: Number | None = None
    """``cache_write``, or None where the provider did not say."""
    iterations: list[dict[str, Any]] | None = None
    raw_usage: dict[str, Any] | None = None
    container: dict[str, Any] | None = None
    context_management: dict[str, Any] | None = None
    input_transformations: list[dict[str, Any]] | None = None

    def started(self, message: Mapping[str, Any]) -> Ending:
        """With the ``message`` of ``message_start``."""
        usage = message.get("usage")
        ending = self
        if usage is not None:
            written = usage.get("cache_creation_input_tokens")
            ending = replace(
                ending,
                input_tokens=usage["input_tokens"],
                cache_read=usage.get("cache_read_input_tokens") or 0,
                cache_write=written or 0,
                cache_write_said=written,
                raw_usage=usage,
            )
        container = message.get("container")
        if container is not None:
            ending = replace(ending, container=_container(container))
        return replace(
            ending,
            stop_reason=_later(message.get("stop_reason"), ending.stop_reason),
            input_transformations=_later(message.get("input_transformations"), ending.input_transformations),
        )

    def continued(self, event: Mapping[str, Any]) -> Ending:
        """With a ``message_delta``."""
        delta = event["delta"]
        container = delta.get("container")
        ending = self if event.get("usage") is None else self._counted(event["usage"])
        return replace(
            ending,
            stop_reason=delta.get("stop_reason"),
            stop_sequence=delta.get("stop_sequence"),
            stop_details=_stop_details(delta.get("stop_details")),
            container=None if container is None else _container(container),
            context_management=_later(_context_management(event.get("context_management")), self.context_management),
            input_transformations=_later(event.get("input_transformations"), self.input_transformations),
        )

    def _counted(self, usage: Mapping[str, Any]) -> Ending:
        details = usage.get("output_tokens_details")
        written = usage.get("cache_creation_input_tokens")
        return replace(
            self,
            input_tokens=_later(usage.get("input_tokens"), self.input_tokens),
            output_tokens=usage["output_tokens"],
            thinking_tokens=self.thinking_tokens if details is None else details.get("thinking_tokens"),
            cache_read=_later(usage.get("cache_read_input_tokens"), self.cache_read),
            cache_write=_later(written, self.cache_write),
            cache_write_said=_later(written, self.cache_write_said),
            iterations=_later(usage.get("iterations"), self.iterations),
            raw_usage={**(self.raw_usage or {}), **usage},
        )

    def finish(self, report: Dialect) -> Finish:
        """The ``finish`` part."""
        metadata: dict[str, Any] = {
            "usage": self.raw_usage,
            "cacheCreationInputTokens": self.cache_write_said,
            "stopSequence": self.stop_sequence,
            "iterations": None if self.iterations is None else [_iteration(item) for item in self.iterations],
            "container": self.container,
            "contextManagement": self.context_management,
        }
        if self.stop_details is not None:
            metadata["stopDetails"] = self.stop_details
        if self.input_transformations is not None:
            metadata["inputTransformations"] = self.input_transformations
        unified = report.concluded(STOP_REASONS.get(self.stop_reason or "", "other"))
        return Finish(unified, self.stop_reason, self._usage(), {"anthropic": metadata})

    def _usage(self) -> Usage:
        inputs, outputs = self.input_tokens, self.output_tokens
        iterations = self.iterations or []
        # The totals leave compaction out. An advisor bills at its own rate and stays out; where a fallback model served
        # the answer, the totals already are its own.
        billed = [item for item in iterations if item["type"] in ("compaction", "message")]
        if billed and all(item["type"] != "fallback_message" for item in iterations):
            inputs = sum(item["input_tokens"] for item in billed)
            outputs = sum(item["output_tokens"] for item in billed)
        thinking = self.thinking_tokens
        return Usage(
            input_total=inputs + self.cache_write + self.cache_read,
            input_no_cache=inputs,
            input_cache_read=self.cache_read,
            input_cache_write=self.cache_write,
            output_total=outputs,
            output_text=None if thinking is None else outputs - thinking,
            output_reasoning=thinking,
            raw=_NO_USAGE if self.raw_usage is None else self.raw_usage,
        )


_NO_USAGE: Final = {
    "input_tokens": 0,
    "output_tokens": 0,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 0,
    "iterations": None,
}
"""What the reference shows as the raw usage where the stream had none."""


def _later(value: Any, earlier: Any) -> Any:
    return earlier if value is None else value


def _container(wire: Mapping[str, Any]) -> dict[str, Any]:
    skills = wire.get("skills")
    return {
        "expiresAt": wire["expires_at"],
        "id": wire["id"],
        "skills": None
        if skills is None
        else [{"type": skill["type"], "skillId": skill["skill_id"], "version": skill["version"]} for skill in skills],
    }


def _stop_details(wire: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if wire is None:
        return None
    result = {"type": wire["type"]}
    for key, name in (
        ("category", "category"),
        ("explanation", "explanation"),
        ("recommended_model", "recommendedModel"),
    ):
        if wire.get(key) is not None:
            result[name] = wire[key]
    return result


_EDIT_FIELDS: Final = {
    "cleared_tool_uses": "clearedToolUses",
    "cleared_thinking_turns": "clearedThinkingTurns",
    "cleared_input_tokens": "clearedInputTokens",
}


def _context_management(wire: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if wire is None:
        return None
    return {
        "appliedEdits": [
            {_EDIT_FIELDS.get(key, key): value for key, value in edit.items()} for edit in wire["applied_edits"]
        ]
    }


def _iteration(wire: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {"type": wire["type"]}
    if wire.get("model") is not None:
        result["model"] = wire["model"]
    result["inputTokens"] = wire["input_tokens"]
    result["outputTokens"] = wire["output_tokens"]
    for key, name in (
        ("cache_creation_input_tokens", "cacheCreationInputTokens"),
        ("cache_read_input_tokens", "cacheReadInputTokens"),
    ):
        if wire.get(key):  # the reference leaves zeros out
            result[name] = wire[key]
    return result
