"""The params that `run` is given: a file, a preset, a mapping, and changes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

import thalweg
from tests.helpers.small_study import TREE
from thalweg.api.experiment import list_differences, read_experiment

CHANGES = {"study.trials": 12, "study.space.optimizer.momentum": {"low": 0.5, "high": 0.6}}


def write_file(file: Path, tree: dict[str, Any] = TREE) -> Path:
    file.parent.mkdir(exist_ok=True)
    YAML(typ="rt").dump(tree, file)
    return file


def test_mapping_and_file_are_the_same(empty_folder: Path) -> None:
    file = write_file(empty_folder / "params.yaml")
    for changes in (None, CHANGES):
        from_file, from_mapping = read_experiment(file, changes), read_experiment(TREE, changes)
        assert from_file.tree == from_mapping.tree
        assert from_file.compute_digest() == from_mapping.compute_digest()


def test_changes_go_to_their_paths() -> None:
    tree = read_experiment(TREE, CHANGES).tree
    assert tree["study"]["trials"] == 12
    assert tree["study"]["space"]["optimizer.momentum"] == {"low": 0.5, "high": 0.6}
    assert TREE["study"]["trials"] == 8


@pytest.mark.usefixtures("empty_folder")
def test_comments_stay() -> None:
    Path("params.yaml").write_text("# mine\nseed: 1  # a number\n")
    assert read_experiment("params.yaml", {"seed": 2}).text == "# mine\nseed: 2  # a number\n"


def test_numbers_of_numpy_are_numbers() -> None:
    changes = {
        "optimizer.learning_rate": np.float32(0.5),
        "task.sizes": np.arange(2),
        "data.path": Path("a"),
        "x": (1,),
    }
    tree = read_experiment(TREE, changes).tree
    assert (tree["optimizer"]["learning_rate"], tree["task"]["sizes"]) == (0.5, [0, 1])
    assert (tree["data"]["path"], tree["x"]) == ("a", [1])


def test_value_of_another_type_is_named() -> None:
    with pytest.raises(thalweg.UserError, match=r"^changes: study\.stop: a value of the type object cannot stand"):
        read_experiment(TREE, {"study.stop": object()})
    with pytest.raises(thalweg.UserError, match=r"^params\.study\.stop: a value of the type set"):
        read_experiment({"study": {"stop": {1, 2}}}, None)


@pytest.mark.parametrize("path", ["report.sections.x", "report.sections.7"])
def test_place_that_is_not_in_a_list_is_named(path: str) -> None:
    with pytest.raises(thalweg.UserError, match=rf"^changes: {path}: no such place in a list"):
        read_experiment({"report": {"sections": ["errors"]}}, {path: "result"})


def test_preset_needs_no_file(empty_folder: Path) -> None:
    experiment = read_experiment("digits", None)
    assert experiment.tree["study"]["name"] == "digits"
    assert (experiment.base, experiment.file) == (empty_folder, None)


@pytest.mark.usefixtures("empty_folder")
def test_missing_file_is_named() -> None:
    with pytest.raises(thalweg.UserError, match=r"^parms\.yaml: no such file, and no preset of this name"):
        read_experiment("parms.yaml", None)


@pytest.mark.usefixtures("empty_folder")
def test_broken_file_is_named_with_its_line() -> None:
    Path("a.yaml").write_text("seed: 1\nmodel: [\n")
    with pytest.raises(thalweg.UserError, match=r"^a\.yaml:\d+:"):
        read_experiment("a.yaml", None)


def test_paths_begin_at_the_project_of_a_file(empty_folder: Path) -> None:
    inner = write_file(empty_folder / "experiments" / "a.yaml")
    assert read_experiment(inner, None).base == empty_folder / "experiments"
    Path("dvc.yaml").write_text("stages: {}\n")
    assert read_experiment(inner, None).base == empty_folder


def test_only_unchanged_params_are_the_project(empty_folder: Path) -> None:
    file = write_file(empty_folder / "params.yaml")
    assert read_experiment(file, None).project is None
    Path("dvc.yaml").write_text("stages: {}\n")
    assert read_experiment(file, None).project == empty_folder
    assert read_experiment(file, {"seed": 9}).project is None
    assert read_experiment(write_file(empty_folder / "b.yaml"), None).project is None


def test_differences_are_named() -> None:
    assert list_differences({"a": {"b": 1, "c": 2}}, {"a": {"b": 3, "c": 2}, "d": None}) == [
        "a.b (1, now 3)",
        "d (not set, now None)",
    ]


def test_file_with_a_repeated_key_is_named(empty_folder: Path) -> None:
    (empty_folder / "twice.yaml").write_text("seed: 0\nseed: 1\n")
    with pytest.raises(thalweg.UserError, match=r"twice\.yaml: cannot be changed. Run `thalweg check` on it"):
        read_experiment("twice.yaml", {"seed": 2})


def test_folder_hides_no_preset(empty_folder: Path) -> None:
    (empty_folder / "digits").mkdir()
    assert read_experiment("digits", {}).find_value("data.source.kind") == "digits"


@pytest.mark.parametrize(("params", "changes"), [(5, {}), (None, {}), ({}, ["seed"])])
def test_wrong_types_are_named(params: Any, changes: Any) -> None:
    with pytest.raises(thalweg.UserError, match=r"must be a .* not of the type"):
        read_experiment(params, changes)


def test_home_folder_may_be_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write_file(tmp_path / "p.yaml")
    assert read_experiment("~/p.yaml", {}).base == tmp_path
