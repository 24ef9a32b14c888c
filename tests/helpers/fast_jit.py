"""Programs for tests that compare within a tolerance: compiled in haste, by `make test-all`, too."""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import numpy as np

from tests.helpers.xla_flags import HASTE
from thalweg.core.types import DataSpec
from thalweg.tasks import Task


@cache
def compile_fast(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """`jax.jit` in haste. One program costs less than one for each of its operations, too."""
    return jax.jit(function, compiler_options=list_hasty_options(), **options)


def run_task_method(task: Task, method: str, *arguments: Any) -> Any:
    """What a task's method makes of arrays and, in last place, of the spec: NumPy arrays."""
    static = (0, len(arguments)) if arguments and isinstance(arguments[-1], DataSpec) else 0
    return jax.tree.map(np.asarray, compile_fast(getattr(type(task), method), static_argnums=static)(task, *arguments))


@cache
def list_hasty_options() -> dict[str, Any]:
    """Those of the options that this version of XLA knows."""
    return {name: value for name, value in HASTE.items() if _is_known(name, value)}


def _is_known(name: str, value: Any) -> bool:
    try:
        jax.jit(lambda x: x, compiler_options={name: value})(0.0)
    except jax.errors.JaxRuntimeError:
        return False
    return True
