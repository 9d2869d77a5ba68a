"""The quick path of ``openai-chat`` gives what the general path gives.

Around every chunk that the quick path takes lie those that it must leave alone: the variants here.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcore import Decoder, Limits

from .wire import DONE, Json, call, choice, chunk, decode, event, i_delta, t_delta, text, tools


def near(delta: Json) -> Json:
    """A chunk that the quick path takes if it takes ``delta``."""
    return {**chunk({**choice(delta), "logprobs": None}), "usage": None, "object": "chat.completion.chunk"}


TEXT = near({"content": "x"})
TOOL = near({"tool_calls": [call(0, args="x")]})
STRINGS = ["", ":", "a:b", "[", "]", "{", "a[b]:c", "\ufffd", "\n", "\u2028", '"', "\\", "\x00"]
STRINGS += ["\\u003a", "\\u005b", "u003a"]


def without(value: Json, key: str) -> Json:
    """``value`` without that key."""
    return {name: item for name, item in value.items() if name != key}


def of_chunk(plain: Json) -> list[tuple[str, Any]]:
    """Variants of what is around a delta."""
    [one] = plain["choices"]
    indices: list[Any] = [None, False, True, 0.0, -0.0, 1, -1, "0", [], 10**30]
    changes: list[tuple[str, list[Any]]] = [
        ("index", indices),
        ("finish_reason", ["", "stop", 1]),
        ("logprobs", [{}, 1, {"content": []}]),
        ("message", [{}]),
        ("content_filter_results", [{}, {"a": 1}, []]),
        ("extra:", [None]),
    ]
    top: list[tuple[str, list[Any]]] = [
        ("choices", [[], {}, None, "x", [one, one], [one, None], [one, {}], {"a": one}]),
        ("created", [True, False, 1.0, 2, None, "1", []]),
        ("id", ["d", None, "", 1, "c:"]),
        ("model", ["d", None, "", 1]),
        ("usage", [{}, {"prompt_tokens": 1}, 1, []]),
        ("error", [None, "boom", {"message": "boom"}, 0]),
        ("x", [json.loads("[" * 300 + "]" * 300), json.loads("[" * 255 + "]" * 255), [], {}, ":", "["]),
        ("type", ["error", "x"]),
    ]
    return [
        ("plain", plain),
        ("type error", {**plain, "type": "error", "message": "boom"}),
        *((f"{key} {new!r}"[:40], {**plain, "choices": [{**one, key: new}]}) for key, some in changes for new in some),
        *((f"{key} {new!r}"[:40], {**plain, key: new}) for key, some in top for new in some),
        *((f"without {key}", without(plain, key)) for key in plain),
        *((f"choice without {key}", {**plain, "choices": [without(one, key)]}) for key in one),
        *((f"payload {value!r}"[:40], value) for value in (None, 1, "x", [], [plain], True)),
    ]  # fmt: skip


def of_delta() -> list[tuple[str, Any]]:
    """Variants of the delta."""
    deltas: list[Any] = [{}, None, [], "x", 1, {"content": None}, {"content": 1}, {"content": "x", "role": "assistant"}]
    deltas += [{"content": "x", "refusal": "y"}, {"content": "x", "extra": [[[]]]}, {"refusal": "x"}, {"other": "x"}]
    deltas += [{"content": string} for string in STRINGS]
    plain = call(0, args="x")
    functions: list[Any] = [None, {}, [], "f", {"arguments": None}, {"arguments": {"a": 1}}, {"arguments": 1}]
    functions += [{"arguments": "x", "name": name} for name in (None, "", "f", "g")]
    functions += [{"name": "f"}, {"arguments": "x", "extra": []}, {"arguments": "x" * 50}]
    calls: list[Any] = [None, {}, [], "x", 1]
    calls += [{**plain, "function": function} for function in functions]
    calls += [{**plain, "index": index} for index in (None, True, False, 0.0, 1, 2, 3, -1, "0", 10**30)]
    others: list[Any] = [None, "", "a", "b", [], {}]
    calls += [{**plain, key: item} for key in ("id", "type", "x") for item in others]
    calls += [without(plain, key) for key in plain]
    calls += [call(0, args=string) for string in STRINGS]
    lists: list[Any] = [[], None, {}, "x", {"a": plain}, [plain, plain], [plain, None], [plain, {}], [[plain]]]
    lists += [[item] for item in calls]
    deltas += [{"tool_calls": item} for item in lists]
    deltas += [{"tool_calls": [plain], "content": content} for content in (None, "", "x")]
    return [(f"{delta!r}"[:60], near(delta)) for delta in deltas]


def raw() -> list[tuple[str, bytes]]:
    """Variants of how it is written."""
    found: list[tuple[str, bytes]] = []
    for plain in (json.dumps(TEXT).encode(), json.dumps(TOOL).encode()):
        name = b"content" if b'"content"' in plain else b"arguments"
        found += [
            ("invalid UTF-8", plain.replace(b'"x"', b'"\xff"')),
            ("a cut character", plain.replace(b'"x"', b'"\xe2\x82"')),
            ("encoded surrogate", plain.replace(b'"x"', b'"\xed\xa0\x80"')),
            ("half a pair", plain.replace(b'"x"', rb'"\ud83d"')),
            ("escaped colon", plain.replace(b'"x"', rb'"\u003a\u003A"')),
            ("escaped and unescaped colons", plain.replace(b'"x"', rb'":\u003a"')),
            ("escaped bracket", plain.replace(b'"x"', rb'"\u005b"')),
            ("escaped escape", plain.replace(b'"x"', rb'"\\u003a"')),
            ("escaped name", plain.replace(name, name.replace(b"n", rb"\u006e"))),
            ("name twice", plain.replace(b'"%s"' % name, b'"%s": "y", "%s"' % (name, name))),
            ("name twice, once escaped", plain.replace(b'"x"', rb'"\u003a", "%s": "\u003a"' % name)),
            ("a colon that goes", plain.replace(b'"%s": "x"' % name, b'"%s": ":", "%s": "x"' % (name, name))),
            ("id twice", plain.replace(b'"id"', b'"id": "d", "id"')),
            ("index twice", plain.replace(b'"index": 0', b'"index": 1, "index": 0')),
            ("NaN", plain.replace(b'"usage": null', b'"usage": NaN')),
            ("white space", b" \t\r\n" + plain + b" "),
            ("a BOM", b"\xef\xbb\xbf" + plain),
            ("more behind it", plain + b"{}"),
            ("not closed", plain[:-1]),
        ]  # fmt: skip
    return found


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


VARIANTS = [(label, compact(value)) for label, value in of_chunk(TEXT) + of_chunk(TOOL) + of_delta()] + raw()
OPENING = event({"id": "c", "created": 1, "model": "m", "choices": []})
OPENINGS = {
    "nothing open": OPENING,
    "text open": OPENING + text("open"),
    "a call open": OPENING + tools(call(0, "a", "f", "")),
    "all open": OPENING + text("open") + tools(call(0, "a", "f", "{"), call(2, "b", "g", "{")),
    "a call without a name": OPENING + text("open") + tools(call(0, "a", args="{")),
    "ended": OPENING + text("open") + DONE,
}
LIMITS = [Limits(), Limits(max_arguments_chars=20), Limits(max_json_depth=4)]


@pytest.mark.parametrize("policy", ["lenient", "strict"])
@pytest.mark.parametrize("opening", OPENINGS)
def test_variants(policy: str, opening: str) -> None:
    """Each variant after each opening under each policy; the limits take turns, and each variant meets all of them."""
    turn = [*OPENINGS].index(opening) + (policy == "strict")
    for at, (label, payload) in enumerate(VARIANTS):
        limits = LIMITS[(turn + at) % len(LIMITS)]
        body = OPENINGS[opening] + event(payload) + compact_events(TEXT, TOOL) + DONE
        quick = decode(body, policy=policy, limits=limits)
        assert quick == decode(body, policy=policy, limits=limits, general=True), (label, limits)


def compact_events(*values: Any) -> bytes:
    return b"".join(event(compact(value)) for value in values)


@pytest.mark.parametrize("name", ["error", "message", "x"])
def test_variants_under_an_event_name(name: str) -> None:
    for label, payload in VARIANTS:
        body = OPENINGS["all open"] + event(payload, name) + compact_events(TEXT, TOOL) + DONE
        quick = decode(body)
        assert quick == decode(body, general=True), label
        assert quick == decode([body[:90], body[90:700], body[700:]]), label


def test_the_quick_path_is_taken() -> None:
    """Or the tests above would compare nothing."""
    decoder = Decoder("openai-chat")
    decoder.feed(OPENINGS["all open"] + compact_events(TOOL))  # to go back to an earlier call is noted the first time
    general = decoder._dialect.frame_in_full
    slow = []

    def count(*arguments: Any) -> None:
        slow.append(arguments)
        general(*arguments)

    decoder._dialect.frame_in_full = count
    arguments = '{"k": ["v:w"]}'
    wire = [TEXT, near({"content": "y:z"}), TOOL, near({"tool_calls": [call(2, args=arguments)]})]
    parts = decoder.feed(compact_events(*wire))

    assert [part.as_json() for part in parts] == [
        t_delta("x"),
        t_delta("y:z"),
        i_delta("x"),
        i_delta(arguments, "b"),
    ]
    assert not slow


scalars = st.none() | st.booleans() | st.integers(-2, 2) | st.floats(allow_nan=False) | st.text(max_size=4)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
)
TOP = ["id", "created", "model", "choices", "usage", "error", "type", "message", "x"]
INNER = ["index", "delta", "logprobs", "finish_reason", "x"]
DELTA = ["content", "tool_calls", "refusal", "function_call", "role", "x"]
CALL = ["index", "id", "type", "function", "x"]


def some(names: list[str], size: int) -> st.SearchStrategy[Json]:
    """A few keys of those names with any values."""
    return st.dictionaries(st.sampled_from(names), values, max_size=size)


@given(some(TOP, 2), some(INNER, 1), some(DELTA, 1), some(CALL, 1), st.text(max_size=5), st.booleans(), st.booleans())
def test_generated_chunks(
    top: Json, inner: Json, delta: Json, wire: Json, content: str, is_text: bool, ascii_only: bool
) -> None:
    plain = {"content": content} if is_text else {"tool_calls": [{**call(0, args=content), **wire}]}
    changed = {**TEXT, "choices": [{**choice({**plain, **delta}), **inner}], **top}
    payload = json.dumps(changed, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    body = OPENINGS["all open"] + event(payload) + text("!") + DONE
    quick = decode(body)

    assert quick == decode(body, general=True)
    assert quick == decode([body[:200], body[200:230], body[230:]])
