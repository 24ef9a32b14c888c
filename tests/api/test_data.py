"""Arrays in place of a folder: the same examples, and every fault named."""

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import thalweg
from thalweg.api.data import find_label_faults, pack_data
from thalweg.data.examples import Examples
from thalweg.data.sources.arrays import Arrays
from thalweg.data.sources.folder import Folder
from thalweg.system import images

DRAW = np.random.default_rng(0)
PIXELS = DRAW.integers(0, 256, (6, 5, 4, 3), np.uint8)
GRAY = PIXELS[..., 0]


def read_arrays(data: thalweg.Data, task: str, folder: Path) -> Examples:
    (folder / "data.npz").write_bytes(pack_data(data, task))
    result = Arrays().read_examples(folder, 0)
    assert result.faults == ()
    return result.examples


def read_folder(labels: pd.DataFrame, folder: Path) -> Examples:
    """Read the same images as files with these labels."""
    names = [f"{index}.png" for index in range(len(PIXELS))]
    for name, pixels in zip(names, PIXELS, strict=True):
        images.write_image(folder / "images" / name, pixels)
    labels.assign(image=names).to_csv(folder / "labels.csv", index=False)
    result = Folder(size=(5, 4), channels=3).read_examples(folder, 0)
    assert result.faults == ()
    return result.examples


@pytest.mark.parametrize(
    ("task", "labels"),
    [
        ("count", {"count": [0, 3, 1, 2, 0, 7]}),
        ("classify", {"label": ["cat", "dog", "cat", "owl", "owl", "dog"]}),
        ("classify", {"label": [2, 0, 1, 10, 2, 0]}),
        ("count", {"count": [1.0, 2, 3, 4, 5, 6], "group": list("aabbcc"), "split": ["train", "test", ""] * 2}),
        ("count", {"count": [1, 2, 3, 4, 5, 6], "group": [1, 1, 2, 2, 3, 3]}),
    ],
)
def test_frame_stands_in_for_a_folder(task: str, labels: dict[str, Any], tmp_path: Path) -> None:
    frame = pd.DataFrame(labels)
    expected = read_folder(frame, tmp_path / "folder")
    examples = read_arrays(thalweg.Data(PIXELS, frame), task, tmp_path)
    np.testing.assert_array_equal(examples.images, expected.images)
    assert examples.labels.keys() == expected.labels.keys()
    for name, values in expected.labels.items():
        np.testing.assert_array_equal(examples.labels[name], values)
    assert examples.classes == expected.classes
    assert examples.split.tolist() == expected.split.tolist()
    if "group" in labels:
        assert examples.groups.tolist() == expected.groups.tolist()


@pytest.mark.parametrize(
    ("task", "labels", "name", "expected"),
    [
        ("count", [0, 3, 1, 2, 0, 7], "count", [0, 3, 1, 2, 0, 7]),
        ("count", pd.Series([0, 3, 1, 2, 0, 7], dtype="Int64"), "count", [0, 3, 1, 2, 0, 7]),
        ("classify", np.array([1, 0, 1, 2, 2, 0]), "label", [1, 0, 1, 2, 2, 0]),
        ("classify", pd.Categorical(list("baabcc")), "label", [1, 0, 0, 1, 2, 2]),
        ("own.Task", list("baabcc"), "label", [1, 0, 0, 1, 2, 2]),
    ],
)
def test_single_array_is_what_the_task_predicts(
    task: str, labels: Any, name: str, expected: list[int], tmp_path: Path
) -> None:
    examples = read_arrays(thalweg.Data(GRAY, labels), task, tmp_path)
    assert examples.labels[name].tolist() == expected
    np.testing.assert_array_equal(examples.images[..., 0], GRAY)


def test_some_tasks_need_no_labels(tmp_path: Path) -> None:
    assert read_arrays(thalweg.Data(PIXELS), "enhance", tmp_path).labels == {}


def test_classes_are_named(tmp_path: Path) -> None:
    data = thalweg.Data(PIXELS, [0, 1, 0, 1, 0, 1], classes=["cat", "dog"])
    assert read_arrays(data, "classify", tmp_path).classes == ("cat", "dog")


def test_floats_become_bytes() -> None:
    steps = np.linspace(0, 1, 256, dtype=np.float32).reshape(1, 16, 16)
    assert thalweg.Data(steps).images.ravel().tolist() == list(range(256))


def test_objects_may_be_absent(tmp_path: Path) -> None:
    """Of two slots for each image, one is empty."""
    boxes = np.full((6, 2, 4), np.nan)
    boxes[:, 0] = [1, 1, 3, 4]
    examples = read_arrays(thalweg.Data(PIXELS, {"boxes": boxes}), "detect", tmp_path)
    assert examples.labels["present"].sum(1).tolist() == [1] * 6


