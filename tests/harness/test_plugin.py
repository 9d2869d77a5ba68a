"""The pytest plugin, run as its users run it: in a process of its own, in a folder that is not ours."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from harness.mutants import MUTANTS
from harness.pytest_plugin.outcome import Found, by_case
from harness.report import DocumentError, to_document
from harness.report import load as load_document
from harness.report.document import dumps
from harness.report.merge import merge
from harness.verdict import CaseResult, Difference, PlanResult, Verdict

from .plugin_project import CASES, EVERY_ID, REPOSITORY, golden_body, ids

if TYPE_CHECKING:
    from .plugin_project import Run

GOLDENS = ["--known-divergences", "--update-golden", "--update-golden-reason"]


def test_every_case_and_plan_is_a_test_without_any_test_code(run: Run) -> None:
    result = run("--parity")

    result.assert_outcomes(passed=1 + len(EVERY_ID))
    size = sum(len(golden_body(case)) for case in CASES)
    result.stdout.fnmatch_lines(
        [
            "streamparity: streamcore; plan whole,bytes; *cassettes",
            f"streamcore: 3 cases, {size:,} bytes, * parts; 6 chunkings, * splits, * comparisons; no mutant run",
        ]
    )


def test_collect_only_lists_them_and_runs_nothing(run: Run) -> None:
    result = run("--parity", "--collect-only", "-q")

    assert ids(result) == EVERY_ID
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*proved*")


def test_without_parity_nothing_is_collected_or_imported(run: Run, project: pytest.Pytester) -> None:
    project.makepyfile(
        test_own="""
        import sys

        def test_own():
            loaded = [name for name in sys.modules if name.split(".")[0] in ("harness", "streamcore")]
            light = ["harness", "harness.node_ids", "harness.plugin", "harness.pytest_plugin"]
            assert sorted(loaded) == [*light, "harness.pytest_plugin.options"]
        """
    )
    result = run("-v", two_plans=False)

    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*streamparity*")


def test_it_costs_less_than_five_milliseconds_to_have_it_installed() -> None:
    """The best of several tries: the first may have to compile it, and on a busy machine others measure the machine."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    heavy = ("click", "deepdiff", "httpx", "jinja2", "jsonschema", "msgspec", "rich", "yaml")
    program = f"import sys, pytest; import harness.plugin; print(*sorted(set({heavy!r}) & set(sys.modules)))"
    microseconds = []
    for _ in range(5):
        command = [sys.executable, "-X", "importtime", "-c", program]
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.split() == []
        (line,) = (line for line in done.stderr.splitlines() if line.endswith(" harness.plugin"))
        microseconds.append(int(line.split("|")[1]))
        if microseconds[-1] < 5000:
            return
    pytest.fail(f"importing harness.plugin takes {microseconds} us")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("openai-chat/text", [name for name in EVERY_ID if "openai-chat/text" in name]),
        ("bytes and not anthropic", [f"parity::{case}::bytes" for case in CASES[1:]]),
        ("golden", [f"parity::{case}::golden" for case in CASES]),
    ],
)
def test_k_chooses_among_them(run: Run, expression: str, expected: list[str]) -> None:
    assert ids(run("--parity", "--collect-only", "-q", "-k", expression)) == expected


def test_m_chooses_them_by_their_marker(run: Run) -> None:
    run("--parity", "-m", "parity").assert_outcomes(passed=len(EVERY_ID), deselected=1)
    run("--parity", "-m", "not parity").assert_outcomes(passed=1, deselected=len(EVERY_ID))


def test_a_node_id_is_run_alone_and_needs_no_option(run: Run) -> None:
    result = run("-v", "parity::openai-chat/text::bytes", "parity::anthropic-messages/tool")

    assert [line.split()[0] for line in ids(result)] == [*EVERY_ID[:3], "parity::openai-chat/text::bytes"]
    result.assert_outcomes(passed=4)


