"""The library versions and the processor that results depend on, and the memory."""

import hashlib
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from thalweg.system import files, runtime

VERSIONED_PACKAGES = ("jax", "jaxlib", "flax", "optax", "optuna", "numpy", "scipy", "pillow")


def list_versions() -> dict[str, str]:
    return {name: version(name) for name in VERSIONED_PACKAGES} | {"python": platform.python_version()}


def describe_processor() -> str:
    """Return the name of the processor or accelerator that computes."""
    import jax

    device = jax.devices()[0]
    return _describe_cpu() if device.platform == "cpu" else f"{device.platform} {device.device_kind}"


def find_platform_fault(platform_name: str | None = None) -> str:
    """Return why JAX has no device of a platform, or none at all; '' if it has one."""
    import jax

    try:
        jax.devices(platform_name)
    except (RuntimeError, AssertionError) as error:  # the second if no platform of JAX_PLATFORMS works
        asked = os.environ.get("JAX_PLATFORMS", "")
        reason = (runtime.PLUGIN_FAULTS or [str(error)])[0].strip().partition("\n")[0]
        return reason or f"JAX_PLATFORMS is {asked}, and nothing here works with it"
    return ""


def count_free_bytes() -> int:
    """Return the bytes of memory that a process may still get; all of the machine's where the system does not say."""
    names = getattr(os, "sysconf_names", {})
    sizes = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")] if "SC_PHYS_PAGES" in names else [sys.maxsize]
    meminfo, limit = map(files.read_system_text, (Path("/proc/meminfo"), Path("/sys/fs/cgroup/memory.max")))  # Linux
    sizes += [1024 * int(line.split()[1]) for line in meminfo.splitlines() if line.startswith("MemAvailable:")]
    if limit.strip().isdigit():
        sizes.append(int(limit))
    return min(sizes)


def _describe_cpu() -> str:
    identity = runtime.cpu_identity()
    names = [line.partition(": ")[2] for line in identity.splitlines() if line.startswith("model name")]
    name = names[0] if names else platform.processor() or platform.machine()
    return f"{name} ({platform.machine()}, {hashlib.sha256(identity.encode()).hexdigest()[:8]})"
