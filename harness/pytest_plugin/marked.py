"""What a test of one's own is run with: the cases, plans and subjects that its marker ``parity`` chooses."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest

from harness.case import Case
from harness.chunking import Plan, parse_plan
from harness.exits import InputError, unknown
from harness.pytest_plugin.settings import Settings, failed_as, raised_as

if TYPE_CHECKING:
    from collections.abc import Collection

_KEYS = ("dialect", "case", "plan", "subject")
_CASES: pytest.StashKey[list[Case]] = pytest.StashKey()


def settings_of(node: pytest.Item) -> tuple[Settings, dict[str, str]]:
    """What is asked for by the command line, the marker of a test and the ini file; and what the marker alone says.

    Raises:
        InputError: the marker says what it cannot, or as :meth:`Settings.of`.
    """
    marker = node.get_closest_marker("parity")
    chosen = {key: value for key, value in marker.kwargs.items() if value is not None} if marker is not None else {}
    odd = sorted(set(chosen) - {*_KEYS})
    if odd or (marker is not None and marker.args):
        what = repr(odd[0]) if odd else "a positional argument"
        raise InputError(f"the marker parity does not take {what}: it takes dialect, case, plan and subject")
    for key, value in chosen.items():
        if not isinstance(value, str):
            raise InputError(f"the marker parity says {key}={value!r}: write a text, such as {key}='{_SUCH_AS[key]}'")
    return Settings.of(node.config, plan=chosen.get("plan"), subject=chosen.get("subject")), chosen


_SUCH_AS = {"dialect": "openai-chat", "case": "openai-chat/*", "plan": "whole,bytes", "subject": "mypackage.stream:Subject"}


def parametrize(metafunc: pytest.Metafunc, names: Collection[str]) -> None:
    """Runs a test once for each case, plan and subject, as far as it uses the fixtures ``names``, which are ours.

    Raises:
        CollectError: nothing is chosen, or what cannot be.
    """
    with raised_as(pytest.Collector.CollectError, f"{metafunc.definition.nodeid}: "):
        settings, chosen = settings_of(metafunc.definition)
        if "parity_case" in names:
            cases = [case for case in _cases(metafunc.config, settings) if _matches(case, chosen)]
            if not cases:
                asked = ", ".join(f"{key}={value!r}" for key, value in chosen.items())
                raise InputError(f"no case matches parity({asked})")
            metafunc.parametrize("parity_case", cases, ids=[case.id for case in cases], indirect=True)
        if "chunk_plan" in names:
            metafunc.parametrize("chunk_plan", settings.plans, ids=[plan.name for plan in settings.plans], indirect=True)
        if "stream_subject" in names:
            metafunc.parametrize("stream_subject", settings.subjects, ids=settings.subjects, indirect=True)


def case_of(param: Any, config: pytest.Config) -> Case:
    """The case that a test is run with: ``param``, or the one that is called so where the test was parametrised by hand."""
    if isinstance(param, Case):
        return param
    with failed_as():
        cases = {case.id: case for case in _cases(config, Settings.of(config))}
        if param not in cases:
            raise InputError(unknown("case", str(param), cases))
    return cases[param]


def plan_of(param: Any) -> Plan:
    """The plan that a test is run with: ``param``, or the one of that name."""
    if isinstance(param, Plan):
        return param
    with failed_as():
        return parse_plan(str(param))


def a_case(given: Any) -> Case:
    """``given``, which a fixture of the user's own may have made.

    Raises:
        pytest.fail.Exception: it is no case.
    """
    if not isinstance(given, Case):
        told = f"parity_case is {given!r:.80} here, and no harness.case.Case: a fixture overrides the one of streamparity"
        pytest.fail(f"{told}; rename it, or let it return a case", pytrace=False)
    return given


def _cases(config: pytest.Config, settings: Settings) -> list[Case]:
    if _CASES not in config.stash:
        config.stash[_CASES] = settings.cases()
    return config.stash[_CASES]


def _matches(case: Case, chosen: dict[str, str]) -> bool:
    dialect, glob = chosen.get("dialect"), chosen.get("case")
    return (dialect is None or case.dialect == dialect) and (glob is None or fnmatchcase(case.id, glob))
