"""Prepared data on disk: examples, splits, augmented copies, and the experiment that they belong to."""

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.artifacts.damage import explain_damage
from thalweg.config.experiment import Config
from thalweg.data.examples import ARRAYS, Examples, Fault
from thalweg.data.splits import Splits
from thalweg.system import data_files, files
from thalweg.system.paths import COPIES, EXAMPLES, MANIFEST, SPLITS


@dataclass(frozen=True)
class PreparedData:
    """Examples [N] and their splits. The last len(copy_origins) examples are augmented copies of those rows."""

    examples: Examples
    splits: Splits
    copy_origins: NDArray[np.int64]


def write_examples(path: Path, examples: Examples, **extra: NDArray[np.generic]) -> None:
    arrays = {name: getattr(examples, name) for name in ARRAYS}
    labels = {f"label_{name}": values for name, values in examples.labels.items()}
    further = {"classes": np.array(examples.classes, np.str_), "value_range": np.array(examples.value_range or ())}
    data_files.write_arrays(path, arrays | labels | further | extra)


def read_examples(path: Path) -> Examples:
    """Read examples. Raises `UserError` if the file is damaged, as all that read here do."""
    with explain_damage(path, files.UserError, KeyError):
        arrays = data_files.read_arrays(path)
        black_white = arrays["value_range"]
        return Examples(
            **{name: arrays[name] for name in ARRAYS},
            labels={n.removeprefix("label_"): values for n, values in arrays.items() if n.startswith("label_")},
            classes=tuple(str(name) for name in arrays["classes"]),
            value_range=(float(black_white[0]), float(black_white[1])) if len(black_white) else None,
        )


def write_splits(splits: Splits) -> None:
    folds = {
        f"{name}_{k:04d}": rows for name in ("train", "validation") for k, rows in enumerate(getattr(splits, name))
    }
    data_files.write_arrays(SPLITS, folds | {"test": splits.test})


def read_splits() -> Splits:
    with explain_damage(SPLITS, files.UserError, KeyError):
        arrays = data_files.read_arrays(SPLITS)
        train = tuple(arrays[name] for name in sorted(arrays) if name.startswith("train_"))
        validation = tuple(arrays[name] for name in sorted(arrays) if name.startswith("validation_"))
        return Splits(train, validation, arrays["test"])


def load_prepared_data() -> PreparedData:
    """Read the output of `prepare` and `augment`: originals first, then copies."""
    originals, splits = read_originals()
    examples, origins = originals, read_copies()["origin"]
    if len(origins):
        examples = concatenate_examples(originals, read_examples(COPIES))
    return PreparedData(examples, splits, origins)


def read_originals() -> tuple[Examples, Splits]:
    """Read the output of `prepare`, which must be what the manifest was written for."""
    examples, splits, manifest = read_examples(EXAMPLES), read_splits(), read_manifest()
    with explain_damage(MANIFEST, files.UserError, KeyError):
        if manifest["sha256"] != _compute_digest(examples, splits):
            raise files.UserError(f"{EXAMPLES} or {SPLITS} is of another run than this file")
    return examples, splits


def read_manifest() -> dict[str, Any]:
    """Read the description that `build_manifest` returned."""
    with explain_damage(MANIFEST, files.UserError):
        manifest = files.read_json(MANIFEST)
        if not isinstance(manifest, dict):
            raise files.UserError("it does not describe prepared data")
        return manifest


def read_copies() -> dict[str, NDArray[Any]]:
    """Read the arrays of `augment`: `origin`, the row of each copy's original, and `offline`, what it was made for."""
    with explain_damage(COPIES, files.UserError):
        arrays = data_files.read_arrays(COPIES)
        if "origin" not in arrays:
            raise files.UserError("it holds no copies")
        return arrays


def concatenate_examples(first: Examples, second: Examples) -> Examples:
    """Concatenate two sets of examples of the same source."""
    arrays: dict[str, Any] = {name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in ARRAYS}
    labels = {name: np.concatenate([values, second.labels[name]]) for name, values in first.labels.items()}
    return replace(first, **arrays, labels=labels)


def build_manifest(
    config: Config, examples: Examples, splits: Splits, faults: tuple[Fault, ...], warnings: tuple[str, ...]
) -> dict[str, object]:
    """Return a description of the prepared data for the report, and its identity."""
    rows = {"train": splits.train[0], "validation": splits.validation[0], "test": splits.test}
    if len(splits.train) > 1:
        others = np.unique(np.concatenate([*splits.train, *splits.validation]))
        rows = {"train and validation": others, "test": splits.test}
    return {
        "source": config.data.source.kind,
        "image": list(examples.images.shape[1:]),
        "examples": {name: len(split) for name, split in rows.items()},
        "groups": {name: len(np.unique(examples.groups[split])) for name, split in rows.items()},
        "folds": len(splits.train),
        "classes": list(examples.classes),
        "excluded": [vars(fault) for fault in faults],
        "warnings": list(warnings),
        "sha256": _compute_digest(examples, splits),
        "made_for": data_identity(config),
    }


def _compute_digest(examples: Examples, splits: Splits) -> str:
    """Return the SHA-256 of everything that training reads."""
    total = hashlib.sha256()
    arrays = [examples.images, examples.names, examples.groups, *(examples.labels[k] for k in sorted(examples.labels))]
    for array in (*arrays, *splits.train, *splits.validation, splits.test):
        total.update(repr((array.shape, array.dtype.str)).encode() + np.ascontiguousarray(array).tobytes())
    return total.hexdigest()


def data_identity(config: Config) -> dict[str, Any]:
    """Return the params that prepared data depends on; the path of the data does not count."""
    tree = config.model_dump(mode="json", include={"seed", "data", "task"})
    del tree["data"]["path"]
    return tree


def augmentation_identity(config: Config) -> str:
    """Return the params that augmented copies depend on, apart from the examples."""
    return json.dumps(config.augment.offline.model_dump(), sort_keys=True)


def is_prepared(config: Config) -> bool:
    """Return whether the prepared data and copies on disk belong to this experiment."""
    data, copies = read_manifest().get("made_for"), str(read_copies().get("offline", ""))
    return data == data_identity(config) and copies == augmentation_identity(config)
