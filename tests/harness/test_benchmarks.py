"""The benchmarks measure what they say: the same bytes every time, and the same work done by everyone. Nothing is timed
here."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from streamcore import Decoder, PartialJson

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.workloads import Stream

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # benchmarks/ is a folder of the checkout, not an installed package
try:
    from benchmarks import dialects, findings, framing, incremental, latency, node_peer, parts, sdks, workloads
    from benchmarks.__main__ import main
    from benchmarks.streams import MAKERS as STREAMS
    from benchmarks.streams import tell
    from benchmarks.streams.script import script
finally:
    sys.path.remove(str(ROOT))

EVENTS = 60
TEXT = [workloads.openai_text, workloads.anthropic_text]
MAKERS = [
    *(lambda make=make: make(EVENTS) for make in TEXT),
    *(lambda make=make: make(600) for make in (workloads.openai_arguments, workloads.anthropic_arguments)),
]


@pytest.mark.parametrize("make", MAKERS)
def test_a_workload_is_the_same_every_time(make: Callable[[], Stream]) -> None:
    assert make() == make()
    assert make().body.count(b"\n\n") == make().count


@pytest.mark.parametrize(("make", "size"), [(TEXT[0], 290), (TEXT[1], 122)])
def test_events_have_the_size_that_the_readme_says(make: Callable[[int], Stream], size: int) -> None:
    events = make(1000).events
    assert abs(sum(map(len, events)) / len(events) - size) < 5
    assert len(set(events)) > 20


@pytest.mark.parametrize("make", TEXT)
@pytest.mark.parametrize("size", [1, 64, 1400])
def test_every_sse_decoder_finds_every_event(make: Callable[[int], Stream], size: int) -> None:
    stream = make(EVENTS)
    chunks = workloads.cut(stream.body, size)
    decoders = {"own": framing.own, "own with text": framing.own_with_text, **framing.peers()}
    assert {name: decode(chunks) for name, decode in decoders.items()} == dict.fromkeys(decoders, stream.count)


@pytest.mark.parametrize("make", MAKERS)
def test_a_repeated_stream_has_as_many_events_and_decodes(make: Callable[[], Stream]) -> None:
    stream = make()
    assert b"".join(workloads.repeated(stream, len(stream.events), 1400)) == stream.body
    chunks = list(workloads.repeated(stream, 2 * len(stream.events) + 3, 1400))
    assert framing.own(chunks) == stream.count + len(stream.events) + 3


@pytest.mark.filterwarnings("default")  # what the SDKs warn about is theirs
@pytest.mark.parametrize(("make", "unseen"), [(TEXT[0], 1), (TEXT[1], 0)])
def test_the_python_sdks_iterate_over_every_event(make: Callable[[int], Stream], unseen: int) -> None:
    stream = make(EVENTS)
    name, iterate = parts.python_peer(stream)
    if iterate is None:
        pytest.skip(f"not installed: {name}")
    chunks = workloads.cut(stream.body, 1400)
    assert iterate(chunks) == stream.count - unseen  # openai-python keeps [DONE] to itself
    behind = sdks.over_transport(lambda source: parts.own(stream.dialect, source))
    assert behind is not None
    assert behind(chunks) == parts.own(stream.dialect, chunks) > EVENTS


@pytest.mark.node
def test_the_ai_sdk_gives_as_many_parts() -> None:
    if missing := node_peer.why_not():
        pytest.skip(missing)
    with node_peer.AiSdk() as node:
        for make in TEXT:
            stream = make(EVENTS)
            _, given = node.run(stream, 1400)
            assert sum(given.values()) == parts.own(stream.dialect, [stream.body])


def test_every_stream_is_of_a_dialect_that_is_measured() -> None:
    assert sorted(set(STREAMS) - set(dialects.measured())) == []


@pytest.mark.parametrize("name", dialects.measured())
def test_a_dialects_stream_is_sound_and_says_the_whole_script(name: str) -> None:
    told = script(EVENTS)
    stream = tell(name, told)

    assert stream == tell(name, script(EVENTS))
    assert dialects.problems(stream) == []
    decoder = Decoder(name)
    decoder.feed(stream.body)
    decoder.close()
    assert told.answer in decoder.message.text
    assert decoder.message.reasoning in ("", told.thought)
    calls = [json.loads("".join(pieces)) for pieces in told.calls]
    assert [call.input for call in decoder.message.tool_calls] in (calls, [])
    assert node_peer.said(stream)["finish"] == 1
    assert dialects.own(stream, workloads.cut(stream.body, 100)) == dialects.own(stream, [stream.body])


@pytest.mark.node
def test_the_ai_sdk_says_of_every_dialect_what_we_say() -> None:
    if missing := node_peer.why_not():
        pytest.skip(missing)
    with node_peer.AiSdk() as node:
        for name in dialects.measured():
            clock = node.clock(tell(name, script(EVENTS)), 1400, 0)
            assert clock() > 0  # which compares what was said


def test_a_script_has_all_its_pieces() -> None:
    told = script(200)
    pieces = len(told.reasoning) + len(told.text) + sum(map(len, told.calls))
    assert 180 <= pieces <= 200
    assert told.answer.startswith(told.text[0])
    assert told.thought.endswith(told.reasoning[-1])
    assert all(one != other for one, other in zip(told.text, told.text[1:], strict=False))


def test_a_bar_is_met_missed_or_not_run() -> None:
    assert findings.Bar("x", ">=", 2, "x", 2.0).verdict == "pass"
    assert findings.Bar("x", "<=", 2, "x", 2.1).verdict == "short"
    assert findings.Bar("x", "<=", 2, "x", None, "no node").verdict == "not run: no node"


@pytest.mark.parametrize("shape", incremental.SHAPES)
def test_a_json_text_is_the_same_every_time_and_is_read_whole(shape: str) -> None:
    make = incremental.SHAPES[shape]
    text = make(3000)
    assert text == make(3000)
    assert len(text) >= 3000
    pieces = incremental.deltas(text)
    assert "".join(pieces) == text
    for look in (False, True):
        incremental.feed_all(pieces, look=look)  # which checks that it is complete
    partial = PartialJson("ai")
    for piece in pieces:
        partial.feed(piece)
    assert partial.value == json.loads(text)


def test_a_large_text_is_streamed_as_it_comes() -> None:
    peak, count, characters = incremental.stream_large(100_000)
    assert peak > 0
    assert count > 50
    assert 90_000 < characters <= 100_000


def test_results_are_written_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "results.md"
    assert main(["--smoke", "--only", "linearity", "--rounds", "3", "--out", str(out)]) == 0
    assert "one open event, 64 B chunks" in capsys.readouterr().out
    assert "| tool arguments, openai-chat: time for 4 n over n | <= 5.5 x |" in out.read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("make", TEXT)
def test_many_streams_in_turns_are_each_read_whole(make: Callable[[int], Stream]) -> None:
    stream = make(20)
    (_, [alone]), (took, decoders) = (latency.in_turns(stream, streams) for streams in (1, 50))
    assert len(took) == 50 * len((*stream.opening, *stream.events, *stream.closing))
    assert min(took) > 0
    assert alone.message.complete
    assert all(decoder.message == alone.message for decoder in decoders)
