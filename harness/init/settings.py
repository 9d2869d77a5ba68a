"""Lines for files that belong to the user: added, each in its place, and everything else left to the letter.

Which file holds pytest's settings is for pytest to say, and the first one that exists wins ("Configuration", in its
reference): ``pytest.ini`` and ``.pytest.ini``, then ``pyproject.toml``, ``tox.ini`` and ``setup.cfg`` if they have its
table. A new table in a file that comes earlier would switch off the one that the user has.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from harness.exits import InputError

ATTRIBUTES = (
    "cassettes/** -text linguist-generated",
    "golden/** -text linguist-generated",
)
"""Bytes that are compared must be the bytes that were recorded, on every system; and nobody reviews them line by line."""
_INI = (("pytest.ini", "pytest"), (".pytest.ini", "pytest"))
_LATER = (("tox.ini", "pytest"), ("setup.cfg", "tool:pytest"))
_TABLES = ("tool.pytest.ini_options", "tool.pytest")


def with_setting(folder: Path, key: str, value: str) -> tuple[str, str]:
    """The text of the file that holds pytest's settings, with ``key``, and its name. A key that is there stays.

    Raises:
        InputError: that file is not what its name says; nothing is changed.
    """
    for name, section in _INI:
        text = _read(folder / name)
        if text is not None:
            return _in_section(text, section, f"{key} = {value}"), name
    pyproject = _read(folder / "pyproject.toml")
    tables = _tables(folder / "pyproject.toml", pyproject) if pyproject is not None else ()
    if pyproject is not None and tables:
        return _in_toml(folder / "pyproject.toml", pyproject, tables[0], key, value), "pyproject.toml"
    for name, section in _LATER:
        text = _read(folder / name)
        if text is not None and _header(section).search(text):
            return _in_section(text, section, f"{key} = {value}"), name
    if pyproject is not None:
        return _in_toml(folder / "pyproject.toml", pyproject, "", key, value), "pyproject.toml"
    return f"[pytest]\n{key} = {value}\n", "pytest.ini"


def with_attributes(folder: Path) -> str:
    """The text of ``.gitattributes`` with :data:`ATTRIBUTES`; a line about the same files stays as the user has it."""
    text = _read(folder / ".gitattributes") or ""
    known = {line.split()[0] for line in text.splitlines() if line.split()}
    missing = [line for line in ATTRIBUTES if line.split()[0] not in known]
    return _whole_lines(text) + "".join(f"{line}\n" for line in missing) if missing else text


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as text ({error}); nothing was written") from None


def _line_end(text: str) -> str:
    """As the file has them."""
    return "\r\n" if "\r\n" in text else "\n"


def _whole_lines(text: str) -> str:
    return text if not text or text.endswith("\n") else text + _line_end(text)


def _header(section: str) -> re.Pattern[str]:
    return re.compile(rf"^\[{re.escape(section)}\][^\n]*(?:\n|\Z)", re.MULTILINE)


def _in_section(text: str, section: str, line: str) -> str:
    """``line`` just below the header of its section, which is added at the end if it is not there."""
    found = _header(section).search(text)
    if found is None:
        return f"{_whole_lines(text)}\n[{section}]\n{line}\n".lstrip("\n")
    key = line.partition(" ")[0]
    own = re.split(r"^\[", text[found.end() :], maxsplit=1, flags=re.MULTILINE)[0]
    if re.search(rf"^{re.escape(key)}\s*[=:]", own, re.MULTILINE):
        return text
    return f"{_whole_lines(text[: found.end()])}{line}{_line_end(text)}{text[found.end() :]}"


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: not TOML ({error}); nothing was written") from None


def _tables(path: Path, text: str) -> list[str]:
    """The tables of pytest that the file has, the one that pytest reads first."""
    pytest = _parsed(path, text).get("tool", {}).get("pytest")
    if not isinstance(pytest, dict):
        return []
    return [_TABLES[0]] if "ini_options" in pytest else [_TABLES[1]]


def _in_toml(path: Path, text: str, table: str, key: str, value: str) -> str:
    """``key`` in the table, or in a new one at the end; what the file said before it says still."""
    before = _parsed(path, text)
    line = f'{key} = "{value}"{_line_end(text)}'
    if table:
        own = before["tool"]["pytest"]
        if key in (own["ini_options"] if table == _TABLES[0] else own):
            return text
        found = _header(table).search(text)
        if found is None:  # `tool.pytest.ini_options.x = 1`, or an inline table: there is no line to stand below
            raise InputError(f"{path}: write {line.strip()} into the table {table}, and run init again; nothing was written")
        new = f"{_whole_lines(text[: found.end()])}{line}{text[found.end() :]}"
    else:
        gap = "\n" if text.strip() else ""
        new = f"{_whole_lines(text)}{gap}[{_TABLES[0]}]\n{line}"
    after = _parsed(path, new)
    own = after["tool"]["pytest"]
    if (own if table == _TABLES[1] else own["ini_options"]).pop(key) != value or (table and after != before):
        raise InputError(f"{path}: {key} cannot be added without changing what it says; add {line.strip()} by hand")
    return new
