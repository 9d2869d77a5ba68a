"""The tutorial, followed to the letter in an empty folder."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

from .docs_blocks import blocks, shows, streamparity, write_or_change

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

CAUSES = {
    "openai-chat/unicode": "a character whose bytes come in two chunks is broken",
    "openai-chat/text": "which say 'data: [DONE]'",
    "openai-chat/parallel-tools": "two or more tool calls became one",
}
"""The three bugs, each with a case that shows it alone."""


def test_the_first_run_finds_all_three_and_after_the_fixes_it_is_green(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command ends as the page says, and prints what it shows."""
    monkeypatch.chdir(tmp_path)
    runs = []
    for block in blocks("docs/tutorial.md"):
        if block.not_run:
            continue
        if block.title:
            write_or_change(block, tmp_path)
            continue
        for words, shown in block.commands:
            code, output = streamparity(words, monkeypatch)
            assert code == block.exit, output
            assert not shows(output, shown), output
            runs.append((words[1], code, output))
            if code == 1:
                page = unescape((tmp_path / "reports" / "parity.html").read_text("utf-8"))

    assert [(name, code) for name, code, _ in runs] == [("init", 0), ("check", 1), ("check", 0)]
    told = {block.splitlines()[0].split()[1]: block for block in runs[1][2].split("\n\n") if block.startswith("FAIL ")}
    for case, cause in CAUSES.items():
        first = told[case].split("    reproduce: ")[0]
        assert cause in first
        assert not any(other in first for other in CAUSES.values() if other != cause)
    assert all(cause in page for cause in CAUSES.values())
    assert re.search(r"\b([1-9]\d*)/\1 mutants caught", runs[2][2])
