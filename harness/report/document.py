"""``parity.json``: what a run found out, for programs; the page for people is rendered from the same data.

Header first, footer last. The footer repeats the verdict, the counts and the totals, and carries a digest of everything
before it, so that a document that was cut off, merged by hand or edited cannot pass for a green one. The same run gives
the same bytes: no times, no durations, cases and mutants in order of name. ``schemas/parity.schema.json`` describes it,
and every document is checked against that before it is written and after it is read.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import itertools
import json
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema
import msgspec
from jsonschema.exceptions import best_match

from harness.exits import InputError
from harness.files import write_atomically
from harness.report import strips
from harness.report.lanes import most_telling
from harness.verdict import GREEN, CaseResult, RunResult, Verdict, worst_of
from harness.visible import ascii_only

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jsonschema.protocols import Validator

FORMAT = "streamparity/parity"
VERSION = 1

AGAIN = "run `streamparity check` again"

_COMPARED = frozenset({Verdict.PASS, Verdict.DIVERGENCE, Verdict.CONFLICT})
"""Verdicts that claim a comparison was made."""

_LONGEST_COMPLAINT = 240
"""Characters of a schema error that are worth printing; it quotes the value, which may be a whole document."""


class DocumentError(InputError):
    """A ``parity.json`` that cannot be written or used; one line: file, place in it, what is wrong, what to do."""


def seal(run: RunResult) -> RunResult:
    """``run`` in the order in which it is reported; one that looks green but proves nothing, with problems that say so.

    Of a shard neither is asked: what the whole run shows is known when all shards are merged.

    Raises:
        DocumentError: two results for one case of one subject.
    """
    cases = sorted(run.cases, key=lambda case: (case.case, case.subject))
    for one, other in itertools.pairwise(cases):
        if (one.case, one.subject) == (other.case, other.subject):
            raise DocumentError(f"{ascii_only(one.case)}: two results for one case of {ascii_only(one.subject)}")
    drawn = {id(case) for case in (cases if run.shard else most_telling(cases))}
    stripped = {id(case) for case in (cases if run.shard else strips.most_telling(cases))}
    ordered = dataclasses.replace(
        run,
        cases=tuple(_bounded(case, lanes=id(case) in drawn, strip=id(case) in stripped) for case in cases),
        mutants=tuple(sorted(run.mutants, key=lambda mutant: mutant.name)),
        stale_divergences=tuple(sorted(run.stale_divergences)),
        stale_allowances=tuple(sorted(run.stale_allowances)),
        divergence_reasons=tuple(sorted(run.divergence_reasons)),
    )
    if ordered.verdict is not Verdict.PASS or run.shard:
        return ordered
    return dataclasses.replace(ordered, problems=tuple(_emptiness(ordered)))


def _bounded(case: CaseResult, *, lanes: bool, strip: bool) -> CaseResult:
    """``case`` without what the report does not draw of it."""
    if (lanes or case.lanes is None) and (strip or case.strip is None):
        return case
    return dataclasses.replace(case, lanes=case.lanes if lanes else None, strip=case.strip if strip else None)


def _emptiness(run: RunResult) -> Iterator[str]:
    """Why a run that nothing has failed proves nothing."""
    totals = run.totals
    if not totals["cases"]:
        yield "no case was run"
        return
    if not totals["bytes"]:
        yield "no byte was replayed"
    if not totals["comparisons"]:
        yield "nothing was compared"
    if not totals["splits"]:
        yield f"no body was cut: plan {run.plan} says nothing about chunking; run the plan `standard`"
    for case in run.cases:
        made = sum(plan.comparisons for plan in case.plans) + sum(one.lines for one in case.references)
        worst = worst_of([*(plan.verdict for plan in case.plans), *(one.verdict for one in case.references)])
        if case.verdict in _COMPARED and not made:
            yield f"{case.case} counts as {case.verdict}, but nothing was compared"
        elif case.verdict in GREEN and worst not in GREEN:
            yield f"{case.case} counts as {case.verdict}, but one of its comparisons says {worst}"


def to_document(run: RunResult) -> dict[str, Any]:
    """``run`` as the JSON value that ``parity.json`` holds.

    Raises:
        DocumentError: two results for one case, or a value that the schema does not allow.
    """
    document = _assemble(seal(run))
    _check_schema(document, "parity.json")
    return document


def _assemble(run: RunResult) -> dict[str, Any]:
    # Through text: tuples become the lists that they are in the file, and lone surrogates survive.
    values = json.loads(json.dumps(msgspec.to_builtins(run)))
    document: dict[str, Any] = {
        "header": {
            "format": FORMAT,
            "version": VERSION,
            "subject": run.subject,
            "plan": run.plan,
            "seed": run.seed,
            **({"shard": run.shard} if run.shard else {}),
            "versions": [{"name": name, "version": version} for name, version in run.versions],
        },
        "cases": values["cases"],
        "mutants": values["mutants"],
        "divergences": [{"name": name, "reason": reason} for name, reason in run.divergence_reasons],
        "stale_divergences": values["stale_divergences"],
        "stale_allowances": values["stale_allowances"],
        "problems": values["problems"],
    }
    digest = hashlib.sha256(json.dumps(document, separators=(",", ":"), sort_keys=True).encode()).hexdigest()
    document["footer"] = {
        "verdict": run.verdict.value,
        "counts": run.counts,
        "totals": run.totals,
        "digest": digest,
    }
    return document


def digest_of(run: RunResult) -> str:
    """The digest in the footer of ``run``'s document: two reports with the same one say the same."""
    return str(_assemble(seal(run))["footer"]["digest"])


