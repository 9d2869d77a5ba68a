"""``streamparity cassette diff``: bytes, frames, places in their JSON, and shapes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cassette import Interaction, load
from harness.exits import DIFFERENCE, PARITY, USAGE
from harness.inspection.comparison import first_difference, shape_of

from .inspected import CUTS, SSE, Run, cassette, exchange, put, runner


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    return runner(monkeypatch, capsys, tmp_path)


def chat(*payloads: object, size: int = 0, **more: Any) -> Interaction:
    body = b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in payloads)
    return exchange(body, size=size, **more)


def test_diff_tells_the_first_byte_and_the_places(run: Run) -> None:
    for size in CUTS:
        one = put(cassette(chat({"a": [1, {"b c": "x"}], "gone": None}, {"n": 1}, size=size)), "one.yaml")
        two = put(cassette(chat({"a": [1, {"b c": "\x1b"}], "new": True}, {"n": 1}, {"n": 2}, size=7)), "two.yaml")
        code, out, err = run("diff", one, two)
        assert (code, err) == (DIFFERENCE, "")
        bodies = [load(path).interactions[0].body for path in (one, two)]
        at = first_difference(*bodies)
        assert at == bodies[0].index(b"x")
        assert f"the first difference is byte {at} (of {len(bodies[0])} and {len(bodies[1])})" in out
        assert '~ $.a[1]["b c"]: "x" -> "\\u001b"' in out
        assert "- $.gone: null" in out
        assert "+ $.new: true" in out
        assert '+ frame 3: {"n": 2}' in out
        assert "byte" not in run("diff", one, two, "--frames")[1]
        assert "frame" not in run("diff", one, two, "--bytes")[1]


def test_diff_does_not_mind_chunks_times_and_provenance(run: Run) -> None:
    one = put(cassette(exchange(SSE, size=1)), "one.yaml")
    two = put(cassette(exchange(SSE, size=7), model="other", at="2026-02-01T00:00:00Z"), "two.yaml")
    assert run("diff", one, two) == (PARITY, "", "no difference\n")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (exchange(SSE), exchange(SSE, end="reset"), "~ end: complete -> reset"),
        (exchange(SSE), exchange(SSE, status=201), "~ status: 200 -> 201"),
        (chat({"a": 1}), chat({"a": True}), "~ $.a: 1 -> true"),
        (chat({"a": [1]}), chat({"a": [True]}), "1]}"),
        (chat({"a": 1}), exchange(b'data: {"a":1}\n\n'), "data: the first difference is byte 5 (of 8 and 7)"),
        (exchange(b"data: x\n\n"), exchange(b"data: y\n\n"), "- x"),
        (exchange(b"event: a\ndata: 1\n\n"), exchange(b"event: b\ndata: 1\n\n"), "~ event: a -> b"),
        (exchange(SSE + b"no field"), exchange(SSE, size=7), "~ in no frame: no field -> (nothing)"),
        (exchange(SSE), exchange(SSE[:-1], size=7), "~ framing: (whole) -> byte 83: the last frame has no end"),
        (exchange(SSE), exchange(SSE[:-14]), "- frame 3: [DONE]"),
        (
            exchange(b'{"error":1}', kind="application/json", status=500),
            exchange(b'{"error":2}', kind="application/json", status=500),
            "~ $.error: 1 -> 2",
        ),
        (
            exchange(b'data: {"x":' + b"[" * 900 + b"1" + b"]" * 900 + b"}\n\n"),
            exchange(b'data: {"x":' + b"[" * 900 + b"2" + b"]" * 900 + b"}\n\n"),
            "data: the first difference is byte 905 (of 1807 and 1807)",
        ),
    ],
)
def test_each_difference_is_told(run: Run, old: Interaction, new: Interaction, told: str) -> None:
    code, out, err = run("diff", put(cassette(old), "one.yaml"), put(cassette(new), "two.yaml"))
    assert (code, err) == (DIFFERENCE, "")
    assert told in out


def test_an_interaction_more_is_a_difference(run: Run) -> None:
    one, two = put(cassette(exchange(SSE)), "one.yaml"), put(cassette(exchange(SSE), exchange(SSE, size=7)), "two.yaml")
    assert "interaction 2: only in the second" in run("diff", one, two)[1]
    assert "interaction 2: only in the first" in run("diff", two, one)[1]


def test_shape_leaves_values_and_the_number_of_pieces_out(run: Run) -> None:
    for size in CUTS:
        one = put(cassette(chat({"t": "a"}, {"t": "b"}, {"u": [1, 2]}, size=size)), "one.yaml")
        two = put(cassette(chat({"t": "abc"}, {"u": [3]}, size=size)), "two.yaml")
        assert run("diff", one, two)[0] == DIFFERENCE
        assert run("diff", "--shape", one, two) == (PARITY, "", "no difference\n")
        three = put(cassette(chat({"t": "abc"}, {"u": ["3"], "v": 1}, size=size)), "three.yaml")
        code, out, _ = run("diff", "--shape", one, three)
        assert code == DIFFERENCE
        assert '~ $.u[0]: "number" -> "string"' in out
        assert '+ $.v: "number"' in out
    cut = put(cassette(chat({"t": "abc"}, {"u": [3]}, {"u": [4]}, size=7)), "cut.yaml")
    assert run("diff", "--shape", one, cut)[0] == PARITY
    body = load(cut).interactions[0].body
    put(cassette(exchange(body[:-1], size=7)), "cut.yaml")
    assert "the last frame has no end" in run("diff", "--shape", one, cut)[1]
    code, _, err = run("diff", "--shape", "--bytes", one, two)
    assert code == USAGE
    assert "choose one" in err


def test_shape_of_every_kind_of_value() -> None:
    value = {"a": [1, 2.5, "x", None, True, {"b": 1}, {"b": 2}], "c": {}}
    assert shape_of(value) == {"a": ["boolean", "null", "number", "string", {"b": "number"}], "c": {}}


def test_first_difference() -> None:
    assert first_difference(b"", b"") is None
    for size in range(1, 20):
        body = bytes(range(size))
        assert first_difference(body, body) is None
        assert first_difference(body, body + b"x") == size
        for at in range(size):
            assert first_difference(body, body[:at] + b"\xff" + body[at + 1 :]) == at
