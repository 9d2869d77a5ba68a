"""The store of goldens, with an oracle that says what the test wants, and once with the real one."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import pytest
from click.testing import CliRunner

from harness import golden as golden_module
from harness.case import Case
from harness.exits import USAGE
from harness.files import write_atomically
from harness.golden import Change, GoldenCache, GoldenError, GoldenMissing, GoldenStore, oracle_digest
from harness.golden_cli import golden
from harness.oracle import Answer, OracleError
from harness.references import has_several_choices, references_for
from harness.trace import header_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FOLDER = Path(__file__).parents[2] / "golden" / "oracle"
needs_sdks = pytest.mark.skipif(
    shutil.which("node") is None or not (FOLDER / "node_modules").is_dir(),
    reason="needs Node 20 and `npm ci --ignore-scripts` in golden/oracle",
)

HELLO = Case("anthropic-messages/hello", "anthropic-messages", b"data: hello\n\n")
WORLD = Case("anthropic-messages/world.v2", "anthropic-messages", b"data: world\n\n")
REFERENCES = ("ai.anthropic", "anthropic", "sse")


class FakeOracle:
    """Answers every request with one line that holds the body, unless told otherwise."""

    node_version = "v20.0.0"
    sdks: ClassVar[dict[str, str]] = {"openai": "1.0.0"}
    told: ClassVar[dict[tuple[str, str], Answer]] = {}
    asked: ClassVar[list[tuple[str, str]]] = []
    slow: ClassVar[set[str]] = set()
    """References that need more than the usual time."""

    def __init__(self, folder: Path, *, workers: int = 2, time_limit_s: float = 60.0) -> None:
        self.patient = workers == 1 and time_limit_s > 60
        assert (folder / "oracle.mjs").is_file()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def run(self, requests: Iterable[tuple[str, bytes, str]]) -> Iterator[Answer]:
        for name, body, reference in requests:
            self.asked.append((name, reference))
            sha256 = Case(name, "x", body).sha256
            lines = (header_line(sha256, reference), json.dumps(["frame", {"data": body.decode()}]), '{"end":"ok"}')
            late = reference in self.slow and not self.patient
            answer = Answer(reference, failed="no answer in 60 s") if late else Answer(reference, lines)
            yield self.told.get((name, reference), answer)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of goldens with an oracle in it."""
    folder = tmp_path / "golden"
    (folder / "oracle" / "references").mkdir(parents=True)
    (folder / "oracle" / "oracle.mjs").write_text("// sources\n")
    monkeypatch.setattr(golden_module, "Oracle", FakeOracle)
    monkeypatch.setattr(FakeOracle, "told", {})
    monkeypatch.setattr(FakeOracle, "asked", [])
    return folder


def files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.glob("*/*.ndjson")}


def whats(changes: list[Change]) -> list[tuple[str, str]]:
    return [(change.path, change.what) for change in changes]


def test_made_goldens_are_read_back_and_have_not_changed(root: Path) -> None:
    changes = GoldenStore(root).make([HELLO, WORLD])
    store = GoldenStore(root)

    assert {change.what for change in changes} == {"missing"}
    assert files(root) == {f"{case.id}.{reference}.ndjson" for case in (HELLO, WORLD) for reference in REFERENCES}
    assert store.lines(HELLO, "sse") == ['["frame", {"data": "data: hello\\n\\n"}]', '{"end":"ok"}']
    assert store.check([HELLO, WORLD], all_cases=True) == []
    assert store.make([HELLO, WORLD]) == []


def test_the_manifest_says_what_made_the_goldens(root: Path) -> None:
    GoldenStore(root).make([HELLO, WORLD])
    manifest = json.loads((root / "manifest.json").read_text(encoding="utf-8"))

    assert (manifest["v"], manifest["node"], manifest["sdks"]) == (1, "v20.0.0", {"openai": "1.0.0"})
    assert manifest["oracle_sha256"] == oracle_digest(root / "oracle")
    assert manifest["bodies"] == {HELLO.id: HELLO.sha256, WORLD.id: WORLD.sha256}
    assert set(manifest["goldens"]) == files(root)
    assert GoldenStore(root).sdk_versions() == {"openai": "1.0.0"}


def test_making_some_goldens_leaves_the_others_and_their_entries(root: Path) -> None:
    GoldenStore(root).make([HELLO])
    GoldenStore(root).make([WORLD])

    assert GoldenStore(root).check([HELLO, WORLD], all_cases=True) == []


