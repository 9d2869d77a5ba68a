"""Scenarios: what to ask, and for the simulator what is answered and how it travels. They are data, one file a dialect.

``scenarios-<dialect>.yaml`` holds ``request`` (what every request of the file starts from; it names the ``model``) and
``scenarios``, a mapping from name to: ``about``; ``prompt`` (one user message, put into the API's own form) or
``request`` (fields over the file's, null removes one); ``source`` (``simulator``, the default, or ``local-model``); and
for the simulator ``reply`` (see the encoder of the dialect), ``delivery`` (see :func:`harness.record.wire.deliver`),
``end``, ``unsent`` and ``pause_ms``. ``hazard`` is the id of the wire hazard that it shows. Where a dialect has many of
those, they stand in a second file of the same form, ``hazards-<dialect>.yaml``. What no encoder would say is written down
in place of a reply: ``wire``, a list of the events as they are (see :func:`harness.record.wire.as_written`; an empty list
is an empty body). ``content_type`` is sent instead of the one that the dialect's streams have. With ``twin: true`` the same
is asked without a stream too (:mod:`harness.record.twin`).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from harness.case import STREAM_ENDS, StreamEnd
from harness.exits import USAGE
from harness.record.providers import PROVIDERS
from harness.record.wire import RecordError, ScenarioError, as_written, deliver, only
from harness.yaml_lines import shipped

if TYPE_CHECKING:
    from collections.abc import Mapping

DIALECTS = tuple(PROVIDERS)
SOURCES = ("simulator", "local-model")


@dataclass(frozen=True)
class Scenario:
    """One thing to record."""

    dialect: str
    name: str
    about: str
    source: str
    request: Mapping[str, Any]
    reply: Mapping[str, Any] | None = None
    delivery: str = "events"
    end: StreamEnd = "complete"
    pause_ms: float = 1.0
    hazard: str = ""
    unsent: int = 0
    """Bytes at the end of the stream that never get sent: where in an event a cut falls."""
    wire: tuple[bytes, ...] | None = None
    """The events as they are, in place of a reply."""
    content_type: str = ""
    """Sent instead of the one that the dialect's streams come with."""
    twin: bool = False
    """Also asked without a stream (:mod:`harness.record.twin`)."""

    def writes(self, request: Mapping[str, Any]) -> tuple[bytes, ...]:
        """What the simulated provider sends for ``request``, write by write.

        Raises:
            ScenarioError: the scenario has no reply, or one its API cannot give.
        """
        if self.reply is None and self.wire is None:
            raise ScenarioError(f"{self.dialect}/{self.name}: has no reply, so it is not for the simulator")
        try:
            provider = PROVIDERS[self.dialect]
            events = list(self.wire or ()) if self.reply is None else provider.encode(self.name, self.reply, request)
            if self.unsent:
                events[-1] = events[-1][: -self.unsent]
            return tuple(deliver(events, self.delivery, provider.framing))
        except ScenarioError as error:
            raise ScenarioError(f"{self.dialect}/{self.name}: {error}") from error


@functools.cache
def scenarios(dialect: str) -> Mapping[str, Scenario]:
    """The scenarios of a dialect by name, in the order of their file.

    Raises:
        RecordError: no scenarios are known for the dialect.
    """
    if dialect not in DIALECTS:
        raise RecordError(f"no scenarios for dialect {dialect!r}; known: {', '.join(DIALECTS)}", exit_code=USAGE)
    folder = resources.files("harness.record")
    found: dict[str, Scenario] = {}
    for name in (f"scenarios-{dialect}.yaml", f"hazards-{dialect}.yaml"):
        if folder.joinpath(name).is_file():
            data = shipped("harness.record", name)
            only(data, "request", "scenarios")
            found |= {key: _scenario(dialect, key, item, data["request"]) for key, item in data["scenarios"].items()}
    return found


def find(dialect: str, name: str) -> Scenario:
    """One scenario by name (RecordError, as in :func:`scenarios`, or when there is no such scenario)."""
    known = scenarios(dialect)
    if name not in known:
        raise RecordError(f"{dialect}: no scenario {name!r}; `streamparity record --list` shows them", exit_code=USAGE)
    return known[name]


def _scenario(dialect: str, name: str, item: Mapping[str, Any], base: Mapping[str, Any]) -> Scenario:
    only(
        item,
        *("about", "prompt", "request", "source", "reply", "wire", "content_type"),
        *("delivery", "end", "pause_ms", "unsent", "hazard", "twin"),
    )
    request: dict[str, Any] = {**base}
    if "prompt" in item:
        request.update(PROVIDERS[dialect].ask(item["prompt"]))
    request.update(item.get("request", {}))
    request.update(PROVIDERS[dialect].streaming)
    scenario = Scenario(
        dialect=dialect,
        name=name,
        about=item["about"],
        source=item.get("source", "simulator"),
        request={key: value for key, value in request.items() if value is not None},
        reply=_long_arguments(item["reply"]) if "reply" in item else None,
        delivery=item.get("delivery", "events"),
        end=item.get("end", "complete"),
        pause_ms=item.get("pause_ms", 1.0),
        hazard=item.get("hazard", ""),
        unsent=item.get("unsent", 0),
        wire=tuple(map(as_written, item["wire"])) if "wire" in item else None,
        content_type=item.get("content_type", ""),
        twin=item.get("twin", False),
    )
    if scenario.source not in SOURCES or scenario.end not in STREAM_ENDS:
        raise ScenarioError(f"{dialect}/{name}: unknown source {scenario.source!r} or end {scenario.end!r}")
    return scenario


def _long_arguments(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    """Put the shared long document in place of ``arguments: $long``."""
    says = [
        {**item, "arguments": _long_document()} if item.get("arguments") == "$long" else item for item in reply["says"]
    ]
    return {**reply, "says": says}


@functools.cache
def _long_document() -> Any:
    return shipped("harness.record", "long-arguments.yaml")