GOOD = [0, 1, 2, 3, 4, 5]
FAULTS: list[tuple[Any, Any, list[str]]] = [
    (PIXELS, GOOD[:4], ["labels: has 4 values for 6 images"]),
    (PIXELS, 3, ["labels: has a single value for 6 images"]),
    (
        PIXELS.astype(float),
        GOOD,
        [
            f"images[0]: has values from {PIXELS[0].min()} to {PIXELS[0].max()}; floats must be 0 to 1; "
            "divide by 255 (and 5 more)"
        ],
    ),
    (np.where(np.arange(6)[:, None, None] == 2, np.nan, 0.5), GOOD, ["images[2]: has values that are not finite"]),
    (
        PIXELS.astype(int),
        GOOD,
        [
            "images: the type is int64; it must be uint8 (0 to 255) or floats (0 to 1); "
            "these fit: use images.astype('uint8')"
        ],
    ),
    (
        PIXELS.astype(np.uint16) * 9,
        GOOD,
        ["images: the type is uint16; it must be uint8 (0 to 255) or floats (0 to 1)"],
    ),
    (
        PIXELS.transpose(0, 3, 1, 2),
        GOOD,
        [
            "images: the shape is [6, 3, 5, 4]; it must be [N, H, W] or [N, H, W, C] with 1 or 3 channels C; "
            "put the channels last"
        ],
    ),
    (PIXELS[0, 0], None, ["images: the shape is [4, 3]; it must be [N, H, W] or [N, H, W, C] with 1 or 3 channels C"]),
    (PIXELS[:0], [], ["images: the shape is [0, 5, 4, 3]: there is no pixel"]),
    (PIXELS, [0, None, 1, 1, None, 0], ["labels[1]: has no value (and 1 more)"]),
    (PIXELS, [0, 1, np.nan, 3, 4, 5], ["labels[2]: has no value"]),
    (PIXELS, pd.Series([0, 1, pd.NA, 3, 4, 5], dtype="Int64"), ["labels[2]: has no value"]),
    (
        PIXELS,
        ["a", 1, "b", 2, "c", 3],
        ["labels: holds values of the types int, str; make them all numbers or all text"],
    ),
    (
        PIXELS.astype(bool),
        {"count": GOOD[:3], "weight": GOOD, "group": ["a", None, "b", "c", "d", "e"]},
        [
            "images: the type is bool; it must be uint8 (0 to 255) or floats (0 to 1)",
            "labels: no such column: weight; allowed: label, count, points, boxes, kinds, present, name, group, split",
            "labels: count: has 3 values for 6 images",
            "labels: group[1]: has no value",
        ],
    ),
]


@pytest.mark.parametrize(("pixels", "labels", "faults"), FAULTS)
def test_every_fault_is_named(pixels: Any, labels: Any, faults: list[str]) -> None:
    with pytest.raises(thalweg.UserError) as caught:
        thalweg.Data(pixels, labels)
    assert str(caught.value).splitlines() == faults


def test_images_of_several_sizes_are_named() -> None:
    with pytest.raises(thalweg.UserError, match=r"^images: not one array; give all images one size$"):
        thalweg.Data([PIXELS[0], PIXELS[1, 1:]], [1, 2])


def test_empty_split_is_none(tmp_path: Path) -> None:
    frame = pd.DataFrame({"count": GOOD, "split": ["train", None, "test"] * 2})
    assert read_arrays(thalweg.Data(PIXELS, frame), "count", tmp_path).split.tolist() == ["train", "", "test"] * 2


def test_text_says_what_it_holds() -> None:
    assert repr(thalweg.Data(PIXELS, {"count": GOOD, "group": GOOD})) == "Data(6 x 5 x 4 x 3 images with count, group)"
    assert repr(thalweg.Data(GRAY)) == "Data(6 x 5 x 4 images)"


