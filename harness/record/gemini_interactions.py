"""A simulated stream of Gemini's Interactions API, written from the provider's documentation.

Sources: "Interactions" in the Gemini API reference (the events, ``Step`` and its kinds, ``Usage``, the statuses), the
guide "Streaming interactions" (the order of the events, ``thought_signature``, ``arguments_delta``, ``done``), and the
guides "Function calling" and "Grounding with Google Search" for interactions (steps of calls and results, citations).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.record.wire import ScenarioError, compact, made_up, only, pieces, sse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PATH = "/v1beta/interactions"
CREATED = "2026-01-01T00:00:00Z"
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def encode(name: str, reply: Mapping[str, Any], request: Mapping[str, Any]) -> list[bytes]:
    """The wire events of one scenario.

    ``reply``: ``says`` (list, see :meth:`_Encoder.item`), ``finish`` (a status, or null for a stream that never gets
    there), ``usage`` (``input``, ``output``, ``thought`` and ``cached`` tokens).

    Raises:
        ScenarioError: the reply has something this API cannot say.
    """
    only(reply, "says", "finish", "usage")
    return list(_Encoder(name, reply, request["model"]).events())


class _Encoder:
    def __init__(self, name: str, reply: Mapping[str, Any], model: str) -> None:
        self.seed = f"gemini-interactions/{name}"
        self.reply = reply
        self.model = model
        self.index = 0
        self.ident = "v1_" + made_up(self.seed, 54, _BASE64[:62])
        self.failed = False

    def events(self) -> Iterator[bytes]:
        about = {"object": "interaction", "model": self.model}
        begun = {"id": self.ident, "status": "in_progress", **about}
        yield self.event("interaction.created", interaction=begun)
        yield self.status("in_progress")
        for item in self.reply["says"]:
            yield from self.item(item)
        status = self.reply.get("finish")
        if status is not None:
            if status == "requires_action":
                yield self.status(status)
            done = {"id": self.ident, "status": status, "usage": self.usage(), "created": CREATED, "updated": CREATED}
            yield self.event("interaction.completed", interaction={**done, "service_tier": "standard", **about})
        if status is not None or self.failed:
            yield sse("[DONE]", "done")

    def item(self, item: Mapping[str, Any]) -> Iterator[bytes]:
        """One step, or an ``error``.

        ``text`` (with ``by``, and ``annotations`` behind it); ``thought`` (with ``by`` and ``signature``, true for one
        that is made up); ``tool`` (with ``arguments`` and ``by``); ``server_tool`` (the name of Google's own, with
        ``arguments`` and ``result``); each but the last with ``complete`` (false leaves the step open).
        """
        if "error" in item:
            only(item, "error")
            self.failed = True
            yield self.event("error", error=item["error"])
        elif "text" in item:
            only(item, "text", "by", "annotations", "complete")
            texts: list[dict[str, Any]] = [
                {"text": piece, "type": "text"} for piece in pieces(item["text"], item.get("by"))
            ]
            if "annotations" in item:
                texts.append({"annotations": item["annotations"], "type": "text_annotation_delta"})
            yield from self.step({"type": "model_output"}, texts, complete=item.get("complete", True))
        elif "thought" in item:
            only(item, "thought", "by", "signature", "complete")
            said = [{"text": piece, "type": "text"} for piece in pieces(item["thought"], item.get("by"))]
            deltas: list[dict[str, Any]] = [{"content": one, "type": "thought_summary"} for one in said]
            if item.get("signature"):
                deltas.append({"signature": self.made("signature", 94, _BASE64) + "==", "type": "thought_signature"})
            yield from self.step({"type": "thought"}, deltas, complete=item.get("complete", True))
        elif "tool" in item:
            only(item, "tool", "arguments", "by", "complete")
            yield from self.tool(item)
        elif "server_tool" in item:
            only(item, "server_tool", "arguments", "result")
            yield from self.server_tool(item)
        else:
            raise ScenarioError(f"says: {sorted(item)} holds none of text, thought, tool, server_tool, error")

    def tool(self, item: Mapping[str, Any]) -> Iterator[bytes]:
        arguments = item["arguments"]
        text = arguments if isinstance(arguments, str) else compact(arguments)
        step = {"id": self.made("call", 8, "0123456789abcdef"), "type": "function_call", "name": item["tool"]}
        deltas = [{"arguments": piece, "type": "arguments_delta"} for piece in pieces(text, item.get("by", (4, 9, 5)))]
        yield from self.step({**step, "arguments": {}}, deltas, complete=item.get("complete", True))

    def server_tool(self, item: Mapping[str, Any]) -> Iterator[bytes]:
        name, ident = item["server_tool"], self.made("server", 8, "0123456789abcdef")
        call = {"type": f"{name}_call", "id": ident, "arguments": item["arguments"]}
        yield from self.step({"type": f"{name}_call", "id": ident, "arguments": {}}, [call])
        result = {"type": f"{name}_result", "call_id": ident, "result": item["result"]}
        yield from self.step({"type": f"{name}_result", "call_id": ident}, [result])

    def step(self, step: Mapping[str, Any], deltas: list[dict[str, Any]], *, complete: bool = True) -> Iterator[bytes]:
        yield self.event("step.start", index=self.index, step=step)
        for delta in deltas:
            yield self.event("step.delta", index=self.index, delta=delta)
        if complete:
            yield self.event("step.stop", index=self.index)
            self.index += 1

    def status(self, status: str) -> bytes:
        return self.event("interaction.status_update", interaction_id=self.ident, status=status)

    def usage(self) -> dict[str, Any]:
        tokens = self.reply.get("usage") or {}
        only(tokens, "input", "output", "thought", "cached")
        taken, given, thought = (tokens.get(name, 0) for name in ("input", "output", "thought"))
        return {
            "total_tokens": taken + given + thought,
            "total_input_tokens": taken,
            "input_tokens_by_modality": [{"modality": "text", "tokens": taken}],
            "total_cached_tokens": tokens.get("cached", 0),
            "total_output_tokens": given,
            "total_tool_use_tokens": 0,
            "total_thought_tokens": thought,
        }

    def made(self, what: str, length: int, alphabet: str) -> str:
        return made_up(f"{self.seed}/{what}/{self.index}", length, alphabet)

    def event(self, kind: str, **fields: Any) -> bytes:
        return sse(compact({**fields, "event_type": kind}), kind)
