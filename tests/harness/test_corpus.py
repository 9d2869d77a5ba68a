"""Cases from a folder of raw recordings."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from harness.case import Case
from harness.corpus import CorpusError, corpus_cases, load_body

BODY = b"data: {}\r\n\r\n\xff"


def put(root: Path, name: str, body: bytes = BODY, metadata: Any = None) -> Path:
    path = root / f"{name}.body"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    if metadata is not None:
        path.with_suffix(".json").write_text(json.dumps(metadata))
    return path


def test_bodies_come_in_order_of_id_byte_for_byte(tmp_path: Path) -> None:
    for name in ("b-dialect/one", "a-dialect/two", "a-dialect/one"):
        put(tmp_path, name)
    put(tmp_path, "_notes/skipped")
    put(tmp_path, ".cache/skipped")
    (tmp_path / "INDEX.md").write_text("not a recording")
    (tmp_path / "a-dialect" / "readme.txt").write_text("not a recording")

    cases = list(corpus_cases(tmp_path))

    assert [case.id for case in cases] == ["a-dialect/one", "a-dialect/two", "b-dialect/one"]
    assert cases[0] == Case(
        "a-dialect/one",
        "a-dialect",
        BODY,
        source=str(tmp_path / "a-dialect" / "one.body"),
    )
    assert (cases[0].slug, cases[0].sha256) == ("one", hashlib.sha256(BODY).hexdigest())
    assert (cases[0].chunks, cases[0].end, cases[0].provenance, cases[0].request) == ((), "complete", "public", None)


def test_metadata_tells_where_a_body_is_from(tmp_path: Path) -> None:
    metadata = {
        "sha256": hashlib.sha256(BODY).hexdigest(),
        "source": {"repo": "owner/name", "path": "tests/a.yaml"},
        "request": {"path": "/v1/chat/completions"},
    }

    case = load_body(put(tmp_path, "d/one", metadata=metadata), "d")

    assert case.source == "owner/name tests/a.yaml"
    assert case.request == {"path": "/v1/chat/completions"}
    assert load_body(put(tmp_path, "d/two", metadata={"source": {"repo": "o/n"}}), "d").source == "o/n"


@pytest.mark.parametrize("source", [None, "repo of someone", {}, ["repo"], {"url": "x"}])
def test_a_source_without_a_repository_is_the_file(tmp_path: Path, source: Any) -> None:
    path = put(tmp_path, "d/one", metadata={"source": source})

    assert load_body(path, "d").source == str(path)


def test_a_body_that_is_not_the_one_that_was_described(tmp_path: Path) -> None:
    path = put(tmp_path, "d/one", BODY + b"!", {"sha256": hashlib.sha256(BODY).hexdigest()})

    with pytest.raises(CorpusError) as raised:
        list(corpus_cases(tmp_path))

    assert str(raised.value) == f"{path}: the body does not have the sha256 that one.json names; fetch it again"


@pytest.mark.parametrize(("text", "message"), [("{", r"one.json: not JSON \(Expecting property name.*; it describes one.body, so mend or remove it"), ("[1]", "one.json: not a JSON object")])
def test_metadata_that_cannot_be_read(tmp_path: Path, text: str, message: str) -> None:
    put(tmp_path, "d/one").with_suffix(".json").write_text(text)

    with pytest.raises(CorpusError, match=message) as raised:
        list(corpus_cases(tmp_path))

    assert "\n" not in str(raised.value)


def test_a_folder_that_is_no_corpus(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a.txt").write_text("x")

    with pytest.raises(CorpusError) as none_in_it:
        list(corpus_cases(tmp_path))
    with pytest.raises(CorpusError) as no_folder:
        list(corpus_cases(tmp_path / "nowhere"))

    assert str(none_in_it.value) == f"{tmp_path}: no <dialect>/<slug>.body file in it"
    assert str(no_folder.value) == (
        f"{tmp_path / 'nowhere'}: no such folder; --corpus wants a folder of <dialect>/<slug>.body files, "
        "and `streamparity corpus pull --out DIR` makes one"
    )
