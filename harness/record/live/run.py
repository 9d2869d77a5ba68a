"""Asks what a plan says, one scenario after the other, and writes each cassette as soon as it is whole.

An answer that is not what the scenario is for does not take its place: an HTTP error is kept beside it, as
``live-text-status-429``, a stream that broke as ``live-text-cut``, and the scenario is asked again at the next run.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

import httpx

from harness.cassette import Cassette, CassetteError, save
from harness.record.live.apis import LOCAL, Api
from harness.record.live.keys import Open
from harness.record.live.plan import Plan, Step
from harness.record.live.request import Request
from harness.record.live.shown import Shown, shown_in
from harness.record.local_model import LocalModel
from harness.record.proxy_cli import figures
from harness.record.recorder import REFUSALS, refusal, to_cassette
from harness.record.redaction import redact_text, shown_address
from harness.record.transport import Recording, RecordingTransport
from harness.record.twin import with_twin
from harness.record.wire import RecordError, compact

READ_SECONDS = 300.0
"""Longest silence before a stream counts as timed out: a model that reasons says nothing for minutes."""
MAX_PAUSE_SECONDS = 30.0
"""The longest that ``retry-after`` (RFC 9110, 10.2.3) is heeded before the next scenario."""

State = Literal["recorded", "kept", "failed", "not asked"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a step; ``says`` is one line for people, ``cost`` what it cost in USD as far as one can tell."""

    step: Step
    state: State
    says: str
    cost: float = 0.0


@dataclass(frozen=True)
class Asking:
    """How to ask: the network, what must never be kept, and what has been said to be no secret."""

    network: httpx.BaseTransport
    force: bool = False
    limit: float = float("inf")
    secrets: Sequence[str] = ()
    accepted: Sequence[str] = ()
    sleep: Callable[[float], None] = time.sleep
    local: Callable[[], LocalModel] = LocalModel


def run(plan: Plan, asking: Asking) -> Iterator[Outcome]:
    """Ask step by step.

    Raises:
        RecordError: keys are missing, or the local model cannot be had: said before anything is asked.
    """
    todo = [step for step in plan.steps if asking.force or not step.path.exists()]
    opened = {}
    for api in dict.fromkeys(step.api for step in todo):
        if api.keys not in opened:
            opened[api.keys] = api.keys.open(asking.network)
    with ExitStack() as stack:
        local = ""
        if any(step.api.provider == LOCAL for step in todo):
            local = stack.enter_context(asking.local()).address
        spent, refused = 0.0, set[Api]()
        for step in plan.steps:
            if step not in todo:
                yield Outcome(step, "kept", f"kept   {step.path}  (exists already; --force replaces it)")
                continue
            if step.api in refused:
                yield Outcome(step, "not asked", f"{step.name}: not asked: the credentials were refused")
                continue
            if spent + (step.bound or 0.0) > asking.limit:
                could = f"it could cost USD {step.bound:.4f}, and USD {spent:.4f} of {asking.limit:g} are spent"
                yield Outcome(step, "not asked", f"{step.name}: not asked: {could}")
                continue
            try:
                outcome, pause = _Step(step, opened[step.api.keys], asking, local).record()
            except _RefusedError as error:
                refused.add(step.api)
                outcome, pause = Outcome(step, "failed", f"{step.name}: failed: {error}", step.bound or 0.0), 0.0
            except (RecordError, CassetteError) as error:
                outcome, pause = Outcome(step, "failed", f"{step.name}: failed: {error}", step.bound or 0.0), 0.0
            spent += outcome.cost
            yield outcome
            if pause:
                asking.sleep(pause)


class _RefusedError(RecordError):
    """The credentials are wrong, or not good for this API: asking on would only be refused again."""


