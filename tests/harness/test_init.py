"""``streamparity init``: a project begins, and what its owner has already is not harmed."""

from __future__ import annotations

import configparser
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from harness import check
from harness.cassette import NOT_CASSETTES
from harness.check import find_cases, mutants_on
from harness.divergence import Divergences
from harness.exits import InputError
from harness.golden import GoldenStore
from harness.init.project import SUBJECT, init
from harness.init.settings import ATTRIBUTES
from harness.init.shipped import graded_cassettes, shipped
from harness.mutants import mutation

from .docs_blocks import ROOT, streamparity

if TYPE_CHECKING:
    from harness.init.project import Written

LINE = f"parity_subject = {SUBJECT}"
TOML = f'parity_subject = "{SUBJECT}"'


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def what(report: list[Written]) -> dict[str, str]:
    return {one.path: one.what for one in report}


def test_a_new_project_has_all_it_takes(tmp_path: Path) -> None:
    report = what(init(tmp_path / "new"))

    files = tree(tmp_path / "new")
    assert set(report) == set(files)
    assert set(report.values()) == {"written"}
    assert {"parity_subject.py", "pytest.ini", ".gitattributes", ".github/workflows/parity.yml"} < set(files)
    assert files["pytest.ini"].decode() == f"[pytest]\n{LINE}\n"
    steps = yaml.safe_load(files[".github/workflows/parity.yml"])["jobs"]["parity"]["steps"]
    assert f"streamparity check --subject {SUBJECT}" in [step.get("run") for step in steps]
    for name, content in files.items():
        if name.startswith(("cassettes/", "golden/")) and name != "golden/manifest.json":
            assert content == (ROOT / name).read_bytes()


