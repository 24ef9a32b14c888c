"""The first line of `dvc repro`."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.helpers.paths import ROOT
from thalweg.cli.start_line import LAST_STAGE, _read_tree, announce_run, is_alike, list_stages_to_run
from thalweg.config.tree import flatten_tree
from thalweg.stages import STAGE_NAMES
from thalweg.system import files

PIPELINE = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())["stages"]
PIPELINE.pop("inputs")
PARAMS = YAML(typ="safe").load((ROOT / "params.yaml").read_text())


def select_value(key: str) -> Any:
    value: Any = PARAMS
    for name in key.split("."):
        value = value[name]
    return value


LOCK = {
    stage: {"params": {"params.yaml": {key: select_value(key) for key in listed["params"]}}}
    for stage, listed in PIPELINE.items()
}


@pytest.mark.parametrize(
    ("first", "changes", "stages"),
    [
        ("prepare", {}, STAGE_NAMES),
        ("train", {}, ("train", "evaluate", "report")),
        ("study", {}, ("study", "confirm", "diagnose", "report")),
        ("train", {"training.epochs": 3}, ("train", "evaluate", "study", "confirm", "diagnose", "report")),
        ("report", {}, ("report",)),
    ],
)
def test_stages_to_run(first: str, changes: dict[str, Any], stages: tuple[str, ...]) -> None:
    params = dict(flatten_tree(PARAMS)) | changes
    assert tuple(list_stages_to_run(first, PIPELINE, LOCK, params)) == stages


@pytest.mark.parametrize(
    ("locked", "expected"),
    [
        (None, True),
        ({"data": {"path": "a"}, "task": {"kind": "count"}, "training": {"epochs": 1}}, True),
        ({"data": {"path": "b"}, "task": {"kind": "count"}, "training": {"epochs": 2}}, False),
        ({"data": {"path": "a"}, "task": {"kind": "classify"}}, False),
    ],
)
def test_other_data_say_nothing_of_the_time(locked: Any, expected: bool) -> None:
    params = {"data.path": "a", "task.kind": "count", "training.epochs": 2}
    stage = None if locked is None else {"params": {"params.yaml": locked}}
    assert is_alike(stage, params) == expected


def test_stage_that_never_ran_is_to_run() -> None:
    lock = {stage: LOCK[stage] for stage in ("prepare", "augment", "train", "evaluate")}
    stages = list_stages_to_run("train", PIPELINE, lock, dict(flatten_tree(PARAMS)))
    assert stages == ["train", "evaluate", "study", "confirm", "diagnose", "report"]


@pytest.mark.usefixtures("empty_folder")
def test_removed_stage_does_not_run() -> None:
    pipeline = {stage: listed for stage, listed in PIPELINE.items() if stage != "evaluate"}
    record = {"path": "artifacts/inputs/evaluate.json", "md5": "0"}
    lock = LOCK | {"evaluate": {**LOCK["evaluate"], "deps": [record]}}
    assert "evaluate" not in list_stages_to_run("prepare", pipeline, lock, dict(flatten_tree(PARAMS)))
    assert "evaluate" in list_stages_to_run("prepare", PIPELINE, lock, dict(flatten_tree(PARAMS)))


@pytest.fixture
def project(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copyfile(ROOT / name, empty_folder / name)
    monkeypatch.setenv("DVC_STAGE", "prepare")


@pytest.mark.usefixtures("project")
def test_only_first_stage_announces(capsys: pytest.CaptureFixture[str]) -> None:
    announce_run("prepare")
    line = capsys.readouterr().out
    assert f"; for a report these stages run: {', '.join(STAGE_NAMES)}; `thalweg check --time`" in line
    announce_run("augment")
    assert capsys.readouterr().out == ""
    announce_run("prepare")  # the next `dvc repro` in this shell
    assert capsys.readouterr().out == line
    files.write_bytes(LAST_STAGE, b"torn")
    announce_run("augment")
    assert "stages run: augment" in capsys.readouterr().out


@pytest.mark.usefixtures("project")
def test_stage_by_hand_announces_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("DVC_STAGE")
    announce_run("prepare")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("content", ["", "torn", "[1, 2]", "{", "\0\0"])
def test_damaged_notes_are_no_notes(tmp_path: Path, content: str) -> None:
    file = tmp_path / "last-stage.json"
    file.write_text(content)
    assert _read_tree(file) == {}
