"""Streams that were cut, and bytes that mean nothing."""

from __future__ import annotations

import os
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcore import DIALECTS, Decoder, Limits, Message

from .streams import BODIES, BODY, BY_FRAME, FINISHED, FRAMES, IDS, POLICIES, STREAMS, USAGE
from .wire import (
    NO_USAGE,
    START,
    Decoded,
    Json,
    check_order,
    decode,
    ended,
    err,
    fin,
    size,
    t_end,
)

# -- cut streams ----------------------------------------------------------------------------------------------------


def parts_of_a_cut(cut: int, policy: str) -> tuple[list[Json], list[str]]:
    """What the first ``cut`` bytes of ``BODY`` give, and the codes of the warnings."""
    ends = [size(*FRAMES[:number]) for number in range(len(FRAMES) + 1)]
    whole = max(number for number, end in enumerate(ends) if end <= cut)
    rest = BODY[ends[whole] : cut]
    parts = [part for frame in BY_FRAME[:whole] for part in frame]
    codes: list[str] = []
    incomplete = err("incomplete_stream", "close", cut)
    if whole == len(FRAMES):
        return parts, codes
    if policy == "strict":
        return [*(parts or [START]), incomplete], codes
    if len(rest) >= len(FRAMES[whole]) - len(b"\n\n"):  # the event is there, only its end is not
        codes.append("unterminated_event")
        parts += BY_FRAME[whole]
        whole += 1
        rest = b""
        if whole == len(FRAMES):
            return parts, codes
    if whole >= FINISHED and len(rest) <= len("data"):  # no colon, no event
        usage = USAGE if whole > FINISHED else NO_USAGE
        finish = fin("tool-calls", "tool_calls", usage=usage)
        return [*parts, t_end(), *ended('{"k":1}'), finish], [*codes, "missing_done"]
    return [*(parts or [START]), incomplete], codes


@pytest.mark.parametrize("policy", POLICIES)
def test_a_stream_cut_at_every_byte(policy: Any) -> None:
    """Decision 3, V18: the parts of what arrived, then ``incomplete_stream``; a cut stream never looks complete."""
    for cut in range(len(BODY) + 1):
        parts, codes = parts_of_a_cut(cut, policy)
        for pieces in ([BODY[:cut]], [BODY[: cut // 2], BODY[cut // 2 : cut]]):
            decoded = decode(pieces, policy=policy)
            assert decoded.parts == parts, cut
            assert decoded.codes == codes, cut
            complete = decoded.message.complete
            assert complete == (parts[-1]["type"] == "finish")
            assert complete or not any(c.complete for c in decoded.message.tool_calls)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("dialect", "body"), STREAMS, ids=IDS)
def test_what_came_before_a_cut_does_not_depend_on_what_would_have_come(dialect: str, body: bytes, policy: Any) -> None:
    """The trace of a prefix is a prefix of the trace of the whole, up to its end; under ``strict``, of every third."""
    whole = decode(body, dialect, policy=policy)
    for cut in range(0, len(body), 1 if policy == "lenient" else 3):
        decoder = Decoder(dialect, policy=policy)
        items = decoder.feed(body[:cut])
        assert items == whole.items[: len(items)]
        warnings = decoder.warnings
        assert warnings == whole.warnings[: len(warnings)]
        check_order(Decoded(items + decoder.close(), decoder.warnings, decoder.message))


# -- junk -----------------------------------------------------------------------------------------------------------

JUNK = int(os.environ.get("STREAMCORE_JUNK", "1500"))
"""Inputs that are made up for each dialect; row J5 of the requirements is 10^6."""

SCRAPS = [
    *(b"data: ", b"event: ", b"id: ", b"\n", b"\n\n", b"\r", b"\r\n", b": ", b"[DONE]", b"data: [DONE]\n\n"),
    *(b"\0", b"\xff", b"\xef\xbb\xbf", b"\xe2\x82", b"9" * 400, b"[" * 300, b'{"a":' * 300),
    *(b"{", b"}", b"[", b"]", b'"', b"\\", b"null", b"true", b"0", b"-1", b"1e999", b"NaN", b'""', b"{}", b"\\ud800"),
    *(b'"index":', b'"delta":', b'"content":', b'"tool_calls":', b'"function":', b'"arguments":', b'"error":'),
    *(b'"choices":', b'"finish_reason":', b'"usage":', b'"id":', b'"name":', b'"type":'),
    *(b'"content_block":', b'"message":', b'"input":'),
]


def junk(seed: random.Random, bodies: list[bytes]) -> bytes:
    """Random bytes, scraps of the formats, or a real stream with a few wounds."""
    kind = seed.random()
    if kind < 0.1:
        return seed.randbytes(seed.randrange(80))
    if kind < 0.25:
        return b"".join(seed.choices(SCRAPS, k=seed.randrange(30)))
    body = bytearray(seed.choice(bodies))
    for _ in range(seed.choice([1, 1, 2, 5])):
        at = seed.randrange(len(body) + 1)
        gone = seed.choice([0, 0, 1, 1, 5, 100])
        piece = seed.choice([*SCRAPS, b"", b"", seed.randbytes(2), bytes(body[at : at + 200])])
        body[at : at + gone] = piece
    return bytes(body)


@pytest.mark.parametrize("dialect", sorted(BODIES))
def test_junk_gives_parts_and_no_exception(dialect: str) -> None:
    """J5: any other exception is a bug of ours. The outcome does not depend on the cuts either."""
    seed = random.Random(dialect)
    small = Limits(max_frame_bytes=700, max_stray_bytes=50, max_json_depth=20, max_arguments_chars=40, max_open_calls=2)
    for number in range(JUNK):
        body = junk(seed, BODIES[dialect])
        policy: Any = seed.choice(["lenient", "lenient", "lenient", "strict"])
        limits = seed.choice([None, None, small])
        one = seed.randrange(len(body) + 1)
        two = seed.randrange(one, len(body) + 1)
        whole = decode(body, dialect, policy=policy, limits=limits)
        cut = decode([body[:one], body[one:two], body[two:]], dialect, policy=policy, limits=limits)
        assert whole == cut, (number, body, one, two)
        for part in whole.items:
            part.as_json()
        assert isinstance(whole.message, Message)
        for block in whole.message.tool_calls:
            assert block.input is None or isinstance(block.input, dict)
        if dialect == "openai-chat":
            check_order(whole)
            assert decode(body, dialect, policy=policy, limits=limits, general=True) == whole, body


@given(st.binary(max_size=60), st.sampled_from(sorted(DIALECTS)))
def test_bytes_that_mean_nothing(body: bytes, dialect: str) -> None:
    decoded = decode(body, dialect)
    assert decoded == decode([body[at : at + 1] for at in range(len(body))], dialect)
    assert not decoded.message.complete
    assert decoded.message.error is not None