def test_a_node_id_that_does_not_exist_is_an_error(run: Run) -> None:
    result = run("parity::openai-chat/none::bytes")

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["not found: parity::openai-chat/none::bytes;*--collect-only*"])


def test_when_all_are_deselected_the_run_says_that_it_proved_nothing(run: Run) -> None:
    result = run("--parity", "-k", "test_own")

    result.assert_outcomes(passed=1, deselected=len(EVERY_ID))
    result.stdout.fnmatch_lines([f"none of {len(EVERY_ID)} items was run: nothing was proved"])


# -- under pytest-xdist ------------------------------------------------------------------------------------------------


def test_one_process_two_workers_and_merged_shards_give_the_same_document(run: Run, project: pytest.Pytester) -> None:
    """Of a subject that fails, so that there are differences to keep in order."""
    project.makepyfile(
        wrong="""
        from harness.subjects.core import CoreSubject

        class Session:
            def __init__(self, case):
                self._core = CoreSubject().open(case)
                self.feed = self._core.feed

            def close(self):
                return [{"type": "text-delta", "id": "0", "delta": "x"}, *self._core.close()]

        class Subject:
            name, version = "wrong", "1"

            def claims(self, dialect):
                return dialect == "openai-chat"

            def open(self, case):
                return Session(case)
        """
    )
    both = ("harness.plugin", "xdist.plugin")

    def document(name: str, *arguments: str, plugins: tuple[str, ...] = both[:1]) -> tuple[bytes, pytest.RunResult]:
        json, html = f"out/{name}.json", f"out/{name}.html"
        asked = ("--parity", "--parity-subject=wrong:Subject", f"--parity-json={json}", f"--parity-report={html}")
        result = run(*asked, *arguments, plugins=plugins)
        assert (project.path / html).read_text().startswith("<!")
        result.stdout.fnmatch_lines([f"reports: *{name}.html and *{name}.json"])
        return (project.path / json).read_bytes(), result

    alone, result = document("alone")
    spread, spread_result = document("spread", "-n", "2", plugins=both)
    for one in (result, spread_result):
        one.assert_outcomes(passed=5, failed=2, skipped=3)
    assert spread == alone
    assert totals(spread_result) == totals(result)
    found = json.loads(alone)
    assert [case["case"] for case in found["cases"]] == list(CASES)
    assert [len(case["plans"]) for case in found["cases"]] == [0, 2, 2]
    assert str(project.path) not in alone.decode()

    document("shard9", "--parity-shard=9/9")  # nothing falls to it, which is nobody's fault
    for number in (3, 1, 2):
        document(f"shard{number}", f"--parity-shard={number}/3")
    shards = [load_document(project.path / f"out/shard{number}.json") for number in (2, 3, 1)]
    assert [[case.case for case in shard.cases] for shard in shards] == [[CASES[1]], [CASES[2]], [CASES[0]]]
    assert dumps(to_document(merge(shards))).encode() == alone
    for some, message in (
        (shards[:2], "shard 1/3 is missing"),
        ([*shards, shards[0]], "shard 2/3 is there twice"),
        ([load_document(project.path / "out/alone.json")], "is of a whole run"),
        ([shards[0], dataclasses.replace(shards[1], seed=7), shards[2]], "seed 0 in shard 2/3, 7 in shard 3/3"),
        ([], "no document to merge"),
    ):
        with pytest.raises(DocumentError, match=message):
            merge(some)


def totals(result: pytest.RunResult) -> str:
    return next(line for line in result.outlines if line.startswith("wrong:Subject: "))


def test_the_order_in_which_items_end_does_not_matter() -> None:
    def found(plan: str) -> Found:
        difference = Difference("bytes", plan, 0, None, None, 0, None, "", None, None)
        plans = (PlanResult(plan, 1, 0, 1, False, Verdict.FAIL),) if plan else ()
        about = ("openai-chat/text", "openai-chat", "mine", Verdict.FAIL, 9, "", "live", "", 1, 0)
        return Found("mine", CaseResult(*about, plans=plans, differences=(difference,), reason=f"of {plan}"))

    items = [found("bytes"), found(""), found("every:7"), found("whole")]
    (one,) = by_case(items, "mine", ["whole", "bytes", "every:7"])
    assert [by_case(items[::-1], "mine", ["whole", "bytes", "every:7"]), by_case(items, "other", [])] == [[one], []]
    assert [difference.plan for difference in one.differences] == ["", "whole", "bytes", "every:7"]
    assert [plan.plan for plan in one.plans] == ["whole", "bytes", "every:7"]
    assert one.reason == "of "


