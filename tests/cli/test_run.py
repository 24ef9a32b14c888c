"""`thalweg run` with a params.yaml that DVC itself cannot read."""

import subprocess
from pathlib import Path

import pytest

from thalweg import cli
from thalweg.cli.init import init_project
from thalweg.cli.presets import require_preset
from thalweg.cli.run import require_readable_params


@pytest.fixture
def params(empty_folder: Path) -> Path:
    """The params.yaml of a new project, in the current folder."""
    subprocess.run(["git", "init", "-q"], check=True)
    init_project(require_preset("scenes"))
    return empty_folder / "params.yaml"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\nseed: 0 ", "\nsed: 0 ", "8: sed: unknown key; allowed: seed, data, augment, "),
        ("\nseed: 0 ", "\nseed: # ", "8: seed: must be a whole number, not empty (null)"),
        ("\nseed: 0 ", "\n", " `seed` is missing"),
        ("\nseed: 0 ", "\nseed: 0: ", "8:8: not valid YAML: "),
        ("\nseed: 0 ", "\nseed: 1\nseed: 0 ", "9: seed: duplicate key, first used in line 8"),
        ("\nreport:\n", "\nreprot:\n", ": reprot: unknown key; allowed: seed, "),
        (
            "\n  online: ",
            "\n  onlin: ",
            ": augment.onlin: unknown key; allowed: offline, online; did you mean `online`?",
        ),
        ("\n  path: data ", "\n  path: # ", ": data.path: must be text, not empty (null)"),
        ("\n  path: data ", "\n  path: [a] # ", ": data.path: must be text, not a list of 1"),
        ("\n  path: data ", "\n  path: '' # ", ': data.path: must have at least 1 character, not the text ""'),
        ("\n  path: data ", "\n  path: true # ", ": data.path: must be text, not true"),
        ("\n  path: data ", "\n  path: 2020-01-01 # ", ": data.path: must be text, not the value 2020-01-01"),
        ("\n  path: data ", "\n  pth: data ", ": data.pth: unknown key; allowed: path, "),
        ("\n  path: data ", "\n  path: dta ", ": data.path: dta does not exist; make the folder, or name another"),
        ("\n  objective: mae ", "\n  objektive: mae ", ": study.objektive: unknown key; allowed: "),
    ],
)
def test_fault_that_ends_dvc_is_said_in_our_words(
    params: Path, old: str, new: str, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    text = params.read_text()
    assert text.count(old) == 1
    params.write_text(text.replace(old, new))
    capfd.readouterr()
    assert cli.main(["run"]) == 2  # before it becomes DVC
    error = capfd.readouterr().err
    assert error.startswith("params.yaml:"), error
    assert message in error


def test_good_file_is_left_to_dvc(params: Path) -> None:
    require_readable_params()
    text = params.read_text()
    params.write_text(text.replace("\nseed: 0 ", "\nseed: -1 "))  # DVC reads it, so the first stage says it
    require_readable_params()


def test_key_of_a_foreign_stage_is_left_to_dvc(params: Path) -> None:
    pipeline = params.with_name("dvc.yaml")
    pipeline.write_text(pipeline.read_text().replace("params: [seed, data, task]", "params: [seed, data, task, mine]"))
    require_readable_params()
