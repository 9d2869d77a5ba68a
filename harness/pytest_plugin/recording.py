"""The fixture ``stream_recording``: a test's own cassette, replayed or recorded as ``--record-mode`` says.

The modes mean what they mean in pytest-recording, with two differences that a wire-true cassette asks for. Nothing is written
when the test failed, or a stream was left open: the old cassette stays. And where a replay has recordings that nobody
asked for, the test fails; so ``all`` drops a recording that it has made anew, and keeps only those that were not asked for.
"""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from harness.cassette import Cassette, CassetteError, Redaction, load, save
from harness.chunking import PlanError
from harness.pytest_plugin.network import blocked, open_again
from harness.pytest_plugin.options import CASSETTE_MARKER as MARKER
from harness.pytest_plugin.options import allowed_hosts, cassettes_folder, record_mode, refuse_recording_in_ci
from harness.record.keeping import Kept
from harness.record.wire import RecordError
from harness.recording import Recorder
from harness.replay.matching import asked, same
from harness.replay.player import NoRecordingError, Player, UnplayedError
from harness.replay.transport import ReplayTransport

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path
    from types import TracebackType

    from harness.record.transport import AsyncRecordingTransport, RecordingTransport

FIXTURE = "stream_recording"

_NAME = re.compile(r"([a-z0-9A-Z][\w.-]*)/([\w.-]+)")
_FAILED: pytest.StashKey[bool] = pytest.StashKey()
_SESSION: pytest.StashKey[StreamRecording] = pytest.StashKey()
_WATCHED: pytest.StashKey[bool] = pytest.StashKey()


@dataclass(frozen=True, slots=True)
class Marked:
    """What the marker ``stream_cassette`` says."""

    name: str
    """``<dialect>/<scenario>``."""
    plan: str = "recorded"
    allow_repeats: bool = False
    allow_unplayed: bool = False
    identity: bool = True
    secrets: tuple[str, ...] = ()
    provenance: str = "live"


_PLAIN = Marked("")


class StreamRecording:
    """A cassette, and clients that are answered from it or recorded into it.

    Args:
        path: where the cassette is, or will be.
        mode: one of pytest-recording's.
        marked: the rest.

    Raises:
        CassetteError, PlanError: the cassette is to be played, and cannot be.
        RecordError: there is no cassette to play, or one to record cannot be called that.
    """

    def __init__(self, path: Path, mode: str, marked: Marked) -> None:
        self.path, self.mode = path, mode
        there = path.exists()
        self.replays = mode == "none" or (mode == "once" and there)
        """Whether nothing is recorded."""
        self._old = load(path) if there and mode != "rewrite" else None
        self.player: Player | None = None
        """What plays; None if everything is recorded."""
        self._recorder: Recorder | None = None
        if self.replays and self._old is None:
            raise RecordError(f"{marked.name}: no such cassette; record it with --record-mode=once ({path})")
        if self._old is not None and mode != "all":
            self.player = Player(
                self._old, plan=marked.plan, allow_repeats=marked.allow_repeats, allow_unplayed=marked.allow_unplayed
            )
        if not self.replays:
            dialect, _, scenario = marked.name.partition("/")
            kept = Kept(dialect, scenario, provenance=marked.provenance, secrets=marked.secrets)
            self._recorder = Recorder(kept, path, identity=marked.identity)
        self._clients: list[Any] = []

    def client(self, *, http: Any = httpx, **options: Any) -> Any:
        """A synchronous client of ``http`` (httpx, or httpx2), closed when the test ends; ``options`` are the client's."""
        client = http.Client(transport=self.transport(options.pop("transport", None), http=http), **options)
        self._clients.append(client)
        return client

    def async_client(self, *, http: Any = httpx, **options: Any) -> Any:
        """An asynchronous client; use it with ``async with``, since nobody else can close it."""
        return http.AsyncClient(transport=self.async_transport(options.pop("transport", None), http=http), **options)

    def transport(self, inner: Any = None, *, http: Any = httpx) -> httpx.BaseTransport:
        """For a synchronous client of one's own; what is recorded goes through ``inner``, or a new transport."""
        if self._recorder is None:
            return self._replaying()
        recording = self._recorder.transport(inner if inner is not None else http.HTTPTransport())
        return _NewEpisodes(self._replaying(), recording) if self.player is not None else recording

    def async_transport(self, inner: Any = None, *, http: Any = httpx) -> httpx.AsyncBaseTransport:
        """The same for an asynchronous client."""
        if self._recorder is None:
            return self._replaying()
        recording = self._recorder.async_transport(inner if inner is not None else http.AsyncHTTPTransport())
        return _AsyncNewEpisodes(self._replaying(), recording) if self.player is not None else recording

    def _replaying(self) -> _Replaying:
        assert self.player is not None
        return _Replaying(self.player)

    def close(self) -> None:
        """Closes the clients that were made here."""
        for client in self._clients:
            client.close()

    def finish(self) -> None:
        """Everything that was recorded is written; everything that was to be played was.

        Raises:
            NoRecordingError, UnplayedError: as :meth:`Player.assert_all_played`.
            RecordError, CassetteError: what was recorded cannot be kept.
        """
        if self._recorder is None:
            assert self.player is not None
            self.player.assert_all_played()
        elif self._old is None:
            self._recorder.finish()
        elif self.player is None or self._recorder.has_recorded:
            save(_together(self._old, self._recorder.cassette(), anew=self.player is None), self.path, overwrite=True)


class _Replaying(ReplayTransport):
    """A client that is closed is not the end of the test: another may ask for the rest."""

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """Judges nothing."""

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """Judges nothing."""


