"""Cassettes: recorded HTTP exchanges that plain vcrpy can play, and that also keep how each stream arrived.

A cassette is vcrpy's YAML, version 1 (vcrpy documentation, "Cassettes"), with additions that vcrpy passes over:
``recorded`` at the top (where it came from), ``stream`` in each interaction (chunk lengths, times, ending, digest), and
``twin: true`` in one that is the answer without a stream to what the interaction before it was asked.
``schemas/cassette.schema.json`` says the same for programs. Cassettes may come from strangers: they are read with the
safe loader, under limits of size, depth and aliases, and are believed only when lengths and digest fit the body.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import yaml
from jsonschema.exceptions import best_match

from harness.cassette.form import document_of
from harness.cassette.model import (
    AGAIN,
    NOT_CASSETTES,
    Cassette,
    CassetteError,
    Headers,
    Interaction,
    Recorded,
    Redaction,
    Stream,
)
from harness.cassette.yaml_text import Dumper, quoted, readable
from harness.files import write_atomically
from harness.yaml_lines import MAX_FILE_BYTES, YamlError, YamlLimitError, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

    from harness.case import Case

__all__ = [
    "AGAIN",
    "NOT_CASSETTES",
    "Cassette",
    "CassetteError",
    "Headers",
    "Interaction",
    "Recorded",
    "Redaction",
    "Stream",
    "dumps",
    "iter_cases",
    "load",
    "loads",
    "parse_yaml",
    "read_file",
    "save",
    "schema_errors",
]


def load(path: Path) -> Cassette:
    """Read and check one cassette file.

    Raises:
        CassetteError: it cannot be read, is too large, is not YAML, breaks the schema, or contradicts itself.
    """
    return loads(read_file(path), source=str(path))


def read_file(path: Path) -> bytes:
    """The bytes of a file that should be a cassette (CassetteError: it cannot be read, or is too large)."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)  # a pipe or a device does not say how much there is
    except OSError as error:
        raise CassetteError(str(path), "", f"cannot be read ({error.strerror})", "check the path") from error
    if len(data) > MAX_FILE_BYTES:
        raise CassetteError(str(path), "", f"is larger than {MAX_FILE_BYTES} bytes", "record a shorter stream")
    return data


def loads(data: bytes, source: str = "<cassette>") -> Cassette:
    """Parse and check a cassette; ``source`` names it in errors (CassetteError, as in :func:`load`)."""
    document = parse_yaml(data, source)
    error = best_match(schema_errors(document))
    if error is not None:
        where = re.sub(r"^\$\.?", "", error.json_path) or "top level"
        what = error.message if len(error.message) <= 160 else error.message[:120] + "... (shortened)"
        raise CassetteError(source, where, f"not a streamparity cassette: {what}", "make it with `streamparity record`")
    interactions = tuple(
        _interaction(item, source, f"interactions[{index}]") for index, item in enumerate(document["interactions"])
    )
    for index, one in enumerate(interactions):
        if one.twin and (not index or not interactions[index - 1].is_stream):
            what = "the twin of a stream stands directly after it, and there is none"
            raise CassetteError(source, f"interactions[{index}].twin", what, AGAIN)
    return Cassette(_recorded(document["recorded"]), interactions)


def iter_cases(root: Path) -> Iterator[Case]:
    """The cases of every ``<root>/<dialect>/<scenario>.yaml`` in the order of paths; CassetteError as in load."""
    for folder in _listed(root):
        if folder.is_dir() and folder.name != NOT_CASSETTES:
            for path in _listed(folder):
                if path.name.endswith(".yaml"):
                    yield from load(path).cases(str(path))


def _listed(folder: Path) -> list[Path]:
    """What is in it. A glob would pass over a folder that cannot be read, and its recordings would be missed by nobody."""
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise CassetteError(str(folder), "", f"cannot be read ({error.strerror})", "check the folder") from error


def dumps(cassette: Cassette) -> str:
    """The YAML text: readable (one wire line a line where YAML can say it exactly), and exact in any case.

    Raises:
        CassetteError: what was put in is not a cassette by its own schema (a bug of the caller).
    """
    for forms in (readable, quoted, bytes):
        text = yaml.dump(
            document_of(cassette, forms), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=118, indent=2
        )
        if loads(text.encode()) == cassette:
            return text
    raise CassetteError("<cassette>", "", "does not survive being written", "report this")


