"""An own metric that suits the predictions of each task."""

import jax.numpy as jnp
from jax import Array

from thalweg.core.metrics import Metric


def measure_largest(prediction: Array, truth: Array, weight: Array) -> Array:
    """The largest absolute prediction: [N, ...], [N, ...], [N] -> scalar."""
    del truth
    weights = weight.reshape(weight.shape + (1,) * (prediction.ndim - 1))
    return jnp.where(weights > 0, jnp.abs(prediction), 0.0).max()


largest = Metric("min", function=measure_largest)
