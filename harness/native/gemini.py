"""Gemini's own SDK, ``@google/genai``: it accumulates nothing, so its final state is the list of its chunks.

Both sides are folded to what a reader of the stream would have: for each candidate the text, the thoughts, the calls
with their arguments, what code ran and gave, the files and the finish reason; the signatures; and the last usage.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.subjects import PartJson

Projection = dict[str, Any]

_TOTALS = (
    "promptTokenCount",
    "candidatesTokenCount",
    "totalTokenCount",
    "thoughtsTokenCount",
    "cachedContentTokenCount",
    "toolUsePromptTokenCount",
)

def _candidate() -> dict[str, Any]:
    return {"text": "", "thoughts": "", "calls": [], "code": [], "outputs": [], "files": [], "finish": None}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return {"not JSON": text}


def _projection(candidates: dict[int, dict[str, Any]], signatures: set[str], usage: Any) -> Projection:
    return {
        "candidates": [candidates[index] for index in sorted(candidates)],
        "signatures": sorted(signatures),
        "usage": {name: (usage or {}).get(name) for name in _TOTALS},
    }


def of_subject(parts: Sequence[PartJson]) -> Projection:
    """What the parts add up to."""
    candidates: dict[int, dict[str, Any]] = {0: _candidate()}
    signatures: set[str] = set()
    usage: Any = None
    for part in parts:
        candidate = candidates.setdefault(part.get("choice", 0), _candidate())
        for fields in (part.get("providerMetadata") or {}).values():
            if isinstance(fields.get("thoughtSignature"), str):
                signatures.add(fields["thoughtSignature"])
        match part["type"]:
            case "text-delta":
                candidate["text"] += part["delta"]
            case "reasoning-delta":
                candidate["thoughts"] += part["delta"]
            case "tool-call" if not part.get("providerExecuted"):
                candidate["calls"].append({"name": part["toolName"], "args": _value(part["input"])})
            case "tool-call" if part["toolName"] == "code_execution":
                candidate["code"].append(_value(part["input"]).get("code"))
            case "tool-result" if part["toolName"] == "code_execution":
                candidate["outputs"].append(part["result"]["output"])
            case "file":
                candidate["files"].append({"mimeType": part["mediaType"], "data": part["data"]})
            case "finish":
                candidate["finish"] = part["finishReason"].get("raw")
                usage = part["usage"].get("raw") if "choice" not in part else usage
    return _projection(candidates, signatures, usage)


def of_native(final: dict[str, Any]) -> Projection:
    """What the chunks add up to."""
    candidates: dict[int, dict[str, Any]] = {0: _candidate()}
    signatures: set[str] = set()
    usage: Any = None
    blocked: str | None = None
    for chunk in final.get("chunks", ()):
        usage = chunk.get("usageMetadata") or usage
        blocked = blocked or (chunk.get("promptFeedback") or {}).get("blockReason")
        for position, wire in enumerate(chunk.get("candidates") or ()):
            candidate = candidates.setdefault(wire.get("index", position), _candidate())
            candidate["finish"] = wire.get("finishReason") or candidate["finish"]
            for part in (wire.get("content") or {}).get("parts") or ():
                if part.get("thoughtSignature"):
                    signatures.add(part["thoughtSignature"])
                _native_part(part, candidate)
    candidates[0]["finish"] = blocked or candidates[0]["finish"]
    return _projection(candidates, signatures, usage)


def _native_part(part: dict[str, Any], candidate: dict[str, Any]) -> None:
    if part.get("functionCall"):
        call = part["functionCall"]
        if call.get("name"):
            candidate["calls"].append({"name": call["name"], "args": call.get("args") or {}})
        for arg in call.get("partialArgs") or ():
            with suppress(LookupError, TypeError):  # a place that is not there: then the arguments differ
                _put(candidate["calls"][-1]["args"], arg)
    elif part.get("executableCode"):
        candidate["code"].append(part["executableCode"].get("code"))
    elif part.get("codeExecutionResult"):
        candidate["outputs"].append(part["codeExecutionResult"].get("output") or "")
    elif part.get("inlineData"):
        candidate["files"].append({key: part["inlineData"].get(key) for key in ("mimeType", "data")})
    else:
        candidate["thoughts" if part.get("thought") else "text"] += part.get("text") or ""


def _put(args: Any, arg: dict[str, Any]) -> None:
    """One element of ``partialArgs``, which the SDK passes on as it came."""
    steps = [int(index) if index else name for name, index in re.findall(r"([^.\[\]$]+)|\[(\d+)\]", arg["jsonPath"])]
    value = next((arg[key] for key in ("stringValue", "numberValue", "boolValue") if arg.get(key) is not None), None)
    for step, following in pairwise(steps):
        empty: Any = [] if isinstance(following, int) else {}
        if isinstance(step, int) and step == len(args):
            args.append(empty)
        args = args[step] if isinstance(step, int) else args.setdefault(step, empty)
    last = steps[-1]
    if isinstance(last, int):
        args[last:] = [args[last] + value if last < len(args) and isinstance(value, str) else value]
    else:
        args[last] = args[last] + value if last in args and isinstance(value, str) else value
