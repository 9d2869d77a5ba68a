"""Runs an exchange through the recording transport and makes a cassette of it."""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import httpx

from harness.cassette import Cassette, Recorded
from harness.record import local_model
from harness.record.keeping import credentials, kept, recorder_name
from harness.record.provider import FORMS, Form
from harness.record.providers import PROVIDERS
from harness.record.redaction import redact_text, shown_address
from harness.record.secrets import decoded, refuse_secrets
from harness.record.simulator import Answer, Simulator
from harness.record.transport import Recording, RecordingTransport
from harness.record.wire import RecordError, compact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.record.scenarios import Scenario

READ_SECONDS = 60.0
"""Longest silence of a live stream before it counts as timed out."""
STALL_READ_SECONDS = 0.5
"""The same for a scenario that is meant to stall."""

REFUSALS = frozenset({401, 403, 407})
"""What says that the credentials are wrong (RFC 9110, 15.5): a mistake of the caller's, whose answer may quote the key."""

_VERSION = re.compile(r"/v\d[a-z0-9]*(?=/)")
"""Where a path starts with the version of the API, which many people give with its base address."""


def record_simulated(scenario: Scenario) -> Cassette:
    """Record a scenario against the simulator.

    Raises:
        RecordError: the scenario is wrong, or what arrived is not what was sent.
    """
    provider = PROVIDERS[scenario.dialect]
    writes = scenario.writes(scenario.request)
    target = provider.target(scenario.request)
    form = provider.form
    if scenario.content_type:
        form = replace(form, headers=(("content-type", scenario.content_type), *form.headers[1:]))

    def respond(path: str, request: Mapping[str, Any]) -> Answer:
        if path != target:
            raise ValueError(f"no such path {path}")
        writes = scenario.writes({"model": scenario.request["model"], **request})
        return Answer(writes, scenario.end, headers=form.headers, pause_ms=scenario.pause_ms)

    with Simulator(respond) as simulator:
        timeout = STALL_READ_SECONDS if scenario.end == "timeout" else READ_SECONDS
        body = provider.body(scenario.request)
        recording = exchange(
            simulator.address + target, provider.headers(None), body, timeout, form=form, may_be_empty=not writes
        )
    if (
        recording.end != scenario.end
        or recording.chunks != tuple(map(len, writes))
        or recording.body != b"".join(writes)
    ):
        name = f"{scenario.dialect}/{scenario.name}"
        raise RecordError(f"{name}: did not arrive as it was sent (ended {recording.end}, meant {scenario.end})")
    cassette = to_cassette(recording, scenario.dialect, scenario.name, scenario.request["model"], "simulator")
    return replace(cassette, recorded=replace(cassette.recorded, hazard=scenario.hazard))


def record_local(scenario: Scenario, address: str) -> Cassette:
    """Record a scenario against the local model that answers at ``address`` (RecordError)."""
    provider = PROVIDERS[scenario.dialect]
    request = {**scenario.request, "model": local_model.MODEL}
    recording = exchange(address + provider.target(request), provider.headers(None), request, READ_SECONDS)
    return to_cassette(recording, scenario.dialect, scenario.name, local_model.MODEL, "local-model")


def record_live(
    dialect: str,
    name: str,
    url: str,
    request: Mapping[str, Any],
    key: str,
    *,
    secrets: Iterable[str] = (),
    accepted: Iterable[str] = (),
) -> Cassette:
    """Record one request against a live API, or the HTTP error that it answers with.

    ``url`` is the API's base (``https://api.openai.com/v1``, ``https://api.anthropic.com``) or the whole address of its
    endpoint. The key goes into the request alone: wherever else it turns up it is masked, as ``secrets`` are
    (RecordError). ``accepted``: see :func:`harness.record.secrets.refuse_secrets`.
    """
    masked = (key, *secrets)
    provider = PROVIDERS[dialect]
    address, body = endpoint(url, provider.target(request)), {**provider.body(request), **provider.streaming}
    headers = provider.headers(key)
    recording = exchange(address, headers, body, READ_SECONDS, secrets=masked, form=provider.form, keep_errors=True)
    model = str(request.get("model", ""))
    return to_cassette(recording, dialect, name, model, "live", secrets=masked, accepted=accepted)


