"""The catalogue of wire hazards: it is whole, its grades are right, and they can be wrong."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from harness.case import Case
from harness.cassette import NOT_CASSETTES
from harness.divergence import Divergences
from harness.exits import InputError
from harness.golden import GoldenStore
from harness.hazards import (
    Grade,
    Graded,
    Hazard,
    HazardGrade,
    Rank,
    grade_case,
    grade_hazards,
    grade_of,
    load_catalogue,
    observed_of,
    select,
)
from harness.hazards.outcomes import observe, shows
from harness.mutants import MUTANTS
from harness.references import references_for
from harness.runner import Check, check_case, plans_from
from harness.subjects import PartJson
from harness.subjects.load import load_subject
from harness.verdict import GREEN

from .committed import BY_ID as CASES

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = load_catalogue(ROOT / "cassettes")
BY_ID = {hazard.id: hazard for hazard in CATALOGUE}
GRADED = [(hazard, graded) for hazard in CATALOGUE for graded in hazard.cases]
STRIDE = 29
"""Between the offsets at which a body is cut in two here; ``streamparity check --hazards`` cuts at every one."""
LAYERS = {
    "Bytes to text": 6,
    "SSE lines": 13,
    "SSE events": 9,
    "JSON": 13,
    "Dialects": 43,
    "Tool calls": 24,
    "Lifecycle, transport, observers": 6,
}
NOT_HERE = {"WH-018", "WH-019", "WH-109", "WH-111"}
ACCEPTABLE = {
    "gemini-generateContent/numbers": "writes the numbers as the SDK of this API reads them, which are doubles",
    "openai-chat/wh-046-stop-with-a-call": "the part says what the provider said, and the call is there to be seen",
    "openai-chat/wh-053-text-so-far": "adds up as sent, and tells no suspicion",
    "openai-chat/wh-057-markup-in-text": "passes it on, and tells no suspicion",
}
"""Where streamcore is not what the catalogue would like best, and what it is instead."""
DIVERGENCES = Divergences.load(ROOT / "golden" / "divergences.yaml")
GOLDENS = GoldenStore(ROOT / "golden")


def ident(value: Any) -> str:
    return value.id if isinstance(value, Hazard) else value.case if isinstance(value, Graded) else str(value)


# -- the catalogue ---------------------------------------------------------------------------------------------------


def test_every_hazard_is_there() -> None:
    assert [hazard.id for hazard in CATALOGUE] == [f"WH-{number:03}" for number in range(1, 115)]
    assert Counter(hazard.layer for hazard in CATALOGUE) == LAYERS
    assert {hazard.id for hazard in CATALOGUE if not hazard.cases} == NOT_HERE
    assert sum(bool(hazard.cases and hazard.not_here) for hazard in CATALOGUE) == 12


def test_every_hazard_says_what_it_asks_for_and_where_it_was_seen() -> None:
    for hazard in CATALOGUE:
        assert "\n" not in hazard.requirement, hazard.id
        assert hazard.issues or hazard.id in {"WH-037"}, hazard.id
        assert len(set(hazard.issues)) == len(hazard.issues), hazard.id
        assert hazard.cases or hazard.not_here, hazard.id
    assert len({hazard.requirement for hazard in CATALOGUE}) == len(CATALOGUE)


def test_what_it_refers_to_elsewhere_is_there() -> None:
    named = {word.rstrip(".,;:") for hazard in CATALOGUE for word in hazard.not_here.split() if word.count("/") > 0}
    paths = {word for word in named if word.endswith(".py")}
    assert len(paths) >= 5
    assert [path for path in sorted(paths) if not (ROOT / path).is_file()] == []


def test_every_cassette_that_was_made_for_a_hazard_is_a_case_of_it() -> None:
    made = {(case.hazard, case.id) for case in CASES.values() if case.hazard}
    assert len(made) >= 90
    assert made <= {(hazard.id, graded.case) for hazard, graded in GRADED}


def test_the_catalogue_is_no_cassette() -> None:
    assert not any(NOT_CASSETTES in case.source for case in CASES.values())


def test_a_known_bad_outcome_is_not_the_exact_one() -> None:
    """An outcome is graded exact first, so a bad one that describes it, too, would never be seen to be so."""
    subject = load_subject("streamcore")
    known = 0
    for hazard, graded in GRADED:
        body = CASES[graded.case].body
        _, observed = observed_of(subject, CASES[graded.case], [body] if body else [])
        for wrong in graded.wrong:
            patterns = {key: pattern for key, pattern in wrong.items() if key != "name"}
            assert patterns, (hazard.id, wrong)
            assert not shows(patterns, observed), (hazard.id, wrong)
            known += 1
    assert known >= 200


# -- grades ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hazard", "graded"), GRADED, ids=ident)
def test_streamcore(hazard: Hazard, graded: Graded) -> None:
    found = grade_case(graded, load_subject("streamcore"), CASES[graded.case], step=STRIDE)

    why = ACCEPTABLE.get(graded.case)
    assert found.grade == (Grade(Rank.ACCEPTABLE, why) if why else Grade(Rank.EXACT))
    assert found.cuts >= (len(CASES[graded.case].body) - 1) // STRIDE


HAZARDOUS = sorted(case.id for case in CASES.values() if case.hazard)


@pytest.mark.parametrize("case_id", HAZARDOUS)
def test_a_hazard_is_checked_against_its_golden_and_keeps_its_id(case_id: str) -> None:
    """What differs from the reference is a divergence with a name, and a hazard that its reason names is this one."""
    case = CASES[case_id]
    result = check_case(
        case, load_subject("streamcore"), Check("streamcore", plans_from(["whole", "bytes"]), DIVERGENCES), GOLDENS
    )

    assert result.hazard == case.hazard
    assert result.verdict in GREEN, result.differences
    assert any(reference.lines for reference in result.references)
    assert sum(plan.splits for plan in result.plans) == max(len(case.body) - 1, 0)
    reasons = {entry.name: entry.reason for entry in DIVERGENCES.entries}
    used = [reasons[name] for reference in result.references for name in reference.divergences]
    assert all(case.hazard in reason for reason in used if "WH-" in reason)


WRONG = [
    ("utf8-per-chunk", "WH-001", "openai-chat/unicode", "U+FFFD manufactured"),
    ("latin-1", "WH-004", "openai-chat/wh-004-latin-1-header", "read as Latin-1"),
    ("cr-alone-unknown", "WH-010", "openai-chat/wh-010-cr-only", "no line end seen"),
    ("str-splitlines", "WH-012", "openai-chat/wh-012-unicode-line-ends", "line split at a Unicode line end"),
    ("remainder-dropped", "WH-013", "openai-chat/text", "events lost at the seams"),
    ("last-data-line-wins", "WH-015", "gemini-generateContent/folded", "a data line overwrites the one before"),
    ("usage-summed", "WH-054", "anthropic-messages/wh-054-counts-so-far", "running totals summed"),
    ("calls-merged-by-index", "WH-086", "openai-chat/index-reused", "calls merged into one"),
    ("name-concatenated", "WH-092", "openai-chat/name-repeated", "name added up"),
    ("arguments-to-last-call", "WH-100", "openai-chat/interleaved-tools", "pieces in the wrong call"),
    ("invalid-arguments-emptied", "WH-041", "openai-chat/wh-041-malformed-arguments", "arguments replaced by {}"),
    ("error-swallowed", "WH-055", "openai-chat/error-mid-stream", "error ignored"),
    ("calls-run-together", "WH-114", "openai-chat/parallel-tools", "a call has arguments of another"),
    ("reasoning-tokens-lost", "WH-114", "openai-chat/reasoning", "counts of tokens are lost"),
    ("signature-lost", "WH-067", "anthropic-messages/thinking", "signature lost"),
]


@pytest.mark.parametrize(("mutant", "hazard", "case", "defect"), WRONG)
def test_a_mutant_is_graded_by_the_name_of_its_defect(mutant: str, hazard: str, case: str, defect: str) -> None:
    [graded] = [graded for graded in BY_ID[hazard].cases if graded.case == case]
    found = grade_case(graded, MUTANTS[mutant], CASES[case])

    assert found.grade.rank is Rank.WRONG
    assert defect in found.grade.name
    core = grade_case(graded, load_subject("streamcore"), CASES[case], step=STRIDE)
    assert core.grade == Grade(Rank.EXACT)


def golden_parts(case: Case) -> list[PartJson] | None:
    """The parts of the case's unified reference; None if it has none."""
    names = [reference.name for reference in references_for(case) if reference.kind == "trace"]
    if not names:
        return None
    lines = [json.loads(line) for line in GOLDENS.lines(case, names[0])]
    failed = [{"type": "error", **line["error"]} for line in lines if isinstance(line, dict) and "error" in line]
    return [{"type": line[0], **line[1]} for line in lines if isinstance(line, list)] + failed


