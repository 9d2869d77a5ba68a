"""Bodies that are no trustworthy recordings: whatever is wrong with them, they must not look complete when they are not.

They lie beside the corpus, where there is one; nothing of them is in this repository.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.case import Case
from harness.chunking import parse_plan
from harness.proof import walk
from harness.rules import cut_is_legal, violations
from harness.subjects.core import CoreSubject
from streamcore import Decoder

FOLDER = Path(__file__).parents[3] / "shared" / "corpus" / "_suspicious"
PLANS = ("whole", "every:7", *(f"random:{seed}" for seed in range(6)))


def bodies() -> list[Any]:
    if not FOLDER.is_dir():
        return [pytest.param(None, marks=[pytest.mark.corpus, pytest.mark.skip(reason="no recordings here")])]
    paths = sorted(FOLDER.glob("*/*.body"))
    return [pytest.param(path, marks=pytest.mark.corpus, id=f"{path.parent.name}/{path.stem}") for path in paths]


@pytest.mark.parametrize("path", bodies())
def test_a_body_that_is_not_whole_never_looks_complete(path: Path) -> None:
    dialect = path.parent.name
    case = Case(f"{dialect}/{path.stem}", dialect, path.read_bytes())
    walked = walk(CoreSubject().open(case), case.body)
    for plan in PLANS:
        for chunking in parse_plan(plan).chunkings(case):
            decoder = Decoder(dialect)
            parts = [part.as_json() for chunk in chunking.chunks(case.body) for part in decoder.feed(chunk)]
            parts += [part.as_json() for part in decoder.close()]
            assert parts == walked.parts, chunking.name
    assert not violations(walked.parts, body=case.body, dialect=dialect)
    message = decoder.message
    if "no terminal event (ends early)" in json.loads(path.with_suffix(".json").read_text())["suspicious"]:
        assert not message.complete
        assert message.error is not None
        assert not any(part["type"] == "finish" for part in walked.parts) or message.error.kind == "provider"
    for end in range(len(case.body)):
        decoder = Decoder(dialect)
        cut = [part.as_json() for part in (*decoder.feed(case.body[:end]), *decoder.close())]
        finish = decoder.message.finish
        if cut_is_legal(cut, walked.parts) is not None:
            # Some say a finish reason with every chunk, some have no frame in them that can be read to its end: what is
            # left of them may be another stream, but not one that ends without the provider's word.
            assert finish is not None, end
            assert finish.raw is not None or decoder.message.error is not None, end
        assert not any(call.executable for call in decoder.message.tool_calls) or finish is not None
