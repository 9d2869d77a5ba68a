"""Proofs with frames from memory: they say what proofs without it say, and tell every difference."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from harness import cassette
from harness.case import Case
from harness.chunking import parse_plan
from harness.proof import prove, walk
from harness.rules import cut_is_legal
from harness.subjects import PartJson
from harness.subjects.core import CoreSession, CoreSubject
from harness.subjects.remembering import Known, Memory, NotRepeatableError, RememberingSession
from harness.windows import Windows
from streamcore import DIALECTS, Decoder
from streamcore.dialects.openai.chat import OpenAIChat
from streamcore.parts import Part, ResponseMetadata


def chunk(text: str) -> bytes:
    return b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n' % text.encode()


CHAT = Case("openai-chat/c", "openai-chat", chunk("one") + chunk("tw\u00f6") + chunk("\\n") + b"data: [DONE]\n\n")


def test_streamcore_is_certified_from_memory_as_without(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = partial(CoreSubject().open, CHAT)
    quick = Windows(CHAT.body, opened)
    assert quick.certify(20) is None
    monkeypatch.delattr(CoreSession, "for_proof")
    slow = Windows(CHAT.body, opened)
    assert slow.certify(20) is None

    assert slow.certificate.remembered == 0
    assert 0 < quick.certificate.remembered < quick.certificate.chunks
    figures = ("widest", "windows", "prefixes", "suffixes", "structural", "structural_cuts_found")
    assert [getattr(quick.certificate, name) for name in figures] == [
        getattr(slow.certificate, name) for name in figures
    ]
    assert quick.walked() == slow.walked()
    assert quick.certificate.statement.endswith(
        f"; {quick.certificate.remembered:,} of these chunks with the decoding of frames remembered"
    )


def test_memory_is_asked_twice_and_gives_what_a_decoder_gives() -> None:
    memory = Memory("openai-chat")
    session = CoreSubject().open(CHAT)
    assert isinstance(session, CoreSession)
    remembering = session.for_proof().remembering()
    expected = Decoder("openai-chat", assemble=False)

    for _ in range(2):
        start = remembering.snapshot()
        assert remembering.feed_parts(CHAT.body) == expected.feed(CHAT.body)
        assert remembering.close_parts() == expected.close()
        remembering.restore(start)
        expected = Decoder("openai-chat", assemble=False)

    assert remembering.memory.confirmed == 4
    assert memory.confirmed == 0


def test_a_remembering_session_tells_states_of_the_dialect_apart_behind_the_same_framing() -> None:
    def call(key: str) -> bytes:
        opened = f'{{"index":0,"id":"{key}","function":{{"name":"f","arguments":"{{"}}}}'
        return f'data: {{"id":"c","choices":[{{"index":0,"delta":{{"tool_calls":[{opened}]}}}}]}}\n\n'.encode()

    for step in (1, 7, 1000):
        memory, states = Memory("openai-chat"), []
        for body in (call("a"), call("b"), call("a")):
            session = RememberingSession(memory)
            for at in range(0, len(body), step):
                session.feed_parts(body[at : at + step])
            states.append((session, session.snapshot()))
        (one, at_one), (other, at_other), (again, _) = states
        assert at_one[0] == at_other[0]
        assert not one.is_at(at_other)
        assert not other.is_at(at_one)
        assert again.is_at(at_one)


def test_a_subclass_that_feeds_in_its_own_way_is_not_bypassed() -> None:
    class Loses(CoreSession):
        def feed(self, chunk: bytes) -> list[PartJson]:
            parts = super().feed(chunk)
            return parts[:-1] if len(chunk) > 40 else parts

    opened = partial(Loses, "openai-chat")
    found = prove(parse_plan("certificate:8"), CHAT, opened, walk(opened(), CHAT.body), cut_is_legal)

    assert found.broken is not None
    assert found.broken[0].name.startswith("chunk@")


# -- strides: windows of one width, one behind the other --------------------------------------------------------------------

BAD = Path(__file__).parents[2] / "cassettes/bedrock-converse-stream/bad-checksum.yaml"
"""Its framing fails in the middle, which says a part without any frame."""


class Along:
    """A body, the parts that come byte by byte, and the states of a memory after each byte."""

    def __init__(self, dialect: str, body: bytes) -> None:
        self.body = body
        self.memory = Memory(dialect)
        self.parts: list[Part] = []
        self.counts = [0]
        decoder = Decoder(dialect, assemble=False)
        snapshots = [decoder.snapshot()]
        for at in range(len(body)):
            self.parts += decoder.feed(body[at : at + 1])
            self.counts.append(len(self.parts))
            snapshots.append(decoder.snapshot())
        self.states = RememberingSession(self.memory).snapshots_of(snapshots)

    def stride(self, width: int, states: Any = None, counts: Any = None, parts: Any = None) -> int:
        """Windows of ``width`` bytes that held, from the start of the body on."""
        session = RememberingSession(self.memory)
        states, counts, parts = states or self.states, counts or self.counts, parts or self.parts
        return session.stride(self.body, 0, width, states[width::width], counts[::width], parts)


@pytest.fixture(params=["chat", "bad checksum"])
def along(request: pytest.FixtureRequest) -> Along:
    if request.param == "chat":
        return Along(CHAT.dialect, CHAT.body)
    return Along("bedrock-converse-stream", cassette.load(BAD).cases()[0].body)


WIDTHS = [1, 2, 3, 7, 64, 100]


@pytest.mark.parametrize("width", WIDTHS)
def test_all_windows_of_a_sound_dialect_hold(along: Along, width: int) -> None:
    assert along.stride(width) == len(along.body) // width > 0


@pytest.mark.parametrize("width", WIDTHS)
def test_a_stride_ends_at_the_first_part_that_differs(along: Along, width: int) -> None:
    for index in range(len(along.parts)):
        parts = [*along.parts]
        parts[index] = ResponseMetadata("other")
        emitted = next(at for at, count in enumerate(along.counts) if count > index)
        assert along.stride(width, parts=parts) == (emitted - 1) // width


@pytest.mark.parametrize("width", WIDTHS)
def test_a_stride_ends_where_parts_are_missing_or_too_many(along: Along, width: int) -> None:
    last = max(at for at in range(1, len(along.counts)) if along.counts[at] > along.counts[at - 1])
    for change in (-1, 1):
        counts = [*along.counts[:last], *(count + change for count in along.counts[last:])]
        parts = [*along.parts, ResponseMetadata("other")]
        assert along.stride(width, counts=counts, parts=parts) == (last - 1) // width


@pytest.mark.parametrize("width", WIDTHS)
def test_a_stride_ends_at_the_first_state_that_differs(along: Along, width: int) -> None:
    for at in range(width, len(along.body) - width, width):
        framing, state = along.states[at]
        for other in (
            (along.states[at - width][0], state),
            (framing, Known(state.image)),  # of another memory, as a state that is not this one
        ):
            states = [*along.states]
            states[at] = other
            if other != along.states[at]:
                assert along.stride(width, states=states) == at // width - 1


def test_the_failure_of_the_framing_is_decoded_though_it_says_nothing_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dialect may take note of a failure without a part, as of a body that is no event stream: its state has changed."""

    def notes(self: Any, failure: Any, out: list[Any]) -> None:
        self.state.provider_failed = True

    monkeypatch.setattr(DIALECTS["bedrock-converse-stream"], "framing_failed", notes)
    along = Along("bedrock-converse-stream", cassette.load(BAD).cases()[0].body)

    for width in WIDTHS:
        assert along.stride(width) == len(along.body) // width


