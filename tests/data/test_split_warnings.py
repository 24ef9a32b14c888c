"""Data that is wrong as a whole: each case by hand, and silence where nothing is wrong."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from thalweg.data.examples import Examples
from thalweg.data.split_warnings import find_similar_classes, find_split_warnings
from thalweg.data.splits import SplitConfig, Splits, split_examples

N = 20


def build_examples(
    groups: Sequence[str] | None = None,
    marks: Sequence[str] | None = None,
    classes: tuple[str, ...] = (),
    **labels: Any,
) -> Examples:
    images = np.random.default_rng(0).integers(0, 256, (N, 4, 4, 1), np.uint8)
    names = np.array([f"{k:02d}.png" for k in range(N)])
    arrays = {name: np.asarray(values) for name, values in labels.items()}
    return Examples(images, names, np.array(groups or names), np.array(marks or [""] * N, np.str_), arrays, classes)


def build_splits(train: Sequence[int], validation: Sequence[int], test: Sequence[int] = ()) -> Splits:
    def rows(values: Sequence[int]) -> np.ndarray:
        return np.array(values, np.int32)

    return Splits((rows(train),), (rows(validation),), rows(test))


ALL = range(N)
PAIRS = [f"pair {k // 2}" for k in ALL]
USUAL = SplitConfig(by="fraction", validation=0.25, test=0.25)
USUAL_SPLIT = build_splits(ALL[:10], ALL[10:15], ALL[15:])


def list_warnings(examples: Examples, splits: Splits = USUAL_SPLIT, config: SplitConfig = USUAL) -> list[str]:
    return list(find_split_warnings(config, examples, splits))


def test_usual_data_is_silent() -> None:
    assert list_warnings(build_examples(count=np.arange(N))) == []
    assert list_warnings(build_examples(classes=("cat", "dog"), label=np.arange(N) % 2)) == []
    folds = SplitConfig(by="folds", folds=4, test=0.2)
    examples = build_examples(PAIRS, count=np.arange(N))
    assert list_warnings(examples, split_examples(folds, examples, 0), folds) == []


def test_class_without_training_example_is_named() -> None:
    label = np.arange(N) % 2
    label[16] = 2
    warning = "the training set has no example of class rare (1 in all)"
    assert list_warnings(build_examples(classes=("cat", "dog", "rare"), label=label)) == [warning]


def test_kind_without_training_box_is_named() -> None:
    kinds = np.zeros((N, 2), np.int32)
    kinds[16] = 1
    present = np.ones((N, 2), bool)
    present[16, 1] = False
    warnings = list_warnings(build_examples(classes=("adult", "child"), kinds=kinds, present=present))
    assert warnings[0] == "the training set has no object of class child (1 in all)"


@pytest.mark.parametrize(
    ("labels", "start"),
    [
        ({"classes": ("a", "b"), "label": [0, 1] * 5 + [1] * 5 + [0] * 5}, "the validation set has one class only, b"),
        ({"count": [3, 0] * 5 + [0] * 5 + [1] * 5}, "all 5 examples of the validation set have the count 0"),
    ],
)
def test_constant_validation_is_named(labels: dict[str, Any], start: str) -> None:
    (warning,) = list_warnings(build_examples(**labels))
    assert warning.startswith(start)


def test_copies_on_two_sides_are_named() -> None:
    examples = build_examples(count=np.arange(N))
    for one, other in ((0, 12), (1, 17), (2, 3), (15, 16)):  # the last two lie on one side
        examples.images[other] = examples.images[one]
    examples.labels["count"][17] = 1
    (warning,) = list_warnings(examples)
    assert warning.startswith("copies of 2 images (1 with different labels) are on two sides of the split")
    assert "00.png = 12.png, 01.png = 17.png." in warning


def test_ignored_marks_are_counted() -> None:
    examples = build_examples(PAIRS, ["train"] * 10 + ["validation"] * 4 + ["test"] * 6, count=np.arange(N))
    config = SplitConfig(by="group", validation=0.25, test=0)
    (warning,) = list_warnings(examples, split_examples(config, examples, 0), config)
    assert warning.startswith("the data marks 14 examples as train or validation, but data.split.by: group draws")
    config = SplitConfig(by="column", test=0)
    assert list_warnings(examples, split_examples(config, examples, 0), config) == []


def test_missing_groups_are_named() -> None:
    config = SplitConfig(by="group", validation=0.25, test=0.25)
    examples = build_examples(count=np.arange(N))
    warning = "no two examples share a group, so data.split.by: group splits single examples"
    assert list_warnings(examples, split_examples(config, examples, 0), config) == [warning]
    examples = build_examples(PAIRS, count=np.arange(N))
    assert list_warnings(examples, split_examples(config, examples, 0), config) == []


def test_mark_of_training_alone_is_not_ignored() -> None:
    """x_train and x_test: validation examples are drawn from the marked training set in any case."""
    examples = build_examples(marks=["train"] * 15 + ["test"] * 5, count=np.arange(N))
    config = SplitConfig(by="fraction", validation=0.2, test=0)
    assert list_warnings(examples, split_examples(config, examples, 0), config) == []


def test_missing_marks_are_named() -> None:
    config = SplitConfig(by="column", validation=0.25, test=0.25)
    examples = build_examples(count=np.arange(N))
    (warning,) = list_warnings(examples, split_examples(config, examples, 0), config)
    assert warning == (
        "data.split.by is column, but the data marks no example as validation or test; both sets are drawn by group"
    )
    config = SplitConfig(by="column", validation=0.25, test=0)
    (warning,) = list_warnings(examples, split_examples(config, examples, 0), config)
    assert warning.endswith("; the validation set is drawn by group, and there is no test set")
    examples = build_examples(marks=["test"] * 5 + ["train"] * 15, count=np.arange(N))
    assert list_warnings(examples, split_examples(config, examples, 0), config) == []


def test_share_that_groups_cannot_give_is_named() -> None:
    examples = build_examples(["big"] * 18 + ["small", "other"], count=np.arange(N))
    config = SplitConfig(by="group", validation=0.3, test=0)
    no_test, warning = list_warnings(examples, split_examples(config, examples, 0), config)
    assert no_test.startswith("data.split.test: 0 leaves no test set, so no example is untouched")
    assert warning.startswith(
        "the validation set has 2 of 20 examples, 10.0%, but data.split.validation asks for 30.0%; groups stay whole"
    )


def test_share_missed_by_single_examples_blames_no_group() -> None:
    (warning,) = list_warnings(build_examples(count=np.arange(N)), build_splits(ALL[:13], ALL[13:15], ALL[15:]))
    assert warning == "the validation set has 2 of 20 examples, 10.0%, but data.split.validation asks for 25.0%"


def test_similar_classes_are_named() -> None:
    classes = ("10", "2", "3", "03", "3.0", "Cat", "cat", "cat\u200b", "dog", "ｄｏｇ", "a b", "ab", "-3")
    assert list(find_similar_classes(classes)) == [
        "the classes '3', '03', '3.0' look alike; are they one class?",
        "the classes 'Cat', 'cat', 'cat\\u200b' look alike; are they one class?",
        "the classes 'dog', 'ｄｏｇ' look alike; are they one class?",
        "the classes 'a b', 'ab' look alike; are they one class?",
    ]
    assert list(find_similar_classes(("1", "10", "100", "1.5", "15", "+1.25"))) == []
