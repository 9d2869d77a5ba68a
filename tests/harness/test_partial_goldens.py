"""The stored views of unfinished JSON are what the SDKs give."""

from __future__ import annotations

import shutil

import pytest

from harness.oracle import Oracle

from .partial_goldens import FLAVOURS, FOLDER, GOLDENS, documents, made, stored


@pytest.mark.node
@pytest.mark.skipif(
    shutil.which("node") is None or not (GOLDENS / "oracle" / "node_modules").is_dir(),
    reason="needs Node 20 and `npm ci --ignore-scripts` in golden/oracle",
)
def test_they_are_what_the_sdks_give_now() -> None:
    with Oracle(GOLDENS / "oracle") as oracle:
        for flavour in FLAVOURS:
            assert made(oracle, flavour) == (FOLDER / f"{flavour}.jsonl").read_text(encoding="ascii")


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_every_beginning_of_every_document_has_a_line(flavour: str) -> None:
    assert [len(lines) for lines in stored(flavour)] == [len(text) + 1 for text in documents()]
