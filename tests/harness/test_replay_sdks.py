"""The providers' own SDKs cannot tell a replay from the server that was recorded, however the replay is cut."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.cassette import load
from harness.oracle import OracleError, find_node
from harness.record.providers import PROVIDERS
from harness.record.scenarios import find
from harness.record.simulator import Answer, Simulator
from harness.replay.player import NoRecordingError, UnplayedError, playback
from harness.replay.router import replay_router
from harness.replay.server import ReplayServer
from harness.replay.transport import ReplayTransport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.record.scenarios import Scenario

pytestmark = pytest.mark.filterwarnings("ignore:The model '.*' is deprecated:DeprecationWarning")
"""The Anthropic SDK's advice; cassettes keep the model that was asked."""

ROOT = Path(__file__).resolve().parents[2]
PLANS = ("recorded", "whole", "every:7", "random:3", "structural-first")
SCENARIOS = [
    ("openai-chat", "unicode"),
    ("openai-chat", "parallel-tools"),
    ("openai-responses", "text"),
    ("openai-responses", "parallel-tools"),
    ("anthropic-messages", "thinking-then-tool"),
    ("anthropic-messages", "unicode"),
]
BROKEN = [("openai-chat", "cut-mid-arguments"), ("openai-chat", "reset-mid-text"), ("anthropic-messages", "stalled")]


def cassette(dialect: str, name: str) -> Path:
    return ROOT / "cassettes" / dialect / f"{name}.yaml"


def plan_of(name: str, path: Path) -> str:
    """A cut in the middle of the first character that has several bytes, or of the body."""
    if name != "structural-first":
        return name
    body = load(path).interactions[0].body
    return f"split@{next((at for at, byte in enumerate(body) if 0x80 <= byte < 0xC0), len(body) // 2)}"


def asks_for(dialect: str, name: str) -> dict[str, Any]:
    """The recorded request, without what the SDK's ``stream`` adds itself."""
    body: dict[str, Any] = json.loads(load(cassette(dialect, name)).interactions[0].request_body or b"")
    body.pop("stream")
    return body


@contextlib.contextmanager
def original(scenario: Scenario) -> Iterator[str]:
    """The address of the server that the cassette was recorded from."""
    headers = PROVIDERS[scenario.dialect].form.headers
    with Simulator(lambda _, request: Answer(scenario.writes(request), scenario.end, headers=headers)) as simulator:
        yield simulator.address


def final(dialect: str, base: str, body: dict[str, Any], client: Any = None, timeout: float = 20.0) -> dict[str, Any]:
    """What the Python SDK says in the end: the message, or the kind of its error."""
    sdk: Any = pytest.importorskip("anthropic" if dialect.startswith("anthropic") else "openai")
    options: dict[str, Any] = {"api_key": "any", "max_retries": 0, "timeout": timeout}
    if client is not None:
        options["http_client"] = client
    if dialect.startswith("anthropic"):
        with sdk.Anthropic(base_url=base, **options) as anthropic:
            return told(anthropic.messages.stream(**body), "get_final_message")
    with sdk.OpenAI(base_url=f"{base}/v1", **options) as openai:
        if dialect == "openai-chat":
            return told(openai.chat.completions.stream(**body), "get_final_completion")
        return told(openai.responses.stream(**body), "get_final_response")


def told(opened: Any, last: str) -> dict[str, Any]:
    try:
        with opened as stream:
            return {"message": getattr(stream, last)().to_dict()}
    except (AssertionError, TypeError):
        raise
    except Exception as error:  # noqa: BLE001 - each SDK has errors of its own
        return {"error": type(error).__name__}


@pytest.mark.parametrize(("dialect", "name"), SCENARIOS, ids=lambda value: value)
def test_the_python_sdk_says_the_same_as_to_the_original(dialect: str, name: str) -> None:
    body = asks_for(dialect, name)
    with original(find(dialect, name)) as address:
        expected = final(dialect, address, body)
    assert expected["message"]["id"]
    for plan in PLANS:
        with ReplayServer(cassette(dialect, name), plan=plan_of(plan, cassette(dialect, name))) as server:
            assert final(dialect, server.address, body) == expected, plan


@pytest.mark.parametrize(("dialect", "name"), BROKEN, ids=lambda value: value)
def test_a_stream_that_breaks_breaks_for_the_python_sdk_too(dialect: str, name: str) -> None:
    body = asks_for(dialect, name)
    with original(find(dialect, name)) as address:
        expected = final(dialect, address, body, timeout=0.5)
    assert "error" in expected
    for plan in ("recorded", "every:7"):
        with ReplayServer(cassette(dialect, name), plan=plan) as server:
            assert final(dialect, server.address, body, timeout=0.5) == expected


