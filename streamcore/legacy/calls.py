"""Calls as whole objects, calls under their first name, and arguments that were encoded twice."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from streamcore import jsontext
from streamcore.errors import ErrorKind, ErrorStage, Warning, WireError
from streamcore.limits import Limits
from streamcore.parts import (
    Error,
    Json,
    Part,
    TextDelta,
    TextEnd,
    TextStart,
    ToolCall,
    ToolInputDelta,
    ToolInputEnd,
    ToolInputStart,
)
from streamcore.toolcalls import Reporter, ToolCallAssembler


def tool_calls(holder: dict[str, Json]) -> list[Json]:
    """The ``tool_calls`` that the ``function_call`` of a delta or of a message stands for; empty if it has none.

    ``{"name": "f", "arguments": "{"}`` is the call of index 0: there was never more than one, and it had no id.
    """
    call = holder.get("function_call")
    return [] if call is None else [{"index": 0, "type": "function", "function": call}]


class Notes:
    """A :class:`streamcore.toolcalls.Reporter` of its own: for messages that come without any dialect."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.strict = False
        self.limits = limits or Limits()
        self.warnings: list[Warning] = []

    def warn(self, code: str, detail: str = "") -> None:
        """Noted."""
        self.warnings.append(Warning(code, 0, detail))

    def lenient(self, code: str, detail: str, out: list[Part], kind: ErrorKind = ErrorKind.INVALID_PAYLOAD) -> None:  # noqa: ARG002 - the signature is not ours to choose
        """Always tolerated."""
        self.warn(code, detail)

    def fail(self, kind: ErrorKind, detail: str, out: list[Part], *, fatal: bool = False) -> None:
        """An error part; a fatal one is the last."""
        out.append(Error(WireError(kind, ErrorStage.STREAM, 0, detail)))
        if fatal:
            raise _FatalError


class _FatalError(Exception):
    """A fatal error part is out."""


def whole_message(message: Json, report: Reporter | None = None, choice: int = 0) -> list[Part]:
    """The parts of a message that came as one object, as OpenAI's API answers where nothing is streamed.

    Args:
        message: ``{"content": ..., "tool_calls": [{"id", "function": {"name", "arguments"}}]}``, or ``function_call``
            instead of ``tool_calls``. Arguments that are an object, as Ollama has them, are written as JSON.
        report: where leniencies and errors go; without one, errors become parts and leniencies are passed over.
        choice: the choice that the message is.
    """
    out: list[Part] = []
    with suppress(_FatalError):
        _whole(message, report or Notes(), choice, out)
    return out


def _whole(message: Json, report: Reporter, choice: int, out: list[Part]) -> None:
    if not isinstance(message, dict):
        report.fail(ErrorKind.INVALID_PAYLOAD, "the message is no object", out)
        return
    content = message.get("content")
    if isinstance(content, str) and content:
        out += [TextStart("0", choice=choice), TextDelta("0", content, choice=choice), TextEnd("0", choice=choice)]
    elif content is not None and not isinstance(content, str):
        report.fail(ErrorKind.INVALID_PAYLOAD, "the content is no string", out)
    calls = message.get("tool_calls")
    if calls is None:
        calls = tool_calls(message)
    assembler = ToolCallAssembler(choice)
    for index, call in enumerate(calls if isinstance(calls, list) else [calls]):
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict):
            report.fail(ErrorKind.INVALID_PAYLOAD, f"tool call {index} has no function", out)
            continue
        assembler.delta(
            len(assembler.calls), _text(call.get("id")), _text(function.get("name")), _arguments(function, report, out), report, out
        )
    assembler.finish(report, out)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _arguments(function: dict[str, Json], report: Reporter, out: list[Part]) -> str | None:
    arguments = function.get("arguments")
    if arguments is None or isinstance(arguments, str):
        return arguments
    report.lenient("arguments_not_text", f"the arguments of {function.get('name')!r} are no text", out)
    return jsontext.stringify(arguments)


class DoubleEncodedArguments:
    """Arguments that are a JSON string which itself holds a JSON object: found, and decoded only if told to.

    Args:
        decode: True holds the deltas of a call that begins with a quote until the call is complete, and then gives the
            inner text. False lets every part pass as it is.
    """

    def __init__(self, *, decode: bool = False) -> None:
        self.found: list[str] = []
        """Ids of the calls whose arguments were encoded twice."""
        self._decode = decode
        self._held: dict[tuple[int, str], list[Part]] = {}
        self._quoted: set[tuple[int, str]] = set()

    def add(self, parts: Iterable[Part]) -> list[Part]:
        """The parts that can be given now; all of them once the stream is over."""
        out: list[Part] = []
        for part in parts:
            if isinstance(part, ToolCall):
                self._call(part, out)
            elif isinstance(part, ToolInputStart) and self._decode:
                self._held[part.choice, part.id] = []
                out.append(part)
            elif isinstance(part, ToolInputDelta | ToolInputEnd) and (part.choice, part.id) in self._held:
                self._hold(part, out)
            else:
                if isinstance(part, Error):
                    for held in self._held.values():
                        out += held
                    self._held.clear()
                    self._quoted.clear()
                out.append(part)
        return out

    def _hold(self, part: ToolInputDelta | ToolInputEnd, out: list[Part]) -> None:
        key = part.choice, part.id
        self._held[key].append(part)
        if key in self._quoted:
            return
        if isinstance(part, ToolInputDelta):
            first = part.delta.lstrip(jsontext.WHITESPACE)[:1]
            if first == '"':
                self._quoted.add(key)
            if first in ("", '"'):  # blanks wait for what they stand before: the inner text does not have them
                return
        out += self._held.pop(key)

    def _call(self, part: ToolCall, out: list[Part]) -> None:
        key = part.choice, part.tool_call_id
        self._quoted.discard(key)
        held = self._held.pop(key, [])
        inner = _inner(part.input) if part.invalid else None
        if inner is not None:
            self.found.append(part.tool_call_id)
            if self._decode:
                out.append(ToolInputDelta(part.tool_call_id, inner, None, part.choice))
                out += [each for each in held if isinstance(each, ToolInputEnd)]
                out.append(replace(part, input=inner, invalid=False))
                return
        out += held
        out.append(part)


def _inner(text: str) -> str | None:
    """The JSON object in the JSON string ``text``, as text; None if it is anything else."""
    try:
        inner = jsontext.loads(jsontext.utf8(text))
        if isinstance(inner, str) and isinstance(jsontext.loads(jsontext.utf8(inner)), dict):
            return inner
    except jsontext.JsonTextError:
        pass
    return None