@pytest.mark.parametrize(
    ("spoil", "what", "detail"),
    [
        (lambda text: text.replace("hello", "hallo"), "edited", "first at line 2"),
        (lambda text: text[:-1], "edited", "first at line 3"),
        (lambda text: text + "[]\n", "edited", "first at line 4"),
        (None, "missing", ""),
    ],
)
def test_a_spoilt_golden_is_found(root: Path, spoil: Any, what: str, detail: str) -> None:
    store = GoldenStore(root)
    store.make([HELLO])
    path = store.path(HELLO.id, "sse")
    if spoil is None:
        path.unlink()
    else:
        path.write_text(spoil(path.read_text(encoding="utf-8")), encoding="utf-8")

    (change,) = store.check([HELLO], all_cases=True)

    assert (change.path, change.what) == (f"{HELLO.id}.sse.ndjson", what)
    assert change.detail == detail or (detail == "first at line 3" and change.stored == change.remade)
    assert change.remade[-1] == '{"end":"ok"}'


def test_a_reference_that_changed_shows_both_sides(root: Path) -> None:
    GoldenStore(root).make([HELLO])
    before = tuple(GoldenStore(root).path(HELLO.id, "sse").read_text(encoding="utf-8").splitlines())
    after = (before[0], "[2]", before[2])
    FakeOracle.told[HELLO.id, "sse"] = Answer("sse", after)

    assert GoldenStore(root).check([HELLO], all_cases=False) == [
        Change(f"{HELLO.id}.sse.ndjson", "changed", "first at line 2", before, after)
    ]
    assert tuple(GoldenStore(root).lines(HELLO, "sse")) == before[1:], "a check writes nothing"


def test_another_body_other_versions_and_other_sources_are_told_apart(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    GoldenStore(root).make([HELLO])
    again = Case(HELLO.id, HELLO.dialect, b"data: other\n\n")
    monkeypatch.setattr(FakeOracle, "sdks", {"openai": "1.0.1"})
    (root / "oracle" / "references" / "new.mjs").write_text("// one more\n")

    changes = GoldenStore(root).check([again], all_cases=True)

    assert whats(changes) == [
        *((f"{HELLO.id}.{reference}.ndjson", "body") for reference in REFERENCES),
        ("manifest.json", "versions"),
        ("manifest.json", "oracle"),
    ]
    assert changes[-2].detail == "openai 1.0.0 -> 1.0.1"


def test_a_golden_that_no_case_needs_is_extra_only_when_all_cases_are_there(root: Path) -> None:
    store = GoldenStore(root)
    store.make([HELLO, WORLD])

    assert store.check([HELLO], all_cases=False) == []
    assert whats(store.check([HELLO], all_cases=True)) == [
        (f"{WORLD.id}.{reference}.ndjson", "extra") for reference in REFERENCES
    ]


def test_pruning_removes_what_was_made_and_nothing_else(root: Path) -> None:
    GoldenStore(root).make([HELLO, WORLD])
    own = root / "anthropic-messages" / "my-own.sse.ndjson"
    own.write_text("mine\n")

    GoldenStore(root).make([HELLO], prune=True)

    kept = {f"{HELLO.id}.{reference}.ndjson" for reference in REFERENCES}
    assert files(root) == kept | {own.relative_to(root).as_posix()}
    assert set(GoldenStore(root).manifest["bodies"]) == {HELLO.id}


def test_a_reference_that_varies_is_not_kept_as_a_golden(root: Path) -> None:
    GoldenStore(root).make([HELLO])
    FakeOracle.told[HELLO.id, "sse"] = Answer("sse", ("a", "b"), varies="line 2 depends on the chunking")

    assert GoldenStore(root).make([HELLO]) == [
        Change(f"{HELLO.id}.sse.ndjson", "varies", "line 2 depends on the chunking")
    ]
    with pytest.raises(GoldenMissing):
        GoldenStore(root).lines(HELLO, "sse")


def test_a_reference_that_hangs_leaves_its_golden_alone(root: Path) -> None:
    GoldenStore(root).make([HELLO])
    FakeOracle.told[HELLO.id, "sse"] = Answer("sse", failed="no answer in 60 s")

    assert whats(GoldenStore(root).make([HELLO])) == [(f"{HELLO.id}.sse.ndjson", "failed")]
    assert len(GoldenStore(root).lines(HELLO, "sse")) == 2


def test_an_oracle_that_cannot_run_writes_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Iterator[Answer]:
        raise OracleError("broken")

    monkeypatch.setattr(FakeOracle, "run", broken)
    with pytest.raises(OracleError):
        GoldenStore(root).make([HELLO])
    assert sorted(path.name for path in root.iterdir()) == ["oracle"]


def test_a_missing_golden_names_the_command_that_makes_it(root: Path) -> None:
    with pytest.raises(GoldenMissing, match=f"no golden; run `streamparity golden make --case {HELLO.id}`"):
        GoldenStore(root).lines(HELLO, "sse")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "sse.ndjson:1: no header line"),
        (b"[]\n", "sse.ndjson:1: no header line"),
        (b'{"body":"00"}\n{"end":"ok"}\n', r"sse.ndjson:1: made of another body \(00\.\.\., not "),
        (b'{"body":"%s"}\n["frame",{}]\n', "sse.ndjson:2: no end line, the file is cut"),
        (b'{"body":"%s","v":2}\n{"end":"ok"}\n', "sse.ndjson:1: of version 2, and this program reads 1; run `streamparity "),
        (b"[" * 100_000, "sse.ndjson:1: no header line"),
        (b'{"body":"%s"}\n["frame",{"data":"\xc3\xa9"}]\n{"end":"ok"}\n', "not ASCII"),
    ],
)
def test_a_file_that_is_no_golden_is_one_line(root: Path, content: bytes, complaint: str) -> None:
    path = GoldenStore(root).path(HELLO.id, "sse")
    path.parent.mkdir()
    path.write_bytes(content.replace(b"%s", HELLO.sha256.encode()))

    with pytest.raises(GoldenError, match=complaint) as caught:
        GoldenStore(root).lines(HELLO, "sse")
    assert not isinstance(caught.value, GoldenMissing)
    assert "\n" not in str(caught.value)


