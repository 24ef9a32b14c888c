"""Own augmentations in `augment` of params.yaml."""

from pathlib import Path

import numpy as np
import pytest
from ruamel import yaml

from tests.helpers.params_messages import edit_experiment, find_line, list_message_lines
from thalweg.config.experiment import Config
from thalweg.config.load import load_config
from thalweg.config.write import rewrite_params
from thalweg.training.build import build_hyper

OWN = """
from thalweg.core.augmentations import Change, declare_change


@declare_change(Change.LIGHT)
def dim(key, batch, strength):
    return batch


@declare_change(Change.OBJECTS, moves_pixels=True)
def roll(key, batch, strength):
    return batch


def silent(key, batch, strength):
    return batch
"""


@pytest.fixture(autouse=True)
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_numbers_of_test.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)


def load_edited(folder: Path, *edits: tuple[str, str]) -> Config:
    file = folder / "params.yaml"
    file.write_text(edit_experiment(*edits))
    return load_config(file)


ONLINE = "    flip: 0.5               # probability of mirroring left to right\n"
DIM = "augment.online.own_numbers_of_test.dim"


@pytest.mark.parametrize(
    "written",
    ["    own_numbers_of_test.dim: 0.25\n", "    own_numbers_of_test:\n      dim: 0.25\n"],
    ids=["one key", "keys"],
)
def test_own_augmentation_is_a_key_in_either_form(written: str, tmp_path: Path) -> None:
    searched = ("    optimizer.momentum:\n", f"    {DIM}: {{low: 0.0, high: 0.5}}\n    optimizer.momentum:\n")
    config = load_edited(tmp_path, (ONLINE, ONLINE + written), searched)
    assert build_hyper(config).augment["own_numbers_of_test.dim"] == np.float32(0.25)
    assert build_hyper(config.replace_values({DIM: 0.125})).augment["own_numbers_of_test.dim"] == np.float32(0.125)
    best = yaml.YAML(typ="safe").load(rewrite_params((tmp_path / "params.yaml").read_text(), {DIM: 0.5}))
    assert build_hyper(Config.model_validate(best)).augment["own_numbers_of_test.dim"] == np.float32(0.5)


def test_searched_augmentation_need_not_be_in_the_file(tmp_path: Path) -> None:
    searched = ("    optimizer.momentum:\n", f"    {DIM}: {{low: 0.0, high: 0.5}}\n    optimizer.momentum:\n")
    assert build_hyper(load_edited(tmp_path, searched)).augment["own_numbers_of_test.dim"] == 0


def test_faults_of_own_augmentations_are_all_reported(tmp_path: Path) -> None:
    written = "".join(f"    own_numbers_of_test.{name}: 0.5\n" for name in ("roll", "silent", "fade"))
    text = edit_experiment((ONLINE, ONLINE + written + "    own_numbers_of_test:\n      dim: 2.0\n"))
    first = find_line(text, "own_numbers_of_test.roll")
    lines = list_message_lines(tmp_path, text)
    assert [line.split(": ")[0:2] for line in lines] == [
        [str(first + offset), f"augment.online.own_numbers_of_test.{name}"]
        for offset, name in ((0, "roll"), (1, "silent"), (2, "fade"), (4, "dim"))
    ]
    for line, fault in zip(
        lines, ("could make the labels", "does not say what", "is not there", "at most"), strict=True
    ):
        assert fault in line
