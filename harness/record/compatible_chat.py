"""Simulated servers that speak Chat Completions each in its own way: one encoder, one row a server.

The rows stand in ``compatible-servers.yaml``. A row says what a chunk of this server looks like, field by field and in
the order of the wire, with placeholders for what changes: the servers differ in where the role stands, how reasoning
is called, whether a call comes whole, where usage is told and how a stream ends, and all of that is data.

Sources: the API references and streaming guides of the servers, which the rows name.
"""

from __future__ import annotations

import functools
import json
import re
from typing import TYPE_CHECKING, Any

from harness.record.wire import LINE_ENDINGS, ScenarioError, comment, made_up, only, pieces, sse
from harness.yaml_lines import shipped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CREATED = 1_767_225_600
"""2026-01-01T00:00:00Z: simulated answers have no clock."""
_ALPHABETS = {
    "hex": "0123456789abcdef",
    "digits": "123456789",
    "abc": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
    "low": "abcdefghijklmnopqrstuvwxyz0123456789",
}
_LEFT_OUT = object()


@functools.cache
def servers() -> Mapping[str, Mapping[str, Any]]:
    """The rows by dialect, each over the row ``plain``.

    ``id``, ``call_id`` (made up: ``{uuid}``, ``{hex8}``, ``{digits3}``, ``{abc24}``, ``{low8}``, and ``{name}`` of the
    function, ``{call}`` its number); ``chunk``, ``choice`` (their fields); ``before`` (chunks before all others);
    ``opening`` (the delta of a first chunk without content, null: there is none); ``first`` (fields that the first delta
    has besides); ``text``, ``reasoning``, ``call``, ``more``, ``closing`` (the deltas with text, reasoning, a call, more
    of its arguments, the finish reason); ``whole`` (a call comes in one delta); ``on_first``, ``on_finish`` (fields over
    the first chunk and over the one with the finish reason); ``last`` (the chunk after that, null: none); ``usage``
    (what ``$usage`` is where it is told), ``running`` (its form while text is written, if that has figures);
    ``line_ending``, ``spaces`` (JSON with spaces, as Python writes it), ``done`` (``[DONE]`` at the end), ``lines`` (no
    events, JSON lines).

    ``$name`` stands for a value; ``$name~`` leaves the field out when there is none.
    """
    rows = shipped("harness.record", "compatible-servers.yaml")
    return {name: {**rows["plain"], **row} for name, row in rows.items()}


def encode(name: str, reply: Mapping[str, Any], request: Mapping[str, Any], server: str) -> list[bytes]:
    """The wire events of one scenario.

    ``reply``: ``says`` (list, see :meth:`_Encoder.item`), ``finish`` (a reason, or null for a stream that never gets
    there), ``usage`` (``prompt``, ``completion``, and ``cached``, ``reasoning`` tokens), ``fields`` (over every chunk),
    ``closing`` (over the choice with the finish reason), ``over`` (over the row of the server).

    Raises:
        ScenarioError: the reply has something no server says.
    """
    only(reply, "says", "finish", "usage", "fields", "closing", "over")
    row = {**servers().get(server, servers()["plain"]), **reply.get("over", {})}
    return list(_Encoder(f"{server}/{name}", row, reply, request).events())