def test_a_report_that_cannot_be_whole_or_written_fails_the_run(run: Run, project: pytest.Pytester) -> None:
    project.makepyfile(test_crash="import os\ndef test_crash(): os._exit(1)")
    asked = ("--parity", "--parity-json=out/p.json")
    crashing = ("-n", "1", "--max-worker-restart=0", "-k", "crash or openai-chat/text")
    crashed = run(*asked, *crashing, plugins=("harness.plugin", "xdist.plugin"))
    assert crashed.ret != pytest.ExitCode.OK
    crashed.stdout.fnmatch_lines(["ERROR a worker ended without handing over its results: no report is written"])
    assert not (project.path / "out").exists()

    (project.path / "out").write_text("in the way")
    unwritten = run(*asked, "-k", "openai-chat/text")
    assert unwritten.ret == pytest.ExitCode.TESTS_FAILED
    unwritten.stdout.fnmatch_lines(["ERROR the report was not written: *"])


def test_a_node_id_reaches_the_workers(run: Run) -> None:
    result = run("-n", "2", "parity::openai-chat/text", plugins=("harness.plugin", "xdist.plugin"))

    result.assert_outcomes(passed=3)


# -- reports ----------------------------------------------------------------------------------------------------------


def test_no_report_is_written_unless_asked_for(run: Run, project: pytest.Pytester) -> None:
    run("--parity")

    assert not list(project.path.glob("**/*.html"))
    assert not list(project.path.glob("**/parity.json"))


def test_junit_carries_what_identifies_a_result(run: Run, project: pytest.Pytester) -> None:
    golden = project.path / "golden/openai-chat/unicode.ai.openai.chat.ndjson"
    golden.write_text(golden.read_text().replace('"delta":"', '"delta":"~', 1))
    run("--parity", "--junit-xml=j.xml", "-k", "openai-chat/unicode")

    suite = ET.parse(project.path / "j.xml")  # noqa: S314 - pytest wrote it a moment ago
    found = {
        test.attrib["name"]: {item.attrib["name"]: item.attrib["value"] for item in test.iter("property")}
        for test in suite.iter("testcase")
    }
    assert found["bytes"]["parity_case"] == "openai-chat/unicode"
    assert found["bytes"]["parity_chunkings"] == "1"
    assert found["golden"]["parity_verdict"] == "fail"
    assert found["golden"]["parity_utf16_offset"] == "0"
    assert int(found["golden"]["parity_byte_offset"]) > 0


