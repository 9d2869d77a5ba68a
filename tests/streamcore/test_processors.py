"""Processors: which one gets a call, and what it is given."""

from __future__ import annotations

from typing import Any

import pytest

from streamcore.errors import CallerError
from streamcore.processors import ArgumentsSoFar, Processors, derived_id

BY = ("call_id", "tool_name", "kind")


class Named:
    """Says its name, what is there, and what it said before."""

    def __init__(self, name: str, *, willing: bool = True) -> None:
        self.name = name
        self.willing = willing

    def can_process(self, call: ArgumentsSoFar) -> bool:
        return self.willing and call.arguments.started

    def process(self, call: ArgumentsSoFar) -> Any:
        return (self.name, dict(call.arguments.value), call.arguments.complete, call.output and call.output[1])


def registry(**willing: bool) -> Processors:
    processors = Processors()
    for by, is_willing in willing.items():
        name = {"call_id": "call-1", "tool_name": "write", "kind": "file"}[by]
        processors.register(by, name, Named(by, willing=is_willing))
    return processors


@pytest.mark.parametrize(
    ("willing", "chosen"),
    [
        ({"call_id": True, "tool_name": True, "kind": True}, "call_id"),
        ({"call_id": False, "tool_name": True, "kind": True}, "tool_name"),
        ({"call_id": False, "tool_name": False, "kind": True}, "kind"),
        ({"call_id": False, "tool_name": False, "kind": False}, None),
        ({"tool_name": True, "kind": True}, "tool_name"),
        ({"kind": True}, "kind"),
        ({}, None),
    ],
)
def test_the_most_special_one_that_is_willing_gets_the_call(willing: dict[str, bool], chosen: str | None) -> None:
    processors = registry(**willing)
    output = processors.feed("call-1", '{"a":', tool_name="write", kind="file")
    assert (output and output[0]) == chosen
    assert processors.output("call-1") == output


def test_others_do_not_get_it() -> None:
    processors = registry(call_id=True, tool_name=True, kind=True)
    assert processors.feed("call-2", "{}", tool_name="read", kind="plan") is None
    assert processors.feed("call-3", "{}") is None
    assert processors.output("call-2") is None
    assert processors.output("never there") is None


def test_the_output_before_is_given_back_and_calls_do_not_mix() -> None:
    text = {"x": '{"path":"a.py","n":1}', "y": '{"path":"b.py"}'}
    for size in (1, 3, 100):
        processors = registry(kind=True)
        outputs: dict[str, list[Any]] = {"x": [], "y": []}
        for at in range(0, max(map(len, text.values())), size):
            for call_id in text:
                piece = text[call_id][at : at + size]
                outputs[call_id].append(processors.feed(call_id, piece, kind="file"))
        for call_id, value in (("x", {"path": "a.py", "n": 1}), ("y", {"path": "b.py"})):
            assert outputs[call_id][-1][:3] == ("kind", value, True)
            befores = [None, *(output[1] for output in outputs[call_id])]
            assert [output[3] for output in outputs[call_id]] == befores[:-1]


def test_a_processor_may_want_a_call_only_later() -> None:
    processors = registry(tool_name=True, kind=True)
    assert processors.feed("x", " ", tool_name="write", kind="file") is None
    assert processors.feed("x", "{")[0] == "tool_name"  # names count when the call is first heard of


def test_clear_forgets_a_call_and_what_was_for_it_alone() -> None:
    processors = registry(call_id=True, kind=True)
    assert processors.feed("call-1", '{"a":1}', kind="file")[:2] == ("call_id", {"a": 1})
    processors.clear("call-1")
    processors.clear("never there")
    assert (len(processors), processors.output("call-1")) == (0, None)
    assert processors.feed("call-1", "{}", kind="file") == ("kind", {}, True, None)
    assert len(processors) == 1


def test_an_unknown_kind_of_registration_is_a_callers_error() -> None:
    with pytest.raises(CallerError, match=f"none of {', '.join(BY)}"):
        Processors().register("colour", "red", Named("x"))


@pytest.mark.parametrize(
    ("call_id", "name", "kind", "made"),
    [("call-1", "a.yml", "metric", "8cba46ef-86bf-c73f-f220-4bdeeb471377"), ("call-1", "a.yml", "dashboard", "072d73b6-18c1-e062-23a6-387b418dc046"), ("", "", "", "71546855-d627-9ef7-0d20-909b292c42c2"), ("é", "\U0001f600", "\ud83d", "4a976b66-f4a8-f704-9c20-cd315577ecb3")],
)
def test_derived_ids_are_the_same_every_time(call_id: str, name: str, kind: str, made: str) -> None:
    assert derived_id(call_id, name, kind) == made
