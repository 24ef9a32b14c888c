"""Named random streams: one for each (seed, purpose, step)."""

import hashlib
import zlib

import jax
from jax import Array


def derive_key(seed: int | Array, purpose: str, *steps: int | Array) -> Array:
    """Derive the key of `purpose` under `seed`, folded with each of `steps`; seed and steps may be traced.

    The purpose enters as its CRC-32, not as Python's hash, which differs between processes. Threefry is explicit
    because it gives the same numbers under vmap as in a loop.
    """
    key = jax.random.fold_in(jax.random.key(seed, impl="threefry2x32"), zlib.crc32(purpose.encode()))
    for step in steps:
        key = jax.random.fold_in(key, step)
    return key


def derive_seed(seed: int, *path: str | int) -> int:
    """Derive a seed, 0 <= s < 2**31, for `path` under `seed`; for use outside JAX (a sampler, a lane's seed)."""
    text = "/".join(str(name) for name in (seed, *path))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1