# -- what is asked for ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--parity-plan=nope"], "no plan is called 'nope'; there are whole, bytes*"),
        (["--parity-subject=nope"], "subject 'nope': write streamcore, reference, mutant:NAME, *"),
        (["--parity-subject=mutant:nope"], "no mutant is called 'nope'*"),
        (["--parity-subject=mine:Nope", "-n", "2"], "subject 'mine:Nope': module mine has no 'Nope'"),
        (["--parity-shard=4/3"], "--parity-shard=4/3: write K/N, such as 1/3, 2/3 and 3/3"),
        (["--known-divergences=nowhere.yaml"], "*nowhere.yaml: no such file of divergences; *"),
    ],
)
def test_a_misspelt_name_is_a_usage_error(run: Run, arguments: list[str], message: str) -> None:
    plugins = ("harness.plugin", "xdist.plugin") if "-n" in arguments else ("harness.plugin",)
    result = run("--parity", *arguments, plugins=plugins)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
    assert "Traceback" not in result.stderr.str()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--parity-cassettes=nowhere"], "*nowhere: no such folder; name it with --parity-cassettes*"),
        (["--parity-cassettes=empty"], "no case in *empty: nothing would be proved"),
        (["--parity-case=gemini/*"], "no case in *cassettes matches gemini/?: nothing would be proved"),
        (["--parity-corpus=nowhere"], "*nowhere: no such folder*"),
    ],
)
def test_zero_items_are_an_error_and_not_a_pass(
    run: Run, project: pytest.Pytester, arguments: list[str], message: str
) -> None:
    project.mkdir("empty")
    result = run("--parity", *arguments)

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines([message])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_ini_keys_are_the_defaults_and_the_command_line_wins(run: Run, project: pytest.Pytester) -> None:
    project.path.joinpath("cassettes").rename(project.path / "tapes")
    project.path.joinpath("golden").rename(project.path / "gold")
    project.makeini(
        """
        [pytest]
        parity_subject = mine:Subject streamcore
        parity_plan = bytes
        parity_cassettes = tapes
        parity_golden = gold
        """
    )
    result = run("--parity", "--parity-case=openai-chat/text", "--co", "-q", two_plans=False)
    expected = ["golden[mine:Subject]", "bytes[mine:Subject]", "golden[streamcore]", "bytes[streamcore]"]
    assert ids(result) == [*(f"parity::openai-chat/text::{name}" for name in expected), "parity::mutants"]

    wins = ("--parity-case=openai-chat/text", "--parity-subject=streamcore", "--parity-plan=every:7")
    result = run("--parity", "-v", *wins, "--parity-no-mutants", two_plans=False)
    assert [line.split()[0] for line in ids(result)] == [
        "parity::openai-chat/text::golden",
        "parity::openai-chat/text::every:7",
    ]
    result.assert_outcomes(passed=3)


def test_pyproject_may_hold_the_keys(run: Run, project: pytest.Pytester) -> None:
    (project.path / "tox.ini").unlink()
    project.makepyprojecttoml('[tool.pytest.ini_options]\nparity_plan = "every:9"\nparity_subject = "streamcore"\n')

    result = run("--parity", "--parity-no-mutants", "--co", "-q", "-k", "text and every", two_plans=False)

    assert ids(result) == ["parity::openai-chat/text::every:9"]


def test_the_default_plan_is_standard(run: Run) -> None:
    result = run("--parity", "--parity-case=openai-chat/text", "--co", "-q", two_plans=False)

    names = [line.split("::")[2] for line in ids(result)[:-1]]
    assert names[:4] == ["golden", "whole", "bytes", "recorded"]
    assert names[-2:] == ["every-split", "cut-at-every-byte"]


def test_the_seed_shifts_the_random_plans_and_their_names(run: Run) -> None:
    chosen = ("--parity-plan=random:1,random:2", "--parity-seed=40", "-k", "text and random")
    result = run("--parity", "--parity-no-mutants", "-v", *chosen, two_plans=False)

    assert [line.split()[0] for line in ids(result)] == [
        "parity::openai-chat/text::random:41",
        "parity::openai-chat/text::random:42",
    ]


