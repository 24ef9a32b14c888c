"""Examples: rows, concatenation, labels that are not known yet."""

import numpy as np

from thalweg.data import examples
from thalweg.data.examples import Examples


def build_examples(numbers: list[int]) -> Examples:
    """Each array and label of an example tells its number."""
    values = np.array(numbers)
    names = np.array([f"image {number}" for number in numbers], np.str_)
    return Examples(
        images=np.full((len(values), 2, 3, 1), 0, np.uint8) + values[:, None, None, None].astype(np.uint8),
        names=names,
        groups=np.array([f"group {number // 2}" for number in numbers], np.str_),
        split=np.where(values % 2, "test", ""),
        labels={"count": values.astype(np.float32)},
        classes=("a", "b"),
    )


def list_numbers(read: Examples) -> list[list[int]]:
    """The numbers that images, names and labels tell."""
    names = [int(name.split()[1]) for name in read.names]
    return [read.images[:, 0, 0, 0].tolist(), names, read.labels["count"].tolist()]


def test_rows_keep_all_of_an_example() -> None:
    taken = build_examples([4, 5, 6, 7]).take_rows(np.array([3, 0]))
    assert list_numbers(taken) == [[7, 4]] * 3
    assert taken.groups.tolist() == ["group 3", "group 2"]
    assert taken.split.tolist() == ["test", ""]
    assert taken.classes == ("a", "b")


def test_mask_takes_its_rows() -> None:
    assert list_numbers(build_examples([1, 2, 3]).take_rows(np.array([True, False, True]))) == [[1, 3]] * 3


def test_concatenation_keeps_order() -> None:
    joined = examples.concatenate_examples([build_examples([5, 1]), build_examples([3])])
    assert list_numbers(joined) == [[5, 1, 3]] * 3


def test_dropped_images_leave_all_else() -> None:
    read = build_examples([1, 2])
    bare = read.drop_images()
    assert len(bare) == 2
    assert bare.images.size == 0
    assert bare.names is read.names


def test_blank_labels_have_one_object() -> None:
    labels = examples.build_blank_labels(["boxes", "present", "label"], 5)
    assert {name: (values.shape, values.dtype.name) for name, values in labels.items()} == {
        "boxes": ((5, 1, 4), "float32"),
        "present": ((5, 1), "bool"),
        "label": ((5,), "int32"),
    }
    assert all((values == 1).all() for values in labels.values())
