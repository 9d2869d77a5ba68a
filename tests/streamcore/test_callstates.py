"""How far a call has come: every pair of state and event."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcore.callstates import TRANSITIONS, CallEvent, CallState, CallStates
from streamcore.errors import CallerError

WAYS: dict[CallState | None, list[CallEvent]] = {
    None: [],
    CallState.IN_PROGRESS: [CallEvent.ARGUMENTS],
    CallState.COMPLETE: [CallEvent.ARGUMENTS, CallEvent.COMPLETE],
    CallState.HAS_OUTPUT: [CallEvent.COMPLETE, CallEvent.OUTPUT],
}


def test_the_table_is_closed() -> None:
    assert set(TRANSITIONS) == {None, *CallState}
    assert {state for row in TRANSITIONS.values() for state in row.values()} == set(CallState)


@pytest.mark.parametrize("event", CallEvent)
@pytest.mark.parametrize("state", WAYS)
def test_every_pair(state: CallState | None, event: CallEvent) -> None:
    states = CallStates()
    for step in WAYS[state]:
        states.report("x", step)
    assert states.state("x") == state
    following = TRANSITIONS[state].get(event)
    if following is None:
        with pytest.raises(CallerError, match=f"'x' is {state or 'unknown'}: {event} cannot happen"):
            states.report("x", event)
        assert states.state("x") == state
    else:
        assert states.report("x", event) == states.state("x") == following


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(CallEvent)), max_size=12))
def test_calls_are_independent(reports: list[tuple[str, CallEvent]]) -> None:
    together, alone = CallStates(), {"a": CallStates(), "b": CallStates()}
    for call_id, event in reports:
        outcomes: list[object] = []
        for states in (together, alone[call_id]):
            try:
                outcomes.append(states.report(call_id, event))
            except CallerError as error:
                outcomes.append(str(error))
        assert outcomes[0] == outcomes[1]
    assert {name: together.state(name) for name in "ab"} == {name: states.state(name) for name, states in alone.items()}


def test_clear_forgets_a_call() -> None:
    states = CallStates()
    states.report("x", CallEvent.COMPLETE)
    states.clear("x")
    states.clear("never there")
    assert (states.state("x"), len(states)) == (None, 0)
    assert states.report("x", CallEvent.ARGUMENTS) == CallState.IN_PROGRESS
