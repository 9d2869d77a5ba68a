"""For each dialect transcripts short enough that all their chunkings can be proven.

Together they have every feature of its grammar that any of its recordings has (:mod:`harness.transcripts.covering`). A dialect
without recordings borrows some of one that is decoded by the same code (its class derives from the other's, or both from
a third's) over the same framing. What could not be had is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import as_completed
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

from harness.case import Case
from harness.pool import processes
from harness.transcripts.covering import MARK, Cover, cover
from streamcore import DIALECTS
from streamcore.dialects.base import Dialect

__all__ = ("BORROWED", "LONGEST", "Cover", "Telling", "covers", "dialects_named")

LONGEST = 32 * 1024
"""Bytes of the longest recording that is shrunk."""
BORROWED = 2
"""Transcripts of a dialect that has no recordings of its own: the code that they run is proven with its owner's."""

Telling = Callable[[int], AbstractContextManager[Callable[[str], None]]]
"""Given the number of dialects to come, a context in which each of them is told when its transcripts are made."""


def _silent(_: int) -> AbstractContextManager[Callable[[str], None]]:
    return nullcontext(lambda _: None)


def covers(
    cases: Sequence[Case],
    *,
    dialects: Iterable[str] | None = None,
    borrow: bool = True,
    jobs: int = 1,
    cache: Path | None = None,
    telling: Telling = _silent,
) -> list[Cover]:
    """What is made of the recordings of every dialect, in the order of :data:`streamcore.DIALECTS`.

    Args:
        cases: the recordings at hand.
        dialects: those that are wanted, if not all.
        borrow: whether dialects without any get those of others.
        jobs: processes.
        cache: a folder for results, which are checked when they are used again.
        telling: who is told how far it is.
    """
    own: dict[str, list[Case]] = {}
    for case in cases:
        if case.dialect in DIALECTS and 0 < len(case.body) <= LONGEST:
            own.setdefault(case.dialect, []).append(case)
    names = [name for name in DIALECTS if dialects is None or name in set(dialects)]
    work = {name: own.get(name) or (_borrowed(name, own) if borrow else []) for name in names}
    work = {name: found for name, found in work.items() if found}
    made: dict[str, Cover] = {}
    with telling(len(work)) as tell:
        for name, one in _run(work, own, jobs, cache):
            made[name] = one
            tell(name)
    return [made[name] for name in work]


def _run(
    work: dict[str, list[Case]], own: dict[str, list[Case]], jobs: int, cache: Path | None
) -> Iterator[tuple[str, Cover]]:
    most = {name: None if name in own else BORROWED for name in work}
    if jobs <= 1:
        yield from ((name, cover(name, found, most=most[name], cache=cache)) for name, found in work.items())
        return
    with processes(jobs, len(work)) as pool:
        # Those with most to do first, so that no process is left with one of them at the end.
        order = sorted(work, key=lambda name: -sum(len(case.body) for case in work[name]))
        futures = {pool.submit(cover, name, work[name], most=most[name], cache=cache): name for name in order}
        for future in as_completed(futures):
            yield futures[future], future.result()


def dialects_named(globs: Iterable[str]) -> set[str]:
    """Those of which a transcript is called by its id, as commands do that reproduce what was found in one."""
    words = (glob.partition("/") for glob in globs)
    return {dialect for dialect, _, slug in words if slug.startswith(MARK) and dialect in DIALECTS}


def _borrowed(dialect: str, own: dict[str, list[Case]]) -> list[Case]:
    kind = DIALECTS[dialect]
    for base in kind.__mro__:
        if base not in DIALECTS.values() and base is not Dialect:
            continue
        if base is Dialect:
            break
        for name, cases in own.items():
            if DIALECTS[name].framer is kind.framer and issubclass(DIALECTS[name], base):
                return [_as(dialect, case) for case in cases]
    return []


def _as(dialect: str, case: Case) -> Case:
    if case.dialect == dialect:
        return case
    return replace(case, id=f"{dialect}/{case.dialect}-{case.slug}", dialect=dialect, shrunk_from=case.id)
