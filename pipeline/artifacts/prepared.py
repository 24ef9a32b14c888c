"""Prepared data on disk: examples, splits, augmented copies, and the experiment that they belong to."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.artifacts.damage import explain_damage
from thalweg.config.experiment import Config
from thalweg.data.examples import ARRAYS, Examples, Fault, concatenate_examples
from thalweg.data.splits import Splits
from thalweg.system import data_files, files
from thalweg.system.paths import COPIES, EXAMPLES, MANIFEST, SPLITS

IMAGES = "images.npy"
"""The images' file, beside the file of their names, groups and labels. It is mapped, never read as a whole."""


@dataclass(frozen=True)
class PreparedData:
    """Examples [N] and their splits. The last len(copy_origins) examples are augmented copies of those rows."""

    examples: Examples
    splits: Splits
    copy_origins: NDArray[np.int64]


def write_examples(path: Path, examples: Examples) -> None:
    """Write examples: their images as `images.npy` beside `path`, and all else, with the images' digest, to `path`."""
    file = _write_images(path, examples.images.shape, [examples.images])
    _write_facts(path, examples, file, {})


def write_copies(
    originals: Examples, chunks: Iterable[Examples], origin: NDArray[np.int64], offline: str, path: Path = COPIES
) -> None:
    """Write augmented copies of the rows `origin` of `originals`, made chunk by chunk, for the params `offline`.

    `images.npy` beside them has the images of the originals, then those of the copies; it is empty without copies.
    """
    facts: list[Examples] = []

    def list_images() -> Iterator[NDArray[np.uint8]]:
        yield originals.images[: len(originals) if len(origin) else 0]
        for chunk in chunks:
            facts.append(chunk.drop_images())
            yield chunk.images

    count = len(originals) + len(origin) if len(origin) else 0
    file = _write_images(path, (count, *originals.images.shape[1:]), list_images())
    copies = concatenate_examples([originals.take_rows(origin[:0]).drop_images(), *facts])
    _write_facts(path, copies, file, {"origin": origin, "offline": np.array(offline)})


def _write_images(path: Path, shape: tuple[int, ...], parts: Iterable[NDArray[np.uint8]]) -> Path:
    file = path.with_name(IMAGES)
    data_files.write_array(file, shape, parts)
    return file


def _write_facts(path: Path, examples: Examples, images: Path, extra: dict[str, NDArray[Any]]) -> None:
    arrays = {name: getattr(examples, name) for name in ARRAYS if name != "images"}
    labels = {f"label_{name}": values for name, values in examples.labels.items()}
    further = {"classes": np.array(examples.classes, np.str_), "value_range": np.array(examples.value_range or ())}
    digest = {"images_sha256": np.array(files.hash_file(images))}
    data_files.write_arrays(path, arrays | labels | further | digest | extra)


def read_examples(path: Path) -> Examples:
    """Read examples; their images are mapped. Raises `UserError` if a file is damaged, as all that read here do."""
    images = path.with_name(IMAGES)
    with explain_damage(path, files.UserError, KeyError):
        arrays = data_files.read_arrays(path)
        digest, black_white = str(arrays["images_sha256"]), arrays["value_range"]
        facts: dict[str, Any] = {name: arrays[name] for name in ARRAYS if name != "images"}
        labels = {n.removeprefix("label_"): values for n, values in arrays.items() if n.startswith("label_")}
        classes = tuple(str(name) for name in arrays["classes"])
        value_range = (float(black_white[0]), float(black_white[1])) if len(black_white) else None
    with explain_damage(images, files.UserError):
        if files.hash_file(images) != digest:
            raise files.UserError(f"it does not hold the images of {path}")
        mapped = data_files.map_array(images)
    return Examples(mapped, **facts, labels=labels, classes=classes, value_range=value_range)


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
    copies, origins = read_examples(COPIES), read_copies()["origin"]
    if not len(origins):
        return PreparedData(originals, splits, origins)
    facts = concatenate_examples([originals.drop_images(), copies.drop_images()])
    with explain_damage(COPIES, files.UserError):
        if len(copies.images) != len(facts.names) or copies.images.shape[1:] != originals.images.shape[1:]:
            raise files.UserError(f"it does not fit {EXAMPLES}")
    return PreparedData(replace(facts, images=copies.images), splits, origins)


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
        "class_counts": _count_classes(examples, rows),
        "excluded": [vars(fault) for fault in faults],
        "warnings": list(warnings),
        "sha256": _compute_digest(examples, splits),
        "made_for": data_identity(config),
    }


def _count_classes(examples: Examples, rows: Mapping[str, NDArray[Any]]) -> dict[str, list[int]]:
    """Return the number of each class's examples by set; empty where an example has no class."""
    if "label" not in examples.labels:
        return {}
    labels, classes = examples.labels["label"], len(examples.classes)
    return {name: np.bincount(labels[own], minlength=classes).tolist() for name, own in rows.items()}


def _compute_digest(examples: Examples, splits: Splits) -> str:
    """Return the SHA-256 of everything that training reads."""
    total = hashlib.sha256()
    arrays = [examples.images, examples.names, examples.groups, *(examples.labels[k] for k in sorted(examples.labels))]
    for array in (*arrays, *splits.train, *splits.validation, splits.test):
        total.update(repr((array.shape, array.dtype.str)).encode())
        total.update(np.ascontiguousarray(array).view(np.uint8).data if array.size else b"")
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
