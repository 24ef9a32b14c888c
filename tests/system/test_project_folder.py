"""A command works in the project around the current folder."""

from pathlib import Path

import pytest

from thalweg.system import project_folder
from thalweg.system.files import UserError


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a folder `notes/may`."""
    (tmp_path / "notes" / "may").mkdir(parents=True)
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    (tmp_path / "params.yaml").write_text("seed: 0\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("offset", [".", "notes", "notes/may"])
def test_folders_of_a_project_lead_to_it(project: Path, monkeypatch: pytest.MonkeyPatch, offset: str) -> None:
    monkeypatch.chdir(project / offset)
    assert project_folder.enter_project() == Path(offset)
    assert Path.cwd() == project


def test_folder_with_params_is_left_alone(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = project / "notes"
    (own / "params.yaml").write_text("seed: 1\n")
    monkeypatch.chdir(own)
    assert project_folder.enter_project() == Path()
    assert Path.cwd() == own


def test_outside_of_projects_nothing_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert project_folder.enter_project() == Path()
    assert Path.cwd() == tmp_path


def test_code_beside_a_study_is_found(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert project_folder.list_code_folders() == []
    (project / "notes" / "own-code.json").write_text('{"folder": ".."}')
    monkeypatch.chdir(project / "notes")
    assert project_folder.list_code_folders() == [str(project)]


@pytest.mark.parametrize("record", ["[]", "{}", '{"folder": 3}'])
def test_broken_record_of_code_is_named(project: Path, record: str) -> None:
    (project / "own-code.json").write_text(record)
    with pytest.raises(UserError, match=r"own-code\.json: must be"):
        project_folder.list_code_folders()
