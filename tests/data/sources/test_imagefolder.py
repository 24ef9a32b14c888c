"""A folder for each class, with and without folders of a split."""

from pathlib import Path

import pytest

from tests.helpers.drawn_sets import draw_images, list_messages
from thalweg.data.examples import ReadResult
from thalweg.data.predictions import PredictedImage
from thalweg.data.sources.imagefolder import ImageFolder
from thalweg.system.files import UserError


def read(path: Path) -> ReadResult:
    return ImageFolder(size=(4, 5)).read_examples(path, 0)


def list_rows(path: Path) -> list[tuple[str, str, str]]:
    examples = read(path).examples
    names = [examples.classes[label] for label in examples.labels["label"]]
    return list(zip(examples.names.tolist(), names, examples.split.tolist(), strict=True))


def test_folders_are_classes(tmp_path: Path) -> None:
    draw_images(tmp_path, "cat/a.png", "dog/deep/er/b.png", "dog/c.png")
    assert list_rows(tmp_path) == [("cat/a.png", "cat", ""), ("dog/c.png", "dog", ""), ("dog/deep/er/b.png", "dog", "")]
    assert list_messages(read(tmp_path)) == []


@pytest.mark.parametrize("name", ["val", "valid", "validation", "Val"])
def test_folders_of_splits_are_the_split(tmp_path: Path, name: str) -> None:
    draw_images(tmp_path, "train/cat/a.png", "train/dog/test/b.png", f"{name}/cat/c.png", "test/owl/d.png")
    rows = {image.split("/")[-1]: (label, split) for image, label, split in list_rows(tmp_path)}
    assert rows == {
        **{"a.png": ("cat", "train"), "b.png": ("dog", "train")},
        **{"c.png": ("cat", "validation"), "d.png": ("owl", "test")},
    }
    assert read(tmp_path).examples.classes == ("cat", "dog", "owl")


def test_train_alone_is_no_split(tmp_path: Path) -> None:
    draw_images(tmp_path, "train/cat/a.png", "train/dog/b.png")
    assert [(label, split) for _, label, split in list_rows(tmp_path)] == [("cat", ""), ("dog", "")]


def test_class_may_be_called_like_a_split(tmp_path: Path) -> None:
    draw_images(tmp_path, "train/a.png", "car/b.png")
    assert [label for _, label, _ in list_rows(tmp_path)] == ["car", "train"]


def test_empty_folders_are_named(tmp_path: Path) -> None:
    draw_images(tmp_path, "train/cat/a.png", "train/dog/b.png", "val/cat/c.png")
    (tmp_path / "val" / "dog").mkdir()
    (tmp_path / "train" / "owl").mkdir()
    (tmp_path / "train" / "owl" / "notes.txt").write_text("")
    result = read(tmp_path)
    assert result.examples.classes == ("cat", "dog")
    assert list_messages(result) == [
        "1 folder without images, so without a class: owl",
        f"files below {tmp_path.name}/ that are no images are not used, 1 in all: train/owl/notes.txt",
    ]


def test_image_without_class_and_broken_image_are_faults(tmp_path: Path) -> None:
    draw_images(tmp_path, "train/a.png", "train/cat/b.png", "c.png")
    (tmp_path / "train" / "cat" / "d.png").write_text("no image")
    assert [line.split(" (")[0] for line in list_messages(read(tmp_path))] == [
        "./: c.png: lies in no folder of a class",
        "train/: train/a.png: lies in no folder of a class",
        "train/cat/: train/cat/d.png: not a readable image",
    ]


def test_some_folders_of_splits_are_refused(tmp_path: Path) -> None:
    draw_images(tmp_path, "train/cat/a.png", "val/cat/a.png", "more/cat/b.png")
    with pytest.raises(UserError, match=r"folders of splits \(train, val\), but also others \(more\)"):
        read(tmp_path)


def test_split_without_classes_is_named(tmp_path: Path) -> None:
    draw_images(tmp_path, "train/cat/a.png", "val/cat/b.png", "test/1.png", "testing/2.png")
    with pytest.raises(UserError, match=r"test, testing: hold images without a folder of a class; sort .* test/CLASS/"):
        read(tmp_path)
    draw_images(tmp_path, "more/3.png")
    with pytest.raises(UserError, match=r"but also others \(more\)[^\n]*\n.*test, testing: hold"):
        read(tmp_path)


@pytest.mark.parametrize("names", [(), ("a.png",)])
def test_no_class_is_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    draw_images(tmp_path, *names)
    with pytest.raises(UserError, match="no folder with images; make a folder for each class"):
        read(tmp_path)
    assert ImageFolder(size=(4, 5)).find_missing_file(tmp_path) == "folders of two classes"


def test_predictions_sort_the_images(tmp_path: Path) -> None:
    draw_images(tmp_path / "new", "a.png", "day/b.png")
    images = [
        PredictedImage(name, name, tmp_path / "new" / name, (8, 10), label=label)
        for name, label in (("a.png", "dog"), ("day/b.png", "cat"))
    ]
    for name, file in ImageFolder.encode_predictions(images, ("cat", "dog")).items():
        (tmp_path / "out" / name).parent.mkdir(parents=True)
        (tmp_path / "out" / name).write_bytes(file.read_bytes())
    assert [(name, label) for name, label, _ in list_rows(tmp_path / "out")] == [
        ("cat/day/b.png", "cat"),
        ("dog/a.png", "dog"),
    ]


def test_no_copy_is_lost() -> None:
    with pytest.raises(UserError, match=r"several images have the same path below their folders: a\.png$"):
        ImageFolder.check_predicted_names(("a.png", "b.png", "a.png"), ("cat",))


def test_class_that_is_no_folder_is_refused() -> None:
    with pytest.raises(UserError, match=r"no folder can be named like these classes: \.\., a/b"):
        ImageFolder.check_predicted_names([], ("..", "a/b", "ok"))
