"""Faults of the data as a whole: examples that are valid one by one, but cannot train or judge a model together."""

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from thalweg.data.examples import Examples
from thalweg.data.splits import SplitConfig, Splits
from thalweg.system.counts import join_first

MAX_SHARE_ERROR = 0.5
"""How far a split's size may miss its share without a warning, as a part of that share."""


def find_split_warnings(config: SplitConfig, examples: Examples, splits: Splits) -> Iterator[str]:
    """Describe what a person should know of the split examples as a whole."""
    yield from find_unread_warnings(config, examples)
    yield from _find_missed_shares(config, examples, splits)
    for name, values in _list_classes(examples):
        yield from _find_untrained_classes(name, examples.classes, values, splits)
    yield from _find_constant_validation(examples, splits)
    yield from _find_shared_copies(examples, splits)


def find_unread_warnings(config: SplitConfig, examples: Examples) -> Iterator[str]:
    """Describe what is known before images are read: from the marks, the groups, and the names of the classes."""
    yield from _find_ignored_marks(config, examples)
    yield from _find_missing_marks(config, examples)
    yield from _find_missing_groups(config, examples)
    yield from _find_missing_test(config, examples)
    yield from find_similar_classes(examples.classes)


def _find_ignored_marks(config: SplitConfig, examples: Examples) -> Iterator[str]:
    marked = int(np.isin(examples.split, ["train", "validation"]).sum())
    # without a marked validation set, `column` would draw one, too
    if config.by != "column" and (examples.split == "validation").any():
        yield (
            f"the data marks {marked} examples as train or validation, but data.split.by: {config.by} draws these sets "
            "itself; only the marked test set is kept. Set data.split.by: column to use the marks"
        )


def _find_missing_marks(config: SplitConfig, examples: Examples) -> Iterator[str]:
    if config.by == "column" and not np.isin(examples.split, ["validation", "test"]).any():
        drawn = "both sets are drawn by group"
        if not config.test:
            drawn = "the validation set is drawn by group, and there is no test set"
        yield f"data.split.by is column, but the data marks no example as validation or test; {drawn}"


def _find_missing_groups(config: SplitConfig, examples: Examples) -> Iterator[str]:
    if config.by in ("group", "folds") and len(np.unique(examples.groups)) == len(examples):
        yield f"no two examples share a group, so data.split.by: {config.by} splits single examples"


def _find_missing_test(config: SplitConfig, examples: Examples) -> Iterator[str]:
    if config.by != "column" and not config.test and not (examples.split == "test").any():
        yield "data.split.test: 0 leaves no test set, so no example is untouched by the choice of the winner"


def _find_missed_shares(config: SplitConfig, examples: Examples, splits: Splits) -> Iterator[str]:
    marked = {name: int((examples.split == name).sum()) for name in ("validation", "test")}
    total = len(examples) - marked["test"]
    split_sizes = {"test": len(splits.test) - marked["test"]}
    if config.by != "folds" and not (config.by == "column" and marked["validation"]):
        split_sizes["validation"] = len(splits.validation[0])
    has_groups = config.by != "fraction" and len(np.unique(examples.groups)) < len(examples)
    reason = "; groups stay whole, and these groups do not add up to it" if has_groups else ""
    for name, count in sorted(split_sizes.items()):
        expected = getattr(config, name) * total
        if abs(count - expected) > max(MAX_SHARE_ERROR * expected, 1):
            yield (
                f"the {name} set has {count} of {total} examples, {count / total:.1%}, but data.split.{name} asks for "
                f"{getattr(config, name):.1%}{reason}"
            )


def _list_classes(examples: Examples) -> Iterator[tuple[str, list[NDArray[np.int64]]]]:
    """Return what has a class (examples or boxes), and the classes of each example."""
    if "label" in examples.labels:
        yield "example", [np.array([label], np.int64) for label in examples.labels["label"]]
    if "kinds" in examples.labels:
        pairs = zip(examples.labels["kinds"], examples.labels["present"], strict=True)
        yield "object", [np.asarray(kinds, np.int64)[np.asarray(present, bool)] for kinds, present in pairs]


