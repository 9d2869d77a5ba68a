"""``openai-responses``: the quick path gives what the general path gives; any events in any order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.rules import cut_is_legal, violations
from streamcore import Decoder, Limits
from streamcore.dialects.openai.responses_schema import ADDED, ITEM_EVENTS

from .openai_responses_wire import (
    COMPLETED,
    CREATED,
    DIALECT,
    added,
    arguments,
    arguments_done,
    done,
    ended,
    function,
    m_delta,
    message,
    r_delta,
    reasoning,
    sse,
    summary,
    text,
    text_done,
)
from .wire import check_order, decode, event, i_delta

if TYPE_CHECKING:
    from .wire import Json

ERROR: Json = {"code": "server_error", "message": "boom"}
FLAT: Json = {"type": "error", **ERROR}
FAILED: Json = ended("failed", error=ERROR)

TEXT = text("x")
ARGUMENTS = arguments("x", 1, obfuscation="o")
SUMMARY = summary("text.delta", 0, 2, delta="x", obfuscation="o")
STRINGS = ["", ":", "a:b", "[", "\ufffd", "\n", "\u2028", '"', "\\", "\x00", "\\u003a", "u003a", "\ud83d"]


def variants(plain: Json) -> list[tuple[str, bytes]]:
    """What is near an event that the quick path takes."""
    values: dict[str, list[Any]] = {
        "output_index": [1, 2, 7, -1, 0.0, 0.5, True, None, "0"],
        "item_id": ["zzz", "f1", "", None, 1],
        "delta": [*STRINGS, None, 1, ["x"]],
        "content_index": [1, -1, 0.0, None, "0", 10**30],
        "summary_index": [1, -1, 0.0, None, "0"],
        "logprobs": [None, [{"token": "x"}], {}, 1],
        "obfuscation": ["a:b", None, 1],
        "sequence_number": [0, 99, -1, 4.0, 4.5, None, True, "4"],
        "x": [None, {"a": ":"}, [[[]]], ":"],
        "error": [None, "boom", ERROR],
        "type": ["error", "response.hologram", None],
    }
    found: list[tuple[str, Any]] = [("plain", plain)]
    found += [(f"{key} {value!r}"[:40], {**plain, key: value}) for key, some in values.items() for value in some]
    found += [(f"without {key}", {name: item for name, item in plain.items() if name != key}) for key in plain]
    written = json.dumps(plain).encode()
    ways = [
        ("invalid UTF-8", written.replace(b'"x"', b'"\xff"')),
        ("a cut character", written.replace(b'"x"', b'"\xe2\x82"')),
        ("escaped colon", written.replace(b'"x"', rb'"\u003a"')),
        ("escaped name", written.replace(b'"delta"', rb'"\u0064elta"')),
        ("delta twice", written.replace(b'"delta"', b'"delta": "y", "delta"')),
        ("delta twice, once escaped", written.replace(b'"x"', rb'"\u003a", "delta": "\u003a"')),
        ("a colon that goes", written.replace(b'"delta": "x"', b'"delta": ":", "delta": "x"')),
        ("index twice", written.replace(b'"output_index"', b'"output_index": 5, "output_index"')),
        ("white space", b" \t" + written + b" "),
        ("more behind it", written + b"{}"),
        ("not closed", written[:-1]),
    ]
    return [(label, json.dumps(value, separators=(",", ":")).encode()) for label, value in found] + ways


VARIANTS = [(label, wire) for plain in (TEXT, ARGUMENTS, SUMMARY) for label, wire in variants(plain)]
OPENING = [CREATED, message(), function(1), reasoning(2)]
OPENINGS: dict[str, list[Json]] = {
    "nothing open": [CREATED],
    "all open": OPENING,
    "all begun": [*OPENING, text("a"), arguments("{", 1), summary("text.delta", 0, 2, delta="a")],
    "all said": [*OPENING, text_done("a"), arguments_done("{}", 1), summary("part.done", 0, 2), summary("part.added", 1, 2)],
    "ended": [*OPENING, COMPLETED],
    "failed": [*OPENING, FAILED],
}


LIMITS = [Limits(), Limits(max_arguments_chars=3), Limits(max_json_depth=1)]


@pytest.mark.parametrize("policy", ["lenient", "strict"])
@pytest.mark.parametrize("opening", OPENINGS)
def test_variants(policy: Any, opening: str) -> None:
    """Both paths give the same parts and warnings; the limits take turns, and each variant meets all of them."""
    begin = sse(*OPENINGS[opening])
    number = len(OPENINGS[opening])
    turn = [*OPENINGS].index(opening) + (policy == "strict")
    for at, (label, wire) in enumerate(VARIANTS):
        limits = LIMITS[(turn + at) % len(LIMITS)]
        for name in ("", json.loads(wire)["type"] if label == "plain" else "response.hologram"):
            body = begin + event(wire.replace(b'"sequence_number":4', b'"sequence_number":%d' % number), name)
            body += sse(text("!"), COMPLETED)
            quick = decode(body, DIALECT, policy=policy, limits=limits)
            assert quick == decode(body, DIALECT, policy=policy, limits=limits, general=True), (label, limits)


def test_the_quick_path_is_taken() -> None:
    """Or the tests above would compare nothing."""
    decoder = Decoder(DIALECT)
    decoder.feed(sse(*OPENINGS["all begun"]))
    slow: list[Any] = []
    decoder._dialect.frame_in_full = lambda *frame: slow.append(frame)
    number = len(OPENINGS["all begun"])
    wire = [TEXT, text("y:z"), ARGUMENTS, arguments('"k:v"', 1), SUMMARY, text(obfuscation="o:o")]
    numbered = [{"sequence_number": number + at, **item} for at, item in enumerate(wire)]

    parts = decoder.feed(b"".join(event(item, item["type"]) for item in numbered))

    assert [part.as_json() for part in parts] == [
        m_delta("x"),
        m_delta("y:z"),
        i_delta("x", "c1"),
        i_delta('"k:v"', "c1"),
        r_delta("x", "r2:0", "r2"),
    ]
    assert len(slow) == 1, "only the one with a colon in its padding"


INDICES = st.sampled_from([0, 0, 0, 1, 1, 2, -1, 0.5, None])
BITS = st.sampled_from(["", "x", "xx", ":", "\\u003a", "\ud83d", '{"a":1}', "{", "}", "\u2028"])
IDS = st.sampled_from(["a", "a", "b", "m0", "", None, "call_gen_0"])
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("delta", "text", "arguments", "input", "code", "diff", "refusal", "container_id"), BITS),
        **dict.fromkeys(("id", "item_id", "call_id", "approval_request_id"), IDS),
        **dict.fromkeys(("content_index", "summary_index", "sequence_number"), INDICES),
        "name": st.sampled_from(["f", "g", "", None]),
        "server_label": st.just("s"),
        "status": st.sampled_from(["completed", "incomplete", "in_progress", 1]),
        "operation": st.sampled_from([{"type": "update_file", "path": "p", "diff": "x"}, {"type": "delete_file", "path": "p"}]),
        "content": st.sampled_from([[], [{"type": "output_text", "text": "xx"}], [{"type": "refusal", "refusal": "x"}]]),
        "summary": st.sampled_from([[], [{"type": "summary_text", "text": "xx"}]]),
        "annotation": st.sampled_from([{"type": "url_citation", "url": "u"}, {"type": "file_path", "file_id": "f"}]),
        "partial_image_b64": st.just("AA"),
        "execution": st.sampled_from(["server", "client"]),
        "queries": st.just([]),
        "tools": st.just([]),
        "action": st.sampled_from([{"type": "search", "commands": ["x"], "command": ["y"]}, None]),
    },
)  # fmt: skip


@st.composite
def events(draw: st.DrawFn) -> Json:
    """Any event, most of them nearly right."""
    kind = draw(st.sampled_from([*["added", "done", "about"] * 4, "other"]))
    fields = draw(FIELDS)
    index = draw(INDICES)
    if kind in ("added", "done"):
        make = added if kind == "added" else done
        return make(index, draw(st.sampled_from([*ADDED, "hologram"])), **fields)
    if kind == "about":
        return {"output_index": index, "delta": "x", **fields, "type": draw(st.sampled_from(sorted(ITEM_EVENTS)))}
    return draw(st.sampled_from([CREATED, COMPLETED, FAILED, FLAT, {"type": "x"}, ended("incomplete")]))


@given(st.lists(events(), max_size=12), st.sampled_from(["lenient", "strict"]), st.data())
def test_any_events_in_any_order(sequence: list[Json], policy: Any, data: st.DataObject) -> None:
    """No order of events breaks the rules of parts, the uniqueness of ids, or the agreement of both paths."""
    body = sse(CREATED, *sequence, COMPLETED)
    cut = data.draw(st.integers(0, len(body)))

    decoded = decode(body, DIALECT, policy=policy)

    check_order(decoded)
    assert violations(decoded.parts, body=body, dialect=DIALECT) == []
    assert decode(body, DIALECT, policy=policy, general=True) == decoded
    assert decode([body[:cut], body[cut:]], DIALECT, policy=policy) == decoded
    if policy == "strict":
        assert all(part["type"] != "error" for part in decoded.parts[:-1])
    else:
        assert cut_is_legal(decode(body[:cut], DIALECT).parts, decoded.parts) is None
