"""``streamparity report`` from the outside, ``check --shard`` and ``--baseline``: the same bytes, and no half of a file."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest

from harness import cli
from harness.case import Case
from harness.exits import DIFFERENCE, HARNESS, INPUT, PARITY, USAGE
from harness.pytest_plugin.settings import Settings
from harness.report import document
from harness.report import summary as markdown
from harness.report.baseline import as_json, compare
from harness.report.merge import merge
from harness.sharding import share
from harness.verdict import RunResult, Verdict

from .checkout import EMPTY, TEXT, make_checkout, replace
from .report_runs import case, difference, large, mutant, only_failing, passing, troubled, vacuous
from .test_report_commands import evil

DIFF = json.loads((Path(document.__file__).parents[1] / "schemas/parity-diff.schema.json").read_text())
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """The command, in this process and an empty folder: (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["streamparity", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    return run


def few() -> RunResult:
    """Two cases that pass."""
    return passing(cases=passing().cases[:2])


def written(**runs: RunResult) -> None:
    """A document of each, called as its keyword."""
    for name, result in runs.items():
        document.write(result, Path(f"{name}.json"))


def test_each_command_writes_its_format(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    written(bad=troubled(), good=few(), evil=evil())
    Path("reports").mkdir()
    document.write(few(), Path("reports/parity.json"))

    assert run("report", "bad.json", "--html", "a.html") == (PARITY, "wrote a.html\n", "")
    assert run("report", "html", "bad.json", "-o", "b.html") == (PARITY, "wrote b.html\n", "")
    assert Path("a.html").read_bytes() == Path("b.html").read_bytes()
    assert run("report") == (PARITY, "wrote reports/parity.html\n", "")

    for name, start in (("junit", "<?xml"), ("ctrf", '{\n "reportFormat"'), ("badge", '{\n "schemaVersion"'), ("summary", "## ")):
        for source in ("bad.json", "evil.json"):
            code, out, err = run("report", name, source)
            assert (code, err) == (PARITY, "")
            assert out.startswith(start)
    assert run("report", "junit", "bad.json", "--out", "deep/j.xml") == (PARITY, "", "wrote deep/j.xml\n")
    assert Path("deep/j.xml").read_text() == run("report", "junit", "bad.json")[1]
    assert run("report", "badge", "good.json", "--svg", "b.svg", "--json", "b.json", "--label", "") == (
        PARITY, "", "wrote b.json\nwrote b.svg\n"
    )  # fmt: skip
    assert json.loads(Path("b.json").read_text())["label"] == ""

    step = Path("step.md")
    step.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step))
    code, out, err = run("report", "summary", "bad.json", "--annotations", "--baseline", "good.json")
    assert (code, err) == (PARITY, "")
    assert [line.partition(" ")[0] for line in out.splitlines()] == ["::error"] * 4
    assert step.read_text().startswith("before\n## ! streamparity: error\n")
    assert "### Since the baseline" in step.read_text()
    step.write_text("x" * markdown.LIMIT)
    assert run("report", "summary", "bad.json") == (
        PARITY, "", "step.md: no room for another summary (1,048,576 bytes a step); nothing was added\n"
    )  # fmt: skip
    assert step.stat().st_size == markdown.LIMIT
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "no/such/folder")
    assert run("report", "summary", "bad.json")[0] == INPUT
    assert run("report", "summary", "bad.json", "--out", "s.md")[0] == PARITY
    assert Path("s.md").read_text().startswith("## ! ")


