"""The page for people: one self-contained HTML file that needs no network and no script to be read.

Everything recorded is hostile input. Jinja2 escapes whatever the template prints, and before that every string goes
through :func:`harness.visible.visible`, so that no control, no bidirectional override and no lone surrogate
reaches the page as itself. The content security policy names the one style sheet and the one script by their hashes
and allows nothing else, no network least of all.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.files import write_atomically
from harness.report import lanes, matrix, strips, table
from harness.report.causes import UNKNOWN, cause_of, causes
from harness.report.certificates import proof_lines
from harness.report.details import clip, details, provenance, share
from harness.report.differences import DifferenceView, tried, view_of
from harness.report.document import DocumentError, digest_of, seal
from harness.report.sizes import human_size
from harness.report.wire import WireStrip, wire_strip
from harness.verdict import GREEN, CaseResult, Difference, MutantResult, ReferenceResult, RunResult, Verdict
from harness.visible import visible

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence
    from pathlib import Path

    from harness.report.baseline import Comparison

STYLES = ("theme.css", "page.css", "matrix.css", "cards.css", "strip.css", "lanes.css", "media.css")
"""The files of the one style sheet, in the order in which they override each other."""
SCRIPTS = ("core.js", "strip.js", "heat.js", "matrix.js", "lanes.js", "start.js")
"""The files of the one script, in order."""
MAX_CARDS = 100
"""Cases whose differences are spelt out; the rest are listed: a reader fixes the first, and the page opens at once."""
MAX_DIFFERENCES = 5
"""Differences spelt out for one case."""
MAX_FULL = 20
"""Cases with so many; of the others the first difference is spelt out."""
MAX_LISTED = 2000
"""Cases listed after those that are spelt out."""


@dataclass(frozen=True, slots=True)
class Card:
    """One case and its differences."""

    case: CaseResult
    anchor: str
    differences: tuple[tuple[DifferenceView, WireStrip | None], ...]
    more: int
    """Differences that are not shown."""
    cause: str
    cause_is_known: bool
    provenance: list[list[Any]]


@dataclass(frozen=True, slots=True)
class NamedDivergence:
    """A divergence that was used, and by whom."""

    name: str
    reason: str
    users: tuple[tuple[str, str, str], ...]
    """(case, anchor, reference)."""


def render(run: RunResult, comparison: Comparison | None = None) -> str:
    """The page about ``run``; with ``comparison``, what became of an earlier run in it, too.

    Raises:
        DocumentError: two results for one case.
    """
    run = seal(run)
    style, script = _style(), _script()
    groups = matrix.groups(run)
    lines = matrix.lines(groups)
    noted = matrix.by_severity(case for case in run.cases if case.differences or case.verdict not in GREEN)
    red = [case for case in noted if case.verdict not in GREEN]
    named = [case for case in noted if case.verdict in GREEN]
    cards = [_card(case, run, full=at < MAX_FULL) for at, case in enumerate(red[:MAX_CARDS])]
    named_cards = [_card(case, run, full=False) for case in named[: MAX_CARDS - len(cards)]]
    with_cards = {card.anchor for card in (*cards, *named_cards)}
    return (
        _environment()
        .get_template("page.html")
        .render(
            run=run,
            comparison=comparison,
            verdict=run.verdict,
            totals=run.totals,
            counts=matrix.worst_first(case.verdict for case in run.cases),
            headline=_headline(run),
            groups=groups,
            cards=cards,
            opened=next((card.anchor for card in cards if card.differences), ""),
            named_cards=named_cards,
            listed=[(case, matrix.anchor_of(case, run)) for case in red[MAX_CARDS : MAX_CARDS + MAX_LISTED]],
            unlisted=max(0, len(red) - MAX_CARDS - MAX_LISTED),
            unnamed=len(named) - len(named_cards),
            with_cards=with_cards,
            drawings=[lanes.drawing(case, matrix.anchor_of(case, run)) for case in lanes.most_telling(run.cases)],
            arguments=_arguments(run),
            proven=proof_lines(run),
            divergences=_divergences(run),
            conflicts=_conflicts(run),
            mutants=[
                (mutant, _mutant_view(mutant)) for mutant in sorted(run.mutants, key=lambda mutant: mutant.caught)
            ],
            anchors={case.case: matrix.anchor_of(case, run) for case in run.cases},
            digest=digest_of(run),
            lines=lines,
            marks_sent=table.marks_sent(lines),
            choices=_choices(run),
            held=strips.held(run.cases),
            rows_sent=table.rows_sent(groups),
            data=_data(run, groups, with_cards),
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
            policy=(
                f"default-src 'none'; style-src '{_source_hash(style)}'; script-src '{_source_hash(script)}'; "
                "base-uri 'none'; form-action 'none'"
            ),
        )
    )


def write(run: RunResult, path: Path, comparison: Comparison | None = None) -> None:
    """Writes the page about ``run`` to ``path``, all of it or nothing.

    Raises:
        DocumentError: two results for one case, or ``path`` cannot be written.
    """
    text = render(run, comparison)
    try:
        write_atomically(path, text)
    except OSError as error:
        raise DocumentError(f"{path}: cannot be written: {error.strerror or error}") from None


@functools.cache  # to compile the templates takes longer than to fill them in
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("harness", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters["number"] = lambda value: f"{value:,}"
    environment.filters["size"] = human_size
    environment.filters["clip"] = clip
    environment.filters["tried"] = tried
    environment.globals["glyphs"] = matrix.GLYPHS
    environment.globals["Verdict"] = Verdict
    return environment


def _finalize(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _style() -> str:
    return "".join(map(_asset, STYLES)) + lanes.highlight_rules()


def _script() -> str:
    """One script: its files see one another, and nobody else sees them."""
    return f'"use strict";\n(() => {{\n{"".join(map(_asset, SCRIPTS))}}})();\n'


def _asset(name: str) -> str:
    return resources.files("harness.report").joinpath(name).read_text("utf-8")


def _source_hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _data(run: RunResult, groups: Sequence[matrix.Group], with_cards: Container[str]) -> Markup:
    """What the script needs, as JSON that cannot end the element it stands in, nor start another.

    Each case has a line of its own, in the order of the matrix, so that a script need not read all of them to open one.
    """
    rows = [row for group in groups for row in group.rows]
    cases, shared = share([details(row, run) for row in rows])
    shown = {
        **table.table(groups, with_cards),
        "names": strips.names(run.cases),
        "spellings": strips.spellings(),
        "missing": strips.missing_words(run.cases),
        "shared": shared,
        "cases": {},
    }
    lines = ",\n".join(f"{_json(row.anchor)}:{_json(case)}" for row, case in zip(rows, cases, strict=True))
    text = f"{_json(shown).removesuffix('}}')}\n{lines}\n}}}}"
    escaped = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(escaped)  # noqa: S704 - nothing is left in it that HTML would see


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _headline(run: RunResult) -> str:
    """One sentence under the verdict."""
    counts = run.counts
    if run.verdict is Verdict.PASS:
        named = [_count(counts[verdict], f"named {verdict}") for verdict in (Verdict.DIVERGENCE, Verdict.CONFLICT)]
        rest = [words for words in named if words]
        return "Every comparison agrees" + (f", but for {' and '.join(rest)}." if rest else ".")
    missed = sum(not mutant.caught for mutant in run.mutants)
    found = (
        (counts[Verdict.ERROR], "case", "broke"),
        (counts[Verdict.NOT_RUN], "case", "not run"),
        (counts[Verdict.FAIL], "case", "with a difference that nobody has named"),
        (len(run.stale_divergences), "divergence", "out of date"),
        (len(run.stale_allowances), "allowance", "that nobody needs"),
        (missed, "mutant", "not caught"),
    )
    words = [f"{_count(number, noun)} {what}" for number, noun, what in found if number]
    sentence = "; ".join([*words, *(["the run as a whole proves nothing"] if run.problems else [])])
    return f"{sentence[:1].upper()}{sentence[1:]}."


def _count(number: int, noun: str) -> str:
    return "" if not number else f"{number:,} {noun}{'' if number == 1 else 's'}"


def _card(case: CaseResult, run: RunResult, *, full: bool) -> Card:
    spelt = case.differences[: MAX_DIFFERENCES if full else 1]
    return Card(
        case=case,
        anchor=matrix.anchor_of(case, run),
        # One body, one ruler: it is drawn for the first difference that has something to show on it.
        differences=tuple(zip((view_of(one, case, case.subject) for one in spelt), _rulers(case, spelt), strict=True)),
        more=len(case.differences) - len(spelt),
        cause=cause_of(case),
        cause_is_known=cause_of(case) not in ("", UNKNOWN),
        provenance=provenance(case),
    )


def _rulers(case: CaseResult, spelt: Sequence[Difference]) -> list[WireStrip | None]:
    rulers = [wire_strip(case, one) for one in spelt]
    first = next((at for at, ruler in enumerate(rulers) if ruler is not None), 0)
    return [ruler if at == first else None for at, ruler in enumerate(rulers)]


def _arguments(run: RunResult) -> dict[str, int]:
    """Characters of arguments in the whole run, and what became of their accounts."""
    counted = [case for case in run.cases if case.argument_chars]
    return {
        "cases": len(counted),
        "characters": sum(case.argument_chars for case in counted),
        "located": sum(case.located_chars for case in counted),
        "broken": sum(case.lanes is not None and bool(case.lanes.fault) for case in run.cases),
        "undrawn": sum(case.lanes is None for case in counted),
    }


def _choices(run: RunResult) -> list[tuple[str, str, list[tuple[str, int]]]]:
    """What there is to choose from in the filters: the name in the address, the word, the values and how many cases have each."""
    dialects = Counter(case.dialect for case in run.cases)
    subjects = Counter(case.subject for case in run.cases)
    choices = [("p", "Provider", sorted(dialects.items()), 2), ("s", "Subject", sorted(subjects.items()), 2)]
    choices.append(("c", "Cause", causes(run.cases), 1))
    return [(name, word, values) for name, word, values, least in choices if len(values) >= least]


def _mutant_view(mutant: MutantResult) -> DifferenceView | None:
    return view_of(mutant.difference, None, mutant.name) if mutant.difference is not None else None


def _divergences(run: RunResult) -> list[NamedDivergence]:
    reasons = dict(run.divergence_reasons)
    users: dict[str, list[tuple[str, str, str]]] = {name: [] for name in reasons}
    for case, reference in _references(run.cases):
        for name in reference.divergences:
            users.setdefault(name, []).append((case.case, matrix.anchor_of(case, run), reference.reference))
    return [
        NamedDivergence(name, reasons.get(name, "no reason was recorded"), tuple(users[name])) for name in sorted(users)
    ]


def _conflicts(run: RunResult) -> list[tuple[CaseResult, str, ReferenceResult]]:
    return [
        (case, matrix.anchor_of(case, run), reference)
        for case, reference in _references(run.cases)
        if reference.verdict is Verdict.CONFLICT
    ]


def _references(cases: Iterable[CaseResult]) -> Iterable[tuple[CaseResult, ReferenceResult]]:
    return ((case, reference) for case in cases for reference in case.references)
