"""Cassettes: exact bytes through YAML, playable by plain vcrpy, and one clear line for each way a file can be bad."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
import vcr
from hypothesis import given
from hypothesis import strategies as st
from vcr.serialize import deserialize
from vcr.serializers import yamlserializer

from harness import cassette as module
from harness.cassette import Cassette, CassetteError, Interaction, Recorded, Redaction, Stream
from harness.corpus import CorpusError, corpus_cases
from harness.record.providers import PROVIDERS

ROOT = Path(__file__).parents[2] / "cassettes"
COMMITTED = [path for path in sorted(ROOT.glob("*/*.yaml")) if path.parent.name != module.NOT_CASSETTES]

HOSTILE_BODIES = [
    b"",
    b"\n",
    b"\n\n\n",
    b" ",
    b"\r",
    b" leading\n  spaces \n\n",
    b"data: a\r\n\r\ndata: [DONE]\r\n\r\n",
    b"data: a\r\rdata: b\r\r",
    b"\xef\xbb\xbfdata: x\n\n",
    "data: 你好 👩‍👩‍👧 e\u0301\n\n".encode(),
    "a\u2028b\u0085c\u2029\ufffe\U0010ffff\n\n".encode(),
    b"\xff\xfe\x00\x80",
    b"---\n...\n# no comment\n%YAML 1.2\n- a: &x b\n*x\n!!str '\n",
    b"tab\t\n\t\x00\x01\x7f\n",
    b'quote " backslash \\ \\n\n',
    b"x" * 500 + b"\n " + b"y " * 300,
]


def make(body: bytes, chunks: tuple[int, ...] | None = None, end: module.StreamEnd = "complete") -> Cassette:
    if chunks is None:
        chunks = (len(body),) if body else ()
    recorded = Recorded(
        dialect="openai-chat",
        scenario="made",
        provider="openai",
        model="m",
        at="2026-01-01T00:00:00Z",
        by="test",
        provenance="simulator",
        redactions=(Redaction("response.body", "email, same length", 2),),
    )
    interaction = Interaction(
        method="POST",
        uri="http://simulator.invalid/v1/chat/completions",
        request_headers=(("accept", "a"), ("accept", "b"), ("content-type", "application/json")),
        request_body=b'{"model":"m"}',
        status=200,
        reason="OK",
        response_headers=(("content-type", "text/event-stream"),),
        body=body,
        stream=Stream(chunks, tuple(float(at) for at in range(len(chunks))), end),
    )
    return Cassette(recorded, (interaction,))


def text_with(**changes: str) -> str:
    """A good cassette's YAML with some fragments replaced; each must be there."""
    text = module.dumps(make(b"data: hello\n\n", (4, 9)))
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


# --- exact bytes ---


@pytest.mark.parametrize("body", HOSTILE_BODIES, ids=range(len(HOSTILE_BODIES)))
def test_body_survives_yaml_and_vcrpy_byte_for_byte(body: bytes) -> None:
    made = make(body)
    text = module.dumps(made)
    assert module.loads(text.encode()) == made
    _, responses = deserialize(text, yamlserializer)[:2]
    assert responses[0]["body"]["string"] == body


SPITEFUL = st.sampled_from("\n\r \t\"\\aé😀\u2028\u2029\x85\ufeff#:-'\u200d\x00\x7f\ufffe|>&*!%@`[]{},?")


@given(st.one_of(st.binary(max_size=60), st.text(SPITEFUL, max_size=40).map(str.encode)), st.data())
def test_any_body_and_chunking_survives(body: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(body) - 1)), max_size=6))) if len(body) > 1 else []
    bounds = [0, *cuts, len(body)]
    chunks = tuple(b - a for a, b in pairwise(bounds) if b > a)
    made = make(body, chunks)
    assert module.loads(module.dumps(made).encode()) == made


def test_a_reviewer_sees_one_wire_line_a_line() -> None:
    lines = module.dumps(make('data: {"a":"é 😀"}\n\ndata: [DONE]\n\n'.encode())).splitlines()
    assert '        data: {"a":"é 😀"}' in lines
    assert "        data: [DONE]" in lines
    quoted = module.dumps(make(b"data: a\r\n\r\ndata: [DONE]\r\n\r\n")).splitlines()
    assert any(line.strip() == "data: [DONE]\\r\\n\\" for line in quoted)


