"""Runs to report, built from the data model: one that passes, and what a report must not be fooled by."""

from __future__ import annotations

import dataclasses
import hashlib
import shlex
from typing import Any

from harness.findings import CutPlace, MinimalCut, WireFinding
from harness.verdict import CaseResult, Difference, MutantResult, PlanResult, ReferenceResult, RunResult, Verdict

DIALECTS = {
    "openai-chat": ("ai.openai.chat", "openai.chat", "sse"),
    "anthropic-messages": ("ai.anthropic", "anthropic", "sse"),
}
SLUGS = (
    "text", "unicode", "reasoning", "tool", "parallel-tools", "tool-no-arguments", "long-arguments", "refusal", "length",
    "cache-usage", "comments", "error-mid-stream", "cut-mid-arguments", "text-then-tool",
)  # fmt: skip
SCRIPT = "<script>document.documentElement.dataset.owned='1'</script>"
HOSTILE = f"{SCRIPT}<img src=x onerror=alert(1)>\"'&\u202eevil\u2066\u200d\ufeff\u2028\ud83d\x1b[31m\x00]]>--><!--"


def difference(**changes: Any) -> Difference:
    """A differing character in a text delta."""
    base = Difference(
        against="ai.anthropic",
        plan="split@1204",
        line=31,
        expected='["text-delta",{"delta":"Ein caf\\u00e9 in Z\\u00fcrich","id":"0"}]',
        actual='["text-delta",{"delta":"Ein caf\\ufffd\\ufffd in Z\\u00fcrich","id":"0"}]',
        column=33,
        utf16_offset=7,
        path="text-delta.delta",
        byte_offset=1204,
        event=12,
        note="what differs, in words",
        reproduce="streamparity check --case anthropic-messages/text --plan split@1204",
    )
    return dataclasses.replace(base, **changes)


def minimal(**changes: Any) -> MinimalCut:
    """One cut inside a character."""
    place = CutPlace(
        offset=1204,
        event=12,
        position="inside a UTF-8 character",
        character="U+00E9 LATIN SMALL LETTER E WITH ACUTE",
        before="63 61 66 C3",
        after="A9 20 69 6E",
        text_before="caf\u27e8C3\u27e9",
        text_after="\u27e8A9\u27e9 in",
    )
    base = MinimalCut(
        plan="split@1204",
        cuts=(place,),
        chunk=None,
        statement="fails if and only if a chunk ends between 0xC3 and 0xA9 of U+00E9 LATIN SMALL LETTER E WITH ACUTE in event 12",
        exact=True,
        runs=2014,
        singles_tried=1999,
        singles_failed=1,
        bounded=False,
        reproduce="streamparity check --case anthropic-messages/text --plan split@1204",
        cause="a character whose bytes come in two chunks is broken: U+00E9 LATIN SMALL LETTER E WITH ACUTE",
    )
    return dataclasses.replace(base, **changes)


def rule_broken(**changes: Any) -> Difference:
    """A broken rule, which has no lines to show."""
    nowhere: dict[str, Any] = dict.fromkeys(("expected", "actual", "utf16_offset", "byte_offset", "event"))
    words = {"against": "cut-is-incomplete", "plan": "cut@77", "line": 0, "column": 0, "path": ""}
    return difference(**{**nowhere, **words, "note": "77 bytes look complete", **changes})


