"""Worker processes on this machine, where it has more cores than one process uses."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jax

from thalweg.engine.devices import copy_to_devices
from thalweg.engine.program import Data
from thalweg.system import parallel, runtime
from thalweg.system.compiled import guard_compiled_programs

_data: Data | None = None


@dataclass(frozen=True)
class LocalWorkers:
    """Processes of this machine that hold the data."""

    processes: int
    executor: ProcessPoolExecutor

    @property
    def devices(self) -> int:
        return jax.device_count()

    def count_processes(self) -> int:
        return self.processes

    def submit(self, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        return self.executor.submit(_call_with_data, function, *arguments)


def count_workers() -> int:
    """Count the processes that use all cores; 1 with an accelerator."""
    return -(-runtime.count_cores() // runtime.XLA_THREADS) if jax.default_backend() == "cpu" else 1


@contextmanager
def start_local_workers(data: Data, processes: int | None = None) -> Iterator[LocalWorkers | None]:
    """Start `processes` workers (default: `count_workers`) for the context; None if one process is enough.

    `data` is on the host. Arrays that are mapped from a file are mapped by each worker, others are copied.
    """
    processes = count_workers() if processes is None else processes
    if processes == 1:
        yield None
        return
    with parallel.start_processes(processes, _init_worker, (data,)) as executor:
        try:
            yield LocalWorkers(processes, executor)
        finally:
            executor.shutdown(wait=False, cancel_futures=True)


def _init_worker(data: Data) -> None:
    global _data

    guard_compiled_programs()
    _data = copy_to_devices(data)


def _call_with_data(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments, _data)