def test_a_second_time_nothing_changes_and_force_replaces_what_is_ours_alone(tmp_path: Path) -> None:
    init(tmp_path)
    (tmp_path / "parity_subject.py").write_text("mine = 1\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nparity_subject = mine:Subject\n")
    before = tree(tmp_path)

    assert set(what(init(tmp_path)).values()) == {"kept"}
    assert tree(tmp_path) == before

    report = what(init(tmp_path, force=True))
    assert [path for path, said in report.items() if said != "kept"] == ["parity_subject.py"]
    assert tree(tmp_path)["pytest.ini"] == before["pytest.ini"]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("pytest.ini", "# mine\n[pytest]\n# why\naddopts = -q", f"# mine\n[pytest]\n{LINE}\n# why\naddopts = -q"),
        ("pytest.ini", "", f"[pytest]\n{LINE}\n"),
        ("tox.ini", "[tox]\nx = 1\n[pytest]\naddopts = -q\n", f"[tox]\nx = 1\n[pytest]\n{LINE}\naddopts = -q\n"),
        ("setup.cfg", "[tool:pytest]\r\naddopts=-q\r\n[a]\r\n", f"[tool:pytest]\r\n{LINE}\r\naddopts=-q\r\n[a]\r\n"),
        (
            "pyproject.toml",
            '[project]\nname = "x" # mine\n[tool.pytest.ini_options] # here\naddopts = "-q"\n[tool.x]\ny = 1\n',
            f'[project]\nname = "x" # mine\n[tool.pytest.ini_options] # here\n{TOML}\naddopts = "-q"\n[tool.x]\ny = 1\n',
        ),
        ("pyproject.toml", "[tool.pytest]\nx = 1\n", f"[tool.pytest]\n{TOML}\nx = 1\n"),
        (
            "pyproject.toml",
            "a = 1 # mine",
            f"a = 1 # mine\n\n[tool.pytest.ini_options]\n{TOML}\n",
        ),
    ],
)
def test_the_setting_goes_where_pytest_looks_and_all_else_stays(
    name: str, text: str, expected: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(text.encode())
    report = what(init(tmp_path))

    assert report[name] == "added to"
    new = (tmp_path / name).read_bytes().decode()
    assert new == expected
    assert [found for found in ("pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg") if (tmp_path / found).exists()] == [name]
    if name == "pyproject.toml":
        assert SUBJECT in str(tomllib.loads(new)["tool"]["pytest"])
    else:
        ini = configparser.ConfigParser()
        ini.read_string(new)
        assert SUBJECT in [section.get("parity_subject") for section in ini.values()]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pyproject.toml", b"[tool.pytest"),
        ("pyproject.toml", b"tool.pytest.ini_options.addopts = '-q'\n"),
        ("pytest.ini", b"\xff\xfe"),
        (".gitattributes", b"\xff\xfe"),
        ("golden/manifest.json", b"{"),
    ],
)
def test_a_file_that_cannot_be_added_to_stops_all_of_it(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(content)

    with pytest.raises(InputError, match=name):
        init(tmp_path)
    assert tree(tmp_path) == {name: content}


def test_lines_for_git_are_added_once_and_the_owners_win(tmp_path: Path) -> None:
    (tmp_path / ".gitattributes").write_text("*.py text\ngolden/** binary")
    init(tmp_path)

    assert (tmp_path / ".gitattributes").read_text() == f"*.py text\ngolden/** binary\n{ATTRIBUTES[0]}\n"


def test_goldens_of_ones_own_stay_in_the_manifest(tmp_path: Path) -> None:
    (tmp_path / "golden").mkdir()
    (tmp_path / "golden" / "manifest.json").write_text('{"v": 1, "goldens": {"mine": "x"}, "bodies": {"m": "y"}}')
    init(tmp_path)

    manifest = GoldenStore(tmp_path / "golden").manifest
    assert manifest["goldens"].pop("mine") == "x"
    assert manifest["bodies"].pop("m") == "y"
    assert len(manifest["goldens"]) == len(list((tmp_path / "golden").glob("*/*.ndjson")))


def test_every_dialect_with_recordings_can_begin(tmp_path: Path) -> None:
    """The adapter is a program whatever it is for, and says where a parser is wanting."""
    dialects = sorted(path.name for path in (ROOT / "cassettes").iterdir() if path.name != NOT_CASSETTES)
    init(tmp_path, dialects)

    text = (tmp_path / "parity_subject.py").read_text()
    names: dict[str, object] = {}
    exec(compile(text, "parity_subject.py", "exec"), names)  # noqa: S102 - what we have just written
    parsers = names["PARSERS"]
    assert isinstance(parsers, dict)
    assert sorted(parsers) == dialects
    assert [dialect for dialect in dialects if not list((tmp_path / "cassettes" / dialect).glob("*.yaml"))] == []
    with pytest.raises(NotImplementedError, match=r"PARSERS in parity_subject\.py"):
        parsers["anthropic-messages"]()


def test_the_first_run_says_honestly_what_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example parser passes, cut in several ways; a parser that is not there is an error and no pass."""
    monkeypatch.chdir(tmp_path)
    code, told = streamparity(["streamparity", "init", "--dialect", "groq"], monkeypatch)
    assert (code, "no parser yet" in told) == (0, True)
    check = ["streamparity", "check", "--subject", SUBJECT, "--no-mutants"]

    code, told = streamparity(check, monkeypatch)
    assert code == 3
    assert "no parser for this dialect yet" in told

    code, told = streamparity(["streamparity", "init", "--dialect", "openai-chat", "--force"], monkeypatch)
    assert (code, told.splitlines()[0]) == (0, "replaced  parity_subject.py")
    assert told.endswith(f"\n  streamparity check --subject {SUBJECT}\n")
    code, told = streamparity([*check, "--case", "openai-chat/*", "--plan", "whole,bytes,every:7"], monkeypatch)
    assert code == 0
    assert "6 cases (6 pass)" in told
    code, told = streamparity(["streamparity", "init", "--dialect", "nobody"], monkeypatch)
    assert (code, "unknown dialect 'nobody'" in told) == (4, True)


def test_what_a_starter_set_does_not_show_of_the_mutants_is_shown_by_what_comes_with_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told apart what its own recordings would catch: they are what the user's parser is held against."""
    init(tmp_path)
    few = {name: mutation.MUTANTS[name] for name in ("utf8-per-chunk", "signature-lost")}
    monkeypatch.setattr(mutation, "MUTANTS", few)
    folder, store = tmp_path / "cassettes", GoldenStore(tmp_path / "golden")
    found = mutants_on(folder, find_cases(folder, (), ()), lambda _: store, Divergences())

    assert shipped() == ROOT
    assert {one.name: (one.caught, one.shipped) for one in found} == {
        "utf8-per-chunk": (True, False),
        "signature-lost": (True, True),
    }
    assert list(store.manifest) == list(GoldenStore(ROOT / "golden").manifest)
    monkeypatch.setattr(check, "_OWN", 0)
    (one, _) = mutants_on(folder, find_cases(folder, (), ()), lambda _: store, Divergences())
    assert (one.caught, one.shipped) == (True, True), "of thousands of recordings only the smallest are tried"


def test_the_package_is_built_with_all_recordings_and_an_editable_one_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that a checkout has, and nothing of the oracle."""
    setuptools = pytest.importorskip("setuptools")  # where nothing is built it need not be there
    from harness.init.build import BuildWithRecordings

    monkeypatch.chdir(tmp_path)
    for name in ("cassettes/groq/text.yaml", "golden/groq/text.ai.groq.ndjson", "golden/manifest.json", "golden/oracle/x.json"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(name)
    command = BuildWithRecordings(setuptools.Distribution({"name": "x", "packages": []}))
    command.ensure_finalized()
    command.build_lib = "built"
    carried = {"cassettes/groq/text.yaml", "golden/groq/text.ai.groq.ndjson", "golden/manifest.json"}
    assert {*command.get_source_files()} == carried  # a source archive has what the package is built from
    command.editable_mode = True
    command.run()
    assert not Path("built").exists()

    command.editable_mode = False
    Path("built/harness/init/recordings/cassettes/gone").mkdir(parents=True)
    command.run()
    built = Path("built/harness/init/recordings")
    assert set(tree(built)) == carried
    assert not (built / "cassettes/gone").exists()
    configured = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["cmdclass"]
    assert configured == {"build_py": f"{BuildWithRecordings.__module__}.{BuildWithRecordings.__qualname__}"}


def test_hazards_are_graded_where_there_is_a_catalogue_of_them(tmp_path: Path) -> None:
    """Recordings of one's own seldom have one beside them."""
    folder = tmp_path / "cassettes"
    assert graded_cassettes(folder) == ROOT / "cassettes"
    init(tmp_path)
    assert graded_cassettes(folder) == ROOT / "cassettes"
    (folder / NOT_CASSETTES).mkdir()
    (folder / NOT_CASSETTES / "sse.yaml").write_text("[]")
    assert graded_cassettes(folder) == folder
