"""What stands for the oracle, and for npm, while the pages run without Node."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from harness import golden as golden_module
from harness.drift import reference
from harness.oracle import Answer

from .docs_blocks import ROOT
from .drifting import NPM

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pytest


class CommittedOracle:
    """Says of a body what the committed goldens say of it, whatever its case is called. Made by Node they were."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.node_version: str = _manifest()["node"]
        self.sdks: dict[str, str] = _manifest()["sdks"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def run(self, requests: Iterable[tuple[str, bytes, str]]) -> Iterator[Answer]:
        for name, asked, of in requests:
            path = _goldens().get((hashlib.sha256(asked).hexdigest(), of))
            assert path, f"{name}: no committed golden of {of} is of this body"
            yield Answer(of, tuple(path.read_text("ascii").splitlines()))


@functools.cache
def _manifest() -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((ROOT / "golden/manifest.json").read_text("utf-8"))
    return manifest


@functools.cache
def _goldens() -> dict[tuple[str, str], Path]:
    bodies = _manifest()["bodies"]
    found = {}
    for key in _manifest()["goldens"]:
        dialect, _, file = key.partition("/")
        name, _, of = file.removesuffix(".ndjson").partition(".")
        found[bodies[f"{dialect}/{name}"], of] = ROOT / "golden" / key
    return found


def oracle(patch: pytest.MonkeyPatch, folder: Path, *, real: bool) -> None:
    """A checkout's oracle beside the goldens: Node's, or what it said when the goldens were made. npm notes what it is told."""
    place = folder / "golden/oracle"
    if real:
        place.symlink_to(ROOT / "golden/oracle")
        return
    shutil.copytree(ROOT / "golden/oracle", place, ignore=shutil.ignore_patterns("node_modules"))
    npm = folder / "bin/npm"
    npm.parent.mkdir()
    npm.write_text(NPM)
    npm.chmod(0o755)
    patch.setenv("PATH", f"{npm.parent}{os.pathsep}{os.environ['PATH']}")
    patch.setattr(golden_module, "Oracle", CommittedOracle)
    patch.setattr(reference, "find_node", lambda: ("node", _manifest()["node"]))
