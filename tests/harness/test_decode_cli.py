"""``streamparity decode`` from the outside."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import cli
from harness.cassette import load
from harness.exits import INPUT, PARITY, USAGE

REPOSITORY = Path(__file__).parents[2]
CASSETTES = REPOSITORY / "cassettes"
GOLDEN = REPOSITORY / "golden"

Answer = tuple[int, str, str]
Run = Callable[..., Answer]

CHAT = (
    'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"Hé"}}]}\n\n'
    'data: {"choices":[{"index":0,"delta":{"content":"😀"}}]}\r\n\r\n'
    'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
).encode()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """``decode`` in this process, in an empty folder: (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, stdin: bytes = b"") -> Answer:
        monkeypatch.setattr(sys, "argv", ["streamparity", "decode", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    return run


def lines(answer: Answer) -> list[str]:
    """What was printed by a command that had nothing to complain about."""
    code, out, err = answer
    assert (code, err) == (PARITY, "")
    return out.splitlines()


def summaries(answer: Answer) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines(answer)]


def one_line(answer: Answer, code: int) -> str:
    """The complaint on stderr, with nothing on stdout."""
    found, out, err = answer
    assert (found, out) == (code, "")
    assert "Traceback" not in err
    if code != USAGE:
        assert err.count("\n") == 1
    return err.splitlines()[-1]


@pytest.mark.parametrize(
    ("case", "reference"),
    [
        ("openai-chat/text", "ai.openai.chat"),
        ("openai-chat/parallel-tools", "ai.openai.chat"),
        ("anthropic-messages/unicode", "ai.anthropic"),
        ("anthropic-messages/thinking-then-tool", "ai.anthropic"),
    ],
)
def test_a_cassettes_trace_is_its_golden(run: Run, case: str, reference: str) -> None:
    golden = (GOLDEN / f"{case}.{reference}.ndjson").read_text().splitlines()

    printed = lines(run(str(CASSETTES / f"{case}.yaml")))

    assert printed[1:] == golden[1:]
    assert json.loads(printed[0]) == {**json.loads(golden[0]), "ref": "streamcore"}


@pytest.mark.parametrize("case", ["openai-chat/crlf", "anthropic-messages/pings"])
def test_dialect_sse_stops_after_the_framing(run: Run, case: str) -> None:
    golden = (GOLDEN / f"{case}.sse.ndjson").read_text().splitlines()
    cassette = CASSETTES / f"{case}.yaml"
    Path("raw.body").write_bytes(load(cassette).interactions[0].body)

    assert lines(run("--dialect", "sse", str(cassette)))[1:] == golden[1:]
    assert lines(run("--dialect", "sse", "raw.body"))[1:] == golden[1:]


def test_frames_have_the_keys_that_their_blocks_have(run: Run) -> None:
    body = b"data: a\ndata:b\n\nevent: x\nid: 1\ndata: \xc3\xa9\n\nevent:\ndata: c\n\n:only a comment\n\ndata: cut"

    assert lines(run("--dialect", "sse", stdin=body))[1:] == [
        '["frame",{"data":"a\\nb"}]',
        '["frame",{"data":"\\u00e9","event":"x","id":"1"}]',
        '["frame",{"data":"c"}]',
        '{"end":"ok"}',
    ]


TRACE = [
    '["stream-start",{"warnings":[]}]',
    '["text-start",{"id":"0"}]',
    '["text-delta",{"delta":"H\\u00e9","id":"0"}]',
    '["text-delta",{"delta":"\\ud83d\\ude00","id":"0"}]',
    '["text-end",{"id":"0"}]',
]


def test_a_raw_body_a_cassette_and_stdin_say_the_same(run: Run) -> None:
    Path("a.body").write_bytes(CHAT)

    from_file = lines(run("--dialect", "openai-chat", "a.body"))

    assert from_file[1:6] == TRACE
    assert from_file[-1] == '{"end":"ok"}'
    assert lines(run("--dialect", "openai-chat", "-", stdin=CHAT)) == from_file
    assert lines(run("--dialect", "openai-chat", stdin=CHAT)) == from_file


@pytest.mark.parametrize("case", ["openai-chat/unicode", "anthropic-messages/parallel-tools", "openai-chat/cut-mid-arguments"])
@pytest.mark.parametrize("options", [(), ("--summary",), ("--dialect", "sse")], ids="trace summary frames".split())
def test_the_output_does_not_depend_on_chunks(run: Run, case: str, options: tuple[str, ...]) -> None:
    file = str(CASSETTES / f"{case}.yaml")

    whole = lines(run(*options, "--chunks", "whole", file))

    assert whole
    for chunks in ("bytes", "1", "7", "999999"):
        assert lines(run(*options, "--chunks", chunks, file)) == whole
    assert lines(run(*options, file)) == whole


def test_the_chunks_are_really_cut(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from streamcore import Decoder

    fed: list[int] = []
    feed = Decoder.feed
    monkeypatch.setattr(Decoder, "feed", lambda self, chunk: fed.append(len(chunk)) or feed(self, chunk))

    lines(run("--dialect", "openai-chat", "--chunks", "100", stdin=CHAT))

    assert fed == [100] * (len(CHAT) // 100) + [len(CHAT) % 100]


def test_several_files_come_one_after_the_other(run: Run) -> None:
    files = [str(CASSETTES / "openai-chat" / f"{name}.yaml") for name in ("text", "tool")]

    assert lines(run(*files)) == lines(run(files[0])) + lines(run(files[1]))
    assert [one["file"] for one in summaries(run("--summary", *files))] == files


def test_the_summary_of_a_text(run: Run) -> None:
    Path("a.body").write_bytes(CHAT)

    (line,) = lines(run("--dialect", "openai-chat", "--summary", "a.body"))

    assert json.loads(line) == {
        "file": "a.body",
        "text": "Hé😀",
        "reasoning": "",
        "tools": [],
        "finish": {"unified": "stop", "raw": "stop"},
        "error": None,
        "warnings": [],
    }
    assert list(json.loads(line)) == ["file", "text", "reasoning", "tools", "finish", "error", "warnings"]


def test_the_summary_of_reasoning_and_a_tool_call(run: Run) -> None:
    (said,) = summaries(run("--summary", str(CASSETTES / "anthropic-messages" / "thinking-then-tool.yaml")))
    golden = (GOLDEN / "anthropic-messages" / "thinking-then-tool.anthropic.ndjson").read_text().splitlines()
    content = json.loads(golden[-1])["final"]["content"]

    (thinking,) = [block["thinking"] for block in content if block["type"] == "thinking"]
    (tool,) = [block for block in content if block["type"] == "tool_use"]
    assert said["reasoning"] == thinking
    assert [(call["id"], call["name"], json.loads(call["args"]), call["complete"]) for call in said["tools"]] == [
        (tool["id"], tool["name"], tool["input"], True)
    ]
    assert said["finish"] == {"unified": "tool-calls", "raw": "tool_use"}


def test_the_summary_of_a_cut_call_is_not_complete(run: Run) -> None:
    (said,) = summaries(run("--summary", str(CASSETTES / "openai-chat" / "cut-mid-arguments.yaml")))

    (call,) = said["tools"]
    assert (call["complete"], said["finish"]) == (False, {"unified": "error", "raw": None})
    assert said["error"] == {"kind": "incomplete_stream", "stage": "close"}
    with pytest.raises(json.JSONDecodeError):
        json.loads(call["args"])


def test_the_summary_of_a_providers_error_and_of_a_warning(run: Run) -> None:
    first, unknown = summaries(
        run("--summary", *(str(CASSETTES / "anthropic-messages" / f"{name}.yaml") for name in ("error-first", "unknown-event")))
    )

    assert first["error"] == {"kind": "provider", "stage": "open"}
    assert unknown["error"] is None
    assert unknown["warnings"] == ["unknown_event"]


def test_policy_strict_takes_an_unterminated_event_for_a_cut_stream(run: Run) -> None:
    body = CHAT.removesuffix(b"data: [DONE]\n\n").rstrip(b"\n")
    base = ("--dialect", "openai-chat", "--summary")

    (lenient,) = summaries(run(*base, stdin=body))
    (strict,) = summaries(run(*base, "--policy", "strict", stdin=body))

    assert (lenient["finish"]["raw"], lenient["error"]) == ("stop", None)
    assert lenient["warnings"] == ["unterminated_event", "missing_done"]
    assert strict["error"] == {"kind": "incomplete_stream", "stage": "close"}


def test_an_empty_body_is_an_incomplete_stream(run: Run) -> None:
    (said,) = summaries(run("--dialect", "openai-chat", "--summary", stdin=b""))

    assert said["error"] is not None
    assert said["error"]["kind"] == "incomplete_stream"


def test_an_unknown_dialect_is_a_usage_error(run: Run) -> None:
    Path("a.body").write_bytes(CHAT)

    message = one_line(run("--dialect", "open-chat", "a.body"), USAGE)

    told, known = message.split("; known: ")
    assert told == "Error: Invalid value for --dialect: unknown dialect 'open-chat' (did you mean openai-chat?)"
    assert {"sse", "anthropic-messages", "openai-chat"} <= set(known.split(", "))


@pytest.mark.parametrize("chunks", ["0", "-1", "all", "1.5", "²", ""])
def test_chunks_that_are_no_way_of_cutting(run: Run, chunks: str) -> None:
    message = one_line(run("--dialect", "sse", "--chunks", chunks, stdin=CHAT), USAGE)

    assert message == f"Error: Invalid value for --chunks: {chunks}: write whole, bytes, or a number of bytes"


def test_an_unknown_policy_is_a_usage_error(run: Run) -> None:
    assert "'nope' is not one of 'lenient', 'strict'" in one_line(run("--policy", "nope"), USAGE)


@pytest.mark.parametrize("file", ["nope.body", "nope.yaml"])
def test_a_missing_file(run: Run, file: str) -> None:
    message = one_line(run("--dialect", "openai-chat", file), INPUT)

    assert message.startswith(f"streamparity: {file}: ")
    assert "No such file or directory" in message


def test_a_folder_is_no_file(run: Run) -> None:
    Path("folder").mkdir()

    assert one_line(run("--dialect", "sse", "folder"), INPUT) == "streamparity: folder: Is a directory"


def test_a_raw_body_does_not_say_its_dialect(run: Run) -> None:
    Path("a.body").write_bytes(CHAT)

    message = one_line(run("a.body"), INPUT)
    assert message.startswith("streamparity: a.body: a raw body does not say what it is; add --dialect (")
    assert "openai-chat" in message


def test_a_cassette_that_cannot_be_used(run: Run) -> None:
    text = (CASSETTES / "openai-chat" / "text.yaml").read_text()
    Path("other.yaml").write_text(text.replace("dialect: openai-chat", "dialect: cohere-chat"))
    Path("hash.yaml").write_text(text.replace("Hello!", "Hallo!"))
    Path("not.yml").write_text("- [")

    assert one_line(run("other.yaml"), INPUT).startswith(
        "streamparity: other.yaml: recorded.dialect: unknown dialect 'cohere-chat' (did you mean "
    )
    assert "hash.yaml: interactions[0].stream.sha256: wrong hash" in one_line(run("hash.yaml"), INPUT)
    assert ": not YAML: " in one_line(run("not.yml"), INPUT)
    # Another dialect can be asked for, as long as the cassette itself is sound.
    assert lines(run("--dialect", "openai-chat", "other.yaml"))[-1] == '{"end":"ok"}'


def test_as_a_process_in_a_pipe() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "harness.cli", "decode", "--dialect", "openai-chat", "--summary", "--chunks", "bytes", "-"],
        env={"PYTHONPATH": str(REPOSITORY), "PATH": ""},
        input=CHAT,
        capture_output=True,
        check=False,
    )

    assert (answer.returncode, answer.stderr) == (PARITY, b"")
    assert json.loads(answer.stdout)["text"] == "Hé😀"


def test_as_a_process_whose_stdin_is_closed_or_whose_stdout_is_not_utf8() -> None:
    command = f"{sys.executable} -m harness.cli decode --dialect openai-chat --summary"
    shown = {"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin", "PYTHONIOENCODING": "latin-1"}
    closed = subprocess.run(["sh", "-c", f"{command} <&-"], env=shown, capture_output=True, check=False)
    assert (closed.returncode, closed.stdout) == (INPUT, b"")
    assert closed.stderr == b"streamparity: -: standard input is closed; name a file, or write one to the pipe\n"
    answer = subprocess.run(["sh", "-c", f"{command} -"], env=shown, input=CHAT, capture_output=True, check=False)
    assert (answer.returncode, answer.stderr) == (PARITY, b"")
    assert json.loads(answer.stdout.decode())["text"] == "Hé😀"
