"""What ``pip`` runs when it builds the package: the recordings and their goldens go into it, as its data.

In the tree they lie at the top, where everybody finds them; a wheel has no top, so there they lie beside this module
(:mod:`harness.init.shipped`). ``pyproject.toml`` names the class. Nothing of ours can be imported while the package is built.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools.command.build_py import build_py

CARRIED = ("cassettes/*/*.yaml", "golden/*/*.ndjson", "golden/manifest.json", "golden/divergences.yaml")
"""Relative to the top of the tree; the oracle, which makes goldens, is not among them."""
TARGET = "harness/init/recordings"


def carried() -> list[Path]:
    """The files, relative to the top of the tree, where a build runs."""
    return [path for pattern in CARRIED for path in sorted(Path().glob(pattern))]


class BuildWithRecordings(build_py):
    """``build_py``, and then the recordings."""

    def get_source_files(self) -> list[str]:
        """What a source archive carries: what the package is built from."""
        return [*super().get_source_files(), *(path.as_posix() for path in carried())]

    def run(self) -> None:
        """Copies what is carried, unless the tree itself is to be installed (``pip install -e``).

        Raises:
            FileNotFoundError: the tree to build from has no recordings.
        """
        super().run()
        if self.editable_mode:
            return
        files = carried()
        if not any(path.suffix == ".yaml" and path.parts[0] == "cassettes" for path in files):
            raise FileNotFoundError(f"{Path.cwd()}: no cassettes/ to put into the package")
        target = Path(self.build_lib, TARGET)
        shutil.rmtree(target, ignore_errors=True)  # what an earlier build left there
        for path in files:
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / path)
