"""Goldens: the traces of the references, stored.

``golden/<dialect>/<slug>.<reference>.ndjson`` holds one trace; ``golden/manifest.json`` says which SDK versions, which
Node and which sources of the oracle made them, and the digest of every body and golden::

    {"v": 1, "node": "v20.20.2", "sdks": {package: version}, "oracle_sha256": digest of the oracle's sources and lock,
     "bodies": {case id: sha256}, "goldens": {path: sha256}}

Goldens are made, never edited. A run compares with what is stored, so that a spoilt golden shows as the difference that
it is; ``golden check`` makes all of them again and says what moved: the file, the body, the SDKs or the oracle.

For a corpus, goldens are made on the fly into a cache that git ignores. A cached golden is named after the body, the
reference and the oracle that made it, so it is never stale.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.files import write_atomically
from harness.oracle import TIME_LIMIT_S, WORKERS, Answer, Oracle, oracle_folder
from harness.references import references_for
from harness.trace import VERSION as TRACE_VERSION

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from harness.case import Case

MANIFEST_VERSION = 1
PATIENT_S = 180.0
"""For one body and reference that failed once, asked again with nothing beside it."""
_SOURCES = ("*.mjs", "references/*.mjs", "package.json", "package-lock.json")
_CASE_ID = re.compile(r"[^/\\\x00.][^/\\\x00]*/[^/\\\x00.][^/\\\x00]*")


class GoldenError(Exception):
    """Goldens that cannot be used or made; one line that says what to do."""


class GoldenMissing(GoldenError):  # noqa: N818 - names the state, as verdicts do
    """There is no golden for a case that needs one."""


class ReferenceFailed(GoldenMissing):
    """There is none, and making it again would not help: the reference took too long, died, or depends on the cuts."""


@dataclass(frozen=True, slots=True)
class Change:
    """How one stored golden, or the manifest, differs from what the oracle makes now."""

    path: str
    """Relative to the folder of goldens."""
    what: str
    """One of

    ``missing``   nothing is stored
    ``changed``   the reference now gives something else; the bodies are the same
    ``edited``    the file is not the one that was made
    ``body``      the case has another body than when its goldens were made
    ``varies``    the reference's output depends on the chunking, so it can be no golden
    ``failed``    the reference gave nothing: it did not end in time, or its process died
    ``extra``     no case needs the file
    ``versions``  the manifest names other SDK versions than are installed
    ``oracle``    the oracle's sources are not those that made the goldens
    """
    detail: str = ""
    stored: tuple[str, ...] = ()
    remade: tuple[str, ...] = ()


def oracle_digest(folder: Path) -> str:
    """One digest over the oracle's sources and its lock file."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in _SOURCES for path in folder.glob(pattern)}):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _text(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _read(path: Path, case: Case, remedy: str) -> list[str]:
    """The lines of a golden file without the header; it must be whole, and of this case's body."""
    try:
        text = path.read_text(encoding="ascii")
    except UnicodeDecodeError:
        raise GoldenError(f"{path}: not ASCII, so it is no golden; {remedy}") from None
    except FileNotFoundError:
        raise
    except OSError as error:
        raise GoldenError(f"{path}: cannot be read ({error.strerror}); {remedy}") from None
    header, *lines = text.splitlines() or [""]
    try:
        told = json.loads(header)
        body, version = told.get("body"), told.get("v", TRACE_VERSION)
    except (ValueError, AttributeError, RecursionError):
        raise GoldenError(f"{path}:1: no header line; {remedy}") from None
    if version != TRACE_VERSION:
        raise GoldenError(f"{path}:1: of version {json.dumps(version)}, and this program reads {TRACE_VERSION}; {remedy}")
    if body != case.sha256:
        raise GoldenError(f"{path}:1: made of another body ({str(body)[:12]}..., not {case.sha256[:12]}...); {remedy}")
    if not lines or '"end"' not in lines[-1]:
        raise GoldenError(f"{path}:{len(lines) + 1}: no end line, the file is cut; {remedy}")
    return lines


