"""The pytest plugin beside others, as it is installed, and where it is not wanted."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pytest

from .plugin_project import EVERY_ID

if TYPE_CHECKING:
    from .plugin_project import Run

GOLDENS = ["--known-divergences", "--update-golden", "--update-golden-reason"]


def test_beside_the_plugins_whose_names_it_must_not_claim(
    run: Run, project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pytest_html", "pytest_randomly", "pytest_recording", "syrupy", "xdist"):
        pytest.importorskip(name)
    company = ("html", "metadata", "randomly", "recording", "syrupy", "xdist")
    project.makepyfile(
        test_company="""
        import httpx
        import pytest
        from harness.cassette import load

        @pytest.mark.vcr
        def test_of_theirs(vcr, record_mode):
            assert vcr is not None and record_mode in ("none", "once")

        @pytest.mark.block_network
        @pytest.mark.stream_cassette("openai-chat/text")
        def test_of_ours(stream_recording, record_mode):
            assert stream_recording.mode == record_mode == "none"
            one = load(stream_recording.path).interactions[0]
            url = "http://127.0.0.1:9" + one.uri.split(".invalid")[-1].split(".com")[-1]
            response = stream_recording.client().request(one.method, url, content=one.request_body)
            assert response.read() == one.body

        def test_snapshot(snapshot):
            assert snapshot is not None

        @pytest.mark.parity(case="openai-chat/*", plan="bytes,every:7")
        def test_parity(parity, snapshot):
            assert len(parity.check("streamcore").plans) == 2
        """
    )
    options = ("--html=h.html", "--self-contained-html", "--record-mode=none", "--block-network", "--snapshot-details")
    result = run("--parity", *options, "-n", "1", "-p", "no:cacheprovider", plugins=("harness.plugin", *company))

    result.assert_outcomes(passed=1 + len(EVERY_ID) + 5)
    assert "parity::openai-chat/text::bytes" in (project.path / "h.html").read_text()
    # Where options are pytest-recording's, its own tests may record in CI; ours may not.
    monkeypatch.setenv("CI", "true")
    alone = ("harness.plugin", "recording")
    in_ci = run("--record-mode=once", "-k", "test_of", two_plans=False, plugins=alone)
    in_ci.assert_outcomes(passed=1, errors=1, deselected=4)
    in_ci.stdout.fnmatch_lines(["--record-mode=once in CI (CI=true)*"])


def test_every_option_and_ini_key_is_ours_by_its_name(run: Run) -> None:
    """Those that are not named after us belong to nobody else, or are pytest-recording's, which is not here."""
    result = run("--help", two_plans=False)

    group = result.outlines[result.outlines.index("replay recorded provider streams, cut at every byte:") + 1 :]
    options = [line.split()[0].partition("=")[0] for line in group[: group.index("")] if line.startswith("  --")]
    others = [option for option in options if "parity" not in option]
    assert len(options) - len(others) == 12
    assert others[:4] == [*GOLDENS, "--allow-recording-in-ci"]
    assert others[4:] == ["--record-mode", "--block-network", "--allowed-hosts"]


@pytest.mark.usefixtures("entry_point")
def test_the_entry_point_loads_it_and_no_streamparity_does_not(run: Run) -> None:
    run("--parity", plugins=()).assert_outcomes(passed=1 + len(EVERY_ID))

    # The others that are installed take seconds to import.
    others = {one.name for one in entry_points(group="pytest11")} - {"streamparity"}
    refused = run(*(f"-pno:{name}" for name in ("streamparity", *others)), "--parity", plugins=(), two_plans=False)
    assert refused.ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.usefixtures("entry_point")
def test_the_entry_point_can_be_named_where_autoload_is_off(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    run("--parity", plugins=("streamparity",)).assert_outcomes(passed=1 + len(EVERY_ID))
