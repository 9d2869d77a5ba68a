"""What is asked: the scenarios of each API, as data in ``asks-<name>.yaml``.

``request`` is what every request of the file starts from, without the model, ``models`` maps patterns of model names to
fields for those models alone (Python's ``re``, found anywhere in the name), ``tools`` is a place for anchors, and
``scenarios`` a mapping from name to: ``about``; ``prompt`` (one user message, put into the API's own form) or
``request`` (fields over the file's, null removes one); ``models`` as above; and ``shows``, what the answer has if the
model did what the scenario is for: ``tools`` (so many calls at least), ``finish``, ``json`` (the text is a JSON object),
``reasoning``, ``text``, ``usage``. Every request limits what the model may write, since that is what a recording costs.

The local model has the scenarios that ``scenarios-<dialect>.yaml`` marks with ``source: local-model``, and those of its
own file.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from harness.record.live.apis import LOCAL, Api
from harness.record.live.request import merged
from harness.record.providers import PROVIDERS
from harness.record.scenarios import scenarios
from harness.record.wire import ScenarioError, only
from harness.yaml_lines import shipped

NAMES: tuple[str, ...] = (
    *("text", "unicode", "tool", "parallel-tools", "tool-no-arguments", "long-arguments", "reasoning", "refusal"),
    *("length", "structured-output", "usage", "system", "multi-turn"),
)
"""The matrix: what an API ought to be recorded doing."""
_LIMITS: tuple[tuple[str, ...], ...] = (
    ("max_completion_tokens",),
    ("max_output_tokens",),
    ("max_tokens",),
    ("generationConfig", "maxOutputTokens"),
    ("inferenceConfig", "maxTokens"),
)


@dataclass(frozen=True)
class Ask:
    """One scenario: a request without its model, and what its answer should show."""

    name: str
    about: str
    request: Mapping[str, Any]
    models: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    shows: Mapping[str, Any] | None = None
    twin: bool = True
    """Whether its answer without a stream says the same."""

    def of(self, model: str) -> Mapping[str, Any]:
        """The request fields for this model."""
        request = dict(self.request)
        for pattern, fields in self.models:
            if re.search(pattern, model):
                request = merged(request, fields)
        return request

    def limit(self, model: str) -> int:
        """The most tokens that the answer may have (ScenarioError: the request sets no limit)."""
        request = self.of(model)
        for path in _LIMITS:
            found: Any = request
            for key in path:
                found = found.get(key) if isinstance(found, dict) else None
            if isinstance(found, int):
                return found
        raise ScenarioError(f"{self.name}: the request does not limit the answer, so nobody can say what it costs")


@functools.cache
def asks(api: Api) -> Mapping[str, Ask]:
    """The scenarios of an API by name, in the order of the matrix."""
    found: dict[str, Ask] = {}
    if api.provider == LOCAL:
        for scenario in scenarios(api.dialect).values():
            if scenario.source == "local-model":
                name = scenario.name.removeprefix("local-")
                request = {key: value for key, value in scenario.request.items() if key != "model"}
                shows, twin = _LOCAL_SHOWS.get(name), name not in _LOCAL_ALONE
                found[name] = Ask(name, scenario.about, request, shows=shows, twin=twin)
    name = f"asks-{api.asks}.yaml"
    if resources.files("harness.record.live").joinpath(name).is_file():
        found |= {ask.name: ask for ask in _read(shipped("harness.record.live", name), api.dialect)}
    order = {name: at for at, name in enumerate(NAMES)}
    return dict(sorted(found.items(), key=lambda item: order.get(item[0], len(order))))


_LOCAL_ALONE = frozenset({"headless"})
"""What a bug of the server takes from the stream its whole answer has: there is nothing to compare."""
_LOCAL_SHOWS: Mapping[str, Mapping[str, Any]] = {
    "tool": {"tools": 1},
    "parallel-tools": {"tools": 2},
    "length": {"finish": "length"},
    "text": {"text": True},
}


def _read(data: Any, dialect: str) -> Iterator[Ask]:
    only(data, "request", "models", "tools", "scenarios")
    for name, item in data["scenarios"].items():
        only(item, "about", "prompt", "request", "models", "shows")
        shows = item.get("shows")
        only(shows or {}, "tools", "finish", "json", "reasoning", "text", "usage")
        base = dict(data.get("request", {}))
        if "prompt" in item:
            base |= PROVIDERS[dialect].ask(item["prompt"])
        # A scenario's own fields come after those for a model, so that it can ask for more than the file does.
        over = item.get("request", {})
        models = [*data.get("models", {}).items(), ("", over), *item.get("models", {}).items()]
        yield Ask(name, item["about"], base, tuple(models), shows)
