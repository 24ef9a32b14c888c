"""Examples that are read from a folder of images and tables."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from tests.helpers.image_folder import read_folder, write_folder
from thalweg.data.sources.folder import Folder

BUS_STOP = os.environ.get("THALWEG_BUS_STOP", "")
"""A folder of real frames, laid out as presets/bus-stop.yaml says."""


def test_labels_are_sorted_by_image(tmp_path: Path) -> None:
    labels = "image,count,group,split\nb.png,3,left,test\n\na.png,0,right,\n"
    reading = read_folder(write_folder(tmp_path, labels=labels))
    examples = reading.examples
    assert (reading.faults, reading.warnings) == ((), ())
    assert examples.names.tolist() == ["a.png", "b.png"]
    assert examples.groups.tolist() == ["right", "left"]
    assert examples.split.tolist() == ["", "test"]
    assert examples.labels["count"].dtype == np.float32
    assert examples.labels["count"].tolist() == [0, 3]
    assert examples.images.dtype == np.uint8
    assert examples.images.shape == (2, 4, 3, 1)
    assert examples.images[:, 0, 0, 0].tolist() == [10, 20]


def test_groups_default_to_images(tmp_path: Path) -> None:
    examples = read_folder(write_folder(tmp_path, labels="image,count\na.png,1\nb.png,1\n")).examples
    assert examples.groups.tolist() == ["a.png", "b.png"]


@pytest.mark.parametrize(
    ("labels", "classes", "indices"),
    [
        (["cat", "ant"], ("ant", "cat"), [1, 0]),
        (["10", "9"], ("9", "10"), [1, 0]),
        (["10", "9a"], ("10", "9a"), [0, 1]),
    ],
)
def test_labels_index_sorted_classes(
    tmp_path: Path, labels: list[str], classes: tuple[str, ...], indices: list[int]
) -> None:
    table = f"image,label\na.png,{labels[0]}\nb.png,{labels[1]}\n"
    examples = read_folder(write_folder(tmp_path, labels=table)).examples
    assert examples.classes == classes
    assert examples.labels["label"].dtype == np.int32
    assert examples.labels["label"].tolist() == indices


def test_points_and_boxes_are_scaled(tmp_path: Path) -> None:
    path = write_folder(
        tmp_path,
        labels="image,group\na.png,x\nb.png,y\n",
        points="image,x,y\nb.png,6,8\na.png,3,4\nb.png,0,1\n",
        boxes="image,x0,y0,x1,y1,kind\nb.png,0,0,6,8,dog\na.png,2,2,4,6,cat\nb.png,0,0,3,2,cat\n",
    )
    reading = read_folder(path, height=16, width=3)
    labels = reading.examples.labels
    assert (reading.faults, reading.warnings) == ((), ())
    assert labels["points"].tolist() == [[[1.5, 8], [0, 0]], [[3, 16], [0, 2]]]
    assert labels["boxes"].tolist() == [[[1, 4, 2, 12], [0, 0, 0, 0]], [[0, 0, 3, 16], [0, 0, 1.5, 4]]]
    assert labels["present"].tolist() == [[True, False], [True, True]]
    assert reading.examples.classes == ("cat", "dog")
    assert labels["kinds"].tolist() == [[0, 0], [1, 0]]
    assert labels["count"].tolist() == [1, 2]
    assert {name: str(values.dtype) for name, values in labels.items()} == {
        "points": "float32",
        "boxes": "float32",
        "present": "bool",
        "kinds": "int32",
        "count": "float32",
    }


def test_far_annotations_are_clipped(tmp_path: Path) -> None:
    path = write_folder(
        tmp_path,
        labels="image\na.png\nb.png\n",
        points="image,x,y\na.png,-1,4\na.png,6,8\nb.png,7,99\nb.png,1,1\nb.png,1,1\n",
        boxes="image,x0,y0,x1,y1\na.png,-2,0,3,9\na.png,0,0,6,8\nb.png,0,0,1,1\nb.png,0,0,1,2\nb.png,0,0,1,3\n",
    )
    reading = read_folder(path, height=8, width=6)
    assert reading.faults == ()
    assert reading.warnings == (
        "2 of 5 points reach beyond their image and were moved to its edge: points.csv:2, points.csv:4",
        "1 of 5 boxes reach beyond their image and were moved to its edge: boxes.csv:2",
        "1 points are duplicates within an image and were kept: points.csv:6",
    )
    assert reading.examples.labels["points"].tolist() == [[[0, 4], [6, 8], [0, 0]], [[6, 8], [1, 1], [1, 1]]]
    assert reading.examples.labels["boxes"][0, 0].tolist() == [0, 0, 3, 8]


def test_box_classes_are_no_image_classes(tmp_path: Path) -> None:
    boxes = "image,x0,y0,x1,y1,kind\na.png,1,1,3,3,adult\n"
    (tmp_path / "labelled").mkdir()
    labelled = read_folder(
        write_folder(tmp_path / "labelled", labels="image,label\na.png,busy\nb.png,empty\n", boxes=boxes)
    )
    assert labelled.examples.classes == ("busy", "empty")
    assert labelled.examples.labels["label"].tolist() == [0, 1]
    (tmp_path / "boxed").mkdir()
    assert read_folder(
        write_folder(tmp_path / "boxed", labels="image\na.png\nb.png\n", boxes=boxes)
    ).examples.classes == ("adult",)


def test_unused_columns_are_named(tmp_path: Path) -> None:
    reading = read_folder(write_folder(tmp_path, labels="image,count,gruop\na.png,2,x\nb.png,1,x\n"))
    assert reading.warnings == ("labels.csv: unused columns: gruop",)


@pytest.mark.parametrize("options", [{}, {"size": [0, 4]}, {"size": [4]}, {"size": [4, 4], "channels": 2}])
def test_invalid_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Folder.model_validate(options)


@pytest.mark.skipif(not BUS_STOP, reason="THALWEG_BUS_STOP names no folder of real frames")
def test_bus_stop_keeps_its_points() -> None:
    reading = read_folder(Path(BUS_STOP), height=40, width=22)
    labels: Any = reading.examples.labels
    assert reading.faults == ()
    assert len(reading.examples) == 720
    assert labels["count"].sum() == labels["present"].sum() == 9483
    np.testing.assert_array_equal(labels["present"].sum(1), labels["count"])
    assert (labels["points"] >= 0).all()
    assert (labels["points"] <= [22, 40]).all()
    assert reading.warnings[0].startswith("12 of 9483 points reach beyond their image")
    assert reading.warnings[1].startswith("21 points are duplicates")
