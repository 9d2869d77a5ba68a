"""pytest plugin: ``pytest --parity`` replays every case under every plan, with no test code.

Options, ini keys, fixtures and hooks only. What is collected stands in :mod:`harness.pytest_items`, what a run does in
:mod:`harness.pytest_run`. Both are imported when they are wanted: without ``--parity`` and without the fixtures this
module costs its own import.

What stands on the command line wins over a marker, a marker over the ini file.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest

from harness.node_ids import ROOT

if TYPE_CHECKING:
    from harness.case import Case
    from harness.chunking import Plan
    from harness.pytest_run import ParityRun, Settings
    from harness.subjects import Subject

_RUN: pytest.StashKey[ParityRun] = pytest.StashKey()
_CASES: pytest.StashKey[list[Case]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options and ini keys; all names begin with ``parity``."""
    add = parser.getgroup("streamparity", "replay recorded provider streams, cut at every byte").addoption
    add("--parity", action="store_true", help="Collect every case x plan as a test.")
    add("--parity-plan", metavar="P", help="smoke, standard, exhaustive, or a list such as bytes,every:7,split@12.")
    add(
        "--parity-subject",
        action="append",
        metavar="S",
        help="streamcore, mutant:NAME, or package.module:attribute; repeatable.",
    )
    add("--parity-cassettes", metavar="DIR", help="Folder of cassettes. Default: cassettes/ in the root folder.")
    add("--parity-golden", metavar="DIR", help="Folder of goldens. Default: golden/ in the root folder.")
    add(
        "--parity-corpus",
        action="append",
        metavar="DIR",
        help="Folder of <dialect>/<slug>.body recordings; goldens are made on the fly (needs Node 20); repeatable.",
    )
    add("--parity-case", action="append", metavar="GLOB", help="Only cases whose id matches; repeatable.")
    add("--parity-report", metavar="PATH", help="Write the report for people (HTML).")
    add("--parity-json", metavar="PATH", help="Write the report for programs (JSON).")
    add("--parity-seed", type=int, default=0, metavar="N", help="Added to the seeds of the random plans.")
    add("--parity-no-mutants", action="store_true", help="Leave out the proof that the checks can fail.")
    parser.addini("parity_subject", "as --parity-subject; several are separated by spaces", default="")
    parser.addini("parity_plan", "as --parity-plan", default="")
    parser.addini("parity_cassettes", "as --parity-cassettes, relative to the root folder", default="")
    parser.addini("parity_golden", "as --parity-golden, relative to the root folder", default="")
    parser.addini("parity_corpus", "as --parity-corpus; several are separated by spaces", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Registers the marker. With ``--parity``, reads what is asked for: a misspelt name fails before anything runs.

    Raises:
        pytest.UsageError: no such plan or subject, or divergences that cannot be used.
    """
    config.addinivalue_line(
        "markers",
        "parity(dialect=None, case=None, plan=None, subject=None): which cases, plans and subjects the fixtures of "
        "streamparity give the test; every collected case x plan has it too.",
    )
    node_ids = [argument for argument in config.args if argument.startswith(f"{ROOT}::")]
    if config.option.help or not (config.option.parity or node_ids):
        return
    from harness.pytest_run import ParityRun  # heavy, and wanted only now

    config.args[:] = [argument for argument in config.args if argument not in node_ids]  # they are no files
    config.stash[_RUN] = ParityRun(config, node_ids)


def pytest_report_header(config: pytest.Config) -> str | None:
    """What is going to be replayed."""
    run = config.stash.get(_RUN, None)
    return run.settings.header() if run is not None else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Adds the collected case x plan items; first, so that ``-k``, ``-m`` and ``--lf`` choose among them too."""
    run = config.stash.get(_RUN, None)
    if run is not None:
        from harness.pytest_items import collect  # heavy, and wanted only now

        items.extend(collect(session, run))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Notes what was chosen."""
    run = session.config.stash.get(_RUN, None)
    if run is not None:
        run.chosen(sum(item.nodeid.startswith(f"{ROOT}::") for item in session.items))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist hands its results over; whoever has them all judges the run and writes the reports."""
    run = session.config.stash.get(_RUN, None)
    if run is None:
        return
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["streamparity"] = run.packed()
    elif not session.config.option.collectonly:
        run.finish(session)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """The controller of pytest-xdist takes over what a worker found out."""
    run = node.config.stash.get(_RUN, None)
    packed = getattr(node, "workeroutput", {}).get("streamparity")
    if run is not None and packed is not None:
        run.unpack(packed)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The numbers that show that the run was not vacuous."""
    run = config.stash.get(_RUN, None)
    if run is not None and run.summary:
        terminalreporter.section("streamparity", sep="-")
        for line in run.summary:
            terminalreporter.write_line(line)


# -- fixtures for tests of one's own -----------------------------------------------------------------------------------


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrises tests that use ``parity_case``, ``chunk_plan`` or ``stream_subject``, if through another fixture."""
    wanted = {"parity_case", "chunk_plan", "stream_subject"}.intersection(metafunc.fixturenames)
    if not any(_is_ours(metafunc, name) for name in wanted):
        return
    from harness.exits import InputError  # wanted only now, as is the next
    from harness.pytest_run import Settings, raised_as

    marker = metafunc.definition.get_closest_marker("parity")
    chosen = dict(marker.kwargs) if marker is not None else {}
    unknown = sorted(set(chosen) - {"dialect", "case", "plan", "subject"})
    with raised_as(pytest.Collector.CollectError):
        if unknown or (marker is not None and marker.args):
            what = repr(unknown[0]) if unknown else "a positional argument"
            raise InputError(f"the marker parity does not take {what}: it takes dialect, case, plan and subject")
        settings = Settings.of(metafunc.config, plan=chosen.get("plan"), subject=chosen.get("subject"))
        if _is_ours(metafunc, "parity_case"):
            cases = [case for case in _cases(metafunc.config, settings) if _matches(case, chosen)]
            if not cases:
                asked = ", ".join(f"{key}={value!r}" for key, value in chosen.items())
                raise InputError(f"no case matches parity({asked})")
            metafunc.parametrize("parity_case", cases, ids=[case.id for case in cases], indirect=True)
        if _is_ours(metafunc, "chunk_plan"):
            names = [plan.name for plan in settings.plans]
            metafunc.parametrize("chunk_plan", settings.plans, ids=names, indirect=True)
        if _is_ours(metafunc, "stream_subject"):
            metafunc.parametrize("stream_subject", settings.subjects, ids=settings.subjects, indirect=True)


def _is_ours(metafunc: pytest.Metafunc, name: str) -> bool:
    """Whether the test uses our fixture of that name, and not one of the user's that overrides it."""
    definitions: Any = getattr(metafunc, "_arg2fixturedefs", {}).get(name)
    return name in metafunc.fixturenames and bool(definitions) and definitions[-1].func.__module__ == __name__


def _cases(config: pytest.Config, settings: Settings) -> list[Case]:
    if _CASES not in config.stash:
        config.stash[_CASES] = settings.cases()
    return config.stash[_CASES]


def _matches(case: Case, chosen: dict[str, Any]) -> bool:
    dialect, glob = chosen.get("dialect"), chosen.get("case")
    return (dialect is None or case.dialect == dialect) and (glob is None or fnmatchcase(case.id, glob))


@pytest.fixture(scope="session")
def parity_case(request: pytest.FixtureRequest) -> Case:
    """One recorded body, a :class:`harness.case.Case`; the test runs once for each."""
    case: Case = request.param
    return case


@pytest.fixture(scope="session")
def cassette_bytes(parity_case: Case) -> bytes:
    """The body of ``parity_case``."""
    return parity_case.body


@pytest.fixture(scope="session")
def chunk_plan(request: pytest.FixtureRequest) -> Plan:
    """One :class:`harness.chunking.Plan`; the test runs once for each. ``plan.chunkings(case)`` gives the cuts."""
    plan: Plan = request.param
    return plan


@pytest.fixture(scope="session")
def stream_subject(request: pytest.FixtureRequest) -> Subject:
    """The code under test, a :class:`harness.subjects.Subject`; the test runs once for each that was named."""
    from harness.pytest_run import raised_as
    from harness.subjects.load import load_subject

    with raised_as(pytest.UsageError):
        return load_subject(request.param)


@pytest.fixture(scope="session")
def golden(parity_case: Case, pytestconfig: pytest.Config) -> dict[str, list[str]]:
    """The stored goldens of ``parity_case``: reference -> lines of its trace, without the header."""
    from harness.pytest_run import Settings, raised_as
    from harness.references import references_for

    with raised_as(pytest.UsageError):
        source = Settings.of(pytestconfig).goldens([parity_case])(parity_case)
        return {
            reference.name: list(source.lines(parity_case, reference.name)) for reference in references_for(parity_case)
        }