class GoldenStore:
    """The committed goldens below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, case_id: str, reference: str) -> Path:
        """Where the golden of a case lies.

        Raises:
            GoldenError: the id would lead out of the folder.
        """
        return self.root / self._key(case_id, reference)

    def _key(self, case_id: str, reference: str) -> str:
        if not _CASE_ID.fullmatch(case_id):
            raise GoldenError(f"{case_id!r}: not a case id (<dialect>/<name>)")
        return f"{case_id}.{reference}.ndjson"

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The manifest; empty if there is none yet.

        Raises:
            GoldenError: not JSON, or of another version.
        """
        path = self.root / "manifest.json"
        remedy = "restore the file, or remove it and run `streamparity golden make`"
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise GoldenError(f"{path}: cannot be read ({error.strerror}); {remedy}") from None
        except (ValueError, RecursionError) as error:
            raise GoldenError(f"{path}: not JSON ({error}); {remedy}") from None
        if not isinstance(manifest, dict) or manifest.get("v") != MANIFEST_VERSION:
            raise GoldenError(f"{path}: not a manifest of version {MANIFEST_VERSION}; {remedy}")
        for name in ("sdks", "bodies", "goldens"):
            texts = manifest.get(name, {})
            if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
                raise GoldenError(f"{path}: not a manifest: {name} are not names with a text each; {remedy}")
        return manifest

    def sdk_versions(self) -> dict[str, str]:
        """Package -> exact version, of the SDKs that made the goldens."""
        return dict(self.manifest.get("sdks", {}))

    def lines(self, case: Case, reference: str) -> Sequence[str]:
        """The golden's lines, without the header.

        Raises:
            GoldenMissing: there is none.
            GoldenError: it is of another body, or not whole.
        """
        remedy = f"run `streamparity golden make --case {case.id}` (needs Node 20)"
        path = self.path(case.id, reference)
        try:
            return _read(path, case, remedy)
        except FileNotFoundError:
            raise GoldenMissing(f"{path}: no golden; {remedy}") from None

    def make(
        self, cases: Sequence[Case], *, prune: bool = False, accept: Collection[str] | None = None
    ) -> list[Change]:
        """Makes the goldens of ``cases`` and says what changed.

        Goldens of other cases stay as they are; with ``prune`` those that an earlier run made and that none of
        ``cases`` needs are removed. A file that is not in the manifest is never removed. With ``accept`` only changes of
        those kinds are made (and told, beside ``varies`` and ``failed``), and nothing is removed.

        Raises:
            OracleError: the oracle cannot be run; then nothing was written.
        """
        folder = oracle_folder(self.root)
        with Oracle(folder) as oracle:
            changes, remade = self._remake(oracle, cases)
            sdks, node = oracle.sdks, oracle.node_version
        if accept is not None:
            accepted = {change.path for change in changes if change.what in accept}
            remade = {key: lines for key, lines in remade.items() if key in accepted}
            changes = [change for change in changes if change.what in {*accept, "varies", "failed"}]
            cases = [
                case for case in cases if any(self._key(case.id, one.name) in remade for one in references_for(case))
            ]
            if not remade:
                return changes
        made_before = set(self.manifest.get("goldens", {}))
        gone = {change.path for change in changes if change.what == "varies" and accept is None}
        if prune:
            gone |= made_before - set(remade) - {change.path for change in changes}
        for key, lines in remade.items():
            write_atomically(self.root / key, _text(lines))
        for key in gone & made_before:
            (self.root / key).unlink(missing_ok=True)
        goldens = {**self.manifest.get("goldens", {}), **{key: _sha256(_text(lines)) for key, lines in remade.items()}}
        goldens = {key: goldens[key] for key in sorted(goldens) if (self.root / key).exists()}
        bodies = {**self.manifest.get("bodies", {}), **{case.id: case.sha256 for case in cases}}
        with_goldens = [case for case in sorted(bodies) if any(key.startswith(f"{case}.") for key in goldens)]
        manifest = {
            **self.manifest,  # what else it says stays: which recordings these are
            "v": MANIFEST_VERSION,
            "node": node,
            "sdks": sdks,
            "oracle_sha256": oracle_digest(folder),
            "bodies": {case: bodies[case] for case in with_goldens},
            "goldens": goldens,
        }
        write_atomically(self.root / "manifest.json", json.dumps(manifest, indent=1) + "\n")
        self.__dict__.pop("manifest", None)
        return changes

    def check(self, cases: Sequence[Case], *, all_cases: bool) -> list[Change]:
        """Makes the goldens of ``cases`` again and compares; writes nothing. ``all_cases`` also reports extra files.

        Every change carries the stored and the remade lines: this is also what a review shows.

        Raises:
            OracleError: the oracle cannot be run.
        """
        folder = oracle_folder(self.root)
        with Oracle(folder) as oracle:
            changes, remade = self._remake(oracle, cases)
            sdks = oracle.sdks
        moved = [
            f"{name} {self.sdk_versions().get(name, 'none')} -> {sdks.get(name, 'none')}"
            for name in sorted({*sdks, *self.sdk_versions()})
            if self.sdk_versions().get(name) != sdks.get(name)
        ]
        if moved:
            changes.append(Change("manifest.json", "versions", "; ".join(moved)))
        if self.manifest.get("oracle_sha256") != oracle_digest(folder):
            changes.append(Change("manifest.json", "oracle", "made by other sources of the oracle"))
        if all_cases:
            known = set(remade) | {change.path for change in changes}
            stored = sorted(path.relative_to(self.root).as_posix() for path in self.root.glob("*/*.ndjson"))
            changes += [Change(key, "extra", "no case needs it") for key in stored if key not in known]
        return changes

    def _remake(self, oracle: Oracle, cases: Sequence[Case]) -> tuple[list[Change], dict[str, tuple[str, ...]]]:
        """What changed, and the lines of every golden that could be made."""
        wanted = [(case, reference.name) for case in cases for reference in references_for(case)]
        keys = [self._key(case.id, reference) for case, reference in wanted]
        changes: list[Change] = []
        remade: dict[str, tuple[str, ...]] = {}
        answers = oracle.run((case.id, case.body, reference) for case, reference in wanted)
        for (case, _), key, answer in zip(wanted, keys, answers, strict=True):
            if not (answer.varies or answer.failed):
                remade[key] = answer.lines
            change = self._compare(key, case, answer)
            if change is not None:
                changes.append(change)
        return changes, remade

    def _compare(self, key: str, case: Case, answer: Answer) -> Change | None:
        if answer.varies:
            return Change(key, "varies", answer.varies)
        if answer.failed:
            return Change(key, "failed", answer.failed)
        try:
            text = (self.root / key).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return Change(key, "missing", remade=answer.lines)
        stored = tuple(text.splitlines())
        known_body = self.manifest.get("bodies", {}).get(case.id)
        if known_body is not None and known_body != case.sha256:
            return Change(key, "body", "the recording is another one now", stored, answer.lines)
        edited = _sha256(text) != self.manifest.get("goldens", {}).get(key)
        if text == _text(answer.lines):
            return Change(key, "edited", "not in the manifest", stored, answer.lines) if edited else None
        pairs = enumerate(zip_longest(stored, answer.lines), start=1)
        line = next((number for number, (old, new) in pairs if old != new), len(stored))
        return Change(key, "edited" if edited else "changed", f"first at line {line}", stored, answer.lines)


