"""What the report says of prepared data."""

import hashlib

import numpy as np

from thalweg.artifacts import identity
from thalweg.config.experiment import Config
from thalweg.data.examples import Bad, Examples
from thalweg.data.splits import Parts


def build_manifest(
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
        "sha256": data_digest(examples, parts),
        "made_for": identity.data_identity(config),
    }


def data_digest(examples: Examples, parts: Parts) -> str:
    """SHA-256 of everything that training reads."""
    total = hashlib.sha256()
    arrays = [examples.images, examples.names, examples.groups, *(examples.labels[k] for k in sorted(examples.labels))]
    for array in (*arrays, *parts.train, *parts.validation, parts.test):
        total.update(repr((array.shape, array.dtype.str)).encode() + np.ascontiguousarray(array).tobytes())
    return total.hexdigest()
