"""Deltas that part the halves of a surrogate pair: what is compared, parsed or written anew has the character that they are.

Found by the generated streams of :mod:`harness.strategies`: Responses took such arguments for contradicted by their item,
Cohere's were written anew with U+FFFD, and xAI's snapshots disagreed with their own deltas.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.strategies import GRAMMARS, Item, Said
from harness.strategies.saying import halved
from streamcore import Decoder, jsontext

ARGUMENTS = '{"\U0001f600k":"a\U0001f469\u00e9"}'
TEXT = "x\U0001f600y\U0001f680"
ONE_BY_ONE = (1,)


@pytest.mark.parametrize("policy", ["lenient", "strict"])
@pytest.mark.parametrize("dialect", [name for name, grammar in GRAMMARS.items() if grammar.calls])
def test_halves_in_deltas_of_their_own_are_one_character(dialect: str, policy: Any) -> None:
    grammar = GRAMMARS[dialect]
    whole = grammar.framing in ("jsonarray", "ndjson") or dialect.endswith(("gemini", "generateContent"))
    arguments = ARGUMENTS if whole else halved(ARGUMENTS)
    items = (Item("text", halved(TEXT), ONE_BY_ONE), Item("call", arguments, ONE_BY_ONE, "f"))
    body = b"".join(grammar.write(Said(items, "tool-calls", grammar.finishes["tool-calls"][0], 600, 9, 0)))
    for size in (len(body), 1, 7):
        decoder = Decoder(dialect, policy=policy)
        for at in range(0, len(body), size):
            decoder.feed(body[at : at + size])
        decoder.close()
        (call,) = decoder.message.tool_calls
        assert decoder.message.error is None
        assert decoder.warnings == []
        assert decoder.message.text == TEXT
        assert (call.arguments, call.valid) == (ARGUMENTS, True)
        assert call.input == json.loads(ARGUMENTS)


def test_joined_and_utf8() -> None:
    assert jsontext.joined(halved(TEXT)) == TEXT
    assert jsontext.joined("\ude00\ud83d") == "\ude00\ud83d"
    assert jsontext.utf8(halved(TEXT)) == TEXT.encode()
    assert jsontext.loads(jsontext.utf8(halved(ARGUMENTS))) == json.loads(ARGUMENTS)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a":"\ud800x"}', {"a": "\ud800x"}),
        ('{"\udfff":["\U0001f600\ud83d"]}', {"\udfff": ["\U0001f600\ud83d"]}),
        ('{"a":"\\ud800\ud83d"}', {"a": "\ud800\ud83d"}),
    ],
)
def test_a_half_that_stays_alone_is_itself(text: str, value: Any) -> None:
    """What ECMAScript reads there; Cohere's final arguments are written anew from it, with an escape."""
    assert jsontext.loads(jsontext.utf8(text)) == value
    pieces = [text[:8], text[8:]]
    start = {"id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}
    events: list[Any] = [
        {"type": "message-start", "id": "m"},
        {"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": start}}},
        *(
            {"type": "tool-call-delta", "index": 0, "delta": {"message": {"tool_calls": {"function": {"arguments": piece}}}}}
            for piece in pieces
        ),
        {"type": "tool-call-end", "index": 0},
        {"type": "message-end", "delta": {"finish_reason": "TOOL_CALL"}},
    ]
    body = b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events)
    for size in (len(body), 1, 7):
        decoder = Decoder("cohere-v2")
        parts = [part for at in range(0, len(body), size) for part in decoder.feed(body[at : at + size])]
        parts += decoder.close()
        (call,) = (part for part in parts if part.as_json()["type"] == "tool-call")
        assert call.as_json()["input"] == jsontext.stringify(value)
        decoder.message.tool_calls[0].arguments.encode()


def test_a_half_behind_a_backslash_is_no_json() -> None:
    """Nothing but what JSON knows may be escaped."""
    with pytest.raises(jsontext.JsonTextError):
        jsontext.loads(jsontext.utf8('{"a":"\\\ud800"}'))
