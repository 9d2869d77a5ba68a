"""Every rule says yes to a right stream and no to each way of breaking it."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest

from harness.mutants.base import CORE
from harness.rules import Violation, cut_is_legal, violations
from harness.subjects.core import CoreSession

from .committed import CASES

if TYPE_CHECKING:
    from harness.case import Case
    from harness.subjects import PartJson



def part(kind_: str, /, **rest: Any) -> PartJson:
    return {"type": kind_, **rest}


def delta(kind: str, text: str, ident: str = "0") -> PartJson:
    return part(f"{kind}-delta", id=ident, delta=text)


def finish(unified: str = "stop", raw: str | None = "stop", **rest: Any) -> PartJson:
    reason = {"unified": unified, **({"raw": raw} if raw else {})}
    return part("finish", finishReason=reason, usage={"inputTokens": {}, "outputTokens": {}}, **rest)


def error(kind: str = "incomplete_stream", stage: str = "close", **rest: Any) -> PartJson:
    return part("error", kind=kind, stage=stage, offset=7, **rest)


START = part("stream-start", warnings=[])
TEXT = (part("text-start", id="0"), delta("text", "Hi"), delta("text", "!"), part("text-end", id="0"))
CALL = (
    part("tool-input-start", id="a", toolName="f"),
    delta("tool-input", '{"x"', "a"),
    delta("tool-input", ":1}", "a"),
    part("tool-input-end", id="a"),
    part("tool-call", toolCallId="a", toolName="f", input='{"x":1}'),
)
WHOLE = (START, *TEXT, *CALL, finish("tool-calls", "tool_calls"))


def broken(*parts: PartJson, **about: Any) -> list[tuple[str, int]]:
    """(rule, index) of each violation, but for what parts break that are no whole stream."""
    return [found for found in broken_whole(*parts, **about) if found[0] not in _OF_A_WHOLE and found != ("stream-start", 0)]


def broken_whole(*parts: PartJson, **about: Any) -> list[tuple[str, int]]:
    """(rule, index) of each violation."""
    return [(found.rule, found.index) for found in violations(parts, **about)]


_OF_A_WHOLE = frozenset(("end-untold", "call-order"))


def test_a_right_stream_breaks_no_rule() -> None:
    assert broken_whole(*WHOLE) == []
    assert broken_whole(START, error()) == []
    assert broken_whole(error("provider", "open")) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_core_breaks_no_rule_on_any_recording(case: Case) -> None:
    session = CORE.open(case)
    parts = session.feed(case.body) + session.close()

    assert violations(parts, end=case.end, body=case.body, dialect=case.dialect) == []


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([{"id": "0"}], [("part-shape", 0)]),
        ([{"type": 3}], [("part-shape", 0)]),
        ([part("text-delta", id="0")], [("part-shape", 0)]),
        ([part("tool-call", toolCallId="a", toolName="f", input={"x": 1})], [("part-shape", 0)]),
        ([part("error", kind="provider")], [("part-shape", 0)]),
    ],
)
def test_the_shape_of_parts(parts: list[PartJson], expected: list[tuple[str, int]]) -> None:
    assert broken(*parts) == expected


def test_stream_start_is_the_first_part_and_comes_once() -> None:
    assert broken(*TEXT, START, finish()) == [("stream-start", 4)]
    assert broken(START, START, finish()) == [("stream-start", 1)]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((delta("text", "a"), finish()), [("block-order", 0), ("block-left-open", 1)]),
        ((part("text-end", id="0"), finish()), [("block-order", 0)]),
        ((*TEXT, TEXT[0], TEXT[3], finish()), [("block-order", 4)]),
        ((*TEXT, TEXT[1], TEXT[3], finish()), [("block-order", 4), ("block-order", 5)]),
        ((*TEXT, TEXT[1], finish()), [("block-order", 4)]),
        ((*TEXT, TEXT[3], finish()), [("block-order", 4)]),
        ((TEXT[0], part("text-start", id="0"), TEXT[3], finish()), [("block-order", 1)]),
        ((*TEXT[:3], finish()), [("block-left-open", 3)]),
        # Blocks of other kinds, ids and choices are other blocks.
        ((TEXT[0], part("reasoning-start", id="0"), part("reasoning-end", id="0"), TEXT[3], finish()), []),
        ((TEXT[0], part("text-start", id="1"), part("text-end", id="1"), TEXT[3], finish()), []),
        ((TEXT[0], part("text-start", id="0", choice=1), TEXT[3], part("text-end", id="0", choice=1), finish()), []),
        # A stream that failed may leave blocks open.
        ((TEXT[0], error("provider", "stream"), finish("error", None)), []),
        ((TEXT[0], error()), []),
    ],
)
def test_blocks_start_then_go_on_then_end_each_once(
    parts: tuple[PartJson, ...], expected: list[tuple[str, int]]
) -> None:
    assert broken(*parts) == expected


def test_a_call_that_was_cut_stays_open_if_a_warning_says_so() -> None:
    cut = [START, part("tool-input-start", id="c", toolName="f"), part("tool-input-delta", id="c", delta="{")]
    whole = part("tool-call", toolCallId="c", toolName="f", input="{")
    for warnings, parts, told in (
        (["call_not_ended"], cut, []),
        ([], cut, ["block-left-open"]),
        (None, cut, ["block-left-open"]),
        (["x"], [*cut, whole], ["call-order", "block-left-open"]),  # it was handed out all the same
        (["x"], [START, *TEXT[:3]], ["block-left-open"]),  # only a call is
    ):
        assert [found.rule for found in violations([*parts, finish()], warnings=warnings)] == told


def test_where_the_reference_uses_an_id_again_a_block_that_ended_begins_anew() -> None:
    """Text, reasoning and text again, as OpenAI-compatible servers may send; a call never begins anew."""
    assert broken(*TEXT, *TEXT, finish(), dialect="zai") == []
    assert broken(*TEXT, *TEXT, finish(), dialect="xai-chat") == [("block-order", 4)]
    assert broken(TEXT[0], TEXT[0], TEXT[3], finish(), dialect="zai") == [("block-order", 1)]
    assert ("block-order", 4) in broken(*CALL[:4], *CALL, finish(), dialect="zai")


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((finish(), finish()), [("one-finish", 1)]),
        ((finish(), *TEXT), [("one-finish", 1), ("one-finish", 2), ("one-finish", 3), ("one-finish", 4)]),
        ((finish(choice=1), finish()), []),
        ((finish(choice=1), *TEXT, finish()), []),
        ((finish(), part("source", sourceType="url", id="s", url="u", choice=1), finish(choice=1)), []),
        ((finish(), error("invalid_payload", "stream")), []),
    ],
)
def test_a_choice_finishes_once_and_says_nothing_after_it(
    parts: tuple[PartJson, ...], expected: list[tuple[str, int]]
) -> None:
    assert broken(*parts) == expected


def called(ident: str, name: str, text: str) -> PartJson:
    return part("tool-call", toolCallId=ident, toolName=name, input=text)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((called("", "f", "{}"),), [("call-id", 0)]),
        ((called("a", "", "{}"),), [("call-name", 0)]),
        ((called("a", "f", "{}"), called("a", "g", "{}")), [("call-id", 1)]),
        ((part("tool-input-start", id="", toolName=""), error()), [("call-id", 0), ("call-name", 0)]),
        ((*CALL[:4], called("a", "g", '{"x":1}')), [("call-name", 4)]),
        ((*CALL[:4], called("a", "", '{"x":1}')), [("call-name", 4)]),
        ((called("a", "f", "{}"), {**called("a", "f", "{}"), "choice": 1}), []),
    ],
)
def test_calls_have_one_id_and_one_name(parts: tuple[PartJson, ...], expected: list[tuple[str, int]]) -> None:
    assert broken(*parts) == expected


@pytest.mark.parametrize(
    ("deltas", "text", "right"),
    [
        (('{"x"', ":1}"), '{"x":1}', True),
        (('{"x"', ":1}"), '{"x": 1}', False),
        (('{"x"', ":1}"), "{}", False),
        (('{"x"', ":1}"), '{"x"', False),
        (("",), "{}", True),
        ((), '{"given":"at once"}', True),
        (("",), "", True),
        (("",), '{"x":1}', False),
        ((" ",), "{}", False),
        (('{ "x"', ":1.0}"), '{"x":1}', False),
    ],
)
def test_the_deltas_of_a_call_add_up_to_its_input(deltas: tuple[str, ...], text: str, right: bool) -> None:
    pieces = [delta("tool-input", piece, "a") for piece in deltas]
    parts = [CALL[0], *pieces, CALL[3], called("a", "f", text)]

    assert broken(*parts) == ([] if right else [("call-input", len(parts) - 1)])


@pytest.mark.parametrize(
    ("dialect", "deltas", "text", "right"),
    [
        ("cohere-v2", (" ",), "{}", True),
        ("cohere-v2", ('{ "x"', ":1.0}"), '{"x":1}', True),
        ("cohere-v2", ('{"x"', ":1.0}"), '{"x":1.00}', False),
        ("cohere-v2", ("null",), "{}", True),
        ("cohere-v2", ('{"x"',), "{}", False),
        ("cohere-v2", ('a"', "b"), '"a\\"b"', False),
        ("azure-openai-responses", ('a"', "b"), '"a\\"b"', True),
        ("openai-responses", ('{ "x"', ":1.0}"), '{"x":1}', False),
        ("openai-chat", ('a"', "b"), '"a\\"b"', False),
        ("openai-chat", ("null",), "{}", False),
    ],
)
def test_some_references_spell_the_input_in_their_own_way(
    dialect: str, deltas: tuple[str, ...], text: str, right: bool
) -> None:
    pieces = [part("tool-input-delta", id="a", delta=delta) for delta in deltas]
    parts = (START, part("tool-input-start", id="a", toolName="f"), *pieces, part("tool-input-end", id="a"), called("a", "f", text))

    assert broken(*parts, finish(), dialect=dialect) == ([] if right else [("call-input", len(parts) - 1)])


@pytest.mark.parametrize(
    ("text", "executed", "right"),
    [('{"b":2,"a":1}', True, True), ('{"b":2,"a":1}', False, False), ('{"b":2}', True, False), ("{", True, False)],
)
def test_the_keys_of_a_call_that_the_provider_runs_may_be_sorted_anew(text: str, executed: bool, right: bool) -> None:
    parts = (
        START,
        part("tool-input-start", id="a", toolName="f"),
        part("tool-input-delta", id="a", delta='{"a":1,"b":2}'),
        part("tool-input-end", id="a"),
        part("tool-call", toolCallId="a", toolName="f", input=text, **({"providerExecuted": True} if executed else {})),
        finish(),
    )

    assert broken(*parts, dialect="openai-responses") == ([] if right else [("call-input", 4)])
    assert broken(*parts, dialect="openai-chat") == [("call-input", 4)]


def test_a_difference_of_the_input_names_its_place() -> None:
    parts = [START, *CALL[:4], called("a", "f", '{"x": 1}'), finish()]

    (found,) = violations(parts)

    message = "the deltas of call 'a' and its input differ from character 5 on"
    assert found == Violation("call-input", "V9", message, 5)


def test_nothing_follows_an_incomplete_stream() -> None:
    assert broken(*CALL[:3], error(), *CALL[3:], finish()) == [("call-after-cut", index) for index in (4, 5, 6)]
    assert broken(error("provider", "stream"), finish("error", None)) == []


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((START, finish("other", None)), [("finish-unexplained", 1)]),
        ((START, finish("stop", "stop")), []),
        ((START, error()), []),
        ((START, error("provider", "stream"), finish("error", None)), []),
    ],
)
def test_a_recording_that_was_cut_says_so(parts: tuple[PartJson, ...], expected: list[tuple[str, int]]) -> None:
    assert broken(*parts, end="cut") == expected
    assert broken(*parts, end="complete") == []


@pytest.mark.parametrize(
    ("pieces", "body", "right"),
    [
        (("\ud83d", "\ude00"), None, True),
        (("\ud83d",), None, False),
        (("\ude00", "\ud83d"), None, False),
        (("a\udce9",), b"a\xe9", False),
        (("\ud83d",), rb"\ud83d", True),
        (("\ud83d",), rb"\ud83d\ude00", False),
        (("\ud83d",), b'{"bytes":"%s"}' % b64encode(rb"\ud83d"), True),
        (("\ud83d",), b'{"bytes":"%s"}' % b64encode(rb"\ud83d\ude00"), False),
        (("\ud83d",), b'{"bytes":"A"}', False),
        (("é😀",), None, True),
    ],
)
def test_what_a_block_says_can_be_encoded(pieces: tuple[str, ...], body: bytes | None, right: bool) -> None:
    parts = [TEXT[0], *(delta("text", piece) for piece in pieces), TEXT[3]]

    assert broken(*parts, body=body) == ([] if right else [("encodable", len(pieces))])


def test_token_counts_are_not_negative() -> None:
    wrong = {**finish(), "usage": {"inputTokens": {"total": -1}, "outputTokens": {"total": 2}}}

    assert broken(wrong) == broken(wrong, body=b'{"input_tokens": 1.0, "temperature": -1}') == [("usage-count", 0)]
    assert broken(wrong, body=b'{"input_tokens" : -1}') == []  # the provider's own count is repeated


@pytest.mark.parametrize("total", [float("inf"), float("nan"), 1e400])
def test_a_count_that_is_no_number_is_told_and_raises_nothing(total: float) -> None:
    wrong = {**finish(), "usage": {"inputTokens": {"total": total}, "outputTokens": {"total": 2}}}
    assert ("usage-count", 1) in broken(START, wrong)


# -- cuts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cut",
    [
        pytest.param((START, error()), id="cut in the first event"),
        pytest.param((*WHOLE[:3], error()), id="cut in a text"),
        pytest.param((*WHOLE[:7], error()), id="cut in a call"),
        pytest.param(WHOLE, id="cut after the end"),
        pytest.param((*WHOLE[:-1], {**WHOLE[-1], "usage": {}}), id="ended before the cut, usage cut off"),
        pytest.param((error(),), id="nothing at all"),
    ],
)
def test_legal_cuts(cut: tuple[PartJson, ...]) -> None:
    assert cut_is_legal(cut, WHOLE) is None


@pytest.mark.parametrize(
    ("cut", "complaint"),
    [
        pytest.param(WHOLE[:3], "just stop", id="stops"),
        pytest.param((), "just stop", id="nothing"),
        pytest.param((*WHOLE[:7], *CALL[3:], WHOLE[-1]), "tool-input-end", id="the call looks complete"),
        pytest.param((*WHOLE[:7], *CALL[3:]), "tool-input-end", id="the call is ended and nothing else"),
        pytest.param((*WHOLE[:7], CALL[4], error()), "tool-call", id="a call and then the error"),
        pytest.param((*WHOLE[:7], error(), WHOLE[-1]), "error", id="goes on after the error"),
        pytest.param((*WHOLE[:3], finish("other", None)), "finishes with", id="another reason"),
        pytest.param((*WHOLE[:3], error("incomplete_stream", "stream")), "stage 'stream'", id="wrong stage"),
        pytest.param((*WHOLE[:3], error("malformed_json", "stream")), "error part", id="another error"),
        pytest.param((START, delta("text", "Ho"), error()), "text-delta", id="other text"),
    ],
)
def test_illegal_cuts(cut: tuple[PartJson, ...], complaint: str) -> None:
    found = cut_is_legal(cut, WHOLE)

    assert found is not None
    assert complaint in found


def test_a_cut_after_the_providers_error_is_explained_by_it() -> None:
    whole = (START, *TEXT[:2], error("provider", "stream"), delta("text", "more"), part("text-end", id="0"), finish())

    assert cut_is_legal((*whole[:4], part("text-end", id="0"), finish("error", None)), whole) is None
    assert cut_is_legal(whole[:4], whole) is None
    assert cut_is_legal((*whole[:4], error()), whole) is None
    assert cut_is_legal((*whole[:4], CALL[4], error()), whole) is not None


def test_the_offset_of_an_error_is_no_part_of_a_cut() -> None:
    """The last event without its blank line ends where the body ends."""
    whole = (START, error("provider", "stream", payload="boom"))

    assert cut_is_legal((START, {**whole[1], "offset": 5}), whole) is None
    assert cut_is_legal((START, {**whole[1], "payload": "bang"}), whole) is not None


def test_a_whole_that_failed_as_a_request() -> None:
    provider = (error("provider", "open"),)
    page = (error("not_an_event_stream", "open"),)

    assert cut_is_legal((START, error()), provider) is None
    assert cut_is_legal((START, part("response-metadata", id="r"), error()), provider) is None
    assert cut_is_legal((START, part("response-metadata", id="r"), error()), WHOLE) is not None
    assert cut_is_legal((error("not_an_event_stream", "open", payload="<ht"),), page) is None
    assert cut_is_legal((START, finish()), provider) is not None


def test_a_cut_may_not_finish_what_the_whole_does_not() -> None:
    whole = (START, *TEXT[:2], error())

    assert cut_is_legal((START, TEXT[0], finish()), whole) == (
        "the body was cut and finishes, although the whole body does not"
    )


@pytest.mark.parametrize("case", [case for case in CASES if len(case.body) < 2000][::3], ids=lambda case: case.id)
def test_every_cut_of_a_recording_is_legal_for_the_core(case: Case) -> None:
    """The others are cut so by ``streamparity check``, under the plan ``cut-at-every-byte``."""
    session, closing, whole = (CoreSession(case.dialect) for _ in range(3))
    expected = whole.feed(case.body) + whole.close()
    said: list[PartJson] = []
    for size in range(len(case.body)):
        closing.restore(session.snapshot())
        assert cut_is_legal([*said, *closing.close()], expected) is None, size
        said += session.feed(case.body[size : size + 1])
