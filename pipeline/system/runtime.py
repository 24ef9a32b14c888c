"""Settings that XLA and BLAS read from the environment, made before JAX and NumPy are loaded.

The thread pool's size decides how matrix products are split and so their last bits: it is 2 whatever the machine has,
and a process has as many host devices, or one on a single core; further cores are used by further processes
(`thalweg.engine.workers`). A larger pool would serve more cores in one process, but costs: with 8 threads two cores
trained 15 to 30 % fewer examples a second.

NumPy and SciPy use one BLAS thread: a product's last bits depend on how threads split it. The arrays on the host are
small, so a second thread gains nothing.
"""

import hashlib
import os
import sys
from importlib.metadata import version
from pathlib import Path

XLA_THREADS = 2
"""Threads of XLA's pool."""
BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""Variables that OpenBLAS, OpenMP, MKL and Accelerate take their number of threads from, when they are loaded."""
JAX_ALREADY_LOADED = "jax" in sys.modules
"""As in a notebook: it is too late for this process, and studies run in one of their own."""


def cpu_identity() -> str:
    """What of the processor decides which machine code suits it, as Linux tells it; empty elsewhere."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    wanted = ("vendor_id", "cpu family", "model", "model name", "stepping", "flags", "Features", "CPU part")
    facts = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return "\n".join(f"{name}: {facts[name]}" for name in wanted if name in facts)


def count_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def configure_blas(environment: os._Environ[str]) -> None:
    """Give NumPy's and SciPy's linear algebra one thread; a person's own settings stay."""
    for name in BLAS_THREADS:
        environment.setdefault(name, "1")


def configure_xla(environment: os._Environ[str]) -> None:
    """Set the pool, the host devices, and the folder of compiled programs; a person's own settings stay.

    Compiled programs are kept for the next process. On a GPU sums have an order.
    """
    environment.setdefault("NPROC", str(XLA_THREADS))
    flags = environment.get("XLA_FLAGS", "")
    wanted = {"force_host_platform_device_count": min(count_cores(), XLA_THREADS), "gpu_deterministic_ops": "true"}
    for name, value in wanted.items():
        if f"--xla_{name}" not in flags:
            flags = f"{flags} --xla_{name}={value}"
    environment["XLA_FLAGS"] = flags.strip()
    made_for = f"{version('jaxlib')}\n{environment['NPROC']}\n{cpu_identity()}"
    kind = hashlib.sha256(made_for.encode()).hexdigest()[:12]
    environment.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(".thalweg", "compiled", kind).absolute()))
    environment.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    environment.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "0")
