"""Subjects: finding one by the name a user gives, and streamcore as one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.case import Case
from harness.mutants import MUTANTS
from harness.proof import walk
from harness.subjects import SnapshotSession
from harness.subjects.core import CoreSubject, FrameSession
from harness.subjects.load import SubjectError, load_subject
from harness.trace import ended_badly, header_line, trace_lines

MODULE = """
class Subject:
    name = "mine"
    version = "1"
    def claims(self, dialect): return True
    def open(self, case): return None

ready = Subject()
def make(): return ready
def needs(argument): return argument
def fails(): return 1 / 0
def leaves(): raise SystemExit(0)
class Half:
    def open(self, case): return None
class Numbered(Subject):
    version = 1
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a module that stands nowhere else on the path."""
    (tmp_path / "own_subject.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("own_subject", "odd_subject"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


@pytest.mark.parametrize("attribute", ["Subject", "ready", "make"])
@pytest.mark.usefixtures("folder")
def test_a_class_an_instance_or_a_function_of_a_module_in_the_current_folder(attribute: str) -> None:
    subject = load_subject(f"own_subject:{attribute}")

    assert (subject.name, subject.version) == ("mine", "1")


def test_the_names_that_need_no_module() -> None:
    assert isinstance(load_subject("streamcore"), CoreSubject)
    assert load_subject("mutant:latin-1") is MUTANTS["latin-1"]


UNUSABLE = {
    "nothing": "subject 'nothing': write streamcore, reference, mutant:NAME, process:COMMAND, http:package.module:callable, or package.module:attribute",
    ":Subject": "subject ':Subject': write streamcore, reference, mutant:NAME, process:COMMAND, http:package.module:callable, or package.module:attribute",
    "own_subject:": "subject 'own_subject:': write streamcore, reference, mutant:NAME, process:COMMAND, http:package.module:callable, or package.module:attribute",
    ".own_subject:Subject": "subject '.own_subject:Subject': write streamcore, reference, mutant:NAME, process:COMMAND, http:package.module:callable, or package.module:attribute",
    "": "subject '': write streamcore, reference, mutant:NAME, process:COMMAND, http:package.module:callable, or package.module:attribute",
    "mutant:nope": "no mutant is called 'nope'; `streamparity mutants` lists them",
    "no_such:Subject": "subject 'no_such:Subject': cannot import no_such: No module named 'no_such'",
    "own_subject:Nope": "subject 'own_subject:Nope': module own_subject has no 'Nope'",
    "own_subject:Half": "subject 'own_subject:Half' lacks name, version, claims; see harness.subjects.Subject",
    "own_subject:Numbered": "subject 'own_subject:Numbered': its version is 1, and should be a text such as '1.0'",
    "own_subject:leaves": "subject 'own_subject:leaves': calling leaves(): SystemExit: 0 (",
    "./own_subject.py:Subject": "subject './own_subject.py:Subject': write streamcore, ",
    "own_subject.py:Subject": "subject 'own_subject.py:Subject': cannot import own_subject.py: No module named 'own_subject.py'; "
    "'own_subject' is not a package; modules are named as in Python: own_subject:Subject",
    "process:'x": "process:'x: cannot be split into words (No closing quotation)",
    "own_subject:needs": "subject 'own_subject:needs': calling needs(): TypeError: needs() missing 1 required",
    "own_subject:fails": "subject 'own_subject:fails': calling fails(): ZeroDivisionError: division by zero (",
}


@pytest.mark.parametrize(("spec", "message"), UNUSABLE.items())
@pytest.mark.usefixtures("folder")
def test_a_subject_that_cannot_be_used_is_one_line(spec: str, message: str) -> None:
    with pytest.raises(SubjectError) as raised:
        load_subject(spec)

    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("1 / 0", r"ZeroDivisionError: .*odd_subject\.py:1\)$"),
        ("def (", r"SyntaxError: invalid syntax \(odd_subject\.py, line 1\)$"),
        ("raise SystemExit(0)", r"SystemExit: 0 \(.*odd_subject\.py:1\)$"),
    ],
)
def test_a_module_that_breaks_when_it_is_imported(folder: Path, source: str, message: str) -> None:
    (folder / "odd_subject.py").write_text(source)

    with pytest.raises(SubjectError, match=f"^subject 'odd_subject:X': importing odd_subject: {message}"):
        load_subject("odd_subject:X")


def case_of(dialect: str, body: bytes) -> Case:
    return Case(f"{dialect}/c", dialect, body)


def test_what_streamcore_claims() -> None:
    subject = CoreSubject()

    assert [subject.claims(name) for name in ("openai-chat", "anthropic-messages", "sse", "no-such")] == [
        True,
        True,
        True,
        False,
    ]


def test_the_framing_alone() -> None:
    body = b": ping\n\nevent: greeting\ndata: H\xc3\xa9\ndata: lo\nid: 7\n\ndata: a\n\ndata: never ends\n"
    session = CoreSubject().open(case_of("sse", body))
    assert isinstance(session, FrameSession)

    walked = walk(session, body)

    assert walked.parts == [
        {"type": "frame", "data": "Hé\nlo", "event": "greeting", "id": "7"},
        {"type": "frame", "data": "a"},
    ]
    assert walked.emitted_at() == [(50, 0), (59, 1)]
    assert trace_lines(walked.parts, body) == [
        '["frame",{"data":"H\\u00e9\\nlo","event":"greeting","id":"7"}]',
        '["frame",{"data":"a"}]',
        '{"end":"ok"}',
    ]


@pytest.mark.parametrize("dialect", ["openai-chat", "anthropic-messages", "sse"])
def test_sessions_have_snapshots_that_are_values(dialect: str) -> None:
    session = CoreSubject().open(case_of(dialect, b""))
    assert isinstance(session, SnapshotSession)
    start = session.snapshot()

    session.feed(b'data: {"a"')
    open_frame = session.snapshot()
    session.feed(b":1}\n\n")
    session.restore(start)

    assert start == session.snapshot() != open_frame
    assert hash(start) == hash(session.snapshot())
    session.feed(b"data: ")
    session.feed(b'{"a"')
    assert session.snapshot() == open_frame


def test_a_core_session_counts_frames_and_tells_of_a_cut() -> None:
    session = CoreSubject().open(case_of("openai-chat", b""))

    parts = session.feed(b'data: {"choices":[{"index":0,"delta":{"content":"H"}}]}\n\n')

    assert [part["type"] for part in parts] == ["stream-start", "text-start", "text-delta"]
    assert session.frames == 1
    (error,) = [part for part in session.close() if part["type"] == "error"]
    assert (error["kind"], error["stage"]) == ("incomplete_stream", "close")


def test_the_header_and_the_end_line_of_a_trace() -> None:
    opened = {"type": "error", "kind": "provider", "stage": "open", "offset": 3, "payload": {"b": 1, "a": 2}}
    within = {"type": "error", "kind": "provider", "stage": "stream", "offset": 3, "detail": "x"}

    assert header_line("ab12", "mine") == '{"body":"ab12","ref":"mine","v":1}'
    assert trace_lines([], b"") == ['{"end":"ok"}']
    assert trace_lines([opened], b"") == [
        '{"end":"error","error":{"kind":"provider","payload":{"a":2,"b":1},"stage":"open"}}'
    ]
    assert trace_lines([within], b"") == ['["error",{"kind":"provider","stage":"stream"}]', '{"end":"ok"}']
    assert [ended_badly([part]) for part in (opened, within)] == [True, False]


def test_ids_that_the_body_does_not_have_are_numbered_in_a_trace() -> None:
    parts = [
        {"type": "tool-input-start", "id": "made-up", "toolName": "f"},
        {"type": "tool-call", "toolCallId": "made-up", "toolName": "f", "input": "{}"},
        {"type": "tool-call", "toolCallId": "other", "toolName": "f", "input": "{}"},
        {"type": "tool-call", "toolCallId": "call_1", "toolName": "f", "input": "{}"},
        {"type": "text-start", "id": "txt"},
    ]

    lines = trace_lines(parts, b'{"id":"call_1"}')

    assert lines[0] == '["tool-input-start",{"id":"$gen:0","toolName":"f"}]'
    assert [line.split('"toolCallId":')[1].split(",")[0] for line in lines[1:4]] == ['"$gen:0"', '"$gen:1"', '"call_1"']
    assert lines[4] == '["text-start",{"id":"txt"}]'


@pytest.mark.parametrize("kind", ["frame_crc", "frame_length"])
def test_a_frame_that_contradicts_itself_ends_the_trace(kind: str) -> None:
    error = {"type": "error", "kind": kind, "stage": "stream", "offset": 9}
    other = {**error, "kind": "malformed_json"}

    assert trace_lines([other, error], b"") == [
        '["error",{"kind":"malformed_json","stage":"stream"}]',
        f'{{"end":"error","error":{{"kind":"{kind}","stage":"stream"}}}}',
    ]