class _Encoder:
    def __init__(self, seed: str, row: Mapping[str, Any], reply: Mapping[str, Any], request: Mapping[str, Any]) -> None:
        tokens = reply.get("usage") or {}
        only(tokens, "prompt", "completion", "cached", "reasoning")
        self.seed = seed
        self.row = row
        self.reply = reply
        self.ending = LINE_ENDINGS[row["line_ending"]]
        self.first = True
        self.finished = False
        self.calls = self.count = 0
        self.values: dict[str, Any] = {
            "created": CREATED,
            "model": request["model"],
            "prompt": tokens.get("prompt", 0),
            "completion": tokens.get("completion", 0),
            "total": tokens.get("prompt", 0) + tokens.get("completion", 0),
            "cached": tokens.get("cached", 0),
            "thought": tokens.get("reasoning", 0),
            "missed": tokens.get("prompt", 0) - tokens.get("cached", 0),
            "said": "",
            "reason": reply.get("finish"),
            "pad": "p",
        }
        self.values["id"] = self.made_up(row["id"], "id")
        self.values["request_id"] = self.made_up("{low26}", "request")

    def events(self) -> Iterator[bytes]:
        for chunk in self.row["before"]:
            yield self.write(self.fill(chunk))
        for item in self.reply["says"]:
            yield from self.item(item)
        finish = self.reply.get("finish")
        if finish is None:
            return
        if self.count == 0 and self.row["opening"] is not None:
            yield self.chunk("opening")
        if not self.finished:
            yield self.chunk("closing", finish=finish)
        if self.row["last"] is not None and "usage" in self.reply:
            yield self.write(self.fill(self.row["last"], usage=self.fill(self.row["usage"])))
        if self.row["done"]:
            yield sse("[DONE]", ending=self.ending)

    def item(self, item: Mapping[str, Any]) -> Iterator[bytes]:
        """One thing that is said.

        ``text`` or ``reasoning`` (with ``by``), ``tool`` (with ``arguments``, ``by``), ``tools`` (a list of such, in
        one delta), ``delta`` (a chunk with just that delta), each with ``last`` (its last chunk has the finish reason)
        and ``fields`` (over its chunks); ``error`` (with ``event``), ``comment``, ``data`` (an event with just that
        data), ``line`` (that line, as it is).
        """
        if "comment" in item:
            only(item, "comment")
            yield comment(item["comment"], self.ending)
            return
        if "line" in item:
            only(item, "line")
            yield f"{item['line']}{self.ending}{'' if self.row['lines'] else self.ending}".encode()
            return
        if "data" in item or "error" in item:
            only(item, "data", "error", "event")
            payload = item["data"] if "data" in item else {"error": item["error"]}
            yield self.write(payload, item.get("event"))
            return
        only(item, "text", "reasoning", "tool", "tools", "delta", "arguments", "by", "last", "fields")
        deltas = list(self.deltas(item))
        if self.first and self.row["opening"] is not None and "delta" not in item:
            yield self.chunk("opening")
        for number, (kind, values) in enumerate(deltas):
            self.finished = number + 1 == len(deltas) and bool(item.get("last"))
            self.values.update(values)
            finish = self.reply["finish"] if self.finished else None
            yield self.chunk(kind, finish=finish, over=item.get("fields"))

    def deltas(self, item: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The kind of each delta and the values that go into it."""
        if "text" in item:
            said = self.values["said"]
            for piece in pieces(item["text"], item.get("by")):
                said += piece
                yield "text", {"text": piece, "said": said}
        elif "reasoning" in item:
            for piece in pieces(item["reasoning"], item.get("by")):
                yield "reasoning", {"text": piece}
        elif "delta" in item:
            yield "raw", {"raw": item["delta"]}
        elif "tools" in item:
            self.values["call_list"] = [self.fill(self.row["one"], **self.call(call)) for call in item["tools"]]
            yield "several", {}
        elif "tool" in item:
            call = self.call(item)
            text = call["arguments"]
            yield "call", call if self.row["whole"] else {**call, "arguments": ""}
            for piece in () if self.row["whole"] else pieces(text, item.get("by", (2, 9, 5))):
                yield "more", {"arguments": piece}
        else:
            raise ScenarioError(
                f"says: {sorted(item)} holds none of text, reasoning, tool, tools, delta, error, comment, data, line"
            )

    def call(self, item: Mapping[str, Any]) -> Mapping[str, Any]:
        number, arguments = self.calls, item["arguments"]
        self.calls += 1
        template = self.row["call_id"].replace("{name}", item["tool"]).replace("{call}", str(number))
        text = arguments if isinstance(arguments, str) else self.json(arguments)
        ident = self.made_up(template, f"call/{number}")
        return {"call": number, "call_id": ident, "name": item["tool"], "arguments": text, "object": arguments}

    def chunk(self, kind: str, finish: str | None = None, over: Mapping[str, Any] | None = None) -> bytes:
        row, at_end = self.row, finish is not None
        self.count += 1
        self.values.update(n=self.count, so_far=self.values["prompt"] + self.count)
        if kind not in ("text", "reasoning"):
            self.values["text"] = ""
        delta = self.values["raw"] if kind == "raw" else self.fill(row[kind])
        over = {**(over or {}), **(row["on_finish"] if at_end else {})}
        if self.first and kind != "raw":
            over = {**row["on_first"], **over}
            if row["first"]:
                delta = {**delta, **row["first"]} if kind in ("text", "reasoning") else {**row["first"], **delta}
        self.first = False
        usage = row["usage"] if at_end else row["running"]
        self.values.update(
            usage=None if usage is None else self.fill(usage),
            filter=row["filters"].get(kind, {}),
            pad=made_up(f"{self.seed}/pad/{self.count}", 1 + (7 * self.count) % 15),
        )
        choice = self.fill(row["choice"], delta=delta, finish=finish)
        if at_end:
            choice.update(self.reply.get("closing", {}))
        template = {**row["chunk"], **over, **self.reply.get("fields", {})}
        return self.write(self.fill(template, choice=choice, delta=delta, finish=finish))

    def write(self, payload: Any, event: str | None = None) -> bytes:
        text = payload if isinstance(payload, str) else self.json(payload)
        return f"{text}\n".encode() if self.row["lines"] else sse(text, event, self.ending)

    def json(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, separators=None if self.row["spaces"] else (",", ":"))

    def fill(self, template: Any, **values: Any) -> Any:
        """The template with its placeholders filled, and without the fields that are to be left out."""
        if isinstance(template, dict):
            filled = {key: self.fill(value, **values) for key, value in template.items()}
            return {key: value for key, value in filled.items() if value is not _LEFT_OUT}
        if isinstance(template, list):
            return [self.fill(value, **values) for value in template]
        if not isinstance(template, str) or not template.startswith("$"):
            return template
        name = template[1:].removesuffix("~")
        value = values[name] if name in values else self.values[name]
        return _LEFT_OUT if value is None and template.endswith("~") else value

    def made_up(self, template: str, what: str) -> str:
        def replaced(match: re.Match[str]) -> str:
            seed = f"{self.seed}/{what}/{match.start()}"
            if match[1] == "uuid":
                digits = made_up(seed, 32, _ALPHABETS["hex"])
                return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
            return made_up(seed, int(match[2]), _ALPHABETS[match[1]])

        return re.sub(r"\{(uuid|hex|digits|abc|low)(\d*)\}", replaced, template)
