"""The recordings and goldens that come with streamparity: the folders of a checkout, or the copy in an installed package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.golden import GoldenStore

STARTER = "starter"
"""The key of a manifest that says: these goldens are copies of those that come with streamparity, of that version."""


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


def recordings_for_mutants(store: GoldenStore, folder: Path) -> Path | None:
    """Where mutants find what shows each defect, if not in ``folder``: a starter set is too small to show them all.

    None where ``store`` is no starter set: whoever has recordings of their own is told which defects those do not show.
    """
    if STARTER not in store.manifest:
        return None
    home = shipped()
    return home if (home / "cassettes").resolve() != folder.resolve() else None
