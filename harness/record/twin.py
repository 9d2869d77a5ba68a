"""The twin of a stream: the same question, asked without a stream, kept in the cassette directly after it.

The pair is compared by :mod:`harness.pairs`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from harness.record import local_model
from harness.record.answers import whole_answer
from harness.record.keeping import credentials, kept, summed
from harness.record.provider import FORMS
from harness.record.providers import PROVIDERS
from harness.record.recorder import READ_SECONDS, exchange
from harness.record.secrets import refuse_secrets
from harness.record.simulator import Answer, Simulator
from harness.record.wire import RecordError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.cassette import Cassette
    from harness.record.scenarios import Scenario
    from harness.record.transport import Recording

_ADDRESSES = (
    # Where an address says that the answer is to be a stream, and what it says otherwise.
    (":streamGenerateContent", ":generateContent"),
    (":streamRawPredict", ":rawPredict"),
    ("/converse-stream", "/converse"),
    ("/invoke-with-response-stream", "/invoke"),
)
_OPTIONS = ("stream", "stream_options")
_STREAMS_UNASKED = ("/api/chat", "/api/generate")
"""Ollama streams unless it is told not to."""


def unstreamed(url: str, body: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Address and body of the question that ``url`` and ``body`` ask, for an answer without a stream."""
    parts = urlsplit(url)
    path, query = (
        parts.path,
        [(name, value) for name, value in parse_qsl(parts.query) if (name, value) != ("alt", "sse")],
    )
    for streamed, whole in _ADDRESSES:
        if path.endswith(streamed):
            path = path.removesuffix(streamed) + whole
    asked = {name: value for name, value in body.items() if name not in _OPTIONS}
    if path.endswith(_STREAMS_UNASKED):
        asked["stream"] = False
    return urlunsplit(parts._replace(path=path, query=urlencode(query))), asked


def simulated_twin(scenario: Scenario, cassette: Cassette) -> Cassette:
    """``cassette``, just recorded of ``scenario``, with what the simulator says when it is not asked for a stream.

    Raises:
        RecordError: the simulator has no whole answer for the scenario.
    """
    provider = PROVIDERS[scenario.dialect]
    streamed, asked = provider.target(scenario.request), provider.body(scenario.request)
    target, _ = unstreamed(streamed, asked)
    # What is wrong with the scenario is told here, and not as an answer of 400.
    whole_answer(scenario, scenario.request)

    def respond(path: str, request: Mapping[str, Any]) -> Answer:
        if path != target or request.get("stream"):
            raise ValueError(f"{path} was asked for a stream")
        body = whole_answer(scenario, {"model": scenario.request["model"], **request})
        return Answer((body,), headers=FORMS["json-array"].headers)

    with Simulator(respond) as simulator:
        return record_twin(cassette, simulator.address + streamed, provider.headers(None), asked)


def local_twin(scenario: Scenario, cassette: Cassette, address: str) -> Cassette:
    """The same for a scenario of the local model that answers at ``address`` (RecordError)."""
    provider = PROVIDERS[scenario.dialect]
    request = {**scenario.request, "model": local_model.MODEL}
    return record_twin(cassette, address + provider.target(request), provider.headers(None), request)


def record_twin(
    cassette: Cassette,
    url: str,
    headers: Mapping[str, str],
    request: Mapping[str, Any],
    *,
    secrets: Iterable[str] = (),
    read_seconds: float = READ_SECONDS,
) -> Cassette:
    """Ask for the twin of the last stream of ``cassette``, and add it.

    ``url`` and ``request`` are those of the stream (see :func:`unstreamed`); ``headers`` hold the credentials for what is
    then asked, and ``secrets`` are masked wherever they turn up.

    Raises:
        RecordError: nobody answered, or not with JSON, or something in the answer still looks like a secret.
    """
    where, body = unstreamed(url, request)
    used = tuple(secrets)
    recording = exchange(where, headers, body, read_seconds, secrets=used, form=FORMS["json-array"])
    return with_twin(cassette, recording, secrets=used)


def with_twin(
    cassette: Cassette, recording: Recording, *, secrets: Iterable[str] = (), accepted: Iterable[str] = ()
) -> Cassette:
    """``cassette`` with ``recording``, however it was made, as the twin of its last stream.

    It is redacted as the stream was. ``accepted``: see :func:`harness.record.secrets.refuse_secrets`.

    Raises:
        RecordError: it is no whole answer, or there is no stream for it, or something in it looks like a secret.
    """
    name = f"{cassette.recorded.dialect}/{cassette.recorded.scenario}"
    if recording.end != "complete" or not 200 <= recording.status < 300:
        what = f"its answer without a stream ended {recording.end} with status {recording.status}"
        raise RecordError(f"{name}: {what}: nothing to compare with")
    if not cassette.interactions[-1].is_stream:
        raise RecordError(f"{name}: what was recorded last is not a stream, and has no twin")
    used = {*secrets, *credentials(recording)}
    interaction, redactions = kept(recording, name, cassette.recorded.provenance, secrets=used)
    recorded = replace(cassette.recorded, redactions=summed((*cassette.recorded.redactions, *redactions)))
    paired = replace(
        cassette, recorded=recorded, interactions=(*cassette.interactions, replace(interaction, twin=True))
    )
    return refuse_secrets(paired, name, used, accepted=accepted)
