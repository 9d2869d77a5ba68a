"""``--record-mode`` and the fixture ``stream_recording``, in a user's project and against a server of its own."""

from __future__ import annotations

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import harness.pytest_plugin.recording
import harness.pytest_plugin.run  # noqa: F401 - both loaded here, so that the runs inside this process need not
from harness.cassette import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    Run = pytest.Pytester

EVENT = b'data: {"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"h\xc3\xa9"}}]}\n\n'
BODY = EVENT + b"data: [DONE]\n\n"

OWN = """
import asyncio, os
import httpx
import pytest

URL = os.environ["SERVER"] + "/v1/chat/completions"
WORDS = os.environ.get("WORDS", "one two").split()

def asks(word):
    return {"model": "m", "stream": True, "messages": [{"role": "user", "content": word}]}

@pytest.mark.stream_cassette("openai-chat/sync")
def test_sync(stream_recording):
    for word in WORDS:
        client = stream_recording.client()
        assert client.post(URL, json=asks(word)).read().count(b"data: ") == 2
    assert "FAIL" not in os.environ

@pytest.mark.stream_cassette("openai-chat/async", plan="bytes")
def test_async(stream_recording):
    async def main():
        async with stream_recording.async_client() as client, client.stream(
            "POST", URL, json=asks(os.environ.get("LAST", "one"))
        ) as response:
            return [chunk async for chunk in response.aiter_raw()]

    chunks = asyncio.run(main())
    assert b"".join(chunks).endswith(b"[DONE]\\n\\n")
    assert not stream_recording.replays or {len(chunk) for chunk in chunks} == {1}
"""


class Server(ThreadingHTTPServer):
    """Answers every POST with the same stream, and counts them."""

    asked = 0

    def finish_request(self, request: object, client_address: object) -> None:
        Answer(request, client_address, self)  # type: ignore[arg-type]


class Answer(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        self.server.asked += 1
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Answer) as found:
        threading.Thread(target=found.serve_forever, args=(0.02,), daemon=True).start()
        yield found
        found.shutdown()