# -- dialects that are no function of their state ---------------------------------------------------------------------------


class Counts(OpenAIChat):
    """Its warnings depend on how many frames this very object has read, which is no state."""

    read = 0

    def frame(self, frame: Any, out: list[Any]) -> None:
        self.read += 1
        if self.read == 2:
            frame = (frame[0].replace(b"tw", b"TW"), *frame[1:])
        super().frame(frame, out)


class Fickle(OpenAIChat):
    """Says something else each time, whatever object is asked."""

    asked = 0

    def frame(self, frame: Any, out: list[Any]) -> None:
        Fickle.asked += 1
        super().frame((frame[0].replace(b"one", b"%d" % Fickle.asked), *frame[1:]), out)


class Peeks(OpenAIChat):
    """Looks at what the same chunk said before, and says less then."""

    def frame(self, frame: Any, out: list[Any]) -> None:
        before = len(out)
        super().frame(frame, out)
        if before > 2:
            del out[before:]


def test_a_dialect_that_depends_on_more_than_its_state_is_not_certified(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = partial(CoreSubject().open, CHAT)
    monkeypatch.setitem(DIALECTS, "openai-chat", Counts)
    found = Windows(CHAT.body, opened).certify(len(CHAT.body))
    assert found is not None

    monkeypatch.setitem(DIALECTS, "openai-chat", Fickle)
    with pytest.raises(NotRepeatableError, match="openai-chat says two things to one frame in one state"):
        Memory("openai-chat").learn(
            Memory("openai-chat").first, (b'{"choices":[{"delta":{"content":"one"}}]}', "", None, 9)
        )


def test_what_only_memory_gets_wrong_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgets(self: Memory, state: Known, frame: Any) -> Any:
        said = learn(self, state, frame)
        state.answers[-1] = (*said[:2], self.first, said[3])
        return state.answers[-1]

    learn = Memory.learn
    monkeypatch.setattr(Memory, "learn", forgets)
    found = Windows(CHAT.body, partial(CoreSubject().open, CHAT)).certify(64)

    assert found is not None
    assert found.parts == walk(CoreSubject().open(CHAT), CHAT.body).parts
    assert found.complaint.startswith("with frames decoded from memory, bytes ")


def test_a_dialect_that_looks_at_the_rest_of_the_chunk_is_caught_on_real_sessions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(DIALECTS, "openai-chat", Peeks)

    for widest in (16, 64, len(CHAT.body)):
        found = Windows(CHAT.body, partial(CoreSubject().open, CHAT)).certify(widest)
        assert found is not None
        assert found.chunking.name.startswith("chunk@")
