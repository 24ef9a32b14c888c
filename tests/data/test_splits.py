from dataclasses import replace
from itertools import combinations
from random import Random
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from thalweg.data.examples import Examples
from thalweg.data.splits import SplitConfig, Splits, split_examples
from thalweg.system.files import UserError


def build_examples(groups: list[str] | None = None, split: list[str] | None = None, number: int = 0) -> Examples:
    number = len(groups or split or range(number))
    names = np.array([f"image-{index:03}" for index in range(number)], np.str_)
    return Examples(
        images=np.zeros((number, 1, 1, 1), np.uint8),
        names=names,
        groups=names if groups is None else np.array(groups, np.str_),
        split=np.array([""] * number if split is None else split, np.str_),
        labels={},
    )


By = Literal["fraction", "group", "folds", "column"]


def list_names(splits: Splits, data: Examples) -> list[list[str]]:
    return [sorted(data.names[rows]) for rows in (*splits.train, *splits.validation, splits.test)]


def assert_whole_and_apart(splits: Splits, data: Examples) -> None:
    for train, validation in zip(splits.train, splits.validation, strict=True):
        together = np.concatenate([train, validation, splits.test])
        assert sorted(together) == list(range(len(data)))
    for rows in (*splits.train, *splits.validation, splits.test):
        assert rows.dtype == np.int32
        assert (np.diff(rows) > 0).all()


def assert_groups_whole(splits: Splits, data: Examples) -> None:
    for train, validation in zip(splits.train, splits.validation, strict=True):
        for one, other in combinations((train, validation, splits.test), 2):
            assert not {*data.groups[one]} & {*data.groups[other]}


sizes = st.lists(st.integers(1, 9), min_size=8, max_size=30)
fractions = st.floats(0.05, 0.3)
seeds = st.integers(0, 2**40)


def build_grouped_examples(sizes: list[int]) -> Examples:
    return build_examples([f"group-{index}" for index, size in enumerate(sizes) for _ in range(size)])


@given(number=st.integers(10, 80), validation=fractions, test=st.just(0.0) | fractions, seed=seeds)
@settings(max_examples=40)
def test_fraction_split_sizes(number: int, validation: float, test: float, seed: int) -> None:
    data = build_examples(number=number)
    parts = split_examples(SplitConfig(by="fraction", validation=validation, test=test), data, seed)
    assert_whole_and_apart(parts, data)
    assert abs(len(parts.validation[0]) - max(1, validation * number)) <= 0.5 + 1e-9
    assert abs(len(parts.test) - (test and max(1, test * number))) <= 0.5 + 1e-9


@given(sizes=sizes, validation=fractions, test=st.just(0.0) | fractions, seed=seeds)
@settings(max_examples=60)
def test_groups_never_leak(sizes: list[int], validation: float, test: float, seed: int) -> None:
    data = build_grouped_examples(sizes)
    parts = split_examples(SplitConfig(by="group", validation=validation, test=test), data, seed)
    assert_whole_and_apart(parts, data)
    assert_groups_whole(parts, data)
    for rows, fraction in ((parts.validation[0], validation), (parts.test, test)):
        assert len(rows) > 0 or fraction == 0
        assert abs(len(rows) - fraction * len(data)) <= max(sizes) / 2 + 1e-9 or len({*data.groups[rows]}) == 1


@given(sizes=sizes, test=st.just(0.0) | fractions, folds=st.integers(2, 5), seed=seeds)
@settings(max_examples=60)
def test_each_example_validates_once(sizes: list[int], test: float, folds: int, seed: int) -> None:
    data = build_grouped_examples(sizes)
    parts = split_examples(SplitConfig(by="folds", test=test, folds=folds), data, seed)
    assert len(parts.train) == len(parts.validation) == folds
    assert_whole_and_apart(parts, data)
    assert_groups_whole(parts, data)
    assert sorted(np.concatenate([*parts.validation, parts.test])) == list(range(len(data)))
    lengths = [len(rows) for rows in parts.validation]
    assert min(lengths) > 0
    assert max(lengths) - min(lengths) <= max(sizes)


@given(
    sizes=sizes,
    by=st.sampled_from(["fraction", "group", "folds", "column"]),
    seed=seeds,
    shuffle=st.randoms(use_true_random=False),
)
@settings(max_examples=40)
def test_split_depends_on_names_and_seed(sizes: list[int], by: By, seed: int, shuffle: Random) -> None:
    data = build_grouped_examples(sizes)
    order = list(range(len(data)))
    shuffle.shuffle(order)
    shuffled = data.take_rows(np.array(order))
    split = SplitConfig(by=by)
    state = np.random.get_state(legacy=False)["state"]["key"].copy()
    first, again = split_examples(split, data, seed), split_examples(split, shuffled, seed)
    np.testing.assert_array_equal(np.random.get_state(legacy=False)["state"]["key"], state)
    assert list_names(first, data) == list_names(again, shuffled)


