"""``streamparity cassette validate`` and ``age``: what is wrong with recordings, and how old they are."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from harness.cassette import Cassette, Stream, load
from harness.exits import DIFFERENCE, INPUT, PARITY

from .inspected import CUTS, SSE, Run, cassette, exchange, one_line, put, runner

CASSETTES = Path(__file__).parents[2] / "cassettes"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    return runner(monkeypatch, capsys, tmp_path)


def test_the_committed_cassettes_are_good(run: Run) -> None:
    code, out, err = run("validate", CASSETTES)
    assert (code, out) == (PARITY, "")
    assert re.fullmatch(r"(\d+) of \1 cassettes are good\n", err)


def test_validate_tells_all_that_is_wrong_with_lines(run: Run) -> None:
    good = cassette(exchange(SSE, size=7), exchange(SSE))
    first = put(good, "a/one.yaml", **{"sha256: ": "sha256: '0000'  # ", "end: complete": "end: over"})
    length = len(SSE)
    second = put(good, "a/two.yaml", **{f"chunks: [{length}]": "chunks: [1, 2]", "at_ms: [1.0]": "at_ms: [1.0]"})
    third = put(good, "a/three.yaml")
    code, out, err = run("validate", "a")
    assert code == INPUT
    lines = out.splitlines()
    assert len(lines) == 6
    assert err == "1 of 3 cassettes are good; complaints: 6\n"
    assert not any(str(third) in line for line in lines)
    for path, pattern in ((first, "sha256|end"), (second, "chunks|at_ms")):
        text = path.read_text().splitlines()
        mine = [line for line in lines if line.startswith(f"{path}:")]
        assert len(mine) == (4 if path == first else 2)
        for line in mine:
            number, where = re.findall(rf"^{path}:(\d+): interactions\[\d\]\.stream\.({pattern}): ", line)[0]
            assert text[int(number) - 1].strip().startswith(f"{where}:")


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (
            cassette(exchange(SSE), dialect="openai-chatt"),
            "recorded.dialect: unknown dialect 'openai-chatt' (did you mean",
        ),
        (cassette(exchange(SSE), at="2026-02-30T00:00:00Z"), "recorded.at: 2026-02-30T00:00:00Z is no date"),
        (
            cassette(exchange(SSE, headers=[("Content-Length", "9999")])),
            f"stream.end: complete, with {len(SSE)} of the 9999 bytes",
        ),
        (
            cassette(exchange(SSE, end="cut", headers=[("content-length", str(len(SSE)))])),
            f"stream.end: cut, though all {len(SSE)} bytes of content-length are there",
        ),
        (
            cassette(exchange(gzip.compress(SSE)[:-9], headers=[("content-encoding", "gzip")])),
            "stream.end: complete, but the gzip of the body ends before its end mark",
        ),
        (
            cassette(exchange(gzip.compress(SSE), end="cut", headers=[("content-encoding", "gzip")])),
            "stream.end: cut, but the gzip of the body is whole",
        ),
        (cassette(exchange(SSE, headers=[("content-encoding", "gzip")])), "response.body: byte 0: is not gzip"),
        (
            cassette(
                replace(exchange(SSE, size=len(SSE) - 1), stream=Stream((len(SSE) - 1, 1), (5.0, 2.0), "complete"))
            ),
            "stream.at_ms: time runs backwards, to 2 ms",
        ),
    ],
)
def test_validate_tells_what_cannot_be(run: Run, made: Cassette, told: str) -> None:
    path = put(made)
    code, out, _ = run("validate", path)
    assert code == INPUT
    assert out.count("\n") == 1
    assert re.match(rf"{path}:\d+: (interactions\[0\]\.)?{re.escape(told)}", out)
    assert load(path) == made


@pytest.mark.parametrize("where", ["body", "gzip", "uri", "request", "header"])
def test_validate_finds_secrets_and_does_not_repeat_them(run: Run, where: str) -> None:
    secret = "sk-proj-" + "aB3dE6gH9jK2mN5pQ8sT" * 2
    for size in CUTS:
        made = exchange(SSE, size=size)
        if where == "body":
            made = exchange(SSE + f"data: {secret}\n\n".encode(), size=size)
        elif where == "gzip":
            body = gzip.compress(SSE + f"data: {secret}\n\n".encode())
            made = exchange(body, size=size, headers=[("content-encoding", "gzip")])
        elif where == "uri":
            made = replace(made, uri=f"{made.uri}?key={secret}")
        elif where == "request":
            made = replace(made, request_body=json.dumps({"stream": True, "key": secret}).encode())
        else:
            made = replace(made, request_headers=(("authorization", f"Bearer {secret}"),))
        code, out, err = run("validate", put(cassette(made)))
        assert code == INPUT
        assert "looks like a secret" in out
        assert secret[8:] not in out + err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("version: 1\n  bad: [\n", ":2: line 2, column 6: not YAML"),
        (
            "a: &a [1]\n" + "b: [" + "*a, " * 20 + "1]\n",
            ":2: line 2: not a streamparity cassette: more than 16 aliases",
        ),
        ("!!python/object/apply:os.system [true]\n", "not YAML"),
        ("", "not a streamparity cassette"),
        (
            "version: 1\nrecorded: {}\ninteractions: [{}]\n",
            ":2: recorded: not a streamparity cassette: 'dialect' is a required",
        ),
    ],
)
def test_what_is_no_cassette_is_told_in_one_line_each(run: Run, text: str, told: str) -> None:
    Path("no.yaml").write_text(text)
    code, out, _ = run("validate", "no.yaml")
    assert code == INPUT
    assert all(line.startswith("no.yaml") for line in out.splitlines())
    assert told in out
    for command in (("show", "no.yaml"), ("diff", "no.yaml", "no.yaml"), ("age", "no.yaml")):
        assert "no.yaml" in one_line(run(*command))


def test_missing_files_and_empty_folders(run: Run) -> None:
    Path("empty").mkdir()
    assert "empty: no cassettes" in one_line(run("validate", "empty"))
    assert "gone.yaml: not there" in one_line(run("validate", "gone.yaml"))
    assert "cassettes: not there" in one_line(run("validate"))
    assert "cassettes: not there" in one_line(run("age"))
    for command in (("show", "gone.yaml"), ("diff", "gone.yaml", "gone.yaml")):
        assert "gone.yaml: cannot be read (No such file or directory)" in one_line(run(*command))


def test_age_by_provider_and_provenance(run: Run) -> None:
    live = {"provenance": "live"}
    put(cassette(exchange(SSE), at="2026-01-01T00:00:00Z", **live), "c/a.yaml")
    put(cassette(exchange(SSE, size=7), at="2026-01-31T12:00:00Z", **live), "c/b.yaml")
    put(cassette(exchange(SSE, size=1), at="2025-01-01T00:00:00Z"), "c/simulated.yaml")
    now = ("--now", "2026-02-10T00:00:00Z")
    code, out, err = run("age", "c", *now)
    assert (code, err) == (PARITY, "")
    rows = [line.split() for line in out.splitlines()[1:]]
    assert rows == [
        ["openai", "live", "2", "40.0", "d", "9.5", "d"],
        ["openai", "simulator", "1", "405.0", "d", "405.0", "d"],
    ]
    assert run("age", "c", "--max-days", "40", *now)[0] == PARITY
    code, out, _ = run("age", "c", "--max-days", "39.9", *now)
    assert code == DIFFERENCE
    assert out.splitlines()[-1].startswith("c/a.yaml: recorded 2026-01-01T00:00:00Z: is older than 39.9 days (40.0 d)")
    assert "simulated.yaml" not in out
    code, out, _ = run("age", "c", "--max-days", "40", "--all", *now)
    assert code == DIFFERENCE
    assert "c/simulated.yaml" in out.splitlines()[-1]
    code, out, _ = run("age", "c", "--max-days", "400", "--now", "2026-01-15")
    assert code == DIFFERENCE
    assert "c/b.yaml: recorded 2026-01-31T12:00:00Z: is from the future" in out


def test_age_counts_from_the_clock(run: Run) -> None:
    path = put(cassette(exchange(SSE, size=7), at="2020-01-01T00:00:00Z", provenance="live"))
    assert run("age", path, "--max-days", "365")[0] == DIFFERENCE
    put(cassette(exchange(SSE), at="2026-02-30T00:00:00Z"), "odd.yaml")
    assert "odd.yaml: recorded.at: 2026-02-30T00:00:00Z is no date" in one_line(run("age", "odd.yaml"))
