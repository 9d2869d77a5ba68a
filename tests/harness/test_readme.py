"""The README's table of dialects says what is there."""

from __future__ import annotations

from pathlib import Path

from harness.divergence import Divergences
from harness.references import REFERENCES, Reference

ROOT = Path(__file__).parents[2]
HEAD = ["dialect", "golden", "cross-check", "framing", "cassettes", "divergences"]


def row(dialect: str) -> list[str]:
    def packages(kind: str) -> str:
        named = [one for one in REFERENCES[dialect] if one.kind == kind]
        return ", ".join(f"`{one.package}` ({one.name})" if kind != "frames" else f"`{one.package}`" for one in named)

    entries = Divergences.load(ROOT / "golden" / "divergences.yaml").entries
    about = [entry for entry in entries if any(glob.startswith((f"{dialect}/", "*")) for glob in entry.cases)]
    cassettes = len(list((ROOT / "cassettes" / dialect).glob("*.yaml")))
    counts = [str(cassettes or ""), str(len(about) or "")]
    return [f"`{dialect}`", packages("trace"), packages("final"), packages("frames"), *counts]


def table() -> str:
    rows = [HEAD, ["---"] * len(HEAD), *map(row, sorted(REFERENCES))]
    return "\n".join(f"| {' | '.join(cells)} |".replace("|  |", "| |").replace("|  |", "| |") for cells in rows)


def test_every_dialect_has_its_row() -> None:
    text = (ROOT / "README.md").read_text()
    start = text.index("| dialect |")
    assert text[start : text.index("\n\n", start)] == table()


def test_a_dialect_that_is_compared_has_a_reference_for_its_parts_or_its_message() -> None:
    def judged(references: tuple[Reference, ...]) -> bool:
        return any(one.kind in ("trace", "final") for one in references)

    assert [dialect for dialect, references in REFERENCES.items() if not judged(references)] == []