def save(cassette: Cassette, path: Path, *, overwrite: bool = False) -> None:
    """Write the cassette to ``path``, whole or not at all.

    Raises:
        CassetteError: the file exists and ``overwrite`` is false, or it would be too large, or it cannot be written.
    """
    text = dumps(cassette)
    if path.exists() and not overwrite:
        raise CassetteError(str(path), "", "exists already", "pass --force to replace it")
    if len(text.encode()) > MAX_FILE_BYTES:
        raise CassetteError(str(path), "", f"would be larger than {MAX_FILE_BYTES} bytes", "record a shorter stream")
    try:
        write_atomically(path, text)
    except OSError as error:
        raise CassetteError(str(path), "", f"cannot be written ({error.strerror})", "check the folder") from error


def parse_yaml(data: bytes, source: str) -> Any:
    """The document in a YAML file of a stranger's, under the limits of :mod:`harness.yaml_lines` (CassetteError)."""
    try:
        value = parse(data).value
    except YamlError as error:
        places = {"line": error.line, "column": error.column, "byte": error.byte}
        where = ", ".join(f"{name} {number}" for name, number in places.items() if number is not None)
        what = f"not a streamparity cassette: {error.what}" if isinstance(error, YamlLimitError) else error.what
        raise CassetteError(source, where, what, "make it with `streamparity record`") from error
    if value is None:
        what = "not a streamparity cassette: there is nothing in it"
        raise CassetteError(source, "top level", what, "make it with `streamparity record`")
    return value


def schema_errors(document: Any) -> Iterator[ValidationError]:
    """All that the schema has against a document that :func:`parse_yaml` returned."""
    return _validator().iter_errors(document)


@functools.cache
def _validator() -> Validator:
    schema = json.loads(resources.files("harness").joinpath("schemas/cassette.schema.json").read_text("utf-8"))
    base = jsonschema.Draft202012Validator
    types = base.TYPE_CHECKER.redefine("string", lambda _, value: isinstance(value, str | bytes))
    validator: Validator = jsonschema.validators.extend(base, type_checker=types)(schema)  # type: ignore[no-untyped-call]
    return validator


def _recorded(data: Mapping[str, Any]) -> Recorded:
    redactions = tuple(Redaction(item["where"], item["what"], item["count"]) for item in data["redactions"])
    return Recorded(**{**data, "redactions": redactions})


def _interaction(data: Mapping[str, Any], source: str, where: str) -> Interaction:
    request, response, stream = data["request"], data["response"], data["stream"]
    body = _bytes(response["body"]["string"])
    chunks, at_ms = (stream[name] or () for name in ("chunks", "at_ms"))
    total = sum(chunks)
    if total != len(body) and stream["chunks"] is not None:
        what = f"the chunks add up to {total} bytes, the body has {len(body)}"
        raise CassetteError(source, f"{where}.stream.chunks", what, AGAIN)
    if len(at_ms) != len(chunks):
        what = f"{len(at_ms)} times for {len(chunks)} chunks"
        raise CassetteError(source, f"{where}.stream.at_ms", what, AGAIN)
    digest = hashlib.sha256(body).hexdigest()
    if digest != stream["sha256"]:
        what = f"wrong hash: the body's sha256 is {digest[:12]}..., the cassette says {stream['sha256'][:12]}..."
        raise CassetteError(source, f"{where}.stream.sha256", what, AGAIN)
    return Interaction(
        method=request["method"],
        uri=request["uri"],
        request_headers=_pairs(request["headers"]),
        request_body=None if request["body"] is None else _bytes(request["body"]),
        status=response["status"]["code"],
        reason=response["status"]["message"] or "",
        response_headers=_pairs(response["headers"]),
        body=body,
        stream=Stream(tuple(chunks), tuple(at_ms), stream["end"]),
        twin=data.get("twin", False),
    )


def _bytes(value: str | bytes) -> bytes:
    # YAML can spell a lone surrogate ("\ud800"), which UTF-8 cannot: it becomes bytes that no honest recording holds.
    return value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")


def _pairs(headers: Mapping[str, list[str]]) -> Headers:
    return tuple((name, value) for name, values in headers.items() for value in values)
