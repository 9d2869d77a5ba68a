"""``streamparity cassette show``: all of a recording, whatever is in it, as text that can be printed anywhere."""

from __future__ import annotations

import gzip
import io
import json
import re
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import pytest

from harness.case import StreamEnd
from harness.cassette import Stream
from harness.exits import PARITY
from harness.inspection.frames import decoded, framed
from harness.inspection.text import fitted, plain, readable, write
from harness.record.eventstream import damaged, event

from .inspected import CUTS, FRAMINGS, MESSAGES, SSE, Run, cassette, exchange, one_line, pieces, put, runner

CASSETTES = Path(__file__).parents[2] / "cassettes"
COMMITTED = [path for path in sorted(CASSETTES.glob("*/*.yaml")) if path.parent.name != "hazards"]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    return runner(monkeypatch, capsys, tmp_path)


@pytest.mark.parametrize("size", CUTS)
@pytest.mark.parametrize(("framing", "dialect", "kind", "body", "said"), FRAMINGS, ids=[row[0] for row in FRAMINGS])
def test_show_prints_each_frame_with_its_bytes_and_time(
    run: Run, framing: str, dialect: str, kind: str, body: bytes, said: list[str], size: int
) -> None:
    path = put(cassette(exchange(body, size=size, kind=kind), dialect=dialect))
    code, out, err = run("show", path)
    assert (code, err) == (PARITY, "")
    assert f"({framing})" in out
    rows = re.findall(r"^ +(\d+|open) +(\d+)\.\.(\d+) +(\d+)(?:-(\d+))? +(\d+)  (.*)$", out, re.MULTILINE)
    assert [row[-1] for row in rows] == said
    at = 0
    for _, start, end, first, last, ms, _ in rows:
        assert int(start) == at < int(end)
        at = int(end)
        assert framing != "sse" or body[:at].endswith((b"\n\n", b"\r\n"))
        step = size or len(body)
        assert int(first) == int(start) // step + 1
        assert int(last or first) == int(ms) == (at - 1) // step + 1
    assert at == len(body) - (framing == "jsonarray")


def test_show_tells_what_else_is_in_an_event(run: Run) -> None:
    for size in CUTS:
        _, out, _ = run("show", put(cassette(exchange(SSE, size=size))))
        assert "id: 7" in out
        assert ": hello" in out
        assert "ping  " in out


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (MESSAGES[:-3], "checksums: prelude good; the message has"),
        (MESSAGES[:-3], "the body ends inside a message"),
        (MESSAGES + b"\0\0", "checksums: 2 of the 12 bytes of a prelude are there"),
        (damaged(MESSAGES, "payload"), "checksums: prelude good, message wrong (says "),
        (damaged(MESSAGES, "prelude"), "checksums: prelude wrong (says "),
    ],
)
def test_show_tells_the_state_of_checksums(run: Run, body: bytes, told: str) -> None:
    kind = "application/vnd.amazon.eventstream"
    for size in CUTS:
        made = exchange(body, size=size, kind=kind, end="cut")
        code, out, _ = run("show", put(cassette(made, dialect="bedrock-converse-stream")))
        assert code == PARITY
        assert told in out
        assert "CUT: the peer closed early" in out


def test_show_unwraps_what_bedrock_wraps(run: Run) -> None:
    body = event("chunk", json.dumps({"bytes": b64encode(b'{"hi":"\xc3\xa9"}').decode()}).encode())
    for size in CUTS:
        made = exchange(body, size=size, kind="application/vnd.amazon.eventstream")
        _, out, _ = run("show", put(cassette(made, dialect="bedrock-invoke-with-response-stream")))
        assert 'bytes: {"hi":"é"}' in out


@pytest.mark.parametrize("end", ["cut", "reset", "timeout"])
def test_show_tells_how_a_stream_broke(run: Run, end: StreamEnd) -> None:
    for size in CUTS:
        _, out, _ = run("show", put(cassette(exchange(SSE[:-5], size=size, end=end))))
        assert end.upper() in out
        assert re.search(r"^ +open .*  \[DO$", out, re.MULTILINE)
        assert "the last frame has no end" in out


def test_show_by_chunks_prints_every_byte_once(run: Run) -> None:
    for size in (1, 7):
        _, out, _ = run("show", put(cassette(exchange(SSE, size=size))), "--chunks")
        rows = re.findall(r"^ +\d+ +\d+\.\.\d+ +\d+  (.*)$", out, re.MULTILINE)
        assert len(rows) == len(pieces(SSE, size))
        assert "".join(rows).count("⟨LF⟩") == SSE.count(b"\n")
    assert "⟨E2⟩" in run("show", put(cassette(exchange(SSE, size=1))), "--chunks")[1]


def test_show_says_when_chunks_were_not_kept(run: Run) -> None:
    made = exchange(SSE)
    made = replace(made, stream=Stream((), (), "complete"))
    path = put(cassette(made))
    assert "chunks not kept" in run("show", path)[1]
    assert "chunks were not kept" in run("show", path, "--chunks")[1]


