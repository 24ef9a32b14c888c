"""Boxes in .txt files of YOLO: layouts, names of classes, and every fault by its line."""

from pathlib import Path

import pytest

from tests.helpers.drawn_sets import SIZE, draw_images, list_boxes, list_messages
from thalweg.data.examples import ReadResult
from thalweg.data.predictions import PredictedImage, PredictedObject
from thalweg.data.sources.yolo import Yolo
from thalweg.system import files
from thalweg.system.files import UserError


def read(path: Path, **options: object) -> ReadResult:
    return Yolo.model_validate({"size": [16, 20], **options}).read_examples(path, 0)


def write(path: Path, **contents: str) -> None:
    """Write files whose names have __ for / and end in .txt."""
    for name, content in contents.items():
        files.write_text(path / f"{name.replace('__', '/')}.txt", content)


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
    write(tmp_path, **{label: "1 0.5 0.5 1 1\n0 0.25 0.5 0.5 0.25 0.9\n"}, classes="cat\ndog\n")
    result = read(tmp_path)
    assert list_boxes(result)[image] == [("dog", [0, 0, 20, 16]), ("cat", [0, 6, 10, 10])]
    assert result.examples.classes == ("cat", "dog")
    assert result.examples.split.tolist() == ["train", "validation"]
    assert result.examples.labels["count"].tolist() == [2, 0]
    without = image.replace("train", "valid").replace("a.png", "b.png")
    assert list_messages(result) == [f"1 image without a .txt file count as images without objects: {without}"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("data.yaml", "names: [cat, dog]\nnc: 2\n"),
        ("data.yaml", "names:\n  0: cat\n  1: dog\n"),
        ("classes.txt", "\ufeffcat\r\ndog\r\n\r\n"),
        ("labels/classes.txt", "cat\ndog"),
        ("obj.names", "cat\ndog\n"),
    ],
)
def test_names_of_classes(tmp_path: Path, name: str, content: str) -> None:
    draw_images(tmp_path, "a.png")
    write(tmp_path, a="1 0.5 0.5 1 1\n")
    files.write_text(tmp_path / name, content)
    result = read(tmp_path)
    assert list_boxes(result) == {"a.png": [("dog", [0, 0, 20, 16])]}
    assert list_messages(result) == ["1 class without a box, left out: cat"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("notes.md", "", r"there is no list of class names \(data\.yaml, .*or set data\.source\.classes"),
        ("classes.txt", "cat\n\ndog\n", r"classes\.txt:2: no name; each line names a class"),
        ("data.yaml", "names: [cat", r"data\.yaml: not a YAML file"),
        ("data.yaml", "nc: 2", r"data\.yaml: `names` must list the names of the classes"),
        ("data.yaml", "names: {1: cat, 2: dog}", r"data\.yaml: `names` must list"),
        ("data.yaml", "names: [[cat], dog]", r"data\.yaml: `names` must list"),
    ],
)
def test_bad_names_are_refused(tmp_path: Path, name: str, content: str, message: str) -> None:
    draw_images(tmp_path, "a.png")
    write(tmp_path, a="1 0.5 0.5 1 1\n")
    files.write_text(tmp_path / name, content)
    with pytest.raises(UserError, match=message):
        read(tmp_path)
    assert list_boxes(read(tmp_path, classes=["cat", "dog"]))["a.png"] == [("dog", [0, 0, 20, 16])]


@pytest.mark.parametrize(
    "content",
    [
        "train: images/a\nval: images/b\ntest: [images/c, images/d]\n",
        "path: ../elsewhere\ntrain: ./images/a\nval: ../images/b/\ntest: lists/test.txt\n",
        "path: images\ntrain: a\nvalid: b\ntest: [c, d]\n",
        "train: lists/train.txt\nval: images\\b\ntest: lists/test.txt\n",
    ],
)
def test_sets_of_data_yaml(tmp_path: Path, content: str) -> None:
    draw_images(tmp_path / "images", "a/1.png", "b/2.png", "c/3.png", "d/4.png")
    write(tmp_path, labels__a__1="0 0.5 0.5 1 1", lists__test="./images/c/3.png\n\n/far/d/4.png\n")
    write(tmp_path, lists__train="../images/a/1.png\n")
    files.write_text(tmp_path / "data.yaml", f"names: [cat]\n{content}")
    assert read(tmp_path).examples.split.tolist() == ["train", "validation", "test", "test"]
    assert read(tmp_path, classes=["cat"]).examples.split.tolist() == ["train", "validation", "test", "test"]


