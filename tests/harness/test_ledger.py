"""The ledger: every character of the arguments has its bytes, in every dialect, and a wrong account is told."""

from __future__ import annotations

import dataclasses
import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from harness.case import Case
from harness.divergence import Divergences
from harness.golden import GoldenStore
from harness.json_tokens import characters, string_values
from harness.ledger import Fault, Ledger, ledger, ledger_of
from harness.proof import Walk, walk
from harness.runner import Check, check_case
from harness.subjects.core import CoreSession, CoreSubject
from harness.verdict import Verdict
from streamcore import DIALECTS

from .checkout import REPOSITORY, case_called
from .committed import CASES


def account(dialect: str, body: bytes, chunks: tuple[int, ...] = ()) -> Ledger:
    return ledger(Case(f"{dialect}/x", dialect, body, chunks), walk(CoreSession(dialect), body))


def chat(*deltas: str, ascii_only: bool = True) -> bytes:
    """A stream of one call whose arguments come in those pieces."""
    events = []
    for at, delta in enumerate(deltas):
        function = {"name": "f", "arguments": delta} if at == 0 else {"arguments": delta}
        call = {"index": 0, "id": "a", "function": function} if at == 0 else {"index": 0, "function": function}
        chunk = {"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}
        events.append(b"data: " + json.dumps(chunk, ensure_ascii=ascii_only).encode() + b"\n\n")
    end = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}\n\ndata: [DONE]\n\n'
    return b"".join(events) + end


def cassettes() -> Iterator[Case]:
    seen = set()
    for case in CASES:
        if case.dialect in DIALECTS and (case.dialect, case.sha256) not in seen:
            seen.add((case.dialect, case.sha256))
            yield case


def test_every_cassette_is_accounted_for() -> None:
    how: Counter[str] = Counter()
    framed: set[str] = set()
    for case in cassettes():
        found = ledger(case, walk(CoreSession(case.dialect), case.body))
        assert found.check() is None, case.id
        assert found.located + found.charged_to_frames == found.characters
        for entry in found.entries:
            how[entry.how] += len(entry.delta)
            if entry.how == "frame":
                framed.add(case.dialect if "gemini" in case.dialect else case.id)
    assert how["string"] > 10_000
    assert how["base64"]
    assert how["object"]
    # What the dialect writes itself: the wire has an object that is indented, or something that the reference makes JSON of.
    assert framed == {
        "gemini-generateContent",
        "gemini-generateContent-json-array",
        "openai-responses/code-interpreter",
        "vertex-gemini",
    }


@pytest.mark.parametrize("ascii_only", [True, False])
def test_each_character_has_its_bytes(ascii_only: bool) -> None:
    pieces = ['{"k":"', '\u00e9"', "\U0001f600\n", "\\u0041", '"}']
    body = chat(*pieces, ascii_only=ascii_only)
    whole = "".join(pieces)
    for size in (1, 7, len(body)):
        sizes = [len(body[at : at + size]) for at in range(0, len(body), size)]
        found = account("openai-chat", body, tuple(sizes))
        assert found.check() is None
        assert found.located == found.characters == len(whole)
        before = 0
        for position, char in enumerate(whole):
            origin = found.origin("a", position)
            assert json.loads(b'"%b"' % body[origin.start : origin.end]) == char
            assert origin.start >= before
            before = origin.end
            assert origin.chunk == (origin.end - 1) // size
            assert origin.frame == body[: origin.start].count(b"\n\n")
    with pytest.raises(IndexError, match="no character"):
        found.origin("a", len(whole))


def test_equal_pieces_in_one_frame_have_different_bytes() -> None:
    calls = [{"index": at, "id": name, "function": {"name": "{}", "arguments": "{}"}} for at, name in enumerate("ab")]
    event = json.dumps({"choices": [{"index": 0, "delta": {"content": "{}", "tool_calls": calls}}]})
    found = account("openai-chat", f"data: {event}\n\n".encode())
    assert found.check() is None
    first, second = (found.origin(name, 0) for name in "ab")
    assert event.encode()[first.start - 20 - 6 : first.start - 6].endswith(b'"arguments": "')
    assert first.end < second.start


def test_an_unterminated_frame_and_no_chunks() -> None:
    body = chat("{", "}").replace(b"data: [DONE]\n\n", b"").rpartition(b"data: ")[0].rstrip()
    found = account("openai-chat", body)
    assert found.check() is None
    assert [entry.frame for entry in found.entries] == [0, None]
    assert found.origin("a", 1).chunk is None


def test_text_that_was_held_back_is_found_where_it_stood() -> None:
    calls: list[dict[str, Any]] = [
        {"index": 0, "id": "a", "function": {"arguments": '{"k"'}},
        {"index": 0, "function": {"arguments": ":"}},
        {"index": 0, "function": {"arguments": ""}},
        {"index": 0, "function": {"name": "f", "arguments": "1}"}},
    ]
    choices = [[{"index": 0, "delta": {"tool_calls": [call]}}] for call in calls]
    body = b"".join(b"data: %b\n\n" % json.dumps({"choices": each}).encode() for each in choices)
    found = account("openai-chat", body)
    assert found.check() is None
    assert [(entry.delta, entry.frame, entry.how) for entry in found.entries] == [
        ('{"k"', 0, "string"),
        (":", 1, "string"),
        ("1}", 3, "string"),
    ]
    case = Case("openai-chat/x", "openai-chat", body)
    walked = walk(CoreSession("openai-chat"), body)
    for part in walked.parts:
        if part.get("delta") == '{"k":':
            part["delta"] = '{"x":'
    wrong = ledger(case, walked)
    assert [(entry.delta, entry.frame, entry.how) for entry in wrong.entries] == [
        ('{"x":', 3, "frame"),
        ("1}", 3, "string"),
    ]
    assert (wrong.located, wrong.charged_to_frames) == (2, 5)


