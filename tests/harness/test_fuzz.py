"""The fuzzer: its targets see what is wrong, its inputs are reproducible, its seeds are small, and its command says what it found."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from harness.fuzz import __main__ as command
from harness.fuzz import make_seeds, targets
from harness.fuzz.inputs import MOST_BYTES, numbered
from harness.fuzz.record import MOST_FINDINGS, Record
from harness.fuzz.seeds import SEEDS, seeds_of
from harness.fuzz.targets import TARGETS, Finding, chunks, look
from harness.subjects.core import FRAMINGS
from streamcore import DIALECTS, Decoder
from streamcore.framing.sse import SseFramer

ROOT = Path(__file__).parents[2]
MOST_SEED_BYTES = 300_000


def test_there_is_a_target_for_every_framing_and_every_dialect() -> None:
    assert set(TARGETS) == set(FRAMINGS) | set(DIALECTS)


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_has_seeds_and_finds_nothing_in_them_or_near_them(target: str) -> None:
    seeds = seeds_of(target)
    bodies = [*seeds, *(numbered(target, seeds, 1, number) for number in range(20)), b"", b"\n", b"\x00", b"{"]
    for body in bodies:
        look(target, body)


def test_seeds_are_small_and_say_what_is_recorded(tmp_path: Path) -> None:
    files = [path for path in SEEDS.rglob("*") if path.is_file()]
    assert len(files) > 100
    assert sum(path.stat().st_size for path in files) < MOST_SEED_BYTES
    made = make_seeds.make(tmp_path)
    assert set(made) == set(DIALECTS)
    # Recordings come and go, so the committed seeds need not be these; making them again changes nothing.
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    (tmp_path / "openai-chat" / "stale").write_bytes(b"")
    make_seeds.make(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_the_bytes_of_an_input_choose_the_cuts() -> None:
    for number in range(50):
        body = bytes((number * at) % 251 for at in range(3 * number))
        assert b"".join(chunks(body)) == body
        assert all(chunks(body)) or not body
    assert len({tuple(map(len, chunks(bytes([byte]) * 200))) for byte in range(50)}) > 40


def test_the_same_number_is_the_same_input() -> None:
    seeds = seeds_of("groq")
    inputs = [numbered("groq", seeds, 1, number) for number in range(200)]
    assert inputs == [numbered("groq", seeds, 1, number) for number in range(200)]
    assert inputs != [numbered("groq", seeds, 2, number) for number in range(200)]
    assert len({*inputs}) > 150
    assert max(map(len, inputs)) <= MOST_BYTES


@pytest.mark.parametrize("target", ["openai-chat", "anthropic-messages", "bedrock-converse-stream", "ollama-ndjson"])
def test_no_stream_stops_well_after_an_error_of_the_provider(target: str) -> None:
    """V19, where a recording that failed is followed by one that did not, or the other way round."""

    def parts(body: bytes) -> list[dict[str, Any]]:
        decoder = Decoder(target)
        return [part.as_json() for part in (*decoder.feed(body), *decoder.close())]

    def word(body: bytes) -> set[str]:
        return {part["finishReason"]["unified"] for part in parts(body) if part["type"] == "finish"}

    seeds = seeds_of(target)
    failed = [body for body in seeds if any(part.get("kind") == "provider" for part in parts(body))]
    whole = [body for body in seeds if word(body) == {"stop"}]
    both = [one + other for fail in failed for fine in whole for one, other in ((fail, fine), (fine, fail))]
    words = [word(body) for body in both]
    assert {"error"} in words
    for body in both:
        look(target, body)


class TestFindings:
    """Each thing that a target looks for, planted."""

    BODY = max(seeds_of("openai-chat"), key=lambda body: body.count(b"data:"))

    @staticmethod
    def kind(target: str, body: bytes) -> str:
        with pytest.raises(Finding) as caught:
            look(target, body)
        return caught.value.kind

    def test_an_exception(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Decoder, "close", lambda _: {}["gone"])
        assert self.kind("openai-chat", self.BODY) == "raised"

    def test_parts_that_depend_on_the_cuts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        feed = Decoder.feed
        monkeypatch.setattr(Decoder, "feed", lambda self, chunk: feed(self, chunk.removesuffix(b"\n")))
        assert self.kind("openai-chat", self.BODY) == "variance"

    def test_frames_that_depend_on_the_cuts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        feed = SseFramer.feed
        monkeypatch.setattr(SseFramer, "feed", lambda self, chunk: feed(self, chunk.strip(b"\n")))
        assert self.kind("sse", self.BODY) == "variance"

    def test_a_broken_rule(self, monkeypatch: pytest.MonkeyPatch) -> None:
        feed = Decoder.feed
        dropped = "tool-input-end"
        monkeypatch.setattr(
            Decoder, "feed", lambda self, chunk: [p for p in feed(self, chunk) if p.as_json()["type"] != dropped]
        )
        assert self.kind("openai-chat", self.BODY) == "rule"

    def test_too_much_memory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(SseFramer, "snapshot", lambda _: (b"x" * (1 << 27),))
        assert self.kind("sse", self.BODY) == "memory"

    def test_too_much_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def forever(_self: Any, _chunk: bytes) -> None:
            while True:
                pass

        monkeypatch.setattr(targets, "CPU_SECONDS", 0.05)
        monkeypatch.setattr(SseFramer, "feed", forever)
        assert self.kind("sse", self.BODY) == "slow"

    def test_text_that_cannot_be_encoded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(targets, "trace_lines", lambda *_: "\ud800".encode())
        assert self.kind("openai-chat", self.BODY) == "unfit"


def test_a_finding_leaves_its_smallest_reproducer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def always(body: bytes) -> None:
        raise Finding("rule", f"made-up-{len(body) % 2}", str(len(body)))

    monkeypatch.setitem(TARGETS, "sse", always)
    record = Record("sse", "random", tmp_path)
    for size in (9, 5, 7, 4, 1):
        record.look(b"x" * size)
    assert record.inputs == 5
    assert sorted(path.read_bytes() for path in tmp_path.iterdir()) == [b"x", b"xxxx"]
    assert not record.full
    for number in range(MOST_FINDINGS):
        record.keep(Finding("raised", str(number), ""), b"")
    assert record.full
    assert all(found["command"].startswith("python -m harness.fuzz replay sse ") for found in record.as_json()["findings"])


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "harness.fuzz", *words], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.parametrize(
    "engine",
    [
        "random",
        pytest.param(
            "atheris", marks=pytest.mark.skipif(not find_spec("atheris"), reason="the extra fuzz is not here")
        ),
    ],
)
def test_a_run_says_how_much_it_looked_at(tmp_path: Path, engine: str) -> None:
    figures = tmp_path / "figures.json"
    words = ["--engine", engine, "--runs", "120", "--target", "sse", "--target", "ollama-ndjson"]
    done = run(*words, "--out", str(tmp_path / "out"), "--json", str(figures), "--corpus", str(tmp_path / "corpus"))
    assert done.returncode == 0, done.stderr
    total = json.loads(done.stdout)
    assert (total["targets"], total["inputs"], total["findings"], total["broke"]) == (2, 120, 0, 0)
    assert total == json.loads(figures.read_text())["total"]
    assert 0 < total["peak_mib"] < 1024
    assert re.search(r"^sse +60 inputs", done.stderr, re.MULTILINE)


def test_seconds_are_divided_among_targets() -> None:
    parsed = type("Asked", (), {"runs": None, "seconds": 10.0, "jobs": 2})()
    assert command._shares(parsed, ["a", "b", "c", "d"]) == {name: ["--seconds", "5.000"] for name in "abcd"}
    parsed.runs = 10
    assert [command._shares(parsed, ["a", "b", "c"])[name][1] for name in "abc"] == ["4", "3", "3"]


def test_replay_says_what_is_wrong_and_what_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "body"
    path.write_bytes(b"data: {}\n\n")
    assert command.main(["replay", "sse", str(path)]) == 0
    assert "nothing found" in capsys.readouterr().out
    monkeypatch.setattr(SseFramer, "close", lambda _: 1 / 0)
    assert command.main(["replay", "sse", str(path)]) == 1
    assert "raised: ZeroDivisionError in" in capsys.readouterr().out
    assert command.main(["replay", "sse", str(tmp_path / "none")]) == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--runs", "0"], "must be positive"),
        ([], "one of the arguments --seconds --runs is required"),
        (["--runs", "1", "--target", "grok"], "did you mean groq"),
        (["replay", "ssf", "x"], "did you mean sse"),
    ],
)
def test_wrong_use_is_explained(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(words)
    assert caught.value.code == 2
    assert said in capsys.readouterr().err


def test_a_process_that_breaks_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(command.ENGINES, "random", "harness.fuzz.no_such_engine")
    assert command.main(["--engine", "random", "--runs", "1", "--target", "sse", "--out", str(tmp_path)]) == 3
