"""Recording from Python: a client whose exchanges become a cassette.

::

    from harness.recording import recording

    with recording("cassettes/openai-chat/greeting.yaml") as client:  # an httpx.Client
        client.post("https://api.openai.com/v1/chat/completions", ...)

    async with recording("cassettes/anthropic-messages/greeting.yaml", http=httpx2) as client:  # an httpx2.AsyncClient
        anthropic.AsyncAnthropic(http_client=client)...

The application reads its streams live. The cassette is written when the block ends well, whole or not at all.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from harness.cassette import Cassette, CassetteError, save
from harness.record.keeping import Kept
from harness.record.transport import AsyncRecordingTransport, Recording, RecordingTransport
from harness.record.vcr_import import from_vcr
from harness.record.wire import RecordError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

__all__ = [
    "AsyncRecordingTransport",
    "Kept",
    "RecordError",
    "Recorder",
    "Recording",
    "RecordingTransport",
    "from_vcr",
    "recording",
]

TIMEOUT = httpx.Timeout(60.0)
"""Of the clients made here, in seconds: httpx's own five are too few for a model that thinks."""


def recording(
    path: str | Path,
    *,
    dialect: str | None = None,
    scenario: str | None = None,
    overwrite: bool = False,
    identity: bool = True,
    secrets: Iterable[str] = (),
    provenance: str = "live",
    http: Any = httpx,
    **options: Any,
) -> Recorder:
    """A block that records: ``with recording(path) as client`` or ``async with recording(path) as client``.

    Args:
        path: where the cassette goes.
        dialect: whose streams they are; the name of the file's folder, if not given.
        scenario: what the cassette is called; the name of the file, if not given.
        overwrite: replace a cassette that exists.
        identity: ask for bodies without content coding. If false, what the client accepts is what it gets, and encoded
            bodies are kept as they came.
        secrets: texts to mask wherever they turn up, beside the credentials that the requests carry.
        provenance: ``live``, ``local-model``, ``simulator`` or ``public``.
        http: ``httpx``, or ``httpx2``, which the SDKs of OpenAI and Anthropic want of late.
        options: for the client (``timeout``, ``headers``, ...); ``transport`` is the one that is wrapped.

    Raises:
        RecordError: the dialect or the scenario's name is none; at the end, nothing was recorded, or a response was not
            read to its end.
        CassetteError: the cassette exists and ``overwrite`` is false; at the end, it cannot be written.
    """
    path = Path(path)
    kept = Kept(dialect or path.parent.name, scenario or path.stem, provenance=provenance, secrets=secrets)
    if path.exists() and not overwrite:
        raise CassetteError(str(path), "", "exists already", "pass overwrite=True to replace it")
    return Recorder(kept, path, identity=identity, http=http, options=options)


class Recorder:
    """Makes recording clients, and writes what came through them; see :func:`recording`."""

    def __init__(
        self, kept: Kept, path: Path, *, identity: bool = True, http: Any = httpx, options: Any = None
    ) -> None:
        self.kept = kept
        self.path = path
        self._identity = identity
        self._http = http
        self._options: dict[str, Any] = {"timeout": http.Timeout(**TIMEOUT.as_dict()), **(options or {})}
        self._client: Any = None
        self._open = 0
        self._took_any = False
        self._lock = threading.Lock()

    def transport(self, inner: Any = None) -> RecordingTransport:
        """For a synchronous client of one's own; wraps ``inner``, or a new transport."""
        wrapped = inner if inner is not None else self._http.HTTPTransport()
        return RecordingTransport(wrapped, self._took, identity=self._identity, began=self._began)

    def async_transport(self, inner: Any = None) -> AsyncRecordingTransport:
        """The same for an asynchronous client."""
        wrapped = inner if inner is not None else self._http.AsyncHTTPTransport()
        return AsyncRecordingTransport(wrapped, self._took, identity=self._identity, began=self._began)

    @property
    def has_recorded(self) -> bool:
        """Whether any response came through."""
        return bool(self._open or self._took_any)

    def cassette(self) -> Cassette:
        """What was recorded; RecordError as in :func:`recording`."""
        if self._open:
            name = f"{self.kept.dialect}/{self.kept.scenario}"
            raise RecordError(f"{name}: {self._open} response(s) still open: read them to their end to record them")
        return self.kept.cassette()

    def finish(self) -> Cassette:
        """Write the cassette, and return it; RecordError and CassetteError as in :func:`recording`."""
        cassette = self.cassette()
        save(cassette, self.path, overwrite=True)
        return cassette

    def __enter__(self) -> Any:
        transport = self.transport(self._options.pop("transport", None))
        self._client = self._http.Client(transport=transport, **self._options)
        return self._client

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
        if error is None:
            self.finish()

    async def __aenter__(self) -> Any:
        transport = self.async_transport(self._options.pop("transport", None))
        self._client = self._http.AsyncClient(transport=transport, **self._options)
        return self._client

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()
        if error is None:
            self.finish()

    def _began(self) -> None:
        with self._lock:
            self._open += 1

    def _took(self, recording: Recording) -> None:
        self.kept.add(recording)
        with self._lock:
            self._open -= 1
            self._took_any = True
