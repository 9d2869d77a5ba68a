"""From recordings to a cassette: several exchanges collected, redacted, and put into the form that is written."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import threading
from dataclasses import replace
from importlib import metadata
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from harness.cassette import Cassette, Interaction, Recorded, Redaction, Stream
from harness.exits import USAGE, unknown
from harness.record.providers import PROVIDERS
from harness.record.redaction import redact, redact_text
from harness.record.secrets import refuse_secrets
from harness.record.wire import RecordError
from streamcore import DIALECTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.record.transport import Recording

MAX_INTERACTIONS = 64
"""As the schema of cassettes says."""
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_CREDENTIAL_HEADERS = frozenset(
    "api-key authorization cookie ocp-apim-subscription-key proxy-authorization x-amz-security-token x-api-key"
    " x-goog-api-key".split()
)
_CREDENTIAL_FIELDS = frozenset({"access_token", "api-key", "api_key", "apikey", "key", "token", "x-amz-security-token"})
_MODEL_IN_PATH = re.compile(r"/(?:models?|deployments)/([^/:]+)")
_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")


class Kept:
    """Collects the exchanges of one scenario; :meth:`add` is a sink for the recording transports.

    ``provenance`` is where the streams come from (``live``, ``local-model``, ``simulator``, ``public``); ``secrets`` are
    masked wherever they turn up, beside the credentials that the requests themselves carry.

    Raises:
        RecordError: nobody knows the dialect, or the scenario's name cannot be that of a cassette.
    """

    def __init__(
        self, dialect: str, scenario: str, *, provenance: str = "live", model: str = "", secrets: Iterable[str] = ()
    ) -> None:
        if dialect not in DIALECTS:
            raise RecordError(unknown("dialect", dialect, DIALECTS), exit_code=USAGE)
        if not _SLUG.fullmatch(scenario):
            what = f"{scenario!r} cannot be a scenario's name: small letters, digits, '.', '_' and '-', at most 80"
            raise RecordError(what, exit_code=USAGE)
        self.dialect, self.scenario = dialect, scenario
        self._provenance, self._model, self._secrets = provenance, model, tuple(secrets)
        self._recordings: list[Recording] = []
        self._lock = threading.Lock()

    def add(self, recording: Recording) -> None:
        """Take one exchange; from any thread."""
        with self._lock:
            self._recordings.append(recording)

    def cassette(self) -> Cassette:
        """What was recorded, in the order in which it was asked for.

        Raises:
            RecordError: nothing was, or one of the exchanges cannot be kept, or something in it still looks like a secret.
        """
        name = f"{self.dialect}/{self.scenario}"
        with self._lock:
            recordings = sorted(self._recordings, key=lambda recording: recording.at)
        if not recordings:
            raise RecordError(f"{name}: nothing was recorded: no response came through the recording client")
        if len(recordings) > MAX_INTERACTIONS:
            what = (
                f"{len(recordings)} exchanges, and a cassette holds at most {MAX_INTERACTIONS}: record fewer at a time"
            )
            raise RecordError(f"{name}: {what}")
        secrets = {*self._secrets, *(secret for recording in recordings for secret in credentials(recording))}
        interactions, redactions = [], list[Redaction]()
        for recording in recordings:
            interaction, done = kept(recording, name, self._provenance, secrets=secrets)
            interactions.append(interaction)
            redactions.extend(done)
        provider = PROVIDERS.get(self.dialect)
        cassette = Cassette(
            Recorded(
                dialect=self.dialect,
                scenario=self.scenario,
                provider=provider.name if provider else urlsplit(interactions[0].uri).hostname or "unknown",
                model=redact_text(self._model or model_of(recordings[0]), secrets),
                at=recordings[0].at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                by=recorder_name(),
                provenance=self._provenance,
                redactions=summed(redactions),
            ),
            tuple(interactions),
        )
        return refuse_secrets(cassette, name, secrets)


def kept(
    recording: Recording, name: str, provenance: str, *, secrets: Iterable[str] = ()
) -> tuple[Interaction, tuple[Redaction, ...]]:
    """A recording as it may be shared, and what was done to it; ``name`` is what errors call it.

    A loopback address is replaced by a host that cannot exist (RFC 6761, ``.invalid``): its port changes from run to
    run, and a replay that goes wrong must not meet a real server.

    Raises:
        RecordError: the client closed the stream before its end, so the recording says nothing about the peer; or an
            encoded body cannot be decoded, so nobody can say what is in it.
    """
    if recording.closed_by_client:
        raise RecordError(f"{name}: the client closed the stream early: read it to its end to record it")
    redactions: tuple[Redaction, ...] = ()
    parts = urlsplit(recording.url)
    if parts.hostname in _LOOPBACK:
        recording = replace(recording, url=urlunsplit(parts._replace(netloc=f"{provenance}.invalid")))
        redactions = (Redaction("request.uri", f"loopback address named {provenance}.invalid", 1),)
    try:
        shared, done = redact(recording, secrets)
    except RecordError as error:
        raise RecordError(f"{name}: {error}") from error
    interaction = Interaction(
        method=shared.method,
        uri=shared.url,
        request_headers=shared.request_headers,
        request_body=shared.request_body,
        status=shared.status,
        reason=shared.reason,
        response_headers=shared.response_headers,
        body=shared.body,
        stream=Stream(shared.chunks, shared.at_ms, shared.end),
    )
    return interaction, redactions + done


def credentials(recording: Recording) -> set[str]:
    """What a request carries to say who asks, in headers and query: to be masked wherever else it turns up."""
    found = [value for name, value in recording.request_headers if name.lower() in _CREDENTIAL_HEADERS]
    query = parse_qsl(urlsplit(recording.url).query)
    found += [value for name, value in query if name.lower() in _CREDENTIAL_FIELDS]
    words = {word for value in found for word in (value, value.partition(" ")[2]) if word}
    for value in found:
        scheme, _, encoded = value.partition(" ")
        if scheme.lower() == "basic":  # RFC 7617, 2: user, colon, password
            with contextlib.suppress(ValueError):
                pair = base64.b64decode(encoded).decode()
                words |= {word for word in (pair, pair.partition(":")[2]) if word}
        elif "=" in value:  # RFC 6265, 4.2.1: a cookie's name and value
            words |= {pair.partition("=")[2].strip() for pair in value.split(";")} - {""}
    return words


def model_of(recording: Recording) -> str:
    """The model that a request asks for, in its body or in its path; empty if it names none."""
    try:
        asked = json.loads(recording.request_body)
    except (ValueError, RecursionError):
        asked = None
    if isinstance(asked, dict) and isinstance(asked.get("model"), str):
        return str(asked["model"])
    match = _MODEL_IN_PATH.search(urlsplit(recording.url).path)
    return match[1] if match else ""


def recorder_name() -> str:
    """``streamparity 0.1.0``."""
    try:
        return f"streamparity {metadata.version('streamparity')}"
    except metadata.PackageNotFoundError:  # run from a source tree that was not installed
        return "streamparity 0"


def summed(redactions: Iterable[Redaction]) -> tuple[Redaction, ...]:
    """Each place and kind once, with how often in all."""
    counts: dict[tuple[str, str], int] = {}
    for item in redactions:
        counts[item.where, item.what] = counts.get((item.where, item.what), 0) + item.count
    return tuple(Redaction(where, what, count) for (where, what), count in counts.items())
