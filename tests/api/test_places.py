"""The folder of a study: a project of its own, named by what it is of, and never another's."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

import thalweg
from tests.helpers.small_study import build_params
from tests.helpers.tiny_pipeline import TREE
from thalweg.api.experiment import read_experiment
from thalweg.api.places import open_place
from thalweg.system import files

OWN_SOURCE = "from thalweg.data.sources.scenes import Scenes\nclass Own(Scenes):\n    examples: int = 96\n"


def open_study(
    params: Any, changes: dict[str, Any] | None = None, data: thalweg.Data | None = None, folder: Any = None
) -> Path:
    return open_place(read_experiment(params, changes), data, folder)


def write_project(folder: Path) -> Path:
    """Write the files by which a folder is a project."""
    YAML(typ="rt").dump(TREE, folder / "params.yaml")
    (folder / "dvc.yaml").write_text("stages: {}\n")
    return folder / "params.yaml"


def read_params(folder: Path) -> Any:
    return YAML(typ="safe").load(folder / "params.yaml")


def test_unchanged_params_of_a_project_stay_there(empty_folder: Path) -> None:
    file = write_project(empty_folder)
    before = sorted(files.list_files(empty_folder))
    assert open_study(file) == empty_folder
    assert sorted(files.list_files(empty_folder)) == before


def test_same_params_have_one_folder(empty_folder: Path) -> None:
    first = open_study(TREE)
    assert first.parent == empty_folder / "studies"
    assert open_study(TREE) == open_study(TREE, {"study.trials": 4}) == first
    assert read_params(first) == TREE
    other = open_study(TREE, {"study.trials": 8})
    assert other.parent == first.parent
    assert other != first
    assert (read_params(first)["study"]["trials"], read_params(other)["study"]["trials"]) == (4, 8)
    assert (first.parent / ".gitignore").read_text() == "*\n"
    assert (first / ".thalweg").resolve() == (other / ".thalweg").resolve() == first.parent / ".thalweg"
    assert {path.name for path in first.parent.iterdir()} == {first.name, other.name, ".gitignore", ".thalweg"}


def test_changed_params_of_a_project_share_its_state(empty_folder: Path) -> None:
    place = open_study(write_project(empty_folder), {"study.trials": 8})
    assert place.parent == empty_folder / "studies"
    assert (place / ".thalweg").resolve() == empty_folder / ".thalweg"


@pytest.mark.parametrize("folder", [None, "mine"])
@pytest.mark.parametrize("source", [TREE["data"]["source"], {"kind": "own_source.Own"}])
def test_study_stays_the_same_when_a_folder_appears(empty_folder: Path, source: Any, folder: str | None) -> None:
    """The folder `data` that a study of drawn data has is its own, and no other one changes what it is."""
    (empty_folder / "own_source.py").write_text(OWN_SOURCE)
    place = open_study(TREE, {"data.source": source}, folder=folder)
    before = (place / "params.yaml").read_bytes()
    assert list(files.list_files(place / "data")) == ["README.md"]  # DVC warns of an empty folder
    (empty_folder / "data").mkdir()
    assert open_study(TREE, {"data.source": source}, folder=folder) == place
    assert (place / "params.yaml").read_bytes() == before
    with pytest.raises(thalweg.UserError, match=r"differs in data\.path \(data, now more\)"):
        open_study(TREE, {"data.source": source, "data.path": "more"}, folder=place)


def test_drawn_data_reads_no_folder(empty_folder: Path) -> None:
    (empty_folder / "data").mkdir()
    assert read_params(open_study(TREE))["data"]["path"] == "data"


def test_own_source_reads_the_folder_beside_the_params(empty_folder: Path) -> None:
    (empty_folder / "own_source.py").write_text(OWN_SOURCE)
    (empty_folder / "data").mkdir()
    changes = {"data.source": {"kind": "own_source.Own"}}
    place = open_study(TREE, changes)
    assert read_params(place)["data"]["path"] == "../../data"
    (empty_folder / "data").rmdir()
    assert open_study(TREE, changes) == place


def test_chosen_folder_stands_alone(empty_folder: Path) -> None:
    place = open_study(TREE, folder="mine")
    assert place == empty_folder / "mine"
    assert not (place / ".thalweg").is_symlink()
    assert place.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in empty_folder.iterdir()] == ["mine"]
    assert open_study(TREE, folder="mine") == place


def test_other_study_is_not_replaced(empty_folder: Path) -> None:
    place = open_study(TREE, folder="mine")
    before = (place / "params.yaml").read_bytes()
    message = (
        f"{empty_folder}/mine: holds another study; it differs in study.trials (4, now 8). "
        f"Choose another folder, or edit {empty_folder}/mine/params.yaml and run that file"
    )
    with pytest.raises(thalweg.UserError) as caught:
        open_study(TREE, {"study.trials": 8}, folder="mine")
    assert str(caught.value) == message
    assert (place / "params.yaml").read_bytes() == before


@pytest.mark.usefixtures("empty_folder")
def test_files_of_another_kind_are_not_replaced() -> None:
    Path("mine").mkdir()
    Path("mine/thesis.txt").touch()
    with pytest.raises(thalweg.UserError, match=r"mine: holds files, but no params\.yaml of a study"):
        open_study(TREE, folder="mine")


@pytest.mark.usefixtures("empty_folder")
@pytest.mark.parametrize(("changes", "error"), [({"data": 3}, "data: must be a mapping"), ({"study": None}, "study: ")])
def test_odd_params_are_explained(changes: dict[str, Any], error: str) -> None:
    with pytest.raises(thalweg.UserError, match=f"(?m)^params: {error}"):
        open_study(TREE, changes)


def test_invalid_params_leave_no_folder(empty_folder: Path) -> None:
    changes = {"study.trials": 5, "optimizer.learning_rat": 1, "training.epochs": "x"}
    with pytest.raises(thalweg.UserError) as caught:
        open_study(TREE, changes)
    assert str(caught.value).splitlines() == [
        "params: optimizer.learning_rat: unknown key; allowed: kind, learning_rate, clip, momentum, weight_decay, "
        "b2, eps; did you mean `learning_rate`?",
        'params: training.epochs: must be a whole number, not the text "x"',
        "params: study.trials: 5 is not a multiple of study.cohort, 2; use 4 or 6",
        "3 errors in params",
    ]
    assert files.list_files(empty_folder) == []


@pytest.mark.usefixtures("empty_folder")
def test_errors_of_a_file_have_its_lines() -> None:
    Path("a.yaml").write_text(Path(write_project(Path())).read_text().replace("epochs: 2", "epochs: two"))
    line = Path("a.yaml").read_text().splitlines().index("  epochs: two") + 1
    with pytest.raises(thalweg.UserError) as caught:
        open_study("a.yaml")
    assert str(caught.value) == (
        f'a.yaml:{line}: training.epochs: must be a whole number, not the text "two"\n1 error in a.yaml'
    )


BRIGHTNESS = np.arange(96) % 5
ARRAYS = build_params(
    {
        "data": {"path": "data", "source": {"kind": "folder"}, "split": {"by": "fraction"}},
        "diagnose": {},
        "report": {"title": "Light"},
    }
)


def make_data(offset: int = 0) -> thalweg.Data:
    images = np.repeat(BRIGHTNESS * 40 + offset, 16).reshape(-1, 4, 4).astype(np.uint8)
    return thalweg.Data(images, BRIGHTNESS)


@pytest.mark.usefixtures("empty_folder")
def test_data_lies_in_the_folder() -> None:
    place = open_study(ARRAYS, data=make_data())
    data = read_params(place)["data"]
    assert (data["path"], data["source"]) == ("data", {"kind": "arrays"})
    assert list(files.list_files(place / "data")) == ["data.npz"]
    assert open_study(ARRAYS, data=make_data()) == place
    assert open_study(ARRAYS, data=make_data(1)) != place
    chosen = open_study(ARRAYS, data=make_data(), folder="mine")
    with pytest.raises(thalweg.UserError, match=r"mine: holds another study; it differs in the data\. Choose another"):
        open_study(ARRAYS, data=make_data(1), folder="mine")
    assert open_study(ARRAYS, data=make_data(), folder="mine") == chosen


def test_labels_that_the_source_refuses_leave_no_folder(empty_folder: Path) -> None:
    data = thalweg.Data(make_data().images, BRIGHTNESS - 0.5)
    with pytest.raises(thalweg.UserError, match=r"^labels\[0\]: `count` must be a whole number .* \(and 95 more\)$"):
        open_study(ARRAYS, data=data)
    assert files.list_files(empty_folder) == []
    assert open_study(ARRAYS, {"data.on_bad": "skip"}, data=data)


def test_own_code_is_found_from_the_folder(empty_folder: Path) -> None:
    Path("own_model.py").write_text("from thalweg.models.linear import Model\n")
    tree = {**TREE, "model": {"kind": "own_model.Model"}}
    place = open_study(tree)
    assert json.loads((place / "own-code.json").read_text()) == {"folder": "../.."}
    assert place.parent == empty_folder / "studies"