@pytest.fixture
def own(pytester: pytest.Pytester, server: Server, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with two tests that talk to a model, and no cassette."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("SERVER", f"http://127.0.0.1:{server.server_port}")
    for name in ("CI", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    pytester.makepyfile(test_own=OWN)
    pytester.makeini("[pytest]\naddopts = --strict-markers -p harness.plugin\nfilterwarnings = error\n")
    return pytester


def contents(own: pytest.Pytester, name: str) -> list[str]:
    """What was said in the requests of a cassette."""
    cassette = load(own.path / f"cassettes/openai-chat/{name}.yaml")
    assert {one.body for one in cassette.interactions} == {BODY}
    return [(one.request_body or b"").decode().split('"content":"')[1].split('"')[0] for one in cassette.interactions]


def test_each_mode_means_what_it_means_in_pytest_recording(
    own: pytest.Pytester, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*arguments: str, words: str = "one two") -> pytest.RunResult:
        monkeypatch.setenv("WORDS", words)
        return own.runpytest_inprocess(*arguments)

    none = run()
    none.assert_outcomes(errors=2)
    none.stdout.fnmatch_lines(["openai-chat/sync: no such cassette; record it with --record-mode=once (*sync.yaml)"])
    assert server.asked == 0

    run("--record-mode=once").assert_outcomes(passed=2)
    assert (server.asked, contents(own, "sync"), contents(own, "async")) == (3, ["one", "two"], ["one"])
    run().assert_outcomes(passed=2)
    run("--record-mode=once").assert_outcomes(passed=2)
    assert server.asked == 3

    missed = run("--record-mode=once", words="one three two")
    missed.assert_outcomes(failed=1, passed=1)
    missed.stdout.fnmatch_lines(["*no recording answers it; the nearest is openai-chat/sync*", "*body:*one*three*"])
    left = run(words="one")
    left.assert_outcomes(passed=2, errors=1)
    left.stdout.fnmatch_lines(
        ["nobody asked for 1 of 2 recordings*", "  openai-chat/sync-2: POST /v1/chat/completions"]
    )
    assert server.asked == 3

    monkeypatch.setenv("LAST", "other")
    run("--record-mode=new_episodes", words="two three").assert_outcomes(passed=2)
    assert (server.asked, contents(own, "sync"), contents(own, "async")) == (
        5,
        ["one", "two", "three"],
        ["one", "other"],
    )
    run("--record-mode=all", "-k", "test_sync", words="three one").assert_outcomes(passed=1, deselected=1)
    assert (server.asked, contents(own, "sync")) == (7, ["two", "three", "one"])
    monkeypatch.setenv("FAIL", "1")
    run("--record-mode=rewrite", "-k", "test_sync", words="four").assert_outcomes(failed=1, deselected=1)
    assert contents(own, "sync") == ["two", "three", "one"], "half a test is no recording"
    monkeypatch.delenv("FAIL")
    run("--record-mode=rewrite", "-k", "test_sync", words="four").assert_outcomes(passed=1, deselected=1)
    assert contents(own, "sync") == ["four"]


def test_the_example_of_the_page_about_pytest_runs(own: pytest.Pytester) -> None:
    page = (Path(__file__).parents[2] / "docs/pytest.md").read_text("utf-8")
    (code,) = (code for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "stream_recording" in code)
    code = code.replace('"https://api.openai.com', 'os.environ["SERVER"] + "')
    own.makepyfile(test_own="import os\n" + code)
    for arguments in (["--record-mode=once"], []):
        own.runpytest_inprocess(*arguments).assert_outcomes(passed=1)


def test_a_miss_that_the_client_hides_fails_the_test_and_is_told(own: pytest.Pytester) -> None:
    own.runpytest_inprocess("--record-mode=once").assert_outcomes(passed=2)
    for verdict in ("True", "False"):
        own.makepyfile(
            test_own=OWN.split("@pytest")[0]
            + f"""
@pytest.mark.stream_cassette("openai-chat/async")
def test_hiding(stream_recording):
    stream_recording.client().post(URL, json=asks("one"))
    try:
        stream_recording.client().post(URL, json=asks("other"))
    except Exception:
        assert {verdict}
"""
        )
        result = own.runpytest_inprocess()
        result.assert_outcomes(**({"passed": 1, "errors": 1} if verdict == "True" else {"failed": 1}))
        result.stdout.fnmatch_lines(
            ["*no recording answers it; the nearest is openai-chat/async*", "*body:*one*other*"]
        )


def test_the_network_is_blocked_while_a_test_replays_and_loopback_is_not(own: pytest.Pytester) -> None:
    own.runpytest_inprocess("--record-mode=once").assert_outcomes(passed=2)
    own.makepyfile(
        test_own="""
        import asyncio, socket
        import pytest
        from harness.pytest_plugin.network import NetworkBlockedError

        def connect_ex(address):
            with socket.socket() as one:
                one.settimeout(0.01)
                one.connect_ex(address)
                raise OSError

        def outside():
            for reach in (
                lambda: socket.create_connection(("192.0.2.1", 9), timeout=0.01),
                lambda: socket.create_connection(("api.example.invalid", 443), timeout=0.01),
                lambda: connect_ex(("192.0.2.1", 9)),
                lambda: asyncio.run(asyncio.open_connection("api.example.invalid", 443)),
            ):
                try:
                    reach()
                except NetworkBlockedError as error:
                    yield str(error)
                except OSError:
                    yield "let through"

        @pytest.mark.stream_cassette("openai-chat/async", allow_unplayed=True)
        def test_replaying(stream_recording):
            told = list(outside())
            assert len(told) == 4 and all("Network is disabled for host" in one for one in told), told
            with socket.create_server(("127.0.0.1", 0)) as server:
                socket.create_connection(server.getsockname()).close()
                socket.create_connection(("localhost", server.getsockname()[1])).close()

        def test_other():
            before = socket.getaddrinfo
            assert "getaddrinfo" in before.__name__ and "guard" not in before.__name__
            assert "connect" not in socket.socket.__dict__
        """
    )
    own.runpytest_inprocess().assert_outcomes(passed=2)
    blocked = own.runpytest_inprocess("--block-network")
    blocked.assert_outcomes(passed=1, failed=1)
    let = own.runpytest_inprocess("--allowed-hosts=192[.]0,api", "-k", "test_replaying")
    let.assert_outcomes(failed=1, deselected=1)
    let.stdout.fnmatch_lines(["*let through*"])


def test_recording_in_ci_is_an_error_unless_asked_for(own: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    refused = own.runpytest_inprocess("--record-mode=once")
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    refused.stderr.fnmatch_lines(["ERROR: --record-mode=once in CI (CI=true)*add --allow-recording-in-ci"])
    own.runpytest_inprocess("--record-mode=once", "--allow-recording-in-ci").assert_outcomes(passed=2)
    own.runpytest_inprocess("--record-mode=none").assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ("", '*wants to know its cassette: @pytest.mark.stream_cassette("openai-chat/greeting")*'),
        ("('sync')", "*stream_cassette wants one name:*"),
        ("('openai-chat/sync', plans='x')", "*stream_cassette does not take 'plans':*options are allow_repeats,*"),
        ("('openai-chat/../x')", "*stream_cassette wants one name:*"),
        ("('openai-chat/sync', plan=5)", "*stream_cassette says plan=5: that is no str"),
    ],
)
def test_a_marker_that_names_no_cassette_is_an_error(own: pytest.Pytester, marker: str, message: str) -> None:
    decorated = f"@pytest.mark.stream_cassette{marker}\n" if marker else ""
    own.makepyfile(test_own=f"import pytest\n{decorated}def test_own(stream_recording): pass")
    result = own.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])
    result.stdout.no_fnmatch_line("During handling of *")


def test_two_tests_do_not_write_one_cassette(own: pytest.Pytester) -> None:
    own.makepyfile(test_own=OWN.replace("openai-chat/async", "openai-chat/sync"))
    result = own.runpytest_inprocess("--record-mode=once")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*openai-chat/sync is the cassette of test_own.py::test_async, too*"])
    own.runpytest_inprocess("--record-mode=once", "test_own.py::test_sync").assert_outcomes(passed=1)