def test_what_the_dialect_wrote_itself_is_charged_to_the_frame() -> None:
    candidate = {"content": {"parts": [{"functionCall": {"name": "f", "args": {"a": 1}}}]}, "finishReason": "STOP"}
    body = b"data: %b\r\n\r\n" % json.dumps({"candidates": [candidate]}).encode()
    found = account("gemini-generateContent", body)
    assert found.check() is None
    assert (found.located, found.charged_to_frames) == (0, 7)
    origin = found.origin("id-0" if not found.entries else found.entries[0].call, 3)
    assert (origin.how, origin.start) == ("frame", 0)
    compact = json.dumps({"candidates": [candidate]}, separators=(",", ":")).encode()
    assert account("gemini-generateContent", b"data: %b\r\n\r\n" % compact).located == 7


def test_a_wrong_account_names_its_first_character() -> None:
    found = account("openai-chat", chat('{"k":', '"v\u00e9w"', "}"))
    first, second, third = found.entries
    assert found.check() is None

    def check(*entries: Any, characters: int = found.characters) -> str | None:
        return dataclasses.replace(found, entries=entries, characters=characters).check()

    assert check(first, third) == "character 5 of 'a' is missing"
    assert check(first, second) == "10 characters are accounted for, of 11"
    wrong = dataclasses.replace(second, delta='"v\u00e8w"')
    assert check(first, wrong, third) == "character 7 of 'a' is not what its bytes say"
    moved = dataclasses.replace(second, start=second.start + 2)
    assert check(first, moved, third) == "character 5 of 'a' is not what its bytes say"
    unmapped = dataclasses.replace(second, offsets=())
    assert check(first, unmapped, third) == "character 10 of 'a' is not what its bytes say"
    twice = dataclasses.replace(first, first=11)
    message = check(first, second, third, twice, characters=16)
    assert message == f"byte {first.start} is charged twice, the second time for character 11 of 'a'"
    broken = dataclasses.replace(found, entries=(first, wrong, third)).fault()
    assert broken is not None
    assert broken.entry is wrong
    total = dataclasses.replace(found, characters=12).fault()
    assert total == Fault("11 characters are accounted for, of 12")


def test_bodies_that_have_no_account() -> None:
    body = chat("{", "}")
    case = Case("openai-chat/x", "openai-chat", body)
    walked = walk(CoreSession("openai-chat"), body)
    assert ledger_of(case, walked) == ledger(case, walked)
    assert ledger_of(dataclasses.replace(case, dialect="sse"), walked) is None
    assert ledger_of(case, Walk(walked.parts, walked.counts, [], True)) is None


def test_strings_are_found_with_their_keys() -> None:
    data = rb'{"a":"x","b":["y","\"z\\"],"c":{"d" : ""},"e":1}'
    assert [(token.key, token.text) for token in string_values(data)] == [("a", "x"), ("b", "y"), ("b", '"z\\'), ("d", "")]
    for token in string_values(data, 100):
        assert data[token.offsets[0] - 101 : token.offsets[-1] - 99] in (b'"x"', b'"y"', rb'"\"z\\"', b'""')


def test_characters_agree_with_the_standard_parser() -> None:
    chance = random.Random(4)
    units = ["a", "\\n", '\\"', "\\\\", "\\/", "\\u00e9", "\\ud83d\\ude00", "\\ud83d", "\\ude00", "\u00e9", "\u20ac", "\U0001f600"]
    for _ in range(2000):
        content = "".join(chance.choices(units, k=chance.randint(0, 6))).encode()
        text, offsets = characters(content)
        assert text == json.loads(b'"%b"' % content)
        assert len(offsets) == len(text) + 1
        for at, char in enumerate(text):
            assert json.loads(b'"%b"' % content[offsets[at] : offsets[at + 1]]) == char


def test_bytes_that_are_not_utf8_are_one_character_each() -> None:
    text, offsets = characters(b"a\xff\xed\xa0\x80\\n")
    assert text == "a" + "\ufffd" * 4 + "\n"
    assert list(offsets) == [0, 1, 2, 3, 4, 5, 7]




def test_an_inexact_account_fails_the_case(monkeypatch: pytest.MonkeyPatch) -> None:
    case = case_called(REPOSITORY, "openai-chat/tool")
    check = Check("streamcore", (), Divergences())
    good = check_case(case, CoreSubject(), check, GoldenStore(REPOSITORY / "golden"))
    assert good.verdict is Verdict.PASS
    assert 0 < good.located_chars == good.argument_chars
    assert good.lanes is not None
    assert (good.lanes.fault, [lane.broken for lane in good.lanes.lanes]) == ("", [None])
    wrong = "character 3 of 'a' is missing"
    monkeypatch.setattr(Ledger, "fault", lambda account: Fault(wrong, account.entries[1]))
    bad = check_case(case, CoreSubject(), check, GoldenStore(REPOSITORY / "golden"))
    assert [(each.against, each.note) for each in bad.differences] == [("argument-ledger", wrong)]
    assert bad.verdict is Verdict.FAIL
    assert bad.lanes is not None
    assert (bad.lanes.fault, [lane.broken for lane in bad.lanes.lanes]) == (wrong, [1])
