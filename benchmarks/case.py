"""The study that every contestant runs: images, sizes of networks, search space and trials. It needs NumPy only.

An image shows soft spots on an uneven background; the target is their number. Contestants share nothing but this file:
each has its own batches, training and validation.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

TRAIN = 2048  # images
VALIDATION = 512  # images
SIDE = 32  # of an image [pixels]
BATCH = 64  # images
MAX_SPOTS = 8  # per image

CHANNELS = (16, 32, 64)
"""Channels of the convolutions of `cnn` (3 x 3, stride 2, ReLU), before one dense layer."""
HIDDEN = (128, 128)
"""Units of the hidden layers of `mlp`."""
MODELS = ("cnn", "linear", "mlp")

LOSSES = ("l1", "l2", "huber")
DELTA = 1.0  # error at which huber becomes absolute [spots]
RATE = (1e-4, 1e-2)
MOMENTUM = (0.0, 0.95)
"""No trial diverges in these ranges. A trial that diverges would stop, and contestants would do unequal work."""

COHORT = 6  # trials
ETA = 3  # pruning: the best 1 / ETA continue after each rung
FIRST = 1  # epochs to the first rung; each further one is ETA times as far


@dataclass(frozen=True)
class Examples:
    """`images` uint8 [N, 32, 32] and their `count` of spots, float32 [N]; the first `TRAIN` are for training."""

    images: NDArray[np.uint8]
    count: NDArray[np.float32]

    def compute_inputs(self) -> NDArray[np.float32]:
        """Return the networks' inputs [N, 32, 32], with mean 0 and deviation 1 over the training images."""
        scaled = self.images.astype(np.float32) / 255
        train = scaled[:TRAIN]
        normalised: NDArray[np.float32] = ((scaled - train.mean()) / train.std()).astype(np.float32)
        return normalised


def draw_examples(seed: int = 0) -> Examples:
    """Draw images: a slope of gray, noise, and 0 to `MAX_SPOTS` spots of different size and strength."""
    generator = np.random.default_rng(seed)
    example_count = TRAIN + VALIDATION
    count = generator.integers(0, MAX_SPOTS + 1, example_count)
    positions = generator.uniform(3, SIDE - 3, (example_count, MAX_SPOTS, 2))
    slopes = generator.uniform(-1.5, 1.5, (example_count, 2, 1))
    size = generator.uniform(1.0, 1.8, (example_count, MAX_SPOTS))
    strength = generator.uniform(90, 150, (example_count, MAX_SPOTS))
    strength = strength * (np.arange(MAX_SPOTS) < count[:, None])
    axis = np.arange(SIDE) + 0.5
    # a spot is the product of a Gaussian along rows and one along columns
    rows, columns = (np.exp(-((axis - positions[..., i, None]) ** 2) / (2 * size[..., None] ** 2)) for i in (0, 1))
    spots = np.einsum("nph,npw,np->nhw", rows, columns, strength)
    tilt = slopes * (axis - SIDE / 2)
    background = 60 + tilt[:, 0, :, None] + tilt[:, 1, None, :] + generator.normal(0, 8, spots.shape)
    return Examples(np.clip(background + spots, 0, 255).astype(np.uint8), count.astype(np.float32))


def draw_trials(number: int, seed: int = 0) -> list[dict[str, Any]]:
    """Return the values of `number` trials, the same for every contestant, so that all do the same work.

    Losses take turns; momentum is uniform, the learning rate log-uniform.
    """
    generator = np.random.default_rng((seed, 1))
    low, high = map(math.log, RATE)
    return [
        {
            "loss": LOSSES[index % len(LOSSES)],
            "learning_rate": math.exp(generator.uniform(low, high)),
            "momentum": float(generator.uniform(*MOMENTUM)),
        }
        for index in range(number)
    ]
