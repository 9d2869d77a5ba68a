"""The README's table of dialects says what is there."""

from __future__ import annotations

from pathlib import Path

from harness.divergence import Divergence, Divergences
from harness.references import REFERENCES
from streamcore import DIALECTS

ROOT = Path(__file__).parents[2]
HEAD = ["dialect", "golden", "cross-check", "framing", "cassettes", "divergences"]


def row(dialect: str, entries: tuple[Divergence, ...]) -> list[str]:
    def packages(kind: str) -> str:
        named = [one for one in REFERENCES[dialect] if one.kind == kind]
        return ", ".join(f"`{one.package}` ({one.name})" if kind != "frames" else f"`{one.package}`" for one in named)

    about = [entry for entry in entries if any(glob.startswith((f"{dialect}/", "*")) for glob in entry.cases)]
    cassettes = len(list((ROOT / "cassettes" / dialect).glob("*.yaml")))
    counts = [str(cassettes or ""), str(len(about) or "")]
    return [f"`{dialect}`", packages("trace"), packages("final"), packages("frames"), *counts]


def table() -> str:
    entries = Divergences.load(ROOT / "golden" / "divergences.yaml").entries
    rows = [HEAD, ["---"] * len(HEAD), *(row(dialect, entries) for dialect in sorted(REFERENCES))]
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
