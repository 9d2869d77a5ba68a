"""Fuzz targets: one for each framing, one for each dialect. An input is a body, nothing else: its own bytes choose the cuts.

A target looks at one body and raises :class:`Finding` if any of this does not hold:

``raised``     bad bytes never raise out of ``feed`` or ``close``
``variance``   any cutting gives the same parts, warnings, message and state, with a snapshot put into another decoder halfway
``rule``       the rules that need no golden (:mod:`harness.rules`)
``unfit``      parts can be written as a trace, and what the message says can be encoded as UTF-8
``memory``     a framer holds no more than its limits allow
``slow``       an input costs no more than :data:`CPU_SECONDS` of processor time
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from types import FrameType
from typing import Any
from zlib import crc32

from harness.rules import violations
from harness.rules.text import has_halves
from harness.subjects.core import FRAMINGS
from harness.trace import trace_lines
from streamcore import DIALECTS, Decoder, Limits
from streamcore.framing import Framer

CPU_SECONDS = 5.0
"""Processor time, so that a busy machine raises no alarm: some thousand times what an input of a few KB needs."""
SLACK = 1024
"""Bytes a framer may hold beside payload: fields of the open event, headers of the open message."""
_TINY = Limits(max_frame_bytes=192, max_stray_bytes=24, max_json_depth=6, max_arguments_chars=12, max_open_calls=2)
EXCUSED: dict[str, Callable[[bytes], bool]] = {
    # Damage parts halves of pairs that belong together, and leaves as many of one kind as of the other, which is all that
    # the rule counts.
    "encodable": has_halves,
}
"""Rules that damage breaks in good order, and for which bodies."""
_SPANS = (1, 3, 16, 90)
"""Longest gap between two cuts, one of four a gap."""


class Finding(Exception):  # noqa: N818 - what it reports is no error of the fuzzer
    """One thing that does not hold. ``kind`` is one of those above; ``where`` tells one defect from another."""

    def __init__(self, kind: str, where: str, detail: str) -> None:
        super().__init__(f"{kind}: {where}: {detail}")
        self.kind = kind
        self.where = where


def chunks(body: bytes) -> list[bytes]:
    """``body`` cut where a sequence that begins with its own checksum says."""
    state, at, cuts = crc32(body), 0, [0]
    while True:
        state = (state * 1_103_515_245 + 12_345) & 0x7FFF_FFFF
        at += 1 + (state >> 12) % _SPANS[(state >> 8) & 3]
        if at >= len(body):
            break
        cuts.append(at)
    return [body[start:end] for start, end in pairwise([*cuts, len(body)])]


def limits_for(body: bytes) -> Limits:
    """The usual ones, or for one body in eight such as a small body passes."""
    return _TINY if crc32(body) % 8 == 0 else Limits()


def dialect_target(dialect: str) -> Callable[[bytes], None]:
    """The target of a decoder."""

    def look(body: bytes) -> None:
        policy: Any = "strict" if crc32(body) % 5 == 0 else "lenient"
        limits = limits_for(body)
        with _watched():
            whole = Decoder(dialect, policy=policy, limits=limits)
            parts = [*whole.feed(body), *whole.close()]
            cut, other_parts = _cut_run(dialect, policy, limits, chunks(body))
            message = whole.message
            _same("parts", parts, other_parts)
            _same("warnings", whole.warnings, cut.warnings)
            _same("message", message, cut.message)
            _same("state", whole.snapshot(), cut.snapshot())
            as_json = [part.as_json() for part in parts]
            _fit(as_json, body, message)
            warned = [warning.code for warning in whole.warnings]
            for found in violations(as_json, body=body, dialect=dialect, warnings=warned):
                if found.rule in EXCUSED and EXCUSED[found.rule](body):
                    continue
                raise Finding("rule", found.rule, f"{found.requirement} at part {found.index}: {found.message}")

    return look


def framing_target(framing: str) -> Callable[[bytes], None]:
    """The target of a framer alone."""
    make: Any = FRAMINGS[framing][0]

    def look(body: bytes) -> None:
        limits = limits_for(body)
        with _watched():
            whole, cut = make(limits), make(limits)
            frames = list(whole.feed(body))
            others: list[Any] = []
            for chunk in chunks(body):
                others += cut.feed(chunk)
                _bounded(cut, limits, len(chunk))
            _same("frames", frames, others)
            _same("residual frame", whole.close(), cut.close())
            for what in ("failure", "stray", "truncated", "frames", "offset"):
                _same(what, getattr(whole, what), getattr(cut, what))
            _same("state", whole.snapshot(), cut.snapshot())

    return look


TARGETS: dict[str, Callable[[bytes], None]] = {
    **{framing: framing_target(framing) for framing in FRAMINGS},
    **{dialect: dialect_target(dialect) for dialect in DIALECTS},
}
"""By name."""


def look(target: str, body: bytes) -> None:
    """One input of one target.

    Raises:
        Finding: something does not hold, whatever exception said so.
    """
    try:
        TARGETS[target](body)
    except Finding:
        raise
    except Exception as error:
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        where = f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace is not None else "?"
        raise Finding("raised", f"{type(error).__name__} in {where}", str(error)[:200]) from error


def _cut_run(dialect: str, policy: Any, limits: Limits, pieces: list[bytes]) -> tuple[Decoder, list[Any]]:
    """Half of the pieces, then a snapshot that another decoder takes on."""
    decoder = Decoder(dialect, policy=policy, limits=limits)
    parts: list[Any] = []
    for number, piece in enumerate(pieces):
        if number == len(pieces) // 2:
            state = decoder.snapshot()
            decoder = Decoder(dialect, policy=policy, limits=limits)
            decoder.restore(state)
        parts += decoder.feed(piece)
    parts += decoder.close()
    return decoder, parts


def _same(what: str, one: Any, other: Any) -> None:
    if one != other:
        detail = f"{one!r} is not {other!r}"
        if isinstance(one, list):
            at = next(
                (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
            )
            detail = f"from item {at} on: {one[at : at + 2]!r} is not {other[at : at + 2]!r}"
        raise Finding("variance", what, detail[:600])


def _fit(as_json: list[dict[str, Any]], body: bytes, message: Any) -> None:
    try:
        trace_lines(as_json, body)
        for block in message.content:
            for field in ("text", "id", "name", "arguments"):
                getattr(block, field, "").encode()
    except (ValueError, TypeError) as error:
        raise Finding("unfit", type(error).__name__, str(error)[:200]) from error


def _bounded(framer: Framer, limits: Limits, fed: int) -> None:
    held = _bytes_in(framer.snapshot())
    allowed = limits.max_frame_bytes + limits.max_stray_bytes + fed + SLACK
    if held > allowed:
        raise Finding("memory", type(framer).__name__, f"holds {held} bytes, {allowed} are allowed")


def _bytes_in(state: Any) -> int:
    if isinstance(state, bytes | str):
        return len(state)
    return sum(map(_bytes_in, state)) if isinstance(state, tuple) else 0


@contextmanager
def _watched() -> Iterator[None]:
    """Raises a finding in the middle of work that takes too long."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Finding("slow", "processor time", f"more than {CPU_SECONDS} s")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, CPU_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
