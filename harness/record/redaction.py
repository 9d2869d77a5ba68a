"""What is taken out of a recording before anyone else sees it.

Headers are kept by an allow-list: a header nobody thought of is dropped, and the report names it. Bodies and addresses
are searched for kinds of secret and for the secrets in use; what is found is overwritten by as many bytes as it had, so
chunk boundaries and byte offsets stay true. A secret that a model spells over several deltas has other bytes between
its letters and is not found: read a recording before you publish it.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.cassette import Redaction

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.cassette import Headers
    from harness.record.transport import Recording

KEPT_REQUEST_HEADERS = frozenset(
    {"accept", "accept-encoding", "anthropic-beta", "anthropic-version", "content-type", "openai-beta", "user-agent"}
)
KEPT_RESPONSE_HEADERS = frozenset(
    {
        "cache-control",
        "content-encoding",
        "content-type",
        "date",
        "openai-processing-ms",
        "openai-version",
        "retry-after",
        "retry-after-ms",
        "server",
        "transfer-encoding",
        "x-should-retry",
    }
)
_PLUMBING = frozenset({"connection", "content-length", "host", "keep-alive"})
"""Say nothing about anyone and nothing a replay needs: dropped without being listed."""

_FILLER = b"REDACTED"
_TOKEN = rb"[A-Za-z0-9_-]"
PATTERNS: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    # Each match is (what may stay to show the kind)(what must go).
    ("api-key", re.compile(rb"(\bsk-(?:ant-|proj-|svcacct-|admin-)?)(" + _TOKEN + rb"{16,})")),
    ("api-key", re.compile(rb"(\bAIza)(" + _TOKEN + rb"{35})")),
    ("api-key", re.compile(rb"(\b(?:gsk|xai|hf|r8)[-_])([A-Za-z0-9]{20,})")),
    ("access-key-id", re.compile(rb"(\bA[KS]IA)([A-Z0-9]{16})\b")),
    ("bearer-token", re.compile(rb"(\b[Bb]earer )([A-Za-z0-9._~+/=-]{16,})")),
    ("organization-id", re.compile(rb"(\borg-)([A-Za-z0-9]{16,})")),
    ("project-id", re.compile(rb"(\bproj_)([A-Za-z0-9]{16,})")),
    ("user-id", re.compile(rb"(\buser-)([A-Za-z0-9]{20,})")),
)
_EMAIL = re.compile(rb"[A-Za-z0-9._%+-]+@((?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,})")
_EXAMPLE_DOMAIN = re.compile(rb"(?:^|\.)(?:example\.(?:com|org|net)|(?:example|invalid|test|localhost))$")
"""Domains nobody can own (RFC 2606)."""
_QUERY_SECRET = re.compile(r"([?&](?:api[-_]?key|key|token|access_token|sig|signature)=)([^&#]+)", re.IGNORECASE)


def redact_bytes(data: bytes, secrets: Iterable[bytes] = ()) -> tuple[bytes, Counter[str]]:
    """Overwrite secrets and personal data; the result has the length of ``data``. Also how many of which kind."""
    found: Counter[str] = Counter()
    for secret in secrets:
        if len(secret) >= 8 and secret in data:  # shorter ones are words, and would eat ordinary text
            found["secret-in-use"] += data.count(secret)
            data = data.replace(secret, _fill(len(secret)))

    for kind, pattern in PATTERNS:

        def mask(match: re.Match[bytes], kind: str = kind) -> bytes:
            if match[2] == _fill(len(match[2])):
                return match[0]
            found[kind] += 1
            return match[1] + _fill(len(match[2]))

        data = pattern.sub(mask, data)

    def mask_email(match: re.Match[bytes]) -> bytes:
        masked = re.sub(rb"[A-Za-z0-9]", b"x", match[0])
        if masked == match[0] or _EXAMPLE_DOMAIN.search(match[1]):
            return match[0]
        found["email"] += 1
        return masked

    return _EMAIL.sub(mask_email, data), found


def redact(recording: Recording, secrets: Iterable[str] = ()) -> tuple[Recording, tuple[Redaction, ...]]:
    """A copy of the recording that may be shared, and the list of what was done to it."""
    used = tuple(secret.encode() for secret in secrets)
    done: list[Redaction] = []

    def note(where: str, found: Counter[str]) -> None:
        done.extend(Redaction(where, f"{kind}, same length", count) for kind, count in sorted(found.items()))

    url, count = _QUERY_SECRET.subn(lambda match: match[1] + _fill(len(match[2])).decode(), recording.url)
    if count:
        note("request.uri", Counter({"secret-in-query": count}))
    masked_url, found = redact_bytes(url.encode(), used)
    note("request.uri", found)
    request_headers = _headers(recording.request_headers, KEPT_REQUEST_HEADERS, "request.headers", done)
    request_body, found = redact_bytes(recording.request_body, used)
    note("request.body", found)
    response_headers = _headers(recording.response_headers, KEPT_RESPONSE_HEADERS, "response.headers", done)
    body, found = redact_bytes(recording.body, used)
    note("response.body", found)
    shared = replace(
        recording,
        url=masked_url.decode(),
        request_headers=request_headers,
        request_body=request_body,
        response_headers=response_headers,
        body=body,
    )
    return shared, tuple(done)


def _headers(headers: Headers, kept: frozenset[str], where: str, done: list[Redaction]) -> Headers:
    dropped = Counter(name.lower() for name, _ in headers if name.lower() not in kept | _PLUMBING)
    done.extend(Redaction(where, f"{name} dropped", count) for name, count in sorted(dropped.items()))
    return tuple((name.lower(), value) for name, value in headers if name.lower() in kept)


def _fill(length: int) -> bytes:
    return (_FILLER * (length // len(_FILLER) + 1))[:length]
