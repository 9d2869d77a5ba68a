"""The document ``parity.json``: nothing that is empty, cut off or edited may look green."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.findings import CallLanes, Fragment, Lane, MinimalCut, Origin, Strip, WirePiece, Written
from harness.report import DocumentError, console, document, from_document, load, seal, to_document, write_reports
from harness.verdict import CaseResult, Difference, MutantResult, PlanResult, ReferenceResult, Verdict

from .lane_runs import calling
from .report_runs import case, difference, hostile, large, mutant, only_failing, passing, troubled, vacuous

RUNS = {"passing": passing, "hostile": hostile, "troubled": troubled, "failing": only_failing, "vacuous": vacuous, "calls": calling}
SCHEMA = json.loads((Path(document.__file__).parents[1] / "schemas" / "parity.schema.json").read_text("utf-8"))


# --- the document


@pytest.mark.parametrize("name", RUNS)
def test_a_document_survives_the_file(name: str, tmp_path: Path) -> None:
    run = seal(RUNS[name]())
    path = tmp_path / "reports" / "parity.json"
    document.write(run, path)

    assert load(path) == run
    assert [entry.name for entry in path.parent.iterdir()] == ["parity.json"], "the temporary file is gone"


def test_header_first_footer_last_and_ascii_only(tmp_path: Path) -> None:
    document.write(hostile(), tmp_path / "parity.json")
    raw = (tmp_path / "parity.json").read_bytes()

    keys = list(json.loads(raw))
    assert (keys[0], keys[-1]) == ("header", "footer")
    assert raw.isascii()
    assert raw.endswith(b"}\n")


def test_the_same_run_gives_the_same_bytes_whatever_the_order() -> None:
    run = troubled()
    shuffled = dataclasses.replace(
        run,
        cases=run.cases[::-1],
        mutants=run.mutants[::-1],
        divergence_reasons=run.divergence_reasons[::-1],
    )

    assert document.dumps(to_document(run)) == document.dumps(to_document(shuffled))


def test_the_footer_adds_up() -> None:
    footer = to_document(troubled())["footer"]

    assert footer["verdict"] == "error"
    assert footer["counts"] == troubled().counts
    assert footer["totals"] == troubled().totals
    assert sum(footer["counts"].values()) == footer["totals"]["cases"] == 12


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("case", CaseResult),
        ("reference", ReferenceResult),
        ("plan", PlanResult),
        ("difference", Difference),
        ("mutant", MutantResult),
        ("lanes", CallLanes),
        ("lane", Lane),
        ("fragment", Fragment),
        ("wire", WirePiece),
        ("minimal", MinimalCut),
        ("origin", Origin),
        ("strip", Strip),
        ("written", Written),
    ],
)
def test_the_schema_knows_every_field_and_no_other(name: str, kind: type[Any]) -> None:
    fields = {field.name for field in dataclasses.fields(kind)}

    assert set(SCHEMA["$defs"][name]["properties"]) == fields
    assert set(SCHEMA["$defs"][name]["required"]) == fields
    assert SCHEMA["$defs"][name]["additionalProperties"] is False


def test_the_schema_is_a_schema_and_agrees_with_its_inlined_form() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for build in RUNS.values():
        jsonschema.Draft202012Validator(SCHEMA).validate(to_document(build()))
    wrong = to_document(passing())
    wrong["cases"][0]["verdict"] = "green"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(wrong)
    with pytest.raises(DocumentError, match=r"cases\[0\]\.verdict: 'green' is not one of"):
        from_document(wrong)


def test_every_verdict_of_the_program_is_in_the_schema() -> None:
    assert SCHEMA["$defs"]["verdict"]["enum"] == [verdict.value for verdict in Verdict]
    assert set(SCHEMA["properties"]["footer"]["properties"]["counts"]["required"]) == {*Verdict}


# --- what proves nothing is not green


@pytest.mark.parametrize(
    ("run", "problem"),
    [
        (vacuous(), "no case was run"),
        (vacuous(cases=(case(body_bytes=0, plans=(PlanResult("whole", 1, 0, 1, sampled=False, verdict=Verdict.PASS),)),)), "no byte was replayed"),
        (vacuous(cases=(case(plans=()),)), "no body was cut"),
        (vacuous(cases=(case(plans=(), references=()),)), "openai-chat/text counts as pass, but nothing was compared"),
        (passing(cases=(case(), case("openai-chat/b", plans=(), references=()))), "openai-chat/b counts as pass, but nothing"),
        (passing(cases=(case(references=(ReferenceResult("sse", Verdict.FAIL, 3),)),)), "one of its comparisons says fail"),
        (passing(cases=(case(verdict=Verdict.NOT_CLAIMED, references=(), plans=()),)), "nothing was compared"),
    ],
    ids=["no-case", "no-byte", "no-split", "no-comparison", "one-empty-case", "contradiction", "nothing-claimed"],
)  # fmt: skip
def test_a_run_that_proves_nothing_is_an_error(run: Any, problem: str) -> None:
    assert run.verdict is Verdict.PASS, "the run itself does not notice"

    sealed = seal(run)

    assert sealed.verdict is Verdict.ERROR
    assert any(problem in one for one in sealed.problems), sealed.problems
    assert to_document(run)["footer"]["verdict"] == "error"
    last = console.summarise(run, colour=False).splitlines()[-1]
    assert last.startswith("ERROR ")


def test_emptiness_does_not_hide_a_failure() -> None:
    run = vacuous(cases=(case(verdict=Verdict.FAIL, plans=(), differences=(difference(),)),))

    assert seal(run).verdict is Verdict.FAIL
    assert not seal(run).problems


@pytest.mark.parametrize("key", ["cases", "splits", "bytes", "comparisons", "chunkings"])
def test_the_schema_alone_refuses_a_green_document_with_nothing_in_it(key: str) -> None:
    green = to_document(passing())
    green["footer"]["totals"][key] = 0

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(green)


def test_one_case_twice_is_refused() -> None:
    with pytest.raises(DocumentError, match="openai-chat/text: two results for one case of streamcore"):
        seal(passing(cases=(case(), case())))
    assert len(seal(passing(cases=(case(), case(subject="other")))).cases) == 2


# --- documents that cannot be trusted


def _edit(change: Any) -> str:
    value = to_document(passing())
    change(value)
    return document.dumps(value)


def _delete(*keys: Any) -> Any:
    def change(value: Any) -> None:
        for key in keys[:-1]:
            value = value[key]
        del value[keys[-1]]

    return change


def _set(new: Any, *keys: Any) -> Any:
    def change(value: Any) -> None:
        for key in keys[:-1]:
            value = value[key]
        value[keys[-1]] = new

    return change


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "empty"),
        ("   \n", "empty"),
        (document.dumps(to_document(passing()))[:5000], r":\d+:\d+: not JSON \(cut off\?\)"),
        ("<html>", r":1:1: not JSON"),
        ("[" * 200_000, "nested too deep"),
        ("[]", "not a parity document"),
        ('{"header": {"format": "other"}}', "not a parity document"),
        (_edit(_set(2, "header", "version")), "format version 2, this program reads 1"),
        (_edit(_delete("footer")), "no footer, so the run did not end"),
        (_edit(_delete("problems")), "'problems' is a required property"),
        (_edit(_delete("cases", 3)), r"footer\.totals\.cases is 28, the document holds 27"),
        (_edit(_set("fail", "cases", 3, "verdict")), r"footer\.counts\.pass is 28, the document holds 27"),
        (_edit(_set("edited", "cases", 3, "text")), r"footer\.digest is"),
        (_edit(_set("fail", "footer", "verdict")), r"footer\.verdict is fail, the document adds up to pass"),
        (_edit(_set([], "cases")), r"cases: \[\] (should be non-empty|is too short)"),
        (_edit(_set(["x"], "problems")), "problems"),
        (_edit(_set("x", "cases", 0, "body_bytes")), r"cases\[0\]\.body_bytes: 'x' is not of type 'integer'"),
        (_edit(_set("\u202e" * 9999, "cases", 0, "verdict")), r"cases\[0\]\.verdict: '(\\u202e){30}.*\.\.\.;"),
    ],
)
def test_what_is_no_whole_document_is_one_clear_line(text: str, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "parity.json"
    path.write_text(text, "utf-8")

    with pytest.raises(DocumentError, match=complaint) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert message.isascii()
    assert "run `streamparity check` again" in message
    assert len(message) < 600


def test_no_prefix_of_a_document_can_be_loaded(tmp_path: Path) -> None:
    text = document.dumps(to_document(only_failing()))
    path = tmp_path / "parity.json"
    for end in {*range(0, len(text) - 1, 997), len(text) - 2}:
        path.write_text(text[:end], "utf-8")
        with pytest.raises(DocumentError):
            load(path)


def test_files_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="nothing.json: cannot be read: No such file"):
        load(tmp_path / "nothing.json")
    (tmp_path / "latin.json").write_bytes(b'{"a": "\xe9"}')
    with pytest.raises(DocumentError, match="not UTF-8 at byte 7"):
        load(tmp_path / "latin.json")
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(DocumentError, match="folder.json: cannot be written"):
        document.write(passing(), tmp_path / "folder.json")
    with pytest.raises(DocumentError, match="folder.json: cannot be written"):
        write_reports(passing(), tmp_path / "parity.json", tmp_path / "folder.json")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["folder.json", "latin.json", "parity.json"]


def test_an_invalid_run_overwrites_nothing(tmp_path: Path) -> None:
    path = tmp_path / "parity.json"
    document.write(passing(), path)
    before = path.read_bytes()
    with pytest.raises(DocumentError, match="sha256"):
        document.write(passing(cases=(case(sha256="none"),)), path)
    assert path.read_bytes() == before


def test_a_big_run_is_reported_fast(tmp_path: Path) -> None:
    started = os.times().user
    write_reports(large(200, failing=20), tmp_path / "parity.json", tmp_path / "parity.html")
    assert os.times().user - started < 10, "seconds of processor time; about 1 is usual"
    assert (tmp_path / "parity.html").stat().st_size < 2_000_000


def test_mutants_are_in_order_of_name() -> None:
    run = seal(passing(mutants=(mutant("b"), mutant("a"))))
    assert [one.name for one in run.mutants] == ["a", "b"]
