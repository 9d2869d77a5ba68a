"""Payloads of OpenAI's two APIs, and of those that speak them too, misread."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.mutants.base import OPENAI_CHAT, Mutant
from harness.mutants.overriding import GONE, overriding
from harness.mutants.payloads import Change, changing, changing_each, unheard, unread
from streamcore.dialects.openai.chat import OpenAIChat
from streamcore.parts import ResponseMetadata, Usage

if TYPE_CHECKING:
    from streamcore.parts import Part

_RESPONSES = ("openai-responses", "azure-openai-responses", "xai-responses")
_REASONING_CHAT = ("deepseek", "groq", "openrouter", "xai-chat")


# -- chat -----------------------------------------------------------------------------------------------------------


class DescribedAtOnce(OpenAIChat):
    """Describes the response by the first chunk there is, though Azure's first says nothing."""

    def describe_response(self, out: list[Part]) -> None:
        """At the first chunk."""
        self.state.described = True
        out.append(ResponseMetadata(self.state.id, self.state.model, None))


class NeedsDelta(OpenAIChat):
    """Takes ``choice["delta"]`` without asking whether it is there."""

    def said(self, index: int, choice: Any, wire: dict[str, Any], out: list[Part]) -> None:
        """As the core, but for a choice without a delta, on which it raises KeyError."""
        super().said(index, choice, {**wire, "delta": wire["delta"]}, out)


def _payload_of_finish_lost(value: dict[str, Any]) -> Any:
    choices = value.get("choices") or []
    if not any(choice.get("finish_reason") and choice.get("delta") for choice in choices):
        return None
    return {**value, "choices": [{**one, "delta": {}} if one.get("finish_reason") else one for one in choices]}


def _empty_reason_ends() -> Change:
    """Takes an empty finish reason for one: what comes after the chunk that has it is no longer read."""
    ended = False

    def change(value: dict[str, Any]) -> Any:
        nonlocal ended
        over, choices = ended, value.get("choices") or []
        ended = over or any(choice.get("finish_reason") == "" for choice in choices)
        return {**value, "choices": [{**one, "delta": {}} for one in choices]} if over and choices else None

    return change


class ReasoningNotAdded(OpenAIChat):
    """Takes the completion tokens for all output, though xAI counts those of the reasoning beside them."""

    def usage(self) -> Usage:
        """Without the tokens of the reasoning."""
        usage = super().usage()
        return replace(usage, output_total=usage.output_text)


# -- Responses ------------------------------------------------------------------------------------------------------


def _done_is_more(value: dict[str, Any]) -> Any:
    if value.get("type") != "response.output_text.done":
        return None
    return {**value, "type": "response.output_text.delta", "delta": value["text"]}


def _item_for_call(value: dict[str, Any]) -> Any:
    item = value.get("item") or {}
    return {**value, "item": {**item, "call_id": item["id"]}} if "call_id" in item and "id" in item else None


def _done_unread() -> Change:
    begun: set[Any] = set()

    def change(value: dict[str, Any]) -> Any:
        """Arguments that no delta brought, because they come all at once when they are done."""
        kind, item = value.get("type"), value.get("item") or {}
        if kind == "response.function_call_arguments.delta":
            begun.add(value.get("item_id"))
        elif kind == "response.function_call_arguments.done" and value.get("item_id") not in begun:
            return GONE
        elif kind == "response.output_item.done" and "arguments" in item and item.get("id") not in begun:
            return {**value, "item": {**item, "arguments": ""}}
        return None

    return change


def _incomplete_is_completed(value: dict[str, Any]) -> Any:
    if value.get("type") != "response.incomplete":
        return None
    return {**value, "type": "response.completed", "response": {**value["response"], "incomplete_details": None}}


MUTANTS = (
    Mutant(
        "azure-first-chunk",
        "the response is described by the first chunk, which Azure leaves empty",
        "WH-043",
        overriding(DescribedAtOnce, "azure-openai"),
    ),
    Mutant(
        "delta-needed",
        "a choice without a delta, such as a content filter's note, ends in a KeyError",
        "WH-044",
        overriding(NeedsDelta, "azure-openai"),
    ),
    Mutant(
        "empty-reason-ends",
        "an empty finish reason is taken for a reason: what follows is not read",
        "WH-045",
        changing_each(_empty_reason_ends, OPENAI_CHAT),
    ),
    Mutant(
        "error-type-unheard",
        "an event that only its type says is an error is passed over",
        "WH-028",
        unheard({"error"}, OPENAI_CHAT, "openai-responses"),
    ),
    Mutant(
        "finish-payload-lost",
        "what stands in the same chunk as the finish reason is not read",
        "WH-048",
        changing(_payload_of_finish_lost, OPENAI_CHAT, "mistral"),
    ),
    Mutant(
        "reasoning-unread",
        "reasoning_content and reasoning are not read",
        "WH-052",
        unread({"reasoning_content", "reasoning", "reasoning_details"}, *_REASONING_CHAT),
    ),
    Mutant(
        "refusal-unread",
        "a refusal is not read",
        "V28",
        unread({"refusal"}, OPENAI_CHAT, "azure-openai"),
        shown="openai-chat/refusal",
    ),
    Mutant("citations-unread", "the sources of an answer are not read", "P4", unread({"citations"}, "xai-chat")),
    Mutant(
        "reasoning-not-added",
        "tokens of the reasoning, which xAI counts beside those of the answer, are not added",
        "V24",
        overriding(ReasoningNotAdded, "xai-chat"),
    ),
    Mutant(
        "done-is-more",
        "output_text.done, which says all the text once more, is taken for more of it",
        "WH-062",
        changing(_done_is_more, *_RESPONSES),
    ),
    Mutant(
        "item-id-for-call-id",
        "a call goes by the id of its item, not by its call_id",
        "WH-061",
        changing(_item_for_call, *_RESPONSES),
    ),
    Mutant(
        "arguments-done-unread",
        "arguments that come all at once when they are done, without a delta, are not read",
        "WH-060",
        changing_each(_done_unread, *_RESPONSES),
    ),
    Mutant(
        "failed-unheard",
        "response.failed is passed over: the stream seems to have been cut",
        "WH-063",
        unheard({"response.failed"}, *_RESPONSES),
    ),
    Mutant(
        "incomplete-is-completed",
        "response.incomplete is taken for response.completed: what was cut off looks whole",
        "V16",
        changing(_incomplete_is_completed, *_RESPONSES),
    ),
)
