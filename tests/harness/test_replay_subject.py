"""HTTP clients as subjects: the page that explains them is run, and the client meets exactly the planned chunks."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from harness.cassette import load
from harness.divergence import Divergences
from harness.golden import GoldenStore
from harness.replay.player import NoRecordingError
from harness.runner import Check, check_case, plans_from
from harness.subjects.core import CoreSubject
from harness.subjects.http_client import HttpSubject
from harness.subjects.load import SubjectError, load_subject
from harness.verdict import Verdict
from streamcore import Decoder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from harness.case import Case

ROOT = Path(__file__).resolve().parents[2]
*_, PAGE = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "write-a-subject.md").read_text("utf-8"), re.DOTALL)
[TOOLS] = load(ROOT / "cassettes" / "openai-chat" / "parallel-tools.yaml").cases()
[CUT] = load(ROOT / "cassettes" / "openai-chat" / "cut-mid-arguments.yaml").cases()
[RESET] = load(ROOT / "cassettes" / "openai-chat" / "reset-mid-text.yaml").cases()
[BINARY] = load(ROOT / "cassettes" / "bedrock-converse-stream" / "tool.yaml").cases()


def check(spec: str) -> Check:
    plans = plans_from(("whole", "bytes", "recorded", "random:1", "cut@900"))
    return Check(spec, plans, Divergences.load(ROOT / "golden" / "divergences.yaml"))


def decoded(case: Case, chunks: Any) -> Iterator[Any]:
    decoder = Decoder(case.dialect)
    for chunk in chunks:
        yield from (part.as_json() for part in decoder.feed(chunk))
    yield from (part.as_json() for part in decoder.close())


def with_client(client: httpx.Client, case: Case) -> Iterator[Any]:
    with client.stream("POST", "/v1/anything", json={}) as response:
        yield from decoded(case, response.iter_raw())


async def generating(client: httpx.AsyncClient, case: Case) -> AsyncIterator[Any]:
    async with client.stream("POST", "/v1/anything", json={}) as response:
        chunks = [chunk async for chunk in response.aiter_raw()]
    for part in decoded(case, chunks):
        yield part


async def returning(client: httpx.AsyncClient, case: Case) -> list[Any]:
    return [part async for part in generating(client, case)]


def by_address(base_url: str, case: Case) -> list[Any]:
    with httpx.Client(base_url=base_url, verify=False) as client:  # noqa: S501 - certificates take long to load
        return list(with_client(client, case))


async def by_address_asynchronously(base_url: str, case: Case) -> list[Any]:
    async with httpx.AsyncClient(base_url=base_url, verify=False) as client:  # noqa: S501 - loopback, no TLS: certificates only cost time
        return await returning(client, case)


KINDS = [with_client, generating, returning, by_address, by_address_asynchronously]


def test_the_page_passes_as_the_core_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "page_client.py").write_text(PAGE)
    monkeypatch.syspath_prepend(str(tmp_path))
    subject = load_subject("http:page_client:run")
    assert (subject.name, subject.claims("openai-chat"), subject.claims("mistral")) == ("page_client:run", True, False)
    for case in (TOOLS, CUT, RESET):
        core = check_case(case, CoreSubject(), check("streamcore"), GoldenStore(ROOT / "golden"))
        result = check_case(case, subject, check("http:page_client:run"), GoldenStore(ROOT / "golden"))
        assert (result.verdict, result.parts) == (core.verdict, core.parts)
    assert check_case(BINARY, subject, check("x"), GoldenStore(ROOT / "golden")).verdict is Verdict.NOT_CLAIMED
    sys.modules.pop("page_client")


@pytest.mark.parametrize("run", KINDS)
@pytest.mark.parametrize("case", [TOOLS, CUT, BINARY], ids=lambda case: case.id)
def test_every_kind_of_callable_gives_the_parts_of_the_core(run: Any, case: Case) -> None:
    subject = HttpSubject(run, "mine")
    for size in (97, 1000, len(case.body)):
        core, session = CoreSubject().open(case), subject.open(case)
        expected, got = [], []
        for at in range(0, len(case.body), size):
            expected += core.feed(case.body[at : at + size])
            got += session.feed(case.body[at : at + size])
        assert got == []
        assert session.close() == expected + core.close()


@pytest.mark.parametrize("run", [with_client, by_address])
@pytest.mark.parametrize("size", [1, 60, 5000])
def test_the_chunks_are_exactly_those_that_were_fed(run: Any, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []

    def spy(_: Case, chunks: Any) -> Iterator[Any]:
        seen.extend(chunks)
        yield {"type": "stream-start"}

    monkeypatch.setattr(sys.modules[__name__], "decoded", spy)
    session, pieces = HttpSubject(run, "mine").open(TOOLS), [TOOLS.body[at : at + size] for at in range(0, 600, size)]
    for piece in pieces:
        session.feed(piece)
    assert session.close() == [{"type": "stream-start"}]
    assert seen == pieces


def test_the_answer_has_the_content_type_of_its_dialect() -> None:
    kinds = []

    def run(client: httpx.Client, _: Case) -> list[Any]:
        kinds.append(client.get("/").headers["content-type"].partition(";")[0])
        return []

    for case in (TOOLS, BINARY):
        HttpSubject(run, "mine").open(case).close()
    assert kinds == ["text/event-stream", "application/vnd.amazon.eventstream"]


def asks_twice(client: httpx.Client, case: Case) -> list[Any]:
    client.get("/")
    return list(with_client(client, case))


def swallows(base_url: str, case: Case) -> list[Any]:
    return [{"type": "error", "status": [httpx.get(base_url).status_code for _ in range(2)][1]}]


@pytest.mark.parametrize(
    ("run", "error", "what"),
    [
        (lambda _client, _case: [], NoRecordingError, "openai-chat/parallel-tools: nothing was asked for"),
        (asks_twice, NoRecordingError, "asked for a second time"),
        (swallows, NoRecordingError, "asked for a second time"),
        (lambda client, _case: [client.get("/").status_code], TypeError, "mine gave 200, which is not a part"),
        (lambda _client, case: [case.nothing], AttributeError, "nothing"),
        (lambda client, _case: client.get("/").read() and None, TypeError, "returned None: return the parts, or yield them"),
        (lambda _client, _case: httpx.get("http://127.0.0.1:1"), NoRecordingError, "else than its first argument, and got Conn"),
    ],
)
def test_a_callable_that_misbehaves_is_told_so_and_the_next_stream_is_fine(run: Any, error: Any, what: str) -> None:
    subject = HttpSubject(run, "mine")
    for size in (10, 5000):
        session = subject.open(TOOLS)
        for at in range(0, len(TOOLS.body), size):
            session.feed(TOOLS.body[at : at + size])
        with pytest.raises(error, match=what):
            session.close()
    subject._run = with_client if not subject._by_address else by_address
    session = subject.open(TOOLS)
    session.feed(TOOLS.body)
    assert session.close()[-1]["type"] == "finish"


def test_a_specification_that_names_no_such_callable_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "odd_client.py").write_text("def run(client): pass\nnumber = 3\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for spec, what in [
        ("http:odd_client:run", r"odd_client:run does not take \(client, case\) or \(base_url, case\)"),
        ("http:odd_client:number", "does not take"),
        ("http:odd_client:none", "has no 'none'"),
        ("http:odd_client", "http:package.module:callable"),
        ("http:no_such_client:run", "cannot import no_such_client"),
    ]:
        with pytest.raises(SubjectError, match=what):
            load_subject(spec)
    sys.modules.pop("odd_client")


def test_without_dialects_all_are_claimed_but_no_bare_framing() -> None:
    subject = HttpSubject(with_client, "mine")
    assert subject.claims("openai-chat")
    assert subject.claims("bedrock-converse-stream")
    assert not subject.claims("sse")
