"""The providers' own SDKs, recorded: what they make of a stream is the same, and the recording is the whole stream."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.cassette import load
from harness.oracle import OracleError, find_node
from harness.record.provider import FORMS
from harness.record.proxy import Proxy
from harness.record.proxy_cli import CassetteFolder
from harness.record.scenarios import find
from harness.record.simulator import Answer, Simulator
from harness.recording import recording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cassette import Cassette
    from harness.record.scenarios import Scenario

ORACLE = Path(__file__).resolve().parents[2] / "golden" / "oracle"
SCENARIOS = [("openai-chat", "unicode"), ("openai-chat", "parallel-tools"), ("anthropic-messages", "unicode")]


@contextlib.contextmanager
def original(scenario: Scenario) -> Iterator[str]:
    def respond(_path: str, request: Any) -> Answer:
        return Answer(scenario.writes(request), scenario.end, headers=FORMS["sse"].headers)

    with Simulator(respond) as simulator:
        yield simulator.address


def asked(scenario: Scenario) -> dict[str, Any]:
    return {key: value for key, value in scenario.request.items() if key != "stream"}


def call(dialect: str, kind: str, base: str, client: Any) -> Any:
    """The method of the SDK (``OpenAI``, or with ``Async`` before) that sends a request."""
    package: Any = pytest.importorskip(kind.lower())
    prefix = "Async" if "Async" in type(client).__name__ else ""
    sdk = getattr(package, f"{prefix}{kind}")(
        api_key="any-key-at-all", max_retries=0, http_client=client, base_url=base + ("/v1" if kind == "OpenAI" else "")
    )
    return sdk.chat.completions.create if dialect == "openai-chat" else sdk.messages.create


def is_whole(cassette: Cassette, scenario: Scenario) -> None:
    writes = scenario.writes(scenario.request)
    (interaction,) = cassette.interactions
    assert interaction.body == b"".join(writes)
    assert interaction.stream.chunks == tuple(map(len, writes))
    assert interaction.stream.end == "complete"


@pytest.mark.filterwarnings("ignore:The model '.*' is deprecated:DeprecationWarning")
@pytest.mark.parametrize(("dialect", "name"), SCENARIOS, ids=lambda value: value)
def test_a_python_sdk_is_recorded_to_the_end_though_it_closes_at_the_last_event(
    dialect: str, name: str, tmp_path: Path
) -> None:
    httpx2 = pytest.importorskip("httpx2")
    kind = "OpenAI" if dialect == "openai-chat" else "Anthropic"
    scenario, path = find(dialect, name), tmp_path / dialect / f"{name}.yaml"

    async def run(base: str) -> list[Any]:
        async with recording(path, http=httpx2, overwrite=True) as client:
            stream = await call(dialect, kind, base, client)(**asked(scenario), stream=True)
            return [event.model_dump() async for event in stream]

    with original(scenario) as base:
        with httpx2.Client() as client:
            expected = [
                event.model_dump() for event in call(dialect, kind, base, client)(**asked(scenario), stream=True)
            ]
        with recording(path, http=httpx2) as client:
            seen = [event.model_dump() for event in call(dialect, kind, base, client)(**asked(scenario), stream=True)]
        is_whole(load(path), scenario)
        assert asyncio.run(run(base)) == seen == expected
        is_whole(load(path), scenario)
    assert len(expected) > 3
    assert "any-key-at-all" not in path.read_text()


@pytest.mark.node
def test_the_typescript_sdks_are_recorded_by_their_base_url(tmp_path: Path) -> None:
    try:
        node, _ = find_node()
    except OracleError as error:
        pytest.skip(str(error))
    if not (ORACLE / "node_modules").is_dir():
        pytest.skip("needs `npm ci` in golden/oracle")

    async def ask(jobs: list[dict[str, Any]]) -> list[Any]:
        command = [node, str(Path(__file__).with_name("replay_client.mjs")), str(ORACLE / "package.json")]
        done = await asyncio.to_thread(
            subprocess.run, command, input=json.dumps(jobs), capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        finals: list[Any] = json.loads(done.stdout)
        return finals

    async def run(dialect: str, name: str) -> None:
        scenario = find(dialect, name)
        folder = CassetteFolder(tmp_path, scenario=name)
        with original(scenario) as base:
            async with Proxy(base, folder.add) as proxy:
                jobs = [{"dialect": dialect, "body": asked(scenario), "base": base} for base in (base, proxy.address)]
                expected, seen = await ask(jobs)
        assert seen == expected
        assert "message" in expected
        is_whole(load(tmp_path / dialect / f"{name}.yaml"), scenario)

    for dialect, name in SCENARIOS:
        asyncio.run(run(dialect, name))
