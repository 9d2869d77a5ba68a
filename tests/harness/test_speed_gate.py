"""The gate of speed (row J8): it lets equals pass, stops what is slower, and takes no accident for a change."""

from __future__ import annotations

import compileall
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # benchmarks/ is a folder of the checkout, not an installed package
try:
    from benchmarks import gate
finally:
    sys.path.remove(str(ROOT))

SIXFOLD = """
_feed = Decoder.feed

def _feed_sixfold(self, chunk):
    if not hasattr(self, "_others"):
        self._others = [Decoder(self.dialect) for _ in range(5)]
    for other in self._others:
        _feed(other, chunk)
    return _feed(self, chunk)

Decoder.feed = _feed_sixfold
"""
"""So much slower that no neighbour on the machine makes up for it in any round."""


@pytest.mark.parametrize(
    ("ratios", "slower"),
    [
        ([1.0] * 9, False),
        ([1.06] * 9, True),
        ([1.05] * 9, False),
        ([0.5] * 9, False),
        ([1.06] * 4, False),
        ([1.06] * 5, True),
        ([1.2] * 7 + [0.9] * 2, False),
        ([1.2] * 8 + [0.9], True),
        ([1.04] * 15, False),
        ([1.0] * 10 + [2.0] * 5, False),
    ],
)
def test_what_is_slower(ratios: list[float], slower: bool) -> None:
    assert gate.Outcome("x", tuple(ratios)).is_slower is slower


def test_the_sign_test_is_exact() -> None:
    assert gate.Outcome("x", (1.1, 1.1, 1.1, 1.1, 1.1)).p == 1 / 32
    assert gate.Outcome("x", (1.1, 1.1, 1.1, 0.9)).p == 5 / 16
    assert gate.Outcome("x", (0.9, 0.9)).p == 1
    assert gate.Outcome("x", (1.0, 1.1)).p == 1 / 2, "a tie says nothing"


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A streamcore that does everything six times."""
    monkeypatch.setattr(gate, "EVENTS", 200)
    monkeypatch.setattr(gate, "ARGUMENTS", 4000)
    monkeypatch.setattr(gate, "TURNS", 3)
    shutil.copytree(ROOT / "streamcore", tmp_path / "streamcore", ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "streamcore" / "__init__.py").open("a", encoding="utf-8") as file:
        file.write(SIXFOLD)
    compileall.compile_dir(tmp_path / "streamcore", quiet=2)  # each round starts it anew
    return tmp_path


def test_a_planted_slowness_is_found_and_a_gain_is_not_one(planted: Path) -> None:
    worse = gate.compare(ROOT, planted, gate.LEAST_ROUNDS)
    better = gate.compare(planted, ROOT, gate.LEAST_ROUNDS)

    assert [outcome.name for outcome in worse] == list(gate.streams())
    assert all(outcome.is_slower for outcome in worse), worse
    assert not any(outcome.is_slower for outcome in better), better


def test_the_command(planted: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def unpack(revision: str, folder: Path) -> None:
        shutil.copytree(planted / "streamcore", folder / "streamcore")

    monkeypatch.setattr(gate, "unpack", unpack)
    assert gate.main(["--rounds", "5", "--baseline", "abc"]) == 0
    assert capsys.readouterr().out.startswith("against abc, 5 rounds")
    outcomes = [gate.Outcome("chat, text", (1.2,) * 9)]
    monkeypatch.setattr(gate, "compare", lambda *_: outcomes)
    assert gate.main([]) == 1
    assert "1.200 x   p = 0.0020   SLOWER" in capsys.readouterr().out


def test_what_cannot_be_compared(capsys: pytest.CaptureFixture[str]) -> None:
    assert gate.main(["--baseline", "no-such-revision"]) == 4
    assert "gate: no streamcore of no-such-revision" in capsys.readouterr().err
    with pytest.raises(SystemExit) as caught:
        gate.main(["--rounds", "4"])
    assert caught.value.code == 2


def test_the_stored_baseline_is_a_revision() -> None:
    text = gate.BASELINE.read_text(encoding="ascii").strip()
    assert len(text) == 40
    assert int(text, 16)
