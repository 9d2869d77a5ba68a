"""What drift found out, for people: a line a party, what moved and where under it, and last who moved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from harness.drift import Answer, GoldenDrift, Inquiry
from harness.inspection.text import Line, spelt
from harness.report.differences import Side, view_of
from harness.visible import ascii_only

if TYPE_CHECKING:
    from harness.drift.provider import ShapeDrift
    from harness.verdict import Difference

AT_MOST = 20
"""Findings told of one party, and complaints, and notes; --json has all of them."""
_NAMES = {"provider": "the provider", "reference": "the reference", "we": "we"}
_BOLD = {
    Answer.MOVED: "bold red",
    Answer.COULD_NOT_CHECK: "bold yellow",
    Answer.NOT_MOVED: "green",
    Answer.NOT_ASKED: "",
}
_ANSWERS = {
    Answer.MOVED: "moved",
    Answer.COULD_NOT_CHECK: "could not check",
    Answer.NOT_MOVED: "did not move",
    Answer.NOT_ASKED: "not checked",
}
_WIDTH = max(map(len, _NAMES.values()))
_KNOWN = 12
"""Of what was known, this much is shown."""


def page(parties: Sequence[Inquiry]) -> Iterator[Line]:
    """All lines."""
    for party in parties:
        yield from _party(party)
    yield from _verdict(parties)


def _party(party: Inquiry) -> Iterator[Line]:
    facts = party.hint if party.answer is Answer.NOT_ASKED else "; ".join(party.facts)
    answer = _ANSWERS[party.answer]
    head = ((f"{_NAMES[party.party]:<{_WIDTH}}  ", "bold"), (answer, _BOLD[party.answer]))
    yield (*head, (f": {spelt(facts)}", "")) if facts else head
    for finding in party.findings[:AT_MOST]:
        yield from _golden(finding) if isinstance(finding, GoldenDrift) else _shape(finding)
    yield from _more(len(party.findings), "finding")
    for one in party.unchecked[:AT_MOST]:
        yield (("  could not check ", "yellow"), (f"{spelt(one.what)}: {spelt(_without(one.reason, one.what))}", ""))
    yield from _more(len(party.unchecked), "reason")
    for note in party.notes[:AT_MOST]:
        yield ((f"  note: {spelt(note)}", "dim"),)
    yield from _more(len(party.notes), "note")


def _without(reason: str, what: str) -> str:
    return reason.removeprefix(f"{what}: ")


def _more(count: int, what: str) -> Iterator[Line]:
    if count > AT_MOST:
        left = count - AT_MOST
        yield ((f"  {left} more {what}{'' if left == 1 else 's'}; --json FILE has all", "dim"),)


def _shape(finding: ShapeDrift) -> Iterator[Line]:
    of = f" of {finding.event}" if finding.event and finding.what != "new-event" else ""
    said = {
        "new-event": f"new event {finding.now}",
        "event-gone": f"event {finding.now} is gone: none of {finding.recordings} whole recordings lacks it",
        "new-member": f"new member {finding.path} ({finding.now}){of}",
        "member-gone": f"member {finding.path} ({' or '.join(finding.known)}){of} is gone: "
        f"it was in every such object of {finding.recordings} recordings",
        "new-type": f"{finding.path}{of} is of type {finding.now}",
        "new-value": f"new value {finding.now} of {finding.path}{of}",
        "new-order": f"new order: {finding.now}",
        "against-grammar": f"against the grammar: {finding.now}",
        "new-field": f"new field or header {finding.now}{of}",
        "media-type": f"media type {finding.now}",
        "new-header": f"new header {finding.now}",
        "header-gone": f"header {finding.now} is gone: {finding.recordings} recordings all have it",
    }[finding.what]
    yield (("  ", ""), (f"{finding.dialect}: ", ""), (spelt(said), "red"))
    place = finding.places[0]
    where = f"    {spelt(place.case)} ({spelt(place.source)})"
    if place.frame is not None:
        where += f", frame {place.frame}, byte {place.byte}"
    others = len(finding.places) - 1
    yield ((where + (f"; and in {others} more recording{'' if others == 1 else 's'}" if others else ""), "dim"),)
    if finding.what not in ("event-gone", "member-gone", "header-gone"):
        some = list(finding.known[:_KNOWN])
        left = len(finding.known) - len(some)
        known = (
            f"known: {', '.join(some)}{f' and {left} more' if left else ''}" if some else "nothing known in its place"
        )
        yield ((f"    never seen in {finding.recordings} recordings; {spelt(known)}", "dim"),)


def _golden(finding: GoldenDrift) -> Iterator[Line]:
    difference = finding.difference
    against = f" {ascii_only(finding.reference)}" if finding.reference else ""
    package = f" ({ascii_only(finding.package)})" if finding.package else ""
    place = f", line {difference.line}, {ascii_only(difference.path)}" if difference and difference.path else ""
    yield (("  ", ""), (f"{ascii_only(finding.case)}{against}{package}{place}", "red"))
    reason = finding.reason or (difference.note if difference else "")
    if reason:
        yield ((f"    {ascii_only(reason)}", ""),)
    if difference is not None:
        yield from _lines(difference)


def _lines(difference: Difference) -> Iterator[Line]:
    """Both lines around the first character that differs, and what that is in each."""
    view = view_of(difference, None, "now")
    for label, side in zip(("golden", "now   "), view.sides, strict=False):
        yield ((f"    {label}  ", "dim"), *_around(side))
    named = [f"{side.character.code_point} {side.character.name}" for side in view.sides if side.character]
    if len(named) == 2:
        yield ((f"    golden {named[0]}; now {named[1]}", "dim"),)


def _around(side: Side) -> Iterator[tuple[str, str]]:
    if not side.present:
        yield "(no such line: the trace ends before it)", ""
        return
    if side.before:
        yield f"({side.before} more)...", "dim"
    for run in side.runs:
        yield run.text, "bold red" if run.marked else ""
    if side.after:
        yield f"...({side.after} more)", "dim"


def _verdict(parties: Sequence[Inquiry]) -> Iterator[Line]:
    moved = [_NAMES[party.party] for party in parties if party.answer is Answer.MOVED]
    unsure = [_NAMES[party.party] for party in parties if party.answer is Answer.COULD_NOT_CHECK]
    if moved:
        text, style = f"moved: {' and '.join(moved)}", "bold red"
    elif not any(party.checked for party in parties):
        text, style = "nothing could be checked: this says nothing about who moved", "bold yellow"
    elif unsure:
        text, style = "nobody is known to have moved", "bold yellow"
    else:
        text, style = "nobody moved", "bold green"
    skipped = [_NAMES[party.party] for party in parties if party.answer is Answer.NOT_ASKED]
    if unsure and any(party.checked for party in parties):
        text += f"; could not check all of {' and '.join(unsure)}"
    if skipped:
        text += f"{' that was checked' * (not moved and not unsure)}; nobody asked about {' and '.join(skipped)}"
    yield ((text, style),)
