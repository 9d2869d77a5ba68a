"""A simulated Gemini stream, from the Gemini API or from Vertex AI, written from the provider's documentation.

Sources: "Generating content" in the Gemini API reference (``GenerateContentResponse``, ``Candidate``, ``UsageMetadata``,
``PromptFeedback``, ``FinishReason``, ``GroundingMetadata``, ``CitationMetadata``) and "Caching" there (``Content``, ``Part``,
``FunctionCall``, ``ExecutableCode``); the guides "Function calling", "Gemini thinking" and "Thought signatures" (where a
signature rides), "Code execution", "Grounding with Google Search" and "Troubleshooting"; for Vertex AI the reference of
``streamGenerateContent`` and its "Streaming function call arguments"; the error object is google.rpc.Status in its JSON
form (AIP-193).

With ``alt=sse`` each response is one event, ended by CRLF; without it all are the elements of one JSON array. The JSON
has a space after each colon and none after commas, and angle brackets are escaped; in an array it is spread over lines.
"""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.record.wire import LINE_ENDINGS, ScenarioError, comment, framed, made_up, only, pieces, sse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

PATH = "/v1beta/models/{model}:streamGenerateContent"
VERTEX_PATH = (
    "/v1/projects/example/locations/us-central1/publishers/google/models/{model}:streamGenerateContent?alt=sse"
)
CREATED = "2026-01-01T00:00:00.{:06}Z"
COMMA = ",\r\n"
"""Between two elements; the line of the first one ends before it."""
_REPLY = ("says", "finish", "closing", "message", "usage", "model", "line_ending", "ascii", "framing", "index")
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def encode(
    name: str, reply: Mapping[str, Any], request: Mapping[str, Any], *, vertex: bool = False, array: bool = False
) -> list[bytes]:
    """The wire events of one scenario.

    ``reply``: ``says`` (list, see :meth:`_Encoder.item`), ``finish`` (a reason, or null for a stream that never gets
    there), ``closing`` (where the reason rides: ``last``, the chunk said last, which is the default; ``empty-text``, a
    chunk with an empty text; ``no-parts``, one without parts), ``message`` (its ``finishMessage``), ``usage``
    (``prompt``, ``candidates``, and ``thoughts``, ``cached``, ``tool_use`` tokens, ``tier``), ``model``, ``index``
    (false: candidates do not say theirs), ``line_ending`` (crlf, lf, cr), ``ascii`` (escape all non-ASCII, as some
    proxies do), ``framing`` (see :func:`harness.record.wire.framed`).

    Raises:
        ScenarioError: the reply has something this API cannot say.
    """
    only(reply, *_REPLY)
    payloads = _Encoder(name, reply, request, vertex=vertex, indent=2 if array else None).payloads()
    if array:
        opened = [f"{COMMA if number else '['}{text}\n".encode() for number, (text, _) in enumerate(payloads)]
        return opened if reply.get("finish") is None and not _failed(reply) else [*opened, b"]"]
    ending = LINE_ENDINGS[reply.get("line_ending", "crlf")]
    forms: dict[str, Callable[[str], bytes]] = {
        "event": partial(sse, ending=ending),
        "comment": partial(comment, ending=ending),
        "bare": str.encode,
    }
    return framed([forms[form](text) for text, form in payloads], reply.get("framing", ()))


def _failed(reply: Mapping[str, Any]) -> bool:
    return any("error" in item for item in reply["says"])


