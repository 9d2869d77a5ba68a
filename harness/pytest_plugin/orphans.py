"""Files that nothing needs any more: goldens without a case, cassettes that are neither a case nor a test's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.cassette import NOT_CASSETTES
from harness.pytest_plugin.options import CASSETTE_MARKER
from harness.references import references_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import pytest

    from harness.case import Case


def orphan_goldens(folder: Path, cases: Sequence[Case], root: Path) -> list[str]:
    """Lines about goldens in ``folder`` that none of ``cases``, which are all there are, is compared with."""
    needed = {f"{case.id}.{reference.name}.ndjson" for case in cases for reference in references_for(case)}
    stored = sorted(path for path in folder.glob("*/*.ndjson") if path.relative_to(folder).as_posix() not in needed)
    return [
        f"orphan golden: {_near(path, root)}: no case needs it; delete it, or record its case again" for path in stored
    ]


def replayed(items: Iterable[pytest.Item]) -> frozenset[str]:
    """The names of the cassettes that tests say are theirs."""
    markers = (item.get_closest_marker(CASSETTE_MARKER) for item in items)
    return frozenset(str(name) for marker in markers if marker is not None for name in marker.args)


def orphan_cassettes(folder: Path, cases: Sequence[Case], names: Iterable[str], root: Path) -> list[str]:
    """Lines about cassettes in ``folder`` that are none of ``cases``, which are all there are, nor called one of ``names``."""
    used = {case.source for case in cases} | {str(folder / f"{name}.yaml") for name in names}
    found = sorted({*folder.rglob("*.yaml"), *folder.rglob("*.yml")})
    return [
        f"orphan cassette: {_near(path, root)}: {_why(path, folder)}"
        for path in found
        if str(path) not in used and path.relative_to(folder).parts[0] != NOT_CASSETTES
    ]


def _why(path: Path, folder: Path) -> str:
    if path.suffix == ".yaml" and len(path.relative_to(folder).parts) == 2:
        return f"no case is made of it, and no test names it with {CASSETTE_MARKER}; delete it, or use it"
    return "never looked at: cassettes are <dialect>/<scenario>.yaml; move it, or delete it"


def _near(path: Path, root: Path) -> Path:
    return path.relative_to(root) if path.is_relative_to(root) else path
