"""Programs for tests that compare within a tolerance: compiled in a third of the time, and three times as slow.

What compares bits does without: it has to see the programs that a study runs.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax

WANTED = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}


@cache
@cache
def quick(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """`jax.jit` in haste. One program costs less than one for each of its operations, too."""
    return jax.jit(function, compiler_options=haste(), **options)


@cache
def haste() -> dict[str, Any]:
    """Those of the options that this version of XLA knows."""
    return {name: value for name, value in WANTED.items() if _known(name, value)}


def _known(name: str, value: Any) -> bool:
    try:
        jax.jit(lambda x: x, compiler_options={name: value})(0.0)
    except jax.errors.JaxRuntimeError:
        return False
    return True
