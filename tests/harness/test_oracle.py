"""The oracle: what it makes of small streams, and what happens when it cannot."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness import oracle as oracle_module
from harness.oracle import Answer, Oracle, OracleError, find_node, oracle_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOLDER = Path(__file__).parents[2] / "golden" / "oracle"
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="needs Node 20")
needs_sdks = pytest.mark.skipif(
    shutil.which("node") is None or not (FOLDER / "node_modules").is_dir(),
    reason="needs Node 20 and `npm ci --ignore-scripts` in golden/oracle",
)


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    with Oracle(FOLDER) as running:
        yield running


def sse(*payloads: object, event: bool = False) -> bytes:
    """An SSE body; dicts become JSON, with their ``type`` as the event name if ``event``."""
    frames = []
    for payload in payloads:
        data = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
        name = f"event: {payload['type']}\n" if event and isinstance(payload, dict) else ""
        frames.append(f"{name}data: {data}\n\n")
    return "".join(frames).encode()


def chunk(delta: dict[str, Any], finish: str | None = None, index: int = 0) -> dict[str, Any]:
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def made(oracle: Oracle, body: bytes, reference: str) -> list[Any]:
    """The golden without its header, parsed."""
    (answer,) = oracle.run([("x", body, reference)])
    assert (answer.varies, answer.failed) == ("", "")
    header = json.loads(answer.lines[0])
    assert (header["ref"], header["v"], len(header["body"])) == (reference, 1, 64)
    return [json.loads(line) for line in answer.lines[1:]]


HELLO = chunk({"role": "assistant", "content": "Hé"})
MESSAGE_START = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "c",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 1},
    },
}
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "busy", "details": {"n": 1}}}


@needs_sdks
def test_sse_gives_a_line_a_frame(oracle: Oracle) -> None:
    body = b": note\nretry: 5\nid: 7\nevent: ping\ndata: a\ndata: b\n\nevent:\ndata: \xc3\xa9\n\ndata: lost"

    assert made(oracle, body, "sse") == [
        ["frame", {"data": "a\nb", "event": "ping", "id": "7"}],
        ["frame", {"data": "é"}],
        {"end": "ok"},
    ]


@needs_sdks
def test_an_openai_stream_gives_parts_and_a_message(oracle: Oracle) -> None:
    body = sse(HELLO, chunk({}, "stop"), "[DONE]")

    parts = made(oracle, body, "ai.openai.chat")
    (end,) = made(oracle, body, "openai.chat")

    assert [part[0] for part in parts[:-1]] == [
        "stream-start",
        "response-metadata",
        "text-start",
        "text-delta",
        "text-end",
        "finish",
    ]
    assert parts[0] == ["stream-start", {"warnings": []}]
    assert parts[1][1]["timestamp"] == "1970-01-01T00:00:01.000Z"
    assert parts[3] == ["text-delta", {"delta": "Hé", "id": "0"}]
    assert parts[-1] == {"end": "ok"}
    assert end["end"] == "ok"
    assert end["final"]["choices"][0]["message"]["content"] == "Hé"


@needs_sdks
def test_ids_that_an_sdk_makes_up_are_numbered(oracle: Oracle) -> None:
    call = {"index": 0, "type": "function", "function": {"name": "f", "arguments": "{}"}}
    body = sse(chunk({"role": "assistant", "tool_calls": [call]}, "tool_calls"))

    parts = made(oracle, body, "ai.openai.chat")
    (end,) = made(oracle, body, "openai.chat")

    assert ["tool-call", {"input": "{}", "toolCallId": "$gen:0", "toolName": "f"}] in parts
    assert end["final"]["choices"][0]["message"]["tool_calls"][0]["id"] == "$gen:0"
    assert end["final"]["id"] == "chatcmpl-1"


ERRORS: list[tuple[str, bytes, str, dict[str, Any]]] = [
    (
        "provider error first",
        sse({"error": {"message": "no", "type": "t", "status": 3}}),
        "ai.openai.chat",
        {"kind": "provider", "payload": {"message": "no", "type": "t", "status": 3}, "stage": "open"},
    ),
    (
        "provider error first, native",
        sse({"error": {"message": "no", "type": "t", "status": 3}}),
        "openai.chat",
        {"kind": "provider", "payload": {"message": "no", "type": "t", "status": 3}, "stage": "open"},
    ),
    (
        "broken JSON, native",
        sse(HELLO, "{oops"),
        "openai.chat",
        {"kind": "malformed_json", "payload": "{oops", "stage": "stream"},
    ),
    ("no finish, native", sse(HELLO), "openai.chat", {"kind": "state", "stage": "close"}),
    ("empty body, native", b"", "openai.chat", {"kind": "state", "stage": "close"}),
    (
        "a call without a name",
        sse(HELLO, chunk({"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"arguments": ""}}]})),
        "ai.openai.chat",
        {"kind": "state", "stage": "stream"},
    ),
    (
        "overloaded first",
        sse(OVERLOADED, event=True),
        "ai.anthropic",
        {"kind": "provider", "payload": OVERLOADED["error"], "stage": "open"},
    ),
    (
        "overloaded mid-stream, native",
        sse(MESSAGE_START, OVERLOADED, event=True),
        "anthropic",
        {"kind": "provider", "payload": OVERLOADED["error"], "stage": "stream"},
    ),
    (
        "text instead of an error object",
        b"event: error\ndata: overloaded\n\n",
        "ai.anthropic",
        {"kind": "malformed_json", "payload": "overloaded", "stage": "open"},
    ),
    (
        "an unknown event first",
        sse({"type": "surprise"}, event=True),
        "ai.anthropic",
        {"kind": "invalid_payload", "payload": {"type": "surprise"}, "stage": "open"},
    ),
    ("cut", sse(MESSAGE_START, event=True), "anthropic", {"kind": "state", "stage": "close"}),
]


@needs_sdks
@pytest.mark.parametrize(("_", "body", "reference", "error"), ERRORS, ids=[name for name, *_ in ERRORS])
def test_a_stream_that_fails_ends_with_kind_stage_and_payload(
    oracle: Oracle, _: str, body: bytes, reference: str, error: dict[str, Any]
) -> None:
    assert made(oracle, body, reference)[-1] == {"end": "error", "error": error}


@needs_sdks
@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"error": {"message": "no", "extra": [1]}}, {"kind": "provider", "payload": {"message": "no", "extra": [1]}}),
        ("{oops", {"kind": "malformed_json", "payload": "{oops"}),
        ("42", {"kind": "invalid_payload", "payload": 42}),
    ],
    ids=["provider", "malformed", "invalid"],
)
def test_an_error_part_says_what_the_wire_said(oracle: Oracle, data: object, error: dict[str, Any]) -> None:
    parts = made(oracle, sse(HELLO, data), "ai.openai.chat")

    assert ["error", {**error, "stage": "stream"}] in parts
    assert parts[-1] == {"end": "ok"}


@needs_sdks
def test_input_that_cannot_be_read_is_no_final_message(oracle: Oracle) -> None:
    call = {"type": "tool_use", "id": "t", "name": "n", "input": {}}
    delta = {"type": "input_json_delta", "partial_json": '{"a": oops'}
    start = {"type": "content_block_start", "index": 0, "content_block": call}
    never_stopped = {"type": "content_block_delta", "index": 0, "delta": delta}
    body = sse(MESSAGE_START, start, never_stopped, {"type": "message_stop"}, event=True)

    assert made(oracle, body, "anthropic") == [{"end": "error", "error": {"kind": "state", "stage": "close"}}]


@needs_sdks
def test_a_reference_that_depends_on_the_chunking_is_reported(oracle: Oracle) -> None:
    # eventsource-parser 3.1.1 takes these three characters for a byte order mark, but only if they come in one piece.
    body = "\u00ef\u00bb\u00bfdata: x\n\n".encode()

    (answer,) = oracle.run([("x", body, "sse")])

    assert answer.varies.startswith("line 2 depends on the chunking:")
    assert '["frame",{"data":"x"}] whole' in answer.varies


@needs_sdks
def test_answers_come_in_order_whatever_their_cost_and_are_the_same_every_time(oracle: Oracle) -> None:
    long = sse(*[chunk({"role": "assistant", "content": "word "})] * 60, chunk({}, "stop"))
    bodies = [long if number % 3 == 0 else sse(chunk({"content": str(number)}, "stop")) for number in range(9)]
    requests = [(str(number), body, "ai.openai.chat") for number, body in enumerate(bodies)]

    first = list(oracle.run(requests))
    with Oracle(FOLDER, workers=1) as alone:
        second = list(alone.run(reversed(requests)))

    assert all(f'"delta":"{number}"' in "".join(answer.lines) for number, answer in enumerate(first) if number % 3)
    assert first == second[::-1]


@needs_sdks
def test_the_environment_does_not_reach_the_sdks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "not an address")
    monkeypatch.setenv("NODE_OPTIONS", "--no-such-option")
    with Oracle(FOLDER, workers=1) as running:
        assert made(running, sse(HELLO, chunk({}, "stop")), "openai.chat")[0]["end"] == "ok"


@needs_sdks
def test_an_unknown_reference_is_refused(oracle: Oracle) -> None:
    with pytest.raises(OracleError, match=r'x: the oracle refused the request: unknown reference "ai\.nobody"'):
        list(oracle.run([("x", b"", "ai.nobody")]))


@needs_sdks
def test_a_run_that_takes_too_long_is_reported_and_the_next_one_works() -> None:
    slow = sse(*[chunk({"role": "assistant", "content": "word " * 20})] * 300)
    with Oracle(FOLDER, workers=1, time_limit_s=0.05) as running:
        (late,) = running.run([("slow", slow, "openai.chat")])
        assert (late.lines, late.failed[:19]) == ((), "did not end in time")
        running._time_limit_s = 60
        assert made(running, b"data: x\n\n", "sse") == [["frame", {"data": "x"}], {"end": "ok"}]


FAKE = """
import { createInterface } from 'node:readline';
const say = (x) => console.log(JSON.stringify(x));
for await (const line of createInterface({ input: process.stdin })) {
  const { op, id, ref } = JSON.parse(line);
  if (op === 'hello') say({ op, v: 1, node: process.version, sdks: { sdk: VERSION }, references: [] });
  else if (id === 'loop') for (;;);
  else if (id === 'sleep') await new Promise(() => { setInterval(() => {}, 1000); });
  else if (id === 'die') { console.error('first\\nRangeError: no more\\n    at x'); process.exit(1); }
  else say({ op, id, ref, lines: [id], varies: false });
}
"""


@pytest.fixture
def fake(tmp_path: Path) -> Callable[..., Path]:
    """Makes an oracle folder whose program hangs or dies when it is told to."""

    def make(program: str = FAKE, installed: str = "1.0.0") -> Path:
        (tmp_path / "node_modules").mkdir()
        (tmp_path / "package.json").write_text('{"type": "module", "dependencies": {"sdk": "1.0.0"}}')
        (tmp_path / "oracle.mjs").write_text(program.replace("VERSION", json.dumps(installed)))
        return tmp_path

    return make


@needs_node
@pytest.mark.parametrize("how", ["loop", "sleep"])
def test_a_program_that_hangs_is_ended_and_started_again(
    how: str, fake: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oracle_module, "GRACE_S", 0.2)
    with Oracle(fake(), workers=1, time_limit_s=0.3) as running:
        answers = list(running.run([("a", b"", "sse"), (how, b"", "sse"), ("b", b"", "sse")]))

    assert answers == [Answer("sse", ("a",)), Answer("sse", failed="no answer in 0.3 s"), Answer("sse", ("b",))]


@needs_node
def test_a_program_that_dies_says_why_and_is_started_again(fake: Callable[..., Path]) -> None:
    with Oracle(fake(), workers=1) as running:
        answers = list(running.run([("die", b"", "sse"), ("b", b"", "sse")]))

    assert answers == [Answer("sse", failed="the oracle stopped: RangeError: no more"), Answer("sse", ("b",))]


@needs_node
def test_other_versions_than_wanted_are_named_with_the_command(fake: Callable[..., Path]) -> None:
    with pytest.raises(OracleError, match=r"sdk 1\.0\.0 is wanted, 1\.0\.1 is installed: run `npm ci --ignore"):
        Oracle(fake(installed="1.0.1"))


@needs_node
def test_a_missing_package_is_named_with_the_command(fake: Callable[..., Path]) -> None:
    with pytest.raises(OracleError, match=r"Cannot find package 'openai'.*`npm ci --ignore-scripts`"):
        Oracle(fake(program="import 'openai';"))


@needs_node
def test_a_program_of_another_version_is_refused(fake: Callable[..., Path]) -> None:
    with pytest.raises(OracleError, match="does not speak version 1 of the protocol"):
        Oracle(fake(program=FAKE.replace("v: 1", "v: 2")))


@needs_node
def test_sdks_that_were_never_installed_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(OracleError, match="the SDKs are not installed: run `npm ci --ignore-scripts` in "):
        Oracle(tmp_path)


def test_no_node_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OracleError, match="needs Node 20 or newer, and there is no `node` in PATH"):
        find_node()


@pytest.mark.skipif(sys.platform == "win32", reason="a script with a #! line")
@pytest.mark.parametrize("said", ["v18.20.4", "", "nonsense"])
def test_an_old_node_is_one_line(said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = tmp_path / "node"
    script.write_text(f"#!/bin/sh\necho {said}\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OracleError, match=f"needs Node 20 or newer; .*node --version says {said or 'nothing'}"):
        find_node()


def test_the_oracle_is_looked_for_beside_the_goldens_and_below_the_current_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OracleError, match="needs a checkout of streamparity"):
        oracle_folder(tmp_path / "goldens")

    (tmp_path / "golden" / "oracle").mkdir(parents=True)
    (tmp_path / "golden" / "oracle" / "oracle.mjs").touch()
    assert oracle_folder(tmp_path / "goldens") == (tmp_path / "golden" / "oracle").resolve()


def test_the_lock_file_names_exact_versions_digests_and_no_host() -> None:
    manifest = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
    lock = json.loads((FOLDER / "package-lock.json").read_text(encoding="utf-8"))
    packages = {path: entry for path, entry in lock["packages"].items() if path}

    assert all(version[0].isdigit() for version in manifest["dependencies"].values())
    assert lock["packages"][""]["dependencies"] == manifest["dependencies"]
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert all("resolved" not in entry and not entry.get("link") for entry in packages.values())
    copies = [path for path in packages if path.count("node_modules/") > 1 and "@ai-sdk/" in path]
    assert copies == [], "every AI SDK package stands once: one coherent set"
