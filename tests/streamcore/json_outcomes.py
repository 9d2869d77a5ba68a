"""What came of a JSON text: events however they were cut, the value, and what the events alone tell of."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from streamcore.jsonstream import JsonEvent, JsonStream


def fed(pieces: list[str], **options: Any) -> tuple[JsonStream, list[JsonEvent]]:
    stream = JsonStream(**options)
    events = [event for piece in pieces for event in stream.feed(piece)]
    return stream, joined(events + stream.close())


def joined(events: list[JsonEvent]) -> list[JsonEvent]:
    """Deltas of one string that follow each other, as one: how they are cut is no property of the text."""
    result: list[JsonEvent] = []
    for event in events:
        if event.kind == "delta" and result and result[-1].kind == "delta" and result[-1].path == event.path:
            result[-1] = event._replace(value=result[-1].value + event.value)
        else:
            result.append(event)
    return result


def shown(stream: JsonStream) -> Any:
    """As text, because NaN, -0.0 and True compare in their own ways."""
    return repr(stream.value), stream.failure, stream.complete, stream.duplicates


def built(events: list[JsonEvent]) -> Any:
    """The value that the events alone tell of."""
    root: dict[str, Any] = {}

    def put(path: Any, value: Any) -> None:
        target: Any = root
        for step, following in pairwise(("", *path)):
            target = target[step]
            if isinstance(target, list) and following == len(target):
                target.append(None)
        target[("", *path)[-1]] = value

    def get(path: Any) -> Any:
        target: Any = root[""]
        for step in path:
            target = target[step]
        return target

    for kind, path, value in events:
        if kind == "open":
            put(path, {"object": dict, "array": list, "string": str}[value]())
        elif kind == "delta":
            assert value
            put(path, get(path) + value)
        elif kind == "value":
            put(path, value)
    return root.get("")