def case(name: str = "openai-chat/text", **changes: Any) -> CaseResult:
    """A case that passes its dialect's references and five plans."""
    dialect = name.split("/", maxsplit=1)[0]
    size = changes.get("body_bytes", 2000 + 37 * (sum(map(ord, name)) % 97))
    plans = (
        PlanResult("whole", 1, 0, 1, sampled=False, verdict=Verdict.PASS),
        PlanResult("bytes", 1, size - 1, 1, sampled=False, verdict=Verdict.PASS),
        *(PlanResult(f"random:{seed}", 1, 90 + seed, 1, sampled=False, verdict=Verdict.PASS) for seed in range(8)),
        PlanResult("every-split", size - 1, size - 1, size - 1, sampled=False, verdict=Verdict.PASS),
        PlanResult("cut-at-every-byte", size, 0, size, sampled=True, verdict=Verdict.PASS),
    )
    base = CaseResult(
        case=name,
        dialect=dialect,
        subject="streamcore",
        verdict=Verdict.PASS,
        body_bytes=size,
        sha256=hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest(),
        provenance="simulator",
        source=f"cassettes/{name}.yaml",
        parts=24,
        frames=18,
        references=tuple(
            ReferenceResult(reference, Verdict.PASS, 24) for reference in DIALECTS.get(dialect, ("ai.other", "sse"))
        ),
        plans=plans,
        chunks=(100,) * (size // 100),
        text="The quick brown fox",
    )
    return dataclasses.replace(base, **changes)


def mutant(name: str = "utf8-per-chunk", **changes: Any) -> MutantResult:
    """A mutant that was caught."""
    base = MutantResult(
        name,
        "decodes each chunk alone, so a character that two chunks share becomes U+FFFD",
        caught=True,
        case="anthropic-messages/unicode",
        plan="bytes",
        difference=difference(plan="bytes"),
        tried=3,
    )
    return dataclasses.replace(base, **changes)


def passing(**changes: Any) -> RunResult:
    """Two dialects, all green."""
    base = RunResult(
        subject="streamcore",
        plan="standard",
        cases=tuple(case(f"{dialect}/{slug}") for dialect in DIALECTS for slug in SLUGS),
        mutants=(mutant(), mutant("crlf-as-blank-line", description="takes CR LF across two chunks for a blank line")),
        versions=(("streamparity", "0.1.0"), ("python", "3.11.2"), ("@ai-sdk/openai", "2.0.1"), ("openai", "6.49.0")),
    )
    return dataclasses.replace(base, **changes)


def hostile() -> RunResult:
    """Failures whose every string was chosen by someone who wants the page."""
    failed = case(
        f"openai-chat/{HOSTILE}",
        verdict=Verdict.FAIL,
        provenance=HOSTILE,
        source=HOSTILE,
        text=HOSTILE,
        reason=HOSTILE,
        warnings=(HOSTILE, HOSTILE, "unterminated_event"),
        differences=(
            difference(
                against="ai.openai.chat",
                expected=f'["text-delta",{{"delta":"a\\u202eb{HOSTILE}","id":"0"}}]',
                actual='["text-delta",{"delta":"a\\u200db\\ud83d","id":"0"}]',
                note=HOSTILE,
                path=HOSTILE,
                reproduce=shlex.join(["streamparity", "check", "--case", f"openai-chat/{HOSTILE}"]),
            ),
            difference(against=HOSTILE, plan=HOSTILE, minimal=minimal(plan=HOSTILE, statement=HOSTILE, reproduce=HOSTILE)),
        ),
    )
    emoji = ("\\ud83d\\ude00" * 2000, "\\ud83d\\ude00" * 1999 + "\\ud83d\\ude01")
    long = case(
        "openai-chat/long-line",
        verdict=Verdict.FAIL,
        differences=(
            difference(
                against="openai.chat",
                expected=f'{{"end":"ok","final":"{"x" * 100_000}Y{"z" * 100_000}"}}',
                actual=f'{{"end":"ok","final":"{"x" * 100_000}y{"z" * 100_000}"}}',
            ),
            difference(
                against="bytes",
                plan="split@7",
                expected=f'["t",{{"d":"{emoji[0]}"}}]',
                actual=f'["t",{{"d":"{emoji[1]}"}}]',
            ),
            difference(against="sse", expected='["frame",{"data":"1"}]', actual=None),
            rule_broken(),
            *(difference(against="sse", plan=f"split@{at}") for at in range(3)),
        ),
    )
    return passing(
        subject=HOSTILE,
        plan=HOSTILE,
        cases=(case(), failed, long),
        mutants=(mutant(HOSTILE, description=HOSTILE, case=HOSTILE, plan=HOSTILE),),
        stale_divergences=(HOSTILE,),
        divergence_reasons=((HOSTILE, HOSTILE),),
        versions=((HOSTILE, HOSTILE),),
        problems=(HOSTILE,),
    )


def troubled() -> RunResult:
    """One of everything: each verdict, a stale divergence, a mutant that got away."""
    references = (
        ReferenceResult("ai.anthropic", Verdict.DIVERGENCE, 24, ("late-usage",)),
        ReferenceResult("anthropic", Verdict.CONFLICT, 1, ("pings-kept",), "root['usage'] has 3 items here, 2 there"),
        ReferenceResult("sse", Verdict.PASS, 18),
    )
    failed = case(
        "anthropic-messages/text",
        verdict=Verdict.FAIL,
        references=(ReferenceResult("ai.anthropic", Verdict.FAIL, 24), ReferenceResult("sse", Verdict.PASS, 18)),
        differences=(difference(minimal=minimal()), rule_broken()),
        wire=(WireFinding(5, "stop while block 0 is in the state stopped"), WireFinding(None, HOSTILE)),
    )
    return passing(
        cases=(
            *(case(f"anthropic-messages/{slug}") for slug in SLUGS[1:6]),
            failed,
            case("anthropic-messages/refusal", verdict=Verdict.DIVERGENCE, references=references[::2]),
            case(
                "anthropic-messages/length",
                verdict=Verdict.CONFLICT,
                references=references[1:],
                differences=(difference(against="anthropic"),),
            ),
            case(
                "openai-chat/text",
                verdict=Verdict.ERROR,
                references=(),
                plans=(),
                parts=0,
                reason="openai-chat/text: no golden of sse in golden",
            ),
            case("openai-chat/tool", verdict=Verdict.NOT_RUN, references=(), plans=(), parts=0, reason="needs Node"),
            case(
                "ollama-ndjson/text",
                verdict=Verdict.NOT_CLAIMED,
                references=(),
                plans=(),
                reason="streamcore does not claim it",
            ),
            case("openai-chat/unicode"),
        ),
        mutants=(mutant(), mutant("merged-by-index", caught=False, case="", plan="", difference=None, tried=28)),
        stale_divergences=("no-longer-there",),
        divergence_reasons=(
            ("late-usage", "The SDK drops usage that comes after the finish reason."),
            ("pings-kept", "Pings are no content."),
        ),
    )


def only_failing() -> RunResult:
    """One difference, and nothing else wrong."""
    failed = case("anthropic-messages/text", verdict=Verdict.FAIL, differences=(difference(),))
    return passing(cases=(*passing().cases[:14], failed))


def vacuous(**changes: Any) -> RunResult:
    """A run that did nothing, and says so nowhere."""
    return passing(**{"cases": (), "mutants": (), **changes})


def large(count: int, failing: int = 0) -> RunResult:
    """``count`` cases, the first ``failing`` of them red."""
    return passing(
        cases=tuple(
            case(f"openai-chat/case-{index:05}", verdict=Verdict.FAIL, differences=(difference(),) * 3)
            if index < failing
            else case(f"openai-chat/case-{index:05}")
            for index in range(count)
        )
    )
