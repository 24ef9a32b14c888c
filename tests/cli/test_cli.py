"""The thalweg command: its messages and exit codes."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT
from thalweg import cli
from thalweg.cli import presets
from thalweg.cli.parser import NEED_PROJECT, build_parser
from thalweg.cli.schema_file import MODELINE
from thalweg.system import guarded


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository with this project's params.yaml, dvc.yaml and presets, committed."""
    shutil.copytree(ROOT / "presets", tmp_path / "presets")
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    for command in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "all"],
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    monkeypatch.setattr(presets, "FOLDER", tmp_path / "presets")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("project")
def test_check_counts_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check"]) == 0
    assert "48 trials in 8 cohorts of 6, one program to compile" in capsys.readouterr().out


def test_check_counts_a_single_cohort(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = project / "params.yaml"
    file.write_text(file.read_text().replace("trials: 48 ", "trials: 6 "))
    assert cli.main(["check"]) == 0
    assert "6 trials in 1 cohort of 6, one program to compile" in capsys.readouterr().out


def test_use_replaces_committed_file(project: Path) -> None:
    assert cli.main(["use", "fashion-mnist"]) == 0
    preset = (project / "presets/fashion-mnist.yaml").read_text()
    assert (project / "params.yaml").read_text() == MODELINE + preset
    # what this command put there itself is no one's work
    assert cli.main(["use", "bus-stop"]) == 0


def test_use_keeps_local_changes(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = project / "params.yaml"
    file.write_text(file.read_text() + "# mine\n")
    assert cli.main(["use", "bus-stop"]) == 2
    assert "uncommitted changes" in capsys.readouterr().err
    assert file.read_text().endswith("# mine\n")


def test_check_names_missing_data(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = project / "presets/fashion-mnist.yaml"
    file.write_text(file.read_text().replace("/usr/share/datasets/fashion-mnist", "nowhere/at/all"))
    problem = 'data.path: "nowhere/at/all" does not exist; set it to the folder with train-images-idx3-ubyte, '
    assert cli.main(["check", str(file)]) == 2
    assert capsys.readouterr().err.startswith(f"{file}:9: {problem}")
    # the preset is copied anyway: the user sets the path next
    assert cli.main(["use", "fashion-mnist"]) == 0
    assert f"set this:\nparams.yaml:10: {problem}" in capsys.readouterr().out
    # scenes are drawn: their folder is only watched
    assert cli.main(["check", "presets/scenes.yaml"]) == 0


def test_paths_begin_where_the_user_is(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project / "presets")
    assert cli.main(["check", "scenes.yaml"]) == 0
    assert capsys.readouterr().out.startswith("presets/scenes.yaml: no errors")
    monkeypatch.chdir(project / "presets")
    assert cli.main(["check"]) == 0
    assert capsys.readouterr().out.startswith("params.yaml: no errors")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["use", "nowhere"], "bus-stop, detect, digits, enhance, fashion-mnist, photos, scenes"),
        (["study", "--trials", "50"], "--trials: 50 is not a multiple of study.cohort, 6; use 48 or 54"),
        (["study", "--trials", "5"], "--trials: 5 is not a multiple of study.cohort, 6; use 6\n"),
        (["study", "--trials", "-6"], "--trials: must be at least 6, not -6"),
        (["study"], "thalweg run augment"),
        (["predict", "a.png", "--out", "o.csv"], "no model yet"),
        (["dashboard"], "no study yet"),
        (["timing"], "no stage has run yet"),
        (["check", "none.yaml"], "none.yaml"),
    ],
)
@pytest.mark.usefixtures("project")
def test_errors_print_no_traceback(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    assert cli.main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


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


def test_use_outside_git_overwrites_presets_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "params.yaml").write_text("mine: 1\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert cli.main(["use", "bus-stop"]) == 2
    assert (tmp_path / "params.yaml").read_text() == "mine: 1\n"
    (tmp_path / "params.yaml").unlink()
    assert cli.main(["use", "bus-stop"]) == 0
    assert cli.main(["use", "fashion-mnist"]) == 0
    assert "uncommitted changes" in capsys.readouterr().err


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    assert re.fullmatch(r"thalweg \d+\.\d+\.\d+\n", capsys.readouterr().out)


def test_error_goes_to_the_process_above(
    empty_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["timing"]) == 2
    printed = capsys.readouterr().err
    monkeypatch.setenv(guarded.ERROR_FILE, "error.txt")
    assert cli.main(["timing"]) == 2
    assert (empty_folder / "error.txt").read_text() + "\n" == printed
    assert capsys.readouterr().err == ""
