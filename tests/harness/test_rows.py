"""Requirements and the tests that prove them: the project's own, and every way in which a row can be wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.exits import InputError
from harness.rows import SERIES, as_table, load_rows

ROOT = Path(__file__).parents[2]
TESTS = """
import pytest

def test_a(): ...

async def test_b(): ...

@pytest.mark.skip(reason="x")
def test_skipped(): ...

@pytest.mark.xfail
def test_expected_to_fail(): ...

@pytest.mark.skipif(True, reason="x")
@pytest.mark.parametrize("x", [1])
def test_sometimes(x): ...

def helper(): ...

class TestThings:
    def test_c(self): ...

@pytest.mark.skip
class TestSkipped:
    def test_d(self): ...
"""
SCRIPT = 'step() { echo "$1"; }\nstep "first: the one"\n  step "second"\n'


def project(tmp_path: Path, *texts: str) -> Path:
    """A checkout with these files of rows; the folder they are in."""
    folder = tmp_path / "tests" / "rows"
    folder.mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "tests" / "test_x.py").write_text(TESTS)
    (tmp_path / "tests" / "broken.py").write_text("def")
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "speed.py").write_text("def measure(): ...")
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci" / "run").write_text(SCRIPT)
    for number, text in enumerate(texts):
        (folder / f"{number}.yaml").write_text(text)
    return folder


def every_row(*without: str) -> str:
    """A row for every requirement but some."""
    ids = [f"{letter}{number}" for letter, last in SERIES.items() for number in range(1, last + 1)]
    return "".join(f"- {{id: {row}, says: x, tests: ['tests/test_x.py::test_a']}}\n" for row in ids if row not in without)


def streamparity(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "harness.cli", "check", *arguments], cwd=cwd, capture_output=True, text=True, check=False)


def test_the_projects_own_rows() -> None:
    rows = load_rows(ROOT / "tests" / "rows")

    assert rows.problems == ()
    assert len(rows.rows) == sum(SERIES.values()) == 60
    proven = {row.id for row in rows.rows if row.status == "proven"}
    assert {"J1", "J2", "J3", "J4", "J5", "J6", "J7", "R1", "R2", "R3", "R4", "R5", "R6", "R8"} <= proven
    assert all("::" in test for row in rows.rows for test in row.tests)


def test_all_is_well(tmp_path: Path) -> None:
    rows = load_rows(project(tmp_path, every_row()))

    assert (rows.problems, rows.exit_code, rows.count("proven")) == ((), 0, 60)
    assert [row.id for row in rows.rows][:10] == [*(f"J{number}" for number in range(1, 10)), "P1"]


@pytest.mark.parametrize(
    "test",
    [
        "tests/test_x.py::test_b",
        "tests/test_x.py::test_sometimes",
        "tests/test_x.py::TestThings::test_c",
        "benchmarks/speed.py::measure",
        ".ci/run::first: the one",
        ".ci/run::second",
    ],
)
def test_what_can_prove_a_row(tmp_path: Path, test: str) -> None:
    rows = load_rows(project(tmp_path, every_row("J1"), f"- id: J1\n  says: x\n  tests: ['{test}']\n"))
    assert rows.problems == ()


def test_a_row_without_a_proof_fails(tmp_path: Path) -> None:
    folder = project(tmp_path, every_row("R3"), "- id: R3\n  says: y\n")
    rows = load_rows(folder)

    assert rows.problems == (f"{folder / '1.yaml'}:1: R3 names neither a test nor why there is none (`tests:` or `open:`)",)
    assert rows.exit_code == 1
    (folder / "1.yaml").write_text("- id: R3\n  says: y\n  tests: []\n")
    assert load_rows(folder).exit_code == 1


def test_an_open_row_is_counted_and_shown(tmp_path: Path) -> None:
    text = "- {id: R3, says: y, open: nobody knows how}\n- {id: R4, says: z, tests: ['tests/test_x.py::test_a'], open: the rest}\n"
    rows = load_rows(project(tmp_path, every_row("R3", "R4"), text))

    assert (rows.exit_code, rows.count("open"), rows.count("partly")) == (0, 1, 1)
    lines = as_table(rows).splitlines()
    assert "R3   open     y" in lines
    assert "              open: nobody knows how" in lines
    assert lines[-1] == "60 rows: 58 proven, 1 partly, 1 open, 0 unproven; 1 tests named; 0 errors"


@pytest.mark.parametrize(
    ("test", "why"),
    [
        ("tests/test_y.py::test_a", "there is no such file"),
        ("../tests/test_x.py::test_a", "there is no such file"),
        ("tests/test_x.py::test_z", "the file has no such test"),
        ("tests/test_x.py::test_c", "the file has no such test"),
        ("tests/test_x.py::test_sometimes[1]", "the file has no such test, and ids have no [parameters]"),
        ("tests/test_x.py::helper", "pytest does not collect it: file and function begin with test_"),
        ("tests/test_x.py::TestThings", "pytest does not collect it: file and function begin with test_"),
        ("tests/test_x.py::test_skipped", "it is always skipped"),
        ("tests/test_x.py::TestSkipped::test_d", "it is always skipped"),
        ("tests/test_x.py::test_expected_to_fail", "it is expected to fail"),
        ("tests/broken.py::test_a", "the file cannot be read as Python: invalid syntax"),
        (".ci/run::third", "the file has no such step; it has 'first: the one', 'second'"),
    ],
)
def test_a_test_that_proves_nothing_fails(tmp_path: Path, test: str, why: str) -> None:
    folder = project(tmp_path, every_row("J1"), f"- id: J1\n  says: x\n  tests: ['tests/test_x.py::test_a', '{test}']\n")
    rows = load_rows(folder)

    [problem] = rows.problems
    assert problem.startswith(f"{folder / '1.yaml'}:1: J1: {test}: {why}")
    assert rows.exit_code == 1


def test_a_row_that_is_missing_fails(tmp_path: Path) -> None:
    rows = load_rows(project(tmp_path, every_row("J9", "S1")))

    assert rows.problems == ("J9 has no row", "S1 has no row")
    assert rows.exit_code == 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("- id: J1\n  says: [\n", ":3: not YAML: "),
        ("id: J1\n", ":1: "),
        ("- id: J1\n", ":1: 'says' is a required property"),
        ("- id: J1\n  says: x\n  test: []\n", ":1: Additional properties are not allowed ('test' was unexpected)"),
        ("- id: J1\n  says: x\n  tests:\n  - nothing\n", ":4: 'nothing' does not match "),
        ("- id: J1\n  says: x\n  open: ''\n", ":3: "),
        ("\n- id: J10\n  says: x\n  open: y\n", ":2: J10 is no requirement; there are J1-J9, P1-P14"),
        ("- id: X1\n  says: x\n  open: y\n", ":1: X1 is no requirement"),
        ("- {id: J1, says: x, open: y}\n- {id: J1, says: x, open: y}\n", ":2: J1 stands twice; first at "),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, text: str, complaint: str) -> None:
    folder = project(tmp_path, text)

    with pytest.raises(InputError) as caught:
        load_rows(folder)
    assert str(caught.value).startswith(f"{folder / '0.yaml'}{complaint}")
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    folder = project(tmp_path)
    (folder / "a.yaml").write_bytes(b"- \xff")
    with pytest.raises(InputError, match=r"a\.yaml: not UTF-8 at byte 2"):
        load_rows(folder)


def test_nothing_to_be_relative_to(tmp_path: Path) -> None:
    folder = project(tmp_path)
    (tmp_path / "pyproject.toml").unlink()
    with pytest.raises(InputError, match=r"no pyproject\.toml in any folder above it"):
        load_rows(folder)


def test_the_command(tmp_path: Path) -> None:
    folder = project(tmp_path, every_row())
    good = streamparity("--rows", cwd=tmp_path)
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.splitlines()[-1].startswith("60 rows: 60 proven")

    (folder / "0.yaml").write_text(every_row("J1"))
    bad = streamparity("--rows", str(folder), cwd=ROOT)
    assert bad.returncode == 1
    assert "error: J1 has no row" in bad.stdout

    (folder / "0.yaml").write_text("- id: J1\n")
    malformed = streamparity("--rows", cwd=tmp_path)
    assert (malformed.returncode, malformed.stdout) == (4, "")
    assert malformed.stderr == "streamparity: tests/rows/0.yaml:1: 'says' is a required property\n"

    (folder / "0.yaml").unlink()
    empty = streamparity("--rows", "--quiet", cwd=tmp_path)
    assert (empty.returncode, empty.stdout) == (3, "error: not a single row, so nothing is shown to be proven\n")

    folder.rmdir()
    missing = streamparity("--rows", cwd=tmp_path)
    assert missing.returncode == 4
    assert missing.stderr.startswith("streamparity: tests/rows: no such folder")
