"""Random streams by name."""

from typing import Any

import jax
import numpy as np

from thalweg.core import rng


def get_key_data(key: jax.Array) -> tuple[int, ...]:
    return tuple(np.asarray(jax.random.key_data(key)).tolist())


def test_keys_differ_by_every_input() -> None:
    roads: list[tuple[Any, ...]] = [(0, "a"), (1, "a"), (0, "b"), (0, "a", 0), (0, "a", 1), (0, "a", 0, 1)]
    streams = {get_key_data(rng.derive_key(*arguments)) for arguments in roads}
    assert len(streams) == 6


def test_traced_seed_gives_same_key() -> None:
    traced = jax.jit(lambda seed, step: jax.random.key_data(rng.derive_key(seed, "x", step)))
    assert tuple(np.asarray(traced(5, 7)).tolist()) == get_key_data(rng.derive_key(5, "x", 7))


def test_seeds_are_stable_int32() -> None:
    assert rng.derive_seed(0, "study", 0) == 2096195369
    many = {rng.derive_seed(seed, "study", i) for seed in range(20) for i in range(20)}
    assert len(many) == 400
    assert all(0 <= seed < 2**31 for seed in many)
