"""``record PROVIDER``: each provider is asked as it wants to be asked, what comes is kept as it came, no key gets out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from click.testing import CliRunner, Result

from harness.cassette import Cassette, load
from harness.record.cli import record
from harness.record.live import command
from harness.record.live.apis import APIS, LOCAL, NAMES
from harness.record.live.asks import NAMES as MATRIX
from harness.record.live.asks import asks
from harness.record.live.prices import price_of

from .fake_providers import KEYS, PROJECT, SIZE, Fakes, Pieces, answered, environment, leaks, simulated, streams
from .planted_secrets import made

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Fakes:
    """All providers; nothing else can be reached."""
    fakes = Fakes(public_key=environment(monkeypatch, tmp_path))
    monkeypatch.setattr(command, "network", lambda: fakes.transport)
    return fakes


def run(out: Path, *args: object) -> Result:
    return CliRunner().invoke(record, [*map(str, args), "--out", str(out)])


def cassettes(out: Path) -> dict[str, Cassette]:
    return {f"{path.parent.name}/{path.stem}": load(path) for path in sorted(out.glob("*/*.yaml"))}


def test_each_provider_is_asked_with_its_own_authentication(fakes: Fakes, tmp_path: Path) -> None:
    out, said = tmp_path / "out", ""
    for provider in NAMES:
        if provider != LOCAL:
            result = run(out, provider, "--scenario", "unicode", "--scenario", "tool")
            said += result.output
            assert result.exit_code == 0, result.output
    found = cassettes(out)
    apis = [api for api in APIS if api.provider != LOCAL]
    assert set(found) == {f"{api.dialect}/live-{name}" for api in apis for name in ("unicode", "tool")}
    assert len(fakes.asked) == 2 * len(found), "a stream and its twin each"
    for name, cassette in found.items():
        dialect, _, scenario = name.partition("/live-")
        stream, twin = cassette.interactions
        body = simulated(dialect, scenario)
        assert stream.body == body
        assert stream.stream.chunks == (*[SIZE] * (len(body) // SIZE), *filter(None, [len(body) % SIZE]))
        assert (stream.stream.end, cassette.recorded.provenance, twin.twin) == ("complete", "live", True)
        assert b'"stream":true' not in (twin.request_body or b"")
        assert "stream" not in twin.uri.lower()
        (case,) = cassette.cases()
        assert case.twin == twin.body
    text = said + "".join(path.read_text() for path in out.glob("*/*.yaml"))
    assert leaks(text, fakes.secrets) == []
    assert "projects/example" not in text, "the project is the user's own, masked"
    assert all(PROJECT in str(request.url) for dialect, request in fakes.asked if dialect.startswith("vertex"))


def test_what_fails_does_not_lose_the_others_and_is_asked_again(fakes: Fakes, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def trouble(dialect: str, request: httpx.Request) -> httpx.Response | None:
        asked = request.content.decode()
        if "Repeat exactly" in asked:
            key = KEYS["ANTHROPIC_API_KEY"]
            body = {"error": {"type": "overloaded_error", "message": f"try later, {key}"}}
            return httpx.Response(529, json=body, headers={"retry-after": "0", "x-internal": key})
        if "one thing you can do" in asked and streams(request):
            headers = {"content-type": "text/event-stream"}
            return httpx.Response(200, headers=headers, stream=Pieces(simulated(dialect, "text"), httpx.ReadError("x")))
        if "Think, then" in asked:
            raise httpx.ConnectError("no route")
        if "single word in German" in asked and streams(request):
            return httpx.Response(200, headers={"content-type": "text/html"}, content=b"<html>")
        if "the word yes" in asked and not streams(request):
            return httpx.Response(500, json={"error": "twins are down"})
        return None

    fakes.respond = trouble
    first = run(out, "anthropic")
    assert first.exit_code == 1, first.output
    found = cassettes(out)
    whole = {name.partition("live-")[2] for name in found}
    assert whole == set(MATRIX) - {"unicode", "text", "reasoning", "system"} | {"unicode-status-529", "text-cut"}
    overloaded = found["anthropic-messages/live-unicode-status-529"].interactions[0]
    assert (overloaded.status, dict(overloaded.response_headers)["retry-after"]) == (529, "0")
    assert found["anthropic-messages/live-text-cut"].interactions[0].stream.end == "reset"
    assert len(found["anthropic-messages/live-usage"].interactions) == 1
    assert "no twin: answered 500" in first.output
    assert "9 recorded, 4 failed" in first.output
    assert "no answer (ConnectError: no route)" in first.output
    assert "text/html, not an event stream" in first.output
    text = first.output + "".join(path.read_text() for path in out.glob("*/*.yaml"))
    assert leaks(text, fakes.secrets) == []
    fakes.respond, before = lambda _, __: None, len(fakes.asked)
    again = run(out, "anthropic")
    assert again.exit_code == 0, again.output
    assert "9 kept" in again.output
    assert len(fakes.asked) - before == 8, "the four that were missing, and their twins"


def test_refused_credentials_are_not_tried_again(fakes: Fakes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = made(36, seed=40)
    for name in ("OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, wrong)
    for provider, apis in (("openai", 2), ("bedrock", 2)):
        fakes.asked.clear()
        result = run(tmp_path / "out", provider)
        assert result.exit_code == 3, result.output
        assert len(fakes.asked) == apis
        assert "answered 401 Unauthorized" in result.output
        assert "not asked: the credentials were refused" in result.output
        assert leaks(result.output, [wrong, *fakes.secrets]) == []
    assert not (tmp_path / "out").exists()


def test_a_dry_run_asks_nobody_and_says_what_it_would(
    fakes: Fakes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "network", lambda: pytest.fail("a dry run has no network"))
    monkeypatch.delenv("XAI_API_KEY")
    said = {name: run(tmp_path / "out", name, "--dry-run").output for name in NAMES}
    assert leaks("".join(said.values()), [*KEYS.values(), PROJECT]) == []
    assert "environment variable XAI_API_KEY: not there" in said["xai"]
    assert "AWS_SECRET_ACCESS_KEY: found" in said["bedrock"]
    assert "authorization: AWS4-HMAC-SHA256 ***" in said["bedrock"]
    assert "the file that GOOGLE_APPLICATION_CREDENTIALS names: found" in said["vertex"]
    assert "x-api-key: ***" in said["anthropic"]
    assert "POST https://api.openai.com/v1/responses  {" in said["openai"]
    assert f"{tmp_path}/out/gemini-generateContent/live-tool.yaml  (at most USD 0.0" in said["gemini"]
    assert "23 of 23 scenarios to record: at most USD 0.0000" in said["local"]
    assert not (tmp_path / "out").exists()
    monkeypatch.delenv("AZURE_OPENAI_ENDPOINT")
    assert "missing: azure: no address: set AZURE_OPENAI_ENDPOINT" in run(tmp_path, "azure", "--dry-run").output


def test_no_more_is_spent_than_was_allowed(fakes: Fakes, tmp_path: Path) -> None:
    # One scenario of this model costs USD 0.0125 at most; the simulated answer says it took next to nothing.
    poor = run(tmp_path / "poor", "anthropic", "--scenario", "text", "--scenario", "tool", "--max-cost", "0.001")
    assert (poor.exit_code, fakes.asked) == (3, [])
    assert "it could cost USD 0.01" in poor.output
    some = run(tmp_path / "some", "anthropic", "--scenario", "tool", "--scenario", "text", "--max-cost", "0.0130")
    assert "about USD 0.0" in some.output
    unknown = run(tmp_path / "new", "openai", "--model", "gpt-9-huge", "--scenario", "unicode")
    assert unknown.exit_code == 2
    assert "no price is known for gpt-9-huge" in unknown.output
    assert "--max-cost unlimited" in unknown.output
    assert (
        run(
            tmp_path / "new", "openai", "--model", "gpt-9-huge", "--scenario", "unicode", "--max-cost", "unlimited"
        ).exit_code
        == 0
    )


def test_ctrl_c_keeps_what_is_done(fakes: Fakes, tmp_path: Path) -> None:
    def stop(dialect: str, request: httpx.Request) -> httpx.Response | None:
        if len(fakes.asked) < 6:
            return None
        body = simulated(dialect, "unicode")
        return httpx.Response(
            200, headers={"content-type": "text/event-stream"}, stream=Pieces(body, KeyboardInterrupt())
        )

    fakes.respond = stop
    result = run(tmp_path / "out", "xai", "--dialect", "xai-chat", "--no-twin")
    assert result.exit_code == 130
    assert "interrupted: 5 recorded, 8 not asked" in result.output
    assert len(cassettes(tmp_path / "out")) == 5


def test_a_false_alarm_can_be_named_and_a_secret_cannot(
    fakes: Fakes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, key = made(44, seed=50), made(40, "0123456789abcdef", seed=51)
    monkeypatch.setenv("OPENAI_API_KEY", key)
    monkeypatch.setitem(KEYS, "OPENAI_API_KEY", key)
    args = ("openai", "--dialect", "openai-chat", "--scenario", "text", "--no-twin")

    def answer(text: str) -> Any:
        body = simulated("openai-chat", "text").replace(b'"content":"Hello', f'"content":"{text}'.encode(), 1)
        return lambda _, __: httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Pieces(body))

    fakes.respond = answer(looks)
    refused = run(tmp_path, *args)
    assert refused.exit_code == 3
    assert "looks like a secret: random token" in refused.output
    assert looks not in refused.output
    digest = refused.output.partition("--not-secret ")[2][:12]
    assert run(tmp_path, *args, "--not-secret", "0" * 12).exit_code == 3
    assert run(tmp_path, *args, "--not-secret", "00").exit_code == 2, "too short to mean one value"
    monkeypatch.setenv("MINE", looks)
    masked = run(tmp_path, *args, "--mask-env", "MINE")
    assert masked.exit_code == 0, masked.output
    (path,) = (tmp_path / "openai-chat").glob("*.yaml")
    assert looks not in path.read_text()
    named = run(tmp_path, *args, "--force", "--not-secret", digest)
    assert named.exit_code == 0, named.output
    assert looks in path.read_text()
    # A key in use that is spelled over two deltas is masked; behind a percent sign it is refused, whatever its digest.
    fakes.respond = answer(
        f'{looks} {key[:20]}"}}}}]}}\n\ndata: {{"choices":[{{"index":0,"delta":{{"content":"{key[20:]}'
    )
    spelled = run(tmp_path, *args, "--force", "--not-secret", digest)
    assert spelled.exit_code == 0, spelled.output
    assert not any(part in path.read_text() for part in (key[:20], key[20:]))
    fakes.respond = answer(f"{key[:20]}%{ord(key[20]):x}{key[21:]}")
    spelled = run(tmp_path, *args, "--force", "--not-secret", digest)
    assert spelled.exit_code == 3, spelled.output
    assert "secret-in-use" in spelled.output
    assert leaks(spelled.output, [key]) == []
    assert looks in path.read_text(), "what was there is kept"


def test_keys_come_from_the_files_of_the_providers_own_tools(
    fakes: Fakes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    lines = [f"{name.lower()} = {KEYS[name]}" for name in KEYS if name.startswith("AWS_")]
    (tmp_path / "aws_shared_credentials_file").write_text("\n".join(["[work]", *lines, ""]))
    monkeypatch.delenv("AWS_REGION")
    (tmp_path / "aws_config_file").write_text("[profile work]\nregion = eu-west-1\n")
    args = ("bedrock", "--scenario", "tool", "--dialect", "bedrock-converse-stream")
    none = run(tmp_path / "out", *args)
    assert none.exit_code == 2
    assert "no AWS credentials" in none.output
    monkeypatch.setenv("AWS_PROFILE", "work")
    assert "AWS profile 'work' in the credentials or config file: found" in run(tmp_path, *args, "--dry-run").output
    assert run(tmp_path / "out", *args).exit_code == 0
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "nowhere.json"))
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", PROJECT)
    gone = run(tmp_path / "out", "vertex")
    assert (gone.exit_code, "names a file that is not there" in gone.output) == (2, True)
    monkeypatch.setenv("VERTEX_ACCESS_TOKEN", fakes.secrets[len(KEYS)])
    assert run(tmp_path / "out", "vertex", "--scenario", "tool").exit_code == 0


@pytest.mark.parametrize(
    ("args", "unset", "what"),
    [
        (("opnai",), "", "did you mean openai?"),
        (("openai", "--scenario", "tol"), "", "did you mean tool?"),
        (("openai", "--dialect", "cohere-v2"), "", "unknown dialect"),
        (("openai",), "OPENAI_API_KEY", "no API key: set OPENAI_API_KEY"),
        (("azure",), "AZURE_OPENAI_ENDPOINT", "set AZURE_OPENAI_ENDPOINT"),
        (("openai", "--from", "http://api.example.com/v1"), "", "in clear"),
        (("openai", "--max-cost", "much"), "", "neither a number"),
        (("openai", "--mask-env", "NOT_SET_ANYWHERE"), "", "is not set"),
        (("local", "--model", "big"), "", "--model and --from are for others"),
    ],
)
def test_bad_usage_is_said_before_anything_is_asked(
    args: tuple[str, ...], unset: str, what: str, fakes: Fakes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if unset:
        monkeypatch.delenv(unset)
    result = run(tmp_path / "out", *args)
    assert (result.exit_code, fakes.asked) == (2, []), result.output
    assert what in result.output
    monkeypatch.setenv("OPENAI_API_KEY", "line one\nline two")
    bad = run(tmp_path / "out", "openai")
    assert (bad.exit_code, "line" in bad.output.replace("a line break", "")) == (2, False)


def test_the_tables_are_whole() -> None:
    for api in APIS:
        known = asks(api)
        if api.provider != LOCAL:
            assert set(known) == set(MATRIX), api.dialect
            assert price_of(api.model) is not None, api.model
        for ask in known.values():
            assert ask.limit(api.model) <= 4000, f"{api.dialect}/{ask.name}: who pays for that?"
    assert price_of("us.anthropic.claude-haiku-4-5-20251001-v1:0") == price_of("claude-haiku-4-5@20251001")
    assert price_of("gpt-5-nano-2025-08-07") == price_of("gpt-5-nano")
    assert price_of("gpt-5-nano-huge") is None, "another model is not the same model"


def test_an_http_error_of_an_address_is_recorded_and_replaces_no_stream(tmp_path: Path, fakes: Fakes) -> None:
    del fakes
    from harness.record.simulator import Answer, Simulator

    headers = (("content-type", "application/json"), ("retry-after", "7"))
    error = Answer((b'{"error":', b'{"type":"rate_limit"}}'), status=429, headers=headers)
    answers = [error, Answer((b"data: {}\n\n", b"data: [DONE]\n\n")), error]
    with Simulator(lambda _, __: answers.pop(0)) as simulator:
        args = (
            "--dialect",
            "openai-chat",
            "--scenario",
            "x",
            "--from",
            simulator.address,
            "--prompt",
            "p",
            "--model",
            "m",
        )
        first = run(tmp_path, *args)
        assert first.exit_code == 0, first.output
        assert "status 429" in first.output
        kept = load(tmp_path / "openai-chat/x.yaml").interactions[0]
        assert (kept.status, dict(kept.response_headers)["retry-after"], kept.stream.chunks) == (429, "7", (9, 22))
        assert run(tmp_path, *args, "--force").exit_code == 0
        worse = run(tmp_path, *args, "--force")
    assert (worse.exit_code, load(tmp_path / "openai-chat/x.yaml").interactions[0].status) == (3, 200)
    assert "what is there is a stream, and is kept" in worse.output


def test_answers_are_made_by_the_simulator() -> None:
    request = httpx.Request("POST", "https://api.openai.com/v1/chat/completions", content=b'{"stream":true}')
    assert b"".join(answered("openai-chat", request).iter_raw()) == simulated("openai-chat", "unicode")
