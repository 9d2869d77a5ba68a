"""Shares of the cases, for machines that divide a run among them; ``harness.report.merge`` puts it together again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.exits import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.case import Case


class ShardError(InputError):
    """No such share."""


Shard = tuple[int, int]
"""(k, n): the k-th of n shares, from 1."""


def parse_shard(text: str, option: str = "--shard") -> Shard:
    """``K/N`` as two numbers; ``option`` is what to call it in the complaint.

    Raises:
        ShardError: it is none.
    """
    number, slash, count = text.partition("/")
    digits = all(part.isascii() and part.isdecimal() for part in (number, count))
    if not (slash and digits and 1 <= int(number) <= int(count)):
        raise ShardError(f"{option}={text}: write K/N, such as 1/3, 2/3 and 3/3")
    return int(number), int(count)


def share(cases: Iterable[Case], shard: Shard | None) -> list[Case]:
    """Those of ``cases`` that are the shard's: in order of their ids each goes to the next shard. All, without a shard."""
    if shard is None:
        return list(cases)
    number, count = shard
    return sorted(cases, key=lambda case: case.id)[number - 1 :: count]


def spelt(shard: Shard | None) -> str:
    """As a report names it: ``2/3``; empty for no shard."""
    return "/".join(map(str, shard)) if shard else ""