@pytest.mark.parametrize("by", ["fraction", "group", "column"])
def test_other_seed_other_split(by: By) -> None:
    data = build_examples(number=60)
    assert len({tuple(split_examples(SplitConfig(by=by), data, seed).test) for seed in range(5)}) == 5


def test_folds_are_equal_if_possible() -> None:
    data = build_grouped_examples([6, 5, 4, 3, 2, 1])
    parts = split_examples(SplitConfig(by="folds", test=0, folds=3), data, 0)
    assert [len(rows) for rows in parts.validation] == [7, 7, 7]


def test_new_examples_keep_old_order() -> None:
    few, many = build_examples(number=50), build_examples(number=100)
    split = SplitConfig(by="fraction", validation=0.2, test=0.2)
    drawn_few, drawn_many = (set(split_examples(split, data, 1).test) for data in (few, many))
    old = {row for row in drawn_many if row < 50}
    assert old <= drawn_few or drawn_few <= old


@pytest.mark.parametrize("by", ["fraction", "group", "folds", "column"])
def test_given_test_split_is_used(by: By) -> None:
    data = build_examples(split=["", "test", "train"] * 20)
    parts = split_examples(SplitConfig(by=by, validation=0.1, test=0, folds=4), data, 0)
    assert parts.test.tolist() == list(range(1, 60, 3))
    assert_whole_and_apart(parts, data)
    assert len(parts.validation[0]) == (10 if by == "folds" else 4)


@pytest.mark.parametrize("by", ["fraction", "group", "folds", "column"])
def test_second_test_split_is_refused(by: By) -> None:
    with pytest.raises(UserError, match=r"already marks 1 example as test.*`test: 0`"):
        split_examples(SplitConfig(by=by, test=0.2), build_examples(split=["test", *[""] * 9]), 0)


def test_column_is_used_as_given() -> None:
    data = build_examples(split=["", "train", "validation", "test", "validation"])
    parts = split_examples(SplitConfig(by="column", test=0), data, 0)
    assert [rows.tolist() for rows in (parts.train[0], parts.validation[0], parts.test)] == [[0, 1], [2, 4], [3]]


def test_missing_validation_is_drawn_by_group() -> None:
    data = build_examples(groups=[f"g{index // 4}" for index in range(40)], split=["test"] * 8 + ["train", ""] * 16)
    parts = split_examples(SplitConfig(by="column", validation=0.25, test=0), data, 0)
    assert parts.test.tolist() == list(range(8))
    assert len(parts.validation[0]) == 8
    assert_groups_whole(parts, data)


def test_splits_leave_enough_groups() -> None:
    parts = split_examples(SplitConfig(by="group", validation=0.2, test=0.5), build_grouped_examples([1, 1, 98]), 0)
    assert min(len(parts.train[0]), len(parts.validation[0]), len(parts.test)) > 0


@pytest.mark.parametrize(
    ("split", "data", "message"),
    [
        (
            SplitConfig(by="folds", test=0, folds=5),
            build_grouped_examples([3, 3, 3]),
            "needs at least 5 groups.*has 3.*lower `folds`",
        ),
        (SplitConfig(by="folds", test=0.2, folds=3), build_grouped_examples([3, 3, 3]), "needs at least 4 groups"),
        (SplitConfig(by="group"), build_grouped_examples([5, 5]), "needs at least 3 groups.*`by: fraction`"),
        (SplitConfig(by="group", test=0), build_grouped_examples([10]), "needs at least 2 groups"),
        (SplitConfig(by="fraction"), build_examples(number=2), "needs at least 3 examples"),
        (
            SplitConfig(by="fraction", test=0),
            build_examples(split=["test"] * 3),
            "nothing is left to train on.*3 examples as test",
        ),
        (
            SplitConfig(by="column", test=0),
            build_examples(split=["validation"] * 3),
            "nothing is left.*3 as validation",
        ),
        (
            SplitConfig(by="column", test=0, validation=0),
            build_examples(number=3),
            "no validation examples and `validation` is 0",
        ),
        (
            SplitConfig(by="group", test=0),
            build_examples(["a", "a", "b", "c"], ["test", "", "", ""]),
            r"only some examples of 1 group as test \(a\)",
        ),
    ],
)
def test_impossible_split_is_explained(split: SplitConfig, data: Examples, message: str) -> None:
    with pytest.raises(UserError, match=message):
        split_examples(split, data, 0)


@pytest.mark.parametrize(
    "options", [{"validation": 0}, {"validation": 0.5, "test": 0.5}, {"folds": 1}, {"test": -0.1}, {"by": "chance"}]
)
def test_empty_splits_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SplitConfig(**options)


def build_classes(classes: list[int], groups: list[str] | None = None) -> Examples:
    return replace(build_examples(groups, number=len(classes)), labels={"label": np.array(classes, np.int32)})


