"""Twins: how a cassette holds one, who passes over it, and how it is recorded without a secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import vcr

from harness.case import StreamEnd
from harness.cassette import Cassette, CassetteError, dumps, iter_cases, load, loads, save
from harness.record.provider import FORMS
from harness.record.scenarios import find
from harness.record.simulator import Answer, Simulator
from harness.record.twin import local_twin, record_twin, simulated_twin, unstreamed
from harness.record.wire import RecordError, ScenarioError
from harness.replay.player import Player

from .checkout import REPOSITORY

PATH = REPOSITORY / "cassettes" / "openai-chat" / "text.yaml"
URL = "http://simulator.invalid/v1/chat/completions"


@pytest.fixture
def paired() -> Cassette:
    return load(PATH)


def test_a_twin_is_no_case_and_does_not_count(paired: Cassette, tmp_path: Path) -> None:
    stream, twin = paired.interactions
    assert (stream.twin, twin.twin, twin.is_stream) == (False, True, False)
    twice = replace(paired, interactions=(stream, twin, stream, twin, stream))
    assert loads(dumps(twice).encode()) == twice
    save(twice, tmp_path / "openai-chat" / "text.yaml")

    cases = list(iter_cases(tmp_path))

    assert [case.id for case in cases] == ["openai-chat/text", "openai-chat/text-2", "openai-chat/text-3"]
    assert [case.body for case in cases] == [stream.body] * 3
    assert [case.twin for case in cases] == [twin.body, twin.body, None]
    assert "twin" not in dumps(replace(paired, interactions=(stream,)))


def test_a_twin_stands_after_its_stream(paired: Cassette) -> None:
    stream, twin = paired.interactions
    for wrong, at in (((twin, stream), 0), ((stream, twin, twin), 2)):
        with pytest.raises(CassetteError, match=rf"interactions\[{at}\]\.twin: the twin of a stream stands directly"):
            dumps(replace(paired, interactions=wrong))


def test_plain_vcrpy_plays_both(paired: Cassette) -> None:
    player = vcr.VCR(record_mode=vcr.mode.NONE, match_on=["method", "uri", "body"])
    with player.use_cassette(str(PATH)):
        bodies = [httpx.post(URL, content=one.request_body).content for one in reversed(paired.interactions)]
    assert bodies == [one.body for one in reversed(paired.interactions)]


def test_a_replay_does_not_miss_a_twin(paired: Cassette) -> None:
    stream, twin = paired.interactions
    with Player(paired) as player:
        assert b"".join(player.take("POST", URL, body=stream.request_body).chunks) == stream.body
    assert player.plays == (("openai-chat/text", 1), ("openai-chat/text twin", 0))
    with Player(paired, allow_unplayed=True) as player:
        assert b"".join(player.take("POST", URL, body=twin.request_body).chunks) == twin.body
    assert [name for name, _ in player.unplayed] == ["openai-chat/text"]


@pytest.mark.parametrize(
    ("streamed", "whole"),
    [
        ("https://h/v1/chat/completions", "https://h/v1/chat/completions"),
        ("https://h/v1beta/models/m:streamGenerateContent?alt=sse", "https://h/v1beta/models/m:generateContent"),
        ("https://h/v1/m:streamGenerateContent?alt=sse&key=k", "https://h/v1/m:generateContent?key=k"),
        (
            "https://h/publishers/anthropic/models/m:streamRawPredict",
            "https://h/publishers/anthropic/models/m:rawPredict",
        ),
        ("https://h/model/m/converse-stream", "https://h/model/m/converse"),
        ("https://h/model/m/invoke-with-response-stream", "https://h/model/m/invoke"),
    ],
)
def test_the_same_question_without_a_stream(streamed: str, whole: str) -> None:
    body = {"model": "m", "stream": True, "stream_options": {"include_usage": True}, "n": 1}
    assert unstreamed(streamed, body) == (whole, {"model": "m", "n": 1})
    assert unstreamed("http://h/api/chat", body) == ("http://h/api/chat", {"model": "m", "n": 1, "stream": False})


def test_a_twin_is_redacted_as_its_stream_is(paired: Cassette) -> None:
    key = "sk-proj-" + "Zq7Rt2Lm9Xw4Bn6Kc3Vd8Hf5" * 2
    asked: list[Mapping[str, Any]] = []

    def respond(end: StreamEnd = "complete", status: int = 200, said: str = "fine") -> Any:
        def answer(path: str, request: Mapping[str, Any]) -> Answer:
            asked.append({"path": path, **request})
            body = json.dumps({"choices": [], "text": said, "email": "ada@corp.example.de"}).encode()
            return Answer((body,), end, status, FORMS["json-array"].headers)

        return answer

    def recorded(**how: Any) -> Cassette:
        with Simulator(respond(**how)) as simulator:
            headers = {"authorization": f"Bearer {key}"}
            url = simulator.address + "/v1/chat/completions"
            request = {"model": "m", "stream": True}
            alone = replace(paired, interactions=paired.interactions[:1])
            return record_twin(alone, url, headers, request, secrets=(key,))

    made = recorded(said=f"your key is {key}")
    twin = made.interactions[-1]
    assert asked == [{"path": "/v1/chat/completions", "model": "m"}]
    assert (twin.twin, twin.uri) == (True, URL)
    assert key not in dumps(made)
    assert b"ada" not in twin.body
    assert len(json.loads(twin.body)["text"]) == len(f"your key is {key}")
    assert {"email, same length", "secret-in-use, same length", "authorization dropped"} <= {
        one.what for one in made.recorded.redactions
    }
    with pytest.raises(RecordError, match=r"interactions\[1\]\.response\.body, byte \d+: looks like a secret"):
        recorded(said="kX9vT2mQ8rL5wZ3nB7cJ1hF6dS4gP0yA-uE_oI" + "Wx7Rk2Vq9")
    for how in ({"status": 500}, {"end": "cut"}):
        with pytest.raises(RecordError):
            recorded(**how)
    with Simulator(respond()) as simulator, pytest.raises(RecordError, match="not a stream, and has no twin"):
        record_twin(paired, simulator.address + "/v1/chat/completions", {}, {"model": "m"})


def test_the_simulator_says_no_more_whole_than_it_can(paired: Cassette) -> None:
    broken = replace(find("openai-chat", "cut-mid-arguments"), twin=True)
    with pytest.raises(ScenarioError, match="openai-chat/cut-mid-arguments: twin: the simulator has no whole answer"):
        simulated_twin(broken, paired)


def test_the_local_model_is_asked_again_without_a_stream() -> None:
    scenario = find("openai-chat", "local-text")
    streamed = load(REPOSITORY / "cassettes" / "openai-chat" / "local-text.yaml")
    alone = replace(streamed, interactions=streamed.interactions[:1])
    asked: list[Mapping[str, Any]] = []

    def respond(path: str, request: Mapping[str, Any]) -> Answer:
        asked.append({"path": path, **request})
        return Answer((b'{"choices":', b"[]}"), headers=FORMS["json-array"].headers)

    with Simulator(respond) as simulator:
        made = local_twin(scenario, alone, simulator.address)
    (request,) = asked
    assert (request["path"], request["messages"]) == ("/v1/chat/completions", scenario.request["messages"])
    assert "stream" not in request
    assert made.interactions[1].body == b'{"choices":[]}'
    assert made.interactions[1].uri == "http://local-model.invalid/v1/chat/completions"
