"""What the simulated providers share: server-sent events, made-up ids, text cut into deltas, bodies into writes."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import string
from typing import TYPE_CHECKING, Any

from harness.exits import HARNESS, USAGE
from harness.record.seams import SEAMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

LINE_ENDINGS = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}
_BASE62 = string.ascii_letters + string.digits


class RecordError(Exception):
    """Recording cannot go on. Reads as one line; ``exit_code`` is one of :mod:`harness.exits`."""

    def __init__(self, message: str, exit_code: int = HARNESS) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class ScenarioError(RecordError):
    """A scenario says something its simulated provider cannot say."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=USAGE)


def sse(data: str, event: str | None = None, ending: str = "\n") -> bytes:
    """One event of an event stream (WHATWG HTML, "Server-sent events", 9.2.5): a name perhaps, data, a blank line."""
    name = f"event: {event}{ending}" if event else ""
    return f"{name}data: {data}{ending}{ending}".encode()


def as_written(event: str | Mapping[str, str]) -> bytes:
    """Bytes as a scenario spells them: a text is UTF-8; in ``{bytes: text}`` each character is the byte of its number."""
    if isinstance(event, str):
        return event.encode()
    only(event, "bytes")
    try:
        return event["bytes"].encode("latin-1")
    except UnicodeEncodeError as error:
        raise ScenarioError(f"bytes: {event['bytes'][error.start]!r} is not the number of a byte") from error


def framed(events: Iterable[bytes], forms: Sequence[str]) -> list[bytes]:
    """The events in other forms that the standard allows.

    ``bom`` a byte order mark at the start · ``no-space`` no space after the colons of field names · ``folded`` the data of
    each event in two lines, cut after its first comma, which means the same JSON · ``unnamed`` without ``event`` lines
    """
    unknown = sorted(set(forms) - {"bom", "no-space", "folded", "unnamed"})
    if unknown:
        raise ScenarioError(f"framing: {unknown[0]!r} is none of bom, no-space, folded, unnamed")
    result = list(events)
    if "unnamed" in forms:
        result = [re.sub(rb"(?m)^event: [^\r\n]*\r?\n", b"", event) for event in result]
    if "folded" in forms:
        result = [re.sub(rb"(data: \{[^,\n]*,)", rb"\1\ndata: ", event, count=1) for event in result]
    if "no-space" in forms:
        result = [re.sub(rb"(?m)^(data|event): ", rb"\1:", event) for event in result]
    if "bom" in forms and result:
        result[0] = b"\xef\xbb\xbf" + result[0]
    return result


def comment(text: str, ending: str = "\n") -> bytes:
    """A comment block, which servers and proxies send to keep a connection open: a line that starts with a colon."""
    return f":{' ' if text else ''}{text}{ending}{ending}".encode()


def compact(value: object, *, ascii_only: bool = False) -> str:
    """JSON without spaces, keys in the given order; non-ASCII as it is unless ``ascii_only``."""
    return json.dumps(value, ensure_ascii=ascii_only, separators=(",", ":"))


def made_up(seed: str, length: int, alphabet: str = _BASE62) -> str:
    """``length`` characters that look random and depend on ``seed`` alone, so a scenario always gets the same ids."""
    digits = int.from_bytes(hashlib.shake_256(seed.encode()).digest(length + 8), "big")
    out = []
    for _ in range(length):
        digits, index = divmod(digits, len(alphabet))
        out.append(alphabet[index])
    return "".join(out)


def pieces(value: str | Sequence[str], by: int | Sequence[int] | None = None) -> Iterator[str]:
    """The deltas of a text.

    A list is taken as it is. A text is cut before each run of white space, about as tokenizers do; or, with ``by``,
    into pieces of so many characters, in turn if there are several numbers.
    """
    if not isinstance(value, str):
        yield from value
        return
    if by is None:
        yield from re.findall(r"\s*\S+|\s+$", value)  # an empty text has no deltas
        return
    sizes = (by,) if isinstance(by, int) else tuple(by)
    if not sizes or min(sizes) < 1:
        raise ScenarioError(f"by: {by!r} is not a positive number, nor a list of them")
    start = turn = 0
    while start < len(value):
        end = start + sizes[turn % len(sizes)]
        yield value[start:end]
        start, turn = end, turn + 1


def only(item: Mapping[str, Any], *allowed: str) -> None:
    """Refuse keys that nothing reads: a misspelt key would silently record something else (ScenarioError)."""
    unknown = sorted(set(item) - set(allowed))
    if unknown:
        raise ScenarioError(f"unknown key {unknown[0]!r}; known here: {', '.join(sorted(allowed))}")


def deliver(events: Sequence[bytes], how: str, framing: str = "sse") -> list[bytes]:
    """Join the events and cut them into the writes that will reach the client one by one.

    ``events`` one event a write · ``events:N`` N events a write · ``bytes:N`` N bytes a write · ``seams`` one event a
    write, and further cuts where decoders of this framing break (:mod:`harness.record.seams`).
    """
    name, _, number = how.partition(":")
    count = int(number) if number.isdecimal() else 0
    if name == "events" and (count or not number):
        step = count or 1
        return [b"".join(events[at : at + step]) for at in range(0, len(events), step)]
    body = b"".join(events)
    if name == "bytes" and count:
        return [body[at : at + count] for at in range(0, len(body), count)]
    if how != "seams":
        raise ScenarioError(f"delivery: {how!r} is none of events, events:N, bytes:N, seams")
    cuts = {0, len(body), *itertools.accumulate(map(len, events)), *SEAMS[framing](events)}
    return [body[start:end] for start, end in itertools.pairwise(sorted(cuts))]