@pytest.mark.parametrize(("dialect", "name"), [*SCENARIOS, *BROKEN], ids=lambda value: value)
def test_so_it_does_over_the_transport_and_behind_the_router(dialect: str, name: str) -> None:
    httpx2 = pytest.importorskip("httpx2")
    body, path = asks_for(dialect, name), cassette(dialect, name)
    with ReplayServer(path) as server:
        expected = final(dialect, server.address, body, timeout=0.5)
    for plan in ("recorded", "random:5"):
        with ReplayTransport(path, plan=plan) as transport:
            assert final(dialect, "http://any.test", body, httpx2.Client(transport=transport)) == expected
        with replay_router(path, plan=plan):
            assert final(dialect, "http://any.test", body) == expected


@pytest.mark.parametrize(("dialect", "name"), SCENARIOS, ids=lambda value: value)
def test_plain_vcrpy_makes_the_same_of_the_cassette(dialect: str, name: str) -> None:
    vcr = pytest.importorskip("vcr")
    pytest.importorskip("httpx2")
    body, path = asks_for(dialect, name), cassette(dialect, name)
    with ReplayServer(path, plan="bytes") as server:
        expected = final(dialect, server.address, body)
    with vcr.use_cassette(str(path), record_mode="none") as played:
        assert final(dialect, "http://simulator.invalid", body) == expected
        assert played.play_count == 1  # the twin, if there is one, is not asked for


def test_a_request_that_is_not_recorded_is_told_even_if_the_sdk_hides_the_reason() -> None:
    body = {**asks_for("openai-chat", "text"), "temperature": 0.5}
    with (
        pytest.raises(NoRecordingError, match=r"temperature.*0\.5"),
        ReplayServer(cassette("openai-chat", "text")) as server,
    ):
        assert final("openai-chat", server.address, body) == {"error": "NotFoundError"}
    with pytest.raises(UnplayedError, match="openai-chat/text"), ReplayServer(cassette("openai-chat", "text")):
        pass


def with_node(jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the program in Node answers to each job."""
    oracle = ROOT / "golden" / "oracle"
    try:
        node, _ = find_node()
    except OracleError as error:
        pytest.skip(str(error))
    if not (oracle / "node_modules").is_dir():
        pytest.skip("needs `npm ci` in golden/oracle")
    command = [node, str(Path(__file__).with_name("replay_client.mjs")), str(oracle / "package.json")]
    done = subprocess.run(command, input=json.dumps(jobs), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    assert len(answers) == len(jobs)
    return answers


@pytest.mark.node
def test_the_typescript_sdks_say_the_same_as_to_the_original() -> None:
    with contextlib.ExitStack() as stack:
        jobs: list[dict[str, Any]] = []
        for dialect, name in [*SCENARIOS, *BROKEN[:2]]:
            job = {"dialect": dialect, "body": asks_for(dialect, name)}
            jobs.append({**job, "base": stack.enter_context(original(find(dialect, name)))})
            for plan in PLANS:
                path = cassette(dialect, name)
                server = stack.enter_context(ReplayServer(path, plan=plan_of(plan, path)))
                jobs.append({**job, "base": server.address})
        finals = with_node(jobs)
    for start in range(0, len(jobs), 1 + len(PLANS)):
        expected, *replayed = finals[start : start + 1 + len(PLANS)]
        assert replayed == [expected] * len(PLANS), jobs[start]["dialect"]
        assert ("message" in expected) == (start < len(SCENARIOS) * (1 + len(PLANS))), expected


@pytest.mark.node
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a client has read")
def test_fetch_in_node_hands_on_exactly_the_planned_chunks() -> None:
    path = cassette("openai-chat", "unicode")
    body = {**asks_for("openai-chat", "unicode"), "stream": True}
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(ReplayServer(path, plan=plan)) for plan in ("recorded", "every:5", "random:1")]
        jobs = [
            {"dialect": "fetch", "base": one.address, "path": "/v1/chat/completions", "body": body} for one in servers
        ]
        got = [answer["message"] for answer in with_node(jobs)]
    interaction = load(path).interactions[0]
    assert got == [[len(chunk) for chunk in playback(interaction, one.player.plan).chunks] for one in servers]
