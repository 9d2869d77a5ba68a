"""The README's table of dialects says what is there."""

from __future__ import annotations

from pathlib import Path

from harness.divergence import Divergence, Divergences
from harness.references import REFERENCES
from streamcore import DIALECTS

ROOT = Path(__file__).parents[2]
HEAD = ["dialect", "golden", "cross-check", "framing", "cassettes", "divergences", "speed"]


def row(dialect: str, entries: tuple[Divergence, ...], speeds: dict[str, str]) -> list[str]:
    def packages(kind: str) -> str:
        named = [one for one in REFERENCES[dialect] if one.kind == kind]
        return ", ".join(f"`{one.package}` ({one.name})" if kind != "frames" else f"`{one.package}`" for one in named)

    about = [entry for entry in entries if any(glob.startswith((f"{dialect}/", "*")) for glob in entry.cases)]
    cassettes = len(list((ROOT / "cassettes" / dialect).glob("*.yaml")))
    counts = [str(cassettes or ""), str(len(about) or ""), speeds.get(dialect, "")]
    return [f"`{dialect}`", packages("trace"), packages("final"), packages("frames"), *counts]


def measured() -> dict[str, str]:
    """Events a second over those of the reference, as the saved run of the benchmarks has it."""
    _, _, text = (ROOT / "benchmarks" / "RESULTS.md").read_text().partition("## Bytes to parts, every dialect")
    lines = [line.strip("| ").split(" | ") for line in text.partition("\n## ")[0].splitlines() if line.startswith("| ")]
    return {cells[0]: f"{cells[-1]} x" for cells in lines[2:]}


def table() -> str:
    entries = Divergences.load(ROOT / "golden" / "divergences.yaml").entries
    rows = [HEAD, ["---"] * len(HEAD), *(row(dialect, entries, measured()) for dialect in sorted(REFERENCES))]
    return "\n".join(f"| {' | '.join(cells)} |".replace("|  |", "| |").replace("|  |", "| |") for cells in rows)


def test_every_dialect_has_its_row() -> None:
    text = (ROOT / "README.md").read_text()
    start = text.index("| dialect |")
    assert text[start : text.index("\n\n", start)] == table()


def test_every_dialect_of_the_core_has_a_row_and_the_other_way_round() -> None:
    assert sorted(DIALECTS) == sorted(REFERENCES)


def test_few_dialects_are_judged_by_rules_alone() -> None:
    unjudged = {dialect for dialect, found in REFERENCES.items() if {one.kind for one in found} <= {"frames"}}
    assert unjudged == {"anthropic-complete-legacy", "cohere-v1", "vertex-gemini-json-array"}