def test_what_cannot_be_used_is_told_in_a_line_and_nothing_is_lost(run: Run) -> None:
    written(good=few())
    good = json.loads(Path("good.json").read_text())
    Path("odd.json").write_text('{"a": 1}')
    Path("half.json").write_text(Path("good.json").read_text()[:2000])
    Path("old.json").write_text(json.dumps({**good, "header": {**good["header"], "version": 0}}))
    good["cases"][1]["body_bytes"] = "many"
    Path("wrong.json").write_text(json.dumps(good))
    Path("kept").write_text("kept")
    told = {
        "none.json": "none.json: cannot be read: No such file or directory",
        "odd.json": "odd.json: not a parity document",
        "half.json": "half.json:",
        "old.json": "old.json: format version 0, this program reads 1",
        "wrong.json": "wrong.json: cases[1].body_bytes: 'many' is not of type 'integer'",
    }
    for name, message in told.items():
        for words in (
            ("html", name, "-o", "kept"), ("summary", name, "-o", "kept"), ("junit", name, "-o", "kept"), ("ctrf", name, "-o", "kept"),
            ("badge", name, "--svg", "kept"), ("diff", "good.json", name, "--json", "kept"), ("merge", name, "--json", "kept"),
        ):  # fmt: skip
            code, out, err = run("report", *words)
            assert (code, out, err.count("\n")) == (INPUT, "", 1), (words, err)
            assert err.startswith(f"streamparity: {message}"), err
    assert Path("kept").read_text() == "kept"
    assert "did you mean summary?" in run("report", "sumary")[2]
    assert run("report", "sumary")[0] == USAGE
    Path("blocked").write_text("")
    assert run("report", "junit", "good.json", "-o", "blocked/j.xml")[2].startswith("streamparity: blocked/j.xml: cannot be written")


def test_no_command_writes_over_what_it_reads(run: Run) -> None:
    written(good=few())
    text = Path("good.json").read_bytes()
    for words in (
        ("html", "good.json", "-o", "./good.json"), ("html", "x.json", "--baseline", "good.json", "-o", "good.json"),
        ("summary", "good.json", "-o", "good.json"), ("junit", "good.json", "-o", "good.json"),
        ("ctrf", "good.json", "-o", "good.json"), ("badge", "good.json", "--json", "good.json"),
        ("badge", "good.json", "--svg", "a", "--json", "a"), ("diff", "good.json", "good.json", "--json", "good.json"),
        ("merge", "good.json", "--json", "good.json"), ("merge", "good.json", "--html", "good.json"),
    ):  # fmt: skip
        code, out, err = run("report", *words)
        assert (code, out) == (USAGE, ""), words
        assert "name another file" in err or "name two files" in err, words
    assert Path("good.json").read_bytes() == text
    assert sorted(path.name for path in Path().iterdir()) == ["good.json"]
    code, out, _ = run("report", "junit", "good.json", "-o", "-")
    assert (code, out.startswith("<?xml")) == (PARITY, True)
    assert not Path("-").exists()


