"""What a report names as the cause: for mutants whose defect is known, and for parsers as many programs have them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.canonical import canonical
from harness.case import Case
from harness.chunking import parse_plan
from harness.difference import first_difference
from harness.evidence import Cause
from harness.minimal import minimal_cut, raised_by
from harness.mutants import LAYERS, MUTANTS
from harness.mutants.mutation import Bench
from harness.mutants.run import Where
from harness.report.causes import UNKNOWN, cause_of, causes, likely
from harness.runner import Check, check_case
from harness.subjects import PartJson, Subject
from harness.verdict import CaseResult, Verdict

from .checkout import REPOSITORY
from .naive_parsers import NAIVE, NaiveSubject
from .report_runs import case, difference, minimal, rule_broken

PLANS = ("whole", "bytes", "every:7")
RUNS = 700
"""Ways of cutting that one search may run: enough to tell a line from the name of a field."""

MUTANT_CAUSES: tuple[tuple[str, str, Cause], ...] = (
    ("sse-stops-early", "anthropic-messages/error-first", Cause.PACKED_LINES),
    ("sse-forgets-start", "anthropic-messages/error-first", Cause.CUT_BLANK_LINE),
    ("crlf-cut-is-blank", "openai-chat/wh-007-crlf-between-data-lines", Cause.CUT_CRLF),
    ("lines-per-chunk", "anthropic-messages/error-first", Cause.CUT_LINE),
    ("remainder-dropped", "anthropic-messages/error-first", Cause.CUT_FRAME),
    ("bom-kept", "openai-chat/wh-005-byte-order-mark", Cause.HEAD_MISSING),
    ("last-data-line-wins", "gemini-generateContent/folded", Cause.LAST_LINE),
    ("data-wants-space", "openai-chat/wh-014-no-space", Cause.HEAD_MISSING),
    ("comment-is-data", "openai-chat/wh-113-comments-alone", Cause.COMMENT_PARSED),
    ("done-parsed", "openai-chat/wh-005-byte-order-mark", Cause.DONE_PARSED),
    ("done-prefix", "openai-chat/done-lookalike", Cause.ACCEPTED),
    ("lf-lf-only", "openai-chat/crlf", Cause.NOTHING_READ),
    ("cr-alone-unknown", "openai-chat/wh-010-cr-only", Cause.NOTHING_READ),
    ("empty-data-line-lost", "openai-chat/wh-016-empty-data-line", Cause.LINE_ENDS),
    ("block-without-data", "openai-chat/wh-020-fields-without-data", Cause.EMPTY_EVENT),
    ("id-dispatches", "openai-chat/wh-021-sticky-id", Cause.EMPTY_EVENT),
    ("foreign-event-is-fatal", "openai-chat/wh-026-foreign-event", Cause.UNEXPECTED),
    ("event-names-needed", "anthropic-messages/wh-027-no-event-lines", Cause.NOTHING_READ),
    ("empty-data-parsed", "anthropic-messages/wh-022-empty-data", Cause.UNEXPECTED),
    ("line-limit", "vertex-gemini/prompt-blocked", Cause.UNEXPECTED),
    ("message-crc-unchecked", "bedrock-converse-stream/bad-checksum", Cause.DAMAGED),
    ("lengths-trusted", "bedrock-converse-stream/bad-length", Cause.DAMAGED),
    ("message-per-chunk", "bedrock-converse-stream/error-first", Cause.CUT_MESSAGE),
    ("exceptions-ignored", "bedrock-converse-stream/error-first", Cause.ERROR_UNHEARD),
    ("error-messages-ignored", "bedrock-converse-stream/error-message", Cause.PARTS_MISSING),
    ("tool-input-ignored", "bedrock-converse-stream/no-block-stop", Cause.ARGUMENTS_EMPTY),
    ("blocks-by-arrival", "bedrock-converse-stream/interleaved-blocks", Cause.CALL_MIXED),
    ("array-string-forgotten", "gemini-generateContent-json-array/escapes", Cause.CUT_STRING),
    ("array-never-cleared", "gemini-generateContent-json-array/length", Cause.CUT_BETWEEN),
    ("array-parser-per-chunk", "gemini-generateContent-json-array/length", Cause.CUT_ELEMENT),
    ("array-characters-for-bytes", "gemini-generateContent-json-array/thinking", Cause.PARSED_EARLY),
    ("json-line-per-chunk", "ollama-ndjson/error-mid-stream", Cause.CUT_LINE),
    ("utf8-per-chunk", "openai-completions-legacy/cut-mid-text", Cause.CUT_CHARACTER),
    ("utf8-halves-dropped", "openai-completions-legacy/cut-mid-text", Cause.CUT_CHARACTER),
    ("latin-1", "openai-chat/wh-004-latin-1-header", Cause.LATIN_1),
    ("str-splitlines", "openai-chat/wh-012-unicode-line-ends", Cause.LINE_SEPARATOR),
    ("mark-anywhere", "openai-chat/mark-inside", Cause.CUT_MARK),
    ("first-document", "openai-chat/wh-029-two-documents", Cause.ACCEPTED),
    ("nan-accepted", "openai-chat/wh-035-not-finite", Cause.ACCEPTED),
    ("integers-rounded", "openai-chat/numbers", Cause.ROUNDED),
    ("depth-five", "openai-chat/wh-038-deep", Cause.REFUSED),
    ("proto-dropped", "openai-chat/wh-039-proto-key", Cause.KEYS_MISSING),
    ("arguments-unwrapped", "openai-chat/wh-097-arguments-encoded-twice", Cause.ARGUMENTS_UNWRAPPED),
    ("surrogate-half-replaced", "openai-chat/escaped-unicode", Cause.SURROGATE),
    ("text-composed", "openai-chat/unicode", Cause.NORMALISED),
    ("deltas-stripped", "openai-chat/wh-009-mixed-line-ends", Cause.STRIPPED),
    ("azure-first-chunk", "azure-openai/error-mid-stream", Cause.RESPONSE),
    ("empty-reason-ends", "openai-chat/wh-045-finish-reason-empty", Cause.TAIL_MISSING),
    ("error-type-unheard", "openai-chat/wh-028-error-event", Cause.ERROR_UNHEARD),
    ("finish-payload-lost", "openai-chat/wh-048-payload-with-finish", Cause.ARGUMENTS_SHORT),
    ("reasoning-unread", "xai-chat/cut-mid-arguments", Cause.PARTS_MISSING),
    ("refusal-unread", "openai-chat/refusal", Cause.FIELD_MISSING),
    ("citations-unread", "xai-chat/citations", Cause.PARTS_MISSING),
    ("reasoning-not-added", "xai-chat/text", Cause.TOKENS),
    ("done-is-more", "openai-responses/wh-062-text-twice", Cause.PARTS_AGAIN),
    ("item-id-for-call-id", "openai-responses/cut-mid-arguments", Cause.CALL_RENAMED),
    ("arguments-done-unread", "openai-responses/wh-060-arguments-when-done", Cause.ARGUMENTS_EMPTY),
    ("failed-unheard", "openai-responses/wh-063-failed-then-open", Cause.ERROR_UNHEARD),
    ("incomplete-is-completed", "openai-responses/incomplete", Cause.FINISH_REASON),
    ("after-reason-unread", "anthropic-messages/wh-049-text-after-stop-reason", Cause.TAIL_MISSING),
    ("index-by-arrival", "anthropic-messages/local-parallel-tools", Cause.OTHER_BLOCK),
    ("redacted-thinking-dropped", "vertex-anthropic/redacted-thinking", Cause.PARTS_MISSING),
    ("cache-tokens-unread", "anthropic-messages/empty", Cause.TOKENS),
    ("thought-is-text", "gemini-generateContent/thinking", Cause.REASONING_AS_TEXT),
    ("thought-signature-unread", "gemini-generateContent/wh-074-signature-of-one-call", Cause.METADATA),
    ("block-reason-unread", "gemini-generateContent/prompt-blocked", Cause.END_UNSEEN),
    ("malformed-call-is-stop", "gemini-generateContent/malformed-call", Cause.FINISH_REASON),
    ("args-needed", "gemini-generateContent/wh-077-no-arguments", Cause.CALL_MISSING),
    ("one-call-a-chunk", "gemini-generateContent/parallel-tools", Cause.CALL_MISSING),
    ("one-id-for-all", "gemini-generateContent/wh-108-no-ids", Cause.CALL_SAME_ID),
    ("error-tail-unread", "gemini-generateContent/error-tail", Cause.PARTS_MISSING),
    ("cohere-error-is-complete", "cohere-v2/error-at-end", Cause.FINISH_REASON),
    ("thinking-unread", "ollama-ndjson/thinking", Cause.FIELD_MISSING),
    ("arguments-as-python", "ollama-ndjson/wh-036-big-integer", Cause.ARGUMENTS_AS_TEXT),
    ("error-line-ends", "ollama-ndjson/error-mid-stream", Cause.CUT_IS_WHOLE),
    ("calls-merged-by-index", "openai-chat/index-reused", Cause.CALL_MERGED),
    ("calls-shared-by-streams", "openai-chat/cut-after-id", Cause.NOT_AGAIN),
    ("arguments-to-last-call", "openai-chat/interleaved-tools", Cause.CALL_MIXED),
    ("name-concatenated", "openai-chat/name-repeated", Cause.CALL_NAME_JOINED),
    ("first-call-only", "openai-chat/wh-088-index-twice-in-a-chunk", Cause.ARGUMENTS_SHORT),
    ("index-is-position", "openai-chat/wh-087-index-from-one", Cause.UNEXPECTED),
    ("empty-id-is-new", "openai-chat/wh-090-id-empty-later", Cause.ARGUMENTS_SHORT),
    ("id-joined", "openai-chat/wh-091-id-repeated", Cause.CALL_RENAMED),
    ("no-id-made-up", "openai-chat/wh-089-id-missing", Cause.CALL_WITHOUT_ID),
    ("replay-taken", "openai-chat/wh-099-arguments-replayed", Cause.CALL_INVALID),
    ("brace-invented", "openai-chat/wh-103-tail-missing", Cause.ARGUMENTS_CLOSED),
    ("calls-end-twice", "openai-chat/wh-046-stop-with-a-call", Cause.PARTS_AGAIN),
    ("null-is-text", "openai-chat/wh-095-arguments-null", Cause.NULL_AS_TEXT),
    ("strict-always", "openai-chat/wh-096-arguments-object", Cause.UNEXPECTED),
    ("arguments-per-fragment", "anthropic-messages/tool", Cause.ARGUMENTS_EMPTY),
    ("ends-when-it-parses", "openai-chat/wh-101-early-whole", Cause.ARGUMENTS_EARLY),
    ("whole-call-twice", "openai-chat/wh-098-whole-call", Cause.ARGUMENTS_TWICE),
    ("empty-call-dropped", "openai-chat/tool-no-arguments", Cause.CALL_KEPT),
    ("arguments-reserialised", "openai-chat/wh-046-stop-with-a-call", Cause.ARGUMENTS_REWRITTEN),
    ("invalid-arguments-emptied", "openai-chat/wh-041-malformed-arguments", Cause.ARGUMENTS_REPLACED),
    ("empty-input-prefixed", "anthropic-messages/wh-065-input-before-pieces", Cause.ARGUMENTS_PREFIXED),
    ("cut-looks-complete", "anthropic-messages/wh-113-empty-body", Cause.CUT_IS_WHOLE),
    ("error-swallowed", "anthropic-messages/error-first", Cause.ERROR_UNHEARD),
    ("usage-summed", "anthropic-messages/wh-054-counts-so-far", Cause.TOKENS),
    ("usage-chunk-lost", "openai-chat/length", Cause.TOKENS_MISSING),
    ("choices-mixed", "openai-chat/wh-051-choices-with-calls", Cause.CHOICES),
    ("signature-lost", "anthropic-messages/wh-067-two-signatures", Cause.METADATA),
    ("ping-is-fatal", "anthropic-messages/wh-069-ping-first", Cause.UNEXPECTED),
    ("finish-flushed-away", "openai-chat/wh-005-byte-order-mark", Cause.PARTS_MISSING),
    ("skipped-text-repeated", "openai-chat/wh-009-mixed-line-ends", Cause.TEXT_AGAIN),
    ("empty-body-is-fine", "anthropic-messages/wh-113-empty-body", Cause.CUT_IS_WHOLE),
    ("cut-call-handed-out", "openai-chat/cut-mid-arguments", Cause.CALL_CUT),
    ("finish-twice", "openai-chat/wh-005-byte-order-mark", Cause.PARTS_AGAIN),
    ("text-start-missing", "openai-chat/wh-009-mixed-line-ends", Cause.UNSTARTED_BLOCK),
    ("text-after-call", "anthropic-messages/text-tool-text", Cause.ENDED_BLOCK),
    ("reasoning-before-text", "anthropic-messages/wh-068-thinking-text-thinking", Cause.ORDER),
    ("opened-before-error", "anthropic-messages/error-first", Cause.ERROR_LATE),
    ("calls-hide-length", "openai-chat/tool-length", Cause.FINISH_REASON),
    ("snapshots-guessed", "openai-chat/wh-053-text-so-far", Cause.TEXT_HELD_BACK),
    ("markup-removed", "openai-chat/wh-057-markup-in-text", Cause.TEXT_SHORT),
    ("reasoning-tokens-lost", "openai-chat/reasoning", Cause.TOKENS),
    ("calls-run-together", "openai-chat/parallel-tools", Cause.ARGUMENTS_OF_OTHERS),
    ("arguments-before-id-dropped", "openai-chat/arguments-first", Cause.ARGUMENTS_SHORT),
    ("keys-in-order", "openai-chat/key-order", Cause.UNEXPECTED),
    ("id-only-lost", "openai-chat/cut-after-id", Cause.CUT_IS_WHOLE),
    ("past-last-piece", "anthropic-messages/local-headless", Cause.TEXT_AGAIN),
)
"""Mutant, a case that shows it, and what has to be named. The descriptions of the mutants say what is wrong with them."""

NAIVE_CAUSES: tuple[tuple[str, str, Cause | str], ...] = (
    ("DecodesEachChunk", "openai-chat/unicode", Cause.CUT_CHARACTER),
    ("DecodesEachChunkLeniently", "openai-chat/wh-012-unicode-line-ends", Cause.CUT_CHARACTER),
    ("SplitsEachChunk", "openai-chat/tool", Cause.CUT_FRAME),
    ("SplitsEachChunk", "openai-chat/crlf", Cause.FRAMES_MERGED),
    ("FindsData", "openai-chat/tool", Cause.CUT_LINE),
    ("FindsData", "openai-chat/wh-048-payload-with-finish", Cause.CUT_LINE),
    ("ParsesEachLine", "openai-chat/index-reused", Cause.CUT_LINE),
    ("ParsesEachLine", "openai-chat/crlf", Cause.SIZE),
    ("LooksForLineFeeds", "openai-chat/crlf", Cause.NOTHING_READ),
    ("SplitsLinesOfText", "openai-chat/wh-012-unicode-line-ends", Cause.LINE_SEPARATOR),
    ("ParsesTheMark", "openai-chat/tool", Cause.DONE_PARSED),
    ("ParsesTheMark", "openai-chat/crlf", Cause.DONE_PARSED),
    ("ParsesTheMarkAtItsEnd", "openai-chat/tool", Cause.DONE_PARSED),
    ("StopsAtTheReason", "openai-chat/length", Cause.TOKENS_MISSING),
    ("MergesCallsByIndex", "openai-chat/index-reused", Cause.CALL_MERGED),
    ("NeedsTheEventsName", "anthropic-messages/wh-027-no-event-lines", Cause.NOTHING_READ),
)


@pytest.fixture(scope="module")
def bench() -> Bench:
    """The cases of both tables, and nothing else: it is made from hundreds otherwise."""
    names = dict.fromkeys(case for _, case, _ in (*MUTANT_CAUSES, *NAIVE_CAUSES))
    return Where(REPOSITORY / "cassettes", REPOSITORY / "golden", tuple(names)).bench()


def seen(subject: Subject, case: str, bench: Bench) -> CaseResult:
    """What a check of one case by the book finds out about a subject."""
    found = next(one for one in bench.cases if one.id == case)
    check = Check(subject.name, tuple(map(parse_plan, PLANS)), bench.divergences)
    return check_case(found, subject, check, bench.goldens(found))


def test_a_mutant_is_told_what_is_wrong_with_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(minimal_cut.__kwdefaults__, "max_runs", RUNS)

    found = {(name, case): cause_of(seen(MUTANTS[name], case, bench)) for name, case, _ in MUTANT_CAUSES}

    wrong = {key: told for (name, case, cause), (key, told) in zip(MUTANT_CAUSES, found.items(), strict=True)
             if told.partition(": ")[0] != cause.value.partition(": ")[0]}  # fmt: skip
    assert wrong == {}
    covered = {name for name, _, _ in MUTANT_CAUSES}
    assert len(covered) >= 100
    assert all(covered & {one.name for one in layer} for layer in LAYERS.values())


def test_a_naive_parser_is_told_its_mistake_and_not_where_it_happens_to_show_first(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(minimal_cut.__kwdefaults__, "max_runs", RUNS)

    found = [(name, case, cause_of(seen(NaiveSubject(name), case, bench))) for name, case, _ in NAIVE_CAUSES]

    told = [(name, case, said.partition(": ")[0]) for name, case, said in found]
    assert told == [(name, case, cause.partition(": ")[0]) for name, case, cause in NAIVE_CAUSES]
    assert {name for name, _, _ in NAIVE_CAUSES} == {*NAIVE}


def test_what_was_found_by_running_counts_more_than_what_two_lines_look_like() -> None:
    cut = minimal()
    uncut = minimal(plan="whole", cuts=(), cause="")
    rounded, unread = Cause.ROUNDED.value, Cause.NOTHING_READ.value
    frames = difference(against="sse", cause=unread)
    found = [
        case("a/1", verdict=Verdict.FAIL, differences=(difference(minimal=cut, cause=rounded),)),
        case("a/2", verdict=Verdict.FAIL, differences=(difference(), difference(minimal=cut))),
        case("a/3", verdict=Verdict.FAIL, differences=(difference(minimal=uncut, cause=rounded),)),
        case("a/4", verdict=Verdict.FAIL, differences=(difference(minimal=uncut, cause=rounded), frames)),
        case("a/5", verdict=Verdict.FAIL, differences=(difference(), difference(cause=rounded))),  # of another reference
        case("a/6", verdict=Verdict.FAIL, differences=(difference(), rule_broken())),
        case("a/7", verdict=Verdict.ERROR, differences=(rule_broken(against="no-exception", note="KeyError: 'a' (b.py:1)"),)),
        case("a/8", verdict=Verdict.CONFLICT, differences=(difference(cause=rounded),)),
        case("a/9"),
    ]

    told = [cause_of(one) for one in found]

    assert told == [
        cut.cause, cut.cause, rounded, unread, UNKNOWN, "breaks the rule cut-is-incomplete: 77 bytes look complete",
        "raises KeyError: 'a' (b.py:1)", "", "",
    ]  # fmt: skip
    assert causes(found)[:2] == [(Cause.CUT_CHARACTER.value, 2), ("a number was rounded", 1)]
    # A cut that nothing is known of leaves no guess: what came out of it is the consequence.
    assert likely(difference(minimal=minimal(cause=""), cause=rounded)) == ""


def test_a_cause_ends_where_its_details_begin() -> None:
    assert [cause for cause in Cause if ": " in cause] == []
    assert all(cause.isascii() and cause[-1] not in ".:" for cause in Cause)


AT_THE_MARK = "; it raises at event 2, 'data: [DONE]'"


class Raises:
    """Raises when the mark has come, as it is fed or when all is over; or whenever a stream is over."""

    def __init__(self, when: str) -> None:
        self.when, self.seen = when, b""

    def feed(self, chunk: bytes) -> list[PartJson]:
        self.seen += chunk
        return self._read() if self.when == "fed" else []

    def close(self) -> list[PartJson]:
        if self.when == "always":
            raise EOFError("the stream was cut off")
        return self._read()

    def _read(self) -> list[PartJson]:
        if b"[DONE]\n\n" in self.seen:
            raise KeyError("[")
        return []


@pytest.mark.parametrize(("when", "where"), [("fed", AT_THE_MARK), ("over", AT_THE_MARK), ("always", "")])
def test_an_exception_is_told_with_the_event_that_raises_it_if_that_is_seen(when: str, where: str) -> None:
    found = raised_by(Case("sse/a", "sse", b"data: {}\n\ndata: {}\n\ndata: [DONE]\n\n"), lambda: Raises(when), ())

    assert found is not None
    assert found.statement == f"fails uncut: the whole body, given at once, is read wrong{where}"
    assert found.cause == ""  # not every exception is one of a JSON parser


STRANGE = st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab{}", max_size=3), st.lists, max_leaves=3)
NAMES = ("id", "delta", "toolName", "toolCallId", "input", "finishReason", "usage", "providerMetadata", "kind", "payload", "data")
KINDS = ("text-delta", "tool-input-start", "tool-input-delta", "tool-input-end", "tool-call", "finish", "error", "frame")
PARTS = st.lists(st.tuples(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(NAMES), STRANGE, max_size=3)), max_size=4)


@settings(max_examples=150, deadline=None)
@given(PARTS, PARTS, st.booleans())
def test_parts_of_any_shape_are_never_too_much(expected: list[Any], actual: list[Any], final: bool) -> None:
    lines = [
        [canonical({"choices": one, "failed": final})] if final else [*map(canonical, one), '{"end":"ok"}']
        for one in (expected, actual)
    ]

    found = first_difference(*lines, against="r", plan="whole", case=Case("sse/a", "sse", b"data: 1\n\n"), subject="s")

    assert found is None or found.cause.partition(": ")[0] in ("", *Cause)
