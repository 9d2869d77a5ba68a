"""JUnit's XML, as pytest's family ``xunit2`` writes it and the schema ``junit-10.xsd`` of Jenkins' xUnit plug-in allows.

That schema has no properties of a test case, so the numbers that show that a run was not vacuous are properties of each
suite, its own, and of the run as a whole; what was compared in a test stands in its output. Times are 0: a report has none,
so that the same run gives the same bytes. XML has no characters for most controls, so all that is invisible is spelt out.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from harness.report.document import digest_of, seal
from harness.report.outcomes import MUTANTS, WHOLE, Outcome, outcomes
from harness.verdict import RunResult, Verdict
from harness.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

_ELEMENTS = {
    Verdict.FAIL: "failure",
    Verdict.ERROR: "error",
    Verdict.NOT_RUN: "error",
    Verdict.NOT_CLAIMED: "skipped",
}
"""The others are passed, and have none."""


def junit(run: RunResult) -> str:
    """``run`` as the text of an XML file.

    Raises:
        DocumentError: two results for one case.
    """
    run = seal(run)
    tests = list(outcomes(run))
    root = ET.Element("testsuites", {"name": "streamparity", **_counts(tests)})
    for name, group in itertools.groupby(tests, key=lambda test: test.suite):
        _suite(root, name, list(group), _facts(run, name))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _facts(run: RunResult, suite: str) -> list[tuple[str, str]]:
    """What was run of a suite, and the numbers that show that it was not vacuous."""
    about = {"subject": run.subject, "plan": run.plan, "seed": str(run.seed), "shard": run.shard}
    if suite == WHOLE:
        about |= {"verdict": run.verdict.value, "digest": digest_of(run)}
        about |= {f"version of {name}": version for name, version in run.versions}
    elif suite == MUTANTS:
        run = dataclasses.replace(run, cases=())
    else:
        run = dataclasses.replace(run, cases=tuple(case for case in run.cases if visible(case.dialect) == suite), mutants=())
    totals = {name: str(number) for name, number in run.totals.items() if number or suite == WHOLE}
    return [(visible(name), visible(value)) for name, value in {**about, **totals}.items() if value]


def _counts(tests: Sequence[Outcome]) -> dict[str, str]:
    found = [_ELEMENTS.get(test.verdict) for test in tests]
    counts = {"tests": len(tests), "failures": found.count("failure"), "errors": found.count("error")}
    return {**{name: str(number) for name, number in counts.items()}, "time": "0"}


def _suite(root: ET.Element, name: str, tests: Sequence[Outcome], facts: Sequence[tuple[str, str]]) -> None:
    skipped = str(sum(_ELEMENTS.get(test.verdict) == "skipped" for test in tests))
    suite = ET.SubElement(root, "testsuite", {"name": name, **_counts(tests), "skipped": skipped})
    properties = ET.SubElement(suite, "properties")
    for key, value in facts:
        ET.SubElement(properties, "property", {"name": key, "value": value})
    for test in tests:
        case = ET.SubElement(suite, "testcase", {"classname": name, "name": test.name, "time": "0"})
        element = _ELEMENTS.get(test.verdict)
        if element is not None:
            why = ET.SubElement(case, element, {"type": test.verdict.value, "message": test.message})
            why.text = test.details or None
        shown = (*test.facts, *([("verdict", test.verdict.value)] if element is None else []))
        if shown:
            ET.SubElement(case, "system-out").text = "\n".join(f"{key}: {value}" for key, value in shown)
