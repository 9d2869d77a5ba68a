"""What is taken out of a recording before anyone else sees it.

Headers are kept by an allow-list: a header nobody thought of is dropped, and the report names it. Bodies, addresses and
the values of the headers that stay are searched for the shapes of secrets (:mod:`harness.record.secrets`), for the
secrets in use, and for what says who asked (:data:`PERSONAL_KEYS`, :data:`PERSONAL_SHAPES`). What is found is overwritten
by as many bytes as it had, so chunk boundaries and byte offsets stay true. The checksums of AWS event streams, and the
base64 in which Bedrock wraps events, are made anew around it.

An encoded body cannot be overwritten where it stands: the same text compressed again has another length, and its chunks
would be made up. If something is found in one, the body is kept decoded, its ``content-encoding`` dropped, its chunks
what each encoded chunk yielded when it came; which is what a case is made of in any case, so nothing else changes. If
nothing is found, it stays as it came.

What a model spells over several deltas (:mod:`harness.record.spelled`) is overwritten in each of them. So is what a body
that was cut has of a secret. Names in JSON inside a string (the arguments of a tool) are not looked at for personal data,
and of personal data in deltas only e-mail addresses and ids of known shape are found. Read a recording before you publish
it.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import re
import struct
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote
from zlib import crc32

from harness.cassette import Redaction
from harness.coding import codings, decoded_stream
from harness.record.secrets import MIN_LEFT, MIN_SECRET, PATTERNS, UNFINISHED, decoded, fill, find
from harness.record.spelled import Spelled, by_key, by_place, pieces_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harness.cassette import Headers
    from harness.record.transport import Recording

KEPT_REQUEST_HEADERS = frozenset(
    {
        "accept",
        "accept-encoding",
        "anthropic-beta",
        "anthropic-version",
        "content-encoding",
        "content-type",
        "openai-beta",
        "user-agent",
    }
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

PERSONAL_KEYS: tuple[tuple[str, bytes], ...] = (
    # Kind, and the JSON keys that hold it, as the providers' API references and error bodies name them.
    ("organization-id", rb"organi[sz]ation(?:_?id)?|org_?id|tenant_?id|workspace_?id"),
    ("project-id", rb"project_?id|project_number|consumer"),
    ("account-id", rb"(?:aws_?)?account(?:_?(?:id|number|name))?|customer_?id|subscription_?id|billing_account"),
    ("user-id", rb"user|user_?(?:id|name)|end_user_?(?:id)?|safety_identifier"),
    ("email", rb"e-?mail(?:_?address)?"),
)
PERSONAL_SHAPES: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    # Each match is (what may stay to show the kind)(what must go).
    ("organization-id", re.compile(rb"(\borg-)([A-Za-z0-9]{16,})")),
    (
        "organization-id",
        re.compile(rb"(://)([a-z0-9][a-z0-9-]*)(?=\.(?:openai|services\.ai|cognitiveservices)\.azure\.com)"),
    ),
    ("project-id", re.compile(rb"(\bproj_)([A-Za-z0-9]{16,})")),
    ("project-id", re.compile(rb"(\bprojects/)(?!example/)([A-Za-z0-9][A-Za-z0-9:.-]{4,62})(?=/locations/)")),
    ("user-id", re.compile(rb"(\buser[-_])([A-Za-z0-9]{20,})")),
    ("account-id", re.compile(rb"(\barn:aws[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:)(\d{12})(?=:)")),
    ("account-id", re.compile(rb"(\barn%3[Aa]aws[a-z-]*%3[Aa][a-z0-9-]*%3[Aa][a-z0-9-]*%3[Aa])(\d{12})(?=%3[Aa])")),
    ("account-id", re.compile(rb"(/accounts/)([0-9a-f]{32})\b")),
    ("account-id", re.compile(rb"(/subscriptions/)([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b")),
)
_KEYED = tuple(
    (kind, re.compile(rb'("(?:' + keys + rb')"\s*:\s*")((?:[^"\\]|\\.)+)(?=")', re.IGNORECASE))
    for kind, keys in PERSONAL_KEYS
)
_KEYED_NUMBERS = tuple(
    (kind, re.compile(rb'("(?:' + keys + rb')"\s*:\s*)(\d{6,})\b(?![.eE])', re.IGNORECASE))
    for kind, keys in PERSONAL_KEYS
)
_EMAIL = re.compile(rb"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]+@((?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,})")
_EXAMPLE_DOMAIN = re.compile(rb"(?:^|\.)(?:example\.(?:com|org|net)|(?:example|invalid|test|localhost))$")
"""Domains nobody can own (RFC 2606)."""
_QUERY_SECRET = re.compile(r"([?&](?:api[-_]?key|key|token|access_token|sig|signature)=)([^&#]+)", re.IGNORECASE)
_GOES_ON = re.compile(
    rb"content|text|delta|arguments|partial_json|thinking|reasoning\w*|completion|response|refusal|input|summary|message"
    rb"|generation|outputText"
)
"""JSON keys whose text goes on in the next event: behind any other's, what follows is another value."""
_SCHEMES = (b"Basic ", b"Bearer ")
_WRAPPED = re.compile(rb'("bytes"\s*:\s*")([A-Za-z0-9+/]{8,}={0,2})(?="|\Z)')
"""Events of Bedrock's InvokeModelWithResponseStream, in its API reference ``PayloadPart``."""


