"""Subjects in another process: the page that explains them is run, and children that misbehave cost one case each."""

from __future__ import annotations

import base64
import functools
import json
import re
import sys
from dataclasses import replace
from functools import partial
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from harness.cassette import load
from harness.child import Child, ChildError
from harness.divergence import Divergences
from harness.golden import GoldenStore
from harness.oracle import OracleError, find_node
from harness.proof import prove, walk
from harness.rules import cut_is_legal
from harness.runner import Check, check_case, plans_from
from harness.subjects.core import CoreSubject
from harness.subjects.load import SubjectError, load_subject
from harness.subjects.process import ProcessError, ProcessSubject
from harness.subjects.reference import ReferenceSubject, without_known_alarms
from harness.trace import trace_lines
from harness.verdict import Verdict

ROOT = Path(__file__).resolve().parents[2]
IN_PROCESS, PROGRAM, *_ = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "write-a-subject.md").read_text("utf-8"), re.DOTALL)
SCHEMA = json.loads(resources.files("harness").joinpath("schemas/subject-protocol.schema.json").read_text("utf-8"))
[TOOLS] = load(ROOT / "cassettes" / "openai-chat" / "parallel-tools.yaml").cases()
[CUT] = load(ROOT / "cassettes" / "openai-chat" / "cut-mid-arguments.yaml").cases()
[OTHER] = load(ROOT / "cassettes" / "anthropic-messages" / "text.yaml").cases()
PLANS = ("whole", "bytes", "random:1", "cut-at-every-byte")
SAMPLED = ("every-split", "cut-at-every-byte")


