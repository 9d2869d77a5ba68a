"""Whole server-sent events of a plain shape, many at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

PlainFrame = tuple[bytes, str, None, int]
"""A :data:`streamcore.framing.sse.SseFrame` without an id."""


def plain_blocks(
    chunk: bytes,
    first: int,
    last: int,
    position: int,
    known: Mapping[bytes, str],
    learn: Callable[[bytes, bytes], str],
) -> tuple[list[PlainFrame], int] | None:
    """The blocks in ``chunk[first:last]``, if they are all of one shape: one data line, or one event line and one data line.

    Args:
        chunk: bytes without CR.
        first: where a block begins.
        last: just after a blank line.
        position: offset of ``first`` in the body.
        known: the text of ``event`` lines that were met before.
        learn: gives the text of another, from the line and from its value.

    Returns:
        The frames and the offset in the body just after them; None if a block is of another shape.
    """
    frames: list[PlainFrame] = []
    if chunk.startswith(b"data: ", first):
        payloads = chunk[first + 6 : last - 2].split(b"\n\ndata: ")
        # No line ends but those of the data lines and the blank ones: every payload is one line.
        if chunk.count(b"\n", first, last) != 2 * len(payloads):
            return None
        for payload in payloads:
            position += len(payload) + 8
            frames.append((payload, "", None, position))
    elif chunk.startswith(b"event: ", first):
        blocks = chunk[first + 7 : last - 2].split(b"\n\nevent: ")
        if chunk.count(b"\n", first, last) != 3 * len(blocks):
            return None
        for block in blocks:
            name, separator, payload = block.partition(b"\ndata: ")
            if not separator:
                return None
            position += len(block) + 9
            frames.append((payload, known.get(b"event: " + name) or learn(b"event: " + name, name), None, position))
    else:
        return None
    return frames, position