class _Step:
    """Asks for one stream and its twin."""

    def __init__(self, step: Step, keys: Open, asking: Asking, local: str) -> None:
        self._step, self._keys, self._asking, self._local = step, keys, asking, local
        self._secrets = {*keys.secrets, *asking.secrets}

    def record(self) -> tuple[Outcome, float]:
        """What became of it, and how many seconds to wait before the next."""
        step = self._step
        recording = self._ask(step.request, step.api.form.content_type)
        if recording.status in REFUSALS:
            raise _RefusedError(refusal(recording, self._secrets))
        if recording.status != 200:
            said = refusal(recording, self._secrets)
            outcome = self._beside(recording, f"status-{recording.status}", said)
            return outcome, _pause(recording)
        if recording.end != "complete" and recording.body:
            return self._beside(recording, "cut", f"the stream ended {recording.end}"), 0.0
        kind = dict(recording.response_headers).get("content-type", "")
        if not recording.body or not kind.startswith(step.api.form.content_type):
            what = f"{kind or 'no content type'}, not {step.api.form.noun}" if recording.body else "an empty stream"
            raise RecordError(f"{shown_address(step.request.url, self._secrets)}: answered with {what}")
        cassette = self._cassette(recording, step.path.stem)
        shown = shown_in(cassette, step.ask.shows)
        cost, note = self._cost(shown), shown.lacks
        if step.twin is not None:
            cassette, missing = self._with_twin(cassette, step.twin)
            cost, note = cost * 2, "; ".join(filter(None, (note, missing)))
        save(cassette, step.path, overwrite=True)
        note = f"; {note}" if note else ""
        return Outcome(step, "recorded", f"wrote  {step.path}  ({figures(cassette)}{note})", cost), 0.0

    def _with_twin(self, cassette: Cassette, twin: Request) -> tuple[Cassette, str]:
        """The cassette with its twin, or without it and why."""
        try:
            try:
                whole = self._ask(twin, "application/json")
            except RecordError:  # once more: a stream that is kept without its twin is not asked again
                whole = self._ask(twin, "application/json")
            if whole.status != 200:
                return cassette, f"no twin: {refusal(whole, self._secrets)}"
            paired = with_twin(cassette, whole, secrets=self._secrets, accepted=self._asking.accepted)
        except RecordError as error:
            return cassette, f"no twin: {error}"
        return paired, ""

    def _ask(self, request: Request, accept: str) -> Recording:
        taken: list[Recording] = []
        transport = RecordingTransport(_Lent(self._asking.network), taken.append)
        address = _moved(request.url, self._local)
        headers = {"content-type": "application/json", "accept": accept, "user-agent": "streamparity"} | dict(
            request.headers
        )
        body = compact(request.body).encode()
        timeout = httpx.Timeout(60.0, read=READ_SECONDS)
        try:
            with (
                httpx.Client(transport=transport, timeout=timeout, auth=self._keys.flow, trust_env=False) as client,
                client.stream("POST", address, headers=headers, content=body) as response,
                contextlib.suppress(httpx.TransportError),  # how the stream ended is part of the recording
            ):
                for _ in response.iter_raw():
                    pass
        except (httpx.TransportError, httpx.InvalidURL) as error:
            shown = shown_address(address, self._secrets)
            said = redact_text(str(error), self._secrets)
            what = f"no answer ({type(error).__name__}: {said}): check the address and the network"
            raise RecordError(f"{shown}: {what}") from None
        return taken[-1]

    def _cassette(self, recording: Recording, name: str) -> Cassette:
        api = self._step.api
        return to_cassette(
            recording,
            api.dialect,
            name,
            self._step.model,
            api.provenance,
            secrets=self._secrets,
            accepted=self._asking.accepted,
        )

    def _beside(self, recording: Recording, what: str, said: str) -> Outcome:
        step = self._step
        path = step.path.with_stem(f"{step.path.stem}-{what}")
        where = f"{path} is kept"
        if self._asking.force or not path.exists():
            save(self._cassette(recording, path.stem), path, overwrite=True)
            where = f"recorded as {path}"
        cost = 0.0 if recording.status != 200 else step.bound or 0.0
        return Outcome(step, "failed", f"{step.name}: failed: {said} ({where})", cost)

    def _cost(self, shown: Shown) -> float:
        """Of the stream: by the tokens that it says it took, else at most what it could."""
        step = self._step
        requests = 1 if step.twin is None else 2
        if step.price is None or step.bound is None:
            return 0.0
        if shown.tokens_in is None or shown.tokens_out is None:
            return step.bound / requests
        return step.price.of(shown.tokens_in, shown.tokens_out)


def _moved(url: str, base: str) -> str:
    """The address on the local server, whose port is known only now."""
    if not base:
        return url
    there = urlsplit(base)
    return urlunsplit(urlsplit(url)._replace(scheme=there.scheme, netloc=there.netloc))


def _pause(recording: Recording) -> float:
    seconds = dict(recording.response_headers).get("retry-after", "")
    return min(float(seconds), MAX_PAUSE_SECONDS) if seconds.isdecimal() else 0.0


class _Lent(httpx.BaseTransport):
    """A transport that is still open when the client that used it is closed."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._inner.handle_request(request)
