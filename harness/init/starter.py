"""Recordings and goldens for a first run, out of those that come with streamparity."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from harness import cassette
from harness.case import Case
from harness.divergence import Divergences
from harness.exits import InputError
from harness.golden import GoldenError, GoldenStore
from harness.init.shipped import shipped
from harness.references import references_for

SCENARIOS = ("text", "unicode", "tool", "parallel-tools", "text-then-tool", "length")
"""What every parser meets within a day. A dialect that has none of them gives all that are well-formed."""


def starter_set(folder: Path, dialects: Sequence[str], *, everything: bool) -> dict[str, str]:
    """Path -> text of cassettes, goldens, the manifest with what ``folder`` has already, and divergences if any apply.

    Raises:
        InputError: no recording of a dialect comes with streamparity, or the manifest of the folder cannot be read.
    """
    home = shipped()
    cases = [case for dialect in dict.fromkeys(dialects) for case in _chosen(home, dialect, everything)]
    texts = {}
    for source in dict.fromkeys(case.source for case in cases):
        path = Path(source)
        texts[f"cassettes/{path.parent.name}/{path.name}"] = path.read_bytes().decode("utf-8")
    store = GoldenStore(home / "golden")
    keys = [f"{case.id}.{reference.name}.ndjson" for case in cases for reference in references_for(case)]
    for key in keys:
        texts[f"golden/{key}"] = (home / "golden" / key).read_text(encoding="ascii")
    texts["golden/manifest.json"] = json.dumps(_manifest(folder, store, cases, keys), indent=1) + "\n"
    divergences = _divergences(home / "golden" / "divergences.yaml", [case.id for case in cases])
    if divergences:
        texts["golden/divergences.yaml"] = divergences
    return texts


def _chosen(home: Path, dialect: str, everything: bool) -> list[Case]:
    folder = home / "cassettes" / dialect
    few = [path for name in SCENARIOS if (path := folder / f"{name}.yaml").exists()]
    paths = few if few and not everything else sorted(folder.glob("*.yaml"))
    found = [case for path in paths for case in cassette.load(path).cases(str(path))]
    if not found:
        known = ", ".join(sorted(path.name for path in (home / "cassettes").iterdir() if path.name != cassette.NOT_CASSETTES))
        raise InputError(f"no recordings of {dialect} come with streamparity; of these they do: {known}")
    well_formed = [case for case in found if not case.hazard and case.end == "complete"]
    return found if everything else well_formed or found


def _manifest(folder: Path, store: GoldenStore, cases: Sequence[Case], keys: Sequence[str]) -> dict[str, Any]:
    """That of the goldens that come with streamparity, narrowed to ``keys``; what ``folder`` has already wins."""
    try:
        known = GoldenStore(folder / "golden").manifest
    except GoldenError as error:
        raise InputError(str(error)) from None
    ours = store.manifest
    bodies = {case.id: ours["bodies"][case.id] for case in cases if case.id in ours["bodies"]}
    goldens = {key: ours["goldens"][key] for key in keys}
    if known:
        return {**known, "bodies": bodies | known.get("bodies", {}), "goldens": goldens | known.get("goldens", {})}
    return {**ours, "bodies": bodies, "goldens": goldens}


def _divergences(path: Path, ids: Sequence[str]) -> str:
    """The entries that are about these cases, each with the cases that it is about here."""
    known = Divergences.load(path).entries
    named = {entry.name: [case for case in ids if entry.covers(case)] for entry in known}
    if not any(named.values()):
        return ""
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    kept = [{**entry, "cases": named[entry["name"]]} for entry in entries if named[entry["name"]]]
    return yaml.safe_dump(kept, sort_keys=False, allow_unicode=True, width=118)
