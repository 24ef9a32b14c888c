"""Work on all cores: threads where the work releases Python's lock, processes elsewhere. Results keep their order."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import connection
from typing import Any, TypeVar

from thalweg.system import runtime

Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = 2  # items a core that are begun before the caller takes the next result


def map_in_threads(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yield function(item) in order, from all cores. Only a few results wait for the caller at any time."""
    cores = runtime.count_cores()
    with ThreadPoolExecutor(cores) as threads:
        yield from _map_ahead(threads, AHEAD * cores, function, items)


def map_in_processes(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yield function(item) in order, as `map_in_threads` does. Each process first imports the function's module."""
    cores = runtime.count_cores()
    with start_processes(cores) as processes:
        yield from _map_ahead(processes, AHEAD * cores, function, items)


def start_processes(
    count: int, initializer: Callable[..., None] | None = None, arguments: tuple[Any, ...] = ()
) -> ProcessPoolExecutor:
    """Start processes that each call initializer(*arguments). They end with this process, however it ends."""
    spawn = multiprocessing.get_context("spawn")  # a fork of a process that has run JAX hangs
    return ProcessPoolExecutor(count, spawn, _init_process, (initializer, arguments))


def _map_ahead(
    executor: Executor, ahead: int, function: Callable[[Item], Result], items: Iterable[Item]
) -> Iterator[Result]:
    begun: deque[Future[Result]] = deque()
    try:
        for item in items:
            begun.append(executor.submit(function, item))
            if len(begun) > ahead:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _init_process(initializer: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent process
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    if initializer:
        initializer(*arguments)


def _exit_with_parent() -> None:
    """Exit when the parent is killed: the pool's queue would keep its processes waiting for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)
