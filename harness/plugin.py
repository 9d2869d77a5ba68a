"""pytest plugin: ``pytest --parity`` replays every case under every plan, with no test code.

Fixtures and hooks only. What they do stands in :mod:`harness.pytest_plugin`, and is imported when it is wanted: without
``--parity`` and without the fixtures this module and the options cost their own import.

What stands on the command line wins over a marker, a marker over the ini file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.node_ids import ROOT
from harness.pytest_plugin.options import (
    add_options,
    add_shared_options,
    allowed_hosts,
    refuse_recording_in_ci,
    refuse_without_parity,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.case import Case
    from harness.chunking import Plan
    from harness.pytest_plugin.proving import Parity
    from harness.pytest_plugin.recording import StreamRecording
    from harness.pytest_plugin.run import ParityRun
    from harness.pytest_plugin.updates import GoldenUpdate
    from harness.subjects import Subject

_RUN: pytest.StashKey[ParityRun] = pytest.StashKey()
_UPDATE: pytest.StashKey[GoldenUpdate] = pytest.StashKey()
_ALONE: pytest.StashKey[bool] = pytest.StashKey()
"""Whether pytest-recording is not there, so that its options are ours."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options and ini keys of our own."""
    add_options(parser)


@pytest.hookimpl(trylast=True)
def pytest_load_initial_conftests(early_config: pytest.Config, parser: pytest.Parser) -> None:
    """Options that pytest-recording has too, now that it is known whether it is there."""
    early_config.stash[_ALONE] = not hasattr(early_config.option, "record_mode")
    add_shared_options(parser, early_config.option)


def pytest_configure(config: pytest.Config) -> None:
    """Registers the markers. With ``--parity``, reads what is asked for: a misspelt name fails before anything runs.

    Raises:
        pytest.UsageError: no such plan or subject, or divergences that cannot be used.
    """
    config.addinivalue_line(
        "markers",
        "parity(dialect=None, case=None, plan=None, subject=None): which cases, plans and subjects the fixtures of "
        "streamparity give the test; every collected case x plan has it too.",
    )
    config.addinivalue_line(
        "markers",
        "stream_cassette(name, plan='recorded', allow_repeats=False, allow_unplayed=False, identity=True, secrets=(), "
        "provenance='live'): the cassette <dialect>/<scenario> of the fixture stream_recording.",
    )
    if config.stash.get(_ALONE, False) and not config.option.help:
        _configure_recording(config)
    if config.option.update_golden and not config.option.help:
        from harness.pytest_plugin.updates import GoldenUpdate  # wanted only now

        config.stash[_UPDATE] = GoldenUpdate(config)
    node_ids = [argument for argument in config.args if argument.startswith(f"{ROOT}::")]
    if config.option.help or not (config.option.parity or node_ids):
        refuse_without_parity(config)
        return
    from harness.pytest_plugin.run import ParityRun  # heavy, and wanted only now

    config.args[:] = [argument for argument in config.args if argument not in node_ids]  # they are no files
    config.stash[_RUN] = ParityRun(config, node_ids)


def _configure_recording(config: pytest.Config) -> None:
    """What pytest-recording does where it is loaded; there, other tests than ours may record in CI."""
    refuse_recording_in_ci(config)
    if getattr(config.option, "block_network", False):
        from harness.pytest_plugin.network import Blocker  # wanted only now

        config.pluginmanager.register(Blocker(allowed_hosts(config)), "streamparity-network")


