"""``cohere-v1``: the parts of its streams, and what departs from them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streamcore import Limits

from .torture import check_cuts, check_mutations
from .wire import (
    NO_USAGE,
    START,
    Json,
    decode_every_way,
    ended,
    err,
    i_delta,
    i_start,
    size,
    t_delta,
    t_end,
    t_start,
)

DIALECT = "cohere-v1"
HEAD: list[Json] = [START, {"type": "response-metadata", "id": "g"}]
TOKENS = {"input_tokens": 7, "output_tokens": 5}
COUNTED: Json = {"inputTokens": {"total": 7, "noCache": 7}, "outputTokens": {"total": 5, "text": 5}}


def line(kind: str | None, **fields: Any) -> bytes:
    """One line."""
    value = {"is_finished": kind == "stream-end", **({} if kind is None else {"event_type": kind}), **fields}
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


BEGIN = line("stream-start", generation_id="g")


def say(piece: Any) -> bytes:
    return line("text-generation", text=piece)


def calls(*wanted: Any) -> bytes:
    return line("tool-calls-generation", tool_calls=list(wanted))


def done(reason: Any = "COMPLETE", text: str | None = None, **meta: Any) -> bytes:
    response = {"response_id": "r", "text": text, "meta": {"api_version": {"version": "1"}, **meta}}
    return line("stream-end", response=response, **({} if reason is None else {"finish_reason": reason}))


def fin(unified: str = "stop", raw: str | None = "COMPLETE", usage: Json | None = None) -> Json:
    reason = {"unified": unified} if raw is None else {"unified": unified, "raw": raw}
    return {"type": "finish", "finishReason": reason, "usage": usage or NO_USAGE}


TALK = BEGIN + say("h\u00e9") + line("citation-generation", citations=[]) + say("!") + done(text="h\u00e9!", tokens=TOKENS)
CALLS = b"".join(
    (
        BEGIN,
        line("tool-calls-chunk", tool_call_delta={"index": 0, "name": "f"}),
        calls({"name": "f", "parameters": {"a": 12345678901234567890}}, {"name": "g"}),
        done(text=""),
    )
)


def test_text() -> None:
    decoded = decode_every_way(TALK, DIALECT)
    usage = {**COUNTED, "raw": {"tokens": TOKENS}}
    assert decoded.parts == [*HEAD, t_start(), t_delta("h\u00e9"), t_delta("!"), t_end(), fin(usage=usage)]
    assert decoded.warnings == []
    assert decoded.message.complete


def test_calls_have_generated_ids_and_exact_integers() -> None:
    decoded = decode_every_way(CALLS, DIALECT)
    text = '{"a":12345678901234567890}'
    assert decoded.parts[2:-1] == [
        i_start("call_gen_0"),
        i_delta(text, "call_gen_0"),
        *ended(text, "call_gen_0"),
        i_start("call_gen_1", "g"),
        i_delta("{}", "call_gen_1"),
        *ended("{}", "call_gen_1", "g"),
    ]
    assert decoded.parts[-1]["finishReason"] == {"unified": "tool-calls", "raw": "COMPLETE"}
    assert decoded.warnings == []


def test_a_number_beyond_all_doubles_is_null() -> None:
    body = BEGIN + calls({"name": "f", "parameters": {"a": 1}}).replace(b":1}", b":1e999}") + done()
    assert decode_every_way(body, DIALECT).message.tool_calls[0].arguments == '{"a":null}'


@pytest.mark.parametrize(
    ("reason", "unified"),
    [
        ("MAX_TOKENS", "length"),
        ("ERROR_TOXIC", "content-filter"),
        ("ERROR", "error"),
        ("USER_CANCEL", "other"),
        ("NEW", "other"),
        (None, "other"),
    ],
)
def test_finish_reasons(reason: str | None, unified: str) -> None:
    decoded = decode_every_way(BEGIN + done(reason), DIALECT)
    assert decoded.parts == [*HEAD, fin(unified, reason)]
    assert decoded.codes == (["unknown_finish_reason"] if reason == "NEW" else [])


def test_billed_tokens_where_there_are_no_others() -> None:
    decoded = decode_every_way(BEGIN + done(billed_units=TOKENS), DIALECT)
    assert decoded.parts[-1] == fin(usage={**COUNTED, "raw": {"billed_units": TOKENS}})


def test_an_end_without_a_response() -> None:
    assert decode_every_way(BEGIN + line("stream-end", finish_reason="COMPLETE"), DIALECT).parts == [*HEAD, fin()]


def test_a_text_at_the_end_that_is_another() -> None:
    """V20."""
    decoded = decode_every_way(BEGIN + say("a") + done(text="b"), DIALECT)
    assert decoded.codes == ["snapshot_mismatch"]
    assert decoded.message.text == "a"
    assert decode_every_way(BEGIN + say("a") + done(text="b"), DIALECT, policy="strict").parts[-1]["type"] == "error"


def test_errors() -> None:
    said = b'{"message":"invalid api token"}\n'
    shown = {"message": "invalid api token"}
    assert decode_every_way(said, DIALECT).parts == [err("provider", "open", len(said), shown)]
    body = BEGIN + b'{"error":"gone"}\n'
    assert decode_every_way(body, DIALECT).parts == [*HEAD, err("provider", "stream", len(body), "gone")]
    [part] = decode_every_way(b"<html>", DIALECT).parts
    assert part["kind"] == "not_an_event_stream"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (line(None), "invalid_payload"),
        (b"[1]\n", "invalid_payload"),
        (say(None), "invalid_payload"),
        (line("stream-start", generation_id=1), "invalid_payload"),
        (line("tool-calls-generation"), "invalid_payload"),
        (calls({"name": ""}), "nameless_call"),
        (calls({"name": "null"}), "nameless_call"),
        (b"{\n", "malformed_json"),
    ],
)
def test_failures(said: bytes, kind: str) -> None:
    decoded = decode_every_way(BEGIN + said + say("x") + done(), DIALECT)
    assert decoded.parts[2]["kind"] == kind
    assert decoded.parts[3:] == [t_start(), t_delta("x"), t_end(), fin()]


def test_an_end_that_cannot_be_read_ends_nothing() -> None:
    decoded = decode_every_way(BEGIN + line("stream-end", finish_reason=1), DIALECT)
    assert [part["kind"] for part in decoded.parts[2:]] == ["invalid_payload", "incomplete_stream"]


def test_the_unknown_and_the_late() -> None:
    decoded = decode_every_way(BEGIN + line("new") + say("") + done() + say("x"), DIALECT)
    assert decoded.parts == [*HEAD, fin()]
    assert decoded.codes == ["unknown_event", "data_after_end"]


def test_limits() -> None:
    wanted = [{"name": "f"}] * 3
    decoded = decode_every_way(BEGIN + calls(*wanted) + done(), DIALECT, limits=Limits(max_open_calls=2))
    assert decoded.parts[-1] == err("tool_call_protocol", "stream", size(BEGIN, calls(*wanted)))


@pytest.mark.parametrize("body", [TALK, CALLS], ids=["talk", "calls"])
def test_cut_and_mutated_bytes(body: bytes) -> None:
    check_cuts(body, DIALECT)
    check_mutations(body, DIALECT)
