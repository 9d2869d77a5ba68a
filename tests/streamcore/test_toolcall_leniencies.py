"""Row A2: every leniency of tool-call assembly, in every dialect that has ``tool_calls[]``, is a warning with its place.

What the parts are, and where policy strict gives up, is in ``test_toolcalls.py`` and ``test_toolcalls_arguments.py``.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from streamcore import DIALECTS
from streamcore.dialects.compatible.perplexity import Perplexity
from streamcore.dialects.openai.chat import OpenAIChat
from streamcore.dialects.openai.completions import OpenAICompletions

from .test_toolcall_rules import KNOWN
from .wire import DONE, Json, call, decode, finish, size, tools

WITHOUT_CALLS = (OpenAICompletions, Perplexity)
FAMILY = sorted(
    name for name, kind in DIALECTS.items() if issubclass(kind, OpenAIChat) and not issubclass(kind, WITHOUT_CALLS)
)
A, B = "call_0001", "call_0002"  # as long as Mistral wants them

LENIENCIES: dict[str, tuple[int, list[list[Json]]]] = {
    "args_replayed": (3, [[call(0, A, "f", "{}")], [call(0, args="{")], [call(0, args="}")]]),
    "arguments_before_name": (1, [[call(0, A, args="{")], [call(0, name="f", args="}")]]),
    "delta_after_end": (0, []),
    "double_encoded": (2, [[call(0, A, "f", '"{}"')]]),
    "duplicate_id": (2, [[call(0, A, "f", "{}")], [call(1, A, "g", "{}")]]),
    "duplicate_key": (2, [[call(0, A, "f", '{"a":1,"a":2}')]]),
    "empty_args": (2, [[call(0, A, "f")]]),
    "id_and_name_late": (1, [[call(0, args="")], [call(0, A, "f", "{}")]]),
    "id_changed": (2, [[call(0, A, "f", "{")], [call(0, B, args="}")]]),
    "id_late": (0, []),
    "id_repeated": (2, [[call(0, A, "f", "{")], [call(0, A, args="}")]]),
    "id_synthesised": (1, [[call(0, name="f", args="{}")]]),
    "index_changed": (2, [[call(0, A, "f", "{")], [call(3, A, args="}")]]),
    "index_collision": (2, [[call(0, A, "f", "{}")], [call(0, B, "g", "{}")]]),
    "index_decreased": (3, [[call(0, A, "f", "{")], [call(1, B, "g", "{}")], [call(0, args="}")]]),
    "index_missing": (1, [[call(None, A, "f", "{}")]]),
    "index_origin": (1, [[call(1, A, "f", "{}")]]),
    "index_skipped": (2, [[call(0, A, "f", "{}")], [call(2, B, "g", "{}")]]),
    "invalid_arguments": (2, [[call(0, A, "f", "{")]]),
    "name_after_arguments": (2, [[call(0, A, "f", "{")], [call(0, name="g", args="}")]]),
    "name_fragment": (2, [[call(0, A, "f", "")], [call(0, name="g", args="{}")]]),
    "name_late": (1, [[call(0, A, args="")], [call(0, name="f", args="{}")]]),
    "name_repeated": (2, [[call(0, A, "f", "{")], [call(0, name="f", args="}")]]),
}
"""Code -> the frame (counted from 1) whose end is its offset, and the elements, frame by frame. Two are of no stream here:
no dialect of the family ends a call before the end, and where a name comes without an id, one is made up."""


def cuttings(body: bytes) -> Iterator[list[bytes]]:
    """Few, since there are many dialects."""
    yield [body]
    yield [body[at : at + 1] for at in range(len(body))]
    for at in random.Random(len(body)).sample(range(1, len(body)), 5):
        yield [body[:at], body[at:]]


def test_the_table_has_every_code() -> None:
    assert set(LENIENCIES) == KNOWN
    assert len(FAMILY) > 20


@pytest.mark.parametrize("dialect", FAMILY)
def test_a_leniency_is_a_warning_with_its_offset(dialect: str) -> None:
    for code, (place, elements) in LENIENCIES.items():
        if not place:
            continue
        frames = [*(tools(*one) for one in elements), finish("tool_calls"), DONE]
        body = b"".join(frames)
        at = size(*frames[:place]) if place <= len(elements) else len(body)
        if dialect == "xai-chat" and code == "duplicate_key":
            at -= len(DONE)  # a call that came whole ends with the next chunk
        calls = [(one.name, one.arguments, one.valid) for one in decode(body).message.tool_calls]
        for pieces in cuttings(body):
            decoded = decode(pieces, dialect)
            assert [warning.offset for warning in decoded.warnings if warning.code == code] == [at], code
            assert [(one.name, one.arguments, one.valid) for one in decoded.message.tool_calls] == calls, code


@pytest.mark.parametrize("dialect", FAMILY)
def test_policy_strict_refuses_what_departs(dialect: str) -> None:
    """No arguments depart from nothing, nor do whole calls without an index."""
    for code, (place, elements) in LENIENCIES.items():
        if not place:
            continue
        body = b"".join([*(tools(*one) for one in elements), finish("tool_calls"), DONE])
        outcomes = [decode(pieces, dialect, policy="strict") for pieces in cuttings(body)]
        assert all(outcome == outcomes[0] for outcome in outcomes), code
        assert outcomes[0].message.complete is (code in ("empty_args", "index_missing")), code
