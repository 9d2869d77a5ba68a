"""The recordings and goldens that come with streamparity: the folders of a checkout, or the copy in an installed package."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cassette import NOT_CASSETTES
from harness.divergence import Divergences

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.case import Case


def shipped() -> Path:
    """The folder that holds ``cassettes/`` and ``golden/``.

    Raises:
        FileNotFoundError: the package was installed without them.
    """
    here = Path(__file__).parent / "recordings"
    folder = here if here.is_dir() else Path(__file__).parents[2]
    if not (folder / "golden" / "manifest.json").is_file():
        raise FileNotFoundError(f"{folder}: streamparity was installed without its recordings; install it again")
    return folder


def excused_here(own: Divergences, cases: Iterable[Case]) -> Divergences:
    """The divergences of a project, and for its recordings of the local model those that come with streamparity.

    Everybody's local model is the same one, and what its server leaves out is known: nobody is to find that out again.
    Recordings of anything else are excused by what their own project says alone.
    """
    local = [case.id for case in cases if case.provenance == "local-model"]
    if not local:
        return own
    borrowed = []
    for entry in Divergences.load(shipped() / "golden" / "divergences.yaml").entries:
        known = [one for one in own.entries if one.name == entry.name]
        left = tuple(case for case in local if entry.covers(case) and not any(one.covers(case) for one in known))
        if left:
            borrowed.append(replace(entry, cases=left))
    return replace(own, entries=(*own.entries, *borrowed))


def graded_cassettes(folder: Path) -> Path:
    """``folder`` if a catalogue of hazards is there, else the cassettes that come with streamparity, which have one."""
    return folder if any((folder / NOT_CASSETTES).glob("*.yaml")) else shipped() / "cassettes"
