"""Prepared data on disk: examples, their parts, their augmented copies, and which experiment they were made for."""

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.config.experiment import Config
from thalweg.data.examples import ARRAYS, Examples, Fault
from thalweg.data.splits import Splits
from thalweg.system import files
from thalweg.system.paths import COPIES, EXAMPLES, MANIFEST, SPLITS


@dataclass(frozen=True)
class PreparedData:
    """Examples [N] with their parts; the last len(copies) are augmented copies of the rows that `copies` names."""

    examples: Examples
    splits: Splits
    copy_origins: NDArray[np.int64]


def write_examples(path: Path, examples: Examples, **more: NDArray[np.generic]) -> None:
    arrays = {name: getattr(examples, name) for name in ARRAYS}
    labels = {f"label_{name}": values for name, values in examples.labels.items()}
    files.write_arrays(path, arrays | labels | {"classes": np.array(examples.classes, np.str_)} | more)


def read_examples(path: Path) -> Examples:
    arrays = files.read_arrays(path)
    return Examples(
        **{name: arrays[name] for name in ARRAYS},
        labels={n.removeprefix("label_"): values for n, values in arrays.items() if n.startswith("label_")},
        classes=tuple(str(name) for name in arrays["classes"]),
    )


def write_splits(parts: Splits) -> None:
    folds = {f"{part}_{k:04d}": rows for part in ("train", "validation") for k, rows in enumerate(getattr(parts, part))}
    files.write_arrays(SPLITS, folds | {"test": parts.test})


def read_splits() -> Splits:
    arrays = files.read_arrays(SPLITS)
    train = tuple(arrays[name] for name in sorted(arrays) if name.startswith("train_"))
    validation = tuple(arrays[name] for name in sorted(arrays) if name.startswith("validation_"))
    return Splits(train, validation, arrays["test"])


def load_prepared_data() -> PreparedData:
    """What `prepare` and `augment` left: originals first, then the copies."""
    examples, parts = read_examples(EXAMPLES), read_splits()
    origin = files.read_arrays(COPIES)["origin"]
    if not len(origin):
        return PreparedData(examples, parts, origin)
    return PreparedData(concatenate_examples(examples, read_examples(COPIES)), parts, origin)


def concatenate_examples(first: Examples, second: Examples) -> Examples:
    """Two sets of examples of the same source, one after the other."""
    both: dict[str, Any] = {name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in ARRAYS}
    labels = {name: np.concatenate([values, second.labels[name]]) for name, values in first.labels.items()}
    return replace(first, **both, labels=labels)


def build_manifest(
    config: Config, examples: Examples, splits: Splits, faults: tuple[Fault, ...], warnings: tuple[str, ...]
) -> dict[str, object]:
    """What the report says of prepared data, and what it was made for."""
    rows = {"train": splits.train[0], "validation": splits.validation[0], "test": splits.test}
    if len(splits.train) > 1:
        seen = np.unique(np.concatenate([*splits.train, *splits.validation]))
        rows = {"train and validation": seen, "test": splits.test}
    return {
        "source": config.data.source.kind,
        "image": list(examples.images.shape[1:]),
        "examples": {name: len(part) for name, part in rows.items()},
        "groups": {name: len(np.unique(examples.groups[part])) for name, part in rows.items()},
        "folds": len(splits.train),
        "classes": list(examples.classes),
        "excluded": [vars(one) for one in faults],
        "warnings": list(warnings),
        "sha256": _digest(examples, splits),
        "made_for": data_identity(config),
    }


def _digest(examples: Examples, parts: Splits) -> str:
    """SHA-256 of everything that training reads."""
    total = hashlib.sha256()
    arrays = [examples.images, examples.names, examples.groups, *(examples.labels[k] for k in sorted(examples.labels))]
    for array in (*arrays, *parts.train, *parts.validation, parts.test):
        total.update(repr((array.shape, array.dtype.str)).encode() + np.ascontiguousarray(array).tobytes())
    return total.hexdigest()


def data_identity(config: Config) -> dict[str, Any]:
    """What of an experiment the prepared data depends on; where it was read from may change."""
    tree = config.model_dump(mode="json", include={"seed", "data", "task"})
    del tree["data"]["path"]
    return tree


def augmentation_identity(config: Config) -> str:
    """What of an experiment the augmented copies depend on beside the examples."""
    return json.dumps(config.augment.offline.model_dump(), sort_keys=True)


def is_prepared(config: Config) -> bool:
    """Whether what lies prepared is this experiment's, the copies too."""
    made_for, copied = files.read_json(MANIFEST).get("made_for"), str(files.read_arrays(COPIES).get("offline", ""))
    return made_for == data_identity(config) and copied == augmentation_identity(config)
