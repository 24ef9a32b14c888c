"""The devices that lanes are spread over, and more processes for more cores than XLA's thread pool is for.

Bits depend on the size of the pool, so it is the same everywhere; a machine with more cores has more processes, each
with such a pool. Each is sent the data once, and then calls of `thalweg.engine.population`, whichever is free the next.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from multiprocessing import connection
from typing import Any

import jax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from thalweg.engine.program import Data
from thalweg.system import runtime

_data: Data | None = None


@cache
def device_mesh() -> jax.sharding.Mesh:
    return jax.make_mesh((jax.device_count(),), ("lanes",), axis_types=(AxisType.Auto,))


def copy_to_devices(data: Data) -> Data:
    """Data copied to every device, once."""
    placed: Data = jax.device_put(data, NamedSharding(device_mesh(), PartitionSpec()))  # type: ignore[no-untyped-call]
    return placed


@dataclass(frozen=True)
class Workers:
    """So many processes that have the data."""

    processes: int
    executor: ProcessPoolExecutor

    def submit(self, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        """function(*arguments, data) in one of the processes, with the data that it has."""
        return self.executor.submit(_call_with_data, function, *arguments)


def count_workers() -> int:
    """How many processes use all cores; 1 where an accelerator computes."""
    return -(-runtime.count_cores() // runtime.XLA_THREADS) if jax.default_backend() == "cpu" else 1


@contextmanager
def start_worker_pool(data: Data, processes: int | None = None) -> Iterator[Workers | None]:
    """As many processes as are needed, or so many, while the context lasts; None where this one does by itself.

    They end with this process, however it ends.
    """
    processes = count_workers() if processes is None else processes
    if processes == 1:
        yield None
        return
    spawn = multiprocessing.get_context("spawn")  # a fork of a process that has run JAX hangs
    with ProcessPoolExecutor(processes, spawn, _init_worker, (jax.device_get(data),)) as executor:
        try:
            yield Workers(processes, executor)
        finally:
            executor.shutdown(wait=False, cancel_futures=True)


def _init_worker(data: Data) -> None:
    global _data

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that was started by a person
    _data = copy_to_devices(data)
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _call_with_data(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments, _data)


def _exit_with_parent() -> None:
    """End where the parent was killed: a pool's own queue would keep its processes waiting for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)
