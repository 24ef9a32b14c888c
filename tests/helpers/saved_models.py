"""Final models of one small network, for images of 8 x 10 pixels."""

import jax
import numpy as np

from thalweg.artifacts.trained_model import TrainedModel
from thalweg.core.network import Network
from thalweg.tasks import Task
from thalweg.tasks.detect import Detect
from thalweg.tasks.enhance import Enhance

DRAW = np.random.default_rng(0)
BACKGROUNDS = DRAW.integers(0, 256, (2, 8, 10, 3), np.uint8)
IMAGES = DRAW.integers(0, 256, (5, 8, 10, 3), np.uint8)


def build_model(
    task: Task,
    outputs: tuple[int, ...],
    channels: int = 6,
    members: int = 2,
    classes: tuple[str, ...] = (),
    backgrounds: np.ndarray = BACKGROUNDS,
) -> TrainedModel:
    network = Network("mlp", (8, 10, channels), outputs, (("depth", 1), ("width", 4)))
    start = jax.jit(network.init)
    chosen = [jax.device_get(start(jax.random.key(k))) for k in range(members)]
    mean, scale = np.full(channels, 0.4, np.float32), np.full(channels, 3.0, np.float32)
    return TrainedModel(task, network, chosen, classes, mean, scale, backgrounds)


def build_enhancer() -> TrainedModel:
    """Build a model that leaves an image as it is."""
    network = Network("unet", (8, 10, 3), (8, 10, 3), (("depth", 1), ("width", 4)))
    start = jax.device_get(jax.jit(network.init)(jax.random.key(0)))
    mean, scale = np.zeros(3, np.float32), np.ones(3, np.float32)
    return TrainedModel(Enhance(problem="denoise"), network, [start], (), mean, scale, BACKGROUNDS[:0])


def build_detector() -> TrainedModel:
    """Build a model that finds an object in every cell."""
    task = Detect(cell=4, classes=False, threshold=1e-6)
    return build_model(task, (2, 3, 5), channels=3, members=1, backgrounds=BACKGROUNDS[:0])