@functools.cache
def check(spec: str, plans: tuple[str, ...] = PLANS) -> Check:
    return Check(spec, plans_from(plans), Divergences.load(ROOT / "golden" / "divergences.yaml"))


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The program of the page, with the module of the page beside it."""
    (tmp_path / "mymodule.py").write_text(IN_PROCESS)
    (tmp_path / "mine.py").write_text(PROGRAM)
    return tmp_path / "mine.py"


def child(folder: Path, source: str) -> list[str]:
    """A command that answers ``hello`` and then does what ``source`` says with each ``question``."""
    path = folder / "odd.py"
    path.write_text(
        "import json, sys, time\n"
        "def say(question, **rest): print(json.dumps({'op': question['op'], 'id': question['id'], **rest}), flush=True)\n"
        "for line in sys.stdin:\n"
        "    question = json.loads(line)\n"
        "    if question['op'] == 'hello':\n"
        "        say(question, v=1, name='odd', version='1', dialects=['openai-chat'], capabilities=['feed'])\n"
        "        continue\n" + "".join(f"    {line}\n" for line in source.splitlines())
    )
    return [sys.executable, str(path)]


@pytest.mark.parametrize("capability", ["run", "feed"])
def test_the_program_of_the_page_passes_as_the_core_does(program: Path, capability: str) -> None:
    """Both ways of asking give verdicts; the parts are those of the core, and with ``feed`` they come out at the same bytes."""
    program.write_text(PROGRAM.replace('["run", "feed"]', f'["{capability}"]'))
    subject = ProcessSubject([sys.executable, str(program)])
    for case in (TOOLS, CUT) if capability == "run" else (CUT,):  # a question for each chunk, and there are thousands
        core = check_case(case, CoreSubject(), check("streamcore"), GoldenStore(ROOT / "golden"))
        result = check_case(case, subject, check("process:mine"), GoldenStore(ROOT / "golden"))
        assert (result.verdict, result.parts) == (core.verdict, core.parts)
        assert sum(plan.chunkings for plan in result.plans) > 200, case.id
    session, own = subject.open(TOOLS), CoreSubject().open(TOOLS)
    steps = [(session.feed(TOOLS.body[at : at + 9]), own.feed(TOOLS.body[at : at + 9])) for at in range(0, len(TOOLS.body), 9)]
    assert all(theirs == (ours if capability == "feed" else []) for theirs, ours in steps)
    assert [*(part for theirs, _ in steps for part in theirs), *session.close()] == [
        *(part for _, ours in steps for part in ours),
        *own.close(),
    ]
    assert check_case(OTHER, subject, check("process:mine"), GoldenStore(ROOT / "golden")).verdict is Verdict.NOT_CLAIMED
    subject.close()


def test_a_defect_of_a_child_is_found(program: Path) -> None:
    """The one that forgets what a chunk left over."""
    module = program.with_name("mymodule.py")
    module.write_text(IN_PROCESS.replace("self.decoder.feed(chunk)", "self.decoder.feed(chunk if len(chunk) > 1 else b'')"))
    subject = ProcessSubject([sys.executable, str(program)])
    quick = replace(check("x", ("whole", "bytes")), minimal=False)
    result = check_case(CUT, subject, quick, GoldenStore(ROOT / "golden"))

    assert result.verdict is Verdict.FAIL
    assert "bytes" in {difference.plan for difference in result.differences}


def test_many_chunkings_are_one_question(program: Path) -> None:
    subject = ProcessSubject([sys.executable, str(program)])
    size = len(TOOLS.body)
    cut = [[size], [1] * size, [5, size - 5], [size - 30]]
    asked = {"case": {"id": TOOLS.id, "dialect": TOOLS.dialect}, "body": base64.b64encode(TOOLS.body).decode()}
    answer = subject.ask("run", **asked, chunkings=cut, trace=False)

    digests = [result["digest"] for result in answer["results"]]
    assert digests[0] == digests[1] == digests[2] != digests[3]
    assert all(set(result) == {"digest"} for result in answer["results"])


@pytest.mark.parametrize("capabilities", ['["run", "feed"]', '["run"]'])
def test_a_plan_asks_about_many_chunkings_at_once(program: Path, capabilities: str) -> None:
    """Two hundred of them in a handful of questions, beside those of the walk; and what is wrong is seen all the same."""
    program.write_text(PROGRAM.replace('["run", "feed"]', capabilities))
    module = program.with_name("mymodule.py")
    lossy = IN_PROCESS.replace("self.decoder.feed(chunk)", "self.decoder.feed(chunk if not 60 < len(chunk) < 70 else b'')")
    assert lossy != IN_PROCESS
    case = replace(CUT, body=CUT.body[:400])
    for text in (IN_PROCESS, lossy):
        module.write_text(text)
        subject = ProcessSubject([sys.executable, str(program)])
        walked = walk(subject.open(case), case.body)
        before = subject._questions
        split, cut = (prove(plan, case, partial(subject.open, case), walked, cut_is_legal) for plan in plans_from(SAMPLED))
        assert subject._questions - before < 16
        assert cut.chunkings == 200
        assert cut.broken is None
        if text == lossy:
            assert split.broken is not None
            assert split.broken[0].name in {f"split@{at}" for at in range(61, 70)}
            assert split.broken[1] != walked.parts
        else:
            assert (split.broken, split.chunkings) == (None, 200)
        subject.close()


def test_an_answer_about_another_number_of_chunkings(tmp_path: Path) -> None:
    command = child(tmp_path, "say(question, results=[{'digest': 'a'}])")
    Path(command[1]).write_text(Path(command[1]).read_text().replace("['feed']", "['run']"))
    subject = ProcessSubject(command)
    for chunkings, trace, what in (([[1], [1]], False, "the digests of 2"), ([[1]], True, "the parts of 1")):
        with pytest.raises(ProcessError, match=f"run: asked for {what} chunkings, it answered something else"):
            subject.run(TOOLS, b"x", chunkings, trace=trace)
    subject.close()


MISBEHAVIOUR = {
    "dies": ("raise ValueError('out of cheese')", "stopped at feed: ValueError: out of cheese"),
    "ends": ("break", "stopped at feed: no message"),
    "no JSON": ("print('ready', flush=True)", "stopped at feed: answered a line that is no JSON object: 'ready'"),
    "no object": ("print('[1]', flush=True)", "stopped at feed: answered a line that is no JSON object: '[1]'"),
    "no parts": ("say(question)", "an answer to feed 2 that is none: $: 'parts' is a required property"),
    "parts without types": ("say(question, parts=[{}])", "an answer to feed 2 that is none: $.parts[0]: 'type' is a required"),
    "another question": ("say({'op': 'feed', 'id': 7}, parts=[])", "an answer to feed 2 that is none: it is about feed 7"),
    "says so": ("say(question, error={'message': 'no such dialect'})", "feed: no such dialect"),
    "hangs": ("time.sleep(60)", "no answer to feed in 0.5 s"),
}


@pytest.mark.parametrize("name", MISBEHAVIOUR)
def test_a_child_that_misbehaves_costs_one_case(tmp_path: Path, name: str) -> None:
    source, message = MISBEHAVIOUR[name]
    subject = ProcessSubject(child(tmp_path, source), limit_s=0.5 if name == "hangs" else 20)
    goldens = GoldenStore(ROOT / "golden")

    for _ in range(2):  # the second time it is a fresh process, or the same one in its right mind
        result = check_case(TOOLS, subject, check("process:odd", ("whole",)), goldens)
        assert result.verdict is Verdict.ERROR
        assert message in re.sub(r"feed \d+ that", "feed 2 that", result.reason)
    subject.close()


HELLOS = {
    "another version": ("v=2, name='a', version='', dialects=[], capabilities=['run']", "speaks version 2 of the protocol, not 1"),
    "nothing to ask": ("v=1, name='a', version='', dialects=[], capabilities=[]", "$.capabilities: [] should be non-empty"),
    "no name": ("v=1, version='', dialects=[], capabilities=['run']", "'name' is a required property"),
}


@pytest.mark.parametrize("name", HELLOS)
def test_a_hello_that_cannot_be_used(tmp_path: Path, name: str) -> None:
    fields, message = HELLOS[name]
    command = child(tmp_path, "")
    path = Path(command[1])
    path.write_text(re.sub(r"say\(question, v=1.*\)\n", f"say(question, {fields})\n", path.read_text()))
    with pytest.raises(ProcessError, match=re.escape(message)):
        ProcessSubject(command)


@pytest.mark.parametrize(("spec", "message"), [
    ("process:", "no command: write process:PROGRAM ARGUMENT..."),
    ("process:no-such-program x", "no-such-program: cannot be started: No such file or directory"),
    ("process:true", "true: stopped at hello: no message"),
])
def test_a_command_that_cannot_be_used_is_one_line(spec: str, message: str) -> None:
    with pytest.raises(SubjectError) as caught:
        load_subject(spec)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_old_session_is_over_when_the_next_begins(program: Path) -> None:
    subject = ProcessSubject([sys.executable, str(program)])
    old = subject.open(TOOLS)
    old.feed(TOOLS.body[:10])
    subject.open(TOOLS)
    with pytest.raises(ProcessError, match="one stream after another"):
        old.feed(b"x")


def test_a_child_gets_our_environment_or_the_one_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_OURS", "seen")
    source = "import json, os, sys\nfor line in sys.stdin: print(json.dumps({'is': os.environ.get('OF_OURS')}), flush=True)"
    for environment, seen in ((None, "seen"), ({}, None)):
        one = Child([sys.executable, "-c", source], None, environment)
        assert one.ask({}, 30) == {"is": seen}
        assert one.running
        one.close()
        assert not one.running
    with pytest.raises(ChildError, match="cannot be started"):
        Child(["./nothing"]).ask({}, 1)


ENDS = {
    "sys.exit(3)": r"no message \(exit code 3\)$",
    "os.kill(os.getpid(), 9)": r"no message \(signal SIGKILL\)$",
    "print('half of it', file=sys.stderr, flush=True); os.kill(os.getpid(), 11)": r"half of it \(signal SIGSEGV\)$",
    "sys.exit('Error: ' + 'y' * 1_000_000)": r"Error: y{293}\.\.\. \(shortened\)$",
    "sys.stderr.write('x' * 1_000_000 + 'Error: the last word'); sys.exit(1)": "x{300}",
    "print('NaN')": "no JSON object: 'NaN'$",
    "print('[' * 100_000)": r"no JSON object: '\[{80}'$",
    "print('z' * 1_000_000)": "answered a line of more than 0 MiB$",
}


def test_a_child_that_breaks_says_how_and_fills_neither_memory_nor_a_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.child._ANSWER_BYTES", 500_000)
    for source, complaint in ENDS.items():
        one = Child([sys.executable, "-S", "-c", f"import os, sys\nsys.stdin.readline()\n{source}\nsys.stdout.flush()"])
        with pytest.raises(ChildError, match=complaint):
            one.ask({}, 30)
        assert not one.running
        assert len(one._said) <= 1 << 17, source
    flood = "import sys\nfor line in sys.stdin:\n sys.stderr.write('x' * 3_000_000)\n print('{}', flush=True)"
    one = Child([sys.executable, "-S", "-c", flood])
    assert [one.ask({}, 30), one.ask({}, 30)] == [{}, {}]
    assert len(one._said) <= 1 << 17
    one.close()


def test_the_messages_of_the_page_and_of_the_docstring_fit_the_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    question = jsonschema.Draft202012Validator({**SCHEMA["$defs"]["question"], "$defs": SCHEMA["$defs"]})
    case = {"id": "a/b", "dialect": "a"}
    for right in (
        {"op": "hello", "id": 1, "v": 1},
        {"op": "run", "id": 1, "case": case, "body": "aGk=", "chunkings": [[1, 1], []], "trace": False},
        {"op": "feed", "id": 1, "case": case, "chunk": ""},
        {"op": "finish", "id": 1},
    ):
        assert question.is_valid(right), right
        assert not question.is_valid({**right, "id": "one"})
    assert not question.is_valid({"op": "run", "id": 1, "case": case, "body": "?", "chunkings": [], "trace": False})
    assert not question.is_valid({"op": "feed", "id": 1})


@pytest.fixture(scope="module")
def reference() -> ReferenceSubject:
    try:
        find_node()
        return ReferenceSubject()
    except (OracleError, ProcessError) as error:
        pytest.skip(str(error))


@pytest.mark.node
@pytest.mark.parametrize("name", ["openai-chat/parallel-tools", "anthropic-messages/tool", "bedrock-converse-stream/text"])
def test_the_reference_gives_its_own_golden_however_cut(name: str, reference: ReferenceSubject) -> None:
    [case] = load(ROOT / "cassettes" / f"{name}.yaml").cases()
    golden = GoldenStore(ROOT / "golden")
    lines = next(list(golden.lines(case, one)) for one in ("ai.openai.chat", "ai.anthropic", "ai.bedrock") if _has(golden, case, one))
    for size in (1, 7, len(case.body)):
        session = reference.open(case)
        for at in range(0, len(case.body), size):
            assert session.feed(case.body[at : at + size]) == []
        assert trace_lines(session.close(), case.body) == lines


@pytest.mark.node
def test_an_alarm_over_the_reference_is_false_unless_a_divergence_says_what_it_does_wrong(reference: ReferenceSubject) -> None:
    goldens, divergences = GoldenStore(ROOT / "golden"), Divergences.load(ROOT / "golden" / "divergences.yaml")
    results = {}
    for name in ("parallel-tools", "cut-mid-arguments", "choices"):
        [case] = load(ROOT / "cassettes" / "openai-chat" / f"{name}.yaml").cases()
        results[name] = check_case(case, reference, check("reference", ("whole", "random:1")), goldens)
    judged = {name: without_known_alarms(result, divergences) for name, result in results.items()}

    assert [result.verdict for result in judged.values()] == [Verdict.PASS, Verdict.DIVERGENCE, Verdict.NOT_CLAIMED]
    cut = results["cut-mid-arguments"]
    assert "finish-unexplained" in {difference.against for difference in cut.differences}
    assert judged["cut-mid-arguments"].reason.startswith("alarms of finish-unexplained")
    assert without_known_alarms(cut, Divergences()).verdict is Verdict.FAIL
    for red in (
        replace(cut, plans=tuple(replace(plan, verdict=Verdict.FAIL) for plan in cut.plans)),
        replace(cut, differences=(replace(cut.differences[0], against="ai.openai.chat"),)),
    ):
        assert without_known_alarms(red, divergences).verdict is Verdict.FAIL


def _has(golden: GoldenStore, case: object, reference: str) -> bool:
    try:
        return bool(golden.lines(case, reference))
    except Exception:  # noqa: BLE001 - the dialect has another reference
        return False
