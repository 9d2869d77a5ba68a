"""Streams are taken out of pinned archives: whole ones only, with where they are from, and all of it or nothing."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness.corpus import corpus_cases
from harness.corpus_pull import archives
from harness.corpus_pull.archives import Archive
from harness.corpus_pull.cli import corpus
from harness.corpus_pull.progress import telling
from harness.corpus_pull.pull import Pulled, Telling, pull
from harness.exits import InputError
from harness.package_index import PackageIndex, Places
from streamcore import Decoder

from .fake_archives import SSE, FakeIndex, body, exchange, langchain, vcrpy

CHAT = "https://api.openai.com/v1/chat/completions"
CONVERSE = "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse-stream"
ARRAY = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:streamGenerateContent"
AWS = {"content-type": ["application/vnd.amazon.eventstream"], "transfer-encoding": ["chunked"]}


@pytest.fixture
def index(tmp_path: Path) -> FakeIndex:
    """Two packages: one with streams of every wire format, sound and damaged; one whose headers are masked."""
    text, frames = body("openai-chat/text"), body("bedrock-converse-stream/text")
    sound = vcrpy(
        exchange(CHAT, text.decode()),
        exchange(CHAT, text.decode()),  # the same again
        exchange(
            "https://api.anthropic.com/v1/messages",
            gzip.compress(body("anthropic-messages/text")),
            {**SSE, "Content-Encoding": ["gzip"]},
        ),
        exchange(CONVERSE, frames, AWS),
        exchange(ARRAY, body("gemini-generateContent-json-array/text"), {"Content-Type": ["application/json"]}),
        exchange(
            "http://127.0.0.1:11434/api/chat",
            body("ollama-ndjson/thinking"),
            {"Content-Type": ["application/x-ndjson"]},
        ),
        exchange(CHAT, '{"error": {}}', {"Content-Type": ["application/json"]}, 429),  # no stream
        exchange(CHAT, '{"object": "chat.completion"}', {"Content-Type": ["application/json"]}),  # no stream
    )
    damaged = vcrpy(
        exchange(CONVERSE, frames[:40] + frames[41:], AWS),
        exchange(CONVERSE, frames[:-3], AWS),
        exchange(CHAT, text.decode().replace('"content":"', '"content":"\ufffd')),
        exchange(CHAT, text + b"\xff"),
        exchange(CHAT, text.replace(b"}", b"", 1)),
        exchange(CHAT, gzip.compress(text)[:-20], {**SSE, "Content-Encoding": ["gzip"]}),
        exchange(CHAT, ""),
        exchange(CHAT, body("openai-responses/text")),
        exchange("https://api.openai.com/v1/threads/thread_0123456789abcdef/runs", text),
    )
    made = FakeIndex(tmp_path / "index")
    files = {
        "tests/cassettes/sound.yaml": sound,
        "tests/deep/er/damaged.yaml": damaged,
        "tests/none.json": b"{event-stream",
    }
    made.add(
        "first", files, links={"tests/link.yaml": "/etc/passwd", "tests/../../up.yaml": "tests/cassettes/sound.yaml"}
    )
    decoded = exchange(CHAT, body("openai-chat/crlf").decode(), {**SSE, "content-length": ["9"]})
    made.add("second", {"tests/a.yaml.gz": langchain(exchange("", body("openai-responses/text")))}, kind="langchain")
    made.add("third", {"tests/b.json": json.dumps({"interactions": [decoded]}).encode()})
    return made


def fetch(index: FakeIndex, out: Path) -> Pulled:
    return pull(index.archives, out, places=lambda: PackageIndex(Places(indexes=(index.url,))))


class Impatient(Telling):
    """A user who gives up when the last archive has come."""

    def ended(self, archive: Archive, *_: object) -> None:
        if archive.project == "first":
            raise KeyboardInterrupt


class Terminal(io.StringIO):
    """What rich takes for one."""

    def isatty(self) -> bool:
        return True


def run(*args: object) -> Result:
    return CliRunner().invoke(corpus, [str(arg) for arg in args])


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_taken_and_what_is_left_out(index: FakeIndex, tmp_path: Path) -> None:
    out = tmp_path / "out"
    pulled = fetch(index, out)
    assert (pulled.failures, pulled.fetched) == ({}, 3)
    found = {(entry.project, entry.dialect): entry for entry in pulled.index.recordings.values()}
    assert {key: (entry.fidelity, entry.coding, entry.interaction) for key, entry in found.items()} == {
        ("first", "openai-chat"): ("wire", "", 0),
        ("first", "anthropic-messages"): ("wire", "gzip", 2),
        ("first", "bedrock-converse-stream"): ("wire", "", 3),
        ("first", "gemini-generateContent-json-array"): ("unknown", "", 4),
        ("first", "ollama-ndjson"): ("unknown", "", 5),
        ("second", "openai-responses"): ("unknown", "", 0),
        ("third", "openai-chat"): ("decoded", "", 0),
    }
    first = pulled.index.archives["first-1.10.tar.gz"]
    assert first.repeated == 1
    assert first.left_out == {
        "AWS event stream, damaged by the recorder (a checksum does not fit, or bytes are missing)": 2,
        "text, damaged by the recorder (characters were replaced)": 1,
        "text, damaged by the recorder (no UTF-8)": 1,
        "a body in another dialect than its address says": 1,
        "a file that is no recording": 1,
        "a payload that is no JSON": 1,
        "compressed body, damaged by the recorder": 1,
        "empty body": 1,
        "no dialect reads /v1/threads/.../runs": 1,
    }
    assert (out / first.licence_path).read_bytes() == b"do as you like"

    cases = {case.id: case for case in corpus_cases(out)}
    assert sorted(cases) == sorted(pulled.index.recordings)
    for name, case in cases.items():
        entry = pulled.index.recordings[name]
        cassette = "crlf" if entry.project == "third" else "thinking" if case.dialect == "ollama-ndjson" else "text"
        assert case.body == body(f"{case.dialect}/{cassette}")
        assert case.source == f"{entry.project} 1.10 {entry.path}"
        assert json.loads((out / f"{name}.json").read_text())["source"]["license"] == "MIT"
        whole, dripped = Decoder(case.dialect), Decoder(case.dialect)
        parts = whole.feed(case.body) + whole.close()
        assert [part for byte in case.body for part in dripped.feed(bytes([byte]))] + dripped.close() == parts
        assert whole.message.error is None


def test_the_command_looks_where_pip_is_configured_to(
    index: FakeIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "pinned_archives", lambda: index.archives)
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    monkeypatch.setenv("STREAMPARITY_CACHE", str(tmp_path / "cache"))
    assert run("verify").exception.args[0].endswith(f"corpus pull --out {tmp_path / 'cache' / 'corpus'}`")
    done = run("pull")
    assert (done.exit_code, done.stderr.splitlines()[0]) == (0, "first 1.10: 5 recordings")
    assert done.stdout.startswith("7 recordings of 6 dialects")
    shutil.rmtree(index.root)

    again = run("pull", "-q")
    assert (again.exit_code, again.stderr) == (0, "")
    assert "everything was there already" in again.stdout
    assert run("verify").stdout == "7 recordings from 3 archives, all as they were pulled\n"
    listed = run("list").stdout
    assert all(word in listed for word in ("second", "MIT", "ollama-ndjson", "wire 1, decoded 1", "empty body"))
    assert len(run("list", "--names").stdout.splitlines()) == 7
    unknown = run("pull", "--package", "secund")
    assert (unknown.exit_code, "did you mean second?" in unknown.stderr) == (2, True)
    assert run("pull", "--package", "s*", "--dry-run").stdout.startswith("second-1.10.tar.gz  MIT  sha256 ")


def test_verify_names_what_changed_and_pull_mends_it(
    index: FakeIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "pinned_archives", lambda: index.archives)
    out = tmp_path / "out"
    fetch(index, out)
    before = files_of(out)
    changed, gone = sorted(out.glob("*/first*.body"))[:2]
    changed.write_bytes(changed.read_bytes() + b"\n")
    gone.unlink()
    extra = changed.with_name("extra.body")
    extra.touch()
    result = run("verify", "--out", out)
    assert isinstance(result.exception, InputError)
    assert result.stdout.splitlines() == [
        f"{changed}: changed: its sha256 is not the one in index.json",
        f"{gone}: missing",
        f"{extra}: not in index.json: remove it",
    ]
    assert "3 problems in all" in str(result.exception)
    assert fetch(index, out).fetched == 1
    assert files_of(out) == before
    listed = (out / "index.json").read_text()
    name = next(iter(json.loads(listed)["recordings"]))
    for text in (listed[:-20], listed.replace(name, "../up"), listed.replace("_licences/", "../"), "[]"):
        (out / "index.json").write_text(text)
        with pytest.raises(InputError, match="spoilt .*; remove"):
            fetch(index, out)


def test_archives_that_cannot_be_had_do_not_lose_the_others(index: FakeIndex, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fetch(index, out)
    older = files_of(out)
    index.add("first", {"tests/new.yaml": vcrpy(exchange(CHAT, body("openai-chat/length")))}, "2.0")
    index.add("second", {}, "2.0").write_bytes(b"somebody else's")
    index.add("third", {}, "2.0")
    (index.root / "simple" / "third" / "index.html").write_text("<title>gone</title>")
    index.add("fourth", {"tests/a.yaml": b"no stream"})
    index.add("fifth", {"LICENSE": b""})
    pulled = fetch(index, out)
    assert [failure.partition(":")[0] for failure in pulled.failures.values()] == [
        "second-2.0.tar.gz",
        "third-2.0.tar.gz",
        "fourth-1.10.tar.gz",
        "fifth-1.10.tar.gz",
    ]
    said = list(pulled.failures.values())
    assert "not the pinned" in said[0]
    assert "may have been withdrawn" in said[1]
    assert "no stream in it" in said[2]
    assert "has no LICENSE" in said[3]
    assert {(taken.project, taken.version) for taken in pulled.index.archives.values()} == {
        ("first", "2.0"),
        ("second", "1.10"),
        ("third", "1.10"),
    }
    now = files_of(out)
    assert {name for name in now if "second--" in name} == {name for name in older if "second--" in name} != set()
    assert len([name for name in now if "first--" in name]) == 2

    index.rows = [row for row in index.rows if row["project"] != "first"]
    index.add("first", {"tests/cut.yaml": b""}, "3.0").write_bytes(b"")
    assert fetch(index, out).fetched == 0
    assert files_of(out) == now
    with pytest.raises(KeyboardInterrupt):
        pull(index.archives, out, Impatient(), places=lambda: PackageIndex(Places(indexes=(index.url,))))
    assert files_of(out) == now
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.txt").touch()
    with pytest.raises(InputError, match="not a folder that `corpus pull` made"):
        fetch(index, foreign)


def test_archives_are_read_under_limits(index: FakeIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failure() -> str:
        return fetch(index, tmp_path / "out").failures[index.rows[0]["file"]]

    index.rows = []
    index.add("bomb", {"tests/b.yaml": bytes(2000), "tests/a.yaml.gz": gzip.compress(bytes(5000))}, kind="langchain")
    for name, limit, said in (
        ("MAX_MEMBER_BYTES", 4000, "a.yaml.gz is cut, or unfolds into more than 4000 bytes"),
        ("MAX_MEMBER_BYTES", 1000, "b.yaml has more than 1000 bytes"),
        ("MAX_ARCHIVE_BYTES", 1000, "not read any further"),
        ("MAX_MEMBERS", 2, "not read any further"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(archives, name, limit)
            assert said in failure()
    index.rows = []
    index.add("cut", {"tests/a.yaml": os.urandom(5000)})
    path = index.root / "files" / "cut-1.10.tar.gz"
    whole = path.read_bytes()
    index.rows = []
    index.add("cut", {"tests/a.yaml": b""}).write_bytes(whole[:2000])
    index.rows[0]["sha256"] = hashlib.sha256(whole[:2000]).hexdigest()
    (index.root / "simple" / "cut" / "index.html").write_text(
        '<base href="../../files/"><a href="cut-1.10.tar.gz">x</a>'
    )
    assert "no source archive that can be read" in failure()


def test_a_terminal_gets_a_bar(index: FakeIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    screen = Terminal()
    with telling(3, quiet=False, stream=screen) as tell:
        pull(index.archives, tmp_path / "out", tell, places=lambda: PackageIndex(Places(indexes=(index.url,))))
    said = screen.getvalue()
    assert "first 1.10: 5 recordings" in said
    assert "3/3 third 1.10" in said


def test_the_table_of_archives_is_sound() -> None:
    pinned = archives.pinned_archives()
    assert len({archive.file for archive in pinned}) == len(pinned) >= 10
    for archive in pinned:
        assert archive.licence in ("MIT", "Apache-2.0")
        assert archive.file.endswith(f"-{archive.version}.tar.gz")
    row = archives.resources.files("harness.corpus_pull").joinpath("archives.yaml").read_text().partition("\n- ")[2]
    row = "- " + row.partition("\n- ")[0]
    assert archives.table(row.encode(), "t") == pinned[:1]
    for wrong, said in (
        (row.replace('"', "").replace(pinned[0].version, "1.10"), "put the version in quotes"),
        (row.replace("kind: vcrpy", "kind: tape"), "unknown kind tape"),
        (row.replace("sha256: ", "sha256: x"), "needs a sha256"),
        (row.replace("project", "projekt"), "no table of pinned archives"),
        ("- [", "t:"),
    ):
        with pytest.raises(InputError, match=said):
            archives.table(wrong.encode(), "t")
