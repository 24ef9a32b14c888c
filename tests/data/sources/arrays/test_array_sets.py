"""Arrays that are no sets: every wrong type or shape is named."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thalweg.data.examples import ReadResult
from thalweg.data.sources.arrays import Arrays
from thalweg.system.files import UserError

IMAGES = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)


def read(path: Path) -> ReadResult:
    return Arrays().read_examples(path, 0)


def save(path: Path, **arrays: Any) -> None:
    np.savez(path / "data.npz", **arrays)


@pytest.mark.parametrize("slots", [{"present": 1}, {"kinds": 3}, {"points": 1}, {"points": 3, "present": 2}])
def test_slots_belong_together(tmp_path: Path, slots: dict[str, int]) -> None:
    shapes = {"points": (2,), "boxes": (4,), "kinds": (), "present": ()}
    arrays = {name: np.ones((3, number, *shapes[name]), int) for name, number in (slots | {"boxes": 2}).items()}
    save(tmp_path, images=IMAGES, **arrays)
    with pytest.raises(UserError, match=r"must have one number of slots P; they have .*boxes \[3, 2, 4\]"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"labels": [1]}, r"no array of images; call it images, image, x, data\. The arrays are labels"),
        (
            {"x": IMAGES, "y": np.array([[1], "a", {}], object)},
            "the array y holds Python objects, which are never unpi",
        ),
        ({"x": IMAGES, "y": [1, 2]}, r"the array y has 2 entries, but x has \[3\]"),
        ({"x": IMAGES, "y": np.zeros((3, 10))}, r"the array y has the shape \[3, 10\]; it must be \[N\]"),
        ({"x": np.zeros((3, 3, 8, 8))}, r"shape \[3, 3, 8, 8\]; it must be .*; put the channels last"),
        ({"x": np.zeros((3, 20))}, r"the array x has the shape \[3, 20\]; it must be \[N, H, W\]"),
        ({"x": np.zeros((3, 0, 2))}, "the array x has the shape"),
        ({"x": np.zeros((1, 2, 2), complex)}, "the array x has the type complex128, which cannot be images"),
        ({"x": np.array(["a"])}, "the array x has the type <U1, which cannot be images"),
        (
            {"x_train": IMAGES, "x_test": IMAGES[:, :2]},
            r"all images must have one size; they have \(2, 5\) and \(4, 5\)",
        ),
        ({"x_train": IMAGES, "y_train": [1, 2, 3], "x_test": IMAGES}, "each set must have the same arrays"),
        ({"x": IMAGES, "boxes": np.zeros((3, 2, 2))}, r"boxes has the shape \[3, 2, 2\]; it must be \[N, P, 4\]"),
        ({"x": IMAGES, "classes": np.array([b"cat"])}, r"the array classes has the type \|S3, which cannot be classes"),
        ({"x": IMAGES, "classes": np.array([["cat"]])}, r"the array classes has the shape \[1, 1\]; it must be \[C\]"),
        ({"x": IMAGES, "y": np.array([b"a", b"b", b"c"])}, r"the array y has the type \|S1, which cannot be label"),
        ({"x": IMAGES, "names": ["a", "b", "a"], "y": [1, 2, 3]}, "several images have the name a"),
    ],
)
def test_unusable_arrays_are_one_error(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    save(tmp_path, **arrays)
    with pytest.raises(UserError, match=message):
        read(tmp_path)
    assert Arrays().build_outline(tmp_path, 0) is None
