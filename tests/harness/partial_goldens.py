"""What the SDKs show of unfinished JSON, stored: ``golden/partial-json``.

``documents.json`` is a list of JSON texts. ``<flavour>.jsonl`` has, for each of them in turn, the answer of the oracle's
reference ``partial-json.<flavour>``: a header line, one line a beginning of the document (shortest first, the empty one
and the whole included), an end line. With Node and the SDKs (``golden/oracle/README.md``) this makes all of them again::

    python tests/harness/partial_goldens.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.oracle import Oracle

GOLDENS = Path(__file__).resolve().parents[2] / "golden"
FOLDER = GOLDENS / "partial-json"
FLAVOURS = ("openai", "anthropic", "ai")


def documents() -> list[str]:
    """The JSON texts."""
    texts: list[str] = json.loads((FOLDER / "documents.json").read_text(encoding="ascii"))
    return texts


def stored(flavour: str) -> list[list[str]]:
    """Of every document, the lines of its beginnings: ``["failed",{}]`` or ``["shown",{"value":...}]``."""
    answers: list[list[str]] = []
    for line in (FOLDER / f"{flavour}.jsonl").read_text(encoding="ascii").splitlines():
        parsed: Any = json.loads(line)
        if isinstance(parsed, list):
            answers[-1].append(line)
        elif "body" in parsed:
            answers.append([])
    return answers


def made(oracle: Oracle, flavour: str) -> str:
    """What the file of ``flavour`` holds if it is made now."""
    requests = [(text, text.encode(), f"partial-json.{flavour}") for text in documents()]
    lines: list[str] = []
    for answer in oracle.run(requests):
        assert answer.lines, answer
        lines += answer.lines
    return "\n".join(lines) + "\n"


def main() -> None:
    """Makes all files again."""
    with Oracle(GOLDENS / "oracle") as oracle:
        for flavour in FLAVOURS:
            (FOLDER / f"{flavour}.jsonl").write_text(made(oracle, flavour), encoding="ascii")


if __name__ == "__main__":
    main()
