"""``--update-golden``: goldens of the chosen cases are made before they are compared, and why is written down.

``updates.ndjson`` beside the goldens has a line for each time: when, why, and which files.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from typing import TYPE_CHECKING

import pytest

from harness.files import write_atomically
from harness.golden import GoldenStore
from harness.pytest_plugin.items import CaseItem
from harness.pytest_plugin.options import in_ci
from harness.pytest_plugin.settings import Settings, raised_as

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from harness.case import Case

LOG = "updates.ndjson"

_NEW = frozenset({"missing"})
_CHANGED = frozenset({"changed", "edited", "body"})
_KINDS = {"new": _NEW, "changed": _CHANGED, "all": _NEW | _CHANGED}


class GoldenUpdate:
    """What ``--update-golden`` asks for.

    Raises:
        pytest.UsageError: it says no reason, or this is CI, or several processes would write.
    """

    def __init__(self, config: pytest.Config) -> None:
        option = config.option
        self._mode: str = option.update_golden
        self._reason = " ".join((option.update_golden_reason or "").split())
        asked = f"--update-golden={self._mode}"
        if in_ci():
            told = f"{asked} in CI (CI={os.environ['CI']}): a run that makes its own goldens proves nothing"
            raise pytest.UsageError(f"{told}; make them on your machine, and commit them")
        if not self._reason:
            raise pytest.UsageError(
                f"{asked} wants a reason: add --update-golden-reason 'why the goldens are to change'"
            )
        if getattr(option, "numprocesses", None) or getattr(option, "tx", None):
            raise pytest.UsageError(f"{asked} runs in one process: leave out -n, or add -n 0")
        self.summary: list[str] = []

    def apply(self, session: pytest.Session) -> None:
        """Makes the goldens of the cases that ``session`` is going to run.

        Raises:
            pytest.UsageError: the oracle cannot be run, most often because there is no Node.
        """
        with raised_as(pytest.UsageError):
            settings = Settings.of(session.config)
            committed = {case.id for case in settings.recorded()}
            cases = [case for case in _cases(session.items) if case.id in committed]
            if not cases:
                advice = "add --parity, or choose tests that use parity_case"
                self.summary.append(f"no golden was made: no case of a cassette was chosen; {advice}")
                return
            changes = GoldenStore(settings.golden).make(cases, accept=_KINDS[self._mode])
        made = [change for change in changes if change.what in _KINDS[self._mode]]
        if made:
            _write_down(settings.golden / LOG, self._reason, [change.path for change in made])
        self.summary.append(f"{len(made)} goldens of {len(cases)} cases made: {self._reason}")
        for change in changes:
            self.summary.append(f"{change.what:8} {change.path}" + (f": {change.detail}" if change.detail else ""))


def _cases(items: Iterable[pytest.Item]) -> list[Case]:
    found: dict[str, Case] = {}
    for item in items:
        case = item.case if isinstance(item, CaseItem) else None
        callspec = getattr(item, "callspec", None)
        if callspec is not None:
            case = callspec.params.get("parity_case")
        if case is not None and hasattr(case, "sha256"):
            found[case.id] = case
    return [found[name] for name in sorted(found)]


def _write_down(path: Path, reason: str, goldens: list[str]) -> None:
    line = json.dumps({"at": dt.datetime.now(tz=dt.UTC).date().isoformat(), "reason": reason, "goldens": goldens})
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    write_atomically(path, f"{before}{line}\n")
