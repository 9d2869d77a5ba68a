"""Wrong beginnings and ends of a stream, and payload that is lost on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.mutants.base import (
    ANTHROPIC_MESSAGES,
    OPENAI_CHAT,
    Mutant,
    Stage,
    dumped,
    parsed,
    reshaping,
    rewriting,
)

if TYPE_CHECKING:
    from harness.subjects import PartJson


class EndsChat(Stage):
    """Closes whatever is open in its ``finally``, and so ends a cut ``openai-chat`` stream as if it were whole."""

    def __init__(self) -> None:
        self._done = False

    def event(self, data: bytes, event: str) -> None:  # noqa: ARG002 - the signature is not ours to choose
        """Takes note of the end."""
        self._done = self._done or data == b"[DONE]"

    def end(self) -> list[bytes]:
        """The end, if it did not come."""
        return [] if self._done else [b"[DONE]"]


class EndsMessage(Stage):
    """The same for ``anthropic-messages``: ends the open blocks, then the message."""

    def __init__(self) -> None:
        self._open: list[int] = []
        self._done = False

    def event(self, data: bytes, event: str) -> None:  # noqa: ARG002 - the signature is not ours to choose
        """Takes note of what is open."""
        if b"content_block_st" in data:
            block = parsed(data)
            if block.get("type") == "content_block_start":
                self._open.append(block["index"])
            elif block.get("index") in self._open:
                self._open.remove(block["index"])
        elif b'"message_stop"' in data or b'"error"' in data:
            self._done = True

    def end(self) -> list[bytes]:
        """The ends that did not come."""
        if self._done:
            return []
        stops = [dumped({"type": "content_block_stop", "index": index}) for index in self._open]
        return [*stops, dumped({"type": "message_stop"})]


class SwallowsErrors(Stage):
    """Knows chunks with choices and typed events; an error among them is neither, and is passed over."""

    def event(self, data: bytes, event: str) -> bytes | None:  # noqa: ARG002 - the signature is not ours to choose
        """Nothing, for an error."""
        if b'"error"' not in data:
            return None
        value = parsed(data)
        return b"" if value.get("error") and not value.get("choices") else None


class SumsUsage(Stage):
    """Adds the output tokens of ``message_delta``, which are a running total, to those of ``message_start``."""

    def __init__(self) -> None:
        self._output = 0

    def event(self, data: bytes, event: str) -> bytes | None:  # noqa: ARG002 - the signature is not ours to choose
        """The running total on top of what was there."""
        if b'"usage"' not in data:
            return None
        value = parsed(data)
        usage = value.get("usage") or (value.get("message") or {}).get("usage") or {}
        self._output += usage.get("output_tokens") or 0
        if value.get("type") != "message_delta" or not usage:
            return None
        usage["output_tokens"] = self._output
        return dumped(value)


class NeedsChoices(Stage):
    """Passes over chunks without choices, one of which carries the usage."""

    def event(self, data: bytes, event: str) -> bytes | None:  # noqa: ARG002 - the signature is not ours to choose
        """Nothing, for a chunk whose ``choices`` is empty."""
        return b"" if parsed(data).get("choices") == [] else None


class FirstOfChoices(Stage):
    """Reads ``choices[0]`` of each chunk and takes it for the answer, whatever its index."""

    def event(self, data: bytes, event: str) -> bytes | None:  # noqa: ARG002 - the signature is not ours to choose
        """The chunk with one choice, the first."""
        chunk = parsed(data)
        if not chunk.get("choices"):
            return None
        chunk["choices"] = [{**chunk["choices"][0], "index": 0}]
        return dumped(chunk)


class NoSignatures(Stage):
    """Has no case for ``signature_delta``."""

    def event(self, data: bytes, event: str) -> bytes | None:  # noqa: ARG002 - the signature is not ours to choose
        """Nothing, for a signature."""
        return b"" if b'"signature_delta"' in data else None


class PingIsFatal(Stage):
    """Ends in an error at the first event whose type it does not know, ``ping`` among them."""

    known = frozenset(
        (
            "message_start",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop",
            "error",
        )
    )

    def __init__(self) -> None:
        self._dead = False

    def event(self, data: bytes, event: str) -> bytes | list[PartJson] | None:  # noqa: ARG002 - the signature is not ours to choose
        """An error, and then nothing."""
        if self._dead:
            return b""
        value = parsed(data)
        if value.get("type") in self.known:
            return None
        self._dead = True
        return [{"type": "error", "kind": "invalid_payload", "stage": "stream", "offset": 0, "payload": value}]


class FlushReplacesFinish:
    """Holds each piece of text until the next part comes; at the end the held piece goes out in place of the finish."""

    def __init__(self) -> None:
        self._held: list[PartJson] = []

    def part(self, part: PartJson) -> list[PartJson]:
        """What was held, and the part itself unless it is held now, or is the finish."""
        held, self._held = self._held, []
        match part["type"]:
            case "text-delta":
                self._held = [part]
                return held
            case "text-end" if held:
                self._held = [*held, part]
                return []
            case "finish" if held:
                return held
        return [*held, part]


class SkippedTextRepeats:
    """Holds back a short piece of text, hands it on nevertheless, and again with the next piece."""

    SHORT = 3

    def __init__(self) -> None:
        self._held = ""

    def part(self, part: PartJson) -> list[PartJson]:
        """The part, with what was held before it."""
        if part["type"] != "text-delta":
            return [part]
        text = self._held + part["delta"]
        self._held = part["delta"] if len(part["delta"]) < self.SHORT else ""
        return [{**part, "delta": text}]


MUTANTS = (
    Mutant(
        "cut-looks-complete",
        "a stream that is cut is ended as if it were whole: open calls become executable",
        "V18",
        {**rewriting(EndsChat, OPENAI_CHAT), **rewriting(EndsMessage, ANTHROPIC_MESSAGES)},
    ),
    Mutant(
        "error-swallowed",
        "the provider's error in the middle of a stream is passed over",
        "WH-055",
        rewriting(SwallowsErrors, OPENAI_CHAT, ANTHROPIC_MESSAGES),
    ),
    Mutant(
        "usage-summed",
        "running totals of tokens are added up",
        "WH-054",
        rewriting(SumsUsage, ANTHROPIC_MESSAGES),
    ),
    Mutant(
        "usage-chunk-lost",
        "a chunk without choices is passed over, and the usage with it",
        "WH-042",
        rewriting(NeedsChoices, OPENAI_CHAT),
        shown="openai-chat/length",
    ),
    Mutant(
        "choices-mixed",
        "the first element of choices is taken for the answer, whatever its index",
        "WH-051",
        rewriting(FirstOfChoices, OPENAI_CHAT),
        shown="openai-chat/choices",
    ),
    Mutant(
        "signature-lost",
        "the signature of a reasoning block is passed over",
        "WH-067",
        rewriting(NoSignatures, ANTHROPIC_MESSAGES),
        shown="anthropic-messages/thinking",
    ),
    Mutant(
        "ping-is-fatal",
        "an event of a type that is not known, such as ping, ends the stream in an error",
        "WH-069",
        rewriting(PingIsFatal, ANTHROPIC_MESSAGES),
    ),
    Mutant(
        "finish-flushed-away",
        "an accumulator hands out its last text in place of the finish",
        "P6",
        reshaping(FlushReplacesFinish, OPENAI_CHAT, ANTHROPIC_MESSAGES),
    ),
    Mutant(
        "skipped-text-repeated",
        "text that an accumulator holds back is handed on at once as well, so it comes twice",
        "P6",
        reshaping(SkippedTextRepeats, OPENAI_CHAT, ANTHROPIC_MESSAGES),
    ),
)