def count_classes(data: Examples, rows: Any) -> list[int]:
    counts: list[int] = np.bincount(data.labels["label"][rows], minlength=data.labels["label"].max() + 1).tolist()
    return counts


@given(sizes=st.lists(st.integers(5, 40), min_size=2, max_size=5), test=fractions, seed=seeds)
@settings(max_examples=40)
def test_single_examples_keep_class_shares(sizes: list[int], test: float, seed: int) -> None:
    data = build_classes([label for label, size in enumerate(sizes) for _ in range(size)])
    splits = split_examples(SplitConfig(by="fraction", validation=0.2, test=test), data, seed)
    assert_whole_and_apart(splits, data)
    for fraction, rows in ((test, splits.test), (0.2, splits.validation[0])):
        for count, size in zip(count_classes(data, rows), sizes, strict=True):
            assert abs(count - fraction * size) <= 1


@given(sizes=st.lists(st.integers(1, 4), min_size=3, max_size=60), validation=fractions, test=fractions, seed=seeds)
@example(sizes=[1, 1, 1, 2, 2, 4, 4, 4, 4, 3, 4], validation=0.25, test=0.05, seed=0)  # the parts of 1.5 add up to more
@settings(max_examples=60)
def test_rare_classes_keep_sizes(sizes: list[int], validation: float, test: float, seed: int) -> None:
    """Sets are as large as without classes, however few examples a class has."""
    data = build_classes([label for label, size in enumerate(sizes) for _ in range(size)])
    config = SplitConfig(by="fraction", validation=validation, test=test)
    splits, plain = (split_examples(config.model_copy(update={"stratify": on}), data, seed) for on in (True, False))
    assert_whole_and_apart(splits, data)
    assert (len(splits.test), len(splits.validation[0])) == (len(plain.test), len(plain.validation[0]))
    for count, size in zip(count_classes(data, splits.test), sizes, strict=True):
        assert abs(count - test * size) < 1 + 1e-9


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_rare_classes_are_shared_out(size: int) -> None:
    data = build_classes([row // size for row in range(100 * size)])
    for by in ("fraction", "group"):
        splits = split_examples(SplitConfig.model_validate({"by": by}), data, 0)
        assert (len(splits.test), len(splits.validation[0])) == (20 * size, 20 * size)
        for rows in (splits.test, splits.validation[0]):
            assert np.isin(count_classes(data, rows), [0, 1]).all()
        if size > 1:
            assert len({*data.labels["label"][splits.train[0]].tolist()}) == 100


@given(kinds=st.lists(st.tuples(st.integers(1, 9), st.integers(0, 30)), min_size=8, max_size=30), seed=seeds)
@settings(max_examples=60)
def test_groups_of_rare_classes_keep_sizes(kinds: list[tuple[int, int]], seed: int) -> None:
    """The total misses its target by at most half of the smallest group that could mend it."""
    groups = [f"group-{index}" for index, (size, _) in enumerate(kinds) for _ in range(size)]
    data = build_classes([label for size, label in kinds for _ in range(size)], groups)
    splits = split_examples(SplitConfig(), data, seed)
    assert_groups_whole(splits, data)
    miss = len(splits.test) - 0.2 * len(data)
    inside = {*data.groups[splits.test].tolist()}
    sizes = [size for index, (size, _) in enumerate(kinds) if (f"group-{index}" in inside) == (miss > 0)]
    assert abs(miss) <= min(sizes) / 2 + 1e-9 or len(inside) == 1


def test_stratify_false_draws_without_classes() -> None:
    classes = [0] * 90 + [1] * 10
    config = SplitConfig(by="fraction", stratify=False)
    data, plain = build_classes(classes), build_examples(number=100)
    ours, theirs = (split_examples(config, one, 0) for one in (data, plain))
    assert list_names(ours, data) == list_names(theirs, plain)
    assert list_names(split_examples(SplitConfig(by="fraction"), data, 0), data) != list_names(ours, data)


def test_whole_groups_come_near_class_shares() -> None:
    # one group in five holds the rare class, and no draw without classes would know
    data = build_classes([int(row // 4 % 5 == 0) for row in range(200)], [f"group-{row // 4}" for row in range(200)])
    for seed in range(20):
        splits = split_examples(SplitConfig(), data, seed)
        assert_groups_whole(splits, data)
        assert count_classes(data, splits.test) == [32, 8]
        assert count_classes(data, splits.validation[0]) == [32, 8]


@pytest.mark.parametrize("seed", range(3))
def test_folds_share_out_classes(seed: int) -> None:
    data = build_classes([0] * 33 + [1] * 17 + [2] * 5)
    splits = split_examples(SplitConfig(by="folds", folds=5, test=0), data, seed)
    counts = np.array([count_classes(data, rows) for rows in splits.validation])
    assert (np.ptp(counts, axis=0) <= 1).all()