def test_what_the_typescript_references_make_of_the_hazards_has_a_name() -> None:
    """They were not asked when the catalogue was written: nothing that they do may be unlisted."""
    found: Counter[Rank] = Counter()
    for hazard, graded in GRADED:
        parts = golden_parts(CASES[graded.case])
        if parts is None:
            continue
        grade = grade_of(graded, observe(parts, []))
        assert "unlisted" not in grade.name, (hazard.id, graded.case, grade)
        found[grade.rank] += 1
    assert found[Rank.EXACT] >= 100
    assert found[Rank.ACCEPTABLE] >= 10
    assert found[Rank.WRONG] >= 25


# -- how a subject is graded -----------------------------------------------------------------------------------------


class Scripted:
    """Says the same text whatever it is fed, and then what ``tail`` says; claims one dialect."""

    name, version = "scripted", "1"

    def __init__(self, tail: Any = None) -> None:
        self.tail = tail

    def claims(self, dialect: str) -> bool:
        return dialect == "openai-chat"

    def open(self, _: Case) -> Any:
        return self.Session(self.tail)

    class Session:
        def __init__(self, tail: Any) -> None:
            self.chunks, self.tail = 0, tail

        def feed(self, _: bytes) -> list[PartJson]:
            self.chunks += 1
            return [] if self.chunks > 1 else [{"type": "text-delta", "id": "0", "delta": "Hi"}]

        def close(self) -> list[PartJson]:
            return self.tail(self.chunks) if self.tail else []


