"""Cases with a ledger to draw, made by the harness from bodies: exact, broken, hostile, and far too many."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

from harness.case import Case
from harness.lanes import lanes_of
from harness.ledger import Ledger, ledger
from harness.proof import walk
from harness.subjects.core import CoreSession
from harness.tool_schemas import check_calls
from harness.verdict import CaseResult, RunResult, Verdict

from .exhibits import DONE, call, chat, sse
from .report_runs import HOSTILE, case, passing, rule_broken

WEATHER = {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"required": ["x"]}}}]}


def stream(*deltas: dict[str, object], end: bool = True) -> bytes:
    """A chat stream of those pieces of calls, each in a chunk of its own."""
    events = [sse(chat({"tool_calls": [delta]})) for delta in deltas]
    return b"".join(events) + (sse(chat(finish="tool_calls")) + DONE if end else b"")


def even(body: bytes, size: int) -> tuple[int, ...]:
    """The lengths of chunks of ``size`` bytes."""
    return tuple(len(body[at : at + size]) for at in range(0, len(body), size))


def drawn(
    body: bytes,
    name: str = "openai-chat/tool",
    *,
    size: int = 100,
    dialect: str = "openai-chat",
    wrong: Sequence[int] = (),
    **changes: object,
) -> CaseResult:
    """The result of a case, with its lanes; ``wrong`` are the entries whose text is not what their bytes say."""
    replayed = Case(name, dialect, body, even(body, size) if size else (), request={"body": WEATHER})
    walked = walk(CoreSession(dialect), body)
    account = spoilt(ledger(replayed, walked), wrong)
    fault = account.fault()
    calls = check_calls(replayed, walked.parts)
    facts = {"body_bytes": len(body), "sha256": replayed.sha256, "chunks": replayed.chunks, "calls": calls}
    if fault is not None:
        broken = rule_broken(against="argument-ledger", plan="bytes", note=fault.message)
        facts |= {"verdict": Verdict.FAIL, "differences": (broken,)}
    return case(
        name,
        **facts,
        argument_chars=account.characters,
        located_chars=account.located,
        lanes=lanes_of(account, fault, walked.parts),
        **changes,
    )


def spoilt(account: Ledger, wrong: Sequence[int]) -> Ledger:
    """``account`` with another character at the end of those entries."""
    entries = [
        dataclasses.replace(entry, delta=f"{entry.delta[:-1]}~") if at in wrong else entry
        for at, entry in enumerate(account.entries)
    ]
    return dataclasses.replace(account, entries=tuple(entries))


INTERLEAVED = stream(
    call(0, "", "f", "a"), call(1, "", "g", "b"), call(0, '{"x":'), call(1, '{"é":'), call(0, "1}"), call(1, "2}")
)
LONG = "".join(f"{at:05} " for at in range(200))


def many(calls: int, pieces: int) -> bytes:
    """A stream of ``calls`` calls, each in ``pieces`` pieces."""
    deltas = []
    for index in range(calls):
        words = [json.dumps(f"{index}-{at}")[1:-1] for at in range(pieces)]
        deltas += [call(index, "[0", f"t{index}", f"c{index}"), *(call(index, f",{word}") for word in words)]
    return stream(*deltas, end=False)


def hostile_call() -> CaseResult:
    """A call whose name, id and arguments were chosen by someone who wants the page."""
    text = HOSTILE.replace("\ud83d", "")
    body = stream(call(0, "", text, text), call(0, json.dumps({"x": text}, ensure_ascii=False)), call(0, " "))
    return drawn(body.replace(b"logprobs", b"\xff\xfe"), f"openai-chat/{HOSTILE}")


def written_anew(name: str = "gemini-generateContent/tool") -> CaseResult:
    """A call whose arguments are charged to their frame, for the wire has them in another spelling."""
    parts = [{"functionCall": {"name": "f", "args": {"a": 1}}}]
    chunk = {"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]}
    body = f"data: {json.dumps(chunk)}\r\n\r\n".encode()
    return drawn(body, name, size=0, dialect="gemini-generateContent")


def calling() -> RunResult:
    """Calls of every kind: exact, broken, charged to a frame, hostile, too many, and a case without any."""
    return passing(
        cases=(
            drawn(INTERLEAVED),
            drawn(INTERLEAVED, "openai-chat/broken", wrong=[2]),
            written_anew(),
            hostile_call(),
            drawn(many(12, 30), "openai-chat/many"),
            drawn(stream(call(0, LONG, "f", "a")), "openai-chat/long"),
            case(),
        )
    )
