"""Boxes in .txt files of YOLO: layouts, names of classes, and every fault by its line."""

from pathlib import Path

import pytest

from tests.helpers.drawn_sets import SIZE, draw_images, list_boxes, list_messages, write_texts
from thalweg.data.examples import ReadResult
from thalweg.data.predictions import PredictedImage, PredictedObject
from thalweg.data.sources.yolo import Yolo
from thalweg.system import files
from thalweg.system.files import UserError


def read(path: Path, **options: object) -> ReadResult:
    return Yolo.model_validate({"size": [16, 20], **options}).read_examples(path, 0)


@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("images/train/a.png", "labels__train__a"),
        ("train/images/a.png", "train__labels__a"),
        ("train/a.png", "train__a"),
        ("train/a.png", "labels__train__a"),
    ],
)
def test_layouts(tmp_path: Path, image: str, label: str) -> None:
    draw_images(tmp_path, image, image.replace("train", "valid").replace("a.png", "b.png"))
    write_texts(tmp_path, **{label: "1 0.5 0.5 1 1\n0 0.25 0.5 0.5 0.25 0.9\n"}, classes="cat\ndog\n")
    result = read(tmp_path)
    assert list_boxes(result)[image] == [("dog", [0, 0, 20, 16]), ("cat", [0, 6, 10, 10])]
    assert result.examples.classes == ("cat", "dog")
    assert result.examples.split.tolist() == ["train", "validation"]
    assert result.examples.labels["count"].tolist() == [2, 0]
    without = image.replace("train", "valid").replace("a.png", "b.png")
    assert list_messages(result) == [f"1 image without a .txt file count as images without objects: {without}"]


@pytest.mark.parametrize(
    ("one", "other", "file"), [("a.png", "a.bmp", "a"), ("images/a.png", "images/a.jpg", "labels__a"),
                               ("images/a.png", "a.png", "labels__a")],
)  # fmt: skip
def test_shared_file_of_boxes_is_a_fault(tmp_path: Path, one: str, other: str, file: str) -> None:
    draw_images(tmp_path, one, other, "c.png")
    write_texts(tmp_path, **{file: "0 0.5 0.5 1 1"}, classes="cat")
    result = read(tmp_path)
    assert result.examples.names.tolist() == ["c.png"]
    names = " and ".join(sorted((one, other)))
    where = f"{file.replace('__', '/')}.txt"
    assert list_messages(result)[:2] == [f"{where}: {name}: {names} share this file" for name in sorted((one, other))]


def test_every_fault_is_named(tmp_path: Path) -> None:
    draw_images(tmp_path, "images/a.png", "images/b.png")
    lines = [
        "0 0.5 0.5 0.5 0.5",
        "",
        "2 0.5 0.5 0.5 0.5",
        "0.5 0.5 0.5 0.5 0.5",
        "-1 0.5 0.5 0.5 0.5",
        "0 1.2 0.5 0.5 -0.5",
        "0 0.5 0.5 0 0.5",
        "0 0.5 0.5 0.5",
        "0 1 2 3 4 5 6",
        "0 half nan 0.5 0.5",
    ]
    write_texts(tmp_path, labels__a="\n".join(lines), labels__c="0 0.5 0.5 1 1", classes="cat\ndog")
    assert list_messages(read(tmp_path))[:-2] == [
        "labels/a.txt:3: images/a.png: the class 2 is none of 0 to 1, the classes that have a name",
        "labels/a.txt:4: images/a.png: the class 0.5 is none of 0 to 1, the classes that have a name",
        "labels/a.txt:5: images/a.png: the class -1 is none of 0 to 1, the classes that have a name",
        "labels/a.txt:6: images/a.png: `x` is 1.2, but a share of the image's side is from 0 to 1",
        "labels/a.txt:6: images/a.png: `height` is -0.5, but a share of the image's side is from 0 to 1",
        "labels/a.txt:7: images/a.png: the box has no area: its width is 0",
        "labels/a.txt:8: images/a.png: the line has 4 numbers; a box has five: class, x, y, width, height",
        "labels/a.txt:9: images/a.png: the line has 7 numbers; a box has five: class, x, y, width, height",
        "labels/a.txt:10: images/a.png: `x` is not a finite number ('half')",
        "labels/a.txt:10: images/a.png: `y` is not a finite number ('nan')",
        "labels/c.txt: labels/c.txt: there is no image of this name",
    ]


def test_rounded_boxes_stay_inside(tmp_path: Path) -> None:
    draw_images(tmp_path, "a.png", "b.png")
    write_texts(tmp_path, a="0 0.500001 0.5 1 1", b="0 0.6 0.5 1 1", classes="cat")
    result = read(tmp_path)
    assert list_boxes(result) == {"a.png": [("cat", [0, 0, 20, 16])], "b.png": [("cat", [2, 0, 20, 16])]}
    assert list_messages(result) == ["1 of 2 boxes reach beyond their image and were moved to its edge: b.txt:1"]


def test_no_boxes_at_all_are_refused(tmp_path: Path) -> None:
    draw_images(tmp_path, "a.png")
    write_texts(tmp_path, classes="cat")
    with pytest.raises(UserError, match=r"no image has a \.txt file of boxes"):
        read(tmp_path)


def test_missing_files(tmp_path: Path) -> None:
    draw_images(tmp_path, "a.png")
    assert Yolo(size=(4, 4)).find_missing_file(tmp_path) == ".txt file of boxes"
    write_texts(tmp_path, a="")
    assert Yolo(size=(4, 4)).find_missing_file(tmp_path) == "data.yaml or classes.txt"
    assert Yolo(size=(4, 4), classes=("cat",)).find_missing_file(tmp_path) == ""


def test_predictions_are_read_back(tmp_path: Path) -> None:
    draw_images(tmp_path / "images", "a.png", "deep/b.jpg.png")
    found = (PredictedObject((1, 2, 4, 6.5), "dog", 0.75), PredictedObject((0, 0, 10, 8), "cat", 0.5))
    images = [
        PredictedImage(name, name, tmp_path / name, SIZE, objects=objects)
        for name, objects in (("a.png", found), ("deep/b.jpg.png", ()))
    ]
    for name, content in Yolo.encode_predictions(images, ("cat", "dog")).items():
        files.write_bytes(tmp_path / name, content)
    result = read(tmp_path)
    assert list_messages(result) == []
    assert list_boxes(result) == {
        "images/a.png": [("dog", [2, 4, 8, 13]), ("cat", [0, 0, 20, 16])],
        "images/deep/b.jpg.png": [],
    }


def test_predictions_share_no_file() -> None:
    with pytest.raises(UserError, match=r"share one \.txt file; rename them: x/a\.txt \(x/a\.png, x/a\.jpg\)$"):
        Yolo.check_predicted_names(("x/a.png", "x/a.jpg", "y/a.png"), ("cat",))