class _Encoder:
    def __init__(
        self, name: str, reply: Mapping[str, Any], request: Mapping[str, Any], *, vertex: bool, indent: int | None
    ) -> None:
        self.seed = f"{'vertex-gemini' if vertex else 'gemini'}/{name}"
        self.reply = reply
        self.vertex = vertex
        self.indent = indent
        self.model = reply.get("model", request["model"])
        self.tokens: Mapping[str, Any] = reply.get("usage") or {}
        only(self.tokens, "prompt", "candidates", "thoughts", "cached", "tool_use", "tier")
        self.signed = 0
        self.raw: list[str] = []

    def payloads(self) -> Iterator[tuple[str, str]]:
        """Each response as JSON text, and how it is sent: ``event``, ``bare``, or a ``comment`` that is none."""
        said = [chunk for item in self.reply["says"] for chunk in self.item(item)]
        finish = self.reply.get("finish")
        if finish is not None:
            self.close(said, finish)
        count = sum("candidate" in chunk for chunk in said)
        number = 0
        for chunk in said:
            if "candidate" in chunk:
                number += 1
                yield self.text(self.response({"candidates": [chunk["candidate"]]}, number, count)), "event"
            elif "feedback" in chunk:
                yield self.text(self.response({"promptFeedback": chunk["feedback"]}, 0, count)), "event"
            elif "bare" in chunk:
                yield json.dumps(chunk["bare"], indent=2) + "\n", "bare"
            elif "comment" in chunk:
                yield chunk["comment"], "comment"
            else:
                yield chunk["data"] if "data" in chunk else self.text(chunk["event"]), "event"

    def close(self, said: list[dict[str, Any]], finish: str) -> None:
        closing = self.reply.get("closing", "last")
        if closing == "empty-text":
            said.append(self.candidate([{"text": ""}]))
        elif closing == "no-parts":
            said.append(self.candidate(None))
        elif closing != "last":
            raise ScenarioError(f"closing: {closing!r} is none of last, empty-text, no-parts")
        last = next((chunk["candidate"] for chunk in reversed(said) if "candidate" in chunk), None)
        if last is None:
            raise ScenarioError("finish: there is no candidate that could finish")
        rest = {key: last.pop(key) for key in [*last] if key != "content"}
        last["finishReason"] = finish
        if "index" in rest:
            last["index"] = rest.pop("index")
        last.update(rest)
        if "message" in self.reply:
            last["finishMessage"] = self.reply["message"]

    def item(self, item: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """One thing that is said.

        ``text`` (with ``by``, ``thought``, ``signature``), a chunk a piece; ``tool`` (with ``arguments``, ``id``,
        ``signature``), one chunk, since the arguments come whole; ``parts`` (one chunk with just these, null for none;
        ``$signature`` stands for a signature, and a text as ``args`` for JSON that is sent as it is). Each with
        ``candidate``: more fields for its last candidate. ``feedback`` (a response with prompt feedback alone),
        ``error`` (with ``bare``: not as an event, but as the bare JSON text that a stream breaks off with), ``event``
        (any other response). What only gateways send: ``comment`` (a comment block), ``data`` (an event with just that).
        """
        more = item.get("candidate", {})
        if "text" in item:
            only(item, "text", "by", "thought", "signature", "candidate")
            parts = [{"text": piece} for piece in pieces(item["text"], item.get("by"))]
            for number, part in enumerate(parts, 1):
                thought = {"thought": True} if item.get("thought") else {}
                last = number == len(parts)
                signed = self.signature() if last and item.get("signature") else {}
                yield self.candidate([{**part, **thought, **signed}], **(more if last else {}))
        elif "tool" in item:
            only(item, "tool", "arguments", "id", "signature", "candidate")
            call: dict[str, Any] = {"name": item["tool"]}
            if "arguments" in item:
                call["args"] = self.verbatim(item["arguments"])
            if item.get("id"):
                call["id"] = made_up(f"{self.seed}/call/{item['tool']}", 8, "abcdefghijklmnopqrstuvwxyz0123456789")
            yield self.candidate(
                [{"functionCall": call, **(self.signature() if item.get("signature") else {})}], **more
            )
        elif "parts" in item:
            only(item, "parts", "candidate")
            yield self.candidate(None if item["parts"] is None else [self.part(part) for part in item["parts"]], **more)
        elif "feedback" in item:
            only(item, "feedback")
            yield {"feedback": item["feedback"]}
        elif "error" in item:
            only(item, "error", "bare")
            yield {"bare" if item.get("bare") else "event": {"error": item["error"]}}
        elif "event" in item:
            only(item, "event")
            yield {"event": item["event"]}
        elif "comment" in item or "data" in item:
            only(item, "comment", "data")
            yield dict(item)
        else:
            raise ScenarioError(
                f"says: {sorted(item)} holds none of text, tool, parts, feedback, error, event, comment, data"
            )

    def part(self, part: Mapping[str, Any]) -> dict[str, Any]:
        done = {key: value for key, value in part.items() if value != "$signature"}
        call = done.get("functionCall")
        if isinstance(call, dict) and "args" in call:
            done["functionCall"] = {**call, "args": self.verbatim(call["args"])}
        return {**done, **(self.signature() if part.get("thoughtSignature") == "$signature" else {})}

    def signature(self) -> dict[str, str]:
        self.signed += 1
        return {"thoughtSignature": made_up(f"{self.seed}/signature/{self.signed}", 94, _BASE64) + "=="}

    def candidate(self, parts: Sequence[Mapping[str, Any]] | None, **more: Any) -> dict[str, Any]:
        content: dict[str, Any] = {"role": "model"} if parts is None else {"parts": parts, "role": "model"}
        if self.vertex and parts is not None:
            content = {"role": "model", "parts": parts}
        index = {} if self.vertex or not self.reply.get("index", True) else {"index": 0}
        return {"candidate": {"content": content, **index, **more}}

    def response(self, first: Mapping[str, Any], number: int, count: int) -> dict[str, Any]:
        envelope: dict[str, Any] = {**first, "usageMetadata": self.usage(number, count), "modelVersion": self.model}
        if self.vertex:
            envelope["createTime"] = CREATED.format(int(made_up(self.seed, 6, "0123456789")))
        return {**envelope, "responseId": made_up(f"{self.seed}/response", 22, _BASE64[:62] + "-_")}

    def usage(self, number: int, count: int) -> dict[str, Any]:
        """The counts so far: the Gemini API gives them with every chunk, Vertex AI with the last of the answer alone."""
        prompt, thoughts = self.tokens.get("prompt", 0), self.tokens.get("thoughts", 0)
        final = number == count and (not count or self.reply.get("finish") is not None)
        if self.vertex and not final:
            return {"trafficType": "ON_DEMAND"}
        said = self.tokens.get("candidates", 0) * number // max(count, 1)
        tools = self.tokens.get("tool_use", 0)
        usage: dict[str, Any] = {"promptTokenCount": prompt}
        if said:
            usage["candidatesTokenCount"] = said
        usage["totalTokenCount"] = prompt + said + thoughts + tools
        if "cached" in self.tokens:
            usage["cachedContentTokenCount"] = self.tokens["cached"]
        if self.vertex:
            usage["trafficType"] = "ON_DEMAND"
        usage["promptTokensDetails"] = [{"modality": "TEXT", "tokenCount": prompt}]
        if "cached" in self.tokens:
            usage["cacheTokensDetails"] = [{"modality": "TEXT", "tokenCount": self.tokens["cached"]}]
        if self.vertex:
            usage["candidatesTokensDetails"] = [{"modality": "TEXT", "tokenCount": said}]
        if tools:
            usage["toolUsePromptTokenCount"] = tools
            usage["toolUsePromptTokensDetails"] = [{"modality": "TEXT", "tokenCount": tools}]
        if thoughts:
            usage["thoughtsTokenCount"] = thoughts
        if "tier" in self.tokens:
            usage["serviceTier"] = self.tokens["tier"]
        return usage

    def verbatim(self, arguments: Any) -> Any:
        """JSON given as text goes to the wire as it is: YAML would not keep the way its numbers are written."""
        if not isinstance(arguments, str):
            return arguments
        self.raw.append(arguments)
        return f"\0{len(self.raw) - 1}\0"

    def text(self, payload: Mapping[str, Any]) -> str:
        text = json.dumps(
            payload, ensure_ascii=bool(self.reply.get("ascii")), separators=(",", ": "), indent=self.indent
        )
        text = text.replace("<", "\\u003c").replace(">", "\\u003e")
        return re.sub(r'"\\u0000(\d+)\\u0000"', lambda match: self.raw[int(match[1])], text)
