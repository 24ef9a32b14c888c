"""Data with faults, as the stages see it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.helpers.tiny_pipeline import TREE, run_stages, write_params
from thalweg.artifacts import prepared
from thalweg.system import data_files, files
from thalweg.system.paths import (
    COPIES,
    EXAMPLES,
    MANIFEST,
)


@pytest.fixture
def labelled_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A folder of labelled images, one of which is not there."""
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(0)
    (tmp_path / "data").mkdir()
    for i in range(8):
        Image.fromarray(draw.integers(0, 256, (24, 24, 3), np.uint8)).save(tmp_path / "data" / f"{i}.png")
    rows = "".join(f"{i}.png,{i},place {i // 2}\n" for i in range(8))
    (tmp_path / "data" / "labels.csv").write_text(f"image,count,group\n{rows}lost.png,3,place 9\n")
    term = {"terms": {"count": {"kind": "l2"}}}
    source = {"path": "data", "source": {"kind": "folder", "size": [24, 24]}}
    return TREE | {"data": TREE["data"] | source, "task": {"kind": "count"}, "loss": term}


def test_bad_row_stops_prepare(labelled_folder: dict[str, Any]) -> None:
    write_params(labelled_folder)
    with pytest.raises(files.UserError) as ended:
        run_stages("prepare")
    message = str(ended.value)
    assert "labels.csv:10: lost.png: no such file" in message
    assert "data.on_bad: skip" in message
    assert not EXAMPLES.exists()


def test_many_faults_of_one_cause_are_named_once(labelled_folder: dict[str, Any]) -> None:
    lost = "".join(f"lost-{i}.png,3,place 9\n" for i in range(30))
    with Path("data/labels.csv").open("a") as table:
        table.write(f"{lost}0.png,many,place 9\n")
    write_params(labelled_folder)
    with pytest.raises(files.UserError) as ended:
        run_stages("prepare")
    title, *lines, _ = str(ended.value).splitlines()
    assert title == "32 faults in the data:"
    assert lines[:10] == [
        f"labels.csv:{10 + i}: lost{f'-{i - 1}' if i else ''}.png: no such file below data/" for i in range(10)
    ]
    assert lines[10] == "and 21 more like this"
    assert "labels.csv:41: 0.png: " in lines[11]
    assert len(lines) == 12


def test_bad_row_skipped_on_request(labelled_folder: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    write_params(labelled_folder | {"data": labelled_folder["data"] | {"on_bad": "skip"}})
    run_stages("prepare", "augment")
    assert "left out: 1 fault in the data" in capsys.readouterr().out
    assert len(prepared.read_examples(EXAMPLES)) == 8
    manifest = files.read_json(MANIFEST)
    assert [entry["name"] for entry in manifest["excluded"]] == ["lost.png"]
    assert sum(manifest["examples"].values()) == 8
    assert len(data_files.read_arrays(COPIES)["origin"]) == manifest["examples"]["train"]


def test_unsuited_data_is_a_user_error(labelled_folder: dict[str, Any]) -> None:
    write_params(TREE | {"data": labelled_folder["data"] | {"on_bad": "skip"}})
    with pytest.raises(files.UserError, match=r"task\.kind: count cannot use this data: the data has no `points`"):
        run_stages("prepare")
