"""Arguments of tool calls treated wrongly."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

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
from harness.mutants.toolcalls import BEYOND, Call, Calls, calls

if TYPE_CHECKING:
    from harness.subjects import PartJson


class FragmentsParsed(Calls):
    """Parses each piece of the arguments by itself, and passes over those that are not JSON."""

    def delta(self, wire: dict[str, Any]) -> list[PartJson]:
        """As ever, but for a piece that does not parse."""
        function = wire.get("function") or {}
        if function.get("arguments") and not _parses(function["arguments"]):
            wire = {**wire, "function": {**function, "arguments": None}}
        return super().delta(wire)


class FragmentStage(Stage):
    """The same for ``anthropic-messages``."""

    def event(self, data: bytes, event: str) -> bytes | None:  # noqa: ARG002 - the signature is not ours to choose
        """Nothing, for a piece that does not parse."""
        if b"input_json_delta" not in data:
            return None
        piece = parsed(data).get("delta", {}).get("partial_json")
        return b"" if piece and not _parses(piece) else None


class EndsWhenItParses(Calls):
    """Takes a call for complete as soon as its arguments parse."""

    def __init__(self, choice: int) -> None:
        super().__init__(choice)
        self._done: list[Call] = []

    def delta(self, wire: dict[str, Any]) -> list[PartJson]:
        """With the end of the call, once its arguments are JSON."""
        parts = super().delta(wire)
        call = self.slot(wire, wire.get("function") or {})
        if call.started and call not in self._done and _parses(call.arguments):
            self._done.append(call)
            parts += super().ended(call)
        return parts

    def ended(self, call: Call) -> list[PartJson]:
        """Nothing, if it has ended before."""
        return [] if call in self._done else super().ended(call)


class WholeCallTwice(Calls):
    """Takes over the arguments that come with the name when it opens the call, and again as a delta."""

    def delta(self, wire: dict[str, Any]) -> list[PartJson]:
        """The opening delta counts twice."""
        function = wire.get("function") or {}
        parts = super().delta(wire)
        if wire.get("id") and function.get("arguments"):
            parts += super().delta({"index": wire.get("index"), "function": {"arguments": function["arguments"]}})
        return parts


class NoEmptyCalls:
    """Takes a call without arguments for no call."""

    def part(self, part: PartJson) -> list[PartJson]:
        """Nothing, for a call whose input is empty."""
        return [] if part["type"] == "tool-call" and part["input"].strip() in ("", "{}") else [part]


class Reserialises:
    """Hands on the arguments as its own JSON writer spells them, not as the wire did."""

    def part(self, part: PartJson) -> list[PartJson]:
        """The call with its input written anew."""
        if part["type"] != "tool-call" or not _parses(part["input"]):
            return [part]
        return [{**part, "input": json.dumps(json.loads(part["input"]))}]


class InvalidIsEmpty:
    """Turns arguments that are not JSON into an empty object, so that the tool runs with nothing."""

    def part(self, part: PartJson) -> list[PartJson]:
        """The call with ``{}`` for what it could not parse."""
        if part["type"] != "tool-call" or _parses(part["input"]):
            return [part]
        return [{**{key: value for key, value in part.items() if key != "invalid"}, "input": "{}"}]


class EmptyInputKept(Stage):
    """Begins the arguments with the ``input`` of the block's start, which is an empty object wherever deltas follow."""

    def __init__(self) -> None:
        self._input: dict[int, str] = {}

    def event(self, data: bytes, event: str) -> bytes | None:  # noqa: ARG002 - the signature is not ours to choose
        """The first piece of the arguments with the start's input before it."""
        if b"content_block_start" in data:
            start = parsed(data)
            block = start.get("content_block", {})
            if "input" in block:
                self._input[start["index"]] = json.dumps(block["input"])
        elif b"input_json_delta" in data:
            delta = parsed(data)
            piece = delta.get("delta", {}).get("partial_json")
            if piece and delta["index"] in self._input:
                delta["delta"]["partial_json"] = self._input.pop(delta["index"]) + piece
                return dumped(delta)
        return None


def _parses(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


_BOTH = (OPENAI_CHAT, ANTHROPIC_MESSAGES)

MUTANTS = (
    Mutant(
        "arguments-per-fragment",
        "each piece of the arguments is parsed by itself, and dropped if it is not JSON",
        "WH-105",
        {**calls(FragmentsParsed), **rewriting(FragmentStage, ANTHROPIC_MESSAGES)},
        beyond=BEYOND,
    ),
    Mutant(
        "ends-when-it-parses",
        "a call ends as soon as its arguments happen to parse",
        "WH-101",
        calls(EndsWhenItParses),
        beyond=BEYOND,
    ),
    Mutant(
        "whole-call-twice",
        "arguments that come with the name are taken twice",
        "WH-098",
        calls(WholeCallTwice),
        beyond=BEYOND,
    ),
    Mutant(
        "empty-call-dropped",
        "a call without arguments is taken for no call",
        "V10",
        reshaping(NoEmptyCalls, *_BOTH),
    ),
    Mutant(
        "arguments-reserialised",
        "arguments are parsed and written anew: no longer the bytes of the wire",
        "V9",
        reshaping(Reserialises, *_BOTH),
    ),
    Mutant(
        "invalid-arguments-emptied",
        "arguments that are not JSON become {}: the tool runs with nothing",
        "WH-041",
        reshaping(InvalidIsEmpty, *_BOTH),
    ),
    Mutant(
        "empty-input-prefixed",
        "the empty input of the block's start stands before the arguments: {}{...}",
        "WH-065",
        rewriting(EmptyInputKept, ANTHROPIC_MESSAGES),
    ),
)
