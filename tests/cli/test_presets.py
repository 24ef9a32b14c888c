"""The presets' files: their first two lines, and the list of them."""

from pathlib import Path

import pytest

from tests.helpers.paths import ROOT
from thalweg import cli
from thalweg.cli import presets
from thalweg.cli.presets import Headline, describe_presets, format_presets, read_headline
from thalweg.cli.schema_file import MODELINE

TWO_LINES = b"# Sort leaves\n# 2.5 minutes: 9 of 10 leaves are right (2026-11-29, two cores)\n\nseed: 0\n"


def test_headline_is_read() -> None:
    assert read_headline(TWO_LINES) == Headline("Sort leaves", "2.5", "9 of 10 leaves are right")


@pytest.mark.parametrize(
    "content",
    [b"", b"seed: 0\n", b"# Sort leaves\n", b"# Sort leaves\n# as measured\n", b"# a\n# two minutes: b (c, d)\n"],
)
def test_file_without_headline_has_none(content: bytes) -> None:
    assert read_headline(content) == Headline()


@pytest.mark.parametrize("preset", sorted((ROOT / "presets").glob("*.yaml")), ids=lambda file: file.stem)
def test_every_preset_has_a_headline(preset: Path) -> None:
    headline = read_headline(preset.read_bytes())
    assert headline.topic
    assert float(headline.minutes) > 0
    assert headline.result


def test_each_preset_is_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presets, "FOLDER", tmp_path)
    (tmp_path / "leaves.yaml").write_bytes(TWO_LINES)
    (tmp_path / "own.yaml").write_text("seed: 0\n")
    assert format_presets(describe_presets()).splitlines() == [
        "preset  minutes  what it shows  what was found",
        "leaves      2.5  Sort leaves    9 of 10 leaves are right",
        "own",
    ]


@pytest.mark.usefixtures("empty_folder")
def test_list_fits_a_wide_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["use"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == sorted(file.stem for file in (ROOT / "presets").glob("*.yaml"))
    assert max(map(len, lines)) <= 140


@pytest.mark.parametrize("arguments", [["--minutes", "5"], ["--force"]])
def test_options_need_a_preset(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["use", *arguments]) == 2
    assert "use: name the preset, one of" in capsys.readouterr().err


def test_default_is_a_preset() -> None:
    """Outside of git, `use` may then replace it."""
    assert (ROOT / "params.yaml").read_text() == MODELINE + (ROOT / "presets" / "scenes.yaml").read_text()
