"""What stands where a page takes something for there: the reader's project, what came into it before, a package index.

Each stands in for what a test may not have, as thin as can be (so do ``docs_providers.py`` and ``docs_oracle.py``): the command
in between is the real one.
"""

from __future__ import annotations

import functools
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from harness.cassette import load
from harness.corpus_pull import archives
from harness.corpus_pull import pull as pulling
from harness.hazards import Hazard, load_catalogue, table
from harness.mutants import mutation
from harness.package_index import PackageIndex, Places

from .docs_blocks import ROOT
from .docs_oracle import oracle
from .docs_providers import QUESTION
from .drifting import put_new
from .fake_archives import FakeIndex, body, exchange, vcrpy
from .fake_providers import KEYS

if TYPE_CHECKING:
    import pytest

CASES = ("openai-chat/text", "openai-chat/unicode", "openai-chat/error-mid-stream", "ollama-ndjson/tool")
FEW_MUTANTS = ("lines-per-chunk", "remainder-dropped", "sse-stops-early")  # which any recording shows
FEW_HAZARDS = ("WH-005", "WH-006")
"""The tutorial runs all mutants, and ``test_hazards.py`` all hazards; what the other pages are about is the command."""
BESIDE = {
    "README.md": (),  # it begins with `streamparity init`
    "docs/drift.md": (
        "openai-chat/[lt]*",
        "openai-chat/u*",
        "openai-responses/[tu]*",
    ),  # known, of what is recorded anew
    "docs/pytest.md": ("openai-chat/error-mid-stream", "ollama-ndjson/tool"),
}
"""Recordings that stand for the reader's, where they are not those of all pages."""
SUBJECT = """
from harness.subjects.core import CoreSubject


class Session:
    def __init__(self, case):
        core = CoreSubject().open(case)
        self.feed, self.close = core.feed, core.close


class Subject:
    name, version = "mypackage", "1.0"

    def claims(self, dialect):
        return True

    def open(self, case):
        return Session(case)
"""
"""The reader's: a session that cannot be taken back, as most are at first."""


def put(folder: Path, *cases: str) -> None:
    """Recordings and their goldens, as links: whatever a command writes, it writes beside them."""
    for kind, files in (("cassettes", "{}.yaml"), ("golden", "{}.*.ndjson")):
        for path in (path for case in cases for path in (ROOT / kind).glob(files.format(case))):
            link = folder / path.relative_to(ROOT)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path)


def scenery(folder: Path, page: str) -> dict[str, Any]:
    """What stands for the reader's own project, and the names that a page takes for known."""
    package = folder / "mypackage"
    package.mkdir()
    for module in ("parity", "stream"):
        (package / f"{module}.py").write_text(SUBJECT)
    put(folder, *BESIDE.get(page, CASES))
    (folder / "golden").mkdir(exist_ok=True)
    if page != "README.md":
        shutil.copy(ROOT / "golden/manifest.json", folder / "golden")
        shutil.copy(ROOT / "golden/divergences.yaml", folder / "golden")
    for old in ("old", "new", "recorded-today"):
        (folder / old).mkdir()
        shutil.copy(ROOT / "cassettes/openai-chat/text.yaml", folder / old)
    (folder / "tests/cassettes").mkdir(parents=True)
    recorded = vcrpy(exchange("https://api.openai.com/v1/chat/completions", body("openai-chat/text")))
    (folder / "tests/cassettes/test_chat.yaml").write_bytes(recorded)
    (case,) = load(ROOT / "cassettes/anthropic-messages/text.yaml").cases("anthropic-messages/text")
    response = httpx.Response(200, content=case.body)
    return {"__name__": "page", "response": response, "question": QUESTION, "key": KEYS["OPENAI_API_KEY"]}


def _few_hazards(cassettes: Path) -> list[Hazard]:
    return [one for one in load_catalogue(cassettes) if one.id in FEW_HAZARDS]


def stage(page: str, folder: Path, patch: pytest.MonkeyPatch, *, real_oracle: bool) -> dict[str, Any]:
    """The reader's folder, as the current one, and all that stands around it; returns the names that the page knows."""
    known = scenery(folder, page)
    patch.chdir(folder)
    patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    for name in ("CI", "PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
        patch.delenv(name, raising=False)
    few(patch)
    oracle(patch, folder, real=real_oracle)
    package_index(patch, folder)
    return known


def few(patch: pytest.MonkeyPatch) -> None:
    """A handful of mutants and hazards where the commands would take all of them, which takes a minute."""
    patch.setattr(mutation, "MUTANTS", {name: mutation.MUTANTS[name] for name in FEW_MUTANTS})
    patch.setattr(table, "load_catalogue", _few_hazards)


def planted(patch: pytest.MonkeyPatch) -> None:
    """A folder in which all recordings of a dialect are known, and a new one has a member that none of them has."""
    folder = Path("planted")
    put(folder, *BESIDE["docs/drift.md"])
    for name in ("manifest.json", "divergences.yaml"):
        shutil.copy(ROOT / "golden" / name, folder / "golden")
    patch.chdir(folder)
    put_new(('"delta":{"content":" can"', '"delta":{"text":" can"'))


def beforehand(words: list[str]) -> None:
    """What another run has left by the time of a command: that of the main branch."""
    if "main.json" in words:
        shutil.copy("reports/parity.json", "main.json")


def package_index(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """An index with one package that has a recording among its tests, and the table that pins it."""
    index = FakeIndex(folder / "index")
    recording = vcrpy(exchange("https://api.openai.com/v1/chat/completions", body("openai-chat/text")))
    index.add("first", {"tests/a.yaml": recording})
    patch.setattr(archives, "pinned_archives", lambda: index.archives)
    there = Places(indexes=(index.url,))
    patch.setattr(pulling, "pull", functools.partial(pulling.pull, places=lambda: PackageIndex(there)))
