"""Workers on the nodes of a Ray cluster: one actor for each device group of a node.

A device group is what one process computes with: a GPU, all chips of a TPU's host, or as many cores as XLA's pool has
threads. The data reach a node once, by Ray's object store. A call changes none of its inputs, so the call of an actor
that dies goes to another one.
"""

import hashlib
import os
import signal
import socket
import threading
import warnings
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
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from thalweg.engine.devices import copy_to_devices
from thalweg.engine.program import Data
from thalweg.system import files, machine, progress, runtime
from thalweg.system.compiled import guard_compiled_programs
from thalweg.system.files import UserError
from thalweg.system.package_files import find_package_file
from thalweg.system.version import VERSION

START_SECONDS = 60.0
"""How long the workers of a new cluster may take to start, and a first one when all are lost."""
CONNECT_SECONDS = 5.0
"""How long the cluster may take to answer."""
IDLE_SECONDS = 1.0
"""How often a call that waits for a worker looks whether there is one at all."""
MAX_DEATHS = 3
"""Workers that a call may lose before it is to blame."""
MAX_CALLS = 4096
"""Calls that may wait at once, each in a thread."""
NOT_CODE = ["?*.*", ".?*", "!*.py", "/data", "/artifacts", "/reports"]
"""Files of the project that no worker needs, as .gitignore has patterns. None may match the folder itself, `.`."""
JOB_VARIABLE = "RAY_JOB_CONFIG_JSON_ENV_VAR"
"""The variable that Ray sets in a job that `ray job submit` has started."""
CODE = ("core", "engine", "models", "tasks", "training")
"""The packages whose code trains."""
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
        self._here = describe_machine()
        self._devices = 1
        self._starting: list[_Worker] = []
        self._serving: list[_Worker] = []
        self._refused: dict[str, str] = {}
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
            if self._fault:
                raise UserError(self._fault)
            self._start_workers()
            self._admit_workers(len(self._starting), 0.0)
            if not self._serving:
                self._admit_workers(1, START_SECONDS)
            if not self._serving:
                self._fault = explain_no_worker(list(self._refused.values()))
                raise UserError(self._fault)
            return len(self._serving)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        return self._threads.submit(self._call_worker, function, *arguments)

    def close(self) -> None:
        """End all workers, and the calls that wait for one."""
        with self._lock:
            self._fault = "the workers of the Ray cluster are closed"
            workers, self._serving, self._starting = [*self._starting, *self._serving], [], []
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            ray.kill(worker.actor)

    def _call_worker(self, function: Callable[..., Any], *arguments: Any) -> Any:
        for _ in range(MAX_DEATHS):
            worker = self._take_worker()
            try:
                result = ray.get(worker.actor.call.remote(function, *arguments))
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

    def _take_worker(self) -> _Worker:
        """Wait for a free worker; start others if all are lost."""
        while True:
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
        nodes = list_nodes()
        staying = nodes.keys() - find_leaving_nodes()
        for worker in [worker for worker in (*self._starting, *self._serving) if worker.node not in staying]:
            (self._serving if worker in self._serving else self._starting).remove(worker)
            ray.kill(worker.actor)
        for node in staying - self._refused.keys():
            count, options = plan_workers(nodes[node])
            for _ in range(count - sum(worker.node == node for worker in (*self._starting, *self._serving))):
                place = NodeAffinitySchedulingStrategy(node, soft=False)
                actor = _Actor.options(scheduling_strategy=place, **options).remote(
                    os.environ.get(CACHE_VARIABLE, ""), self._data
                )
                self._starting.append(_Worker(actor, node, actor.describe.remote()))

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
                fault = find_difference(self._here, description)
            except RayError as error:
                if worker.node not in list_nodes():
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

    def describe(self) -> tuple[dict[str, str], int]:
        """Return what must be the same on all nodes, and the number of this process's devices."""
        return describe_machine(), jax.device_count()

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return function(*arguments, self._data)


_Actor = ray.remote(_ActorBody)