def test_show_undoes_content_codings_and_keeps_the_numbers_of_chunks(run: Run) -> None:
    body = gzip.compress(SSE, mtime=0)
    for size in CUTS:
        made = exchange(body, size=size, headers=[("content-encoding", "gzip")])
        _, out, _ = run("show", put(cassette(made)))
        assert '{"a":1}' in out
        step = size or len(body)
        assert all(int(chunk) <= (len(body) - 1) // step + 1 for chunk in re.findall(r"\.\.\d+ +(?:\d+-)?(\d+) ", out))
    broken = exchange(b"\x1f\x8bno", headers=[("content-encoding", "gzip")])
    code, out, _ = run("show", put(cassette(broken)))
    assert code == PARITY
    assert "the body cannot be decoded: is not gzip" in out


def test_show_an_error_body_and_one_interaction_of_two(run: Run) -> None:
    refused = exchange(b'{"error":"slow down"}', kind="application/json", status=429)
    path = put(cassette(exchange(SSE, size=7), refused))
    _, out, _ = run("show", path, "--interaction", 2)
    assert "429" in out
    assert '{"error":"slow down"}' in out
    assert "[DONE]" not in out
    assert "has 2 interactions, and no number 3" in one_line(run("show", path, "--interaction", 3))


HOSTILE = "\x1b]0;owned\x07\x1b[31m[red]x[/red]\u202e"


def test_hostile_text_stays_text(run: Run) -> None:
    for size in CUTS:
        body = f"event: {HOSTILE}\ndata: {HOSTILE}\n: {HOSTILE}\n\n".encode()
        made = exchange(body, size=size, headers=[("x-odd", HOSTILE)])
        path = put(cassette(made, model=HOSTILE, provider=HOSTILE), name=f"a\x1b[2J{size}.yaml")
        other = put(cassette(exchange(body + b"data: x\n\n", size=size), model=HOSTILE), name="b.yaml")
        for arguments in (
            ("show", path),
            ("show", path, "--chunks"),
            ("diff", path, other),
            ("age", path),
            ("validate", path),
        ):
            _, out, err = run(*arguments)
            assert out.replace("\n", "").isprintable()
            assert err.replace("\n", "").isprintable()
        assert out == ""
        assert "[red]x[/red]" in run("show", path)[1]


def test_a_terminal_gets_styles_and_hostile_text_is_still_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    write([(("[red]x[/red] :smile:", "bold red"),)], plainly := Terminal())
    assert plainly.getvalue() == "[red]x[/red] :smile:\n"
    monkeypatch.delenv("NO_COLOR")
    write([(("[red]x[/red] :smile:", "bold red"),)], styled := Terminal())
    assert "\x1b[" in styled.getvalue()
    assert "[red]x[/red] :smile:" in styled.getvalue()


def test_an_encoding_that_cannot_say_it_gets_escapes() -> None:
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="ascii")
    write([(("é⟨LF⟩😀", ""),)], stream)
    stream.flush()
    assert written.getvalue() == rb"\u00e9\u27e8LF\u27e9\ud83d\ude00" + b"\n"


@pytest.mark.parametrize("width", [20, 31, 80])
def test_width_is_kept_and_what_is_left_out_is_counted(run: Run, width: int) -> None:
    path = put(cassette(exchange(b"data: " + "你好".encode() * 100 + b"\n\n", size=7)))
    whole, cut = run("show", path, "--width", 0)[1].splitlines(), run("show", path, "--width", width)[1].splitlines()
    assert len(whole) == len(cut)
    assert max(map(len, whole)) > 200
    for long, short in zip(whole, cut, strict=True):
        kept, _, hidden = short.partition("... (+")
        assert long.startswith(kept)
        if hidden:
            assert len(kept) + int(hidden[:-1]) == len(long)
    assert plain(fitted((("你好你好你好你好你好你好", ""),), 20)) == "你好你好... (+8)"


def test_readable_keeps_bytes_that_are_no_characters() -> None:
    assert readable("é\u200d\n".encode() + b"\xf0\x9f" + b"\xed\xa0\x80") == "é⟨ZWJ⟩⟨LF⟩⟨F0⟩⟨9F⟩⟨ED⟩⟨A0⟩⟨80⟩"


def test_every_committed_cassette_can_be_shown_and_is_like_itself(run: Run) -> None:
    for path in COMMITTED[::9]:
        for view in ("--frames", "--chunks"):
            code, out, err = run("show", path, view)
            assert (code, err) == (PARITY, "")
            assert out.replace("\n", "").isprintable()
        assert run("diff", path, path) == (PARITY, "", "no difference\n")


def test_the_frames_of_a_body_do_not_depend_on_its_chunks() -> None:
    for framing, _, kind, body, said in FRAMINGS:
        found = [framed(decoded(exchange(body, size=size, kind=kind)), framing) for size in CUTS]
        assert len({tuple((one.start, one.end, one.data, one.notes) for one in each.frames) for each in found}) == 1
        assert len(found[0].frames) + (found[0].unterminated is not None) == len(said)


def test_an_unknown_dialect_is_framed_as_its_content_type_says(run: Run) -> None:
    for framing, _, kind, body, said in FRAMINGS:
        made = exchange(body, size=7, kind=f"{kind}; charset=utf-8")
        made = replace(made, uri="http://simulator.invalid/stream")
        _, out, _ = run("show", put(cassette(made, dialect="nobody-knows")))
        assert f"({framing})" in out
        assert all(one in out for one in said)


@pytest.mark.parametrize("command", ["", "show", "validate", "diff", "age"])
def test_help_teaches(run: Run, command: str) -> None:
    code, out, _ = run(*command.split(), "--help")
    assert code == PARITY
    assert not command or ("Examples:" in out and "Exit codes:" in out)


def test_help_can_be_printed_in_any_encoding(run: Run) -> None:
    for command in ("show", "validate", "diff", "age"):
        assert run(command, "--help")[1].isascii()


def test_complaints_hold_no_controls(run: Run) -> None:
    for size in CUTS:
        edits = {"accept: ": '"\\e[31m": [1]\n      accept: '}
        path = put(cassette(exchange(SSE, size=size)), "a\x1b.yaml", **edits)
        for command in (("show", path), ("diff", path, path), ("age", path)):
            complaint = one_line(run(*command))
            assert complaint.isprintable()
            assert (
                "a⟨ESC⟩.yaml: interactions[0].request.headers['⟨ESC⟩[31m'][0]: not a streamparity cassette" in complaint
            )