def test_the_mutants_are_one_test_that_names_those_that_were_not_caught(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three recordings do not have what it takes to show every defect; two mutants are enough to tell so."""
    few = {name: MUTANTS[name] for name in ("utf8-per-chunk", "crlf-cut-is-blank")}
    monkeypatch.setattr("harness.mutants.mutation.MUTANTS", few)
    result = run("parity::mutants", two_plans=False)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "1 of 2 mutants were not caught: no recording shows the defect",
            "  crlf-cut-is-blank: *",
            "*1 of 2 mutants caught",
        ]
    )
    result.stdout.no_fnmatch_line("  utf8-per-chunk: *")


@pytest.mark.node
@pytest.mark.skipif(
    shutil.which("node") is None or not (REPOSITORY / "golden/oracle/node_modules").is_dir(),
    reason="needs Node and `npm ci` in golden/oracle",
)
def test_goldens_of_a_corpus_are_made_on_the_fly(run: Run, project: pytest.Pytester) -> None:
    folder = project.mkdir("corpus") / "openai-chat"
    folder.mkdir()
    (folder / "one.body").write_bytes(golden_body("openai-chat/text"))

    result = run("--parity", "--parity-corpus=corpus", f"--parity-golden={REPOSITORY / 'golden'}")

    result.assert_outcomes(passed=4)
    assert list((project.path / ".streamparity/goldens").glob("*/*/*.ai.openai.chat.ndjson"))


# -- company ----------------------------------------------------------------------------------------------------------


def test_beside_the_plugins_whose_names_it_must_not_claim(
    run: Run, project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pytest_html", "pytest_randomly", "pytest_recording", "syrupy", "xdist"):
        pytest.importorskip(name)
    company = ("html", "metadata", "randomly", "recording", "syrupy", "xdist")
    project.makepyfile(
        test_company="""
        import httpx
        import pytest
        from harness.cassette import load

        @pytest.mark.vcr
        def test_of_theirs(vcr, record_mode):
            assert vcr is not None and record_mode in ("none", "once")

        @pytest.mark.block_network
        @pytest.mark.stream_cassette("openai-chat/text")
        def test_of_ours(stream_recording, record_mode):
            assert stream_recording.mode == record_mode == "none"
            one = load(stream_recording.path).interactions[0]
            url = "http://127.0.0.1:9" + one.uri.split(".invalid")[-1].split(".com")[-1]
            response = stream_recording.client().request(one.method, url, content=one.request_body)
            assert response.read() == one.body

        def test_snapshot(snapshot):
            assert snapshot is not None

        @pytest.mark.parity(case="openai-chat/*", plan="bytes,every:7")
        def test_parity(parity, snapshot):
            assert len(parity.check("streamcore").plans) == 2
        """
    )
    options = ("--html=h.html", "--self-contained-html", "--record-mode=none", "--block-network", "--snapshot-details")
    result = run("--parity", *options, "-n", "2", "-p", "no:cacheprovider", plugins=("harness.plugin", *company))

    result.assert_outcomes(passed=1 + len(EVERY_ID) + 5)
    assert "parity::openai-chat/text::bytes" in (project.path / "h.html").read_text()
    # Where options are pytest-recording's, its own tests may record in CI; ours may not.
    monkeypatch.setenv("CI", "true")
    alone = ("harness.plugin", "recording")
    in_ci = run("--record-mode=once", "-k", "test_of", two_plans=False, plugins=alone)
    in_ci.assert_outcomes(passed=1, errors=1, deselected=4)
    in_ci.stdout.fnmatch_lines(["--record-mode=once in CI (CI=true)*"])


def test_every_option_and_ini_key_is_ours_by_its_name(run: Run) -> None:
    """Those that are not named after us belong to nobody else, or are pytest-recording's, which is not here."""
    result = run("--help", two_plans=False)

    group = result.outlines[result.outlines.index("replay recorded provider streams, cut at every byte:") + 1 :]
    options = [line.split()[0].partition("=")[0] for line in group[: group.index("")] if line.startswith("  --")]
    others = [option for option in options if "parity" not in option]
    assert len(options) - len(others) == 12
    assert others[:4] == [*GOLDENS, "--allow-recording-in-ci"]
    assert others[4:] == ["--record-mode", "--block-network", "--allowed-hosts"]


@pytest.mark.usefixtures("entry_point")
def test_the_entry_point_loads_it_and_no_streamparity_does_not(run: Run) -> None:
    run("--parity", plugins=()).assert_outcomes(passed=1 + len(EVERY_ID))

    refused = run("-p", "no:streamparity", "--parity", plugins=(), two_plans=False)
    assert refused.ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.usefixtures("entry_point")
def test_the_entry_point_can_be_named_where_autoload_is_off(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    run("--parity", plugins=("streamparity",)).assert_outcomes(passed=1 + len(EVERY_ID))
