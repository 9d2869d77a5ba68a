"""Fixtures for the tests of the pytest plugin, which run pytest in a folder of its own; and what makes clients cheap."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import certifi
import pytest

from harness.minimal import minimal_cut

from .plugin_project import CASES, REPOSITORY, WRONG, copy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .plugin_project import Run


@pytest.fixture(scope="session", autouse=True)
def one_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test speaks TLS, and to read the certificates of 150 authorities takes each client of httpx 25 ms: here is one."""
    end = "-----END CERTIFICATE-----\n"
    first = Path(certifi.where()).read_text(encoding="utf-8").partition(end)[0] + end
    file = tmp_path_factory.mktemp("authority") / "one.pem"
    file.write_text(first, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(file))
        yield


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


@pytest.fixture(scope="session")
def plugin_imported() -> None:
    """What the plugin imports is here before pytester notes the modules: those of a test are forgotten after it."""
    for name in ("check", "plugin", "pytest_plugin.items", "pytest_plugin.run", "mutants.run", "report.html"):
        importlib.import_module(f"harness.{name}")


@pytest.fixture
def run(plugin_imported: None, project: pytest.Pytester) -> Run:
    """pytest with the plugin; ``two_plans`` are enough for most tests.

    It runs in this process where a process of its own would only cost the second that it takes to start: where nothing is
    loaded beside the plugin but pytest-xdist, and what is imported already is not what the test is about (``afresh``).
    """
    def run(
        *arguments: str, plugins: tuple[str, ...] = ("harness.plugin",), two_plans: bool = True, afresh: bool = False
    ) -> pytest.RunResult:
        plan = ("--parity-plan=whole,bytes", "--parity-no-mutants") if two_plans else ()
        loaded = [word for plugin in plugins for word in ("-p", plugin)]
        alone = {*plugins} <= {"harness.plugin", "xdist.plugin"} and "PYTEST_DISABLE_PLUGIN_AUTOLOAD" in os.environ
        if plugins and alone and not afresh:
            project.syspathinsert()
            return project.runpytest_inprocess(*loaded, *plan, *arguments)
        return project.runpytest_subprocess(*loaded, *plan, *arguments)

    return run


@pytest.fixture
def short_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search for a minimal cut ends soon: for tests that fail a case and are not about what the search finds."""
    monkeypatch.setitem(minimal_cut.__kwdefaults__, "max_runs", 20)


@pytest.fixture
def entry_point(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin installed: found by its entry point, as any other of this environment."""
    about = project.mkdir("streamparity-0.dist-info")
    about.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: streamparity-under-test\nVersion: 0\n")
    about.joinpath("entry_points.txt").write_text("[pytest11]\nstreamparity = harness.plugin\n")
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