def test_diff_says_what_is_new_what_is_fixed_and_what_still_fails(run: Run) -> None:
    failing = case("openai-chat/a", verdict=Verdict.FAIL, differences=(difference(against="sse"),))
    elsewhere = dataclasses.replace(failing, differences=(difference(against="sse", line=32),))
    old = passing(cases=(failing, case("openai-chat/b"), case("openai-chat/c", verdict=Verdict.ERROR, reason="x"), case("openai-chat/\u202e")))
    new = passing(
        cases=(elsewhere, dataclasses.replace(failing, case="openai-chat/b"), case("openai-chat/c"), dataclasses.replace(failing, case="openai-chat/e")),
        versions=(*passing().versions[1:], ("streamparity", "0.2.0")),
        mutants=(mutant(caught=False), mutant("b")),
    )
    written(old=old, new=new, moved=dataclasses.replace(old, cases=(elsewhere, *old.cases[1:])))

    digest = document.digest_of(old)[:12]
    code, out, _ = run("report", "diff", "old.json", "old.json")
    assert code == PARITY
    assert out == (
        "still failing: 2\n  openai-chat/a: fail; differs from sse, chunking split@1204; event 12, byte 1204, utf16 7, "
        "text-delta.delta, line 31 column 33\n  openai-chat/c: error; x\n"
        f"SAME 0 new, 0 fixed, 2 still failing, 0 came, 0 went; error -> error; reports {digest} -> {digest}\n"
    )
    code, out, err = run("report", "diff", "old.json", "new.json", "--json", "d.json")
    assert (code, err) == (DIFFERENCE, "wrote d.json\n")
    lines = out.splitlines()
    assert lines[0] == "streamparity: 0.1.0 -> 0.2.0"
    headings = [line for line in lines if line[0] != " "]
    assert headings[1:-1] == ["new failures: 2", "fixed: 1", "still failing: 1", "went: 1", "new in the run as a whole: 1", f"numbers: {len(compare(old, new).numbers)}"]
    assert "  openai-chat/b: pass -> fail; differs from sse, chunking split@1204; event 12" in out
    assert "  openai-chat/c: error -> pass\n" in out
    assert "  openai-chat/a: fail, differently; differs from" in out
    assert "  openai-chat/\\u202e: was pass\n" in out
    assert "  mutant not caught: utf8-per-chunk\n" in out
    assert "  mutants_caught: 2 -> 1 (-1)\n" in out
    assert lines[-1].startswith("WORSE 3 new, 1 fixed, 1 still failing (1 differently), 1 came, 1 went; error -> fail; reports ")

    found = json.loads(Path("d.json").read_text())
    jsonschema.Draft202012Validator.check_schema(DIFF)
    for value in (found, as_json(compare(old, troubled())), as_json(compare(evil(), vacuous()))):
        jsonschema.Draft202012Validator(DIFF).validate(json.loads(json.dumps(value)))
    assert run("report", "diff", "old.json", "new.json", "--json", "-")[1] == Path("d.json").read_text()
    assert [one["case"] for one in found["new_failures"]] == ["openai-chat/b", "openai-chat/e"]
    assert [(one["case"], one["old"], one["new"]) for one in found["fixed"]] == [("openai-chat/c", "error", "pass")]
    assert found["still_failing"][0]["differently"] is True
    assert [one["case"] for one in found["came"]] == ["openai-chat/e"]
    assert found["went"] == [{"case": "openai-chat/\u202e", "old": "pass", "new": None}]
    assert found["new_troubles"] == ["mutant not caught: utf8-per-chunk"]
    assert (found["worse"], found["same"], found["old"]["digest"]) == (True, False, document.digest_of(old))
    assert {"name": "cases", "old": 4, "new": 4} not in found["numbers"]

    for words, code, word in (
        (("old.json", "new.json", "--new-failures"), DIFFERENCE, "WORSE"),
        (("new.json", "old.json"), DIFFERENCE, "WORSE"),
        (("old.json", "moved.json"), DIFFERENCE, "DIFFERS"),
        (("old.json", "moved.json", "--new-failures"), PARITY, "DIFFERS"),
    ):
        found_code, out, _ = run("report", "diff", *words)
        assert (found_code, out.splitlines()[-1].partition(" ")[0]) == (code, word), words


def test_a_comparison_names_each_case_once_whoever_ran_it() -> None:
    one, two = case(), case(subject="other", verdict=Verdict.FAIL)
    both = compare(passing(cases=(one,)), passing(cases=(one, two)))
    assert [change.case for change in both.came] == ["openai-chat/text of other", "openai-chat/text of streamcore"]
    assert [change.case for change in both.new_failures] == ["openai-chat/text of other"]
    assert compare(vacuous(), vacuous()).same
    many = compare(passing(), large(120, failing=60))
    assert len(many.new_failures) == 60
    assert not compare(only_failing(), only_failing()).worse


# --- runs that are divided, repeated and compared

QUICK = ("--no-mutants", "--plan", "bytes", "-q")


