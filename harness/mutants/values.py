"""JSON read wrongly: the payloads of frames, and the arguments of calls."""

from __future__ import annotations

import json
import unicodedata
from typing import TYPE_CHECKING, Any

from harness.mutants.base import ANTHROPIC_MESSAGES, OPENAI_CHAT, Mutant, Stage, dumped, reshaping, rewriting
from harness.mutants.overriding import overriding
from streamcore.dialects.base import INVALID, Dialect
from streamcore.limits import Limits
from streamcore.toolcalls import unwrap_arguments

if TYPE_CHECKING:
    from harness.subjects import PartJson
    from streamcore.parts import Part

_GEMINI = ("gemini-generateContent", "vertex-gemini", "gemini-generateContent-json-array")
_BOTH = (OPENAI_CHAT, ANTHROPIC_MESSAGES)
_EXACT = 2**53
_SHALLOW = 5


class FirstDocument(Stage):
    """Takes the first JSON document of an event for all of it."""

    def event(self, data: bytes, event: str) -> bytes | None:  # noqa: ARG002 - the signature is not ours to choose
        """The event without what follows."""
        try:
            _, end = json.JSONDecoder().raw_decode(text := data.decode())
        except ValueError:
            return None
        return text[:end].encode() if text[end:].strip() else None


class TakesNan(Stage):
    """Reads NaN and the infinities, which Python's reader does unless it is told not to."""

    def event(self, data: bytes, event: str) -> bytes | None:  # noqa: ARG002 - the signature is not ours to choose
        """The event with null for them."""
        met: list[str] = []
        try:
            value = json.loads(data, parse_constant=met.append)
        except ValueError:
            return None
        return dumped(value) if met else None


class DoublesOnly:
    """Has doubles for all numbers, as JavaScript has: large integers of the arguments are rounded."""

    def part(self, part: PartJson) -> list[PartJson]:
        """The call with its integers rounded, if any of them is not exact."""
        if part["type"] != "tool-call" or part.get("invalid") or not part["input"].strip():
            return [part]
        value = json.loads(part["input"])
        if (rounded := _rounded(value)) == value:
            return [part]
        return [{**part, "input": json.dumps(rounded, ensure_ascii=False, separators=(",", ":"))}]


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return int(float(value)) if type(value) is int and abs(value) > _EXACT else value


class FirstKeyWins(Dialect):
    """Keeps the first value of a key that comes twice."""

    def payload(self, data: bytes, out: list[Part]) -> Any:
        """The value with the first of each."""
        value = super().payload(data, out)
        return value if value is INVALID else json.loads(data, object_pairs_hook=lambda pairs: dict(reversed(pairs)))


class PrototypeKey:
    """Lets nobody set ``__proto__``, and drops it from arguments that are its own."""

    def part(self, part: PartJson) -> list[PartJson]:
        """The call without the key."""
        if part["type"] != "tool-call" or '"__proto__"' not in part["input"]:
            return [part]
        value = json.loads(part["input"], object_hook=_without_prototype)
        return [{**part, "input": json.dumps(value, ensure_ascii=False, separators=(",", ":"))}]


def _without_prototype(value: dict[str, Any]) -> dict[str, Any]:
    value.pop("__proto__", None)
    return value


class Unwraps:
    """Takes arguments that are a JSON string for arguments that were encoded twice, and decodes them."""

    def part(self, part: PartJson) -> list[PartJson]:
        """The call with what the string holds."""
        if part["type"] != "tool-call" or (inner := unwrap_arguments(part["input"])) == part["input"]:
            return [part]
        return [{**{key: value for key, value in part.items() if key != "invalid"}, "input": inner}]


class HalfIsReplaced:
    """Encodes each piece of text by itself: half of a surrogate pair cannot be."""

    def part(self, part: PartJson) -> list[PartJson]:
        """The piece with U+FFFD for a half."""
        if not part["type"].endswith("-delta"):
            return [part]
        joined = part["delta"].encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return [{**part, "delta": joined}]


class Composed:
    """Normalises text, as some stores do: another spelling of what the model wrote."""

    def part(self, part: PartJson) -> list[PartJson]:
        """The piece in normal form C."""
        return [{**part, "delta": unicodedata.normalize("NFC", part["delta"])}] if "delta" in part else [part]


class Stripped:
    """Strips every piece of text, as one strips a line."""

    def part(self, part: PartJson) -> list[PartJson]:
        """The piece without the white space around it."""
        return [{**part, "delta": part["delta"].strip()}] if part["type"] == "text-delta" else [part]


MUTANTS = (
    Mutant(
        "first-document",
        "of two JSON documents in one event the second is lost in silence",
        "WH-029",
        rewriting(FirstDocument, OPENAI_CHAT),
    ),
    Mutant("nan-accepted", "NaN and -Infinity are read as JSON", "WH-035", rewriting(TakesNan, OPENAI_CHAT)),
    Mutant(
        "integers-rounded",
        "numbers are doubles: integers beyond 2^53 are rounded",
        "WH-036",
        reshaping(DoublesOnly, *_BOTH),
        shown="openai-chat/numbers",
    ),
    Mutant(
        "first-key-wins",
        "of a key that comes twice in one object the first value counts",
        "WH-037",
        overriding(FirstKeyWins, *_GEMINI),
    ),
    Mutant(
        "depth-five",
        "a parser with a hidden limit: JSON that nests deeper than five is refused",
        "WH-038",
        overriding(Dialect, *_GEMINI, *_BOTH, limits=Limits(max_json_depth=_SHALLOW)),
    ),
    Mutant("proto-dropped", "a key __proto__ in the arguments is dropped", "WH-039", reshaping(PrototypeKey, *_BOTH)),
    Mutant(
        "arguments-unwrapped",
        "arguments that are a JSON string are decoded once more without being asked",
        "WH-097",
        reshaping(Unwraps, *_BOTH),
    ),
    Mutant(
        "surrogate-half-replaced",
        "a character that two deltas share as halves of a surrogate pair becomes U+FFFD",
        "WH-032",
        reshaping(HalfIsReplaced, *_BOTH),
        shown="openai-chat/escaped-unicode",
    ),
    Mutant(
        "text-composed",
        "text is normalised: combining marks are no longer the characters of the wire",
        "P5",
        reshaping(Composed, *_BOTH),
        shown="openai-chat/unicode",
    ),
    Mutant(
        "deltas-stripped",
        "each piece of text is stripped: words that begin with a space run together",
        "P8",
        reshaping(Stripped, *_BOTH),
    ),
)
