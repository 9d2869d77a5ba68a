"""Fixtures for the tests of the pytest plugin, which run pytest in a process and a folder of its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from .plugin_project import CASES, REPOSITORY, WRONG, copy

if TYPE_CHECKING:
    from .plugin_project import Run


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with three recordings, their goldens, a subject of its own, and one test."""
    for case in CASES:
        copy(REPOSITORY / "cassettes", pytester.path / "cassettes", f"{case}.yaml")
        for golden in (REPOSITORY / "golden").glob(f"{case}.*.ndjson"):
            copy(REPOSITORY / "golden", pytester.path / "golden", str(golden.relative_to(REPOSITORY / "golden")))
    copy(REPOSITORY / "golden", pytester.path / "golden", "manifest.json")
    pytester.makepyfile(mine=WRONG, test_own="def test_own(): pass")
    pytester.makeini("[pytest]\naddopts = --strict-markers --strict-config\n")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(REPOSITORY), str(pytester.path))))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.delenv("PYTEST_PLUGINS", raising=False)
    return pytester


@pytest.fixture
def run(project: pytest.Pytester) -> Run:
    """pytest with the plugin; ``two_plans`` are enough for most tests."""

    def run(
        *arguments: str, plugins: tuple[str, ...] = ("harness.plugin",), two_plans: bool = True
    ) -> pytest.RunResult:
        plan = ("--parity-plan=whole,bytes", "--parity-no-mutants") if two_plans else ()
        loaded = [word for plugin in plugins for word in ("-p", plugin)]
        return project.runpytest_subprocess(*loaded, *plan, *arguments)

    return run


@pytest.fixture
def entry_point(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin installed: found by its entry point, as any other of this environment."""
    about = project.mkdir("streamparity-0.dist-info")
    about.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: streamparity-under-test\nVersion: 0\n")
    about.joinpath("entry_points.txt").write_text("[pytest11]\nstreamparity = harness.plugin\n")
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
