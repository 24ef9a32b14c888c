"""Which examples train, validate and test: pure functions of names, groups and a seed.

Random order is the order of SHA-256 over seed and name. So a split depends neither on the order of the examples nor on
a random generator, and new data does not reorder the old. Sets keep their sizes and, as far as whole groups and those
sizes allow, the shares of classes.
Examples without classes are of one class.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from thalweg.data.examples import Examples
from thalweg.data.group_draw import RowsByGroup, draw_groups, hash_name
from thalweg.schema.section import StrictModel
from thalweg.system.counts import format_count
from thalweg.system.files import UserError

Rows = NDArray[np.int32]


class SplitConfig(StrictModel):
    """How examples are split. Fractions are of the examples that the source does not mark as test.

    Examples marked as test are the test set in every mode; `test` must then be 0.

    - `fraction`: single examples at random;
    - `group`: whole groups at random, so that frames of one video are never on both sides;
    - `folds`: the test set by group, the other groups in `folds` folds, each the validation set once; `validation` is
      not used;
    - `column`: as the source says ('' is train); where it marks no validation examples, `validation` is drawn by group.
    """

    by: Literal["fraction", "group", "folds", "column"] = Field(
        "group", description="group: whole groups at random; fraction: single examples; folds; column: as the data says"
    )
    validation: float = Field(
        0.2, ge=0, lt=1, description="fraction of the examples in the validation set, which chooses trials"
    )
    test: float = Field(
        0.2, ge=0, lt=1, description="fraction of the examples in the test set, used once for the final comparison"
    )
    folds: int = Field(5, ge=2, description="number of folds with `by: folds`")
    stratify: bool = Field(
        True, description="each class has about the same share in every set; for data with a class for each image"
    )

    @model_validator(mode="after")
    def _check_fractions(self) -> "SplitConfig":
        if self.by in ("fraction", "group") and self.validation == 0:
            raise PydanticCustomError("split", "`validation` must be above 0: the validation set chooses trials")
        if self.by != "folds" and self.validation + self.test >= 1:
            raise PydanticCustomError(
                "split", "`validation` and `test` together must be below 1: the training set is the rest"
            )
        return self


@dataclass(frozen=True)
class Splits:
    """Sorted indices into the examples. `train` and `validation` have one entry a fold, or one where nothing is folded.

    For each k, `train[k]`, `validation[k]` and `test` are disjoint and hold every example.
    """

    train: tuple[Rows, ...]
    validation: tuple[Rows, ...]
    test: Rows


def split_examples(config: SplitConfig, examples: Examples, seed: int) -> Splits:
    """Split `examples`. Their order does not matter: config, seed, names, groups and marked splits fix the result.

    Raises `UserError` where the data cannot be split so: a test set both marked and asked for, a group on both sides of
    the marked test set, too few groups, nothing left to train on.
    """
    marked_test = np.flatnonzero(examples.split == "test")
    others = np.flatnonzero(examples.split != "test")
    if len(marked_test) and config.test:
        raise UserError(
            f"data.split: `test` is {config.test:g}, but the data already marks "
            f"{format_count(len(marked_test), 'example')} as test. Set `test: 0` to use them."
        )
    if config.by in ("group", "folds"):
        _check_given_test(marked_test, others, examples.groups)

    marked_validation = others[examples.split[others] == "validation"] if config.by == "column" else others[:0]
    names = examples.names if config.by == "fraction" else examples.groups
    groups = _group_rows(np.setdiff1d(others, marked_validation), names)
    classes = _number_classes(config, examples)
    folds = config.folds if config.by == "folds" else 1
    needed = bool(config.test) + (folds if folds > 1 else 1 + (not len(marked_validation)))
    if not groups:
        raise UserError(
            f"data.split: nothing is left to train on: the data marks "
            f"{format_count(len(marked_test), 'example')} as test"
            + (f" and {len(marked_validation)} as validation." if len(marked_validation) else ".")
        )
    if len(groups) < needed:
        raise UserError(_describe_shortage(config, needed, len(groups), len(marked_test)))

    wanted = np.bincount(classes[others], minlength=classes.max() + 1)
    drawn_test, groups = draw_groups(groups, classes, config.test * wanted, needed - 1, seed, "test")
    if folds > 1:
        held_out = _build_folds(groups, classes, folds, seed)
    elif len(marked_validation):
        held_out = [marked_validation.tolist()]
    elif config.validation == 0:
        raise UserError("data.split: the data marks no validation examples and `validation` is 0. Set it above 0.")
    else:
        held_out = [draw_groups(groups, classes, config.validation * wanted, 1, seed, "validation")[0]]

    test_rows = _sort_rows([*marked_test, *drawn_test])
    validation = tuple(_sort_rows(rows) for rows in held_out)
    everything = np.arange(len(examples))
    train = tuple(_sort_rows(np.setdiff1d(everything, np.concatenate([rows, test_rows]))) for rows in validation)
    return Splits(train, validation, test_rows)


def _number_classes(config: SplitConfig, examples: Examples) -> NDArray[np.intp]:
    """Return each example's class [N], all 0 where classes do not count."""
    if not config.stratify or "label" not in examples.labels:
        return np.zeros(len(examples), np.intp)
    return np.unique(examples.labels["label"], return_inverse=True)[1].reshape(-1)


def _build_folds(groups: RowsByGroup, classes: NDArray[np.intp], folds: int, seed: int) -> list[list[int]]:
    """Put groups into folds of about equal size: the largest first, each into the fold with fewest of its classes."""
    fold_rows: list[list[int]] = [[] for _ in range(folds)]
    counts = np.zeros((folds, classes.max() + 1), np.intp)
    for name in sorted(groups, key=lambda name: (-len(groups[name]), hash_name(seed, "folds", name))):
        own = np.bincount(classes[groups[name]], minlength=counts.shape[1])
        fold = min(range(folds), key=lambda fold: (counts[fold] @ own, len(fold_rows[fold])))
        fold_rows[fold].extend(groups[name])
        counts[fold] += own
    return fold_rows


def _group_rows(rows: NDArray[np.intp], names: NDArray[np.str_]) -> RowsByGroup:
    groups: RowsByGroup = {}
    for row, name in zip(rows.tolist(), names[rows].tolist(), strict=True):
        groups.setdefault(name, []).append(row)
    return groups


def _sort_rows(rows: Iterable[int] | NDArray[np.intp]) -> Rows:
    return np.sort(np.fromiter(rows, np.int32))


def _check_given_test(marked_test: NDArray[np.intp], others: NDArray[np.intp], groups: NDArray[np.str_]) -> None:
    shared = np.intersect1d(groups[marked_test], groups[others]).tolist()
    if shared:
        names = f"{', '.join(shared[:3])}{', …' if len(shared) > 3 else ''}"
        raise UserError(
            f"data.split: the data marks only some examples of {format_count(len(shared), 'group')} as test ({names}), "
            "so the test set would not be independent of training. Correct the data's `split` or `group` column, or "
            "set `by: column` to accept it as it is."
        )


def _describe_shortage(split: SplitConfig, needed: int, available: int, marked_test: int) -> str:
    unit = "examples" if split.by == "fraction" else "groups"
    besides = f", besides the {format_count(marked_test, 'example')} that it marks as test" if marked_test else ""
    advice = {"fraction": "Add data.", "folds": "Add groups, or lower `folds`."}
    default = "Add groups, or set `by: fraction` if the examples are independent of each other."
    return (
        f"data.split: `by: {split.by}` needs at least {needed} {unit}, one for each set; "
        f"the data has {available}{besides}. {advice.get(split.by, default)}"
    )
