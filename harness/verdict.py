"""What a run found out: differences, verdicts, and the totals that show it was not vacuous."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from harness.findings import CallLanes, Certificate, MinimalCut, Origin, PairResult, Strip, WireFinding


class Verdict(StrEnum):
    """The closed set of outcomes, from best to worst."""

    PASS = "pass"
    DIVERGENCE = "divergence"
    """Differs from a golden only in ways that are named, reasoned and dated."""
    CONFLICT = "conflict"
    """The references disagree with each other; the case says which one is right, and the subject agrees with that one."""
    NOT_CLAIMED = "not-claimed"
    """The subject does not claim this dialect."""
    NOT_RUN = "not-run"
    """Nothing was compared, and the reason says why."""
    FAIL = "fail"
    """A difference nobody has named, or a broken invariant."""
    ERROR = "error"
    """The harness or the subject broke: a foreign exception, a missing golden."""


SEVERITY = {verdict: rank for rank, verdict in enumerate(Verdict)}
GREEN = frozenset({Verdict.PASS, Verdict.DIVERGENCE, Verdict.CONFLICT, Verdict.NOT_CLAIMED})


@dataclass(frozen=True)
class Difference:
    """The first place at which a subject's trace leaves what was expected."""

    against: str
    """The reference (``ai.anthropic``), or for a chunking difference ``whole``: the subject's own trace of the uncut body,
    or the rule (``cut-is-incomplete``) that was broken."""
    plan: str
    """The name of the chunking that reproduces it: ``whole``, ``bytes``, ``split@123``, ``cut@77``, ``random:4``."""
    line: int
    """0-based index of the trace line."""
    expected: str | None
    """The golden's line; None when the subject said more than the golden."""
    actual: str | None
    """The subject's line; None when the subject said less."""
    column: int
    """0-based index of the first differing character within the two lines."""
    utf16_offset: int | None
    """UTF-16 code units before the difference within the string value that differs (a delta, an input); None if no string."""
    path: str
    """JSON path of the value that differs, such as ``text-delta.delta``."""
    byte_offset: int | None
    """Bytes of the body that had been read when the differing part came out; None when unknown."""
    event: int | None
    """0-based index of the frame that produced the part; None when unknown."""
    note: str = ""
    """What differs, or which rule was broken how, for people."""
    reproduce: str = ""
    """One shell command."""
    minimal: MinimalCut | None = None
    """The least that shows it; None where it was not looked for (only the first difference of a case has one)."""
    cause: str = ""
    """The likely cause as far as the two traces and the body tell (:mod:`harness.evidence`); empty if they leave more than one."""


@dataclass(frozen=True)
class ReferenceResult:
    """One case against one reference."""

    reference: str
    verdict: Verdict
    lines: int
    """Golden lines compared."""
    divergences: tuple[str, ...] = ()
    """Names of the divergences that were used."""
    reason: str = ""


@dataclass(frozen=True)
class PlanResult:
    """One case under one plan, compared with the subject's own trace of the whole body."""

    plan: str
    chunkings: int
    """How many ways of cutting were run."""
    splits: int
    """Boundaries between chunks, summed over those chunkings."""
    comparisons: int
    sampled: bool
    """True when the plan was thinned out; then ``chunkings`` says to how many."""
    verdict: Verdict
    reason: str = ""
    certificate: Certificate | None = None
    """What the plan proves, if it is a proof and held."""


class SchemaVerdict(StrEnum):
    """What the final arguments of a call are to the schema that the request declares for its tool."""

    VALID = "valid"
    NO_SCHEMA = "no-schema"
    """The request is not known, does not declare the tool, or declares a schema that cannot be used."""
    NOT_THE_SCHEMA = "not-the-schema"
    NOT_JSON = "not-json"


@dataclass(frozen=True)
class CallCheck:
    """One tool call of a case, held against its schema. It tells of the model, and not of the subject."""

    call: str
    tool: str
    verdict: SchemaVerdict
    path: str = ""
    """JSON path of the first place that the schema does not allow, such as ``$.city``."""
    detail: str = ""


