"""The shapes of secrets, and the last look at a cassette before it is written.

What :mod:`harness.record.redaction` finds it overwrites. This scan looks where overwriting does not reach: behind content
codings, base64, percent and JSON escapes, in a text that a model spells over several deltas, and at long random tokens of
no known shape. What it finds it does not mend: the cassette is refused, with the place and the kind, never the value.

Entropy: a token of :data:`MIN_TOKEN` characters or more, with small and capital letters and digits close together, is
taken for a secret from :data:`MIN_ENTROPY` bits a character on (Shannon, over the token's own characters; 32 random ones
of base 62 have 4.6 on average, and less than this in 4 of 1,000). Not looked at are the values of JSON keys that hold
random text by nature (:data:`RANDOM_KEYS`: ids, signatures, encrypted reasoning, padding), files in base64, and addresses
in a body, whose credentials have names. Hexadecimal keys look like hashes and are found by the name before them alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import re
import zlib
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from harness.coding import CodingError, codings, decode_chunks
from harness.record.spelled import Piece, Spelled, by_key, by_place, pieces_in
from harness.record.wire import RecordError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.cassette import Cassette, Headers, Interaction

MIN_TOKEN = 32
MIN_ENTROPY = 4.1
MIN_SECRET = 8
"""Bytes of a secret in use: shorter ones are words, and would be found in ordinary text."""
MIN_NAMED = 24
"""Bytes of a value that may be called by its digest: those of shorter ones could be guessed from it."""
DIGEST_LENGTH = 12
"""Hexadecimal digits of a SHA-256 that name a value."""
MAX_NESTING = 3
"""Wrappings (base64, gzip without a header) that are taken off one after the other."""

MIN_LEFT = 6
"""Bytes of a secret that are worth something to whoever finds them without the rest."""

_FILLER = b"REDACTED"
_PART = rb"R(?:E(?:D(?:A(?:C(?:TE?)?)?)?)?)?"
_OVERWRITTEN = re.compile(rb"(?:REDACTED)+(?:" + _PART + rb")?|\A" + _PART + rb"\Z")
_NAMES = (
    rb"[\w-]{0,40}?(?:api[_-]?key|access[_-]?key|secret[_-]?(?:access[_-]?)?key|(?:access|auth|refresh|session|id|security)"
    rb"[_-]?token|client[_-]?secret|private[_-]?key|subscription[_-]key|password|passwd|passphrase|authorization|credential|"
    rb"cookie)"
)
"""JSON keys whose text is a credential; ``token`` alone is what log probabilities are of."""
_VALUE = rb"(?![A-Za-z ]*[\"'\\])"
"""A value of letters alone is a word: of passwords such as tools in examples take."""


def _shape(pattern: bytes, flags: int = 0) -> re.Pattern[bytes]:
    return re.compile(pattern, flags)


PATTERNS: tuple[tuple[str, str, re.Pattern[bytes]], ...] = (
    # Kind, where its shape is known from, and (what may stay to show the kind)(what must go).
    (
        "private-key",
        "RFC 7468, 10",
        _shape(rb"(-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----)([A-Za-z0-9+/=\\ :,\r\n]{16,})"),
    ),
    ("jwt", "RFC 7519, 3; RFC 7515, 7.1", _shape(rb"((?<![\w-])eyJ)([\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,})")),
    (
        "api-key",
        "keys of OpenAI, Anthropic (sk-ant-), OpenRouter (sk-or-), DeepSeek as their consoles show them",
        _shape(rb"(\bsk-(?:ant-|proj-|svcacct-|admin-|or-)?+)([A-Za-z0-9_-]{16,})"),
    ),
    ("api-key", "Google Cloud, API keys", _shape(rb"(\bAIza)([A-Za-z0-9_-]{35})")),
    ("oauth-token", "Google OAuth 2.0 access tokens", _shape(rb"(\bya29\.)([A-Za-z0-9._-]{20,})")),
    ("client-secret", "Google OAuth 2.0 client secrets", _shape(rb"(\bGOCSPX-)([A-Za-z0-9_-]{20,})")),
    (
        "api-key",
        "xAI, Groq, Hugging Face, Replicate, Cerebras, Perplexity, NVIDIA, Together, Fireworks",
        _shape(rb"(\b(?:gsk_|xai-|hf_|r8_|csk-|pplx-|nvapi-|tgp_v1_|fw_))([A-Za-z0-9_-]{20,})"),
    ),
    ("access-key-id", "AWS IAM, unique identifiers", _shape(rb"(\bA(?:KI|SI|BI|CC)A)([A-Z0-9]{16})\b")),
    ("api-key", "Amazon Bedrock, API keys", _shape(rb"(\b(?:ABSK|bedrock-api-key-))([A-Za-z0-9+/=]{32,})")),
    ("api-key", "Azure, keys that say whose they are", _shape(rb"()(\b[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{26})")),
    ("token", "GitHub, token formats", _shape(rb"(\bgh[pousr]_)([A-Za-z0-9]{36,})")),
    ("token", "GitHub, fine-grained tokens", _shape(rb"(\bgithub_pat_)(\w{30,})")),
    ("token", "GitLab, token prefixes", _shape(rb"(\bgl(?:pat|dt|rt|cbt)-)([A-Za-z0-9_-]{20,})")),
    ("token", "Slack, token types", _shape(rb"(\bxox[abeoprs]-)([A-Za-z0-9-]{20,})")),
    (
        "token",
        "Stripe (live, restricted), Databricks, npm",
        _shape(rb"(\b(?:[sr]k_live_|dapi|npm_))([A-Za-z0-9]{24,})"),
    ),
    ("bearer-token", "RFC 6750, 2.1", _shape(rb"(\bBearer )([A-Za-z0-9._~+/=-]{16,})", re.IGNORECASE)),
    ("basic-credentials", "RFC 7617, 2", _shape(rb"(\bBasic )([A-Za-z0-9+/]{16,}={0,2})")),
    (
        "password-in-url",
        "RFC 3986, 3.2.1",
        _shape(rb"(://)([^\s/?#@:\"'\\<>]{0,64}:[^\s/?#@\"'\\<>]{3,256})(?=@[A-Za-z0-9])"),
    ),
    (
        "secret-in-query",
        "the providers' API references; AWS and Google signed addresses",
        _shape(
            rb"([?&](?:(?:api|subscription)[-_]?key|key|token|access_token|client_secret|password|sig|signature"
            rb"|x-(?:amz|goog)-(?:signature|credential|security-token))=)([^&#\s\"'\\<>]{8,})",
            re.IGNORECASE,
        ),
    ),
    (
        "named-secret",
        "the value of a JSON key that names a credential",
        _shape(rb'("' + _NAMES + rb'"\s*:\s*")' + _VALUE + rb'((?:[^"\\]|\\.){8,})(?=")', re.IGNORECASE),
    ),
    (
        "named-secret",
        "the same in JSON inside a string, or as Python prints it",
        _shape(
            rb"((?P<q>\\+\"|')" + _NAMES + rb"(?P=q)\s*:\s*(?P=q))" + _VALUE + rb"([^\"'\\]{8,})(?=(?P=q))",
            re.IGNORECASE,
        ),
    ),
    (
        "named-secret",
        "environment variables",
        _shape(
            rb"(\b[A-Z0-9_]{0,40}(?:API_?KEY|ACCESS_KEY|SECRET|_TOKEN|PASSWORD)[A-Z0-9_]{0,20} ?= ?)([^\s\"'\\&;,]{8,})"
        ),
    ),
)
UNFINISHED = re.compile(
    rb"(\b(?:sk-(?:ant-|proj-|svcacct-|admin-|or-)?+|AIza|ya29\.|GOCSPX-|gsk_|xai-|hf_|r8_|csk-|pplx-|nvapi-|tgp_v1_|fw_"
    rb"|A(?:KI|SI|BI|CC)A|ABSK|bedrock-api-key-|gh[pousr]_|github_pat_|gl(?:pat|dt|rt|cbt)-|xox[abeoprs]-|[sr]k_live_|dapi"
    rb"|npm_|eyJ[\w-]{8,}\.eyJ|Bearer |Basic |[A-Z0-9_]{0,40}(?:API_?KEY|ACCESS_KEY|SECRET|_TOKEN|PASSWORD)[A-Z0-9_]{0,20}"
    rb' ?= ?)|"' + _NAMES + rb'"\s*:\s*")' + _VALUE + rb"(?!REDACT)((?:[\w~+/=-]|\.(?=\w)){6,})(?=\.?\Z)"
)
"""What a body that was cut has of a secret: too little to look like one by :data:`PATTERNS`."""
RANDOM_KEYS = re.compile(
    rb"(?:(?:.*[_.-])?(?:ids?|index|signature)|.*[a-z\d](?:Ids?|IDs?|Index|Signature)|encrypted\w*|redacted\w*|data|bytes|b64_json|partial_image_b64|p"
    rb"|obfuscation|system_fingerprint|fingerprint|etag|sha\d*|hash|nonce|container|file|cursor|next_page\w*|continuation\w*)"
)
"""JSON keys whose text is random and no credential, as the providers' API references describe them. ``id`` is a word of a name
here (``call_id``, ``callId``), not its end (``paid``)."""

_TOKEN = re.compile(rb"[A-Za-z0-9_+/=-]{%d,}" % MIN_TOKEN)
_RUN = re.compile(rb"[A-Za-z0-9+=]{12,}")
_MIXED = tuple(map(re.compile, (rb"[a-z]", rb"[A-Z]", rb"\d")))
"""What a random token holds in one run: words joined by dashes and the names in a path do not."""
_FILES = (b"iVBORw0KGgo", b"/9j/", b"R0lGOD", b"UklGR", b"SUQz", b"JVBERi0")
"""How PNG, JPEG, GIF, RIFF (WebP, WAV), MP3 and PDF begin in base64."""
_KEY_BEFORE = re.compile(rb'"([\w.-]{1,60})\\*"\s*:\s*\[?\s*\\*\Z')
_BASE64 = re.compile(rb"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{20,}={0,2}")


@dataclass(frozen=True, slots=True)
class Finding:
    """A kind of secret, and the offset in bytes of where it starts in what was looked at.

    ``digest`` names the value without saying it, so that a person can say that it is no secret; empty where that would
    say too much, or where it certainly is one.
    """

    kind: str
    offset: int
    digest: str = field(default="", compare=False)


def fill(length: int) -> bytes:
    """What secrets are overwritten with: ``length`` bytes of ASCII that need no escape in JSON, YAML or an address."""
    return (_FILLER * (length // len(_FILLER) + 1))[:length]


def find(data: bytes, secrets: Iterable[bytes] = (), *, nesting: int = MAX_NESTING) -> Iterator[Finding]:
    """What in ``data`` looks like a secret, or is one of ``secrets``; offsets into ``data``."""
    secrets = tuple(secret for secret in secrets if len(secret) >= MIN_SECRET)
    yield from _shaped(data, secrets)
    if nesting == MAX_NESTING:  # what is inside base64 is often random, and was looked at as base64
        yield from _random(data)
    for spelled in _texts(data):
        for found in _shaped(spelled.text, secrets):
            yield replace(found, kind=f"{found.kind} (spelled in JSON)", offset=spelled.offset(found.offset))
    if b"%" in data:
        for found in _shaped(unquote_to_bytes(data), secrets):
            yield replace(found, kind=f"{found.kind} (percent-encoded)", offset=0)
    if nesting:
        for wrapping, offset, inner in _unwrapped(data):
            for found in find(inner, secrets, nesting=nesting - 1):
                yield replace(found, kind=f"{found.kind} (inside {wrapping})", offset=offset)


def refuse_secrets(
    cassette: Cassette, name: str, secrets: Iterable[str] = (), *, accepted: Iterable[str] = ()
) -> Cassette:
    """The cassette itself, if nothing in it looks like a secret.

    ``accepted`` are beginnings of digests (:attr:`Finding.digest`) of what a person has said is none; a secret in use
    stays one whatever they say.

    Raises:
        RecordError: something does, or an encoded body cannot be decoded: where and what, never the value.
    """
    used, known = tuple(secret.encode() for secret in secrets), tuple(accepted)
    recorded = cassette.recorded
    for what in ("scenario", "provider", "model"):
        _refuse(f"recorded.{what}", getattr(recorded, what).encode(), used, known, name)
    for number, interaction in enumerate(cassette.interactions):
        for where, data in _parts(interaction, name):
            _refuse(f"interactions[{number}].{where}", data, used, known, name)
    return cassette


def decoded(body: bytes, headers: Headers, where: str) -> bytes:
    """A body without its content codings (RecordError: it cannot be decoded, so nobody can say what is in it)."""
    if not (applied := codings(headers)):
        return body
    try:
        (clear,) = decode_chunks([body], applied)
    except CodingError as error:
        raise RecordError(f"{where} {error}, so nobody can say what is in it") from error
    return clear


def _parts(interaction: Interaction, name: str) -> Iterator[tuple[str, bytes]]:
    yield "request.method", interaction.method.encode()
    uri = interaction.uri.encode("utf-8", "surrogateescape")
    scheme, mark, rest = uri.partition(b"://")
    yield "request.uri", uri
    yield "request.uri", scheme + b" " * len(mark) + rest.replace(b"/", b" ")  # a path is many tokens, each for itself
    yield "response.status.message", interaction.reason.encode("utf-8", "surrogateescape")
    for side, headers, body in (
        ("request", interaction.request_headers, interaction.request_body or b""),
        ("response", interaction.response_headers, interaction.body),
    ):
        for header, value in headers:
            yield f"{side}.headers.{header}", f"{header}: {value}".encode("utf-8", "surrogateescape")
        coding = ", ".join(codings(headers))
        clear = decoded(body, headers, f"{name}: the {side} body")
        yield f"{side}.body" + (f" (without its {coding})" if coding else ""), clear


def _refuse(where: str, data: bytes, secrets: tuple[bytes, ...], accepted: tuple[str, ...], name: str) -> None:
    for found in find(data, secrets):
        if found.digest and found.digest.startswith(accepted):
            continue
        hint = "nothing was written: keep it out of the exchange, or name it in `secrets`, which masks it"
        if found.digest:
            hint += f"; if it is no secret, say so: `streamparity record --not-secret {found.digest}`"
        raise RecordError(f"{name}: {where}, byte {found.offset}: looks like a secret: {found.kind}; {hint}")


def _shaped(data: bytes, secrets: tuple[bytes, ...]) -> Iterator[Finding]:
    for secret in secrets:
        if (at := data.find(secret)) >= 0 and secret != fill(len(secret)):
            yield Finding("secret-in-use", at)
    for kind, _, pattern in PATTERNS:
        for match in pattern.finditer(data):
            secret = match[match.lastindex or 0]
            left = _OVERWRITTEN.sub(b"", secret)
            if left == secret or len(left) >= MIN_LEFT:  # less is text that happens to follow
                yield Finding(kind, match.start(match.lastindex or 0), _digest(secret))


def _random(data: bytes) -> Iterator[Finding]:
    for match in _TOKEN.finditer(data):
        token = match[0]
        if token.startswith(_FILES) or not any(all(kind.search(run) for kind in _MIXED) for run in _RUN.findall(token)):
            continue
        counts = Counter(token).values()
        entropy = -sum(count / len(token) * math.log2(count / len(token)) for count in counts)
        if entropy >= MIN_ENTROPY and not _may_be_random(data, match.start()):
            kind = f"random token of {len(token)} characters, {entropy:.1f} bits each"
            yield Finding(kind, match.start(), _digest(token))


def _digest(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()[:DIGEST_LENGTH] if len(value) >= MIN_NAMED else ""


def _may_be_random(data: bytes, start: int) -> bool:
    before = data[max(0, start - 512) : start]
    if before.endswith(b"base64,") or re.search(rb"://[^\s\"'<>]*\Z", before):
        return True
    quote = before.rfind(b'"')
    key = _KEY_BEFORE.search(before[:quote]) if quote >= 0 else None
    return key is not None and RANDOM_KEYS.fullmatch(key[1]) is not None


def _texts(data: bytes) -> Iterator[Spelled]:
    """What each JSON key says over all events, and over those of one of several texts that are told side by side."""
    pieces = list(_pieces(data, MAX_NESTING))
    yield from map(Spelled.of, [*by_key(pieces), *by_place(pieces)])


def _pieces(data: bytes, nesting: int) -> Iterator[Piece]:
    for piece in pieces_in(data):
        if piece.key == b"bytes" and nesting and (inner := _from_base64(piece.value)) is not None:
            # How Bedrock wraps its events.
            yield from (replace(one, start=piece.start, end=piece.end) for one in _pieces(inner, nesting - 1))
            continue
        yield piece


def _unwrapped(data: bytes) -> Iterator[tuple[str, int, bytes]]:
    for match in _BASE64.finditer(data):
        if (inner := _from_base64(match[0])) is not None and _is_text(inner):
            yield "base64", match.start(), inner
    if data.startswith(b"\x1f\x8b"):  # RFC 1952, 2.3.1: what a header should have said
        try:
            yield "gzip", 0, zlib.decompressobj(31).decompress(data, 64 * 1024 * 1024)
        except zlib.error:
            return


def _from_base64(text: bytes) -> bytes | None:
    standard = text.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return base64.b64decode(standard + b"=" * (-len(standard) % 4), validate=True)
    except binascii.Error:
        return None


def _is_text(data: bytes) -> bool:
    try:
        return data.decode().isprintable() or not re.search(rb"[\x00-\x08\x0e-\x1f\x7f]", data)
    except UnicodeDecodeError:
        return data.startswith(b"\x1f\x8b")
