"""The way to the providers: through the proxy that the environment names, and with the key that it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from harness.record.live.apis import APIS
from harness.record.live.keys import MASK
from harness.record.live.network import Network, proxy_for
from harness.record.simulator import Answer, Simulator
from harness.record.wire import RecordError

from .planted_secrets import made

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxy_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def proxy() -> Iterator[tuple[Simulator, list[str]]]:
    """A proxy for plain HTTP, which is asked for whole addresses (RFC 9112, 3.2.2), and those addresses."""
    asked: list[str] = []

    def respond(path: str, _: Any) -> Answer:
        asked.append(path)
        return Answer((b"data: 1\n\n", b"data: 2\n\n"))

    with Simulator(respond) as simulator:
        yield simulator, asked


def test_requests_go_through_the_proxy_unless_their_host_is_excepted(
    proxy: tuple[Simulator, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator, asked = proxy
    monkeypatch.setenv("HTTP_PROXY".lower(), simulator.address)
    monkeypatch.setenv("NO_PROXY", "other.invalid")
    with httpx.Client(transport=Network(), trust_env=False) as client:
        assert client.post("http://api.invalid/v1/x", json={}).content == b"data: 1\n\ndata: 2\n\n"
        assert asked == ["http://api.invalid/v1/x"]
        with pytest.raises(httpx.ConnectError):
            client.post("http://other.invalid/v1/x", json={})
        assert client.post(f"{simulator.address}/here", json={}).status_code == 200
    assert asked[1:] == ["/here"], "this machine is asked without a proxy"


def test_which_proxy_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    assert proxy_for(httpx.URL("https://api.test/")) is None
    monkeypatch.setenv("ALL_PROXY", "http://all.test:1")
    assert proxy_for(httpx.URL("https://api.test/")) == "http://all.test:1"
    monkeypatch.setenv("HTTPS_PROXY", "secure.test:2")
    assert proxy_for(httpx.URL("https://api.test/")) == "http://secure.test:2"
    monkeypatch.setenv("NO_PROXY", "api.test")
    assert proxy_for(httpx.URL("https://api.test/")) is None
    password = made(12)
    monkeypatch.setenv("HTTPS_PROXY", f"gopher://me:{password}@secure.test:2")
    with httpx.Client(transport=Network()) as client, pytest.raises(httpx.ProxyError) as caught:
        client.get("https://other.test/")
    assert password not in str(caught.value)


def test_anthropic_is_asked_with_the_key_or_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = next(api.keys for api in APIS if api.provider == "anthropic")
    key, token = made(20), made(20, seed=8)
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(RecordError, match="set ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN"):
        keys.open(httpx.MockTransport(lambda _: httpx.Response(200)))
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", token)
    for header, value, secret in (("authorization", f"Bearer {token}", token), ("x-api-key", key, key)):
        found = keys.open(httpx.MockTransport(lambda _: httpx.Response(200)))
        assert found.flow is not None
        request = next(found.flow.auth_flow(httpx.Request("POST", "https://api.test/")))
        assert (request.headers[header], found.secrets) == (value, (secret,))
        assert keys.headers() == {header: value.replace(secret, MASK)}
        monkeypatch.setenv("ANTHROPIC_API_KEY", key)
    assert [place.found for place in keys.places()] == [True, True]
