"""Requirements, and the tests that prove each: ``tests/rows/*.yaml``, one file for each system they were drawn from.

A file is a list of rows::

    - id: J2
      says: what a beginning of a JSON text shows is only what was received, and is never taken back
      tests:
        - tests/streamcore/test_jsonstream.py::test_the_value_so_far_holds_what_was_received
        - benchmarks/incremental.py::measure            # any function of a module there
        - ".ci/run::oracle drift: goldens made anew"    # a step of that script
      open: what is not shown yet, and why
      note: what a reader should know besides

A row with ``tests`` alone is proven, with both it is partly proven, with ``open`` alone it is open, and with neither it is
a requirement that somebody forgot. Tests are node ids without parameters, relative to the checkout. They are looked up
in the syntax tree and not imported, so that this takes no time and nothing runs: that they pass is for pytest to say. One
that is always skipped, or is expected to fail, proves nothing.
"""

from __future__ import annotations

import ast
import re
import textwrap
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from harness import yaml_lines
from harness.exits import DIFFERENCE, HARNESS, PARITY, InputError
from harness.yaml_lines import YamlError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Status = Literal["proven", "partly", "open", "unproven"]

SERIES: Final = {"J": 9, "P": 14, "R": 8, "A": 10, "S": 9, "B": 10}
"""Letter of a series -> how many rows it has, from 1. A row that somebody deletes is missed all the same."""
FOLDER: Final = Path("tests/rows")
_STEP: Final = re.compile(r"^\s*step (['\"])(.+)\1\s*$", re.MULTILINE)
_VACUOUS: Final = {"skip": "is always skipped", "xfail": "is expected to fail"}


@dataclass(frozen=True, slots=True)
class Row:
    """One requirement."""

    id: str
    says: str
    tests: tuple[str, ...]
    """Node ids; see the module."""
    open: str
    """What is not shown yet; empty if all of it is."""
    note: str
    where: str
    """``file:line``, for messages."""

    @property
    def status(self) -> Status:
        """How far it is proven, if all its tests are there."""
        if self.tests:
            return "partly" if self.open else "proven"
        return "open" if self.open else "unproven"

    @property
    def order(self) -> tuple[int, int]:
        """Where it stands in a list of all."""
        return list(SERIES).index(self.id[0]), int(self.id[1:])


@dataclass(frozen=True)
class Rows:
    """All rows of a folder, in order, and what is wrong with them."""

    rows: tuple[Row, ...]
    root: Path
    """What the node ids are relative to."""

    @cached_property
    def problems(self) -> tuple[str, ...]:
        """One line each: a row without a proof, a test that is not there, a row of a series that is missing."""
        known = {row.id for row in self.rows}
        sources = _Sources(self.root)
        found = [
            f"{row.where}: {row.id} names neither a test nor why there is none (`tests:` or `open:`)"
            for row in self.rows
            if row.status == "unproven"
        ]
        for row in self.rows:
            found += [f"{row.where}: {row.id}: {test}: {why}" for test in row.tests if (why := sources.missing(test))]
        everything = [f"{letter}{number}" for letter, last in SERIES.items() for number in range(1, last + 1)]
        found += [f"{row_id} has no row" for row_id in everything if row_id not in known]
        return tuple(found)

    @property
    def exit_code(self) -> int:
        """0 if every row has its proof or its reason, 1 if not, 3 if there are no rows at all."""
        if not self.rows:
            return HARNESS
        return DIFFERENCE if self.problems else PARITY

    def count(self, status: Status) -> int:
        """How many rows stand so."""
        return sum(row.status == status for row in self.rows)


