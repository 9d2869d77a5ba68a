"""The quick path of ``cohere-v2`` gives what the general one gives."""

from __future__ import annotations

import json

import pytest

from streamcore import Decoder, Limits

from .cohere_wire import DIALECT, arguments, call_start, message_end, message_start, start, text, thinking, wire
from .wire import Json, decode, i_delta, quick_only, t_delta

SAID = ["x", "", "a:b", '"', "\u00e9\U0001f600", "\\u003a", "\n"]
WRITTEN = [json.dumps(item)[1:-1].encode() for item in SAID] + [rb"\u003a", rb"\u003a:", rb"\ud83d", b"\xff", b'","x":"']


@pytest.mark.parametrize("opened", [[], [start()], [start(0, "thinking")], [call_start()]])
def test_the_quick_path_gives_what_the_general_one_gives(opened: list[Json]) -> None:
    plain = [json.dumps(wire_event, separators=(",", ":")).encode() for wire_event in
             (text("@"), thinking("@"), arguments("@"), text("@", 1), arguments("@", True), text("@", 0.0))]  # fmt: skip
    variants = [one.replace(b"@", written) for one in plain for written in WRITTEN]
    for one in plain[:3]:
        variants += [
            one.replace(b'"index":0', b'"index":1,"index":0'),
            one.replace(b'"delta"', b'"x":1,"delta"'),
            one.replace(b'"@"', b'"@","@":1'),
            one.replace(b'"text":"@"', rb'"text":"\u003a","text":"\u003a"'),
            one.replace(b'"@"', b"null"),
            one.replace(b'"text":"@"', b'"text":"@","thinking":"@"'),
            b" " + one + b"\t",
            one[:-1],
        ]
    names = [b"", b"event: content-delta\n", b"event: tool-call-delta\n", b"event: error\n"]
    for limits in (Limits(), Limits(max_arguments_chars=3), Limits(max_json_depth=4), Limits(max_json_depth=5)):
        for variant in variants:
            for name in names:
                body = wire(message_start(), *opened, name + b"data: " + variant + b"\n\n", text("!"), message_end())
                quick = decode(body, DIALECT, limits=limits)
                assert quick == decode(body, DIALECT, limits=limits, general=True), variant


def test_the_quick_path_is_taken() -> None:
    decoder = Decoder(DIALECT)
    decoder.feed(wire(message_start(), start(), start(1, "thinking"), call_start()))
    with quick_only(decoder):
        parts = decoder.feed(wire(text("a:b"), thinking("y", 1), arguments('{"a":')))
    assert [part.as_json() for part in parts] == [t_delta("a:b"), {"type": "reasoning-delta", "id": "1", "delta": "y"}, i_delta('{"a":')]