class GoldenCache:
    """Goldens of a corpus, made on the fly. Call :meth:`make` first."""

    def __init__(self, root: Path, goldens: Path = Path("golden")) -> None:
        self.root = root
        self._goldens = goldens
        self._digest = ""
        self._failed: dict[tuple[str, str], str] = {}

    def _path(self, case: Case, reference: str) -> Path:
        return self.root / self._digest[:16] / case.sha256[:2] / f"{case.sha256}.{reference}.ndjson"

    def make(self, cases: Sequence[Case]) -> int:
        """Makes those that are not there yet; returns how many.

        Raises:
            OracleError: the oracle cannot be run, and something is not there yet.
        """
        folder = oracle_folder(self._goldens)
        self._digest = oracle_digest(folder)
        wanted = [
            (case, reference.name)
            for case in cases
            for reference in references_for(case)
            if not self._path(case, reference.name).exists()
        ]
        if not wanted:
            return 0
        failed = self._make(folder, wanted, WORKERS, TIME_LIMIT_S)
        if failed:  # alone, and with patience: beside others on a busy machine a second of work takes a minute
            self._make(folder, failed, 1, PATIENT_S)
        return len(wanted) - len(self._failed)

    def _make(
        self, folder: Path, wanted: Sequence[tuple[Case, str]], workers: int, time_limit_s: float
    ) -> list[tuple[Case, str]]:
        """Asks for all of them; returns those that failed, which are not kept: another time they may end."""
        failed = []
        with Oracle(folder, workers=workers, time_limit_s=time_limit_s) as oracle:
            answers = oracle.run((case.id, case.body, reference) for case, reference in wanted)
            for (case, reference), answer in zip(wanted, answers, strict=True):
                if answer.failed:
                    self._failed[case.sha256, reference] = answer.failed
                    failed.append((case, reference))
                    continue
                self._failed.pop((case.sha256, reference), None)
                text = f"varies: {answer.varies}\n" if answer.varies else _text(answer.lines)
                write_atomically(self._path(case, reference), text)
        return failed

    def lines(self, case: Case, reference: str) -> Sequence[str]:
        """As :meth:`GoldenStore.lines`.

        Raises:
            GoldenMissing: it was not made, or the reference varied or failed.
            GoldenError: the file is spoilt.
        """
        path = self._path(case, reference)
        failed = self._failed.get((case.sha256, reference))
        if failed is not None:
            raise ReferenceFailed(f"{case.id}: the reference {reference} gave none: {failed}")
        try:
            with path.open(encoding="utf-8", errors="replace") as file:
                first = file.readline()
            if first.startswith("varies: "):
                raise ReferenceFailed(f"{case.id}: {reference} cannot be held against it here: {first[8:].strip()}")
            return _read(path, case, f"delete {self.root}")
        except FileNotFoundError:
            raise GoldenMissing(f"{case.id}: no golden of {reference} in {self.root}") from None
