"""A simulated Anthropic Text Completions stream, written from the provider's documentation.

Sources: "Create a Text Completion" in the API reference (the fields of a completion, ``stop_reason``, ``stop``,
``log_id``) and "Streaming Text Completions" (the events ``completion``, ``ping`` and ``error``, and that the last
completion has an empty text and the reason). The service pads its payloads with blanks before the closing brace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.record.wire import ScenarioError, compact, made_up, only, pieces, sse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PATH = "/v1/complete"
PING = sse('{"type": "ping"}', "ping")


def ask_turns(prompt: str) -> Mapping[str, Any]:
    """One user turn, as this API takes it: turns are told apart by what they begin with."""
    return {"prompt": f"\n\nHuman: {prompt}\n\nAssistant:"}


def encode(name: str, reply: Mapping[str, Any], request: Mapping[str, Any]) -> list[bytes]:
    """The wire events of one scenario.

    ``reply``: ``says`` (a list of ``text``, perhaps with ``by``; ``ping``; ``error``), ``finish`` (a reason, or null for
    a stream that never gets there), ``stop`` (the sequence at which it stopped).

    Raises:
        ScenarioError: the reply has something this API cannot say.
    """
    only(reply, "says", "finish", "stop")
    return list(_events(f"anthropic-complete/{name}", reply, request["model"]))


def _events(seed: str, reply: Mapping[str, Any], model: str) -> Iterator[bytes]:
    ident = "compl_01" + made_up(seed, 22)
    count = 0

    def completion(text: str, reason: str | None = None, stop: str | None = None) -> bytes:
        nonlocal count
        count += 1
        said = {"type": "completion", "id": ident, "completion": text, "stop_reason": reason, "model": model}
        payload = compact({**said, "stop": stop, "log_id": ident})
        blanks = " " * int(made_up(f"{seed}/pad/{count}", 1, "0123456789"))
        return sse(f"{payload[:-1]}{blanks}}}", "completion")

    for item in reply["says"]:
        if "text" in item:
            only(item, "text", "by")
            yield from map(completion, pieces(item["text"], item.get("by")))
        elif "ping" in item:
            only(item, "ping")
            yield PING
        elif "error" in item:
            only(item, "error")
            yield sse(compact({"type": "error", "error": item["error"]}), "error")
        else:
            raise ScenarioError(f"says: {sorted(item)} holds none of text, ping, error")
    if reply.get("finish") is not None:
        yield completion("", reply["finish"], reply.get("stop"))