CASE = Case("openai-chat/t", "openai-chat", b"abcdef")


def test_a_grade_that_depends_on_the_cut_is_wrong() -> None:
    more = [{"type": "text-delta", "id": "0", "delta": "!"}]
    graded = Graded(CASE.id, {"text": "Hi"}, ({"why": "says it louder", "text": "Hi!"},))

    steady = grade_case(graded, Scripted(), CASE)
    assert (steady.grade, steady.cuts) == (Grade(Rank.EXACT), 7)
    unsteady = grade_case(graded, Scripted(lambda chunks: more if chunks == 2 else []), CASE)
    assert unsteady.grade.rank is Rank.WRONG
    assert unsteady.grade.name.startswith("depends on the cut (split@1: acceptable: says it louder; whole: exact)")


def test_the_order_of_grades() -> None:
    graded = Graded(
        CASE.id, {"text": "Ho"}, ({"why": "w", "text": "Ho!"},), ({"name": "greets", "text": {"has": "H"}},)
    )

    assert grade_case(graded, Scripted(), CASE).grade == Grade(Rank.WRONG, "greets")
    unknown = grade_case(Graded(CASE.id, {"text": "Ho", "finish": "stop"}), Scripted(), CASE).grade
    assert unknown == Grade(Rank.WRONG, "unlisted (text, finish)")


@pytest.mark.parametrize("raised", [ZeroDivisionError, SystemExit])
def test_what_a_subject_raises_is_its_grade(raised: type[BaseException]) -> None:
    def fail(chunks: int) -> list[PartJson]:
        if chunks > 3:
            raise raised
        return []

    assert grade_case(Graded(CASE.id, {"text": "Hi"}), Scripted(fail), CASE).grade == Grade(
        Rank.WRONG, f"raised {raised.__name__} (bytes)"
    )


