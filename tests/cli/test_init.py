"""thalweg init: what it writes, where git and DVC are or are not, and what it refuses."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.clone import Clone
from tests.helpers.paths import ROOT
from thalweg import cli
from thalweg.cli.init import CONTENTS
from thalweg.cli.presets import list_presets
from thalweg.config.load import load_config
from thalweg.system.package_files import find_package_file

NAMES = {"params.yaml", "params.schema.json", *CONTENTS}


@pytest.fixture
def empty(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder outside of git, in which the test runs."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(empty_folder.parent))
    return empty_folder


def run_git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout


def test_empty_folder_becomes_a_project(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["init"]) == 0
    assert (empty / "params.yaml").read_bytes() == (ROOT / "params.yaml").read_bytes()
    assert all((empty / name).read_bytes() for name in NAMES)
    assert (empty / ".dvc" / "plots" / "candidates.json").is_file()
    assert run_git("rev-parse", "--show-prefix") == "\n"
    ignored = run_git("check-ignore", "data/a.png", "data/README.md", "artifacts/a", "reports/a", ".thalweg/a")
    assert ignored.split() == ["data/a.png", "artifacts/a", "reports/a", ".thalweg/a"]
    output = capsys.readouterr().out
    assert "`thalweg run`" in output
    assert all(name in output for name in NAMES)


@pytest.mark.usefixtures("empty")
def test_nothing_is_half_staged() -> None:
    """DVC stages its own files, as they were before the project's settings."""
    assert cli.main(["init"]) == 0
    lines = run_git("status", "--porcelain").splitlines()
    assert {line[:2] for line in lines} == {"??"}
    assert "autostage = true" in Path(".dvc/config").read_text()


def test_every_scaffold_file_is_used() -> None:
    scaffold = {file.name for file in find_package_file("scaffold").iterdir()}
    assert scaffold == {*CONTENTS.values(), "candidates.json"}


@pytest.mark.parametrize(
    "existing",
    [["params.yaml"], ["params.schema.json"], ["README.md", ".gitignore"], ["data/README.md"]],
)
def test_existing_files_are_named_and_kept(
    empty: Path, existing: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for name in existing:
        (empty / name).parent.mkdir(exist_ok=True)
        (empty / name).write_text("mine\n")
    assert cli.main(["init", "digits"]) == 2
    message = capsys.readouterr().err
    assert sorted(message.split("would overwrite ")[1].split(". Move")[0].split(", ")) == sorted(existing)
    assert {file.relative_to(empty).as_posix() for file in empty.rglob("*") if file.is_file()} == set(existing)


def test_folder_of_a_repository_stays_in_it(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_git("init", "-q")
    (empty / "study").mkdir()
    monkeypatch.chdir(empty / "study")
    assert cli.main(["init"]) == 0
    assert run_git("rev-parse", "--show-prefix") == "study/\n"
    assert not (empty / "study" / ".git").exists()
    assert (empty / "study" / ".dvc" / "plots" / "candidates.json").is_file()


def test_dvc_around_is_used(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli.main(["init"]) == 0
    (empty / "second").mkdir()
    monkeypatch.chdir(empty / "second")
    assert cli.main(["init", "digits"]) == 0  # in this folder, not in the project around it
    assert Path.cwd() == empty / "second"
    assert {file.name for file in Path().iterdir()} - {".thalweg"} == {Path(name).parts[0] for name in NAMES}


def test_without_git_dvc_works_alone(
    empty: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert cli.main(["init"]) == 0
    assert "note: git is not installed" in capsys.readouterr().out
    assert not (empty / ".git").exists()
    assert "no_scm = True" in (empty / ".dvc" / "config").read_text()


def test_preset_that_needs_data_says_so(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["init", "bus-stop"]) == 0
    output = capsys.readouterr().out
    assert "before the first run, set this:\nparams.yaml:" in output
    assert "`thalweg run`" not in output
    assert (empty / "own_model.py").is_file()


def test_unknown_preset_leaves_the_folder_empty(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["init", "digit"]) == 2
    assert f"choose one of {', '.join(file.stem for file in list_presets())}" in capsys.readouterr().err
    assert list(empty.iterdir()) == []


def test_own_model_takes_the_sizes_of_presets(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli.main(["init"]) == 0
    monkeypatch.syspath_prepend("")
    params = empty / "params.yaml"
    params.write_text(params.read_text().replace("kind: cnn ", "kind: own_model.Model "))
    own, default = (dict(load_config(file).model.sizes) for file in (params, ROOT / "params.yaml"))
    assert own.items() <= default.items()
    assert own.keys() == {"width", "depth"}


@pytest.mark.parametrize(
    ("preset", "old", "new"),
    [
        ("scenes", "      kind: l2  ", "      kind: own_loss.quantile  "),
        ("digits", "kind: cross_entropy", "kind: own_loss.poly"),
    ],
)
def test_own_loss_suits_its_task(
    empty: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], preset: str, old: str, new: str
) -> None:
    assert cli.main(["init", preset]) == 0
    monkeypatch.syspath_prepend("")
    params = empty / "params.yaml"
    assert params.read_text().count(old) == 1
    params.write_text(params.read_text().replace(old, new))
    assert cli.main(["check"]) == 0, capsys.readouterr().err


def run_program(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = Clone.environment() | {"PYTHONPATH": str(ROOT)} | variables
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.usefixtures("empty")
def test_own_code_passes_its_tests_and_run_is_dvc() -> None:
    assert cli.main(["init", "digits"]) == 0
    tested = run_program("-m", "unittest")
    assert tested.returncode == 0, tested.stderr
    assert "OK" in tested.stderr
    git = str(Path(shutil.which("git") or "git").parent)
    planned = run_program("-m", "thalweg", "run", "--dry", "augment", "-f", PATH=git)
    assert planned.returncode == 0, planned.stderr
    stages = re.findall(r"^> thalweg stage (\w+)", planned.stdout, re.MULTILINE)
    assert stages == ["inputs", "prepare", "augment"]
    refused = run_program("-m", "thalweg", "run", "--no-such-option")
    assert refused.returncode != 0
    assert "--no-such-option" in refused.stderr


def test_other_commands_refuse_unknown_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(["timing", "--nonsense"])
    assert "unrecognized arguments: --nonsense" in capsys.readouterr().err
