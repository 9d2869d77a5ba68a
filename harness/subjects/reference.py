"""The AI SDK as a subject: what made the goldens, run through the same checks as everybody.

A check that raises an alarm over the reference on a well-formed stream raises a false one. It needs a checkout with Node
and the SDKs installed, as making goldens does.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.case import Case
from harness.divergence import Divergences
from harness.oracle import OracleError, find_node, oracle_folder
from harness.references import REFERENCES, references_for
from harness.subjects import NotClaimed, Session
from harness.subjects.process import ProcessError, ProcessSubject
from harness.verdict import CaseResult, Verdict


class ReferenceSubject:
    """The unified reference of each dialect.

    Raises:
        ProcessError: Node or the SDKs are missing.
    """

    name = "reference"

    def __init__(self) -> None:
        try:
            node, _ = find_node()
            folder = oracle_folder(Path("golden"))
        except OracleError as error:
            raise ProcessError(str(error)) from None
        if not (folder / "node_modules").is_dir():
            raise ProcessError(f"the SDKs are not installed: run `npm ci --ignore-scripts` in {folder}")
        self._process = ProcessSubject([node, str(folder / "subject" / "subject.mjs")])
        self.version = self._process.version

    def claims(self, dialect: str) -> bool:
        """Whether the dialect has a reference that gives parts."""
        return any(reference.kind == "trace" for reference in REFERENCES.get(dialect, ()))

    def open(self, case: Case) -> Session:
        """A session of the SDK that reads ``case``.

        Raises:
            NotClaimed: the AI SDK cannot read this case, although it reads others of its dialect.
        """
        name = next((reference.name for reference in references_for(case) if reference.kind == "trace"), None)
        if name is None:
            raise NotClaimed("the AI SDK reads neither several choices nor this model family")
        return self._process.open(replace(case, dialect=name))


def without_known_alarms(result: CaseResult, divergences: Divergences) -> CaseResult:
    """A case of this subject; alarms that are no false ones make it a divergence.

    Where streamcore leaves the reference for a reason that has a name, the reference breaks a rule or disagrees with the
    provider's own SDK, and an alarm is right. What stays red is a golden that the reference does not give, parts that
    depend on the cuts, and any alarm over a recording of which nobody has said that the reference reads it wrongly.
    """
    if result.verdict is not Verdict.FAIL:
        return result
    names = tuple(entry.name for entry in divergences.entries if entry.covers(result.case))
    own = {reference.name for reference in REFERENCES.get(result.dialect, ()) if reference.kind == "trace"}
    varies = any(plan.verdict is Verdict.FAIL for plan in result.plans)
    if not names or varies or any(difference.against in own for difference in result.differences):
        return result
    found = ", ".join(sorted({difference.against for difference in result.differences}))
    references = tuple(
        replace(one, verdict=Verdict.DIVERGENCE, divergences=names) if one.verdict is Verdict.FAIL else one
        for one in result.references
    )
    reason = f"alarms of {found}, as {', '.join(names)} says"
    return replace(result, verdict=Verdict.DIVERGENCE, references=references, reason=reason)
