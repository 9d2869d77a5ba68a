"""The files of a first project: what is in them, and what is done about those that are there already."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

import jinja2

from harness.exits import InputError, unknown
from harness.files import write_atomically
from harness.init.settings import with_attributes, with_setting
from harness.init.starter import starter_set
from harness.references import REFERENCES

SUBJECT = "parity_subject:Subject"
WITH_EXAMPLE = "openai-chat"
"""The dialect that the example parser of the adapter reads."""
_TEMPLATES = {"parity_subject.py": "parity_subject.py.jinja", ".github/workflows/parity.yml": "parity.yml.jinja"}


@dataclass(frozen=True)
class Written:
    """What came of one file; ``path`` is relative to the folder, with forward slashes."""

    path: str
    what: str
    """``written``, ``replaced``, ``added to``, ``kept``."""
    note: str = ""


def init(
    folder: Path, dialects: Sequence[str] = (WITH_EXAMPLE,), *, everything: bool = False, force: bool = False
) -> list[Written]:
    """Writes the files of a first project into ``folder`` and says what came of each.

    Args:
        folder: made if it is not there.
        dialects: of which recordings are wanted.
        everything: all recordings of these dialects, those that are malformed on purpose too; else a starter set.
        force: replace files that exist.

    Raises:
        InputError: no such dialect, or a file that is there and would have to be added to cannot be read.
    """
    for dialect in dialects:
        if dialect not in REFERENCES:
            raise InputError(unknown("dialect", dialect, REFERENCES))
    folder = folder.resolve()
    new = _rendered(dialects) | starter_set(folder, dialects, everything=everything)
    setting, setting_file = with_setting(folder, "parity_subject", SUBJECT)
    added = {setting_file: setting, ".gitattributes": with_attributes(folder)}
    added["golden/manifest.json"] = new.pop("golden/manifest.json")
    report = _replaced(folder, new, force) + _added_to(folder, added)
    for one in report:
        if one.what != "kept":
            write_atomically(folder / one.path, (added | new)[one.path])
    return report


def _replaced(folder: Path, texts: Mapping[str, str], force: bool) -> list[Written]:
    report = []
    for path, text in texts.items():
        known = _read(folder / path)
        if known is None:
            report.append(Written(path, "written"))
        elif known == text:
            report.append(Written(path, "kept", "as it would be written"))
        else:
            report.append(Written(path, "replaced" if force else "kept", "" if force else "--force replaces it"))
    return report


def _added_to(folder: Path, texts: Mapping[str, str]) -> list[Written]:
    known = {path: _read(folder / path) for path in texts}
    return [
        Written(path, "written" if known[path] is None else "kept" if known[path] == text else "added to")
        for path, text in texts.items()
    ]


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as text ({error}); nothing was written") from None


def _rendered(dialects: Collection[str]) -> dict[str, str]:
    environment = jinja2.Environment(
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, undefined=jinja2.StrictUndefined, autoescape=False  # noqa: S701 - Python and YAML, made of our own words
    )
    try:
        own = version("streamparity")
    except PackageNotFoundError:
        own = "0"
    values = {
        "dialects": sorted(set(dialects)),
        "example": WITH_EXAMPLE,
        "unfilled": set(dialects) != {WITH_EXAMPLE},
        "subject": SUBJECT,
        "version": own,
    }
    folder = files("harness.init") / "templates"
    return {
        path: environment.from_string((folder / name).read_text(encoding="utf-8")).render(values)
        for path, name in _TEMPLATES.items()
    }
