"""A small checkout: copies of committed recordings and their goldens, and a module of subjects of its own."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cassette import load
from harness.divergence import Divergences

if TYPE_CHECKING:
    import pytest

    from harness.case import Case

REPOSITORY = Path(__file__).parents[2]
TEXT = "openai-chat/text"
EMPTY = "anthropic-messages/empty"

SUBJECTS = '''
"""Subjects for the tests of the run."""

from harness.subjects.core import CoreSession, CoreSubject


class Mine(CoreSubject):
    name = "mine"

    def __init__(self):
        self.version = "7"


class Raises(CoreSubject):
    name = "raises"
    version = "1"

    def open(self, case):
        if case.dialect == "openai-chat":
            raise LookupError("no luck today")
        return super().open(case)


class Elsewhere(CoreSubject):
    name = "elsewhere"
    version = "1"

    def claims(self, dialect):
        return False


class Chat(CoreSubject):
    name = "chat"
    version = "1"

    def claims(self, dialect):
        return dialect == "openai-chat"
'''


def make_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with copies of two recordings and their goldens, and a module of subjects; it becomes the current one."""
    for case in (TEXT, EMPTY):
        add(tmp_path, case)
    shutil.copy(REPOSITORY / "golden" / "manifest.json", tmp_path / "golden")
    (tmp_path / "mysubjects.py").write_text(SUBJECTS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "mysubjects", raising=False)
    return tmp_path


def add(project: Path, case: str) -> None:
    """Adds the recording of ``case`` and its goldens."""
    for kind, files in (("cassettes", f"{case}.yaml"), ("golden", f"{case}.*.ndjson")):
        for path in (REPOSITORY / kind).glob(files):
            target = project / kind / path.relative_to(REPOSITORY / kind)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)


def excuse_all(project: Path) -> Divergences:
    """The committed divergences."""
    shutil.copy(REPOSITORY / "golden" / "divergences.yaml", project / "golden")
    return Divergences.load(project / "golden" / "divergences.yaml")


def replace(path: Path, old: str, new: str) -> None:
    """Replaces ``old``, which stands in the file once."""
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def case_called(project: Path, name: str) -> Case:
    """The case with that id."""
    path = project / "cassettes" / f"{name}.yaml"
    return next(case for case in load(path).cases(str(path)) if case.id == name)
