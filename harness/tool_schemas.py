"""The final arguments of each call, held against the JSON Schema that the request declares for its tool.

What a model makes of a schema is not the decoder's doing, so nothing here makes a case fail: it is shown, call by call.
The shapes in which the APIs declare tools:

======================  =========================================================================
OpenAI chat             ``tools[].function.parameters`` by ``tools[].function.name``; ``functions[]`` before that
OpenAI responses, xAI   ``tools[].parameters`` by ``tools[].name``
Anthropic               ``tools[].input_schema`` by ``tools[].name``
Gemini                  ``tools[].functionDeclarations[]``: ``parameters``, in an OpenAPI dialect whose types are in
                        capitals and may be ``nullable``, or ``parametersJsonSchema``
Bedrock Converse        ``toolConfig.tools[].toolSpec``: ``inputSchema.json`` by ``name``
======================  =========================================================================
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from jsonschema.validators import validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable

from harness.verdict import CallCheck, SchemaVerdict
from streamcore import jsontext

if TYPE_CHECKING:
    from harness.case import Case
    from harness.subjects import PartJson

_LONGEST_DETAIL = 200
"""Characters of a complaint; it quotes the value, which may be a whole file."""
_NO_RETRIEVAL: Registry[Any] = Registry()
"""Schemas come from recordings: what they refer to is never fetched."""


def check_calls(case: Case, parts: Sequence[PartJson]) -> tuple[CallCheck, ...]:
    """One line for each of ``finished_calls(parts)``, in order."""
    body = (case.request or {}).get("body")
    schemas = declared(body) if isinstance(body, Mapping) else {}
    return tuple(_check(part, schemas.get(part["toolName"], _NOTHING)) for part in finished_calls(parts))


def finished_calls(parts: Iterable[PartJson]) -> Iterator[PartJson]:
    """Each ``tool-call`` of the parts that has an id, a name and arguments."""
    for part in parts:
        whole = all(isinstance(part.get(key), str) for key in ("toolCallId", "toolName", "input"))
        if whole and part.get("type") == "tool-call":
            yield part


_NOTHING = object()


def declared(request: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of each tool that a request's body declares; tools without one are left out."""
    return {name: schema for name, schema in _declarations(request) if isinstance(name, str) and schema is not None}


def _declarations(request: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    for tool in _objects(request.get("functions")):
        yield tool.get("name"), tool.get("parameters")
    config = request.get("toolConfig")
    for tool in _objects(config.get("tools") if isinstance(config, Mapping) else None):
        for spec in _objects([tool.get("toolSpec")]):
            for schema in _objects([spec.get("inputSchema")]):
                yield spec.get("name"), schema.get("json")
    for tool in _objects(request.get("tools")):
        functions = tool.get("functionDeclarations") or tool.get("function_declarations")
        for function in _objects(functions):
            openapi = function.get("parameters")
            yield function.get("name"), from_openapi(openapi) if openapi else function.get("parametersJsonSchema")
        for holder in _objects([tool.get("function")]) or [tool]:
            yield holder.get("name"), holder.get("input_schema", holder.get("parameters"))


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def from_openapi(schema: Any) -> Any:
    """The JSON Schema that means what a schema of Gemini's OpenAPI dialect means."""
    if not isinstance(schema, Mapping):
        return schema
    result: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "type" and isinstance(value, str):
            result["type"] = value.lower()
        elif key == "properties" and isinstance(value, Mapping):
            result[key] = {name: from_openapi(each) for name, each in value.items()}
        elif key == "anyOf" and isinstance(value, list):
            result[key] = [from_openapi(each) for each in value]
        elif key in ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"):
            result[key] = int(value) if isinstance(value, str) and value.isdecimal() else value  # int64 is a string there
        else:
            result[key] = from_openapi(value) if key == "items" else value
    if schema.get("nullable") is True:
        return {"anyOf": [{"type": "null"}, result]}
    return result


def _check(part: PartJson, schema: Any) -> CallCheck:
    call, tool = part["toolCallId"], part["toolName"]
    try:
        value = jsontext.loads((part["input"].strip(jsontext.WHITESPACE) or "{}").encode("utf-8", "surrogatepass"))
    except jsontext.JsonTextError as error:
        return CallCheck(call, tool, SchemaVerdict.NOT_JSON, detail=str(error)[:_LONGEST_DETAIL])
    if schema is _NOTHING:
        return CallCheck(call, tool, SchemaVerdict.NO_SCHEMA)
    try:
        validator = validator_for(schema, default=Draft202012Validator)
        validator.check_schema(schema)
        errors = [
            (each.json_path, each.message) for each in validator(schema, registry=_NO_RETRIEVAL).iter_errors(value)
        ]
    except (SchemaError, Unresolvable, re.error, RecursionError) as error:
        detail = f"the schema cannot be used: {getattr(error, 'message', error)}"
        return CallCheck(call, tool, SchemaVerdict.NO_SCHEMA, detail=detail[:_LONGEST_DETAIL])
    if not errors:
        return CallCheck(call, tool, SchemaVerdict.VALID)
    path, message = min(errors)
    return CallCheck(call, tool, SchemaVerdict.NOT_THE_SCHEMA, path, message[:_LONGEST_DETAIL])
