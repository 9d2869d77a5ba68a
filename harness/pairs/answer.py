"""One answer of a model in one form, wherever it came from: out of a stream, or whole.

``{"id", "model", "created", "choices": [{"blocks", "finish"}], "usage"}``, all JSON. ``created`` is ISO 8601 in UTC with
milliseconds. A block is a ``text``, a ``refusal``, a ``reasoning`` (each with ``text``, and ``signature`` or ``redacted`` where
the provider gave them) or a ``tool`` (with ``id``, ``name`` and ``arguments``: the parsed object, or the text of what is
none). ``finish`` is the provider's own word. ``usage`` counts ``input`` and ``output`` tokens, and those of them that were
``cached`` and ``reasoning``, if there were any. What a provider does not say is null or left out.

Not in it, and so not compared: tools that the provider executed itself with their results, sources, files, and what is
about the request (service tier, safety ratings, log probabilities).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from streamcore import jsontext

if TYPE_CHECKING:
    from collections.abc import Iterable

Answer = dict[str, Any]
Block = dict[str, Any]
Choice = dict[str, Any]


class AnswerError(Exception):
    """A body that is not the whole answer of its dialect; one line that says what it is instead."""


def answer(
    choices: Iterable[Choice],
    usage: dict[str, Any],
    *,
    ident: str | None = None,
    model: str | None = None,
    created: str | None = None,
) -> Answer:
    """An answer of these parts."""
    return {"id": ident, "model": model, "created": created, "choices": list(choices), "usage": usage}


def choice(blocks: Iterable[Block], finish: str | None) -> Choice:
    """One choice; a text that says nothing is no block."""
    kept = [block for block in blocks if block["type"] not in ("text", "refusal") or block["text"] or len(block) > 2]
    return {"blocks": kept, "finish": finish}


def said(kind: str, text: str, **more: Any) -> Block:
    """A block of text; what of ``more`` is None is left out."""
    return {"type": kind, "text": text, **{name: value for name, value in more.items() if value is not None}}


def tool(ident: str | None, name: str | None, arguments: Any, **more: Any) -> Block:
    """A call; ``arguments`` is the object, or a text of JSON, where no text is the empty object."""
    value = parsed(arguments) if isinstance(arguments, str) else arguments
    kept = {key: each for key, each in more.items() if each is not None}
    return {"type": "tool", "id": ident, "name": name, "arguments": {} if value is None else value, **kept}


def parsed(text: str) -> Any:
    """The JSON object in ``text``; the text itself if there is none."""
    try:
        value = jsontext.loads((text.strip(jsontext.WHITESPACE) or "{}").encode("utf-8", "surrogatepass"))
    except jsontext.JsonTextError:
        return text
    return value if isinstance(value, dict) else text


def usage(taken: Any, given: Any, *, cached: Any = None, reasoning: Any = None) -> dict[str, Any]:
    """Token counts; the two parts of them only where there were any."""
    counts = {"input": taken, "output": given, "cached": cached or None, "reasoning": reasoning or None}
    return {name: count for name, count in counts.items() if count is not None}


def moment(seconds: Any) -> str | None:
    """``created`` of a count of seconds since 1970."""
    if not isinstance(seconds, int | float):
        return None
    when = datetime.fromtimestamp(seconds, UTC)
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03}Z"
