"""The diffs in ``docs/add-an-openai-compatible-server.md`` are what stands in the tree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.references import REFERENCES
from streamcore import DIALECTS
from streamcore.dialects.compatible.chat import OpenAICompatible
from streamcore.dialects.compatible.servers import ANY, DEEPSEEK, GROQ, SERVERS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "add-an-openai-compatible-server.md").read_text("utf-8")
DIFFS = re.findall(r"```diff\n--- (?:a/|/dev/null).*\n\+\+\+ b/(.*)\n@@ .*\n((?:[ +].*\n)+)```", PAGE)


def test_the_page_shows_all_four() -> None:
    folders = [path.partition("/")[0] for path, _ in DIFFS]
    assert folders == ["streamcore", "harness", "cassettes", "golden"]


@pytest.mark.parametrize(("path", "lines"), DIFFS, ids=[path for path, _ in DIFFS])
def test_a_diff_is_true(path: str, lines: str) -> None:
    shown = "".join(line[1:] + "\n" for line in lines.splitlines())
    assert shown in (ROOT / path).read_text("utf-8")


def test_every_row_is_a_dialect_with_a_reference() -> None:
    """Which follows from the row alone."""
    rows = [ANY, *SERVERS, GROQ, DEEPSEEK]
    assert len({row.name for row in rows}) == len(rows)
    for row in rows:
        dialect = DIALECTS[row.name]
        assert issubclass(dialect, OpenAICompatible)
        assert dialect.server is row
        assert REFERENCES[row.name][0].kind == "trace"
    assert all(row.differs and row.recording for row in rows if row is not ANY)
