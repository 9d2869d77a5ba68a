"""``xai-responses``: the quick path takes what it should, and gives what the general one gives."""

from __future__ import annotations

import json

import pytest

from streamcore import Decoder

from .chat_wire import r_delta
from .test_xai_responses import NAME, OF_R, completed, created, item, said, text, thought
from .wire import Json, decode, event, i_delta, quick_only, t_delta

OPEN = [created(), thought("x"), text("x"), item("added", "function_call", 2, id="i", call_id="a", name="f")]


def variants() -> list[bytes]:
    """Deltas that the quick path takes, and those that it must leave alone."""
    fields = {"sequence_number": 1, "item_id": "m", "output_index": 2, "delta": "y"}
    kinds = ["output_text", "reasoning_text", "reasoning_summary_text", "function_call_arguments", "banana"]
    plain: list[Json] = [{**fields, "type": f"response.{kind}.delta", "item_id": key} for kind in kinds for key in "mrz"]
    changes: list[Json] = [{"delta": delta} for delta in ("", ":", "[{", "\u00e9", "\u2028", '"', "\\", "\ud83d", 1, None, [])]
    changes += [{"item_id": key} for key in (None, 1, "")] + [{"output_index": at} for at in (2.0, True, None, "2", 9)]
    changes += [{"logprobs": value} for value in ([], None, {}, [1], [[]], [{"a": 1}], "[")]
    changes += [{"error": None}, {"error": "x"}, {"x": {}}, {"x": []}, {"x": ":"}, {"type": None}, {"type": "error"}]
    found = [json.dumps({**one, **change}).encode() for one in plain for change in ({}, *changes)]
    text_delta = json.dumps(plain[0]).encode()
    found += [
        text_delta.replace(b'"y"', written)
        for written in (rb'"\u003a"', rb'"\u005b"', b'"\xff"', b'"y", "delta": "z"', rb'"\u003a", "delta": "z"', b"NaN")
    ]
    return [*found, text_delta[:-1], b"[]", b"null", text_delta + b"x"]


@pytest.mark.parametrize("policy", ["lenient", "strict"])
def test_quick_and_general_path_agree(policy: str) -> None:
    for variant in variants():
        body = b"".join([*OPEN, event(variant), text("z"), completed()])
        quick = decode(body, NAME, policy=policy)
        assert quick == decode(body, NAME, policy=policy, general=True), variant


def test_the_quick_path_is_taken() -> None:
    decoder = Decoder(NAME)
    decoder.feed(b"".join(OPEN))
    arguments = said("function_call_arguments.delta", item_id="i", output_index=2, delta='{"k":[1]}')
    with quick_only(decoder):
        parts = decoder.feed(text("y: [") + thought("y") + thought("z", kind="reasoning_text") + arguments)

    assert [part.as_json() for part in parts] == [
        t_delta("y: [", "text-m"),
        r_delta("y", "reasoning-r", **OF_R),
        r_delta("z", "reasoning-r", **OF_R),
        i_delta('{"k":[1]}'),
    ]
