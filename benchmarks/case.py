"""The study that every contestant runs: images, networks' sizes, space and trials. NumPy only, so that all can read it.

Images show so many soft spots on an uneven ground; how many is the target. What is in this file is the whole of what
contestants share: each feeds, trains and validates in its own way.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

TRAIN = 2048
VALIDATION = 512
SIDE = 32
BATCH = 64
MOST = 8
"""Spots in an image, at most."""

CHANNELS = (16, 32, 64)
"""Of the 3 x 3 convolutions of stride 2 of `cnn`, each with a rectifier; then one matrix over all places."""
HIDDEN = (128, 128)
"""Units of the hidden layers of `mlp`."""
MODELS = ("cnn", "linear", "mlp")

LOSSES = ("l1", "l2", "huber")
DELTA = 1.0
"""Where huber turns from squared to absolute, in spots."""
RATE = (1e-4, 1e-2)
MOMENTUM = (0.0, 0.95)
"""In these ranges no trial diverges: a lane that does would stop, and the work would no longer be the same."""

COHORT = 6
ETA = 3
FIRST = 1
"""Of pruning: 1 / ETA goes on at FIRST epochs, then at ETA times as many, and so on."""


@dataclass(frozen=True)
class Examples:
    """`images` uint8 [N, 32, 32], `count` float32 [N]: how many spots; the first `TRAIN` are to train on."""

    images: NDArray[np.uint8]
    count: NDArray[np.float32]

    def inputs(self) -> NDArray[np.float32]:
        """Images as networks see them: mean 0 and deviation 1 over those to train on, [N, 32, 32]."""
        share = self.images.astype(np.float32) / 255
        seen = share[:TRAIN]
        normal: NDArray[np.float32] = ((share - seen.mean()) / seen.std()).astype(np.float32)
        return normal


def examples(seed: int = 0) -> Examples:
    """Images drawn by a seed: a slope of gray, noise, and 0 to `MOST` spots of differing size and strength."""
    draw = np.random.default_rng(seed)
    number = TRAIN + VALIDATION
    count = draw.integers(0, MOST + 1, number)
    places, slope = draw.uniform(3, SIDE - 3, (number, MOST, 2)), draw.uniform(-1.5, 1.5, (number, 2, 1))
    size, strength = draw.uniform(1.0, 1.8, (number, MOST)), draw.uniform(90, 150, (number, MOST))
    strength = strength * (np.arange(MOST) < count[:, None])
    axis = np.arange(SIDE) + 0.5
    # a spot is a product of one bell along rows and one along columns
    rows, columns = (np.exp(-((axis - places[..., i, None]) ** 2) / (2 * size[..., None] ** 2)) for i in (0, 1))
    spots = np.einsum("nph,npw,np->nhw", rows, columns, strength)
    tilt = slope * (axis - SIDE / 2)
    ground = 60 + tilt[:, 0, :, None] + tilt[:, 1, None, :] + draw.normal(0, 8, spots.shape)
    return Examples(np.clip(ground + spots, 0, 255).astype(np.uint8), count.astype(np.float32))


def trials(number: int, seed: int = 0) -> list[dict[str, Any]]:
    """The values of so many trials: the same for every contestant, so that each does the same work.

    Losses come in turn; the others are even draws, the learning rate's of its logarithm.
    """
    draw = np.random.default_rng((seed, 1))
    low, high = (math.log(one) for one in RATE)
    return [
        {
            "loss": LOSSES[place % len(LOSSES)],
            "learning_rate": math.exp(draw.uniform(low, high)),
            "momentum": float(draw.uniform(*MOMENTUM)),
        }
        for place in range(number)
    ]
