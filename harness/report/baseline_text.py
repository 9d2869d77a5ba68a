"""Two runs held against each other, for terminals and pipes: plain lines of ASCII, the verdict last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.visible import ascii_only

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.report.baseline import Change, Comparison, Moved

MAX_LISTED = 50
"""Cases named under one heading; the JSON has all of them."""


def lines_of(comparison: Comparison) -> Iterator[str]:
    """Every difference that there is, and what fails in both."""
    red = {change.case for change in comparison.new_failures}
    for fact in comparison.header:
        yield f"{ascii_only(fact.name)}: {_value(fact.old)} -> {_value(fact.new)}"
    for heading, changes in (
        ("new failures", comparison.new_failures),
        ("fixed", comparison.fixed),
        ("still failing", comparison.still_failing),
        ("came", [change for change in comparison.came if change.case not in red]),
        ("went", comparison.went),
        ("changed", comparison.changed),
    ):
        yield from _listed(heading, [_case(change) for change in changes])
    yield from _listed("new in the run as a whole", [ascii_only(label) for label in comparison.new_troubles])
    yield from _listed("gone from the run as a whole", [ascii_only(label) for label in comparison.gone_troubles])
    yield from _listed("numbers", [_number(fact) for fact in comparison.numbers])
    yield last_line(comparison)


def last_line(comparison: Comparison) -> str:
    """What came of the comparison, with how many of each."""
    word = "SAME" if comparison.same else "WORSE" if comparison.worse else "DIFFERS"
    still = len(comparison.still_failing)
    differently = sum(change.differently for change in comparison.still_failing)
    counts = [
        f"{len(comparison.new_failures) + len(comparison.new_troubles)} new",
        f"{len(comparison.fixed) + len(comparison.gone_troubles)} fixed",
        f"{still} still failing" + (f" ({differently} differently)" if differently else ""),
        f"{len(comparison.came)} came",
        f"{len(comparison.went)} went",
    ]
    digests = f"{comparison.old_digest[:12]} -> {comparison.new_digest[:12]}"
    return f"{word} {', '.join(counts)}; {comparison.old_verdict} -> {comparison.new_verdict}; reports {digests}"


def _listed(heading: str, items: Sequence[str]) -> Iterator[str]:
    if not items:
        return
    yield f"{heading}: {len(items)}"
    yield from (f"  {item}" for item in items[:MAX_LISTED])
    if len(items) > MAX_LISTED:
        yield f"  and {len(items) - MAX_LISTED} more; --json has them all"


def _case(change: Change) -> str:
    if change.new is None:
        told = f"was {change.old}"
    elif change.old is None or change.old is change.new:
        told = f"{change.new}"
    else:
        told = f"{change.old} -> {change.new}"
    name = f"{ascii_only(change.case)}: {told}{', differently' if change.differently else ''}"
    return f"{name}; {change.detail}" if change.detail else name


def _number(fact: Moved) -> str:
    old, new = fact.old, fact.new
    if not isinstance(old, int) or not isinstance(new, int):
        return f"{fact.name}: {_value(old)} -> {_value(new)}"
    return f"{fact.name}: {old:,} -> {new:,} ({new - old:+,})"


def _value(value: str | int | None) -> str:
    return "none" if value is None or value == "" else ascii_only(str(value))[:200]
