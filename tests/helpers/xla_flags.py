"""Flags that tell XLA how to compile. Read them before JAX is loaded."""

import os

HASTE = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}
"""Programs compiled in a third of the time, and three times as slow."""

OPTIMISED = {"xla_backend_optimization_level": 3, "xla_cpu_use_fusion_emitters": True}
"""Programs compiled as a study's are: XLA's own values."""


def build_hasty_flags() -> str:
    """Give the XLA_FLAGS of programs compiled in haste."""
    return " ".join(f"--{name}={str(value).lower()}" for name, value in HASTE.items())


def build_process_flags() -> str:
    """Give this process's XLA_FLAGS without its number of devices, which the package adds."""
    return " ".join(flag for flag in os.environ["XLA_FLAGS"].split() if "device_count" not in flag)


def build_device_flags(count: int) -> str:
    """Give this process's XLA_FLAGS with so many devices on the host."""
    return f"{build_process_flags()} --xla_force_host_platform_device_count={count}"