def test_a_run_that_is_divided_or_repeated_gives_the_same_bytes(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_checkout(tmp_path, monkeypatch)
    replace(tmp_path / "golden" / f"{TEXT}.ai.openai.chat.ndjson", '" can"', '" cam"')

    def made(name: str, *words: str) -> bytes:
        code, _, err = run("check", *QUICK, "--json", f"out/{name}.json", "--html", f"out/{name}.html", *words)
        assert code in (PARITY, DIFFERENCE), err
        return (tmp_path / f"out/{name}.json").read_bytes()

    alone = made("alone", "-j", "1")
    assert made("two", "-j", "2") == alone
    assert made("absolute", "-j", "1", "--cassettes", str(tmp_path / "cassettes"), "--goldens", str(tmp_path / "golden")) == alone
    assert str(tmp_path).encode() not in alone
    for number in (1, 2, 3):
        made(f"shard{number}", "-j", "1", "--shard", f"{number}/3")
    shards = [f"out/shard{number}.json" for number in (3, 1, 2)]
    parts = [document.load(Path(path)) for path in shards]
    assert [[one.case for one in part.cases] for part in parts] == [[], [EMPTY], [TEXT]]
    code, out, err = run("report", "merge", *shards, "--json", "out/merged.json", "--html", "out/merged.html")
    assert (code, err) == (DIFFERENCE, "")
    assert out.splitlines()[-1].startswith("FAIL streamcore, plan bytes: 2 cases (1 fail, 1 pass)")
    assert Path("out/merged.json").read_bytes() == alone
    assert Path("out/merged.html").read_bytes() == Path("out/alone.html").read_bytes()

    for words, message in (
        ((*shards[:2],), "shard 2/3 is missing; merge all 3"),
        (("out/alone.json",), "a document of streamcore is of a whole run"),
        ((*shards, "--goldens", "nope"), "nope: no such folder; --goldens"),
        ((*shards, "--cassettes", "nope"), "nope is no folder with recordings"),
    ):
        code, _, err = run("report", "merge", *words, "--json", "out/merged.json")
        assert code == INPUT
        assert message in err
    assert run("report", "merge", *shards, "--json", shards[0])[0] == USAGE
    assert Path("out/merged.json").read_bytes() == alone

    everything = document.load(Path("out/alone.json")).cases
    grown = dataclasses.replace(parts[0], cases=everything)  # what two shards have alike is one result
    assert document.dumps(document.to_document(merge([grown, *parts[1:]]))).encode() == alone
    clash = dataclasses.replace(grown, cases=tuple(dataclasses.replace(one, text="!") for one in everything))
    with pytest.raises(document.DocumentError, match="is in shard 1/3 and in shard 3/3, with different results"):
        merge([clash, *parts[1:]])

    replace(tmp_path / "golden" / f"{TEXT}.ai.openai.chat.ndjson", '" cam"', '" can"')
    code, out, _ = run("check", *QUICK, "-j", "1", "--baseline", "out/alone.json", "--json", "out/alone.json", "--html", "b.html")
    assert code == PARITY
    first, last = out.splitlines()
    assert first.startswith("baseline: DIFFERS 0 new, 1 fixed, 0 still failing, 0 came, 0 went; fail -> pass; reports ")
    assert last.startswith("PASS ")
    for words, message in (
        (("--shard", "5/4"), "--shard=5/4: write K/N"),
        (("--hazards", "--shard", "1/2"), "they do not go with --hazards"),
        (("--baseline", "b.json", "--subject", "streamcore", "--subject", "reference"), "--baseline is the report of one subject"),
    ):
        code, _, err = run("check", *words)
        assert code == USAGE
        assert message in err
    assert run("check", *QUICK, "--baseline", "b.html", "--json", "c.json")[0] == INPUT
    assert not Path("c.json").exists()
    assert run("check", "--list", "--shard", "2/2") == (PARITY, f"{TEXT}\n", "")


def test_the_plugin_shares_the_cases_out_by_the_same_rule() -> None:
    cases = [Case(f"openai-chat/{name}", "openai-chat", b"") for name in "hgfedcba"]
    settings = SimpleNamespace(shard=(2, 3))
    assert [one.id[-1] for one in share(cases, (2, 3))] == ["b", "e", "h"]
    assert Settings.share(settings, cases) == share(cases, (2, 3))  # type: ignore[arg-type]


def test_merged_shards_that_prove_nothing_are_no_pass(run: Run) -> None:
    unclaimed = case("openai-chat/a", verdict=Verdict.NOT_CLAIMED, references=(), plans=(), parts=0)
    own = case("openai-chat/b", references=())
    lost = "the transcripts of openai-chat leave something out"
    for cases, problems, told in (
        ((unclaimed,), (), ["no case was claimed by the subject"]),
        ((own,), (), ["nothing was compared with a golden"]),
        ((case(),), (lost, lost), [lost]),
    ):
        shards = {
            "one": passing(subject="m:S", cases=cases, shard="1/2", problems=problems[:1]),
            "two": passing(subject="m:S", cases=(), mutants=(), shard="2/2", problems=problems[1:]),
        }
        written(**shards)
        code, out, _ = run("report", "merge", "two.json", "one.json", "--json", "m.json", "--html", "m.html")
        assert code == HARNESS
        assert next(line for line in out.splitlines() if line.startswith("ERROR ")) == f"ERROR {told[0]}"
        assert json.loads(Path("m.json").read_text())["problems"] == told
