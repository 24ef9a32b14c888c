"""Compiled programs that tests leave behind."""

import gc
from pathlib import Path

import jax

from thalweg.engine import population

MAX_MEMORY_MAPS = 25_000
"""Of 65,530 that Linux gives a process; the costliest file of tests adds 20,000."""


def release_programs() -> None:
    """Drop compiled programs before their memory maps run out, where XLA ends the process by a segmentation fault."""
    maps = Path("/proc/self/maps")
    if maps.exists() and maps.read_bytes().count(b"\n") > MAX_MEMORY_MAPS:
        population._compiled.clear()
        population._compile_init.cache_clear()
        jax.clear_caches()  # type: ignore[no-untyped-call]
        gc.collect()
