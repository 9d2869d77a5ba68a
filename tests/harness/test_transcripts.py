"""Transcripts of a dialect: short, and together with every feature of its recordings; and that this is really checked."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from harness import cassette, transcripts
from harness.case import Case
from harness.report import console
from harness.transcripts import covering, covers, dialects_named
from harness.transcripts.covering import Cover, cover, grammar_of
from harness.transcripts.envelopes import barer
from harness.transcripts.shrinker import shrink
from streamcore import DIALECTS, Decoder
from streamcore.framing.eventstream import EventStreamFramer

from .checkout import REPOSITORY
from .test_shrinker import BODY, RECORDINGS, chat, sse

FEW = ("openai-chat", "gateway-openai-chat", "groq", "cohere-v2", "openai-responses", "vertex-gemini-json-array")
SMALL = ("cohere-v1", "anthropic-complete-legacy", "gemini-generateContent-json-array", "ollama-ndjson")
OWN = Case("openai-chat/own", "openai-chat", BODY, source="a.yaml", provenance="simulator")


def types(dialect: str, body: bytes) -> list[str]:
    """Of the parts, byte by byte and at once, which must not differ."""
    whole, single = Decoder(dialect), Decoder(dialect)
    parts = whole.feed(body) + whole.close()
    assert parts == [part for at in range(len(body)) for part in single.feed(body[at : at + 1])] + single.close()
    return [part.type for part in parts]


@pytest.fixture
def few_dialects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcripts, "DIALECTS", {name: DIALECTS[name] for name in FEW})


@pytest.fixture(scope="module")
def made() -> dict[str, Cover]:
    """Of dialects with few recordings, one or two of each framing but that of AWS."""
    cases = [
        case
        for name in SMALL
        for path in sorted((REPOSITORY / "cassettes" / name).glob("*.yaml"))
        for case in cassette.load(path).cases()
    ]
    return {one.dialect: one for one in covers(cases, borrow=False)}


@pytest.mark.parametrize("dialect", SMALL)
def test_the_transcripts_of_a_dialect_have_every_feature_of_its_recordings(
    dialect: str, made: dict[str, Cover]
) -> None:
    one = made[dialect]

    assert (one.lost, one.too_long) == (frozenset(), ())
    assert len(one.features) > 30
    assert all(len(case.body) <= 1024 for case in one.transcripts)
    assert len({case.id for case in one.transcripts}) == len(one.transcripts)
    assert all(types(dialect, case.body) for case in one.transcripts)
    size = sum(len(case.body) for case in one.transcripts)
    assert one.statement == (
        f"{dialect}: {len(one.features)} of {len(one.features)} grammar features in {len(one.transcripts)} transcripts "
        f"({size:,} bytes)"
    )


@pytest.mark.parametrize("dialect", SMALL)
def test_a_feature_that_is_taken_away_is_lost(dialect: str, made: dict[str, Cover]) -> None:
    one = made[dialect]

    for case in one.transcripts:
        rest = [grammar_of(dialect, other.body, other.end) for other in one.transcripts if other is not case]
        without = replace(one, transcripts=tuple(other for other in one.transcripts if other is not case))
        assert without.lost == grammar_of(dialect, case.body, case.end) & one.features - frozenset().union(*rest)
        assert without.lost, f"{case.id} is not needed"
        assert f"; lost: {min(without.lost)}" in without.statement
    assert replace(one, features=one.features | {"event nobody-sends"}).lost == {"event nobody-sends"}


def test_what_is_too_long_for_one_transcript_is_shared_by_several() -> None:
    events = b"".join(b"event: one-of-many-%d-%b\n%b" % (number, b"x" * 30, sse("{}")) for number in range(25))
    long = Case("openai-chat/long", "openai-chat", events + BODY)
    assert len(shrink(long)) > 1024

    one = cover("openai-chat", [long])

    assert (one.lost, one.too_long) == (frozenset(), ())
    assert len(one.transcripts) > 1
    assert [case.id for case in one.transcripts][:2] == ["openai-chat/shrunk-long", "openai-chat/shrunk-long.2"]
    assert all(len(case.body) <= 1024 for case in one.transcripts)
    fewer = cover("openai-chat", [long], most=1)
    assert fewer.transcripts == one.transcripts[:1]
    assert (fewer.lost, fewer.too_long, fewer.features < one.features) == (frozenset(), (), True)


def test_a_feature_that_no_transcript_has_room_for_is_told() -> None:
    huge = Case("openai-chat/huge", "openai-chat", b"event: %b\n%b" % (b"x" * 1100, sse("{}")) + BODY)

    one = cover("openai-chat", [huge])

    told = dict(one.too_long)
    assert set(told) == {f"event {'x' * 1100}", "warning unknown_event"}
    assert set(told.values()) == {size := told["warning unknown_event"]}
    assert size > 1100
    assert not one.lost
    assert f"; too long: warning unknown_event ({size:,} bytes)" in one.statement
    last = one.transcripts[-1].source
    assert "; too long for a transcript of openai-chat: " in last
    assert last.endswith(f", warning unknown_event ({size:,} bytes)")


def test_what_only_a_hazard_shows_is_taken_of_it_and_nothing_else() -> None:
    odd = Case("openai-chat/odd", "openai-chat", sse("{bad") + BODY, hazard="WH-000")

    first, second = cover("openai-chat", [OWN, odd]).transcripts

    assert (first.shrunk_from, second.shrunk_from) == (OWN.id, odd.id)
    assert "error malformed_json stream" in grammar_of("openai-chat", second.body, "complete")
    assert len(second.body) < 40


@pytest.mark.usefixtures("few_dialects")
def test_a_dialect_without_recordings_borrows_of_one_with_the_same_code() -> None:
    told: list[str] = []

    class Told:
        def __enter__(self) -> object:
            return told.append

        def __exit__(self, *_: object) -> None:
            return None

    found = covers([OWN], telling=lambda total: told.append(str(total)) or Told())  # type: ignore[arg-type, return-value, func-returns-value]

    assert told == ["3", "openai-chat", "gateway-openai-chat", "groq"]
    by_name = {one.dialect: one.transcripts[0] for one in found}
    assert set(by_name) == {"openai-chat", "gateway-openai-chat", "groq"}
    own, borrowed = by_name["openai-chat"], by_name["gateway-openai-chat"]
    assert own.id == "openai-chat/shrunk-own"
    assert own.source == f"shrunk from openai-chat/own, {len(BODY)} to {len(own.body)} bytes"
    assert borrowed.id == "gateway-openai-chat/shrunk-openai-chat-own"
    assert borrowed.source.endswith("; borrowed, as there is no recording of gateway-openai-chat")
    assert own.shrunk_from == borrowed.shrunk_from == "openai-chat/own"
    assert own.provenance == "simulator"
    assert covers([]) == []
    assert [one.dialect for one in covers([OWN], borrow=False)] == ["openai-chat"]
    assert [one.dialect for one in covers([OWN], dialects=["groq"])] == ["groq"]


def test_dialects_are_known_by_the_names_of_their_transcripts() -> None:
    assert dialects_named(["openai-chat/shrunk-own", "groq/*", "openai-chat/own", "nope/shrunk-a"]) == {"openai-chat"}


def test_the_cache_is_used_and_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = cover("openai-chat", [OWN], cache=tmp_path)
    (file,) = tmp_path.iterdir()
    monkeypatch.setattr(covering, "shrink", lambda case, _, **__: case.body)

    assert cover("openai-chat", [OWN], cache=tmp_path) == first
    for damage in ("zz", BODY.replace(b"\\n", b"").hex(), (sse("{bad") + first.transcripts[0].body).hex()):
        file.write_text(damage, encoding="ascii")
        (anew,) = cover("openai-chat", [OWN], cache=tmp_path).transcripts
        assert anew.body == BODY
    assert file.read_text(encoding="ascii") == BODY.hex()


# -- how single things get shorter --------------------------------------------------------------------------------------


def test_deltas_are_joined_where_one_is_enough() -> None:
    pieces = [chat(f'{{"content":"{text}"}}') for text in ("a\\n", "\u00e9", "b\\t")]
    case = Case("openai-chat/c", "openai-chat", sse(*pieces, chat("{}", ',"finish_reason":"stop"'), "[DONE]"))
    wanted = ["escape n", "escape t", "UTF-8 of 2 bytes", 'finish_reason "stop"']

    body = shrink(case, wanted, members=False)

    assert grammar_of("openai-chat", body, "complete").issuperset(wanted)
    assert body.count(b"data: {") <= 2
    assert "error" not in types("openai-chat", body)


def test_blocks_in_front_are_left_out_and_the_others_counted_anew() -> None:
    case = RECORDINGS["bedrock-converse-stream/text-tool-text"]
    assert b'"contentBlockIndex":0' in case.body

    body = shrink(case, ["1 tool-call"], members=False)

    assert b'"contentBlockIndex":0' in body
    assert b'"contentBlockIndex":1' not in body
    assert types(case.dialect, body).count("tool-call") == 1


def test_an_aws_message_gets_barer_and_stays_whole() -> None:
    case = RECORDINGS["bedrock-converse-stream/cut-mid-arguments"]
    message = case.body[: int.from_bytes(case.body[:4], "big")]
    ((headers, payload, *_),) = EventStreamFramer().feed(message)

    leaner = list(barer(message))

    assert len(leaner) == len(headers)
    for one in leaner:
        framer = EventStreamFramer()
        ((left, same, *_),) = [frame for at in range(len(one)) for frame in framer.feed(one[at : at + 1])]
        assert (same, len(left), left.items() <= headers.items()) == (payload, len(headers) - 1, True)
    assert not list(barer(message[:-1]))
    assert not list(barer(b""))


def test_what_follows_a_damaged_frame_is_left_out() -> None:
    case = RECORDINGS["bedrock-converse-stream/bad-checksum"]
    (fault,) = [name for name in grammar_of(case.dialect, case.body, case.end) if name.startswith("error frame")]

    body = shrink(case, [fault], members=False)

    assert fault in grammar_of(case.dialect, body, case.end)
    assert len(body) <= 1024 < len(case.body)


# -- how it is shown ----------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal, quiet, pipe = Terminal(), Terminal(), io.StringIO()
    for stream, silent in ((terminal, False), (quiet, True), (pipe, False)):
        with console.shrinking(2, quiet=silent, stream=stream) as tell:
            tell("openai-chat")
            tell("groq")

    assert "2/2" in terminal.getvalue()
    assert "shrinking recordings: groq" in terminal.getvalue()
    assert (quiet.getvalue(), pipe.getvalue()) == ("", "")