def test_a_golden_that_cannot_be_read_says_what_to_do(root: Path) -> None:
    GoldenStore(root).path(HELLO.id, "sse").mkdir(parents=True)

    with pytest.raises(GoldenError, match=r"sse\.ndjson: cannot be read \(Is a directory\); run `streamparity golden make"):
        GoldenStore(root).lines(HELLO, "sse")


@pytest.mark.parametrize("content", ["{", '{"v": 2}', "[]", "[" * 100_000, '{"v": 1, "sdks": 3}', '{"v": 1, "goldens": {"a": 1}}'])
def test_a_manifest_that_is_none_is_one_line(root: Path, content: str) -> None:
    (root / "manifest.json").write_text(content)
    with pytest.raises(GoldenError, match=r"manifest\.json: not .*run `streamparity golden make`"):
        _ = GoldenStore(root).manifest


@pytest.mark.parametrize("case_id", ["../x", "a/../b", "a", "/etc/x", "a/.b", "a\\b/c", "a/b\0"])
def test_a_case_id_never_leads_out_of_the_folder(root: Path, case_id: str) -> None:
    with pytest.raises(GoldenError, match="not a case id"):
        GoldenStore(root).path(case_id, "sse")


def test_writing_is_all_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.txt"
    write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "half \ud800")

    assert path.read_text() == "old"
    assert [found.name for found in path.parent.iterdir()] == ["file.txt"]


def test_writing_follows_links_and_replaces_no_pipe_and_names_the_file_that_fails(tmp_path: Path) -> None:
    file, link, pipe, folder = (tmp_path / name for name in ("file", "link", "pipe", "folder"))
    link.symlink_to(file)
    write_atomically(link, "through")
    assert (link.is_symlink(), file.read_text()) == (True, "through")

    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(pipe, "said")
    assert (os.read(reading, 99), pipe.is_fifo()) == (b"said", True)
    os.close(reading)

    folder.mkdir()
    for path in (folder, file / "below"):
        with pytest.raises(OSError, match="directory|exists") as caught:
            write_atomically(path, "x")
        assert (caught.value.filename, caught.value.filename2) == (str(path), None)
    assert sorted(found.name for found in tmp_path.iterdir()) == ["file", "folder", "link", "pipe"]


def test_the_digest_of_the_oracle_moves_with_every_source_and_nothing_else(root: Path) -> None:
    folder = root / "oracle"
    seen = {oracle_digest(folder)}
    for name in ("deliver.mjs", "references/x.mjs", "package.json", "package-lock.json"):
        (folder / name).write_text("{}")
        seen.add(oracle_digest(folder))
    (folder / "README.md").write_text("words")
    (folder / "node_modules").mkdir()
    (folder / "node_modules" / "x.mjs").write_text("code")

    assert len(seen) == 5
    assert oracle_digest(folder) in seen


