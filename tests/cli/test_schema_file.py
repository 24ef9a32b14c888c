"""thalweg schema, and the line of params.yaml that names the file."""

import json
from pathlib import Path

import pytest

from thalweg import cli
from thalweg.cli import schema_file
from thalweg.config.json_schema import build_json_schema


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    return tmp_path


def test_schema_lies_beside_the_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["schema"]) == 0
    assert json.loads((project / "params.schema.json").read_text()) == build_json_schema()
    assert "params.schema.json" in capsys.readouterr().out


def test_schema_goes_where_it_is_asked(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["schema", "--out", "editor.json"]) == 0
    written = (project / "editor.json").read_text()
    capsys.readouterr()
    assert cli.main(["schema", "--out", "-"]) == 0
    assert capsys.readouterr().out == written
    assert {file.name for file in project.iterdir()} - {".thalweg"} == {"editor.json"}


def test_use_writes_the_schema(project: Path) -> None:
    (project / "params.schema.json").write_text("of an older version")
    assert cli.main(["use", "digits"]) == 0
    first, second, *_ = (project / "params.yaml").read_text().splitlines()
    assert first == "# yaml-language-server: $schema=params.schema.json"
    assert second.startswith("# Which network")
    assert json.loads((project / "params.schema.json").read_text()) == build_json_schema()


def test_modeline_is_written_once() -> None:
    text = schema_file.add_modeline("seed: 0\n")
    assert schema_file.add_modeline(text) == text
    assert schema_file.remove_modeline(text) == "seed: 0\n"