WHOLE = "`count` must be a whole number from 0 to 16,777,216"
DAY = datetime.date(2020, 1, 1)
ALLOWED = "label, count, points, boxes, kinds, present, name, group, split"
REFUSED: list[tuple[Any, str]] = [
    ([DAY] * 6, "labels: holds values of the types date; make them all numbers or all text"),
    (np.array(["2020-01-01"] * 6, "M8[D]"), "labels: the type is datetime64[D]; it must be numbers or text"),
    (np.ones(6) * 1j, "labels: the type is complex128; it must be numbers or text"),
    (np.array([b"a"] * 6), "labels: the type is |S1; it must be numbers or text"),
    ([b"a"] * 6, "labels: holds values of the types bytes; make them all numbers or all text"),
    (np.eye(6), "labels: the shape is [6, 6]; it must be [N]; for a column a class, use labels.argmax(1)"),
    (np.zeros((6, 1, 2)), "labels: the shape is [6, 1, 2]; it must be [N]"),
    ([[1], [1, 2], [1], [1], [1], [1]], "labels: has rows of several lengths; the shape must be [N]"),
    ([None] * 6, "labels[0]: has no value (and 5 more)"),
    (np.ma.masked_equal(GOOD, 2), "labels[2]: has no value"),
    ({1, 2}, "labels: has a single value for 6 images of the type set; give a list or an array"),
    ({"count": None}, "labels: count: has a single value for 6 images of the type NoneType; give a list or an array"),
    ({"count": list("abcdef")}, "labels: count: the type is <U1; it must be numbers"),
    ({"count": GOOD, "split": GOOD}, "labels: split: the type is int64; it must be text"),
    ({"boxes": np.ones((6, 4))}, "labels: boxes: the shape is [6, 4]; it must be [N, P, 4]"),
    (
        {"boxes": [[[1, 1, 2, 2]], [], [], [], [], []]},
        "labels: boxes: has rows of several lengths; the shape must be [N, P, 4]; fill the empty places with None",
    ),
    (pd.DataFrame({"target": GOOD, "day": GOOD}), f"labels: no such column: target, day; allowed: {ALLOWED}"),
]


@pytest.mark.parametrize(("labels", "fault"), REFUSED)
def test_labels_of_a_wrong_type_or_shape_are_one_sentence(labels: Any, fault: str) -> None:
    with pytest.raises(thalweg.UserError) as caught:
        thalweg.Data(GRAY, labels)
    assert str(caught.value) == fault


@pytest.mark.parametrize(
    ("task", "labels", "faults"),
    [
        (
            "count",
            [0, -1, 2, 3, -4, 5],
            [f"labels[1]: {WHOLE}, not -1 (and 1 more)"],
        ),
        (
            "count",
            {"count": [0.5] * 6},
            [f"labels: count[0]: {WHOLE}, not 0.5 (and 5 more)"],
        ),
        ("classify", [0.5] * 6, ["labels[0]: a class must be a whole number or a text, not 0.5 (and 5 more)"]),
        ("classify", ["a", "", "b", "a", "b", "a"], ["labels[1]: the class is empty"]),
        (
            "count",
            {"count": GOOD, "split": ["train", "dev", "", "", "test", "x"]},
            ["labels: split[1]: `split` is 'dev'; allowed: train, validation, test, or empty (and 1 more)"],
        ),
        ("count", {"count": GOOD, "name": ["a"] * 6}, ["labels: several images have the name a"]),
        (
            "detect",
            {"boxes": np.ones((6, 2, 4)), "kinds": [["a"]] * 6},
            [
                "labels: the arrays boxes and kinds must have one number of slots P; "
                "they have boxes [6, 2, 4], kinds [6, 1]"
            ],
        ),
    ],
)
def test_labels_that_the_source_refuses_are_named(task: str, labels: Any, faults: list[str], tmp_path: Path) -> None:
    data = thalweg.Data(GRAY, labels)
    (tmp_path / "data.npz").write_bytes(pack_data(data, task))
    assert find_label_faults(data, tmp_path) == faults


@pytest.mark.parametrize("column", ["points", "boxes"])
def test_none_is_an_empty_place(column: str, tmp_path: Path) -> None:
    size = 2 if column == "points" else 4
    rows = [[[1.0] * (size - 2) + [2.0] * 2, [None] * size]] * len(GRAY)
    (tmp_path / "data.npz").write_bytes(pack_data(thalweg.Data(GRAY, {column: rows}), "count"))
    examples = Arrays().read_examples(tmp_path, 0).examples
    np.testing.assert_array_equal(examples.labels["present"].sum(1), 1)


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ((GRAY, [2**70] * 6), "labels: holds a whole number beyond 64 bits"),
        ((GRAY, None, None), "classes: must be a list of names"),
        ((GRAY, None, "cat"), "classes: must be a list of names"),
        ((GRAY, None, ["cat", None]), "classes: must be a list of names"),
        ((GRAY, None, ["cat", "cat"]), "classes: must be a list of names, each of them once"),
        ((Path,), "images: must be one array of numbers, not the type type"),
        (
            (["a.png", "b.png"],),
            "for files, give no `data`, but set data.path and data.source",
        ),
        ((Path("photos"),), "not the type PosixPath; for files, give no `data`"),
        ((np.ma.masked_greater(GRAY, 100),), r"images: have masked values; fill them, as by images\.filled\(0\)"),
    ],
)
def test_odd_arguments_are_named(arguments: tuple[Any, ...], fault: str) -> None:
    with pytest.raises(thalweg.UserError, match=fault):
        thalweg.Data(*arguments)