def pytest_report_header(config: pytest.Config) -> str | None:
    """What is going to be replayed."""
    run = config.stash.get(_RUN, None)
    return run.settings.header() if run is not None else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Adds the collected case x plan items; first, so that ``-k``, ``-m`` and ``--lf`` choose among them too."""
    run = config.stash.get(_RUN, None)
    if run is not None:
        from harness.pytest_plugin.items import collect  # heavy, and wanted only now

        run.suite(items)
        items.extend(collect(session, run))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Makes the goldens of what was chosen, if it is asked for, and notes what was chosen."""
    update = session.config.stash.get(_UPDATE, None)
    if update is not None and not session.config.option.collectonly:
        update.apply(session)
    run = session.config.stash.get(_RUN, None)
    if run is not None:
        run.chosen(session.items)


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
    elif run is not None:
        run.lose()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The numbers that show that the run was not vacuous."""
    update, run = config.stash.get(_UPDATE, None), config.stash.get(_RUN, None)
    told = [line for one in (update, run) if one is not None for line in one.summary]
    if told:
        terminalreporter.section("streamparity", sep="-")
        for line in told:
            terminalreporter.write_line(line, red=line.startswith("ERROR "))


# -- fixtures for tests of one's own -----------------------------------------------------------------------------------


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrises tests that use ``parity_case``, ``chunk_plan`` or ``stream_subject``, if through another fixture.

    What a test is parametrised with by hand stays.
    """
    by_hand = ",".join(
        ",".join(names) if isinstance(names := marker.args[0], list | tuple) else names
        for marker in metafunc.definition.iter_markers("parametrize")
        if marker.args
    )
    free = {"parity_case", "chunk_plan", "stream_subject"}.difference(name.strip() for name in by_hand.split(","))
    ours = {name for name in free.intersection(metafunc.fixturenames) if _is_ours(metafunc, name)}
    if ours:
        from harness.pytest_plugin.marked import parametrize  # wanted only now

        parametrize(metafunc, ours)


def _is_ours(metafunc: pytest.Metafunc, name: str) -> bool:
    """Whether the test uses our fixture of that name, and not one of the user's that overrides it."""
    definitions: Any = getattr(metafunc, "_arg2fixturedefs", {}).get(name)
    return name in metafunc.fixturenames and bool(definitions) and definitions[-1].func.__module__ == __name__


@pytest.fixture(scope="session")
def parity_case(request: pytest.FixtureRequest) -> Case:
    """One recorded body, a :class:`harness.case.Case`; the test runs once for each."""
    from harness.pytest_plugin.marked import case_of

    return case_of(request.param, request.config)


@pytest.fixture(scope="session")
def cassette_bytes(parity_case: Case) -> bytes:
    """The body of ``parity_case``."""
    return parity_case.body


@pytest.fixture(scope="session")
def chunk_plan(request: pytest.FixtureRequest) -> Plan:
    """One :class:`harness.chunking.Plan`; the test runs once for each. ``plan.chunkings(case)`` gives the cuts."""
    from harness.pytest_plugin.marked import plan_of

    return plan_of(request.param)


@pytest.fixture(scope="session")
def stream_subject(request: pytest.FixtureRequest) -> Subject:
    """The code under test, a :class:`harness.subjects.Subject`; the test runs once for each that was named."""
    from harness.pytest_plugin.settings import Settings, failed_as

    with failed_as():
        return Settings.of(request.config).subject(request.param)


@pytest.fixture(scope="session")
def golden(parity_case: Case, pytestconfig: pytest.Config) -> dict[str, list[str]]:
    """The stored goldens of ``parity_case``: reference -> lines of its trace, without the header."""
    from harness.pytest_plugin.marked import a_case
    from harness.pytest_plugin.proving import golden_lines

    return golden_lines(a_case(parity_case), pytestconfig)


@pytest.fixture
def parity(request: pytest.FixtureRequest, parity_case: Case) -> Parity:
    """``parity.check(subject)`` holds one's own code against ``parity_case``: goldens, rules, every plan.

    A :class:`harness.pytest_plugin.proving.Parity`.
    """
    from harness.pytest_plugin.marked import a_case, settings_of
    from harness.pytest_plugin.proving import Parity
    from harness.pytest_plugin.settings import failed_as

    with failed_as():
        settings, _ = settings_of(request.node)
    return Parity(a_case(parity_case), settings)


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """A trace that is not the golden is shown by its first difference, hidden characters by name."""
    is_golden = [type(side).__qualname__ == "GoldenLines" for side in (left, right)]
    if op != "==" or not any(is_golden) or not (isinstance(left, list) and isinstance(right, list)):
        return None
    from harness.pytest_plugin.failures import compared

    return compared(left, right) if is_golden[0] else compared(right, left)


@pytest.fixture
def stream_recording(request: pytest.FixtureRequest) -> Iterator[StreamRecording]:
    """Clients that are answered from the cassette that ``stream_cassette`` names, or recorded into it (``--record-mode``).

    A :class:`harness.pytest_plugin.recording.StreamRecording`.
    """
    from harness.pytest_plugin.recording import opened

    with opened(request) as recording:
        yield recording
