"""A Ray cluster: connecting to it, its nodes, and what must be the same on all of them."""

import hashlib
import os
import signal
import socket
import threading
import warnings
from typing import Any

import jax
import ray

from thalweg.system import files, machine, runtime
from thalweg.system.files import UserError
from thalweg.system.package_files import find_package_file
from thalweg.system.version import VERSION

CONNECT_SECONDS = 5.0
"""How long the cluster may take to answer."""
NOT_CODE = ["?*.*", ".?*", "!*.py", "/data", "/artifacts", "/reports"]
"""Files of the project that no worker needs, as .gitignore has patterns. None may match the folder itself, `.`."""
JOB_VARIABLE = "RAY_JOB_CONFIG_JSON_ENV_VAR"
"""The variable that Ray sets in a job that `ray job submit` has started."""
CODE = ("core", "engine", "models", "tasks", "training")
"""The packages whose code trains."""


def connect_cluster(address: str | None) -> None:
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
        raise UserError(explain_refusal(place, error)) from None
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before or signal.SIG_DFL)  # Ray puts its own there


def explain_refusal(place: str, error: Exception) -> str:
    """Say why a cluster cannot be used. Ray shows no token where the address is given, and does not say so."""
    reason = str(error).strip().partition("\n")[0].rstrip(".")
    has_answered = type(error) is ConnectionError  # else it is the socket's own, of a kind below
    is_advised = has_answered and "RAY_AUTH_MODE" not in os.environ
    advice = "; if it was started with token authentication, set RAY_AUTH_MODE=token: docs/scale.md says more"
    return f"the Ray cluster at {place} cannot be used: {reason}{advice if is_advised else ''}"


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
