"""``ollama-ndjson``: both of its endpoints, what departs from them, and that the quick path changes nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streamcore import Decoder, Limits

from .torture import check_cuts, check_mutations
from .wire import (
    NO_USAGE,
    START,
    Decoded,
    Json,
    decode,
    decode_every_way,
    ended,
    err,
    i_delta,
    i_start,
    quick_only,
    size,
    t_call,
    t_delta,
    t_end,
    t_start,
)

DIALECT = "ollama-ndjson"
CREATED = "2025-08-14T14:53:08.224713999Z"
META: Json = {"type": "response-metadata", "modelId": "m:1", "timestamp": "2025-08-14T14:53:08.224Z"}
HEAD: list[Json] = [START, META]
FIGURES = {"total_duration": 9, "prompt_eval_count": 7, "eval_count": 5}
COUNTED: Json = {"inputTokens": {"total": 7, "noCache": 7}, "outputTokens": {"total": 5}, "raw": FIGURES}


def line(**fields: Any) -> bytes:
    """One line; ``fields`` beside the model and the time."""
    value = {"model": "m:1", "created_at": CREATED, "done": False, **fields}
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def chat(content: Any = "", **message: Any) -> bytes:
    """A line of ``/api/chat``."""
    return line(message={"role": "assistant", "content": content, **message})


def thinking(piece: Any) -> bytes:
    return chat(thinking=piece)


def generate(response: str, **fields: Any) -> bytes:
    """A line of ``/api/generate``."""
    return line(response=response, **fields)


def calls(*functions: Json) -> bytes:
    return chat(tool_calls=list(functions))


def call(name: Any = "f", arguments: Any = None, **more: Any) -> Json:
    return {"function": {"name": name, "arguments": {} if arguments is None else arguments}, **more}


def done(reason: Any = "stop", **fields: Any) -> bytes:
    reason = {} if reason is None else {"done_reason": reason}
    return line(message={"role": "assistant", "content": ""}, **{"done": True, **reason, **FIGURES, **fields})


def fin(unified: str = "stop", raw: str | None = "stop", usage: Json = COUNTED) -> Json:
    reason = {"unified": unified} if raw is None else {"unified": unified, "raw": raw}
    return {"type": "finish", "finishReason": reason, "usage": usage}


def r_parts(*pieces: str, key: str = "0") -> list[Json]:
    deltas = [{"type": "reasoning-delta", "id": key, "delta": piece} for piece in pieces]
    return [{"type": "reasoning-start", "id": key}, *deltas, {"type": "reasoning-end", "id": key}]


def t_parts(*pieces: str, key: str = "0") -> list[Json]:
    return [t_start(key), *(t_delta(piece, key) for piece in pieces), t_end(key)]


def c_parts(text: str, key: str = "call_gen_0", name: str = "f", **extra: Any) -> list[Json]:
    return [i_start(key, name), i_delta(text, key), *ended(text, key, name, **extra)]


def ollama(*lines: bytes, **options: Any) -> Decoded:
    """What those lines and a last one give."""
    return decode_every_way(b"".join((*lines, done())), DIALECT, **options)


TALK = b"".join([thinking("so"), thinking(": yes"), chat("h\u00e9:"), chat(" <x>"), calls(call("f", {"a": 1})), done()])


def test_a_chat() -> None:
    decoded = decode_every_way(TALK, DIALECT)
    assert decoded.parts == [
        *HEAD,
        *r_parts("so", ": yes"),
        *t_parts("h\u00e9:", " <x>"),
        *c_parts('{"a":1}'),
        fin("tool-calls"),
    ]
    assert decoded.warnings == []
    assert decoded.message.complete
    assert decoded.message.tool_calls[0].executable


def test_a_generation() -> None:
    body = generate("", thinking="so") + generate("a") + generate("b") + line(response="", done=True, done_reason="length")
    decoded = decode_every_way(body, DIALECT)
    assert decoded.parts == [*HEAD, *r_parts("so"), *t_parts("a", "b"), fin("length", "length", NO_USAGE)]
    assert decoded.warnings == []


def test_blocks_alternate() -> None:
    decoded = ollama(chat("a"), thinking("b"), chat("c", thinking="d"), calls(call()), chat("e"))
    assert decoded.parts[2:-1] == [
        *t_parts("a"),
        *r_parts("b", "d"),
        *t_parts("c", key="1"),
        *c_parts("{}"),
        *t_parts("e", key="2"),
    ]


def test_text_that_comes_with_the_last_line() -> None:
    body = line(message={"role": "assistant", "content": "hi"}, done=True, done_reason="stop")
    assert decode_every_way(body, DIALECT).parts == [*HEAD, *t_parts("hi"), fin(usage=NO_USAGE)]


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ({"b": 1, "1": 2.0}, '{"1":2,"b":1}'),
        ({"n": 12345678901234567890}, '{"n":12345678901234567890}'),
        ({"n": 1e21, "s": "\ud83d \u00e9"}, '{"n":1e+21,"s":"\\ud83d \u00e9"}'),
        ({}, "{}"),
    ],
)
def test_arguments_are_written_as_ecmascript_does(arguments: Json, shown: str) -> None:
    """Unless its doubles would change a number (V26)."""
    assert ollama(calls(call("f", arguments))).parts[2:-1] == c_parts(shown)


@pytest.mark.parametrize(
    ("reason", "unified"),
    [("stop", "stop"), ("length", "length"), ("load", "other"), ("unload", "other"), ("new", "other"), (None, "other")],
)
def test_finish_reasons(reason: str | None, unified: str) -> None:
    """V16, V25."""
    decoded = decode_every_way(done(reason), DIALECT)
    assert decoded.parts == [*HEAD, fin(unified, reason)]
    assert decoded.codes == (["unknown_finish_reason"] if reason == "new" else [])
    after_a_call = decode_every_way(calls(call()) + done(reason), DIALECT)
    assert after_a_call.parts[-1] == fin("tool-calls" if reason == "stop" else unified, reason)


def test_tool_calls_as_a_reason() -> None:
    assert decode_every_way(done("tool_calls"), DIALECT).codes == ["finish_without_calls"]
    assert decode_every_way(calls(call()) + done("tool_calls"), DIALECT).codes == []


def test_ids_of_calls() -> None:
    decoded = ollama(calls(call(id="a"), call("g", id="a"), call("h", id="call_gen_1"), call("i")))
    assert [block.id for block in decoded.message.tool_calls] == ["a", "call_gen_0", "call_gen_1", "call_gen_2"]
    assert decoded.codes == ["duplicate_id"]


@pytest.mark.parametrize(
    ("created", "timestamp"),
    [
        ("2025-01-02T03:04:05.6789+02:00", "2025-01-02T01:04:05.678Z"),
        ("2025-01-02T03:04:05", "2025-01-02T03:04:05.000Z"),
        ("yesterday", None),
        ("0001-01-01T00:00:00+10:00", None),
        ("", None),
        (None, None),
    ],
)
def test_the_time(created: str | None, timestamp: str | None) -> None:
    meta = {key: value for key, value in {**META, "timestamp": timestamp}.items() if value is not None}
    assert decode_every_way(line(created_at=created, done=True), DIALECT).parts[1] == meta


def test_nothing_to_say_about_the_response() -> None:
    parts = decode_every_way(b'{"response":"x"}\n{"done":true,"done_reason":"stop"}', DIALECT).parts
    assert parts == [START, *t_parts("x"), fin(usage=NO_USAGE)]


# -- departures -----------------------------------------------------------------------------------------------------


def test_an_error_line() -> None:
    """V19."""
    said = b'{"error":"model not found"}\n'
    assert decode_every_way(said, DIALECT).parts == [err("provider", "open", len(said), "model not found")]
    body = chat("x") + said
    decoded = decode_every_way(body, DIALECT)
    assert decoded.parts == [*HEAD, t_start(), t_delta("x"), err("provider", "stream", len(body), "model not found")]
    assert decoded.message.error is not None
    assert decoded.message.error.detail == "model not found"


def test_an_error_without_a_line_end() -> None:
    decoded = decode_every_way(b'{"error":"gone"}', DIALECT)
    assert decoded.parts == [err("provider", "open", 16, "gone")]
    assert decoded.codes == ["unterminated_event"]


@pytest.mark.parametrize("body", [b"<html>\n<body>\n", b"upstream connect error", b"[1]\n", b"data: {}\n\n", b'"x"\n'])
def test_a_body_of_another_kind(body: bytes) -> None:
    [part] = decode_every_way(body, DIALECT).parts
    assert (part["kind"], part["stage"]) == ("not_an_event_stream", "open")


@pytest.mark.parametrize("body", [b"", b"\n\n", b" \r\n"])
def test_an_empty_body(body: bytes) -> None:
    assert decode_every_way(body, DIALECT).parts == [START, err("incomplete_stream", "close", len(body))]


def test_a_cut_stream_is_incomplete() -> None:
    check_cuts(TALK, DIALECT)
    body = chat("x")
    assert decode_every_way(body, DIALECT).parts[-1] == err("incomplete_stream", "close", len(body))


def test_mutated_bytes_never_raise() -> None:
    check_mutations(TALK, DIALECT)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (b"{\n", "malformed_json"),
        (b"[]\n", "invalid_payload"),
        (b"{}\n", "invalid_payload"),
        (b'{"status":"pulling manifest"}\n', "invalid_payload"),
        (line(message=[]), "invalid_payload"),
        (line(done="true"), "invalid_payload"),
        (calls(call(name=None)), "nameless_call"),
        (calls(call(name="")), "nameless_call"),
        (calls(call(name="null")), "nameless_call"),
    ],
)
def test_failures(said: bytes, kind: str) -> None:
    decoded = ollama(chat("x"), said, chat("y"))
    assert [part.get("kind") for part in decoded.parts[3:-2]] == [None, kind, None]
    assert decoded.parts[-3]["delta"] == "y"
    assert not decoded.message.complete
    strict = ollama(chat("x"), said, policy="strict")
    assert strict.parts[-1] == {**decoded.parts[4], "offset": size(chat("x"), said)}


def test_arguments_that_are_no_object() -> None:
    decoded = ollama(calls(call("f", '{"a":1}'), call("g", "x"), call("h", [1]), {"function": {"name": "i"}}))
    assert [part for part in decoded.parts if part["type"] == "tool-call"] == [
        t_call('{"a":1}', "call_gen_0"),
        t_call("x", "call_gen_1", "g", invalid=True),
        t_call("[1]", "call_gen_2", "h", invalid=True),
        t_call("{}", "call_gen_3", "i"),
    ]
    assert decoded.codes == ["args_not_object", "args_not_object", "invalid_arguments", "invalid_arguments"]


def test_more_behind_the_end() -> None:
    decoded = ollama(done(), chat("x"))
    assert decoded.parts == [*HEAD, fin()]
    assert decoded.codes == ["data_after_end"] * 2
    strict = ollama(done(), chat("x"), policy="strict")
    assert strict.parts[-1]["kind"] == "invalid_payload"


def test_limits() -> None:
    decoded = ollama(calls(call(), call("g"), call("h")), limits=Limits(max_open_calls=2))
    assert decoded.parts[-1]["kind"] == "tool_call_protocol"
    decoded = ollama(calls(call("f", {"a": 1})), limits=Limits(max_arguments_chars=4))
    assert [part["type"] for part in decoded.parts] == ["stream-start", "response-metadata", "error"]


# -- the quick path -------------------------------------------------------------------------------------------------


def near() -> list[bytes]:
    """Lines that are nearly, or just, what the quick path takes."""
    plain = [chat("@"), thinking("@"), generate("@"), line(thinking="@"), generate("", thinking="@")]
    strings = [b"x", b"", b"a:b", rb"\"", "\u00e9\U0001f600".encode(), rb"\u003a", rb"\\u003a:", rb"\ud83d", b"\xff"]
    found = [one.replace(b"@", string) for one in plain for string in (*strings, b'","x":"')]
    for one in plain:
        found += [
            one.replace(b'"done":false', b'"done":true,"done":false'),
            one.replace(b'"done":false', b'"done":true'),
            one.replace(b'"done":false', b'"done":false,"x":[[[]]]'),
            one.replace(b'"done":false,', b""),
            one.replace(b'"m:1"', rb'"m\u003a1"'),
            one.replace(b'"m:1"', rb'"\u003a","model":"\u003a"'),
            one.replace(b"assistant", b"tool"),
            one.replace(b'"@"', b"null"),
            one.replace(b'"@"', b'"@","error":"no"'),
            one.replace(b'"@"', b'"@"},"response":"both","x":{"y":""'),
            b" " + one.replace(b"\n", b"\r\n"),
            one[:-2] + b"\n",
        ]
    return found


@pytest.mark.parametrize("opened", [b"", chat("open"), thinking("open"), chat("open") + done()])
@pytest.mark.parametrize("limits", [Limits(), Limits(max_json_depth=1), Limits(max_json_depth=2)])
def test_the_quick_path_gives_what_the_general_one_gives(opened: bytes, limits: Limits) -> None:
    for variant in near():
        for body in (opened + variant + chat("!") + done(), opened + variant):
            assert decode(body, DIALECT, limits=limits) == decode(body, DIALECT, limits=limits, general=True), variant


@pytest.mark.parametrize(
    ("opened", "lines"),
    [
        (chat("a"), [chat("b:c"), generate("<d>")]),
        (thinking("a"), [thinking("b:c"), line(thinking="d")]),
        (generate("a"), [generate("b"), generate("c", thinking="")]),
    ],
)
def test_the_quick_path_is_taken(opened: bytes, lines: list[bytes]) -> None:
    decoder = Decoder(DIALECT)
    decoder.feed(opened)
    with quick_only(decoder):
        parts = decoder.feed(b"".join(lines))
    assert len(parts) == len(lines)
