"""How old recordings are. Providers change what they send; a recording of last year tests last year's provider."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

from harness.cassette import CassetteError, load
from harness.inspection.text import Line, spelt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

SECONDS_A_DAY = 86400


@dataclass(frozen=True, slots=True)
class Age:
    """One recording and its age in days; negative for one that was made after ``now``."""

    path: str
    provider: str
    provenance: str
    at: str
    days: float

    def is_over(self, max_days: float, *, simulators: bool) -> bool:
        """Whether it breaks the policy. A simulator's recording does not go stale, its scenario is written down: it is
        exempt unless ``simulators``. One from the future has no age that could be known to be within the limit."""
        return (simulators or self.provenance != "simulator") and not 0 <= self.days <= max_days


def ages(paths: Iterable[Path], now: datetime) -> list[Age]:
    """The ages of recordings at ``now`` (with a time zone).

    Raises:
        CassetteError: one cannot be read, or was recorded on a day that no calendar has.
    """
    found = []
    for path in paths:
        recorded = load(path).recorded
        made = moment(recorded.at)
        if made is None:
            raise CassetteError(str(path), "recorded.at", f"{recorded.at} is no date", "record it again")
        days = (now - made).total_seconds() / SECONDS_A_DAY
        found.append(Age(str(path), recorded.provider, recorded.provenance, recorded.at, days))
    return found


def moment(at: str) -> datetime | None:
    """An RFC 3339 time in UTC, whole seconds; None if there was no such second."""
    try:
        return datetime.strptime(at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def table(found: Sequence[Age], max_days: float | None, *, simulators: bool) -> Iterator[Line]:
    """A line a provider and provenance, then one for each recording that is too old, the oldest first."""
    groups = [
        (provider, provenance, list(members))
        for (provider, provenance), members in groupby(sorted(found, key=_group), key=_group)
    ]
    names = [spelt(provider) for provider, _, _ in groups]
    width = max(map(len, ["provider", *names]))
    yield ((f"{'provider':<{width}}  {'provenance':<11}  {'recordings':>10}  {'oldest':>9}  {'newest':>9}", "dim"),)
    for name, (_, provenance, members) in zip(names, groups, strict=True):
        days = [one.days for one in members]
        over = max_days is not None and any(one.is_over(max_days, simulators=simulators) for one in members)
        text = f"{name:<{width}}  {provenance:<11}  {len(members):>10}  {_days(max(days)):>9}  {_days(min(days)):>9}"
        yield ((text, "bold red" if over else ""),)
    if max_days is None:
        return
    old = [one for one in found if one.is_over(max_days, simulators=simulators)]
    for one in sorted(old, key=lambda one: (-one.days, one.path)):
        what = "is from the future" if one.days < 0 else f"is older than {max_days:g} days"
        yield ((f"{spelt(one.path)}: recorded {one.at}: {what} ({_days(one.days)}); record it again", "bold red"),)


def _group(one: Age) -> tuple[str, str]:
    return one.provider, one.provenance


def _days(days: float) -> str:
    return f"{days:.1f} d"