def redact_bytes(data: bytes, secrets: Iterable[bytes] = ()) -> tuple[bytes, Counter[str]]:
    """Overwrite secrets and personal data; the result has the length of ``data``. Also how many of which kind."""
    # Shorter secrets are words, and would eat ordinary text.
    secrets = tuple(secret for secret in secrets if len(secret) >= MIN_SECRET)
    used = tuple(sorted({form for secret in secrets for form in _forms(secret)}, key=lambda form: (-len(form), form)))
    found: Counter[str] = Counter()
    data = _in_wrappings(data, secrets, found)
    data = _spelled(data, used, found)
    data = _credentials(data, used, found)
    data = _persons(data, found)
    for kind, pattern in _KEYED:
        data = _overwritten(data, kind, pattern, found)
    for kind, pattern in _KEYED_NUMBERS:
        data = _overwritten(data, kind, pattern, found, _digits)
    return _overwritten(data, "unfinished-key", UNFINISHED, found), found


def _credentials(data: bytes, used: tuple[bytes, ...], found: Counter[str]) -> bytes:
    """``data`` without the secrets in use, without what a text that breaks off has of them, and without known shapes."""
    for form in used:
        if form in data and form != fill(len(form)):
            found["secret-in-use"] += data.count(form)
            data = data.replace(form, fill(len(form)))
    for kind, _, pattern in PATTERNS:
        data = _overwritten(data, kind, pattern, found)
    for form in used:
        if form[:MIN_LEFT] in data and not form.startswith((fill(MIN_LEFT), *_SCHEMES)):
            data = _without_beginnings(data, form, found)
    return data


def _persons(data: bytes, found: Counter[str]) -> bytes:
    """``data`` without addresses and ids that say who asked."""

    def mask_email(match: re.Match[bytes]) -> bytes:
        masked = re.sub(rb"[A-Za-z0-9]", b"x", match[0])
        if masked == match[0] or _EXAMPLE_DOMAIN.search(match[1]):
            return match[0]
        found["email"] += 1
        return masked

    data = _EMAIL.sub(mask_email, data)
    for kind, pattern in PERSONAL_SHAPES:
        data = _overwritten(data, kind, pattern, found, _digits if rb"\d{12}" in pattern.pattern else fill)
    return data


def _overwritten(
    data: bytes, kind: str, pattern: re.Pattern[bytes], found: Counter[str], text: Callable[[int], bytes] = fill
) -> bytes:
    def mask(match: re.Match[bytes]) -> bytes:
        last = match.lastindex or 0
        kept, masked = match[0][: match.start(last) - match.start()], text(len(match[last]))
        if match[last] == masked or (kind == "email" and _is_example(match[last])):
            return match[0]
        found[kind] += 1
        return kept + masked

    return pattern.sub(mask, data)


