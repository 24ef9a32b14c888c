"""Prepared data on disk: examples, their parts and their augmented copies."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.data.examples import Examples
from thalweg.data.splits import Parts
from thalweg.system import files
from thalweg.system.paths import COPIES, EXAMPLES, PARTS


@dataclass(frozen=True)
class Prepared:
    """Examples [N] with their parts; the last len(copies) are augmented copies of the rows that `copies` names."""

    examples: Examples
    parts: Parts
    copies: NDArray[np.int64]


def write_examples(path: Path, examples: Examples, **more: NDArray[np.generic]) -> None:
    arrays = {name: getattr(examples, name) for name in ("images", "names", "groups", "split")}
    labels = {f"label_{name}": values for name, values in examples.labels.items()}
    files.write_arrays(path, arrays | labels | {"classes": np.array(examples.classes, np.str_)} | more)


def read_examples(path: Path) -> Examples:
    arrays = files.read_arrays(path)
    return Examples(
        **{name: arrays[name] for name in ("images", "names", "groups", "split")},
        labels={n.removeprefix("label_"): values for n, values in arrays.items() if n.startswith("label_")},
        classes=tuple(str(name) for name in arrays["classes"]),
    )


def write_parts(parts: Parts) -> None:
    folds = {f"{part}_{k:04d}": rows for part in ("train", "validation") for k, rows in enumerate(getattr(parts, part))}
    files.write_arrays(PARTS, folds | {"test": parts.test})


def read_parts() -> Parts:
    arrays = files.read_arrays(PARTS)
    train, validation = (
        tuple(arrays[name] for name in sorted(arrays) if name.startswith(part)) for part in ("train_", "validation_")
    )
    return Parts(train, validation, arrays["test"])


def load() -> Prepared:
    """What `prepare` and `augment` left: originals first, then the copies."""
    examples, parts = read_examples(EXAMPLES), read_parts()
    origin = files.read_arrays(COPIES)["origin"]
    if not len(origin):
        return Prepared(examples, parts, origin)
    return Prepared(joined(examples, read_examples(COPIES)), parts, origin)


def joined(first: Examples, second: Examples) -> Examples:
    """Two sets of examples of the same source, one after the other."""
    both: dict[str, Any] = {
        name: np.concatenate([getattr(first, name), getattr(second, name)])
        for name in ("images", "names", "groups", "split")
    }
    labels = {name: np.concatenate([values, second.labels[name]]) for name, values in first.labels.items()}
    return replace(first, **both, labels=labels)