def _find_untrained_classes(
    name: str, classes: Sequence[str], values: list[NDArray[np.int64]], splits: Splits
) -> Iterator[str]:
    def count_classes(rows: NDArray[np.int32]) -> NDArray[np.int64]:
        return np.bincount(np.concatenate([np.zeros(0, np.int64), *(values[row] for row in rows)]), None, len(classes))

    total = count_classes(np.arange(len(values), dtype=np.int32))
    for fold, (train, validation) in enumerate(zip(splits.train, splits.validation, strict=True)):
        of_fold = f" of fold {fold}" if len(splits.train) > 1 else ""
        untrained = np.flatnonzero((count_classes(train) == 0) & (total > 0)).tolist()
        missing = [f"{classes[k]} ({total[k]} in all)" for k in untrained]
        if missing:
            noun = "class" if len(missing) == 1 else f"{len(missing)} classes:"
            yield f"the training set{of_fold} has no {name} of {noun} {join_first(missing)}"
        present = np.flatnonzero(count_classes(validation))
        if len(present) == 1 and len(classes) > 1:
            yield (
                f"the validation set{of_fold} has one class only, {classes[present[0]]}: a model that always answers "
                "so looks perfect. Use more groups, or set data.split.by"
            )


def _find_constant_validation(examples: Examples, splits: Splits) -> Iterator[str]:
    counts = examples.labels.get("count")
    for fold, rows in enumerate(splits.validation):
        if counts is not None and len(rows) > 1 and len(np.unique(counts[rows])) == 1 and len(np.unique(counts)) > 1:
            of_fold = f" of fold {fold}" if len(splits.validation) > 1 else ""
            yield (
                f"all {len(rows)} examples of the validation set{of_fold} have the count {counts[rows[0]]:g}: a model "
                "that always answers so looks perfect"
            )


def _find_shared_copies(examples: Examples, splits: Splits) -> Iterator[str]:
    """Find images that are equal to the pixel, but on two sides of the split."""
    side = np.zeros(len(examples), np.int64)
    for fold, rows in enumerate(splits.validation, 1):
        side[rows] = fold
    side[splits.test] = -1
    copies: dict[bytes, list[int]] = defaultdict(list)
    for row, image in enumerate(examples.images):
        copies[hashlib.sha256(np.ascontiguousarray(image).data).digest()].append(row)
    shared = [rows for rows in copies.values() if len({*side[rows].tolist()}) > 1]
    if shared:
        named = [" = ".join(examples.names[rows[:2]].tolist()) for rows in shared]
        differ = sum(_has_different_labels(examples, rows) for rows in shared)
        conflict = f" ({differ} with different labels)" if differ else ""
        yield (
            f"copies of {len(shared)} image{'s' if len(shared) > 1 else ''}{conflict} are on two sides of the split, "
            f"so errors look too low: {join_first(named)}. Remove them, or give copies the same `group`"
        )


def _has_different_labels(examples: Examples, rows: list[int]) -> bool:
    return any((values[rows] != values[rows[0]]).any() for values in examples.labels.values())


def find_similar_classes(classes: Sequence[str]) -> Iterator[str]:
    """Find classes whose names differ only in case, width, invisible characters, spaces or leading zeros."""
    similar: dict[str, list[str]] = defaultdict(list)
    for name in classes:
        visible = "".join(c for c in unicodedata.normalize("NFKC", name) if unicodedata.category(c)[0] not in "CZ")
        number = re.fullmatch(r"\+?(-?)0*(\d+)(?:\.0*)?", visible)
        similar["".join(number.groups()) if number else visible.casefold()].append(name)
    for names in similar.values():
        if len(names) > 1:
            yield f"the classes {', '.join(map(repr, names))} look alike; are they one class?"
