"""Recordings on which mutants are wrong, and recordings on which they are right.

Those of which no recording does both are wrong under one plan and right uncut, or wrong on all there are."""

from __future__ import annotations

from typing import NamedTuple


class Recorded(NamedTuple):
    """A mutant is wrong on one case under one plan, and right on the other under every plan."""

    wrong: str
    right: str = ""
    """Empty for the same case, uncut."""
    plan: str = "whole"
    dialect: str = ""
    """Empty for that of the case."""


RECORDED: dict[str, Recorded] = {
    "lf-lf-only": Recorded("openai-chat/crlf", "gemini-generateContent/length-while-thinking"),
    "cr-alone-unknown": Recorded("openai-chat/wh-010-cr-only", "gemini-generateContent/length-while-thinking"),
    "empty-data-line-lost": Recorded(
        "openai-chat/wh-016-empty-data-line", "gemini-generateContent/length-while-thinking", dialect="sse"
    ),
    "block-without-data": Recorded(
        "openai-chat/wh-020-fields-without-data", "gemini-generateContent/length-while-thinking", dialect="sse"
    ),
    "id-dispatches": Recorded(
        "openai-chat/wh-021-sticky-id", "gemini-generateContent/length-while-thinking", dialect="sse"
    ),
    "foreign-event-is-fatal": Recorded("openai-chat/wh-026-foreign-event", "openai-chat/wh-009-mixed-line-ends"),
    "event-names-needed": Recorded("anthropic-messages/wh-027-no-event-lines", "anthropic-messages/local-headless"),
    "empty-data-parsed": Recorded("anthropic-messages/wh-022-empty-data", "openai-chat/wh-009-mixed-line-ends"),
    "line-limit": Recorded("vertex-gemini/prompt-blocked", "gemini-generateContent/length-while-thinking"),
    "message-crc-unchecked": Recorded(
        "bedrock-converse-stream/bad-checksum", "bedrock-converse-stream/cut-mid-prelude"
    ),
    "lengths-trusted": Recorded("bedrock-converse-stream/bad-length", "bedrock-converse-stream/cut-mid-prelude"),
    "message-per-chunk": Recorded(
        "bedrock-invoke-with-response-stream/error-first", "bedrock-converse-stream/wh-113-empty-body", plan="bytes"
    ),
    "error-body-is-crc": Recorded(
        "bedrock-converse-stream/wh-082-json-error", "bedrock-converse-stream/cut-mid-prelude"
    ),
    "exceptions-ignored": Recorded("bedrock-converse-stream/error-first", "bedrock-converse-stream/cut-mid-prelude"),
    "error-messages-ignored": Recorded(
        "bedrock-converse-stream/error-message", "bedrock-converse-stream/cut-mid-prelude"
    ),
    "tool-input-ignored": Recorded("bedrock-converse-stream/no-block-stop", "bedrock-converse-stream/cut-mid-prelude"),
    "blocks-by-arrival": Recorded(
        "bedrock-converse-stream/interleaved-blocks", "bedrock-converse-stream/cut-mid-prelude"
    ),
    "array-string-forgotten": Recorded("gemini-generateContent-json-array/escapes", plan="bytes"),
    "array-never-cleared": Recorded("gemini-generateContent-json-array/length", plan="bytes"),
    "array-parser-per-chunk": Recorded("gemini-generateContent-json-array/text", plan="bytes"),
    "array-characters-for-bytes": Recorded(
        "gemini-generateContent-json-array/thinking", "gemini-generateContent-json-array/length"
    ),
    "json-line-per-chunk": Recorded("ollama-ndjson/error-mid-stream", plan="bytes"),
    "mark-anywhere": Recorded(
        "openai-chat/mark-inside", "gemini-generateContent/length-while-thinking", plan="every:7"
    ),
    "utf8-strict": Recorded("openai-chat/wh-003-invalid-utf8", "gemini-generateContent/length-while-thinking"),
    "first-document": Recorded("openai-chat/wh-029-two-documents", "openai-chat/wh-009-mixed-line-ends"),
    "nan-accepted": Recorded("openai-chat/wh-035-not-finite", "openai-chat/wh-009-mixed-line-ends"),
    "integers-rounded": Recorded("openai-chat/numbers", "openai-chat/wh-009-mixed-line-ends"),
    "first-key-wins": Recorded("gemini-generateContent/duplicate-keys", "gemini-generateContent/length-while-thinking"),
    "depth-five": Recorded("openai-chat/wh-038-deep", "gemini-generateContent/length-while-thinking"),
    "proto-dropped": Recorded("openai-chat/wh-039-proto-key", "openai-chat/wh-009-mixed-line-ends"),
    "arguments-unwrapped": Recorded("openai-chat/wh-097-arguments-encoded-twice", "openai-chat/wh-009-mixed-line-ends"),
    "surrogate-half-replaced": Recorded("openai-chat/escaped-unicode", "openai-chat/wh-009-mixed-line-ends"),
    "text-composed": Recorded("openai-chat/unicode", "openai-chat/wh-009-mixed-line-ends"),
    "deltas-stripped": Recorded("openai-chat/wh-009-mixed-line-ends", "openai-chat/wh-005-byte-order-mark"),
    "azure-first-chunk": Recorded("azure-openai/error-mid-stream"),
    "delta-needed": Recorded("azure-openai/asynchronous-filter", "azure-openai/error-mid-stream"),
    "empty-reason-ends": Recorded("openai-chat/wh-045-finish-reason-empty", "openai-chat/wh-009-mixed-line-ends"),
    "error-type-unheard": Recorded("openai-chat/wh-028-error-event", "openai-chat/wh-009-mixed-line-ends"),
    "finish-payload-lost": Recorded("openai-chat/wh-048-payload-with-finish", "openai-chat/wh-009-mixed-line-ends"),
    "reasoning-unread": Recorded("xai-chat/cut-mid-arguments", "xai-chat/error-mid-stream"),
    "reasoning-tokens-lost": Recorded("openai-chat/reasoning", "openai-chat/parallel-tools"),
    "calls-run-together": Recorded("openai-chat/parallel-tools", "openai-chat/reasoning"),
    "refusal-unread": Recorded("azure-openai/refusal", "openai-chat/wh-009-mixed-line-ends"),
    "citations-unread": Recorded("xai-chat/citations", "xai-chat/error-mid-stream"),
    "reasoning-not-added": Recorded("xai-chat/text", "xai-chat/error-mid-stream"),
    "done-is-more": Recorded("openai-responses/wh-062-text-twice", "openai-responses/wh-028-error-event"),
    "item-id-for-call-id": Recorded("openai-responses/cut-mid-arguments", "openai-responses/wh-028-error-event"),
    "arguments-done-unread": Recorded(
        "openai-responses/wh-060-arguments-when-done", "openai-responses/wh-028-error-event"
    ),
    "failed-unheard": Recorded("openai-responses/wh-063-failed-then-open", "openai-responses/wh-028-error-event"),
    "incomplete-is-completed": Recorded("openai-responses/incomplete", "openai-responses/wh-028-error-event"),
    "after-reason-unread": Recorded(
        "anthropic-messages/wh-049-text-after-stop-reason", "anthropic-messages/local-headless"
    ),
    "index-by-arrival": Recorded("anthropic-messages/local-parallel-tools", "anthropic-messages/local-headless"),
    "redacted-thinking-dropped": Recorded("vertex-anthropic/redacted-thinking", "anthropic-messages/local-headless"),
    "cache-tokens-unread": Recorded("anthropic-messages/empty", "anthropic-messages/local-headless"),
    "thought-is-text": Recorded("gemini-generateContent/thinking", "gemini-generateContent/length-while-thinking"),
    "thought-signature-unread": Recorded(
        "gemini-generateContent/wh-074-signature-of-one-call", "gemini-generateContent/length-while-thinking"
    ),
    "block-reason-unread": Recorded(
        "gemini-generateContent/prompt-blocked", "gemini-generateContent/length-while-thinking"
    ),
    "malformed-call-is-stop": Recorded(
        "gemini-generateContent/malformed-call", "gemini-generateContent/length-while-thinking"
    ),
    "args-needed": Recorded(
        "gemini-generateContent/wh-077-no-arguments", "gemini-generateContent/length-while-thinking"
    ),
    "one-call-a-chunk": Recorded(
        "gemini-generateContent/parallel-tools", "gemini-generateContent/length-while-thinking"
    ),
    "one-id-for-all": Recorded("gemini-generateContent/wh-108-no-ids", "gemini-generateContent/length-while-thinking"),
    "error-tail-unread": Recorded("gemini-generateContent/error-tail", "gemini-generateContent/length-while-thinking"),
    "cohere-error-is-complete": Recorded("cohere-v2/error-at-end", "cohere-v2/cut-mid-arguments"),
    "thinking-unread": Recorded("ollama-ndjson/thinking", "ollama-ndjson/error-mid-stream"),
    "arguments-as-python": Recorded("ollama-ndjson/wh-036-big-integer", "ollama-ndjson/error-mid-stream"),
    "error-line-ends": Recorded("ollama-ndjson/error-mid-stream", "ollama-ndjson/cut-mid-text"),
    "index-needed": Recorded("openai-chat/wh-085-index-missing", "openai-chat/wh-009-mixed-line-ends"),
    "index-is-position": Recorded("openai-chat/wh-087-index-from-one", "openai-chat/wh-009-mixed-line-ends"),
    "empty-id-is-new": Recorded("openai-chat/wh-090-id-empty-later", "openai-chat/wh-009-mixed-line-ends"),
    "id-joined": Recorded("openai-chat/wh-091-id-repeated", "openai-chat/wh-009-mixed-line-ends"),
    "last-name-wins": Recorded("openai-chat/wh-093-name-in-pieces", "openai-chat/wh-009-mixed-line-ends"),
    "nameless-goes-out": Recorded("openai-chat/wh-094-name-never", "openai-chat/wh-009-mixed-line-ends"),
    "no-id-made-up": Recorded("openai-chat/wh-089-id-missing", "openai-chat/wh-009-mixed-line-ends"),
    "replay-taken": Recorded("openai-chat/wh-099-arguments-replayed", "openai-chat/wh-009-mixed-line-ends"),
    "brace-invented": Recorded("openai-chat/wh-103-tail-missing", "openai-chat/wh-009-mixed-line-ends"),
    "calls-end-twice": Recorded("openai-chat/wh-046-stop-with-a-call", "openai-chat/wh-009-mixed-line-ends"),
    "null-is-text": Recorded("openai-chat/wh-095-arguments-null", "openai-chat/wh-009-mixed-line-ends"),
    "function-call-unread": Recorded("openai-chat/wh-058-function-call", "openai-chat/wh-009-mixed-line-ends"),
    "strict-always": Recorded("openai-chat/wh-028-error-event", "openai-chat/wh-009-mixed-line-ends"),
    "empty-body-is-fine": Recorded("anthropic-messages/wh-113-empty-body", "openai-chat/wh-009-mixed-line-ends"),
    "cut-call-handed-out": Recorded("openai-chat/cut-mid-arguments", "openai-chat/wh-009-mixed-line-ends"),
    "finish-twice": Recorded("openai-chat/wh-005-byte-order-mark", "openai-chat/wh-009-mixed-line-ends"),
    "text-start-missing": Recorded("openai-chat/wh-009-mixed-line-ends", "openai-chat/wh-046-stop-with-a-call"),
    "text-after-call": Recorded("anthropic-messages/text-tool-text", "openai-chat/wh-009-mixed-line-ends"),
    "reasoning-before-text": Recorded(
        "anthropic-messages/wh-068-thinking-text-thinking", "anthropic-messages/local-headless"
    ),
    "opened-before-error": Recorded("openai-chat/wh-082-error-page", "openai-chat/wh-009-mixed-line-ends"),
    "calls-hide-length": Recorded("openai-chat/tool-length", "openai-chat/wh-009-mixed-line-ends"),
    "snapshots-guessed": Recorded("openai-chat/wh-053-text-so-far", "openai-chat/wh-009-mixed-line-ends"),
    "markup-removed": Recorded("openai-chat/wh-057-markup-in-text", "openai-chat/wh-009-mixed-line-ends"),
}
WRONG_ON_ALL = {"azure-first-chunk"}
"""Mutants that no recording of their dialects leaves right."""
