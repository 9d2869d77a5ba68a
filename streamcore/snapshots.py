"""Cumulative snapshots to deltas, per id.

Some sources do not say what is new: each update repeats everything so far. :class:`SnapshotTracker` turns such updates
into deltas. An update that begins with the last one says what follows it, and only that is certain. What else can come,
and what becomes of it, is chosen by ``on_divergence``:

===================  =============================  ==============================  ==========================
the update           ``error``                      ``replace``                     ``hold``
===================  =============================  ==============================  ==========================
begins with the      what follows                   what follows                    what follows
last one
holds the last one   :class:`SnapshotDivergence`    what follows the last place     what follows the last place
further on                                          where it occurs                 where it occurs
does not hold it     :class:`SnapshotDivergence`    the whole update                nothing, and the last one
                                                                                    stays the last
===================  =============================  ==============================  ==========================

An empty update says nothing, whatever came before. Ids are independent of each other; trackers share nothing.
"""

from __future__ import annotations

from typing import Literal, get_args

from streamcore.errors import CallerError, StreamcoreError

OnDivergence = Literal["error", "replace", "hold"]


class SnapshotDivergence(StreamcoreError):  # noqa: N818 - names what happened
    """An update does not continue the last one. ``offset`` is the first character in which they differ."""

    def __init__(self, snapshot_id: str, offset: int) -> None:
        super().__init__(f"the update of {snapshot_id!r} differs from the one before it at character {offset}")
        self.snapshot_id = snapshot_id
        self.offset = offset


class _Tracked:
    """One id: its last update, and all its deltas joined."""

    __slots__ = ("complete", "last")

    def __init__(self, first: str) -> None:
        self.last = first
        self.complete = first


class SnapshotTracker:
    """Deltas out of growing snapshots.

    Raises:
        CallerError: unknown ``on_divergence``.
    """

    def __init__(self, on_divergence: OnDivergence = "error") -> None:
        if on_divergence not in get_args(OnDivergence):
            raise CallerError(f"on_divergence: {on_divergence!r} is none of {', '.join(get_args(OnDivergence))}")
        self._on_divergence = on_divergence
        self._tracked: dict[str, _Tracked] = {}

    def add(self, snapshot_id: str, snapshot: str) -> str:
        """What ``snapshot`` adds to the last one of the same id; empty if nothing.

        Raises:
            SnapshotDivergence: it does not continue the last one, and that is an error here. Nothing changed.
        """
        if not snapshot:
            return ""
        tracked = self._tracked.get(snapshot_id)
        if tracked is None:
            self._tracked[snapshot_id] = _Tracked(snapshot)
            return snapshot
        delta = self._delta(snapshot_id, tracked.last, snapshot)
        if delta is None:
            return ""
        tracked.last = snapshot
        if delta:
            # While nobody else refers to it the interpreter appends to a string in place; otherwise it copies.
            complete = tracked.complete
            tracked.complete = ""
            complete += delta
            tracked.complete = complete
        return delta

    def complete_text(self, snapshot_id: str) -> str | None:
        """All deltas of an id, joined; None if it is unknown."""
        tracked = self._tracked.get(snapshot_id)
        return None if tracked is None else tracked.complete

    def differs_from(self, snapshot_id: str, final: str) -> int | None:
        """The first character in which ``final``, told at the end, differs from the deltas joined; None if it does not.

        Which of the two is right nobody can know from here: a difference is a defect of the source.
        """
        complete = self.complete_text(snapshot_id) or ""
        return None if complete == final else _first_difference(complete, final)

    def clear(self, snapshot_id: str) -> None:
        """Forgets an id: its next snapshot is a first one."""
        self._tracked.pop(snapshot_id, None)

    def __len__(self) -> int:
        return len(self._tracked)

    def _delta(self, snapshot_id: str, last: str, snapshot: str) -> str | None:
        if snapshot.startswith(last):
            return snapshot[len(last) :]
        if self._on_divergence == "error":
            raise SnapshotDivergence(snapshot_id, _first_difference(last, snapshot))
        _, found, rest = snapshot.rpartition(last)
        if found:
            return rest
        return snapshot if self._on_divergence == "replace" else None


def _first_difference(one: str, other: str) -> int:
    """Of two texts that are not the same; the length of the shorter if the longer begins with it."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))
