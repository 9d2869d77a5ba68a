"""``streamparity mutants``: what it prints, what it finds, and how it ends."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness import cli
from harness.exits import DIFFERENCE, HARNESS, INPUT, PARITY, USAGE
from harness.minimal import minimal_cut
from harness.mutants import LAYERS, MUTANTS, mutation
from harness.mutants import cli as mutants_cli
from harness.mutants import run as mutants_run
from harness.mutants.run import Where, survey

from .checkout import EMPTY, REPOSITORY, TEXT, make_checkout, replace

Answer = tuple[int, str, str]
Run = Callable[..., Answer]
CUT_IN_TWO = ("crlf-cut-is-blank", "utf8-per-chunk", "lines-per-chunk", "message-per-chunk", "array-string-forgotten")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_checkout(tmp_path, monkeypatch)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command, in this process: (exit code, stdout, stderr)."""

    def run(*arguments: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["streamparity", "mutants", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    return run


def words(line: str) -> list[str]:
    return line.split()


def test_a_table_says_which_plan_caught_which_mutant(project: Path, run: Run) -> None:
    code, out, err = run("done-parsed", "lines-per-chunk", "--jobs", "1", "--json", "found/mutants.json")
    lines = {found[0]: found for found in map(words, out.splitlines()) if found}

    assert (code, err) == (PARITY, "")
    assert out.isascii()
    heads = "whole bytes every:7 random:1 random:2 struct cut cases first caught by"
    assert words(out.splitlines()[1]) == heads.split()
    assert lines["done-parsed"] == ["done-parsed", "WH-024", "1", *"......", "1/1", "whole", "on", TEXT]
    assert lines["lines-per-chunk"] == ["lines-per-chunk", "WH-013", ".", *"222222", "2/2", "bytes", "on", EMPTY]
    again = [line.strip() for line in out.splitlines() if "again: " in line]
    assert again[0] == (  # the minimal cut, and the command that shows it
        f"again: streamparity check --case {EMPTY} --plan split@22 --subject mutant:lines-per-chunk --no-mutants"
    )
    assert "control: streamcore under the same plans on the same 2 cases: 0 alarms" in out
    assert out.splitlines()[-1] == "kill score 100 %: 2 of 2 mutants caught, 0 survivors"
    document = json.loads((project / "found" / "mutants.json").read_text())
    assert document["totals"] == {"alarms": 0, "run": 2, "survivors": 0}
    assert [(one["mutant"], one["plans"].get("whole")) for one in document["mutants"]] == [
        ("lines-per-chunk", None),
        ("done-parsed", 1),
    ]
    assert_described(document)


def assert_described(document: dict[str, Any]) -> None:
    """By the schema, which a document that is damaged in any place does not fit."""
    schemas = Path(mutants_cli.__file__).parents[1] / "schemas"
    schema = json.loads((schemas / "mutants.schema.json").read_text())
    shared = json.loads((schemas / "parity.schema.json").read_text())["$defs"]
    same = ("difference", "minimal", "ranges", "place")
    assert {name: schema["$defs"][name] for name in same} == {name: shared[name] for name in same}
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    validator.validate(document)

    def damaged(*way: str | int, to: Any) -> dict[str, Any]:
        made = copy.deepcopy(document)
        place = made
        for step in way[:-1]:
            place = place[step]  # type: ignore[index]
        place[way[-1]] = to  # type: ignore[index]
        return made

    for broken in (
        damaged("version", to=2),
        damaged("mutants", 0, "caught", to=-1),
        damaged("mutants", 0, "caught", to=0),  # and yet it has a first catch
        damaged("mutants", 0, "first", to=None),
        damaged("mutants", 0, "plans", to={}),
        damaged("mutants", 0, "surprise", to=1),
        damaged("mutants", 0, "difference", "minimal", "cuts", 0, "before", to="3a"),
        damaged("control", "alarms", to=[{"case": "x"}]),
        {key: value for key, value in document.items() if key != "totals"},
    ):
        assert not validator.is_valid(broken)


def test_a_survivor_fails_the_command_and_is_named(project: Path, run: Run) -> None:
    code, out, _ = run("signature-lost", "done-parsed", "-j", "1")

    assert code == DIFFERENCE
    assert (
        "SURVIVOR signature-lost: the signature of a reasoning block is passed over; no recording of 1 shows it" in out
    )
    assert out.splitlines()[-1] == "kill score 50 %: 1 of 2 mutants caught, 1 survivors"


def test_an_alarm_on_the_core_fails_the_command_and_catches_nobody(project: Path, run: Run) -> None:
    replace(project / "golden" / f"{TEXT}.ai.openai.chat.ndjson", "Hello", "Hullo")

    code, out, _ = run("done-parsed", "-j", "1")

    assert code == DIFFERENCE
    assert "the same 1 cases: 1 alarms" in out
    assert f"ALARM {TEXT} under whole" in out
    assert f"see it with: streamparity check --case {TEXT} --plan whole --no-mutants" in out
    assert "SURVIVOR done-parsed" in out  # what the core fails too proves nothing about it


@pytest.mark.parametrize(
    "arguments", [("bedrock-*", "error-body-is-crc"), ("--case", EMPTY, "done-parsed")]
)
def test_a_run_of_nothing_proves_nothing(project: Path, run: Run, arguments: tuple[str, ...]) -> None:
    if "bedrock-*" in arguments:
        arguments = arguments[1:]

    code, out, _ = run(*arguments, "-j", "1")

    assert code == HARNESS
    assert out.splitlines()[-1] == "no mutant was run: nothing is proven"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--layer", "texts"), "unknown layer 'texts' (did you mean text?)"),
        (("latin-2",), "no mutant is called 'latin-2'; `streamparity mutants --list` lists them"),
        (("--plan", "evry:7"), "evry:7"),
    ],
)
def test_words_that_mean_nothing(project: Path, run: Run, arguments: tuple[str, ...], complaint: str) -> None:
    code, out, err = run(*arguments)

    assert (code, out) == (USAGE, "")
    assert complaint in err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--cassettes", "elsewhere"), "so there is nothing to check"),
        (("--case", "nope/*"), "no case matches nope/*; `streamparity check --list` prints the ids"),
        (("--goldens", "elsewhere"), "elsewhere: no such folder; --goldens names the one with the goldens of the cassettes"),
        (("--json", "cassettes"), "cassettes: cannot be written: it is a folder; name another file with --json"),
    ],
)
def test_nothing_to_run_on_is_told_before_the_run(project: Path, run: Run, arguments: tuple[str, ...], complaint: str) -> None:
    code, out, err = run(*arguments)

    assert (code, out) == (INPUT, "")
    assert complaint in err


