"""Rows B10 and R4: the core prints nothing, and nothing that is read changes anything that two streams share."""

from __future__ import annotations

import ast
import copy
import importlib
from pathlib import Path
from typing import Any

import pytest

import streamcore
from streamcore import Decoder, FieldStream, JsonStream, PartialJson, SnapshotTracker
from streamcore.callstates import CallEvent, CallStates
from streamcore.processors import Processors

from .streams import STREAMS, per_byte

CORE = Path(streamcore.__file__).parent
FILES = sorted(CORE.rglob("*.py"))
LARGEST_CLASS = 150
"""Lines of the tracker, the registry, the field reader and the table of states."""


def shared() -> dict[tuple[str, str], Any]:
    """Every container that a module, or a class of one, holds."""
    found: dict[tuple[str, str], Any] = {}
    for path in FILES:
        names = path.relative_to(CORE.parent).with_suffix("").parts
        module = importlib.import_module(".".join(names[:-1] if names[-1] == "__init__" else names))
        owners = [module, *(kind for kind in vars(module).values() if isinstance(kind, type) and kind.__module__ == module.__name__)]
        for owner in owners:
            for name, value in list(vars(owner).items()):
                if isinstance(value, dict | list | set | bytearray) and not name.startswith("__"):
                    found[owner.__name__, name] = copy.copy(value)
    return found


def test_reading_leaves_nothing_behind_that_another_would_see() -> None:
    before = shared()
    for dialect, body in STREAMS:
        whole, pieces = Decoder(dialect), Decoder(dialect, policy="strict")
        whole.feed(body)
        whole.close()
        per_byte(pieces, body)
        pieces.close()
    text = '{"a":[1,"x\\ud83d\\ude00",{"b":null}],"a":tru'
    for reader in (JsonStream(), FieldStream("a[*].b"), PartialJson("ai"), PartialJson("openai"), PartialJson("anthropic")):
        for char in text:
            reader.feed(char)
    tracker, states, processors = SnapshotTracker(), CallStates(), Processors()
    for end in range(len(text)):
        tracker.add("a", text[:end])
        states.report("a", CallEvent.ARGUMENTS)
        processors.feed("a", text[end], tool_name="f")
    after = shared()

    assert len(before) > 50, "or nothing was looked at"
    assert after.keys() == before.keys()
    assert [key for key, value in before.items() if after[key] != value] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(CORE).as_posix())
def test_no_prints_and_no_globals(path: Path) -> None:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    assert not [node.lineno for node in nodes if isinstance(node, ast.Global)]
    called = [node.func for node in nodes if isinstance(node, ast.Call)]
    assert not [name.lineno for name in called if isinstance(name, ast.Name) and name.id in ("print", "input", "open")]


@pytest.mark.parametrize("name", ["snapshots", "fieldstream", "processors", "callstates"])
def test_each_is_small(name: str) -> None:
    tree = ast.parse((CORE / f"{name}.py").read_text(encoding="utf-8"))
    sizes = {node.name: (node.end_lineno or 0) - node.lineno for node in tree.body if isinstance(node, ast.ClassDef)}
    assert sizes
    assert max(sizes.values()) < LARGEST_CLASS
