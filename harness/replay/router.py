"""A respx router made from cassettes: an application's own client is answered from them, and nothing of it changes.

::

    with replay_router("cassettes/openai-chat/text.yaml"):
        application.ask("...")  # builds its httpx client itself, deep inside

respx (its guide, "Mock HTTPX") puts itself in the place of the connection pool below every httpx client, so that only the
network is missing. Clients of httpx2 have another pool, in whose place it is put too if httpx2 is there: the SDKs of OpenAI
and Anthropic make theirs of that.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

import httpx

from harness.replay.player import Player
from harness.replay.transport import LIBRARY, response

if TYPE_CHECKING:
    import respx

    from harness.cassette import Cassette
    from harness.chunking import Chunking, Plan
    from harness.replay.player import Clock

EVERYTHING = "replay"
"""The name of the one route: which recording answers is for :mod:`harness.replay.matching` to say, not for URL patterns."""


def replay_router(
    *cassettes: Player | Cassette | Path | str,
    plan: str | Plan | Chunking = "recorded",
    clock: Clock | None = None,
    allow_repeats: bool = False,
    allow_unplayed: bool = False,
) -> respx.MockRouter:
    """A router that answers every request of every httpx or httpx2 client; used with ``with``, it ends as Player does.

    Arguments are those of :class:`harness.replay.player.Player`, or one Player. Routes that are added come after it.

    Raises:
        ImportError: respx is not installed.
        CassetteError, PlanError: as Player.
    """
    kinds = _kinds()
    if len(cassettes) == 1 and isinstance(cassettes[0], Player):
        player = cassettes[0]
    else:
        player = Player(
            *cast("tuple[Cassette | Path | str, ...]", cassettes),
            plan=plan,
            clock=clock,
            allow_repeats=allow_repeats,
            allow_unplayed=allow_unplayed,
        )
    router: respx.MockRouter = kinds[0](player)

    def answer(request: httpx.Request) -> httpx.Response:
        headers = tuple(request.headers.multi_items())
        played = player.take(request.method, str(request.url), headers, request.content)
        return response(request, played, player.clock)

    router.route(name=EVERYTHING).mock(side_effect=answer)
    return router


@functools.cache
def _kinds() -> tuple[Any, ...]:
    """The router and, where httpx2 is, what patches its pool. Made when asked for: respx is an extra."""
    try:
        import respx
        from respx.mocks import HTTPCoreMocker
    except ImportError as error:
        raise ImportError("a replay router needs respx: pip install 'streamparity[respx]'") from error

    class Httpx2Mocker(HTTPCoreMocker):
        name = "streamparity-httpx2"
        targets: ClassVar[list[str]] = [target.replace("httpcore.", "httpcore2.") for target in HTTPCoreMocker.targets]

        @classmethod
        def to_httpx_request(cls, **kwargs: Any) -> httpx.Request:
            request = super().to_httpx_request(**kwargs)  # type: ignore[no-untyped-call]  # respx has no types here
            request.extensions = {**request.extensions, LIBRARY: "httpx2"}
            return cast("httpx.Request", request)

        @classmethod
        def from_sync_httpx_response(cls, httpx_response: httpx.Response, target: object, **_: Any) -> Any:  # noqa: ARG003 - respx names it
            return sys.modules["httpcore2"].Response(
                status=httpx_response.status_code,
                headers=httpx_response.headers.raw,
                content=httpx_response.stream,
                extensions=httpx_response.extensions,
            )

    class ReplayRouter(respx.MockRouter):
        def __init__(self, player: Player) -> None:
            super().__init__()
            self.player = player

        def start(self) -> None:
            super().start()
            if importlib.util.find_spec("httpx2"):
                importlib.import_module("httpcore2")
                Httpx2Mocker.register(self)
                Httpx2Mocker.start()

        def stop(self, clear: bool = True, reset: bool = True, quiet: bool = False) -> None:
            Httpx2Mocker.unregister(self)
            Httpx2Mocker.stop()
            super().stop(clear, reset, quiet)

        def assert_all_called(self) -> None:
            self.player.assert_all_played()

    return (ReplayRouter, Httpx2Mocker)
