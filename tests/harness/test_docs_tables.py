"""What the pages say in tables and figures is what there is."""

from __future__ import annotations

import re

import yaml

from harness.hazards import load_catalogue
from harness.mutants import MUTANTS
from harness.record.live.apis import APIS
from harness.record.live.asks import NAMES

from .docs_blocks import ROOT


def page(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def rows(name: str, head: str) -> list[list[str]]:
    """The cells of the table whose first column is called ``head``, without marks of code."""
    _, _, rest = page(name).partition(f"| {head} |")
    lines = rest.partition("\n\n")[0].splitlines()[2:]
    return [re.split(r" *\| *", line.strip()[1:-1].strip(" ")) for line in lines]


def words(cell: str) -> list[str]:
    """What is set as code in it."""
    return re.findall(r"`([^`]+)`", cell)


def test_the_inputs_of_the_action_are_those_of_its_file() -> None:
    inputs = yaml.safe_load(page("action.yml"))["inputs"]
    told = {words(name)[0]: "".join(words(default)) for name, default, _ in rows("docs/ci.md", "input")}
    assert told == {name: about.get("default", "") for name, about in inputs.items()}


def test_the_options_of_the_plugin_are_those_that_it_adds() -> None:
    added = page("harness/pytest_plugin/options.py")
    options = {*re.findall(r'"(--[a-z-]+)"', added)}
    told = page("docs/pytest.md")
    table = rows("docs/pytest.md", "option")
    assert {word.split()[0] for option, *_ in table for word in words(option)} <= options
    assert {word for _, key, _ in table for word in words(key)} == {*re.findall(r'addini\(\s*"(\w+)"', added)}
    assert [option for option in sorted(options) if option not in told] == []


def test_the_providers_are_those_that_can_be_recorded() -> None:
    told = {words(name)[0]: words(dialects) for name, dialects, _ in rows("docs/recording.md", "PROVIDER")}
    known: dict[str, list[str]] = {}
    for api in APIS:
        known.setdefault(api.provider, []).append(api.dialect)
    assert told == known
    for name, _, keys in rows("docs/recording.md", "PROVIDER"):
        places = " ".join(place.where for api in APIS if api.provider == words(name)[0] for place in api.keys.places())
        asked = [key for key in words(keys) if key.isupper() and not key.endswith("_ENDPOINT")]
        assert all(key in places for key in asked), name
    matrix = re.search(r"a matrix of scenarios: ([^.]+)\.", page("docs/recording.md"))
    assert matrix is not None
    assert matrix[1].replace("\n", " ").split(", ") == [*NAMES]


def test_the_figures_of_the_readme_are_those_of_today() -> None:
    readme = page("README.md")
    assert f"in the same command {len(MUTANTS)} mutants, wrong on purpose" in readme
    assert (
        f"grades your code on {len(load_catalogue(ROOT / 'cassettes'))} defects that were seen in the field" in readme
    )
