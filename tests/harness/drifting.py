"""A checkout with three recordings, an oracle that says what the goldens say, and an npm that only notes what it was told."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import pytest

from harness import cli
from harness import golden as golden_module
from harness.cassette import Cassette, dumps, load
from harness.drift import document, reference
from harness.oracle import Answer, OracleError

from .checkout import REPOSITORY, TEXT, add, excuse_all, make_checkout
from .inspected import pieces

Run = Callable[..., tuple[int, str, dict[str, Any]]]
PINNED = {"openai": "6.49.0", "@ai-sdk/openai": "3.0.120"}
UNFIT = "4.0.0"
"""A version of @ai-sdk/openai that the rest of the oracle does not load with."""
TOOLS = ("openai-chat/parallel-tools", "openai-chat/length")

NPM = f"""#!{sys.executable}
import json, os, pathlib, sys
if os.environ.get("NPM_FAILS"):
    sys.exit("npm error code ENOTFOUND\\nnpm error network request to the registry failed\\nnpm error A complete log")
assert sys.argv[1:5] == ["install", "--ignore-scripts", "--no-audit", "--no-fund"], sys.argv
for word in sys.argv[6:]:
    name, _, version = word.rpartition("@")
    version = "7.0.0" if version == "latest" else version
    for file, path in (("package.json", ("dependencies",)), ("package-lock.json", ("packages", f"node_modules/{{name}}"))):
        whole = json.loads(pathlib.Path(file).read_text())
        place = whole
        for key in path:
            place = place[key]
        place[name if file == "package.json" else "version"] = version
        pathlib.Path(file).write_text(json.dumps(whole))
"""


class FakeOracle:
    """Gives what the committed goldens say; an SDK of another version than the pinned one says one thing otherwise."""

    node_version = "v20.0.0"
    edit = ("Hello!", "Hallo!")

    def __init__(self, folder: Path) -> None:
        self.sdks: dict[str, str] = json.loads((folder / "package.json").read_text())["dependencies"]
        if self.sdks["@ai-sdk/openai"] == UNFIT:
            raise OracleError("the oracle stopped: SyntaxError: no such export; is `npm ci --ignore-scripts` needed?")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def run(self, requests: Iterable[tuple[str, bytes, str]]) -> Iterator[Answer]:
        for name, _, of in requests:
            lines = (REPOSITORY / "golden" / f"{name}.{of}.ndjson").read_text().splitlines()
            package = "openai" if of == "openai.chat" else "@ai-sdk/openai"
            if of != "sse" and self.sdks[package] != PINNED[package]:
                lines = [line.replace(*self.edit) for line in lines]
            yield Answer(of, tuple(lines))


def drifting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """``drift`` in this process, in a checkout of its own: (exit code, stdout, the JSON document)."""
    make_checkout(tmp_path, monkeypatch)
    excuse_all(tmp_path)
    for case in TOOLS:
        add(tmp_path, case)
    oracle = tmp_path / "golden" / "oracle"
    oracle.mkdir()
    (oracle / "oracle.mjs").write_text("// sources\n")
    (oracle / "package.json").write_text(json.dumps({"dependencies": PINNED}))
    packages: dict[str, dict[str, Any]] = {f"node_modules/{name}": {"version": one} for name, one in PINNED.items()}
    packages["node_modules/@ai-sdk/openai"]["dependencies"] = {"openai": "8.0.0"}
    (oracle / "package-lock.json").write_text(json.dumps({"packages": {"": {}, **packages}}))
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(NPM)
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(golden_module, "Oracle", FakeOracle)
    monkeypatch.setattr(reference, "find_node", lambda: ("node", "v20.0.0"))

    def run(*arguments: object) -> tuple[int, str, dict[str, Any]]:
        words = ["streamparity", "drift", "--jobs", "1", "--case", "openai-chat/*", "--json", "drift.json"]
        monkeypatch.setattr(sys, "argv", [*words, *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        assert (err, type(ended.value.code)) == ("", int)
        found = json.loads(Path("drift.json").read_text())
        assert found["exit_code"] == ended.value.code
        assert set(found) == set(document.schema()["required"])
        return ended.value.code, out, found

    return run


def new_one(*edits: tuple[str, str], size: int = 0, case: str = TEXT, **changes: Any) -> Cassette:
    """A new recording of ``case``, some fragments of its body replaced; each must be there."""
    cassette = load(REPOSITORY / "cassettes" / f"{case}.yaml")
    interaction = cassette.interactions[0]
    body = interaction.body
    for old, new in edits:
        assert old.encode() in body, old
        body = body.replace(old.encode(), new.encode())
    chunks = pieces(body, size)
    stream = replace(interaction.stream, chunks=chunks, at_ms=tuple(map(float, range(len(chunks)))))
    return replace(cassette, interactions=(replace(interaction, body=body, stream=stream, **changes),))


def put_new(*edits: tuple[str, str], size: int = 0, case: str = TEXT, **changes: Any) -> None:
    """The same, as a file of the folder ``new``."""
    path = Path("new") / f"{case}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dumps(new_one(*edits, size=size, case=case, **changes)))
