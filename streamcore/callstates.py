"""How far a tool call has come: its arguments, then its output, each once.

The table is all there is. What it does not have is an error of whoever reports it, and changes nothing::

                 | arguments     complete     output
    -------------+--------------------------------------
    (unknown)    | in_progress   complete     -
    in_progress  | in_progress   complete     -
    complete     | -             -            has_output
    has_output   | -             -            -
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from streamcore.errors import CallerError


class CallState(StrEnum):
    """Where a call stands."""

    IN_PROGRESS = "in_progress"
    """Its arguments are arriving."""
    COMPLETE = "complete"
    """Its arguments are whole; it may run."""
    HAS_OUTPUT = "has_output"


class CallEvent(StrEnum):
    """What can happen to a call."""

    ARGUMENTS = "arguments"
    COMPLETE = "complete"
    """A call that was never in progress came whole."""
    OUTPUT = "output"


TRANSITIONS: Final[dict[CallState | None, dict[CallEvent, CallState]]] = {
    None: {CallEvent.ARGUMENTS: CallState.IN_PROGRESS, CallEvent.COMPLETE: CallState.COMPLETE},
    CallState.IN_PROGRESS: {CallEvent.ARGUMENTS: CallState.IN_PROGRESS, CallEvent.COMPLETE: CallState.COMPLETE},
    CallState.COMPLETE: {CallEvent.OUTPUT: CallState.HAS_OUTPUT},
    CallState.HAS_OUTPUT: {},
}


class CallStates:
    """The states of calls, by id."""

    def __init__(self) -> None:
        self._states: dict[str, CallState] = {}

    def report(self, call_id: str, event: CallEvent) -> CallState:
        """The state of the call after ``event``.

        Raises:
            CallerError: the event cannot happen now (output before the call is complete, or a second time, or of a call
                that nobody has heard of; arguments after the end). Nothing changed.
        """
        state = self._states.get(call_id)
        following = TRANSITIONS[state].get(event)
        if following is None:
            raise CallerError(f"call {call_id!r} is {state or 'unknown'}: {event} cannot happen now")
        self._states[call_id] = following
        return following

    def state(self, call_id: str) -> CallState | None:
        """None for a call that nobody has heard of."""
        return self._states.get(call_id)

    def clear(self, call_id: str) -> None:
        """Forgets a call."""
        self._states.pop(call_id, None)

    def __len__(self) -> int:
        return len(self._states)
