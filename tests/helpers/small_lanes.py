"""Seven lanes of a small classifier, which differ in their numbers and seeds."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg.core import losses, schedules
from thalweg.core.hyperparameters import list_defaults
from thalweg.core.network import Network
from thalweg.core.types import DataSpec
from thalweg.engine import population
from thalweg.engine.fit import LaneState
from thalweg.tasks.classify import Classify
from thalweg.training.plan import NetworkHyper, TrainingData
from thalweg.training.program import NetworkProgram

N = 20
SPEC = DataSpec((5, 5, 1), 3)
ON = ("brightness", "noise", "flip")
PLAN = NetworkProgram(
    Classify(), SPEC, Network("linear", SPEC.image_shape, (3,)), "heavy_ball", False, ON, 4, 3, 2, 1, 0, "accuracy"
)


def draw_training_data() -> TrainingData:
    draw = np.random.default_rng(0)
    return TrainingData(
        images=draw.integers(0, 256, (N, 5, 5, 1), np.uint8),
        labels={"label": draw.integers(0, 3, N).astype(np.int32)},
        background_index=np.zeros(N, np.int32),
        backgrounds=np.zeros((0, 5, 5, 1), np.uint8),
        mean=np.full(1, 0.5, np.float32),
        scale=np.full(1, 3.5, np.float32),
        train_rows=np.arange(12, dtype=np.int32)[None],
        train_sizes=np.array([12], np.int32),
        validation_rows=np.arange(12, N, dtype=np.int32)[None],
        validation_weights=np.ones((1, N - 12), np.float32),
    )


def build_hyper(
    rate: float = 0.1, schedule: int = 0, loss: int = 0, noise: float = 0.0, flip: float = 0.0
) -> NetworkHyper:
    numbers = {name: value for member in schedules.KINDS for name, value in list_defaults(member).items()}
    family = {name: v for member in losses.FAMILIES["classification"] for name, v in list_defaults(member).items()}
    return NetworkHyper(
        learning_rate=np.float32(rate),
        clip=np.float32(np.inf),
        optimizer={"momentum": np.float32(0.9), "weight_decay": np.float32(0)},
        schedule={name: np.float32(v) for name, v in (numbers | schedules.COMMON_DEFAULTS).items()}
        | {"kind": np.int32(schedule)},
        loss={
            "label": {name: np.float32(v) for name, v in family.items()}
            | {"kind": np.int32(loss), "weight": np.float32(1)}
        },
        balance=np.int32(0),
        augment={"brightness": np.float32(0.1), "noise": np.float32(noise), "flip": np.float32(flip)},
        gain=np.float32(1),
        last_gain=np.float32(1),
    )


HYPERS = [
    build_hyper(0.1),
    build_hyper(0.01, schedule=3),
    build_hyper(1e38),
    build_hyper(0.1, loss=1),
    build_hyper(0.1, noise=0.3, flip=0.5),
    build_hyper(0.3, schedule=6, loss=1, noise=0.1),
    build_hyper(0.05, schedule=1),
]
SEEDS = [0, 0, 1, 0, 2, 0, 3]


def train_lanes(
    plan: Any, hypers: Sequence[NetworkHyper], states: Sequence[LaneState], data: TrainingData
) -> list[LaneState]:
    """Lanes at their ends."""
    return population.advance_lanes(plan, hypers, states, data, [plan.epochs] * len(states))