@dataclass(frozen=True)
class CaseResult:
    """Everything one case showed for one subject."""

    case: str
    dialect: str
    subject: str
    verdict: Verdict
    body_bytes: int
    sha256: str
    provenance: str
    source: str
    parts: int
    frames: int
    references: tuple[ReferenceResult, ...] = ()
    plans: tuple[PlanResult, ...] = ()
    differences: tuple[Difference, ...] = ()
    warnings: tuple[str, ...] = ()
    """Codes of the warnings the subject gave, in order."""
    reason: str = ""
    chunks: tuple[int, ...] = ()
    text: str = ""
    """What the message says, shortened, for the report."""
    hazard: str = ""
    """The id of the wire hazard that the case shows; empty if it shows none."""
    calls: tuple[CallCheck, ...] = ()
    """Every tool call, and whether its arguments are what the request asked for."""
    argument_chars: int = 0
    """Characters of the arguments of all calls; 0 for subjects whose account is not kept."""
    located_chars: int = 0
    """Those of them that are traced to bytes of their own; the others only to their frame."""
    wire: tuple[WireFinding, ...] = ()
    """Where the recording leaves its dialect's grammar, which is nobody's fault here."""
    lanes: CallLanes | None = None
    """The ledger, drawn; None for a case without calls or without an account, and for those beyond the report's limit."""
    pair: PairResult | None = None
    """What the whole answer to the same request says; None where none was recorded."""
    origin: Origin | None = None
    """Where the recording came from; None for a body that is no cassette."""
    strip: Strip | None = None
    """The bytes that the report draws; None for an empty body, and for cases beyond the report's limit."""


@dataclass(frozen=True)
class MutantResult:
    """One deliberately wrong subject."""

    name: str
    description: str
    caught: bool
    case: str = ""
    """The case that caught it."""
    plan: str = ""
    difference: Difference | None = None
    tried: int = 0
    """Cases it was run on."""
    shipped: bool = False
    """The cases that are checked do not show the defect; what caught it comes with streamparity."""


@dataclass(frozen=True)
class RunResult:
    """One ``check``: results of all cases, mutants, stale divergences, and the totals."""

    subject: str
    plan: str
    """``smoke``, ``standard``, ``exhaustive``, or a list of plan names."""
    cases: tuple[CaseResult, ...]
    mutants: tuple[MutantResult, ...]
    stale_divergences: tuple[str, ...] = ()
    divergence_reasons: tuple[tuple[str, str], ...] = ()
    """(name, reason) of every divergence that was used."""
    versions: tuple[tuple[str, str], ...] = ()
    """(what, version): the subject, python, streamparity, and the SDKs that made the goldens."""
    seed: int = 0
    stale_allowances: tuple[str, ...] = ()
    """Entries of the allow-list for streams and their twins that no pair needed."""
    problems: tuple[str, ...] = field(default=())
    """Why the run proves nothing although no case failed: zero cases, zero splits, zero mutants caught."""
    shard: str = ""
    """Which share of the cases this is, ``2/3``; empty for all of them."""

    @property
    def counts(self) -> dict[str, int]:
        """Verdict -> number of cases, every verdict present."""
        found = Counter(result.verdict.value for result in self.cases)
        return {verdict.value: found.get(verdict.value, 0) for verdict in Verdict}

    @property
    def totals(self) -> dict[str, int]:
        """The numbers that show the run was not vacuous."""
        plans = [plan for case in self.cases for plan in case.plans]
        return {
            "cases": len(self.cases),
            "bytes": sum(case.body_bytes for case in self.cases),
            "parts": sum(case.parts for case in self.cases),
            "chunkings": sum(plan.chunkings for plan in plans),
            "splits": sum(plan.splits for plan in plans),
            "comparisons": sum(plan.comparisons for plan in plans)
            + sum(reference.lines for case in self.cases for reference in case.references),
            "pairs": sum(case.pair is not None for case in self.cases),
            "pair_values": sum(case.pair.values for case in self.cases if case.pair is not None),
            "mutants": len(self.mutants),
            "mutants_caught": sum(mutant.caught for mutant in self.mutants),
        }

    @property
    def verdict(self) -> Verdict:
        """The verdict of the run as a whole: ``pass``, ``fail`` or ``error``."""
        worst = worst_of(case.verdict for case in self.cases)
        if self.problems or worst in (Verdict.ERROR, Verdict.NOT_RUN):
            return Verdict.ERROR
        stale = self.stale_divergences or self.stale_allowances
        if worst is Verdict.FAIL or stale or not all(mutant.caught for mutant in self.mutants):
            return Verdict.FAIL
        return Verdict.PASS


def worst_of(verdicts: Iterable[Verdict]) -> Verdict:
    """The most severe verdict; PASS when there is none."""
    return max(verdicts, key=SEVERITY.__getitem__, default=Verdict.PASS)


def unproven(cases: Sequence[CaseResult], *, goldens: bool = False) -> Iterator[str]:
    """What makes a run of ``cases`` prove nothing although nothing in it failed.

    With ``goldens`` it was asked to compare with them, and one that compared a subject with itself alone proves nothing.
    """
    claimed = [case for case in cases if case.verdict is not Verdict.NOT_CLAIMED]
    if not claimed:
        yield "no case was claimed by the subject"
    elif not sum(case.body_bytes for case in claimed):
        yield "no byte was replayed"
    elif goldens and not any(case.references for case in claimed):
        yield "nothing was compared with a golden"
    elif not any(case.plans or case.references for case in claimed):
        yield "nothing was compared"
