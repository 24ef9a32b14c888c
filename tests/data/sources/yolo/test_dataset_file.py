"""data.yaml and its like: names of classes, and sets as folders and lists."""

from pathlib import Path

import pytest

from tests.helpers.drawn_sets import draw_images, list_boxes, list_messages, write_texts
from thalweg.data.examples import ReadResult
from thalweg.data.sources.yolo import Yolo
from thalweg.system import files
from thalweg.system.files import UserError


def read(path: Path, **options: object) -> ReadResult:
    return Yolo.model_validate({"size": [16, 20], **options}).read_examples(path, 0)


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
    write_texts(tmp_path, a="1 0.5 0.5 1 1\n")
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
    write_texts(tmp_path, a="1 0.5 0.5 1 1\n")
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
    write_texts(tmp_path, labels__a__1="0 0.5 0.5 1 1", lists__test="./images/c/3.png\n\n/far/d/4.png\n")
    write_texts(tmp_path, lists__train="../images/a/1.png\n")
    files.write_text(tmp_path / "data.yaml", f"names: [cat]\n{content}")
    assert read(tmp_path).examples.split.tolist() == ["train", "validation", "test", "test"]
    assert read(tmp_path, classes=["cat"]).examples.split.tolist() == ["train", "validation", "test", "test"]


def test_missing_sets_are_refused(tmp_path: Path) -> None:
    draw_images(tmp_path / "images" / "train", "1.png")
    write_texts(tmp_path, labels__train__1="0 0.5 0.5 1 1")
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
    write_texts(
        tmp_path, labels__1="0 0.5 0.5 1 1", train="images/1.png\nimages/2.png\nimages/3.png", test="images/2.png"
    )
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
    write_texts(tmp_path, labels__train__1="0 0.5 0.5 1 1")
    files.write_text(tmp_path / "data.yaml", "names: [cat]\n")
    files.write_text(tmp_path / folder / "classes.txt", "cat\n")
    assert list_messages(read(tmp_path)) == []
    files.write_text(tmp_path / folder / "classes.txt", "dog\ncat\n")
    assert list_messages(read(tmp_path)) == [
        f"{folder}/classes.txt is not used: it names other classes (dog, cat) than those in use (cat)"
    ]
