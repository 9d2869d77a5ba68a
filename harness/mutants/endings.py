"""Wrong beginnings, orders and ends of parts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness.mutants.base import ANTHROPIC_MESSAGES, OPENAI_CHAT, Mutant, reshaping

if TYPE_CHECKING:
    from harness.subjects import PartJson

_BOTH = (OPENAI_CHAT, ANTHROPIC_MESSAGES)
_MARKUP = re.compile(r"</?tool_call>")


def _is_incomplete(part: PartJson) -> bool:
    return part["type"] == "error" and part.get("kind") == "incomplete_stream"


class EmptyIsFine:
    """Ends an empty body as one ends a loop: nothing came, so nothing is wrong."""

    def __init__(self) -> None:
        self._said = False

    def part(self, part: PartJson) -> list[PartJson]:
        """Nothing, for the error of a body without an event."""
        empty = _is_incomplete(part) and not self._said
        self._said = self._said or part["type"] not in ("stream-start", "error")
        return [] if empty else [part]


class CutIsCalled:
    """Hands out a call that was cut with the arguments that happened to arrive, and then says that the stream was cut."""

    def __init__(self) -> None:
        self._open: dict[str, list[str]] = {}
        self._names: dict[str, str] = {}

    def part(self, part: PartJson) -> list[PartJson]:
        """The calls that are open before the error."""
        match part["type"]:
            case "tool-input-start":
                self._open[part["id"]] = []
                self._names[part["id"]] = part["toolName"]
            case "tool-input-delta" if part["id"] in self._open:
                self._open[part["id"]].append(part["delta"])
            case "tool-input-end":
                self._open.pop(part["id"], None)
        return [*(self._calls() if _is_incomplete(part) else ()), part]

    def _calls(self) -> list[PartJson]:
        return [
            made
            for ident, pieces in self._open.items()
            for made in (
                {"type": "tool-input-end", "id": ident},
                {"type": "tool-call", "toolCallId": ident, "toolName": self._names[ident], "input": "".join(pieces)},
            )
        ]


class FinishTwice:
    """Finishes when the reason comes, and again when the stream ends."""

    def part(self, part: PartJson) -> list[PartJson]:
        """The finish twice."""
        return [part, part] if part["type"] == "finish" else [part]


class NoStart:
    """Opens a block of text by its first piece."""

    def part(self, part: PartJson) -> list[PartJson]:
        """Nothing, for a start."""
        return [] if part["type"] == "text-start" else [part]


class OneText:
    """Has one block of text in a message: what comes after a call goes on in the block that ended before it."""

    def __init__(self) -> None:
        self._first: Any = None

    def part(self, part: PartJson) -> list[PartJson]:
        """A later block under the id of the first."""
        if not part["type"].startswith("text-"):
            return [part]
        if self._first is None:
            self._first = part["id"]
        elif part["type"] == "text-start":
            return []
        return [{**part, "id": self._first}]


class ReasoningFirst:
    """Collects reasoning in one place and text in another, as fields of a message are: their order is lost."""

    def __init__(self) -> None:
        self._text: list[PartJson] = []

    def part(self, part: PartJson) -> list[PartJson]:
        """Text not before the reasoning is over, that is before the finish."""
        if part["type"].startswith("text-"):
            self._text.append(part)
            return []
        if part["type"] not in ("finish", "error"):
            return [part]
        held, self._text = self._text, []
        return [*held, part]


class OpensAnyhow:
    """Opens the stream before it looks at the first event: an error that comes first is one in the middle."""

    def part(self, part: PartJson) -> list[PartJson]:
        """The error after a start."""
        if part["type"] == "error" and part.get("stage") == "open":
            return [{"type": "stream-start", "warnings": []}, {**part, "stage": "stream"}]
        return [part]


class CallsDecide:
    """Takes a message with a call for one that ended because of it, whatever the reason says."""

    def __init__(self) -> None:
        self._called = False

    def part(self, part: PartJson) -> list[PartJson]:
        """The finish with the reason ``tool-calls``."""
        self._called = self._called or part["type"] == "tool-call"
        reason = part.get("finishReason") or {}
        if part["type"] != "finish" or not self._called or reason.get("unified") != "length":
            return [part]
        return [{**part, "finishReason": {**reason, "unified": "tool-calls"}}]


class GuessesSnapshots:
    """Takes a piece of text that begins with all the text before it for a snapshot."""

    def __init__(self) -> None:
        self._said = ""

    def part(self, part: PartJson) -> list[PartJson]:
        """What goes beyond the text before."""
        if part["type"] != "text-delta":
            return [part]
        delta = part["delta"].removeprefix(self._said) if self._said else part["delta"]
        self._said += delta
        return [{**part, "delta": delta}]


class MarkupRemoved:
    """Removes what looks like the markup of a tool call from text."""

    def part(self, part: PartJson) -> list[PartJson]:
        """The piece without tags."""
        return [{**part, "delta": _MARKUP.sub("", part["delta"])}] if part["type"] == "text-delta" else [part]


MUTANTS = (
    Mutant(
        "empty-body-is-fine", "a body without an event ends without an error", "WH-113", reshaping(EmptyIsFine, *_BOTH)
    ),
    Mutant(
        "cut-call-handed-out",
        "a call that was cut is handed out as if it were whole, before the error that says so",
        "WH-102",
        reshaping(CutIsCalled, *_BOTH),
    ),
    Mutant("finish-twice", "finish comes twice", "V15", reshaping(FinishTwice, *_BOTH)),
    Mutant("text-start-missing", "a block of text begins with its first piece", "V14", reshaping(NoStart, *_BOTH)),
    Mutant(
        "text-after-call",
        "text after a tool call goes to the block that ended before it",
        "WH-104",
        reshaping(OneText, *_BOTH),
        shown="anthropic-messages/text-tool-text",
    ),
    Mutant(
        "reasoning-before-text",
        "all reasoning comes before all text: the order of blocks is lost",
        "WH-068",
        reshaping(ReasoningFirst, ANTHROPIC_MESSAGES),
    ),
    Mutant(
        "opened-before-error",
        "an error that is the first event comes after the start of the stream: nobody can retry",
        "WH-112",
        reshaping(OpensAnyhow, *_BOTH),
    ),
    Mutant(
        "calls-hide-length",
        "a message with a call ends because of it, even if it ran into its limit",
        "WH-047",
        reshaping(CallsDecide, *_BOTH),
        shown="openai-chat/tool-length",
    ),
    Mutant(
        "snapshots-guessed",
        "a piece of text that begins with all the text before is taken for a snapshot",
        "WH-053",
        reshaping(GuessesSnapshots, OPENAI_CHAT),
    ),
    Mutant(
        "markup-removed",
        "what looks like the markup of a tool call is removed from text",
        "WH-057",
        reshaping(MarkupRemoved, OPENAI_CHAT),
    ),
)