def test_the_list_can_be_of_one_layer(run: Run) -> None:
    code, out, _ = run("--list", "--layer", "text", "--layer", "json")

    assert code == PARITY
    assert [line.split()[0] for line in out.splitlines()] == [one.name for one in (*LAYERS["text"], *LAYERS["json"])]


def test_other_plans_run_on_every_case(project: Path, run: Run) -> None:
    code, out, _ = run("utf8-per-chunk", "latin-1", "--plan", "every:3,bytes", "-j", "1")

    assert code == DIFFERENCE  # both recordings are ASCII
    assert out.count("NOT CAUGHT") == 2
    assert "0/2" in out


STATEFUL = {"calls-shared-by-streams"}
"""Its defect needs a stream before this one, which the search for the cut itself gives it."""


def test_every_mutant_has_a_minimal_cut_of_at_most_two_cuts_on_the_committed_recordings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(minimal_cut.__kwdefaults__, "max_runs", 60)  # without a survey of all other cuts
    bench = Where(REPOSITORY / "cassettes", REPOSITORY / "golden").bench()
    catches = {name: mutation.hunt(mutant, bench)[0] for name, mutant in MUTANTS.items()}
    found = {name: catch and bench.explained(MUTANTS[name], catch) for name, catch in catches.items()}
    least = {name: difference.minimal for name, difference in found.items() if difference and difference.minimal}

    assert [*least] == [*MUTANTS]
    assert max(len(one.cuts) for one in least.values()) <= 2
    cutting = {name for name, one in least.items() if one.cuts}
    assert {*CUT_IN_TWO} <= cutting
    assert {name for name, catch in catches.items() if catch and catch.plans[0] == "bytes"} - STATEFUL <= cutting
    uncut = {name for name, one in least.items() if "fails uncut" in one.statement}
    graded = {name: catch.case for name, catch in catches.items() if catch and catch.plans == (mutation.HAZARDS,)}
    assert {"index-needed", "function-call-unread"} <= {*graded} & uncut  # the references do what they do
    for name, case in graded.items():
        assert least[name].reproduce == f"streamparity check --hazards --case {case} --subject mutant:{name}"
    for name, one in least.items():
        assert f"mutant:{name}" in one.reproduce


def test_two_processes_find_what_one_finds(project: Path) -> None:
    where = Where(project / "cassettes", project / "golden")
    names = ["done-parsed", "finish-twice", "remainder-dropped"]
    told: list[int] = []

    one, two = (survey(names, where, jobs=jobs, tell=told.append) for jobs in (1, 2))

    assert one == two
    assert [fate.mutant for fate in one.fates] == names
    assert told == [1] * 6


def test_a_mutant_is_tried_on_more_cases_than_are_counted_before_it_is_called_a_survivor(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutants_run, "COUNTED", 0)
    monkeypatch.setattr(mutants_run, "COUNTED_COSTLY", 0)

    found = survey(["finish-twice"], Where(project / "cassettes", project / "golden"))

    assert not found.survivors
    assert found.fates[0].first is not None
    assert mutants_cli.exit_code(found) == PARITY
