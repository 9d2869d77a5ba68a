"""The panels below the matrix: divergences, conflicts, mutants, and how to read the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.report import load, render, render_again, write_reports
from harness.report.baseline import compare
from harness.verdict import Verdict

from .page_tree import Node, parse
from .report_runs import hostile, only_failing, passing, troubled


@pytest.fixture(scope="module")
def bad() -> Node:
    """The page of the run in which everything is wrong."""
    return parse(render(troubled()))


def test_divergences_conflicts_and_mutants_have_their_panels(bad: Node) -> None:
    divergences = {panel.all("bdi")[0].text: panel for panel in bad.one(id="divergences").all("article")}
    assert list(divergences) == ["late-usage", "pings-kept"]
    assert "drops usage that comes after the finish reason" in divergences["late-usage"].text
    assert "anthropic-messages/refusal ai.anthropic" in divergences["late-usage"].text
    conflict = bad.one(id="conflicts").all("tr")[-1]
    assert conflict.one("th").text == "anthropic-messages/length"
    assert [cell.text for cell in conflict.all("td")] == [
        "anthropic", "pings-kept", "root['usage'] has 3 items here, 2 there",
    ]  # fmt: skip
    missed, caught = [row for row in bad.one("table", class_="mutants").all("tr") if row.all("span", class_="badge")]
    assert "✗ not caught" in missed.text
    assert "merged-by-index" in missed.text
    assert "✓ caught" in caught.text
    assert caught.all("a")[0]["href"] == "#case=anthropic-messages/unicode"
    assert caught.all("mark")[0].text == "é"


def test_every_verdict_is_explained(bad: Node) -> None:
    words = {row.all("span", class_="badge")[0].text.split()[-1] for row in bad.one(id="reading").all("tr")}
    assert words == {verdict.value for verdict in Verdict}


def test_the_page_can_be_made_again_from_the_document(tmp_path: Path) -> None:
    first, again = tmp_path / "first.html", tmp_path / "again.html"
    run = write_reports(troubled(), tmp_path / "parity.json", first)
    assert render_again(tmp_path / "parity.json", again) == run == load(tmp_path / "parity.json")
    assert first.read_bytes() == again.read_bytes()


def test_what_became_of_the_baseline_stands_before_all_else() -> None:
    old, new = passing(), only_failing()
    page = parse(render(new, compare(old, new)))
    panels = {panel.one("h3").text.split(" ")[0:3][1]: panel for panel in page.one(id="baseline").all("article")}
    assert "1: red now" in panels["New"].text
    assert panels["New"].one("a")["href"] == "#case=anthropic-messages/text"
    assert "pass → fail" in panels["New"].text
    assert page.all("nav")[0].all("a")[0].text == "Baseline 1 new"
    fixed = parse(render(old, compare(new, old))).one(id="baseline")
    assert "fail → pass" in fixed.all("article")[0].text
    assert "Nothing is different." in parse(render(old, compare(old, old))).one(id="baseline").text
    assert not parse(render(old)).all("section", id="baseline")


def test_a_baseline_is_hostile_too() -> None:
    page = render(passing(), compare(hostile(), passing()))
    assert render(passing()).count("<script") == page.count("<script")
