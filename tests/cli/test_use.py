"""thalweg use: what it writes, and what it refuses to overwrite."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT
from thalweg import cli
from thalweg.artifacts.expected_times import read_expected_times
from thalweg.cli import measure, presets, time_budget
from thalweg.cli.measure import Speed
from thalweg.cli.schema_file import MODELINE
from thalweg.config.load import load_config
from thalweg.config.write import rewrite_params

SPEED = Speed(epoch=0.02, lone_epoch=0.02, compile=2.0, read=1.0, start=2.0, parallel=2, passes=1000.0)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with presets of its own, outside of git, on a machine of known speed."""
    shutil.copytree(ROOT / "presets", tmp_path / "presets")
    monkeypatch.setattr(presets, "FOLDER", tmp_path / "presets")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setattr(measure, "measure_speed", lambda *_: SPEED)
    return tmp_path


def test_minutes_set_trials_epochs_and_seeds(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["use", "digits", "--minutes", "10"]) == 0
    written, preset = load_config(project / "params.yaml"), load_config(project / "presets" / "digits.yaml")
    assert written.study.trials > preset.study.trials
    assert written.training.epochs > preset.training.epochs
    assert written.confirm.seeds > preset.confirm.seeds
    assert written.study.space == preset.study.space
    assert f"study.trials {written.study.trials} (preset: {preset.study.trials})" in capsys.readouterr().out
    assert 500 < sum(read_expected_times(written).values()) <= 600
    # what this command chose is no one's work
    assert cli.main(["use", "digits"]) == 0
    preset_text = (project / "presets" / "digits.yaml").read_text()
    assert (project / "params.yaml").read_text() == MODELINE + preset_text
    # so is a preset of before, without the line that names the schema
    (project / "params.yaml").write_text(preset_text)
    assert cli.main(["use", "scenes"]) == 0


@pytest.mark.usefixtures("project")
def test_check_gives_the_same_minutes(capsys: pytest.CaptureFixture[str]) -> None:
    def read_estimate() -> str:
        return next(line for line in capsys.readouterr().out.splitlines() if line.startswith("about "))

    assert cli.main(["use", "digits", "--minutes", "10"]) == 0
    promised = read_estimate()
    assert cli.main(["check", "--time"]) == 0
    assert read_estimate() == promised


@pytest.mark.parametrize("arguments", [[], ["--minutes", "10"]])
@pytest.mark.parametrize("path", [time_budget.TRIALS, *time_budget.EPOCHS, *time_budget.SEEDS])
def test_edit_of_a_chosen_setting_is_kept(project: Path, arguments: list[str], path: str) -> None:
    """`--minutes` may have chosen it, but this value is a person's."""
    assert cli.main(["use", "digits", *arguments]) == 0
    file = project / "params.yaml"
    edited = rewrite_params(file.read_text(), {path: 25})
    file.write_text(edited)
    assert cli.main(["use", "scenes"]) == 2
    assert file.read_text() == edited
    assert cli.main(["use", "scenes", "--force"]) == 0


def test_other_changes_are_kept(project: Path) -> None:
    assert cli.main(["use", "digits", "--minutes", "10"]) == 0
    file = project / "params.yaml"
    file.write_text(file.read_text().replace("batch_size: 32", "batch_size: 16"))
    assert cli.main(["use", "digits"]) == 2
    assert "batch_size: 16" in file.read_text()
    assert cli.main(["use", "digits", "--force"]) == 0


@pytest.mark.parametrize(
    ("minutes", "message"),
    [("0", "must be above 0, not 0"), ("-3", "not -3"), ("inf", "not inf"), ("nan", "not nan"), ("0.2", "or more")],
)
def test_impossible_minutes_are_refused(
    project: Path, minutes: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["use", "digits", f"--minutes={minutes}"]) == 2
    assert message in capsys.readouterr().err
    assert not (project / "params.yaml").exists()


def test_minutes_need_the_data(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A machine cannot be measured on images that are not there."""
    assert cli.main(["use", "bus-stop", "--minutes", "60"]) == 2
    assert "data.path" in capsys.readouterr().err
    assert not (project / "params.yaml").exists()


def test_hints_are_printed(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    file = project / "presets" / "digits.yaml"
    file.write_text(file.read_text().replace("trials: 36", "trials: 8"))
    assert cli.main(["use", "digits"]) == 0
    assert "note: study.sampler: tpe learns little from 2 cohorts" in capsys.readouterr().out


def test_restoring_is_advised_once_there_is_a_commit(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=project, check=True)
    assert cli.main(["use", "digits"]) == 0
    assert "git restore" not in capsys.readouterr().out
    subprocess.run(["git", "add", "params.yaml"], cwd=project, check=True)
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *author, "commit", "--quiet", "-m", "digits"], cwd=project, check=True)
    assert cli.main(["use", "scenes"]) == 0
    assert "; `git restore params.yaml` brings back the committed file\n" in capsys.readouterr().out
    subprocess.run(["git", "restore", "params.yaml"], cwd=project, check=True)
