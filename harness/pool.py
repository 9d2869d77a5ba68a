"""Processes that work for us, and that an interruption ends at once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any


@contextmanager
def processes(jobs: int, work: int, begin: Callable[..., None] | None = None, *given: Any) -> Iterator[ProcessPoolExecutor]:
    """At most ``jobs`` processes, and no more than there are pieces of ``work``.

    If anything is raised, Ctrl-C among it, what waits is not begun. A terminal sends Ctrl-C to all of them: a process that
    took it for a failure of its piece of work would go on with the next one.

    Args:
        jobs: how many the user allows, at least 1.
        work: how many pieces there are.
        begin: called once in each process, with ``given``.
    """
    with ProcessPoolExecutor(max(1, min(jobs, work)), initializer=_begin, initargs=(begin, given)) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _begin(begin: Callable[..., None] | None, given: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if begin is not None:
        begin(*given)
