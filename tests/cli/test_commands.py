"""Commands in a folder without a project: each ends with what is missing, and how to start one."""

from pathlib import Path

import pytest

from thalweg import cli
from thalweg.cli.parser import NEED_PROJECT, build_parser

LINES = (
    *("apply", "check", "clean", "clean --remove", "predict a.png --out b.csv", "report", "run", "stage prepare"),
    *("stop", "study", "submit slurm", "timing", "upgrade"),
)
WITHOUT_END = {"show_running"}
"""`thalweg ps`: that nothing runs is an answer."""


def test_lines_cover_every_command_that_needs_a_project() -> None:
    named = {build_parser().parse_args(line.split()).run.__name__ for line in LINES}
    assert named == {run.__name__ for run in NEED_PROJECT} - WITHOUT_END


@pytest.mark.parametrize("line", LINES)
def test_command_without_project_names_init(
    line: str, empty_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(empty_folder.parent))
    assert cli.main(line.split()) == 2
    *missing, advice = capsys.readouterr().err.splitlines()
    assert any(missing)
    assert "There is no project in this folder: `thalweg init` starts one" in advice