def test_missing_sets_are_refused(tmp_path: Path) -> None:
    draw_images(tmp_path / "images" / "train", "1.png")
    write(tmp_path, labels__train__1="0 0.5 0.5 1 1")
    files.write_text(tmp_path / "data.yaml", "names: [cat]\ntrain: images/train\nval: {a: 1}\ntest: ../gone\n")
    with pytest.raises(
        UserError, match=r"`val` must be .*\n.*data\.yaml: `test` is \.\./gone, but .* or remove the line"
    ):
        read(tmp_path)
    files.write_text(tmp_path / "data.yaml", "names: [cat]\ntrain: images/train\nval: images/train\ntest:\n")
    result = read(tmp_path)
    assert list_messages(result) == ["data.yaml: train and val are the same images, so they mark no split"]
    assert result.examples.split.tolist() == [""]


def test_image_in_two_sets_is_dropped(tmp_path: Path) -> None:
    draw_images(tmp_path / "images", "1.png", "2.png")
    write(tmp_path, labels__1="0 0.5 0.5 1 1", train="images/1.png\nimages/2.png\nimages/3.png", test="images/2.png")
    files.write_text(tmp_path / "data.yaml", "names: [cat]\ntrain: train.txt\ntest: test.txt\n")
    result = read(tmp_path)
    assert result.examples.names.tolist() == ["images/1.png"]
    assert list_messages(result)[:2] == [
        "images/2.png: images/2.png: data.yaml puts this image into the train and test sets",
        "data.yaml: 1 image of its sets is not there: images/3.png",
    ]


@pytest.mark.parametrize("folder", ["labels", "labels/train"])
def test_second_list_of_names(tmp_path: Path, folder: str) -> None:
    """A tool writes classes.txt beside the boxes."""
    draw_images(tmp_path / "images" / "train", "1.png")
    write(tmp_path, labels__train__1="0 0.5 0.5 1 1")
    files.write_text(tmp_path / "data.yaml", "names: [cat]\n")
    files.write_text(tmp_path / folder / "classes.txt", "cat\n")
    assert list_messages(read(tmp_path)) == []
    files.write_text(tmp_path / folder / "classes.txt", "dog\ncat\n")
    assert list_messages(read(tmp_path)) == [
        f"{folder}/classes.txt is not used: it names other classes (dog, cat) than those in use (cat)"
    ]


@pytest.mark.parametrize(
    ("one", "other", "file"), [("a.png", "a.bmp", "a"), ("images/a.png", "images/a.jpg", "labels__a"),
                               ("images/a.png", "a.png", "labels__a")],
)  # fmt: skip
def test_shared_file_of_boxes_is_a_fault(tmp_path: Path, one: str, other: str, file: str) -> None:
    draw_images(tmp_path, one, other, "c.png")
    write(tmp_path, **{file: "0 0.5 0.5 1 1"}, classes="cat")
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
    write(tmp_path, labels__a="\n".join(lines), labels__c="0 0.5 0.5 1 1", classes="cat\ndog")
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
    write(tmp_path, a="0 0.500001 0.5 1 1", b="0 0.6 0.5 1 1", classes="cat")
    result = read(tmp_path)
    assert list_boxes(result) == {"a.png": [("cat", [0, 0, 20, 16])], "b.png": [("cat", [2, 0, 20, 16])]}
    assert list_messages(result) == ["1 of 2 boxes reach beyond their image and were moved to its edge: b.txt:1"]


def test_no_boxes_at_all_are_refused(tmp_path: Path) -> None:
    draw_images(tmp_path, "a.png")
    write(tmp_path, classes="cat")
    with pytest.raises(UserError, match=r"no image has a \.txt file of boxes"):
        read(tmp_path)


def test_missing_files(tmp_path: Path) -> None:
    draw_images(tmp_path, "a.png")
    assert Yolo(size=(4, 4)).find_missing_file(tmp_path) == ".txt file of boxes"
    write(tmp_path, a="")
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
