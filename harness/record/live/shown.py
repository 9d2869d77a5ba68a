"""What a recorded answer shows, as streamcore reads it: whether the model did what the scenario is for, and what it took."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from streamcore import Decoder

if TYPE_CHECKING:
    from harness.cassette import Cassette
    from streamcore.message import Message


@dataclass(frozen=True, slots=True)
class Shown:
    """``lacks`` says in words what is missing, empty if nothing is; tokens are None where the provider does not say."""

    lacks: str
    tokens_in: float | None
    tokens_out: float | None


def shown_in(cassette: Cassette, expected: Mapping[str, Any] | None) -> Shown:
    """What the first stream of a cassette shows of what is expected (:mod:`harness.record.live.asks`)."""
    case = cassette.cases()[0]
    decoder = Decoder(case.dialect)
    decoder.feed(case.body)
    decoder.close()
    message = decoder.message
    usage = message.usage
    return Shown(
        "; ".join(_lacks(message, expected or {})),
        usage.input_total if usage else None,
        usage.output_total if usage else None,
    )


def _lacks(message: Message, expected: Mapping[str, Any]) -> Iterator[str]:
    if message.error is not None:
        yield f"it ends in an error ({message.error.kind})"
    for what, wanted in expected.items():
        if what == "tools" and len(message.tool_calls) < wanted:
            yield f"{len(message.tool_calls)} tool calls, {wanted} expected"
        elif what == "finish" and (message.finish is None or message.finish.unified != wanted):
            yield f"finished with {message.finish.unified if message.finish else 'nothing'}, {wanted} expected"
        elif what == "json" and not _is_object(message.text):
            yield "its text is no JSON object"
        elif what in ("reasoning", "text", "usage") and not getattr(message, what):
            yield f"no {what}"


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