@contextmanager
def start_ray_workers(data: Data, address: str | None = None) -> Iterator[RayWorkers]:
    """Start workers for the context on the cluster at `address`: None is what RAY_ADDRESS names, or this machine.

    `data` is on the host. Raises `UserError` if there is no such cluster, or no node that can train.
    """
    begun_here = not ray.is_initialized()
    if begun_here:
        _connect(address)
    try:
        workers = RayWorkers(data)
        try:
            yield workers
        finally:
            workers.close()
    finally:
        if begun_here:
            ray.shutdown()


def _connect(address: str | None) -> None:
    """Connect to the cluster. Raises `UserError` with the reason."""
    names = (*runtime.NUMERIC_VARIABLES, "XLA_FLAGS", "JAX_PLATFORMS")
    variables = {name: os.environ[name] for name in names if name in os.environ}
    environment: dict[str, Any] = {"env_vars": variables}
    if JOB_VARIABLE not in os.environ:  # the job has its files already, and Ray takes no folder twice
        environment |= {"working_dir": ".", "excludes": NOT_CODE}
    place = address or os.environ.get("RAY_ADDRESS") or "local"
    before = signal.getsignal(signal.SIGTERM)
    try:
        _require_answer(place)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r"os\.fork\(\)")  # Ray only starts other programs
            ray.init(address=place, runtime_env=environment, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise UserError(f"the Ray cluster at {place} cannot be used: {reason}") from None
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)  # Ray puts its own there


def _require_answer(place: str) -> None:
    """Raise OSError if nothing answers at HOST:PORT: Ray would try for minutes."""
    host, _, port = place.rpartition("://")[2].rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()


def list_nodes() -> dict[str, dict[str, float]]:
    """Return the resources of each node that is there, by its identity."""
    return {node["NodeID"]: node["Resources"] for node in ray.nodes() if node["Alive"]}


def find_leaving_nodes() -> set[str]:
    """Return the nodes that Ray drains: they will soon be gone, and get no more work.

    Ray has no public name for this. Without the private one such a node serves until it is gone.
    """
    list_draining = getattr(ray._private.state.state, "get_draining_nodes", dict)
    return {*list_draining()}


def describe_machine() -> dict[str, str]:
    """Describe what must be the same on all nodes: the processor, the code of Thalweg, and the libraries."""
    return {
        "processor": machine.describe_processor(),
        "thalweg": f"{VERSION} (code {hash_code()[:12]})",
        **machine.list_versions(),
    }


def hash_code() -> str:
    """Hash the code that trains, wherever it lies."""
    sources = {
        f"{package}/{name}": files.hash_file(find_package_file(package, name))
        for package in CODE
        for name in files.list_files(find_package_file(package))
        if name.endswith(".py")
    }
    return hashlib.sha256(repr(sources).encode()).hexdigest()


def find_difference(here: dict[str, str], there: dict[str, str]) -> str:
    """Name the first thing that differs on another node; '' if nothing does."""
    for name, value in here.items():
        if there[name] != value:
            return f"its {name} is {there[name]}, and that of this study {value}"
    return ""


def plan_workers(resources: dict[str, float]) -> tuple[int, dict[str, Any]]:
    """Return how many workers a node with these resources has, and what each of them asks for."""
    backend = jax.default_backend()
    if backend == "gpu":
        return int(resources.get("GPU", 0)), {"num_gpus": 1}
    if backend == "tpu":
        chips = resources.get("TPU", 0)
        return min(int(chips), 1), {"resources": {"TPU": chips}}
    cores = int(resources.get("CPU", 0))
    size = min(cores, runtime.XLA_THREADS)
    return cores // max(size, 1), {"num_cpus": size}


def explain_no_worker(faults: list[str]) -> str:
    """Say why no worker serves: no node is of the right kind, or none is free."""
    if faults:
        return f"no node of the Ray cluster can train: {'; '.join(dict.fromkeys(faults))}"
    kind = {"gpu": "a GPU", "tpu": "TPU chips"}.get(jax.default_backend(), f"{runtime.XLA_THREADS} free CPUs")
    return (
        f"no worker of the Ray cluster started within {START_SECONDS:.0f} s. Each needs {kind} on a node, and thalweg "
        "there; `ray status` shows what is free. Finished training is kept"
    )
