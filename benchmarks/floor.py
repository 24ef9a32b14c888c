"""Compute the least time of a trial's epoch: its operations at the rate of a large matrix product."""

import itertools
import json
import math
import os
import time

from benchmarks import case

SIDE = 3072  # rows and columns of the matrices


def list_layers(model: str) -> list[tuple[int, int, int]]:
    """Return each layer as a matrix product for one image: (positions, inputs, outputs)."""
    if model == "cnn":
        products, side, channels = [], case.SIDE, 1
        for outputs in case.CHANNELS:
            side = math.ceil(side / 2)
            products.append((side * side, 9 * channels, outputs))
            channels = outputs
        return [*products, (1, side * side * channels, 1)]
    widths = [case.SIDE**2, *(case.HIDDEN if model == "mlp" else ()), 1]
    return [(1, inputs, outputs) for inputs, outputs in itertools.pairwise(widths)]


def count_operations(model: str) -> dict[str, float]:
    """Return the floating-point operations of a trial's epoch, for training and for validation.

    A multiplication and an addition are two operations. The backward pass has two products per layer, for weights and
    for inputs; the first layer's inputs need none.
    """
    forward = [2.0 * places * inputs * outputs for places, inputs, outputs in list_layers(model)]
    backward = 2 * sum(forward) - forward[0]
    return {"train": case.TRAIN * (sum(forward) + backward), "validation": case.VALIDATION * sum(forward)}


def measure_rate(repeats: int = 12) -> float:
    """Measure float32 operations per second of square matrix products in XLA on all cores: the best of several."""
    os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=1")
    import jax
    import jax.numpy as jnp

    product = jax.jit(lambda a, b: a @ b)
    a = jax.random.normal(jax.random.key(0), (SIDE, SIDE), jnp.float32)
    product(a, a).block_until_ready()
    best = math.inf
    for _ in range(repeats):
        began = time.perf_counter()
        product(a, a).block_until_ready()
        best = min(best, time.perf_counter() - began)
    return 2.0 * SIDE**3 / best


def main() -> None:
    rate = measure_rate()
    floors = {
        model: {part: 1000 * number / rate for part, number in count_operations(model).items()} for model in case.MODELS
    }
    operations = {model: count_operations(model) for model in case.MODELS}
    print(json.dumps({"rate": rate, "operations": operations, "floor_ms": floors}))


if __name__ == "__main__":
    main()
