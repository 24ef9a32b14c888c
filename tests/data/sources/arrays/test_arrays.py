"""Arrays in a .npz file: sets, types, and every fault by array and index."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.helpers.drawn_sets import list_boxes, list_messages
from thalweg.data.examples import ReadResult
from thalweg.data.predictions import PredictedImage, PredictedObject
from thalweg.data.sources.arrays import Arrays
from thalweg.system.files import UserError

IMAGES = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)


def read(path: Path, **options: object) -> ReadResult:
    return Arrays.model_validate(options).read_examples(path, 0)


def save(path: Path, **arrays: Any) -> None:
    np.savez(path / "data.npz", **arrays)


@pytest.mark.parametrize(
    ("names", "split"),
    [
        (("x_train", "y_train", "x_test", "y_test"), "test"),
        (("train_images", "train_labels", "val_images", "val_labels"), "validation"),
        (("images", "labels", "images_test", "labels_test"), "test"),
    ],
)
def test_sets_by_name(tmp_path: Path, names: tuple[str, ...], split: str) -> None:
    save(tmp_path, **dict(zip(names, (IMAGES[:2], np.array([[3], [10]]), IMAGES[2:], np.array([[3]])), strict=True)))
    result = read(tmp_path)
    examples = result.examples
    assert list_messages(result) == []
    assert sorted(zip(examples.split.tolist(), examples.labels["label"].tolist(), strict=True)) == sorted(
        [(split, 0), ("train" if "train" in names[0] else "", 0), ("train" if "train" in names[0] else "", 1)]
    )
    assert examples.classes == ("3", "10")
    assert examples.images.shape == (3, 4, 5, 1)
    np.testing.assert_array_equal(np.sort(examples.images.max((1, 2, 3))), IMAGES.max((1, 2)))


def test_texts_names_and_groups(tmp_path: Path) -> None:
    save(
        tmp_path,
        images=IMAGES,
        labels=np.array(["b", "a", "b"]),
        names=np.array(["z", "y", "x"]),
        group=np.array([1, 1, 2]),
        split=np.array(["", "test", "train"]),
        weight=np.zeros(3),
    )
    result = read(tmp_path)
    assert list_messages(result) == ["data.npz: arrays that are not used: weight"]
    assert result.examples.names.tolist() == ["z", "y", "x"]
    assert result.examples.groups.tolist() == ["1", "1", "2"]
    assert result.examples.split.tolist() == ["", "test", "train"]
    assert result.examples.classes == ("a", "b")
    assert result.examples.labels["label"].tolist() == [1, 0, 1]


@pytest.mark.parametrize("by", ["array", "key"])
def test_numbers_have_names(tmp_path: Path, by: str) -> None:
    names = {"classes": np.array(["cat", "dog", "owl"])} if by == "array" else {}
    save(tmp_path, images=IMAGES, labels=np.array([2, 0, 2]), **names)
    examples = read(tmp_path, **({} if names else {"classes": ["cat", "dog", "owl"]})).examples
    assert examples.classes == ("cat", "dog", "owl")
    assert examples.labels["label"].tolist() == [2, 0, 2]


@pytest.mark.parametrize(
    ("images", "expected", "value_range"),
    [
        (np.array([0, 4095, 819], np.uint16), [0, 255, 51], (0, 4095)),
        (np.array([0.0, 1.0, 0.2], np.float32), [0, 255, 51], (0, 1)),
        (np.array([-1.0, 1.0, 0.0]), [0, 255, 128], (-1, 1)),
        (np.array([0, 200, 51], np.int64), [0, 200, 51], (0, 255)),
        (np.array([False, True, False]), [0, 255, 0], (0, 1)),
    ],
)
def test_values_become_bytes(tmp_path: Path, images: Any, expected: list[int], value_range: tuple[int, int]) -> None:
    save(tmp_path, images=np.broadcast_to(images[:, None, None, None], (3, 4, 5, 3)), count=[1, 2, 3])
    result = read(tmp_path)
    assert result.examples.images.dtype == np.uint8
    assert result.examples.images.max((1, 2, 3)).tolist() == expected
    assert result.examples.value_range == value_range
    assert "are scaled so that" in result.warnings[0]


def test_objects(tmp_path: Path) -> None:
    boxes = np.array([[[0, 0, 5, 4], [1, 1, 2, 3]], [[9, 9, 9, 9], [2, 0, 3, 1]], [[0, 0, 0, 0]] * 2])
    present = np.array([[1, 1], [0, 1], [0, 0]], bool)
    save(
        tmp_path, images=IMAGES, boxes=boxes, present=present, kinds=np.array([[0, 1], [7, 1], [0, 0]]), count=[2, 1, 0]
    )
    result = read(tmp_path, classes=["cat", "dog"])
    assert list_messages(result) == []
    assert list_boxes(result) == {
        "image-00000": [("cat", [0, 0, 5, 4]), ("dog", [1, 1, 2, 3])],
        "image-00001": [("dog", [2, 0, 3, 1])],
        "image-00002": [],
    }
    assert result.examples.labels["count"].tolist() == [2, 1, 0]


def test_empty_slots_are_nan(tmp_path: Path) -> None:
    nan = float("nan")
    save(tmp_path, images=IMAGES, points=np.array([[[1, 1], [5, 4]], [[2, 2], [nan, nan]], [[nan, 1], [nan, nan]]]))
    result = read(tmp_path)
    assert result.examples.labels["count"].tolist() == [2, 1, 0]
    assert result.examples.labels["points"].tolist()[1][0] == [2, 2]


def test_truths_are_counts_and_classes(tmp_path: Path) -> None:
    values = np.array([True, False, True])
    save(tmp_path, images=IMAGES, count=values, points=np.where(values[:, None, None], 1.0, np.nan) * np.ones(2))
    result = read(tmp_path)
    assert list_messages(result) == []
    assert result.examples.labels["count"].tolist() == [1, 0, 1]
    save(tmp_path, images=IMAGES, count=values, labels=values)
    assert read(tmp_path).examples.labels["count"].tolist() == [1, 0, 1]
    assert read(tmp_path).examples.classes == ("0", "1")


def test_endless_numbers_are_faults(tmp_path: Path) -> None:
    save(tmp_path, images=IMAGES, labels=[0, np.inf, -np.inf], count=[1, np.nan, np.inf])
    result = read(tmp_path)
    assert result.examples.names.tolist() == ["image-00000"]
    assert [fault.where for fault in result.faults] == [
        f"data.npz:{name}[{k}]" for name in ("count", "labels") for k in (1, 2)
    ]


def test_every_fault_is_named(tmp_path: Path) -> None:
    images = np.zeros((8, 4, 5), np.float32)
    images[2, 0, 0] = np.nan
    images[:, 1, 1] = 1
    boxes = np.tile(np.array([0.0, 0, 2, 2]), (8, 1, 1))
    boxes[3, 0, 0], boxes[4, 0], boxes[5, 0] = np.inf, [2, 0, 2, 2], [8, 8, 9, 9]
    save(
        tmp_path,
        images=images,
        labels=np.array([0, 1.5, 1, 1, 1, 1, 2, 0]),
        count=[1, 1, 1, 1, 1, 1, -1, 2],
        boxes=boxes,
        present=np.ones((8, 1), int),
        split=np.array(["dev", *[""] * 7]),
    )
    assert list_messages(read(tmp_path, classes=["cat", "dog"]))[:9] == [
        "data.npz:boxes[3, 0]: image-00003: not all coordinates are finite: (inf, 0.0, 2.0, 2.0)",
        "data.npz:boxes[4, 0]: image-00004: the box has no area: x from 2 to 2, y from 0 to 2",
        "data.npz:boxes[5, 0]: image-00005: the box has no area inside its image of 5 x 4 pixels",
        "data.npz:count[6]: image-00006: `count` must be a whole number from 0 to 16,777,216, not -1",
        "data.npz:count[6]: image-00006: `count` is -1, but 1 boxes are present",
        "data.npz:count[7]: image-00007: `count` is 2, but 1 boxes are present",
        "data.npz:images[2]: image-00002: it has values that are not finite",
        "data.npz:labels[1]: image-00001: a class must be a whole number or a text, not 1.5",
        "data.npz:labels[6]: image-00006: the class 2 is none of 0 to 1, the classes that have a name",
    ]
    assert len(read(tmp_path, classes=["cat", "dog"]).examples) == 0


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut"])
def test_broken_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "data.npz").write_bytes(content)
    with pytest.raises(UserError, match=r"data\.npz: not a file of arrays"):
        read(tmp_path)


def test_other_member_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "data.npz", "w") as archive:
        archive.writestr("notes.txt", "hello")
    with pytest.raises(UserError, match=r"data\.npz: not a file of arrays"):
        read(tmp_path)


def test_outline_reads_no_pixels(tmp_path: Path) -> None:
    """A file that would unpack to many times the memory is known by its header."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (3, 10**6, 10**6)})
    labels = io.BytesIO()
    np.save(labels, np.array([1, 2, 3]))
    with zipfile.ZipFile(tmp_path / "data.npz", "w") as archive:
        archive.writestr("x.npy", header.getvalue())
        archive.writestr("y.npy", labels.getvalue())
    outline = Arrays().build_outline(tmp_path, 0)
    assert outline is not None
    assert outline.images.shape == (3, 10**6, 10**6, 1)


