"""A study of a linear model on a few small images."""

import numpy as np
from ruamel.yaml import YAML

from tests.helpers.paths import ROOT
from thalweg.config.experiment import Config
from thalweg.data.examples import Examples
from thalweg.data.splits import Parts

CONFIG = Config.model_validate(YAML(typ="safe").load(ROOT / "params.yaml")).replace(
    {
        "seed": 3,
        "data.background": "",
        "augment": {"offline": {}, "online": {}},
        "task": {"kind": "count"},
        "model": {"kind": "linear"},
        "loss.terms": {"count": {"kind": "l2"}},
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
)
N = 48


def draw_examples() -> Examples:
    """Draw images whose count is how bright they are."""
    draw = np.random.default_rng(0)
    count = draw.integers(0, 8, N)
    images = (count[:, None, None, None] * 25 + draw.integers(0, 50, (N, 4, 4, 1))).astype(np.uint8)
    names = np.array([f"image {i}" for i in range(N)])
    return Examples(images, names, names, np.full(N, ""), {"count": count.astype(np.float32)})


def split() -> Parts:
    """Half of the examples to train on, a quarter to validate on, the rest to test on."""
    rows = np.arange(N, dtype=np.int32)
    return Parts((rows[:24],), (rows[24:36],), rows[36:])


def split_into_folds() -> Parts:
    """Three folds of 16, 12 and 8 examples to validate on, and the rest to test on."""
    rows = np.arange(N, dtype=np.int32)
    validation = rows[:16], rows[16:28], rows[28:36]
    return Parts(tuple(np.setdiff1d(rows[:36], fold) for fold in validation), validation, rows[36:])
