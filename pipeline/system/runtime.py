"""Environment variables of XLA and BLAS, set before JAX and NumPy are loaded.

The size of XLA's thread pool decides how matrix products are split, and so their last bits. It is 2 on every machine.
A process has as many host devices, or one on a single core; other processes use the other cores
(`thalweg.engine.launchers`). A larger pool is slower: with 8 threads two cores trained 15 to 30 % fewer examples/s.

NumPy and SciPy use one BLAS thread, because the split among threads decides a product's last bits. The arrays on the
host are small, so a second thread gains nothing.
"""

import hashlib
import logging
import os
import sys
from collections.abc import Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from thalweg.system import files
from thalweg.system.paths import STATE_FOLDER

XLA_THREADS = 2  # size of XLA's thread pool
BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""Numbers of threads that OpenBLAS, OpenMP, MKL and Accelerate read when they are loaded."""
NUMERIC_VARIABLES = ("NPROC", *BLAS_THREADS, "JAX_DEFAULT_MATMUL_PRECISION", "JAX_ENABLE_X64")
"""Variables that decide how numbers are added up: threads, and precision."""
COMPILED_FOLDER = STATE_FOLDER / "compiled"
JAX_ALREADY_LOADED = "jax" in sys.modules
"""True in a notebook, for example: the settings come too late, so studies run in their own process."""


PLUGIN_FAULTS: list[str] = []
"""Why plugins of JAX for accelerators could not start, in their own words."""


def collect_plugin_faults() -> None:
    """Keep the faults of JAX's plugins in `PLUGIN_FAULTS`, in place of a traceback for each process."""

    def keep_fault(record: logging.LogRecord) -> bool:
        if record.exc_info and record.exc_info[1] is not None:
            PLUGIN_FAULTS.append(str(record.exc_info[1]).strip().partition("\n")[0])
        return not record.exc_info

    logging.getLogger("jax._src.xla_bridge").addFilter(keep_fault)


def cpu_identity() -> str:
    """Return the processor's model and features from Linux, which decide its machine code; '' elsewhere."""
    lines = files.read_system_text(Path("/proc/cpuinfo")).splitlines()
    names = ("vendor_id", "cpu family", "model", "model name", "stepping", "flags", "Features", "CPU part")
    facts = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return "\n".join(f"{name}: {facts[name]}" for name in names if name in facts)


def count_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def configure_blas(environment: os._Environ[str]) -> None:
    """Give NumPy's and SciPy's linear algebra one thread. The user's settings take precedence."""
    for name in BLAS_THREADS:
        environment.setdefault(name, "1")


def configure_xla(environment: os._Environ[str]) -> None:
    """Set the thread pool, the host devices, and a cache of compiled programs. The user's settings take precedence.

    On a GPU, sums get a fixed order. Where JAX is not installed, there is nothing to set.
    """
    if find_spec("jaxlib") is None:
        return
    environment.setdefault("NPROC", str(XLA_THREADS))
    flags = environment.get("XLA_FLAGS", "")
    settings = {
        "force_host_platform_device_count": min(count_cores(), XLA_THREADS),
        "gpu_deterministic_ops": "true",
        # a study's program compiles with a tenth less work, and runs as fast; a version without it takes no notice
        "backend_extra_options": "xla_cpu_disable_tiled_emitter",
    }
    for name, value in settings.items():
        if f"--xla_{name}" not in flags:
            flags = f"{flags} --xla_{name}={value}"
    environment["XLA_FLAGS"] = flags.strip()
    environment.setdefault("JAX_COMPILATION_CACHE_DIR", str(name_compiled_folder(environment).absolute()))
    environment.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    environment.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "0")
    # XLA's own caches carry no seal; with operations of a fixed order there is nothing to tune
    environment.setdefault("JAX_PERSISTENT_CACHE_ENABLE_XLA_CACHES", "none")


def name_compiled_folder(environment: Mapping[str, str]) -> Path:
    """Return where the programs lie that this version of JAX compiles on this processor, for its number of threads.

    The name begins with the version and a `-`.
    """
    identity = f"{environment['NPROC']}\n{cpu_identity()}"
    return COMPILED_FOLDER / f"{version('jaxlib')}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"