def from_document(document: Any, name: str = "parity.json") -> RunResult:
    """The run that ``document`` tells of; ``name`` is what to call the document in errors.

    Raises:
        DocumentError: not a whole and consistent document of this version.
    """
    _check_envelope(document, name)
    _check_schema(document, name)
    header = document["header"]
    fields = {
        "subject": header["subject"],
        "plan": header["plan"],
        "seed": header["seed"],
        "shard": header.get("shard", ""),
        "versions": [(one["name"], one["version"]) for one in header["versions"]],
        "divergence_reasons": [(one["name"], one["reason"]) for one in document["divergences"]],
        **{key: document[key] for key in ("cases", "mutants", "stale_divergences", "stale_allowances", "problems")},
    }
    try:
        run = seal(msgspec.convert(fields, RunResult))
    except (msgspec.ValidationError, DocumentError) as error:
        raise DocumentError(f"{name}: {error}; {AGAIN}") from None
    _check_footer(document["footer"], _assemble(run)["footer"], name)
    return run


def dumps(document: dict[str, Any]) -> str:
    """The text of the file: ASCII, LF, indented by one so that two documents can be compared line by line."""
    return json.dumps(document, indent=1) + "\n"


def write(run: RunResult, path: Path) -> None:
    """Writes ``run``'s document to ``path``, all of it or nothing.

    Raises:
        DocumentError: the document is not valid, or ``path`` cannot be written.
    """
    text = dumps(to_document(run))
    try:
        write_atomically(path, text)
    except OSError as error:
        raise DocumentError(f"{path}: cannot be written: {error.strerror or error}") from None


def load(path: Path) -> RunResult:
    """The run that the file at ``path`` tells of.

    Raises:
        DocumentError: the file cannot be read, or is not a whole and consistent document of this version.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        reason = error.strerror or error
        raise DocumentError(f"{path}: cannot be read: {reason}; `streamparity check` makes one") from None
    except UnicodeDecodeError as error:
        raise DocumentError(f"{path}: not UTF-8 at byte {error.start}; {AGAIN}") from None
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        if not text.strip():
            raise DocumentError(f"{path}: empty; {AGAIN}") from None
        # A string that does not end is told by where it begins.
        is_cut = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
        cut = " (cut off?)" if is_cut else ""
        raise DocumentError(f"{path}:{error.lineno}:{error.colno}: not JSON{cut}: {error.msg}; {AGAIN}") from None
    except RecursionError:
        raise DocumentError(f"{path}: nested too deep; {AGAIN}") from None
    return from_document(document, str(path))


def _check_envelope(document: Any, name: str) -> None:
    header = document.get("header") if isinstance(document, dict) else None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise DocumentError(f"{name}: not a parity document (no header with format {FORMAT}); {AGAIN}")
    if header.get("version") != VERSION:
        version = ascii_only(str(header.get("version")))[:40]
        raise DocumentError(f"{name}: format version {version}, this program reads {VERSION}; {AGAIN}")
    if "footer" not in document:
        raise DocumentError(f"{name}: no footer, so the run did not end; {AGAIN}")


def _check_footer(found: dict[str, Any], expected: dict[str, Any], name: str) -> None:
    for key in ("totals", "counts"):
        for what, number in expected[key].items():
            if found[key][what] != number:
                raise DocumentError(
                    f"{name}: footer.{key}.{what} is {found[key][what]}, the document holds {number}; {AGAIN}"
                )
    for key in ("verdict", "digest"):
        if found[key] != expected[key]:
            raise DocumentError(
                f"{name}: footer.{key} is {found[key]}, the document adds up to {expected[key]}; {AGAIN}"
            )


@functools.cache
def _validator() -> Validator:
    schema = json.loads(resources.files("harness").joinpath("schemas/parity.schema.json").read_text("utf-8"))
    return jsonschema.Draft202012Validator(_inlined(schema, schema["$defs"]))


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """``schema`` with what it refers to in place of the references: checked more than twice as fast, and it is no tree
    that refers to itself."""
    if isinstance(schema, list):
        return [_inlined(member, definitions) for member in schema]
    if not isinstance(schema, dict):
        return schema
    own = {key: _inlined(value, definitions) for key, value in schema.items() if key != "$ref"}
    if "$ref" not in schema:
        return own
    return {**_inlined(definitions[schema["$ref"].removeprefix("#/$defs/")], definitions), **own}


def _check_schema(document: Any, name: str) -> None:
    error = best_match(_validator().iter_errors(document))
    if error is None:
        return
    place = error.json_path.removeprefix("$").removeprefix(".") or "the document"
    complaint = ascii_only(error.message)
    if len(complaint) > _LONGEST_COMPLAINT:
        complaint = f"{complaint[:_LONGEST_COMPLAINT]}..."
    raise DocumentError(f"{name}: {ascii_only(place)}: {complaint}; {AGAIN}")