def test_bytes_that_are_not_utf8_are_stored_as_binary() -> None:
    assert "string: !!binary" in module.dumps(make(b"\xff\x00"))


def test_end_and_provenance_reach_the_case() -> None:
    (case,) = make(b"data: x\n\n", (5, 4), "cut").cases("here")
    assert (case.id, case.dialect, case.slug) == ("openai-chat/made", "openai-chat", "made")
    assert (case.body, case.chunks, case.at_ms) == (b"data: x\n\n", (5, 4), (0.0, 1.0))
    assert (case.end, case.provenance, case.source) == ("cut", "simulator", "here")
    assert case.request == {
        "host": "simulator.invalid",
        "method": "POST",
        "path": "/v1/chat/completions",
        "body": {"model": "m"},
    }


def test_further_interactions_are_numbered() -> None:
    one = make(b"data: x\n\n")
    two = dataclasses.replace(one, interactions=one.interactions * 2)
    assert [case.id for case in module.loads(module.dumps(two).encode()).cases()] == [
        "openai-chat/made",
        "openai-chat/made-2",
    ]


# --- bad files ---


def bad(text: str | bytes) -> CassetteError:
    with pytest.raises(CassetteError) as caught:
        module.loads(text.encode() if isinstance(text, str) else text, "c.yaml")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("c.yaml: ")
    return caught.value


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("version: [1\n", "line 2", "not YAML"),
        ("a: b: c", "line 1", "not YAML"),
        (b"\xff\xfe", "byte 0", "not UTF-8"),
        ("a: \x00", "", "not YAML"),
        ("d: 2026-99-99", "", "not YAML: month"),
        ("", "top level", "not a streamparity cassette: there is nothing in it"),
        (text_with(**{"end: complete": "end: complete\n    end: cut"}), "line ", "the key 'end' stands here for a second time, and first on line "),
        (text_with(**{"version: 1": "version: 1\n'version': 1"}), "line 2", "the key 'version' stands here for a second time"),
        ("just text", "top level", "not a streamparity cassette"),
        ("version: 1\ninteractions: []\n", "top level", "'recorded' is a required property"),
        ("!!python/object/apply:os.system ['true']", "line 1", "could not determine a constructor"),
        ("x: " + "[" * 200 + "]" * 200, "line 1", "deeper than"),
        ("a: &a [1]\nb: [" + "*a, " * 40 + "]\n", "line 2", "aliases"),
        (text_with(complete="finished"), "interactions[0].stream.end", "finished"),
        (text_with(**{"scenario: made": "scenario: ../../etc/passwd"}), "recorded.scenario", "does not match"),
        (text_with(**{"dialect: openai-chat": "dialect: a/b"}), "recorded.dialect", "does not match"),
        (
            text_with(**{"[4, 9]": "[4, 8]"}),
            "interactions[0].stream.chunks",
            "the chunks add up to 12 bytes, the body has 13",
        ),
        (text_with(**{"[4, 9]": "[4, 0, 9]"}), "interactions[0].stream.chunks[1]", "less than the minimum"),
        (text_with(**{"[0.0, 1.0]": "[0.0]"}), "interactions[0].stream.at_ms", "1 times for 2 chunks"),
        (text_with(hello="jello"), "interactions[0].stream.sha256", "wrong hash"),
        (text_with(**{"sha256: ": "sha256: x"}), "interactions[0].stream.sha256", "does not match"),
        (
            text_with(**{"at: '2026-01-01T00:00:00Z'": "at: 2026-01-01T00:00:00Z"}),
            "recorded.at",
            "not of type 'string'",
        ),
    ],
)
def test_each_bad_file_has_one_clear_line(text: str | bytes, where: str, what: str) -> None:
    error = bad(text)
    assert error.where.startswith(where)
    assert what in error.what
    assert error.hint


def test_an_unknown_dialect_is_not_judged_here() -> None:
    text = text_with(**{"dialect: openai-chat": "dialect: martian-chat"})
    assert module.loads(text.encode()).recorded.dialect == "martian-chat"


def test_a_huge_wrong_value_does_not_flood_the_terminal() -> None:
    assert len(str(bad("version: " + "9" * 4000 + "\nrecorded: {}\ninteractions: [1]\n"))) < 400


