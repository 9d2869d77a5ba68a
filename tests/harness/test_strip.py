"""The stretch of a body that a report draws: whole characters, whole frames, and exact bytes for every character that has them."""

from __future__ import annotations

import json
from base64 import b64decode

import pytest

from harness.case import Case
from harness.findings import Strip, Written
from harness.proof import walk
from harness.strip import MAX_BYTES, MAX_CHARACTERS, strip_of
from harness.subjects import PartJson, Session
from harness.subjects.core import CoreSession

from .exhibits import DONE, call, chat, sse, text
from .report_runs import difference, minimal

CHOICES = (1, 7, 10_000)
"""Bytes of the chunks in which a body is said to have been recorded."""


def _case(body: bytes, size: int = 7) -> Case:
    return Case("openai-chat/strip", "openai-chat", body, tuple(len(body[at : at + size]) for at in range(0, len(body), size)))


def _strip(body: bytes, session: Session | None = None, **focus: int) -> Strip:
    found = [difference(minimal=None, **focus)] if focus else []
    strips = {strip_of(_case(body, size), walk(session or CoreSession("openai-chat"), body), found) for size in CHOICES[: 1 if session else 3]}
    assert len(strips) == 1, "however it was recorded"
    (strip,) = strips
    assert strip is not None
    return strip


def _origins(written: Written) -> list[tuple[int, int]]:
    """The bytes of each character, as the page's script reads the spans."""
    found, at = [], written.start
    for span in written.spans.split():
        sign = "*" if "*" in span else "!"
        number, width = map(int, span.split(sign))
        starts = [at] * number if sign == "!" else range(at, at + number * width, width)
        found += [(start, start + width) for start in starts]
        at += width if sign == "!" else number * width
    return found


class Rewriting:
    """A session that says something else than the wire."""

    def __init__(self, old: str, new: str) -> None:
        self._core = CoreSession("openai-chat")
        self._old, self._new = old, new

    def feed(self, chunk: bytes, /) -> list[PartJson]:
        return [self._changed(part) for part in self._core.feed(chunk)]

    def close(self) -> list[PartJson]:
        return [self._changed(part) for part in self._core.close()]

    def _changed(self, part: PartJson) -> PartJson:
        return {**part, "delta": part["delta"].replace(self._old, self._new)} if "delta" in part else part


def test_every_character_has_the_bytes_that_spell_it() -> None:
    pieces = ("Ein café", " \U0001f680 €", "a\\b\"c\n\u2028")
    escaped = b'data: {"choices":[{"index":0,"delta":{"content":"\\u00e9\\ud83d\\ude80\\n/\\/"}}]}\n\n'
    body = text(*pieces).removesuffix(DONE) + escaped + DONE
    strip = _strip(body)

    assert (strip.start, b64decode(strip.bytes), strip.frame, strip.frames[-1]) == (0, body, 0, len(body))
    assert [written.text for written in strip.written] == [*pieces, "é\U0001f680\n//"]
    for written in strip.written:
        origins = _origins(written)
        assert written.exact
        assert len(origins) == len(written.text)
        spelt = [json.loads(f'"{body[start:end].decode()}"') for start, end in origins]
        assert "".join(spelt) == written.text


def test_what_the_bytes_do_not_say_is_charged_to_where_it_differs() -> None:
    body = text("Ein café in Zürich")
    strip = _strip(body, Rewriting("é", "\ufffd\ufffd"))
    (written,) = strip.written
    assert not written.exact
    bytes_of = [body[start:end].decode("latin-1") for start, end in _origins(written)]
    assert "".join(bytes_of[:7]) == "Ein caf"
    assert bytes_of[7:9] == ["Ã", "©"], "two characters of two bytes: one each"
    assert "".join(bytes_of[9:]).encode("latin-1").decode() == " in Zürich"

    shared = _strip(body, Rewriting("é", "X"))
    start, end = _origins(shared.written[0])[7]
    assert body[start:end].decode() == "é"


def test_arguments_that_were_held_back_have_the_bytes_of_an_earlier_frame() -> None:
    deltas = [call(0, '{"x"'), call(0, ":1}", name="f", ident="a")]
    body = b"".join(sse(chat({"tool_calls": [delta]})) for delta in deltas) + sse(chat(finish="tool_calls")) + DONE
    strip = _strip(body)
    assert all(written.exact for written in strip.written)
    assert "".join(written.text for written in strip.written) == '{"x":1}'


def test_arguments_that_were_written_anew_are_charged_to_their_frame() -> None:
    parts = [{"functionCall": {"name": "f", "args": {"a": 1}}}, {"text": "said"}]
    body = f"data: {json.dumps({'candidates': [{'content': {'parts': parts}, 'finishReason': 'STOP'}]})}\r\n\r\n".encode()
    replayed = Case("gemini-generateContent/strip", "gemini-generateContent", body)
    strip = strip_of(replayed, walk(CoreSession("gemini-generateContent"), body), ())
    assert strip is not None
    told = {written.text: (written.exact, set(_origins(written))) for written in strip.written}
    assert told['{"a":1}'] == (False, {(0, len(body))})
    assert told["said"][0]


@pytest.mark.parametrize("event", [0, 30, 119])
def test_a_long_body_is_cut_around_the_difference_at_whole_characters(event: int) -> None:
    body = text(*("\U0001f680" * 9 for _ in range(120)))
    ends = [at + 2 for at in range(len(body)) if body.startswith(b"\n\n", at)]
    strip = _strip(body, event=event, byte_offset=ends[event])
    shown = b64decode(strip.bytes)
    assert len(shown) <= MAX_BYTES
    assert body[strip.start : strip.start + len(shown)] == shown
    shown.decode()
    assert strip.start <= ends[event] - 1 <= strip.start + len(shown)
    assert strip.frames[0] == ends[strip.frame]
    assert all(strip.start < end for end in strip.frames)
    assert sum(len(written.text) for written in strip.written) <= MAX_CHARACTERS


def test_the_minimal_cut_comes_first_and_an_empty_body_has_no_strip() -> None:
    body = text(*("word " * 9 for _ in range(120)))
    found = difference(minimal=minimal(), byte_offset=None)
    strip = strip_of(_case(body), walk(CoreSession("openai-chat"), body), [difference(minimal=None), found])
    assert strip is not None
    assert strip.start < 1204 < strip.start + MAX_BYTES
    assert strip_of(_case(b""), walk(CoreSession("openai-chat"), b""), ()) is None
