"""Cases from a folder of raw recordings: ``<dialect>/<slug>.body`` with ``<slug>.json`` beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from harness.case import Case


class CorpusError(Exception):
    """A corpus folder or one of its files cannot be used; one line that says what to do."""


def corpus_cases(root: Path) -> Iterator[Case]:
    """Every body below ``root``, in order of id. Folders whose names begin with ``_`` or ``.`` are left out.

    Raises:
        CorpusError: ``root`` is no corpus, or a body does not have the sha256 its metadata names.
    """
    if not root.is_dir():
        raise CorpusError(
            f"{root}: no such folder; --corpus wants a folder of <dialect>/<slug>.body files, "
            "and `streamparity corpus pull --out DIR` makes one"
        )
    found = False
    for folder in _listed(root):
        if folder.is_dir() and folder.name[0] not in "._":
            for path in _listed(folder):
                if path.name.endswith(".body"):
                    found = True
                    yield load_body(path, folder.name)
    if not found:
        raise CorpusError(f"{root}: no <dialect>/<slug>.body file in it")


def _listed(folder: Path) -> list[Path]:
    """What is in it. A glob would pass over a folder that cannot be read, and its recordings would be missed by nobody."""
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise CorpusError(f"{folder}: cannot be read: {error.strerror}") from None


def load_body(path: Path, dialect: str) -> Case:
    """The case of one ``.body`` file; its ``.json``, if there is one, must agree with it.

    Raises:
        CorpusError: unreadable, or another body than the metadata describes.
    """
    try:
        body = path.read_bytes()
        beside = path.with_suffix(".json")
        metadata = json.loads(beside.read_text(encoding="utf-8")) if beside.exists() else {}
    except OSError as error:
        raise CorpusError(f"{error.filename}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise CorpusError(f"{beside}: not JSON ({error}); it describes {path.name}, so mend or remove it") from None
    if not isinstance(metadata, dict):
        raise CorpusError(f"{beside}: not a JSON object; it describes {path.name}, so mend or remove it")
    expected = metadata.get("sha256")
    if expected is not None and hashlib.sha256(body).hexdigest() != expected:
        raise CorpusError(f"{path}: the body does not have the sha256 that {beside.name} names; fetch it again")
    source = metadata.get("source")
    origin = str(path)
    if isinstance(source, dict) and "repo" in source:
        origin = f"{source['repo']} {source.get('path', '')}".strip()
    elif isinstance(source, dict) and "package" in source:  # as `corpus pull` writes it
        origin = f"{source['package']} {source.get('version', '')} {source.get('path', '')}".strip()
    return Case(id=f"{dialect}/{path.stem}", dialect=dialect, body=body, source=origin, request=metadata.get("request"))
