"""What stands for the providers, and for the local model, while the pages run; and what a client does that asks them."""

from __future__ import annotations

import importlib.util
import os
import sys
import types
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from harness.cassette import load
from harness.record import local_model
from harness.record.addresses import dialect_of

from .docs_blocks import ROOT
from .docs_commands import until
from .docs_internet import internet, loopback
from .fake_providers import KEYS, Fakes, answered, environment, scenario_of, streams
from .planted_secrets import made

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .docs_commands import Visit

CRUSOE_KEY = made(40, seed=71)
HOSTS = ("api.openai.com", "api.anthropic.com", "host")
"""That the pages ask; ``https://HOST`` stands for the reader's own."""
QUESTION = {"model": "gpt-4o-mini", "stream": True, "messages": [{"role": "user", "content": "Hello"}]}


@contextmanager
def online() -> Iterator[list[int]]:
    """All of them, for one command or block: with threads about, a check of another command had better not fork.

    Yields the statuses of the answers so far; one that is not 200 fails the block, whatever the block makes of it.
    """
    with pytest.MonkeyPatch.context() as patch, providers(patch, Path.cwd()) as answers, local(patch):
        if importlib.util.find_spec("anthropic") is None:
            patch.setitem(sys.modules, "anthropic", types.SimpleNamespace(Anthropic=FakeAnthropic))
        yield answers
        assert {*answers} <= {200}, f"answered with {answers}"


@contextmanager
def providers(patch: pytest.MonkeyPatch, folder: Path) -> Iterator[list[int]]:
    """Their servers, with the reader's keys in the environment; yields the statuses of what they answered."""
    fakes = Fakes(whole, public_key=environment(patch, folder))
    patch.setenv("CRUSOE_API_KEY", CRUSOE_KEY)

    def answer(request: httpx.Request) -> httpx.Response:
        if not request.url.path.startswith("/v1/"):  # where the APIs of the three hosts are
            return httpx.Response(404)
        shown = request.headers.get("authorization")
        if request.url.host == "host":
            return answered("crusoe", request) if shown == f"Bearer {CRUSOE_KEY}" else httpx.Response(401)
        if shown == f"Bearer {KEYS['ANTHROPIC_API_KEY']}":  # as Anthropic's SDK of late sends it
            return answered("anthropic-messages", request)
        return fakes.transport.handle_request(request)

    with internet(patch, folder, answer, HOSTS) as answers:
        yield answers


def whole(dialect: str, request: httpx.Request) -> httpx.Response | None:
    """To a request without a stream, the whole answer that a committed recording has beside its stream."""
    if streams(request):
        return None
    for name in (scenario_of(request), "text"):
        path = ROOT / "cassettes" / dialect / f"{name}.yaml"
        for twin in [one for one in load(path).interactions if one.twin] if path.exists() else []:
            return httpx.Response(200, headers={"content-type": "application/json"}, content=twin.body)
    raise AssertionError(f"{dialect}: no committed recording has a whole answer")


def visit(words: list[str]) -> Visit:
    """What a client does with the address that ``replay`` or ``record --proxy`` prints."""

    def replayed(address: str) -> None:
        plan = words[words.index("--plan") + 1] if "--plan" in words else "recorded"
        for interaction in load(Path(words[2])).interactions:
            url = address + httpx.URL(interaction.uri).raw_path.decode()
            with httpx.stream(interaction.method, url, content=interaction.request_body) as response:
                chunks = list(response.iter_raw())
            assert b"".join(chunks) == interaction.body
            assert plan == "bytes"
            assert {*map(len, chunks)} == {1}

    def proxied(address: str) -> None:
        out = Path(words[words.index("--out") + 1] if "--out" in words else "cassettes")
        before = {*out.rglob("*.yaml")}
        key = {"authorization": f"Bearer {KEYS['OPENAI_API_KEY']}"}
        response = httpx.post(f"{address}/chat/completions", json=QUESTION, headers=key)
        assert (response.status_code, b"[DONE]" in response.content) == (200, True)
        until(lambda: {*out.rglob("*.yaml")} - before)
        (new,) = {*out.rglob("*.yaml")} - before
        until(lambda: new.stat().st_size)
        assert load(new).interactions[0].body == response.content

    return replayed if words[1] == "replay" else proxied


@contextmanager
def local(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """The library that runs the local model, and its weights; the answers are the simulator's."""

    def answer(request: httpx.Request) -> httpx.Response:
        dialect = dialect_of(str(request.url))
        assert dialect, request.url
        return whole(dialect, request) or answered(dialect, request)

    class Anything:
        def __getattr__(self, name: str) -> Anything:
            self.__dict__[name] = Anything()
            return self.__dict__[name]

    with ExitStack() as stack:

        class Server:
            def __init__(self, params: Anything) -> None:
                assert params.model.path == "weights"
                self.listening_address = f"http://127.0.0.1:{stack.enter_context(loopback(answer))}"

        library = types.SimpleNamespace(CommonParams=Anything, Server=Server)
        patch.setitem(sys.modules, "xllamacpp", library)
        patch.setattr(local_model, "ensure_weights", lambda: "weights")
        yield


class FakeAnthropic:
    """Where Anthropic's SDK is not installed: it asks as that does. With the SDK itself ``test_record_sdks.py`` records."""

    def __init__(self, http_client: Any) -> None:
        self.http, self.messages = http_client, self

    def create(self, *, model: str, max_tokens: int, messages: list[Any], stream: bool) -> Iterator[str]:
        asks = {"model": model, "max_tokens": max_tokens, "messages": messages, "stream": stream}
        headers = {"x-api-key": os.environ["ANTHROPIC_API_KEY"], "anthropic-version": "2023-06-01"}
        with self.http.stream("POST", "https://api.anthropic.com/v1/messages", json=asks, headers=headers) as response:
            yield from response.iter_lines()