def test_cached_goldens_are_made_once_for_a_body_and_an_oracle(root: Path, tmp_path: Path) -> None:
    twin = Case("anthropic-messages/twin", HELLO.dialect, HELLO.body)

    def cache() -> GoldenCache:
        return GoldenCache(tmp_path / "cache", root)

    first = cache()
    assert first.make([HELLO]) == 3
    assert first.lines(HELLO, "sse") == ['["frame", {"data": "data: hello\\n\\n"}]', '{"end":"ok"}']
    assert cache().make([HELLO]) == 0
    other_name = cache()
    assert other_name.make([twin]) == 0
    assert other_name.lines(twin, "sse") == first.lines(HELLO, "sse")

    (root / "oracle" / "oracle.mjs").write_text("// other sources\n")
    renewed = cache()
    assert renewed.make([HELLO]) == 3
    assert renewed.lines(HELLO, "sse") == first.lines(HELLO, "sse")


def test_a_cached_reference_that_varies_stays_known_and_one_that_failed_is_tried_again(
    root: Path, tmp_path: Path
) -> None:
    FakeOracle.told[HELLO.id, "sse"] = Answer("sse", ("a",), varies="line 2 depends on the chunking")
    FakeOracle.told[HELLO.id, "anthropic"] = Answer("anthropic", failed="no answer in 60 s")
    cache = GoldenCache(tmp_path / "cache", root)

    assert cache.make([HELLO]) == 2
    with pytest.raises(GoldenMissing, match="sse cannot be held against it here: line 2 depends on the chunking"):
        cache.lines(HELLO, "sse")
    with pytest.raises(GoldenMissing, match="the reference anthropic gave none: no answer in 60 s"):
        cache.lines(HELLO, "anthropic")

    FakeOracle.told.clear()
    FakeOracle.asked.clear()
    again = GoldenCache(tmp_path / "cache", root)
    again.make([HELLO])
    assert FakeOracle.asked == [(HELLO.id, "anthropic")]
    assert len(again.lines(HELLO, "anthropic")) == 2


def test_a_reference_that_failed_is_asked_once_more_alone_and_with_patience(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeOracle, "slow", {"anthropic"})
    cache = GoldenCache(tmp_path / "cache", root)

    assert cache.make([HELLO, WORLD]) == 6
    assert FakeOracle.asked[6:] == [(HELLO.id, "anthropic"), (WORLD.id, "anthropic")]
    assert len(cache.lines(HELLO, "anthropic")) == 2


def test_a_cache_without_a_golden_says_so(root: Path, tmp_path: Path) -> None:
    with pytest.raises(GoldenMissing, match="no golden of sse"):
        GoldenCache(tmp_path / "cache", root).lines(HELLO, "sse")


@pytest.mark.parametrize(
    ("chunks", "several"),
    [
        (['{"choices":[{"index":0}]}', '{"choices":[]}', "[DONE]"], False),
        (['{"choices":[{"index":0}]}', '{"choices":[{"index":1}]}'], True),
        (['{"choices":[{"index":0},{"index":2}]}'], True),
        (['{"choices":[{"index":null}]}', '{"choices":null}', '{"choices":[3]}', '{"choices"', "{}"], False),
        (['{"other":[{"index":1}]}'], False),
    ],
)
def test_several_choices_are_left_to_the_native_sdk(chunks: list[str], several: bool) -> None:
    body = "".join(f"data: {chunk}\n\n" for chunk in chunks).encode()
    names = [reference.name for reference in references_for(Case("openai-chat/x", "openai-chat", body))]

    assert has_several_choices(body) is several
    assert names == (["openai.chat", "sse"] if several else ["ai.openai.chat", "openai.chat", "sse"])


def test_a_dialect_without_references_has_none() -> None:
    assert references_for(Case("morse/x", "morse", b"")) == ()


@needs_sdks
def test_the_real_oracle_fills_a_store_that_then_checks_clean(tmp_path: Path) -> None:
    root = tmp_path / "golden"
    root.mkdir()
    (root / "oracle").symlink_to(FOLDER)
    events = [{"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}]
    body = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()
    case = Case("anthropic-messages/overloaded", "anthropic-messages", body)

    store = GoldenStore(root)
    store.make([case])

    assert store.check([case], all_cases=True) == []
    assert store.lines(case, "ai.anthropic") == [
        '{"end":"error","error":{"kind":"provider","payload":{"message":"busy","type":"overloaded_error"},"stage":"open"}}'
    ]
    assert store.manifest["sdks"]["eventsource-parser"] == "3.1.1"


@pytest.mark.parametrize("only", [("--case", "a/*"), ("--corpus", "somewhere")])
def test_pruning_is_about_all_cassettes(only: tuple[str, str]) -> None:
    """Of the cases that are not named every golden would look superfluous."""
    outcome = CliRunner().invoke(golden, ["make", "--prune", *only])
    assert outcome.exit_code == USAGE
    assert "--prune looks at all cassettes" in outcome.output
