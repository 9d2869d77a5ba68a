"""CTRF, the common test report format (https://ctrf.io): JSON that dashboards and pull-request bots read.

Of the schema of its specification a document must have ``reportFormat``, ``specVersion`` and ``results``; the results a
``tool`` with a name, ``tests`` of name, status and duration, and a ``summary`` of tests, passed, failed, skipped, pending,
other, start and stop. Durations and times are 0, and there is no id of the report: the same run gives the same bytes.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from harness.report.document import digest_of, seal
from harness.report.outcomes import Outcome, outcomes
from harness.verdict import Verdict
from harness.visible import visible

if TYPE_CHECKING:
    from harness.verdict import RunResult

SPEC_VERSION = "0.0.0"
"""As the format's own reporters write it."""


def ctrf(run: RunResult) -> dict[str, Any]:
    """``run`` as a JSON value.

    Raises:
        DocumentError: two results for one case.
    """
    run = seal(run)
    tests = [_test(one) for one in outcomes(run)]
    counts = Counter(test["status"] for test in tests)
    versions = {visible(name): visible(version) for name, version in run.versions}
    tool = {"name": "streamparity", **({"version": versions["streamparity"]} if "streamparity" in versions else {})}
    statuses = {name: counts[name] for name in ("passed", "failed", "skipped", "pending", "other")}
    about = {"subject": run.subject, "plan": run.plan, "shard": run.shard, "verdict": run.verdict.value}
    return {
        "reportFormat": "CTRF",
        "specVersion": SPEC_VERSION,
        "generatedBy": "streamparity",
        "results": {
            "tool": tool,
            "summary": {
                "tests": len(tests),
                **statuses,
                "suites": len({tuple(test["suite"]) for test in tests}),
                "start": 0,
                "stop": 0,
                "extra": run.totals,
            },
            "tests": tests,
            "environment": {
                "extra": {
                    **{name: visible(value) for name, value in about.items() if value},
                    "seed": run.seed,
                    "digest": digest_of(run),
                    "versions": versions,
                }
            },
        },
    }


def dumps(document: dict[str, Any]) -> str:
    """The text of the file: ASCII, LF."""
    return json.dumps(document, indent=1) + "\n"


def _test(outcome: Outcome) -> dict[str, Any]:
    status = "failed" if outcome.red else "skipped" if outcome.verdict is Verdict.NOT_CLAIMED else "passed"
    optional = {
        "message": outcome.message,
        "trace": outcome.details,
        "filePath": outcome.source,
        "extra": dict(outcome.facts),
    }
    return {
        "name": outcome.name or "(no name)",
        "status": status,
        "rawStatus": outcome.verdict.value,
        "duration": 0,
        "suite": [outcome.suite],
        **{key: value for key, value in optional.items() if value},
    }
