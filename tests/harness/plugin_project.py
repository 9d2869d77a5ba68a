"""A folder as a user of the pytest plugin has it, and names for what is in it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cassette import load

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    Run = Callable[..., pytest.RunResult]

REPOSITORY = Path(__file__).parents[2]
CASES = ("anthropic-messages/tool", "openai-chat/text", "openai-chat/unicode")
NAMES = ("golden", "whole", "bytes")
EVERY_ID = [f"parity::{case}::{name}" for case in CASES for name in NAMES]
"""Every item of the two plans that most tests ask for."""

WRONG = '''
"""A subject that decodes each chunk by itself."""

from harness.subjects.core import CoreSubject


class Session:
    def __init__(self, case):
        self._core = CoreSubject().open(case)

    def feed(self, chunk):
        return self._core.feed(chunk.decode("utf-8", "replace").encode())

    def close(self):
        return self._core.close()


class Subject:
    name = "mine"
    version = "1"

    def claims(self, dialect):
        return dialect == "openai-chat"

    def open(self, case):
        return Session(case)


class Broken(Subject):
    def open(self, case):
        raise RuntimeError("no luck today")


class Elsewhere(Subject):
    def claims(self, dialect):
        return dialect == "another-dialect"
'''


def copy(source: Path, target: Path, name: str) -> None:
    """Copies the file ``name`` from folder to folder."""
    (target / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source / name, target / name)


def golden_body(case: str) -> bytes:
    """The body of a committed cassette."""
    (found,) = load(REPOSITORY / "cassettes" / f"{case}.yaml").cases(case)
    return found.body


def ids(result: pytest.RunResult) -> list[str]:
    """The lines of the output that begin with a node id of ours."""
    return [line for line in result.outlines if line.startswith("parity::")]