def test_a_hazard_is_as_bad_as_its_worst_case_and_others_dialects_do_not_count() -> None:
    other = Case("gemini-generateContent/t", "gemini-generateContent", b"abc")
    good, bad, foreign = Graded(CASE.id, {"text": "Hi"}), Graded(CASE.id, {}), Graded(other.id, {})
    cases = {CASE.id: CASE, other.id: other}

    def grade(*wanted: Graded) -> Grade:
        hazard = Hazard("WH-999", "k", "L", "r", (), wanted)
        return HazardGrade(hazard, tuple(grade_case(one, Scripted(), cases[one.case]) for one in wanted)).grade

    assert grade(good, foreign).rank is Rank.EXACT
    assert grade(good, bad).rank is Rank.WRONG
    assert grade(foreign).rank is Rank.NOT_CLAIMED
    assert grade().rank is Rank.NOT_HERE


def test_jobs_do_not_change_the_grades() -> None:
    chosen = select(CATALOGUE, ["bytes"])[-2:]
    alone = grade_hazards(chosen, list(CASES.values()), "streamcore")

    assert grade_hazards(chosen, list(CASES.values()), "streamcore", jobs=2) == alone
    assert all(case.cuts == len(CASES[case.case].body) + 1 for one in alone for case in one.cases)


# -- a catalogue that cannot be used ---------------------------------------------------------------------------------

ENTRY = """
  - id: WH-001
    class: k
    requirement: what is to come out of it
    issues: [o/r#1]
    cases: {openai-chat/text: {exact: {text: a}}}
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [", "not YAML: did not find expected node content"),
        ("layer: L\nhazards: []", "hazards: not a layer of hazards"),
        (f"layer: L\nhazards:{ENTRY}{ENTRY}", "WH-001 stands twice"),
        (f"layer: L\nhazards:{ENTRY}".replace("text: a", "txet: a"), "txet"),
        (f"layer: L\nhazards:{ENTRY}".replace("o/r#1", "o/r"), "issues"),
        (f"layer: L\nhazards:{ENTRY}".replace("exact: {text: a}", "acceptable: [{text: a}]"), "not a layer of hazards"),
        (f"layer: L\nhazards:{ENTRY}".replace("WH-001", "WH-1"), "WH-1"),
        (
            f"layer: L\nhazards:{ENTRY}{ENTRY}".replace("#1", "", 1),
            "l.yaml:6: hazards.0.issues.0: not a layer of hazards",
        ),
        ("!!python/object/apply:os.getcwd []", "l.yaml:1: not YAML"),
        ("layer: L\nhazards:\n" + "- " * 30 + "x", "l.yaml:3: deeper than 24 levels"),
        ("layer: &l\n  hazards: *l", "l.yaml:2: *l stands within &l"),
        ("a: &a [1]\nb: [" + "*a, " * 20 + "]", "l.yaml:2: more than 16 aliases"),
    ],
)
def test_a_catalogue_that_cannot_be_used(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "hazards").mkdir()
    (tmp_path / "hazards" / "l.yaml").write_text(text)

    with pytest.raises(InputError) as caught:
        load_catalogue(tmp_path)
    assert told in str(caught.value)
    assert "l.yaml" in str(caught.value)


def test_no_catalogue(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no catalogue of hazards"):
        load_catalogue(tmp_path)


def test_a_case_that_is_not_there() -> None:
    with pytest.raises(InputError, match="WH-001: unknown case 'openai-chat/unicode'"):
        grade_hazards(CATALOGUE[:1], [CASE], "streamcore")


def test_layers_are_found_by_how_they_begin() -> None:
    assert {hazard.layer for hazard in select(CATALOGUE, ["sse"])} == {"SSE lines", "SSE events"}
    assert len(select(CATALOGUE, ["json", "tool"])) == 13 + 24
    assert select(CATALOGUE, []) == CATALOGUE
    with pytest.raises(InputError, match="unknown layer 'jsno'"):
        select(CATALOGUE, ["jsno"])
