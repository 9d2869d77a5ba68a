"""Data flows one way, and so do the imports: every arrow between modules is checked against the order of the layers."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import streamcore

CORE = Path(streamcore.__file__).parent
ROOT = CORE.parent

LAYERS: list[tuple[str, ...]] = [
    ("streamcore.errors", "streamcore.limits", "streamcore.state", "streamcore.json_events", "streamcore.json_number"),
    ("streamcore.framing", "streamcore.json_machine", "streamcore.callstates", "streamcore.snapshots"),
    ("streamcore.jsontext", "streamcore.jsonstream"),
    ("streamcore.parts", "streamcore.partialjson", "streamcore.fieldstream", "streamcore.processors"),
    ("streamcore.toolcall_rules", "streamcore.dialects.schema"),
    ("streamcore.replays",),
    ("streamcore.toolcalls",),
    ("streamcore.legacy", "streamcore.sinks"),
    ("streamcore.dialects",),
    ("streamcore.message",),
    ("streamcore.decoder",),
    ("streamcore",),
]
"""From left to right. A module belongs to the longest name here that it begins with."""


def layer_of(module: str) -> int:
    """The position of a module in the flow."""
    fits = [
        (len(name), position)
        for position, names in enumerate(LAYERS)
        for name in names
        if module == name or (module.startswith(name + ".") and name != "streamcore")
    ]
    assert fits, f"{module} stands in no layer: say where it belongs"
    return max(fits)[1]


def module_name(path: Path) -> str:
    """The dotted name of a source file."""
    names = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(names[:-1] if names[-1] == "__init__" else names)


def imports(path: Path) -> Iterator[str]:
    """The modules that a file imports, wherever in the file, names of a package resolved to its modules."""
    name = module_name(path)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = ROOT.joinpath(*source.split("."), alias.name)
                is_module = inner.with_suffix(".py").exists() or inner.joinpath("__init__.py").exists()
                yield f"{source}.{alias.name}" if is_module else source


def files(folder: Path) -> list[Path]:
    """The source files below a folder."""
    return sorted(folder.rglob("*.py"))


@pytest.mark.parametrize("path", files(CORE), ids=module_name)
def test_core_imports_point_left(path: Path) -> None:
    module = module_name(path)
    mine = layer_of(module)
    for imported in imports(path):
        top = imported.partition(".")[0]
        assert top not in ("harness", "tests"), f"{module} imports {imported}"
        if top != "streamcore":
            continue
        assert imported != "streamcore", f"{module} imports the package as a whole"
        theirs = layer_of(imported)
        assert theirs <= mine, f"{module} imports {imported}, which stands right of it"
        if theirs == mine and module not in ("streamcore.dialects", "streamcore.framing"):
            # Inside a layer: a package's modules may share what the package has; siblings without an order may not mix.
            assert imported.startswith(("streamcore.dialects", "streamcore.framing", "streamcore.legacy", "streamcore.errors")), (
                f"{module} imports {imported} of its own layer"
            )


BUILT_ON: dict[str, set[str]] = {
    "bedrock.invoke": {"anthropic.messages", "bedrock.converse", "compatible.chat"},
    "compatible.chat": {"openai.chat"},
    "compatible.deepseek": {"compatible.chat"},
    "compatible.mistral": {"openai.chat"},
    "compatible.perplexity": {"openai.chat"},
    "openai.azure": {"openai.chat"},
    "openai.completions": {"openai.chat"},
    "xai.chat": {"openai.chat"},
}
"""The dialects that are others with something changed, or that carry others inside. All the rest stand alone."""


def test_a_dialect_imports_only_those_it_is_built_on() -> None:
    def short(name: str) -> str:
        return name.removeprefix("streamcore.dialects.")

    registry = CORE / "dialects" / "__init__.py"
    dialects = {name for name in imports(registry) if not name.endswith(".base")} - {"__future__"}
    found = {
        short(module_name(path)): {short(name) for name in (dialects - {module_name(path)}) & set(imports(path))}
        for path in files(CORE / "dialects")
        if path != registry
    }
    assert {name: others for name, others in found.items() if others} == BUILT_ON


def test_there_are_no_circles_in_the_core() -> None:
    modules = {module_name(path): set(imports(path)) for path in files(CORE)}
    arrows = {module: {name for name in names if name in modules} for module, names in modules.items()}
    while arrows:
        free = [module for module, targets in arrows.items() if not targets & arrows.keys()]
        assert free, f"a circle among {sorted(arrows)}"
        for module in free:
            del arrows[module]


def test_the_core_depends_on_little() -> None:
    """Sans-IO: no network, no clock, no logging, no files; and one library that is not Python's own."""
    used = {name.partition(".")[0] for path in files(CORE) for name in imports(path)} - {"streamcore"}
    assert used - sys.stdlib_module_names == {"msgspec"}
    assert not used & {"asyncio", "http", "io", "logging", "os", "pathlib", "random", "select", "socket", "ssl", "subprocess"}
    assert not used & {"sys", "threading", "time", "urllib", "warnings"}


def test_the_harness_may_import_the_core_but_not_the_tests() -> None:
    for path in files(ROOT / "harness"):
        assert "tests" not in {name.partition(".")[0] for name in imports(path)}, path


def test_wrong_arrows_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The walk sees every spelling of an import, also inside functions."""
    source = tmp_path / "streamcore" / "dialects" / "bad.py"
    source.parent.mkdir(parents=True)
    (tmp_path / "streamcore" / "decoder.py").touch()
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    for text in (
        "import streamcore.decoder",
        "from streamcore import decoder",
        "from streamcore.decoder import Decoder",
        "from ..decoder import Decoder",
        "from .. import decoder",
        "def f():\n    import streamcore.decoder as d\n    return d",
    ):
        source.write_text(text)
        [imported] = imports(source)
        assert imported == "streamcore.decoder"
        assert layer_of(imported) > layer_of(module_name(source))
    source.write_text("from harness.case import Case")
    assert list(imports(source)) == ["harness.case"]