class _NewEpisodes(httpx.BaseTransport):
    """Plays what is there, and records the rest."""

    def __init__(self, replaying: _Replaying, recording: RecordingTransport) -> None:
        self._replaying, self._recording = replaying, recording

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return self._replaying.handle_request(request)
        except NoRecordingError as miss:
            self._replaying.player.misses.remove(miss)
        return self._recording.handle_request(request)

    def close(self) -> None:
        self._recording.close()


class _AsyncNewEpisodes(httpx.AsyncBaseTransport):
    """The same for asynchronous clients."""

    def __init__(self, replaying: _Replaying, recording: AsyncRecordingTransport) -> None:
        self._replaying, self._recording = replaying, recording

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._replaying.handle_async_request(request)
        except NoRecordingError as miss:
            self._replaying.player.misses.remove(miss)
        return await self._recording.handle_async_request(request)

    async def aclose(self) -> None:
        await self._recording.aclose()


def _together(old: Cassette, new: Cassette, *, anew: bool) -> Cassette:
    """``old`` and behind it ``new``; if ``anew``, without what of ``old`` was recorded anew."""
    again = [asked(one.method, one.uri, one.request_body) for one in new.interactions] if anew else []
    kept = tuple(
        one
        for one in old.interactions
        if not any(same(asked(one.method, one.uri, one.request_body), other) for other in again)
    )
    if not kept:
        return new
    counts: dict[tuple[str, str], int] = {}
    for item in (*old.recorded.redactions, *new.recorded.redactions):
        counts[item.where, item.what] = counts.get((item.where, item.what), 0) + item.count
    redactions = tuple(Redaction(where, what, count) for (where, what), count in counts.items())
    # The cassette is as old as the oldest in it.
    return Cassette(replace(old.recorded, by=new.recorded.by, redactions=redactions), kept + new.interactions)


@contextmanager
def opened(request: pytest.FixtureRequest) -> Iterator[StreamRecording]:
    """What the fixture gives to a test."""
    config, item = request.config, request.node
    if _WATCHED not in config.stash:
        config.stash[_WATCHED] = True
        config.pluginmanager.register(_Watch(), "streamparity-recording")
    with _told(), ExitStack() as stack:
        refuse_recording_in_ci(config)
        mode = record_mode(config)
        marked = _marked(item)
        path = cassettes_folder(config) / f"{marked.name}.yaml"
        _alone(request, marked.name, mode, there=path.exists())
        recording = StreamRecording(path, mode, marked)
        hint = f"{MARKER} {marked.name} is replayed; --record-mode records, --allowed-hosts lets hosts through"
        if recording.replays:
            stack.enter_context(blocked(allowed_hosts(config), hint))
        elif getattr(config.option, "block_network", False) or item.get_closest_marker("block_network"):
            stack.enter_context(open_again())
        item.stash[_SESSION] = recording
        yield recording
        recording.close()
        if item.stash.get(_FAILED, True):
            return  # an unplayed recording is no news, and half a test is no recording
        recording.finish()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (NoRecordingError, UnplayedError, RecordError, CassetteError, PlanError, pytest.UsageError) as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


def _marked(item: pytest.Item) -> Marked:
    marker = item.get_closest_marker(MARKER)
    wanted = f'@pytest.mark.{MARKER}("openai-chat/greeting"), which is <dialect>/<scenario>'
    if marker is None:
        raise pytest.UsageError(f"{item.nodeid}: the fixture {FIXTURE} wants to know its cassette: {wanted}")
    known = set(Marked.__slots__) - {"name"}
    unknown = sorted(set(marker.kwargs) - known)
    if unknown or len(marker.args) != 1 or not _NAME.fullmatch(str(marker.args[0])):
        what = f"does not take {unknown[0]!r}" if unknown else "wants one name"
        raise pytest.UsageError(f"{item.nodeid}: {MARKER} {what}: {wanted}; options are {', '.join(sorted(known))}")
    for key, value in marker.kwargs.items():
        kind = type(getattr(_PLAIN, key))
        if not isinstance(value, (tuple, list) if kind is tuple else kind):
            raise pytest.UsageError(f"{item.nodeid}: {MARKER} says {key}={value!r}: that is no {kind.__name__}")
    return Marked(str(marker.args[0]), **marker.kwargs)


def _alone(request: pytest.FixtureRequest, name: str, mode: str, *, there: bool) -> None:
    """Two tests that write one cassette would overwrite each other."""
    spread = mode == "new_episodes" and hasattr(request.config, "workerinput")
    if not (spread or mode in ("all", "rewrite") or (mode == "once" and not there)):
        return
    others = [
        other.nodeid
        for other in request.session.items
        if other is not request.node
        and FIXTURE in getattr(other, "fixturenames", ())
        and (marker := other.get_closest_marker(MARKER)) is not None
        and name in marker.args
    ]
    if others:
        pytest.fail(
            f"--record-mode={mode}: {name} is the cassette of {others[0]}, too, and both would write it; "
            "record one of them alone (give its node id), or give each a cassette of its own",
            pytrace=False,
        )


class _Watch:
    """Knows how tests ended, and tells of requests that a client under test has passed over in silence."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
        recording = item.stash.get(_SESSION, None)
        if recording is not None and call.when == "call" and call.excinfo is not None and recording.player is not None:
            for miss in recording.player.misses:
                if miss is not call.excinfo.value:
                    item.add_report_section("call", "streamparity", str(miss))
        report = yield
        if recording is not None and call.when == "call":
            item.stash[_FAILED] = report.outcome != "passed"
        return report