def endpoint(url: str, path: str) -> str:
    """The address to post to: ``url`` with as much of ``path`` as it does not yet have."""
    parts = urlsplit(url)
    path, _, query = path.partition("?")
    version = match.group() if (match := _VERSION.match(path)) else ""
    base, tail = parts.path.rstrip("/"), path.removeprefix(version)
    if not base.endswith(tail):
        base += tail if version and base.endswith(version) else path
    return urlunsplit(parts._replace(path=base, query=parts.query or query))


def exchange(
    url: str,
    headers: Mapping[str, str],
    request: Mapping[str, Any],
    read_seconds: float,
    secrets: Iterable[str] = (),
    form: Form = FORMS["sse"],
    *,
    may_be_empty: bool = False,
    keep_errors: bool = False,
) -> Recording:
    """Post ``request``, read the stream to its end, however that is, and return what came.

    ``keep_errors``: an HTTP error is an answer too, except one of :data:`REFUSALS`.

    Raises:
        RecordError: nobody answered, or the answer is not a stream of this form in clear.
    """
    taken: list[Recording] = []
    shown = shown_address(url, secrets)
    transport = RecordingTransport(httpx.HTTPTransport(), taken.append)
    sent = {
        "content-type": "application/json",
        "accept": form.content_type,
        "user-agent": "streamparity",
        **headers,
    }
    timeout = httpx.Timeout(READ_SECONDS, read=read_seconds)
    try:
        with (
            httpx.Client(transport=transport, timeout=timeout) as client,
            client.stream("POST", url, headers=sent, content=compact(request).encode()) as response,
            contextlib.suppress(httpx.TransportError),  # how the stream ended is part of the recording
        ):
            for _ in response.iter_raw():
                pass
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise RecordError(f"{shown}: no answer ({error}): check the address and the network") from error
    recording = taken[0]
    kind = dict(recording.response_headers).get("content-type", "")
    coding = dict(recording.response_headers).get("content-encoding", "identity")
    if recording.status != 200:
        if keep_errors and recording.status >= 400 and recording.status not in REFUSALS:
            return recording
        raise RecordError(f"{shown}: {refusal(recording, secrets)}")
    if not kind.startswith(form.content_type):
        raise RecordError(f"{shown}: answered with {kind or 'no content type'}, not {form.noun}: does it stream?")
    if coding != "identity":
        raise RecordError(
            f"{shown}: answered in {coding} although identity was asked for: its bytes would hide the wire"
        )
    if not recording.body and not may_be_empty:
        raise RecordError(f"{shown}: the stream was empty: nothing to keep")
    return recording


def refusal(recording: Recording, secrets: Iterable[str] = ()) -> str:
    """``answered 401 Unauthorized:`` and how the answer begins, in one line and without secrets."""
    used = {*secrets, *credentials(recording)}
    try:
        clear = decoded(recording.body, recording.response_headers, "its body").decode("utf-8", "replace")
    except RecordError:
        clear = ""
    # The whole is masked, then cut: half a secret at the edge would not look like one.
    said = " ".join(redact_text(clear, used).split())[:400]
    return f"answered {recording.status} {recording.reason}: {said}"


def to_cassette(
    recording: Recording,
    dialect: str,
    scenario: str,
    model: str,
    provenance: str,
    *,
    secrets: Iterable[str] = (),
    accepted: Iterable[str] = (),
) -> Cassette:
    """Redact a recording and give it the form of a cassette.

    Raises:
        RecordError: as in :func:`harness.record.keeping.kept`, or something in it still looks like a secret.
    """
    secrets = {*secrets, *credentials(recording)}
    interaction, redactions = kept(recording, f"{dialect}/{scenario}", provenance, secrets=secrets)
    cassette = Cassette(
        recorded=Recorded(
            dialect=dialect,
            scenario=scenario,
            provider="llama.cpp" if provenance == "local-model" else PROVIDERS[dialect].name,
            model=redact_text(model, secrets),
            at=recording.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            by=recorder_name(),
            provenance=provenance,
            redactions=redactions,
        ),
        interactions=(interaction,),
    )
    return refuse_secrets(cassette, f"{dialect}/{scenario}", secrets, accepted=accepted)


def same_stream(one: Cassette, other: Cassette) -> bool:
    """Whether two recordings differ only in when they were made: then the older one is worth keeping."""

    def timeless(cassette: Cassette) -> Cassette:
        interactions = tuple(replace(item, stream=replace(item.stream, at_ms=())) for item in cassette.interactions)
        return Cassette(replace(cassette.recorded, at="", by=""), interactions)

    return timeless(one) == timeless(other)
