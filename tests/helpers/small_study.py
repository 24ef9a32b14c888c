"""A study of a linear model on a few small images."""

from collections.abc import Mapping, MutableMapping
from copy import deepcopy
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from tests.helpers.paths import ROOT
from thalweg.artifacts.prepared import PreparedData
from thalweg.config.experiment import Config
from thalweg.data.examples import Examples
from thalweg.data.splits import Splits
from thalweg.training import build
from thalweg.training.plan import TrainingData

TREE: dict[str, Any] = {
    "seed": 3,
    "augment": {"offline": {}, "online": {}},
    "task": {"kind": "count"},
    "model": {"kind": "linear"},
    "loss": {"terms": {"count": {"kind": "l2"}}},
    "optimizer": {"kind": "heavy_ball", "learning_rate": 0.01, "momentum": 0.5},
    "schedule": {"kind": "constant"},
    "training": {"epochs": 3, "batch_size": 8},
    "study": {
        "trials": 8,
        "cohort": 4,
        "sampler": "random",
        "objective": "mae",
        "space": {
            "optimizer.learning_rate": {"low": 1e-4, "high": 0.1, "log": True},
            "optimizer.momentum": {"low": 0.0, "high": 0.9},
        },
    },
    "confirm": {"seeds": 3, "runners_up": 1},
}
"""What params.yaml says of it, but for the data."""
CONFIG = Config.model_validate(YAML(typ="safe").load(ROOT / "params.yaml")).replace_values(
    {"data.background": ""} | TREE
)
N = 48


def set_values(tree: MutableMapping[str, Any], values: Mapping[str, Any]) -> None:
    """Set values at dotted paths of a tree."""
    for path, value in values.items():
        *parents, last = path.split(".")
        part = tree
        for name in parents:
            part = part[name]
        part[last] = value


def build_params(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give the study's params with other values at dotted paths."""
    tree = deepcopy(TREE)
    set_values(tree, values)
    return tree


def replace_space(config: Config, space: dict[str, Any]) -> Config:
    """Give the experiment another search space."""
    return config.replace_values({"study.space": space})


def build_training_data(config: Config, prepared: PreparedData) -> TrainingData:
    """Build the engine's data of an experiment from all that is prepared."""
    return build.build_data(config, prepared.examples, prepared.splits, prepared.copy_origins)


def draw_examples() -> Examples:
    """Draw images whose count is how bright they are."""
    draw = np.random.default_rng(0)
    count = draw.integers(0, 8, N)
    images = (count[:, None, None, None] * 25 + draw.integers(0, 50, (N, 4, 4, 1))).astype(np.uint8)
    names = np.array([f"image {i}" for i in range(N)])
    return Examples(images, names, names, np.full(N, ""), {"count": count.astype(np.float32)})


def split_examples() -> Splits:
    """Half of the examples to train on, a quarter to validate on, the rest to test on."""
    rows = np.arange(N, dtype=np.int32)
    return Splits((rows[:24],), (rows[24:36],), rows[36:])


def split_into_folds() -> Splits:
    """Three folds of 16, 12 and 8 examples to validate on, and the rest to test on."""
    rows = np.arange(N, dtype=np.int32)
    validation = rows[:16], rows[16:28], rows[28:36]
    return Splits(tuple(np.setdiff1d(rows[:36], fold) for fold in validation), validation, rows[36:])