def load_rows(folder: Path) -> Rows:
    """The rows of every ``*.yaml`` in ``folder``.

    Raises:
        InputError: no such folder, not YAML, not the documented shape, a row that is unknown or stands twice; with the
            file and its line.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; it should hold *.yaml with the requirements and their tests")
    rows: dict[str, Row] = {}
    for path in sorted(folder.glob("*.yaml")):
        for row in _read(path):
            if row.id in rows:
                raise InputError(f"{row.where}: {row.id} stands twice; first at {rows[row.id].where}")
            rows[row.id] = row
    return Rows(tuple(sorted(rows.values(), key=lambda row: row.order)), _root(folder))


def as_table(rows: Rows, width: int = 100) -> str:
    """What stands in the rows, their problems, and the totals; plain text."""
    lines = []
    for row in rows.rows:
        lines.append(f"{row.id:4} {row.status:8} " + _wrapped(row.says, width, " " * 14))
        lines += [f"{'':14}{test}" for test in row.tests]
        lines += [f"{'':14}" + _wrapped(f"open: {row.open}", width, " " * 14)] if row.open else []
        lines += [f"{'':14}" + _wrapped(f"note: {row.note}", width, " " * 14)] if row.note else []
    lines += [f"error: {problem}" for problem in rows.problems]
    if not rows.rows:
        return "error: not a single row, so nothing is shown to be proven"
    tests = len({test for row in rows.rows for test in row.tests})
    counts = ", ".join(f"{rows.count(status)} {status}" for status in ("proven", "partly", "open", "unproven"))
    return "\n".join([*lines, "", f"{len(rows.rows)} rows: {counts}; {tests} tests named; {len(rows.problems)} errors"])


def _wrapped(text: str, width: int, indent: str) -> str:
    return textwrap.fill(text, width, initial_indent=indent, subsequent_indent=indent).lstrip()


def _root(folder: Path) -> Path:
    """The checkout that a folder is in."""
    for parent in folder.resolve().parents:
        if (parent / "pyproject.toml").is_file():
            return parent
    raise InputError(f"{folder}: no pyproject.toml in any folder above it, so its node ids are relative to nothing")


# -- the files ---------------------------------------------------------------------------------------------------------


def _read(path: Path) -> Iterator[Row]:
    try:
        document = yaml_lines.read(path)
    except YamlError as error:
        raise InputError(error.at(path)) from None
    for misfit in document.misfits("rows", otherwise=[]):
        raise InputError(f"{path}:{misfit.line}: {misfit.what}")
    for position, item in enumerate(document.value or []):
        where = f"{path}:{document.line([position])}"
        letter, number = item["id"][0], int(item["id"][1:])
        if number > SERIES.get(letter, 0):
            known = ", ".join(f"{each}1-{each}{last}" for each, last in SERIES.items())
            raise InputError(f"{where}: {item['id']} is no requirement; there are {known}")
        yield Row(
            id=item["id"],
            says=" ".join(item["says"].split()),
            tests=tuple(item.get("tests", ())),
            open=" ".join(item.get("open", "").split()),
            note=" ".join(item.get("note", "").split()),
            where=where,
        )


# -- the tests ---------------------------------------------------------------------------------------------------------


class _Sources:
    """The files that tests are named in, each read once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.names: dict[str, dict[str, ast.AST]] = {}

    def missing(self, test: str) -> str:
        """Why a node id names no proof; empty if it does."""
        file, _, name = test.partition("::")
        path = self.root / file
        if ".." in Path(file).parts or not path.is_file():
            return "there is no such file"
        if path.suffix != ".py":
            steps = [step for _, step in _STEP.findall(path.read_text(encoding="utf-8"))]
            return "" if name in steps else f"the file has no such step; it has {', '.join(map(repr, steps))}"
        if file not in self.names:
            try:
                self.names[file] = dict(_functions(ast.parse(path.read_bytes()).body))
            except (SyntaxError, ValueError) as error:
                return f"the file cannot be read as Python: {error}"
        names = self.names[file]
        if name not in names:
            return "the file has no such test" + (", and ids have no [parameters]" if "[" in name else "")
        if file.startswith("tests/") and not (
            path.name.startswith("test_") and name.split("::")[-1].startswith("test_")
        ):
            return "pytest does not collect it: file and function begin with test_"
        marks = [mark for part in _way(name) for mark in _marks(names[part])]
        return next((f"it {_VACUOUS[mark]}" for mark in marks if mark in _VACUOUS), "")


def _functions(body: Iterable[ast.stmt], within: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Qualified name -> node of every function and class, as node ids spell them."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield within + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield within + node.name, node
            yield from _functions(node.body, f"{within}{node.name}::")


def _way(name: str) -> Iterator[str]:
    """A node id's name, and those of the classes it is in."""
    parts = name.split("::")
    for end in range(1, len(parts) + 1):
        yield "::".join(parts[:end])


def _marks(node: Any) -> Iterator[str]:
    """The pytest marks of a function or class."""
    for decorator in node.decorator_list:
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        if (
            isinstance(target, ast.Attribute)
            and isinstance(target.value, ast.Attribute)
            and target.value.attr == "mark"
        ):
            yield target.attr
