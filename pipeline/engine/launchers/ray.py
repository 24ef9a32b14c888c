"""Workers on the nodes of a Ray cluster: one actor for each device group of a node.

A device group is what one process computes with: a GPU, all chips of a TPU's host, or as many cores as XLA's pool has
threads. The data reach a node once, by Ray's object store. A call changes none of its inputs, so the call of an actor
that dies goes to another one.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import jax
import numpy as np
import ray
from ray.exceptions import GetTimeoutError, RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from thalweg.engine.devices import copy_to_devices
from thalweg.engine.launchers import ray_cluster
from thalweg.engine.program import Data
from thalweg.system import files, progress, runtime
from thalweg.system.compiled import guard_compiled_programs
from thalweg.system.files import UserError

START_SECONDS = 60.0
"""How long the workers of a new cluster may take to start, and a first one when all are lost."""
IDLE_SECONDS = 1.0
"""How often a call that waits looks whether there is a worker at all, and whether the workers are closed."""
MAX_DEATHS = 3
"""Workers that a call may lose, or a node fail to start, before it is to blame."""
MAX_CALLS = 4096
"""Calls that may wait at once, each in a thread."""
CACHE_VARIABLE = "JAX_COMPILATION_CACHE_DIR"


@dataclass(frozen=True, eq=False)
class _Worker:
    """An actor, its node, and the future description of its processor and libraries."""

    actor: Any
    node: str
    description: Any


class RayWorkers:
    """Actors of a Ray cluster that hold the data."""

    def __init__(self, data: Data) -> None:
        self._data = ray.put(jax.tree.map(np.asarray, data))
        self._here = ray_cluster.describe_machine()
        self._devices = 1
        self._starting: list[_Worker] = []
        self._serving: list[_Worker] = []
        self._refused: dict[str, str] = {}
        self._failed_starts = Counter[str]()
        self._free = SimpleQueue[_Worker]()
        self._threads = ThreadPoolExecutor(MAX_CALLS)
        self._lock = threading.Lock()
        self._fault = ""
        self._start_workers()
        self._admit_workers(len(self._starting), START_SECONDS)

    @property
    def devices(self) -> int:
        self.count_processes()
        return self._devices

    def count_processes(self) -> int:
        with self._lock:
            deadline = time.monotonic() + START_SECONDS
            while True:
                self._require_open()
                self._start_workers()
                self._admit_workers(len(self._starting), 0.0)
                if self._serving:
                    return len(self._serving)
                if time.monotonic() > deadline or (self._refused and not self._starting):
                    self._fault = explain_no_worker(list(self._refused.values()))
                    raise UserError(self._fault)
                if self._starting:
                    self._admit_workers(1, IDLE_SECONDS)
                else:
                    time.sleep(IDLE_SECONDS)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        return self._threads.submit(self._call_worker, function, *arguments)

    def end_workers(self) -> None:
        """End all workers and calls: a thread that still asks Ray while it shuts down takes the process along."""
        self._fault = "the workers of the Ray cluster are closed"
        with self._lock:
            workers, self._serving, self._starting = [*self._starting, *self._serving], [], []
        for worker in workers:
            ray.kill(worker.actor)
        self._threads.shutdown(cancel_futures=True)

    def _require_open(self) -> None:
        if self._fault:
            raise UserError(self._fault)

    def _call_worker(self, function: Callable[..., Any], *arguments: Any) -> Any:
        for _ in range(MAX_DEATHS):
            worker = self._take_worker()
            try:
                result = self._await_result(worker.actor.run_call.remote(function, *arguments))
            except RayTaskError as error:
                self._free.put(worker)
                raise error.cause from None
            except RayError:  # the process or its node is gone, or its memory ran out
                self._drop_worker(worker)
            else:
                self._free.put(worker)
                return result
        raise UserError(
            f"{MAX_DEATHS} training processes in a row were killed in the same step; if memory ran out, let each node "
            "have fewer workers (ray start --num-cpus); start again to continue"
        )

    def _await_result(self, call: Any) -> Any:
        while True:
            try:
                return ray.get(call, timeout=IDLE_SECONDS)
            except GetTimeoutError:
                self._require_open()

    def _take_worker(self) -> _Worker:
        """Wait for a free worker; start others if all are lost."""
        while True:
            self._require_open()
            try:
                worker = self._free.get(timeout=IDLE_SECONDS)
            except Empty:
                if not self._serving:
                    self.count_processes()
            else:
                if worker in self._serving:
                    return worker

    def _drop_worker(self, worker: _Worker) -> None:
        with self._lock:
            if worker in self._serving:
                self._serving.remove(worker)

    def _start_workers(self) -> None:
        """Start workers on every node that has room for more, and leave those on nodes that go."""
        nodes = ray_cluster.list_nodes()
        staying = nodes.keys() - ray_cluster.find_leaving_nodes()
        for worker in [worker for worker in (*self._starting, *self._serving) if worker.node not in staying]:
            (self._serving if worker in self._serving else self._starting).remove(worker)
            ray.kill(worker.actor)
        for node in staying - self._refused.keys():
            count, options = ray_cluster.plan_workers(nodes[node])
            for _ in range(count - sum(worker.node == node for worker in (*self._starting, *self._serving))):
                place = NodeAffinitySchedulingStrategy(node, soft=False)
                actor = _Actor.options(scheduling_strategy=place, **options).remote(
                    os.environ.get(CACHE_VARIABLE, ""), self._data
                )
                self._starting.append(_Worker(actor, node, actor.describe_process.remote()))

    def _admit_workers(self, count: int, seconds: float) -> None:
        """Let workers serve that are ready, after at most some seconds in which `count` of them become so."""
        if not self._starting:
            return
        waiting = {worker.description: worker for worker in self._starting}
        ready, _ = ray.wait([*waiting], num_returns=min(max(count, 1), len(waiting)), timeout=seconds)
        for worker in map(waiting.__getitem__, ready):
            self._starting.remove(worker)
            try:
                description, devices = ray.get(worker.description)
                fault = ray_cluster.find_difference(self._here, description)
            except RayError as error:
                self._failed_starts[worker.node] += 1  # a busy machine may fail once
                if worker.node not in ray_cluster.list_nodes() or self._failed_starts[worker.node] < MAX_DEATHS:
                    continue
                fault = f"no worker starts there ({str(error).strip().splitlines()[-1]})"
            if not fault:
                self._devices = devices
                self._serving.append(worker)
                self._free.put(worker)
            elif worker.node not in self._refused:
                self._refused[worker.node] = fault
                progress.print_line(f"node {worker.node[:8]} is left out: {fault}")


class _ActorBody:
    """A process that holds the data, on some node."""

    def __init__(self, programs: str, data: Data) -> None:
        if programs and files.path_exists(Path(programs)):  # a folder that the machines share
            os.environ[CACHE_VARIABLE] = programs
            jax.config.update("jax_compilation_cache_dir", programs)  # type: ignore[no-untyped-call]
        guard_compiled_programs()
        self._data = copy_to_devices(data)

    def describe_process(self) -> tuple[dict[str, str], int]:
        """Return what must be the same on all nodes, and the number of this process's devices."""
        return ray_cluster.describe_machine(), jax.device_count()

    def run_call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return function(*arguments, self._data)


_Actor = ray.remote(_ActorBody)


@contextmanager
def start_ray_workers(data: Data, address: str | None = None) -> Iterator[RayWorkers]:
    """Start workers for the context on the cluster at `address`: None is what RAY_ADDRESS names, or this machine.

    `data` is on the host. Raises `UserError` if there is no such cluster, or no node that can train.
    """
    begun_here = not ray.is_initialized()
    if begun_here:
        ray_cluster.connect_cluster(address)
    try:
        workers = RayWorkers(data)
        try:
            yield workers
        finally:
            workers.end_workers()
    finally:
        if begun_here:
            ray.shutdown()


def explain_no_worker(faults: list[str]) -> str:
    """Say why no worker serves: no node is of the right kind, or none is free."""
    if faults:
        return f"no node of the Ray cluster can train: {'; '.join(dict.fromkeys(faults))}"
    kind = {"gpu": "a GPU", "tpu": "TPU chips"}.get(jax.default_backend(), f"{runtime.XLA_THREADS} free CPUs")
    return (
        f"no worker of the Ray cluster started within {START_SECONDS:.0f} s. Each needs {kind} on a node, and thalweg "
        "there; `ray status` shows what is free. Finished training is kept"
    )
