"""Five small models and tasks, each with a rate that suits it, for trainings by the thousand."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

Weights = Any
Examples = tuple[NDArray[np.float32], NDArray[Any]]
"""Inputs [N, ...], and their truth [N]: float32 values, or int32 classes."""
Draw = Callable[[np.random.Generator, int], Examples]


@dataclass(frozen=True)
class Model:
    """A model and its task.

    `init` makes weights from a key; `apply(weights, inputs)` returns outputs [N, K]. `build_task` makes the task of a
    seed, which draws examples; `train` of them are the training set. The loss is the cross-entropy of `has_classes`, or
    else the mean squared error. The optimizer is SGD with `momentum`, or Adam; `rate` suits it.
    """

    name: str
    init: Callable[[Array], Weights]
    apply: Callable[[Weights, Array], Array]
    build_task: Callable[[int], Draw]
    train: int
    rate: float
    momentum: float = 0.0
    is_adam: bool = False
    has_classes: bool = True

    def compute_losses(self, weights: Weights, inputs: Array, truth: Array) -> Array:
        """Compute the loss of each example [N]."""
        outputs = self.apply(weights, inputs)
        if self.has_classes:
            return -jnp.take_along_axis(jax.nn.log_softmax(outputs), truth[:, None], 1)[:, 0]
        return jnp.square(outputs[:, 0] - truth)


def draw_kernel(key: Array, *shape: int) -> Array:
    return jnp.asarray(jax.random.normal(key, shape) * np.sqrt(2.0 / np.prod(shape[:-1])))


def build_linear(inputs: int, outputs: int) -> Callable[[Array], Weights]:
    return lambda key: {"w": 0.1 * draw_kernel(key, inputs, outputs), "b": jnp.zeros(outputs)}


def apply_linear(weights: Weights, inputs: Array) -> Array:
    return jnp.asarray(inputs @ weights["w"] + weights["b"])


def build_mlp(*sizes: int) -> Callable[[Array], Weights]:
    def init(key: Array) -> Weights:
        keys = jax.random.split(key, len(sizes) - 1)
        shapes = zip(keys, sizes[:-1], sizes[1:], strict=True)
        return [{"w": draw_kernel(k, before, after), "b": jnp.zeros(after)} for k, before, after in shapes]

    return init


def apply_mlp(weights: Weights, inputs: Array) -> Array:
    *hidden, last = weights
    for layer in hidden:
        inputs = jax.nn.relu(apply_linear(layer, inputs))
    return apply_linear(last, inputs)


def init_cnn(key: Array) -> Weights:
    keys = jax.random.split(key, 2)
    first = {"w": draw_kernel(keys[0], 3, 3, 1, 6), "b": jnp.zeros(6)}
    return [first, {"w": draw_kernel(keys[1], 6, 3), "b": jnp.zeros(3)}]


def apply_cnn(weights: Weights, inputs: Array) -> Array:
    layout = ("NHWC", "HWIO", "NHWC")
    hidden = jax.lax.conv_general_dilated(inputs, weights[0]["w"], (2, 2), "VALID", dimension_numbers=layout)
    return apply_linear(weights[1], jax.nn.relu(hidden + weights[0]["b"]).mean((1, 2)))


def build_blobs(seed: int) -> Draw:
    """Five clouds of points that overlap."""
    centres = np.random.default_rng(seed).normal(size=(5, 16))

    def draw(generator: np.random.Generator, count: int) -> Examples:
        truth = generator.integers(5, size=count)
        inputs = centres[truth] + 1.5 * generator.normal(size=(count, 16))
        return inputs.astype(np.float32), truth.astype(np.int32)

    return draw


def build_stiff_line(seed: int) -> Draw:
    """A linear regression whose directions differ 400-fold in curvature."""
    fixed = np.random.default_rng(seed)
    scales, turn = np.geomspace(1, 0.05, 24), np.linalg.qr(fixed.normal(size=(24, 24)))[0]
    weights = fixed.normal(size=24) / np.sqrt(scales)

    def draw(generator: np.random.Generator, count: int) -> Examples:
        hidden = scales * generator.normal(size=(count, 24))
        truth = hidden @ weights + 0.3 * generator.normal(size=count)
        return (hidden @ turn).astype(np.float32), truth.astype(np.float32)

    return draw


def build_waves(seed: int) -> Draw:
    """A sum of three sines, which a network first takes for flat."""
    weights = np.random.default_rng(seed).normal(size=(8, 3))

    def draw(generator: np.random.Generator, count: int) -> Examples:
        inputs = generator.normal(size=(count, 8))
        truth = np.sin(inputs @ weights / 1.5).sum(1) + 0.2 * generator.normal(size=count)
        return inputs.astype(np.float32), truth.astype(np.float32)

    return draw


def build_stripes(_seed: int) -> Draw:
    """Stripes of three directions, in noise."""

    def draw(generator: np.random.Generator, count: int) -> Examples:
        truth, phase = generator.integers(3, size=count), generator.uniform(0, 6, count)
        angle = (truth * np.pi / 3)[:, None, None]
        y, x = np.mgrid[:8, :8]
        images = np.sin(1.6 * (np.cos(angle) * x + np.sin(angle) * y) + phase[:, None, None])
        images += generator.normal(size=images.shape)
        return images[..., None].astype(np.float32), truth.astype(np.int32)

    return draw


def build_few(seed: int) -> Draw:
    """Four quadrants; one label in seven is drawn anew, for a network that learns them by heart."""
    weights = np.random.default_rng(seed).normal(size=(20, 2))

    def draw(generator: np.random.Generator, count: int) -> Examples:
        inputs = generator.normal(size=(count, 20))
        truth = (inputs @ weights > 0) @ [1, 2]
        is_wrong = generator.random(count) < 0.15
        truth = np.where(is_wrong, generator.integers(4, size=count), truth)
        return inputs.astype(np.float32), truth.astype(np.int32)

    return draw


MODELS = (
    Model("blobs", build_linear(16, 5), apply_linear, build_blobs, 512, 0.1),
    Model("stiff", build_linear(24, 1), apply_linear, build_stiff_line, 512, 0.1, has_classes=False),
    Model("waves", build_mlp(8, 32, 1), apply_mlp, build_waves, 512, 0.01, momentum=0.9, has_classes=False),
    Model("stripes", init_cnn, apply_cnn, build_stripes, 256, 0.01, is_adam=True),
    Model("few", build_mlp(20, 64, 4), apply_mlp, build_few, 192, 0.03, momentum=0.9),
)
