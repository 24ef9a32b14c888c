"""Read a source, check every example, part them."""

import hashlib
from pathlib import Path

import numpy as np

from thalweg import prepared
from thalweg.config.experiment import Config
from thalweg.core import rng
from thalweg.data import splits
from thalweg.data.examples import Bad, Examples
from thalweg.data.splits import Parts
from thalweg.system import files
from thalweg.system.paths import EXAMPLES, MANIFEST


def main(config: Config) -> None:
    reading = config.data.source.read(Path(config.data.path), rng.seed(config.seed, "source"))
    groups = np.unique(reading.examples.groups)
    warnings = reading.warnings
    if config.data.split.by in ("group", "folds") and len(groups) == len(reading.examples):
        warnings += (f"no two examples share a group, so data.split.by: {config.data.split.by} parts single examples",)
    for warning in warnings:
        print(f"warning: {warning}")
    if reading.bad and config.data.on_bad == "error":
        raise files.UserError(_told(reading.bad) + "\nmend them, or set data.on_bad: skip to leave them out")
    if reading.bad:
        print(f"left out: {_told(reading.bad)}")
    examples = reading.examples
    problems = config.task.problems(examples)
    if problems:
        raise files.UserError(f"task.kind: {config.task.kind} cannot use this data: {'; '.join(problems)}")
    for warning in (more := tuple(config.task.warnings(examples))):
        print(f"warning: {warning}")
    parts = splits.assign(config.data.split, examples, rng.seed(config.seed, "split"))
    prepared.write_examples(EXAMPLES, examples)
    prepared.write_parts(parts)
    files.write_json(MANIFEST, manifest(config, examples, parts, reading.bad, (*warnings, *more)))


def _told(bad: tuple[Bad, ...]) -> str:
    lines = [f"{one.where}: {one.name}: {one.reason}" for one in bad]
    return "\n".join([f"{len(bad)} fault{'s' if len(bad) > 1 else ''} in the data:", *lines])


def manifest(
    config: Config, examples: Examples, parts: Parts, bad: tuple[Bad, ...], warnings: tuple[str, ...]
) -> dict[str, object]:
    """What the report says of the data."""
    seen = np.unique(np.concatenate([*parts.train, *parts.validation]))
    folded = len(parts.train) > 1
    rows = {"train and validation": seen} if folded else {"train": parts.train[0], "validation": parts.validation[0]}
    rows["test"] = parts.test
    return {
        "source": config.data.source.kind,
        "image": list(examples.images.shape[1:]),
        "examples": {name: len(part) for name, part in rows.items()},
        "groups": {name: len(np.unique(examples.groups[part])) for name, part in rows.items()},
        "folds": len(parts.train),
        "classes": list(examples.classes),
        "excluded": [vars(one) for one in bad],
        "warnings": list(warnings),
        "sha256": digest(examples, parts),
        "made_for": prepared.made_for(config),
    }


def digest(examples: Examples, parts: Parts) -> str:
    """SHA-256 of everything that training reads."""
    total = hashlib.sha256()
    arrays = [examples.images, examples.names, examples.groups, *(examples.labels[k] for k in sorted(examples.labels))]
    for array in (*arrays, *parts.train, *parts.validation, parts.test):
        total.update(repr((array.shape, array.dtype.str)).encode() + np.ascontiguousarray(array).tobytes())
    return total.hexdigest()