def test_files_that_cannot_be_read_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CassetteError, match=r"no\.yaml: cannot be read \(No such file"):
        module.load(tmp_path / "no.yaml")
    big = tmp_path / "big.yaml"
    big.write_bytes(b"x" * 11)
    monkeypatch.setattr(module, "MAX_FILE_BYTES", 10)
    with pytest.raises(CassetteError, match=r"big\.yaml: is larger than 10 bytes"):
        module.load(big)


# --- saving ---


def test_save_replaces_only_when_told(tmp_path: Path) -> None:
    path = tmp_path / "openai-chat" / "made.yaml"
    module.save(make(b"data: 1\n\n"), path)
    with pytest.raises(CassetteError, match="exists already; pass --force"):
        module.save(make(b"data: 2\n\n"), path)
    assert module.load(path) == make(b"data: 1\n\n")
    module.save(make(b"data: 2\n\n"), path, overwrite=True)
    assert module.load(path) == make(b"data: 2\n\n")
    assert [case.id for case in module.iter_cases(tmp_path)] == ["openai-chat/made"]


def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "made.yaml"
    module.save(make(b"data: 1\n\n"), path)

    def fail(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(CassetteError, match=r"cannot be written \(No space left on device\)"):
        module.save(make(b"data: 2\n\n"), path, overwrite=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["made.yaml"]
    assert module.load(path) == make(b"data: 1\n\n")


# --- the committed ones ---


def test_there_are_enough_scenarios_of_every_provider() -> None:
    by_dialect = {folder.name: len(list(folder.glob("*.yaml"))) for folder in ROOT.iterdir()}
    assert by_dialect["openai-chat"] >= 14
    assert by_dialect["anthropic-messages"] >= 14
    for provider in ("openai", "azure", "xai", "gemini", "vertex", "bedrock"):
        assert sum(count for dialect, count in by_dialect.items() if dialect.startswith(provider)) >= 12, provider
    bodies = [len(case.body) for case in module.iter_cases(ROOT)]
    assert max(bodies) <= 40_000, "every byte boundary of every body is replayed in CI"
    assert sum(bodies) <= 1_000_000


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: f"{path.parent.name}/{path.stem}")
class TestCommitted:
    def test_it_is_named_after_what_it_holds_and_written_as_we_write(self, path: Path) -> None:
        cassette = module.load(path)
        assert (cassette.recorded.dialect, cassette.recorded.scenario) == (path.parent.name, path.stem)
        assert cassette.recorded.provenance in {"simulator", "local-model"}
        assert module.dumps(cassette) == path.read_text("utf-8")

    def test_plain_vcrpy_plays_the_whole_body(self, path: Path) -> None:
        cassette = module.load(path)
        with vcr.use_cassette(str(path), record_mode="none") as tape, httpx.Client() as client:
            for interaction in cassette.interactions:  # one, and perhaps its twin, which is asked at the same address
                asked = {"headers": list(interaction.request_headers), "content": interaction.request_body}
                with client.stream(interaction.method, interaction.uri, **asked) as response:
                    body = b"".join(response.iter_raw())
                assert response.status_code == interaction.status
                kind = "application/json" if interaction.twin else PROVIDERS[path.parent.name].form.content_type
                assert response.headers["content-type"].startswith(kind) or cassette.recorded.hazard == "WH-082"
                assert hashlib.sha256(body).hexdigest() == interaction.sha256
        assert tape.all_played


def test_a_folder_that_cannot_be_read_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module.save(make(b"data: x\n\n"), tmp_path / "openai-chat" / "made.yaml")
    (tmp_path / "locked").mkdir()
    assert len(list(module.iter_cases(tmp_path))) == 1
    listed = Path.iterdir

    def refuse(folder: Path) -> Iterator[Path]:
        if folder.name == "locked":
            raise PermissionError(13, "Permission denied")
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(CassetteError, match=r"locked: cannot be read \(Permission denied\); check the folder"):
        list(module.iter_cases(tmp_path))
    with pytest.raises(CorpusError, match="locked: cannot be read: Permission denied"):
        list(corpus_cases(tmp_path))


def test_a_device_without_an_end_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FILE_BYTES", 1000)
    with pytest.raises(CassetteError, match="/dev/zero: is larger than 1000 bytes"):
        module.load(Path("/dev/zero"))
