"""Which recorded request is the one that was asked, and if none is, how the nearest one differs.

Requests are the same if method, path, query and body are. Bodies that are JSON are compared by their canonical text, so
that neither spaces, the order of keys nor ``1.0`` for ``1`` matter; any other body byte by byte. Host and headers are not
looked at: a client under test has another base address, another version and another key than the one that recorded.

Cassettes hold requests redacted, so a request is redacted before it is compared. For the same reason nothing that is
shown here can hold a key: credentials in the query are left out on both sides.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from deepdiff import DeepDiff

from harness.canonical import canonical
from harness.record.redaction import redact_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.cassette import Headers

MAX_LINES = 12
"""Of a difference that are shown."""
MAX_WIDTH = 240
"""Characters of one such line: a prompt may be a book."""

_CREDENTIAL_HEADERS = frozenset("authorization proxy-authorization api-key x-api-key x-goog-api-key cookie".split())
_CREDENTIALS_IN_QUERY = frozenset({"api-key", "api_key", "apikey", "key", "token", "access_token", "sig", "signature"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a request is compared. ``query`` are pairs in the order of the address; ``json`` is None for other bodies."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    body: bytes
    json: str | None
    """The canonical JSON text of the body."""

    @property
    def shown(self) -> str:
        """One line: ``POST /v1/messages?beta=true``."""
        query = "&".join(f"{name}={value}" for name, value in self.query)
        return f"{self.method} {self.path}" + (f"?{query}" if query else "")


def asked(method: str, url: str, body: bytes | None = None, secrets: Iterable[bytes] = ()) -> Asked:
    """What is compared of a request. ``secrets`` are overwritten wherever they stand, for a request that is to be shown."""
    secrets = tuple(secrets)
    address = urlsplit(_redacted(url.encode("utf-8", "surrogateescape"), secrets).decode("utf-8", "replace"))
    data = _redacted(body or b"", secrets)
    pairs = parse_qsl(address.query, keep_blank_values=True)
    return Asked(
        method=method.upper(),
        path=address.path or "/",
        query=tuple((name, value) for name, value in pairs if not _is_credential(name)),
        body=data,
        json=_canonical_json(data),
    )


def credentials(headers: Headers) -> Iterator[bytes]:
    """The keys that a request carries in its headers: they may stand in its address or body too."""
    for name, value in headers:
        if name.lower() in _CREDENTIAL_HEADERS:
            yield from value.encode("utf-8", "surrogateescape").split()


def same(one: Asked, other: Asked) -> bool:
    """Whether a recording of ``one`` answers ``other``."""
    if (one.method, one.path, sorted(one.query)) != (other.method, other.path, sorted(other.query)):
        return False
    if one.json is not None and other.json is not None:
        return one.json == other.json
    return one.body == other.body


def nearest(wanted: Asked, recorded: Sequence[Asked]) -> int:
    """The position in ``recorded``, which is not empty, of the request that is most like ``wanted``."""
    leaves = set(_leaves(wanted))

    def likeness(position: int) -> tuple[bool, bool, float]:
        one = recorded[position]
        others = set(_leaves(one))
        shared = len(leaves & others) / max(1, len(leaves | others))
        return (one.path == wanted.path, one.method == wanted.method, shared)

    return max(range(len(recorded)), key=likeness)


def differences(recorded: Asked, wanted: Asked) -> list[str]:
    """Lines that say how ``wanted`` differs from ``recorded``; none if a recording of the one answers the other."""
    if same(recorded, wanted):
        return []
    lines: list[str] = []
    if recorded.method != wanted.method:
        lines.append(f"method: recorded {recorded.method}, asked {wanted.method}")
    if recorded.path != wanted.path:
        lines.append(f"path: recorded {recorded.path}, asked {wanted.path}")
    if sorted(recorded.query) != sorted(wanted.query):
        lines.append(f"query: recorded {dict(recorded.query)}, asked {dict(wanted.query)}")
    if recorded.json is not None and wanted.json is not None:
        sides = json.loads(recorded.json), json.loads(wanted.json)
        told = DeepDiff(*sides, verbose_level=2, threshold_to_diff_deeper=0).pretty()
        # To deepdiff [1] is [true], as it is to Python; to an API it is not.
        said = told.splitlines() or [_first_difference(recorded.json.encode(), wanted.json.encode())]
        lines += [f"body: {line}" for line in said] if recorded.json != wanted.json else []
    elif recorded.body != wanted.body:
        lines.append(f"body: {_first_difference(recorded.body, wanted.body)}")
    shown = [line if len(line) <= MAX_WIDTH else f"{line[:MAX_WIDTH]}... ({len(line)} characters)" for line in lines]
    return shown if len(shown) <= MAX_LINES else [*shown[:MAX_LINES], f"... and {len(shown) - MAX_LINES} more"]


def _first_difference(recorded: bytes, wanted: bytes) -> str:
    pairs = enumerate(zip(recorded, wanted, strict=False))
    at = next((offset for offset, (one, other) in pairs if one != other), min(len(recorded), len(wanted)))
    around = slice(max(0, at - 20), at + 20)
    return (
        f"differs from byte {at} on: recorded {recorded[around]!r} of {len(recorded)} bytes, "
        f"asked {wanted[around]!r} of {len(wanted)}"
    )


def _leaves(request: Asked) -> Iterator[tuple[str, str]]:
    yield from request.query
    if request.json is None:
        yield ("", request.body.decode("utf-8", "replace"))
        return
    waiting: list[tuple[str, Any]] = [("$", json.loads(request.json))]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(f"{path}.{key}", item) for key, item in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{path}[{index}]", item) for index, item in enumerate(value)]
        else:
            yield (path, repr(value))


def _canonical_json(body: bytes) -> str | None:
    try:
        return canonical(json.loads(body))
    except (ValueError, RecursionError):
        return None


def _is_credential(name: str) -> bool:
    return name.lower() in _CREDENTIALS_IN_QUERY or name.lower().startswith("x-amz-")


def _redacted(data: bytes, secrets: Iterable[bytes]) -> bytes:
    return redact_bytes(data, secrets)[0]
