"""The report as one file."""

import zipfile
from pathlib import Path

import pytest

from thalweg.cli import main
from thalweg.system.paths import WINNER_PARAMS

NAMES = (
    "report.html",
    "report.md",
    "figures/a.svg",
    "summary.json",
    "metrics.json",
    "findings.json",
    "trials.csv",
    "curves.csv",
)


@pytest.fixture(autouse=True)
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("seed: 0")
    return tmp_path / "reports"


def write_report(folder: Path) -> None:
    (folder / "figures").mkdir(parents=True)
    for name in NAMES:
        (folder / name).write_text(name)
    WINNER_PARAMS.parent.mkdir(parents=True)
    WINNER_PARAMS.write_text("seed: 0")


def test_pack_report(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_report(reports)
    assert main(["report", "--zip"]) == 0
    assert capsys.readouterr().out == "reports/report.zip\n"
    with zipfile.ZipFile(reports / "report.zip") as archive:
        assert archive.namelist() == [
            *(f"report/{name}" for name in NAMES),
            "report/params.yaml",
            f"report/{WINNER_PARAMS}",
        ]
        assert archive.read("report/report.md") == b"report.md"
    before = (reports / "report.zip").read_bytes()
    assert main(["report", "--zip"]) == 0
    assert (reports / "report.zip").read_bytes() == before


def test_table_that_a_stage_makes_anew_is_waited_for(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """DVC removes what a stage will make before it runs."""
    write_report(reports)
    (reports / "trials.csv").unlink()
    assert main(["report", "--zip"]) == 2
    assert capsys.readouterr().err == (
        "reports/trials.csv: not there now; a stage that runs makes it. Wait for it, or `thalweg run`\n"
    )


def test_show_report(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report"]) == 2
    assert capsys.readouterr().err == "reports/report.html: there is no report yet. Run `thalweg run`\n"
    write_report(reports)
    assert main(["report"]) == 0
    assert capsys.readouterr().out == "reports/report.html\n"
