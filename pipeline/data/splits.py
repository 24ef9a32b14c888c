"""Which examples train, which choose, which judge: pure functions of names, groups and a seed.

Chance is the order of SHA-256 over seed and name: a part depends neither on the order of the examples nor on any
random generator, and new data leaves the order of the old as it was.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from thalweg.data.examples import Examples
from thalweg.schema.section import StrictModel
from thalweg.system.files import UserError

Rows = NDArray[np.int32]
_RowsByGroup = dict[str, list[int]]


class SplitConfig(StrictModel):
    """How examples are parted. Fractions are of the examples that the source does not itself give as test.

    Examples given as test are the test part in every mode; `test` must then be 0.

    - `fraction`: single examples at random;
    - `group`: whole groups at random, so that frames of one video are never on both sides;
    - `folds`: the test part by group, the rest in `folds` folds without a group in common, each the validation part
      once; `validation` is not used;
    - `column`: as the source says ('' is train); where it gives no validation part, `validation` is drawn by group.
    """

    by: Literal["fraction", "group", "folds", "column"] = "group"
    validation: float = Field(0.2, ge=0, lt=1, description="fraction of the examples to choose by")
    test: float = Field(0.2, ge=0, lt=1, description="fraction of the examples to judge by, once, at the end")
    folds: int = Field(5, ge=2, description="how many validation parts there are by `folds`")

    @model_validator(mode="after")
    def _check_fractions(self) -> "SplitConfig":
        if self.by in ("fraction", "group") and self.validation == 0:
            raise PydanticCustomError("split", "`validation` must be above 0: there is nothing to choose by")
        if self.by != "folds" and self.validation + self.test >= 1:
            raise PydanticCustomError("split", "`validation` and `test` together must be below 1: nothing would train")
        return self


@dataclass(frozen=True)
class Splits:
    """Sorted indices into the examples; `train` and `validation` have one entry a fold, or one where there are none.

    `train[k]`, `validation[k]` and `test` have no example in common and hold every example, for each k.
    """

    train: tuple[Rows, ...]
    validation: tuple[Rows, ...]
    test: Rows


def split_examples(config: SplitConfig, examples: Examples, seed: int) -> Splits:
    """The parts of `examples`: the same for the same split, seed, names, groups and given parts, in whatever order.

    Raises `UserError` where the data cannot be parted so: a test part both given and asked for, a group on both sides
    of the given test part, too few groups, nothing left to train on.
    """
    given = np.flatnonzero(examples.split == "test")
    rest = np.flatnonzero(examples.split != "test")
    if len(given) and config.test:
        raise UserError(
            f"data.split: `test` is {config.test:g}, but the data already gives {len(given)} examples as its test part. "
            "Set `test: 0` to use that part."
        )
    if config.by in ("group", "folds"):
        _check_given_test(given, rest, examples.groups)

    chosen = rest[examples.split[rest] == "validation"] if config.by == "column" else rest[:0]
    names = examples.names if config.by == "fraction" else examples.groups
    groups = _group_rows(np.setdiff1d(rest, chosen), names)
    folds = config.folds if config.by == "folds" else 1
    needed = bool(config.test) + (folds if folds > 1 else 1 + (not len(chosen)))
    if not groups:
        raise UserError(
            f"data.split: nothing is left to train on: the data gives {len(given)} examples as test"
            + (f" and {len(chosen)} as validation." if len(chosen) else ".")
        )
    if len(groups) < needed:
        raise UserError(_describe_shortage(config, needed, len(groups), len(given)))

    test, groups = _draw_groups(groups, config.test * len(rest), keep=needed - 1, seed=seed, purpose="test")
    if folds > 1:
        parts = _build_folds(groups, folds, seed)
    elif len(chosen):
        parts = [chosen.tolist()]
    elif config.validation == 0:
        raise UserError("data.split: the data gives no validation part and `validation` is 0: set it above 0")
    else:
        parts = [_draw_groups(groups, config.validation * len(rest), keep=1, seed=seed, purpose="validation")[0]]

    final = _sort_rows([*given, *test])
    validation = tuple(_sort_rows(part) for part in parts)
    everything = np.arange(len(examples))
    train = tuple(_sort_rows(np.setdiff1d(everything, np.concatenate([part, final]))) for part in validation)
    return Splits(train, validation, final)


def _draw_groups(
    groups: _RowsByGroup, target: float, keep: int, seed: int, purpose: str
) -> tuple[list[int], _RowsByGroup]:
    """Whole groups, at random, whose examples come as near to `target` as a greedy pass can, and the groups left.

    A group is taken if that brings the total nearer: the total then misses the target by no more than half of the
    smallest group left. At least one group is taken where the target is above 0, and `keep` are always left.
    """
    if not target:
        return [], groups
    shuffled = sorted(groups, key=lambda name: _hash_name(seed, purpose, name))
    taken: dict[str, int] = {}
    total = 0
    for name in shuffled:
        size = len(groups[name])
        if len(groups) - len(taken) > keep and abs(total + size - target) < abs(total - target):
            taken[name] = size
            total += size
    if not taken:
        taken = {min(shuffled, key=lambda name: len(groups[name])): 0}
    rows = [row for name in taken for row in groups[name]]
    return rows, {name: members for name, members in groups.items() if name not in taken}


def _build_folds(groups: _RowsByGroup, folds: int, seed: int) -> list[list[int]]:
    """Groups in folds of about one size: the largest first, each into the fold that is smallest so far."""
    parts: list[list[int]] = [[] for _ in range(folds)]
    for name in sorted(groups, key=lambda name: (-len(groups[name]), _hash_name(seed, "folds", name))):
        min(parts, key=len).extend(groups[name])
    return parts


def _hash_name(seed: int, purpose: str, name: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{purpose}\0{name}".encode()).digest()


def _group_rows(rows: NDArray[np.intp], names: NDArray[np.str_]) -> _RowsByGroup:
    groups: _RowsByGroup = {}
    for row, name in zip(rows.tolist(), names[rows].tolist(), strict=True):
        groups.setdefault(name, []).append(row)
    return groups


def _sort_rows(rows: Iterable[int] | NDArray[np.intp]) -> Rows:
    return np.sort(np.fromiter(rows, np.int32))


def _check_given_test(given: NDArray[np.intp], rest: NDArray[np.intp], groups: NDArray[np.str_]) -> None:
    shared = np.intersect1d(groups[given], groups[rest]).tolist()
    if shared:
        raise UserError(
            f"data.split: the data's own test part cuts through {len(shared)} groups ({', '.join(shared[:3])}"
            f"{', …' if len(shared) > 3 else ''}), so it would not be apart from training. Correct the data's `split` "
            "or `group` column, or use `by: column` to take it as it is."
        )


def _describe_shortage(split: SplitConfig, needed: int, found: int, given: int) -> str:
    what = "examples" if split.by == "fraction" else "groups"
    apart = f" beside the {given} examples of the given test part" if given else ""
    advice = {"fraction": "Give more data.", "folds": "Give more groups, or lower `folds`."}
    default = "Give more groups, or use `by: fraction` where examples are independent of each other."
    return (
        f"data.split: `by: {split.by}` needs at least {needed} {what}, for each part to have one; "
        f"there are {found}{apart}. {advice.get(split.by, default)}"
    )