def test_one_file_is_needed(tmp_path: Path) -> None:
    assert Arrays().find_missing_file(tmp_path) == ".npz file"
    for name in ("a", "b"):
        np.savez(tmp_path / f"{name}.npz", x=IMAGES, y=[1, 2, 3])
    with pytest.raises(UserError, match=r"needs one \.npz file, but has 2: a\.npz, b\.npz; set data\.source\.file"):
        read(tmp_path)
    assert len(read(tmp_path, file="b.npz").examples) == 3
    assert Arrays(file="c.npz").find_missing_file(tmp_path) == "c.npz"


@pytest.mark.parametrize("kind", ["label", "count", "objects"])
def test_predictions_are_read_back(tmp_path: Path, kind: str) -> None:
    found = (PredictedObject((1, 1, 2, 3), "dog", 0.75), PredictedObject((0, 0, 5, 4), "cat", 0.5))
    values = {"label": ("dog", "cat", "dog"), "count": (2.0, 0.0, 1.0), "objects": (found, (), found[:1])}[kind]
    images = [
        PredictedImage(name, name, tmp_path / name, (4, 5), **{kind: value})  # type: ignore[arg-type]
        for name, value in zip("abc", values, strict=True)
    ]
    (name,), (content,) = zip(*Arrays.encode_predictions(images, ("cat", "dog")).items(), strict=True)
    assert name == "predictions.npz"
    save(tmp_path, images=IMAGES, **np.load(io.BytesIO(content)))
    result = read(tmp_path)
    assert result.faults == ()
    if kind == "objects":
        assert list_boxes(result) == {
            "a": [("dog", [1, 1, 2, 3]), ("cat", [0, 0, 5, 4])],
            "b": [],
            "c": [("dog", [1, 1, 2, 3])],
        }
    else:
        assert result.examples.labels[kind].tolist() == ([1, 0, 1] if kind == "label" else [2, 0, 1])
