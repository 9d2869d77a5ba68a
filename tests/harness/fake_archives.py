"""Source archives that were never published, in a package index that is a folder, for the tests of ``corpus pull``."""

from __future__ import annotations

import functools
import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from harness.cassette import load
from harness.corpus_pull.archives import Archive, table

CASSETTES = Path(__file__).parents[2] / "cassettes"
SSE = {"Content-Type": ["text/event-stream; charset=utf-8"], "Transfer-Encoding": ["chunked"]}


@functools.cache
def body(case: str) -> bytes:
    """The decoded body of a committed cassette."""
    return load(CASSETTES / f"{case}.yaml").cases("")[0].body


def exchange(uri: str, content: bytes | str, headers: dict[str, Any] = SSE, status: int = 200) -> dict[str, Any]:
    """One interaction, as vcrpy writes it."""
    return {
        "request": {"body": '{"stream": true}', "headers": {}, "method": "POST", "uri": uri},
        "response": {"body": {"string": content}, "headers": headers, "status": {"code": status, "message": "x"}},
    }


def vcrpy(*interactions: dict[str, Any]) -> bytes:
    """A cassette of vcrpy's."""
    return yaml.safe_dump({"interactions": list(interactions), "version": 1}).encode()


def langchain(*interactions: dict[str, Any]) -> bytes:
    """The same as langchain's tests keep it: apart, everything masked, gzipped."""
    masked = {"**REDACTED**": None}
    requests = [{**item["request"], "uri": "**REDACTED**", "headers": masked} for item in interactions]
    responses = [{**item["response"], "headers": {"Content-Type": "**REDACTED**"}} for item in interactions]
    return gzip.compress(yaml.safe_dump({"requests": requests, "responses": responses}).encode(), mtime=0)


@dataclass
class FakeIndex:
    """A folder that is an index (PEP 503) of source archives; ``rows`` is the table that pins them."""

    root: Path
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return (self.root / "simple").as_uri()

    @property
    def archives(self) -> tuple[Archive, ...]:
        return table(json.dumps(self.rows).encode(), "table")

    def add(
        self,
        project: str,
        files: dict[str, bytes],
        version: str = "1.10",
        *,
        links: dict[str, str] | None = None,
        kind: str = "vcrpy",
    ) -> Path:
        """Publish and pin an archive of ``files`` and links; returns where it lies."""
        file = f"{project.replace('-', '_')}-{version}.tar.gz"
        path = self.root / "files" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(path, "w:gz") as tar:
            for name, data in {"LICENSE": b"do as you like", **files}.items():
                info = tarfile.TarInfo(f"{project}-{version}/{name}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
            for name, target in (links or {}).items():
                info = tarfile.TarInfo(f"{project}-{version}/{name}")
                info.type, info.linkname = tarfile.SYMTYPE, target
                tar.addfile(info)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        page = self.root / "simple" / project / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        old = page.read_text() if page.exists() else "<!DOCTYPE html>"
        page.write_text(f'{old}<a href="../../files/{file}#sha256={digest}">{file}</a>')
        recordings = [{"glob": "tests/**/*.yaml*", "kind": kind}, {"glob": "tests/*.json", "kind": "vcrpy"}]
        self.rows = [row for row in self.rows if row["project"] != project]
        row = {"project": project, "version": version, "file": file, "sha256": digest, "licence": "MIT"}
        self.rows.append({**row, "licence_file": "LICENSE", "recordings": recordings})
        return path
