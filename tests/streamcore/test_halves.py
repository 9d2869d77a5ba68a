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
