"""The device mesh that lanes are spread over, and worker processes for machines with many cores.

Bits depend on the size of XLA's thread pool, so it is the same everywhere; a machine with more cores has more
processes, each with such a pool. Each maps the data once; then every free process gets the next call of
`thalweg.engine.population`.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import jax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from thalweg.engine.program import Data
from thalweg.system import parallel, runtime
from thalweg.system.compiled import guard_compiled_programs

_data: Data | None = None


@cache
def device_mesh() -> jax.sharding.Mesh:
    return jax.make_mesh((jax.device_count(),), ("lanes",), axis_types=(AxisType.Auto,))


def copy_to_devices(data: Data) -> Data:
    """Put data on every device. A CPU's devices share an array that is mapped from a file, and copy others."""
    return jax.device_put(data, NamedSharding(device_mesh(), PartitionSpec()))  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Workers:
    """Processes that hold the data."""

    processes: int
    executor: ProcessPoolExecutor

    def submit(self, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        """Run function(*arguments, data) in one of the processes, with its copy of the data."""
        return self.executor.submit(_call_with_data, function, *arguments)


def count_workers() -> int:
    """Count the processes that use all cores; 1 with an accelerator."""
    return -(-runtime.count_cores() // runtime.XLA_THREADS) if jax.default_backend() == "cpu" else 1


@contextmanager
def start_worker_pool(data: Data, processes: int | None = None) -> Iterator[Workers | None]:
    """Start `processes` workers (default: `count_workers`) for the context; None if one process is enough.

    `data` is on the host. Arrays that are mapped from a file are mapped by each worker, others are copied.
    """
    processes = count_workers() if processes is None else processes
    if processes == 1:
        yield None
        return
    with parallel.start_processes(processes, _init_worker, (data,)) as executor:
        try:
            yield Workers(processes, executor)
        finally:
            executor.shutdown(wait=False, cancel_futures=True)


def _init_worker(data: Data) -> None:
    global _data

    guard_compiled_programs()
    _data = copy_to_devices(data)


def _call_with_data(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments, _data)
