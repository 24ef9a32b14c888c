"""Trace a training without data and without compiling it, to find what would fail."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from thalweg.config.experiment import Config
from thalweg.data.examples import Examples
from thalweg.data.splits import Splits
from thalweg.engine import fit
from thalweg.engine.lane_map import map_sequential
from thalweg.training.plan import NetworkHyper, TrainingData
from thalweg.training.program import NetworkProgram


def build_abstract_data(config: Config, outline: Examples, splits: Splits) -> TrainingData:
    """Build the shapes and types of `build.build_data`, and the real numbers of training examples."""
    copies = 1 + config.augment.offline.copies
    count, (height, width, channels) = len(outline) * copies, outline.images.shape[1:]
    train_sizes = np.array([len(rows) * copies for rows in splits.train], np.int32)
    folds, longest = len(train_sizes), max(map(len, splits.validation))
    cameras = 1 if config.data.background else 0

    def build_shape(*sizes: int, dtype: Any = np.float32) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(sizes, dtype)  # type: ignore[no-untyped-call]

    return TrainingData(
        images=build_shape(count, height, width, channels, dtype=np.uint8),
        labels={
            name: build_shape(count, *values.shape[1:], dtype=values.dtype)
            for name, values in config.task.select_labels(outline).items()
        },
        background_index=build_shape(count, dtype=np.int32),
        backgrounds=build_shape(cameras, height, width, channels, dtype=np.uint8),
        mean=build_shape(channels * (1 + cameras)),
        scale=build_shape(channels * (1 + cameras)),
        train_rows=build_shape(folds, int(train_sizes.max()), dtype=np.int32),
        train_sizes=train_sizes,
        validation_rows=build_shape(folds, longest, dtype=np.int32),
        validation_weights=build_shape(folds, longest),
    )


def trace_training(program: NetworkProgram, hyper: NetworkHyper, data: TrainingData) -> None:
    """Trace a lane's training and validation. Raises what the program raises."""

    def train_lane(hyper: NetworkHyper, data: TrainingData) -> fit.LaneState:
        state = fit.init_state(program, jnp.int32(0), jnp.int32(0))
        hypers, states = jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], (hyper, state))
        return fit.advance_block(program, map_sequential, hypers, states, data, jnp.array([program.epochs]))

    jax.eval_shape(train_lane, hyper, data)