def _spelled(data: bytes, used: tuple[bytes, ...], found: Counter[str]) -> bytes:
    """``data`` without what its texts spell, each over all its events."""
    begun: dict[bytes, bytes] = {}
    for belong in (by_place, by_key):  # what is told side by side makes no sense mixed
        out = bytearray(data)
        for pieces in belong(pieces_in(data)):
            if len(pieces) == 1 and not pieces[0].escaped:
                continue  # stands as it is, and is found so
            whole = Spelled.of(pieces)
            text = _credentials(whole.text, used, found)
            if _GOES_ON.fullmatch(pieces[0].key):
                text = _persons(text, found)
                if broken_off := UNFINISHED.search(text):
                    said, text = broken_off[0], _overwritten(text, "unfinished-key", UNFINISHED, found)
                    begun[said] = text[broken_off.start() :]
            if text != whole.text:
                whole.write(text, out)
        data = bytes(out)
    for said, masked in begun.items():  # an event that repeats the text has as much of it
        data = data.replace(said, masked)
    return data


def _in_wrappings(data: bytes, secrets: tuple[bytes, ...], found: Counter[str]) -> bytes:
    """``data`` with what is to go overwritten in the base64 that wraps events, in all events together."""
    wrapped = []
    for match in _WRAPPED.finditer(data):
        with contextlib.suppress(binascii.Error):  # of one that is cut, what four letters hold
            whole = match[2][: len(match[2]) // 4 * 4]
            wrapped.append((match.start(2), base64.b64decode(whole, validate=True)))
    if not wrapped:
        return data
    told, inside = redact_bytes(b"\n".join(inner for _, inner in wrapped), secrets)
    found.update(inside)
    out, at = bytearray(data), 0
    for start, inner in wrapped:
        new = base64.b64encode(told[at : at + len(inner)])
        out[start : start + len(new)] = new
        at += len(inner) + 1
    return bytes(out) if inside else data


def _without_beginnings(data: bytes, form: bytes, found: Counter[str]) -> bytes:
    """``data`` without what texts that break off have of a secret."""
    at = data.find(form[:MIN_LEFT])
    while at >= 0:
        end = at + next(n for n in range(len(form), 0, -1) if data.startswith(form[:n], at))
        if data[end : end + 1] in (b"", b'"', b"\\", b"\r", b"\n"):
            found["secret-in-use"] += 1
            data = data[:at] + fill(end - at) + data[end:]
        at = data.find(form[:MIN_LEFT], end)
    return data


def redact_text(text: str, secrets: Iterable[str] = ()) -> str:
    """The same for a text."""
    used = [secret.encode() for secret in secrets]
    return redact_bytes(text.encode("utf-8", "surrogateescape"), used)[0].decode("utf-8", "surrogateescape")


def shown_address(url: str, secrets: Iterable[str] = ()) -> str:
    """An address as it may be said in a message: without its query, and without a path that looks like a secret."""
    address = redact_text(url.partition("?")[0], secrets)
    scheme, _, rest = address.partition("://")
    return (
        address
        if next(find(rest.replace("/", " ").encode()), None) is None
        else f"{scheme}://{rest.partition('/')[0]}/..."
    )


def redact(recording: Recording, secrets: Iterable[str] = ()) -> tuple[Recording, tuple[Redaction, ...]]:
    """A copy of the recording that may be shared, and the list of what was done to it.

    Raises:
        RecordError: an encoded body cannot be decoded, so that nobody can say what is in it.
    """
    used = tuple(secret.encode() for secret in secrets)
    done: list[Redaction] = []

    def note(where: str, found: Counter[str]) -> None:
        done.extend(Redaction(where, f"{kind}, same length", count) for kind, count in sorted(found.items()))

    def clean(where: str, text: str) -> str:
        masked, found = redact_bytes(text.encode("utf-8", "surrogateescape"), used)
        note(where, found)
        return masked.decode("utf-8", "surrogateescape")

    def clear(where: str, body: bytes, headers: Headers) -> tuple[bytes, bool]:
        # The body as it may be kept, and whether its codings had to be undone.
        applied = codings(headers)
        plain = decoded(body, headers, f"the {where.replace('.', ' ')}")
        masked, found = _redact_body(plain, headers, used)
        note(where, found)
        if applied and found:
            done.append(Redaction(where, f"{', '.join(applied)} undone, to overwrite what is inside", 1))
        return (masked, bool(applied)) if found else (body, False)

    url, count = _QUERY_SECRET.subn(lambda match: match[1] + fill(len(match[2])).decode(), recording.url)
    if count:
        note("request.uri", Counter({"secret-in-query": count}))
    url = clean("request.uri", url)
    request_headers = _headers(recording.request_headers, KEPT_REQUEST_HEADERS, "request.headers", done)
    request_headers = tuple((name, clean("request.headers", value)) for name, value in request_headers)
    request_body, undone = clear("request.body", recording.request_body, request_headers)
    if undone:
        request_headers = _without_coding(request_headers)
    response_headers = _headers(recording.response_headers, KEPT_RESPONSE_HEADERS, "response.headers", done)
    response_headers = tuple((name, clean("response.headers", value)) for name, value in response_headers)
    reason = clean("response.status", recording.reason)
    body, undone = clear("response.body", recording.body, response_headers)
    chunks, at_ms = recording.chunks, recording.at_ms
    if undone:
        _, chunks, at_ms = decoded_stream(recording.body, chunks, at_ms, codings(response_headers))
        response_headers = _without_coding(response_headers)
    shared = replace(
        recording,
        url=url,
        request_headers=request_headers,
        request_body=request_body,
        reason=reason,
        response_headers=response_headers,
        body=body,
        chunks=chunks,
        at_ms=at_ms,
    )
    return shared, tuple(done)


def _redact_body(body: bytes, headers: Headers, secrets: tuple[bytes, ...]) -> tuple[bytes, Counter[str]]:
    kind = next((value for name, value in headers if name.lower() == "content-type"), "")
    if not kind.startswith("application/vnd.amazon.eventstream"):
        return redact_bytes(body, secrets)
    # AWS, "Event stream encoding": lengths of message and headers, their checksum, headers, payload, checksum.
    payloads, at = [], 0
    while len(body) - at >= 16:
        total, headers_length = struct.unpack_from(">II", body, at)
        if total < 16 + headers_length or len(body) - at < total:
            break
        payloads.append((at, at + 12 + headers_length, at + total - 4))
        at += total
    parts = [body[start:end] for _, start, end in payloads]
    told, found = redact_bytes(b"\n".join([*parts, body[at:]]), secrets)
    out, place = bytearray(body), 0
    for (start, after_headers, end), part in zip(payloads, parts, strict=True):
        new = told[place : place + len(part)]
        place += len(part) + 1
        if new != part:
            was_true = struct.pack(">I", crc32(body[start:end])) == body[end : end + 4]
            out[after_headers:end] = new
            if was_true:
                out[end : end + 4] = struct.pack(">I", crc32(out[start:end]))
    out[at:] = told[place:]
    return bytes(out), found


def _forms(secret: bytes) -> set[bytes]:
    """How a secret may stand in a body or an address: as it is, in JSON, percent-encoded, in base64."""
    text = secret.decode("utf-8", "replace")
    return {
        secret,
        json.dumps(text)[1:-1].encode(),
        json.dumps(text, ensure_ascii=False)[1:-1].encode(),
        quote(secret, safe="").encode(),
        base64.b64encode(secret),
        base64.urlsafe_b64encode(secret),
    }


def _is_example(address: bytes) -> bool:
    match = _EMAIL.fullmatch(address)
    masked = re.fullmatch(rb"[x._%+@-]+", address) is not None
    return masked or (match is not None and _EXAMPLE_DOMAIN.search(match[1]) is not None)


def _digits(length: int) -> bytes:
    return b"1" * length  # zeros at the start of a number are no JSON


def _headers(headers: Headers, kept: frozenset[str], where: str, done: list[Redaction]) -> Headers:
    dropped = Counter(name.lower() for name, _ in headers if name.lower() not in kept | _PLUMBING)
    done.extend(Redaction(where, f"{name} dropped", count) for name, count in sorted(dropped.items()))
    return tuple((name.lower(), value) for name, value in headers if name.lower() in kept)


def _without_coding(headers: Headers) -> Headers:
    return tuple((name, value) for name, value in headers if name != "content-encoding")
